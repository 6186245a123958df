#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::model::lists::Count;
use crate::model::lists::{MemberColumn, MemberOrder};
use crate::model::person::{EMAIL, FIRST_NAME, LAST_NAME, Person};
use crate::model::queries::{MemberQuery, MemberState, RoleMatch, TextMatch};
use crate::model::{GlanceAddress, GroupId, Member, Membership, Puid, RoleId, UserId};

const NOW: Timestamp = Timestamp(1_593_907_200_000);
const G: GroupId = GroupId(5);

/// Ann (Sales, suspended), Bob (no role, no PUID), Cyd (Support, inactive), Dan (Sales, locked).
fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Mode::Lab, NOW).unwrap();
    store
        .write(NOW, |w| {
            w.insert_group(&NewGroup { id: G, name: "Five".into(), account_id: None })?;
            let sales = w.insert_role(G, "Sales", "")?;
            let support = w.insert_role(G, "Support", "")?;
            member(w, "ann.east.x", "Ann", Some("Sales_1"), Some(sales), true, true)?;
            member(w, "bob.west.x", "Bob", None, None, false, true)?;
            member(w, "cyd.east.x", "Cyd", Some("salesX2"), Some(support), false, false)?;
            let dan = member(w, "dan.west.x", "Dan", Some("100%"), Some(sales), false, true)?;
            w.execute("UPDATE users SET locked_until = ?1 WHERE id = ?2", (NOW.0 + 1, dan.0))
        })
        .unwrap();
    (dir, store)
}

fn member(
    w: &Writer<'_>,
    address: &str,
    first: &str,
    puid: Option<&str>,
    role: Option<RoleId>,
    suspended: bool,
    active: bool,
) -> Result<UserId> {
    let user = w.insert_user(&NewUserRow {
        address: GlanceAddress::parse(address).unwrap(),
        home_group: G,
        person: Person::default().with(&FIRST_NAME, first).with(&EMAIL, format!("{first}@example.com")),
        password_hash: None,
    })?;
    w.insert_membership(&Membership {
        group: G,
        user,
        puid: puid.and_then(Puid::parse),
        role,
        administrator: false,
        suspended,
        active,
        created_at: NOW,
        updated_at: NOW,
    })?;
    Ok(user)
}

fn names(store: &Store, query: MemberQuery) -> String {
    let counted = store.read(|r| r.count_members(G, &query, NOW)).unwrap();
    let query = MemberQuery { limit: 100, ..query };
    let found = store.read(|r| r.members(G, &query, NOW)).unwrap();
    assert_eq!(counted, found.len() as u64, "{query:?}");
    found.iter().map(|m| m.user.person.first_name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn members_are_found_by_each_criterion() {
    use TextMatch::{Absent, Begins, Ends, Has, Is};
    let (_dir, store) = store();
    let check =
        |query: MemberQuery, expected: &str| assert_eq!(names(&store, query.clone()), expected, "{query:?}");
    let q = MemberQuery::default;
    let text = |t: &str| t.to_owned();
    check(q(), "Ann Bob Cyd Dan");
    check(MemberQuery { puid: Some(Is(text("SALES_1"))), ..q() }, "Ann");
    check(MemberQuery { puid: Some(TextMatch::Exactly(text("SALES_1"))), ..q() }, "");
    check(MemberQuery { puid: Some(TextMatch::Exactly(text("Sales_1"))), ..q() }, "Ann");
    check(MemberQuery { puid: Some(Begins(text("sales"))), ..q() }, "Ann Cyd");
    check(MemberQuery { puid: Some(Begins(text("sales_"))), ..q() }, "Ann");
    check(MemberQuery { puid: Some(Ends(text("0%"))), ..q() }, "Dan");
    check(MemberQuery { puid: Some(Absent), ..q() }, "Bob");
    check(MemberQuery { address: Some(Is(text("BOB.west.X"))), ..q() }, "Bob");
    check(MemberQuery { address: Some(Ends(text(".EAST.x"))), ..q() }, "Ann Cyd");
    check(MemberQuery { first_name: Some(Has(text("N"))), ..q() }, "Ann Dan");
    check(MemberQuery { role: Some(RoleMatch::None), ..q() }, "Bob");
    check(MemberQuery { role: Some(RoleMatch::Named(Is(text("sales")))), ..q() }, "Ann Dan");
    check(MemberQuery { role: Some(RoleMatch::Named(Has(text("upp")))), ..q() }, "Cyd");
    check(MemberQuery { state: Some(MemberState::Active), ..q() }, "Bob Dan");
    check(MemberQuery { state: Some(MemberState::Suspended), ..q() }, "Ann");
    check(MemberQuery { state: Some(MemberState::Inactive), ..q() }, "Cyd");
    check(MemberQuery { state: Some(MemberState::Locked), ..q() }, "Dan");
    check(MemberQuery { search: text("EXAMPLE"), ..q() }, "Ann Bob Cyd Dan");
    check(MemberQuery { search: text("sx2"), ..q() }, "Cyd");
    let both = MemberQuery { puid: Some(Absent), first_name: Some(Is(text("ann"))), ..q() };
    check(both.clone(), "");
    check(MemberQuery { any: true, ..both }, "Ann Bob");
}

#[test]
fn a_text_of_the_caller_is_never_part_of_the_sql() {
    let (_dir, store) = store();
    for text in ["'", "\\", "%' OR 1=1 --", "?1", "_nn"] {
        let query = MemberQuery { first_name: Some(TextMatch::Has(text.into())), ..MemberQuery::default() };
        assert_eq!(names(&store, query), "");
        let query = MemberQuery { search: text.into(), ..MemberQuery::default() };
        assert_eq!(names(&store, query), "");
    }
}

#[test]
fn an_exact_look_up_uses_an_index() {
    let (_dir, store) = store();
    let plan = |condition: &str| -> String {
        // Without what only runs while a group leaves, and sorts.
        let select = memberships::select_member().replace(leaving::HOME, "u.home_group_id");
        let sql = format!("EXPLAIN QUERY PLAN {select} WHERE {condition}");
        store
            .read(|r| {
                let mut statement = r.connection.prepare(&sql).unwrap();
                let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
                Ok(rows.map(|row| row.unwrap()).collect::<Vec<_>>().join("; "))
            })
            .unwrap()
    };
    let puid =
        "m.user_id IN (SELECT user_id FROM memberships WHERE group_id = 5 AND puid = 'a' COLLATE NOCASE)";
    let any_case = plan(&format!("m.group_id = 5 AND ({puid}) AND m.user_id > 0 ORDER BY m.user_id LIMIT 9"));
    assert!(any_case.contains("memberships_by_puid_in_any_case"), "{any_case}");
    assert!(any_case.contains("PRIMARY KEY (group_id=? AND user_id=?)"), "{any_case}");
    let page = plan("m.group_id = 5 AND m.user_id > 77 ORDER BY m.user_id LIMIT 9");
    assert!(
        page.contains("PRIMARY KEY (group_id=? AND user_id>?)") && !page.contains("TEMP B-TREE"),
        "{page}"
    );
}

#[test]
fn a_roles_settings_are_forced_by_the_groups_and_remembered() {
    let (_dir, store) = store();
    let sales = store.read(|r| r.role_by_name(G, "sales")).unwrap().unwrap().id;
    let set = |on: bool| store.write(NOW, move |w| w.set_group_setting(G, "viewVideo", on)).unwrap();
    let effective = |role| store.read(|r| r.effective_settings(G, role)).unwrap().get("viewVideo").copied();
    assert_eq!(effective(Some(sales)), None);
    set(true);
    assert_eq!((effective(Some(sales)), effective(None)), (Some(false), Some(true)), "new to the group");
    store.write(NOW, move |w| w.set_role_setting(sales, "viewVideo", true)).unwrap();
    assert_eq!(effective(Some(sales)), Some(true));
    set(false);
    assert_eq!((effective(Some(sales)), effective(None)), (Some(false), Some(false)), "forced");
    set(true);
    assert_eq!(effective(Some(sales)), Some(true), "restored");
}

#[test]
fn members_are_counted_by_role_and_state() {
    let (_dir, store) = store();
    let uses = store.read(|r| r.role_use(G)).unwrap();
    let counts: Vec<_> = uses.iter().map(|u| (u.role.is_some(), u.active, u.inactive)).collect();
    assert_eq!(counts, [(false, 1, 0), (true, 2, 0), (true, 0, 1)]);
}

#[test]
fn every_order_has_its_reverse_and_those_without_a_value_come_last() {
    use MemberColumn::{Address, Name, Puid, Role, SignedIn};
    let (_dir, store) = store();
    for (by, descending, expected) in [
        (Address, false, "Ann Bob Cyd Dan"),
        (Address, true, "Dan Cyd Bob Ann"),
        (Name, false, "Ann Bob Cyd Dan"),
        (Name, true, "Dan Cyd Bob Ann"),
        (Puid, false, "Dan Ann Cyd Bob"),
        (Puid, true, "Cyd Ann Dan Bob"),
        (Role, false, "Ann Dan Cyd Bob"),
        (Role, true, "Cyd Dan Ann Bob"),
        (SignedIn, false, "Ann Bob Cyd Dan"),
        (SignedIn, true, "Dan Cyd Bob Ann"),
    ] {
        let order = Some(MemberOrder { by, descending });
        assert_eq!(
            names(&store, MemberQuery { order, ..MemberQuery::default() }),
            expected,
            "{by:?} {descending}"
        );
    }
}

#[test]
fn a_large_group_is_walked_in_the_order_in_which_it_would_be_sorted() {
    let (_dir, store) = store();
    store
        .write(NOW, |w| {
            for n in 0..5_000 {
                // Neither in the order of the numbers nor in that of the letters' bytes.
                let address = format!("{}{:04}.x", if n % 2 == 0 { 'u' } else { 'U' }, (n * 7_919) % 5_000);
                member(w, &address, "Eve", None, None, false, true)?;
            }
            Ok(())
        })
        .unwrap();
    let page = |descending, everybody, offset| {
        let order = Some(MemberOrder { by: MemberColumn::Address, descending });
        // Everybody is walked; anyone who is asked for by a criterion that all keep to is sorted.
        let state = if everybody { None } else { Some(MemberState::Active) };
        let query = MemberQuery { order, state, offset, limit: 50, ..MemberQuery::default() };
        let found = store.read(|r| r.members(G, &query, NOW)).unwrap();
        let found = found.iter().filter(|member| member.user.person.first_name == "Eve");
        found.map(|member| member.user.address.to_string()).collect::<Vec<_>>()
    };
    for (descending, offset) in [(false, 1_000), (true, 1_000), (true, 0)] {
        let (walked, sorted) = (page(descending, true, offset), page(descending, false, offset));
        // Two of the four who are not active stand in front of them all.
        let (walked, sorted) =
            if descending { (&walked[..], &sorted[..]) } else { (&walked[2..], &sorted[..48]) };
        assert_eq!(walked, sorted, "{descending} {offset}");
    }
    // A search that fits so many is walked, too; it finds the same as the search that is looked up in the index.
    for descending in [false, true] {
        let order = Some(MemberOrder { by: MemberColumn::Address, descending });
        let found = |search: &str, state| {
            let query =
                MemberQuery { order, search: search.into(), state, limit: 30, ..MemberQuery::default() };
            let found = store.read(|r| r.members(G, &query, NOW)).unwrap();
            found.iter().map(|member| member.user.address.to_string().to_lowercase()).collect::<Vec<_>>()
        };
        let expected: Vec<_> =
            (0..30).map(|n| format!("u{:04}.x", if descending { 4_999 - n } else { n })).collect();
        assert_eq!(found("EVE", None), expected);
        assert_eq!(found("eve", Some(MemberState::Active)), expected);
        assert_eq!(found("eve 0007", None), ["u0007.x"]);
    }
    let counted = store.read(|r| r.count_members_to(G, &MemberQuery::default(), NOW, 1_000)).unwrap();
    assert_eq!(counted, Count::MoreThan(1_000));
    let counted = store.read(|r| r.count_members_to(G, &MemberQuery::default(), NOW, 5_004)).unwrap();
    assert_eq!(counted, Count::Exactly(5_004));
}

#[test]
fn people_are_found_as_their_names_are_read() {
    use TextMatch::{Begins, Ends, Has, Is};
    let (_dir, store) = store();
    store
        .write(NOW, |w| {
            let lee = member(w, "a.lee.x", "Ann", Some("E 77 Straße"), None, false, true)?;
            let mut user = w.user(lee)?.unwrap();
            user.person.last_name = "Lee MÜLLER-Öz".into();
            w.update_user(&user)
        })
        .unwrap();
    let found = |search: &str| {
        let query = MemberQuery { search: search.into(), ..MemberQuery::default() };
        let mut found = names(&store, query.clone());
        // In another group there is nobody.
        assert_eq!(store.read(|r| r.count_members(GroupId(6), &query, NOW)).unwrap(), 0);
        found.retain(|letter| letter != ' ');
        found
    };
    for search in [
        "Ann Lee",
        "Lee Ann",
        "lee  ANN",
        "müller",
        "MÜLLER ann",
        "mü ann",
        "a l",
        "le an",
        "strasse 77",
        "STRASSE",
        "-ÖZ",
        "lee.x",
        "Ann lee ann@example.com",
    ] {
        assert_eq!(found(search), "Ann", "{search:?}");
    }
    for search in
        ["Ann Leo", "muller", "nn lee", "ee ann", "öz-", "Lee Bob", "\0", "ann\0", "\"", "Ann OR Bob"]
    {
        assert_eq!(found(search), "", "{search:?}");
    }
    assert_eq!(found("ann"), "AnnAnn");
    assert_eq!(found(" "), "AnnBobCydDanAnn");
    for wanted in [
        Is("lee müller-öz".into()),
        Begins("LEE M".into()),
        Ends("ÖZ".into()),
        Ends("e MÜLLER-öz".into()),
        Has("e mü".into()),
        Has("ü".into()),
    ] {
        let query = MemberQuery { last_name: Some(wanted.clone()), ..MemberQuery::default() };
        assert_eq!(names(&store, query), "Ann", "{wanted:?}");
    }
    for wanted in
        [Is("lee".into()), Begins("müller".into()), Ends("lee".into()), Has("eemü".into()), Has("\0".into())]
    {
        let query = MemberQuery { last_name: Some(wanted.clone()), ..MemberQuery::default() };
        assert_eq!(names(&store, query), "", "{wanted:?}");
    }
}

#[test]
fn whoever_changes_joins_or_leaves_is_found_by_what_is_true_now() {
    let (_dir, store) = store();
    let other = GroupId(1 << 40);
    let found = |group: GroupId, search: &str| {
        let query = MemberQuery { search: search.into(), ..MemberQuery::default() };
        store.read(|r| r.count_members(group, &query, NOW)).unwrap()
    };
    let change = |act: fn(&Writer<'_>, &Member) -> Result<()>| {
        store.write(NOW, move |w| act(w, &w.member_by_address(G, "bob.west.x")?.unwrap())).unwrap();
    };
    store
        .write(NOW, move |w| w.insert_group(&NewGroup { id: other, name: "Other".into(), account_id: None }))
        .unwrap();
    change(|w, bob| {
        w.update_user(&crate::model::User {
            person: bob.user.person.clone().with(&LAST_NAME, "Brückner"),
            ..bob.user.clone()
        })
    });
    assert_eq!((found(G, "brückner"), found(other, "brückner")), (1, 0));
    change(|w, bob| {
        let group = GroupId(1 << 40);
        w.insert_membership(&Membership { group, puid: Puid::parse("Bobby"), ..bob.membership.clone() })
    });
    assert_eq!((found(G, "bobby"), found(other, "bobby"), found(other, "brückner")), (0, 1, 1));
    change(|w, bob| {
        w.update_user(&crate::model::User {
            person: bob.user.person.clone().with(&LAST_NAME, "Bruck"),
            ..bob.user.clone()
        })
    });
    assert_eq!((found(G, "brückner"), found(G, "bruck"), found(other, "bruck")), (0, 1, 1));
    change(|w, bob| {
        w.update_membership(&Membership { puid: Puid::parse("Robert"), ..bob.membership.clone() })
    });
    assert_eq!((found(G, "robert"), found(other, "robert"), found(other, "bobby")), (1, 0, 1));
    change(|w, bob| w.clear_puid(G, bob.user.id));
    assert_eq!(found(G, "robert"), 0);
    change(|w, bob| w.delete_membership(GroupId(1 << 40), bob.user.id));
    assert_eq!((found(G, "bruck"), found(other, "bruck")), (1, 0));
    change(|w, bob| w.delete_user(bob.user.id));
    assert_eq!(found(G, "bruck"), 0);
    // Nothing of those who are gone is left in the index, which agrees with the words.
    store
        .write(NOW, |w| {
            w.execute("INSERT INTO user_trigrams (user_trigrams, rank) VALUES ('integrity-check', 1)", [])?;
            let left: i64 = w
                .connection
                .query_row(
                    "SELECT (SELECT count(*) FROM user_trigrams('\"uck\"')) + (SELECT count(*) FROM user_words WHERE person LIKE '%bruck%')",
                    [],
                    |row| row.get(0),
                )
                .unwrap();
            assert_eq!(left, 0);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_search_for_three_letters_asks_the_index_and_counts_no_further_than_it_must() {
    let (_dir, store) = store();
    let query = MemberQuery { search: "example".into(), ..MemberQuery::default() };
    let counted = |most| store.read(|r| r.count_members_to(G, &query, NOW, most)).unwrap();
    assert_eq!((counted(3), counted(4)), (Count::MoreThan(3), Count::Exactly(4)));
    for (query, by_index) in [
        (query.clone(), true),
        (MemberQuery { search: "an".into(), ..MemberQuery::default() }, true),
        (MemberQuery { puid: Some(TextMatch::Begins("s".into())), ..MemberQuery::default() }, true),
        (MemberQuery { puid: Some(TextMatch::Has("sa".into())), ..MemberQuery::default() }, false),
        (MemberQuery { role: Some(RoleMatch::None), search: "abc".into(), ..MemberQuery::default() }, true),
        (
            MemberQuery {
                puid: Some(TextMatch::Has("sales".into())),
                role: Some(RoleMatch::None),
                any: true,
                ..MemberQuery::default()
            },
            false,
        ),
    ] {
        assert_eq!(members::asks_the_index(G, &query, NOW), by_index, "{query:?}");
    }
}

#[test]
fn a_search_that_takes_too_long_is_broken_off_and_those_after_it_are_not() {
    let (_dir, store) = store();
    let counted = |asker: &Asker| {
        store.search(asker, |r| {
            let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT count(*) FROM n";
            r.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(database_fault)
        })
    };
    let asker = Asker::of(&crate::model::Caller::host(), Some(G));
    let hurried = asker.clone().within(std::time::Duration::ZERO);
    for _ in 0..=SEARCHERS {
        let error = counted(&hurried).unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::Invalid, "search_too_broad"));
        assert_eq!(counted(&asker), Ok(9_999));
    }
    assert_eq!(asker.exporting().within(std::time::Duration::ZERO).most, None, "an export takes its time");
}

#[test]
fn a_word_that_stands_in_a_search_many_times_is_compared_once() {
    let (_dir, store) = store();
    let search = "example ".repeat(5_000);
    assert_eq!(names(&store, MemberQuery { search, ..MemberQuery::default() }), "Ann Bob Cyd Dan");
}

/// What a reading finds, and how many hundreds of steps of SQLite's machine it takes.
fn counted<T>(dir: &tempfile::TempDir, read: impl FnOnce(&Reader<'_>) -> Result<T>) -> (T, usize) {
    let steps = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&steps);
    let count = move || {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        false
    };
    let mut connection = connect::reader(&dir.path().join("sidelight.db")).unwrap();
    connection.progress_handler(100, Some(count)).unwrap();
    let found = read(&Reader { connection: &connection }).unwrap();
    (found, steps.load(std::sync::atomic::Ordering::Relaxed))
}

#[test]
fn of_those_in_the_group_who_share_an_email_address_no_more_are_read_than_needed() {
    const SHARED: &str = "all@example.com";
    let (dir, store) = store();
    store
        .write(NOW, |w| {
            for number in 0..3_000 {
                let user = member(w, &format!("s{number}.x"), "S", None, None, false, true)?;
                w.execute("UPDATE users SET email = ?1 WHERE id = ?2", (SHARED, user.0))?;
            }
            Ok(())
        })
        .unwrap();
    let (named, steps) = counted(&dir, |r| r.members_named(G, SHARED));
    assert_eq!(named.len(), 2);
    assert!(steps < 10, "{steps} hundred steps to find that several have the address");
    let (users, steps) = counted(&dir, |r| r.users_by_email(G, SHARED, 2));
    assert_eq!(users.len(), 2);
    assert!(steps < 10, "{steps} hundred steps");
}
