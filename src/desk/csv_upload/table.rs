//! Reads the file into rows: UTF-8 with or without a byte order mark; commas, semicolons (as Excel writes
//! them in Europe) or tabs; quoted cells; any line ends; the header in any case and order. Pure.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::RowRefusal;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// The header, as the vendor's template has it. Wire contract §7.
pub const COLUMNS: [&str; 7] =
    ["FirstName", "LastName", "Email", "Phone", "GlanceAddress", "Password", "PartnerUID"];
const GLANCE_ADDRESS: usize = 4;
const PASSWORD: usize = 5;

/// Most rows of one file.
pub const ROWS_MAX: usize = 100_000;

/// A cell that begins with one of these is a formula to a spreadsheet.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A row as it stands in the file. `None`: the file has no such column, or the cell is blank.
#[derive(Default)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    pub address: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub puid: Option<String>,
    pub password: Option<Secret>,
    /// The row has more cells than the header.
    pub torn: Option<RowRefusal>,
}

/// Reads a file.
///
/// # Errors
/// `Invalid`: `csv_not_utf8`, `csv_empty`, `csv_malformed`, `csv_column_unknown`, `csv_column_repeated`,
/// `csv_column_required`, `csv_too_many_rows`.
pub fn read(file: &[u8]) -> Result<Vec<Row>> {
    let text = text_of(file)?;
    let (text, first_line) = match text.split_once('\n') {
        // Excel's own hint, which names the delimiter.
        Some((hint, rest)) if hint.trim_end().to_ascii_lowercase().starts_with("sep=") => (rest, 2),
        _ => (text, 1),
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .trim(Trim::None)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    if !read_record(&mut reader, &mut record)? {
        return Err(refused("csv_empty", "The file is empty. Its first line names the columns."));
    }
    let columns = header(&record)?;
    let mut rows = Vec::new();
    let mut lines = Lines { text: text.as_bytes(), counted: 0, line: first_line };
    while read_record(&mut reader, &mut record)? {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() == ROWS_MAX {
            let public = format!("The file has more than {ROWS_MAX} rows. Split it.");
            return Err(refused("csv_too_many_rows", public));
        }
        let begin = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        rows.push(row(&record, &columns, lines.at(begin)));
    }
    Ok(rows)
}

fn text_of(file: &[u8]) -> Result<&str> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    std::str::from_utf8(file).map_err(|e| {
        let line = file.iter().take(e.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        let public =
            format!("Line {line} of the file is not UTF-8 text. In Excel, save it as \"CSV UTF-8\".");
        refused("csv_not_utf8", public)
    })
}

fn read_record(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Result<bool> {
    reader.read_record(record).map_err(|e| refused("csv_malformed", format!("The file is not CSV: {e}.")))
}

/// Counts lines up to a row. The reader's own count is behind by one after `\r\n`.
struct Lines<'t> {
    text: &'t [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row that begins at or, after line ends, behind `begin`. Rows are asked for in order.
    fn at(&mut self, begin: usize) -> u64 {
        let rest = self.text.get(begin..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let row = begin + ends;
        let passed = self.text.get(self.counted..row).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').map(|_| 1).sum::<u64>();
        self.counted = row;
        self.line
    }
}

/// The delimiter of which the header has most.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or("");
    let count = |wanted: u8| header.bytes().filter(|byte| *byte == wanted).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|wanted| count(*wanted)).unwrap_or(b',')
}

/// Which of [`COLUMNS`] stands in each place of the header.
fn header(record: &StringRecord) -> Result<Vec<usize>> {
    let mut columns = Vec::new();
    for name in record {
        let name = name.trim();
        let known = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
        let Some(column) = known else {
            let shown: String = name.chars().take(60).collect();
            let public =
                format!("The header has a column \"{shown}\". The columns are {}.", COLUMNS.join(", "));
            return Err(refused("csv_column_unknown", public));
        };
        if columns.contains(&column) {
            return Err(refused("csv_column_repeated", format!("The header has the column {name} twice.")));
        }
        columns.push(column);
    }
    if !columns.contains(&GLANCE_ADDRESS) {
        return Err(refused("csv_column_required", "The header has no column GlanceAddress."));
    }
    Ok(columns)
}

fn row(record: &StringRecord, columns: &[usize], line: u64) -> Row {
    let cell = |wanted: usize| {
        let place = columns.iter().position(|column| *column == wanted)?;
        record.get(place).filter(|cell| !cell.trim().is_empty())
    };
    let text = |wanted: usize| cell(wanted).map(|cell| disarmed(cell.trim()).to_owned());
    let extra = record.iter().skip(columns.len()).find(|cell| !cell.trim().is_empty());
    Row {
        line,
        first_name: text(0),
        last_name: text(1),
        email: text(2),
        phone: text(3),
        address: text(GLANCE_ADDRESS).unwrap_or_default(),
        // White space may be part of a password.
        password: cell(PASSWORD).map(|cell| Secret::new(cell.as_bytes())),
        // White space may be part of a PUID; whether it is meant, the plan asks.
        puid: cell(6).map(|cell| disarmed(cell).to_owned()),
        torn: extra.map(|_| RowRefusal {
            code: "too_many_cells",
            column: "",
            value: String::new(),
            why: format!("The row has {} cells, the header {}.", record.len(), columns.len()),
            remedy: "Put cells that contain the delimiter in double quotes.",
        }),
    }
}

/// Makes a cell that a spreadsheet takes for text, never for a formula; [`disarmed`] is the way back.
pub fn armoured(value: &str) -> String {
    if value.trim_start_matches('\'').starts_with(FORMULA) { format!("'{value}") } else { value.to_owned() }
}

/// Takes away the apostrophe that [`armoured`] put before a formula's sign.
fn disarmed(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest,
        _ => cell,
    }
}

fn refused(code: &'static str, public: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, code, public).with_field("file")
}

#[cfg(test)]
mod unit {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn code(file: &[u8]) -> Option<&'static str> {
        read(file).err().map(|e| e.code)
    }

    #[test]
    fn every_dialect_of_csv_reads_alike() {
        let check = |file: &str| {
            let rows = read(file.as_bytes()).unwrap();
            let read: Vec<_> =
                rows.iter().map(|r| (r.line, r.address.as_str(), r.first_name.as_deref())).collect();
            assert_eq!(read, [(2, "a.x", Some("Ann, \"A\"")), (3, "b.x", None)], "{file:?}");
        };
        check("GlanceAddress,FirstName\na.x,\"Ann, \"\"A\"\"\"\nb.x,\n");
        check("\u{feff}GlanceAddress,FirstName\r\na.x,\"Ann, \"\"A\"\"\"\r\nb.x,");
        check("firstname;GLANCEADDRESS\r\n\"Ann, \"\"A\"\"\";a.x\r\n;b.x\r\n");
        check("GlanceAddress\tFirstName\na.x\t\"Ann, \"\"A\"\"\"\nb.x\n\n\t\n");
    }

    #[test]
    fn a_hint_of_excel_is_not_the_header() {
        let rows = read(b"sep=;\r\nGlanceAddress;Email\r\na.x;e\r\n").unwrap();
        assert_eq!((rows[0].line, rows[0].address.as_str()), (3, "a.x"));
    }

    #[test]
    fn a_file_is_refused_as_a_whole_by_name() {
        assert_eq!(code(b""), Some("csv_empty"));
        assert_eq!(code(b"GlanceAddress,Emial\n"), Some("csv_column_unknown"));
        assert_eq!(code(b"GlanceAddress,glanceaddress\n"), Some("csv_column_repeated"));
        assert_eq!(code(b"FirstName,LastName\n"), Some("csv_column_required"));
        assert_eq!(code(b"GlanceAddress\na.x\n\xfcber\n"), Some("csv_not_utf8"));
        assert_eq!(code(b"\xff\xfeG\0l\0"), Some("csv_not_utf8"));
        let many = "a.x\n".repeat(ROWS_MAX + 1);
        assert_eq!(code(format!("GlanceAddress\n{many}").as_bytes()), Some("csv_too_many_rows"));
    }

    #[test]
    fn a_formula_is_exported_as_text_and_comes_back_as_it_was() {
        for value in ["=1+1", "+49 171", "-x", "@a", "'=1", "''+", "'quoted", "plain", "", "'"] {
            let cell = armoured(value);
            assert!(!cell.starts_with(FORMULA), "{cell:?}");
            assert_eq!(disarmed(&cell), value);
        }
        assert_eq!(disarmed("+49 171"), "+49 171", "a file that somebody typed");
    }
}
