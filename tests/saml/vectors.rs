//! The shared cases, under the policy that each names and under the strict one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sidelight::clock::Timestamp;
use sidelight::protocol::saml::bindings::Encoding;
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::protocol::saml::identity::Identity;
use sidelight::protocol::saml::metadata::{self, MetadataExpectations};
use sidelight::protocol::saml::verdict::{Explanation, explain};
use sidelight::protocol::xml::{DecryptionKey, VerificationKey};

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: String,
    file: String,
    #[serde(default)]
    encoding: String,
    expect: String,
    expect_strict: String,
    #[serde(default)]
    also_acceptable: Vec<String>,
    now: String,
    #[serde(default)]
    skew_s: i64,
    #[serde(default)]
    idp_entity_id: String,
    #[serde(default)]
    audience: String,
    #[serde(default)]
    acs: String,
    in_response_to: Option<String>,
    #[serde(default)]
    cert_files: Vec<String>,
    decrypt_key_file: Option<String>,
    #[serde(default)]
    policy: BTreeMap<String, bool>,
    expected_nameid: Option<String>,
    expected_nameid_format: Option<String>,
    expected_attributes: Option<BTreeMap<String, Value>>,
    expected_session_index: Option<String>,
    signed: Option<Value>,
    forbidden_nameid: Option<String>,
    #[serde(default)]
    idps: Vec<Value>,
}

#[test]
fn every_shared_response_gets_the_verdict_that_it_deserves() {
    check_all("response", |shared, case, strict| {
        let explanation = judge(shared, case, strict);
        if let Ok(identity) = &explanation.verdict {
            compare(case, identity);
        }
        explanation.verdict.map(|_| ()).map_err(|reject| format!("{}: {}", reject.code.code(), reject.got))
    });
}

#[test]
fn every_shared_metadata_file_gives_what_an_upload_would_set() {
    check_all("metadata", |shared, case, _| {
        let now = Timestamp::parse(&case.now).unwrap().0;
        let octets = fs::read(shared.join(&case.file)).unwrap();
        let metadata =
            metadata::read(&octets, &MetadataExpectations { now, signers: &[], allow_sha1: false })
                .map_err(|reject| reject.code().to_owned())?;
        for (provider, expected) in metadata.identity_providers.iter().zip(&case.idps) {
            let pairs = |endpoints: &[metadata::Endpoint]| -> Value {
                endpoints.iter().map(|e| json!([e.binding, e.location])).collect()
            };
            let fingerprints = |certificates: &[Vec<u8>]| -> Value {
                let keys = certificates.iter().map(|der| VerificationKey::from_certificate_der(der).unwrap());
                keys.map(|key| json!(key.certificate().unwrap().fingerprint())).collect()
            };
            let slo: Value =
                expected["slo"].as_array().unwrap().iter().map(|e| json!([e[0], e[1]])).collect();
            assert_eq!(provider.entity_id, expected["entity_id"], "{}", case.id);
            assert_eq!(pairs(&provider.sso), expected["sso"], "{}", case.id);
            assert_eq!(pairs(&provider.slo), slo, "{}", case.id);
            assert_eq!(fingerprints(&provider.signing_certificates), expected["signing_cert_sha256"]);
            assert_eq!(fingerprints(&provider.encryption_certificates), expected["encryption_cert_sha256"]);
            assert_eq!(json!(provider.name_id_formats), expected["name_id_formats"], "{}", case.id);
            let until = provider.valid_until.as_ref().map(|until| until.text.as_str());
            assert_eq!(json!(until), expected["valid_until"], "{}", case.id);
        }
        Ok(())
    });
}

/// Runs `run` over the cases of one kind under both policies.
fn check_all(kind: &str, run: impl Fn(&Path, &Case, bool) -> Result<(), String>) {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/saml");
    let Ok(cases) = fs::read(shared.join("cases.json")) else {
        eprintln!("skipped: there are no shared vectors at {}", shared.display());
        return;
    };
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case.kind == kind) {
        for (strict, expected) in [(false, &case.expect), (true, &case.expect_strict)] {
            let outcome = run(&shared, case, strict);
            let got = if outcome.is_ok() { "valid" } else { "reject" };
            if got != expected && !case.also_acceptable.iter().any(|other| other == got) {
                wrong.push(format!("{} (strict {strict}): {outcome:?}, expected {expected}", case.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong verdicts:\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(shared: &Path, case: &Case, strict: bool) -> Explanation {
    let pem = |path: &String| fs::read_to_string(shared.join(path)).unwrap();
    let keys = case.cert_files.iter().map(pem);
    let keys: Vec<_> = keys.filter_map(|pem| VerificationKey::from_certificate_pem(&pem).ok()).collect();
    let decryption_keys = case.decrypt_key_file.iter().map(pem);
    let decryption_keys: Vec<_> = decryption_keys.map(|pem| DecryptionKey::from_pem(&pem).unwrap()).collect();
    let allowed = |name: &str| !strict && case.policy.get(name).copied().unwrap_or(false);
    let outstanding: Vec<String> = case.in_response_to.iter().cloned().collect();
    let expectations = Expectations {
        now: Timestamp::parse(&case.now).unwrap().0,
        skew: case.skew_s * 1_000,
        idp_entity_id: &case.idp_entity_id,
        audience: &case.audience,
        acs: std::slice::from_ref(&case.acs),
        in_response_to: InResponseTo {
            outstanding: &outstanding,
            unsolicited_allowed: case.in_response_to.is_none(),
        },
        verification_keys: &keys,
        decryption_keys: &decryption_keys,
        policy: Policy {
            allow_sha1: allowed("allow_sha1"),
            allow_short_keys: allowed("allow_sha1"),
            allow_rsa15: allowed("allow_rsa15"),
            allow_triple_des: allowed("allow_3des"),
            allow_no_audience: allowed("allow_no_audience"),
            require_encryption: false,
        },
    };
    let encoding = match case.encoding.as_str() {
        "xml" => Encoding::Xml,
        "base64" => Encoding::Base64,
        "percent-base64" => Encoding::PercentBase64,
        _ => Encoding::Auto,
    };
    let path: PathBuf = shared.join(&case.file);
    let explanation = explain(&fs::read(&path).unwrap(), encoding, &expectations);
    let guessed = explain(&fs::read(&path).unwrap(), Encoding::Auto, &expectations);
    assert_eq!(explanation.verdict, guessed.verdict, "{}: the encoding is found out", case.id);
    explanation
}

fn compare(case: &Case, identity: &Identity) {
    let name_id = identity.name_id.as_ref();
    assert_ne!(case.forbidden_nameid.as_ref(), name_id.map(|name| &name.value), "{} is forged", case.id);
    assert_eq!(name_id.map(|name| &name.value), case.expected_nameid.as_ref(), "{}", case.id);
    assert_eq!(name_id.and_then(|name| name.format.as_ref()), case.expected_nameid_format.as_ref());
    assert_eq!(identity.session_index, case.expected_session_index, "{}", case.id);
    if let Some(expected) = &case.expected_attributes {
        let attributes = identity.attributes.iter();
        let attributes: BTreeMap<String, Value> =
            attributes.map(|attribute| (attribute.name.clone(), json!(attribute.values))).collect();
        assert_eq!(attributes, *expected, "{}", case.id);
    }
    if let Some(signed) = &case.signed {
        assert_eq!(json!(identity.signed), *signed, "{}", case.id);
    }
}
