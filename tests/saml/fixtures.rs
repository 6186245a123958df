//! Every recipe gives the reject that the table says, made afresh and as a file.
//!
//! A file is named `RECIPE.CODE.xml`. `SIDELIGHT_WRITE_FIXTURES=1 cargo test --test saml` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sidelight::protocol::forge::{ForgeFail, Needs, Recipe, named, recipes};
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::verdict::{explain, verdict};

use crate::forge::{Forge, fixtures};
use crate::{encryption, genuine};

/// What a recipe makes.
fn made(recipe: &Recipe) -> String {
    (recipe.make)(Forge::shared()).unwrap_or_else(|fail| panic!("{}: {fail}", recipe.name))
}

#[test]
fn every_attack_is_rejected_with_its_own_code() {
    let forge = Forge::shared();
    let mut wrong = Vec::new();
    for recipe in recipes() {
        let got = code_of(forge, made(recipe).as_bytes());
        if got != recipe.reject {
            wrong.push(format!("{}: {got}, expected {}", recipe.name, recipe.reject));
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
    for recipe in recipes().filter(|recipe| !made_with_chance(recipe)) {
        let path = fixtures().join("rejected").join(format!("{}.{}.xml", recipe.name, recipe.reject));
        let file = fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        assert!(file == made(recipe).as_bytes(), "{} has changed", path.display());
    }
}

#[test]
fn every_recipe_has_a_name_of_its_own_and_says_what_it_does() {
    let names: BTreeSet<_> = recipes().map(|recipe| recipe.name).collect();
    assert_eq!(names.len(), recipes().count());
    for one in recipes() {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(one.name.chars().all(is_plain), "{}", one.name);
        assert!(one.sentence.ends_with('.') && !one.source.is_empty(), "{}", one.name);
        assert_eq!(named(one.name).map(|(_, found)| found.name), Some(one.name));
    }
    assert!(named("no_such_fault").is_none());
}

#[test]
fn a_recipe_that_needs_what_is_not_there_makes_nothing() {
    let shared = Forge::shared();
    let without = Forge::with(|forge| {
        forge.occasion.request = None;
        forge.keys.recipient = None;
        forge.keys.idp_elliptic = None;
    });
    for recipe in recipes() {
        let made = (recipe.make)(&without);
        match recipe.needs {
            Needs::Acs => assert!(made.is_ok(), "{}: {made:?}", recipe.name),
            Needs::EncryptionKey => assert_eq!(made, Err(ForgeFail::Recipient), "{}", recipe.name),
            Needs::EllipticKey => assert_eq!(made, Err(ForgeFail::Key), "{}", recipe.name),
            Needs::Request => assert!(matches!(made, Err(ForgeFail::Missing(_))), "{}", recipe.name),
        }
        assert!((recipe.make)(shared).is_ok());
    }
}

#[test]
fn names_that_look_like_markup_stay_text() {
    let hostile = "<a href=\"x\">&amp;'";
    let forge = Forge::with(|forge| {
        forge.occasion.name_id = hostile.to_owned();
        forge.occasion.marker = format!("{hostile}!");
    });
    let document = forge.genuine().both_signed(&forge).unwrap();
    let identity = verdict(document.as_bytes(), &Forge::shared().expectations()).unwrap();
    assert_eq!(identity.name_id.unwrap().value, hostile);
    for recipe in recipes() {
        let made = (recipe.make)(&forge);
        assert!(made.is_ok(), "{}: {made:?}", recipe.name);
        assert_ne!(code_of(Forge::shared(), made.unwrap().as_bytes()), "accepted", "{}", recipe.name);
    }
}

/// ECDSA signs with a fresh number each time, and encryption draws a fresh key.
fn made_with_chance(recipe: &Recipe) -> bool {
    matches!(recipe.needs, Needs::EllipticKey | Needs::EncryptionKey)
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
    let rejected =
        |recipe: &Recipe| (format!("rejected/{}.{}.xml", recipe.name, recipe.reject), made(recipe));
    let accepted = |(name, document): (&str, String)| (format!("accepted/{name}.xml"), document);
    let files: BTreeMap<String, String> = (recipes().map(rejected))
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
