//! The CSV upload in the console, and the export of a group's users.

use super::listing::ListQuery;
use super::users::role_chosen;
use super::visit::{Visit, exported, get, post, refused, streamed, upload, visit, visit_streamed};
use crate::desk::people::csv_upload::{
    ApplyOptions, Column, ColumnChoice, Header, Meaning, Preview, PreviewRow, RowOutcome, Which, columns,
    template,
};
use crate::desk::people::uploads::UploadState;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::multipart::Parts;
use crate::http::router::{App, BodyPortions, Call, Route};
use crate::model::Group;
use crate::model::queries::MemberQuery;
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
    get("/console/groups/{group}/users/upload/{upload}/columns", get_columns),
    post("/console/groups/{group}/users/upload/{upload}/columns", post_columns),
];

fn get_users_csv(app: &App, call: &Call<'_>) -> Result<(Response, Option<BodyPortions>)> {
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
    Ok(answer::html(status, pages::form(&visit.frame(Some(group)), &roles, &columns().join(","), fill)))
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
            let terms = ApplyOptions { role, ..ApplyOptions::default() };
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
            UploadState::Unmapped(header) => {
                let fill = fill_of(&header.columns.iter().map(|column| column.meaning).collect::<Vec<_>>());
                Ok(columns_page(visit, &group, id, 200, &header, fill))
            }
            UploadState::Judged(preview) => Ok(preview_page(visit, &group, id, &preview, None)),
            UploadState::Done(preview) => {
                let failure =
                    "Nothing was changed, because some rows are refused. Skip them, or correct the file.";
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
    // What somebody must look at is on the first page, in a long file, too.
    let mut rows: Vec<&PreviewRow> = preview.rows.iter().collect();
    rows.sort_by_key(|row| match &row.outcome {
        RowOutcome::Refused(_) => 0,
        _ if !row.warnings.is_empty() => 1,
        RowOutcome::Changed(_) => 2,
        RowOutcome::Created => 3,
        RowOutcome::Unchanged => 4,
    });
    let (asked, rows, count) = ListQuery::of(&visit.call.query(), &[]).cut(rows);
    let lines: Vec<_> = rows.into_iter().map(line_of).collect();
    let address = address(group, id);
    let remarks: Vec<String> = preview.columns.iter().filter_map(|column| column.remark()).collect();
    let view = pages::PreviewView {
        address: &address,
        created: preview.created,
        changed: preview.changed,
        unchanged: preview.unchanged,
        refused: preview.refused,
        applied: preview.applied,
        columns: &remarks,
        listing: asked.listing(&address, &[], Vec::new(), ("row", "rows"), (lines.len(), count)),
        lines: &lines,
        failure,
    };
    answer::html(200, pages::preview(&visit.frame(Some(group)), &view))
}

fn line_of(row: &PreviewRow) -> pages::RowLine {
    let mut line = pages::RowLine {
        line: row.line,
        address: row.address.clone(),
        tone: Tone::Plain,
        outcome: "Unchanged",
        changes: Vec::new(),
        detail: String::new(),
        remedy: row.warnings.join(" "),
    };
    match &row.outcome {
        RowOutcome::Created => (line.tone, line.outcome) = (Tone::Good, "Created"),
        RowOutcome::Unchanged => {}
        RowOutcome::Changed(changes) => {
            (line.tone, line.outcome) = (Tone::Info, "Changed");
            line.changes = changes
                .iter()
                .map(|change| pages::ChangeLine {
                    field: change.words(),
                    values: change.values.as_ref().map(|both| (both.old.to_string(), both.new.to_string())),
                })
                .collect();
        }
        RowOutcome::Refused(refusal) => {
            let place = match (refusal.column, refusal.value.as_str()) {
                ("", _) => String::new(),
                (column, "") => format!("{column}: "),
                (column, value) => format!("{column} \u{201c}{value}\u{201d}: "),
            };
            (line.tone, line.outcome) = (Tone::Bad, "Refused");
            (line.detail, line.remedy) = (format!("{place}{}", refusal.why), refusal.remedy.to_owned());
        }
    }
    line
}

/// What stands in the form of the columns: a name of ours, [`pages::LEAVE_OUT`], or nothing yet.
fn fill_of(meanings: &[Meaning]) -> Fill {
    let value = |meaning: &Meaning| match meaning {
        Meaning::LeftOut => pages::LEAVE_OUT,
        meaning => meaning.column().map_or("", Column::name),
    };
    Fill::of(meanings.iter().enumerate().map(|(at, meaning)| (pages::column_field(at), value(meaning))))
}

/// The form that asks which column is which. `fill` has what was chosen, and what is wrong when it was sent.
fn columns_page(
    visit: &Visit<'_>,
    group: &Group,
    id: &str,
    status: u16,
    header: &Header,
    fill: Fill,
) -> Response {
    let names: Vec<&str> = header.columns.iter().map(|column| column.name.as_str()).collect();
    let problems: Vec<&str> = header.problems.iter().map(|problem| problem.public.as_str()).collect();
    let address = format!("{}/columns", address(group, id));
    let view = pages::ColumnsView { address: &address, names: &names, ours: &columns(), problems: &problems };
    answer::html(status, pages::columns(&visit.frame(Some(group)), &view, &fill))
}

/// The columns of an upload that may still be read in another way.
fn header_of(visit: &Visit<'_>, group: &Group, id: &str) -> Result<Option<Header>> {
    Ok(match visit.desk().people.upload(&visit.caller, group.id, id)? {
        UploadState::Unmapped(header) => Some(Header::clone(&header)),
        UploadState::Judged(preview) | UploadState::Done(preview) if !preview.applied => {
            Some(Header { columns: preview.columns.clone(), problems: Vec::new() })
        }
        _ => None,
    })
}

fn get_columns(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, id) = (visit.group()?, call.segment("upload"));
        let Some(header) = header_of(visit, &group, id)? else {
            return Ok(answer::see_other(&address(&group, id)));
        };
        let fill = fill_of(&header.columns.iter().map(|column| column.meaning).collect::<Vec<_>>());
        Ok(columns_page(visit, &group, id, 200, &header, fill))
    })
}

fn post_columns(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, id, form) = (visit.group()?, call.segment("upload"), call.form()?);
        let Some(before) = header_of(visit, &group, id)? else {
            return Ok(answer::see_other(&address(&group, id)));
        };
        let chosen: Vec<String> = (0..before.columns.len())
            .map(|at| form.filled(&pages::column_field(at)).unwrap_or_default())
            .collect();
        let meanings: Vec<Meaning> = chosen
            .iter()
            .map(|chosen| match (chosen.as_str(), Column::of(chosen)) {
                (pages::LEAVE_OUT, _) => Meaning::LeftOut,
                (_, Some(column)) => Meaning::Chosen(column),
                (_, None) => Meaning::Unknown,
            })
            .collect();
        let choices = meanings.iter().enumerate().filter(|(_, meaning)| **meaning != Meaning::Unknown);
        let choices =
            choices.map(|(at, meaning)| ColumnChoice { which: Which::At(at), column: meaning.column() });
        let judged = visit.desk().people.map_upload(&visit.caller, group.id, id, choices.collect());
        let fill = fill_of(&meanings);
        if let Err(error) = judged {
            let is_busy = matches!(error.code, "upload_busy" | "uploads_full");
            let status = if is_busy { 503 } else { error.kind.status() };
            let fill = fill.with_problem(None, error.public.clone());
            let page = columns_page(visit, &group, id, status, &before, fill);
            return if is_busy { Ok(answer::with(page, "Retry-After", "5")) } else { Ok(page) };
        }
        match visit.desk().people.upload(&visit.caller, group.id, id)? {
            UploadState::Unmapped(header) => {
                let fill = header.problems.iter().fold(fill, |fill, problem| {
                    let field = header.field_of(problem).map(pages::column_field);
                    fill.with_problem(field.as_deref(), problem.public.clone())
                });
                Ok(columns_page(visit, &group, id, 400, &header, fill))
            }
            _ => Ok(answer::see_other(&address(&group, id))),
        }
    })
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
