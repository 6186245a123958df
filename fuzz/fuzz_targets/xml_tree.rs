//! Any octets become a tree or a reject; and the canonical form of a tree is its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::protocol::xml::{Canonicalization, Document, Limits, Method, XmlRule};

fuzz_target!(|octets: &[u8]| {
    let Ok(document) = Document::parse(octets, &Limits::ASSERTION) else { return };
    for method in [Method::Exclusive, Method::Inclusive10, Method::Inclusive11] {
        let form = Canonicalization { method, comments: true };
        let mut once = Vec::new();
        form.write_document(&document, &mut once);
        match Document::parse(&once, &Limits::METADATA) {
            Ok(again) => {
                let mut twice = Vec::new();
                form.write_document(&again, &mut twice);
                assert_eq!(once, twice);
            }
            // Declarations move to where they are used, and may become too many for one element there.
            Err(reject) => assert_eq!(reject.rule, XmlRule::TooManyAttributes),
        }
    }
    for element in document.root().descendants() {
        let _ = (element.text(), element.plain_text(), element.parent(), element.lookup_namespace("p"));
    }
});
