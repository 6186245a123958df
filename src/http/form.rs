//! Parameters of a query or a form body: names in any case, values decoded or as they came.
//!
//! The wire carries `$` and partner user IDs raw in some clients and percent-encoded in others (wire
//! contract §10.2), so both readings of a value stay available.

use std::borrow::Cow;

use crate::error::{Error, Kind, Result};
use crate::percent;

/// Most parameters of one query or body; what comes after them is not read.
const PARAMETERS_MAX: usize = 1_000;

/// The parameters, in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Params<'r> {
    pairs: Vec<(Cow<'r, str>, &'r str)>,
}

impl<'r> Params<'r> {
    /// Reads a query without its question mark.
    pub fn of_query(query: &'r str) -> Params<'r> {
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .take(PARAMETERS_MAX)
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (percent::form_lossy(name), value))
            .collect();
        Params { pairs }
    }

    /// Reads an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    /// `Invalid` with code `body_not_utf8`.
    pub fn of_body(body: &'r [u8]) -> Result<Params<'r>> {
        let text = std::str::from_utf8(body)
            .map_err(|_| Error::new(Kind::Invalid, "body_not_utf8", "The form is not UTF-8 text."))?;
        Ok(Params::of_query(text.trim_end_matches(['\r', '\n'])))
    }

    /// These parameters, and after them those of `others`.
    pub fn and(mut self, others: Params<'r>) -> Params<'r> {
        self.pairs.extend(others.pairs);
        self
    }

    /// The first parameter of this name, percent-decoded, `+` read as a space.
    pub fn first(&self, name: &str) -> Option<Cow<'r, str>> {
        self.first_raw(name).map(percent::form_lossy)
    }

    /// The first parameter of this name, trimmed and decoded; `None` also when it is empty.
    pub fn filled(&self, name: &str) -> Option<String> {
        self.first(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The first parameter of this name, as it came.
    pub fn first_raw(&self, name: &str) -> Option<&'r str> {
        self.pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// All parameters of this name, decoded, in the order they came.
    pub fn all(&self, name: &str) -> Vec<Cow<'r, str>> {
        let named = self.pairs.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| percent::form_lossy(value)).collect()
    }

    /// All parameters: name and value, decoded.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'r, str>)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), percent::form_lossy(value)))
    }
}

/// A body without the byte order mark that some frameworks write before UTF-8 text; RFC 8259 §8.1 lets a
/// reader pass over it.
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_both_readings_stay() {
        let params = Params::of_query("PartnerUserID=a%20b+c&LOGINKEY=$1$2$x&empty&loginkey=second");
        assert_eq!(params.first("partneruserid").as_deref(), Some("a b c"));
        assert_eq!(params.first_raw("PARTNERUSERID"), Some("a%20b+c"));
        assert_eq!(params.first("loginkey").as_deref(), Some("$1$2$x"));
        assert_eq!(params.all("LoginKey").len(), 2);
        assert_eq!(params.first("empty").as_deref(), Some(""));
        assert_eq!(params.filled("empty"), None);
        assert_eq!(params.first("missing"), None);
    }

    #[test]
    fn values_are_decoded_as_the_url_standard_has_it() {
        for raw in [
            "", "%", "%2", "%zz", "a%", "%25%", "%41%4a", "+%2B+", "%C3%A9", "%c3", "%FFa", "%%41", "é+%20é",
            "%+1",
        ] {
            let want = form_urlencoded::parse(format!("a={raw}").as_bytes())
                .next()
                .map(|(_, value)| value.into_owned());
            assert_eq!(percent::form_lossy(raw), want.unwrap_or_default(), "{raw}");
        }
    }
}
