//! The pages of three steps of SSO Configure, each one form with every field of its sections.

use maud::{Markup, html};

use super::super::settings::SITES_ANCHOR;
use super::super::{crumbs, own};
use super::{FORM, TITLE, UnsavedFields, bar, carried, unsaved};
use crate::model::sso::Configuration;
use crate::model::sso::fields::{Entry, Field as SsoField, Section, edition};
use crate::model::sso::health::Health;
use crate::model::sso::step::Step;
use crate::pages::components::{ButtonStyle, button, header, time};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console};

/// The form's field that says which values it was drawn from.
pub const EDITION: &str = "edition";

/// What a step's page shows.
pub struct StepView<'a> {
    pub step: Step,
    pub configuration: &'a Configuration,
    pub health: &'a Health,
    /// What a field would give, or why it gives nothing: its name and a sentence.
    pub told: &'a [(&'static str, String)],
    /// What was typed on the pages of other steps.
    pub others: &'a [UnsavedFields],
}

/// A step's page; `fill` holds the form's values and what is wrong with them.
pub fn page(frame: &Frame<'_>, view: &StepView<'_>, fill: &Fill) -> String {
    let step = view.step;
    let answered = match fill.value(EDITION) {
        "" => edition(view.configuration, step.fields()),
        opened => opened.to_owned(),
    };
    let wrong = match fill.count_of_problems() {
        0 => String::new(),
        1 => "One thing to correct".to_owned(),
        several => format!("{several} fields to correct"),
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[("/sso", TITLE)]), step.title(), lead(step), &html! {}))
        (bar(frame, view.health, step, &wrong, "Save"))
        (unsaved(view.others, "Save saves it too."))
        section.card.sso-form {
            (form::post_with_id(FORM, &own(frame, &format!("/sso{}", step.path())), frame.token, &html! {
                (carried(view.others))
                (form::hidden(EDITION, &answered))
                @for section in step.sections() {
                    (section_of(frame, view, *section, fill))
                }
                div.actions.staying {
                    (button("Save", ButtonStyle::Primary))
                    a href=(own(frame, "/sso")) { "Cancel" }
                    (saved(view.health))
                }
            }))
        }
    };
    console(frame, MenuEntry::SignOn, step.title(), fill.is_wrong(), &content)
}

fn section_of(frame: &Frame<'_>, view: &StepView<'_>, section: Section, fill: &Fill) -> Markup {
    let fields = || view.step.fields().filter(|field| field.section == section);
    let content = html! {
        (above(frame, section))
        div.sso-fields { @for field in fields() { (drawn(field, fill, view.told)) } }
    };
    if section != Section::Legacy {
        return form::fieldset(heading(section), &content);
    }
    // Few need it: open only where something in it is on, or wrong.
    let is_open = fields().any(|f| fill.has(f.name, "true") || fill.problem(f.name).is_some());
    html! {
        details.sso-legacy open[is_open] {
            summary { (heading(section)) }
            (form::fieldset("Older algorithms to accept", &content))
        }
    }
}

/// Who saved last, and when.
pub(super) fn saved(health: &Health) -> Markup {
    html! {
        @if let Some((at, by)) = &health.saved {
            span.muted.small.saved { "Last saved by " (by) ", " (time(*at)) " UTC" }
        }
    }
}

pub(super) fn lead(step: Step) -> &'static str {
    match step {
        Step::IdentityProvider => "The identity provider that signs your users in, and our name there.",
        Step::Keys => "The keys that verify signatures, and our certificate for encrypted responses.",
        Step::Request => "What we request from the identity provider, and which responses we accept.",
        Step::People => "How a sign-in is matched to a user, and what happens for a new user.",
    }
}

fn heading(section: Section) -> &'static str {
    match section {
        Section::Connection => "Connection",
        Section::Request => "The request",
        Section::Answer => "The answer",
        Section::SignIn => "Which user",
        Section::Legacy => "For old identity providers",
        Section::Autoprovisioning => "Somebody new",
    }
}

fn above(frame: &Frame<'_>, section: Section) -> Markup {
    html! {
        @match section {
            Section::Connection => p.muted {
                "The identity provider's metadata file fills in most of these fields: "
                a href=(own(frame, "/sso/metadata")) target="_blank" { "Upload it (opens in a new tab)" } "."
            },
            Section::Answer => p.muted {
                "The sites that may embed the sign-in page in a frame are a group setting: "
                a href=(own(frame, &format!("/settings#{SITES_ANCHOR}"))) target="_blank" { "Allowed sites (opens in a new tab)" } "."
            },
            Section::Autoprovisioning => p.muted {
                "Names in braces are attributes: "
                a href=(own(frame, "/sso/attributes")) target="_blank" { "those of recent assertions (opens in a new tab)" } "."
            },
            _ => {},
        }
    }
}

/// A field with its help; `told` says what fields would give.
pub(in crate::pages::console) fn drawn(
    field: &SsoField,
    fill: &Fill,
    told: &[(&'static str, String)],
) -> Markup {
    let told = told.iter().filter(|(name, _)| *name == field.name).map(|(_, sentence)| sentence.as_str());
    let warning = Some(field.warning).filter(|warning| !warning.is_empty());
    let warning = warning.map(|warning| format!("Warning: {warning}"));
    let (help, more) = first_sentences(field.help);
    let hint: Vec<&str> = std::iter::once(help).chain(warning.as_deref()).chain(told).collect();
    let hint = hint.join(" ");
    match field.entry {
        Entry::Line => FormField::text(field.name, field.label).hint(&hint).more(more).unmarked().draw(fill),
        Entry::Switch => form::tick_with_more(field.name, "true", field.label, (&hint, more), fill),
        Entry::OneOf(choices) => {
            let options: Vec<(String, String)> =
                choices.iter().map(|c| (c.word.to_owned(), c.label.to_owned())).collect();
            FormField::select(field.name, field.label, &options).hint(&hint).more(more).draw(fill)
        }
    }
}

/// Least and most characters of a field's help that stand open, unless its sentences are cut otherwise.
const OPEN_LEAST: usize = 40;
const OPEN_MOST: usize = 130;

/// A field's help: the sentences that stand under it, and those that are folded.
fn first_sentences(help: &str) -> (&str, &str) {
    let ends = || help.match_indices(". ").map(|(at, _)| at + 1).filter(|end| *end >= OPEN_LEAST);
    let end = ends().take_while(|end| *end <= OPEN_MOST).last().or_else(|| ends().next());
    match end.filter(|_| help.len() > OPEN_MOST).and_then(|end| help.split_at_checked(end)) {
        Some((first, rest)) => (first, rest.trim_start()),
        None => (help, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_help_is_folded_after_a_sentence_and_nothing_of_it_is_lost() {
        assert_eq!(first_sentences("Such as {sn}. Short."), ("Such as {sn}. Short.", ""));
        for field in crate::model::sso::fields::FIELDS {
            let (first, rest) = first_sentences(field.help);
            assert_eq!([first, rest].join(" ").trim_end(), field.help);
            assert!(first.ends_with('.'), "{first}");
        }
    }
}
