//! What `sidelight explain` prints: values in, text or JSON out.
//!
//! Text from the response is shown to a terminal, so whatever could steer one is replaced.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::cli::terminal::harmless;
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::saml::identity::{AttributeValue, Identity};
use crate::protocol::saml::metadata::{IdentityProvider, Metadata, MetadataReject};
use crate::protocol::saml::reject::SamlReject;
use crate::protocol::saml::time::format_instant;
use crate::protocol::saml::verdict::Explanation;

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// An explanation as one JSON object.
pub(super) fn response_as_json(explanation: &Explanation) -> String {
    let identity = explanation.verdict.as_ref().ok();
    let attributes: Option<Map<String, Value>> = identity.map(|identity| {
        identity
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), json!(attribute.values)))
            .collect()
    });
    pretty(&json!({
        "verdict": verdict_word(identity.is_some()),
        "reject": explanation.verdict.as_ref().err(),
        "checks": explanation.checks,
        "name_id": identity.and_then(|identity| identity.name_id.as_ref()),
        "attributes": attributes,
        "session_index": identity.and_then(|identity| identity.session_index.as_deref()),
        "issuer": identity.map(|identity| identity.issuer.as_str()),
        "assertion_id": identity.map(|identity| identity.assertion_id.as_str()),
        "not_on_or_after": identity.map(|identity| format_instant(identity.not_on_or_after)),
        "authn_instant": identity.map(|identity| format_instant(identity.authn_instant)),
        "authn_context": identity.and_then(|identity| identity.authn_context.as_deref()),
        "signed": identity.map(|identity| identity.signed),
        "encrypted": identity.map(|identity| identity.decryption_key.is_some()),
        "key_index": identity.map(|identity| identity.key_index),
        "algorithms": identity.map(|identity| &identity.algorithms),
    }))
}

/// An explanation for a person.
pub(super) fn response_as_text(explanation: &Explanation, colours: bool) -> String {
    let mut page = Page { text: String::new(), colours };
    match &explanation.verdict {
        Ok(identity) => accepted(&mut page, identity),
        Err(reject) => rejected(&mut page, reject),
    }
    page.line("");
    for check in &explanation.checks {
        checked(&mut page, check);
    }
    page.text
}

fn accepted(page: &mut Page, identity: &Identity) {
    page.painted(GREEN, "Accepted");
    if let Some(name_id) = &identity.name_id {
        page.field("name id", &name_id.value);
        page.field("format", name_id.format.as_deref().unwrap_or("not given"));
    }
    for attribute in &identity.attributes {
        for value in &attribute.values {
            page.field(&attribute.name, in_words(value));
        }
    }
    page.field("issuer", &identity.issuer);
    page.field("session", identity.session_index.as_deref().unwrap_or("not given"));
    page.field("acceptable", &format!("before {}", format_instant(identity.not_on_or_after)));
    page.field("signed with", &identity.algorithms.signature);
    page.field("by key", &format!("number {}", identity.key_index + 1));
}

fn in_words(value: &AttributeValue) -> &str {
    match value {
        AttributeValue::Text(text) | AttributeValue::Element(text) => text,
        AttributeValue::Nil => "(nil)",
    }
}

fn rejected(page: &mut Page, reject: &SamlReject) {
    page.painted(RED, &format!("Rejected: {}", reject.code.code()));
    page.field("check", &format!("{}, {}", reject.rule.number(), reject.rule.name()));
    page.field("clause", reject.clause());
    page.field("expected", &reject.expected);
    page.field("got", &reject.got);
    page.field("repair", reject.repair());
}

/// One line, and for a failure two more.
fn checked(page: &mut Page, check: &Check) {
    let (colour, mark) = match check.outcome {
        CheckOutcome::Passed => (GREEN, "ok  "),
        CheckOutcome::Failed => (RED, "FAIL"),
        CheckOutcome::Skipped => (DIM, "-   "),
    };
    let got = if check.outcome == CheckOutcome::Failed { "" } else { check.got.as_str() };
    let line = format!("{:>3}  {mark}  {:<28}  {got}", check.number, check.name);
    page.painted(colour, line.trim_end());
    if check.outcome == CheckOutcome::Failed {
        page.line(&format!("           {:<10} {}", "clause", check.clause));
        page.line(&format!("           {:<10} {}", "expected", check.expected));
        page.line(&format!("           {:<10} {}", "got", check.got));
    }
}

/// What an upload would set, as one JSON object.
pub(super) fn metadata_as_json(read: &Result<Metadata, MetadataReject>) -> String {
    let entities = read.iter().flat_map(|metadata| &metadata.identity_providers).map(entity_as_json);
    let unusable = read.iter().flat_map(|metadata| &metadata.unusable);
    let unusable = unusable.map(|role| json!({"entity_id": role.entity_id, "code": role.reason.code()}));
    pretty(&json!({
        "verdict": verdict_word(read.is_ok()),
        "reject": read.as_ref().err().map(|reject| json!({
            "code": reject.code(),
            "clause": reject.clause(),
            "expected": "metadata of a SAML 2.0 identity provider",
            "got": reject.sentence(),
        })),
        "entities": entities.collect::<Vec<_>>(),
        "unusable": unusable.collect::<Vec<_>>(),
    }))
}

fn entity_as_json(provider: &IdentityProvider) -> Value {
    json!({
        "entity_id": provider.entity_id,
        "sso": provider.sso,
        "slo": provider.slo,
        "signing_cert_sha256": fingerprints(&provider.signing_certificates),
        "encryption_cert_sha256": fingerprints(&provider.encryption_certificates),
        "name_id_formats": provider.name_id_formats,
        "wants_signed_requests": provider.wants_signed_requests,
        "valid_until": provider.valid_until.as_ref().map(|until| until.text.as_str()),
    })
}

/// What an upload would set, for a person.
pub(super) fn metadata_as_text(read: &Result<Metadata, MetadataReject>, colours: bool) -> String {
    let mut page = Page { text: String::new(), colours };
    match read {
        Err(reject) => {
            page.painted(RED, &format!("Rejected: {}", reject.code()));
            page.field("reason", reject.sentence());
            page.field("clause", reject.clause());
        }
        Ok(metadata) => {
            page.painted(GREEN, "Accepted");
            for provider in &metadata.identity_providers {
                entity_as_text(&mut page, provider);
            }
            for role in &metadata.unusable {
                page.line("");
                page.painted(RED, &format!("Left out: {}", role.reason.code()));
                page.field("entity id", &role.entity_id);
                page.field("reason", role.reason.sentence());
            }
        }
    }
    page.text
}

fn entity_as_text(page: &mut Page, provider: &IdentityProvider) {
    page.line("");
    page.painted(BOLD, &provider.entity_id);
    for endpoint in &provider.sso {
        page.field("sign-in", &format!("{} ({})", endpoint.location, endpoint.binding));
    }
    for endpoint in &provider.slo {
        page.field("sign-out", &format!("{} ({})", endpoint.location, endpoint.binding));
    }
    for fingerprint in fingerprints(&provider.signing_certificates) {
        page.field("signs with", &fingerprint);
    }
    for fingerprint in fingerprints(&provider.encryption_certificates) {
        page.field("encrypts", &fingerprint);
    }
    for format in &provider.name_id_formats {
        page.field("name id", format);
    }
    if let Some(until) = &provider.valid_until {
        page.field("valid until", &format_instant(until.instant));
    }
}

/// SHA-256 of each certificate, in hexadecimal.
fn fingerprints(certificates: &[Vec<u8>]) -> Vec<String> {
    let hex = |der: &Vec<u8>| {
        digest(&SHA256, der).as_ref().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    certificates.iter().map(hex).collect()
}

fn verdict_word(accepted: bool) -> &'static str {
    if accepted { "accepted" } else { "rejected" }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Lines for a person.
struct Page {
    text: String,
    colours: bool,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.extend(text.chars().map(harmless));
        self.text.push('\n');
    }

    fn painted(&mut self, colour: &str, text: &str) {
        if self.colours {
            self.text.push_str(colour);
            self.text.extend(text.chars().map(harmless));
            self.text.push_str(RESET);
            self.text.push('\n');
        } else {
            self.line(text);
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:<12} {value}"));
    }
}
