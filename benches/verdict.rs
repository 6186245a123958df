//! The full verdict on a 7 kB response against the cryptography that it cannot do without.
//!
//! Run with `cargo bench --bench verdict`. Both sides are measured in turns in one run, on one core, with
//! the same library: the floor is one RSA verification with a parsed 2,048-bit key and SHA-256 over the
//! octets of the document. The figure that counts is the ratio: floor divided by verdict.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use sidelight::clock::Timestamp;
use sidelight::protocol::saml::bindings::{Encoding, encode_post};
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::verdict::{explain, judge_post, verdict};
use sidelight::protocol::xml::VerificationKey;

const RESPONSE: &[u8] = include_bytes!("../tests/fixtures/saml/accepted/seven-kilobytes.xml");
const CERTIFICATE: &str = include_str!("../tests/fixtures/saml/keys/idp.cert.pem");
/// Turns of each side; the best is reported, because what disturbs a turn only ever makes it longer.
const TURNS: usize = 400;
/// Repetitions within a turn: few enough that most turns end before the scheduler looks up.
const REPETITIONS: u32 = 20;

fn main() {
    let keys = [VerificationKey::from_certificate_pem(CERTIFICATE).unwrap()];
    let (acs, requests) = (
        ["https://sp.example.com/account/GetLoginKey.aspx?idpid=12345".to_owned()],
        ["_req-7f3a9c".to_owned()],
    );
    let expectations = Expectations {
        now: Timestamp::parse("2026-02-01T12:00:00Z").unwrap().0,
        skew: 60_000,
        idp_entity_id: "https://idp.example.org/metadata",
        audience: "https://sp.example.com/saml/metadata",
        acs: &acs,
        in_response_to: InResponseTo { outstanding: &requests, unsolicited_allowed: false },
        verification_keys: &keys,
        decryption_keys: &[],
        policy: Policy::default(),
    };
    let posted = encode_post(RESPONSE);
    let floor = floor();
    type Side<'a> = (&'a str, Box<dyn Fn() + 'a>, Vec<Duration>);
    let mut sides: [Side<'_>; 4] = [
        ("floor: RSA verify and SHA-256", Box::new(floor), Vec::new()),
        ("verdict", Box::new(|| drop(black_box(verdict(RESPONSE, &expectations).unwrap()))), Vec::new()),
        (
            "verdict on the form value",
            Box::new(|| drop(black_box(judge_post(&posted, &expectations).verdict.unwrap()))),
            Vec::new(),
        ),
        (
            "explanation",
            Box::new(|| drop(black_box(explain(RESPONSE, Encoding::Xml, &expectations)))),
            Vec::new(),
        ),
    ];
    for _ in 0..TURNS {
        for (_, run, times) in &mut sides {
            let begun = Instant::now();
            for _ in 0..REPETITIONS {
                run();
            }
            times.push(begun.elapsed() / REPETITIONS);
        }
    }
    let best = |times: &[Duration]| times.iter().min().unwrap().as_secs_f64() * 1e6;
    println!("a response of {} bytes, one RSA-2048-SHA256 signature, one core", RESPONSE.len());
    let floor = best(&sides[0].2);
    for (name, _, times) in &sides {
        let time = best(times);
        println!("{name:<32} {time:>8.1} µs   {:>7.0} a second   ratio {:.2}", 1e6 / time, floor / time);
    }
}

/// One verification and one digest, as bare as the library allows.
fn floor() -> impl Fn() {
    let key = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    let octets = &RESPONSE[..1024];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature).unwrap();
    let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref()).unwrap();
    move || {
        parsed.verify_sig(black_box(octets), &signature).unwrap();
        black_box(digest(&SHA256, black_box(RESPONSE)));
    }
}
