//! Which characters may stand where: XML 1.0 (fifth edition) §2.2 and §2.3, Namespaces in XML 1.0 §3.
//!
//! Pure predicates over characters and strings.

/// Tells whether `c` is a `Char` (production 2), the only ones that a document may contain.
pub fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Tells whether `b` is white space (production 3).
#[inline]
pub fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Tells whether `name` is a name without a colon (Namespaces in XML 1.0, production 4).
pub fn is_ncname(name: &str) -> bool {
    let first = name.as_bytes().first();
    if first.is_some_and(|&b| ascii_class(b) == ASCII_NAME_START)
        && name.bytes().all(|b| ascii_class(b) >= ASCII_NAME_PART)
    {
        return true;
    }
    if name.is_ascii() {
        return false;
    }
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_part)
}

const ASCII_NAME_PART: u8 = 1;
const ASCII_NAME_START: u8 = 2;

/// Nearly all names are ASCII, and a table is the fastest way to look at them.
#[inline]
#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which stops at a wrong index")]
fn ascii_class(b: u8) -> u8 {
    const CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut b = 0;
        while b < 128 {
            let c = b as u8;
            if c.is_ascii_alphabetic() || c == b'_' {
                classes[b] = ASCII_NAME_START;
            } else if c.is_ascii_digit() || c == b'-' || c == b'.' {
                classes[b] = ASCII_NAME_PART;
            }
            b += 1;
        }
        classes
    };
    CLASSES.get(usize::from(b)).copied().unwrap_or_default()
}

/// Tells whether `uri` opens with a scheme (RFC 3986 §3.1), so that it is not a relative reference.
pub fn is_absolute_uri(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once(':') else { return false };
    let mut bytes = scheme.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// `NameStartChar` (production 4) without the colon.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` (production 4a) without the colon.
fn is_name_part(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_production_4() {
        for good in ["a", "_", "Assertion", "é", "a-b.c1", "a\u{B7}", "漢字"] {
            assert!(is_ncname(good), "{good}");
        }
        for bad in ["", "1a", "-a", ".a", "a:b", "a b", "a/b", "\u{B7}", "a\u{D7}", "a=\"\""] {
            assert!(!is_ncname(bad), "{bad}");
        }
    }

    #[test]
    fn a_namespace_without_a_scheme_is_relative() {
        for absolute in ["urn:oasis:names:tc:SAML:2.0:assertion", "http://a", "a+b-c.1:x"] {
            assert!(is_absolute_uri(absolute), "{absolute}");
        }
        for relative in ["", "a", "/a:b", "1a:b", "../a", ":a", "#a", "a b:c"] {
            assert!(!is_absolute_uri(relative), "{relative}");
        }
    }
}
