//! The claim: how the first operator comes to an appliance that nobody runs yet.
//!
//! At each start without operators a fresh one-time token is made and printed on the host; only its
//! fingerprint is kept. Anyone who opens the link with it names the first operator.

use crate::desk::appliance::Appliance;
use crate::desk::appliance::console_sessions::SIGN_IN;
use crate::desk::appliance::operators;
use crate::desk::ground::fields;
use crate::desk::ground::password_rule::OPERATOR_PASSWORD_RULE;
use crate::desk::ground::passwords;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, LogEntry};
use crate::secret::{Secret, random_token};
use crate::store::NewConsoleHolder;

impl Appliance {
    /// Makes a claim token when nobody runs the appliance; it replaces the one before it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new_claim(&self) -> Result<Option<String>> {
        if !self.ground.store.read(|r| r.operators())?.is_empty() {
            return Ok(None);
        }
        self.open_claim()
    }

    /// Makes a claim token after it was found that nobody runs the appliance.
    pub(in crate::desk) fn open_claim(&self) -> Result<Option<String>> {
        let token = random_token::<24>()?;
        let fingerprint = self.ground.keys.fingerprint_of(token.as_bytes());
        self.ground.store.write(self.ground.clock.now(), move |w| {
            // Asked again inside the transaction: an operator may have been made on the host since.
            if !w.operators()?.is_empty() {
                return Ok(None);
            }
            w.set_claim_fingerprint(Some(fingerprint))?;
            Ok(Some(token))
        })
    }

    /// Whether nobody runs the appliance yet: a claim link is outstanding.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn is_unclaimed(&self) -> Result<bool> {
        Ok(self.ground.store.read(|r| r.claim_fingerprint())?.is_some())
    }

    /// Whether this token of a claim link is the outstanding one.
    ///
    /// # Errors
    /// Those of the store.
    pub fn claim_is_open(&self, token: &str) -> Result<bool> {
        let kept = self.ground.store.read(|r| r.claim_fingerprint())?;
        Ok(kept.is_some_and(|kept| self.fits_claim(token, &kept)))
    }

    fn fits_claim(&self, token: &str, kept: &[u8]) -> bool {
        // Fingerprints are keyed: comparing them tells nothing about the token.
        self.ground.keys.fingerprint_of(token.as_bytes()).as_slice() == kept
    }

    /// Makes the first operator, closes the claim, and signs the operator in.
    ///
    /// # Errors
    /// `Denied` with code `claim_closed` when the link was used or is not the newest; `Invalid` for a name
    /// or password that breaks its rule.
    pub fn claim(&self, caller: &Caller, token: &str, name: &str, password: &Secret) -> Result<String> {
        let closed = || {
            let public = "This link is no longer valid: it was used, or the server was restarted. Sign in, or use the latest link that the server printed.";
            Error::new(Kind::Denied, "claim_closed", public)
        };
        if !self.claim_is_open(token)? {
            return self.ground.logging_refusal(caller, None, "appliance.claim", "", Err(closed()));
        }
        let name = fields::title(name)?;
        OPERATOR_PASSWORD_RULE.check(password)?;
        let hash = passwords::hash(password)?;
        let expected = self.ground.keys.fingerprint_of(token.as_bytes());
        let (who, claimed) = (caller.clone(), name.clone());
        let operator = self.ground.store.write(self.ground.clock.now(), move |w| {
            // Asked again inside the transaction: of two who hold the link, one comes first.
            if w.claim_fingerprint()?.as_deref() != Some(expected.as_slice()) {
                return Err(closed());
            }
            w.log(&LogEntry::done(&who, None, "appliance.claim", &claimed, ""))?;
            operators::created(w, &who, &claimed, &hash)
        })?;
        self.new_console_session(caller, &name, NewConsoleHolder::Operator(operator.id), None, SIGN_IN)
    }
}
