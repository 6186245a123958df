#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::desk::Desk;
use crate::desk::fixture::*;
use crate::desk::people::users::{NewUser, RoleChoice, UserChange};
use crate::store::DATABASE_FILE;

const OLD: &str = "correct horse";
const NEW: &str = "another horse";

fn code<T>(outcome: Result<T>) -> Option<&'static str> {
    outcome.err().map(|e| e.code)
}

fn stranger() -> Caller {
    Caller::anonymous([192, 0, 2, 9].into())
}

/// A desk with Ann, who has a password, in group 7.
fn with_ann() -> (Fixture, UserKey) {
    let f = fixture();
    let new = NewUser { password: Some(Secret::new(OLD)), ..user("ann.seven", "ann") };
    let id = f.desk.people.create_user(&f.admin, SEVEN, new).unwrap().user.id;
    (f, UserKey::Id(id))
}

fn make(f: &Fixture, key: &UserKey) -> String {
    let made = f.desk.people.make_password_link(&f.admin, SEVEN, key).unwrap();
    made.token.expose_text().unwrap().to_owned()
}

fn open(f: &Fixture, token: &str) -> Option<&'static str> {
    code(f.desk.people.open_password_link(&stranger(), token))
}

fn set(f: &Fixture, token: &str, password: &str) -> Option<&'static str> {
    code(f.desk.people.set_password_by_link(&stranger(), token, &Secret::new(password)))
}

fn rules(f: &Fixture, change: impl FnOnce(&mut PasswordPolicy)) {
    let mut policy = f.desk.people.password_policy(&f.admin, SEVEN).unwrap();
    change(&mut policy);
    f.desk.people.set_password_policy(&f.admin, SEVEN, policy, None).unwrap();
}

#[test]
fn a_link_is_opened_often_and_sets_a_password_once() {
    let (f, ann) = with_ann();
    let token = make(&f, &ann);
    let (operation, detail) = f.last_log();
    assert!(operation == "user.password-link" && detail.starts_with("until 2020-07-06T00:0"), "{detail}");
    for _ in 0..3 {
        assert_eq!(open(&f, &token), None);
    }
    assert_eq!(set(&f, &token, "short"), Some("password_too_short"));
    let console = |password: &str| {
        f.desk.appliance.sign_in_to_console(&stranger(), "ann.seven", &Secret::new(password))
    };
    let admin = UserChange { administrator: Some(true), ..change() };
    f.desk.people.update_user(&f.admin, SEVEN, &ann, admin).unwrap();
    let bearer = console(OLD).unwrap();
    assert_eq!(set(&f, &token, NEW), None);
    let row = f.log().pop().unwrap();
    assert_eq!(
        (row.actor.as_str(), row.operation.as_str(), row.subject.as_str()),
        ("ann.seven", USE, "ann.seven")
    );
    assert!(
        f.desk.appliance.console_caller(&stranger(), &bearer).unwrap().is_none(),
        "what she was signed in to ended"
    );
    assert_eq!((code(console(OLD)), code(console(NEW))), (Some("sign_in_refused"), None));
    assert_eq!((open(&f, &token), set(&f, &token, OLD)), (Some("link_closed"), Some("link_closed")));
    let row = f.log().pop().unwrap();
    assert_eq!((row.operation.as_str(), row.code.as_deref()), (USE, Some("link_closed")));
}

#[test]
fn of_many_who_use_a_link_at_the_same_moment_one_sets_the_password() {
    let (f, ann) = with_ann();
    let token = make(&f, &ann);
    // Another process has its own list of the links that are in use.
    let beside = Desk::open_existing(f.directory.path()).unwrap();
    beside.clock().set_now(f.desk.clock().now());
    let together = std::sync::Barrier::new(8);
    let using = &|number: usize| {
        let desk = if number.is_multiple_of(2) { &*f.desk } else { &beside };
        let password = Secret::new(format!("password {number}"));
        together.wait();
        desk.people.set_password_by_link(&stranger(), &token, &password)
    };
    let outcomes = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|number| scope.spawn(move || using(number))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refusal in outcomes.into_iter().filter_map(Result::err) {
        assert!(matches!(refusal.code, "link_closed" | "link_busy"), "{refusal}");
    }
    assert_eq!(f.log().iter().filter(|row| row.operation == USE && !row.refused).count(), 1);
}

#[test]
fn while_a_password_is_hashed_nobody_else_waits_with_the_same_link() {
    let (f, ann) = with_ann();
    let token = make(&f, &ann);
    let fingerprint = f.desk.ground.keys.fingerprint_of(token.as_bytes());
    let entered = f.desk.people.links_in_use.enter(fingerprint).unwrap();
    assert_eq!(set(&f, &token, NEW), Some("link_busy"));
    drop(entered);
    assert_eq!(set(&f, &token, NEW), None);
}

#[test]
fn a_link_ends_by_its_time_a_newer_one_and_another_password() {
    let (f, ann) = with_ann();
    let first = make(&f, &ann);
    let second = make(&f, &ann);
    assert_eq!((open(&f, &first), open(&f, &second)), (Some("link_closed"), None));
    f.desk.clock().set_now(f.desk.clock().now().plus_seconds(LIVES_SECONDS - 60));
    assert_eq!(open(&f, &second), None);
    f.desk.clock().set_now(f.desk.clock().now().plus_seconds(60));
    assert_eq!((open(&f, &second), set(&f, &second, NEW)), (Some("link_closed"), Some("link_closed")));
    let row = f.log().pop().unwrap();
    assert_eq!((row.group, row.subject.as_str()), (Some(SEVEN), "ann.seven"), "whose it was is told");
    let third = make(&f, &ann);
    let by_hand = UserChange { password: Some(Secret::new(NEW)), ..change() };
    f.desk.people.update_user(&f.admin, SEVEN, &ann, by_hand).unwrap();
    assert_eq!(open(&f, &third), Some("link_closed"));
    let fourth = make(&f, &ann);
    assert!(f.desk.people.end_password_link(&f.admin, SEVEN, &ann).unwrap());
    assert!(!f.desk.people.end_password_link(&f.admin, SEVEN, &ann).unwrap());
    assert_eq!(open(&f, &fourth), Some("link_closed"));
}

#[test]
fn a_link_ends_with_its_person_and_does_not_come_back() {
    let (f, ann) = with_ann();
    let member = f.desk.people.member(&f.admin, SEVEN, &ann).unwrap().user;
    for (out, back) in [
        (UserChange { suspended: Some(true), ..change() }, UserChange { suspended: Some(false), ..change() }),
        (UserChange { active: Some(false), ..change() }, UserChange { active: Some(true), ..change() }),
    ] {
        let token = make(&f, &ann);
        f.desk.people.update_user(&f.admin, SEVEN, &ann, out).unwrap();
        assert_eq!(open(&f, &token), Some("link_closed"));
        assert_eq!(code(f.desk.people.make_password_link(&f.admin, SEVEN, &ann)), Some("link_for_nobody"));
        f.desk.people.update_user(&f.admin, SEVEN, &ann, back).unwrap();
        assert_eq!((open(&f, &token), set(&f, &token, NEW)), (Some("link_closed"), Some("link_closed")));
    }
    let token = make(&f, &ann);
    assert!(f.desk.people.password_link_of(&f.admin, &member).unwrap().is_some());
    let host = Caller::host();
    f.desk.people.switch_group_off(&host, SEVEN).unwrap();
    assert_eq!((open(&f, &token), set(&f, &token, NEW)), (Some("link_closed"), Some("link_closed")));
    f.desk.people.switch_group_on(&host, SEVEN).unwrap();
    // What another group decides of her is not her home's business.
    f.desk.people.add_member(&host, EIGHT, "ann.seven", None, RoleChoice::None, false).unwrap();
    let elsewhere = UserChange { suspended: Some(true), ..change() };
    f.desk.people.update_user(&f.other_admin, EIGHT, &ann, elsewhere).unwrap();
    let token = make(&f, &ann);
    assert_eq!(open(&f, &token), None);
    f.desk.people.delete_user(&f.admin, SEVEN, &ann).unwrap();
    assert_eq!(open(&f, &token), Some("link_closed"));
    f.desk.people.delete_user(&f.other_admin, EIGHT, &ann).unwrap();
    assert_eq!(open(&f, &token), Some("link_closed"));
}

#[test]
fn the_groups_settings_decide_what_a_link_does() {
    let (f, ann) = with_ann();
    f.desk.people.create_user(&f.admin, SEVEN, user("bob.seven", "bob")).unwrap();
    assert_eq!(
        code(f.desk.people.make_password_link(&f.admin, SEVEN, &puid("bob"))),
        Some("link_creates_none")
    );
    rules(&f, |policy| policy.reset_may_create = true);
    let first = make(&f, &puid("bob"));
    rules(&f, |policy| policy.reset_may_create = false);
    assert_eq!(open(&f, &first), Some("link_closed"), "it was allowed when the link was made");
    rules(&f, |policy| {
        policy.reset_may_create = true;
        policy.rule = PasswordRule::NineMixed;
        policy.reset_message = "Call us.".into();
        policy.reset_requires_new = true;
    });
    let shown = f.desk.people.open_password_link(&stranger(), &first).unwrap();
    assert_eq!((shown.address.as_str(), shown.message.as_str()), ("bob.seven", "Call us."));
    assert!(!shown.requires_new, "he has none");
    assert_eq!(set(&f, &first, "nineninen"), Some("password_needs_mixed"));
    assert_eq!(set(&f, &first, "Nine nine 9"), None);

    rules(&f, |policy| policy.rule = PasswordRule::Eight);
    let token = make(&f, &ann);
    assert!(f.desk.people.open_password_link(&stranger(), &token).unwrap().requires_new);
    assert_eq!(set(&f, &token, OLD), Some("password_same"));
    assert_eq!(set(&f, &token, NEW), None);
    rules(&f, |policy| policy.reset_requires_new = false);
    let token = make(&f, &ann);
    assert_eq!(set(&f, &token, NEW), None, "the same again is allowed");
}

#[test]
fn only_the_home_group_makes_links() {
    let (f, ann) = with_ann();
    let none = RoleChoice::None;
    f.desk.people.add_member(&Caller::host(), EIGHT, "ann.seven", None, none, false).unwrap();
    assert_eq!(
        code(f.desk.people.make_password_link(&f.other_admin, SEVEN, &ann)),
        Some("administrators_only")
    );
    assert_eq!(code(f.desk.people.make_password_link(&f.other_admin, EIGHT, &ann)), Some("home_group_only"));
    let row = f.log().pop().unwrap();
    assert_eq!((row.operation.as_str(), row.subject.as_str()), ("user.password-link", "ann.seven"));
    let member = f.desk.people.member(&f.admin, SEVEN, &ann).unwrap().user;
    assert_eq!(code(f.desk.people.password_link_of(&f.other_admin, &member)), Some("home_group_only"));
    assert_eq!(code(f.desk.people.end_password_link(&f.other_admin, EIGHT, &ann)), Some("home_group_only"));
    assert_eq!(code(f.desk.people.make_password_link(&stranger(), SEVEN, &ann)), Some("not_signed_in"));
}

#[test]
fn a_lockout_ends_with_a_password_that_is_given() {
    let (f, ann) = with_ann();
    let admin = UserChange { administrator: Some(true), ..change() };
    f.desk.people.update_user(&f.admin, SEVEN, &ann, admin).unwrap();
    let console = |password: &str| {
        code(f.desk.appliance.sign_in_to_console(
            &Caller::anonymous([192, 0, 2, 8].into()),
            "ann.seven",
            &Secret::new(password),
        ))
    };
    let lock = || (0..10).for_each(|_| assert_eq!(console("a wrong one"), Some("sign_in_refused")));
    lock();
    assert_eq!(console(OLD), Some("sign_in_refused"), "locked");
    let by_hand = UserChange { password: Some(Secret::new(NEW)), ..change() };
    let given = f.desk.people.update_user(&f.admin, SEVEN, &ann, by_hand).unwrap();
    assert_eq!((given.member.user.locked_until, console(NEW)), (None, None));
    lock();
    assert_eq!((set(&f, &make(&f, &ann), OLD), console(OLD)), (None, None));
}

#[test]
fn the_token_is_kept_nowhere() {
    let (f, ann) = with_ann();
    let token = make(&f, &ann);
    assert!(token.len() >= 43, "256 bits");
    assert_eq!(set(&f, &token, "short"), Some("password_too_short"));
    assert_eq!(set(&f, &token, NEW), None);
    assert_eq!(open(&f, &token), Some("link_closed"));
    assert!(f.log().iter().all(|row| !format!("{row:?}").contains(&token)));
    for file in [DATABASE_FILE.to_owned(), format!("{DATABASE_FILE}-wal")] {
        let bytes = std::fs::read(f.directory.path().join(&file)).unwrap_or_default();
        assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{file}");
    }
}
