//! A document as people read it: one element a line, indented by its depth.
//!
//! For display alone. It takes anything, well-formed or not, and judges nothing.

/// Deepest indentation, in levels: what is nested deeper stands below each other.
const DEEPEST: usize = 24;

/// Indents a document; what is longer than `most` bytes is cut off, and the second value says so.
pub fn indented(xml: &str, most: usize) -> (String, bool) {
    let mut text = String::with_capacity(xml.len().min(most));
    let (mut depth, mut after_text) = (0usize, false);
    for piece in xml.split_inclusive('>') {
        let (before, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        let before = before.trim();
        text.push_str(before);
        let closes = tag.starts_with("</");
        if closes {
            depth = depth.saturating_sub(1);
        }
        let inline = !before.is_empty() || (closes && after_text);
        if !tag.is_empty() && !inline && !text.is_empty() {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
        }
        text.push_str(tag.trim_end());
        let opens = tag.starts_with('<') && !closes && !tag.starts_with("<?") && !tag.starts_with("<!");
        let opens = opens && !tag.ends_with("/>");
        // An element that closes right after it opened, or after its text, stays on its line.
        after_text = opens;
        if opens {
            depth += 1;
        }
        if text.len() > most {
            let end = text.floor_char_boundary(most);
            text.truncate(end);
            return (text, true);
        }
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_has_its_line_and_text_stays_with_its_element() {
        for (xml, shown) in [
            ("<a><b>x</b><c/></a>", "<a>\n  <b>x</b>\n  <c/>\n</a>"),
            ("<?xml version=\"1.0\"?>\n<a>\n <b></b></a>", "<?xml version=\"1.0\"?>\n<a>\n  <b></b>\n</a>"),
            ("no markup", "no markup"),
            ("</a></a><b", "</a>\n</a>\n<b"),
            ("", ""),
        ] {
            assert_eq!(indented(xml, 1000), (shown.to_owned(), false), "{xml}");
        }
    }

    #[test]
    fn what_is_long_or_deep_is_bounded() {
        let (text, is_cut) = indented(&"<é>".repeat(100_000), 1_001);
        assert!(is_cut && text.len() <= 1_001);
    }
}
