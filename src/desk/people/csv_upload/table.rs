//! Reads the file into rows: UTF-8 with or without a byte order mark; commas, semicolons (as Excel writes
//! them in Europe) or tabs; quoted cells; any line ends; the header in any case and order. Pure.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::RowRefusal;
use super::header::{ColumnChoice, Header, columns, refused};
use crate::error::Result;
use crate::model::person::{ADDRESS, EMAIL, PASSWORD, PUID, Person};
use crate::secret::Secret;

/// Most rows of one file.
pub const ROWS_MAX: usize = 100_000;

/// A cell that begins with one of these is a formula to a spreadsheet.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A row as it stands in the file. `None`: the file has no such column, or the cell is blank.
#[derive(Default)]
pub struct CsvRow {
    /// Line of the file, from 1.
    pub line: u64,
    pub address: String,
    pub person: Person<Option<String>>,
    pub puid: Option<String>,
    pub password: Option<Secret>,
    /// The row has more cells than the header.
    pub torn: Option<RowRefusal>,
}

/// A file that was read.
pub struct Table {
    pub header: Header,
    pub rows: Vec<CsvRow>,
}

/// Reads the header of a file.
///
/// # Errors
/// `Invalid`: `csv_not_utf8`, `csv_is_a_workbook`, `csv_empty`, `csv_malformed`, `csv_too_many_columns`,
/// `csv_column_absent`.
pub fn read_header(file: &[u8], choices: &[ColumnChoice]) -> Result<Header> {
    begin(text_of(file)?, choices).map(|begun| begun.header)
}

/// Reads a file.
///
/// # Errors
/// As [`read_header`]; `Invalid`: `csv_column_unknown`, `csv_column_repeated`, `csv_column_required`,
/// `csv_too_many_rows`.
pub fn read(file: &[u8], choices: &[ColumnChoice]) -> Result<Table> {
    let Begun { mut reader, header, text, first_line } = begin(text_of(file)?, choices)?;
    if let Some(problem) = header.problem() {
        return Err(problem);
    }
    let columns = ColumnPositions::of(&header);
    let mut record = StringRecord::new();
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
    Ok(Table { header, rows })
}

/// A file whose header was read.
struct Begun<'f> {
    reader: csv::Reader<&'f [u8]>,
    header: Header,
    /// From the header on.
    text: &'f str,
    /// The header's line.
    first_line: u64,
}

fn begin<'f>(text: &'f str, choices: &[ColumnChoice]) -> Result<Begun<'f>> {
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
    let header = Header::of(&record, choices)?;
    Ok(Begun { reader, header, text, first_line })
}

/// Where each of our columns stands in a row, from 0, and how many cells a row has at most.
struct ColumnPositions {
    person: Person<Option<usize>>,
    address: Option<usize>,
    password: Option<usize>,
    puid: Option<usize>,
    all: usize,
}

impl ColumnPositions {
    fn of(header: &Header) -> ColumnPositions {
        ColumnPositions {
            person: Person::of(|line| header.place(line)),
            address: header.place(&ADDRESS),
            password: header.place(&PASSWORD),
            puid: header.place(&PUID),
            all: header.columns.len(),
        }
    }
}

/// How a workbook begins: of today's kind, which is a ZIP archive, and of the old one.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

fn text_of(file: &[u8]) -> Result<&str> {
    if WORKBOOKS.iter().any(|begin| file.starts_with(begin)) {
        let public = "This is a workbook, not a CSV file. In Excel, choose Save As and the type \"CSV UTF-8 (Comma \
                      delimited)\"; in other spreadsheets, export it as CSV in UTF-8.";
        return Err(refused("csv_is_a_workbook", public));
    }
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

/// The file to begin with: only the names of the columns.
pub fn template() -> Vec<u8> {
    format!("\u{feff}{}\r\n", columns().join(",")).into_bytes()
}

impl CsvRow {
    /// What looks like a slip, though no rule forbids it.
    pub fn warnings(&self) -> Vec<String> {
        // An e-mail address is looked at below, and a Glance Address like that is refused.
        let lines = self.person.iter().filter(|(line, _)| **line != EMAIL);
        let cells = lines.chain([(&PUID, &self.puid)]);
        let shortened = cells.filter_map(|(field, cell)| {
            let cell = cell.as_deref().filter(|cell| is_shortened_number(cell))?;
            let column = field.column?;
            Some(format!(
                "{column} \u{201c}{cell}\u{201d} looks like a long number that a spreadsheet shortened. Format the \
                 column as text and fill it in again."
            ))
        });
        let email = self.person.email.as_deref().filter(|email| !looks_like_email(email));
        let email = email.map(|email| {
            let email: String = email.chars().take(100).collect();
            format!("Email \u{201c}{email}\u{201d} does not look like an e-mail address.")
        });
        shortened.chain(email).collect()
    }
}

/// `4,9302E+11`, as spreadsheets show numbers of more than eleven digits.
fn is_shortened_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((number, exponent)) = cell.trim().split_once(['E', 'e']) else { return false };
    let (whole, part) = number.split_once([',', '.']).unwrap_or((number, "0"));
    exponent.strip_prefix('+').is_some_and(digits) && digits(whole) && digits(part)
}

fn looks_like_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

fn row(record: &StringRecord, places: &ColumnPositions, line: u64) -> CsvRow {
    let cell =
        |place: Option<usize>| place.and_then(|at| record.get(at)).filter(|cell| !cell.trim().is_empty());
    let text = |place: Option<usize>| cell(place).map(|cell| disarmed(cell.trim()).to_owned());
    let extra = record.iter().skip(places.all).find(|cell| !cell.trim().is_empty());
    CsvRow {
        line,
        person: places.person.map(|_, place| text(*place)),
        address: text(places.address).unwrap_or_default(),
        // White space may be part of a password.
        password: cell(places.password).map(|cell| Secret::new(cell.as_bytes())),
        // White space may be part of a PUID; whether it is meant, the plan asks.
        puid: cell(places.puid).map(|cell| disarmed(cell).to_owned()),
        torn: extra.map(|_| RowRefusal {
            code: "too_many_cells",
            column: "",
            value: String::new(),
            why: format!("The row has {} cells, the header {}.", record.len(), places.all),
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

#[cfg(test)]
mod unit {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn read(file: &[u8]) -> Result<Vec<CsvRow>> {
        super::read(file, &[]).map(|table| table.rows)
    }

    fn code(file: &[u8]) -> Option<&'static str> {
        read(file).err().map(|e| e.code)
    }

    #[test]
    fn every_dialect_of_csv_reads_alike() {
        let check = |file: &str| {
            let rows = read(file.as_bytes()).unwrap();
            let read: Vec<_> =
                rows.iter().map(|r| (r.line, r.address.as_str(), r.person.first_name.as_deref())).collect();
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
        assert_eq!(code(b"PK\x03\x04\x14\0"), Some("csv_is_a_workbook"));
        assert_eq!(code(b"\xd0\xcf\x11\xe0\xa1\xb1"), Some("csv_is_a_workbook"));
        assert_eq!(code(b"GlanceAddress,glanceaddress\n"), Some("csv_column_repeated"));
        assert_eq!(code(b"FirstName,LastName\n"), Some("csv_column_required"));
        assert_eq!(code(b"GlanceAddress\na.x\n\xfcber\n"), Some("csv_not_utf8"));
        assert_eq!(code(b"\xff\xfeG\0l\0"), Some("csv_not_utf8"));
        let many = "a.x\n".repeat(ROWS_MAX + 1);
        assert_eq!(code(format!("GlanceAddress\n{many}").as_bytes()), Some("csv_too_many_rows"));
    }

    #[test]
    fn nothing_of_the_header_moves_a_cursor() {
        for header in ["GlanceAddress,\u{1b}[2J\u{7}x\n", "GlanceAddress,\u{9b}2J\n"] {
            let public = read(header.as_bytes()).err().unwrap().public;
            assert!(!public.contains(char::is_control), "{public:?}");
        }
    }

    #[test]
    fn the_template_is_read_and_has_no_rows() {
        assert!(read(&template()).unwrap().is_empty());
    }

    #[test]
    fn what_a_spreadsheet_spoiled_and_what_is_no_address_is_remarked() {
        let warned = |line: &str| {
            read(format!("GlanceAddress,Phone,PartnerUID,Email\n{line}\n").as_bytes()).unwrap()[0].warnings()
        };
        for line in [
            "a.x,\"4,9302E+11\",,",
            "a.x,4.9302E+11,,",
            "a.x,,5E+12,",
            "a.x,,,not-an-email",
            "a.x,,,a@",
            "a.x,,,a b@c",
        ] {
            assert_eq!(warned(line).len(), 1, "{line}");
        }
        for line in ["a.x,+49 171,E123,a@b", "a.x,4930,EVE+1,", "a.x,,E+11,", "a.x,,1E5,ann@example.com"] {
            assert!(warned(line).is_empty(), "{line}: {:?}", warned(line));
        }
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
