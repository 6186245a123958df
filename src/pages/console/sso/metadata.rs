//! The upload of the identity provider's metadata, and what it would change.

use maud::{Markup, html};

use super::super::{crumbs, own};
use super::TITLE;
use super::keys::facts_of;
use crate::model::sso::KeyFacts;
use crate::pages::components::{
    ButtonStyle, Tone, button, card, choice_button, danger_card, flush_card, header, link_button, notice,
    table,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// The page that takes the file.
pub fn upload(frame: &Frame<'_>, fill: &Fill) -> String {
    const HEADING: &str = "Metadata File Upload";
    let lead = "The file fills in most fields and the keys. You see the changes before they are saved.";
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/sso", TITLE)]), HEADING, lead, &html! {}))
        (card("", "", &form::upload(&own(frame, "/sso/metadata"), frame.token, &html! {
            (FormField::file("metadata_file", "Metadata file").unmarked().draw(fill))
            (FormField::area("metadata_text", "Or paste its text").code().unmarked().draw(fill))
            (FormField::text("entity", "Entity ID, when the file has several").draw(fill))
            div.actions {
                (button("Show the changes", ButtonStyle::Primary))
                a href=(own(frame, "/sso")) { "Cancel" }
            }
        })))
    };
    console(frame, MenuEntry::SignOn, HEADING, fill.is_wrong(), &content)
}

/// What an upload would change.
pub struct PreviewView<'a> {
    /// The identity provider that was read.
    pub entity: &'a str,
    /// Label, before, after.
    pub changes: &'a [(&'a str, &'a str, &'a str)],
    pub added: &'a [KeyFacts],
    pub removed: &'a [KeyFacts],
    /// What the keys that go did lately; a sentence, or "".
    pub going: &'a str,
    pub notes: &'a [String],
    /// Single sign-on is off, and could be switched on at once.
    pub off: bool,
    /// The file in Base64, to come back with the confirmation.
    pub file: &'a str,
}

/// What an upload would change, and the button that saves it.
pub fn preview(frame: &Frame<'_>, view: &PreviewView<'_>) -> String {
    const HEADING: &str = "Changes from the metadata";
    let shown = |value: &str| html! { @if value.is_empty() { span.muted { "None" } } @else { (value) } };
    let rows: Vec<Vec<Markup>> = view
        .changes
        .iter()
        .map(|(label, before, after)| vec![html! { (label) }, shown(before), shown(after)])
        .collect();
    let nothing = view.changes.is_empty() && view.added.is_empty() && view.removed.is_empty();
    let listed = |keys: &[KeyFacts]| {
        html! { ul.sso-lines { @for key in keys { li { (facts_of(key)) } } } }
    };
    let in_use = !view.going.is_empty();
    let (save, save_on) = match in_use {
        true => ("Save and remove the key in use", "Save, remove the key in use, and switch on SAML 2.0"),
        false => ("Save", "Save and switch on SAML 2.0"),
    };
    let weight = if in_use { ButtonStyle::Danger } else { ButtonStyle::Primary };
    let save = form::post(
        &own(frame, "/sso/metadata/save"),
        frame.token,
        &html! {
            (form::hidden("file", view.file))
            (form::hidden("entity", view.entity))
            // What was shown is what is agreed to: a key that comes into use meanwhile is asked about again.
            @for key in view.removed { (form::hidden("removed", &key.fingerprint)) }
            div.actions {
                @if view.off { (choice_button(save_on, weight, "then", "on")) }
                (button(save, if view.off { ButtonStyle::Plain } else { weight }))
                (link_button(&own(frame, "/sso"), "Cancel", false))
            }
        },
    );
    let content = html! {
        (header(&crumbs(frame, &[("/sso", TITLE), ("/sso/metadata", "Metadata File Upload")]), HEADING, view.entity, &html! {}))
        @for note in view.notes { (notice(Tone::Info, &html! { p { (note) } })) }
        @if nothing { (notice(Tone::Good, &html! { p { "No changes: everything in the file is already configured." } })) }
        @if !rows.is_empty() { (flush_card("Fields", "", &table("Fields", &["Field", "Before", "After"], &rows))) }
        @if !view.added.is_empty() { (flush_card("New keys", "", &listed(view.added))) }
        @if !view.removed.is_empty() {
            (danger_card(
                "Keys to remove",
                "Responses signed with these keys are refused at once. You can restore the keys for one hour.",
                &html! { @if in_use { p { strong { (view.going) } } } (listed(view.removed)) },
            ))
        }
        @if nothing { div.actions { (link_button(&own(frame, "/sso"), "Back", true)) } } @else { (save) }
    };
    console(frame, MenuEntry::SignOn, HEADING, false, &content)
}
