//! Writing XML: the one writer, which escapes, so that no value can become markup.
//!
//! Element and attribute names are fixed in the program; values may come from anybody (an attribute with
//! markup in it was templated into assertions elsewhere, GHSA-34r5-q4jw-r36m). What it writes is its own canonical
//! form where no element is empty, so it can be signed as it stands. Enter at [`XmlWriter`].

use super::canonical::{text_escape, value_escape};

/// The comment in whose place a signature is put.
pub const SIGNATURE_PLACE: &str = "<!--signature-->";

/// Writes one document, element by element.
#[derive(Default)]
pub struct XmlWriter {
    text: String,
    open: Vec<&'static str>,
    /// Whether the last start tag still lacks its `>`.
    in_tag: bool,
    /// Whether each element has a line of its own.
    on_lines: bool,
    /// Whether the end of the element that is open stays on the line of its text.
    has_text: bool,
}

impl XmlWriter {
    /// Starts a document, without an XML declaration: SAML messages need none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a document with an XML declaration.
    pub fn declared(declaration: &'static str) -> Self {
        Self { text: declaration.to_owned(), ..Self::default() }
    }

    /// Puts each element on a line of its own, indented by two spaces a level. For documents whose elements hold
    /// either text or elements.
    pub fn on_lines(self) -> Self {
        Self { on_lines: true, ..self }
    }

    /// Opens an element.
    pub fn start(&mut self, name: &'static str) -> &mut Self {
        self.close_tag();
        self.begin_line();
        self.text.push('<');
        self.text.push_str(name);
        self.open.push(name);
        (self.in_tag, self.has_text) = (true, false);
        self
    }

    /// Gives the element that was just opened an attribute; `xmlns` declarations too.
    pub fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        debug_assert!(self.in_tag, "an attribute belongs to a start tag");
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        self.escaped(value, value_escape);
        self.text.push('"');
        self
    }

    /// Gives it an attribute if there is a value.
    pub fn attribute_if(&mut self, name: &'static str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Writes text into the element that is open. With "" the element has an end tag, though it is empty.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.close_tag();
        self.has_text = true;
        self.escaped(value, text_escape);
        self
    }

    /// Marks the place where `sign_enveloped` puts the signature of the element that is open.
    pub fn signature_place(&mut self) -> &mut Self {
        self.markup(SIGNATURE_PLACE)
    }

    /// Puts in elements that were written by another writer.
    pub(super) fn markup(&mut self, written: &str) -> &mut Self {
        self.close_tag();
        self.text.push_str(written);
        self
    }

    /// Closes the element that was opened last.
    pub fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            if self.in_tag && !self.on_lines {
                self.text.push_str("/>");
                self.in_tag = false;
            } else {
                self.close_tag();
                if !self.has_text {
                    self.begin_line();
                }
                self.text.push_str("</");
                self.text.push_str(name);
                self.text.push('>');
            }
        }
        self.has_text = false;
        self
    }

    /// Writes an element that holds only text.
    pub fn element(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.start(name).text(value).end()
    }

    /// Closes whatever is open and gives the document.
    pub fn finish(&mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.begin_line();
        std::mem::take(&mut self.text)
    }

    fn close_tag(&mut self) {
        if self.in_tag {
            self.text.push('>');
            self.in_tag = false;
        }
    }

    fn begin_line(&mut self) {
        if self.on_lines {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.extend(std::iter::repeat_n("  ", self.open.len()));
        }
    }

    /// Writes a value as the canonical form has it (Canonical XML §2.3): as references, white space outlives the
    /// normalisation of line ends and attribute values. What XML cannot hold (§2.2) becomes U+FFFD.
    fn escaped(&mut self, value: &str, escape: fn(u8) -> &'static str) {
        for character in value.chars() {
            match u8::try_from(character).map_or("", escape) {
                "" if super::characters::is_char(character) => self.text.push(character),
                "" => self.text.push('\u{fffd}'),
                reference => self.text.push_str(reference),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::canonical::Canonicalization;
    use super::super::{Document, Limits};
    use super::XmlWriter;

    #[test]
    fn values_never_become_markup() {
        let mut writer = XmlWriter::new();
        writer.start("a").attribute("b", "x\" y='<&>\n").start("c").end().element("d", "</d>]]>\u{1}&amp;\r");
        assert_eq!(
            writer.finish(),
            "<a b=\"x&quot; y='&lt;&amp;>&#xA;\"><c/><d>&lt;/d&gt;]]&gt;\u{fffd}&amp;amp;&#xD;</d></a>"
        );
    }

    #[test]
    fn what_has_no_empty_element_is_its_own_canonical_form() {
        let every = ('\0'..='\u{17f}').chain(['\u{fffe}', '\u{ffff}', '😀']).collect::<String>();
        let mut writer = XmlWriter::new();
        writer.start("a").attribute("b", &every).element("c", &every).start("d").text("");
        let xml = writer.finish();
        let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
        let canonical = Canonicalization::EXCLUSIVE.octets(document.root(), "");
        assert_eq!(String::from_utf8(canonical).unwrap(), xml);
    }

    #[test]
    fn on_lines_each_element_stands_alone_and_text_stays_with_its_element() {
        let mut writer = XmlWriter::declared("<?xml version=\"1.0\"?>").on_lines();
        writer.start("a").element("b", "x\ny").element("c", "").start("d").end().start("e").element("f", "1");
        assert_eq!(
            writer.finish(),
            "<?xml version=\"1.0\"?>\n<a>\n  <b>x\ny</b>\n  <c></c>\n  <d>\n  </d>\n  <e>\n    <f>1</f>\n  </e>\n</a>\n"
        );
    }
}
