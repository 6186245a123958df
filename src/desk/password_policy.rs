//! A group's password rules. Wire contract §9, "Portal > Settings > Security".
//!
//! Enforced when a password is created or changed, and never on session keys, login keys or API keys.

use super::operators::OPERATOR_PASSWORD_RULE;
use super::{Desk, permission};
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId, LogEntry, User};
use crate::secret::Secret;
use crate::store::{PasswordPolicyRow, Reader};

/// Most characters of a password. Wire contract §4.2.
pub const PASSWORD_MAX: usize = 49;
/// Most characters of the message beside a password reset.
pub const RESET_MESSAGE_MAX: usize = 1_000;

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

/// What a group asks of passwords and allows when one is reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    pub rule: PasswordRule,
    /// Shown beside a password reset; may be empty.
    pub reset_message: String,
    /// A reset must bring another password than the present one.
    pub reset_requires_new: bool,
    /// Users without a password may make one by a reset.
    pub reset_may_create: bool,
}

/// Eight characters, as the oldest page of the provisioning API asks (wire contract §4.2).
impl Default for PasswordPolicy {
    fn default() -> PasswordPolicy {
        PasswordPolicy {
            rule: PasswordRule::Eight,
            reset_message: String::new(),
            reset_requires_new: false,
            reset_may_create: false,
        }
    }
}

/// Reads a group's policy.
///
/// # Errors
/// `Fault` when the database fails.
pub fn policy_of(reader: &Reader<'_>, group: GroupId) -> Result<PasswordPolicy> {
    let Some(row) = reader.password_policy(group)? else { return Ok(PasswordPolicy::default()) };
    let rule = PasswordRule::named(&row.rule)
        .ok_or_else(|| Error::fault("password_rule_unknown", format!("stored rule {:?}", row.rule)))?;
    Ok(PasswordPolicy {
        rule,
        reset_message: row.reset_message,
        reset_requires_new: row.reset_requires_new,
        reset_may_create: row.reset_may_create,
    })
}

/// Reads the policy that a person's password must keep: the home group's, through whichever group somebody
/// comes to it. What is shown and what is enforced are both asked of this.
///
/// # Errors
/// As [`policy_of`].
pub fn policy_of_person(reader: &Reader<'_>, user: &User) -> Result<PasswordPolicy> {
    policy_of(reader, user.home_group)
}

impl Desk {
    /// Reads what is asked of a person's password, for whoever may set it.
    ///
    /// # Errors
    /// `Denied` with `home_group_only` unless the caller may change the person.
    pub fn password_rule_of(&self, caller: &Caller, user: &User) -> Result<PasswordRule> {
        permission::change_person(caller, user)?;
        self.store.read(|r| policy_of_person(r, user)).map(|policy| policy.rule)
    }

    /// Reads what is asked of the caller's own password. Users may know it also when their home is a group that
    /// they do not administer.
    ///
    /// # Errors
    /// `Unauthenticated` when nobody is signed in, or they are not there any more.
    pub fn own_password_rule(&self, caller: &Caller) -> Result<PasswordRule> {
        let nobody = || Error::new(Kind::Unauthenticated, "not_signed_in", "Sign in first.");
        match caller.actor {
            Actor::Operator { .. } => Ok(OPERATOR_PASSWORD_RULE),
            Actor::User { id, .. } => self.store.read(|r| {
                let user = r.user(id)?.ok_or_else(nobody)?;
                policy_of_person(r, &user).map(|policy| policy.rule)
            }),
            _ => Err(nobody()),
        }
    }

    /// Reads what a group asks of passwords.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn password_policy(&self, caller: &Caller, group: GroupId) -> Result<PasswordPolicy> {
        permission::administer(caller, group)?;
        self.store.read(|r| policy_of(r, group))
    }

    /// Changes what a group asks of passwords; present passwords stay.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `Invalid` for a message that is too long; `NotFound`
    /// when there is no such group.
    pub fn set_password_policy(&self, caller: &Caller, group: GroupId, policy: PasswordPolicy) -> Result<()> {
        let operation = "group.password-policy";
        let attempt = || {
            permission::administer(caller, group)?;
            if policy.reset_message.chars().count() > RESET_MESSAGE_MAX {
                let public = format!("The message has more than {RESET_MESSAGE_MAX} characters.");
                return Err(Error::invalid("reset_message_too_long", "reset_message", public));
            }
            let caller = caller.clone();
            self.store.write(self.clock.now(), move |w| {
                super::groups::known(w, group)?;
                let before = policy_of(w, group)?;
                if before == policy {
                    return Ok(());
                }
                w.set_password_policy(
                    group,
                    &PasswordPolicyRow {
                        rule: policy.rule.name().to_owned(),
                        reset_message: policy.reset_message,
                        reset_requires_new: policy.reset_requires_new,
                        reset_may_create: policy.reset_may_create,
                    },
                )?;
                let detail = format!(
                    "rule {}; a reset {} a new password; users without one {} create it",
                    policy.rule.name(),
                    if policy.reset_requires_new { "requires" } else { "does not require" },
                    if policy.reset_may_create { "may" } else { "may not" },
                );
                w.log(&LogEntry::done(&caller, Some(group), operation, group.to_string(), detail))
            })
        };
        self.logging_refusal(caller, Some(group), operation, &group.to_string(), attempt())
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
