//! Why a login key is refused: numbered checks against the database, and the mistake that fits. Wire contract §2.

use super::SignIn;
use super::reject::SignInReject;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::login_key::{self, Claim, Diagnosis, Evidence, SigningKey, diagnose, explain};
use crate::secret::Secret;

/// PUIDs in other cases that an explanation tries.
const SIMILAR_MOST: u32 = 8;

/// A login key that is to be explained.
pub struct KeyClaim {
    pub group: GroupId,
    pub puid: String,
    pub text: zeroize::Zeroizing<String>,
}

/// A login key explained against the database.
pub struct KeyExplanation {
    /// Green up to the first red.
    pub checks: Vec<Check>,
    pub verdict: std::result::Result<(), SignInReject>,
    /// The integration mistake that fits, when the key itself is refused.
    pub diagnosis: Option<Diagnosis>,
}

impl KeyExplanation {
    /// What to change; "" when it was accepted.
    pub fn repair(&self) -> &'static str {
        match (&self.verdict, &self.diagnosis) {
            (Err(_), Some(diagnosis)) => diagnosis.mistake.repair(),
            (Err(reject), None) => reject.repair(),
            (Ok(()), _) => "",
        }
    }
}

impl SignIn {
    /// Explains a login key against the database: numbered checks, and the mistake that fits.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn explain_login_key(&self, claim: &KeyClaim, now: Timestamp) -> Result<KeyExplanation> {
        let (group, puid) = (claim.group, claim.puid.as_str());
        let (found, keys) = self.ground.store.read(|r| Ok((r.group(group)?, self.api_keys(r, group)?)))?;
        let (api_key, previous) = (keys.current, keys.previous);
        let mut steps = Steps::default();
        steps.add(
            "Group",
            found.is_some(),
            SignInReject::UnknownGroup,
            "a known Group ID",
            &group.to_string(),
        );
        let has_key = if api_key.is_some() { "set" } else { "not set" };
        steps.add("API key", api_key.is_some(), SignInReject::GroupWithoutApiKey, "set", has_key);
        let decoy = SigningKey::new(&[]);
        let key = api_key.as_ref().map_or(decoy, |key| SigningKey::new(key.expose()));
        let of_key = Claim { text: &claim.text, key: &key, group, puid, now: now.seconds() };
        steps.extend(explain(&of_key, steps.next_number()));
        let (member, similar) = self.ground.store.read(|r| {
            let member = r.sign_in_by_puid(group, puid, |row| {
                Ok(row
                    .and_then(|row| row.member)
                    .map(|m| (m.address.to_owned(), m.standing.admitted().map_err(SignInReject::from))))
            })?;
            Ok((member, r.similar_puids(group, puid, SIMILAR_MOST)?))
        })?;
        let got = if member.is_some() { "the same" } else { "no user has it" };
        steps.add("PUID", member.is_some(), SignInReject::UnknownPuid, "a user of the group has it", got);
        let state = member.as_ref().map_or(Ok(()), |(_, state)| state.clone());
        let got = state.as_ref().err().map_or("may sign in".to_owned(), SignInReject::to_string);
        let reject = state.clone().err().unwrap_or(SignInReject::UserInactive);
        steps.add("User", state.is_ok(), reject, "active, not suspended", &got);
        let wrong_key = matches!(steps.verdict, Err(SignInReject::LoginKey(_)));
        let evidence = api_key.as_ref().filter(|_| wrong_key).map(|api_key| Evidence {
            text: &claim.text,
            group,
            puid,
            api_key: api_key.expose(),
            previous_api_key: previous.as_ref().map(Secret::expose),
            similar_puids: &similar,
            address: member.as_ref().map(|(address, _)| address.as_str()),
        });
        Ok(KeyExplanation {
            diagnosis: evidence.and_then(|evidence| diagnose(&evidence)),
            checks: steps.checks,
            verdict: steps.verdict,
        })
    }
}

/// Checks in the making: once one has failed, the rest are skipped.
struct Steps {
    checks: Vec<Check>,
    verdict: std::result::Result<(), SignInReject>,
}

impl Default for Steps {
    fn default() -> Steps {
        Steps { checks: Vec::new(), verdict: Ok(()) }
    }
}

impl Steps {
    fn next_number(&self) -> u16 {
        u16::try_from(self.checks.len()).unwrap_or(u16::MAX).saturating_add(1)
    }

    fn add(&mut self, name: &str, passed: bool, reject: SignInReject, expected: &str, got: &str) {
        let outcome = match (&self.verdict, passed) {
            (Err(_), _) => CheckOutcome::Skipped,
            (Ok(()), true) => CheckOutcome::Passed,
            (Ok(()), false) => CheckOutcome::Failed,
        };
        let got = if outcome == CheckOutcome::Skipped { "" } else { got };
        self.checks.push(Check {
            number: self.next_number(),
            name: name.to_owned(),
            clause: login_key::CLAUSE.to_owned(),
            outcome,
            expected: expected.to_owned(),
            got: got.to_owned(),
        });
        if outcome == CheckOutcome::Failed {
            self.verdict = Err(reject);
        }
    }

    /// Appends the checks of the login key itself.
    fn extend(&mut self, explanation: login_key::Explanation) {
        let reached = self.verdict.is_ok();
        self.checks.extend(explanation.checks.into_iter().map(|check| {
            if reached {
                check
            } else {
                Check { outcome: CheckOutcome::Skipped, got: String::new(), ..check }
            }
        }));
        if reached {
            self.verdict = explanation.verdict.map_err(SignInReject::LoginKey);
        }
    }
}
