//! The metadata upload: the file, what it would change, and the save.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::visit::{Visit, get, refused, upload, visit};
use super::{address, redirect, standing};
use crate::desk::sso::{Agreed, Preview};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::multipart::Parts;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::sso::Method;
use crate::pages::console::sso::metadata as pages;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/sso/metadata", get_metadata),
    upload("/console/groups/{group}/sso/metadata", post_metadata),
    get("/console/groups/{group}/sso/metadata/save", get_metadata_save),
    upload("/console/groups/{group}/sso/metadata/save", post_metadata_save),
];

fn get_metadata(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, &visit.group()?, 200, &Fill::default()))
}

/// For anyone who loads the address of the answer anew.
fn get_metadata_save(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| Ok(redirect(&visit.group()?, "/metadata")))
}

fn page(visit: &Visit<'_>, group: &Group, status: u16, fill: &Fill) -> Result<Response> {
    Ok(answer::html(status, pages::upload(&visit.frame(Some(group)), fill)))
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
            let preview =
                visit.desk().sso.preview_sso_metadata(&visit.caller, group.id, &file, entity, false)?;
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
                let (status, fill) = refused(Fill::of(typed), error, &fields)?;
                page(visit, &group, status, &fill)
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
        let public = "That is an address. This server does not fetch it. Open it yourself, and upload or paste the content.";
        return Err(Error::invalid("metadata_address", "metadata_text", public));
    }
    Ok(text.as_bytes().to_vec())
}

fn preview_page(visit: &Visit<'_>, group: &Group, preview: &Preview, file: &str) -> String {
    let changes: Vec<(&str, &str, &str)> =
        preview.changes.iter().map(|c| (c.label, c.before.as_str(), c.after.as_str())).collect();
    let going: Vec<String> =
        preview.going.iter().map(|key| format!("{}: {}", key.facts.subject, key.sentence())).collect();
    let view = pages::PreviewView {
        entity: &preview.entity,
        changes: &changes,
        added: &preview.added,
        removed: &preview.removed,
        going: &going.join(" "),
        notes: &preview.notes,
        off: preview.configuration.method == Method::Off,
        file,
    };
    pages::preview(&visit.frame(Some(group)), &view)
}

fn post_metadata_save(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let damaged = || {
            Error::invalid(
                "metadata_missing",
                "file",
                "The browser did not send the file again. Upload it again.",
            )
        };
        let file =
            STANDARD.decode(form.first("file").ok_or_else(damaged)?.as_bytes()).map_err(|_| damaged())?;
        let entity = form.filled("entity").unwrap_or_default();
        let switch_on = form.filled("then").as_deref() == Some("on");
        let shown = form.all("removed").into_iter().map(|fingerprint| fingerprint.into_owned()).collect();
        let agreed = Agreed::To(shown);
        let saved =
            visit.desk().sso.upload_sso_metadata(&visit.caller, group.id, &file, &entity, switch_on, &agreed);
        match saved {
            Ok(saved) => {
                let sentence =
                    format!("The metadata of {} is saved. {}", saved.entity, standing(visit, &group)?);
                Ok(visit.done(&address(&group, ""), &sentence))
            }
            Err(error) => {
                let (status, fill) = refused(Fill::default(), error, &[])?;
                page(visit, &group, status, &fill)
            }
        }
    })
}
