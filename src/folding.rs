//! One way to compare texts in any case, for searching only.
//!
//! [`fold`] maps each letter to one form, whatever its script and case: Unicode's full case folding, which makes
//! `MÜLLER`, `Müller` and `müller` one, and `STRASSE` and `straße`. Accents stay as they were typed. The four
//! letters i of Turkish fold to one `i`, so that a name is found by both of its spellings in capitals.
//!
//! Never use it to decide who somebody is or whether a name is taken. There a PUID is compared byte by byte, and
//! Glance Addresses, e-mail addresses and group names without regard to the case of the letters a to z.

use std::borrow::Cow;

/// A dot above, which Unicode's lower case of `İ` leaves behind the `i`.
const COMBINING_DOT_ABOVE: char = '\u{307}';

/// The form in which `text` is compared when somebody searches.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'İ' | 'ı' => folded.push('i'),
            COMBINING_DOT_ABOVE if folded.ends_with('i') => {}
            // Lower, upper, lower: `ẞ` has its way to `ss` only through `ß`, and `ς` its way to `σ` through `Σ`.
            // Letter by letter, because the lower case of a whole text depends on where in a word a letter stands.
            _ => {
                folded.extend(letter.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase))
            }
        }
    }
    Cow::Owned(folded)
}

/// The words of a search, folded. A text fits when each of them is found in it, in any order.
pub fn words(search: &str) -> Vec<String> {
    search.split_whitespace().map(|word| fold(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_and_case_are_one() {
        for (one, other) in [
            ("MÜLLER", "müller"),
            ("Älice", "äLICE"),
            ("STRASSE", "Straße"),
            ("STRAẞE", "strasse"),
            ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"),
            ("ЖУРАВЛЁВА", "журавлёва"),
            ("ՀԱՅԿ", "հայկ"),
            ("ISTANBUL", "istanbul"),
            ("İSTANBUL", "istanbul"),
            ("i\u{307}stanbul", "İstanbul"),
            ("IŞIK", "ışık"),
            ("ﬁnn", "FINN"),
            ("ŐRSI", "őrsi"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn accents_count_as_typed() {
        assert_ne!(fold("Müller"), fold("Muller"));
        assert_ne!(fold("José"), fold("Jose"));
        assert_eq!(fold("李明 123 _%"), "李明 123 _%");
    }

    #[test]
    fn every_letter_folds_like_its_other_cases_and_stays_as_folded() {
        for letter in '\0'..=char::MAX {
            let text = letter.to_string();
            let folded = fold(&text);
            assert_eq!(fold(&folded), folded, "{letter:?} stays");
            assert_eq!(fold(&text.to_lowercase()), folded, "{letter:?} in lower case");
            assert_eq!(fold(&text.to_uppercase()), folded, "{letter:?} in upper case");
        }
    }
}
