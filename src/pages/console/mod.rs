//! The console's pages: one file a page family, each function one page.
//!
//! Every function takes the [`Frame`](super::layout::Frame) and plain values, and gives back a whole page.

pub mod access_log;
pub mod api_key;
pub mod appliance;
pub mod backups;
pub mod confirm;
pub mod entry;
pub mod groups;
pub mod incidents;
pub mod login_keys;
pub mod operators;
pub mod password_link;
pub mod provisioning;
pub mod roles;
pub mod settings;
pub mod sso;
pub mod sso_attempts;
pub mod upload;
pub mod user;
pub mod users;

use maud::{Markup, html};

use super::components::{Tone, badge, notice};
use super::layout::{Frame, group_address};
use crate::clock::Timestamp;
use crate::model::{GroupId, Member};

/// The address of a page of the framed group; "" when the page is not a group's.
fn own(frame: &Frame<'_>, rest: &str) -> String {
    frame.group.map_or_else(String::new, |(id, _)| at(id, rest))
}

/// The address of a page of a group.
fn at(group: GroupId, rest: &str) -> String {
    format!("{}{rest}", group_address(group))
}

/// The way to a page of the framed group: all groups, for operators, then the group.
fn crumbs<'a>(frame: &Frame<'a>, more: &[(&str, &'a str)]) -> Vec<(String, &'a str)> {
    let mut crumbs = Vec::new();
    if frame.operator {
        crumbs.push((frame.back_to("/console/groups"), "Groups"));
    }
    if let Some((id, name)) = frame.group {
        crumbs.push((group_address(id), name));
        crumbs.extend(more.iter().map(|(rest, words)| (frame.back_to(&at(id, rest)), *words)));
    }
    crumbs
}

/// Beside addresses to be copied: whether they can be relied on.
fn guessed_origin(guessed: bool) -> Markup {
    html! {
        @if guessed {
            (notice(Tone::Warn, &html! {
                p { "These addresses come from the address in your browser. Set " code { "public_url" } " first." }
            }))
        }
    }
}

/// A member's name, or the Glance Address of one without.
fn name_of(member: &Member) -> String {
    let name = format!("{} {}", member.user.person.first_name, member.user.person.last_name);
    match name.trim() {
        "" => member.user.address.to_string(),
        name => name.to_owned(),
    }
}

/// The states of a member, one badge each.
fn states(member: &Member, now: Timestamp) -> Markup {
    let membership = &member.membership;
    html! {
        span.badges {
            @if membership.suspended { (badge(Tone::Bad, "Suspended")) }
            @if !membership.active { (badge(Tone::Plain, "Inactive")) }
            @if member.user.is_locked(now) { (badge(Tone::Warn, "Locked")) }
            @if membership.may_sign_in() && !member.user.is_locked(now) { (badge(Tone::Good, "Active")) }
            @if membership.administrator { (badge(Tone::Info, "Administrator")) }
        }
    }
}

#[cfg(test)]
mod tests;
