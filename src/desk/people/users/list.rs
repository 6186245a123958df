//! Finding people: one, or a page of many.

use crate::model::queries::MemberQuery;
use std::time::Duration;

use super::UserKey;
use crate::desk::ground::{known_group, permission};
use crate::desk::people::People;
use crate::error::{Error, Result};
use crate::model::lists::Count;
use crate::model::{Caller, GroupId, LogEntry, Member, Membership, Settings, UserId};
use crate::store::Asker;

/// Most characters of the words that users are searched for by, and most words: more find nobody else.
const SEARCH_MAX: usize = 200;
const SEARCH_WORDS_MAX: usize = 10;
/// After which a search for a page, or for a count that stops early, is broken off.
const PAGE_WITHIN: Duration = Duration::from_secs(2);
/// The same for an exact count, which reads all that fit.
const COUNT_WITHIN: Duration = Duration::from_secs(10);
/// The access log's name for handing out a list of users.
const SHOWN: &str = "user.list";

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    pub members: Vec<Member>,
    /// Ask for what comes after this number next; `None` at the end.
    pub next: Option<UserId>,
}

impl People {
    /// Finds one member of a group.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `user_unknown`.
    pub fn member(&self, caller: &Caller, group: GroupId, key: &UserKey) -> Result<Member> {
        permission::administer(caller, group)?;
        self.ground.store.read(|r| key.find(r, group))
    }

    /// Lists members of a group, at most `query.limit`, in the order that the query names.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`; `Invalid` with `search_too_long`,
    /// or `search_too_broad` when it took too long.
    pub fn members(&self, caller: &Caller, group: GroupId, query: &MemberQuery) -> Result<MemberPage> {
        self.members_for(&Asker::of(caller, Some(group)), caller, group, query)
    }

    /// As [`People::members`], for the one who waits as `asker`.
    pub(in crate::desk) fn members_for(
        &self,
        asker: &Asker,
        caller: &Caller,
        group: GroupId,
        query: &MemberQuery,
    ) -> Result<MemberPage> {
        permission::administer(caller, group)?;
        let asker = &searching(asker.clone(), query, PAGE_WITHIN)?;
        // One more than asked for tells whether there is a next page.
        let more = MemberQuery { limit: query.limit.saturating_add(1), ..query.clone() };
        let now = self.ground.clock.now();
        let mut members = self.ground.store.search(asker, |r| {
            known_group::known(r, group)?;
            r.members(group, &more, now)
        })?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let there_is_more = members.len() > limit;
        members.truncate(limit);
        let next = if there_is_more { members.last().map(|m| m.user.id) } else { None };
        Ok(MemberPage { members, next })
    }

    /// As [`People::members`], for a web service that hands people out: the access log has a row of what was shown, and
    /// of a refusal.
    ///
    /// # Errors
    /// As [`People::members`].
    pub fn show_members(&self, caller: &Caller, group: GroupId, query: &MemberQuery) -> Result<MemberPage> {
        let subject = group.to_string();
        let found = self.members(caller, group, query);
        let page = self.ground.logging_refusal(caller, Some(group), SHOWN, &subject, found)?;
        self.note_shown(caller, group, page.members.len())?;
        Ok(page)
    }

    /// Writes the row of so many users having been handed out.
    pub(in crate::desk) fn note_shown(&self, caller: &Caller, group: GroupId, users: usize) -> Result<()> {
        let detail = format!("{users} users shown");
        self.ground.record_reading(LogEntry::done(caller, Some(group), SHOWN, group.to_string(), detail))
    }

    /// Counts the members that [`People::members`] would list in all pages together.
    ///
    /// # Errors
    /// As [`People::members`], but a group that does not exist has none.
    pub fn count_members(&self, caller: &Caller, group: GroupId, query: &MemberQuery) -> Result<u64> {
        permission::administer(caller, group)?;
        let asker = searching(Asker::of(caller, Some(group)), query, COUNT_WITHIN)?;
        self.ground.store.search(&asker, |r| r.count_members(group, query, self.ground.clock.now()))
    }

    /// Counts as [`People::count_members`] does, and stops above `most`.
    ///
    /// # Errors
    /// As [`People::count_members`].
    pub fn count_members_to(
        &self,
        caller: &Caller,
        group: GroupId,
        query: &MemberQuery,
        most: u32,
    ) -> Result<Count> {
        permission::administer(caller, group)?;
        let asker = searching(Asker::of(caller, Some(group)), query, PAGE_WITHIN)?;
        self.ground.store.search(&asker, |r| r.count_members_to(group, query, self.ground.clock.now(), most))
    }

    /// Lists the groups that a user belongs to; for others than operators, only those they may run.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn memberships(&self, caller: &Caller, user: UserId) -> Result<Vec<Membership>> {
        let mut all = self.ground.store.read(|r| r.memberships_of(user))?;
        all.retain(|m| caller.may_administer(m.group));
        Ok(all)
    }

    /// The settings in force for a member, by name. Wire contract §9.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `user_unknown`.
    pub fn member_settings(&self, caller: &Caller, group: GroupId, user: UserId) -> Result<Settings> {
        permission::administer(caller, group)?;
        self.ground.store.snapshot(|r| {
            let member = UserKey::Id(user).find(r, group)?;
            r.effective_settings(group, member.membership.role)
        })
    }
}

/// Anyone who asks, if the search is one that may be asked for: it must end soon.
fn searching(asker: Asker, query: &MemberQuery, most: Duration) -> Result<Asker> {
    let words = query.search.split_whitespace().count();
    if query.search.chars().count() > SEARCH_MAX || words > SEARCH_WORDS_MAX {
        let public =
            format!("Search for at most {SEARCH_WORDS_MAX} words and {SEARCH_MAX} characters, all together.");
        return Err(Error::invalid("search_too_long", "search", public));
    }
    Ok(if query.looks_for_text() { asker.within(most) } else { asker })
}
