#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::model::person::{EMAIL, Person};
use crate::model::queries::{LogQuery, MemberQuery, TextMatch};
use crate::model::{GlanceAddress, GroupId, Membership, Puid, UserId};

pub(super) const SEVEN: GroupId = GroupId(7);

pub(super) fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Mode::Lab, Timestamp(0)).unwrap();
    let new = NewGroup { id: SEVEN, name: "Seven".into(), account_id: None };
    store.write(Timestamp(1), move |w| w.insert_group(&new)).unwrap();
    (directory, store)
}

pub(super) fn made(w: &Writer<'_>, name: &str) -> Result<UserId> {
    let user = w.insert_user(&NewUserRow {
        address: GlanceAddress::parse(name).unwrap(),
        home_group: SEVEN,
        person: Person::default().with(&EMAIL, format!("{name}@x")),
        password_hash: None,
    })?;
    w.insert_membership(&membership(w, SEVEN, user, Puid::parse(name)))?;
    w.log(&LogEntry::done(&crate::model::Caller::host(), Some(SEVEN), "user.create", name, ""))?;
    Ok(user)
}

pub(super) fn membership(w: &Writer<'_>, group: GroupId, user: UserId, puid: Option<Puid>) -> Membership {
    Membership {
        group,
        user,
        puid,
        role: None,
        administrator: false,
        suspended: false,
        active: true,
        created_at: w.now,
        updated_at: w.now,
    }
}

/// What each look-up that leads to a person finds of `name`.
pub(super) fn found(store: &Store, name: &str) -> Vec<bool> {
    store
        .snapshot(|r| {
            let all = MemberQuery { limit: 100, ..MemberQuery::default() };
            let of_this =
                |members: Vec<crate::model::Member>| members.iter().any(|m| m.user.address.as_str() == name);
            let user = r.user_by_address(name)?;
            let members = r.members(SEVEN, &all, r_now())?;
            Ok(vec![
                user.is_some(),
                of_this(members),
                r.count_members(
                    SEVEN,
                    &MemberQuery { address: Some(TextMatch::Is(name.into())), ..all.clone() },
                    r_now(),
                )? > 0,
                r.member_by_puid(SEVEN, name)?.is_some(),
                r.member_by_address(SEVEN, name)?.is_some(),
                !r.members_named(SEVEN, name)?.is_empty(),
                !r.members_named(SEVEN, &format!("{name}@x"))?.is_empty(),
                !r.users_by_email(SEVEN, &format!("{name}@x"), 9)?.is_empty(),
                r.group_by_address(name)?.is_some(),
                r.sign_in_by_puid(SEVEN, name, |row| Ok(row.is_some_and(|row| row.member.is_some())))?,
                !r.similar_puids(SEVEN, &name.to_uppercase(), 9)?.is_empty(),
                !r.role_use(SEVEN)?.is_empty(),
            ])
        })
        .unwrap()
}

fn r_now() -> Timestamp {
    Timestamp(5)
}

fn log(store: &Store) -> Vec<(i64, String)> {
    let rows = store.read(|r| r.log_rows(&LogQuery { limit: 100, ..LogQuery::default() })).unwrap();
    rows.into_iter().map(|row| (row.at.0, row.subject)).collect()
}

#[test]
fn nobody_finds_what_an_import_makes_until_it_is_finished() {
    let (_directory, store) = store();
    let import = store.write(Timestamp(2), |w| w.begin_import(SEVEN, 10, false)).unwrap();
    let hidden = store
        .write(Timestamp(3), move |w| {
            w.hide_in(import)?;
            made(w, "ann.x")
        })
        .unwrap();
    assert_eq!(found(&store, "ann.x"), [false; 12]);
    assert!(log(&store).is_empty());
    // Anyone who wants the same hears that it is taken, and others are made as ever, with numbers of their own.
    let taken = store.write(Timestamp(4), |w| made(w, "ANN.x")).err().map(|e| e.code);
    assert_eq!(taken, Some("address_taken"));
    let other = store.write(Timestamp(4), |w| made(w, "bob.x")).unwrap();
    assert_eq!(other.0, hidden.0 + 10);
    assert_eq!(found(&store, "bob.x"), [true; 12]);

    store.write(Timestamp(6), move |w| w.finish_import(import)).unwrap();
    assert_eq!(found(&store, "ann.x"), [true; 12]);
    assert_eq!(store.read(|r| r.import_work()).unwrap(), [ImportWork::AppendLog(import)]);
    while store.write(Timestamp(9), move |w| w.append_import_log(import, 1)).unwrap() {}
    assert_eq!(log(&store), [(6, "ann.x".to_owned()), (4, "bob.x".to_owned())]);
    assert!(store.read(|r| r.import_work()).unwrap().is_empty());
    let again = store.write(Timestamp(9), move |w| w.finish_import(import)).err().map(|e| e.code);
    assert_eq!(again, Some("import_ended"));
}

#[test]
fn what_a_server_left_behind_is_swept_out_and_another_process_is_let_alone() {
    let (_directory, store) = store();
    let begin =
        |by_server: bool| store.write(Timestamp(2), move |w| w.begin_import(SEVEN, 10, by_server)).unwrap();
    let (dead, alive) = (begin(true), begin(false));
    for (import, name) in [(dead, "ann.x"), (dead, "bob.x"), (alive, "cyd.x")] {
        store
            .write(Timestamp(3), move |w| {
                w.hide_in(import)?;
                made(w, name)
            })
            .unwrap();
    }
    assert!(store.read(|r| r.import_work()).unwrap().is_empty());
    store.write(Timestamp(4), |w| w.abandon_imports_of_servers()).unwrap();
    assert_eq!(store.read(|r| r.import_work()).unwrap(), [ImportWork::Sweep(dead)]);
    let more = store.write(Timestamp(4), move |w| w.hide_in(dead)).err().map(|e| e.code);
    assert_eq!(more, Some("import_ended"), "nothing can be added behind the broom");
    while store.write(Timestamp(5), move |w| w.sweep_import(dead, 1)).unwrap() {
        assert!(found(&store, "bob.x").iter().all(|found| !found), "seen while it is swept out");
    }
    store.write(Timestamp(6), |w| made(w, "ann.x")).unwrap();
    store.write(Timestamp(7), move |w| w.finish_import(alive)).unwrap();
    while store.write(Timestamp(8), move |w| w.append_import_log(alive, 9)).unwrap() {}
    assert!(found(&store, "cyd.x").iter().all(|found| *found));
    assert_eq!(log(&store).len(), 2);
}
