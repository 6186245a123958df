//! SSO Configure, its keys, the metadata upload, attempts and re-judging.

use super::visit::{Visit, filled, get, post, refused, upload, visit};
use crate::clock::Timestamp;
use crate::desk::sso::{CHANGED_MEANWHILE, Overview, Preview, RejudgeSettings};
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::multipart::Parts;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::sso::addresses::Addresses;
use crate::model::sso::fields::{Entry, FIELDS};
use crate::model::sso::{Attempt, Method, Status};
use crate::pages::console::{sso as pages, sso_attempts};
use crate::pages::form::Fill;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/sso", get_sso),
    post("/console/groups/{group}/sso", post_sso),
    post("/console/groups/{group}/sso/production", post_production),
    upload("/console/groups/{group}/sso/metadata", post_metadata),
    upload("/console/groups/{group}/sso/metadata/save", post_metadata_save),
    post("/console/groups/{group}/sso/keys", post_key),
    post("/console/groups/{group}/sso/keys/remove", post_key_remove),
    post("/console/groups/{group}/sso/own-keys", post_own_key),
    post("/console/groups/{group}/sso/own-keys/remove", post_own_key_remove),
    get("/console/groups/{group}/sso/attributes", get_attributes),
    get("/console/groups/{group}/sso/attempts", get_attempts),
    get("/console/groups/{group}/sso/attempts/{attempt}", get_attempt),
    post("/console/groups/{group}/sso/attempts/{attempt}", post_attempt),
];

fn get_sso(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
        page(visit, &group, &overview, 200, &saved_and_typed(&overview, []))
    })
}

/// The saved values, and beside them what somebody typed into another form of the page.
fn saved_and_typed<const N: usize>(overview: &Overview, typed: [(&'static str, String); N]) -> Fill {
    let saved = FIELDS.iter().map(|field| (field.name, field.value(&overview.configuration)));
    Fill::of(saved.chain(typed))
}

/// The page again, with what is wrong in another form than the large one; `typed` and `fields` are of that form.
fn refused_here<const N: usize>(
    visit: &Visit<'_>,
    group: &Group,
    error: Error,
    typed: [(&'static str, String); N],
    fields: &[(&str, &str)],
) -> Result<Response> {
    let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
    let (status, fill) = refused(saved_and_typed(&overview, typed), error, fields)?;
    page(visit, group, &overview, status, &fill)
}

fn page(visit: &Visit<'_>, group: &Group, overview: &Overview, status: u16, fill: &Fill) -> Result<Response> {
    let origin = visit.app.origin(visit.call.request);
    let view = pages::ConfigureView {
        configuration: &overview.configuration,
        keys: &overview.keys,
        own_keys: &overview.own_keys,
        problems: &overview.problems,
        ready: overview.ready,
        addresses: &Addresses::of(&origin, group.id),
        origin_is_guessed: visit.app.origin_is_guessed(),
    };
    Ok(answer::html(status, pages::configure(&visit.frame(Some(group)), &view, fill)))
}

fn post_sso(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let values = values_of(&form, FIELDS.iter().map(|field| field.name));
        let edition = form.filled(pages::EDITION);
        let draft = visit.desk().draft_sso(&visit.caller, group.id, &values)?;
        let errors = match draft.errors.is_empty() {
            false => draft.errors,
            true => match visit.desk().set_sso(&visit.caller, group.id, &values, edition.as_deref()) {
                Ok(changes) => {
                    let mut sentence = match changes.len() {
                        0 => "Nothing was changed.".to_owned(),
                        1 => "One field was changed.".to_owned(),
                        several => format!("{several} fields were changed."),
                    };
                    if changes.iter().any(|change| change.field == "method") {
                        sentence = format!("{sentence} {}", standing(visit, &group)?);
                    }
                    return Ok(visit.done(&address(&group), &sentence));
                }
                Err(error) => vec![error],
            },
        };
        let fields: Vec<(&str, &str)> = FIELDS.iter().map(|field| (field.name, field.name)).collect();
        let (mut status, mut fill) = (400, filled(&form));
        // Whoever is told what changed meanwhile answers to that from now on; all others still to what they opened.
        let is_told = errors.iter().any(|error| error.code == CHANGED_MEANWHILE);
        for error in errors {
            (status, fill) = refused(fill, error, &fields)?;
        }
        if is_told {
            fill = fill.without(pages::EDITION);
        }
        let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
        page(visit, &group, &overview, status, &fill)
    })
}

/// Sets the Operational Status alone.
fn post_production(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let status = [("status".to_owned(), Status::Production.as_str().to_owned())];
        visit.desk().set_sso(&visit.caller, group.id, &status, None)?;
        Ok(visit.done(&address(&group), "The Operational Status is Production."))
    })
}

/// Where a group's single sign-on stands, for the message after a change.
fn standing(visit: &Visit<'_>, group: &Group) -> Result<&'static str> {
    let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
    Ok(match (overview.configuration.method, overview.ready) {
        (Method::Off, _) => "Single sign-on is off.",
        (_, true) => "Single sign-on is on. When the identity provider knows us, test this connection.",
        (_, false) => "Single sign-on is on, and not complete yet: see below.",
    })
}

/// The values of a form; a box that was not ticked is off.
fn values_of<'n>(form: &Params<'_>, names: impl Iterator<Item = &'n str>) -> Vec<(String, String)> {
    let value = |name: &str| {
        let came = form.first(name).map(|value| value.replace("\r\n", "\n"));
        let switch = FIELDS.iter().any(|field| field.name == name && field.entry == Entry::Switch);
        came.or_else(|| switch.then(|| "false".to_owned())).map(|value| (name.to_owned(), value))
    };
    names.filter_map(value).collect()
}

fn post_metadata(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let parts = Parts::read(call.request.header("Content-Type"), &call.request.body)?;
        let text = parts.text("metadata_text").unwrap_or_default().trim();
        let entity = parts.text("entity").unwrap_or_default().trim();
        let (field, file) = match parts.file("metadata_file") {
            Some(file) if !file.is_empty() => ("metadata_file", Ok(file.to_vec())),
            _ => ("metadata_text", pasted(text)),
        };
        let read = file.and_then(|file| {
            let preview = visit.desk().preview_sso_metadata(&visit.caller, group.id, &file, entity, false)?;
            Ok((preview, file))
        });
        match read {
            Ok((preview, file)) => {
                Ok(answer::html(200, preview_page(visit, &group, &preview, &STANDARD.encode(&file))))
            }
            Err(error) => {
                let typed = [("metadata_text", text.to_owned()), ("entity", entity.to_owned())];
                let fields = [
                    ("metadata", field),
                    ("metadata_file", "metadata_file"),
                    ("metadata_text", "metadata_text"),
                    ("entity", "entity"),
                ];
                refused_here(visit, &group, error, typed, &fields)
            }
        }
    })
}

/// The metadata of the field for pasting.
fn pasted(text: &str) -> Result<Vec<u8>> {
    if text.is_empty() {
        let public = "Choose the metadata file, or paste its text.";
        return Err(Error::invalid("metadata_missing", "metadata_file", public));
    }
    if text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) {
        let public =
            "That is an address. Nothing is fetched from here: open it, and upload or paste what it answers.";
        return Err(Error::invalid("metadata_address", "metadata_text", public));
    }
    Ok(text.as_bytes().to_vec())
}

fn preview_page(visit: &Visit<'_>, group: &Group, preview: &Preview, file: &str) -> String {
    let changes: Vec<(&str, &str, &str)> =
        preview.changes.iter().map(|c| (c.label, c.before.as_str(), c.after.as_str())).collect();
    let view = pages::PreviewView {
        entity: &preview.entity,
        changes: &changes,
        added: &preview.added,
        removed: &preview.removed,
        notes: &preview.notes,
        off: preview.configuration.method == Method::Off,
        file,
    };
    pages::preview(&visit.frame(Some(group)), &view)
}

fn post_metadata_save(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let damaged =
            || Error::invalid("metadata_missing", "file", "The file did not come back. Upload it again.");
        let file =
            STANDARD.decode(form.first("file").ok_or_else(damaged)?.as_bytes()).map_err(|_| damaged())?;
        let entity = form.filled("entity").unwrap_or_default();
        let switch_on = form.filled("then").as_deref() == Some("on");
        let saved = visit.desk().upload_sso_metadata(&visit.caller, group.id, &file, &entity, switch_on)?;
        let sentence = format!("The metadata of {} is saved. {}", saved.entity, standing(visit, &group)?);
        Ok(visit.done(&address(&group), &sentence))
    })
}

fn post_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let pem = form.first("certificate").unwrap_or_default();
        match visit.desk().add_sso_key(&visit.caller, group.id, &pem) {
            Ok(key) => {
                Ok(visit.done(&address(&group), &format!("The key of {} verifies from now on.", key.subject)))
            }
            Err(error) => {
                let typed = [("certificate", pem.into_owned())];
                refused_here(visit, &group, error, typed, &[("certificate", "certificate")])
            }
        }
    })
}

fn post_key_remove(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let fingerprint = form.filled("fingerprint").unwrap_or_default();
        match visit.desk().remove_sso_key(&visit.caller, group.id, &fingerprint) {
            Ok(()) => {
                Ok(visit.done(&address(&group), "The key is removed: answers signed by it are refused."))
            }
            Err(error) => refused_here(visit, &group, error, [], &[]),
        }
    })
}

fn post_own_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        visit.desk().make_sp_key(&visit.caller, group.id)?;
        Ok(visit
            .done(&address(&group), "The new certificate stands in our metadata. Older pairs still decrypt."))
    })
}

fn post_own_key_remove(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let unknown = || Error::not_found("key_unknown", "The group has no such key pair.");
        let number = form.filled("number").and_then(|n| n.parse().ok()).ok_or_else(unknown)?;
        match visit.desk().remove_sp_key(&visit.caller, group.id, number) {
            Ok(()) => Ok(visit.done(&address(&group), "The key pair is removed.")),
            Err(error) => refused_here(visit, &group, error, [], &[]),
        }
    })
}

fn get_attributes(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let recent = visit.desk().recent_sso_attributes(&visit.caller, group.id)?;
        Ok(answer::html(200, sso_attempts::attributes(&visit.frame(Some(&group)), &recent)))
    })
}

fn get_attempts(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let attempts = visit.desk().sso_attempts(&visit.caller, group.id)?;
        let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
        let provisioning = overview.configuration.status == Status::Provisioning;
        Ok(answer::html(200, sso_attempts::list(&visit.frame(Some(&group)), &attempts, provisioning)))
    })
}

fn get_attempt(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
        let values = FIELDS.iter().map(|field| (field.name, field.value(&overview.configuration)));
        let (attempt, checks) =
            visit.desk().sso_attempt(&visit.caller, group.id, visit.number("attempt")?)?;
        let repair = repair_of(visit, &attempt)?;
        let view =
            sso_attempts::AttemptView { attempt: &attempt, checks: &checks, repair: &repair, rejudged: None };
        let frame = visit.frame(Some(&group));
        Ok(answer::html(200, sso_attempts::one(&frame, &view, &Fill::of(values))))
    })
}

/// What to change, as the attempt's incident has it; "" when it was accepted, or so long ago that only the
/// attempt is kept.
fn repair_of(visit: &Visit<'_>, attempt: &Attempt) -> Result<String> {
    let Some(code) = &attempt.incident else { return Ok(String::new()) };
    match visit.desk().open_incident(&visit.caller, code) {
        Ok(report) => Ok(report.repair),
        Err(error) if error.kind == Kind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn post_attempt(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let (attempt, checks) =
            visit.desk().sso_attempt(&visit.caller, group.id, visit.number("attempt")?)?;
        let wrong =
            || Error::invalid("bad_instant", "now", "Time: not an instant such as 2026-02-01T12:00:00Z.");
        let now = form.filled("now").map(|text| Timestamp::parse(&text).ok_or_else(wrong)).transpose();
        let rejudged = now.and_then(|now| {
            let fields = values_of(&form, sso_attempts::REJUDGED.into_iter());
            visit.desk().rejudge_sso(&visit.caller, group.id, attempt.id, &RejudgeSettings { now, fields })
        });
        let repair = repair_of(visit, &attempt)?;
        let view =
            sso_attempts::AttemptView { attempt: &attempt, checks: &checks, repair: &repair, rejudged: None };
        let frame = visit.frame(Some(&group));
        match rejudged {
            Ok(rejudged) => {
                let again = sso_attempts::RejudgedView {
                    at: rejudged.at,
                    checks: &rejudged.checks,
                    reject: rejudged.reject.as_ref().map(|(code, repair)| (*code, repair.as_str())),
                };
                let view = sso_attempts::AttemptView { rejudged: Some(again), ..view };
                Ok(answer::html(200, sso_attempts::one(&frame, &view, &filled(&form))))
            }
            Err(error) => {
                let fields: Vec<(&str, &str)> =
                    sso_attempts::REJUDGED.iter().map(|n| (*n, *n)).chain([("now", "now")]).collect();
                let (status, fill) = refused(filled(&form), error, &fields)?;
                Ok(answer::html(status, sso_attempts::one(&frame, &view, &fill)))
            }
        }
    })
}

fn address(group: &Group) -> String {
    format!("/console/groups/{}/sso", group.id)
}
