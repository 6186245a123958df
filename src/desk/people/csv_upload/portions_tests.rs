#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::clock::Clock;
use crate::desk::Desk;
use crate::desk::fixture::*;
use crate::desk::people::csv_upload::{ApplyOptions, plan, table};
use crate::desk::people::roles::NewRole;
use crate::desk::people::users::{RoleChoice, UserChange};
use crate::model::person::{LAST_NAME, Person};
use crate::model::queries::MemberQuery;
use crate::model::{Mode, RoleId};

/// More than go in one transaction.
const ROWS: usize = 120;

/// A file of people, of whom everybody is called `name`, a number behind it, and so is their PUID.
fn file(name: &str, puid: &str) -> String {
    let rows = (0..ROWS).map(|n| format!("{name}{n},{name}.{n}@example.com,n{n}.x,{puid}{n}\n"));
    "FirstName,Email,GlanceAddress,PartnerUID\n".to_owned() + &rows.collect::<String>()
}

fn planned(f: &Fixture, file: &str, role: Option<RoleId>) -> Plan {
    let terms = ApplyOptions { role: role.map(RoleChoice::Numbered), ..ApplyOptions::default() };
    let rows = table::read(file.as_bytes(), &[]).unwrap().rows;
    f.desk.ground.store.snapshot(|r| plan::planned(r, &f.admin, SEVEN, &terms, &rows)).unwrap()
}

fn applied(f: &Fixture, file: &str) -> Preview {
    f.desk
        .people
        .apply_csv(&f.admin, SEVEN, &ApplyOptions::default(), file.as_bytes(), &Progress::default())
        .unwrap()
}

/// The people of `file("Old", "P")` in group 7.
fn with_people() -> Fixture {
    let f = fixture();
    assert_eq!(applied(&f, &file("Old", "P")).created, ROWS);
    f
}

/// What each way of looking finds of row `n`: first as it was before, then as the file makes it.
fn found(f: &Fixture, n: usize) -> [bool; 10] {
    let desk = &f.desk;
    let by = |name: &str, id: &str| {
        let search = |search: String| {
            let query = MemberQuery { search, limit: 9, ..MemberQuery::default() };
            let listed = desk.people.members(&f.admin, SEVEN, &query).unwrap().members;
            let counted = desk.people.count_members(&f.admin, SEVEN, &query).unwrap();
            assert_eq!(listed.len() as u64, counted);
            listed.iter().any(|member| member.user.address.as_str() == format!("n{n}.x"))
        };
        let mail = format!("{name}.{n}@example.com");
        [
            desk.people.member(&f.admin, SEVEN, &UserKey::Puid(format!("{id}{n}"))).is_ok(),
            desk.ground.store.read(|r| r.users_by_email(SEVEN, &mail, 9)).unwrap().len() == 1,
            desk.ground.store.read(|r| r.members_named(SEVEN, &mail)).unwrap().len() == 1,
            search(format!("{name}{n}")),
            search(format!("{id}{n}")),
        ]
    };
    let (old, new) = (by("Old", "P"), by("New", "Q"));
    std::array::from_fn(|at| if at < 5 { old[at] } else { new[at - 5] })
}

const OLD: [bool; 10] = [true, true, true, true, true, false, false, false, false, false];
const NEW: [bool; 10] = [false, false, false, false, false, true, true, true, true, true];

fn all_are(f: &Fixture, state: [bool; 10], when: &str) {
    for n in [0, 77, ROWS - 1] {
        assert_eq!(found(f, n), state, "row {n} {when}");
    }
}

/// Prepares all that the file does.
fn prepared(f: &Fixture, file: &str, role: Option<RoleId>) -> (FileChanges, ImportId, Rest) {
    let mut work = FileChanges::of(planned(f, file, role));
    let count = work.new.len();
    let begin = move |w: &Writer<'_>| w.begin_import(SEVEN, count, true);
    let import = f.desk.ground.store.write(f.desk.clock().now(), begin).unwrap();
    let rest = f.desk.people.prepare(&f.admin, SEVEN, &mut work, import, &Progress::default()).unwrap();
    (work, import, rest)
}

fn in_force(f: &Fixture, work: FileChanges, import: ImportId, rest: Rest) -> Result<()> {
    let summary = LogEntry::done(&Caller::host(), Some(SEVEN), "user.import", "7", "");
    f.desk.people.come_into_force(&f.admin, SEVEN, work, rest, Some(import), summary, &Progress::default())
}

#[test]
fn changes_of_many_are_seen_all_at_once_and_all_of_them_are_prepared_before() {
    let f = with_people();
    let sales = NewRole { name: "Sales".into(), ..NewRole::default() };
    let sales = f.desk.people.create_role(&f.admin, SEVEN, sales).unwrap().id;
    let logged = f.log().len();
    let (work, import, rest) = prepared(&f, &file("New", "Q"), Some(sales));
    assert!(rest.new.is_empty() && rest.changes.is_empty(), "nothing is left for the last transaction");
    all_are(&f, OLD, "before");
    assert!(f.desk.ground.store.read(|r| r.role_use(SEVEN)).unwrap().iter().all(|role| role.role.is_none()));
    assert_eq!(f.log().len(), logged);

    in_force(&f, work, import, rest).unwrap();
    all_are(&f, NEW, "at once");
    let with_role = f.desk.ground.store.read(|r| r.role_use(SEVEN)).unwrap();
    assert_eq!(with_role.iter().find(|role| role.role == Some(sales)).unwrap().active, ROWS as u64);
    assert_eq!(f.log().len(), logged + 1, "the rows of the log follow");
    f.desk.people.end_imports().unwrap();
    all_are(&f, NEW, "after");
    let log = f.log();
    let row = log.iter().find(|row| row.subject == "n77.x" && row.operation == "user.update").unwrap();
    assert_eq!(row.detail, "first name, email, PUID P77 to Q77, role none to Sales");
    assert_eq!(log.iter().filter(|row| row.operation == "user.update").count(), ROWS);
    assert!(f.desk.ground.store.read(|r| r.import_work()).unwrap().is_empty());
}

#[test]
fn a_kill_after_changes_were_prepared_leaves_everybody_as_they_were() {
    let f = with_people();
    let (_, import, _) = prepared(&f, &file("New", "Q"), None);
    let Fixture { desk, admin, other_admin, directory } = f;
    // What was prepared is kept, and nobody finishes it.
    drop(desk);
    let desk = Arc::new(Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap());
    let f = Fixture { desk, admin, other_admin, directory };
    all_are(&f, OLD, "after the restart");
    assert_eq!(f.desk.ground.store.read(|r| r.import_work()).unwrap(), [ImportWork::Sweep(import)]);
    f.desk.appliance.keep_house().unwrap();
    all_are(&f, OLD, "when it is swept out");
    assert!(f.desk.ground.store.read(|r| r.import_work()).unwrap().is_empty());
    assert_eq!(applied(&f, &file("New", "Q")).changed, ROWS);
    all_are(&f, NEW, "when it is applied again");
}

#[test]
fn who_was_changed_by_somebody_else_meanwhile_is_judged_again() {
    let f = with_people();
    let (work, import, rest) = prepared(&f, &file("New", "Q"), None);
    let named = UserChange { person: Person::default().with(&LAST_NAME, "Lee".to_owned()), ..change() };
    f.desk.people.update_user(&f.admin, SEVEN, &puid("P5"), named).unwrap();
    let other_puid = UserChange { puid: Some(Some("Z6".into())), ..change() };
    f.desk.people.update_user(&f.admin, SEVEN, &puid("P6"), other_puid).unwrap();
    let lee = MemberQuery { search: "lee".into(), limit: 9, ..MemberQuery::default() };
    assert_eq!(
        f.desk.people.count_members(&f.admin, SEVEN, &lee).unwrap(),
        1,
        "found while others are prepared"
    );
    in_force(&f, work, import, rest).unwrap();
    f.desk.people.end_imports().unwrap();
    let lee = f.desk.people.member(&f.admin, SEVEN, &puid("Q5")).unwrap().user;
    assert_eq!(
        (lee.person.first_name.as_str(), lee.person.last_name.as_str()),
        ("New5", "Lee"),
        "both changes are kept"
    );
    all_are(&f, NEW, "after");
    let log = f.log();
    let rows = |address: &str| -> Vec<String> {
        let of = log.iter().filter(|row| row.subject == address && row.operation == "user.update");
        of.map(|row| row.detail.clone()).collect()
    };
    assert_eq!(rows("n5.x"), ["last name", "first name, email, PUID P5 to Q5"], "each change once");
    assert_eq!(rows("n6.x"), ["PUID P6 to Z6", "first name, email, PUID Z6 to Q6"]);
}

#[test]
fn what_does_not_go_with_prepared_changes_any_more_keeps_all_of_them_out() {
    let f = with_people();
    let (work, import, rest) = prepared(&f, &file("New", "Q"), None);
    f.desk.people.create_user(&f.admin, SEVEN, user("new.x", "Q9")).unwrap();
    assert_eq!(in_force(&f, work, import, rest).map_err(|e| e.code), Err("puid_taken"));
    f.desk.people.end_import(ImportWork::Sweep(import)).unwrap();
    all_are(&f, OLD, "after a PUID was taken");

    let (work, import, rest) = prepared(&f, &file("New", "R"), None);
    f.desk.people.delete_user(&f.admin, SEVEN, &puid("P9")).unwrap();
    assert_eq!(in_force(&f, work, import, rest).map_err(|e| e.code), Err("user_unknown"));
    f.desk.people.end_import(ImportWork::Sweep(import)).unwrap();
    all_are(&f, OLD, "after a user was deleted");
}

#[test]
fn a_role_that_a_prepared_change_gives_is_in_use() {
    let f = with_people();
    let sales = NewRole { name: "Sales".into(), ..NewRole::default() };
    let sales = f.desk.people.create_role(&f.admin, SEVEN, sales).unwrap().id;
    let (_, import, _) = prepared(&f, &file("New", "Q"), Some(sales));
    let deleted = || f.desk.people.delete_roles(&f.admin, SEVEN, vec![sales]);
    assert!(deleted().is_err());
    f.desk.people.end_import(ImportWork::Sweep(import)).unwrap();
    assert!(deleted().is_ok());
}

#[test]
fn many_may_exchange_their_puids() {
    let f = with_people();
    let rows: String = (0..ROWS).map(|n| format!("n{n}.x,P{}\n", (n + 1) % ROWS)).collect();
    assert_eq!(applied(&f, &format!("GlanceAddress,PartnerUID\n{rows}")).changed, ROWS);
    let of = |id: &str| f.desk.people.member(&f.admin, SEVEN, &puid(id)).unwrap().user.address.to_string();
    assert_eq!(["P0", "P1", "P60"].map(of), [&format!("n{}.x", ROWS - 1), "n0.x", "n59.x"]);
}

#[test]
fn a_prepared_password_ends_sessions_when_it_comes_into_force() {
    let f = with_people();
    let mut plan = planned(&f, &file("New", "Q"), None);
    for planned in &mut plan.rows {
        if let Planned::Change { change, .. } = planned {
            change.password_hash = Some("a hash".into());
        }
    }
    let now = || {
        let id = f.desk.people.member(&f.admin, SEVEN, &UserKey::Address("n7.x".into())).unwrap().user.id;
        let state = f.desk.ground.store.read(|r| r.member_state(SEVEN, id)).unwrap().unwrap();
        (state.mark, f.desk.ground.store.read(|r| r.password_hash(id)).unwrap())
    };
    let (mark, hash) = now();
    let (columns, rows) = (vec![], vec![]);
    let done = Preview { columns, rows, created: 0, changed: ROWS, unchanged: 0, refused: 0, applied: true };
    f.desk.people.carry_out(&f.admin, SEVEN, plan, &done, &Progress::default()).unwrap();
    assert_eq!((hash, now().1), (None, Some("a hash".to_owned())));
    assert_ne!(mark, now().0);
}
