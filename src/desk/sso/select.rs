//! Which group is meant: by number, name, Unique Account ID, or any of its users. Wire contract §3.5, §3.7.

use crate::desk::sso::Sso;
use crate::error::Result;
use crate::model::GroupId;
use crate::model::sso::Method;
use crate::store::Reader;

/// How a group was named. The browser SDK sends only one of these; where several came, the surface takes
/// the first of this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupSelector {
    /// `idpid`, older `groupid`.
    Number(String),
    /// `idpname`, in any case.
    Name(String),
    /// `idptoken`, compared exactly.
    AccountId(String),
    /// `username` or `idpusername`: the home group of the user with this Glance Address.
    Username(String),
}

impl GroupSelector {
    /// What was sent, for the log.
    pub fn text(&self) -> &str {
        match self {
            GroupSelector::Number(t)
            | GroupSelector::Name(t)
            | GroupSelector::AccountId(t)
            | GroupSelector::Username(t) => t,
        }
    }

    pub(super) fn find(&self, reader: &Reader<'_>) -> Result<Option<GroupId>> {
        match self {
            GroupSelector::Number(number) => Ok(GroupId::parse(number.trim())),
            GroupSelector::Name(name) => reader.group_by_name(name.trim()),
            GroupSelector::AccountId(token) => reader.group_by_account_id(token.trim()),
            GroupSelector::Username(address) => reader.group_by_address(address.trim()),
        }
    }
}

impl Sso {
    /// Finds the group that is meant; `None` when there is none.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sso_group(&self, selector: &GroupSelector) -> Result<Option<GroupId>> {
        self.ground.store.read(|r| selector.find(r))
    }

    /// Whether single sign-on of this group is off, so that its people sign in by password; false where there is no
    /// such group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn has_sso_off(&self, group: GroupId) -> Result<bool> {
        let configuration = self.ground.store.read(|r| r.sso_configuration(group))?;
        Ok(configuration.is_some_and(|configuration| configuration.method == Method::Off))
    }
}
