//! A login key explained: numbered checks, green up to the first red.
//!
//! The same rules as [`super::verify`], one line each, with what was expected and what came. What needs
//! the database (does the group exist, who has the PUID, may they sign in) is added by the one who asked it.

use super::{
    CAP_GRACE, EXPIRY_DIGITS, Flaw, LENGTH, LONGEST_LIFE, LoginKeyReject, SIGNATURE_LENGTH, SigningKey,
    VERSION,
};
use super::{check_life, check_signature, parse};
use crate::model::GroupId;
use crate::protocol::check::{Check, CheckOutcome};

/// Where it is written what a login key must keep to, for the one who reads the checks.
pub const CLAUSE: &str = "docs/compatibility.md, Login keys";

/// What is claimed, and under which key it is checked.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The login key as it came.
    pub text: &'a str,
    pub key: &'a SigningKey,
    pub group: GroupId,
    pub puid: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
}

/// What became of each rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Passed up to the first that failed; skipped after it.
    pub checks: Vec<Check>,
    /// As [`super::verify`] gives it.
    pub verdict: Result<(), LoginKeyReject>,
}

/// Checks a login key as [`super::verify`] does, and tells each step. Numbers begin at `first_number`.
pub fn explain(claim: &Claim<'_>, first_number: u16) -> Explanation {
    let mut list = List { checks: Vec::new(), next: first_number, verdict: Ok(()) };
    let parsed = parse(claim.text);
    let form = match parsed {
        Err(reject @ (LoginKeyReject::Malformed(_) | LoginKeyReject::PreviousFormat)) => Err(reject),
        _ => Ok(()),
    };
    let (expected, got) = form_of(claim.text, form.err());
    list.add("Form", form, expected, got);
    list.add(
        "Version",
        parsed.map(|_| ()),
        VERSION.to_owned(),
        claim.text.split('$').nth(1).unwrap_or_default().chars().take(EXPIRY_DIGITS).collect(),
    );
    let (life, expiry) = match &parsed {
        Ok(parsed) => (check_life(parsed.expiry, claim.now), parsed.expiry.to_string()),
        Err(reject) => (Err(*reject), String::new()),
    };
    let not_expired = match life {
        Err(reject @ LoginKeyReject::Expired { .. }) => Err(reject),
        _ => Ok(()),
    };
    list.add("Not expired", not_expired, format!("after {}", claim.now), expiry.clone());
    list.add(
        "Not too far ahead",
        life,
        format!("at most {}", claim.now.saturating_add(LONGEST_LIFE + CAP_GRACE)),
        expiry,
    );
    let signature =
        parsed.and_then(|parsed| check_signature(&parsed, claim.key, &claim.group.to_string(), claim.puid));
    list.add(
        "Signature",
        signature,
        "HMAC-SHA256 under the API key over Group ID, PUID, 1, expiry".to_owned(),
        if signature.is_ok() { "the same".to_owned() } else { "another".to_owned() },
    );
    Explanation { checks: list.checks, verdict: list.verdict }
}

struct List {
    checks: Vec<Check>,
    next: u16,
    verdict: Result<(), LoginKeyReject>,
}

impl List {
    /// Adds a line; once one has failed, the rest were not reached.
    fn add(&mut self, name: &str, result: Result<(), LoginKeyReject>, expected: String, got: String) {
        let outcome = match (self.verdict, result) {
            (Err(_), _) => CheckOutcome::Skipped,
            (Ok(()), Ok(())) => CheckOutcome::Passed,
            (Ok(()), Err(_)) => CheckOutcome::Failed,
        };
        let got = if outcome == CheckOutcome::Skipped { String::new() } else { got };
        self.checks.push(Check {
            number: self.next,
            name: name.to_owned(),
            clause: CLAUSE.to_owned(),
            outcome,
            expected,
            got,
        });
        self.next = self.next.saturating_add(1);
        self.verdict = self.verdict.and(result);
    }
}

/// What the form should be and what came, without repeating the key: while valid, it is as good as a password. Where
/// one part is wrong, only of that part.
fn form_of(text: &str, reject: Option<LoginKeyReject>) -> (String, String) {
    let part = |number: usize| text.split('$').nth(number).unwrap_or_default();
    match reject {
        Some(LoginKeyReject::Malformed(Flaw::Expiry)) => {
            let length = part(2).chars().count();
            let digits = part(2).bytes().filter(u8::is_ascii_digit).count();
            (
                format!("an expiry of {EXPIRY_DIGITS} digits"),
                format!("an expiry of {length} characters, {digits} of them digits"),
            )
        }
        Some(LoginKeyReject::Malformed(Flaw::Signature)) => {
            let expected = "a signature of 43 characters of base64url (A-Z a-z 0-9 - _) that make 32 bytes";
            (expected.to_owned(), signature_flaw(part(3)))
        }
        _ => {
            let dollars = text.matches('$').count();
            let start = if text.starts_with('$') { "a leading dollar" } else { "no leading dollar" };
            (
                format!("{LENGTH} characters, $1$expiry$signature"),
                format!("{} characters, {start}, {dollars} dollars", text.chars().count()),
            )
        }
    }
}

fn signature_flaw(signature: &str) -> String {
    let length = signature.chars().count();
    let foreign = signature.chars().position(|c| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    match foreign {
        Some(place) => format!("{length} characters, and number {} is none of these", place + 1),
        None if length != SIGNATURE_LENGTH => format!("{length} characters"),
        // 43 characters have two bits more than 32 bytes: those of the last one must be zero.
        None => "43 characters whose last one no signature ends in: it was changed or mistyped".to_owned(),
    }
}
