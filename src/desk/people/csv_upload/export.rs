//! Writes a group's people as CSV that can be uploaded again, and that no spreadsheet takes for formulas.

use crate::model::queries::MemberQuery;
use std::sync::Arc;

use csv::{Terminator, WriterBuilder};

use super::header::columns;
use super::table::armoured;
use crate::clock::Timestamp;
use crate::desk::ground::exports::ExportPermit;
use crate::desk::ground::known_group;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::error::{Error, Kind, Result};
use crate::model::person::FIELDS;
use crate::model::{Caller, GroupId, LogEntry, Member, UserId};
use crate::store::Asker;

/// Users read at once: the export needs the memory of so many.
const PAGE: u32 = 1_000;
/// What Excel asks for in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where an export of users is.
struct Position {
    caller: Caller,
    group: GroupId,
    query: MemberQuery,
    /// The file's first lines are to be written.
    at_the_top: bool,
    /// The last user that was written.
    after: Option<UserId>,
    done: bool,
    rows: u64,
}

/// An export of users that is being taken: gives the file in portions.
pub struct UserExport {
    people: Arc<People>,
    position: Position,
    /// When it began. What was changed later may stand in it or not.
    pub began_at: Timestamp,
    _place: ExportPermit,
}

impl Iterator for UserExport {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Result<Vec<u8>>> {
        self.people.next_users(&mut self.position).transpose()
    }
}

impl People {
    /// Begins to write the members that `query` finds, with the columns of an upload. Passwords are blank: nobody
    /// knows them. UTF-8 with a byte order mark. The log notes it.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`; `Unavailable` with
    /// `export_busy` while the caller takes another export, or too many others do.
    pub fn export_users(
        self: &Arc<Self>,
        caller: &Caller,
        group: GroupId,
        query: &MemberQuery,
    ) -> Result<UserExport> {
        permission::administer(caller, group)?;
        let place = self.ground.exports.place(caller, Some(group))?;
        let (position, began_at) = self.begin_users(caller, group, query)?;
        Ok(UserExport { people: Arc::clone(self), position, began_at, _place: place })
    }

    /// As [`People::export_users`], on the host: writes all to `out`, and tells how many users there are.
    ///
    /// # Errors
    /// As [`People::export_users`]; `Unavailable` with `export_unwritten` when `out` cannot be written.
    pub fn export_csv(
        &self,
        caller: &Caller,
        group: GroupId,
        query: &MemberQuery,
        out: &mut dyn std::io::Write,
    ) -> Result<u64> {
        permission::administer(caller, group)?;
        let (mut position, _) = self.begin_users(caller, group, query)?;
        while let Some(portion) = self.next_users(&mut position)? {
            out.write_all(&portion).map_err(|e| unwritten(&e.to_string()))?;
        }
        out.flush().map_err(|e| unwritten(&e.to_string()))?;
        Ok(position.rows)
    }

    fn begin_users(
        &self,
        caller: &Caller,
        group: GroupId,
        query: &MemberQuery,
    ) -> Result<(Position, Timestamp)> {
        self.ground.store.read(|r| known_group::known(r, group))?;
        let began_at = self.ground.clock.now();
        let detail = "users as CSV";
        self.ground.record_reading(LogEntry::done(
            caller,
            Some(group),
            "user.export",
            group.to_string(),
            detail,
        ))?;
        let position = Position {
            caller: caller.clone(),
            group,
            query: MemberQuery { limit: PAGE, offset: 0, order: None, ..query.clone() },
            at_the_top: true,
            after: query.after,
            done: false,
            rows: 0,
        };
        Ok((position, began_at))
    }

    /// Reads and writes the next page.
    fn next_users(&self, position: &mut Position) -> Result<Option<Vec<u8>>> {
        if position.done {
            return Ok(None);
        }
        let query = MemberQuery { after: position.after, ..position.query.clone() };
        let asker = Asker::of(&position.caller, Some(position.group)).exporting();
        let page = self.members_for(&asker, &position.caller, position.group, &query)?;
        let mut portion = Vec::new();
        let at_the_top = std::mem::take(&mut position.at_the_top);
        if at_the_top {
            portion.extend_from_slice(BYTE_ORDER_MARK);
        }
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(&mut portion);
        let header = if at_the_top { writer.write_record(columns()) } else { Ok(()) };
        header
            .and_then(|()| page.members.iter().try_for_each(|member| writer.write_record(cells(member))))
            .map_err(|e| unwritten(&e.to_string()))?;
        writer.flush().map_err(|e| unwritten(&e.to_string()))?;
        drop(writer);
        position.rows += u64::try_from(page.members.len()).unwrap_or(0);
        (position.after, position.done) = (page.next, page.next.is_none());
        Ok(Some(portion))
    }
}

fn cells(member: &Member) -> impl Iterator<Item = String> {
    FIELDS.iter().filter(|field| field.column.is_some()).map(|field| armoured(field.text(member)))
}

fn unwritten(why: &str) -> Error {
    Error::new(Kind::Unavailable, "export_unwritten", "The export cannot be written.").with_detail(why)
}
