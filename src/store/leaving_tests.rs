#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::import_tests::{SEVEN, found, made, membership};
use super::*;
use crate::model::person::Person;
use crate::model::{GroupId, UserId};

const EIGHT: GroupId = GroupId(8);
const NINE: GroupId = GroupId(9);
/// People who are only members of the group that leaves.
const ONLY_THERE: i64 = 40;
const PORTION: u32 = 10;

struct People {
    ann: UserId,
    bob: UserId,
    eve: UserId,
}

/// Besides those who are only in 7: Ann is at home in 7 and a member of 8 and 9, Bob at home in 8 and a member of 7,
/// and Eve at home in 7, of which she is no member any more.
fn people(store: &Store) -> People {
    store
        .write(Timestamp(1), |w| {
            for (id, name) in [(NINE, "Nine"), (EIGHT, "Eight")] {
                w.insert_group(&NewGroup { id, name: name.into(), account_id: None })?;
            }
            for n in 0..ONLY_THERE {
                made(w, &format!("n{n}.x"))?;
            }
            let [ann, bob, eve] = ["ann.x", "bob.x", "eve.x"].map(|name| made(w, name).unwrap());
            for (group, user) in [(EIGHT, ann), (NINE, ann), (EIGHT, bob), (EIGHT, eve), (NINE, eve)] {
                w.insert_membership(&membership(w, group, user, None))?;
            }
            w.set_home_group(bob, EIGHT)?;
            w.delete_membership(SEVEN, eve)?;
            Ok(People { ann, bob, eve })
        })
        .unwrap()
}

fn rows(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    store.read(|r| r.connection.query_row(&sql, [], |row| row.get(0)).map_err(database_fault)).unwrap()
}

#[test]
fn a_group_that_leaves_is_hidden_at_once_and_taken_away_in_portions_also_after_a_restart() {
    let (directory, store) = import_tests::store();
    let People { ann, bob, eve } = people(&store);
    let before = (rows(&store, "users"), rows(&store, "memberships"));
    store.write(Timestamp(2), |w| w.let_group_leave(SEVEN)).unwrap();
    let hidden = |store: &Store| {
        for name in ["n0.x", "n39.x"] {
            assert_eq!(found(store, name), [false; 12]);
            assert!(store.read(|r| r.user_by_address(name)).unwrap().is_none());
        }
        store
            .snapshot(|r| {
                assert!(r.group(SEVEN)?.is_none() && r.group_by_name("Seven")?.is_none());
                assert!(r.is_retired_group(SEVEN)?);
                for user in [ann, bob, eve] {
                    assert_eq!(r.user(user)?.unwrap().home_group, EIGHT, "the oldest that is left");
                    assert!(r.member(SEVEN, user)?.is_none() && r.member_state(SEVEN, user)?.is_none());
                    assert!(r.member(EIGHT, user)?.is_some());
                }
                let groups: Vec<GroupId> = r.memberships_of(ann)?.iter().map(|m| m.group).collect();
                assert_eq!(groups, [EIGHT, NINE]);
                assert_eq!(r.group_by_address("ann.x")?, Some(EIGHT));
                Ok(())
            })
            .unwrap();
    };
    hidden(&store);
    assert_eq!((rows(&store, "users"), rows(&store, "memberships")), before, "nothing went with the mark");

    // As a kill leaves it.
    drop(store);
    let store = Store::open(directory.path(), Mode::Lab, Timestamp(3)).unwrap();
    hidden(&store);
    assert_eq!(store.read(|r| r.leaving_groups()).unwrap(), [SEVEN]);
    let mut portions = 0;
    loop {
        let (users, members) = (rows(&store, "users"), rows(&store, "memberships"));
        let more = store.write(Timestamp(4), |w| w.sweep_group(SEVEN, PORTION)).unwrap();
        hidden(&store);
        assert!(users - rows(&store, "users") <= i64::from(PORTION), "no more than asked for");
        assert!(members - rows(&store, "memberships") <= i64::from(PORTION));
        if !more {
            break;
        }
        portions += 1;
        // Between two portions others have their turn.
        store.log(Timestamp(4), LogEntry::done(&crate::model::Caller::host(), None, "test", "", "")).unwrap();
    }
    assert!(portions > ONLY_THERE / i64::from(PORTION));
    assert_eq!(rows(&store, "users"), 3);
    assert_eq!(rows(&store, "memberships"), 5);
    assert_eq!(rows(&store, "groups"), 2);
    assert!(store.read(|r| r.leaving_groups()).unwrap().is_empty());
}

#[test]
fn what_leaves_with_a_group_can_be_given_again_at_once() {
    let (_directory, store) = import_tests::store();
    people(&store);
    store.write(Timestamp(2), |w| w.let_group_leave(SEVEN)).unwrap();
    let new = |w: &Writer<'_>, name: &str| {
        w.insert_user(&NewUserRow {
            address: crate::model::GlanceAddress::parse(name).unwrap(),
            home_group: EIGHT,
            person: Person::default(),
            password_hash: None,
        })
    };
    store.write(Timestamp(3), move |w| new(w, "N0.x")).unwrap();
    let taken = store.write(Timestamp(3), move |w| new(w, "ann.x")).err().map(|e| e.code);
    assert_eq!(taken, Some("address_taken"), "Ann stays");
    let ann = store.read(|r| r.user_by_address("ann.x")).unwrap().unwrap();
    let renamed = crate::model::User { address: crate::model::GlanceAddress::parse("n1.x").unwrap(), ..ann };
    store.write(Timestamp(3), move |w| w.update_user(&renamed)).unwrap();
    let seven = NewGroup { id: GroupId(10), name: "Seven".into(), account_id: None };
    store.write(Timestamp(3), move |w| w.insert_group(&seven)).unwrap();
}
