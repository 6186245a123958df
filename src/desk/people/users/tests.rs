#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::desk::fixture::*;
use crate::desk::people::bulk::BULK_MAX;
use crate::desk::people::roles::NewRole;
use crate::error::Kind;
use crate::model::person::{EMAIL, FIRST_NAME, LAST_NAME, Person};
use crate::model::queries::MemberQuery;

fn code<T>(outcome: Result<T>) -> Option<&'static str> {
    outcome.err().map(|e| e.code)
}

#[test]
fn a_user_is_made_whole_and_logged() {
    let f = fixture();
    f.desk
        .people
        .create_role(&f.admin, SEVEN, NewRole { name: "Sales".into(), ..NewRole::default() })
        .unwrap();
    let new = NewUser {
        person: Person::default()
            .with(&FIRST_NAME, "John")
            .with(&LAST_NAME, "Doe")
            .with(&EMAIL, "john@example.com"),
        role: RoleChoice::Named("SALES".into()),
        password: Some(Secret::new("correct horse")),
        ..user("doe.john.example.glance.net", "E1")
    };
    let made = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
    assert_eq!(made.role_name.as_deref(), Some("Sales"));
    assert!(made.user.has_password && made.membership.may_sign_in());
    let found = f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap();
    assert_eq!(found, made);
    let row = f.log().pop().unwrap();
    assert_eq!((row.operation.as_str(), row.actor.as_str()), ("user.create", "admin.seven"));
    assert_eq!(
        (row.subject.as_str(), row.detail.as_str()),
        ("doe.john.example.glance.net", "PUID E1, role Sales")
    );
}

#[test]
fn duplicates_are_refused_and_nothing_is_kept() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let check = |new: NewUser, expected: &str| {
        let refused = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap_err();
        assert_eq!((refused.code, refused.kind), (expected, Kind::Conflict));
    };
    check(user("bob.x", "E1"), "puid_taken");
    check(user("ANN.X", "E2"), "address_taken");
    // The PUID differs in case: another PUID.
    assert!(f.desk.people.create_user(&f.admin, SEVEN, user("bob.x", "e1")).is_ok());
    // Another group, the same PUID: another user.
    assert!(f.desk.people.create_user(&f.other_admin, EIGHT, user("eve.x", "E1")).is_ok());
    assert_eq!(f.desk.people.count_members(&f.admin, SEVEN, &MemberQuery::default()).unwrap(), 3);
}

#[test]
fn a_refusal_is_logged_with_its_code() {
    let f = fixture();
    assert_eq!(
        code(f.desk.people.create_user(&f.admin, SEVEN, user("a_b", "E1"))),
        Some("address_malformed")
    );
    let row = f.log().pop().unwrap();
    assert!(row.refused);
    assert_eq!((row.operation.as_str(), row.code.as_deref()), ("user.create", Some("address_malformed")));
}

#[test]
fn administrators_reach_only_their_own_group() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let key = puid("E1");
    assert_eq!(
        code(f.desk.people.create_user(&f.other_admin, SEVEN, user("b.x", "E2"))),
        Some("administrators_only")
    );
    assert_eq!(
        code(f.desk.people.update_user(&f.other_admin, SEVEN, &key, change())),
        Some("administrators_only")
    );
    assert_eq!(code(f.desk.people.delete_user(&f.other_admin, SEVEN, &key)), Some("administrators_only"));
    assert_eq!(code(f.desk.people.member(&f.other_admin, SEVEN, &key)), Some("administrators_only"));
    assert_eq!(
        code(f.desk.people.members(&f.other_admin, SEVEN, &MemberQuery::default())),
        Some("administrators_only")
    );
    let plain = as_caller(&f.desk.people.member(&f.admin, SEVEN, &key).unwrap());
    assert_eq!(code(f.desk.people.update_user(&plain, SEVEN, &key, change())), Some("administrators_only"));
    let nobody = Caller::anonymous([127, 0, 0, 1].into());
    assert_eq!(code(f.desk.people.delete_user(&nobody, SEVEN, &key)), Some("not_signed_in"));
    assert_eq!(
        code(f.desk.people.add_member(&f.admin, SEVEN, "admin.eight", None, RoleChoice::None, false)),
        Some("operators_only")
    );
}

#[test]
fn another_group_changes_the_membership_but_not_the_person() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    f.desk
        .people
        .add_member(&Caller::host(), EIGHT, "ANN.X", Some("other"), RoleChoice::None, false)
        .unwrap();
    let key = puid("other");
    let by_eight = |change: UserChange| f.desk.people.update_user(&f.other_admin, EIGHT, &key, change);
    let refused = [
        UserChange { person: Person::default().with(&FIRST_NAME, "Eve".to_owned()), ..change() },
        UserChange { person: Person::default().with(&EMAIL, "eve@example.com".to_owned()), ..change() },
        UserChange { address: Some("eve.x".into()), ..change() },
        UserChange { password: Some(Secret::new("correct horse")), ..change() },
    ];
    for change in refused {
        assert_eq!(code(by_eight(change)), Some("home_group_only"));
    }
    assert_eq!(code(f.desk.people.clear_lockout(&f.other_admin, EIGHT, &key)), Some("home_group_only"));
    assert!(by_eight(UserChange { suspended: Some(true), ..change() }).is_ok());
    assert!(f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap().membership.may_sign_in());
    assert!(f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap().user.person.first_name.is_empty());
}

#[test]
fn fields_that_were_not_sent_stay_as_they_are() {
    let f = fixture();
    let new = NewUser {
        person: Person::default().with(&FIRST_NAME, "Ann").with(&EMAIL, "a@b"),
        ..user("ann.x", "E1")
    };
    f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
    let done = f
        .desk
        .people
        .update_user(
            &f.admin,
            SEVEN,
            &puid("E1"),
            UserChange { person: Person::default().with(&LAST_NAME, "Lee".to_owned()), ..change() },
        )
        .unwrap();
    assert_eq!(done.changed, ["last_name"]);
    assert_eq!(
        (done.member.user.person.first_name.as_str(), done.member.user.person.email.as_str()),
        ("Ann", "a@b")
    );
    let rows = f.log().len();
    let again = UserChange {
        person: Person::default().with(&LAST_NAME, "Lee".to_owned()),
        suspended: Some(false),
        ..change()
    };
    assert!(f.desk.people.update_user(&f.admin, SEVEN, &puid("E1"), again).unwrap().changed.is_empty());
    assert_eq!(f.log().len(), rows, "a call that changes nothing logs nothing");
}

#[test]
fn suspended_and_inactive_are_two_flags() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let set = |change: UserChange| {
        let m = f.desk.people.update_user(&f.admin, SEVEN, &puid("E1"), change).unwrap().member.membership;
        (m.suspended, m.active, m.may_sign_in())
    };
    assert_eq!(set(UserChange { suspended: Some(true), ..change() }), (true, true, false));
    assert_eq!(f.last_log().0, "user.suspend");
    assert_eq!(set(UserChange { active: Some(false), ..change() }), (true, false, false));
    assert_eq!(f.last_log().0, "user.deactivate");
    assert_eq!(set(UserChange { suspended: Some(false), ..change() }), (false, false, false));
    assert_eq!(f.last_log().0, "user.reinstate");
    assert_eq!(set(UserChange { active: Some(true), ..change() }), (false, true, true));
    assert_eq!(f.last_log().0, "user.activate");
}

#[test]
fn administrators_cannot_lock_themselves_out() {
    let f = fixture();
    let own = puid("admin.seven");
    for change in [
        UserChange { suspended: Some(true), ..change() },
        UserChange { active: Some(false), ..change() },
        UserChange { administrator: Some(false), ..change() },
    ] {
        assert_eq!(code(f.desk.people.update_user(&f.admin, SEVEN, &own, change)), Some("own_account"));
    }
    assert_eq!(code(f.desk.people.delete_user(&f.admin, SEVEN, &own)), Some("own_account"));
    assert!(f.desk.people.member(&f.admin, SEVEN, &own).unwrap().membership.administrator);
}

#[test]
fn a_deleted_user_is_gone_and_the_names_are_free_but_not_the_number() {
    let f = fixture();
    let first = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    f.desk.people.delete_user(&f.admin, SEVEN, &puid("E1")).unwrap();
    assert_eq!(code(f.desk.people.delete_user(&f.admin, SEVEN, &puid("E1"))), Some("user_unknown"));
    let second = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    assert!(second.user.id > first.user.id);
}

#[test]
fn a_person_lives_on_in_the_groups_that_remain() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let host = Caller::host();
    f.desk.people.add_member(&host, EIGHT, "ann.x", Some("E1"), RoleChoice::None, false).unwrap();
    f.desk.people.delete_user(&f.admin, SEVEN, &puid("E1")).unwrap();
    let ann = f.desk.people.member(&f.other_admin, EIGHT, &puid("E1")).unwrap();
    assert_eq!(ann.user.home_group, EIGHT);
    assert_eq!(
        code(f.desk.people.add_member(&host, EIGHT, "ann.x", None, RoleChoice::None, false)),
        Some("already_member")
    );
    assert_eq!(
        code(f.desk.people.add_member(&host, EIGHT, "nobody.x", None, RoleChoice::None, false)),
        Some("user_unknown")
    );
}

#[test]
fn a_refused_change_names_the_user_as_a_change_does() {
    let f = fixture();
    let member = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    for (key, subject) in [
        (puid("E1"), "ann.x"),
        (UserKey::Id(member.user.id), "ann.x"),
        (UserKey::Address("ANN.X".into()), "ann.x"),
        (puid("nobody"), "PUID nobody"),
    ] {
        let wrong = UserChange { address: Some("a_b".into()), ..change() };
        assert!(f.desk.people.update_user(&f.admin, SEVEN, &key, wrong).is_err());
        assert_eq!(f.log().pop().unwrap().subject, subject);
        assert!(f.desk.people.delete_user(&f.other_admin, SEVEN, &key).is_err());
        assert_eq!(f.log().pop().unwrap().subject, subject);
    }
}

#[test]
fn several_are_made_all_or_none_with_an_error_for_each_row() {
    let f = fixture();
    let rows = vec![user("ann.x", "E1"), user("a_b", "E2"), user("bob.x", "E3"), user("cyd.x", "E1")];
    let refused = |outcome: std::result::Result<Vec<Member>, BulkError>| match outcome {
        Err(BulkError::Rows(rows)) => rows.into_iter().map(|(row, e)| (row, e.code)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    // Text is judged first; what only the database knows, after that.
    assert_eq!(
        refused(f.desk.people.create_users(&f.admin, SEVEN, rows.clone())),
        [(1, "address_malformed")]
    );
    let rows: Vec<NewUser> = [0, 2, 3].map(|i| rows[i].clone()).to_vec();
    assert_eq!(refused(f.desk.people.create_users(&f.admin, SEVEN, rows.clone())), [(2, "puid_taken")]);
    assert_eq!(f.desk.people.count_members(&f.admin, SEVEN, &MemberQuery::default()).unwrap(), 1);
    let row = f.log().pop().unwrap();
    assert_eq!((row.subject.as_str(), row.code.as_deref()), ("cyd.x", Some("puid_taken")));
    let made = f.desk.people.create_users(&f.admin, SEVEN, rows[..2].to_vec()).unwrap();
    assert_eq!(made.len(), 2);
    let change = |suspended| UserChange { suspended: Some(suspended), ..change() };
    let updates = vec![(puid("E1"), change(true)), (puid("E9"), change(true))];
    let outcome = f.desk.people.update_users(&f.admin, SEVEN, updates);
    assert!(
        matches!(outcome, Err(BulkError::Rows(rows)) if rows[0].0 == 1 && rows[0].1.code == "user_unknown")
    );
    assert!(!f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap().membership.suspended);
    let outcome = f.desk.people.delete_users(&f.admin, SEVEN, vec![puid("E1"), puid("E9")]);
    assert!(matches!(outcome, Err(BulkError::Rows(_))));
    let row = f.log().pop().unwrap();
    assert_eq!((row.subject.as_str(), row.code.as_deref()), ("PUID E9", Some("user_unknown")));
    let many = vec![user("a", "b"); BULK_MAX + 1];
    let outcome = f.desk.people.create_users(&f.admin, SEVEN, many);
    assert!(matches!(outcome, Err(BulkError::Whole(e)) if e.code == "too_many_rows"));
}

#[test]
fn a_password_keeps_the_groups_rule() {
    use crate::desk::ground::password_rule::PasswordRule;
    use crate::desk::people::password_policy::PasswordPolicy;
    let f = fixture();
    let with = |password: &str| NewUser { password: Some(Secret::new(password)), ..user("ann.x", "E1") };
    assert_eq!(code(f.desk.people.create_user(&f.admin, SEVEN, with("seven77"))), Some("password_too_short"));
    let policy = PasswordPolicy { rule: PasswordRule::EightMixed, ..PasswordPolicy::default() };
    f.desk.people.set_password_policy(&f.admin, SEVEN, policy.clone(), None).unwrap();
    assert_eq!(f.desk.people.password_policy(&f.admin, SEVEN).unwrap(), policy);
    assert_eq!(
        code(f.desk.people.create_user(&f.admin, SEVEN, with("eighteight"))),
        Some("password_needs_mixed")
    );
    assert!(f.desk.people.create_user(&f.admin, SEVEN, with("Eight888")).is_ok());
    assert!(!f.log().iter().any(|row| row.detail.contains("Eight888")), "no password in the log");
}

/// Ann is at home in 7, which asks for a symbol, and a member of 8, which is content with six characters; Eve is
/// the other way round.
fn two_homes(f: &Fixture) {
    use crate::desk::ground::password_rule::PasswordRule;
    use crate::desk::people::password_policy::PasswordPolicy;
    let host = Caller::host();
    for (group, rule) in [(SEVEN, PasswordRule::NineSymbol), (EIGHT, PasswordRule::Six)] {
        let policy = PasswordPolicy { rule, ..PasswordPolicy::default() };
        f.desk.people.set_password_policy(&host, group, policy, None).unwrap();
    }
    for (home, other, address) in [(SEVEN, EIGHT, "ann.x"), (EIGHT, SEVEN, "eve.x")] {
        f.desk.people.create_user(&host, home, user(address, address)).unwrap();
        f.desk.people.add_member(&host, other, address, Some(address), RoleChoice::None, true).unwrap();
    }
}

#[test]
fn a_password_keeps_the_home_groups_rule_through_whichever_group_it_is_set() {
    let f = fixture();
    two_homes(&f);
    let host = Caller::host();
    for group in [SEVEN, EIGHT] {
        for (address, accepted) in [("ann.x", "nine-9999"), ("eve.x", "sixsix")] {
            let set = |password: &str| UserChange { password: Some(Secret::new(password)), ..change() };
            let one = |password: &str| {
                let done = f.desk.people.update_user(&host, group, &puid(address), set(password));
                code(done.map(|_| ()))
            };
            let many = |password: &str| {
                f.desk.people.update_users(&host, group, vec![(puid(address), set(password))])
            };
            let refused = (address == "ann.x").then_some("password_too_short");
            assert_eq!((one("sixsix"), one(accepted)), (refused, None), "{address} in {group}");
            assert_eq!(many("sixsix").is_err(), refused.is_some(), "{address} in {group}");
            let member = f.desk.people.member(&host, group, &puid(address)).unwrap();
            let shown = f.desk.people.password_policy_of(&host, &member.user).unwrap().rule;
            assert_eq!(shown.check(&Secret::new("sixsix")).is_err(), refused.is_some());
        }
    }
    // Who may not set it does not learn the rule.
    let ann = f.desk.people.member(&host, EIGHT, &puid("ann.x")).unwrap().user;
    assert_eq!(code(f.desk.people.password_policy_of(&f.other_admin, &ann)), Some("home_group_only"));
    let short = UserChange { password: Some(Secret::new("x")), ..change() };
    let refused = f.desk.people.update_user(&f.other_admin, EIGHT, &puid("ann.x"), short);
    assert_eq!(code(refused), Some("home_group_only"));
}

#[test]
fn the_rule_of_ones_own_password_is_the_home_groups_in_every_session() {
    let f = fixture();
    two_homes(&f);
    for group in [SEVEN, EIGHT] {
        for (address, too_short) in [("ann.x", true), ("eve.x", false)] {
            let own = as_caller(&f.desk.people.member(&Caller::host(), group, &puid(address)).unwrap());
            let rule = f.desk.people.own_password_rule(&own).unwrap();
            assert_eq!(rule.check(&Secret::new("sixsix")).is_err(), too_short, "{address} in {group}");
        }
    }
    let nobody = Caller::anonymous([127, 0, 0, 1].into());
    assert_eq!(code(f.desk.people.own_password_rule(&nobody)), Some("not_signed_in"));
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let f = fixture();
    for number in 0..7 {
        f.desk
            .people
            .create_user(&f.admin, SEVEN, user(&format!("u{number}.x"), &format!("P{number}")))
            .unwrap();
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let query = MemberQuery { after, limit: 3, ..MemberQuery::default() };
        let page = f.desk.people.members(&f.admin, SEVEN, &query).unwrap();
        seen.extend(page.members.iter().map(|m| m.user.address.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["admin.seven", "u0.x", "u1.x", "u2.x", "u3.x", "u4.x", "u5.x", "u6.x"]);
}

#[test]
fn what_is_no_fault_of_a_row_ends_a_bulk_change_and_a_refused_row_does_not() {
    let acted_on = |kind: Kind| {
        let acted = std::cell::Cell::new(0);
        let outcome = super::each(&[1, 2, 3], |row| {
            acted.set(acted.get() + 1);
            if *row == 2 { Err(Error::new(kind, "a_test", "No.")) } else { Ok(()) }
        });
        assert!(outcome.is_err());
        acted.get()
    };
    assert_eq!([Kind::Fault, Kind::Unavailable, Kind::Invalid].map(acted_on), [2, 2, 3]);
}

#[test]
fn two_users_exchange_their_partner_user_ids_in_one_call() {
    let f = fixture();
    for (address, puid) in [("ann.x", "E1"), ("bob.x", "E2"), ("cyd.x", "E3")] {
        f.desk.people.create_user(&f.admin, SEVEN, user(address, puid)).unwrap();
    }
    let to = |puid: &str| UserChange { puid: Some(Some(puid.into())), ..change() };
    let named = |address: &str| UserKey::Address(address.into());
    let puids = || {
        ["ann.x", "bob.x", "cyd.x"].map(|address| {
            let member = f.desk.people.member(&f.admin, SEVEN, &named(address)).unwrap();
            member.membership.puid.unwrap().as_str().to_owned()
        })
    };
    // Also where a user is named by the PUID that they lose.
    let rows = vec![(puid("E1"), to("E2")), (named("bob.x"), to("E1"))];
    assert_eq!(f.desk.people.update_users(&f.admin, SEVEN, rows).unwrap().len(), 2);
    assert_eq!(puids(), ["E2", "E1", "E3"]);
    // What somebody keeps is still taken, and then nothing is changed.
    let rows = vec![(named("ann.x"), to("E1")), (named("bob.x"), to("E3"))];
    let Err(BulkError::Rows(refused)) = f.desk.people.update_users(&f.admin, SEVEN, rows) else { panic!() };
    assert_eq!((refused.len(), refused[0].0, refused[0].1.code), (1, 1, "puid_taken"));
    assert_eq!(puids(), ["E2", "E1", "E3"]);
}

#[test]
fn a_role_that_is_not_there_is_named() {
    let f = fixture();
    f.desk
        .people
        .create_role(&f.admin, SEVEN, NewRole { name: "Sales".into(), ..NewRole::default() })
        .unwrap();
    assert_eq!(f.desk.people.role_named(&f.admin, SEVEN, " sales ").unwrap().name, "Sales");
    let error = f.desk.people.role_named(&f.admin, SEVEN, "Nope").unwrap_err();
    assert_eq!((error.kind, error.code), (Kind::NotFound, "role_unknown"));
    assert_eq!(error.public, "The group has no role named \"Nope\".");
    assert_eq!(code(f.desk.people.role_named(&f.other_admin, SEVEN, "Sales")), Some("administrators_only"));
    let new = NewUser { role: RoleChoice::Named("No\u{1b}pe".into()), ..user("ann.x", "E1") };
    let error = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap_err();
    assert_eq!(error.public, "The group has no role named \"Nope\".");
}

#[test]
fn a_search_of_too_many_words_or_letters_is_refused() {
    let f = fixture();
    let code = |search: String| {
        let query = MemberQuery { search, limit: 10, ..MemberQuery::default() };
        let codes = [
            f.desk.people.members(&f.admin, SEVEN, &query).err().map(|e| e.code),
            f.desk.people.count_members(&f.admin, SEVEN, &query).err().map(|e| e.code),
            f.desk.people.count_members_to(&f.admin, SEVEN, &query, 10).err().map(|e| e.code),
        ];
        assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
        codes[0]
    };
    assert_eq!(code("a ".repeat(10)), None);
    assert_eq!(code("a ".repeat(11)), Some("search_too_long"));
    assert_eq!(code("ü".repeat(200)), None);
    assert_eq!(code("ü".repeat(201)), Some("search_too_long"));
}

#[test]
fn a_call_with_many_passwords_relieves_its_thread_and_is_one_of_few() {
    use std::cell::Cell;
    use std::rc::Rc;
    let f = fixture();
    let with = |address: &str, id: &str| NewUser {
        password: Some(Secret::new("correct horse")),
        ..user(address, id)
    };
    let relieved = Rc::new(Cell::new(false));
    let place = f.desk.people.bulk_places.place(SEVEN).unwrap();
    let busy = f.desk.people.create_users(&f.admin, SEVEN, vec![with("ann.x", "E1")]);
    assert!(matches!(busy, Err(BulkError::Whole(e)) if e.code == "bulk_busy" && e.kind == Kind::Unavailable));
    let set = UserChange { password: Some(Secret::new("correct horse")), ..change() };
    let busy = f.desk.people.update_users(&f.admin, SEVEN, vec![(puid("admin.seven"), set)]);
    assert!(matches!(busy, Err(BulkError::Whole(e)) if e.code == "bulk_busy"));
    // Without passwords it takes no place, and other groups have theirs.
    f.desk.people.create_users(&f.admin, SEVEN, vec![user("ann.x", "E1")]).unwrap();
    crate::duty::begin({
        let relieved = Rc::clone(&relieved);
        move || relieved.set(true)
    });
    let checked = f.desk.people.each_row(EIGHT, true, &[()], |()| Ok(()));
    assert!(checked.is_ok() && relieved.get(), "others are looked after while passwords are hashed");
    drop(place);
    f.desk.people.create_users(&f.admin, SEVEN, vec![with("bob.x", "E2")]).unwrap();
}
