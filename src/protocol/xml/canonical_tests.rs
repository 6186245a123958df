//! Canonical forms, case by case: the traps that cost valid sign-ins elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{Canonicalization, Document, Element, Limits, Method};

const EXCLUSIVE: Method = Method::Exclusive;
const INCLUSIVE: Method = Method::Inclusive10;
const INCLUSIVE11: Method = Method::Inclusive11;

/// Canonicalizes the element whose `ID` is `x`.
fn check(xml: &str, method: Method, prefix_list: &str, expected: &str) {
    let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
    let element = document.root().descendants().find(|e| e.attribute("ID") == Some("x")).unwrap();
    let octets = Canonicalization { method, comments: false }.octets(element, prefix_list);
    assert_eq!(String::from_utf8(octets).unwrap(), expected, "{method:?} {prefix_list:?} {xml}");
}

#[test]
fn namespaces_are_shown_where_the_method_says() {
    let xml = "<r xmlns='u:d' xmlns:p='u:p' xmlns:q='u:q'><p:s ID='x'><t/><p:u q:v=''/><q:w/></p:s></r>";
    for (method, list, expected) in [
        (
            EXCLUSIVE,
            "",
            "<p:s xmlns:p=\"u:p\" ID=\"x\"><t xmlns=\"u:d\"></t>\
             <p:u xmlns:q=\"u:q\" q:v=\"\"></p:u><q:w xmlns:q=\"u:q\"></q:w></p:s>",
        ),
        (
            EXCLUSIVE,
            "q #default",
            "<p:s xmlns=\"u:d\" xmlns:p=\"u:p\" xmlns:q=\"u:q\" ID=\"x\"><t></t>\
             <p:u q:v=\"\"></p:u><q:w></q:w></p:s>",
        ),
        (
            EXCLUSIVE,
            " q\n unknown xml ",
            "<p:s xmlns:p=\"u:p\" xmlns:q=\"u:q\" ID=\"x\"><t xmlns=\"u:d\"></t>\
             <p:u q:v=\"\"></p:u><q:w></q:w></p:s>",
        ),
        (
            INCLUSIVE,
            "",
            "<p:s xmlns=\"u:d\" xmlns:p=\"u:p\" xmlns:q=\"u:q\" ID=\"x\"><t></t>\
             <p:u q:v=\"\"></p:u><q:w></q:w></p:s>",
        ),
    ] {
        check(xml, method, list, expected);
    }
}

#[test]
fn redeclared_and_undeclared_namespaces_are_shown() {
    for method in [EXCLUSIVE, INCLUSIVE, INCLUSIVE11] {
        check(
            "<s xmlns='u:1' ID='x'><t xmlns=''><u/></t><t xmlns='u:1'/><t xmlns='u:2'><u xmlns='u:1'/></t></s>",
            method,
            "",
            "<s xmlns=\"u:1\" ID=\"x\"><t xmlns=\"\"><u></u></t><t></t>\
             <t xmlns=\"u:2\"><u xmlns=\"u:1\"></u></t></s>",
        );
        check("<r><s xmlns='' ID='x'/></r>", method, "", "<s ID=\"x\"></s>");
        check("<r xmlns='u:1'><s xmlns='' ID='x'/></r>", method, "", "<s ID=\"x\"></s>");
    }
}

#[test]
fn two_prefixes_of_one_namespace_are_both_kept() {
    check(
        "<a:s xmlns:a='u:1' xmlns:b='u:1' ID='x'><b:t a:y='' b:z=''/></a:s>",
        EXCLUSIVE,
        "",
        "<a:s xmlns:a=\"u:1\" ID=\"x\"><b:t xmlns:b=\"u:1\" a:y=\"\" b:z=\"\"></b:t></a:s>",
    );
}

#[test]
fn attributes_are_sorted_by_namespace_and_not_by_prefix() {
    check(
        "<s xmlns:a='u:2' xmlns:b='u:1' a:q='1' b:q='2' z='3' c='4' xml:lang='5' ID='x'/>",
        EXCLUSIVE,
        "",
        "<s xmlns:a=\"u:2\" xmlns:b=\"u:1\" ID=\"x\" c=\"4\" z=\"3\" xml:lang=\"5\" b:q=\"2\" a:q=\"1\"></s>",
    );
}

#[test]
fn text_and_values_are_escaped_each_in_its_way() {
    check(
        "<s ID='x' a='&lt;>&amp;&quot;&apos;&#9;&#10;&#13;\t\r\n&#x20;'>&lt;>&amp;\"'&#9;&#10;&#13;\t\r\n<![CDATA[<&>]]></s>",
        EXCLUSIVE,
        "",
        "<s ID=\"x\" a=\"&lt;>&amp;&quot;'&#x9;&#xA;&#xD;   \">&lt;&gt;&amp;\"'\t\n&#xD;\t\n&lt;&amp;&gt;</s>",
    );
}

#[test]
fn attributes_of_xml_are_inherited_by_the_inclusive_methods_only() {
    let xml = "<r xml:lang='en' xml:id='i' xml:base='http://a/b/'><q xml:space='preserve' xml:lang='fr' \
               xml:base='c/'><s ID='x' xml:lang='de'/></q></r>";
    for (method, expected) in [
        (EXCLUSIVE, "<s ID=\"x\" xml:lang=\"de\"></s>"),
        (INCLUSIVE, "<s ID=\"x\" xml:base=\"c/\" xml:id=\"i\" xml:lang=\"de\" xml:space=\"preserve\"></s>"),
        (INCLUSIVE11, "<s ID=\"x\" xml:base=\"http://a/b/c/\" xml:lang=\"de\" xml:space=\"preserve\"></s>"),
    ] {
        check(xml, method, "", expected);
    }
}

#[test]
fn a_redundant_declaration_of_the_prefix_xml_is_left_out() {
    for method in [EXCLUSIVE, INCLUSIVE] {
        let xml = "<s xmlns:xml='http://www.w3.org/XML/1998/namespace' ID='x' xml:lang='en'/>";
        check(xml, method, "xml", "<s ID=\"x\" xml:lang=\"en\"></s>");
    }
}

#[test]
fn the_excluded_subtree_is_left_out_and_nothing_else() {
    let xml = "<a:s xmlns:a='u:1'>1<b xmlns='u:2'><c/></b>2<b xmlns='u:2'/></a:s>";
    let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
    let root = document.root();
    let written = |excluded: Option<Element<'_>>| {
        let mut octets = Vec::new();
        Canonicalization::EXCLUSIVE.write(root, excluded, "", &mut octets);
        String::from_utf8(octets).unwrap()
    };
    let whole = "<a:s xmlns:a=\"u:1\">1<b xmlns=\"u:2\"><c></c></b>2<b xmlns=\"u:2\"></b></a:s>";
    assert_eq!(written(None), whole);
    assert_eq!(written(root.children().next()), "<a:s xmlns:a=\"u:1\">12<b xmlns=\"u:2\"></b></a:s>");
    assert_eq!(written(root.children().last()), whole.replace("<b xmlns=\"u:2\"></b>", ""));
}

#[test]
fn what_stands_around_the_root_has_lines_of_its_own() {
    let xml = "<?xml version='1.0'?>\n<!-- a --> <?p  d?><r/>\n\n<?q?><!-- b -->";
    let document = Document::parse(xml.as_bytes(), &Limits::ASSERTION).unwrap();
    for (comments, expected) in
        [(true, "<!-- a -->\n<?p d?>\n<r></r>\n<?q?>\n<!-- b -->"), (false, "<?p d?>\n<r></r>\n<?q?>")]
    {
        let mut octets = Vec::new();
        Canonicalization { method: INCLUSIVE, comments }.write_document(&document, &mut octets);
        assert_eq!(String::from_utf8(octets).unwrap(), expected);
    }
}

#[test]
fn only_the_names_of_the_standards_are_known() {
    for (uri, expected) in [
        ("http://www.w3.org/2001/10/xml-exc-c14n#", Some((EXCLUSIVE, false))),
        ("http://www.w3.org/2001/10/xml-exc-c14n#WithComments", Some((EXCLUSIVE, true))),
        ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", Some((INCLUSIVE, false))),
        ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", Some((INCLUSIVE, true))),
        ("http://www.w3.org/2006/12/xml-c14n11", Some((INCLUSIVE11, false))),
        ("http://www.w3.org/2006/12/xml-c14n11#WithComments", Some((INCLUSIVE11, true))),
        ("http://www.w3.org/2001/10/xml-exc-c14n", None),
        ("http://www.w3.org/2006/12/xml-c14n11WithComments", None),
        ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315#", None),
        ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315WithComments", None),
        ("http://www.w3.org/2010/xml-c14n2", None),
        ("", None),
    ] {
        let found = Canonicalization::from_uri(uri).map(|form| (form.method, form.comments));
        assert_eq!(found, expected, "{uri}");
    }
}

#[test]
fn joined_bases_leave_the_other_attributes_of_xml_alone() {
    let xml = "<a xml:base='http://x/y/'><b ID='x' xml:base='z' xml:lang='en'/></a>";
    check(xml, INCLUSIVE11, "", "<b ID=\"x\" xml:base=\"http://x/y/z\" xml:lang=\"en\"></b>");
}
