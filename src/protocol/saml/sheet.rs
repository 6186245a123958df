//! The sheet that the verdict is written on, line by line.
//!
//! Each rule is one function, used alike by the fast verdict and by the explanation. It answers with
//! [`Pass`] or [`Fail`], which only borrow what they saw; text is made of it where somebody reads it: for
//! the first reject, and for every line of an explanation. The first failure decides; without an
//! explanation to write, it also ends the work.

use std::fmt;

use super::reject::{Reject, RejectCode};
use super::rule::Rule;
use super::time::format_instant;
use crate::protocol::check::{Check, Outcome};

/// Longer values are cut in explanations; the response can be kilobytes of one attribute.
const MAX_SHOWN: usize = 240;

/// What a rule answers.
pub(super) type Judged<'a, T> = Result<Pass<'a, T>, Fail<'a>>;

/// The rule is kept, and what was learned on the way.
pub(super) struct Pass<'a, T> {
    pub value: T,
    expected: Value<'a>,
    got: Value<'a>,
}

/// The rule is broken.
pub(super) struct Fail<'a> {
    code: RejectCode,
    expected: Value<'a>,
    got: Value<'a>,
}

/// Answers that the rule is kept.
pub(super) fn pass<'a, T>(
    value: T,
    expected: impl Into<Value<'a>>,
    got: impl Into<Value<'a>>,
) -> Judged<'a, T> {
    Ok(Pass { value, expected: expected.into(), got: got.into() })
}

/// Answers that the rule is broken.
pub(super) fn fail<'a, T>(
    code: RejectCode,
    expected: impl Into<Value<'a>>,
    got: impl Into<Value<'a>>,
) -> Judged<'a, T> {
    Err(Fail { code, expected: expected.into(), got: got.into() })
}

/// Something expected or seen, not yet written out.
#[derive(Clone)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Owned(String),
    OneOf(&'a [String]),
    Count(usize),
    At(i64),
    /// Any time before this, exclusive.
    Before(i64),
    /// Any time after this, inclusive.
    From(i64),
    Nothing,
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&shorten(text)),
            Self::Owned(text) => f.write_str(&shorten(text)),
            Self::OneOf([]) => f.write_str("nothing"),
            Self::OneOf([only]) => f.write_str(&shorten(only)),
            Self::OneOf(several) => write!(f, "one of {}", shorten(&several.join(", "))),
            Self::Count(count) => write!(f, "{count}"),
            Self::At(instant) => f.write_str(&format_instant(*instant)),
            Self::Before(instant) => write!(f, "before {}", format_instant(*instant)),
            Self::From(instant) => write!(f, "later than {}", format_instant(*instant)),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }
}

impl<'a> From<std::borrow::Cow<'a, str>> for Value<'a> {
    fn from(text: std::borrow::Cow<'a, str>) -> Self {
        match text {
            std::borrow::Cow::Borrowed(text) => Self::Text(text),
            std::borrow::Cow::Owned(text) => Self::Owned(text),
        }
    }
}

impl<'a> From<&'a [String]> for Value<'a> {
    fn from(several: &'a [String]) -> Self {
        Self::OneOf(several)
    }
}

/// The fast verdict has its first failure: stop.
pub(super) struct Stop;

/// The lines so far.
pub(super) struct Sheet {
    /// `None` where only the verdict is asked for.
    checks: Option<Vec<Check>>,
    reject: Option<Reject>,
}

impl Sheet {
    /// A sheet for the verdict alone.
    pub fn for_verdict() -> Self {
        Self { checks: None, reject: None }
    }

    /// A sheet on which every rule gets a line.
    pub fn for_explanation() -> Self {
        Self { checks: Some(Vec::with_capacity(Rule::ALL.len())), reject: None }
    }

    /// Notes what a rule answered; gives back what it learned if it was kept.
    ///
    /// # Errors
    /// [`Stop`] if the rule was broken and no explanation is written.
    pub fn note<T>(&mut self, rule: Rule, judged: Judged<'_, T>) -> Result<Option<T>, Stop> {
        match judged {
            Ok(Pass { value, expected, got }) => {
                self.line(rule, Outcome::Passed, &expected, &got);
                Ok(Some(value))
            }
            Err(Fail { code, expected, got }) => {
                self.line(rule, Outcome::Failed, &expected, &got);
                if self.reject.is_none() {
                    let (expected, got) = (expected.to_string(), got.to_string());
                    self.reject = Some(Reject { code, rule, expected, got });
                }
                if self.checks.is_some() { Ok(None) } else { Err(Stop) }
            }
        }
    }

    /// Notes that a rule has nothing to judge: what it is about is not there, and need not be.
    pub fn not_needed(&mut self, rule: Rule, why: &str) {
        self.line(rule, Outcome::Skipped, &Value::Nothing, &Value::Text(why));
    }

    fn line(&mut self, rule: Rule, outcome: Outcome, expected: &Value<'_>, got: &Value<'_>) {
        if let Some(checks) = &mut self.checks {
            checks.push(Check {
                number: rule.number(),
                name: rule.name().to_owned(),
                clause: rule.clause().to_owned(),
                outcome,
                expected: expected.to_string(),
                got: got.to_string(),
            });
        }
    }

    /// The first failure, and every line; rules that nothing was noted for could not be judged.
    pub fn finish(mut self) -> (Option<Reject>, Vec<Check>) {
        let noted: Vec<u16> = self.checks.iter().flatten().map(|check| check.number).collect();
        for rule in Rule::ALL.iter().filter(|rule| !noted.contains(&rule.number())) {
            self.not_needed(*rule, "not judged: an earlier check failed");
        }
        let mut checks = self.checks.unwrap_or_default();
        checks.sort_by_key(|check| check.number);
        (self.reject, checks)
    }
}
