//! A desk over a fresh lab database, for tests: groups 7 and 8, an administrator of 7 and one of 8.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::model::queries::{LogQuery, LogRow};
use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::desk::Desk;
use crate::desk::people::users::{NewUser, UserChange, UserKey};
use crate::model::Mode;
use crate::model::{Actor, Caller, GroupId, Member};

pub const SEVEN: GroupId = GroupId(7);
pub const EIGHT: GroupId = GroupId(8);

pub struct Fixture {
    pub desk: Arc<Desk>,
    pub admin: Caller,
    pub other_admin: Caller,
    pub directory: tempfile::TempDir,
}

pub fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    clock.set_now(Timestamp::from_seconds(1_593_907_200));
    let desk = Arc::new(Desk::open(directory.path(), Mode::Lab, clock).unwrap());
    let host = Caller::host();
    let mut admins = Vec::new();
    for (group, name, address) in [(SEVEN, "Seven", "admin.seven"), (EIGHT, "Eight", "admin.eight")] {
        desk.people.create_group(&host, group, name, None).unwrap();
        let new = NewUser { administrator: true, ..user(address, address) };
        admins.push(as_caller(&desk.people.create_user(&host, group, new).unwrap()));
    }
    let other_admin = admins.pop().unwrap();
    Fixture { desk, admin: admins.pop().unwrap(), other_admin, directory }
}

/// The caller that a signed-in member is.
pub fn as_caller(member: &Member) -> Caller {
    Caller {
        actor: Actor::User {
            id: member.user.id,
            address: member.user.address.clone(),
            group: member.membership.group,
            administrator: member.membership.administrator,
        },
        ip: Some([127, 0, 0, 1].into()),
    }
}

pub fn user(address: &str, puid: &str) -> NewUser {
    NewUser { address: address.into(), puid: Some(puid.into()), ..NewUser::default() }
}

pub fn change() -> UserChange {
    UserChange::default()
}

pub fn puid(puid: &str) -> UserKey {
    UserKey::Puid(puid.into())
}

impl Fixture {
    /// The rows of the access log, oldest first.
    pub fn log(&self) -> Vec<LogRow> {
        let query = LogQuery { limit: 1000, ..LogQuery::default() };
        let mut rows = self.desk.ground.store.read(|r| r.log_rows(&query)).unwrap();
        rows.reverse();
        rows
    }

    /// The operation and detail of the last row.
    pub fn last_log(&self) -> (String, String) {
        let row = self.log().pop().unwrap();
        (row.operation, row.detail)
    }
}

impl Desk {
    /// The rows of the access log, each as one line.
    pub fn log_rows_for_test(&self) -> Vec<String> {
        let query = LogQuery { limit: 1000, ..LogQuery::default() };
        let rows = self.ground.store.read(|r| r.log_rows(&query)).unwrap();
        rows.iter()
            .map(|row| format!("{} {} {} {}", row.actor, row.operation, row.subject, row.detail))
            .collect()
    }
}
