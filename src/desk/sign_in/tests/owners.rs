//! Whose refusal it is: in whose access log the row stands, and who may open the incident.

use super::*;

/// Refuses, and says to which group the newest row and its incident belong.
#[track_caller]
fn owner(house: &House, credential: &Credential, group: Option<GroupId>) -> Option<GroupId> {
    let refused = house.identify("192.0.2.77", credential, group).unwrap_err();
    let query = LogQuery { limit: 1, ..LogQuery::default() };
    let row = house.desk.ground.store.read(|r| r.log_rows(&query)).unwrap().remove(0);
    assert_eq!(row.incident, refused.incident);
    let code = row.incident.unwrap();
    let incident = house.desk.ground.store.read(|r| r.incident(&code)).unwrap().unwrap();
    assert_eq!(incident.group, row.group);
    row.group
}

#[test]
fn a_refusal_belongs_to_the_group_that_is_named_or_to_the_home_of_who_is_named() {
    const NOWHERE: GroupId = GroupId(999);
    let house = House::new();
    let nobody = "nobody.acme.glance.net";
    let forged = signed("forged", ACME, PUID, NOW + 60);
    for (what, credential, group, expected) in [
        ("a wrong password", password(ADDRESS, "wrong"), None, Some(ACME)),
        ("in the group that is named", password(ADDRESS, "wrong"), Some(ACME), Some(ACME)),
        ("in a group that they are no member of", password(ADDRESS, "wrong"), Some(OTHER), Some(ACME)),
        ("the right one there", password(ADDRESS, PASSWORD), Some(OTHER), Some(ACME)),
        ("in a group that does not exist", password(ADDRESS, "wrong"), Some(NOWHERE), Some(ACME)),
        ("a name that nobody has", password(nobody, "wrong"), None, None),
        ("the same in a group", password(nobody, "wrong"), Some(OTHER), Some(OTHER)),
        ("the same in none that exists", password(nobody, "wrong"), Some(NOWHERE), None),
        ("a forged login key", partner(ACME, PUID, &forged), None, Some(ACME)),
        ("of a PUID that nobody has", partner(OTHER, "nobody", &forged), None, Some(OTHER)),
        ("of no group that exists", partner(NOWHERE, PUID, &forged), None, None),
        ("by Glance Address", by_address(ADDRESS, &forged), None, Some(ACME)),
        ("by one that nobody has", by_address(nobody, &forged), None, None),
        (
            "a web session that is none",
            Credential::WebSession("x".to_owned().into()),
            Some(OTHER),
            Some(OTHER),
        ),
    ] {
        assert_eq!(owner(&house, &credential, group), expected, "{what}");
    }
}

#[test]
fn what_cannot_be_read_belongs_to_the_group_that_is_named() {
    let house = House::new();
    let nobody = Caller::anonymous("192.0.2.78".parse().unwrap());
    for (named, expected) in [(Some(ACME), Some(ACME)), (Some(GroupId(999)), None), (None, None)] {
        house.desk.sign_in.refuse_unreadable(&nobody, "test", named, None);
        let query = LogQuery { limit: 1, ..LogQuery::default() };
        let row = house.desk.ground.store.read(|r| r.log_rows(&query)).unwrap().remove(0);
        assert_eq!(row.group, expected);
    }
}
