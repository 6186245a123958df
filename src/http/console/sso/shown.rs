//! The pages of the steps, drawn with what was typed on any of them.

use super::super::visit::Visit;
use super::health;
use super::typed::{self, TypedFields};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::model::Group;
use crate::model::sso::step::Step;
use crate::pages::console::sso::{GO, keys, step as steps};
use crate::pages::form::Fill;
use crate::pages::layout::{Flash, Frame};

/// The page of a step; `typed` is what was typed on any, of which that of the other steps goes along.
pub fn step_page(
    visit: &Visit<'_>,
    group: &Group,
    step: Step,
    status: u16,
    fill: &Fill,
    typed: &[TypedFields],
) -> Result<Response> {
    let others = typed::carried(visit, group, typed, step)?;
    let (overview, health) = health(visit, group)?;
    let told = match step {
        Step::People => visit.desk().sso.told_of_mapping(&visit.caller, &overview.configuration)?,
        _ => Vec::new(),
    };
    let view = steps::StepView {
        step,
        configuration: &overview.configuration,
        health: &health,
        told: &told,
        others: &others,
    };
    Ok(answer::html(status, steps::page(&visit.frame(Some(group)), &view, fill)))
}

/// The page of the keys; `said` is what was just done, when the page is its own answer. What was `typed` on other pages goes along.
pub fn keys_page(
    visit: &Visit<'_>,
    group: &Group,
    status: u16,
    said: &str,
    fill: &Fill,
    typed: &[TypedFields],
) -> Result<Response> {
    let others = typed::carried(visit, group, typed, Step::Keys)?;
    let (overview, health) = health(visit, group)?;
    let removed = visit.desk().sso.removed_sso_keys(&visit.caller, group.id)?;
    let view = keys::KeysView {
        health: &health,
        keys: &overview.keys,
        removed: &removed,
        own_keys: &overview.own_keys,
        others: &others,
    };
    let flash = (!said.is_empty()).then(|| Flash { good: true, sentence: said.to_owned() });
    let frame = visit.frame(Some(group));
    let frame = Frame { flash: flash.as_ref().or(frame.flash), ..frame };
    Ok(answer::html(status, keys::page(&frame, &view, fill)))
}

/// Goes to the step whose button in the bar was pressed, with all that was typed; `None` when none was.
///
/// # Errors
/// Those of the desk.
pub fn gone_to(visit: &Visit<'_>, group: &Group, form: &Params<'_>, at: Step) -> Result<Option<Response>> {
    let Some(to) = form.filled(GO).and_then(|word| Step::named(&word)) else { return Ok(None) };
    let typed = typed::read(form, at);
    let fill = typed.iter().find(|typed| typed.step == to).map(TypedFields::fill);
    let shown = match to {
        Step::Keys => keys_page(visit, group, 200, "", &fill.unwrap_or_default(), &typed),
        step => {
            let saved = || {
                let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
                let values = step.fields().map(|field| (field.name, field.value(&overview.configuration)));
                Ok::<_, Error>(Fill::of(values))
            };
            step_page(visit, group, step, 200, &fill.map_or_else(saved, Ok)?, &typed)
        }
    };
    shown.map(Some)
}
