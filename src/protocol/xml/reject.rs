//! Why a document is refused before anybody looks at what it says.
//!
//! One variant of [`XmlRule`] for each rule of XML 1.0 (fifth edition), of Namespaces in XML 1.0, and of our
//! own limits. Enter at [`XmlReject`].

use std::fmt;

/// A refused document: the rule that it broke, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XmlReject {
    /// The rule that was broken.
    pub rule: XmlRule,
    /// Line of the text, from 1; 0 where no single place is at fault.
    pub line: u32,
}

impl XmlReject {
    pub(super) fn nowhere(rule: XmlRule) -> XmlReject {
        XmlReject { rule, line: 0 }
    }

    /// Gives the stable code of the rule that was broken.
    pub fn code(&self) -> &'static str {
        self.rule.code()
    }
}

impl fmt::Display for XmlReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule.sentence())?;
        if self.line > 0 { write!(f, " (line {})", self.line) } else { Ok(()) }
    }
}

impl std::error::Error for XmlReject {}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident $code:literal $sentence:literal,)*) => {
        /// A rule that a document can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum XmlRule { $($(#[$doc])* $variant,)* }

        impl XmlRule {
            /// Every rule, in the order of this file.
            pub const ALL: &'static [XmlRule] = &[$(XmlRule::$variant,)*];

            /// Gives the stable code, snake_case.
            pub const fn code(self) -> &'static str {
                match self { $(XmlRule::$variant => $code,)* }
            }

            /// Says in one sentence what is wrong, for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(XmlRule::$variant => $sentence,)* }
            }
        }
    };
}

rules! {
    /// Our limit on bytes.
    TooLarge "xml_too_large" "the document is larger than allowed",
    /// Our limit on nesting.
    TooDeep "xml_too_deep" "the elements are nested deeper than allowed",
    /// Our limit on nodes.
    TooManyNodes "xml_too_many_nodes" "the document has more nodes than allowed",
    /// Our limit on attributes of one element, namespace declarations included.
    TooManyAttributes "xml_too_many_attributes" "an element has more attributes than allowed",
    /// Our limit on different prefixes.
    TooManyPrefixes "xml_too_many_prefixes" "the document uses more namespace prefixes than allowed",
    /// Our limit on the length of a namespace name.
    NamespaceTooLong "xml_namespace_too_long" "a namespace name is longer than allowed",
    /// XML 1.0 §4.3.3; no encoding but UTF-8 is read.
    NotUtf8 "xml_not_utf8" "the document is not UTF-8",
    /// XML 1.0 §4.3.3.
    ForeignEncoding "xml_foreign_encoding" "the document declares an encoding other than UTF-8",
    /// XML 1.0 §2.2.
    IllegalCharacter "xml_illegal_character" "the document has a character that XML does not allow",
    /// XML 1.0 §2.8.
    BadDeclaration "xml_bad_declaration" "the XML declaration is malformed, or not the first thing in the document",
    /// XML 1.0 §2.8; refused whatever it says (external entities, entity expansion, ID by entity).
    Doctype "xml_doctype" "the document has a document type declaration",
    /// XML 1.0 §4.1; only the five predefined entities exist without a document type.
    UnknownEntity "xml_unknown_entity" "the document refers to an entity other than the five predefined ones",
    /// XML 1.0 §4.1.
    BadReference "xml_bad_reference" "a character or entity reference is malformed",
    /// XML 1.0 §3.1: markup that is no tag, comment, section or instruction.
    BadMarkup "xml_bad_markup" "the markup is malformed",
    /// XML 1.0 §2.3 and Namespaces in XML 1.0 §4.
    BadName "xml_bad_name" "a name is malformed",
    /// XML 1.0 §3.1.
    BadAttribute "xml_bad_attribute" "an attribute is malformed",
    /// Namespaces in XML 1.0 §6.3.
    DuplicateAttribute "xml_duplicate_attribute" "an element has the same attribute twice",
    /// Namespaces in XML 1.0 §5.
    UndeclaredPrefix "xml_undeclared_prefix" "a prefix is used that is not declared",
    /// Namespaces in XML 1.0 §3.
    ReservedPrefix "xml_reserved_prefix" "the prefix or namespace of xml or xmlns is bound to something else",
    /// Namespaces in XML 1.0 §5: a prefix cannot be unbound.
    UnboundPrefix "xml_unbound_prefix" "a prefix is declared with an empty namespace",
    /// Canonical XML 1.0 §1.3: such a document has no canonical form.
    RelativeNamespace "xml_relative_namespace" "a namespace name is not an absolute URI",
    /// XML 1.0 §3, well-formedness constraint "Element Type Match".
    MismatchedEndTag "xml_mismatched_end_tag" "an end tag does not match its start tag",
    /// XML 1.0 §2.1.
    UnclosedElement "xml_unclosed_element" "the document ends inside an element",
    /// XML 1.0 §2.1: exactly one root element.
    OutsideRoot "xml_outside_root" "there is text or a second element outside the root element",
    /// XML 1.0 §2.1.
    NoRoot "xml_no_root" "the document has no root element",
    /// XML 1.0 §2.4.
    SectionEndInText "xml_section_end_in_text" "the text contains ]]>",
    /// XML 1.0 §2.5.
    BadComment "xml_bad_comment" "a comment contains --",
    /// XML 1.0 §2.6.
    BadInstruction "xml_bad_instruction" "a processing instruction is malformed",
    /// A child that may stand once stands more often.
    RepeatedChild "xml_repeated_child" "an element that may stand once stands more often",
    /// Markup where only text may stand.
    NotPlainText "xml_not_plain_text" "there is a comment, an instruction or an element where only text may stand",
}

#[cfg(test)]
mod tests {
    use super::{XmlReject, XmlRule};
    use std::collections::HashSet;

    #[test]
    fn a_reject_names_its_rule_and_its_line_where_it_has_one() {
        let reject = XmlReject { rule: XmlRule::Doctype, line: 3 };
        assert_eq!(reject.code(), XmlRule::Doctype.code());
        assert_eq!(reject.to_string(), format!("{} (line 3)", XmlRule::Doctype.sentence()));
        assert_eq!(XmlReject::nowhere(XmlRule::NotUtf8).to_string(), XmlRule::NotUtf8.sentence());
    }

    #[test]
    fn every_code_is_its_own_and_snake_case() {
        let mut seen = HashSet::new();
        for rule in XmlRule::ALL {
            assert!(seen.insert(rule.code()), "{} twice", rule.code());
            assert!(rule.code().bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit()));
        }
    }
}
