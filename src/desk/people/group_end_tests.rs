#![allow(clippy::unwrap_used)]
use super::*;
use crate::desk::fixture::*;
use crate::desk::people::csv_upload::{ApplyOptions, Progress};
use crate::desk::people::users::{RoleChoice, UserKey};
use crate::error::Kind;
use crate::model::person::{FIRST_NAME, Person};
use crate::model::queries::MemberQuery;

/// More than are taken away before the answer.
const MEMBERS: usize = 510;

fn fill(f: &Fixture) {
    let rows: String = (0..MEMBERS).map(|n| format!("n{n}.x,N{n}\n")).collect();
    let file = format!("GlanceAddress,PartnerUID\n{rows}");
    let done = f.desk.people.apply_csv(
        &f.admin,
        SEVEN,
        &ApplyOptions::default(),
        file.as_bytes(),
        &Progress::default(),
    );
    assert_eq!(done.unwrap().created, MEMBERS);
}

#[test]
fn a_large_group_is_gone_at_once_and_swept_out_when_the_house_is_kept() {
    let f = fixture();
    let host = Caller::host();
    fill(&f);
    f.desk.people.add_member(&host, EIGHT, "n7.x", Some("seven"), RoleChoice::None, false).unwrap();
    f.desk.people.delete_group(&host, SEVEN).unwrap();
    let gone = |f: &Fixture| {
        let unknown = |error: crate::error::Error| (error.kind, error.code);
        let group_unknown = (Kind::NotFound, "group_unknown");
        assert_eq!(f.desk.people.group(&host, SEVEN).map_err(unknown), Err(group_unknown));
        assert_eq!(
            f.desk.people.members(&host, SEVEN, &MemberQuery::default()).map_err(unknown),
            Err(group_unknown)
        );
        let member = f.desk.people.member(&host, SEVEN, &puid("N0")).map_err(unknown);
        assert_eq!(member, Err((Kind::NotFound, "user_unknown")));
        let again = f.desk.people.create_group(&host, SEVEN, "Another", None).map_err(unknown);
        assert_eq!(again.map(drop).unwrap_err().0, Kind::Conflict);
        // Anyone who is a member of another group is at home there, and its administrators may change them.
        let stays = UserKey::Address("n7.x".into());
        assert_eq!(f.desk.people.member(&f.other_admin, EIGHT, &stays).unwrap().user.home_group, EIGHT);
        let named = crate::desk::people::users::UserChange {
            person: Person::default().with(&FIRST_NAME, "Ann".to_owned()),
            ..change()
        };
        f.desk.people.update_user(&f.other_admin, EIGHT, &stays, named).unwrap();
    };
    assert_eq!(
        f.desk.ground.store.read(|r| r.leaving_groups()).unwrap(),
        [SEVEN],
        "what is left is taken away later"
    );
    gone(&f);
    let row = f.log().into_iter().find(|row| row.operation == "group.delete").unwrap();
    assert_eq!(row.detail, "name Seven; 510 users deleted, 1 still in other groups, 0 roles, 0 SCIM tokens");
    f.desk.people.create_user(&f.other_admin, EIGHT, user("n0.x", "again")).unwrap();
    f.desk.appliance.keep_house().unwrap();
    assert!(f.desk.ground.store.read(|r| r.leaving_groups()).unwrap().is_empty());
    gone(&f);
    assert!(f.desk.people.member(&f.other_admin, EIGHT, &puid("again")).is_ok());
}

#[test]
fn a_small_group_is_taken_away_before_the_answer() {
    let f = fixture();
    f.desk.people.delete_group(&Caller::host(), SEVEN).unwrap();
    assert!(f.desk.ground.store.read(|r| r.leaving_groups()).unwrap().is_empty());
}
