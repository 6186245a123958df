//! Every attack gives the reject that its name says, made afresh and as a file.
//!
//! A file is named `ATTACK.CODE.xml`. `SIDELIGHT_WRITE_FIXTURES=1 cargo test --test saml` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::verdict::{explain, verdict};

use crate::forge::{Forge, fixtures};
use crate::wrapping::Attack;
use crate::{encryption, genuine, protocol, tricks, wrapping};

fn attacks(forge: &Forge) -> Vec<Attack> {
    [wrapping::attacks(forge), tricks::attacks(forge), protocol::attacks(forge)].concat()
}

#[test]
fn every_attack_is_rejected_with_its_own_code() {
    let forge = Forge::shared();
    let (deterministic, encrypted) = (attacks(forge), encryption::attacks(forge));
    let mut wrong = Vec::new();
    for (name, code, document) in deterministic.iter().chain(&encrypted) {
        let got = code_of(forge, document.as_bytes());
        if got != *code {
            wrong.push(format!("{name}: {got}, expected {code}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong rejects:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_fixture_gives_the_verdict_that_its_name_says() {
    let forge = Forge::shared();
    if std::env::var_os("SIDELIGHT_WRITE_FIXTURES").is_some() {
        write(forge);
    }
    let mut count = 0;
    for folder in ["rejected", "accepted"] {
        for entry in fs::read_dir(fixtures().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let expected = name.split_once('.').map_or("accepted", |(_, code)| code);
            assert_eq!(code_of(forge, &fs::read(&path).unwrap()), expected, "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 150, "{count} fixtures");
}

#[test]
fn the_fixtures_are_what_the_forge_makes() {
    let forge = Forge::shared();
    for (name, code, document) in attacks(forge) {
        // ECDSA signs with a fresh number each time.
        if document.contains("ecdsa") || name.contains("ecdsa") {
            continue;
        }
        let path = fixtures().join("rejected").join(format!("{name}.{code}.xml"));
        let file = fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        assert!(file == document.as_bytes(), "{} has changed", path.display());
    }
}

#[test]
fn no_two_attacks_have_one_name() {
    let forge = Forge::shared();
    let all = [attacks(forge), encryption::attacks(forge)].concat();
    let names: BTreeSet<_> = all.iter().map(|(name, _, _)| name).collect();
    assert_eq!(names.len(), all.len());
}

/// The code of the verdict; the explanation must come to the same.
fn code_of(forge: &Forge, document: &[u8]) -> &'static str {
    let fast = verdict(document, &forge.expectations());
    let explained = explain(document, Encoding::Xml, &forge.expectations());
    assert_eq!(fast, explained.verdict);
    fast.map_or_else(|reject| reject.code.code(), |_| "accepted")
}

/// Writes what is new or has changed, and removes what is no longer made. What is made with chance, by
/// ECDSA or encryption, stays as it is.
fn write(forge: &Forge) {
    let rejected = |(name, code, document): Attack| (format!("rejected/{name}.{code}.xml"), document);
    let accepted = |(name, document): (&str, String)| (format!("accepted/{name}.xml"), document);
    let files: BTreeMap<String, String> = (attacks(forge).into_iter().map(rejected))
        .chain(encryption::attacks(forge).into_iter().map(rejected))
        .chain(genuine::responses(forge).into_iter().map(accepted))
        .chain(encryption::genuine(forge).into_iter().map(accepted))
        .collect();
    for folder in ["rejected", "accepted"] {
        fs::create_dir_all(fixtures().join(folder)).unwrap();
        for entry in fs::read_dir(fixtures().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if !files.contains_key(&format!("{folder}/{}", entry.file_name().to_str().unwrap())) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
    for (name, document) in files {
        let path = fixtures().join(&name);
        let by_chance =
            ["ecdsa", "EncryptedData"].iter().any(|mark| document.contains(mark) || name.contains(mark));
        if !(by_chance && path.exists()) {
            fs::write(path, document).unwrap();
        }
    }
}
