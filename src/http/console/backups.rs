//! Backups: what was made, one to be made now, the copy of the key, and what the last restore may have undone.

use super::attention::BACKUPS as PAGE;
use super::visit::{Visit, filled, get, post, refused, visit};
use crate::error::Result;
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::pages::console::backups as pages;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
    get(PAGE, get_backups),
    post("/console/backups", post_backup),
    post("/console/backups/key", post_key),
    post("/console/backups/recipient", post_recipient),
    post("/console/backups/report", post_report),
];

fn get_backups(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, 200, &Fill::default()))
}

fn page(visit: &Visit<'_>, status: u16, fill: &Fill) -> Result<Response> {
    let seen = visit.desk().backups(&visit.caller)?;
    let view = pages::BackupsView {
        plan: seen.plan.as_ref(),
        next: seen.next,
        running_since: seen.running_since,
        last_proven: seen.last_proven.as_ref(),
        records: &seen.records,
        key_kept: seen.key_kept.as_deref(),
        key_recipient: seen.key_recipient.as_deref(),
        report: seen.restore_report.map(|report| pages::Restored {
            backup_made_at: report.backup_made_at,
            restored_at: report.restored_at,
            old_log_read: report.old_log_read,
            undone: report
                .undone
                .into_iter()
                .map(|row| [row.at, row.actor, row.operation, row.subject])
                .collect(),
        }),
        fill,
    };
    Ok(answer::html(status, pages::page(&visit.frame(None), &view)))
}

fn post_backup(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        visit.app.desk.begin_backup(&visit.caller)?;
        Ok(answer::see_other(PAGE))
    })
}

fn post_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let form = call.form()?;
        match visit.desk().confirm_key_kept(&visit.caller, &form.filled("name").unwrap_or_default()) {
            Ok(()) => Ok(visit.done(PAGE, "You confirmed that a copy of the key file is kept elsewhere.")),
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("name", "name")])?;
                page(visit, status, &fill)
            }
        }
    })
}

fn post_recipient(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let form = call.form()?;
        let recipient = form.filled("recipient").unwrap_or_default();
        match visit.desk().seal_key_to(&visit.caller, Some(recipient.trim())) {
            Ok(()) => {
                Ok(visit.done(PAGE, "New backups will contain the sealed key file. Make a backup now."))
            }
            Err(error) => {
                // What was typed may be a private key, and is not shown again.
                let (status, fill) = refused(Fill::default(), error, &[("recipient", "recipient")])?;
                page(visit, status, &fill)
            }
        }
    })
}

fn post_report(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        visit.desk().read_restore_report(&visit.caller)?;
        Ok(visit.done(PAGE, "The restore report is no longer shown."))
    })
}
