//! Backups: what was made, one to be made now, the copy of the key, and what the last restore may have undone.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::model::backup::{BackupPlan, BackupRecord};
use crate::pages::components::{
    ButtonStyle, ColumnHead, TableRow, Tone, badge, button, card, code, flush_card, header, notice, pairs,
    table_of, time,
};
use crate::pages::form::{self, Fill, FormField};
use crate::pages::layout::{Frame, MenuEntry, console, console_again};

/// What the page shows.
pub struct BackupsView<'a> {
    pub plan: Option<&'a BackupPlan>,
    /// The next moment of the plan.
    pub next: Option<Timestamp>,
    /// When the backup began that is being made.
    pub running_since: Option<Timestamp>,
    pub last_proven: Option<&'a BackupRecord>,
    /// Newest first.
    pub records: &'a [BackupRecord],
    /// The name of the key file, once an operator has said that a copy is kept elsewhere.
    pub key_kept: Option<&'a str>,
    /// The age recipient to whom the key file is sealed into each backup.
    pub key_recipient: Option<&'a str>,
    /// What the last restore may have undone, until it was read.
    pub report: Option<Restored>,
    /// The form that confirms the copy of the key.
    pub fill: &'a Fill,
}

/// A restore, for the operators.
pub struct Restored {
    pub backup_made_at: String,
    pub restored_at: String,
    /// Whether the access log of the lost server could be read.
    pub old_log_read: bool,
    /// When, who, what, whom.
    pub undone: Vec<[String; 4]>,
}

/// Seconds after which the page of a running backup is asked for again.
const AGAIN: u32 = 2;

/// The page.
pub fn page(frame: &Frame<'_>, view: &BackupsView<'_>) -> String {
    // What needs attention stands on this page itself.
    let frame = &Frame { attention: &[], ..*frame };
    let lead = "A backup is one file with the database and the TLS certificate. Each backup is tested by restoring it. Sign-ins continue during a backup.";
    let content = html! {
        (form::problems(view.fill))
        (header(&[], "Backups", lead, &html! {}))
        @if let Some(report) = &view.report { (restored(frame, report)) }
        (state(frame, view))
        (key(frame, view))
        (plan(view))
        (records(view))
    };
    let wrong = view.fill.is_wrong();
    match view.running_since {
        Some(_) if !wrong => console_again(frame, MenuEntry::Backups, "Backups", AGAIN, &content),
        _ => console(frame, MenuEntry::Backups, "Backups", wrong, &content),
    }
}

fn state(frame: &Frame<'_>, view: &BackupsView<'_>) -> Markup {
    let last = match view.last_proven {
        Some(record) => html! {
            (pairs(&[
                ("Made (UTC)", time(record.ended_at)),
                ("File", html! { span.wrap { (record.file) } }),
                ("Size", html! { (size(record.bytes)) }),
                ("Proof", html! { (record.said) }),
            ]))
        },
        None => notice(
            Tone::Warn,
            &html! { p { "There is no backup yet. If the disk fails, all data is lost." } },
        ),
    };
    let failed = view.records.first().filter(|record| record.code.is_some());
    let act = match view.running_since {
        Some(since) => html! {
            div role="status" {
                (notice(Tone::Info, &html! {
                    p { "A backup is running since " (time(since)) " UTC. This page shows when it has finished." }
                }))
            }
        },
        None => form::post(
            "/console/backups",
            frame.token,
            &html! { div.actions { (button("Back up now", ButtonStyle::Primary)) } },
        ),
    };
    card(
        "Last backup",
        "",
        &html! {
            @if let Some(record) = failed {
                (notice(Tone::Bad, &html! { p { "The last attempt failed, " (time(record.ended_at)) " UTC: " (record.said) } }))
            }
            (last)
            (act)
        },
    )
}

fn key(frame: &Frame<'_>, view: &BackupsView<'_>) -> Markup {
    let kept = view.key_kept.map(|name| {
        let sentence = "An operator confirmed that a copy is kept elsewhere. A restore needs this copy.";
        html! { p { (sentence) } (pairs(&[("SHA-256 begins with", html! { (name) })])) }
    });
    let sealed = view.key_recipient.map(|recipient| {
        html! {
            p { "Each backup contains the sealed key file. A restore needs the age identity for this recipient." }
            (pairs(&[("Recipient", html! { span.wrap { (recipient) } })]))
        }
    });
    if kept.is_some() || sealed.is_some() {
        return card(
            "Key file",
            "",
            &html! { @if let Some(sealed) = sealed { (sealed) } @if let Some(kept) = kept { (kept) } },
        );
    }
    let confirm = form::post(
        "/console/backups/key",
        frame.token,
        &html! {
            (FormField::text("name", "First 16 digits").hint("As sha256sum prints them for your copy.").required().draw(view.fill))
            div.actions { (button("A copy is kept elsewhere", ButtonStyle::Plain)) }
        },
    );
    let seal = form::post(
        "/console/backups/recipient",
        frame.token,
        &html! {
            (FormField::text("recipient", "age recipient").hint("Begins with age1.").required().draw(view.fill))
            div.actions { (button("Seal the key file into each backup", ButtonStyle::Plain)) }
        },
    );
    let sentence = "Backups do not contain the key file, so a stolen backup does not expose your API keys. After a restore without the key file, no user can sign in by \
                    login key after a restore. Keep it in one of two ways.";
    card(
        "Key file",
        sentence,
        &html! {
            h3 { "Elsewhere" }
            p { "Copy the file " code { "sidelight.key" } " from the data directory to a safe place. Then read the digits from the copy:" }
            (code("On the machine with the copy", "sha256sum sidelight.key"))
            (confirm)
            h3 { "Sealed into each backup" }
            p { "Create an age identity on another machine and keep it there. The command prints the recipient:" }
            (code("On another machine", "age-keygen -o age-identity.txt"))
            (seal)
        },
    )
}

fn plan(view: &BackupsView<'_>) -> Markup {
    let content = match (view.plan, view.next) {
        (Some(plan), Some(next)) => pairs(&[
            ("Directory", html! { span.wrap { (plan.directory.display()) } }),
            ("Next (UTC)", time(next)),
            (
                "Stay",
                html! { (plan.keep) " backups, each for at most " (plan.keep_days) " days; the newest is always kept" },
            ),
        ]),
        _ => html! {
            p { "There are no automatic backups. To get one each day, set a directory, preferably on another disk, and restart the server:" }
            (code("In sidelight.toml", "backup_dir = \"/mnt/backups\"\nbackup_time = \"02:00\""))
        },
    };
    card("Every day", "", &content)
}

fn records(view: &BackupsView<'_>) -> Markup {
    let heads = ["Ended (UTC)", "Result", "File", "Size"].map(ColumnHead::from);
    let rows: Vec<TableRow> = view
        .records
        .iter()
        .map(|record| {
            let result = match &record.code {
                None => html! { (badge(Tone::Good, "Proven")) " " (if record.planned { "by plan" } else { "by hand" }) },
                Some(code) => html! { (badge(Tone::Bad, "Failed")) " " span.wrap { (code) } },
            };
            let size = if record.code.is_none() { size(record.bytes) } else { String::new() };
            TableRow { cells: vec![time(record.ended_at), result, html! { span.wrap { (record.file) } }, html! { (size) }], below: None }
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            (flush_card("Made so far", "The newest twenty.", &table_of("Backups", &heads, &rows)))
        }
    }
}

fn restored(frame: &Frame<'_>, report: &Restored) -> Markup {
    let sentence =
        format!("On {} from a backup of {}.", short(&report.restored_at), short(&report.backup_made_at));
    let lost = match (report.old_log_read, report.undone.is_empty()) {
        (true, true) => html! { p { "The old access log shows no changes after the backup." } },
        (true, false) => html! {
            p { "The old access log shows these changes after the backup. They are lost. Make them again if you still need them." }
            ul.plain {
                @for [at, actor, operation, subject] in &report.undone {
                    li.wrap { (short(at)) " " (actor) ": " (operation) " " b { (subject) } }
                }
            }
        },
        (false, _) => html! {
            p {
                "Changes since the backup are lost: suspensions, deletions, new passwords, API keys, SCIM tokens. Repeat suspensions, and replace keys again that you had replaced."
            }
        },
    };
    card(
        "This server was restored",
        &sentence,
        &html! {
            p { "All earlier sessions, tokens and links have ended. SAML assertions issued before the restore are refused." }
            (lost)
            (form::post("/console/backups/report", frame.token, &html! {
                div.actions { (button("I have read this", ButtonStyle::Plain)) }
            }))
        },
    )
}

/// RFC 3339 to the minute, for people.
fn short(at: &str) -> String {
    format!("{} UTC", at.get(..16).unwrap_or(at).replace('T', " "))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1_024)),
        _ => format!("{} MiB", bytes >> 20),
    }
}
