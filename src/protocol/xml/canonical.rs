//! The canonical form of a subtree: the octets that a signature is made over.
//!
//! Canonical XML 1.0, Canonical XML 1.1 and Exclusive XML Canonicalization 1.0, each with and without
//! comments. Works on the tree and on nothing else, in one pass, without recursion: time and output grow with
//! the subtree. Which namespace declarations the output needs is kept in one table by prefix ("what does the
//! output bind it to here"), with a list of what to put back at the end tag.
//! Enter at [`Canonicalization::write`].

use super::XML_NAMESPACE;
use super::base::join_bases;
use super::tree::{
    AttributeData, Declaration, Document, Element, ElementData, NO_NODE, NO_PREFIX, Namespace, NodeIndex,
    NodeKind, PrefixIndex, Span, XML_PREFIX,
};
use std::borrow::Cow;

/// Where canonical octets go.
pub trait Sink {
    /// Takes the next octets.
    fn write(&mut self, octets: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// Which namespaces and inherited attributes the canonical form of a subtree shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Exclusive XML Canonicalization 1.0: namespaces where they are used.
    Exclusive,
    /// Canonical XML 1.0: all namespaces in scope, and the `xml:` attributes of ancestors.
    Inclusive10,
    /// Canonical XML 1.1: the same, but `xml:id` is not inherited and `xml:base` is joined.
    Inclusive11,
}

/// A canonicalization algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canonicalization {
    /// Which namespaces it shows.
    pub method: Method,
    /// Whether it keeps comments.
    pub comments: bool,
}

impl Canonicalization {
    /// Exclusive, without comments: what SAML asks for (SAML core §5.4.3).
    pub const EXCLUSIVE: Canonicalization = Canonicalization { method: Method::Exclusive, comments: false };

    /// Gives the algorithm that an `Algorithm` attribute names.
    pub fn from_uri(uri: &str) -> Option<Canonicalization> {
        let (plain, comments) = match uri.strip_suffix("WithComments") {
            Some(plain) => (plain, true),
            None => (uri, false),
        };
        let method = match plain {
            "http://www.w3.org/2001/10/xml-exc-c14n#" => Method::Exclusive,
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" if !comments => Method::Inclusive10,
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#" if comments => Method::Inclusive10,
            "http://www.w3.org/2006/12/xml-c14n11" if !comments => Method::Inclusive11,
            "http://www.w3.org/2006/12/xml-c14n11#" if comments => Method::Inclusive11,
            _ => return None,
        };
        Some(Canonicalization { method, comments })
    }

    /// Writes the canonical form of `apex` and all that it contains, without the subtree `excluded`.
    ///
    /// `prefix_list` is that of `InclusiveNamespaces`: prefixes separated by white space, `#default` for the
    /// default namespace (Exclusive XML Canonicalization 1.0, §3). It means nothing to the other methods.
    pub fn write(
        self,
        apex: Element<'_>,
        excluded: Option<Element<'_>>,
        prefix_list: &str,
        sink: &mut impl Sink,
    ) {
        let mut writer = Writer::new(apex.document, self, prefix_list, sink);
        writer.subtree(apex.index, excluded.map_or(NO_NODE, |element| element.index));
    }

    /// Writes the canonical form of the whole document, with what stands around the root element.
    pub fn write_document(self, document: &Document, sink: &mut impl Sink) {
        let mut writer = Writer::new(document, self, "", sink);
        let mut index = 0;
        while let Some(node) = document.node(index) {
            match node.kind {
                NodeKind::Element(_) => writer.subtree(index, NO_NODE),
                NodeKind::Comment(_) if !self.comments => {}
                // §2.3: a line feed parts what stands outside the root element from it.
                _ if index < document.root => {
                    writer.leaf(&node.kind);
                    writer.sink.write(b"\n");
                }
                _ => {
                    writer.sink.write(b"\n");
                    writer.leaf(&node.kind);
                }
            }
            index = node.end;
        }
    }

    /// Gives the canonical form of `apex` as octets; see [`Canonicalization::write`].
    pub fn octets(self, apex: Element<'_>, prefix_list: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        self.write(apex, None, prefix_list, &mut octets);
        octets
    }
}

impl Element<'_> {
    /// Writes the subtree as XML that stands by itself, in exclusive canonical form; for showing, never for
    /// parsing again.
    pub fn to_xml(self) -> String {
        let octets = Canonicalization::EXCLUSIVE.octets(self, "");
        String::from_utf8(octets).unwrap_or_default()
    }
}

struct Writer<'d, 's, S> {
    document: &'d Document,
    form: Canonicalization,
    /// For each prefix, whether `InclusiveNamespaces` names it; empty where it names none.
    inclusive: Vec<bool>,
    /// For each prefix, what the output binds it to here.
    rendered: Vec<Namespace>,
    /// Bindings of the output that were replaced, the latest last.
    replaced: Vec<(PrefixIndex, Namespace)>,
    /// The declarations that the current tag needs; kept for its memory.
    needed: Vec<(PrefixIndex, Namespace)>,
    sink: &'s mut S,
}

/// An element whose end tag is not written yet.
struct Open {
    end: NodeIndex,
    name: Span,
    replaced: usize,
}

impl<'d, 's, S: Sink> Writer<'d, 's, S> {
    fn new(
        document: &'d Document,
        form: Canonicalization,
        prefix_list: &str,
        sink: &'s mut S,
    ) -> Writer<'d, 's, S> {
        let count = document.prefixes.len();
        let mut inclusive = Vec::new();
        if form.method == Method::Exclusive {
            for name in prefix_list.split_ascii_whitespace() {
                let name = if name == "#default" { "" } else { name };
                inclusive.resize(count, false);
                let listed = (0..).zip(&mut inclusive).find(|(index, _)| document.prefix(*index) == name);
                if let Some((_, listed)) = listed {
                    *listed = true;
                }
            }
        }
        Writer {
            document,
            form,
            inclusive,
            rendered: vec![Namespace::None; count],
            replaced: Vec::new(),
            needed: Vec::new(),
            sink,
        }
    }

    fn subtree(&mut self, apex: NodeIndex, excluded: NodeIndex) {
        let end = self.document.node(apex).map_or(apex, |node| node.end);
        let mut open: Vec<Open> = Vec::new();
        let mut index = apex;
        while let Some(node) = self.document.node(index).filter(|_| index < end) {
            while let Some(last) = open.pop_if(|last| last.end <= index) {
                self.end_tag(&last);
            }
            if index == excluded {
                index = node.end;
                continue;
            }
            if let NodeKind::Element(data) = &node.kind {
                let replaced = self.replaced.len();
                self.start_tag(data, (index == apex).then_some(node.parent));
                open.push(Open { end: node.end, name: data.name, replaced });
            } else {
                self.leaf(&node.kind);
            }
            index += 1;
        }
        while let Some(last) = open.pop() {
            self.end_tag(&last);
        }
    }

    fn leaf(&mut self, kind: &NodeKind) {
        match *kind {
            NodeKind::Element(_) => {}
            NodeKind::Text(text) => self.escaped(self.document.str(text), text_escape),
            NodeKind::Comment(text) => {
                if self.form.comments {
                    self.put("<!--");
                    self.put(self.document.str(text));
                    self.put("-->");
                }
            }
            NodeKind::Instruction { target, data } => {
                self.put("<?");
                self.put(self.document.str(target));
                if data.start != data.end {
                    self.put(" ");
                    self.put(self.document.str(data));
                }
                self.put("?>");
            }
        }
    }

    /// Writes a start tag; `parent` is given for the apex only, which shows what its ancestors left to it.
    fn start_tag(&mut self, element: &ElementData, parent: Option<NodeIndex>) {
        let document = self.document;
        self.put("<");
        self.put(document.str(element.name));
        self.choose_declarations(element, parent);
        let mut needed = std::mem::take(&mut self.needed);
        if needed.len() > 1 {
            needed.sort_unstable_by(|a, b| document.prefix(a.0).cmp(document.prefix(b.0)));
        }
        for &(prefix, namespace) in &needed {
            self.put(if prefix == NO_PREFIX { " xmlns" } else { " xmlns:" });
            self.put(document.prefix(prefix));
            self.value(document.uri(namespace));
        }
        needed.clear();
        self.needed = needed;
        let own = document.attributes_of(element);
        match parent.filter(|_| self.form.method != Method::Exclusive) {
            Some(parent) => self.apex_attributes(own, parent),
            None => {
                for attribute in own {
                    self.attribute(attribute, document.str(attribute.value));
                }
            }
        }
        self.put(">");
    }

    fn end_tag(&mut self, open: &Open) {
        self.put("</");
        self.put(self.document.str(open.name));
        self.put(">");
        while self.replaced.len() > open.replaced {
            if let Some((prefix, before)) = self.replaced.pop()
                && let Some(binding) = self.rendered.get_mut(usize::from(prefix))
            {
                *binding = before;
            }
        }
    }

    /// Finds the declarations that the tag needs.
    fn choose_declarations(&mut self, element: &ElementData, parent: Option<NodeIndex>) {
        let document = self.document;
        if self.form.method == Method::Exclusive {
            // §3: a prefix is shown where the tag or one of its attributes makes use of it.
            self.need(element.prefix, element.namespace);
            for attribute in document.attributes_of(element) {
                if attribute.prefix != NO_PREFIX {
                    self.need(attribute.prefix, attribute.namespace);
                }
            }
            if self.inclusive.is_empty() {
                return;
            }
        }
        self.need_declared(element, |_, _| true);
        if let Some(parent) = parent {
            let mut seen = vec![false; document.prefixes.len()];
            for declaration in document.declarations_of(element) {
                first_sight(&mut seen, declaration.prefix);
            }
            let mut above = parent;
            while let Some(ancestor) = document.element(above) {
                self.need_declared(ancestor, |prefix, _| first_sight(&mut seen, prefix));
                above = document.node(above).map_or(NO_NODE, |node| node.parent);
            }
        }
    }

    /// Shows the declarations of `element` that the method shows wherever they stand.
    fn need_declared(
        &mut self,
        element: &ElementData,
        mut applies: impl FnMut(PrefixIndex, &Declaration) -> bool,
    ) {
        let declarations = self.document.declarations_of(element);
        for (index, declaration) in (element.declarations.0..).zip(declarations) {
            let prefix = declaration.prefix;
            let listed = self.form.method != Method::Exclusive
                || self.inclusive.get(usize::from(prefix)).is_some_and(|&listed| listed);
            if applies(prefix, declaration) && listed {
                let empty = declaration.uri.start == declaration.uri.end;
                self.need(prefix, if empty { Namespace::None } else { Namespace::Declared(index) });
            }
        }
    }

    /// Adds a declaration to the tag, unless the output binds the prefix to the same namespace already.
    fn need(&mut self, prefix: PrefixIndex, namespace: Namespace) {
        let document = self.document;
        let Some(rendered) = self.rendered.get_mut(usize::from(prefix)) else { return };
        let same = *rendered == namespace || document.uri(*rendered) == document.uri(namespace);
        if prefix != XML_PREFIX && !same {
            self.replaced.push((prefix, *rendered));
            *rendered = namespace;
            self.needed.push((prefix, namespace));
        }
    }

    /// Writes the attributes of the apex with the `xml:` attributes that it inherits (Canonical XML §2.4).
    fn apex_attributes(&mut self, own: &'d [AttributeData], parent: NodeIndex) {
        let document = self.document;
        let is_xml = |attribute: &&AttributeData| attribute.namespace == Namespace::Xml;
        let mut shown: Vec<(&AttributeData, Cow<'d, str>)> =
            own.iter().map(|attribute| (attribute, Cow::Borrowed(document.str(attribute.value)))).collect();
        let mut bases = Vec::new();
        let mut above = parent;
        while let Some(ancestor) = document.element(above) {
            for attribute in document.attributes_of(ancestor).iter().filter(is_xml) {
                let name = document.str(attribute.local);
                let value = document.str(attribute.value);
                let inherited = match self.form.method {
                    Method::Inclusive11 if name == "base" => {
                        bases.push(value);
                        false
                    }
                    Method::Inclusive11 => matches!(name, "lang" | "space"),
                    _ => true,
                };
                let known = |(one, _): &(&AttributeData, Cow<'_, str>)| {
                    one.namespace == Namespace::Xml && document.str(one.local) == name
                };
                if inherited && !shown.iter().any(known) {
                    shown.push((attribute, Cow::Borrowed(value)));
                }
            }
            above = document.node(above).map_or(NO_NODE, |node| node.parent);
        }
        let own_base = |(one, _): &(&AttributeData, Cow<'_, str>)| {
            one.namespace == Namespace::Xml && document.str(one.local) == "base"
        };
        let joined = (!bases.is_empty()).then(|| {
            let own = shown.iter().find(|one| own_base(one)).map(|(_, value)| value.as_ref());
            join_bases(bases.iter().rev().copied().chain(own))
        });
        if joined.is_some() {
            shown.retain(|one| !own_base(one));
        }
        shown.sort_by(|(a, _), (b, _)| {
            let key = |one: &AttributeData| (document.uri(one.namespace), document.str(one.local));
            key(a).cmp(&key(b))
        });
        let mut joined = joined.filter(|base| !base.is_empty());
        for (attribute, value) in &shown {
            let key = (document.uri(attribute.namespace), document.str(attribute.local));
            if key > (XML_NAMESPACE, "base")
                && let Some(base) = joined.take()
            {
                self.put(" xml:base");
                self.value(&base);
            }
            self.attribute(attribute, value);
        }
        if let Some(base) = joined {
            self.put(" xml:base");
            self.value(&base);
        }
    }

    fn attribute(&mut self, attribute: &AttributeData, value: &str) {
        self.put(" ");
        self.put(self.document.str(attribute.name));
        self.value(value);
    }

    fn value(&mut self, value: &str) {
        self.put("=\"");
        self.escaped(value, value_escape);
        self.put("\"");
    }

    fn escaped(&mut self, text: &str, escape: fn(u8) -> &'static str) {
        // Most text has nothing to escape, and one branch-free look at it is much faster than many.
        let special =
            |seen: bool, &b: &u8| seen | matches!(b, b'&' | b'<' | b'>' | b'"' | b'\t' | b'\n' | b'\r');
        if !text.as_bytes().iter().fold(false, special) {
            return self.put(text);
        }
        let mut from = 0;
        for (at, &b) in text.as_bytes().iter().enumerate() {
            let replacement = escape(b);
            if !replacement.is_empty() {
                self.put(text.get(from..at).unwrap_or_default());
                self.put(replacement);
                from = at + 1;
            }
        }
        self.put(text.get(from..).unwrap_or_default());
    }

    fn put(&mut self, text: &str) {
        self.sink.write(text.as_bytes());
    }
}

/// Tells whether `prefix` comes up for the first time.
fn first_sight(seen: &mut [bool], prefix: PrefixIndex) -> bool {
    seen.get_mut(usize::from(prefix)).is_some_and(|seen| !std::mem::replace(seen, true))
}

/// What stands for a byte of text (Canonical XML §2.3); empty for the byte itself.
pub(super) fn text_escape(b: u8) -> &'static str {
    match b {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'\r' => "&#xD;",
        _ => "",
    }
}

/// What stands for a byte of an attribute value (Canonical XML §2.3); empty for the byte itself.
pub(super) fn value_escape(b: u8) -> &'static str {
    match b {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'"' => "&quot;",
        b'\t' => "&#x9;",
        b'\n' => "&#xA;",
        b'\r' => "&#xD;",
        _ => "",
    }
}
