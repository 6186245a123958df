//! What a password must keep to. Wire contract §4.2, and §9, "Portal > Settings > Security".

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Most characters of a password. Wire contract §4.2.
pub const PASSWORD_MAX: usize = 49;
/// What an operator's password must keep to: length, the one rule that helps.
pub const OPERATOR_PASSWORD_RULE: PasswordRule = PasswordRule::Nine;

/// One of the eight choices of minimum complexity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRule {
    /// Six characters: not secure.
    Six,
    /// Seven, with an upper-case letter, a lower-case letter and a digit.
    SevenMixed,
    Eight,
    EightMixed,
    /// Eight, one of them neither letter nor digit.
    EightSymbol,
    Nine,
    NineMixed,
    NineSymbol,
}

#[derive(PartialEq, Eq)]
enum Needs {
    Length,
    Mixed,
    Symbol,
}

impl PasswordRule {
    pub const ALL: [PasswordRule; 8] = [
        PasswordRule::Six,
        PasswordRule::SevenMixed,
        PasswordRule::Eight,
        PasswordRule::EightMixed,
        PasswordRule::EightSymbol,
        PasswordRule::Nine,
        PasswordRule::NineMixed,
        PasswordRule::NineSymbol,
    ];

    /// The stable name, as stored and as the command line takes it.
    pub fn name(self) -> &'static str {
        match self {
            PasswordRule::Six => "six",
            PasswordRule::SevenMixed => "seven-mixed",
            PasswordRule::Eight => "eight",
            PasswordRule::EightMixed => "eight-mixed",
            PasswordRule::EightSymbol => "eight-symbol",
            PasswordRule::Nine => "nine",
            PasswordRule::NineMixed => "nine-mixed",
            PasswordRule::NineSymbol => "nine-symbol",
        }
    }

    /// Finds a rule by its name.
    pub fn named(name: &str) -> Option<PasswordRule> {
        PasswordRule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// For people: "8 characters, with an upper-case letter, a lower-case letter and a digit".
    pub fn sentence(self) -> String {
        let (least, needs) = self.demands();
        let more = match needs {
            Needs::Length if self == PasswordRule::Six => " (not secure)",
            Needs::Length => "",
            Needs::Mixed => ", with an upper-case letter, a lower-case letter and a digit",
            Needs::Symbol => ", with one that is neither letter nor digit",
        };
        format!("{least} characters{more}")
    }

    fn demands(self) -> (usize, Needs) {
        match self {
            PasswordRule::Six => (6, Needs::Length),
            PasswordRule::SevenMixed => (7, Needs::Mixed),
            PasswordRule::Eight => (8, Needs::Length),
            PasswordRule::EightMixed => (8, Needs::Mixed),
            PasswordRule::EightSymbol => (8, Needs::Symbol),
            PasswordRule::Nine => (9, Needs::Length),
            PasswordRule::NineMixed => (9, Needs::Mixed),
            PasswordRule::NineSymbol => (9, Needs::Symbol),
        }
    }

    /// Passes a password that keeps the rule and is at most [`PASSWORD_MAX`] characters long.
    ///
    /// # Errors
    /// `Invalid` for the field `password`: `password_too_long`, `password_too_short`,
    /// `password_needs_mixed`, `password_needs_symbol`, `password_malformed`.
    pub fn check(self, password: &Secret) -> Result<()> {
        let refused = |code, public: String| Err(Error::invalid(code, "password", public));
        let Some(text) = password.expose_text() else {
            return refused("password_malformed", "The password is not UTF-8 text.".into());
        };
        let length = text.chars().count();
        let (least, needs) = self.demands();
        if length > PASSWORD_MAX {
            let public = format!("The password has {length} characters; at most {PASSWORD_MAX} are allowed.");
            return refused("password_too_long", public);
        }
        if length < least {
            let public = format!("The password has {length} characters; at least {least} are asked for.");
            return refused("password_too_short", public);
        }
        if text.chars().any(char::is_control) {
            return refused("password_malformed", "The password has a control character in it.".into());
        }
        let has = |wanted: fn(char) -> bool| text.chars().any(wanted);
        let mixed = has(char::is_uppercase) && has(char::is_lowercase) && has(char::is_numeric);
        if needs == Needs::Mixed && !mixed {
            let public = "The password needs an upper-case letter, a lower-case letter and a digit.";
            return refused("password_needs_mixed", public.into());
        }
        if needs == Needs::Symbol && !has(|c| !c.is_alphanumeric()) {
            let public = "The password needs a character that is neither letter nor digit.";
            return refused("password_needs_symbol", public.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_accepts_and_refuses_as_its_name_says() {
        let check = |rule: PasswordRule, password: &str, expected: Option<&str>| {
            let code = rule.check(&Secret::new(password)).err().map(|e| e.code);
            assert_eq!(code, expected, "{} {password:?}", rule.name());
        };
        use PasswordRule::*;
        check(Six, "sixsix", None);
        check(Six, "fives", Some("password_too_short"));
        check(SevenMixed, "Seven77", None);
        check(SevenMixed, "seven77", Some("password_needs_mixed"));
        check(SevenMixed, "Seve77", Some("password_too_short"));
        check(Eight, "eighteig", None);
        check(Eight, "sevense", Some("password_too_short"));
        check(EightMixed, "Eight888", None);
        check(EightMixed, "EIGHT888", Some("password_needs_mixed"));
        check(EightSymbol, "eight-88", None);
        check(EightSymbol, "eight888", Some("password_needs_symbol"));
        check(Nine, "nineninen", None);
        check(Nine, "ninenine", Some("password_too_short"));
        check(NineMixed, "Nine99999", None);
        check(NineMixed, "Ninenines", Some("password_needs_mixed"));
        check(NineSymbol, "nine 9999", None);
        check(NineSymbol, "nine99999", Some("password_needs_symbol"));
        check(Six, &"a".repeat(49), None);
        check(Six, &"a".repeat(50), Some("password_too_long"));
        check(Six, "pass\u{0}word", Some("password_malformed"));
    }

    #[test]
    fn rules_are_found_by_the_name_they_are_stored_under() {
        for rule in PasswordRule::ALL {
            assert_eq!(PasswordRule::named(rule.name()), Some(rule));
        }
        assert_eq!(PasswordRule::named("ten"), None);
    }
}
