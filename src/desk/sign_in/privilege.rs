//! Privileges that the REST APIs ask for. Wire contract §5.2.
//!
//! Administrators of a group are its owners. What else they may do can be taken from them: when the group
//! has a setting of the privilege's name, it must be in force for the administrator; when it has none, all
//! administrators have the privilege.

use crate::desk::sign_in::SignIn;
use crate::desk::sign_in::SignedIn;
use crate::error::{Error, Kind, Result};

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    GroupOwner,
    GroupAddPerson,
    GroupModifyPerson,
}

impl Privilege {
    /// As the vendor's documents write it, and as the setting is named.
    pub fn name(self) -> &'static str {
        match self {
            Privilege::GroupOwner => "GROUP_OWNER",
            Privilege::GroupAddPerson => "GROUP_ADD_PERSON",
            Privilege::GroupModifyPerson => "GROUP_MODIFY_PERSON",
        }
    }
}

impl SignIn {
    /// Passes anyone who has all these privileges in the group that they signed in to.
    ///
    /// # Errors
    /// `Denied` with code `privilege_missing`, naming the first that is missing; logged as a refusal of
    /// `operation`.
    pub fn require_privileges(
        &self,
        signed_in: &SignedIn,
        caller: &crate::model::Caller,
        operation: &'static str,
        privileges: &[Privilege],
    ) -> Result<()> {
        let settings = self.settings_of(signed_in)?;
        let has = |privilege: Privilege| match privilege {
            Privilege::GroupOwner => signed_in.administrator,
            other => signed_in.administrator && settings.get(other.name()) != Some(&false),
        };
        let missing = privileges.iter().find(|privilege| !has(**privilege));
        let outcome = match missing {
            None => Ok(()),
            Some(privilege) => {
                let public = format!("This call needs the privilege {}.", privilege.name());
                Err(Error::new(Kind::Denied, "privilege_missing", public))
            }
        };
        let subject = format!("group {}", signed_in.group);
        self.ground.logging_refusal(caller, Some(signed_in.group), operation, &subject, outcome)
    }
}
