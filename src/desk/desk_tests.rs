//! Groups, roles, API keys and operators, through the desk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::model::queries::LogRow;
use std::collections::BTreeMap;

use super::fixture::*;
use super::people::roles::{NewRole, RoleChange};
use super::people::users::{NewUser, RoleChoice, UserChange};
use super::sign_in::Attempt;
use crate::error::{Kind, Result};
use crate::model::{Actor, Caller, GroupId};
use crate::protocol::credential::Credential;
use crate::secret::Secret;
use crate::store::NewConsoleHolder;

fn code<T>(outcome: Result<T>) -> Option<&'static str> {
    outcome.err().map(|e| e.code)
}

fn settings(pairs: &[(&str, bool)]) -> BTreeMap<String, bool> {
    pairs.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect()
}

#[test]
fn only_operators_make_groups() {
    let f = fixture();
    assert_eq!(code(f.desk.people.create_group(&f.admin, GroupId(9), "Nine", None)), Some("operators_only"));
    let host = Caller::host();
    assert_eq!(code(f.desk.people.create_group(&host, SEVEN, "Again", None)), Some("group_exists"));
    assert_eq!(code(f.desk.people.create_group(&host, GroupId(9), "SEVEN", None)), Some("group_exists"));
    assert_eq!(code(f.desk.people.create_group(&host, GroupId(9), " ", None)), Some("name_required"));
    assert_eq!(f.desk.people.groups(&f.admin).unwrap().len(), 1, "administrators see only their group");
    assert_eq!(f.desk.people.groups(&host).unwrap().len(), 2);
}

#[test]
fn a_roles_settings_are_a_subset_of_the_groups() {
    let f = fixture();
    let new = |name: &str, wanted: &[(&str, bool)]| NewRole {
        name: name.into(),
        settings: settings(wanted),
        ..NewRole::default()
    };
    let refused = f.desk.people.create_role(&f.admin, SEVEN, new("A", &[("agentVideo", true)]));
    assert_eq!(code(refused), Some("setting_not_in_group"));
    let role = f.desk.people.create_role(&f.admin, SEVEN, new("A", &[("viewVideo", true)])).unwrap();
    let on = |name: &str| f.desk.people.role(&f.admin, SEVEN, role.id).unwrap().settings[name];
    assert!(on("viewVideo") && !on("remoteAssist"));

    f.desk.people.set_group_settings(&f.admin, SEVEN, settings(&[("viewVideo", false)]), None).unwrap();
    assert!(!on("viewVideo"), "the group's off forces the role's off");
    // A form that shows what is in force sends it back: the role still remembers.
    let same = RoleChange { settings: settings(&[("viewVideo", false)]), ..RoleChange::default() };
    f.desk.people.update_role(&f.admin, SEVEN, role.id, same).unwrap();
    f.desk
        .people
        .set_group_settings(&f.admin, SEVEN, settings(&[("viewVideo", true), ("import.me", true)]), None)
        .unwrap();
    assert!(on("viewVideo"), "back on restores it");
    assert!(!on("import.me"), "a setting new to the group stays off in its roles");
    assert_eq!(f.last_log(), ("group.settings".into(), "import.me on, viewVideo on".into()));

    let member = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let without = f.desk.people.member_settings(&f.admin, SEVEN, member.user.id).unwrap();
    assert_eq!(
        without,
        f.desk.people.group_settings(&f.admin, SEVEN).unwrap(),
        "without a role, the group's"
    );
}

#[test]
fn a_role_in_use_is_not_deleted() {
    let f = fixture();
    let role = f
        .desk
        .people
        .create_role(&f.admin, SEVEN, NewRole { name: "A".into(), ..NewRole::default() })
        .unwrap();
    assert_eq!(
        code(f.desk.people.create_role(&f.admin, SEVEN, NewRole { name: "a".into(), ..NewRole::default() })),
        Some("role_exists")
    );
    let new = super::people::users::NewUser { role: RoleChoice::Numbered(role.id), ..user("ann.x", "E1") };
    f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
    let refused = f.desk.people.delete_roles(&f.admin, SEVEN, vec![role.id]);
    assert!(
        matches!(refused, Err(super::people::bulk::BulkError::Rows(rows)) if rows[0].1.code == "role_in_use")
    );
    let row = f.log().pop().unwrap();
    assert_eq!(row.subject, "A");
    assert_eq!(row.detail, "1 users have the role A. Give them another one first.");
    f.desk.people.delete_user(&f.admin, SEVEN, &puid("E1")).unwrap();
    assert!(f.desk.people.delete_roles(&f.admin, SEVEN, vec![role.id]).is_ok());
    // A role of another group is no role here.
    let other = f
        .desk
        .people
        .create_role(&f.other_admin, EIGHT, NewRole { name: "B".into(), ..NewRole::default() })
        .unwrap();
    let new = super::people::users::NewUser { role: RoleChoice::Numbered(other.id), ..user("ann.x", "E1") };
    assert_eq!(code(f.desk.people.create_user(&f.admin, SEVEN, new)), Some("role_unknown"));
    assert_eq!(
        code(f.desk.people.update_role(&f.admin, SEVEN, other.id, RoleChange::default())),
        Some("role_unknown")
    );
}

#[test]
fn an_api_key_is_sealed_shown_to_few_and_changed_at_once() {
    let f = fixture();
    assert!(f.desk.sign_in.show_api_key(&f.admin, SEVEN).unwrap().is_none());
    let made = f.desk.sign_in.change_api_key(&f.admin, SEVEN, None).unwrap();
    assert_eq!(made.expose().len(), 20);
    assert!(f.desk.sign_in.show_api_key(&f.admin, SEVEN).unwrap().unwrap() == made);
    assert_eq!(f.last_log().0, "api-key.show", "looking is logged");
    assert_eq!(code(f.desk.sign_in.show_api_key(&f.other_admin, SEVEN)), Some("administrators_only"));
    let typed = Secret::new("mySecretApiKey");
    f.desk.sign_in.change_api_key(&f.admin, SEVEN, Some(typed.clone())).unwrap();
    let kept = f.desk.ground.store.read(|r| f.desk.sign_in.api_keys(r, SEVEN)).unwrap();
    assert!(kept.current == Some(typed) && kept.previous == Some(made));
    for (bad, expected) in [("short", "api_key_too_short"), (" mySecretApiKey", "api_key_malformed")] {
        assert_eq!(
            code(f.desk.sign_in.change_api_key(&f.admin, SEVEN, Some(Secret::new(bad)))),
            Some(expected)
        );
    }
    let (sealed, _) = f.desk.ground.store.read(|r| r.sealed_api_keys(SEVEN)).unwrap();
    assert!(!sealed.unwrap().windows(5).any(|w| w == b"mySec"));
    assert!(!f.log().iter().any(|row| row.detail.contains("mySecret")), "no API key in the log");
}

#[test]
fn the_last_operator_stays() {
    let f = fixture();
    let host = Caller::host();
    let password = Secret::new("correct horse");
    f.desk.appliance.create_operator(&host, "Olga", &password).unwrap();
    assert_eq!(code(f.desk.appliance.create_operator(&f.admin, "Eve", &password)), Some("operators_only"));
    assert_eq!(code(f.desk.appliance.create_operator(&host, "olga", &password)), Some("operator_exists"));
    assert_eq!(
        code(f.desk.appliance.create_operator(&host, "Pete", &Secret::new("short"))),
        Some("password_too_short")
    );
    let refused = f.desk.appliance.delete_operator(&host, "Olga").unwrap_err();
    assert_eq!((refused.code, refused.kind), ("last_operator", Kind::Conflict));
    f.desk.appliance.create_operator(&host, "Pete", &password).unwrap();
    f.desk.appliance.delete_operator(&host, "olga").unwrap();
    assert_eq!(f.desk.appliance.operators(&host).unwrap().len(), 1);
}

#[test]
fn an_operator_whose_lockout_is_cleared_gets_in_from_where_the_guesses_came() {
    let f = fixture();
    let host = Caller::host();
    let stranger = Caller { ip: f.admin.ip, ..Caller::host() };
    let (right, wrong) = (Secret::new("correct horse"), Secret::new("wrong horse"));
    let sign_in = |password| code(f.desk.appliance.sign_in_to_console(&stranger, "Olga", password));
    f.desk.appliance.create_operator(&host, "Olga", &right).unwrap();
    let clear: [&dyn Fn() -> Result<()>; 2] =
        [&|| f.desk.appliance.clear_operator_lockout(&host, "olga"), &|| {
            f.desk.appliance.set_operator_password(&host, "olga", &right)
        }];
    for clear in clear {
        for _ in 0..10 {
            assert_eq!(sign_in(&wrong), Some("sign_in_refused"));
        }
        assert_eq!(sign_in(&right), Some("sign_in_refused"));
        clear().unwrap();
        assert_eq!(sign_in(&right), None);
    }
}

#[test]
fn a_console_password_waits_in_the_same_few_places_as_any_other() {
    let f = fixture();
    let (right, host) = (Secret::new("correct horse"), Caller::host());
    let stranger = Caller::anonymous([192, 0, 2, 1].into());
    f.desk.appliance.create_operator(&host, "Olga", &right).unwrap();
    let sign_in = |name| code(f.desk.appliance.sign_in_to_console(&stranger, name, &right));
    let places = f.desk.ground.verifier.all_places();
    for name in ["Olga", "admin.seven", "nobody"] {
        assert_eq!(sign_in(name), Some("passwords_busy"), "{name}");
    }
    drop(places);
    assert_eq!(sign_in("Olga"), None);
}

/// Group 7 with Ann, who has a password, and Bob, who has none.
fn with_passwords() -> Fixture {
    let f = fixture();
    let password = Some(Secret::new("Correct-Horse-7"));
    f.desk.people.create_user(&f.admin, SEVEN, NewUser { password, ..user("ann.seven", "E1") }).unwrap();
    f.desk.people.create_user(&f.admin, SEVEN, user("bob.seven", "E2")).unwrap();
    f
}

#[test]
fn wrong_console_passwords_do_not_tell_elsewhere_which_names_exist() {
    let f = with_passwords();
    let (here, there) = (Caller::anonymous([192, 0, 2, 1].into()), Caller::anonymous([192, 0, 2, 2].into()));
    let answer = |name: &str| {
        for _ in 0..10 {
            let refused = f.desk.appliance.sign_in_to_console(&here, name, &Secret::new("wrong"));
            assert_eq!(code(refused), Some("sign_in_refused"), "{name}");
        }
        // Neither takes time: nothing is verified.
        let places = f.desk.ground.verifier.all_places();
        assert_eq!(
            code(f.desk.appliance.sign_in_to_console(&there, name, &Secret::new("x"))),
            Some("sign_in_refused"),
            "{name}"
        );
        drop(places);
        let credential = Credential::Password { username: name.into(), password: "wrong".to_owned().into() };
        let attempt = Attempt { caller: &there, credential: &credential, group: None, surface: "test" };
        let error = f.desk.sign_in.identify(&attempt).unwrap_err();
        (error.kind, error.code, error.incident.is_some())
    };
    let expected = (Kind::Denied, "sign_in_denied", true);
    for name in ["ann.seven", "bob.seven", "nobody.seven"] {
        assert_eq!(answer(name), expected, "{name}");
    }
    // Who has no password is not locked, so that a login key still lets them in.
    let key = |row: &LogRow| (row.subject.clone(), row.code.clone().unwrap_or_default());
    let codes: Vec<_> = f.log().iter().filter(|row| row.ip == "192.0.2.2").map(key).collect();
    let expected = [
        ("ann.seven", "locked"),
        ("ann.seven", "user_locked"),
        ("bob.seven", "too_many_attempts"),
        ("bob.seven", "too_many_attempts"),
        ("nobody.seven", "too_many_attempts"),
        ("nobody.seven", "too_many_attempts"),
    ];
    assert_eq!(codes, expected.map(|(name, code)| (name.to_owned(), code.to_owned())));
}

#[test]
fn a_flood_at_the_console_is_noted_a_hundred_times_and_then_as_its_count_doubles() {
    let f = with_passwords();
    let stranger = Caller::anonymous([192, 0, 2, 1].into());
    for _ in 0..300 {
        let refused = f.desk.appliance.sign_in_to_console(&stranger, "ann.seven", &Secret::new("wrong"));
        assert_eq!(code(refused), Some("sign_in_refused"));
    }
    let log = f.log();
    let noted: Vec<_> = log.iter().filter(|row| row.operation == "console.sign-in").collect();
    let count = |code: &str| noted.iter().filter(|row| row.code.as_deref() == Some(code)).count();
    assert_eq!((count("wrong_password"), count("too_many_attempts")), (10, 90 + 2), "128 and 256");
    assert!(noted[101].detail.ends_with("256 refusals of this address in a quarter of an hour"));
}

#[test]
fn a_wrong_present_password_counts_and_has_its_row() {
    let f = with_passwords();
    let member = f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap();
    let ann = Caller { ip: f.admin.ip, ..as_caller(&member) };
    for _ in 0..10 {
        let refused =
            f.desk.appliance.change_own_password(&ann, &Secret::new("wrong"), &Secret::new("Other-Horse-8"));
        assert_eq!(code(refused), Some("wrong_password"));
    }
    let last = f.log().pop().unwrap();
    assert_eq!((last.operation.as_str(), last.code.as_deref()), ("user.password", Some("wrong_password")));
    assert_eq!((last.actor.as_str(), last.group), ("ann.seven", Some(SEVEN)));
    let right = Secret::new("Correct-Horse-7");
    let refused = f.desk.appliance.change_own_password(&ann, &right, &Secret::new("Other-Horse-8"));
    assert_eq!(code(refused), Some("wrong_password"), "locked");
    assert_eq!(f.log().pop().unwrap().code.as_deref(), Some("locked"));
}

#[test]
fn the_claim_link_is_closed_by_the_first_operator_whoever_makes_one() {
    let f = fixture();
    let token = f.desk.appliance.new_claim().unwrap().unwrap();
    assert!(f.desk.appliance.claim_is_open(&token).unwrap() && f.desk.appliance.is_unclaimed().unwrap());
    f.desk.appliance.create_operator(&Caller::host(), "Olga", &Secret::new("correct horse")).unwrap();
    assert!(!f.desk.appliance.claim_is_open(&token).unwrap() && !f.desk.appliance.is_unclaimed().unwrap());
    assert_eq!(f.desk.appliance.new_claim().unwrap(), None);
}

#[test]
fn a_password_that_was_changed_while_it_was_verified_opens_no_console_session() {
    let f = fixture();
    let host = Caller::host();
    let olga = f.desk.appliance.create_operator(&host, "Olga", &Secret::new("correct horse")).unwrap();
    let verified = f.desk.ground.store.read(|r| r.operator_password_hash(olga.id)).unwrap();
    let holder = NewConsoleHolder::Operator(olga.id);
    let open = || code(f.desk.appliance.new_console_session(&host, "Olga", holder, verified.clone(), "test"));
    assert_eq!(open(), None);
    f.desk.appliance.set_operator_password(&host, "Olga", &Secret::new("another horse")).unwrap();
    assert_eq!(open(), Some("wrong_password"));
}

#[test]
fn a_claim_link_is_not_opened_when_an_operator_was_made_since_there_was_none() {
    let f = fixture();
    f.desk.appliance.create_operator(&Caller::host(), "Olga", &Secret::new("correct horse")).unwrap();
    assert_eq!(f.desk.appliance.open_claim().unwrap(), None);
    assert!(!f.desk.appliance.is_unclaimed().unwrap());
}

#[test]
fn what_was_changed_of_a_group_is_what_is_logged() {
    let f = fixture();
    let host = Caller::host();
    let rows = f.log().len();
    f.desk.people.update_group(&host, SEVEN, "Seven", None, None).unwrap();
    assert_eq!(f.log().len(), rows, "a call that changes nothing logs nothing");
    for (name, account, detail) in [
        ("Seven", Some("S-1"), "Unique Account ID none to S-1"),
        ("Sieben", Some("S-1"), "name Seven to Sieben"),
        ("Sept", None, "name Sieben to Sept, Unique Account ID S-1 to none"),
    ] {
        f.desk.people.update_group(&host, SEVEN, name, account, None).unwrap();
        assert_eq!(f.last_log(), ("group.update".into(), detail.into()));
    }
}

/// An operator, as who is signed in at the console.
fn olga(f: &Fixture, password: &Secret) -> Caller {
    let made = f.desk.appliance.create_operator(&Caller::host(), "Olga", password).unwrap();
    Caller { actor: Actor::Operator { id: made.id, name: made.name }, ip: f.admin.ip }
}

#[test]
fn a_password_that_a_colleague_set_meanwhile_is_not_overwritten_by_ones_own_change() {
    let f = fixture();
    let olga = olga(&f, &Secret::new("correct horse"));
    let Actor::Operator { id, .. } = olga.actor else { panic!("an operator") };
    let hash = || f.desk.ground.store.read(|r| r.operator_password_hash(id)).unwrap().unwrap();
    let proved = hash();
    f.desk.appliance.set_operator_password(&Caller::host(), "Olga", &Secret::new("another horse")).unwrap();
    let set = hash();
    let outcome =
        f.desk.appliance.set_own_operator_password(&olga, id, &Secret::new("a third horse"), proved);
    assert_eq!(code(outcome), Some("wrong_password"));
    assert_eq!(hash(), set);
}

#[test]
fn a_wrong_present_password_is_refused_with_a_row_and_changes_nothing() {
    let f = fixture();
    let right = Secret::new("correct horse");
    let change = UserChange { password: Some(right.clone()), ..change() };
    f.desk.people.update_user(&f.admin, SEVEN, &puid("admin.seven"), change).unwrap();
    let callers =
        [(olga(&f, &right), "operator.password", "Olga"), (f.admin.clone(), "user.password", "admin.seven")];
    for (caller, operation, subject) in callers {
        let wanted = Secret::new("another horse");
        for (current, wanted, expected) in [
            ("wrong horse", &wanted, "wrong_password"),
            ("correct horse", &Secret::new("short"), "password_too_short"),
        ] {
            assert_eq!(
                code(f.desk.appliance.change_own_password(&caller, &Secret::new(current), wanted)),
                Some(expected)
            );
            let row = f.log().pop().unwrap();
            assert_eq!((row.operation.as_str(), row.subject.as_str()), (operation, subject));
            assert_eq!((row.refused, row.code.as_deref()), (true, Some(expected)));
        }
        f.desk.appliance.change_own_password(&caller, &right, &wanted).unwrap();
        let rows = f.log();
        let [.., changed, signed_in] = rows.as_slice() else { panic!("two rows") };
        assert_eq!((changed.operation.as_str(), changed.detail.as_str()), (operation, "own"));
        assert_eq!(signed_in.operation, "console.sign-in");
        for _ in 0..10 {
            assert_eq!(
                code(f.desk.appliance.change_own_password(&caller, &right, &wanted)),
                Some("wrong_password")
            );
        }
        assert_eq!(
            code(f.desk.appliance.change_own_password(&caller, &wanted, &right)),
            Some("wrong_password")
        );
        assert_eq!(f.log().pop().unwrap().code.as_deref(), Some("locked"), "the row says which");
    }
}

#[test]
fn of_many_who_hold_the_claim_link_one_becomes_the_operator() {
    let f = fixture();
    let token = f.desk.appliance.new_claim().unwrap().unwrap();
    let together = std::sync::Barrier::new(8);
    let claim = &|number: usize| {
        together.wait();
        let (caller, name) = (Caller::anonymous([192, 0, 2, 1].into()), format!("operator {number}"));
        f.desk.appliance.claim(&caller, &token, &name, &Secret::new("correct horse battery"))
    };
    let claims = std::thread::scope(|scope| {
        let claims: Vec<_> = (0..8).map(|number| scope.spawn(move || claim(number))).collect();
        claims.into_iter().map(|claim| claim.join().unwrap()).collect::<Vec<_>>()
    });
    let (claimed, refused): (Vec<_>, Vec<_>) = claims.into_iter().partition(Result::is_ok);
    assert_eq!(claimed.len(), 1);
    assert!(refused.into_iter().all(|refusal| code(refusal) == Some("claim_closed")));
    assert_eq!(f.desk.appliance.operators(&Caller::host()).unwrap().len(), 1);
}

#[test]
fn an_address_that_begins_too_many_sign_ins_is_told_so() {
    use super::ground::guard::BEGUN_MOST;
    use super::sso::Target;
    let f = fixture();
    let values = [
        ("method", "saml"),
        ("idp_entity_id", "https://idp.example.org/"),
        ("endpoint_url", "https://idp.example.org/sso"),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    f.desk.sso.set_sso(&f.admin, SEVEN, &values, &[]).unwrap();
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saml/keys/idp.cert.pem");
    f.desk.sso.add_sso_key(&f.admin, SEVEN, &std::fs::read_to_string(certificate).unwrap()).unwrap();
    let begin = |last: u8| {
        let caller = Caller::anonymous([192, 0, 2, last].into());
        f.desk.sso.begin_sso(&caller, SEVEN, &Target::default(), None, "https://sp.example.com")
    };
    assert!(begin(1).is_ok());
    let now = f.desk.clock().now();
    for _ in 1..BEGUN_MOST {
        assert!(f.desk.ground.guard.may_begin(Some([192, 0, 2, 1].into()), now));
    }
    let refused = begin(1).map(drop).unwrap_err();
    assert_eq!((refused.kind, refused.code), (Kind::TooMany, "too_many_begun"));
    assert!(begin(2).is_ok(), "another address may");
}

#[test]
fn an_attribute_that_the_mapping_needs_and_that_never_came_is_said_before_anybody_is_refused() {
    let f = fixture();
    let sso = &f.desk.sso;
    let values = [
        ("method", "saml"),
        ("autoprovision", "create"),
        ("glance_address", "{givenname}.acme.glance.net"),
        ("first_name", "{givenname}"),
        ("last_name", "{displayname}"),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    sso.set_sso(&f.admin, SEVEN, &values, &[]).unwrap();
    let overview = || sso.sso_overview(&f.admin, SEVEN).unwrap();
    let warned = || {
        let overview = overview();
        let facts = sso.sso_health(&f.admin, SEVEN, &overview).unwrap().facts;
        let fact = facts.into_iter().find(|fact| fact.heading == "The mapping needs what never came");
        fact.map(|fact| fact.sentence)
    };
    assert_eq!(warned(), None, "nothing came yet");
    let came = |attributes: &'static str| {
        let attempt = crate::store::NewAttempt {
            group: SEVEN,
            incident: None,
            code: None,
            subject: "ann".into(),
            checks: "[]".into(),
            keys: None,
            attributes: Some(attributes.into()),
            kept: None,
        };
        f.desk.ground.store.write(f.desk.clock().now(), move |w| w.insert_saml_attempt(&attempt)).unwrap();
    };
    came(r#"{"givenname":["Ann"]}"#);
    let sentence = warned().unwrap();
    assert!(sentence.contains("{displayname}") && !sentence.contains("{givenname}"), "{sentence}");
    let told = sso.told_of_mapping(&f.admin, &overview().configuration).unwrap();
    let of = |name: &str| told.iter().find(|(field, _)| *field == name).unwrap().1.clone();
    assert!(of("last_name").starts_with("Warning"), "{told:?}");
    assert!(of("first_name").contains("Ann"), "{told:?}");
    came(r#"{"givenname":["Ann"],"displayname":["Ann Lee"]}"#);
    assert_eq!(warned(), None);
}
