//! What the parser takes and what it refuses, rule by rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{Document, Limits, XmlRule};

fn parse(xml: &str) -> Document {
    Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap()
}

fn check(xml: &str, expected: XmlRule) {
    check_bytes(xml.as_bytes(), expected);
}

fn check_bytes(xml: &[u8], expected: XmlRule) {
    match Document::parse(xml, &Limits::ASSERTION) {
        Ok(_) => panic!("accepted: {}", String::from_utf8_lossy(xml)),
        Err(reject) => assert_eq!(reject.rule, expected, "{}", String::from_utf8_lossy(xml)),
    }
}

#[test]
fn malformed_documents_are_refused_by_the_rule_they_break() {
    use XmlRule::*;
    for (xml, rule) in [
        ("", NoRoot),
        ("   ", NoRoot),
        ("<!-- -->", NoRoot),
        ("text", OutsideRoot),
        ("<a/>text", OutsideRoot),
        ("text<a/>", OutsideRoot),
        ("<a/>&amp;", OutsideRoot),
        ("<a/><![CDATA[]]>", OutsideRoot),
        ("<a/><b/>", OutsideRoot),
        ("<a></a><a></a>", OutsideRoot),
        ("<a>", UnclosedElement),
        ("<a><b></a>", MismatchedEndTag),
        ("<a></b>", MismatchedEndTag),
        ("<a></a></a>", MismatchedEndTag),
        ("</a>", MismatchedEndTag),
        ("<a></a x=\"1\">", MismatchedEndTag),
        ("<a></ a>", MismatchedEndTag),
        ("<p:a xmlns:p=\"u:x\" xmlns:q=\"u:x\"></q:a>", MismatchedEndTag),
        ("<a", BadMarkup),
        ("<a b=\"", BadMarkup),
        ("<a><![CDATA[", BadMarkup),
        ("<a><![cdata[]]></a>", BadMarkup),
        ("<a><!ELEMENT b></a>", BadMarkup),
        ("< a/>", BadName),
        ("<1a/>", BadName),
        ("<a/b/>", BadName),
        ("<:a/>", BadName),
        ("<a:/>", BadName),
        ("<a:b:c/>", BadName),
        ("<a=\"b\"/>", BadName),
        ("<a b:=\"\"/>", BadName),
        ("<a b/>", BadAttribute),
        ("<a b=c/>", BadAttribute),
        ("<a b=\"1\"c=\"2\"/>", BadAttribute),
        ("<a b=\"<\"/>", BadAttribute),
        ("<a =\"1\"/>", BadName),
        ("<a b=\"1\" / >", BadAttribute),
        ("<a b \"1\"/>", BadAttribute),
        ("<a b==\"1\"/>", BadAttribute),
        ("<a b=\"1\" b=\"2\"/>", DuplicateAttribute),
        ("<a xmlns:p=\"u:x\" xmlns:q=\"u:x\" p:b=\"1\" q:b=\"2\"/>", DuplicateAttribute),
        ("<a xmlns=\"u:x\" xmlns=\"u:y\"/>", DuplicateAttribute),
        ("<a xmlns:p=\"u:x\" xmlns:p=\"u:x\"/>", DuplicateAttribute),
        ("<p:a/>", UndeclaredPrefix),
        ("<a p:b=\"\"/>", UndeclaredPrefix),
        ("<a><b xmlns:p=\"u:x\"/><p:c/></a>", UndeclaredPrefix),
        ("<a><b xmlns:p=\"u:x\"></b><c p:c=\"\"/></a>", UndeclaredPrefix),
        ("<xmlns:a/>", ReservedPrefix),
        ("<a xmlns:xml=\"u:x\"/>", ReservedPrefix),
        ("<a xmlns:xmlns=\"u:x\"/>", ReservedPrefix),
        ("<a xmlns:p=\"http://www.w3.org/XML/1998/namespace\"/>", ReservedPrefix),
        ("<a xmlns=\"http://www.w3.org/XML/1998/namespace\"/>", ReservedPrefix),
        ("<a xmlns:p=\"http://www.w3.org/2000/xmlns/\"/>", ReservedPrefix),
        ("<a xmlns=\"http://www.w3.org/2000/xmlns/\"/>", ReservedPrefix),
        ("<a xmlns:p=\"\"/>", UnboundPrefix),
        ("<a xmlns:p=\"relative\"/>", RelativeNamespace),
        ("<a xmlns=\"../x\"/>", RelativeNamespace),
        ("<a xmlns=\"1\"/>", RelativeNamespace),
        ("<a>]]></a>", SectionEndInText),
        ("<a>x]]>y</a>", SectionEndInText),
        ("<a><!-- -- --></a>", BadComment),
        ("<a><!--x---></a>", BadComment),
        ("<a><!-- </a>", BadComment),
        ("<a>&b;</a>", UnknownEntity),
        ("<a b=\"&c;\"/>", UnknownEntity),
        ("<a>&amp</a>", BadReference),
        ("<a>&</a>", BadReference),
        ("<a>& amp;</a>", BadReference),
        ("<a>&#;</a>", BadReference),
        ("<a>&#x;</a>", BadReference),
        ("<a>&#X41;</a>", BadReference),
        ("<a>&#+65;</a>", BadReference),
        ("<a>&#xFFFFFFFFFF;</a>", BadReference),
        ("<a b=\"&amp\"/>", BadReference),
        ("<a>&#0;</a>", IllegalCharacter),
        ("<a>&#8;</a>", IllegalCharacter),
        ("<a>&#xD800;</a>", IllegalCharacter),
        ("<a>&#xFFFE;</a>", IllegalCharacter),
        ("<a>&#x110000;</a>", IllegalCharacter),
        ("<a>\u{0}</a>", IllegalCharacter),
        ("<a>\u{8}</a>", IllegalCharacter),
        ("<a b=\"\u{1F}\"/>", IllegalCharacter),
        ("<a>\u{FFFE}</a>", IllegalCharacter),
        ("<a>\u{FFFF}</a>", IllegalCharacter),
        ("<a><?xml version=\"1.0\"?></a>", BadDeclaration),
        (" <?xml version=\"1.0\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.1\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.0\"?><?xml version=\"1.0\"?><a/>", BadDeclaration),
        ("<?xml?><a/>", BadDeclaration),
        ("<?xml encoding=\"UTF-8\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.0\" standalone=\"maybe\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.0\"encoding=\"UTF-8\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.0\" standalone=\"yes\" encoding=\"UTF-8\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.0\" x=\"y\"?><a/>", BadDeclaration),
        ("<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", ForeignEncoding),
        ("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", ForeignEncoding),
        ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\u{E9}</a>", ForeignEncoding),
        ("<a><?XML x?></a>", BadInstruction),
        ("<a><? x?></a>", BadInstruction),
        ("<a><??></a>", BadInstruction),
        ("<a><?a:b?></a>", BadInstruction),
        ("<a><?b</a>", BadInstruction),
        ("<!DOCTYPE a><a/>", Doctype),
        ("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", Doctype),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", Doctype),
    ] {
        check(xml, rule);
    }
}

#[test]
fn other_encodings_are_refused() {
    let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_bytes(&utf16, XmlRule::IllegalCharacter);
    check_bytes(&[&[0xFF, 0xFE][..], &utf16].concat(), XmlRule::NotUtf8);
    check_bytes(b"<a>\xE9</a>", XmlRule::NotUtf8);
    check_bytes(b"<a>\xC0\x80</a>", XmlRule::NotUtf8);
    check_bytes(b"<a>\xED\xA0\x80</a>", XmlRule::NotUtf8);
}

#[test]
fn limits_are_kept() {
    let limits = Limits { bytes: 400, depth: 3, nodes: 5, attributes: 2, prefixes: 4, namespace_bytes: 10 };
    for (xml, rule) in [
        (format!("<a>{}</a>", "x".repeat(400)), Some(XmlRule::TooLarge)),
        ("<a><b><c/></b></a>".into(), None),
        ("<a><b><c><d/></c></b></a>".into(), Some(XmlRule::TooDeep)),
        ("<a><b/><b/><b/><b/></a>".into(), None),
        ("<a><b/><b/><b/><b/>x</a>".into(), Some(XmlRule::TooManyNodes)),
        ("<a b='' c=''/>".into(), None),
        ("<a b='' c='' xmlns='u:x'/>".into(), Some(XmlRule::TooManyAttributes)),
        ("<a xmlns:p='u:1' xmlns:q='u:2'/>".into(), None),
        ("<a xmlns:p='u:1'><b xmlns:q='u:2' xmlns:r='u:3'/></a>".into(), Some(XmlRule::TooManyPrefixes)),
        ("<a xmlns='u:234567890'/>".into(), Some(XmlRule::NamespaceTooLong)),
    ] {
        let rule_met = Document::parse(xml.as_bytes(), &limits).err().map(|reject| reject.rule);
        assert_eq!(rule_met, rule, "{xml}");
    }
}

#[test]
fn a_reject_names_the_line() {
    let reject = Document::parse(b"<a>\r\n<b>\r\n</c></a>", &Limits::ASSERTION).unwrap_err();
    assert_eq!(reject.line, 3);
}

#[test]
fn text_is_read_as_xml_says() {
    for (xml, expected) in [
        ("<a>x</a>", "x"),
        ("<a/>", ""),
        ("<a>&lt;&gt;&amp;&apos;&quot;</a>", "<>&'\""),
        ("<a>&#65;&#x42;&#x1F600;</a>", "AB\u{1F600}"),
        ("<a>1\r\n2\r3\n4&#13;5</a>", "1\n2\n3\n4\r5"),
        ("<a>x<![CDATA[<&>]]>y</a>", "x<&>y"),
        ("<a><![CDATA[]]></a>", ""),
        ("<a><![CDATA[]]]]><![CDATA[>]]></a>", "]]>"),
        ("<a>]]&gt;</a>", "]]>"),
        ("<a>admin@x<!-- -->.evil.com</a>", "admin@x.evil.com"),
        ("<a><?p not-an-?>admin@x</a>", "admin@x"),
        ("<a>x<b>inner</b>y</a>", "xy"),
        (
            "\u{FEFF}<?xml version='1.0' encoding=\"utf-8\" standalone='yes' ?>\n<a>x</a>\n<!-- c --> <?p?>",
            "x",
        ),
        ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>x</a>", "x"),
        ("<?xml version=\"1.0\" encoding=\"ascii\"?><a>x</a>", "x"),
    ] {
        assert_eq!(parse(xml).root().text(), expected, "{xml}");
    }
}

#[test]
fn plain_text_allows_nothing_but_text() {
    for (xml, expected) in [
        ("<a/>", Some("")),
        ("<a>x<![CDATA[y]]>&#122;</a>", Some("xyz")),
        ("<a>x<!-- -->y</a>", None),
        ("<a><!-- --></a>", None),
        ("<a>x<?p?></a>", None),
        ("<a>x<b/></a>", None),
    ] {
        let document = parse(xml);
        let text = document.root().plain_text();
        assert_eq!(text.as_deref().ok(), expected, "{xml}");
    }
}

#[test]
fn attribute_values_are_normalised() {
    for (written, expected) in [
        ("\"x\"", "x"),
        ("'x\"y'", "x\"y"),
        ("\" a\tb\nc\r\nd \"", " a b c d "),
        ("\"&#9;&#10;&#13;&#32;\"", "\t\n\r "),
        ("\"&lt;&amp;>\"", "<&>"),
        (" = \"x\"", ""),
    ] {
        let xml = if written.starts_with(' ') {
            "<a b \n=\t \"\" />".to_owned()
        } else {
            format!("<a b={written}/>")
        };
        assert_eq!(parse(&xml).root().attribute("b"), Some(expected), "{xml}");
    }
}

#[test]
fn namespaces_follow_scope_and_not_prefixes() {
    let document = parse(
        "<a xmlns='u:1' xmlns:p='u:2' p:x='1' x='2'><b/><p:b/><c xmlns=''><d/></c>\
         <p:e xmlns:p='u:3' p:x='3'/><p:f/></a>",
    );
    let root = document.root();
    assert!(root.is("u:1", "a"));
    assert_eq!(root.attribute("x"), Some("2"));
    assert_eq!(root.attribute_ns("u:2", "x"), Some("1"));
    assert_eq!(root.attribute_ns("u:1", "x"), None);
    let names: Vec<_> = root.descendants().map(|e| (e.namespace(), e.local_name(), e.prefix())).collect();
    assert_eq!(
        names,
        [
            ("u:1", "a", ""),
            ("u:1", "b", ""),
            ("u:2", "b", "p"),
            ("", "c", ""),
            ("", "d", ""),
            ("u:3", "e", "p"),
            ("u:2", "f", "p")
        ]
    );
    let inner = root.child("u:3", "e").unwrap();
    assert_eq!(inner.lookup_namespace("p"), Some("u:3"));
    assert_eq!(inner.lookup_namespace(""), Some("u:1"));
    assert_eq!(root.child("", "c").unwrap().lookup_namespace(""), None);
    assert_eq!(root.lookup_namespace("q"), None);
    assert_eq!(inner.parent(), Some(root));
    assert_eq!(root.parent(), None);
}

#[test]
fn an_element_that_may_stand_once_is_refused_when_it_stands_twice() {
    let document = parse("<a><b/><c/><c/></a>");
    let root = document.root();
    assert_eq!(root.only_child("", "x").unwrap(), None);
    assert!(root.only_child("", "b").unwrap().is_some());
    assert_eq!(root.only_child("", "c").unwrap_err().rule, XmlRule::RepeatedChild);
    assert_eq!(root.children().count(), 3);
    assert_eq!(root.children_named("", "c").count(), 2);
}

#[test]
fn a_document_inherits_what_was_in_scope_around_it() {
    let bindings = [("", "u:1"), ("p", "u:2"), ("q", "u:3")];
    let document =
        Document::parse_within(b"<p:a xmlns:q='u:4'><b q:x='1'/></p:a>", &Limits::ASSERTION, &bindings)
            .unwrap();
    let root = document.root();
    assert!(root.is("u:2", "a"));
    let child = root.child("u:1", "b").unwrap();
    assert_eq!(child.attribute_ns("u:4", "x"), Some("1"));
    assert_eq!(child.lookup_namespace("p"), Some("u:2"));
}

#[test]
fn a_namespace_may_be_as_long_as_its_limit_and_no_longer() {
    let limits = Limits { namespace_bytes: 5, ..Limits::ASSERTION };
    let taken = Document::parse(b"<a xmlns='a:345'/>", &limits);
    assert_eq!(taken.err(), None);
    let reject = Document::parse(b"<a xmlns='a:3456'/>", &limits).unwrap_err();
    assert_eq!(reject.rule, XmlRule::NamespaceTooLong);
}

#[test]
fn an_attribute_says_by_which_prefix_it_was_written() {
    let document = parse("<a xmlns:p='urn:p' p:b='1' c='2'/>");
    let prefixes: Vec<_> = document.root().attributes().map(|one| (one.prefix(), one.local_name())).collect();
    assert_eq!(prefixes, [("", "c"), ("p", "b")]);
}
