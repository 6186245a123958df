//! What can be asked of a parsed document: names, attributes, children, text. Read-only.
//!
//! A [`Document`] is an arena: nodes stand in document order in one vector, and all text in one buffer. An
//! [`Element`] is a handle into it, two words wide. Namespaces are resolved when the document is parsed, so
//! that nothing here can be misled by a prefix. Enter at [`Document::root`].
//! The data model is that of XPath 1.0 §5 (adjacent text, CDATA sections and references are one text node).

use super::{XML_NAMESPACE, XmlReject, XmlRule};
use std::borrow::Cow;
use std::fmt;

/// A parsed document. It is never changed, and never written out and parsed again.
pub struct Document {
    /// All text: the source, with line ends normalised, and behind it what references decoded to.
    pub(super) text: String,
    /// Where in the text the source ends.
    pub(super) source_length: usize,
    /// All nodes in document order; those of a subtree are contiguous.
    pub(super) nodes: Vec<Node>,
    /// Attributes, the ones of an element together, in canonical order.
    pub(super) attributes: Vec<AttributeData>,
    /// Namespace declarations, the ones of an element together, in canonical order.
    pub(super) declarations: Vec<Declaration>,
    /// The prefixes that the document uses; the first is the empty one, the second is `xml`.
    pub(super) prefixes: Vec<Span>,
    /// Attributes that may serve as an identifier, with the element that bears them.
    pub(super) identifiers: Vec<(Span, NodeIndex)>,
    pub(super) root: NodeIndex,
}

pub(super) type NodeIndex = u32;
/// Which prefix: an index into [`Document::prefixes`].
pub(super) type PrefixIndex = u16;

pub(super) const NO_PREFIX: PrefixIndex = 0;
pub(super) const XML_PREFIX: PrefixIndex = 1;
/// The parent of what stands outside the root element.
pub(super) const NO_NODE: NodeIndex = NodeIndex::MAX;

/// A piece of [`Document::text`], in bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Makes a span; documents are far smaller than 4 GiB ([`super::Limits::bytes`]).
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }
}

/// Which namespace: none, that of `xml`, or the one that a declaration names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    None,
    Xml,
    Declared(u32),
}

pub(super) struct Node {
    pub parent: NodeIndex,
    /// The first node behind this one and all that it contains.
    pub end: NodeIndex,
    pub kind: NodeKind,
}

pub(super) enum NodeKind {
    Element(ElementData),
    Text(Span),
    Comment(Span),
    Instruction { target: Span, data: Span },
}

pub(super) struct ElementData {
    /// The name as written, prefix included.
    pub name: Span,
    pub local: Span,
    pub prefix: PrefixIndex,
    pub namespace: Namespace,
    /// From where to where in [`Document::attributes`].
    pub attributes: (u32, u32),
    /// From where to where in [`Document::declarations`].
    pub declarations: (u32, u32),
}

#[derive(Clone, Copy)]
pub(super) struct AttributeData {
    /// The name as written, prefix included.
    pub name: Span,
    pub local: Span,
    pub prefix: PrefixIndex,
    pub namespace: Namespace,
    pub value: Span,
}

#[derive(Clone, Copy)]
pub(super) struct Declaration {
    pub prefix: PrefixIndex,
    /// Empty where the default namespace is undeclared.
    pub uri: Span,
}

impl Document {
    /// Gives the root element.
    pub fn root(&self) -> Element<'_> {
        Element { document: self, index: self.root }
    }

    pub(super) fn str(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    pub(super) fn uri(&self, namespace: Namespace) -> &str {
        match namespace {
            Namespace::None => "",
            Namespace::Xml => XML_NAMESPACE,
            Namespace::Declared(index) => {
                self.declarations.get(index as usize).map_or("", |declaration| self.str(declaration.uri))
            }
        }
    }

    pub(super) fn prefix(&self, prefix: PrefixIndex) -> &str {
        match prefix {
            NO_PREFIX => "",
            XML_PREFIX => "xml",
            index => self.prefixes.get(index as usize).map_or("", |&span| self.str(span)),
        }
    }

    pub(super) fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    pub(super) fn element(&self, index: NodeIndex) -> Option<&ElementData> {
        match self.node(index) {
            Some(Node { kind: NodeKind::Element(data), .. }) => Some(data),
            _ => None,
        }
    }

    pub(super) fn attributes_of(&self, element: &ElementData) -> &[AttributeData] {
        let (from, to) = element.attributes;
        self.attributes.get(from as usize..to as usize).unwrap_or_default()
    }

    pub(super) fn declarations_of(&self, element: &ElementData) -> &[Declaration] {
        let (from, to) = element.declarations;
        self.declarations.get(from as usize..to as usize).unwrap_or_default()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?}, {} nodes)", self.root(), self.nodes.len())
    }
}

/// An element of a document. Two are equal when they are the same node of the same document.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    pub(super) document: &'d Document,
    /// Always the index of an element node.
    pub(super) index: NodeIndex,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

impl Eq for Element<'_> {}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.namespace(), self.local_name())
    }
}

/// Compares names. Most that have the same length differ in the first letter, and looking there first spares
/// the call that compares the rest.
#[inline]
fn same_name(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.as_bytes().first() == b.as_bytes().first() && a == b
}

/// An attribute of an element; namespace declarations are not attributes.
#[derive(Clone, Copy)]
pub struct Attribute<'d> {
    document: &'d Document,
    data: &'d AttributeData,
}

impl<'d> Attribute<'d> {
    /// Gives the name without its prefix.
    pub fn local_name(self) -> &'d str {
        self.document.str(self.data.local)
    }

    /// Gives the namespace, empty where the attribute is in none.
    pub fn namespace(self) -> &'d str {
        self.document.uri(self.data.namespace)
    }

    /// Gives the prefix, empty where there is none.
    pub fn prefix(self) -> &'d str {
        self.document.prefix(self.data.prefix)
    }

    /// Gives the value, references decoded and white space normalised (XML 1.0 §3.3.3).
    pub fn value(self) -> &'d str {
        self.document.str(self.data.value)
    }
}

impl<'d> Element<'d> {
    /// Gives the name without its prefix.
    pub fn local_name(self) -> &'d str {
        self.data().map_or("", |data| self.document.str(data.local))
    }

    /// Gives the namespace, empty where the element is in none.
    pub fn namespace(self) -> &'d str {
        self.data().map_or("", |data| self.document.uri(data.namespace))
    }

    /// Gives the prefix as written, empty where there is none. It says nothing about the namespace.
    pub fn prefix(self) -> &'d str {
        self.data().map_or("", |data| self.document.prefix(data.prefix))
    }

    /// Tells whether the element has this name in this namespace (empty: in none).
    pub fn is(self, namespace: &str, local: &str) -> bool {
        same_name(self.local_name(), local) && self.namespace() == namespace
    }

    /// Gives the value of the attribute of this name that is in no namespace.
    pub fn attribute(self, local: &str) -> Option<&'d str> {
        let document = self.document;
        let all = self.data().map_or(&[][..], |data| document.attributes_of(data));
        // In canonical order those without a namespace come first.
        all.iter()
            .take_while(|data| data.namespace == Namespace::None)
            .find(|data| same_name(document.str(data.local), local))
            .map(|data| document.str(data.value))
    }

    /// Gives the value of the attribute of this name in this namespace.
    pub fn attribute_ns(self, namespace: &str, local: &str) -> Option<&'d str> {
        self.attributes()
            .find(|attribute| attribute.local_name() == local && attribute.namespace() == namespace)
            .map(Attribute::value)
    }

    /// Lists the attributes, in canonical order; namespace declarations are not among them.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let document = self.document;
        let all = self.data().map_or(&[][..], |data| document.attributes_of(data));
        all.iter().map(move |data| Attribute { document, data })
    }

    /// Lists the child elements, in document order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        self.child_nodes().filter_map(move |index| self.sibling(index))
    }

    /// Gives the first child element of this name.
    pub fn child(self, namespace: &str, local: &str) -> Option<Element<'d>> {
        self.children().find(|child| child.is(namespace, local))
    }

    /// Lists the child elements of this name, in document order.
    pub fn children_named(self, namespace: &str, local: &str) -> impl Iterator<Item = Element<'d>> {
        self.children().filter(move |child| child.is(namespace, local))
    }

    /// Gives the only child element of this name, if there is one.
    ///
    /// # Errors
    /// [`XmlRule::RepeatedChild`] when there are several: which of them counts would be a guess.
    pub fn only_child(self, namespace: &str, local: &str) -> Result<Option<Element<'d>>, XmlReject> {
        let mut found = self.children_named(namespace, local);
        let first = found.next();
        match found.next() {
            Some(_) => Err(XmlReject::nowhere(XmlRule::RepeatedChild)),
            None => Ok(first),
        }
    }

    /// Lists the element itself and all elements in it, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Element<'d>> {
        (self.index..self.end()).filter_map(move |index| self.sibling(index))
    }

    /// Gives the element that contains this one; the root has none.
    pub fn parent(self) -> Option<Element<'d>> {
        self.document.node(self.index).and_then(|node| self.sibling(node.parent))
    }

    /// Gives the text directly in the element, whole: comments and instructions in between do not end it, and
    /// the text of child elements is not part of it.
    pub fn text(self) -> String {
        self.text_pieces().collect()
    }

    /// Gives the text of an element that has nothing but text.
    ///
    /// Digests, signature values and certificates are read this way, because a comment or an element inside
    /// makes readers disagree on what the value is (CVE-2025-29775).
    ///
    /// # Errors
    /// [`XmlRule::NotPlainText`] when it contains a comment, an instruction or an element.
    pub fn plain_text(self) -> Result<Cow<'d, str>, XmlReject> {
        let mut nodes = self.child_nodes();
        let text = match nodes.next().and_then(|index| self.document.node(index)) {
            None => "",
            Some(Node { kind: NodeKind::Text(span), .. }) => self.document.str(*span),
            Some(_) => return Err(XmlReject::nowhere(XmlRule::NotPlainText)),
        };
        match nodes.next() {
            None => Ok(Cow::Borrowed(text)),
            Some(_) => Err(XmlReject::nowhere(XmlRule::NotPlainText)),
        }
    }

    /// Gives the namespace that `prefix` (empty: the default) is bound to here; for names in values, such as
    /// that of `xsi:type`.
    pub fn lookup_namespace(self, prefix: &str) -> Option<&'d str> {
        if prefix == "xml" {
            return Some(XML_NAMESPACE);
        }
        let document = self.document;
        let mut element = Some(self);
        while let Some(here) = element {
            let declared = here.data().map_or(&[][..], |data| document.declarations_of(data));
            if let Some(found) = declared.iter().find(|one| document.prefix(one.prefix) == prefix) {
                return Some(document.str(found.uri)).filter(|uri| !uri.is_empty());
            }
            element = here.parent();
        }
        None
    }

    /// Lists the prefixes that are bound here, with their namespaces.
    pub(super) fn namespaces_in_scope(self) -> Vec<(&'d str, &'d str)> {
        let document = self.document;
        let mut seen = vec![false; document.prefixes.len()];
        let mut bindings = Vec::new();
        let mut element = Some(self);
        while let Some(here) = element {
            for declaration in here.data().map_or(&[][..], |data| document.declarations_of(data)) {
                let uri = document.str(declaration.uri);
                let hidden = seen
                    .get_mut(usize::from(declaration.prefix))
                    .is_none_or(|seen| std::mem::replace(seen, true));
                if !hidden && !uri.is_empty() {
                    bindings.push((document.prefix(declaration.prefix), uri));
                }
            }
            element = here.parent();
        }
        bindings
    }

    fn data(self) -> Option<&'d ElementData> {
        self.document.element(self.index)
    }

    /// The first node behind the element and all that it contains.
    pub(super) fn end(self) -> NodeIndex {
        self.document.node(self.index).map_or(self.index, |node| node.end)
    }

    /// The node at `index` of the same document, if it is an element.
    pub(super) fn sibling(self, index: NodeIndex) -> Option<Element<'d>> {
        self.document.element(index).map(|_| Element { document: self.document, index })
    }

    /// The nodes directly in the element, of any kind.
    fn child_nodes(self) -> impl Iterator<Item = NodeIndex> {
        let end = self.end();
        let first = self.index.saturating_add(1);
        std::iter::successors(Some(first), move |&index| self.document.node(index).map(|node| node.end))
            .take_while(move |&index| index < end)
    }

    fn text_pieces(self) -> impl Iterator<Item = &'d str> {
        self.child_nodes().filter_map(move |index| match self.document.node(index)?.kind {
            NodeKind::Text(span) => Some(self.document.str(span)),
            _ => None,
        })
    }
}
