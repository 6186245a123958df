//! Writes a group's people as CSV that can be uploaded again, and that no spreadsheet takes for formulas.

use csv::{Terminator, WriterBuilder};

use super::table::{COLUMNS, armoured};
use crate::desk::people::MemberQuery;
use crate::desk::{Desk, permission};
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, GroupId, LogEntry, Member};

/// Users read at once: the export needs the memory of so many.
const PAGE: u32 = 1_000;

impl Desk {
    /// Writes the members that `query` finds, in all pages together, with the columns of an upload.
    /// Passwords are blank: nobody knows them. UTF-8 with a byte order mark, which Excel asks for.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`; `Unavailable` when
    /// `out` cannot be written.
    pub fn export_csv(
        &self,
        caller: &Caller,
        group: GroupId,
        query: &MemberQuery,
        out: &mut dyn std::io::Write,
    ) -> Result<u64> {
        permission::administer(caller, group)?;
        out.write_all(b"\xef\xbb\xbf").map_err(|e| unwritten(&e.to_string()))?;
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        writer.write_record(COLUMNS).map_err(|e| unwritten(&e.to_string()))?;
        let mut query = MemberQuery { limit: PAGE, offset: 0, ..query.clone() };
        let mut rows = 0;
        loop {
            let page = self.members(caller, group, &query)?;
            for member in &page.members {
                writer.write_record(cells(member)).map_err(|e| unwritten(&e.to_string()))?;
                rows += 1;
            }
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        writer.flush().map_err(|e| unwritten(&e.to_string()))?;
        let detail = format!("{rows} users");
        self.record(LogEntry::done(caller, Some(group), "user.export", group.to_string(), detail))?;
        Ok(rows)
    }
}

fn cells(member: &Member) -> [String; 7] {
    let user = &member.user;
    let puid = member.membership.puid.as_ref().map_or("", |puid| puid.as_str());
    let address = user.address.as_str();
    [&user.first_name, &user.last_name, &user.email, &user.phone, address, "", puid].map(armoured)
}

fn unwritten(why: &str) -> Error {
    Error::new(Kind::Unavailable, "export_unwritten", "The export cannot be written.").with_detail(why)
}
