//! One-time links for a password: what an administrator sees of them on a user's page, and the pages that the person
//! sees who opens one.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::pages::components::{
    ButtonStyle, Tone, button, card, choice_button, code, link_button, notice, pairs, time,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, bare};

/// What can be said of a person's link.
pub enum Standing<'a> {
    /// A link can be made; there is none.
    None,
    /// A link that can be used, and who made it.
    Open { made_by: &'a str, expires_at: Timestamp },
    /// No link can be made: the person has no password, and the home group's rules do not let a reset make the first.
    /// The address of those rules.
    NotServed(&'a str),
}

/// A link that was just made.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    pub url: &'a str,
    pub expires_at: Timestamp,
    /// The address in it is only what the browser says.
    pub origin_is_guessed: bool,
}

/// The card with a link that was just made: the only time that it is shown.
pub(super) fn made(made: Made<'_>, address: &str) -> Markup {
    let content = html! {
        (super::guessed_origin(made.origin_is_guessed))
        (code("One-time link", made.url))
        p.hint {
            "Click to select it. Send it to " (address) " over a channel that only they can read. The first person to open the link can "
            "set the password. It is open until " (time(made.expires_at)) " UTC."
        }
    };
    card("The one-time link", "The link is shown only once. This server sends no mail.", &content)
}

/// The part of a user's page with which links are made and ended; `address` is that of the user's page.
pub(super) fn part(frame: &Frame<'_>, standing: &Standing<'_>, address: &str) -> Markup {
    let make = |words, weight| {
        form::post_button(
            &frame.onward(&format!("{address}/password-link")),
            frame.token,
            &choice_button(words, weight, "to", "make"),
        )
    };
    html! {
        h3 { "Or let them set it" }
        @match standing {
            Standing::None => {
                p.muted { "The user can open the link once, within 24 hours, to set a password. The group's password rules apply." }
                div.actions { (make("Make a one-time link", ButtonStyle::Plain)) }
            },
            Standing::Open { made_by, expires_at } => {
                (pairs(&[
                    ("One-time link", html! { "Open, and not used yet" }),
                    ("Made by", html! { (made_by) }),
                    ("Open until (UTC)", time(*expires_at)),
                ]))
                div.actions {
                    (make("Make a new link", ButtonStyle::Plain))
                    (form::post_button(
                        &frame.onward(&format!("{address}/password-link")),
                        frame.token,
                        &choice_button("End the link", ButtonStyle::Plain, "to", "end"),
                    ))
                }
                p.hint { "A new link replaces this one." }
            },
            Standing::NotServed(settings) => p.muted {
                "This user has no password, and the group does not allow one-time links for a first password. "
                a href=(settings) { "Allow it in Settings" } ", or set a password here."
            },
        }
    }
}

/// What the person sees who opened a link.
pub struct SetView<'a> {
    /// What the link carries; it travels with the form.
    pub token: &'a str,
    pub form_token: &'a str,
    pub address: &'a str,
    /// What the password must keep to.
    pub rule: &'a str,
    /// What the home group says to its people; "" for nothing.
    pub message: &'a str,
    pub requires_new: bool,
    pub expires_at: Timestamp,
    pub lab: Option<&'a str>,
}

/// The page where the person sets the password.
pub fn set(view: &SetView<'_>, fill: &Fill) -> String {
    let rule = match view.requires_new {
        true => format!("{} It must differ from your current password.", view.rule),
        false => view.rule.to_owned(),
    };
    let form = form::post(
        "/console/set-password",
        view.form_token,
        &html! {
            (form::hidden("token", view.token))
            (form::whose(view.address))
            (FormField::password("password", "New password", "new-password").hint(&rule).required().draw(fill))
            (FormField::password("again", "The new password again", "new-password").required().draw(fill))
            div.actions { (button("Set password", ButtonStyle::Primary)) }
        },
    );
    let content = html! {
        (form::problems(fill))
        section.card {
            header {
                h1 { "Set your password" }
                p { "For the Glance Address " strong { (view.address) } "." }
            }
            @if !view.message.is_empty() {
                (notice(Tone::Info, &html! { @for line in view.message.lines() { p { (line) } } }))
            }
            (form)
            p.hint {
                "This link works once, until " (time(view.expires_at)) " UTC. You will be signed out everywhere."
            }
        }
    };
    bare("Set your password", fill.is_wrong(), view.lab, &content)
}

/// The page of a link that is not open any more, or never was.
pub fn closed(sentence: &str, lab: Option<&str>) -> String {
    let content = html! {
        section.card {
            h1 { "This link is no longer valid" }
            p { (sentence) }
        }
    };
    bare("This link is no longer valid", true, lab, &content)
}

/// The page after the password was set; `sentence` says whose.
pub fn done(sentence: &str, lab: Option<&str>) -> String {
    let content = html! {
        section.card {
            header { h1 { "Your password is set" } }
            div role="status" { p { (sentence) } }
            p { "Use the new password wherever you sign in. The link no longer works. You can close this page." }
            p.muted { "Administrators of a group can continue to the console." }
            div.actions { (link_button("/console/sign-in", "Sign in to the console", false)) }
        }
    };
    bare("Your password is set", false, lab, &content)
}
