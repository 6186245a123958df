//! Hostile names on every page.
#![allow(clippy::unwrap_used)]

use super::access_log::{LogLine, LogView};
use super::groups::Home;
use super::incidents::IncidentView;
use super::login_keys::{MadeKey, TakenApart, Workbench};
use super::roles::RoleLine;
use super::settings::SettingsView;
use super::user::UserView;
use super::users::UsersView;
use super::*;
use crate::model::lists::Count;
use crate::model::person::{EMAIL, FIRST_NAME, LAST_NAME, PHONE, Person};
use crate::model::sso::compared::{ComparedKey, ComparedKeys};
use crate::model::{
    GlanceAddress, Group, Membership, Operator, OperatorId, Puid, Role, RoleId, User, UserId,
};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;
use crate::pages::listing::{Chip, Listing};
use crate::protocol::check::{Check, CheckOutcome};

const HOSTILE: &str = "\"><script>alert('1')</script><b x='";
const NOW: Timestamp = Timestamp(1_593_908_430_123);

fn frame() -> Frame<'static> {
    Frame {
        who: HOSTILE,
        operator: true,
        token: "token",
        group: Some((GroupId(7), HOSTILE)),
        flash: None,
        lab: None,
        attention: &[],
        may_switch: false,
        from: None,
    }
}

fn check(page: &str) {
    let own = page.matches("<script defer src=\"/console/static/").count();
    assert!(page.matches("<script").count() == own && !page.contains("<b x="), "{page}");
    assert!(page.contains("&lt;script&gt;"), "the hostile name is not shown");
    assert!(!page.contains(" style=") && !page.contains("<style") && !page.contains(" onclick"), "{page}");
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id stands twice: {ids:?}");
}

fn group() -> Group {
    Group {
        id: GroupId(7),
        name: HOSTILE.into(),
        account_id: Some(HOSTILE.into()),
        has_api_key: true,
        api_key_changed_at: None,
        created_at: NOW,
        off_since: Some(NOW),
        allowed_sites: vec![HOSTILE.into()],
    }
}

fn role() -> Role {
    Role {
        id: RoleId(3),
        group: GroupId(7),
        name: HOSTILE.into(),
        description: HOSTILE.into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn member() -> Member {
    Member {
        user: User {
            id: UserId(5),
            address: GlanceAddress::parse("a.b").unwrap(),
            person: Person::default()
                .with(&FIRST_NAME, HOSTILE)
                .with(&LAST_NAME, HOSTILE)
                .with(&EMAIL, HOSTILE)
                .with(&PHONE, HOSTILE),
            has_password: true,
            home_group: GroupId(7),
            failures: 0,
            locked_until: None,
            signed_in_at: None,
            created_at: NOW,
            updated_at: NOW,
        },
        membership: Membership {
            group: GroupId(7),
            user: UserId(5),
            puid: Puid::parse(HOSTILE),
            role: Some(RoleId(3)),
            administrator: true,
            suspended: true,
            active: true,
            created_at: NOW,
            updated_at: NOW,
        },
        role_name: Some(HOSTILE.into()),
    }
}

fn line() -> LogLine {
    LogLine {
        at: NOW,
        group: Some(GroupId(7)),
        ip: HOSTILE.into(),
        actor: HOSTILE.into(),
        operation: HOSTILE.into(),
        subject: HOSTILE.into(),
        detail: HOSTILE.into(),
        refused: true,
        code: Some(HOSTILE.into()),
        incident: Some(HOSTILE.into()),
    }
}

fn fill(names: &[&str]) -> Fill {
    let filled = Fill::of(names.iter().map(|name| (*name, HOSTILE)));
    names.iter().fold(filled, |filled, name| filled.with_problem(Some(name), HOSTILE))
}

fn listing() -> Listing {
    Listing {
        address: "/console/x".into(),
        chips: vec![Chip { name: "search", value: HOSTILE.into(), words: HOSTILE.into() }],
        sort: "-name".into(),
        default_sort: "name",
        anchor: Some(("newest", 4)),
        page: 2,
        size: 1,
        shown: 1,
        count: Count::Exactly(9),
        nouns: ("row", "rows"),
    }
}

fn one_check() -> [Check; 1] {
    [Check {
        number: 1,
        name: HOSTILE.into(),
        clause: HOSTILE.into(),
        outcome: CheckOutcome::Failed,
        expected: HOSTILE.into(),
        got: HOSTILE.into(),
    }]
}

#[test]
fn hostile_names_are_escaped_at_the_entry() {
    check(&entry::claim(HOSTILE, HOSTILE, Some(HOSTILE), &fill(&["name"])));
    let ended = entry::Ended { kept: Some(HOSTILE.into()), lost: vec![(HOSTILE.into(), HOSTILE.into())] };
    let lost = entry::Ended { kept: None, ..ended.clone() };
    for ended in [None, Some(&ended), Some(&lost)] {
        let (lab, flash) = (None, None);
        let view = entry::SignInView { form_token: "t", next: HOSTILE, lab, flash, unclaimed: true, ended };
        check(&entry::sign_in(&view, &fill(&["name"])));
    }
    check(&entry::switch(&frame(), &[group()]));
    check(&entry::own_password(&frame(), HOSTILE, &fill(&["current"])));
    let deed = confirm::Deed {
        question: HOSTILE,
        consequences: &[HOSTILE],
        action: HOSTILE,
        words: HOSTILE,
        back: HOSTILE,
        taken_back: HOSTILE,
        hidden: &[(HOSTILE, HOSTILE)],
        typed: Some(HOSTILE),
        fill: fill(&[confirm::TYPED_NAME]),
        keep: HOSTILE,
    };
    check(&confirm::page(&frame(), MenuEntry::Users, &[], &deed));
}

#[test]
fn hostile_names_are_escaped_on_a_groups_pages() {
    let (group, recent) = (group(), [line()]);
    let lines = [groups::GroupRow { group: group.clone(), users: 1, sso: None }];
    let (list, given) = (listing(), Fill::of([("search", HOSTILE)]));
    let view = groups::GroupsView { listing: &list, lines: &lines, fill: &given, recent: &recent };
    check(&groups::list(&frame(), &view));
    check(&groups::list(&frame(), &groups::GroupsView { lines: &[], ..view }));
    check(&groups::new(&frame(), &fill(&["id", "name", "account_id"])));
    let home =
        Home { group: &group, users: 1, roles: 1, origin: HOSTILE, origin_is_guessed: true, recent: &recent };
    check(&groups::home(&frame(), &home));
    check(&api_key::page(&frame(), &group, Some(HOSTILE), Some(NOW), &Fill::default()));
    check(&api_key::change(&frame(), HOSTILE, &fill(&["api_key"])));
    let empty = Fill::default();
    let settings = [(HOSTILE.to_owned(), true)];
    let rules = [(HOSTILE.to_owned(), HOSTILE.to_owned())];
    let view = SettingsView {
        group: &group,
        settings: &settings,
        rules: &rules,
        about: &fill(&["name"]),
        privileges: &empty,
        sites: &fill(&["allowed_sites", "opened"]),
        security: &empty,
    };
    check(&settings::page(&frame(), &view));
    check(&settings::page(&Frame { operator: false, ..frame() }, &view));
}

#[test]
fn hostile_names_are_escaped_on_the_pages_of_people_and_roles() {
    let (members, roles, history, empty) = ([member()], [role()], [line()], Fill::default());
    let view = UsersView {
        listing: &listing(),
        members: &members,
        fill: &Fill::of([("search", HOSTILE)]),
        roles: &roles,
        now: NOW,
    };
    check(&users::list(&frame(), &view));
    check(&users::new(&frame(), &roles, HOSTILE, &fill(&["address", "puid"]), &fill(&["member_address"])));
    let member = member();
    let settings = [(HOSTILE.to_owned(), true)];
    let groups = [group(), group()];
    let view = UserView {
        member: &member,
        roles: &roles,
        groups: &groups,
        settings: &settings,
        may_change_person: true,
        own: false,
        rule: HOSTILE,
        link: &password_link::Standing::Open { made_by: HOSTILE, expires_at: NOW },
        made: Some(password_link::Made { url: HOSTILE, expires_at: NOW, origin_is_guessed: true }),
        details: &fill(&["address"]),
        password: &empty,
        history: &history,
        now: NOW,
    };
    check(&user::page(&frame(), &view));
    check(&user::page(&frame(), &UserView { link: &password_link::Standing::NotServed(HOSTILE), ..view }));
    check(&user::page(&frame(), &UserView { own: true, ..view }));
    let opened = password_link::SetView {
        token: HOSTILE,
        form_token: HOSTILE,
        address: HOSTILE,
        rule: HOSTILE,
        message: HOSTILE,
        requires_new: true,
        expires_at: NOW,
        lab: Some(HOSTILE),
    };
    check(&password_link::set(&opened, &fill(&["password"])));
    check(&password_link::closed(HOSTILE, None));
    check(&password_link::done(HOSTILE, None));
    let line = RoleLine { role: role(), active_users: 1, inactive_users: 1, on: vec![HOSTILE.into()] };
    check(&roles::edit(&frame(), Some(&line), &settings, &fill(&["name"])));
    check(&roles::list(&frame(), &listing(), &[line], 4, &Fill::of([("search", HOSTILE)])));
}

#[test]
fn hostile_names_are_escaped_in_provisioning() {
    let token = provisioning::TokenLine {
        id: 1,
        label: HOSTILE.into(),
        made_by: HOSTILE.into(),
        created_at: NOW,
        used_at: None,
    };
    check(&provisioning::page(&frame(), (HOSTILE, true), &[token], Some(HOSTILE), &fill(&["label"])));
}

#[test]
fn hostile_names_are_escaped_in_an_upload() {
    check(&upload::form(&frame(), &[role()], HOSTILE, &fill(&["file"])));
    let line = upload::RowLine {
        line: 2,
        address: HOSTILE.into(),
        tone: Tone::Bad,
        outcome: "Refused",
        changes: [Some((HOSTILE.into(), HOSTILE.into())), None]
            .map(|values| upload::ChangeLine { field: HOSTILE, values })
            .into(),
        detail: HOSTILE.into(),
        remedy: HOSTILE.into(),
    };
    let view = upload::PreviewView {
        address: HOSTILE,
        created: 1,
        changed: 0,
        unchanged: 0,
        refused: 1,
        applied: false,
        columns: &[HOSTILE.into()],
        listing: listing(),
        lines: &[line],
        failure: Some(HOSTILE),
    };
    check(&upload::preview(&frame(), &view));
    let names = [HOSTILE];
    let view = upload::ColumnsView { address: HOSTILE, names: &names, ours: &names, problems: &names };
    check(&upload::columns(&frame(), &view, &Fill::default()));
    check(&upload::columns(&frame(), &view, &fill(&["column-0"])));
    check(&upload::progress(&frame(), 1, 2));
}

#[test]
fn hostile_names_are_escaped_in_logs_operators_and_explanations() {
    let (lines, checks) = ([line()], one_check());
    let view = LogView { listing: &listing(), lines: &lines, fill: &fill(&["from", "outcome", "search"]) };
    check(&access_log::page(&frame(), &view));
    let key = ComparedKey {
        fingerprint: HOSTILE.into(),
        subject: HOSTILE.into(),
        begins: 0,
        ends: 1,
        certificate: Some(HOSTILE.into()),
    };
    let keys = ComparedKeys { tried: vec![key.clone()], came: Some(key), issuer_is_ours: true };
    let incident = IncidentView {
        code: HOSTILE,
        at: NOW,
        group: None,
        surface: HOSTILE,
        reject: HOSTILE,
        checks: &checks,
        repair: HOSTILE,
        attempt: None,
        keys: Some(&keys),
    };
    check(&incidents::page(&frame(), &incident));
    check(&incidents::ask(&frame(), HOSTILE, &fill(&["code"])));
    let operator = Operator {
        id: OperatorId(1),
        name: HOSTILE.into(),
        failures: 0,
        locked_until: Some(Timestamp(i64::MAX)),
        signed_in_at: None,
        created_at: NOW,
    };
    let view = operators::OperatorsView {
        listing: &listing(),
        operators: std::slice::from_ref(&operator),
        search: &Fill::of([("search", HOSTILE)]),
        fill: &fill(&["name"]),
        now: NOW,
    };
    check(&operators::list(&frame(), &view));
    check(&operators::one(&frame(), &operator, NOW, &fill(&["password"])));
    let carriers = [(HOSTILE.to_owned(), HOSTILE.to_owned())];
    let bench = Workbench {
        has_api_key: false,
        make: &fill(&["puid"]),
        made: Some(MadeKey { login_key: HOSTILE, expires: HOSTILE, carriers: &carriers }),
        check: &fill(&["login_key"]),
        taken_apart: Some(TakenApart { accepted: false, checks: &checks, repair: HOSTILE }),
    };
    check(&login_keys::page(&frame(), &bench));
}
