#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::protocol::check::CheckOutcome;

const GROUP: GroupId = GroupId(12345);
const PUID: &str = "uniqueUserIdentifier";
/// Wire contract §2.3.
const PUBLISHED: [(i64, &str); 4] = [
    (1593908430, "$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws"),
    (1593908590, "$1$1593908590$XCD2ygOUWB892h1xVRy7X0DkUf0w-J8DwnZOWXWCAoY"),
    (1593908675, "$1$1593908675$cwgx4A5akR6jkKMODEvNOzucjenBMQdP2aD-1wz0msc"),
    (1597595372, "$1$1597595372$GR4bRX693m72g5Vttn5g2TyQsfy4Si6IvbESFs2PFLI"),
];

fn key() -> SigningKey {
    SigningKey::new(b"mySecretApiKey")
}

#[track_caller]
fn check(text: &str, now: i64, expected: Result<(), LoginKeyReject>) {
    assert_eq!(verify(text, &key(), GROUP, PUID, now), expected, "{text} at {now}");
    let explained = explain(&Claim { text, key: &key(), group: GROUP, puid: PUID, now }, 1);
    assert_eq!(explained.verdict, expected, "explained: {text} at {now}");
    let first_red = explained.checks.iter().position(|c| c.outcome != CheckOutcome::Passed);
    assert_eq!(first_red.is_none(), expected.is_ok());
    let after = &explained.checks[first_red.map_or(explained.checks.len(), |at| at + 1)..];
    assert!(after.iter().all(|c| c.outcome == CheckOutcome::Skipped));
    assert!(explained.checks.iter().zip(1..).all(|(c, number)| c.number == number));
}

#[test]
fn the_published_login_keys_are_accepted_and_made() {
    for (expiry, text) in PUBLISHED {
        check(text, expiry - 60, Ok(()));
        assert_eq!(make(&key(), GROUP, PUID, expiry).as_deref(), Some(text));
    }
}

#[test]
fn a_key_is_valid_strictly_before_its_expiry() {
    let (expiry, text) = PUBLISHED[0];
    check(text, expiry - 1, Ok(()));
    check(text, expiry, Err(LoginKeyReject::Expired { expiry, now: expiry }));
    check(text, expiry + 1, Err(LoginKeyReject::Expired { expiry, now: expiry + 1 }));
}

#[test]
fn a_key_reaches_a_day_ahead_and_five_seconds_of_grace() {
    let (expiry, text) = PUBLISHED[0];
    check(text, expiry - 86_400, Ok(()));
    check(text, expiry - 86_405, Ok(()));
    check(text, expiry - 86_406, Err(LoginKeyReject::TooFarAhead { expiry, now: expiry - 86_406 }));
}

#[test]
fn forms_that_are_none_are_refused_with_their_own_reason() {
    let good = PUBLISHED[0].1;
    let signature = &good[14..];
    let malformed = |flaw| Err(LoginKeyReject::Malformed(flaw));
    for (text, expected) in [
        (String::new(), malformed(Flaw::Parts)),
        ("$".into(), malformed(Flaw::Parts)),
        ("$$".into(), malformed(Flaw::Parts)),
        (" ".to_owned() + good, malformed(Flaw::Parts)),
        (good.replace('$', "%24"), malformed(Flaw::Parts)),
        (good[1..].to_owned(), Err(LoginKeyReject::PreviousFormat)),
        ("72joegreen1392680360abc".into(), Err(LoginKeyReject::PreviousFormat)),
        (format!("$2$1593908430${signature}"), Err(LoginKeyReject::UnsupportedVersion)),
        (format!("$01$159390843${signature}"), Err(LoginKeyReject::UnsupportedVersion)),
        (format!("$x$1593908430${signature}"), malformed(Flaw::Parts)),
        (format!("{good}="), malformed(Flaw::Length(58))),
        (good[..56].to_owned(), malformed(Flaw::Length(56))),
        (format!("$1$1593908430000${signature}"), malformed(Flaw::Length(60))),
        (format!("$1$159390843x${signature}"), malformed(Flaw::Expiry)),
        (format!("$1$+593908430${signature}"), malformed(Flaw::Expiry)),
        (format!("$1$15939084301{signature}"), malformed(Flaw::Parts)),
        (format!("$1$159390843${signature}A"), malformed(Flaw::Expiry)),
        (good.replace('_', "/"), malformed(Flaw::Signature)),
        (format!("{}=", &good[..56]), malformed(Flaw::Signature)),
        // The last character's two unused bits must be zero, or one signature has four spellings.
        (format!("{}t", &good[..56]), malformed(Flaw::Signature)),
        (format!("{}é", &good[..55]), malformed(Flaw::Length(56))),
        (format!("{}é", &good[..56]), malformed(Flaw::Signature)),
        (format!("{}X{}", &good[..20], &good[21..]), Err(LoginKeyReject::BadSignature)),
    ] {
        check(&text, 1593908000, expected);
    }
}

#[test]
fn another_group_puid_or_api_key_is_a_bad_signature() {
    let (expiry, text) = PUBLISHED[0];
    let now = expiry - 1;
    for (key, group, puid) in [
        (key(), GroupId(12346), PUID),
        (key(), GROUP, "uniqueuseridentifier"),
        (key(), GROUP, ""),
        (SigningKey::new(b"mySecretApiKey\n"), GROUP, PUID),
        (SigningKey::new(b""), GROUP, PUID),
    ] {
        assert_eq!(verify(text, &key, group, puid, now), Err(LoginKeyReject::BadSignature));
    }
}

#[test]
fn api_keys_and_puids_are_utf_8_of_any_length() {
    let long = SigningKey::new(&[b'k'; 200]);
    let puid = "ü ~&+=%24名";
    let made = make(&long, GroupId(i64::MAX), puid, 2_000_000_000).unwrap();
    assert_eq!(made.len(), LENGTH);
    assert_eq!(verify(&made, &long, GroupId(i64::MAX), puid, 1_999_999_999), Ok(()));
}

#[test]
fn api_keys_around_the_block_length_sign_as_the_library_does() {
    for length in [0, 1, 63, 64, 65, 200] {
        let api_key = vec![b'k'; length];
        let mut reference = Hmac::<Sha256>::new_from_slice(&api_key).unwrap();
        reference.update(b"12345a11593908430");
        let reference: [u8; 32] = reference.finalize().into_bytes().into();
        assert_eq!(SigningKey::new(&api_key).sign("12345", "a", "1593908430"), reference, "{length}");
    }
}

#[test]
fn an_expiry_that_has_not_ten_digits_is_not_made() {
    for expiry in [-1_593_908_430, -593_908_430, 0, 999_999_999, 10_000_000_000] {
        assert_eq!(make(&key(), GROUP, PUID, expiry), None);
    }
}

#[track_caller]
fn diagnosed(text: &str, puid: &str, expected: Option<(Mistake, bool)>) {
    let found = diagnose(&Evidence {
        text,
        group: GROUP,
        puid,
        api_key: b"mySecretApiKey",
        previous_api_key: Some(b"theOldApiKey"),
        similar_puids: &["UniqueUserIDENTIFIER".to_owned()],
        address: Some("joe.acme.glance.net"),
    });
    assert_eq!(found.map(|d| (d.mistake, d.certain)), expected, "{text} for {puid:?}");
}

fn signed(api_key: &str, message: &str, expiry: &str) -> String {
    let signature = SigningKey::new(api_key.as_bytes()).sign_message(message.as_bytes());
    format!("$1${expiry}${}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn what_was_signed_wrongly_is_named() {
    let with = |message: &str| signed("mySecretApiKey", &format!("{message}11593908430"), "1593908430");
    for (text, puid, mistake) in [
        (with("12345uniqueuseridentifier"), PUID, Mistake::PuidCase),
        (with("12345UNIQUEUSERIDENTIFIER"), PUID, Mistake::PuidCase),
        (with("12345UniqueUserIDENTIFIER"), PUID, Mistake::PuidCase),
        (with("12345a b"), "a b ", Mistake::PuidWhiteSpace),
        (with("12345a b "), "a b", Mistake::PuidWhiteSpace),
        (with("12345a b"), "a%20b", Mistake::PuidUrlEncoded),
        (with("12345a%40b"), "a@b", Mistake::PuidUrlEncoded),
        (with("12345a+b"), "a b", Mistake::PuidUrlEncoded),
        (with("12345joe.acme.glance.net"), PUID, Mistake::GlanceAddress),
        (with("uniqueUserIdentifier12345"), PUID, Mistake::Swapped),
    ] {
        diagnosed(&text, puid, Some((mistake, true)));
    }
    let whole = |message: &str| signed("mySecretApiKey", message, "1593908430");
    diagnosed(&whole("12345$uniqueUserIdentifier$1$1593908430"), PUID, Some((Mistake::Separators, true)));
    diagnosed(&whole("12345uniqueUserIdentifier1593908430"), PUID, Some((Mistake::VersionLeftOut, true)));
    let under = |api_key: &str| signed(api_key, "12345uniqueUserIdentifier11593908430", "1593908430");
    diagnosed(&under("theOldApiKey"), PUID, Some((Mistake::PreviousApiKey, true)));
    diagnosed(&under("mySecretApiKey\n"), PUID, Some((Mistake::ApiKeyWhiteSpace, true)));
    diagnosed(&under("something else"), PUID, None);
    diagnosed(&with("12345somebody else"), PUID, None);
}

#[test]
fn what_was_written_wrongly_is_named() {
    let good = PUBLISHED[0].1;
    let hexadecimal: String =
        key().sign("12345", PUID, "1593908430").iter().map(|b| format!("{b:02X}")).collect();
    let milliseconds = signed("mySecretApiKey", "12345uniqueUserIdentifier11593908430000", "1593908430000");
    for (text, mistake, certain) in [
        (good.replace('$', "%24"), Mistake::KeyUrlEncoded, true),
        (format!(" {good}\n"), Mistake::KeyWhiteSpace, true),
        (format!("{good}="), Mistake::Padding, true),
        (good.replace('_', "/"), Mistake::StandardAlphabet, true),
        (format!("{}=", good.replace('_', "/")), Mistake::StandardAlphabet, true),
        (format!("$1$1593908430${hexadecimal}"), Mistake::Hexadecimal, true),
        (milliseconds, Mistake::Milliseconds, true),
        (good.replace("1593908430", "1593908430000"), Mistake::Milliseconds, false),
        (good.replace("Wf7v", "Wf7+"), Mistake::StandardAlphabet, false),
    ] {
        diagnosed(&text, PUID, Some((mistake, certain)));
    }
    for text in ["", "$", "$1$", "no dollar at all", "$1$1593908430$short", "%FF%FE", "$1$é$é"] {
        diagnosed(text, PUID, None);
    }
}

#[test]
fn what_is_wrong_with_the_form_is_said_of_the_part_that_is_wrong() {
    let good = PUBLISHED[0].1;
    let form = |text: &str| {
        let claim = Claim { text, key: &key(), group: GROUP, puid: PUID, now: PUBLISHED[0].0 - 60 };
        let check = explain(&claim, 1).checks.remove(0);
        format!("{} / {}", check.expected, check.got)
    };
    // 43 characters hold two bits more than 32 bytes: "t" as the last one sets one of them.
    let mistyped = form(&good.replace("DbZws", "DbZwt"));
    assert!(mistyped.starts_with("a signature of 43 characters"), "{mistyped}");
    assert!(
        mistyped.ends_with("whose last one no signature ends in: it was changed or mistyped"),
        "{mistyped}"
    );
    let standard = form(&good.replace("Jh_j", "Jh/j"));
    assert!(standard.ends_with("43 characters, and number 23 is none of these"), "{standard}");
    assert!(form(&good.replace("1593908430", "15939O843O")).ends_with("10 characters, 8 of them digits"));
    assert!(form(&good[..56]).starts_with("57 characters"));
    for text in [mistyped, standard] {
        assert!(!text.contains("Wf7v"), "the key is not repeated");
    }
}
