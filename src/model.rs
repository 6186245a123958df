//! The nouns that every room shares: identifiers that were checked once, and the records of the store.
//!
//! Identifiers are parsed where they come in and then travel as types, so that nobody checks twice.
//! Lengths and alphabets are those of the wire contract, section 1 and 4.

pub mod backup;
pub mod database;
pub mod doctor;
pub mod lists;
pub mod opened;
pub mod person;
pub mod queries;
pub mod relative;
pub mod sso;
pub mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use self::person::Person;
use crate::clock::Timestamp;

/// What this installation and its database are for. A lab never opens a production database, and production never a lab's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Production,
    Lab,
}

impl Mode {
    /// As it stands in the database and in the ready file.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Production => "production",
            Mode::Lab => "lab",
        }
    }
}

/// The number of a group: a positive decimal integer. Wire contract §1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub i64);

impl GroupId {
    /// Reads a Group ID: decimal digits, at most 18, without sign or leading zero, not 0.
    pub fn parse(text: &str) -> Option<GroupId> {
        let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits || text.starts_with('0') {
            return None;
        }
        text.parse().ok().map(GroupId)
    }
}

/// The number of a user, `personId` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// The number of a role, unique over all groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleId(pub i64);

/// The number of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorId(pub i64);

macro_rules! display_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
display_number!(GroupId, UserId, RoleId, OperatorId);

/// A Glance Address: dotted name of ASCII letters, digits, `.` and `-`; neither of those two first or last;
/// 1 to 127 characters. Compared in any case, kept as given. Wire contract §1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct GlanceAddress(String);

/// Most characters of a Glance Address. Wire contract §4.5.
pub const GLANCE_ADDRESS_MAX: usize = 127;

impl GlanceAddress {
    /// Reads a Glance Address; `None` when it breaks the rule above.
    pub fn parse(text: &str) -> Option<GlanceAddress> {
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let fits = bytes.len() <= GLANCE_ADDRESS_MAX
            && edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        fits.then(|| GlanceAddress(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GlanceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A partner user ID: 1 to 255 characters without control characters, unique in its group, compared
/// exactly. Wire contract §1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Puid(String);

/// Most characters of a PUID.
pub const PUID_MAX: usize = 255;

impl Puid {
    /// Reads a PUID; `None` when it breaks the rule above.
    pub fn parse(text: &str) -> Option<Puid> {
        let length = text.chars().count();
        let fits = (1..=PUID_MAX).contains(&length) && !text.chars().any(char::is_control);
        fits.then(|| Puid(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Puid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A customer account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// Value of `idptoken`; wire contract §1 "Unique Account ID".
    pub account_id: Option<String>,
    /// Whether an API key is set; the key itself is read on its own.
    pub has_api_key: bool,
    pub api_key_changed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Since when the group is switched off; `None` while it is on.
    pub off_since: Option<Timestamp>,
    /// Origins whose pages may frame ours, such as `https://crm.example.com`.
    pub allowed_sites: Vec<String>,
}

/// A person with a Glance Address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub address: GlanceAddress,
    /// What the person is called and how they are reached.
    pub person: Person<String>,
    pub has_password: bool,
    /// The group whose administrators may change the person; other groups change only the membership.
    pub home_group: GroupId,
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
    pub signed_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl User {
    /// Whether too many wrong passwords keep the user's password from being taken at `now`.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        is_locked(self.locked_until, now)
    }
}

/// Seconds for which wrong passwords lock a password.
pub const LOCK_SECONDS: i64 = 15 * 60;

/// Whether a lock that ends at `until` is in force at `now`. One that ends later than any that is set now was set
/// while the clock was ahead, and does not outlast the clock being put right.
pub fn is_locked(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| now < until && until <= now.plus_seconds(LOCK_SECONDS))
}

/// Why a member may not sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// The group is switched off.
    GroupOff,
    Suspended,
    /// A former member.
    Inactive,
}

/// What decides whether a member may sign in to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberStanding {
    /// Whether the group is switched off.
    pub group_is_off: bool,
    /// False for a former member.
    pub active: bool,
    pub suspended: bool,
}

impl MemberStanding {
    /// The one rule of who may sign in to a group, whatever they bring: a login key, a password, a token, a web session
    /// or an assertion. Who is both suspended and inactive is told the former: it is what an administrator did last.
    /// A lock by wrong passwords is no part of it: it keeps passwords out, and nothing else. Wire contract §11, Q18,
    /// Q23.
    ///
    /// # Errors
    /// Why the member may not sign in.
    pub fn admitted(self) -> std::result::Result<(), Barred> {
        match (self.group_is_off, self.suspended, self.active) {
            (true, _, _) => Err(Barred::GroupOff),
            (false, true, _) => Err(Barred::Suspended),
            (false, false, false) => Err(Barred::Inactive),
            (false, false, true) => Ok(()),
        }
    }

    /// Whether the member may sign in.
    pub fn is_admitted(self) -> bool {
        self.admitted().is_ok()
    }
}

/// What a user is in one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub group: GroupId,
    pub user: UserId,
    pub puid: Option<Puid>,
    pub role: Option<RoleId>,
    /// Whether the user may run this group.
    pub administrator: bool,
    pub suspended: bool,
    /// False for a former member ("deprovisioned"). Wire contract §4.3, §4.6.
    pub active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Membership {
    /// How the member stands in a group that is switched off, or on.
    pub fn standing(&self, group_is_off: bool) -> MemberStanding {
        MemberStanding { group_is_off, active: self.active, suspended: self.suspended }
    }

    /// Whether the member may sign in to this group while it is switched on.
    pub fn may_sign_in(&self) -> bool {
        self.standing(false).is_admitted()
    }
}

/// A user as one group sees them: the person, what they are in the group, and their role's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user: User,
    pub membership: Membership,
    pub role_name: Option<String>,
}

/// Settings of a group or a role by name: on or off. Wire contract §9.
pub type Settings = BTreeMap<String, bool>;

/// A named set of settings in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub id: RoleId,
    pub group: GroupId,
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Most characters of a role's name. Wire contract §4.2, §5.3.
pub const ROLE_NAME_MAX: usize = 70;

/// Somebody who runs the appliance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub id: OperatorId,
    pub name: String,
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
    pub signed_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl Operator {
    /// Whether too many wrong passwords keep the operator's password from being taken at `now`.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        is_locked(self.locked_until, now)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has proved who they are.
    Anonymous,
    /// Somebody with a shell on the host: the command line, the seed file.
    Host,
    Operator {
        id: OperatorId,
        name: String,
    },
    /// A user, signed in to one group.
    User {
        id: UserId,
        address: GlanceAddress,
        group: GroupId,
        administrator: bool,
    },
    /// A provisioning client of one group (SCIM's bearer token).
    Provisioner {
        group: GroupId,
    },
}

/// As it stands in the access log's Actor column.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Anonymous => f.write_str("-"),
            Actor::Host => f.write_str("host"),
            Actor::Operator { name, .. } => write!(f, "operator {name}"),
            Actor::User { address, .. } => address.fmt(f),
            Actor::Provisioner { group } => write!(f, "provisioning of group {group}"),
        }
    }
}

/// What the tokens and web sessions of a member carry: random, and replaced by another one when those that
/// were handed out become void. No secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark(pub i64);

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub actor: Actor,
    /// `None` from the host itself.
    pub ip: Option<IpAddr>,
}

impl Caller {
    /// The caller at a shell of the host.
    pub fn host() -> Caller {
        Caller { actor: Actor::Host, ip: None }
    }

    /// Somebody at `ip` who has not proved who they are.
    pub fn anonymous(ip: IpAddr) -> Caller {
        Caller { actor: Actor::Anonymous, ip: Some(ip) }
    }

    /// Whether the caller may run the whole appliance.
    pub fn may_run_appliance(&self) -> bool {
        matches!(self.actor, Actor::Host | Actor::Operator { .. })
    }

    /// Whether the caller may run this group.
    pub fn may_administer(&self, group: GroupId) -> bool {
        match &self.actor {
            Actor::Host | Actor::Operator { .. } => true,
            Actor::User { group: own, administrator, .. } => *administrator && *own == group,
            Actor::Provisioner { group: own } => *own == group,
            Actor::Anonymous => false,
        }
    }
}

/// How an attempt came out, for the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOutcome {
    Done,
    /// A protocol refusal or a missing permission.
    Refused,
}

/// One row to be written to the access log. Wire contract §9.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub group: Option<GroupId>,
    pub ip: Option<IpAddr>,
    pub actor: String,
    /// Dotted, stable: `sign-in.login-key`, `user.create`, `api-key.change`.
    pub operation: &'static str,
    pub subject: String,
    /// For people; never a secret.
    pub detail: String,
    pub outcome: LogOutcome,
    /// The stable code of a reject.
    pub code: Option<&'static str>,
    /// Joins the row to what the person saw and to the kept checks.
    pub incident: Option<String>,
}

impl LogEntry {
    /// Makes the row of something that `caller` did.
    pub fn done(
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> LogEntry {
        LogEntry {
            group,
            ip: caller.ip,
            actor: caller.actor.to_string(),
            operation,
            subject: subject.into(),
            detail: detail.into(),
            outcome: LogOutcome::Done,
            code: None,
            incident: None,
        }
    }

    /// Makes the row of something that was refused to `caller`, for the reason with this code.
    pub fn refused(
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        subject: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> LogEntry {
        LogEntry {
            outcome: LogOutcome::Refused,
            code: Some(code),
            ..LogEntry::done(caller, group, operation, subject, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glance_addresses_keep_to_their_alphabet_and_edges() {
        for (text, good) in [
            ("doe.john.example.glance.net", true),
            ("Acme1", true),
            ("a-b.c", true),
            ("", false),
            (".a", false),
            ("a.", false),
            ("-a", false),
            ("a@b", false),
            ("jörg.example.glance.net", false),
        ] {
            assert_eq!(GlanceAddress::parse(text).is_some(), good, "{text:?}");
        }
        assert!(GlanceAddress::parse(&"a".repeat(127)).is_some());
        assert!(GlanceAddress::parse(&"a".repeat(128)).is_none());
    }

    #[test]
    fn puids_are_counted_in_characters() {
        assert!(Puid::parse(&"ü".repeat(255)).is_some());
        assert!(Puid::parse(&"ü".repeat(256)).is_none());
        assert!(Puid::parse("a&b+c ~d").is_some());
        assert!(Puid::parse("a\nb").is_none());
        assert!(Puid::parse("").is_none());
    }

    #[test]
    fn group_ids_are_plain_positive_decimals() {
        for (text, want) in
            [("12345", Some(12345)), ("0", None), ("012", None), ("+1", None), ("-1", None), ("1e3", None)]
        {
            assert_eq!(GroupId::parse(text), want.map(GroupId), "{text:?}");
        }
        assert_eq!(GroupId::parse(&"9".repeat(19)), None);
    }

    #[test]
    fn an_administrator_runs_only_the_own_group() {
        let caller = |administrator| Caller {
            actor: Actor::User {
                id: UserId(1),
                address: GlanceAddress("a.b".into()),
                group: GroupId(7),
                administrator,
            },
            ip: None,
        };
        assert!(caller(true).may_administer(GroupId(7)));
        assert!(!caller(true).may_administer(GroupId(8)));
        assert!(!caller(false).may_administer(GroupId(7)));
        assert!(!caller(true).may_run_appliance());
        assert!(Caller::host().may_run_appliance());
    }
}
