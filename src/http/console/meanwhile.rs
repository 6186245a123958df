//! A form that somebody else's save overtook: shown again with what was typed and what the other changed. Saving it once
//! more answers to what stands now, and so is done knowingly.

use super::visit::filled;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::form::Params;
use crate::model::opened::{Difference, Values};
use crate::pages::form::{Fill, OPENED_FIELD};

/// What a form says that it was made from; `None` where it does not say.
pub fn opened(form: &Params<'_>) -> Option<Values> {
    let carried = form.first(OPENED_FIELD)?;
    let fields = Params::of_query(&carried);
    Some(Values::of(fields.iter().map(|(name, value)| (name.to_owned(), value.into_owned()))))
}

/// How a form's fields are spoken of.
#[derive(Clone, Copy)]
pub struct Words<'w> {
    /// Names and labels; a box that has none here is called after what it sends.
    pub labels: &'w [(&'w str, &'w str)],
    /// A value as people read it; `None` where it speaks for itself.
    pub shown: &'w dyn Fn(&str, &str) -> Option<String>,
    /// Fields of which one of several is chosen by a round button.
    pub choices: &'w [&'w str],
}

/// The form with what was typed, where it differs from what was opened, and what stands `now` in all other fields.
/// `saved` says when and by whom, as far as that is known.
pub fn overtaken(
    form: &Params<'_>,
    typed: &Values,
    now: &Values,
    error: &Error,
    saved: Option<(Timestamp, String)>,
    words: Words<'_>,
) -> Fill {
    let opened = opened(form).unwrap_or_default();
    let differences = opened.changed_in(now);
    let is_own = |field: &str| {
        let (typed, opened) = (typed.value(field), opened.value(field).unwrap_or_default());
        typed.is_some_and(|typed| typed.trim() != opened.trim())
    };
    let standing = now.iter().map(|(field, present)| match typed.value(field) {
        Some(typed) if is_own(field) => (field, typed),
        _ => (field, present),
    });
    let standing = Values::of(standing);
    // What is no field of the thing itself, such as a setting to be added, stays as it was typed.
    let others = filled(form);
    let of_form = |name: &str| {
        let boxes = format!("{name}/");
        name == OPENED_FIELD || now.iter().any(|(field, _)| field == name || field.starts_with(&boxes))
    };
    let fill = Fill::opened(&standing, now).and(others.without_those(of_form));
    let mut fill = fill.with_problem(None, said(error, saved));
    for difference in &differences {
        let typed = typed.value(&difference.field).unwrap_or_default();
        let fate = match is_own(&difference.field) {
            false => "The form shows the new value.",
            true if typed == difference.after => "You chose the same value.",
            true => "The form shows what you typed.",
        };
        let (before, after) =
            (words.value(difference, &difference.before), words.value(difference, &difference.after));
        let sentence =
            format!("{}: changed from {before} to {after}. {fate}", words.label(&difference.field));
        let anchor = match words.choices.contains(&difference.field.as_str()) {
            true => format!("{}-{}", difference.field, difference.after),
            false => difference.field.replace('/', "-"),
        };
        fill = fill.with_problem(Some(&anchor), sentence);
    }
    fill
}

/// The values that a form brings for the fields of what was opened; a field that did not come has none.
pub fn typed(form: &Params<'_>, opened: &Values) -> Values {
    let fields = opened.iter().filter_map(|(field, _)| match field.split_once('/') {
        Some((name, value)) => {
            let is_ticked = form.all(name).iter().any(|ticked| ticked == value);
            Some((field, if is_ticked { "on" } else { "" }.to_owned()))
        }
        None => form.first(field).map(|value| (field, value.replace("\r\n", "\n"))),
    });
    Values::of(fields)
}

fn said(error: &Error, saved: Option<(Timestamp, String)>) -> String {
    let by = saved.map(|(at, by)| {
        let at = at.to_string();
        format!(" It was saved by {by}, {} UTC.", at.get(..19).unwrap_or(&at).replace('T', " "))
    });
    let by = by.unwrap_or_default();
    format!("{}{by} Save again to put in force what stands in the form now.", error.public)
}

impl Words<'_> {
    fn label(&self, field: &str) -> String {
        let known = self.labels.iter().find(|(name, _)| *name == field).map(|(_, label)| *label);
        known.or(field.split_once('/').map(|(_, value)| value)).unwrap_or(field).to_owned()
    }

    fn value(&self, difference: &Difference, value: &str) -> String {
        if difference.field.contains('/') {
            return if value.is_empty() { "off" } else { "on" }.to_owned();
        }
        match ((self.shown)(&difference.field, value), value) {
            (Some(shown), _) => shown,
            (None, "") => "nothing".to_owned(),
            (None, value) => format!("“{}”", value.replace('\n', " ")),
        }
    }
}
