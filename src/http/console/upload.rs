//! The CSV upload in the console, and the export of a group's users.

use super::users::role_chosen;
use super::visit::{Visit, exported, get, post, refused, streamed, upload, visit, visit_streamed};
use crate::desk::people::csv_upload::{COLUMNS, Preview, PreviewRow, RowOutcome, Terms, template};
use crate::desk::people::uploads::UploadState;
use crate::desk::people::users::MemberQuery;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::multipart::Parts;
use crate::http::router::{App, Call, Pieces, Route};
use crate::model::Group;
use crate::pages::components::Tone;
use crate::pages::console::upload as pages;
use crate::pages::form::Fill;
use crate::secret::Secret;

pub const ROUTES: &[Route] = &[
    streamed("/console/groups/{group}/users.csv", get_users_csv),
    get("/console/groups/{group}/users-template.csv", get_template),
    get("/console/groups/{group}/users/upload", get_upload_form),
    upload("/console/groups/{group}/users/upload", post_file),
    get("/console/groups/{group}/users/upload/{upload}", get_upload),
    post("/console/groups/{group}/users/upload/{upload}", post_apply),
];

/// Rows on the preview: refused ones first, then the others.
const LINES: usize = 200;

fn get_users_csv(app: &App, call: &Call<'_>) -> Result<(Response, Option<Pieces>)> {
    visit_streamed(app, call, |visit| {
        let group = visit.group()?;
        let export = app.desk.people.export_users(&visit.caller, group.id, &MemberQuery::default())?;
        let response = exported(&format!("users-{}", group.id), export.began_at);
        Ok((response, Box::new(export)))
    })
}

fn get_template(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        visit.group()?;
        let response = answer::bytes(200, "text/csv; charset=utf-8", template());
        Ok(answer::with(response, "Content-Disposition", "attachment; filename=\"users-template.csv\""))
    })
}

fn get_upload_form(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let fill = Fill::of([("role", pages::KEEP_ROLES)]);
        form_page(visit, &visit.group()?, 200, &fill)
    })
}

fn form_page(visit: &Visit<'_>, group: &Group, status: u16, fill: &Fill) -> Result<Response> {
    let roles = visit.desk().people.role_choices(&visit.caller, group.id)?;
    Ok(answer::html(status, pages::form(&visit.frame(Some(group)), &roles, &COLUMNS.join(","), fill)))
}

fn post_file(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let parts = Parts::read(call.request.header("Content-Type"), &call.request.body)?;
        let role = parts.text("role").unwrap_or(pages::KEEP_ROLES);
        let chosen = match role {
            pages::KEEP_ROLES => Ok(None),
            chosen => role_chosen(chosen).map(Some),
        };
        let file = parts
            .file("file")
            .ok_or_else(|| Error::invalid("file_missing", "file", "Choose a file that is not empty."));
        let kept = chosen.and_then(|role| {
            let terms = Terms { role, skip_refused: false };
            file.and_then(|file| {
                visit.desk().people.keep_upload(&visit.caller, group.id, terms, Secret::new(file))
            })
        });
        match kept {
            Ok(id) => Ok(answer::see_other(&address(&group, &id))),
            Err(error) => {
                let is_busy = matches!(error.code, "upload_busy" | "uploads_full");
                // Whatever is wrong with the file as a whole is told at the file.
                let error =
                    if error.field.as_deref() == Some("role") { error } else { error.with_field("file") };
                let fill = Fill::of([("role", role)]);
                if is_busy {
                    let page = form_page(visit, &group, 503, &fill.with_problem(Some("file"), error.public))?;
                    return Ok(answer::with(page, "Retry-After", "5"));
                }
                let (status, fill) = refused(fill, error, &[("file", "file"), ("role", "role")])?;
                form_page(visit, &group, status, &fill)
            }
        }
    })
}

fn address(group: &Group, id: &str) -> String {
    format!("/console/groups/{}/users/upload/{id}", group.id)
}

fn get_upload(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let id = call.segment("upload");
        match visit.desk().people.upload(&visit.caller, group.id, id)? {
            UploadState::Judged(preview) => Ok(preview_page(visit, &group, id, &preview, None)),
            UploadState::Done(preview) => {
                let failure =
                    "Nothing was changed, because rows are refused. Leave them out, or mend the file.";
                let failure = (!preview.applied).then_some(failure);
                Ok(preview_page(visit, &group, id, &preview, failure))
            }
            UploadState::Running(progress) => {
                let (done, all) = progress.rows();
                Ok(answer::html(200, pages::progress(&visit.frame(Some(&group)), done, all)))
            }
            UploadState::Failed(error) => Err(error),
        }
    })
}

fn preview_page(
    visit: &Visit<'_>,
    group: &Group,
    id: &str,
    preview: &Preview,
    failure: Option<&str>,
) -> Response {
    let is_refused = |row: &&PreviewRow| matches!(row.outcome, RowOutcome::Refused(_));
    let refused = preview.rows.iter().filter(is_refused);
    // What is warned of is seen, too, in a long file.
    let warned = |row: &&PreviewRow| !row.warnings.is_empty();
    let doubtful = preview.rows.iter().filter(|row| !is_refused(row) && warned(row));
    let others = preview.rows.iter().filter(|row| !is_refused(row) && !warned(row));
    let lines: Vec<_> = refused.chain(doubtful).chain(others).take(LINES).map(line_of).collect();
    let address = address(group, id);
    let view = pages::PreviewView {
        address: &address,
        created: preview.created,
        changed: preview.changed,
        unchanged: preview.unchanged,
        refused: preview.refused,
        applied: preview.applied,
        lines: &lines,
        failure,
    };
    answer::html(200, pages::preview(&visit.frame(Some(group)), &view))
}

fn line_of(row: &PreviewRow) -> pages::RowLine {
    let (tone, outcome, detail, remedy) = match &row.outcome {
        RowOutcome::Created => (Tone::Good, "Created", String::new(), ""),
        RowOutcome::Changed(fields) => (Tone::Info, "Changed", fields.join(", ").replace('_', " "), ""),
        RowOutcome::Unchanged => (Tone::Plain, "Unchanged", String::new(), ""),
        RowOutcome::Refused(refusal) => {
            let place = match (refusal.column, refusal.value.as_str()) {
                ("", _) => String::new(),
                (column, "") => format!("{column}: "),
                (column, value) => format!("{column} \u{201c}{value}\u{201d}: "),
            };
            (Tone::Bad, "Refused", format!("{place}{}", refusal.why), refusal.remedy)
        }
    };
    pages::RowLine {
        line: row.line,
        address: row.address.clone(),
        tone,
        outcome,
        detail,
        remedy: if row.warnings.is_empty() { remedy.to_owned() } else { row.warnings.join(" ") },
    }
}

fn post_apply(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let id = call.segment("upload");
        let skip = form.filled("skip_refused").is_some();
        app.desk.people.start_upload(&visit.caller, group.id, id, skip)?;
        Ok(answer::see_other(&address(&group, id)))
    })
}
