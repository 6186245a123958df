//! `sidelight user import`, `sidelight user template` and `sidelight user export`. Wire contract §7.

use crate::model::queries::MemberQuery;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use crate::cli::host::{self, Host};
use crate::cli::output::{Output, READER_GONE, unusable};
use crate::cli::terminal::{self, say, telling};
use crate::desk::people::csv_upload::{
    ApplyOptions, Column, ColumnChoice, FieldChange, Meaning, Preview, PreviewRow, Progress, RowOutcome,
    Which, columns, template,
};
use crate::desk::people::users::RoleChoice;
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;

/// create and change users from a CSV file, all rows or none
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "import",
    note = "Columns, in any order: %columns%. Each row is matched by its Glance Address. An empty cell leaves the stored value as it is. Similar column names, such as E-mail or first_name, are recognized. To see the changes first, use --dry-run",
    example = "{command_name} people.csv --group 12345 --role Agent --dry-run\n{command_name} people.csv --map \"Work mail=Email\" --ignore-column Department --dry-run"
)]
pub struct Import {
    /// the CSV file, in UTF-8; - for standard input
    #[argh(positional)]
    file: PathBuf,
    /// the Group ID; not needed when there is only one group
    #[argh(option, from_str_fn(host::group))]
    group: Option<GroupId>,
    /// the role for every row; -none- removes roles; without this option, roles stay as they are
    #[argh(option)]
    role: Option<String>,
    /// map a column of the file to one of ours: THEIRS=OURS
    #[argh(option, arg_name = "theirs=ours", from_str_fn(mapped))]
    map: Vec<ColumnChoice>,
    /// ignore a column of the file
    #[argh(option, arg_name = "name", from_str_fn(ignored))]
    ignore_column: Vec<ColumnChoice>,
    /// show the changes without making them
    #[argh(switch)]
    dry_run: bool,
    /// apply the accepted rows even if other rows are refused
    #[argh(switch)]
    skip_refused: bool,
}

/// write an empty CSV file with the column names, to start from
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "template", example = "{command_name} people.csv\n{command_name}")]
pub struct Template {
    /// the file to write; - or nothing for standard output
    #[argh(positional)]
    file: Option<PathBuf>,
    /// replace the file if it exists
    #[argh(switch)]
    force: bool,
}

/// export a group's users as a CSV file that can be imported again
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "export",
    example = "{command_name} people.csv --group 12345\n{command_name} - --group 12345"
)]
pub struct Export {
    /// the file to write; - for standard output
    #[argh(positional)]
    file: PathBuf,
    /// replace the file if it exists
    #[argh(switch)]
    force: bool,
    /// the Group ID; not needed when there is only one group
    #[argh(option, from_str_fn(host::group))]
    group: Option<GroupId>,
}

/// Reads `THEIRS=OURS`. Their name may have an equals sign, ours has none.
fn mapped(text: &str) -> std::result::Result<ColumnChoice, String> {
    let (theirs, ours) = text.rsplit_once('=').ok_or_else(|| {
        format!("write it as \"Their column=Email\"; the columns are {}", columns().join(", "))
    })?;
    let column = Column::of(ours)
        .ok_or_else(|| format!("{ours} is not a column; the columns are {}", columns().join(", ")))?;
    Ok(ColumnChoice { which: Which::Named(theirs.to_owned()), column: Some(column) })
}

#[allow(clippy::unnecessary_wraps)] // As argh calls it.
fn ignored(text: &str) -> std::result::Result<ColumnChoice, String> {
    Ok(ColumnChoice { which: Which::Named(text.to_owned()), column: None })
}

/// Adds to what is wrong with the columns of a file how a command says which is which.
fn with_way_out(error: Error) -> Error {
    let way_out = match error.code {
        "csv_column_unknown" | "csv_column_required" => {
            "Map the column with --map \"Their column=Email\", or leave it out with --ignore-column NAME."
        }
        "csv_column_repeated" => "Leave one out with --ignore-column NAME, or rename it in the file.",
        _ => return error,
    };
    Error { public: format!("{} {way_out}", error.public), ..error }
}

impl Template {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        let path = self.file.unwrap_or_else(|| PathBuf::from("-"));
        let written = host.directory().and_then(|directory| {
            let mut output = Output::open(&path, &directory, self.force)?;
            output.write_all(&template()).map_err(|e| unusable(&path, &e))?;
            output.finish(&path)
        });
        host.ended(written)
    }
}

impl Import {
    pub(super) fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let group = host::only_group(desk, caller, self.group)?;
            let file = contents(&self.file)?;
            let terms = ApplyOptions {
                role: self.role.as_deref().map(RoleChoice::of_wire),
                skip_refused: self.skip_refused,
                columns: self.map.into_iter().chain(self.ignore_column).collect(),
            };
            let preview = if self.dry_run {
                telling(
                    || "Reading the rows".into(),
                    || desk.people.preview_csv(caller, group, &terms, &file),
                )
            } else {
                let progress = Progress::default();
                let so_far = || {
                    let (rows, all) = progress.rows();
                    format!("{rows} of {all} rows")
                };
                telling(so_far, || desk.people.apply_csv(caller, group, &terms, &file, &progress))
            };
            let preview = preview.map_err(with_way_out)?;
            if host.json {
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
    pub(super) fn run(self, host: &Host) -> ExitCode {
        let mut reader_gone = false;
        let exported = host.directory().and_then(|directory| {
            host.on_desk(|desk, caller| {
                let group = host::only_group(desk, caller, self.group)?;
                let mut output = Output::open(&self.file, &directory, self.force)?;
                let written = AtomicU64::new(0);
                let so_far = || format!("{} KiB written", written.load(Ordering::Relaxed) / 1024);
                let exported = telling(so_far, || {
                    let mut counted = output.counting(&written);
                    desk.people.export_csv(caller, group, &MemberQuery::default(), &mut counted)
                });
                reader_gone = output.reader_gone();
                let rows = exported?;
                output.finish(&self.file)?;
                host.remark(format_args!("{rows} users exported."));
                Ok(())
            })
        });
        match exported {
            Err(_) if reader_gone => ExitCode::from(READER_GONE),
            ended => host.ended(ended),
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

fn print(preview: &Preview, dry_run: bool) {
    for remark in preview.columns.iter().filter_map(|column| column.remark()) {
        say(format_args!("{remark}"));
    }
    for row in &preview.rows {
        if let (RowOutcome::Changed(changes), true) = (&row.outcome, dry_run) {
            let changes: Vec<String> = changes.iter().map(change_in_words).collect();
            say(format_args!("line {}: {}: {}", row.line, row.address, changes.join("; ")));
        }
        for warning in &row.warnings {
            say(format_args!("line {}: {warning}", row.line));
        }
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

fn change_in_words(change: &FieldChange) -> String {
    match &change.values {
        Some(both) => format!("{} \"{}\" -> \"{}\"", change.words(), both.old, both.new),
        None => format!("{}, new value not shown", change.words()),
    }
}

fn print_json(preview: &Preview) {
    let column = |meaning: Meaning| {
        let how = match meaning {
            Meaning::Ours(_) => "same",
            Meaning::Alike(_) => "alike",
            Meaning::Chosen(_) => "chosen",
            Meaning::LeftOut | Meaning::Unknown => "left-out",
        };
        (meaning.column().map(Column::name), how)
    };
    let columns = preview.columns.iter().map(|read| {
        let (ours, how) = column(read.meaning);
        json!({ "name": read.name, "column": ours, "how": how })
    });
    let change = |change: &FieldChange| match &change.values {
        Some(both) => json!({ "field": change.field, "old": both.old, "new": both.new }),
        None => json!({ "field": change.field }),
    };
    let row = |row: &PreviewRow| {
        let (outcome, more) = match &row.outcome {
            RowOutcome::Created => ("created", json!({})),
            RowOutcome::Changed(changes) => (
                "changed",
                json!({
                    "fields": changes.iter().map(|change| change.field).collect::<Vec<_>>(),
                    "changes": changes.iter().map(change).collect::<Vec<_>>(),
                }),
            ),
            RowOutcome::Unchanged => ("unchanged", json!({})),
            RowOutcome::Refused(r) => (
                "refused",
                json!({
                    "code": r.code, "column": r.column, "value": r.value, "why": r.why, "remedy": r.remedy,
                }),
            ),
        };
        json!({ "line": row.line, "address": row.address, "outcome": outcome, "detail": more, "warnings": row.warnings })
    };
    terminal::json(&json!({
        "applied": preview.applied, "created": preview.created, "changed": preview.changed,
        "unchanged": preview.unchanged, "refused": preview.refused, "columns": columns.collect::<Vec<_>>(),
        "rows": preview.rows.iter().map(row).collect::<Vec<_>>(),
    }));
}
