//! The canonical form against the shared vectors, octet for octet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use sidelight::protocol::xml::{Canonicalization, Document, Element, Limits};
use std::path::{Path, PathBuf};

/// Where the shared vectors are; they are no part of the project.
fn vectors() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/xmldsig");
    if !folder.is_dir() {
        println!("skipped: there are no shared vectors beside this checkout");
        return None;
    }
    Some(folder)
}

/// Finds the element that a vector selects: by the value of its identifier, or by name (`//p:name`).
fn select<'d>(document: &'d Document, select: &Value) -> Element<'d> {
    let mut all = document.root().descendants();
    if let Some(id) = select["id"].as_str() {
        return all.find(|e| ["ID", "Id", "id"].iter().any(|name| e.attribute(name) == Some(id))).unwrap();
    }
    let (prefix, local) =
        select["xpath"].as_str().unwrap().strip_prefix("//").unwrap().split_once(':').unwrap();
    let namespace = select["ns"][prefix].as_str().unwrap();
    all.find(|e| e.is(namespace, local)).unwrap()
}

#[test]
fn canonical_forms_equal_the_vectors() {
    let Some(folder) = vectors() else { return };
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let cases = manifest["c14n"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let input = std::fs::read(folder.join(case["input"].as_str().unwrap())).unwrap();
        let expected = std::fs::read(folder.join(case["expected"].as_str().unwrap())).unwrap();
        let form = Canonicalization::from_uri(case["algorithm"].as_str().unwrap()).unwrap();
        let document = Document::parse(&input, &Limits::ASSERTION).unwrap();
        let mut octets = Vec::new();
        if case["select"] == "document" {
            form.write_document(&document, &mut octets);
        } else {
            let prefix_list = case["prefix_list"].as_str().unwrap();
            form.write(select(&document, &case["select"]), None, prefix_list, &mut octets);
        }
        if octets != expected {
            println!(
                "{id}\n{}\n--\n{}",
                String::from_utf8_lossy(&octets),
                String::from_utf8_lossy(&expected)
            );
            wrong.push(id);
        }
    }
    println!("{} vectors", cases.len());
    assert!(wrong.is_empty(), "differ: {wrong:?}");
}
