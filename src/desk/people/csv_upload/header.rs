//! Which column of a file is which of ours: by its name, by a name that looks alike, or as a person says. Pure.

use csv::StringRecord;

use crate::error::{Error, Kind, Result};
use crate::model::person::{ADDRESS, FIELDS, Field};

/// Most columns of a file: a person is asked about each that is not known.
pub const FILE_COLUMNS_MAX: usize = 100;
/// Most columns that one message names.
const NAMED_MOST: usize = 5;

/// The header, as the vendor's template has it. Wire contract §7.
pub fn columns() -> Vec<&'static str> {
    FIELDS.iter().filter_map(|field| field.column).collect()
}

/// A field of a person that has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column(&'static Field);

impl Column {
    fn all() -> impl Iterator<Item = Column> {
        FIELDS.iter().filter(|field| field.column.is_some()).map(|field| Column(field))
    }

    /// The column that a name means; case, spaces and punctuation do not count.
    pub fn of(name: &str) -> Option<Column> {
        let plain = plain(name);
        Column::all()
            .find(|ours| ours.0.also_column.contains(&&*plain) || ours.name().to_ascii_lowercase() == plain)
    }

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        self.0.column.unwrap_or_default()
    }
}

/// What a person says of one column of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChoice {
    pub which: Which,
    /// `None`: the column is left out.
    pub column: Option<Column>,
}

/// How a column of the file is pointed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its place, from 0.
    At(usize),
    /// By its name, in any case; of several with this name, all.
    Named(String),
}

/// The header of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub columns: Vec<HeaderColumn>,
    /// Why the rows cannot be read yet; empty when they can.
    pub problems: Vec<Error>,
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderColumn {
    /// As it stands in the file, but short, and without characters that move the cursor of a terminal.
    pub name: String,
    pub meaning: Meaning,
}

/// What a column of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Its name is ours, in any case.
    Ours(Column),
    /// Its name looks like ours.
    Alike(Column),
    /// Somebody said so.
    Chosen(Column),
    /// Somebody said that it is not to be read.
    LeftOut,
    Unknown,
}

impl Meaning {
    /// The column of ours, if it is one.
    pub fn column(self) -> Option<Column> {
        match self {
            Meaning::Ours(column) | Meaning::Alike(column) | Meaning::Chosen(column) => Some(column),
            Meaning::LeftOut | Meaning::Unknown => None,
        }
    }
}

impl HeaderColumn {
    /// What it is read as, where its name alone does not say so: a sentence.
    pub fn remark(&self) -> Option<String> {
        let name = &self.name;
        match self.meaning {
            Meaning::Alike(column) | Meaning::Chosen(column) => {
                Some(format!("Column \u{201c}{name}\u{201d} is read as {}.", column.name()))
            }
            Meaning::LeftOut => Some(format!("Column \u{201c}{name}\u{201d} is left out.")),
            Meaning::Ours(_) | Meaning::Unknown => None,
        }
    }
}

impl Header {
    /// Judges a header; `choices` go before what the names say.
    ///
    /// # Errors
    /// `Invalid`: `csv_too_many_columns`; `csv_column_absent` when a choice names a column that is not there.
    pub fn of(record: &StringRecord, choices: &[ColumnChoice]) -> Result<Header> {
        if record.len() > FILE_COLUMNS_MAX {
            let public =
                format!("The header has {} columns; at most {FILE_COLUMNS_MAX} are read.", record.len());
            return Err(refused("csv_too_many_columns", public));
        }
        for choice in choices {
            if !record.iter().enumerate().any(|(at, name)| choice.points_at(at, name.trim())) {
                let which = match &choice.which {
                    Which::At(at) => format!("number {}", at.saturating_add(1)),
                    Which::Named(name) => format!("\"{}\"", shown(name)),
                };
                let public = format!("The file has no column {which}. The names stand in its first line.");
                return Err(refused("csv_column_absent", public));
            }
        }
        let column = |(at, name): (usize, &str)| {
            let name = name.trim();
            let choice = choices.iter().find(|choice| choice.points_at(at, name));
            let meaning = match (choice, Column::of(name)) {
                (Some(choice), _) => choice.column.map_or(Meaning::LeftOut, Meaning::Chosen),
                (None, Some(ours)) if ours.name().eq_ignore_ascii_case(name) => Meaning::Ours(ours),
                (None, Some(ours)) => Meaning::Alike(ours),
                (None, None) => Meaning::Unknown,
            };
            HeaderColumn { name: shown(name), meaning }
        };
        let columns: Vec<HeaderColumn> = record.iter().enumerate().map(column).collect();
        let problems = [unknown(&columns), repeated(&columns), required(&columns)];
        Ok(Header { problems: problems.into_iter().flatten().collect(), columns })
    }

    /// Where a column of ours stands, from 0.
    pub fn place(&self, wanted: &'static Field) -> Option<usize> {
        self.columns.iter().position(|column| column.meaning.column() == Some(Column(wanted)))
    }

    /// The place of the first column that a problem is about, from 0; `None` for what is missing.
    pub fn field_of(&self, problem: &Error) -> Option<usize> {
        let is_claimed_again = |at: usize, column: &HeaderColumn| {
            let ours = column.meaning.column();
            ours.is_some() && self.columns.iter().take(at).any(|before| before.meaning.column() == ours)
        };
        let mut columns = self.columns.iter().enumerate();
        let found = match problem.code {
            "csv_column_unknown" => columns.find(|(_, column)| column.meaning == Meaning::Unknown),
            "csv_column_repeated" => columns.find(|(at, column)| is_claimed_again(*at, column)),
            _ => None,
        };
        found.map(|(at, _)| at)
    }

    /// All that keeps the rows from being read, as one refusal with the code of the first.
    pub fn problem(&self) -> Option<Error> {
        let first = self.problems.first()?;
        let sentences: Vec<&str> = self.problems.iter().map(|problem| problem.public.as_str()).collect();
        Some(Error { public: sentences.join(" "), ..first.clone() })
    }
}

impl ColumnChoice {
    fn points_at(&self, at: usize, name: &str) -> bool {
        match &self.which {
            Which::At(wanted) => *wanted == at,
            Which::Named(wanted) => wanted.trim().to_lowercase() == name.to_lowercase(),
        }
    }
}

fn unknown(read: &[HeaderColumn]) -> Option<Error> {
    let unknown: Vec<_> = read.iter().filter(|column| column.meaning == Meaning::Unknown).collect();
    let named: Vec<String> =
        unknown.iter().take(NAMED_MOST).map(|column| format!("\"{}\"", column.name)).collect();
    let (is, more) = (named.join(", "), unknown.len().saturating_sub(named.len()));
    let public = match (unknown.len(), more) {
        (0, _) => return None,
        (1, _) => format!("The header has a column {is} that is not known."),
        (_, 0) => format!("The header has columns that are not known: {is}."),
        (_, more) => format!("The header has columns that are not known: {is} and {more} more."),
    };
    Some(refused("csv_column_unknown", format!("{public} The columns are {}.", columns().join(", "))))
}

fn repeated(columns: &[HeaderColumn]) -> Option<Error> {
    let mut claims = Column::all().map(|ours| {
        let claims = columns.iter().filter(|column| column.meaning.column() == Some(ours));
        (ours, claims.map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>())
    });
    let (ours, names) = claims.find(|(_, names)| names.len() > 1)?;
    let names: Vec<String> = names.into_iter().take(NAMED_MOST).collect();
    let public =
        format!("The header has the column {} more than once: {}.", ours.name(), names.join(" and "));
    Some(refused("csv_column_repeated", public))
}

fn required(columns: &[HeaderColumn]) -> Option<Error> {
    let is_there = columns.iter().any(|column| column.meaning.column() == Some(Column(&ADDRESS)));
    let public = "The header has no column GlanceAddress, by which users are found.";
    (!is_there).then(|| refused("csv_column_required", public))
}

/// A name without what people vary: case, spaces, hyphens, underscores.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A cell of the header, for a terminal and for a page: short, and without characters that move the cursor.
fn shown(cell: &str) -> String {
    cell.chars().take(60).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

pub(super) fn refused(code: &'static str, public: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, code, public).with_field("file")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::model::person::FIRST_NAME;

    fn header(names: &[&str], choices: &[ColumnChoice]) -> Result<Header> {
        Header::of(&StringRecord::from(names.to_vec()), choices)
    }

    fn codes(names: &[&str], choices: &[ColumnChoice]) -> Vec<&'static str> {
        header(names, choices).unwrap().problems.iter().map(|problem| problem.code).collect()
    }

    fn named(name: &str, column: Option<Column>) -> ColumnChoice {
        ColumnChoice { which: Which::Named(name.into()), column }
    }

    #[test]
    fn names_that_look_like_ours_are_taken_for_them_and_said() {
        for (name, ours) in [
            ("First Name", "FirstName"),
            ("first_name", "FirstName"),
            ("E-mail", "Email"),
            ("E-Mail Address", "Email"),
            ("Phone number", "Phone"),
            ("glance.address", "GlanceAddress"),
            ("Partner User ID", "PartnerUID"),
        ] {
            let column = &header(&[name], &[]).unwrap().columns[0];
            assert_eq!(column.meaning.column().map(Column::name), Some(ours), "{name}");
            assert!(column.remark().unwrap().contains(ours));
        }
        let ours = &header(&["firstNAME"], &[]).unwrap().columns[0];
        assert_eq!((ours.meaning, ours.remark()), (Meaning::Ours(Column(&FIRST_NAME)), None));
        assert_eq!(header(&["Name"], &[]).unwrap().columns[0].meaning, Meaning::Unknown);
    }

    #[test]
    fn what_is_not_known_twice_there_or_missing_is_said_together() {
        let names = ["Colour", "Email", "E-mail"];
        let all = ["csv_column_unknown", "csv_column_repeated", "csv_column_required"];
        assert_eq!(codes(&names, &[]), all);
        let said = header(&names, &[]).unwrap().problem().unwrap();
        assert_eq!(said.code, "csv_column_unknown");
        assert!(said.public.contains("\"Colour\"") && said.public.contains("\"Email\" and \"E-mail\""));
        assert!(said.public.contains("no column GlanceAddress"), "{}", said.public);
        let many: Vec<String> = (0..9).map(|n| format!("c{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(header(&many, &[]).unwrap().problem().unwrap().public.contains("\"c4\" and 4 more"));
    }

    #[test]
    fn a_person_says_which_column_is_which() {
        let choices =
            [named("colour", None), ColumnChoice { which: Which::At(2), column: Some(Column(&ADDRESS)) }];
        assert_eq!(codes(&["Colour", "Email", "E-mail"], &choices), [""; 0]);
        let unsaid = header(&["Colour", "Email", "E-mail"], &[]).unwrap();
        let fields: Vec<_> = unsaid.problems.iter().map(|problem| unsaid.field_of(problem)).collect();
        assert_eq!(fields, [Some(0), Some(2), None]);
        let read = header(&["Colour", "Email", "E-mail"], &choices).unwrap();
        assert_eq!(read.place(&ADDRESS), Some(2));
        assert_eq!(read.columns[0].remark().unwrap(), "Column \u{201c}Colour\u{201d} is left out.");
        let absent = header(&["Email"], &[named("Mail", None)]).unwrap_err();
        assert_eq!(absent.code, "csv_column_absent");
    }

    #[test]
    fn a_person_is_asked_about_a_hundred_columns_at_most() {
        let many = vec!["x"; FILE_COLUMNS_MAX + 1];
        assert_eq!(header(&many, &[]).unwrap_err().code, "csv_too_many_columns");
    }
}
