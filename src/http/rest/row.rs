//! One row of a call that brings several: its fields, each of the type that the documents give it.
//!
//! A field of a name that nobody documents is refused, because a misspelt one would else be lost without a
//! word; those that a list answers are let pass, so that its rows can be sent back.

use serde_json::{Map, Value};

use crate::desk::people::bulk::{BULK_MAX, BulkError};
use crate::error::{Error, Kind, Result};
use crate::http::form::without_mark;
use crate::secret::Secret;

/// A row.
pub struct JsonRow<'v> {
    fields: &'v Map<String, Value>,
}

/// Reads the rows of a body: a JSON array.
///
/// # Errors
/// `Invalid` with `body_not_json` or `body_not_a_list` or `too_many_rows` for the whole; by row those of `read`.
pub fn rows<T>(body: &[u8], read: impl Fn(&Value) -> Result<T>) -> std::result::Result<Vec<T>, BulkError> {
    let value: Value = serde_json::from_slice(without_mark(body)).map_err(|error| {
        Error::new(Kind::Invalid, "body_not_json", format!("The body is not JSON: {error}."))
    })?;
    let Value::Array(items) = value else {
        let public = "The body must be a list of rows: [{…}, {…}].";
        return Err(Error::new(Kind::Invalid, "body_not_a_list", public).into());
    };
    if items.len() > BULK_MAX {
        let public = format!("One call can have at most {BULK_MAX} rows; this one has {}.", items.len());
        return Err(Error::new(Kind::Invalid, "too_many_rows", public).into());
    }
    let mut done = Vec::with_capacity(items.len());
    let mut refused = Vec::new();
    for (number, item) in items.iter().enumerate() {
        match read(item) {
            Ok(one) => done.push(one),
            Err(error) => refused.push((number, error)),
        }
    }
    if refused.is_empty() { Ok(done) } else { Err(BulkError::Rows(refused)) }
}

impl<'v> JsonRow<'v> {
    /// Takes an object as a row that may have these fields and no others.
    ///
    /// # Errors
    /// `Invalid` with `row_not_an_object` or `field_unknown`.
    pub fn new(item: &'v Value, known: &[&str]) -> Result<JsonRow<'v>> {
        let Value::Object(fields) = item else {
            return Err(Error::new(Kind::Invalid, "row_not_an_object", "A row is an object: {…}."));
        };
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(JsonRow { fields }),
            Some(unknown) => {
                let public = format!("There is no such field. The fields are {}.", known.join(", "));
                let unknown: String = unknown.chars().take(60).collect();
                Err(Error::invalid("field_unknown", unknown, public))
            }
        }
    }

    /// A text; `None` when it is absent or null.
    ///
    /// # Errors
    /// `Invalid` with `wrong_type`.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong_type(name, "a text")),
        }
    }

    /// A secret text; `None` when it is absent or null.
    ///
    /// # Errors
    /// `Invalid` with `wrong_type`.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.text(name)?.map(Secret::new))
    }

    /// A whole number from 0; `None` when it is absent or null.
    ///
    /// # Errors
    /// `Invalid` with `wrong_type`.
    pub fn number(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => number(value).map(Some).ok_or_else(|| wrong_type(name, "a whole number from 0")),
        }
    }

    /// True or false; `None` when it is absent or null.
    ///
    /// # Errors
    /// `Invalid` with `wrong_type`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(wrong_type(name, "true or false")),
        }
    }

    /// An object of booleans; empty when it is absent or null.
    ///
    /// # Errors
    /// `Invalid` with `wrong_type`.
    pub fn flags(&self, name: &str) -> Result<Vec<(String, bool)>> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Object(flags)) => flags
                .iter()
                .map(|(key, value)| value.as_bool().map(|flag| (key.clone(), flag)))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong_type(name, "an object of true and false")),
            Some(_) => Err(wrong_type(name, "an object of true and false")),
        }
    }

    fn value(&self, name: &str) -> Option<&'v Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }
}

/// Largest whole number that every JSON reader holds exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A whole number from 0; `7.0` is one (JSON Schema 2020-12 §6.1.1).
pub fn number(value: &Value) -> Option<i64> {
    let whole = value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= EXACT_MAX)?;
        // Whole and in range, so nothing is cut off.
        #[allow(clippy::cast_possible_truncation)]
        Some(number as i64)
    });
    whole.filter(|number| *number >= 0)
}

fn wrong_type(name: &str, what: &str) -> Error {
    Error::invalid("wrong_type", name, format!("{name} is {what}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn refused<T>(body: &str, read: impl Fn(&Value) -> Result<T>) -> Vec<(usize, &'static str)> {
        match rows(body.as_bytes(), read) {
            Ok(_) => Vec::new(),
            Err(BulkError::Whole(error)) => vec![(usize::MAX, error.code)],
            Err(BulkError::Rows(rows)) => rows.into_iter().map(|(row, error)| (row, error.code)).collect(),
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
        let read = |text: &str| number(&serde_json::from_str(text).unwrap());
        // The last one is misread by a parser that is content with the nearest but one.
        for (text, want) in [
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("7.5", None),
            ("-1", None),
            ("1e300", None),
            ("2251799813685247.0", Some(2_251_799_813_685_247)),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn each_refused_row_is_named_and_the_whole_when_it_is_no_list() {
        let read = |item: &Value| JsonRow::new(item, &["a"])?.text("a");
        assert_eq!(
            refused(r#"[{"a":"x"},{"a":1},{},{"b":1},[]]"#, read),
            [(1, "wrong_type"), (3, "field_unknown"), (4, "row_not_an_object"),]
        );
        assert_eq!(refused("{}", read), [(usize::MAX, "body_not_a_list")]);
        assert_eq!(refused("[", read), [(usize::MAX, "body_not_json")]);
        assert_eq!(refused("[]", read), []);
        assert_eq!(refused("\u{feff}[]", read), [], "a byte order mark is passed over");
    }

    #[test]
    fn types_are_strict_and_null_is_absent() {
        let item = json!({"t": "x", "n": 7, "f": true, "s": {"a": true}, "z": null, "m": -1, "d": 1.5});
        let row = JsonRow::new(&item, &["t", "n", "f", "s", "z", "m", "d"]).unwrap();
        assert_eq!(row.text("t").unwrap().as_deref(), Some("x"));
        assert_eq!(row.number("n").unwrap(), Some(7));
        assert_eq!((number(&json!(7.0)), number(&json!(1e300)), number(&json!(-1.0))), (Some(7), None, None));
        assert_eq!(row.flag("f").unwrap(), Some(true));
        assert_eq!(row.flags("s").unwrap(), [("a".to_owned(), true)]);
        assert!(row.text("z").unwrap().is_none() && row.number("z").unwrap().is_none());
        assert!(row.text("n").is_err() && row.number("m").is_err() && row.number("d").is_err());
        assert!(row.flag("t").is_err() && row.flags("f").is_err());
    }
}
