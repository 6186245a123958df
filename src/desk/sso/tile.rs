//! What a click on the group's tile in the identity provider's portal would do: a sign-in that the identity
//! provider starts, without a word from us on where it should end.

use crate::error::Result;
use crate::model::relative::RelativeTarget;
use crate::model::sso::{Configuration, PortalTile};

use super::judge::Grounds;
use super::reject::SsoReject;

/// Says what a tile would do for this configuration. `judged` is what the configuration gives to judge by.
pub(super) fn portal_tile(
    configuration: &Configuration,
    judged: &Result<std::result::Result<Grounds, SsoReject>>,
) -> PortalTile {
    let refused = |because: &str, repair: &str| PortalTile::Refused {
        because: because.to_owned(),
        repair: repair.to_owned(),
    };
    let grounds = match judged {
        Ok(Ok(grounds)) => grounds,
        Ok(Err(reject)) => return refused(because(reject), reject.repair()),
        Err(_) => {
            return refused("one of the group's keys cannot be read", "Remove that key and add it again.");
        }
    };
    if !configuration.idp_initiated_allowed {
        return refused(
            "sign-ins that the identity provider starts are switched off",
            "Switch on “Sign-ins that the identity provider starts”.",
        );
    }
    match RelativeTarget::parse(&configuration.idp_initiated_redirect) {
        Some(path) => PortalTile::Opens { path: path.as_str().to_owned() },
        None if grounds.api_key.is_none() => refused(
            "no “Redirect for IdP-initiated sessions” is set, so that it would end in a login key, which a group \
             without an API key cannot make",
            REDIRECT_FIRST,
        ),
        None => PortalTile::ShowsLoginKey { repair: REDIRECT_FIRST.to_owned() },
    }
}

/// What mends a tile that ends in a login key.
const REDIRECT_FIRST: &str =
    "Set “Redirect for IdP-initiated sessions”, for example to /account/AccountSummary.aspx.";

/// Why nobody can sign in by a configuration.
fn because(reject: &SsoReject) -> &'static str {
    match reject {
        SsoReject::Off => "single sign-on is off",
        SsoReject::WithoutIssuer => "the Identity Provider Entity ID is empty",
        SsoReject::WithoutKeys => "there is no X.509 Public Key",
        SsoReject::WithoutOwnKey => "there is no key pair of ours",
        _ => "the configuration is not complete",
    }
}

/// What an administrator should change when a sign-in that the identity provider started would have ended in
/// a login key that could not be made; `None` for any other reject.
pub(super) fn repair_of_tile(reject: &SsoReject) -> Option<String> {
    let otherwise = match reject {
        SsoReject::UserWithoutPuid => "give the user a Partner User ID",
        SsoReject::WithoutApiKey => "set the group's API key, and give the user a Partner User ID",
        _ => return None,
    };
    Some(format!(
        "The identity provider started this sign-in, as its portal tile does, and we do not know where it should \
         end. {REDIRECT_FIRST} If people should get a login key instead, {otherwise}."
    ))
}
