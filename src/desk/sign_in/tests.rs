#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod guessing;
mod owners;

use crate::model::queries::{LogQuery, LogRow};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::desk::Desk;
use crate::desk::people::users::{NewUser, RoleChoice, UserChange, UserKey};
use crate::error::{Kind, Result};
use crate::model::{Caller, GroupId, Membership, Mode, Settings};
use crate::protocol::check::CheckOutcome;
use crate::protocol::credential::{Authorization, Credential, Subject};
use crate::protocol::login_key::{SigningKey, make};
use crate::secret::Secret;

const ACME: GroupId = GroupId(12345);
const OTHER: GroupId = GroupId(72);
const PUID: &str = "uniqueUserIdentifier";
const ADDRESS: &str = "ann.acme.glance.net";
const API_KEY: &str = "mySecretApiKey";
const NOW: i64 = 1_593_907_200;
const PASSWORD: &str = "Correct-Horse-7";

struct House {
    directory: tempfile::TempDir,
    desk: Arc<Desk>,
}

impl House {
    /// Ann is in both groups, Bob in Acme only; Acme has an API key, the other group none.
    fn new() -> House {
        let directory = tempfile::tempdir().unwrap();
        let desk = Arc::new(Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap());
        desk.clock().set_now(Timestamp::from_seconds(NOW));
        let host = Caller::host();
        desk.people.create_group(&host, ACME, "Acme", None).unwrap();
        desk.people.create_group(&host, OTHER, "Other", None).unwrap();
        desk.sign_in.change_api_key(&host, ACME, Some(Secret::new("theOldApiKey"))).unwrap();
        desk.sign_in.change_api_key(&host, ACME, Some(Secret::new(API_KEY))).unwrap();
        let user = |address: &str, puid: &str, password: Option<&str>| NewUser {
            address: address.into(),
            puid: Some(puid.into()),
            password: password.map(Secret::new),
            ..NewUser::default()
        };
        desk.people.create_user(&host, ACME, user(ADDRESS, PUID, Some(PASSWORD))).unwrap();
        desk.people.create_user(&host, ACME, user("bob.acme.glance.net", "a b", Some(PASSWORD))).unwrap();
        desk.people.create_user(&host, OTHER, user("carl.other.glance.net", "carl", None)).unwrap();
        House { directory, desk }
    }

    fn change(&self, puid: &str, change: UserChange) {
        self.desk.people.update_user(&Caller::host(), ACME, &UserKey::Puid(puid.into()), change).unwrap();
    }

    fn identify(&self, ip: &str, credential: &Credential, group: Option<GroupId>) -> Result<SignedIn> {
        let caller = Caller::anonymous(ip.parse().unwrap());
        self.desk.sign_in.identify(&Attempt { caller: &caller, credential, group, surface: "test" })
    }

    /// Tries, and gives the code that the access log has for it; `signed_in` for success.
    fn outcome(&self, ip: &str, credential: &Credential, group: Option<GroupId>) -> (u16, String) {
        match self.identify(ip, credential, group) {
            Ok(_) => (200, "signed_in".into()),
            Err(error) => {
                let row = self.last_row();
                assert_eq!(row.incident, error.incident);
                assert!(row.refused && row.ip == ip, "{row:?}");
                (error.kind.status(), row.code.unwrap())
            }
        }
    }

    #[track_caller]
    fn check(&self, credential: &Credential, group: Option<GroupId>, expected: (u16, &str)) {
        let outcome = self.outcome("192.0.2.1", credential, group);
        assert_eq!((outcome.0, outcome.1.as_str()), expected);
    }

    fn last_row(&self) -> LogRow {
        let query = LogQuery { limit: 1, ..LogQuery::default() };
        self.desk.ground.store.read(|r| r.log_rows(&query)).unwrap().remove(0)
    }
}

fn signed(api_key: &str, group: GroupId, puid: &str, expiry: i64) -> String {
    make(&SigningKey::new(api_key.as_bytes()), group, puid, expiry).unwrap()
}

fn partner(group: GroupId, puid: &str, key: &str) -> Credential {
    let subject = Subject::Partner { group, puid: puid.into(), other_readings: vec![] };
    Credential::LoginKey { subject, key: key.to_owned().into() }
}

fn by_address(address: &str, key: &str) -> Credential {
    Credential::LoginKey { subject: Subject::Address(address.into()), key: key.to_owned().into() }
}

fn password(username: &str, password: &str) -> Credential {
    Credential::Password { username: username.into(), password: password.to_owned().into() }
}

fn good_key() -> String {
    signed(API_KEY, ACME, PUID, NOW + 60)
}

#[test]
fn a_login_key_signs_in_its_member_as_often_as_it_is_shown() {
    let house = House::new();
    for _ in 0..3 {
        let signed_in = house.identify("192.0.2.1", &partner(ACME, PUID, &good_key()), None).unwrap();
        assert_eq!((signed_in.group, signed_in.address.as_str()), (ACME, ADDRESS));
        assert_eq!(signed_in.means, Means::LoginKey);
    }
}

#[test]
fn every_reject_of_a_login_key_has_its_own_code_and_one_answer() {
    let house = House::new();
    let good = good_key();
    for (credential, code) in [
        (partner(ACME, PUID, "$1$x"), "malformed"),
        (partner(ACME, PUID, &good[1..]), "previous_format"),
        (partner(ACME, PUID, &good.replace("$1$", "$2$")), "unsupported_version"),
        (partner(ACME, PUID, &signed(API_KEY, ACME, PUID, NOW)), "expired"),
        (partner(ACME, PUID, &signed(API_KEY, ACME, PUID, NOW + 86_410)), "too_far_ahead"),
        (partner(ACME, PUID, &signed("another key", ACME, PUID, NOW + 60)), "bad_signature"),
        (partner(ACME, PUID, &signed("theOldApiKey", ACME, PUID, NOW + 60)), "bad_signature"),
        (partner(GroupId(999), PUID, &good), "unknown_group"),
        (partner(OTHER, "carl", &good), "group_without_api_key"),
        (partner(ACME, "nobody", &signed(API_KEY, ACME, "nobody", NOW + 60)), "unknown_puid"),
        (by_address("nobody.acme", &good), "unknown_address"),
        (by_address(ADDRESS, &signed("another key", ACME, PUID, NOW + 60)), "bad_signature"),
        (by_address("carl.other.glance.net", &good), "group_without_api_key"),
        (Credential::WebSession(Zeroizing::new("x".into())), "unknown_web_session"),
    ] {
        house.check(&credential, None, (401, code));
    }
    let answer = |credential| house.identify("192.0.2.1", &credential, None).unwrap_err();
    let (group, signature) = (
        answer(partner(GroupId(999), PUID, &good)),
        answer(partner(ACME, PUID, &signed("no", ACME, PUID, NOW + 9))),
    );
    assert_eq!((group.kind, group.code, group.public), (signature.kind, signature.code, signature.public));
}

#[test]
fn a_user_who_may_not_sign_in_is_denied_whatever_the_credential() {
    let house = House::new();
    let key = partner(ACME, PUID, &good_key());
    let (yes, no) = (Some(true), Some(false));
    for (change, code) in [
        (UserChange { suspended: yes, ..UserChange::default() }, "user_suspended"),
        (UserChange { suspended: no, active: no, ..UserChange::default() }, "user_inactive"),
    ] {
        house.change(PUID, change);
        house.check(&key, None, (403, code));
        house.check(&by_address(ADDRESS, &good_key()), None, (403, code));
        house.check(&password(ADDRESS, PASSWORD), None, (403, code));
    }
    house.change(PUID, UserChange { active: yes, ..UserChange::default() });
    house.check(&key, None, (200, "signed_in"));
}

#[test]
fn a_changed_api_key_rejects_outstanding_login_keys_at_once_and_is_named() {
    let house = House::new();
    let key = partner(ACME, PUID, &good_key());
    house.check(&key, None, (200, "signed_in"));
    house.desk.sign_in.change_api_key(&Caller::host(), ACME, Some(Secret::new("aNewerApiKey"))).unwrap();
    house.check(&key, None, (401, "bad_signature"));
    let row = house.last_row();
    assert!(row.detail.ends_with("; likely cause: signed with the previous API key"), "{}", row.detail);
    let code = row.incident.unwrap();
    let incident = house.desk.ground.store.read(|r| r.incident(&code)).unwrap().unwrap();
    assert!(incident.repair.contains("previous API key"), "{}", incident.repair);
    assert!(!incident.checks.contains("Key\""), "{}", incident.checks);
    assert_eq!((incident.group, incident.reject.as_str()), (Some(ACME), "bad_signature"));
}

#[test]
fn a_glance_address_may_carry_a_key_for_the_puid_or_for_itself() {
    let house = House::new();
    for puid in [PUID, ADDRESS] {
        let key = signed(API_KEY, ACME, puid, NOW + 60);
        house.check(&by_address("ANN.acme.glance.net", &key), None, (200, "signed_in"));
    }
    house.check(&by_address(ADDRESS, &good_key()), Some(OTHER), (403, "other_group"));
}

#[test]
fn a_puid_counts_as_it_was_sent_when_only_that_was_signed() {
    let house = House::new();
    let key = signed(API_KEY, ACME, "a b", NOW + 60);
    let sent = |puid: &str, as_sent: &str| {
        let subject =
            Subject::Partner { group: ACME, puid: puid.into(), other_readings: vec![as_sent.into()] };
        Credential::LoginKey { subject, key: key.clone().into() }
    };
    house.check(&sent("a b", "a+b"), None, (200, "signed_in"));
    house.check(&sent("x", "a b"), None, (200, "signed_in"));
    house.check(&sent("x", "y"), None, (401, "bad_signature"));
}

#[test]
fn the_group_asked_for_must_be_the_credentials() {
    let house = House::new();
    house.check(&partner(ACME, PUID, &good_key()), Some(ACME), (200, "signed_in"));
    house.check(&partner(ACME, PUID, &good_key()), Some(OTHER), (403, "other_group"));
}

#[test]
fn a_password_needs_the_group_named_when_there_are_several() {
    let house = House::new();
    house.check(&password(ADDRESS, PASSWORD), None, (200, "signed_in"));
    house.check(&password(ADDRESS, PASSWORD), Some(OTHER), (403, "not_a_member"));
    let host = Caller::host();
    house
        .desk
        .people
        .add_member(&host, OTHER, ADDRESS, Some("ann"), crate::desk::people::users::RoleChoice::None, false)
        .unwrap();
    house.check(&password(ADDRESS, PASSWORD), None, (400, "group_required"));
    house.check(&password(ADDRESS, PASSWORD), Some(OTHER), (200, "signed_in"));
}

#[test]
fn an_expired_key_is_no_guess() {
    let house = House::new();
    for _ in 0..30 {
        house.check(&partner(ACME, PUID, &signed(API_KEY, ACME, PUID, NOW - 1)), None, (401, "expired"));
    }
    house.check(&partner(ACME, PUID, &good_key()), None, (200, "signed_in"));
}

#[test]
fn a_flood_of_refusals_is_noted_a_hundred_times_and_then_as_its_count_doubles() {
    let house = House::new();
    let rows = |code: &str| {
        let query = LogQuery { search: code.into(), limit: 1_000, ..LogQuery::default() };
        house.desk.ground.store.read(|r| r.log_rows(&query)).unwrap()
    };
    let expired = partner(ACME, PUID, &signed(API_KEY, ACME, PUID, NOW - 1));
    let without_key = partner(OTHER, "carl", "$1$1000000000$AAA");
    let nobody = Caller::anonymous("192.0.2.1".parse().unwrap());
    let refused = |number: u32| match number % 3 {
        0 => house.identify("192.0.2.1", &expired, None).unwrap_err(),
        1 => house.identify("192.0.2.1", &without_key, None).unwrap_err(),
        _ => house.desk.sign_in.refuse_unreadable(&nobody, "test", None, None),
    };
    let incidents: Vec<String> = (0..300).filter_map(|number| refused(number).incident).collect();
    assert_eq!(incidents.len(), 100 + 2, "128 and 256");
    let noted = rows("test: ");
    assert_eq!(noted.len(), incidents.len());
    assert!(noted[0].detail.ends_with("256 refusals of this address in a quarter of an hour"), "{noted:?}");
    assert!(
        incidents.iter().all(|code| house.desk.ground.store.read(|r| r.incident(code)).unwrap().is_some())
    );
    // Neither is anybody refused for it, nor is a password's refusal told from that of a name nobody has.
    house.check(&partner(ACME, PUID, &good_key()), None, (200, "signed_in"));
    house.check(&password(ADDRESS, "wrong"), None, (401, "wrong_password"));
    house.check(&password("nobody.acme", "wrong"), None, (401, "unknown_address"));
    assert_eq!(house.outcome("192.0.2.2", &expired, None), (401, "expired".into()));
}

#[test]
fn the_guard_refuses_a_password_with_the_same_answers_as_the_lock_does() {
    let house = House::new();
    let names = [ADDRESS, "nobody.acme.glance.net"];
    for (name, last) in names.into_iter().flat_map(|name| (0..10).map(move |last| (name, last))) {
        house.outcome(&format!("198.51.100.{last}"), &password(name, "wrong"), None);
    }
    let answers = |name: &str| -> Vec<(u16, bool)> {
        let refused = |_| house.identify("203.0.113.1", &password(name, "wrong"), None).unwrap_err();
        (0..8).map(refused).map(|error| (error.kind.status(), error.incident.is_some())).collect()
    };
    assert_eq!(answers(names[0]), answers(names[1]));
    assert_eq!(answers(names[0]), vec![(403, true); 8]);
}

fn authorize(house: &House, service: &str) -> Result<Authorized> {
    let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
    let credential = partner(ACME, PUID, &good_key());
    let attempt = Attempt { caller: &caller, credential: &credential, group: None, surface: "Authorize" };
    house.desk.sign_in.authorize(&attempt, &TokenRequest::new(Some(service), Some("2")).unwrap())?.wait()
}

#[test]
fn a_change_is_in_force_with_the_next_sign_in_also_one_by_another_process() {
    let host = Caller::host();
    let suspended = || UserChange { suspended: Some(true), ..UserChange::default() };
    let service = |enabled| Settings::from([("presence".to_owned(), enabled)]);
    let after = |change: &dyn Fn(&House, &Desk)| {
        let house = House::new();
        let other = Desk::open(house.directory.path(), Mode::Lab, Clock::system()).unwrap();
        authorize(&house, "presence").unwrap();
        change(&house, &other);
        let outcome = authorize(&house, "presence");
        assert_eq!(house.last_row().refused, outcome.is_err());
        outcome.map(drop).map_err(|error| error.kind)
    };
    let sign_in = |house: &House, key: &str| {
        house.desk.sign_in.change_api_key(&host, ACME, Some(Secret::new(key))).unwrap();
    };
    let set =
        |house: &House, on| house.desk.people.set_group_settings(&host, ACME, service(on), None).unwrap();
    assert_eq!(after(&|_, _| ()), Ok(()));
    assert_eq!(after(&|house, _| house.change(PUID, suspended())), Err(Kind::Denied));
    assert_eq!(after(&|house, _| sign_in(house, "anotherApiKey")), Err(Kind::Unauthenticated));
    assert_eq!(after(&|house, _| drop(set(house, false))), Err(Kind::Denied));
    assert_eq!(after(&|house, _| drop(set(house, true))), Ok(()));
    let elsewhere = |_: &House, other: &Desk| {
        other.people.update_user(&host, ACME, &UserKey::Puid(PUID.into()), suspended()).unwrap();
    };
    assert_eq!(after(&elsewhere), Err(Kind::Denied));
}

#[test]
fn a_login_key_is_checked_each_time() {
    let house = House::new();
    assert!(authorize(&house, "presence").is_ok());
    house.desk.clock().set_now(Timestamp::from_seconds(NOW + 60));
    assert_eq!(authorize(&house, "presence").err().unwrap().kind, Kind::Unauthenticated);
    assert_eq!(house.last_row().code.as_deref(), Some("expired"));
}

fn bearer(house: &House, token: &str) -> std::result::Result<SignedIn, (u16, String)> {
    let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
    let token = Authorization::Token(token.to_owned().into());
    house
        .desk
        .sign_in
        .identify_bearer(&caller, &token, None, "test")
        .map_err(|error| (error.kind.status(), house.last_row().code.unwrap()))
}

#[test]
fn a_token_lives_for_its_minutes_and_dies_with_its_user() {
    let house = House::new();
    let authorized = authorize(&house, "presence").unwrap();
    let row = house.last_row();
    assert_eq!((row.operation.as_str(), row.subject.as_str()), ("sign-in.login-key", ADDRESS));
    assert_eq!(bearer(&house, &authorized.token).unwrap().user, authorized.signed_in.user);
    house.change(PUID, UserChange { suspended: Some(true), ..UserChange::default() });
    assert_eq!(bearer(&house, &authorized.token), Err((403, "user_suspended".into())));
    house.change(PUID, UserChange { suspended: Some(false), ..UserChange::default() });
    assert_eq!(bearer(&house, &authorized.token), Err((401, "token_ended".into())));
    let authorized = authorize(&house, "presence").unwrap();
    assert!(bearer(&house, &authorized.token).is_ok());
    house.desk.clock().set_now(Timestamp::from_seconds(NOW + 180));
    assert_eq!(bearer(&house, &authorized.token), Err((401, "token_expired".into())));
    house.desk.clock().set_now(Timestamp::from_seconds(NOW));
    house.desk.people.delete_user(&Caller::host(), ACME, &UserKey::Puid(PUID.into())).unwrap();
    assert_eq!(bearer(&house, &authorized.token), Err((403, "not_a_member".into())));
    assert_eq!(bearer(&house, "a.b.c"), Err((401, "bad_token".into())));
}

#[test]
fn a_token_does_not_come_back_with_the_member_who_was_removed() {
    let house = House::new();
    let host = Caller::host();
    house.desk.people.add_member(&host, OTHER, ADDRESS, None, RoleChoice::None, false).unwrap();
    let authorized = authorize(&house, "").unwrap();
    assert!(bearer(&house, &authorized.token).is_ok());
    house.desk.people.delete_user(&host, ACME, &UserKey::Puid(PUID.into())).unwrap();
    house.desk.people.add_member(&host, ACME, ADDRESS, Some(PUID), RoleChoice::None, false).unwrap();
    assert_eq!(bearer(&house, &authorized.token), Err((401, "token_ended".into())));
    assert!(bearer(&house, &authorize(&house, "").unwrap().token).is_ok());
}

#[test]
fn a_web_session_that_a_change_overtook_is_none() {
    let suspended = |suspended| UserChange { suspended: Some(suspended), ..UserChange::default() };
    let another = UserChange { password: Some(Secret::new("Another-Horse-8")), ..UserChange::default() };
    for (credential, changes) in [
        (partner(ACME, PUID, &good_key()), vec![suspended(true), suspended(false)]),
        (password(ADDRESS, PASSWORD), vec![another]),
        (partner(ACME, PUID, &good_key()), vec![]),
    ] {
        let house = House::new();
        let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
        let attempt = Attempt { caller: &caller, credential: &credential, group: None, surface: "test" };
        let now = house.desk.clock().now();
        let signed_in = house.desk.sign_in.judge(&attempt, now).ok().unwrap();
        let overtaken = !changes.is_empty();
        for change in changes {
            house.change(PUID, change);
        }
        let opened = house.desk.sign_in.open_web_session(signed_in, &attempt, now).unwrap().wait().unwrap();
        let session = Credential::WebSession(Zeroizing::new(opened.web_session));
        let expected = if overtaken { (401, "unknown_web_session") } else { (200, "signed_in") };
        house.check(&session, None, expected);
    }
}

#[test]
fn a_member_who_is_taken_away_in_that_moment_is_refused_with_a_row_of_the_log() {
    let house = House::new();
    let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
    let credential = partner(ACME, PUID, &good_key());
    let attempt = Attempt { caller: &caller, credential: &credential, group: None, surface: "test" };
    let now = house.desk.clock().now();
    let signed_in = house.desk.sign_in.judge(&attempt, now).ok().unwrap();
    house.desk.people.delete_user(&Caller::host(), ACME, &UserKey::Puid(PUID.into())).unwrap();
    let refused = house.desk.sign_in.open_web_session(signed_in, &attempt, now).unwrap().wait();
    assert_eq!(refused.err().unwrap().kind, Kind::Denied);
    let row = house.last_row();
    assert_eq!((row.refused, row.code.as_deref()), (true, Some("not_a_member")));
    assert_eq!(row.operation, "sign-in.login-key");
}

#[test]
fn a_service_that_the_group_switched_off_is_denied() {
    let house = House::new();
    let off = |enabled| Settings::from([("presence".to_owned(), enabled)]);
    house.desk.people.set_group_settings(&Caller::host(), ACME, off(false), None).unwrap();
    assert_eq!(authorize(&house, "presence").err().unwrap().kind, Kind::Denied);
    assert_eq!(house.last_row().code.as_deref(), Some("service_not_allowed"));
    assert!(authorize(&house, "webservices").is_ok());
    house.desk.people.set_group_settings(&Caller::host(), ACME, off(true), None).unwrap();
    assert!(authorize(&house, "presence").is_ok());
}

#[test]
fn what_a_token_is_asked_for_is_checked() {
    for (service, duration, expected) in [
        (None, None, Ok(60)),
        (Some("presence"), Some("1"), Ok(1)),
        (Some("presence"), Some("120"), Ok(120)),
        (None, Some("0"), Err("bad_duration")),
        (None, Some("121"), Err("bad_duration")),
        (None, Some("-5"), Err("bad_duration")),
        (None, Some("x"), Err("bad_duration")),
        (Some("a b"), None, Err("bad_service")),
        (Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), None, Err("bad_service")),
    ] {
        let got = TokenRequest::new(service, duration).map(|r| r.minutes).map_err(|e| e.code);
        assert_eq!(got, expected, "{service:?} {duration:?}");
    }
}

#[test]
fn a_web_session_signs_in_until_it_idles_or_its_user_is_suspended() {
    let house = House::new();
    let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
    let credential = partner(ACME, PUID, &good_key());
    let attempt = Attempt { caller: &caller, credential: &credential, group: None, surface: "AgentView" };
    let value = house.desk.sign_in.sign_in_browser(&attempt).unwrap().web_session;
    let fields: Vec<&str> = value.split('.').collect();
    assert_eq!((fields.len(), fields[1], fields[3]), (4, "1593907200", "12345"));
    let session = |value: &str| Credential::WebSession(value.to_owned().into());
    house.check(&session(&value), None, (200, "signed_in"));
    house.check(&session(&fields[..3].join(".")), None, (200, "signed_in"));
    house.check(&session(&value), Some(OTHER), (403, "other_group"));
    let forged = format!("{}.{}.{}.{OTHER}", fields[0], fields[1], fields[2]);
    house.check(&session(&forged), None, (401, "unknown_web_session"));
    let hours = |h: i64| house.desk.clock().set_now(Timestamp::from_seconds(NOW + h * 3600));
    hours(7);
    house.check(&session(&value), None, (200, "signed_in"));
    hours(14);
    house.check(&session(&value), None, (200, "signed_in"));
    hours(23);
    house.check(&session(&value), None, (401, "unknown_web_session"));
}

#[test]
fn a_sign_out_is_logged_when_it_ended_a_web_session() {
    let house = House::new();
    let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
    let credential = partner(ACME, PUID, &good_key());
    let attempt = Attempt { caller: &caller, credential: &credential, group: None, surface: "AgentView" };
    let open = || house.desk.sign_in.sign_in_browser(&attempt).unwrap().web_session;
    let log = || house.desk.log_rows_for_test();
    let ends = |value: &str| {
        let before = log().len();
        house.desk.sign_in.end_web_session(&caller, value).unwrap();
        log().len() - before
    };
    let value = open();
    assert_eq!(ends(&value), 1);
    assert_eq!(log()[0].trim_end(), format!("{ADDRESS} sign-out.web-session {ADDRESS}"));
    assert_eq!(house.last_row().group, Some(ACME));
    house.check(&Credential::WebSession(value.clone().into()), None, (401, "unknown_web_session"));
    assert_eq!([ends(&value), ends("x")], [0, 0]);
    // These had ended before.
    let (voided, idle) = (open(), open());
    house.change(PUID, UserChange { suspended: Some(true), ..UserChange::default() });
    assert_eq!(ends(&voided), 0);
    house.desk.clock().set_now(Timestamp::from_seconds(NOW + 9 * 3600));
    assert_eq!(ends(&idle), 0);
}

#[test]
fn issued_credentials_are_new_on_each_call_and_only_the_last_count() {
    let house = House::new();
    let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
    let credential = password(ADDRESS, PASSWORD);
    let attempt = Attempt { caller: &caller, credential: &credential, group: None, surface: "ValidateUser" };
    let issue = || house.desk.sign_in.issue_credentials(&attempt).unwrap().credentials.to_string();
    let with = |credentials: &str| Credential::IssuedCredentials {
        username: ADDRESS.into(),
        credentials: credentials.to_owned().into(),
    };
    let (first, second) = (issue(), issue());
    assert!(first.len() == 32 && first.bytes().all(|b| b.is_ascii_hexdigit()) && first != second);
    house.check(&with(&first), None, (401, "wrong_issued_credentials"));
    house.check(&with(&second.to_uppercase()), None, (200, "signed_in"));
    house
        .change(PUID, UserChange { password: Some(Secret::new("Another-Horse-8")), ..UserChange::default() });
    house.check(&with(&second), None, (401, "wrong_issued_credentials"));
}

#[test]
fn an_explanation_is_green_up_to_the_first_red() {
    let house = House::new();
    let explain = |puid: &str, key: &str| {
        let claim = KeyClaim { group: ACME, puid: puid.into(), text: key.to_owned().into() };
        house.desk.sign_in.explain_login_key(&claim, Timestamp::from_seconds(NOW)).unwrap()
    };
    let good = explain(PUID, &good_key());
    assert_eq!((good.verdict.clone(), good.repair()), (Ok(()), ""));
    assert!(good.checks.iter().all(|c| c.outcome == CheckOutcome::Passed));
    assert_eq!(good.checks.iter().map(|c| c.number).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    let wrong_case = explain("UNIQUEUSERIDENTIFIER", &good_key());
    assert_eq!(wrong_case.verdict.as_ref().unwrap_err().code(), "bad_signature");
    assert_eq!(wrong_case.diagnosis.map(|d| d.mistake.code()), Some("puid_case"));
    assert_eq!(wrong_case.checks.iter().filter(|c| c.outcome == CheckOutcome::Failed).count(), 1);
    let unknown = explain("nobody", &signed(API_KEY, ACME, "nobody", NOW + 60));
    assert_eq!(unknown.verdict.unwrap_err(), SignInReject::UnknownPuid);
}
