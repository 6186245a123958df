//! Operators: those who run the appliance. There is always one left, once there was one.

use crate::desk::appliance::Appliance;
use crate::desk::ground::fields;
use crate::desk::ground::guard::Account;
use crate::desk::ground::let_in::let_in;
use crate::desk::ground::password_rule::OPERATOR_PASSWORD_RULE;
use crate::desk::ground::passwords;
use crate::desk::ground::permission;
use crate::error::{Error, Kind, Result};
use crate::model::{Caller, LogEntry, Operator};
use crate::secret::Secret;
use crate::store::{Reader, Writer};

impl Appliance {
    /// Lists the operators by name. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`.
    pub fn operators(&self, caller: &Caller) -> Result<Vec<Operator>> {
        permission::run_appliance(caller)?;
        self.ground.store.read(|r| r.operators())
    }

    /// Makes an operator. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `Invalid` for a name or password that breaks its rule; `Conflict`
    /// with `operator_exists`.
    pub fn create_operator(&self, caller: &Caller, name: &str, password: &Secret) -> Result<Operator> {
        let operation = "operator.create";
        let attempt = || {
            permission::run_appliance(caller)?;
            let name = fields::title(name)?;
            OPERATOR_PASSWORD_RULE.check(password)?;
            let hash = passwords::hash(password)?;
            let caller = caller.clone();
            self.ground.store.write(self.ground.clock.now(), move |w| created(w, &caller, &name, &hash))
        };
        self.ground.logging_refusal(caller, None, operation, name, attempt())
    }

    /// Sets an operator's password, lets them in again, and ends their sessions. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `Invalid` for a password that breaks its rule; `NotFound` with
    /// `operator_unknown`.
    pub fn set_operator_password(&self, caller: &Caller, name: &str, password: &Secret) -> Result<()> {
        let operation = "operator.password";
        let attempt = || {
            permission::run_appliance(caller)?;
            OPERATOR_PASSWORD_RULE.check(password)?;
            let hash = passwords::hash(password)?;
            let (caller, named) = (caller.clone(), name.to_owned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let operator = known(w, &named)?;
                w.set_operator_password_hash(operator.id, &hash)?;
                let_in(w, Account::Password(&operator.name))?;
                w.log(&LogEntry::done(&caller, None, operation, operator.name, ""))
            })?;
            self.ground.hear_who_was_let_in()
        };
        self.ground.logging_refusal(caller, None, operation, name, attempt())
    }

    /// Lets an operator in again whom too many failures keep out. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `NotFound` with `operator_unknown`.
    pub fn clear_operator_lockout(&self, caller: &Caller, name: &str) -> Result<()> {
        let operation = "operator.clear-lockout";
        let attempt = || {
            permission::run_appliance(caller)?;
            let (caller, named) = (caller.clone(), name.to_owned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let operator = known(w, &named)?;
                w.clear_operator_lockout(operator.id)?;
                let_in(w, Account::Password(&operator.name))?;
                w.log(&LogEntry::done(&caller, None, operation, operator.name, ""))
            })?;
            self.ground.hear_who_was_let_in()
        };
        self.ground.logging_refusal(caller, None, operation, name, attempt())
    }

    /// Deletes an operator, and ends their sessions. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `NotFound` with `operator_unknown`; `Conflict` with `last_operator`.
    pub fn delete_operator(&self, caller: &Caller, name: &str) -> Result<()> {
        let operation = "operator.delete";
        let attempt = || {
            permission::run_appliance(caller)?;
            let (caller, name) = (caller.clone(), name.to_owned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let operator = known(w, &name)?;
                if w.operators()?.len() == 1 {
                    let public = "This is the last operator. Make another one first.";
                    return Err(Error::new(Kind::Conflict, "last_operator", public));
                }
                w.delete_operator(operator.id)?;
                w.log(&LogEntry::done(&caller, None, operation, operator.name, ""))
            })
        };
        self.ground.logging_refusal(caller, None, operation, name, attempt())
    }
}

/// Makes an operator inside a transaction; the claim of a new appliance does it too. No claim link is open
/// after it.
///
/// # Errors
/// `Conflict` with `operator_exists`.
pub fn created(w: &Writer<'_>, caller: &Caller, name: &str, hash: &str) -> Result<Operator> {
    w.insert_operator(name, hash)?;
    w.set_claim_fingerprint(None)?;
    w.log(&LogEntry::done(caller, None, "operator.create", name, ""))?;
    known(w, name)
}

fn known(reader: &Reader<'_>, name: &str) -> Result<Operator> {
    let unknown = || Error::not_found("operator_unknown", "There is no operator of this name.");
    reader.operator_by_name(name.trim())?.ok_or_else(unknown)
}
