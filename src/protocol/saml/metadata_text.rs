//! The text of a metadata file as UTF-8, whatever an administrator's tools made of it.
//!
//! Metadata comes from a person's disk, not from an attacker's browser: a byte order mark, blank lines
//! in front, UTF-16 and Latin-1 are taken here, once, before the one strict parser sees the text. Messages
//! get no such courtesy.

use std::borrow::Cow;

/// How far into a file its XML declaration can reach, in bytes.
const MAX_DECLARATION: usize = 256;
/// Latin-1 and ASCII, in any spelling that contains one of these.
const LATIN1: &[&str] = &["iso-8859-1", "latin1", "ascii", "windows-1252"];
/// What a .NET `StringWriter` calls its text, which is then saved as UTF-8.
const UTF16: &[&str] = &["utf-16"];

/// The octets as UTF-8 where they are in a known encoding, and unchanged where they are not.
pub(super) fn as_utf8(octets: &[u8]) -> Cow<'_, [u8]> {
    // With its mark, or known by its first `<` (XML 1.0, appendix F).
    let wide = match octets {
        [0xff, 0xfe, rest @ ..] | rest @ [b'<', 0, ..] => {
            Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16))
        }
        [0xfe, 0xff, rest @ ..] | rest @ [0, b'<', ..] => {
            Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16))
        }
        _ => None,
    };
    if let Some((rest, read)) = wide {
        let units = rest.chunks_exact(2).map(|pair| read([first(pair), second(pair)]));
        return match char::decode_utf16(units).collect::<Result<String, _>>() {
            Ok(text) if rest.len() % 2 == 0 => Cow::Owned(without_declaration(&text).as_bytes().to_vec()),
            _ => Cow::Borrowed(octets),
        };
    }
    let bare = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets).trim_ascii();
    if declares(bare, LATIN1) && std::str::from_utf8(bare).is_err() {
        let text: String = bare.iter().copied().map(char::from).collect();
        return Cow::Owned(without_declaration(&text).as_bytes().to_vec());
    }
    match std::str::from_utf8(bare) {
        Ok(text) if declares(bare, LATIN1) || declares(bare, UTF16) => {
            Cow::Borrowed(without_declaration(text).as_bytes())
        }
        _ => Cow::Borrowed(bare),
    }
}

fn first(pair: &[u8]) -> u8 {
    pair.first().copied().unwrap_or_default()
}

fn second(pair: &[u8]) -> u8 {
    pair.get(1).copied().unwrap_or_default()
}

/// Whether the XML declaration names one of these encodings.
fn declares(octets: &[u8], encodings: &[&str]) -> bool {
    let head = octets.get(..octets.len().min(MAX_DECLARATION)).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let declaration = head.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    declaration.is_some_and(|(declaration, _)| encodings.iter().any(|name| declaration.contains(name)))
}

/// The text behind its XML declaration, whose encoding is no longer true.
fn without_declaration(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}').trim();
    let rest = text.strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>"));
    rest.map_or(text, |(_, document)| document)
}

#[cfg(test)]
mod tests {
    use super::as_utf8;

    #[track_caller]
    fn check(octets: &[u8], expected: &[u8]) {
        assert_eq!(&*as_utf8(octets), expected);
    }

    #[test]
    fn marks_and_white_space_around_the_document_are_dropped() {
        check(b"\xef\xbb\xbf<a/>", b"<a/>");
        check(b"\r\n <?xml version=\"1.0\"?><a/>\n", b"<?xml version=\"1.0\"?><a/>");
    }

    #[test]
    fn utf_16_and_latin_1_become_utf_8() {
        let text = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a b=\"é\"/>";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&[b"\xff\xfe".as_slice(), &little].concat(), "<a b=\"é\"/>".as_bytes());
        check(&[b"\xfe\xff".as_slice(), &big].concat(), "<a b=\"é\"/>".as_bytes());
        check(b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe9'/>", "<a b='é'/>".as_bytes());
        check(b"<?xml version='1.0' encoding='us-ascii'?><a/>", b"<a/>");
        check(b"<?xml version='1.0' encoding='ASCII'?><a/>", b"<a/>");
        // Without its mark, and UTF-8 that only says that it is UTF-16.
        check(&little, "<a b=\"é\"/>".as_bytes());
        check(&big, "<a b=\"é\"/>".as_bytes());
        check(text.as_bytes(), "<a b=\"é\"/>".as_bytes());
    }

    #[test]
    fn what_is_broken_stays_broken() {
        check(b"\xff\xfe\x00", b"\xff\xfe\x00");
        check(b"<a>\xe9</a>", b"<a>\xe9</a>");
        check(b"", b"");
    }
}
