//! The addresses of a group's single sign-on, for people and identity providers to copy.

use crate::model::GroupId;

/// Where a group's single sign-on is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Our metadata, which holds the ACS URL.
    pub metadata: String,
    /// Where the identity provider posts its answers; see [`acs_url`].
    pub acs: String,
    /// Signs a browser in and ends on the account page. Wire contract §3.7.
    pub sign_in: String,
    /// Tests the connection, and signs nobody in.
    pub test: String,
}

impl Addresses {
    /// Those of `group`; `origin` is the scheme, host and port by which people reach this server.
    pub fn of(origin: &str, group: GroupId) -> Addresses {
        let page = format!("{origin}/account/GetLoginKey.aspx?sso=1");
        Addresses {
            metadata: format!("{origin}/saml/metadata?idpid={group}"),
            acs: acs_url(origin, group),
            sign_in: format!("{page}&redirect=/account/AccountSummary.aspx&idpid={group}"),
            test: format!("{page}&test=11&idpid={group}"),
        }
    }
}

/// The ACS URL of a group, to the letter: identity providers compare it literally. Wire contract §10.12.
pub fn acs_url(origin: &str, group: GroupId) -> String {
    format!("{origin}/account/GetLoginKey.aspx?sso=1&idpid={group}")
}
