//! What the desk asks of lists, and the rows of the access log as they are shown.

use super::lists::MemberOrder;
use super::{GroupId, RoleId, UserId};
use crate::clock::Timestamp;

/// How a text is compared: folded, but for `Exactly`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    Is(String),
    /// To the byte.
    Exactly(String),
    Begins(String),
    Ends(String),
    Has(String),
    /// Not set.
    Absent,
}

/// Which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleMatch {
    None,
    Numbered(RoleId),
    Named(TextMatch),
}

/// Which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// Active and not suspended.
    Active,
    Suspended,
    /// Deprovisioned, whether suspended or not.
    Inactive,
    /// Kept out by too many failures.
    Locked,
}

/// Which members to list, and in which order.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    pub puid: Option<TextMatch>,
    pub address: Option<TextMatch>,
    pub first_name: Option<TextMatch>,
    pub last_name: Option<TextMatch>,
    pub email: Option<TextMatch>,
    pub role: Option<RoleMatch>,
    /// A second criterion on the role: the REST APIs take a number and a name.
    pub also_role: Option<RoleMatch>,
    /// True: one of the criteria above is enough; false: all must hold.
    pub any: bool,
    /// Words, in any order, each of which must be in address, PUID, names or e-mail address: anywhere when it has
    /// three letters or more, else where a word begins. "" for all. Must hold besides the criteria above.
    pub search: String,
    pub state: Option<MemberState>,
    pub administrators_only: bool,
    /// `None`: by the user's number, the only order that `after` goes with.
    pub order: Option<MemberOrder>,
    /// Only users with a greater number: where the page before ended.
    pub after: Option<UserId>,
    /// Rows to leave out, for surfaces that count pages.
    pub offset: u32,
    /// Most rows.
    pub limit: u32,
}

impl MemberQuery {
    /// Whether users are looked for by a text, or a part of one.
    pub fn looks_for_text(&self) -> bool {
        let criteria = [&self.puid, &self.address, &self.first_name, &self.last_name, &self.email];
        !self.search.is_empty() || criteria.iter().any(|wanted| wanted.is_some())
    }

    /// Whether less than the whole group is asked for.
    pub fn is_narrowed(&self) -> bool {
        self.looks_for_text()
            || self.role.is_some()
            || self.also_role.is_some()
            || self.state.is_some()
            || self.administrators_only
    }
}

/// A row as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    pub id: i64,
    pub at: Timestamp,
    pub group: Option<GroupId>,
    pub ip: String,
    pub actor: String,
    pub operation: String,
    pub subject: String,
    pub detail: String,
    pub refused: bool,
    pub code: Option<String>,
    pub incident: Option<String>,
}

/// Which rows to show: newest first, or oldest first.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// Only rows of this group; `None` for all, which only operators may ask for.
    pub group: Option<GroupId>,
    /// First instant, included.
    pub from: Option<Timestamp>,
    /// Last instant, excluded.
    pub until: Option<Timestamp>,
    /// Words, each of which must be in actor, operation, subject, detail, code, incident or IP address, folded; ""
    /// for all.
    pub search: String,
    /// Only what was refused, or only what was not; `None` for both.
    pub refused: Option<bool>,
    /// Only rows older than this id: where the page before ended.
    pub before: Option<i64>,
    /// Only rows newer than this id: bounds a read that may find nothing.
    pub after: Option<i64>,
    pub oldest_first: bool,
    /// Rows to leave out: the pages before this one.
    pub offset: u32,
    /// Only among so many of the newest rows of all: bounds a search that may find nothing.
    pub within: Option<i64>,
    pub limit: u32,
}
