//! What searches among people compare: the words of a user, folded, and the index of their trigrams.
//!
//! The table `user_words` holds each word of a user behind two spaces, with two more behind the last:
//! `"  ann  lee  ann.lee.example.com  "`. So a word's beginning and its end are trigrams as well as its middle, and
//! one index, `user_trigrams`, answers "has", "begins", "ends" and "is". It answers a little too much (the trigrams
//! may stand apart, or in the name of the user in another group); anyone who it names is compared again by the rows.
//!
//! The tables are kept by triggers of `schema.sql`, so that no statement that changes people can forget them.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::folding::{fold, words};
use crate::model::GroupId;

/// What stands before each word, and behind the last.
pub(super) const EDGE: &str = "  ";
/// Words shorter than this are looked for at the beginnings of words only: there is no trigram in their middle.
const TRIGRAM: usize = 3;
/// Most trigrams that one search asks the index for. More would hardly leave fewer to compare.
const TRIGRAMS_MOST: usize = 32;

/// Tells `connection` the functions that the schema's triggers and our searches call.
///
/// # Errors
/// When SQLite has no memory left.
pub fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("folded", 1, flags, |context| {
        Ok(text_of(context, 0).map(|text| fold(text).into_owned()))
    })?;
    connection.create_scalar_function("search_words", -1, flags, |context| {
        Ok(joined((0..context.len()).filter_map(|at| text_of(context, at))))
    })?;
    connection.create_scalar_function("has_words", -1, flags, |context| {
        let Some(words) = text_of(context, 0) else { return Ok(false) };
        let texts: Vec<_> = (1..context.len()).filter_map(|at| text_of(context, at)).map(fold).collect();
        Ok(words.split(' ').all(|word| texts.iter().any(|text| text.contains(word))))
    })
}

fn text_of<'c>(context: &'c Context<'_>, at: usize) -> Option<&'c str> {
    match context.get_raw(at) {
        ValueRef::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// The words of all `texts`, folded, each once.
fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let words: BTreeSet<String> = texts.flat_map(words).collect();
    if words.is_empty() {
        return String::new();
    }
    words.iter().flat_map(|word| [EDGE, word]).chain([EDGE]).collect()
}

/// A word of a search, as it stands in `user_words`: short ones behind the edge of a word.
pub(super) fn needle(word: &str) -> String {
    match word.chars().count() < TRIGRAM {
        true => format!("{EDGE}{word}"),
        false => word.to_owned(),
    }
}

/// A text as `user_words` holds it, folded; `at_start` and `at_end` say that a field begins or ends with it. White space
/// in it is the edge of words.
pub(super) fn edged(text: &str, at_start: bool, at_end: bool) -> String {
    let is_edge = |letter: Option<char>, at_end: bool| at_end || letter.is_some_and(char::is_whitespace);
    let before = if is_edge(text.chars().next(), at_start) { EDGE } else { "" };
    let after = if is_edge(text.chars().next_back(), at_end) { EDGE } else { "" };
    format!("{before}{}{after}", words(text).join(EDGE))
}

/// The users among whom all are whose words have `text` in them, for `MATCH`; `None` when `text` is too short to tell.
/// `text` is folded; edges in it count.
pub(super) fn having(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let trigrams: BTreeSet<String> = letters.windows(TRIGRAM).map(|three| three.iter().collect()).collect();
    let quoted = trigrams.iter().take(TRIGRAMS_MOST).map(|trigram| quoted(trigram));
    Some(quoted.collect::<Vec<_>>().join(" AND ")).filter(|all| !all.is_empty())
}

/// The users of a group, and perhaps others, for `MATCH`. The schema's triggers write the same three characters.
pub(super) fn of_group(group: GroupId) -> String {
    let part = |shift: u32| {
        let bits = u32::try_from(group.0 >> shift & 0x3fff).unwrap_or(0);
        char::from_u32(0xf_0000 + bits).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    quoted(&[part(28), part(14), part(0)].iter().collect::<String>())
}

fn quoted(token: &str) -> String {
    format!("\"{}\"", token.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_apart_folded_and_once() {
        assert_eq!(joined(["Ann Marie", " LEE", "ann"].into_iter()), "  ann  lee  marie  ");
        assert_eq!(joined(["", " "].into_iter()), "");
    }

    #[test]
    fn a_word_is_asked_for_by_its_trigrams() {
        assert_eq!(having(&needle("anna")).as_deref(), Some("\"ann\" AND \"nna\""));
        assert_eq!(having(&needle("an")).as_deref(), Some("\"  a\" AND \" an\""));
        assert_eq!(having(&needle("a\"b")).as_deref(), Some("\"a\"\"b\""));
        assert_eq!(having("an"), None);
        let most = having(&('a'..='z').chain('0'..='9').collect::<String>().repeat(9));
        assert_eq!(most.map(|most| most.matches(" AND ").count() + 1), Some(TRIGRAMS_MOST));
    }
}
