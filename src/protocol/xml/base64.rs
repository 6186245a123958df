//! Base64 as XML documents carry it: `xs:base64Binary`, RFC 4648 §4 with white space anywhere.
//!
//! Everything else is refused: other alphabets, missing or surplus padding, data behind the padding, bits
//! that a decoder would throw away. One value has one spelling.

use super::characters::is_space;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Decodes `text`; white space does not count.
///
/// Gives nothing where the text is not Base64.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let packed: Cow<'_, [u8]> = if text.bytes().any(is_space) {
        Cow::Owned(text.bytes().filter(|&b| !is_space(b)).collect())
    } else {
        Cow::Borrowed(text.as_bytes())
    };
    STANDARD.decode(packed).ok()
}

/// Encodes `bytes` in one line.
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode_base64;

    #[test]
    fn only_canonical_base64_is_decoded() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("YQ==", Some(b"a")),
            (" Y\r\nQ\t= = ", Some(b"a")),
            ("YQ", None),
            ("YQ=", None),
            ("YR==", None),
            ("YQ==YQ==", None),
            ("YQ==x", None),
            ("Y-_/", None),
            ("Y!Q==", None),
            ("YQ==\u{A0}", None),
        ] {
            assert_eq!(decode_base64(text).as_deref(), expected, "{text:?}");
        }
    }
}
