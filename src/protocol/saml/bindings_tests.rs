#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;

#[track_caller]
fn check(value: &str, expected: Result<&str, BindingReject>) {
    assert_eq!(decode_post(value), expected.map(|text| text.as_bytes().to_vec()), "{value:?}");
}

#[test]
fn a_form_value_is_strict_base64_with_line_breaks() {
    check("PGE+PC9hPg==", Ok("<a></a>"));
    check("PGE+\r\nPC9h\r\nPg==\r\n", Ok("<a></a>"));
    check(" PGE+\tPC9hPg==", Ok("<a></a>"));
    check("PGE+\nPC9hPg=\n=", Ok("<a></a>"));
}

#[test]
fn lenient_base64_is_refused() {
    for value in [
        "PGE-PC9hPg==",     // the URL-safe alphabet
        "PGE+PC9hPg",       // padding missing
        "PGE+PC9hPg===",    // too much of it
        "PGE+PC9hPg==PGE+", // data after it
        "PGE+PC9hPh==",     // bits that encode nothing
        "PGE+*PC9hPg==",    // junk
        "PGE+PC9hPg==\u{a0}",
        "PGE%2BPC9hPg==",
    ] {
        check(value, Err(BindingReject::Base64));
    }
    check("", Err(BindingReject::Empty));
    check(" \r\n", Err(BindingReject::Empty));
}

#[test]
fn a_message_over_the_limit_is_refused() {
    let large = encode_post(&vec![b'a'; MAX_MESSAGE + 1]);
    check(&large, Err(BindingReject::TooLarge));
    check(&"A".repeat(MAX_FORM_VALUE + 1), Err(BindingReject::TooLarge));
}

#[test]
fn a_deflate_bomb_is_refused() {
    let bomb = encode_post(&deflate(&vec![b' '; 20_000_000]));
    assert!(bomb.len() < 40_000);
    assert_eq!(decode(bomb.as_bytes(), Encoding::Auto), Err(BindingReject::TooLarge));
}

#[test]
fn every_encoding_is_found_out() {
    let document = b"<a>+/\xc3\xa9</a>".to_vec();
    let base64 = encode_post(&document);
    let deflated = encode_post(&deflate(&document));
    let percent = escape(&base64);
    let form = format!("SAMLResponse={percent}&RelayState=x");
    let with_mark = [b"\xef\xbb\xbf".as_slice(), &document].concat();
    for message in [document.clone(), base64.into(), deflated.into(), percent.clone().into(), form.into()] {
        assert_eq!(decode(&message, Encoding::Auto), Ok(document.clone()));
    }
    assert_eq!(decode(&with_mark, Encoding::Auto), Ok(with_mark.clone()));
    assert_eq!(decode(percent.as_bytes(), Encoding::PercentBase64), Ok(document));
    assert_eq!(decode(b"PGE%2", Encoding::PercentBase64), Err(BindingReject::PercentEscape));
}

#[test]
fn deflate_must_be_one_whole_stream() {
    let mut deflated = deflate(b"<a></a>");
    assert_eq!(inflate(&deflated), Ok(b"<a></a>".to_vec()));
    deflated.push(0);
    assert_eq!(inflate(&deflated), Err(BindingReject::Deflate));
    deflated.truncate(4);
    assert_eq!(inflate(&deflated), Err(BindingReject::Deflate));
    assert_eq!(inflate(b""), Err(BindingReject::Deflate));
}

#[test]
fn a_signed_redirect_reads_back_and_verifies() {
    const KEY: &str = include_str!("../../../tests/fixtures/saml/keys/sp.key.pem");
    const CERTIFICATE: &str = include_str!("../../../tests/fixtures/saml/keys/sp.cert.pem");
    let key = SigningKey::from_pem(KEY).unwrap();
    let query = signed_redirect_query(Direction::Request, b"<a/>", Some("/x?y=1&z"), &key).unwrap();
    let message = RedirectMessage::parse(&query).unwrap();
    assert_eq!(message.direction, Direction::Request);
    assert_eq!(message.document, b"<a/>");
    assert_eq!(message.relay_state.as_deref(), Some("/x?y=1&z"));
    let signature = message.signature.unwrap();
    let ours = [VerificationKey::from_certificate_pem(CERTIFICATE).unwrap()];
    let policy = SignaturePolicy::default();
    assert_eq!(signature.verify(&ours, &policy), Ok(0));

    let altered = RedirectMessage::parse(&query.replace("RelayState=%2Fx", "RelayState=%2fx")).unwrap();
    assert_eq!(altered.relay_state.as_deref(), Some("/x?y=1&z"));
    let rejected = altered.signature.unwrap().verify(&ours, &policy);
    assert_eq!(rejected, Err(SignatureReject::Mismatch), "other escapes are other octets");
}

#[test]
fn an_unsigned_redirect_reads_back() {
    let message = RedirectMessage::parse(&redirect_query(Direction::Response, b"<a/>", None)).unwrap();
    assert_eq!(message.direction, Direction::Response);
    assert_eq!((message.relay_state, message.signature), (None, None));
}

#[test]
fn a_redirect_signature_covers_the_escapes_as_received() {
    let message = escape(&encode_post(&deflate(b"<a/>"))).replace("%2B", "%2b").replace("%3D", "%3d");
    let query = format!("SigAlg=urn%3aalg&Signature=c2ln&RelayState=a%2fb+c&SAMLRequest={message}");
    let parsed = RedirectMessage::parse(&query).unwrap();
    assert_eq!(parsed.relay_state.as_deref(), Some("a/b c"));
    assert_eq!(
        parsed.signature.unwrap().covered,
        format!("SAMLRequest={message}&RelayState=a%2fb+c&SigAlg=urn%3aalg")
    );
}

#[test]
fn parameter_pollution_is_refused() {
    let message = escape(&encode_post(&deflate(b"<a/>")));
    for (query, expected) in [
        (format!("SAMLRequest={message}&SAMLRequest={message}"), BindingReject::DuplicateParameter),
        (format!("SAMLRequest={message}&%53AMLRequest={message}"), BindingReject::DuplicateParameter),
        (format!("SAMLRequest={message}&SAMLResponse={message}"), BindingReject::DuplicateParameter),
        (format!("SAMLRequest={message}&RelayState=a&RelayState=b"), BindingReject::DuplicateParameter),
        (format!("SAMLRequest={message}&SigAlg=a"), BindingReject::MissingParameter),
        (format!("SAMLRequest={message}&Signature=c2ln"), BindingReject::MissingParameter),
        (format!("SAMLRequest={message}&SAMLEncoding=urn:gzip"), BindingReject::UnknownEncoding),
        ("RelayState=a".into(), BindingReject::MissingParameter),
        ("SAMLRequest=%zz".into(), BindingReject::PercentEscape),
    ] {
        assert_eq!(RedirectMessage::parse(&query), Err(expected), "{query}");
    }
}

#[test]
fn a_query_joins_a_location_that_has_one() {
    assert_eq!(append_query("https://idp/sso", "a=b"), "https://idp/sso?a=b");
    assert_eq!(append_query("https://idp/sso?x=y", "a=b"), "https://idp/sso?x=y&a=b");
    assert_eq!(append_query("https://idp/sso?", "a=b"), "https://idp/sso?a=b");
}

#[test]
fn codes_are_stable() {
    assert_eq!(BindingReject::Base64.code(), "base64_invalid");
}

/// The fuzzer found these bytes: they are a whole DEFLATE stream, of other bytes that are no document.
#[test]
fn only_a_document_is_taken_out_of_deflate() {
    let chance = [195, 56, 227, 52, 242, 189, 113, 180, 9, 96];
    assert!(inflate(&chance).is_ok_and(|inner| inner != chance), "these bytes inflate");
    assert_eq!(decode_post(&encode_post(&chance)), Ok(chance.to_vec()));
}

#[test]
fn a_message_may_be_as_long_as_its_limit_and_no_longer() {
    let longest = vec![b'x'; MAX_FORM_VALUE];
    assert_eq!(decode(&longest, Encoding::Xml).map(|message| message.len()), Ok(MAX_FORM_VALUE));
    assert_eq!(decode(&[longest, vec![b'x']].concat(), Encoding::Xml), Err(BindingReject::TooLarge));
    let inflated = |length: usize| inflate(&deflate(&vec![b'x'; length])).map(|message| message.len());
    assert_eq!(inflated(MAX_MESSAGE), Ok(MAX_MESSAGE));
    assert_eq!(inflated(MAX_MESSAGE + 1), Err(BindingReject::TooLarge));
}
