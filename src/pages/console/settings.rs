//! A group's settings: its name, what its members may do, which sites may frame our pages, what it asks of passwords.
//! Wire contract §9.

use maud::{Markup, html};

use super::roles::SETTING_FIELD;
use super::{crumbs, own};
use crate::model::Group;
use crate::pages::components::{ButtonStyle, button, card, danger_card, header, link_button, pairs, time};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// The field of the allowed sites, and that of the sites which the form was drawn from.
pub const SITES_FIELD: &str = "allowed_sites";
/// Where on the page the allowed sites are: the end of its address.
pub const SITES_ANCHOR: &str = "allowed-sites";

/// What the page shows: one [`Fill`] a form.
pub struct SettingsView<'a> {
    pub group: &'a Group,
    /// The group's settings by name, and whether each can be removed.
    pub settings: &'a [(String, bool)],
    /// The rules to choose from: name and sentence.
    pub rules: &'a [(String, String)],
    pub about: &'a Fill,
    pub privileges: &'a Fill,
    pub sites: &'a Fill,
    pub security: &'a Fill,
}

/// The page of a group's settings.
pub fn page(frame: &Frame<'_>, view: &SettingsView<'_>) -> String {
    let fills = [view.about, view.privileges, view.sites, view.security];
    let wrong = fills.iter().any(|fill| fill.is_wrong());
    let content = html! {
        @for fill in fills { (form::problems(fill)) }
        (header(&crumbs(frame, &[]), "Settings", "", &html! {}))
        (card("Group", "", &about(frame, view)))
        (card("What members may do",
            "A setting that is off here is off for every role. Roles keep their own choice for later. Users without a role get these settings.",
            &privileges(frame, view)))
        div id=(SITES_ANCHOR) {
            (card("Allowed sites",
                "Sites that may embed this group's sign-in page, and the pages after it, in a frame.",
                &sites(frame, view.sites)))
        }
        (card("Passwords",
            "The rules apply when a password is set or changed. Current passwords stay valid. Login keys and API keys are not affected.",
            &security(frame, view)))
        @if frame.operator { (end(frame, view.group)) }
    };
    console(frame, MenuEntry::Settings, "Settings", wrong, &content)
}

/// What ends the group, for operators.
fn end(frame: &Frame<'_>, group: &Group) -> Markup {
    let delete = link_button(&own(frame, "/settings/delete"), "Delete group…", false);
    match group.off_since {
        None => card(
            "Off, or deleted",
            "When you switch the group off, nobody can sign in to it, but all data is kept. When you delete the group, it cannot be restored.",
            &html! {
                div.actions { (link_button(&own(frame, "/settings/off"), "Switch group off…", false)) (delete) }
            },
        ),
        Some(since) => danger_card(
            "Switched off",
            "Nobody can sign in to this group: all its credentials are refused. All data is kept.",
            &html! {
                (pairs(&[("Off since (UTC)", time(since))]))
                div.actions {
                    (form::post_button(&own(frame, "/settings/on"), frame.token, &button("Switch group on", ButtonStyle::Primary)))
                    (delete)
                }
            },
        ),
    }
}

fn about(frame: &Frame<'_>, view: &SettingsView<'_>) -> Markup {
    if !frame.operator {
        let account = view.group.account_id.as_deref().unwrap_or("None");
        return html! {
            (pairs(&[
                ("Group ID", html! { (view.group.id) }),
                ("Name", html! { (view.group.name) }),
                ("Unique Account ID", html! { (account) }),
            ]))
            p.hint { "An operator of this server can change these." }
        };
    }
    form::post(
        &own(frame, "/settings/group"),
        frame.token,
        &html! {
            (form::opened(view.about))
            (FormField::text("name", "Name").required().draw(view.about))
            (FormField::text("account_id", "Unique Account ID")
                .hint("Needed only for sign-on by idptoken. An example is the Salesforce Org ID.").draw(view.about))
            div.actions { (button("Save group", ButtonStyle::Primary)) }
        },
    )
}

fn privileges(frame: &Frame<'_>, view: &SettingsView<'_>) -> Markup {
    let boxes = html! {
        @for (name, removable) in view.settings {
            div.tick-line {
                (form::tick(SETTING_FIELD, name, name, "", view.privileges))
                @if *removable {
                    @let query: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
                    a.small href={ (own(frame, "/settings/remove")) "?name=" (query) } {
                        "Remove" span.unseen { " " (name) } "…"
                    }
                }
            }
        }
    };
    form::post(
        &own(frame, "/settings/privileges"),
        frame.token,
        &html! {
            (form::opened(view.privileges))
            (form::fieldset("Settings that are on", &boxes))
            (FormField::text("new_setting", "Add a setting")
                .hint("The name that clients use, such as viewVideo. A new setting is on in the group and off in each role.")
                .draw(view.privileges))
            div.actions { (button("Save settings", ButtonStyle::Primary)) }
        },
    )
}

fn sites(frame: &Frame<'_>, fill: &Fill) -> Markup {
    form::post(
        &own(frame, "/settings/sites"),
        frame.token,
        &html! {
            (form::opened(fill))
            (FormField::area(SITES_FIELD, "Sites")
                .hint("One per line: scheme and host, such as https://crm.example.com. If empty, no other site can embed these pages.")
                .unmarked().draw(fill))
            div.actions { (button("Save allowed sites", ButtonStyle::Primary)) }
        },
    )
}

fn security(frame: &Frame<'_>, view: &SettingsView<'_>) -> Markup {
    let fill = view.security;
    let rules = html! {
        @for (name, sentence) in view.rules { (form::radio("rule", name, sentence, "", fill)) }
    };
    form::post(
        &own(frame, "/settings/security"),
        frame.token,
        &html! {
            (form::opened(fill))
            (form::fieldset("Minimum password complexity", &rules))
            (FormField::area("reset_message", "Password reset prompt message")
                .hint("This message is shown on the page that a one-time link opens.").draw(fill))
            (form::fieldset("Password reset by a one-time link", &html! {
                (form::tick("reset_requires_new", "yes", "Require a password different from the current one", "", fill))
                (form::tick("reset_may_create", "yes", "Users without a password may create one with a reset",
                    "If off, you cannot make a link for them; an administrator sets their password.", fill))
            }))
            (form::fieldset("Provisioning", &html! {
                (form::tick("scim_sets_administrators", "yes", "SCIM tokens may set administrators' passwords",
                    "Then anyone who has a token of this group can sign in as any of its administrators. Off: only other \
                     users' passwords are taken.", fill))
            }))
            div.actions { (button("Save password rules", ButtonStyle::Primary)) }
        },
    )
}
