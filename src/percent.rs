//! Percent-encoding undone (RFC 3986 §2.1): the one decoder, in three readings.
//!
//! What to refuse of a decoded text is the business of the one who asked for it. An escape is a percent sign and two
//! hexadecimal digits.

use std::borrow::Cow;

use percent_encoding::{percent_decode, percent_decode_str};

/// Undoes every escape; `None` when a percent sign begins none. For what a program must have written.
pub fn strict(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut escapes = value.split(|byte| *byte == b'%').skip(1);
    let whole = escapes
        .all(|rest| matches!(rest, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()));
    whole.then(|| percent_decode(value).into())
}

/// Undoes every escape, and leaves a percent sign that begins none as it is. `None` when the outcome is not UTF-8.
pub fn lax(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// As [`lax`], for a text that is only compared or shown: what is not UTF-8 becomes U+FFFD.
pub fn lossy(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// As [`lax`], of a field of a form or a query, where `+` is a space (URL Standard §5.1).
pub fn form(text: &str) -> Option<Cow<'_, str>> {
    match has_nothing_to_decode(text) {
        true => Some(Cow::Borrowed(text)),
        false => String::from_utf8(form_octets(text)).ok().map(Cow::Owned),
    }
}

/// As [`form`]; what is not UTF-8 becomes U+FFFD.
pub fn form_lossy(text: &str) -> Cow<'_, str> {
    match has_nothing_to_decode(text) {
        true => Cow::Borrowed(text),
        // What is UTF-8 already keeps its memory.
        false => Cow::Owned(
            String::from_utf8(form_octets(text))
                .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
        ),
    }
}

fn has_nothing_to_decode(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

/// The octets of a field, in memory that is taken once: strangers send fields of hundreds of kilobytes.
fn form_octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    for (at, run) in text.split('+').enumerate() {
        if at > 0 {
            octets.push(b' ');
        }
        octets.extend(percent_decode_str(run));
    }
    octets
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whole_escapes_are_undone_in_every_reading() {
        assert_eq!(strict(b"a%20b%2Fc%2fd+e").unwrap(), &b"a b/c/d+e"[..]);
        assert_eq!(lax("a%20b%2Fc+d").unwrap(), "a b/c+d");
        assert_eq!(form("a%20b%2Bc+d").unwrap(), "a b+c d");
        assert_eq!(form_lossy("J%C3%B6rg+M"), "Jörg M");
        assert_eq!(form("+a++b+").unwrap(), " a  b ");
        assert_eq!(form_lossy("%2B+%2b"), "+ +");
        assert!(matches!(form_lossy("plain"), Cow::Borrowed(_)));
        assert_eq!(strict(b"%00").unwrap(), &b"\0"[..]);
    }

    #[test]
    fn a_percent_sign_that_begins_no_escape_stays_or_is_refused() {
        for text in ["100%", "%", "%2", "%zz", "%2g", "% 20", "%%20", "a%+1b"] {
            assert_eq!(strict(text.as_bytes()), None, "{text}");
        }
        assert_eq!(lax("100%").unwrap(), "100%");
        assert_eq!(lax("%zz%2g%%20").unwrap(), "%zz%2g% ");
        assert_eq!(form("%zz+%").unwrap(), "%zz %");
        assert_eq!(form_lossy("%+1"), "% 1");
    }

    #[test]
    fn what_is_not_utf_8_is_refused_or_replaced() {
        assert_eq!(lax("%ff"), None);
        assert_eq!(form("a+%C3"), None);
        assert_eq!(lossy("a%ffb"), "a\u{fffd}b");
        assert_eq!(form_lossy("a+%ff"), "a \u{fffd}");
        assert_eq!(strict(b"%ff").unwrap(), &b"\xff"[..]);
    }
}
