//! What was typed on the pages of several steps and is not saved: it travels in the forms until it is.
//!
//! The page of a step has its own fields, [`EDITION`] for what they answer, and hidden, of each other step with something
//! unsaved, that step's fields and its edition.

use super::super::visit::Visit;
use crate::error::Result;
use crate::http::form::Params;
use crate::model::Group;
use crate::model::sso::fields::{Entry, FIELDS, edition};
use crate::model::sso::step::Step;
use crate::pages::console::sso::step::EDITION;
use crate::pages::console::sso::{EDITION_OF, UnsavedFields};
use crate::pages::form::Fill;

/// The field of the keys' page.
const CERTIFICATE: &str = "certificate";

/// What was typed on one step's page.
pub struct TypedFields {
    pub step: Step,
    /// What its fields answer; `None` for the present values.
    pub edition: Option<String>,
    /// Field and value; a switch that is off is `false`.
    pub values: Vec<(String, String)>,
}

impl TypedFields {
    /// As the page of its step has it.
    pub fn fill(&self) -> Fill {
        let edition = self.edition.iter().map(|edition| (EDITION.to_owned(), edition.clone()));
        Fill::of(self.values.iter().cloned().chain(edition))
    }
}

/// Reads what a form that was sent from the page of step `at` has of every step.
pub fn read(form: &Params<'_>, at: Step) -> Vec<TypedFields> {
    let of_step = |step: Step| {
        if step == Step::Keys {
            let pem = form.first(CERTIFICATE).filter(|pem| step == at || !pem.trim().is_empty())?;
            let values = vec![(CERTIFICATE.to_owned(), pem.into_owned())];
            return Some(TypedFields { step, edition: None, values });
        }
        let edition = form.filled(&if step == at { EDITION.to_owned() } else { edition_of(step) });
        let values = || values_of(form, step.fields().map(|field| field.name));
        (step == at || edition.is_some()).then(|| TypedFields { step, edition, values: values() })
    };
    Step::ALL.into_iter().filter_map(of_step).collect()
}

fn edition_of(step: Step) -> String {
    format!("{EDITION_OF}{}", step.word())
}

/// What the page of step `at` carries: all that was typed elsewhere and would change something.
///
/// # Errors
/// Those of the desk.
pub fn carried(
    visit: &Visit<'_>,
    group: &Group,
    typed: &[TypedFields],
    at: Step,
) -> Result<Vec<UnsavedFields>> {
    let mut carried = Vec::new();
    for other in typed.iter().filter(|typed| typed.step != at) {
        let mut values = other.values.clone();
        if other.step == Step::Keys {
            let labels = vec!["a certificate".to_owned()];
            carried.push(UnsavedFields { step: other.step, labels, values });
            continue;
        }
        let draft = visit.desk().sso.draft_sso(&visit.caller, group.id, &values)?;
        let wrong = draft.errors.iter().filter_map(|error| error.field.as_deref());
        let mut names: Vec<&str> = draft.changes.iter().map(|change| change.field).chain(wrong).collect();
        names.dedup();
        let labels: Vec<String> =
            other.step.fields().filter(|f| names.contains(&f.name)).map(|f| f.label.to_owned()).collect();
        if labels.is_empty() {
            continue;
        }
        let present = || {
            let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
            Ok::<_, crate::error::Error>(edition(&overview.configuration, other.step.fields()))
        };
        let answers = other.edition.clone().map_or_else(present, Ok)?;
        values.push((edition_of(other.step), answers));
        carried.push(UnsavedFields { step: other.step, labels, values });
    }
    Ok(carried)
}

/// The values of a form; a box that was not ticked is off.
pub fn values_of<'n>(form: &Params<'_>, names: impl Iterator<Item = &'n str>) -> Vec<(String, String)> {
    let value = |name: &str| {
        let came = form.first(name).map(|value| value.replace("\r\n", "\n"));
        let switch = FIELDS.iter().any(|field| field.name == name && field.entry == Entry::Switch);
        came.or_else(|| switch.then(|| "false".to_owned())).map(|value| (name.to_owned(), value))
    };
    names.filter_map(value).collect()
}
