//! The sheet that the verdict is written on, line by line.
//!
//! Each rule is one function, used alike by the fast verdict and by the explanation. It answers with
//! [`Pass`] or [`Fail`], which only borrow what they saw; text is made of it where somebody reads it: for
//! the first reject, and for every line of an explanation. The first failure decides; without an
//! explanation to write, it also ends the work.

use std::fmt::{self, Write};

use super::reject::{RejectCode, SamlReject};
use super::rule::Rule;
use super::time::format_instant;
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::xml::Certificate;

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

impl Fail<'_> {
    /// In which way it is broken.
    pub fn code(&self) -> RejectCode {
        self.code
    }
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

/// The verdict has its first failure, and no more is asked for: stop.
pub(super) struct Stop;

/// What was noted so far. A line costs next to nothing until somebody reads it: most responses are accepted, and
/// nobody looks at their checks.
pub(super) struct Sheet {
    lines: Lines,
    reject: Option<SamlReject>,
    /// Whether the first failure ends the work.
    stops: bool,
    /// The certificate that came with a signature that did not hold.
    pub presented: Option<Certificate>,
}

/// The lines of a sheet, not yet written out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    lines: Vec<Line>,
    /// The words of all lines, one behind the other.
    words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    rule: Rule,
    outcome: CheckOutcome,
    expected: Kept,
    got: Kept,
}

/// A [`Value`] that outlives the document: times are written out when somebody reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// From where to where in [`Lines::words`].
    Words(usize, usize),
    At(i64),
    Before(i64),
    From(i64),
}

impl Sheet {
    /// A sheet for the verdict alone: the first failure ends the work.
    pub fn for_verdict() -> Self {
        Self { lines: Lines::default(), reject: None, stops: true, presented: None }
    }

    /// A sheet on which every rule gets a line.
    pub fn for_explanation() -> Self {
        let lines = Lines { lines: Vec::with_capacity(Rule::ALL.len()), words: String::with_capacity(4096) };
        Self { lines, reject: None, stops: false, presented: None }
    }

    /// Notes what a rule answered; gives back what it learned if it was kept.
    ///
    /// # Errors
    /// [`Stop`] if the rule was broken and no explanation is written.
    pub fn note<T>(&mut self, rule: Rule, judged: Judged<'_, T>) -> Result<Option<T>, Stop> {
        match judged {
            Ok(Pass { value, expected, got }) => {
                self.line(rule, CheckOutcome::Passed, &expected, &got);
                Ok(Some(value))
            }
            Err(Fail { code, expected, got }) => {
                self.line(rule, CheckOutcome::Failed, &expected, &got);
                if self.reject.is_none() {
                    let (expected, got) = (expected.to_string(), got.to_string());
                    self.reject = Some(SamlReject { code, rule, expected, got });
                }
                if self.stops { Err(Stop) } else { Ok(None) }
            }
        }
    }

    /// Notes that a rule has nothing to judge: what it is about is not there, and need not be.
    pub fn not_needed(&mut self, rule: Rule, why: &str) {
        self.line(rule, CheckOutcome::Skipped, &Value::Nothing, &Value::Text(why));
    }

    fn line(&mut self, rule: Rule, outcome: CheckOutcome, expected: &Value<'_>, got: &Value<'_>) {
        if !self.stops {
            let (expected, got) = (self.lines.keep(expected), self.lines.keep(got));
            self.lines.lines.push(Line { rule, outcome, expected, got });
        }
    }

    /// Whether the work goes on after a failure, for those who want to know more.
    pub fn goes_on(&self) -> bool {
        !self.stops
    }

    /// The first failure, every line, and the certificate that came with a signature that did not hold.
    pub fn finish(self) -> (Option<SamlReject>, Lines, Option<Certificate>) {
        (self.reject, self.lines, self.presented)
    }
}

impl Lines {
    fn keep(&mut self, value: &Value<'_>) -> Kept {
        let start = self.words.len();
        match value {
            Value::At(instant) => return Kept::At(*instant),
            Value::Before(instant) => return Kept::Before(*instant),
            Value::From(instant) => return Kept::From(*instant),
            Value::Text(text) if text.len() <= MAX_SHOWN => self.words.push_str(text),
            // Writing into a string cannot fail.
            other => drop(write!(self.words, "{other}")),
        }
        Kept::Words(start, self.words.len())
    }

    fn written(&self, kept: Kept) -> String {
        match kept {
            Kept::Words(start, end) => self.words.get(start..end).unwrap_or_default().to_owned(),
            Kept::At(instant) => Value::At(instant).to_string(),
            Kept::Before(instant) => Value::Before(instant).to_string(),
            Kept::From(instant) => Value::From(instant).to_string(),
        }
    }

    /// One check for each [`Rule`], in order; rules that nothing was noted for could not be judged.
    pub fn checks(&self) -> Vec<Check> {
        let check = |rule: &Rule| {
            let line = self.lines.iter().find(|line| line.rule == *rule);
            let (outcome, expected, got) = match line {
                Some(line) => (line.outcome, self.written(line.expected), self.written(line.got)),
                None => {
                    let why = "not judged: an earlier check failed";
                    (CheckOutcome::Skipped, Value::Nothing.to_string(), why.to_owned())
                }
            };
            let (number, name, clause) = (rule.number(), rule.name().to_owned(), rule.clause().to_owned());
            Check { number, name, clause, outcome, expected, got }
        };
        Rule::ALL.iter().map(check).collect()
    }
}
