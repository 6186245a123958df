//! The frame around every page: head, lab banner, top bar, a group's menu, message, footer.
//!
//! [`console`] frames a page of somebody who is signed in, [`bare`] one of somebody who is not (claim,
//! sign-in, an error). Both name the one stylesheet, and the console's pages the one script, which none needs.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets;
use super::components::{Tone, notice};
use super::form;
use crate::model::GroupId;

/// Who is signed in, and where.
pub struct Frame<'a> {
    /// The name in the top bar.
    pub who: &'a str,
    /// Operators see all groups; a group's administrator sees one.
    pub operator: bool,
    /// The session's token against forgery, for every form.
    pub token: &'a str,
    /// The group whose pages these are: its number and name.
    pub group: Option<(GroupId, &'a str)>,
    /// What the last change had to say; shown once.
    pub flash: Option<&'a Flash>,
    /// In the lab: what its clock says.
    pub lab: Option<&'a str>,
    /// What an operator should look at: a sentence and the address of the page.
    pub attention: &'a [(&'static str, &'static str)],
    /// Groups that the same administrator may switch to.
    pub may_switch: bool,
    /// The list from which this page was opened, with its query; an address of ours.
    pub from: Option<&'a str>,
}

impl Frame<'_> {
    /// The way back to a list: as it was left, if this page was opened from it.
    pub fn back_to(&self, list: &str) -> String {
        let from = self.from.filter(|from| from.split('?').next() == Some(list));
        from.unwrap_or(list).to_owned()
    }

    /// An address of what belongs to this page, from which the way back to the list stays.
    pub fn onward(&self, address: &str) -> String {
        let Some(from) = self.from else { return address.to_owned() };
        let from: String = form_urlencoded::byte_serialize(from.as_bytes()).collect();
        format!("{address}?from={from}")
    }
}

/// What a change had to say, shown on the page after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    pub good: bool,
    pub sentence: String,
}

/// Which entry of a menu a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuEntry {
    Groups,
    Log,
    Operators,
    Backups,
    Appliance,
    Own,
    Home,
    Users,
    Roles,
    ApiKey,
    LoginKeys,
    SignOn,
    Provisioning,
    GroupLog,
    Settings,
    Elsewhere,
}

/// A group's menu: place, words, and what follows the group's address. In the order of the menu.
const GROUP_MENU: [(MenuEntry, &str, &str); 9] = [
    (MenuEntry::Home, "Overview", ""),
    (MenuEntry::Users, "Users", "/users"),
    (MenuEntry::Roles, "Roles", "/roles"),
    (MenuEntry::ApiKey, "API key", "/api-key"),
    (MenuEntry::LoginKeys, "Login keys", "/login-keys"),
    (MenuEntry::SignOn, "SSO Configure", "/sso"),
    (MenuEntry::Provisioning, "Provisioning", "/provisioning"),
    (MenuEntry::GroupLog, "Access log", "/access-log"),
    (MenuEntry::Settings, "Settings", "/settings"),
];

/// The address of a group's overview.
pub fn group_address(group: GroupId) -> String {
    format!("/console/groups/{group}")
}

/// Frames a page of somebody who is signed in. `wrong` puts "Error" in front of the window's title, which
/// is the first thing that a screen reader reads.
pub fn console(frame: &Frame<'_>, place: MenuEntry, title: &str, wrong: bool, content: &Markup) -> String {
    document(
        &PageHead { title, wrong, again: None, of_console: true },
        frame.lab,
        &framed(frame, place, content),
    )
}

/// As [`console`], for a page that the browser asks for again after so many seconds.
pub fn console_again(
    frame: &Frame<'_>,
    place: MenuEntry,
    title: &str,
    seconds: u32,
    content: &Markup,
) -> String {
    let head = PageHead { title, wrong: false, again: Some(seconds), of_console: true };
    document(&head, frame.lab, &framed(frame, place, content))
}

fn framed(frame: &Frame<'_>, place: MenuEntry, content: &Markup) -> Markup {
    let grouped = frame.group.is_some();
    html! {
        // On a phone both menus are folded: the link to this place shows them, and leaving it folds them again.
        div #menu {}
        (top(frame, place))
        div class=(if grouped { "frame grouped" } else { "frame" }) {
            @if let Some((id, name)) = frame.group { (side(id, name, place)) }
            main #main tabindex="-1" {
                @if let Some(flash) = frame.flash {
                    div role="status" {
                        (notice(if flash.good { Tone::Good } else { Tone::Bad }, &html! { p { (flash.sentence) } }))
                    }
                }
                @for (sentence, address) in frame.attention {
                    (notice(Tone::Warn, &html! { p { (sentence) " " a href=(address) { "See Backups" } } }))
                }
                (content)
            }
        }
    }
}

/// Frames a page of somebody who is not signed in.
pub fn bare(title: &str, wrong: bool, lab: Option<&str>, content: &Markup) -> String {
    let content = html! {
        header.top { (brand()) }
        div.frame.narrow { main #main tabindex="-1" { (content) } }
    };
    document(&PageHead { title, wrong, again: None, of_console: false }, lab, &content)
}

/// As [`bare`], wider and with what the console's pages have at their foot: the first page of the server.
pub fn front(title: &str, lab: Option<&str>, content: &Markup) -> String {
    let content = html! {
        header.top { (brand()) }
        div.frame.front { main #main tabindex="-1" { (content) } }
    };
    document(&PageHead { title, wrong: false, again: None, of_console: true }, lab, &content)
}

struct PageHead<'a> {
    title: &'a str,
    wrong: bool,
    /// Seconds after which the browser asks again.
    again: Option<u32>,
    /// For operators, administrators and integrators: with the script, and more at the foot.
    of_console: bool,
}

fn document(head: &PageHead<'_>, lab: Option<&str>, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                @if let Some(seconds) = head.again { meta http-equiv="refresh" content=(seconds); }
                title { @if head.wrong { "Error: " } (head.title) " – Sidelight" }
                link rel="stylesheet" href={ (assets::STATIC) (assets::stylesheet_name()) };
                link rel="icon" href=(ICON);
                @if head.of_console {
                    script defer src={ (assets::STATIC) (assets::script_name()) }
                        integrity=(assets::integrity(assets::SCRIPT)) {}
                }
            }
            body {
                a.skip href="#main" { "Skip to content" }
                @if let Some(clock) = lab {
                    aside.lab aria-label="Lab mode" {
                        strong { "LAB" } " – never for real people. " span { span.wide-only { "Clock " } (clock) " UTC" }
                    }
                }
                (content)
                footer.foot {
                    span { "Sidelight " (env!("CARGO_PKG_VERSION")) }
                    @if head.of_console {
                        span { "Times are UTC" }
                        a href="/api/openapi.json" { "API description" }
                    }
                }
            }
        }
    }
    .into_string()
}

fn top(frame: &Frame<'_>, place: MenuEntry) -> Markup {
    let entries: &[(MenuEntry, &str, &str)] = if frame.operator {
        &[
            (MenuEntry::Groups, "Groups", "/console/groups"),
            (MenuEntry::Log, "Access log", "/console/access-log"),
            (MenuEntry::Operators, "Operators", "/console/operators"),
            (MenuEntry::Backups, "Backups", "/console/backups"),
            (MenuEntry::Appliance, "Appliance", "/console/appliance"),
        ]
    } else {
        &[]
    };
    let place = if frame.operator && frame.group.is_some() { MenuEntry::Groups } else { place };
    html! {
        header.top {
            (brand())
            a.menu-button href="#menu" { "Menu" }
            a.menu-button.close href="#main" { "Close menu" }
            @if !entries.is_empty() {
                nav aria-label="Console" {
                    ul {
                        @for (entry, words, address) in entries {
                            li { a href=(address) aria-current=[(*entry == place).then_some("page")] { (words) } }
                        }
                    }
                }
            }
            div.who {
                span.name { "Signed in as " b { (frame.who) } }
                @if frame.may_switch { a href="/console/switch" { "Switch group" } }
                a href="/console/password" aria-current=[(place == MenuEntry::Own).then_some("page")] { "Password" }
                form method="post" action="/console/sign-out" {
                    (form::hidden(form::TOKEN_FIELD, frame.token))
                    button type="submit" { "Sign out" }
                }
            }
        }
    }
}

fn side(group: GroupId, name: &str, place: MenuEntry) -> Markup {
    html! {
        nav.side aria-label="Group" {
            div.group { b { (name) } span { "Group ID " (group) } }
            ul {
                @for (entry, words, rest) in &GROUP_MENU {
                    li {
                        a href={ (group_address(group)) (rest) }
                            aria-current=[(*entry == place).then_some("page")] { (words) }
                    }
                }
            }
        }
    }
}

fn brand() -> Markup {
    html! { a.brand href="/console" { (PreEscaped(MARK)) "Sidelight" } }
}

/// A door, and beside it the narrow window with the light on.
const MARK: &str = r##"<svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true"><rect x="2" y="2" width="15" height="22" rx="2.5" fill="#5f7b8e"/><circle cx="13.4" cy="13.4" r="1.5" fill="#132532"/><rect x="19.5" y="2" width="4.5" height="22" rx="2" fill="#f4b64f"/></svg>"##;
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 26 26'%3E%3Crect width='26' height='26' rx='5' fill='%23132532'/%3E%3Crect x='4' y='4' width='11' height='18' rx='2' fill='%235f7b8e'/%3E%3Crect x='17.5' y='4' width='4.5' height='18' rx='2' fill='%23f4b64f'/%3E%3C/svg%3E";

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</title><script>alert(1)</script>";

    #[test]
    fn hostile_names_are_escaped_in_the_frame() {
        let flash = Flash { good: true, sentence: HOSTILE.into() };
        let frame = Frame {
            who: HOSTILE,
            operator: true,
            token: HOSTILE,
            group: Some((GroupId(7), HOSTILE)),
            flash: Some(&flash),
            lab: Some(HOSTILE),
            attention: &[],
            may_switch: true,
            from: None,
        };
        let page = console(&frame, MenuEntry::Home, HOSTILE, false, &html! {});
        assert_eq!(page.matches("<script").count(), 1, "only our own: {page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
        assert!(!bare(HOSTILE, true, Some(HOSTILE), &html! {}).contains("<script"));
    }

    #[test]
    fn a_group_administrator_is_not_shown_the_appliance() {
        let frame = Frame {
            who: "ann",
            operator: false,
            token: "t",
            group: Some((GroupId(7), "Seven")),
            flash: None,
            lab: None,
            attention: &[],
            may_switch: false,
            from: None,
        };
        let page = console(&frame, MenuEntry::Home, "Seven", false, &html! {});
        assert!(!page.contains("/console/operators") && !page.contains("\"/console/groups\""));
        assert!(page.contains("aria-current=\"page\""));
    }
}
