//! Why a sign-in is refused: the whole truth, which goes to the access log and to the administrator.
//!
//! The client learns only [`Reject::to_public`]: 401 when the credential is no good, whatever about it, 403
//! when the user is known but may not sign in. Wire contract §6, §6.1.

use std::fmt;

use crate::desk::ground::refusal::group_off;
use crate::error::{Error, Kind};
use crate::model::{Barred, GroupId};
use crate::protocol::credential::Unreadable;
use crate::protocol::login_key;

/// Why a sign-in is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reject {
    /// No credential came at all.
    NoCredential,
    /// What came cannot be read as a credential.
    Unreadable(Unreadable),
    /// The login key itself.
    LoginKey(login_key::LoginKeyReject),
    /// No group has this number.
    UnknownGroup,
    /// The group has no API key, so that it can have no login keys.
    GroupWithoutApiKey,
    /// The login key is genuine, but no user of the group has its PUID.
    UnknownPuid,
    /// No user has this Glance Address.
    UnknownAddress,
    /// The user has no password.
    NoPassword,
    WrongPassword,
    /// Not the credentials that ValidateUser issued last, or they have expired.
    WrongIssuedCredentials,
    /// No such web session, or it has ended.
    UnknownWebSession,
    /// Not a token of this server, or damaged.
    BadToken,
    TokenExpired,
    /// Issued before the user was suspended, demoted or removed, or before the password was changed.
    TokenEnded,
    /// The user is in several groups, and none was named.
    GroupRequired,
    /// The credential is for another group than the one that was asked for.
    OtherGroup(GroupId),
    /// The user does not belong to the group.
    NotAMember,
    /// The user belongs to no group at all.
    NoGroup,
    /// An operator switched the group off.
    GroupOff,
    /// The group or the role has this service switched off.
    ServiceNotAllowed,
    UserInactive,
    UserSuspended,
    /// Too many wrong passwords.
    UserLocked,
    /// Too many failures from this address.
    TooManyAttempts,
}

impl From<Barred> for Reject {
    fn from(barred: Barred) -> Reject {
        match barred {
            Barred::GroupOff => Reject::GroupOff,
            Barred::Suspended => Reject::UserSuspended,
            Barred::Inactive => Reject::UserInactive,
        }
    }
}

impl Reject {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Reject::NoCredential => "no_credential",
            Reject::Unreadable(why) => why.code(),
            Reject::LoginKey(why) => why.code(),
            Reject::UnknownGroup => "unknown_group",
            Reject::GroupWithoutApiKey => "group_without_api_key",
            Reject::UnknownPuid => "unknown_puid",
            Reject::UnknownAddress => "unknown_address",
            Reject::NoPassword => "no_password",
            Reject::WrongPassword => "wrong_password",
            Reject::WrongIssuedCredentials => "wrong_issued_credentials",
            Reject::UnknownWebSession => "unknown_web_session",
            Reject::BadToken => "bad_token",
            Reject::TokenExpired => "token_expired",
            Reject::TokenEnded => "token_ended",
            Reject::GroupRequired => "group_required",
            Reject::OtherGroup(_) => "other_group",
            Reject::NotAMember => "not_a_member",
            Reject::NoGroup => "no_group",
            Reject::GroupOff => "group_off",
            Reject::ServiceNotAllowed => "service_not_allowed",
            Reject::UserInactive => "user_inactive",
            Reject::UserSuspended => "user_suspended",
            Reject::UserLocked => "user_locked",
            Reject::TooManyAttempts => "too_many_attempts",
        }
    }

    /// What the client may know.
    pub fn kind(&self) -> Kind {
        match self {
            Reject::NoCredential
            | Reject::Unreadable(_)
            | Reject::LoginKey(_)
            | Reject::UnknownGroup
            | Reject::GroupWithoutApiKey
            | Reject::UnknownPuid
            | Reject::UnknownAddress
            | Reject::NoGroup
            | Reject::NoPassword
            | Reject::WrongPassword
            | Reject::WrongIssuedCredentials
            | Reject::UnknownWebSession
            | Reject::BadToken
            | Reject::TokenExpired
            | Reject::TokenEnded => Kind::Unauthenticated,
            Reject::GroupRequired => Kind::Invalid,
            Reject::OtherGroup(_)
            | Reject::NotAMember
            | Reject::GroupOff
            | Reject::ServiceNotAllowed
            | Reject::UserInactive
            | Reject::UserSuspended
            | Reject::UserLocked
            | Reject::TooManyAttempts => Kind::Denied,
        }
    }

    /// Makes the error that the client gets: one for each kind, so that guessing teaches nothing.
    pub fn to_public(&self) -> Error {
        match self.kind() {
            Kind::Invalid => Error::invalid(
                "group_required",
                "groupid",
                "The user belongs to several groups. Name one with groupid.",
            ),
            Kind::Denied if *self == Reject::GroupOff => group_off(),
            Kind::Denied => Error::new(
                Kind::Denied,
                "sign_in_denied",
                "This user may not sign in here now. Ask your administrator.",
            ),
            _ => Error::new(
                Kind::Unauthenticated,
                "sign_in_refused",
                "The sign-in was not accepted. Refresh the page and try again, or ask your administrator.",
            ),
        }
    }

    /// What to change, for the administrator; "" when nothing is known to help.
    pub fn repair(&self) -> &'static str {
        match self {
            Reject::NoCredential => "Send a login key, a user name with password, or a web session.",
            Reject::Unreadable(_) => {
                "Send partnerid, partneruserid and loginkey, or one of the other carriers, complete."
            }
            Reject::LoginKey(why) => key_repair(*why),
            Reject::UnknownGroup => "Send the Group ID that the console shows.",
            Reject::GroupWithoutApiKey => "Set an API key for the group.",
            Reject::UnknownPuid => {
                "Give a user of the group this PUID, or have the integration send the PUID that the user has."
            }
            Reject::UnknownAddress => "Send the user's Glance Address.",
            Reject::NoPassword => {
                "Set a password for the user, or sign in with a login key or single sign-on."
            }
            Reject::WrongPassword => "",
            Reject::WrongIssuedCredentials => "Call ValidateUser again: each call issues new credentials.",
            Reject::UnknownWebSession => "Sign in again.",
            Reject::BadToken => "Ask Authorize for a token.",
            Reject::TokenExpired => "Ask Authorize for a new token before this one ends.",
            Reject::TokenEnded => "Ask Authorize for a new token.",
            Reject::GroupRequired => "Send groupid.",
            Reject::OtherGroup(_) => "Send the groupid for which the credential was made.",
            Reject::NotAMember | Reject::NoGroup => {
                "Make the user a member of the group, or name another group."
            }
            Reject::GroupOff => "Switch the group on again: an operator can, on the group's Settings.",
            Reject::ServiceNotAllowed => {
                "Switch the setting of this name on, for the group and the user's role."
            }
            Reject::UserInactive => "Activate the user in this group.",
            Reject::UserSuspended => "Reinstate the user in this group.",
            Reject::UserLocked => "Wait a quarter of an hour, or clear the user's lockout.",
            Reject::TooManyAttempts => {
                "Wait a quarter of an hour, or clear the user's lockout. Then repair what keeps failing."
            }
        }
    }
}

fn key_repair(why: login_key::LoginKeyReject) -> &'static str {
    match why {
        login_key::LoginKeyReject::Malformed(_) => {
            "Build the login key as $1$expiry$signature: 57 characters."
        }
        login_key::LoginKeyReject::PreviousFormat => {
            "Build the login key in the present format, which begins with $1$. A shell or a template may have \
             taken the first $1 for a variable: quote it."
        }
        login_key::LoginKeyReject::UnsupportedVersion => "Use version 1.",
        login_key::LoginKeyReject::Expired { .. } => {
            "Make the login key anew when the page is rendered, and compare the clocks of both servers."
        }
        login_key::LoginKeyReject::TooFarAhead { .. } => {
            "Let the expiry lie at most 86,400 seconds ahead, in seconds."
        }
        login_key::LoginKeyReject::BadSignature => {
            "Sign with the group's present API key: Group ID, PUID, 1 and expiry, joined without separators."
        }
    }
}

/// What was wrong, for the log. Never a secret.
impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reject::NoCredential => f.write_str("no credential came"),
            Reject::Unreadable(why) => why.fmt(f),
            Reject::LoginKey(why) => why.fmt(f),
            Reject::UnknownGroup => f.write_str("no group has this number"),
            Reject::GroupWithoutApiKey => f.write_str("the group has no API key"),
            Reject::UnknownPuid => {
                f.write_str("the login key is genuine, but no user of the group has this PUID")
            }
            Reject::UnknownAddress => f.write_str("no user has this Glance Address"),
            Reject::NoPassword => f.write_str("the user has no password"),
            Reject::WrongPassword => f.write_str("the password is wrong"),
            Reject::WrongIssuedCredentials => {
                f.write_str("these credentials are not the last that were issued")
            }
            Reject::UnknownWebSession => f.write_str("the web session does not exist or has ended"),
            Reject::BadToken => f.write_str("the token is not one of this server's"),
            Reject::TokenExpired => f.write_str("the token has expired"),
            Reject::TokenEnded => {
                f.write_str("the token was issued before the user was suspended or the password changed")
            }
            Reject::GroupRequired => f.write_str("the user is in several groups and none was named"),
            Reject::OtherGroup(asked) => {
                write!(f, "the credential is not for group {asked}, which was asked for")
            }
            Reject::NotAMember => f.write_str("the user does not belong to the group"),
            Reject::NoGroup => f.write_str("the user belongs to no group"),
            Reject::GroupOff => f.write_str("the group is switched off"),
            Reject::ServiceNotAllowed => f.write_str("the service is switched off for this user"),
            Reject::UserInactive => f.write_str("the user is not active in this group"),
            Reject::UserSuspended => f.write_str("the user is suspended in this group"),
            Reject::UserLocked => f.write_str("the password is locked after too many wrong ones"),
            Reject::TooManyAttempts => f.write_str("too many failures from this address"),
        }
    }
}
