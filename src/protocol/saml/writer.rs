//! Writing XML: a serialiser that escapes, so that no value can become markup.
//!
//! Element and attribute names are fixed in the program; values may come from anybody (an attribute with
//! markup in it was templated into assertions elsewhere, GHSA-34r5-q4jw-r36m). Enter at [`XmlWriter`].

use crate::protocol::xml::make::SIGNATURE_PLACE;

/// Writes one document, element by element.
#[derive(Default)]
pub struct XmlWriter {
    text: String,
    open: Vec<&'static str>,
    /// Whether the last start tag still lacks its `>`.
    in_tag: bool,
}

impl XmlWriter {
    /// Starts a document, without an XML declaration: SAML messages need none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an element.
    pub fn start(&mut self, name: &'static str) -> &mut Self {
        self.close_tag();
        self.text.push('<');
        self.text.push_str(name);
        self.open.push(name);
        self.in_tag = true;
        self
    }

    /// Gives the element that was just opened an attribute; `xmlns` declarations too.
    pub fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        debug_assert!(self.in_tag, "an attribute belongs to a start tag");
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        self.escape(value);
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

    /// Writes text into the element that is open.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.close_tag();
        self.escape(value);
        self
    }

    /// Marks the place where `sign_enveloped` puts the signature of the element that is open.
    pub fn signature_place(&mut self) -> &mut Self {
        self.close_tag();
        self.text.push_str(SIGNATURE_PLACE);
        self
    }

    /// Closes the element that was opened last.
    pub fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            if self.in_tag {
                self.text.push_str("/>");
                self.in_tag = false;
            } else {
                self.text.push_str("</");
                self.text.push_str(name);
                self.text.push('>');
            }
        }
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
        std::mem::take(&mut self.text)
    }

    fn close_tag(&mut self) {
        if self.in_tag {
            self.text.push('>');
            self.in_tag = false;
        }
    }

    fn escape(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                // As references they outlive the normalisation of line ends and attribute values.
                '\t' => self.text.push_str("&#x9;"),
                '\n' => self.text.push_str("&#xA;"),
                '\r' => self.text.push_str("&#xD;"),
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.text.push('\u{fffd}'),
                other => self.text.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::XmlWriter;

    #[test]
    fn values_never_become_markup() {
        let mut writer = XmlWriter::new();
        writer.start("a").attribute("b", "x\" y='<&>\n").start("c").end().element("d", "</d>]]>\u{1}&amp;");
        assert_eq!(
            writer.finish(),
            "<a b=\"x&quot; y='&lt;&amp;&gt;&#xA;\"><c/><d>&lt;/d&gt;]]&gt;\u{fffd}&amp;amp;</d></a>"
        );
    }
}
