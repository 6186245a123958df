#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::desk::fixture::*;
use crate::desk::people::roles::NewRole;
use crate::desk::people::users::{NewUser, UserKey};
use crate::model::person::{EMAIL, FIRST_NAME, LAST_NAME, PHONE, Person};
use crate::model::queries::MemberQuery;
use crate::secret::Secret;

const HEADER: &str = "FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID\n";

fn terms() -> ApplyOptions {
    ApplyOptions::default()
}

/// `created`, `unchanged`, `changed puid last_name`, `refused column code`.
fn outcomes(preview: &Preview) -> Vec<String> {
    let one = |row: &PreviewRow| match &row.outcome {
        RowOutcome::Created => "created".to_owned(),
        RowOutcome::Changed(changes) => {
            format!("changed {}", changes.iter().map(|change| change.field).collect::<Vec<_>>().join(" "))
        }
        RowOutcome::Unchanged => "unchanged".to_owned(),
        RowOutcome::Refused(r) => format!("{} refused {} {} {:?}", row.line, r.column, r.code, r.value),
    };
    preview.rows.iter().map(one).collect()
}

fn look(f: &Fixture, rows: &str) -> Vec<String> {
    outcomes(
        &f.desk.people.preview_csv(&f.admin, SEVEN, &terms(), format!("{HEADER}{rows}").as_bytes()).unwrap(),
    )
}

fn apply(f: &Fixture, terms: &ApplyOptions, rows: &str) -> Preview {
    let file = format!("{HEADER}{rows}");
    f.desk.people.apply_csv(&f.admin, SEVEN, terms, file.as_bytes(), &Progress::default()).unwrap()
}

fn count(f: &Fixture) -> u64 {
    f.desk.people.count_members(&f.admin, SEVEN, &MemberQuery::default()).unwrap()
}

#[test]
fn a_preview_tells_each_row_and_changes_nothing() {
    let f = fixture();
    let ann = NewUser { person: Person::default().with(&FIRST_NAME, "Ann"), ..user("ann.x", "E1") };
    f.desk.people.create_user(&f.admin, SEVEN, ann).unwrap();
    f.desk.people.create_user(&f.other_admin, EIGHT, user("taken.x", "E1")).unwrap();
    let rows = "Ann,,,,ANN.x,,E1\nAnn,Lee,,,ann.y,,E2\n,,,,ann.x,,\n,,,,taken.x,,E4\n,,,,a_b,,E5\n\
                ,,,,,,E6\n,,,,short.x,1234,E7\n,,,,bob.x,,E2\n,,,,cyd.x,,E1\nx,x,x,x,dan.x,,E9,extra\n";
    assert_eq!(
        look(&f, rows),
        [
            "changed address",
            "created",
            "4 refused GlanceAddress address_repeated \"ann.x\"",
            "5 refused GlanceAddress address_taken \"taken.x\"",
            "6 refused GlanceAddress address_malformed \"a_b\"",
            "7 refused GlanceAddress address_required \"\"",
            "8 refused Password password_too_short \"\"",
            "9 refused PartnerUID puid_repeated \"E2\"",
            "10 refused PartnerUID puid_repeated \"E1\"",
            "11 refused  too_many_cells \"\"",
        ]
    );
    assert_eq!(count(&f), 2);
}

#[test]
fn a_preview_tells_what_stands_in_a_field_and_what_will_and_never_a_password() {
    let f = fixture();
    let new = NewRole { name: "Sales".into(), ..NewRole::default() };
    f.desk.people.create_role(&f.admin, SEVEN, new).unwrap();
    let ann = NewUser {
        person: Person::default().with(&FIRST_NAME, "Ann").with(&EMAIL, "a@b"),
        ..user("ann.x", "E1")
    };
    f.desk.people.create_user(&f.admin, SEVEN, ann).unwrap();
    let file = format!("{HEADER}Anna,Lee,a@b,1,ANN.x,correct horse,E2\n");
    let terms = ApplyOptions { role: Some(RoleChoice::of_wire("Sales")), ..terms() };
    let preview = f.desk.people.preview_csv(&f.admin, SEVEN, &terms, file.as_bytes()).unwrap();
    let RowOutcome::Changed(changes) = &preview.rows[0].outcome else { panic!("{preview:?}") };
    let told: Vec<String> = changes
        .iter()
        .map(|change| match &change.values {
            Some(both) => format!("{}: {} -> {}", change.field, both.old, both.new),
            None => change.field.to_owned(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "address: ann.x -> ANN.x",
            "puid: E1 -> E2",
            "first_name: Ann -> Anna",
            "last_name:  -> Lee",
            "phone:  -> 1",
            "role:  -> Sales",
            "password",
        ]
    );
    assert!(!format!("{preview:?}").contains("correct"));
}

#[test]
fn a_column_is_read_as_somebody_says_or_left_out() {
    let f = fixture();
    let file = "Login;E-mail;Colour;PUID\r\nann.x;a@b;red;E1\r\n";
    let judged = |columns: &[(&str, Option<Column>)]| {
        let choice = |(name, column): &(&str, Option<Column>)| ColumnChoice {
            which: Which::Named((*name).to_owned()),
            column: *column,
        };
        let terms = ApplyOptions { columns: columns.iter().map(choice).collect(), ..terms() };
        f.desk.people.preview_csv(&f.admin, SEVEN, &terms, file.as_bytes())
    };
    assert_eq!(judged(&[]).unwrap_err().code, "csv_column_unknown");
    let left_out = judged(&[("Login", None), ("colour", None)]).unwrap_err();
    assert_eq!(left_out.code, "csv_column_required");
    let terms = ApplyOptions {
        columns: vec![
            ColumnChoice { which: Which::At(0), column: Column::of("GlanceAddress") },
            ColumnChoice { which: Which::At(2), column: None },
        ],
        ..terms()
    };
    let done =
        f.desk.people.apply_csv(&f.admin, SEVEN, &terms, file.as_bytes(), &Progress::default()).unwrap();
    assert!(done.applied);
    let ann = f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap().user;
    assert_eq!((ann.address.as_str(), ann.person.email.as_str()), ("ann.x", "a@b"));
    let remarks: Vec<String> = done.columns.iter().filter_map(|column| column.remark()).collect();
    assert_eq!(remarks.len(), 4, "{remarks:?}");
}

#[test]
fn what_a_preview_takes_is_counted_as_it_is() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("n0.x", "N0")).unwrap();
    let bytes = |rows: &str| {
        let file = format!("{HEADER}{rows}");
        f.desk.people.preview_csv(&f.admin, SEVEN, &terms(), file.as_bytes()).unwrap().bytes()
    };
    let (none, long) = (bytes(""), "e".repeat(100));
    let of = |rows: &str| bytes(rows) - none;
    // Each says more of its row than the one before.
    let told = [of(",,,,n0.x,,N0\n"), of(",,,5,n0.x,,N0\n"), of(&format!(",,{long}@x,,n0.x,,N0\n"))];
    assert!(told[0] >= size_of::<PreviewRow>() && told[0] < told[1], "{told:?}");
    // The value, and once more in the remark where there is one.
    assert!(told[2] >= told[1] + 100, "{told:?}");
    assert!(of(&format!(",,{long},,n0.x,,N0\n")) >= told[2] + 100);
    assert!(of(&format!(",,{long}{long},,n0.x,,N0\n")) >= told[0] + 100, "a refusal");
}

#[test]
fn refused_rows_keep_all_or_only_themselves_out() {
    let f = fixture();
    let rows = "Ann,,,,ann.x,,E1\n,,,,a_b,,E2\n";
    let refused = apply(&f, &terms(), rows);
    assert!(!refused.applied && count(&f) == 1);
    let applied = apply(&f, &ApplyOptions { skip_refused: true, ..terms() }, rows);
    assert!(applied.applied && count(&f) == 2);
    assert_eq!((applied.created, applied.refused), (1, 1));
    assert_eq!(f.last_log(), ("user.import".into(), "1 created, 0 changed, 0 unchanged, 1 refused".into()));
}

#[test]
fn puids_of_existing_users_are_set_by_address_and_blank_cells_leave_what_is_there() {
    let f = fixture();
    let ann = NewUser { puid: None, person: Person::default().with(&FIRST_NAME, "Ann"), ..user("ann.x", "") };
    f.desk.people.create_user(&f.admin, SEVEN, ann).unwrap();
    assert!(apply(&f, &terms(), ",,,,ann.x,,E1\n").applied);
    let ann = f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap();
    assert_eq!((ann.user.person.first_name.as_str(), ann.user.address.as_str()), ("Ann", "ann.x"));
    assert_eq!(look(&f, ",,,,ann.x,,E1\n"), ["unchanged"]);
}

#[test]
fn a_puid_is_taken_as_it_stands_or_asked_about() {
    let f = fixture();
    f.desk.people.create_user(&f.admin, SEVEN, user("ann.x", " E1")).unwrap();
    assert_eq!(look(&f, ",,,,ann.x,, E1\n"), ["unchanged"]);
    assert_eq!(look(&f, ",,,,ann.x,,E2 \n"), ["2 refused PartnerUID puid_edge_space \"E2 \""]);
    assert_eq!(look(&f, ",,,,bob.x,, E3\n"), ["2 refused PartnerUID puid_edge_space \" E3\""]);
}

#[test]
fn two_users_may_exchange_their_puids_in_one_file() {
    let f = fixture();
    for (address, id) in [("ann.x", "E1"), ("bob.x", "E2"), ("cyd.x", "E3")] {
        f.desk.people.create_user(&f.admin, SEVEN, user(address, id)).unwrap();
    }
    assert!(apply(&f, &terms(), ",,,,ann.x,,E2\n,,,,bob.x,,E1\n").applied);
    let address =
        |id: &str| f.desk.people.member(&f.admin, SEVEN, &puid(id)).unwrap().user.address.to_string();
    assert_eq!((address("E1"), address("E2")), ("bob.x".into(), "ann.x".into()));
    // Cyd keeps E3, so Bob cannot have it and keeps E1, so Ann cannot have that either.
    let chain = look(&f, ",,,,ann.x,,E1\n,,,,bob.x,,E3\n");
    assert_eq!(chain[0], "2 refused PartnerUID puid_taken \"E1\"");
    assert_eq!(chain[1], "3 refused PartnerUID puid_taken \"E3\"");
}

#[test]
fn one_role_for_the_file_or_roles_as_they_are() {
    let f = fixture();
    f.desk
        .people
        .create_role(&f.admin, SEVEN, NewRole { name: "Sales".into(), ..NewRole::default() })
        .unwrap();
    let with = |name: &str| ApplyOptions { role: Some(RoleChoice::of_wire(name)), ..terms() };
    assert!(apply(&f, &with("sales"), ",,,,ann.x,,E1\n").applied);
    let role = || f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap().role_name;
    assert_eq!(role().as_deref(), Some("Sales"));
    assert_eq!(apply(&f, &terms(), ",,,,ann.x,,E1\n").unchanged, 1);
    assert_eq!(role().as_deref(), Some("Sales"));
    assert_eq!(outcomes(&apply(&f, &with("-none-"), ",,,,ann.x,,E1\n")), ["changed role"]);
    assert_eq!(role(), None);
    let refused = f.desk.people.preview_csv(&f.admin, SEVEN, &with("Nobody"), HEADER.as_bytes());
    assert_eq!(refused.err().unwrap().code, "role_unknown");
}

#[test]
fn a_puid_is_required_once_the_group_uses_login_keys() {
    let f = fixture();
    assert_eq!(look(&f, ",,,,ann.x,,\n"), ["created"]);
    f.desk.sign_in.change_api_key(&f.admin, SEVEN, None).unwrap();
    assert_eq!(look(&f, ",,,,ann.x,,\n"), ["2 refused PartnerUID puid_required \"\""]);
}

#[test]
fn people_at_home_elsewhere_change_only_what_they_are_here() {
    let f = fixture();
    f.desk.people.create_user(&f.other_admin, EIGHT, user("eve.x", "E1")).unwrap();
    f.desk.people.add_member(&Caller::host(), SEVEN, "eve.x", None, RoleChoice::None, false).unwrap();
    assert_eq!(look(&f, ",,,,eve.x,,E5\n"), ["changed puid"]);
    assert_eq!(look(&f, "Eve,,,,eve.x,,E5\n"), ["2 refused  home_group_only \"\""]);
    let elsewhere = f.desk.people.preview_csv(&f.other_admin, SEVEN, &terms(), HEADER.as_bytes());
    assert_eq!(elsewhere.err().unwrap().code, "administrators_only");
}

#[test]
fn a_password_is_set_and_never_shown() {
    let f = fixture();
    let done = apply(&f, &terms(), ",,,,ann.x,correct horse,E1\n");
    assert!(done.applied && !format!("{done:?}").contains("correct"));
    assert!(f.desk.people.member(&f.admin, SEVEN, &puid("E1")).unwrap().user.has_password);
    let id = f.desk.people.member(&f.admin, SEVEN, &UserKey::Address("ann.x".into())).unwrap().user.id;
    let hash = f.desk.ground.store.read(|r| r.password_hash(id)).unwrap().unwrap();
    assert!(f.desk.ground.verifier.verify(&Secret::new("correct horse"), Some(&hash)).unwrap());
}

#[test]
fn a_password_keeps_the_rule_of_the_persons_home_group() {
    use crate::desk::ground::password_rule::PasswordRule;
    use crate::desk::people::password_policy::PasswordPolicy;
    let f = fixture();
    let (host, six) =
        (Caller::host(), PasswordPolicy { rule: PasswordRule::Six, ..PasswordPolicy::default() });
    f.desk.people.set_password_policy(&host, SEVEN, six, None).unwrap();
    f.desk.people.create_user(&host, EIGHT, user("eve.x", "E1")).unwrap();
    f.desk.people.add_member(&host, SEVEN, "eve.x", None, RoleChoice::None, false).unwrap();
    let file = format!("{HEADER},,,,ann.x,sixsix,E1\n,,,,eve.x,sixsix,\n");
    let preview = f.desk.people.preview_csv(&host, SEVEN, &terms(), file.as_bytes()).unwrap();
    assert_eq!(outcomes(&preview), ["created", "3 refused Password password_too_short \"\""]);
}

#[test]
fn while_passwords_are_hashed_others_upload() {
    let f = fixture();
    // Nobody waits: who finds the turn taken is refused.
    f.desk.people.uploads.turns.set_patience(std::time::Duration::ZERO);
    let hashed = AtomicUsize::new(0);
    let hash = |password: &Secret| {
        // On several threads at once, of which one is enough to show it.
        if hashed.fetch_add(1, Ordering::Relaxed) == 0 {
            f.desk.people.preview_csv(&f.other_admin, EIGHT, &terms(), HEADER.as_bytes())?;
        }
        passwords::hash(password)
    };
    let file = format!("{HEADER},,,,ann.x,correct horse,E1\n,,,,bob.x,,E2\n,,,,cyd.x,correct horse,E3\n");
    let done = f.desk.people.applied(&f.admin, SEVEN, &terms(), file.as_bytes(), &Progress::default(), hash);
    assert!(done.unwrap().applied);
    assert_eq!(hashed.into_inner(), 2);
    let has = |id: &str| f.desk.people.member(&f.admin, SEVEN, &puid(id)).unwrap().user.has_password;
    assert_eq!(["E1", "E2", "E3"].map(has), [true, false, true]);
}

#[test]
fn a_row_is_not_kept_without_its_password() {
    let f = fixture();
    f.desk.people.create_user(&f.other_admin, EIGHT, user("eve.x", "E1")).unwrap();
    let hash = |password: &Secret| {
        // Frees the address of a row that was refused, so that its password was not hashed.
        f.desk.people.delete_user(&f.other_admin, EIGHT, &puid("E1"))?;
        passwords::hash(password)
    };
    let file = format!("{HEADER},,,,ann.x,correct horse,E1\n,,,,eve.x,correct horse,E2\n");
    let skip = ApplyOptions { skip_refused: true, ..terms() };
    let done = f.desk.people.applied(&f.admin, SEVEN, &skip, file.as_bytes(), &Progress::default(), hash);
    assert_eq!(done.err().map(|e| e.code), Some("people_changed"));
    assert_eq!(count(&f), 1, "nothing was kept");
}

#[test]
fn an_export_can_be_imported_again() {
    let f = fixture();
    let odd = NewUser {
        person: Person::default()
            .with(&FIRST_NAME, "=HYPERLINK(\"x\")")
            .with(&LAST_NAME, "Lee, \"A\"; Ü")
            .with(&PHONE, "+49 171")
            .with(&EMAIL, "@odd"),
        ..user("ann.x", "-1;2")
    };
    f.desk.people.create_user(&f.admin, SEVEN, odd).unwrap();
    let mut file = Vec::new();
    let rows = f.desk.people.export_csv(&f.admin, SEVEN, &MemberQuery::default(), &mut file).unwrap();
    assert_eq!(rows, 2);
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(text.starts_with("\u{feff}FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID\r\n"));
    assert!(!text.contains(",=") && !text.contains("\n=") && !text.contains(",+"), "{text}");
    let again = f.desk.people.preview_csv(&f.admin, SEVEN, &terms(), &file).unwrap();
    assert_eq!(again.unchanged, 2, "{again:?}");
}

fn long_file(rows: usize) -> String {
    let rows = (0..rows).map(|n| format!(",,n{n}@x,,n{n}.x,,N{n}\n"));
    HEADER.to_owned() + &rows.collect::<String>()
}

#[test]
fn whoever_looks_meanwhile_sees_a_long_file_whole_or_not_at_all() {
    let f = fixture();
    let (file, done) = (long_file(400), std::sync::atomic::AtomicBool::new(false));
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                seen.insert(count(&f));
                let first = f.desk.people.member(&f.admin, SEVEN, &puid("N0")).is_ok();
                let last = f.desk.people.member(&f.admin, SEVEN, &puid("N399")).is_ok();
                assert!(last || !first, "the first was there before the last");
            }
            seen
        });
        let applied =
            f.desk.people.apply_csv(&f.admin, SEVEN, &terms(), file.as_bytes(), &Progress::default());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(applied.unwrap().created, 400);
        reader.join().unwrap()
    });
    assert!(seen.iter().all(|count| [1, 401].contains(count)), "{seen:?}");
    assert_eq!(count(&f), 401);
    let log = f.log();
    let made: Vec<_> =
        log.iter().filter(|row| row.operation == "user.create" && row.detail.contains("PUID N")).collect();
    assert_eq!(made.len(), 400);
    assert!(made.iter().all(|row| row.ip == "127.0.0.1" && row.actor == made[0].actor));
    assert!(!f.desk.ground.store.read(|r| r.has_unfinished_imports()).unwrap());
    assert!(f.desk.ground.store.read(|r| r.import_work()).unwrap().is_empty());
}

#[test]
fn what_does_not_go_with_a_long_file_any_more_keeps_all_of_it_out() {
    let f = fixture();
    let mut plan = {
        let rows = table::read(long_file(400).as_bytes(), &[]).unwrap().rows;
        f.desk.ground.store.snapshot(|r| plan::planned(r, &f.admin, SEVEN, &terms(), &rows)).unwrap()
    };
    // Somebody takes the last one's address after the file was judged.
    f.desk.people.create_user(&f.other_admin, EIGHT, user("n399.x", "E1")).unwrap();
    let (columns, rows) = (vec![], vec![]);
    let done = Preview { columns, rows, created: 400, changed: 0, unchanged: 0, refused: 0, applied: true };
    let logged = f.log().len();
    plan.freed.clear();
    let refused = f.desk.people.carry_out(&f.admin, SEVEN, plan, &done, &Progress::default());
    assert_eq!(refused.err().map(|e| e.code), Some("people_changed"));
    assert_eq!((count(&f), f.log().len()), (1, logged));
    assert!(!f.desk.ground.store.read(|r| r.has_unfinished_imports()).unwrap(), "swept");
    // And the others' addresses are free.
    f.desk.people.create_user(&f.other_admin, EIGHT, user("n0.x", "E2")).unwrap();
}

#[test]
fn new_users_take_the_puids_that_others_in_a_long_file_give_away() {
    let f = fixture();
    apply(&f, &terms(), ",,,,old.x,,N7\n");
    let file = long_file(400) + ",,,,old.x,,OTHER\n";
    let done =
        f.desk.people.apply_csv(&f.admin, SEVEN, &terms(), file.as_bytes(), &Progress::default()).unwrap();
    assert_eq!((done.created, done.changed, done.applied), (400, 1, true));
    assert_eq!(f.desk.people.member(&f.admin, SEVEN, &puid("N7")).unwrap().user.address.as_str(), "n7.x");
    assert_eq!(f.desk.people.member(&f.admin, SEVEN, &puid("OTHER")).unwrap().user.address.as_str(), "old.x");
}
