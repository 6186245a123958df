//! One user: details, password, state, what was done to them and by them.

use maud::{Markup, html};

use super::access_log::{LogLine, lines};
use super::password_link::{self, Made, Standing};
use super::users::{lines_of_text, puid_field, role_options};
use super::{crumbs, name_of, own, states};
use crate::clock::Timestamp;
use crate::model::person::{ADDRESS, ROLE};
use crate::model::{Group, Member, Role};
use crate::pages::components::{
    ButtonStyle, Tone, badge, button, card, choice_button, danger_card, flush_card, header, link_button,
    notice, pairs, table, time, time_or,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// What the page shows.
#[derive(Clone, Copy)]
pub struct UserView<'a> {
    pub member: &'a Member,
    pub roles: &'a [Role],
    /// The groups that the user belongs to, as far as the reader may know them.
    pub groups: &'a [Group],
    /// The settings in force: name, and whether on.
    pub settings: &'a [(String, bool)],
    /// False when the home group is another's: then only PUID, role and state can be changed.
    pub may_change_person: bool,
    /// Whether it is the reader, who cannot shut themselves out.
    pub own: bool,
    /// What the password must keep to.
    pub rule: &'a str,
    pub link: &'a Standing<'a>,
    /// A one-time link that was just made.
    pub made: Option<Made<'a>>,
    pub details: &'a Fill,
    pub password: &'a Fill,
    pub history: &'a [LogLine],
    pub now: Timestamp,
}

/// The page of one user.
pub fn page(frame: &Frame<'_>, view: &UserView<'_>) -> String {
    let member = view.member;
    let name = name_of(member);
    let address = own(frame, &format!("/users/{}", member.user.id));
    let puid = member.membership.puid.as_ref().map(|puid| encoded(puid.as_str()));
    let actions = html! {
        @if let Some(puid) = puid {
            (link_button(&own(frame, &format!("/login-keys?puid={puid}")), "Login key", false))
        }
        @if !view.own { (link_button(&frame.onward(&format!("{address}/delete")), "Delete…", false)) }
    };
    let content = html! {
        (form::problems(view.details))
        (form::problems(view.password))
        (header(&crumbs(frame, &[("/users", "Users")]), &name, "", &actions))
        @if let Some(made) = view.made { (password_link::made(made, member.user.address.as_str())) }
        (card("", "", &facts(view)))
        @if !view.may_change_person {
            (notice(Tone::Info, &html! {
                p { "This user's home group is another group. Here you can change only the PUID, role and state in this group." }
            }))
        }
        (card("Details", "", &details(frame, view, &address)))
        (state_card(frame, view, &address))
        @if view.may_change_person { (password_card(frame, view, &address)) }
        div.columns {
            @if !view.settings.is_empty() {
                (card("Settings in force", "What the role and the group allow.", &settings(view.settings)))
            }
            @if view.groups.len() > 1 { (card("Groups", "", &groups(view))) }
        }
        (flush_card("History", "The latest access log rows about this user.", &lines(view.history, false)))
    };
    let wrong = view.details.is_wrong() || view.password.is_wrong();
    console(frame, MenuEntry::Users, &name, wrong, &content)
}

fn facts(view: &UserView<'_>) -> Markup {
    let user = &view.member.user;
    let none = || html! { span.muted { "None" } };
    pairs(&[
        ("State", states(view.member, view.now)),
        ("Glance Address", html! { (user.address) }),
        ("PUID", view.member.membership.puid.as_ref().map_or_else(none, |puid| html! { code { (puid) } })),
        (
            "E-mail address",
            html! { @if user.person.email.is_empty() { (none()) } @else { (user.person.email) } },
        ),
        ("Role", view.member.role_name.as_ref().map_or_else(none, |role| html! { (role) })),
        ("Person ID", html! { (user.id) }),
        ("Password", html! { @if user.has_password { "Set" } @else { span.muted { "None" } } }),
        ("Signed in (UTC)", time_or(user.signed_in_at, "Never")),
        ("Made (UTC)", time(user.created_at)),
        ("Changed (UTC)", time(user.updated_at.max(view.member.membership.updated_at))),
    ])
}

fn details(frame: &Frame<'_>, view: &UserView<'_>, address: &str) -> Markup {
    let fill = view.details;
    let options = role_options(view.roles);
    form::post(
        &frame.onward(address),
        frame.token,
        &html! {
            (form::opened(fill))
            @if view.may_change_person {
                (FormField::text(ADDRESS.name, ADDRESS.label).required().draw(fill))
            }
            (puid_field(fill))
            @if view.may_change_person {
                (lines_of_text(fill))
            }
            (FormField::select(ROLE.name, ROLE.label, &options).draw(fill))
            div.actions { (button("Save details", ButtonStyle::Primary)) }
        },
    )
}

fn password_card(frame: &Frame<'_>, view: &UserView<'_>, address: &str) -> Markup {
    let form = form::post(
        &frame.onward(&format!("{address}/password")),
        frame.token,
        &html! {
            (form::whose(view.member.user.address.as_str()))
            div.row {
                (FormField::password("password", "New password", "new-password").hint(view.rule).required().draw(view.password))
                (FormField::password("again", "The new password again", "new-password").required().draw(view.password))
            }
            div.actions { (button("Set password", ButtonStyle::Plain)) }
        },
    );
    let content = html! { (form) (password_link::part(frame, view.link, address)) };
    card("Password", "A new password ends the user's sessions and clears a lockout.", &content)
}

/// What the state form can do: value, words on the button, what it means.
fn state_card(frame: &Frame<'_>, view: &UserView<'_>, address: &str) -> Markup {
    let membership = &view.member.membership;
    let locked = view.member.user.is_locked(view.now);
    let choice = |value, words| choice_button(words, ButtonStyle::Plain, "to", value);
    if view.own {
        let unlock = form::post(
            &frame.onward(&format!("{address}/state")),
            frame.token,
            &choice("unlocked", "Clear lockout"),
        );
        let sentence = "This is you. You cannot suspend, deactivate, demote or delete yourself; another administrator can.";
        return card("State", sentence, &html! { @if locked { (unlock) } });
    }
    let buttons = html! {
        div.actions {
            @if membership.suspended { (choice("reinstated", "Reinstate")) } @else { (choice("suspended", "Suspend")) }
            @if membership.active { (choice("inactive", "Deactivate")) } @else { (choice("active", "Activate")) }
            @if membership.administrator { (choice("member", "Remove administrator rights")) }
            @else { (choice("administrator", "Make administrator")) }
            @if locked { (choice("unlocked", "Clear lockout")) }
        }
    };
    let sentence = "Suspending or deactivating takes effect at once: login keys, tokens and sessions of this user \
                    are refused from then on.";
    let form = form::post(&frame.onward(&format!("{address}/state")), frame.token, &buttons);
    if membership.suspended { danger_card("State", sentence, &form) } else { card("State", sentence, &form) }
}

pub(super) fn settings(settings: &[(String, bool)]) -> Markup {
    let rows: Vec<_> = settings
        .iter()
        .map(|(name, on)| {
            vec![
                html! { code { (name) } },
                html! { @if *on { (badge(Tone::Good, "On")) } @else { (badge(Tone::Plain, "Off")) } },
            ]
        })
        .collect();
    table("Settings", &["Setting", "In force"], &rows)
}

fn groups(view: &UserView<'_>) -> Markup {
    html! {
        ul {
            @for group in view.groups {
                li {
                    a href={ "/console/groups/" (group.id) "/users/" (view.member.user.id) } { (group.name) }
                    @if group.id == view.member.user.home_group { " " (badge(Tone::Info, "Home")) }
                }
            }
        }
    }
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
