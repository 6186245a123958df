//! A start tag becomes an element: names, attributes and the namespaces that are in scope.
//!
//! XML 1.0 §3.1 and §3.3.3, Namespaces in XML 1.0. Gets what stands between `<` and `>` and keeps the account
//! of which prefix is bound to what. That account is an array by prefix with a list of what to put back at
//! the end tag, so that nesting and redeclaring cost nothing. Enter at [`TagReader::read`].

use super::characters::{is_absolute_uri, is_ncname, is_space};
use super::limits::Limits;
use super::markup::decode_reference;
use super::reject::XmlRule;
use super::tree::{
    AttributeData, Declaration, ElementData, NO_PREFIX, Namespace, NodeIndex, PrefixIndex, Span, XML_PREFIX,
};
use super::{XML_NAMESPACE, XMLNS_NAMESPACE};

/// Reads start tags, one after the other, and knows the namespaces in scope.
pub(super) struct TagReader<'l> {
    limits: &'l Limits,
    /// Bindings that the root element inherits from where the document stood.
    outer: &'l [(&'l str, &'l str)],
    /// Bindings that the next element inherits: [`TagReader::outer`] for the root, none for others.
    inherited: &'l [(&'l str, &'l str)],
    pub attributes: Vec<AttributeData>,
    pub declarations: Vec<Declaration>,
    pub prefixes: Vec<Span>,
    pub identifiers: Vec<(Span, NodeIndex)>,
    /// What each prefix is bound to here; the empty prefix is bound to nothing at first.
    scope: Vec<Namespace>,
    /// Bindings that declarations replaced, the latest last.
    replaced: Vec<(PrefixIndex, Namespace)>,
    /// The attributes of one tag before their prefixes are resolved; kept for its memory.
    raw: Vec<RawAttribute>,
}

/// An attribute as written.
#[derive(Clone, Copy)]
struct RawAttribute {
    name: Span,
    /// Where the local part begins; the same as the name where there is no prefix.
    local: Span,
    value: Span,
}

/// The two texts that a span can point into: the source, and behind it what was decoded.
pub(super) struct Texts<'t> {
    pub source: &'t str,
    pub decoded: &'t mut String,
}

impl Texts<'_> {
    #[inline]
    fn str(&self, span: Span) -> &str {
        let (start, end) = (span.start as usize, span.end as usize);
        let length = self.source.len();
        let found = match start.checked_sub(length) {
            Some(start) => self.decoded.get(start..end.saturating_sub(length)),
            None => self.source.get(start..end),
        };
        found.unwrap_or_default()
    }

    /// Adds `text` behind the source.
    fn add(&mut self, text: &str) -> Span {
        let start = self.source.len() + self.decoded.len();
        self.decoded.push_str(text);
        Span::new(start, start + text.len())
    }
}

impl<'l> TagReader<'l> {
    pub fn new(limits: &'l Limits, outer: &'l [(&'l str, &'l str)]) -> TagReader<'l> {
        TagReader {
            limits,
            outer,
            inherited: &[],
            // Room for what a usual response has; growing step by step would cost more.
            attributes: Vec::with_capacity(64),
            declarations: Vec::with_capacity(16),
            prefixes: vec![Span::default(); 2],
            identifiers: Vec::with_capacity(8),
            scope: vec![Namespace::None, Namespace::Xml],
            replaced: Vec::new(),
            raw: Vec::with_capacity(8),
        }
    }

    /// Reads the tag in `from..to` of the source, which is to become the node `index`.
    ///
    /// What it declares stays in scope until [`TagReader::leave`] is called with the mark that
    /// [`TagReader::mark`] gave before.
    pub fn read(
        &mut self,
        texts: &mut Texts<'_>,
        from: usize,
        to: usize,
        index: NodeIndex,
    ) -> Result<ElementData, XmlRule> {
        let source = texts.source;
        let tag = source.get(from..to).ok_or(XmlRule::BadMarkup)?;
        let name_length = tag.bytes().position(is_space).unwrap_or(tag.len());
        let name = Span::new(from, from + name_length);
        let local = split_name(texts.str(name), name)?;
        let mut raw = std::mem::take(&mut self.raw);
        raw.clear();
        self.split_attributes(texts, from + name_length, to, &mut raw)?;
        let declarations = self.declare(texts, &raw)?;
        let (prefix, namespace) = self.resolve(texts, name, local, false)?;
        let attributes = self.resolve_attributes(texts, &raw, index)?;
        self.raw = raw;
        Ok(ElementData { name, local, prefix, namespace, attributes, declarations })
    }

    /// Makes the next tag that of the root element, which inherits the outer bindings.
    pub fn inherit_next(&mut self) {
        self.inherited = self.outer;
    }

    /// Gives the state of the scope, to come back to at the end tag.
    pub fn mark(&self) -> usize {
        self.replaced.len()
    }

    /// Takes what was declared since `mark` out of scope.
    pub fn leave(&mut self, mark: usize) {
        while self.replaced.len() > mark {
            if let Some((prefix, before)) = self.replaced.pop()
                && let Some(binding) = self.scope.get_mut(usize::from(prefix))
            {
                *binding = before;
            }
        }
    }

    /// Splits what follows the name into names and values (§3.1, productions 40 and 41).
    fn split_attributes(
        &self,
        texts: &mut Texts<'_>,
        from: usize,
        to: usize,
        raw: &mut Vec<RawAttribute>,
    ) -> Result<(), XmlRule> {
        let source = texts.source;
        let bytes = source.as_bytes();
        let byte = |at: usize| if at < to { bytes.get(at).copied() } else { None };
        let run = |from: usize, belongs: fn(u8) -> bool| {
            let rest = bytes.get(from..to).unwrap_or_default();
            from + rest.iter().position(|&b| !belongs(b)).unwrap_or(rest.len())
        };
        let mut at = from;
        loop {
            let name_start = run(at, is_space);
            if name_start == to {
                return Ok(());
            }
            if name_start == at {
                return Err(XmlRule::BadAttribute);
            }
            let name_end = run(name_start, |b| !is_space(b) && b != b'=');
            let name = Span::new(name_start, name_end);
            let equals = run(name_end, is_space);
            if byte(equals) != Some(b'=') {
                return Err(XmlRule::BadAttribute);
            }
            let local = split_name(source.get(name_start..name_end).unwrap_or_default(), name)?;
            let opening = run(equals + 1, is_space);
            let value_start = opening + 1;
            let value_end = match byte(opening) {
                Some(b'"') => run(value_start, |b| b != b'"'),
                Some(b'\'') => run(value_start, |b| b != b'\''),
                _ => return Err(XmlRule::BadAttribute),
            };
            if value_end == to {
                return Err(XmlRule::BadAttribute);
            }
            let value = normalise(texts, Span::new(value_start, value_end))?;
            if raw.len() >= self.limits.attributes {
                return Err(XmlRule::TooManyAttributes);
            }
            raw.push(RawAttribute { name, local, value });
            at = value_end + 1;
        }
    }

    /// Brings the namespace declarations among `raw` into scope (Namespaces in XML 1.0 §3).
    fn declare(&mut self, texts: &mut Texts<'_>, raw: &[RawAttribute]) -> Result<(u32, u32), XmlRule> {
        let first = self.declarations.len();
        for attribute in raw {
            let Some(prefix) = declared_prefix(texts, attribute) else { continue };
            let uri = texts.str(attribute.value);
            if uri.len() > self.limits.namespace_bytes {
                return Err(XmlRule::NamespaceTooLong);
            }
            let name = texts.str(prefix);
            if name == "xml" && uri == XML_NAMESPACE {
                // Allowed and without meaning; canonical forms leave it out.
                continue;
            }
            if matches!(name, "xml" | "xmlns") || matches!(uri, XML_NAMESPACE | XMLNS_NAMESPACE) {
                return Err(XmlRule::ReservedPrefix);
            }
            if uri.is_empty() && !name.is_empty() {
                return Err(XmlRule::UnboundPrefix);
            }
            if !uri.is_empty() && !is_absolute_uri(uri) {
                return Err(XmlRule::RelativeNamespace);
            }
            let prefix = self.prefix_index(texts, prefix)?;
            self.declarations.push(Declaration { prefix, uri: attribute.value });
        }
        self.inherit(texts, first)?;
        let prefixes = &self.prefixes;
        let name = |one: &Declaration| prefixes.get(usize::from(one.prefix)).map(|&span| texts.str(span));
        if self.declarations.len() == first {
            return Ok(range(first, first));
        }
        let mine = self.declarations.get_mut(first..).unwrap_or_default();
        mine.sort_unstable_by(|a, b| name(a).cmp(&name(b)));
        if mine.windows(2).any(|pair| matches!(pair, [a, b] if a.prefix == b.prefix)) {
            return Err(XmlRule::DuplicateAttribute);
        }
        for (offset, declaration) in mine.iter().enumerate() {
            let namespace = if declaration.uri.start == declaration.uri.end {
                Namespace::None
            } else {
                Namespace::Declared(u32::try_from(first + offset).unwrap_or(u32::MAX))
            };
            if let Some(binding) = self.scope.get_mut(usize::from(declaration.prefix)) {
                self.replaced.push((declaration.prefix, *binding));
                *binding = namespace;
            }
        }
        Ok(range(first, self.declarations.len()))
    }

    /// Declares on the root element what it inherits and does not declare itself.
    fn inherit(&mut self, texts: &mut Texts<'_>, first: usize) -> Result<(), XmlRule> {
        for (name, uri) in std::mem::take(&mut self.inherited) {
            let prefix = texts.add(name);
            let prefix = self.prefix_index(texts, prefix)?;
            let own = self.declarations.get(first..).unwrap_or_default();
            if own.iter().all(|declaration| declaration.prefix != prefix) {
                let uri = texts.add(uri);
                self.declarations.push(Declaration { prefix, uri });
            }
        }
        Ok(())
    }

    /// Resolves the attributes, in canonical order: by namespace, then by local name.
    fn resolve_attributes(
        &mut self,
        texts: &mut Texts<'_>,
        raw: &[RawAttribute],
        index: NodeIndex,
    ) -> Result<(u32, u32), XmlRule> {
        let first = self.attributes.len();
        for attribute in raw {
            if declared_prefix(texts, attribute).is_some() {
                continue;
            }
            let RawAttribute { name, local, value } = *attribute;
            let (prefix, namespace) = self.resolve(texts, name, local, true)?;
            if texts.str(local).eq_ignore_ascii_case("id") {
                self.identifiers.push((value, index));
            }
            self.attributes.push(AttributeData { name, local, prefix, namespace, value });
        }
        if self.attributes.len() < first + 2 {
            return Ok(range(first, self.attributes.len()));
        }
        let declarations = &self.declarations;
        let uri = |namespace: Namespace| match namespace {
            Namespace::None => "",
            Namespace::Xml => XML_NAMESPACE,
            Namespace::Declared(index) => {
                declarations.get(index as usize).map_or("", |declaration| texts.str(declaration.uri))
            }
        };
        let order = |a: &AttributeData, b: &AttributeData| {
            let namespaces = if a.namespace == b.namespace {
                std::cmp::Ordering::Equal
            } else {
                uri(a.namespace).cmp(uri(b.namespace))
            };
            namespaces.then_with(|| texts.str(a.local).cmp(texts.str(b.local)))
        };
        let mine = self.attributes.get_mut(first..).unwrap_or_default();
        mine.sort_unstable_by(order);
        if mine.windows(2).any(|pair| matches!(pair, [a, b] if order(a, b).is_eq())) {
            return Err(XmlRule::DuplicateAttribute);
        }
        Ok(range(first, self.attributes.len()))
    }

    /// Finds out what the prefix of a name is bound to.
    fn resolve(
        &mut self,
        texts: &Texts<'_>,
        name: Span,
        local: Span,
        is_attribute: bool,
    ) -> Result<(PrefixIndex, Namespace), XmlRule> {
        if name.start == local.start {
            // The default namespace is for elements only (§6.2).
            let default = self.scope.first().copied().unwrap_or(Namespace::None);
            return Ok((NO_PREFIX, if is_attribute { Namespace::None } else { default }));
        }
        let prefix = Span { start: name.start, end: local.start.saturating_sub(1) };
        let Some(index) = self.known_prefix(texts, prefix) else {
            let reserved = texts.str(prefix) == "xmlns";
            return Err(if reserved { XmlRule::ReservedPrefix } else { XmlRule::UndeclaredPrefix });
        };
        match self.scope.get(usize::from(index)) {
            None | Some(Namespace::None) => Err(XmlRule::UndeclaredPrefix),
            Some(&namespace) => Ok((index, namespace)),
        }
    }

    fn known_prefix(&self, texts: &Texts<'_>, prefix: Span) -> Option<PrefixIndex> {
        let name = texts.str(prefix);
        if name.is_empty() {
            return Some(NO_PREFIX);
        }
        // Prefixes are so short that a call would cost more than comparing them letter by letter.
        let is_name = |known: &str| known.len() == name.len() && known.bytes().eq(name.bytes());
        let found = self.prefixes.iter().position(|&known| is_name(texts.str(known)));
        match found {
            Some(found) => PrefixIndex::try_from(found).ok(),
            None => (name == "xml").then_some(XML_PREFIX),
        }
    }

    fn prefix_index(&mut self, texts: &Texts<'_>, prefix: Span) -> Result<PrefixIndex, XmlRule> {
        if let Some(index) = self.known_prefix(texts, prefix) {
            return Ok(index);
        }
        if self.prefixes.len() >= self.limits.prefixes {
            return Err(XmlRule::TooManyPrefixes);
        }
        let index = PrefixIndex::try_from(self.prefixes.len()).map_err(|_| XmlRule::TooManyPrefixes)?;
        self.prefixes.push(prefix);
        self.scope.push(Namespace::None);
        Ok(index)
    }
}

/// Checks a qualified name and gives its local part (Namespaces in XML 1.0, production 7).
fn split_name(text: &str, name: Span) -> Result<Span, XmlRule> {
    let Some(colon) = text.bytes().position(|b| b == b':') else {
        return if is_ncname(text) { Ok(name) } else { Err(XmlRule::BadName) };
    };
    let (prefix, local) = (text.get(..colon).unwrap_or_default(), text.get(colon + 1..).unwrap_or_default());
    if !is_ncname(prefix) || !is_ncname(local) {
        return Err(XmlRule::BadName);
    }
    let length = u32::try_from(local.len()).unwrap_or(0);
    Ok(Span { start: name.end.saturating_sub(length), end: name.end })
}

/// The prefix that an attribute declares, empty for the default namespace; none if it declares nothing.
fn declared_prefix(texts: &Texts<'_>, attribute: &RawAttribute) -> Option<Span> {
    let RawAttribute { name, local, .. } = *attribute;
    let length = name.end.saturating_sub(name.start);
    if name.start == local.start {
        return (length == 5 && texts.str(name) == "xmlns").then(Span::default);
    }
    (local.start == name.start.saturating_add(6) && texts.str(name).starts_with("xmlns:")).then_some(local)
}

/// Normalises an attribute value (§3.3.3): references are decoded, white space becomes spaces.
fn normalise(texts: &mut Texts<'_>, raw: Span) -> Result<Span, XmlRule> {
    let source = texts.source;
    let mut rest = source.get(raw.start as usize..raw.end as usize).unwrap_or_default();
    // Without a branch in it, the compiler makes this a few instructions for sixteen bytes.
    let special = |seen: bool, &b: &u8| seen | matches!(b, b'<' | b'&' | b'\t' | b'\n' | b'\r');
    if !rest.as_bytes().iter().fold(false, special) {
        return Ok(raw);
    }
    let start = source.len() + texts.decoded.len();
    while let Some(place) = rest.find(['<', '&', '\t', '\n', '\r']) {
        let (plain, special) = rest.split_at_checked(place).unwrap_or((rest, ""));
        texts.decoded.push_str(plain);
        let behind = special.get(1..).unwrap_or_default();
        rest = match special.bytes().next() {
            Some(b'<') => return Err(XmlRule::BadAttribute),
            Some(b'&') => {
                let (reference, behind) = behind.split_once(';').ok_or(XmlRule::BadReference)?;
                texts.decoded.push(decode_reference(reference)?);
                behind
            }
            _ => {
                texts.decoded.push(' ');
                behind
            }
        };
    }
    texts.decoded.push_str(rest);
    Ok(Span::new(start, source.len() + texts.decoded.len()))
}

fn range(from: usize, to: usize) -> (u32, u32) {
    (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX))
}
