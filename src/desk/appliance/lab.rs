//! What only a lab may do.

use crate::desk::appliance::Appliance;
use crate::desk::appliance::console_sessions::SIGN_IN;
use crate::desk::appliance::operators;
use crate::desk::ground::passwords;
use crate::error::{Error, Result};
use crate::model::Mode;
use crate::model::{Caller, GroupId, LogEntry};
use crate::secret::{Secret, random_token};
use crate::store::NewConsoleHolder;

/// The operator of a lab that nobody claimed.
pub const LAB_OPERATOR: &str = "Lab";

/// The group of the demo seed.
const DEMO_GROUP: GroupId = GroupId(12345);

impl Appliance {
    /// Lets only a lab pass.
    ///
    /// # Errors
    /// `NotFound` in production: there, the lab's paths do not exist.
    pub fn only_in_lab(&self) -> Result<()> {
        match self.ground.mode {
            Mode::Lab => Ok(()),
            Mode::Production => Err(Error::not_found("no_such_path", "There is nothing at this address.")),
        }
    }

    /// In the lab, what its clock says, for the banner of each page: `2020-07-05 00:00:00`.
    pub fn lab_clock(&self) -> Option<String> {
        self.only_in_lab().ok()?;
        let now = self.ground.clock.now().to_string();
        now.get(..19).map(|shown| shown.replace('T', " "))
    }

    /// Whether this is a lab with the demo group of `static/demo.toml`, whose secrets are published.
    ///
    /// # Errors
    /// Those of the store.
    pub fn has_demo(&self) -> Result<bool> {
        if self.only_in_lab().is_err() {
            return Ok(false);
        }
        let group = self.ground.store.read(|r| r.group(DEMO_GROUP))?;
        Ok(group.is_some_and(|group| group.name == "Demo" && group.off_since.is_none()))
    }

    /// Sets how far the clock is ahead of the machine's, in milliseconds; 0 restores it.
    ///
    /// # Errors
    /// `NotFound` in production; those of the store.
    pub fn set_clock(&self, caller: &Caller, offset_ms: i64) -> Result<()> {
        self.only_in_lab()?;
        self.ground.clock.set_offset_ms(offset_ms);
        let detail = format!("{} s from the machine's", offset_ms / 1000);
        let entry = LogEntry::done(caller, None, "lab.clock", self.ground.clock.now().to_string(), detail);
        self.ground.store.log(self.ground.clock.now(), entry)
    }

    /// Signs in to a lab's console without a password, as its operator [`LAB_OPERATOR`], who is made when there is none.
    /// A lab listens on loopback only and has nobody's data.
    ///
    /// # Errors
    /// `NotFound` in production; those of the store.
    pub fn enter_lab(&self, caller: &Caller) -> Result<String> {
        self.only_in_lab()?;
        let operator = match self.ground.store.read(|r| r.operator_by_name(LAB_OPERATOR))? {
            Some(operator) => operator,
            None => {
                let hash = passwords::hash(&Secret::new(random_token::<32>()?))?;
                let caller = caller.clone();
                self.ground.store.write(self.ground.clock.now(), move |w| {
                    match w.operator_by_name(LAB_OPERATOR)? {
                        Some(operator) => Ok(operator),
                        None => operators::created(w, &caller, LAB_OPERATOR, &hash),
                    }
                })?
            }
        };
        self.new_console_session(caller, LAB_OPERATOR, NewConsoleHolder::Operator(operator.id), None, SIGN_IN)
    }
}
