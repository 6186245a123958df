//! SSO Configure: an overview that says whether it works, and a page for each of its four steps.
//!
//! [`overview`] here; the forms are in [`step`], the keys of both sides in [`keys`], the upload in [`metadata`].
//! Each page is one form, so that no button loses what was typed beside it.

pub mod keys;
pub mod message;
pub mod metadata;
pub mod step;

use maud::{Markup, PreEscaped, html};

use super::{crumbs, guessed_origin, own};
use crate::model::sso::addresses::Addresses;
use crate::model::sso::health::{Condition, Fact, Health, NextAction};
use crate::model::sso::step::Step;
use crate::model::sso::{Configuration, KeyFacts, Method, Status};
use crate::pages::components::{
    ButtonStyle, Tone, card, choice_button, code, header, link_button, notice, pairs, time, time_or,
};
use crate::pages::form;
use crate::pages::layout::{Frame, MenuEntry, console};

const TITLE: &str = "SSO Configure";

/// What the overview shows.
pub struct OverviewView<'a> {
    pub configuration: &'a Configuration,
    pub health: &'a Health,
    /// A sign-in that begins here would reach the identity provider.
    pub ready: bool,
    pub addresses: &'a Addresses,
    /// Whether their origin is only what the browser says.
    pub origin_is_guessed: bool,
}

/// The first page: does it work, and what the identity provider must be told.
pub fn overview(frame: &Frame<'_>, view: &OverviewView<'_>) -> String {
    let lead = match view.configuration.description.as_str() {
        "" => "The group's users sign in with their organisation's own sign-in page.",
        description => description,
    };
    let actions = html! {
        (link_button(&own(frame, "/sso/attempts"), "Attempts", false))
        @if view.ready { (link_button(&view.addresses.test, "Test sign-in", true)) }
    };
    let way = crumbs(frame, &[]);
    let content = html! {
        (header(&way, TITLE, lead, &actions))
        (links(frame, view.health))
        section.card.flush {
            header {
                h2 { "Does it work?" }
                p { "As of " (time(view.health.at)) " UTC." }
            }
            ul.sso-lines { @for fact in &view.health.facts { (line(frame, fact, &view.addresses.test)) } }
        }
        (tell(frame, view))
        (operation(frame, view))
    };
    console(frame, MenuEntry::SignOn, TITLE, false, &content)
}

/// The bar of steps, where nothing is being typed.
fn links(frame: &Frame<'_>, health: &Health) -> Markup {
    html! {
        nav aria-label="Steps of SSO Configure" {
            ol.sso-steps {
                @for (number, state) in (1..).zip(&health.steps) {
                    li {
                        a href=(own(frame, &format!("/sso{}", state.step.path()))) {
                            (sign(state.condition))
                            b { (number) " " (state.step.title()) }
                            span { (state.words) }
                        }
                    }
                }
            }
        }
    }
}

/// The `id` of a step's form.
const FORM: &str = "step";
/// The form's field with the step whose page is asked for.
pub const GO: &str = "go";
/// Begins the name of the field with the edition that another step's carried values answer.
pub const EDITION_OF: &str = "edition_of_";

/// The bar of steps on the page of step `at`: its buttons send the form, so that what was typed goes along. `wrong` is
/// what the step has to say instead of its state, `save` stands on the button that Enter presses: the first of the form.
fn bar(frame: &Frame<'_>, health: &Health, at: Step, wrong: &str, save: &str) -> Markup {
    let action = own(frame, &format!("/sso{}", at.path()));
    html! {
        button.unseen type="submit" form=(FORM) tabindex="-1" aria-hidden="true" { (save) }
        nav aria-label="Steps of SSO Configure" {
            ol.sso-steps.at {
                @for (number, state) in (1..).zip(&health.steps) {
                    @let is_here = at == state.step;
                    @let is_wrong = is_here && !wrong.is_empty();
                    li {
                        button type="submit" form=(FORM) formaction=(action) formnovalidate name=(GO)
                            value=(state.step.word()) aria-current=[is_here.then_some("step")] {
                            (sign(if is_wrong { Condition::Bad } else { state.condition }))
                            b { (number) " " span { (state.step.title()) } }
                            span { @if is_wrong { (wrong) } @else { (state.words) } }
                        }
                    }
                }
            }
        }
    }
}

/// What was typed on the page of another step and is not saved.
pub struct UnsavedFields {
    pub step: Step,
    /// The fields that would change.
    pub labels: Vec<String>,
    /// All that the page had, to be sent again.
    pub values: Vec<(String, String)>,
}

/// What was typed elsewhere, for the form of this page.
fn carried(others: &[UnsavedFields]) -> Markup {
    html! {
        @for other in others { @for (name, value) in &other.values { (form::hidden(name, value)) } }
    }
}

/// Says what was typed elsewhere and is not saved; `then` says how it is.
fn unsaved(others: &[UnsavedFields], then: &str) -> Markup {
    html! {
        @if !others.is_empty() {
            (notice(Tone::Warn, &html! {
                p {
                    strong { "Not saved yet. " }
                    @for other in others { (other.step.title()) ": " (other.labels.join(", ")) ". " }
                    (then)
                }
            }))
        }
    }
}

fn line(frame: &Frame<'_>, fact: &Fact, test: &str) -> Markup {
    let class = match fact.condition {
        Condition::Attention => "warn",
        Condition::Bad => "bad",
        Condition::Good | Condition::Off => "",
    };
    html! {
        li class=(class) {
            (sign(fact.condition))
            div { b { (fact.heading) } p { (fact.sentence) } }
            @if let Some(act) = fact.act {
                @let (words, address) = act_of(frame, act, test);
                span.do { a.button.small href=(address) { (words) } }
            }
        }
    }
}

fn act_of(frame: &Frame<'_>, act: NextAction, test: &str) -> (&'static str, String) {
    let at = |rest: &str| own(frame, &format!("/sso{rest}"));
    match act {
        NextAction::Upload => ("Upload their metadata", at("/metadata")),
        NextAction::AddKey => ("Add a key", at("/keys")),
        NextAction::Attempts => ("See attempts", at("/attempts")),
        NextAction::Refusals => ("See refusals", at("/attempts")),
        NextAction::Test => ("Test sign-in", test.to_owned()),
        NextAction::Change(Step::IdentityProvider) => ("Change", at(Step::IdentityProvider.path())),
        NextAction::Change(Step::Keys) => ("See the keys", at(Step::Keys.path())),
        NextAction::Change(Step::Request) => ("Change", at(Step::Request.path())),
        NextAction::Change(Step::People) => ("Change", at(Step::People.path())),
    }
}

fn tell(frame: &Frame<'_>, view: &OverviewView<'_>) -> Markup {
    let named = match view.configuration.identity_attribute.as_str() {
        "" => html! { "By the NameID: e-mail address, Glance Address or Partner User ID." },
        attribute => html! {
            "By the attribute " code { (attribute) } ": e-mail address, Glance Address or Partner User ID."
        },
    };
    card(
        "Give these to the identity provider",
        "Most identity providers need only our metadata, by address or as a file.",
        &html! {
            (guessed_origin(view.origin_is_guessed))
            div.sso-values {
                (code("Metadata", &view.addresses.metadata))
                (code("ACS URL (copy it exactly)", &view.addresses.acs))
                (code("Entity ID", &view.configuration.sp_entity_id))
                (code("Sign-in address", &view.addresses.sign_in))
            }
            p { "How a user is found. " (named) }
            div.actions {
                (link_button(&own(frame, "/sso/metadata"), "Upload their metadata", false))
                (link_button(&view.addresses.metadata, "Download our metadata", false))
                @if view.ready { (link_button(&view.addresses.sign_in, "Sign in", false)) }
            }
        },
    )
}

/// The Operational Status, and the way to switch everything off.
fn operation(frame: &Frame<'_>, view: &OverviewView<'_>) -> Markup {
    let configuration = view.configuration;
    if configuration.method == Method::Off {
        return html! {};
    }
    let (other, words, sentence) = match configuration.status {
        Status::Provisioning => (
            Status::Production,
            "Set Production",
            "Every attempt is kept with its checks. In status Production, only refusals are kept.",
        ),
        Status::Production => (
            Status::Provisioning,
            "Back to Provisioning",
            "Only refusals are kept, with their checks. In status Provisioning, every attempt is kept.",
        ),
    };
    card(
        &format!("Operational Status: {}", configuration.status.label()),
        sentence,
        &form::post(
            &own(frame, "/sso/status"),
            frame.token,
            &html! {
                div.actions {
                    (choice_button(words, ButtonStyle::Plain, "status", other.as_str()))
                    (elsewhere("Turn off…", "button danger-outline", &own(frame, "/sso/off")))
                }
            },
        ),
    )
}

/// A button of a form that sends the form to another address than its own.
fn elsewhere(words: &str, class: &str, address: &str) -> Markup {
    html! { button class=(class) type="submit" formaction=(address) formnovalidate { (words) } }
}

/// A question on a page of its own, before something ends for others.
pub struct Question<'a> {
    /// "Remove this key?"
    pub title: &'a str,
    /// What ends, for whom, and whether it can be taken back.
    pub sentences: &'a [String],
    /// The key that it is about.
    pub about: Option<&'a KeyFacts>,
    /// Where the answer goes; the form says `confirmed=yes`.
    pub action: &'a str,
    /// On the button: verb and object.
    pub words: &'a str,
    /// What travels along: what was typed on the page before, and what is asked about.
    pub carried: &'a [(String, String)],
    /// On the way back.
    pub keep: &'a str,
    /// Where one goes who thinks better of it.
    pub back: Back<'a>,
}

/// The way back from a question.
pub enum Back<'a> {
    /// To an address.
    To(&'a str),
    /// To the form as it was typed: the question's own address with `confirmed=no`.
    Typed,
}

/// Asks.
pub fn ask(frame: &Frame<'_>, question: &Question<'_>) -> String {
    let content = html! {
        (header(&crumbs(frame, &[("/sso", TITLE)]), question.title, "", &html! {}))
        (card("", "", &form::post(question.action, frame.token, &html! {
            @for (name, value) in question.carried { (form::hidden(name, value)) }
            @if let Some(key) = question.about { (pairs(&[
                ("Key", html! { (key.subject) ", " (key.kind) }),
                ("SHA-256", html! { code.sso-print { (grouped(&key.fingerprint)) } }),
                ("Last used (UTC)", time_or(key.used_at, "Never")),
            ])) }
            @for sentence in question.sentences { p { (sentence) } }
            div.actions {
                (choice_button(question.words, ButtonStyle::Danger, "confirmed", "yes"))
                @match question.back {
                    Back::To(address) => a href=(address) { (question.keep) },
                    Back::Typed => (choice_button(question.keep, ButtonStyle::Plain, "confirmed", "no")),
                }
            }
        })))
    };
    console(frame, MenuEntry::SignOn, question.title, false, &content)
}

/// A SHA-256 in groups of four, as people compare it.
pub fn grouped(fingerprint: &str) -> String {
    let groups: Vec<&str> =
        fingerprint.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

/// The shape and the word of a condition.
fn sign(condition: Condition) -> Markup {
    let (class, word, shape) = match condition {
        Condition::Good => ("sign good", "Good", GOOD),
        Condition::Attention => ("sign warn", "Attention", ATTENTION),
        Condition::Bad => ("sign bad", "Refused", BAD),
        Condition::Off => ("sign", "Off", OFF),
    };
    html! { span class=(class) { (PreEscaped(shape)) span.unseen { (word) ": " } } }
}

const GOOD: &str = r#"<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8.5" fill="currentColor"/><path class="cut" d="M6 10.4l2.7 2.7L14 7.6" fill="none" stroke-width="2"/></svg>"#;
const ATTENTION: &str = r#"<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><path d="M10 1.8L19 18H1z" fill="currentColor"/><path class="cut" d="M10 7.5v5M10 14v2" stroke-width="2"/></svg>"#;
const BAD: &str = r#"<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><path d="M6.2 1h7.6L19 6.2v7.6L13.8 19H6.2L1 13.8V6.2z" fill="currentColor"/><path class="cut" d="M6.8 6.8l6.4 6.4M13.2 6.8l-6.4 6.4" stroke-width="2"/></svg>"#;
const OFF: &str = r#"<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5" fill="none" stroke="currentColor" stroke-width="2"/></svg>"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_shown_in_groups_of_four() {
        assert_eq!(grouped("c19a4dd4d01c47fe"), "c19a 4dd4 d01c 47fe");
        assert_eq!(grouped(""), "");
    }
}
