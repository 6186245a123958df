//! Bytes become a tree, strictly and once: XML 1.0 (fifth edition) and Namespaces in XML 1.0, without DTDs.
//!
//! quick-xml finds where tokens begin and end, and nothing more: it accepts much that is no XML, so each
//! token is checked here before it becomes a node. What is read is what XML says, to the letter: line ends
//! and attribute values are normalised (§2.11, §3.3.3), references decoded, namespaces resolved. A document
//! type is refused, so there are no entities but the five, no default attributes and no declared IDs.
//! Work and memory grow with the input only: every limit that keeps it so is in [`Limits`].
//! Enter at [`Document::parse`].

use super::characters::{is_char, is_space};
use super::limits::Limits;
use super::markup::{check_declaration, decode_reference, instruction};
use super::reject::{XmlReject, XmlRule};
use super::tag::{TagReader, Texts};
use super::tree::{Document, NO_NODE, Node, NodeIndex, NodeKind, Span};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;

impl Document {
    /// Parses a document.
    ///
    /// `bytes` are UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    /// [`XmlReject`] with the first rule of well-formedness, or the first limit, that the document breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Document, XmlReject> {
        Document::parse_within(bytes, limits, &[])
    }

    /// Parses a document that stood inside another, where `bindings` (prefix, namespace) were in scope.
    ///
    /// They become declarations of the root element, except those that it declares itself.
    pub(super) fn parse_within(
        bytes: &[u8],
        limits: &Limits,
        bindings: &[(&str, &str)],
    ) -> Result<Document, XmlReject> {
        if bytes.len() > limits.bytes {
            return Err(XmlReject::nowhere(XmlRule::TooLarge));
        }
        let source = source_text(bytes)?;
        let mut builder = Builder::new(&source, limits, bindings);
        if let Err(rule) = builder.read() {
            return Err(XmlReject { rule, line: line_at(&source, builder.position) });
        }
        let mut document = builder.finish();
        document.source_length = source.len();
        let decoded = std::mem::replace(&mut document.text, source.into_owned());
        document.text.push_str(&decoded);
        Ok(document)
    }
}

/// Checks encoding and characters (§2.2, §4.3.3), drops a byte order mark and normalises line ends (§2.11).
fn source_text(bytes: &[u8]) -> Result<Cow<'_, str>, XmlReject> {
    const CONTROL: u8 = 1;
    const CARRIAGE_RETURN: u8 = 2;
    const NOT_ASCII: u8 = 4;
    // One branch-free pass, which the compiler vectorises.
    let seen = bytes.iter().fold(0u8, |seen, &b| {
        let control = u8::from(b < b' ') & u8::from(b != b'\t') & u8::from(b != b'\n') & u8::from(b != b'\r');
        seen | (control * CONTROL)
            | (u8::from(b == b'\r') * CARRIAGE_RETURN)
            | (u8::from(b >= 0x80) * NOT_ASCII)
    });
    let text = std::str::from_utf8(bytes).map_err(|_| XmlReject::nowhere(XmlRule::NotUtf8))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let illegal = |c: char| !is_char(c);
    if seen & (CONTROL | NOT_ASCII) != 0
        && let Some(place) = text.find(illegal)
    {
        return Err(XmlReject { rule: XmlRule::IllegalCharacter, line: line_at(text, place) });
    }
    if seen & CARRIAGE_RETURN == 0 {
        return Ok(Cow::Borrowed(text));
    }
    let mut normalised = String::with_capacity(text.len());
    let mut lines = text.split('\r');
    normalised.push_str(lines.next().unwrap_or_default());
    for line in lines {
        normalised.push('\n');
        normalised.push_str(line.strip_prefix('\n').unwrap_or(line));
    }
    Ok(Cow::Owned(normalised))
}

fn line_at(text: &str, position: usize) -> u32 {
    let before = text.as_bytes().get(..position).unwrap_or(text.as_bytes());
    let lines = before.iter().filter(|&&b| b == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)
}

/// An element whose end tag has not come yet.
struct Open {
    node: NodeIndex,
    name: Span,
    /// The scope before its declarations, see [`TagReader::mark`].
    scope: usize,
}

/// Text that may go on behind a reference or a CDATA section.
enum Pending {
    Nothing,
    /// One piece of the source, as it stands there.
    Source(Span),
    /// Several pieces, put together in [`Builder::decoded`] from this place on.
    Decoded(usize),
}

/// What of the document is built so far.
struct Builder<'s> {
    limits: &'s Limits,
    source: &'s str,
    /// How far the source is read, in bytes; where the error is, if there is one.
    position: usize,
    /// What comes behind the source in [`Document::text`].
    decoded: String,
    nodes: Vec<Node>,
    tags: TagReader<'s>,
    open: Vec<Open>,
    pending: Pending,
    root: Option<NodeIndex>,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str, limits: &'s Limits, inherited: &'s [(&'s str, &'s str)]) -> Builder<'s> {
        // A genuine response has a node for some fifty bytes; where that is too few, the vector grows.
        let expected_nodes = source.len() / 50;
        Builder {
            limits,
            source,
            position: 0,
            decoded: String::new(),
            nodes: Vec::with_capacity(expected_nodes),
            tags: TagReader::new(limits, inherited),
            open: Vec::with_capacity(16),
            pending: Pending::Nothing,
            root: None,
        }
    }

    fn read(&mut self) -> Result<(), XmlRule> {
        let mut reader = Reader::from_str(self.source);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        loop {
            let from = self.position;
            let event = reader.read_event().map_err(|error| syntax_rule(&error))?;
            let to = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            match event {
                Event::Start(_) => self.start(from + 1, to - 1, false)?,
                Event::Empty(_) => self.start(from + 1, to - 2, true)?,
                Event::End(end) => self.end(end.name().as_ref())?,
                Event::Text(_) => self.text(from, to)?,
                Event::GeneralRef(name) => {
                    let character = decode_reference(&name)?;
                    self.inside_root()?;
                    self.decoded_text().push(character);
                }
                Event::CData(_) => {
                    self.inside_root()?;
                    self.append(Span::new(from + 9, to - 3));
                }
                Event::Comment(comment) => {
                    if comment.contains("--") || comment.ends_with('-') {
                        return Err(XmlRule::BadComment);
                    }
                    self.flush_text()?;
                    self.leaf(NodeKind::Comment(Span::new(from + 4, to - 3)))?;
                }
                Event::PI(_) => {
                    self.flush_text()?;
                    let (target, data) = instruction(self.source, from + 2, to - 2)?;
                    self.leaf(NodeKind::Instruction { target, data })?;
                }
                Event::Decl(declaration) => {
                    if from != 0 {
                        return Err(XmlRule::BadDeclaration);
                    }
                    check_declaration(&declaration, self.source)?;
                }
                Event::DocType(_) => return Err(XmlRule::Doctype),
                Event::Eof => break,
            }
            self.position = to;
        }
        if !self.open.is_empty() {
            return Err(XmlRule::UnclosedElement);
        }
        if self.root.is_none() { Err(XmlRule::NoRoot) } else { Ok(()) }
    }

    /// Gives the document, whose text is still only what was decoded.
    fn finish(self) -> Document {
        let TagReader { attributes, declarations, prefixes, identifiers, .. } = self.tags;
        let root = self.root.unwrap_or_default();
        let (text, nodes) = (self.decoded, self.nodes);
        Document { text, source_length: 0, nodes, attributes, declarations, prefixes, identifiers, root }
    }

    fn start(&mut self, from: usize, to: usize, empty: bool) -> Result<(), XmlRule> {
        self.flush_text()?;
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlRule::OutsideRoot);
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlRule::TooDeep);
        }
        let index = self.next_index()?;
        let scope = self.tags.mark();
        if self.root.is_none() {
            self.root = Some(index);
            self.tags.inherit_next();
        }
        let mut texts = Texts { source: self.source, decoded: &mut self.decoded };
        let element = self.tags.read(&mut texts, from, to, index)?;
        let name = element.name;
        self.push(NodeKind::Element(element));
        if empty {
            self.tags.leave(scope);
        } else {
            self.open.push(Open { node: index, name, scope });
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), XmlRule> {
        self.flush_text()?;
        let open = self.open.pop().ok_or(XmlRule::MismatchedEndTag)?;
        if self.piece(open.name) != name {
            return Err(XmlRule::MismatchedEndTag);
        }
        let end = self.count();
        if let Some(node) = self.nodes.get_mut(open.node as usize) {
            node.end = end;
        }
        self.tags.leave(open.scope);
        Ok(())
    }

    fn text(&mut self, from: usize, to: usize) -> Result<(), XmlRule> {
        let text = self.source.get(from..to).unwrap_or_default();
        if self.open.is_empty() {
            return if text.bytes().all(is_space) { Ok(()) } else { Err(XmlRule::OutsideRoot) };
        }
        // Looking for the last of the three first is the fast way: it hardly ever occurs in text.
        if text.contains('>') && text.contains("]]>") {
            return Err(XmlRule::SectionEndInText);
        }
        self.append(Span::new(from, to));
        Ok(())
    }

    /// Adds a piece of the source to the text that is being read.
    fn append(&mut self, piece: Span) {
        if let Pending::Nothing = self.pending {
            self.pending = Pending::Source(piece);
        } else {
            let text = self.piece(piece);
            self.decoded_text().push_str(text);
        }
    }

    /// Moves the text that is being read to where it can be added to.
    fn decoded_text(&mut self) -> &mut String {
        let begin = self.decoded.len();
        match self.pending {
            Pending::Decoded(_) => {}
            Pending::Nothing => self.pending = Pending::Decoded(begin),
            Pending::Source(piece) => {
                self.pending = Pending::Decoded(begin);
                let text = self.piece(piece);
                self.decoded.push_str(text);
            }
        }
        &mut self.decoded
    }

    fn flush_text(&mut self) -> Result<(), XmlRule> {
        let text = match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => return Ok(()),
            Pending::Source(piece) => piece,
            Pending::Decoded(begin) => {
                Span::new(self.source.len() + begin, self.source.len() + self.decoded.len())
            }
        };
        // An empty CDATA section is no text node (XPath 1.0 §5.7).
        if text.start == text.end { Ok(()) } else { self.leaf(NodeKind::Text(text)) }
    }

    fn piece(&self, span: Span) -> &'s str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn leaf(&mut self, kind: NodeKind) -> Result<(), XmlRule> {
        self.next_index()?;
        self.push(kind);
        Ok(())
    }

    fn push(&mut self, kind: NodeKind) {
        let parent = self.open.last().map_or(NO_NODE, |open| open.node);
        let end = self.count().saturating_add(1);
        self.nodes.push(Node { parent, end, kind });
    }

    fn next_index(&self) -> Result<NodeIndex, XmlRule> {
        if self.nodes.len() >= self.limits.nodes { Err(XmlRule::TooManyNodes) } else { Ok(self.count()) }
    }

    fn count(&self) -> NodeIndex {
        u32::try_from(self.nodes.len()).unwrap_or(NO_NODE)
    }

    fn inside_root(&self) -> Result<(), XmlRule> {
        if self.open.is_empty() { Err(XmlRule::OutsideRoot) } else { Ok(()) }
    }
}

/// The rule behind what quick-xml found wrong.
fn syntax_rule(error: &quick_xml::Error) -> XmlRule {
    use quick_xml::errors::{IllFormedError, SyntaxError};
    match error {
        quick_xml::Error::Encoding(_) => XmlRule::NotUtf8,
        quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => XmlRule::BadReference,
        quick_xml::Error::IllFormed(IllFormedError::MissingDoctypeName)
        | quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) => XmlRule::Doctype,
        quick_xml::Error::Syntax(SyntaxError::UnclosedComment) => XmlRule::BadComment,
        quick_xml::Error::Syntax(SyntaxError::UnclosedPI) => XmlRule::BadInstruction,
        _ => XmlRule::BadMarkup,
    }
}
