//! Reading the columns of a row by their names, for rows with many of them.
//!
//! rusqlite looks a name up from the first column on. [`Columns`] first looks where the last read ended: where the reads
//! follow the order of the statement, each costs one comparison.

use std::cell::Cell;

use rusqlite::Row;
use rusqlite::types::FromSql;

/// The columns of a row.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    /// Where the next read is expected.
    next: Cell<usize>,
}

impl<'r, 's> Columns<'r, 's> {
    pub fn of(row: &'r Row<'s>) -> Columns<'r, 's> {
        Columns { row, next: Cell::new(0) }
    }

    /// Reads the column with this name.
    ///
    /// # Errors
    /// When there is no such column, or its value has another type.
    pub fn get<T: FromSql>(&self, name: &str) -> rusqlite::Result<T> {
        let statement = self.row.as_ref();
        let expected = self.next.get();
        let at = match statement.column_name(expected) {
            Ok(found) if found == name => expected,
            _ => statement.column_index(name)?,
        };
        self.next.set(at + 1);
        self.row.get(at)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_name_finds_its_own_column_in_any_order() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let read = |names: &'static [&str]| {
            let read = |row: &Row<'_>| {
                let columns = Columns::of(row);
                names.iter().map(|name| columns.get::<i64>(name)).collect::<rusqlite::Result<Vec<_>>>()
            };
            connection.query_row("SELECT 1 AS a, 2 AS b, 3 AS c", [], read)
        };
        assert_eq!(read(&["a", "b", "c"]).unwrap(), [1, 2, 3]);
        assert_eq!(read(&["c", "a", "a", "b", "c", "b"]).unwrap(), [3, 1, 1, 2, 3, 2]);
        assert!(read(&["a", "d"]).is_err());
    }
}
