//! `sidelight user import` and `sidelight user export`. Wire contract §7.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use argh::FromArgs;
use serde_json::json;

use crate::cli::host;
use crate::cli::output::{Output, READER_GONE, unusable};
use crate::cli::refused;
use crate::cli::terminal::say;
use crate::desk::csv_upload::{Preview, PreviewRow, Progress, RowOutcome, Terms};
use crate::desk::people::{MemberQuery, RoleChoice};
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;

/// How often the progress of a long file is told.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// make and change users from a CSV file, all rows or none
///
/// Columns, in any order: FirstName, LastName, Email, Phone, GlanceAddress, Password, PartnerUID. A row is
/// found by its Glance Address; a blank cell leaves what is there. See first what would happen: --dry-run
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "import",
    example = "{command_name} people.csv --group 12345 --role Agent --dry-run"
)]
pub struct Import {
    /// the CSV file, in UTF-8; - for standard input
    #[argh(positional)]
    file: PathBuf,
    /// the Group ID; not needed when there is only one group
    #[argh(option, from_str_fn(host::group))]
    group: Option<GroupId>,
    /// the role of every row; -none- takes roles away; without it roles stay as they are
    #[argh(option)]
    role: Option<String>,
    /// say what would happen, and change nothing
    #[argh(switch)]
    dry_run: bool,
    /// keep the rows that are not refused, also when others are
    #[argh(switch)]
    skip_refused: bool,
    /// print JSON, for programs
    #[argh(switch)]
    json: bool,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// write a group's people as CSV that can be imported again
#[derive(FromArgs)]
#[argh(subcommand, name = "export", example = "{command_name} people.csv --group 12345")]
pub struct Export {
    /// the file to make; - for standard output
    #[argh(positional)]
    file: PathBuf,
    /// replace the file if it exists
    #[argh(switch)]
    force: bool,
    /// the Group ID; not needed when there is only one group
    #[argh(option, from_str_fn(host::group))]
    group: Option<GroupId>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl Import {
    pub(super) fn run(self) -> ExitCode {
        host::with_desk(self.data.clone(), |desk, caller| {
            let group = host::only_group(desk, caller, self.group)?;
            let file = contents(&self.file)?;
            let terms = Terms {
                role: self.role.as_deref().map(RoleChoice::of_wire),
                skip_refused: self.skip_refused,
            };
            let preview = if self.dry_run {
                desk.preview_csv(caller, group, &terms, &file)?
            } else {
                told(|progress| desk.apply_csv(caller, group, &terms, &file, progress))?
            };
            if self.json {
                print_json(&preview);
            } else {
                print(&preview, self.dry_run);
            }
            if preview.refused > 0 && !preview.applied {
                let public = "Rows were refused. Nothing was changed.";
                return Err(Error::new(Kind::Conflict, "rows_refused", public));
            }
            Ok(())
        })
    }
}

impl Export {
    pub(super) fn run(self) -> ExitCode {
        let mut reader_gone = false;
        let exported = host::directory(self.data.as_deref()).and_then(|directory| {
            host::on_desk(Some(directory.clone()), |desk, caller| {
                let group = host::only_group(desk, caller, self.group)?;
                let mut output = Output::open(&self.file, &directory, self.force)?;
                let exported = desk.export_csv(caller, group, &MemberQuery::default(), &mut output);
                reader_gone = output.reader_gone();
                let rows = exported?;
                output.finish(&self.file)?;
                eprintln!("{rows} users exported.");
                Ok(())
            })
        });
        match exported {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) if reader_gone => ExitCode::from(READER_GONE),
            Err(error) => refused(&error),
        }
    }
}

fn contents(path: &Path) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut file).map(drop)
    } else {
        std::fs::read(path).map(|bytes| file = bytes)
    };
    read.map(|()| file).map_err(|e| unusable(path, &e))
}

/// Runs `work` and tells on the terminal how far it is.
fn told<T>(work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    let done = AtomicBool::new(!std::io::stderr().is_terminal());
    std::thread::scope(|scope| {
        let teller = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(TELL_EVERY);
                let (rows, all) = progress.rows();
                if all > 0 && !done.load(Ordering::Relaxed) {
                    eprint!("\r{rows} of {all} rows");
                }
            }
        });
        let outcome = work(&progress);
        if !done.swap(true, Ordering::Relaxed) {
            eprint!("\r                              \r");
        }
        teller.thread().unpark();
        outcome
    })
}

fn print(preview: &Preview, dry_run: bool) {
    for row in &preview.rows {
        if let RowOutcome::Refused(refusal) = &row.outcome {
            let place = match (refusal.column, refusal.value.as_str()) {
                ("", _) => String::new(),
                (column, "") => format!("{column}: "),
                (column, value) => format!("{column} \"{value}\": "),
            };
            say(format_args!("line {}: {place}{} {}", row.line, refusal.why, refusal.remedy));
        }
    }
    let Preview { created, changed, unchanged, refused, .. } = preview;
    let would = if dry_run || !preview.applied { "would be " } else { "" };
    println!("{created} {would}created, {changed} {would}changed, {unchanged} unchanged, {refused} refused.");
}

fn print_json(preview: &Preview) {
    let row = |row: &PreviewRow| {
        let (outcome, more) = match &row.outcome {
            RowOutcome::Created => ("created", json!({})),
            RowOutcome::Changed(fields) => ("changed", json!({ "fields": fields })),
            RowOutcome::Unchanged => ("unchanged", json!({})),
            RowOutcome::Refused(r) => (
                "refused",
                json!({
                    "code": r.code, "column": r.column, "value": r.value, "why": r.why, "remedy": r.remedy,
                }),
            ),
        };
        json!({ "line": row.line, "address": row.address, "outcome": outcome, "detail": more })
    };
    host::json(&json!({
        "applied": preview.applied, "created": preview.created, "changed": preview.changed,
        "unchanged": preview.unchanged, "refused": preview.refused,
        "rows": preview.rows.iter().map(row).collect::<Vec<_>>(),
    }));
}
