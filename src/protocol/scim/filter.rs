//! Reads filters. RFC 7644 §3.4.2.2, the grammar of figure 1.
//!
//! `not` binds tightest, then `and`, then `or`; operators and words are read in any case. The depth of
//! nesting is bounded, so that no text can exhaust the stack.

use serde_json::Value;

use super::ScimReject;
use super::path::{AttrPath, TEXT_MAX, is_path_byte};

/// Most brackets within brackets.
const DEPTH_MAX: usize = 16;

/// A condition on a resource, or on one element of a multi-valued attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare {
        path: AttrPath,
        operator: Comparison,
        /// A string, number, boolean or null.
        value: Value,
    },
    /// `pr`: the attribute has a value that is not empty.
    Present(AttrPath),
    /// `emails[type eq "work"]`: one element meets the whole condition.
    Within {
        path: AttrPath,
        filter: Box<Filter>,
    },
}

/// How an attribute is compared. RFC 7644, table 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    fn named(word: &str) -> Option<Comparison> {
        let operator = match word.to_ascii_lowercase().as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "co" => Comparison::Contains,
            "sw" => Comparison::StartsWith,
            "ew" => Comparison::EndsWith,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            _ => return None,
        };
        Some(operator)
    }

    /// Whether the operator asks for an order or a part, which booleans and null do not have.
    fn needs_text_or_number(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// `invalidFilter`, saying where and what was expected.
    pub fn parse(text: &str) -> Result<Filter, ScimReject> {
        if text.len() > TEXT_MAX {
            return Err(ScimReject::filter("The filter is too long."));
        }
        let mut parser = Parser { text, rest: text, depth: 0 };
        let filter = parser.any()?;
        parser.space();
        if parser.rest.is_empty() { Ok(filter) } else { Err(parser.expected("and, or, or the end")) }
    }

    /// Whether the filter asks about the core attribute `name`.
    pub fn mentions(&self, name: &str) -> bool {
        match self {
            Filter::And(all) | Filter::Or(all) => all.iter().any(|f| f.mentions(name)),
            Filter::Not(inner) => inner.mentions(name),
            Filter::Compare { path, .. } | Filter::Present(path) | Filter::Within { path, .. } => {
                path.is(name)
            }
        }
    }

    /// The conditions that must all hold: those of an `and`, or the filter itself.
    pub fn conjuncts(&self) -> &[Filter] {
        match self {
            Filter::And(all) => all,
            other => std::slice::from_ref(other),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Result<Filter, ScimReject> {
        let mut terms = vec![self.all()?];
        while self.word("or") {
            terms.push(self.all()?);
        }
        Ok(single_or(terms, Filter::Or))
    }

    fn all(&mut self) -> Result<Filter, ScimReject> {
        let mut terms = vec![self.term()?];
        while self.word("and") {
            terms.push(self.term()?);
        }
        Ok(single_or(terms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, ScimReject> {
        self.space();
        if self.rest.starts_with('(') {
            return self.enclosed('(', ')');
        }
        let before = self.rest;
        if self.word("not") {
            self.space();
            if self.rest.starts_with('(') {
                return Ok(Filter::Not(Box::new(self.enclosed('(', ')')?)));
            }
            // An attribute may be named "not".
            self.rest = before;
        }
        let path = self.path()?;
        if self.rest.starts_with('[') {
            return Ok(Filter::Within { path, filter: Box::new(self.enclosed('[', ']')?) });
        }
        self.comparison(path)
    }

    fn enclosed(&mut self, open: char, close: char) -> Result<Filter, ScimReject> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ScimReject::filter(format!(
                "The filter has more than {DEPTH_MAX} brackets in brackets."
            )));
        }
        self.rest = self.rest.strip_prefix(open).unwrap_or(self.rest);
        let filter = self.any()?;
        self.space();
        self.rest =
            self.rest.strip_prefix(close).ok_or_else(|| self.expected(&format!("and, or, or {close}")))?;
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self, path: AttrPath) -> Result<Filter, ScimReject> {
        self.space();
        let word = self.take(|b| b.is_ascii_alphabetic());
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(operator) = Comparison::named(word) else {
            return Err(ScimReject::filter(format!(
                "{word:?} is no operator; expected eq, ne, co, sw, ew, gt, ge, lt, le or pr after {path}."
            )));
        };
        let value = self.value()?;
        if operator.needs_text_or_number() && (value.is_boolean() || value.is_null()) {
            return Err(ScimReject::filter(format!(
                "{path}: true, false and null are compared with eq or ne only."
            )));
        }
        Ok(Filter::Compare { path, operator, value })
    }

    fn path(&mut self) -> Result<AttrPath, ScimReject> {
        self.space();
        let at = self.rest;
        let text = self.take(is_path_byte);
        if text.is_empty() {
            return Err(self.expected("an attribute"));
        }
        AttrPath::parse(text).map_err(|_| {
            self.rest = at;
            self.expected("an attribute")
        })
    }

    fn value(&mut self) -> Result<Value, ScimReject> {
        self.space();
        let end = if self.rest.starts_with('"') {
            end_of_string(self.rest)
        } else {
            Some(
                self.rest
                    .find(|c: char| c.is_ascii_whitespace() || c == ')' || c == ']')
                    .unwrap_or(self.rest.len()),
            )
        };
        let split = end.and_then(|end| self.rest.split_at_checked(end));
        let Some((literal, rest)) = split else { return Err(self.expected("a closing quotation mark")) };
        let value = match literal {
            // Entra ID and others write booleans as their own languages do.
            _ if literal.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            _ if literal.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => serde_json::from_str(literal),
        };
        match value {
            Ok(value) if !value.is_array() && !value.is_object() => {
                self.rest = rest;
                Ok(value)
            }
            _ => Err(self.expected("a quoted string, a number, true, false or null")),
        }
    }

    /// Takes the word when it comes next, as a word of its own.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some((start, after)) = rest.split_at_checked(word.len()) else { return false };
        let is_whole = !after.bytes().next().is_some_and(is_path_byte);
        if start.eq_ignore_ascii_case(word) && is_whole {
            self.rest = after;
            return true;
        }
        false
    }

    fn take(&mut self, fits: impl Fn(u8) -> bool) -> &'t str {
        let end = self.rest.bytes().position(|b| !fits(b)).unwrap_or(self.rest.len());
        // Whatever fits is ASCII, so the end is a boundary of characters.
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn expected(&self, what: &str) -> ScimReject {
        let at = self.text.len() - self.rest.len();
        ScimReject::filter(format!("The filter cannot be read at byte {at}: expected {what}."))
    }
}

/// Where the string that `text` begins with ends, behind its closing quotation mark.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn single_or(mut terms: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            many(terms)
        }
        None => many(terms),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::scim::ScimType;

    /// Prints a filter with all its brackets.
    fn shape(filter: &Filter) -> String {
        let joined = |all: &[Filter], word: &str| {
            format!("({})", all.iter().map(shape).collect::<Vec<_>>().join(&format!(" {word} ")))
        };
        match filter {
            Filter::And(all) => joined(all, "and"),
            Filter::Or(all) => joined(all, "or"),
            Filter::Not(inner) => format!("not {}", shape(inner)),
            Filter::Compare { path, operator, value } => format!("{path} {operator:?} {value}"),
            Filter::Present(path) => format!("{path} pr"),
            Filter::Within { path, filter } => format!("{path}[{}]", shape(filter)),
        }
    }

    #[test]
    fn filters_are_read_as_the_grammar_says() {
        let check = |text: &str, expected: &str| assert_eq!(shape(&Filter::parse(text).unwrap()), expected);
        check(r#"userName eq "bjensen""#, r#"userName Equal "bjensen""#);
        check(r#"userName Eq "a""#, r#"userName Equal "a""#);
        check(r#"  userName  eq  "a\"b\\ \u0041 )"  "#, r#"userName Equal "a\"b\\ A )""#);
        check(r#"name.familyName co "O'Malley""#, r#"name.familyName Contains "O'Malley""#);
        check(r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#, r#"userName StartsWith "J""#);
        check("title pr", "title pr");
        check(
            r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
            r#"meta.lastModified GreaterOrEqual "2011-05-13T04:42:34Z""#,
        );
        check(r#"a pr or b pr and c pr"#, "(a pr or (b pr and c pr))");
        check(r#"(a pr or b pr) and c pr"#, "((a pr or b pr) and c pr)");
        check(r#"a pr AND NOT (b eq 1)"#, "(a pr and not b Equal 1)");
        check("not(a pr)", "not a pr");
        check("not pr", "not pr");
        check("active eq True", "active Equal true");
        check("active eq false and a pr", "(active Equal false and a pr)");
        check("a eq null", "a Equal null");
        check("a lt -1.5e3", "a Less -1500.0");
        check(
            r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"]"#,
            r#"(emails[(type Equal "work" and value Contains "@example.com")] or ims[type Equal "xmpp"])"#,
        );
        check(r#"(userName eq "a")and(active eq true)"#, r#"(userName Equal "a" and active Equal true)"#);
    }

    #[test]
    fn what_breaks_the_grammar_is_an_invalid_filter() {
        for text in [
            "",
            " ",
            "userName",
            "userName eq",
            "userName xx \"a\"",
            "userName eq a",
            "userName eq \"a",
            "userName eq \"a\" and",
            "userName eq \"a\" or or",
            "(a pr",
            "a pr)",
            "a[b pr",
            "not a pr",
            "a eq [1]",
            "a eq {}",
            "active gt true",
            "a co null",
            "a pr b pr",
            "1 eq 1",
            "ü eq 1",
            "a eq \"\\x\"",
            "()",
            "a[]",
        ] {
            let reject = Filter::parse(text).err();
            assert_eq!(reject.map(|r| r.scim_type), Some(ScimType::InvalidFilter), "{text:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(16)).is_ok());
        assert!(Filter::parse(&nested(17)).is_err());
        assert!(Filter::parse(&"(".repeat(TEXT_MAX)).is_err());
        assert!(Filter::parse(&"a pr or ".repeat(TEXT_MAX)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = Filter::parse(&text);
        }

        #[test]
        fn no_sequence_of_tokens_panics(words in prop::collection::vec(
            prop::sample::select(vec!["a", "eq", "\"x\"", "(", ")", "[", "]", "not", "and", "or", "pr", "1", "\"", "\\", ".", "urn:", " "]),
            0..40,
        )) {
            let _ = Filter::parse(&words.join(" "));
            let _ = Filter::parse(&words.concat());
        }
    }
}
