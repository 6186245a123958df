#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::model::person::{EMAIL, FIRST_NAME, PHONE, Person};
use serde_json::json;

use super::*;
use crate::desk::fixture::*;
use crate::desk::people::roles::NewRole;
use crate::desk::people::users::{NewUser, RoleChoice, UserKey};
use crate::model::{Caller, RoleId, UserId};
use crate::protocol::scim::filter::Filter;
use crate::protocol::scim::group::GroupStep;
use crate::protocol::scim::patch::operations;
use crate::protocol::scim::user::{document, version};
use crate::protocol::scim::{GROUP_SCHEMA, USER_SCHEMA};

const ALL: Window = Window { first: 0, count: 100 };

fn code<T>(outcome: Result<T>) -> Option<&'static str> {
    outcome.err().map(|e| e.code)
}

/// A desk with a token of group 7, and the caller that its bearer is.
fn with_token() -> (Fixture, Caller) {
    let f = fixture();
    let (_, token) = f.desk.people.make_scim_token(&f.admin, SEVEN, "Okta").unwrap();
    let ip = [192, 0, 2, 1].into();
    let (caller, group) = f.desk.people.scim_caller(ip, token.expose_text().unwrap()).unwrap();
    assert_eq!(group, SEVEN);
    (f, caller)
}

fn patch(operation: serde_json::Value) -> UserWrite {
    UserWrite::Patch(operations(&json!({"Operations": [operation]})).unwrap())
}

#[test]
fn a_token_is_accepted_until_it_is_revoked() {
    let f = fixture();
    let ip = [192, 0, 2, 1].into();
    let (id, token) = f.desk.people.make_scim_token(&f.admin, SEVEN, "Okta").unwrap();
    let text = token.expose_text().unwrap().to_owned();
    assert!(text.starts_with(TOKEN_PREFIX));
    assert!(f.desk.people.scim_caller(ip, &text).is_ok());
    let kept = f.desk.people.scim_tokens(&f.admin, SEVEN).unwrap();
    assert_eq!((kept[0].label.as_str(), kept[0].made_by.as_str()), ("Okta", "admin.seven"));
    assert!(kept[0].used_at.is_some());
    assert!(!f.log().iter().any(|row| format!("{row:?}").contains(&text)), "no token in the log");
    f.desk.people.revoke_scim_token(&f.admin, SEVEN, id).unwrap();
    assert_eq!(code(f.desk.people.scim_caller(ip, &text)), Some("scim_token_unknown"));
    assert_eq!(code(f.desk.people.revoke_scim_token(&f.admin, SEVEN, id)), Some("scim_token_unknown"));
}

#[test]
fn a_flood_of_unknown_tokens_is_noted_a_hundred_times_and_then_as_its_count_doubles() {
    let (f, _) = with_token();
    let before = f.log().len();
    for _ in 0..300 {
        let refused = f.desk.people.scim_caller([192, 0, 2, 1].into(), "x");
        assert_eq!(code(refused), Some("scim_token_unknown"));
    }
    let log = f.log();
    assert_eq!(log.len() - before, 100 + 2, "128 and 256");
    assert!(log[log.len() - 1].detail.ends_with("256 refusals of this address in a quarter of an hour"));
}

#[test]
fn tokens_are_made_by_administrators_of_the_group_only() {
    let (f, provisioner) = with_token();
    assert_eq!(code(f.desk.people.make_scim_token(&f.other_admin, SEVEN, "x")), Some("administrators_only"));
    assert_eq!(code(f.desk.people.make_scim_token(&provisioner, SEVEN, "x")), Some("administrators_only"));
    assert_eq!(code(f.desk.people.scim_tokens(&provisioner, SEVEN)), Some("administrators_only"));
    for _ in 1..TOKENS_MOST {
        f.desk.people.make_scim_token(&f.admin, SEVEN, "more").unwrap();
    }
    assert_eq!(code(f.desk.people.make_scim_token(&f.admin, SEVEN, "x")), Some("scim_tokens_full"));
}

#[test]
fn a_provisioner_reaches_only_its_own_group() {
    let (f, caller) = with_token();
    let document = json!({"userName": "ann.x"});
    assert_eq!(code(f.desk.people.scim_create_user(&caller, EIGHT, &document)), Some("administrators_only"));
    assert_eq!(code(f.desk.people.scim_users(&caller, EIGHT, None, ALL)), Some("administrators_only"));
    assert_eq!(code(f.desk.people.scim_groups(&caller, EIGHT, None, ALL, true)), Some("administrators_only"));
}

#[test]
fn a_document_makes_a_user_who_may_be_inactive() {
    let (f, caller) = with_token();
    let document =
        json!({"userName": "ann.x", "externalId": "E1", "active": false, "name": {"givenName": "Ann"}});
    let made = f.desk.people.scim_create_user(&caller, SEVEN, &document).unwrap();
    assert!(!made.member.membership.active);
    assert_eq!(made.member.user.person.first_name, "Ann");
    let member = f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap();
    assert_eq!(member.user.address.as_str(), "ann.x");
    assert_eq!(f.log().last().unwrap().actor, "provisioning of group 7");
    assert_eq!(code(f.desk.people.scim_create_user(&caller, SEVEN, &document)), Some("puid_taken"));
    assert_eq!(code(f.desk.people.scim_create_user(&caller, SEVEN, &json!({}))), Some("scim_invalid_value"));
}

#[test]
fn a_replacement_clears_what_it_leaves_out_but_not_the_puid() {
    let (f, caller) = with_token();
    let new = NewUser {
        person: Person::default().with(&EMAIL, "a@b").with(&FIRST_NAME, "Ann"),
        ..user("ann.x", "E1")
    };
    let ann = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
    let write = UserWrite::Replace(json!({"userName": "ann.y", "name": {"familyName": "Lee"}}));
    let done = f.desk.people.scim_change_user(&caller, SEVEN, ann.user.id, None, &write).unwrap();
    assert_eq!(
        (done.member.user.address.as_str(), done.member.user.person.last_name.as_str()),
        ("ann.y", "Lee")
    );
    assert_eq!(
        (done.member.user.person.first_name.as_str(), done.member.user.person.email.as_str()),
        ("", "")
    );
    assert_eq!(done.member.membership.puid, ann.membership.puid);
    assert!(done.member.membership.active);
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let (f, caller) = with_token();
    let new = NewUser { person: Person::default().with(&EMAIL, "a@b"), ..user("ann.x", "E1") };
    let ann = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
    let change =
        |operation| f.desk.people.scim_change_user(&caller, SEVEN, ann.user.id, None, &patch(operation));
    let done = change(json!({"op": "Replace", "path": "active", "value": "False"})).unwrap();
    assert!(!done.member.membership.active && done.member.user.person.email == "a@b");
    assert_eq!(f.last_log().0, "user.deactivate");
    let done = change(json!({"op": "remove", "path": "externalId"})).unwrap();
    assert_eq!(done.member.membership.puid, None);
    let refused = change(json!({"op": "add", "path": "groups", "value": [{"value": "1"}]}));
    assert_eq!(code(refused), Some("scim_mutability"));
    let weak = change(json!({"op": "add", "path": "password", "value": "short"}));
    assert_eq!(code(weak), Some("password_too_short"));
    assert_eq!(
        code(f.desk.people.scim_change_user(
            &caller,
            SEVEN,
            UserId(99),
            None,
            &patch(json!({"op": "remove", "path": "x"}))
        )),
        Some("user_unknown")
    );
}

#[test]
fn a_change_of_another_version_than_was_read_is_refused() {
    let (f, caller) = with_token();
    let ann = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let read = version(&f.desk.people.scim_user(&caller, SEVEN, ann.user.id).unwrap());
    let rename = |name: &str, if_match: &str| {
        let write = patch(json!({"op": "replace", "path": "name.givenName", "value": name}));
        f.desk.people.scim_change_user(&caller, SEVEN, ann.user.id, Some(if_match), &write)
    };
    assert!(rename("Ann", &read).is_ok());
    assert_eq!(code(rename("Anna", &read)), Some("version_mismatch"));
    let gone = f.desk.people.scim_delete_user(&caller, SEVEN, ann.user.id, Some(&read));
    assert_eq!(code(gone), Some("version_mismatch"));
    assert!(f.desk.people.scim_delete_user(&caller, SEVEN, ann.user.id, Some("*")).is_ok());
}

#[test]
fn users_are_found_by_filter_and_paged_with_a_total() {
    let (f, caller) = with_token();
    for number in 0..5 {
        let new = NewUser {
            person: Person::default().with(&EMAIL, format!("u{number}@x")),
            ..user(&format!("u{number}.x"), &format!("P{number}"))
        };
        f.desk.people.create_user(&f.admin, SEVEN, new).unwrap();
    }
    let check = |filter: &str, window: Window, total: usize, expected: &[&str]| {
        let filter = (!filter.is_empty()).then(|| Filter::parse(filter).unwrap());
        let page = f.desk.people.scim_users(&caller, SEVEN, filter.as_ref(), window).unwrap();
        let names: Vec<&str> = page.users.iter().map(|u| u.member.user.address.as_str()).collect();
        assert_eq!((page.total, names.as_slice()), (total, expected), "{filter:?}");
    };
    check("", Window { first: 4, count: 10 }, 6, &["u3.x", "u4.x"]);
    check("", Window { first: 0, count: 0 }, 6, &[]);
    check("userName eq \"U2.X\"", ALL, 1, &["u2.x"]);
    check("externalId eq \"P2\"", ALL, 1, &["u2.x"]);
    check("externalId eq \"p2\"", ALL, 0, &[]);
    check("emails[type eq \"work\" and value eq \"u3@x\"]", ALL, 1, &["u3.x"]);
    check("emails.value eq \"u3@x\" and active eq true", ALL, 1, &["u3.x"]);
    check(
        "userName sw \"u\" and not (externalId eq \"P0\")",
        Window { first: 1, count: 2 },
        4,
        &["u2.x", "u3.x"],
    );
    check("userName eq \"nobody\"", ALL, 0, &[]);
    check("userName eq \"u1.x\" or userName eq \"u4.x\"", ALL, 2, &["u1.x", "u4.x"]);
}

#[test]
fn members_of_a_role_are_added_by_moving_them() {
    let (f, caller) = with_token();
    let role = |name: &str| {
        f.desk.people.create_role(&f.admin, SEVEN, NewRole { name: name.into(), ..NewRole::default() })
    };
    let (sales, support) = (role("Sales").unwrap().id, role("Support").unwrap().id);
    let new = |name: &str| NewUser { role: RoleChoice::Numbered(sales), ..user(name, name) };
    let ids: Vec<UserId> = ["a.x", "b.x", "c.x"]
        .map(|name| f.desk.people.create_user(&f.admin, SEVEN, new(name)).unwrap().user.id)
        .to_vec();
    let change =
        |id: RoleId, steps: Vec<GroupStep>| f.desk.people.scim_change_group(&caller, SEVEN, id, None, steps);
    let members = |id: RoleId| {
        let shown = f.desk.people.scim_group(&caller, SEVEN, id, true).unwrap();
        shown.members.unwrap().iter().map(|m| m.user.id).collect::<Vec<_>>()
    };
    change(support, vec![GroupStep::Add(vec![ids[0]])]).unwrap();
    assert_eq!((members(sales), members(support)), (vec![ids[1], ids[2]], vec![ids[0]]));
    change(sales, vec![GroupStep::Remove(vec![ids[0], ids[1], UserId(99)])]).unwrap();
    assert_eq!((members(sales), members(support)), (vec![ids[2]], vec![ids[0]]));
    change(sales, vec![GroupStep::Replace(vec![ids[0], ids[1]]), GroupStep::Rename("Sellers".into())])
        .unwrap();
    assert_eq!((members(sales), members(support)), (vec![ids[0], ids[1]], vec![]));
    let unknown = change(sales, vec![GroupStep::Rename("X".into()), GroupStep::Add(vec![UserId(99)])]);
    assert_eq!(code(unknown), Some("member_unknown"));
    assert_eq!(f.desk.people.scim_group(&caller, SEVEN, sales, false).unwrap().role.name, "Sellers");
    f.desk.people.scim_delete_group(&caller, SEVEN, sales, None).unwrap();
    assert_eq!(code(f.desk.people.scim_group(&caller, SEVEN, sales, true)), Some("role_unknown"));
    assert_eq!(f.desk.people.member(&f.admin, SEVEN, &UserKey::Id(ids[0])).unwrap().membership.role, None);
}

#[test]
fn roles_are_found_by_name_and_by_member() {
    let (f, caller) = with_token();
    let ann = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap();
    let document = json!({"displayName": "Sales", "members": [{"value": ann.user.id.to_string()}]});
    let sales = f.desk.people.scim_create_group(&caller, SEVEN, &document).unwrap();
    f.desk.people.scim_create_group(&caller, SEVEN, &json!({"displayName": "Support"})).unwrap();
    assert_eq!(code(f.desk.people.scim_create_group(&caller, SEVEN, &document)), Some("role_exists"));
    let found = |filter: &str| {
        let filter = Filter::parse(filter).unwrap();
        let page = f.desk.people.scim_groups(&caller, SEVEN, Some(&filter), ALL, false).unwrap();
        page.groups.iter().map(|g| g.role.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("displayName eq \"sales\""), ["Sales"]);
    assert_eq!(found(&format!("members.value eq \"{}\"", ann.user.id)), ["Sales"]);
    assert_eq!(found("displayName sw \"S\""), ["Sales", "Support"]);
    let version = crate::protocol::scim::group::version(&sales).unwrap();
    let empty = vec![GroupStep::Replace(vec![])];
    f.desk.people.scim_change_group(&caller, SEVEN, sales.role.id, Some(&version), empty.clone()).unwrap();
    let stale = f.desk.people.scim_change_group(&caller, SEVEN, sales.role.id, Some(&version), empty);
    assert_eq!(code(stale), Some("version_mismatch"));
}

#[test]
fn what_the_identity_provider_wrote_is_written_back_until_somebody_changes_it() {
    let (f, caller) = with_token();
    let phones = json!([{"value": "1", "type": "mobile"}, {"value": "2", "type": "work"}]);
    let document = json!({"userName": "ann_lee@example.com", "externalId": "E1", "displayName": "Annie", "phoneNumbers": phones});
    let made = f.desk.people.scim_create_user(&caller, SEVEN, &document).unwrap();
    assert_eq!(
        (made.member.user.address.as_str(), made.member.user.person.phone.as_str()),
        ("ann-lee.example.com", "2")
    );
    let shown = || {
        let user = f.desk.people.scim_user(&caller, SEVEN, made.member.user.id).unwrap();
        crate::protocol::scim::user::content(&user, "")
    };
    assert_eq!((&shown()["userName"], &shown()["phoneNumbers"]), (&document["userName"], &phones));
    let mobile = json!({"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "3"});
    f.desk.people.scim_change_user(&caller, SEVEN, made.member.user.id, None, &patch(mobile)).unwrap();
    assert_eq!(
        (shown()["phoneNumbers"][0]["value"].as_str(), f.last_log().0.as_str()),
        (Some("3"), "user.update")
    );
    assert_eq!(shown()["displayName"], "Annie");
    let by_name = Filter::parse("userName eq \"Ann_Lee@example.com\"").unwrap();
    assert_eq!(f.desk.people.scim_users(&caller, SEVEN, Some(&by_name), ALL).unwrap().total, 1);
    let changed = crate::desk::people::users::UserChange {
        address: Some("lee.x".into()),
        person: Person::default().with(&PHONE, "9".to_owned()),
        ..change()
    };
    f.desk.people.update_user(&f.admin, SEVEN, &puid("E1"), changed).unwrap();
    assert_eq!((&shown()["userName"], &shown()["displayName"]), (&json!("lee.x"), &json!("Annie")));
    let renamed = crate::desk::people::users::UserChange {
        person: Person::default().with(&FIRST_NAME, "Eve".to_owned()),
        ..change()
    };
    f.desk.people.update_user(&f.admin, SEVEN, &puid("E1"), renamed).unwrap();
    assert_eq!(shown()["displayName"], serde_json::Value::Null);
    assert_eq!(shown()["phoneNumbers"], json!([{"value": "9", "type": "work", "primary": true}]));
}

#[test]
fn a_role_keeps_the_identity_providers_name_for_it() {
    let (f, caller) = with_token();
    let made = f
        .desk
        .people
        .scim_create_group(&caller, SEVEN, &json!({"displayName": "Sales", "externalId": "8aa1"}))
        .unwrap();
    let found = |filter: &str| {
        f.desk
            .people
            .scim_groups(&caller, SEVEN, Some(&Filter::parse(filter).unwrap()), ALL, false)
            .unwrap()
            .total
    };
    assert_eq!(found("externalId eq \"8aa1\""), 1);
    let other = vec![GroupStep::Identify(Some("x".into()))];
    f.desk.people.scim_change_group(&caller, SEVEN, made.role.id, None, other).unwrap();
    assert_eq!((found("externalId eq \"8aa1\""), found("externalId eq \"x\"")), (0, 1));
    let long = vec![GroupStep::Identify(Some("x".repeat(256)))];
    assert_eq!(
        code(f.desk.people.scim_change_group(&caller, SEVEN, made.role.id, None, long)),
        Some("external_id_malformed")
    );
}

#[test]
fn of_two_changes_at_once_neither_undoes_the_other() {
    let (f, caller) = with_token();
    let made = f.desk.people.scim_create_user(&caller, SEVEN, &json!({"userName": "ann.x"})).unwrap();
    let id = made.member.user.id;
    for round in 0..30 {
        let (name, phone) = (format!("Ann {round}"), format!("+1 555 {round}"));
        let together = std::sync::Barrier::new(2);
        let change = |attribute: &str, value: serde_json::Value| {
            let write = patch(json!({"op": "replace", "path": attribute, "value": value}));
            together.wait();
            f.desk.people.scim_change_user(&caller, SEVEN, id, None, &write).unwrap();
        };
        std::thread::scope(|scope| {
            scope.spawn(|| change("displayName", json!(name)));
            scope.spawn(|| change("phoneNumbers", json!([{"value": phone, "type": "work"}])));
        });
        let document = document(&f.desk.people.scim_user(&caller, SEVEN, id).unwrap(), "");
        assert_eq!(document["displayName"], json!(name));
        assert_eq!(document["phoneNumbers"][0]["value"], json!(phone));
    }
}

#[test]
fn a_token_sets_the_passwords_of_users_and_of_no_administrator() {
    let (f, caller) = with_token();
    let made = f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", "E1")).unwrap().user.id;
    let admin = f.desk.people.member(&f.admin, SEVEN, &UserKey::Puid("admin.seven".into())).unwrap().user.id;
    let password = || patch(json!({"op": "replace", "path": "password", "value": "correct horse 7!"}));
    assert!(f.desk.people.scim_change_user(&caller, SEVEN, made, None, &password()).is_ok());
    let refused = f.desk.people.scim_change_user(&caller, SEVEN, admin, None, &password());
    assert_eq!(code(refused), Some("administrator_password"));
    assert!(!f.desk.people.member(&f.admin, SEVEN, &UserKey::Id(admin)).unwrap().user.has_password);
    let row = f.log().pop().unwrap();
    assert_eq!((row.subject.as_str(), row.code.as_deref()), ("admin.seven", Some("administrator_password")));
}

#[test]
fn a_group_may_let_its_tokens_set_administrators_passwords() {
    use crate::desk::people::password_policy::PasswordPolicy;
    let (f, caller) = with_token();
    let admin = f.desk.people.member(&f.admin, SEVEN, &UserKey::Puid("admin.seven".into())).unwrap().user.id;
    let password = || patch(json!({"op": "replace", "path": "password", "value": "correct horse 7!"}));
    let set = || code(f.desk.people.scim_change_user(&caller, SEVEN, admin, None, &password()));
    let allow = |group, admin: &Caller, allowed| {
        let policy = PasswordPolicy { scim_sets_administrators: allowed, ..PasswordPolicy::default() };
        f.desk.people.set_password_policy(admin, group, policy, None).unwrap();
    };
    assert_eq!(set(), Some("administrator_password"));
    allow(SEVEN, &f.admin, true);
    assert_eq!(f.last_log().1.split("; ").last(), Some("SCIM may set administrators' passwords"));
    assert_eq!(set(), None);
    // An administrator of another group too: that group has a say as well.
    f.desk.people.add_member(&Caller::host(), EIGHT, "admin.seven", None, RoleChoice::None, true).unwrap();
    assert_eq!(set(), Some("administrator_password"));
    allow(EIGHT, &f.other_admin, true);
    assert_eq!(set(), None);
    allow(SEVEN, &f.admin, false);
    assert_eq!(set(), Some("administrator_password"));
    // To take somebody's access away is what provisioning is for.
    let out = patch(json!({"op": "replace", "path": "active", "value": false}));
    assert_eq!(code(f.desk.people.scim_change_user(&caller, SEVEN, admin, None, &out)), None);
}

#[test]
fn a_document_of_another_schema_is_refused() {
    let (f, caller) = with_token();
    let user = |schemas: serde_json::Value| {
        let document = json!({"schemas": schemas, "userName": "ann.x", "externalId": "E1"});
        f.desk.people.scim_create_user(&caller, SEVEN, &document)
    };
    for foreign in [json!(["urn:foreign"]), json!([]), json!("urn:x"), json!([GROUP_SCHEMA])] {
        assert!(user(foreign.clone()).is_err(), "{foreign}");
    }
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert!(user(json!([USER_SCHEMA.to_uppercase(), enterprise])).is_ok());
    let group = json!({"schemas": [USER_SCHEMA], "displayName": "Sales"});
    assert!(f.desk.people.scim_create_group(&caller, SEVEN, &group).is_err());
    let operation = json!({"op": "replace", "path": "active", "value": false});
    assert!(operations(&json!({"schemas": ["urn:foreign"], "Operations": [operation]})).is_err());
}

#[test]
fn lists_leave_a_row_and_look_ups_of_one_user_none() {
    let (f, caller) = with_token();
    let rows = || f.log().iter().filter(|row| row.operation == "user.list").count();
    f.desk.people.scim_users(&caller, SEVEN, None, ALL).unwrap();
    assert_eq!(f.last_log(), ("user.list".into(), "1 users shown".into()));
    let filter = |text: &str| Filter::parse(text).unwrap();
    f.desk.people.scim_users(&caller, SEVEN, Some(&filter("active eq true")), ALL).unwrap();
    assert_eq!(rows(), 2);
    f.desk.people.scim_users(&caller, SEVEN, Some(&filter(r#"userName eq "ann.x""#)), ALL).unwrap();
    f.desk.people.scim_users(&caller, SEVEN, Some(&filter(r#"externalId eq "E1""#)), ALL).unwrap();
    assert_eq!(rows(), 2);
}
