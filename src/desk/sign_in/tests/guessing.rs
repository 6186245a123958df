//! Who is shut out of what by guessing, and for how long.

use super::*;

#[test]
fn wrong_passwords_lock_the_password_everywhere_for_a_quarter_of_an_hour() {
    let house = House::new();
    house.check(&password("carl.other.glance.net", "x"), None, (401, "no_password"));
    house.check(&password("nobody.acme", "x"), None, (401, "unknown_address"));
    for attempt in 0..10 {
        let outcome = house.outcome(&format!("198.51.100.{attempt}"), &password(ADDRESS, "wrong"), None);
        assert_eq!(outcome, (401, "wrong_password".into()));
    }
    house.check(&password(ADDRESS, PASSWORD), None, (403, "user_locked"));
    house.desk.clock().set_now(Timestamp::from_seconds(NOW + 3600));
    house.check(&password(ADDRESS, PASSWORD), None, (200, "signed_in"));
}

#[test]
fn a_lock_keeps_passwords_out_and_nothing_else() {
    let house = House::new();
    let stranger = Caller::anonymous("192.0.2.9".parse().unwrap());
    let by_key = partner(ACME, PUID, &good_key());
    let attempt = Attempt { caller: &stranger, credential: &by_key, group: None, surface: "Authorize" };
    let session = house.desk.sign_in.sign_in_browser(&attempt).unwrap().web_session;
    let request = TokenRequest::new(None, None).unwrap();
    let token = house.desk.sign_in.authorize(&attempt, &request).unwrap().wait().unwrap().token;
    let by_password = password(ADDRESS, PASSWORD);
    let issued =
        house.desk.sign_in.issue_credentials(&Attempt { credential: &by_password, ..attempt }).unwrap();
    for attempt in 0..11 {
        house.outcome(&format!("198.51.100.{attempt}"), &password(ADDRESS, "wrong"), None);
    }
    house.check(&password(ADDRESS, PASSWORD), None, (403, "user_locked"));
    house.check(&by_key, None, (200, "signed_in"));
    house.check(&by_address(ADDRESS, &good_key()), None, (200, "signed_in"));
    house.check(&Credential::WebSession(session.into()), None, (200, "signed_in"));
    let credentials = issued.credentials.clone();
    let issued = Credential::IssuedCredentials { username: ADDRESS.into(), credentials };
    house.check(&issued, None, (200, "signed_in"));
    let token = Authorization::Token(token.into());
    assert!(house.desk.sign_in.identify_bearer(&stranger, &token, None, "REST").is_ok());
}

#[test]
fn a_lock_that_was_set_while_the_clock_was_ahead_ends_when_it_is_put_right() {
    let house = House::new();
    house.desk.clock().set_now(Timestamp::from_seconds(NOW + 86_400));
    for attempt in 0..10 {
        house.outcome(&format!("198.51.100.{attempt}"), &password(ADDRESS, "wrong"), None);
    }
    house.outcome("192.0.2.1", &password("nobody.acme", "wrong"), None);
    house.check(&password(ADDRESS, PASSWORD), None, (403, "user_locked"));
    for _ in 0..10 {
        house.outcome("192.0.2.1", &password("nobody.acme", "wrong"), None);
    }
    house.check(&password("nobody.acme", "x"), None, (403, "too_many_attempts"));
    house.desk.clock().set_now(Timestamp::from_seconds(NOW));
    house.check(&password("nobody.acme", "x"), None, (401, "unknown_address"));
    // Failures of tomorrow do not count today either.
    house.check(&password(ADDRESS, "wrong"), None, (401, "wrong_password"));
    house.check(&password(ADDRESS, PASSWORD), None, (200, "signed_in"));
}

#[test]
fn somebody_inactive_and_suspended_is_refused_with_one_code_whatever_they_bring() {
    let house = House::new();
    let by_key = partner(ACME, PUID, &good_key());
    let stranger = Caller::anonymous("192.0.2.9".parse().unwrap());
    let attempt = Attempt { caller: &stranger, credential: &by_key, group: None, surface: "Authorize" };
    let session = house.desk.sign_in.sign_in_browser(&attempt).unwrap().web_session;
    let user = house.desk.ground.store.read(|r| r.user_by_address(ADDRESS)).unwrap().unwrap().id;
    house
        .desk
        .ground
        .store
        .write(Timestamp::from_seconds(NOW), move |w| {
            let membership = w.membership(ACME, user)?.unwrap();
            w.update_membership(&Membership { active: false, suspended: true, ..membership }).map(drop)
        })
        .unwrap();
    for credential in [by_key, password(ADDRESS, PASSWORD), Credential::WebSession(session.into())] {
        house.check(&credential, None, (403, "user_suspended"));
    }
}

#[test]
fn login_keys_of_the_previous_api_key_are_no_guesses() {
    let house = House::new();
    house.desk.sign_in.change_api_key(&Caller::host(), ACME, Some(Secret::new("nextApiKey"))).unwrap();
    let outdated = [partner(ACME, PUID, &good_key()), by_address(ADDRESS, &good_key())];
    for _ in 0..20 {
        for outdated in &outdated {
            house.check(outdated, None, (401, "bad_signature"));
        }
    }
    let key = signed("nextApiKey", ACME, PUID, NOW + 60);
    house.check(&partner(ACME, PUID, &key), None, (200, "signed_in"));
    house.check(&by_address(ADDRESS, &key), None, (200, "signed_in"));
    for _ in 0..10 {
        house.check(
            &partner(ACME, PUID, &signed("forged", ACME, PUID, NOW + 60)),
            None,
            (401, "bad_signature"),
        );
    }
    house.check(&partner(ACME, PUID, &key), None, (403, "too_many_attempts"));
}

#[test]
fn forged_login_keys_shut_out_only_the_address_they_come_from() {
    let house = House::new();
    let forged = partner(ACME, PUID, &signed("forged", ACME, PUID, NOW + 60));
    let good = partner(ACME, PUID, &good_key());
    for _ in 0..10 {
        house.check(&forged, None, (401, "bad_signature"));
    }
    house.check(&forged, None, (403, "too_many_attempts"));
    house.check(&good, None, (403, "too_many_attempts"));
    assert_eq!(house.outcome("198.51.100.1", &good, None).0, 200);
    house.desk.people.clear_lockout(&Caller::host(), ACME, &UserKey::Puid(PUID.into())).unwrap();
    house.check(&good, None, (200, "signed_in"));
}

#[test]
fn guessing_at_a_user_without_a_password_locks_nobody_out_of_login_keys() {
    let house = House::new();
    let host = Caller::host();
    house.desk.sign_in.change_api_key(&host, OTHER, Some(Secret::new("anotherApiKey"))).unwrap();
    let carl = "carl.other.glance.net";
    for attempt in 0..11 {
        house.outcome(&format!("198.51.100.{attempt}"), &password(carl, "guess"), None);
    }
    house.check(&password(carl, "guess"), None, (403, "too_many_attempts"));
    let key = signed("anotherApiKey", OTHER, "carl", NOW + 60);
    house.check(&by_address(carl, &key), None, (200, "signed_in"));
    house.check(&partner(OTHER, "carl", &key), None, (200, "signed_in"));
}
