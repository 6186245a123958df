//! The full verdict on a 7 kB response, ours and samael's, in turns in one run on one core.
//!
//! Both take the form value and end with an accepted assertion. samael reads the system clock, so its skew
//! and delay are set to decades.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use samael::metadata::EntityDescriptor;
use samael::service_provider::ServiceProviderBuilder;
use sidelight::protocol::saml::bindings::encode_post;
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::verdict::verdict_on_post;
use sidelight::protocol::xml::VerificationKey;

const RESPONSE: &[u8] = include_bytes!("../../../../tests/fixtures/saml/accepted/seven-kilobytes.xml");
const METADATA: &str = include_str!("../../../../tests/fixtures/saml/metadata/plain.xml");
const CERTIFICATE: &str = include_str!("../../../../tests/fixtures/saml/keys/idp.cert.pem");
const SP: &str = "https://sp.example.com/saml/metadata";
const ACS: &str = "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345";
const REQUEST: &str = "_req-7f3a9c";
const TURNS: usize = 200;
const REPETITIONS: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let posted = encode_post(RESPONSE);
    let keys = [VerificationKey::from_certificate_pem(CERTIFICATE)?];
    let (acs, requests) = ([ACS.to_owned()], [REQUEST.to_owned()]);
    let expectations = Expectations {
        now: 1_769_947_200_000,
        skew: 60_000,
        idp_entity_id: "https://idp.example.org/metadata",
        audience: SP,
        acs: &acs,
        in_response_to: InResponseTo { outstanding: &requests, unsolicited_allowed: false },
        verification_keys: &keys,
        decryption_keys: &[],
        policy: Policy::default(),
    };
    let decades = chrono::Duration::days(20_000);
    let samael = ServiceProviderBuilder::default()
        .entity_id(SP.to_owned())
        .acs_url(ACS.to_owned())
        .idp_metadata(METADATA.parse::<EntityDescriptor>()?)
        .max_clock_skew(decades)
        .max_issue_delay(decades)
        .build()?;
    samael.parse_base64_response(&posted, Some(&[REQUEST]))?;

    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        ours = ours.min(turn(|| drop(black_box(verdict_on_post(&posted, &expectations)))));
        theirs =
            theirs.min(turn(|| drop(black_box(samael.parse_base64_response(&posted, Some(&[REQUEST]))))));
    }
    println!("a response of {} bytes, one RSA-2048-SHA256 signature, one core, best of {TURNS} turns", RESPONSE.len());
    println!("sidelight  {:>9.1} µs", ours.as_secs_f64() * 1e6);
    println!("samael     {:>9.1} µs   {:.1} times ours", theirs.as_secs_f64() * 1e6, theirs.as_secs_f64() / ours.as_secs_f64());
    Ok(())
}

fn turn(run: impl Fn()) -> Duration {
    let begun = Instant::now();
    for _ in 0..REPETITIONS {
        run();
    }
    begun.elapsed() / REPETITIONS
}
