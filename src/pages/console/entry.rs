//! Coming in: the claim of a new appliance, the sign-in, switching between groups, one's own password.

use maud::{Markup, html};

use crate::model::Group;
use crate::pages::components::{ButtonStyle, Tone, button, card, code, header, notice, table};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Flash, Frame, MenuEntry, bare, console};

/// The page where the first operator takes the appliance over.
pub fn claim(token: &str, form_token: &str, lab: Option<&str>, fill: &Fill) -> String {
    let form = form::post(
        "/console/claim",
        form_token,
        &html! {
            (form::hidden("token", token))
            (FormField::text("name", "Your name").hint("You sign in with this name, and the access log shows it.")
                .required().autocomplete("username").draw(fill))
            (FormField::password("password", "Password", "new-password").hint("At least 9 characters.").required().draw(fill))
            (FormField::password("again", "The password again", "new-password").required().draw(fill))
            div.actions { (button("Claim this appliance", ButtonStyle::Primary)) }
        },
    );
    let content = html! {
        (form::problems(fill))
        section.card {
            header {
                h1 { "Claim this appliance" }
                p { "This appliance has no operator yet. You become the first operator: you can create groups, users and more operators." }
            }
            (form)
        }
    };
    bare("Claim this appliance", fill.is_wrong(), lab, &content)
}

/// The field of the sign-in with a form that a session's end interrupted, sealed.
pub const KEPT: &str = "kept";

/// A form that came after its session had ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The form, sealed, when it goes along through the sign-in.
    pub kept: Option<String>,
    /// What was typed, to be copied, when it does not.
    pub lost: Vec<(String, String)>,
}

/// What the sign-in page knows.
pub struct SignInView<'a> {
    pub form_token: &'a str,
    /// Where the person wanted to go.
    pub next: &'a str,
    /// In the lab: what its clock says.
    pub lab: Option<&'a str>,
    pub flash: Option<&'a Flash>,
    /// Nobody can sign in yet.
    pub unclaimed: bool,
    pub ended: Option<&'a Ended>,
}

/// The page where operators and administrators sign in.
pub fn sign_in(view: &SignInView<'_>, fill: &Fill) -> String {
    let &SignInView { form_token, next, lab, flash, unclaimed, ended } = view;
    let along = html! {
        @if !next.is_empty() { (form::hidden("next", next)) }
        @if let Some(sealed) = ended.and_then(|ended| ended.kept.as_deref()) { (form::hidden(KEPT, sealed)) }
    };
    let form = form::post(
        "/console/sign-in",
        form_token,
        &html! {
            (along)
            (FormField::text("name", "Name or Glance Address").required().autocomplete("username").draw(fill))
            (FormField::password("password", "Password", "current-password").required().draw(fill))
            div.actions { (button("Sign in", ButtonStyle::Primary)) }
        },
    );
    let content = html! {
        @if let Some(ended) = ended { (told_of_the_end(ended)) }
        @if let Some(flash) = flash { div role="status" { div.notice.good { p { (flash.sentence) } } } }
        (form::problems(fill))
        @if lab.is_some() {
            section.card {
                header {
                    h1 { "The lab's console" }
                    p { "A lab can be reached only from this machine and contains no real users' data, so it needs no password." }
                }
                (form::post("/console/enter-lab", form_token, &html! {
                    (along)
                    div.actions { (button("Open the console", ButtonStyle::Primary)) }
                }))
            }
        } @else if unclaimed {
            (notice(Tone::Info, &html! {
                p { "This appliance has no operator yet. Open the link that the server printed when it started. With systemd, "
                    code { "journalctl -u sidelight" } " shows the link." } }))
        }
        section.card {
            header {
                @if lab.is_some() { h2 { "Or sign in" } } @else { h1 { "Sign in to the console" } }
                p { "For operators of this server and administrators of a group." }
            }
            (form)
        }
    };
    bare("Sign in", fill.is_wrong(), lab, &content)
}

/// Says that nothing was saved, and where what was typed is.
fn told_of_the_end(ended: &Ended) -> Markup {
    html! {
        div role="alert" {
            (notice(Tone::Warn, &html! {
                p { strong { "Your session had ended, so nothing was saved." } }
                @if ended.kept.is_some() {
                    p { "Sign in as the same user, and the form shows what you typed. Passwords and API keys are \
                         not kept." }
                } @else if ended.lost.is_empty() {
                    p { "Sign in, and choose the file again." }
                } @else {
                    p { "Sign in, and make the change again. You can copy what you typed from below." }
                    details { summary { "What you typed" } @for (name, value) in &ended.lost {
                        @if !value.is_empty() { (code(name, value)) }
                    } }
                }
            }))
        }
    }
}

/// The page where somebody who administers several groups goes to another.
pub fn switch(frame: &Frame<'_>, groups: &[Group]) -> String {
    let here = frame.group.map(|(id, _)| id);
    let rows: Vec<_> = groups
        .iter()
        .map(|group| {
            let go = form::post(
                "/console/switch",
                frame.token,
                &html! { (form::hidden("group", &group.id.to_string())) (button("Go there", ButtonStyle::Small)) },
            );
            vec![
                html! { span.primary { (group.name) } },
                html! { (group.id) },
                html! { @if Some(group.id) == here { span.muted { "You are here" } } @else { (go) } },
            ]
        })
        .collect();
    let content = html! {
        (header(&[], "Switch group", "The groups that you administer.", &html! {}))
        section.card.flush { (table("Groups that you administer", &["Group", "Group ID", ""], &rows)) }
    };
    console(frame, MenuEntry::Elsewhere, "Switch group", false, &content)
}

/// The page where one changes one's own password.
pub fn own_password(frame: &Frame<'_>, rule: &str, fill: &Fill) -> String {
    let form = form::post(
        "/console/password",
        frame.token,
        &html! {
            (form::whose(frame.who))
            (FormField::password("current", "Current password", "current-password").required().draw(fill))
            (FormField::password("password", "New password", "new-password").hint(rule).required().draw(fill))
            (FormField::password("again", "The new password again", "new-password").required().draw(fill))
            div.actions { (button("Change password", ButtonStyle::Primary)) }
        },
    );
    let lead = "You stay signed in here. Your sessions in other browsers end.";
    let content = html! {
        (form::problems(fill))
        (header(&[], "Your password", lead, &html! {}))
        (card("", "", &form))
    };
    console(frame, MenuEntry::Own, "Your password", fill.is_wrong(), &content)
}
