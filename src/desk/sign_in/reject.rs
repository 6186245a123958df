//! Why a sign-in is refused: the whole truth, which goes to the access log and to the administrator.
//!
//! The client learns only [`SignInReject::to_public`]: 401 when the credential is no good, whatever about it, 403
//! when the user is known but may not sign in. Wire contract §6, §6.1.

use std::fmt;

use crate::desk::ground::refusal::group_off;
use crate::error::{Error, Kind};
use crate::model::{Barred, GroupId};
use crate::protocol::credential::Unreadable;
use crate::protocol::login_key;

/// Why a sign-in is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInReject {
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

impl From<Barred> for SignInReject {
    fn from(barred: Barred) -> SignInReject {
        match barred {
            Barred::GroupOff => SignInReject::GroupOff,
            Barred::Suspended => SignInReject::UserSuspended,
            Barred::Inactive => SignInReject::UserInactive,
        }
    }
}

impl SignInReject {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SignInReject::NoCredential => "no_credential",
            SignInReject::Unreadable(why) => why.code(),
            SignInReject::LoginKey(why) => why.code(),
            SignInReject::UnknownGroup => "unknown_group",
            SignInReject::GroupWithoutApiKey => "group_without_api_key",
            SignInReject::UnknownPuid => "unknown_puid",
            SignInReject::UnknownAddress => "unknown_address",
            SignInReject::NoPassword => "no_password",
            SignInReject::WrongPassword => "wrong_password",
            SignInReject::WrongIssuedCredentials => "wrong_issued_credentials",
            SignInReject::UnknownWebSession => "unknown_web_session",
            SignInReject::BadToken => "bad_token",
            SignInReject::TokenExpired => "token_expired",
            SignInReject::TokenEnded => "token_ended",
            SignInReject::GroupRequired => "group_required",
            SignInReject::OtherGroup(_) => "other_group",
            SignInReject::NotAMember => "not_a_member",
            SignInReject::NoGroup => "no_group",
            SignInReject::GroupOff => "group_off",
            SignInReject::ServiceNotAllowed => "service_not_allowed",
            SignInReject::UserInactive => "user_inactive",
            SignInReject::UserSuspended => "user_suspended",
            SignInReject::UserLocked => "user_locked",
            SignInReject::TooManyAttempts => "too_many_attempts",
        }
    }

    /// What the client may know.
    pub fn kind(&self) -> Kind {
        match self {
            SignInReject::NoCredential
            | SignInReject::Unreadable(_)
            | SignInReject::LoginKey(_)
            | SignInReject::UnknownGroup
            | SignInReject::GroupWithoutApiKey
            | SignInReject::UnknownPuid
            | SignInReject::UnknownAddress
            | SignInReject::NoGroup
            | SignInReject::NoPassword
            | SignInReject::WrongPassword
            | SignInReject::WrongIssuedCredentials
            | SignInReject::UnknownWebSession
            | SignInReject::BadToken
            | SignInReject::TokenExpired
            | SignInReject::TokenEnded => Kind::Unauthenticated,
            SignInReject::GroupRequired => Kind::Invalid,
            SignInReject::OtherGroup(_)
            | SignInReject::NotAMember
            | SignInReject::GroupOff
            | SignInReject::ServiceNotAllowed
            | SignInReject::UserInactive
            | SignInReject::UserSuspended
            | SignInReject::UserLocked
            | SignInReject::TooManyAttempts => Kind::Denied,
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
            Kind::Denied if *self == SignInReject::GroupOff => group_off(),
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
            SignInReject::NoCredential => "Send a login key, a user name with password, or a web session.",
            SignInReject::Unreadable(_) => {
                "Send partnerid, partneruserid and loginkey, or one of the other carriers, complete."
            }
            SignInReject::LoginKey(why) => key_repair(*why),
            SignInReject::UnknownGroup => "Send the Group ID that the console shows.",
            SignInReject::GroupWithoutApiKey => "Set an API key for the group.",
            SignInReject::UnknownPuid => {
                "Give a user of the group this PUID, or have the integration send the PUID that the user has."
            }
            SignInReject::UnknownAddress => "Send the user's Glance Address.",
            SignInReject::NoPassword => {
                "Set a password for the user, or sign in with a login key or single sign-on."
            }
            SignInReject::WrongPassword => "",
            SignInReject::WrongIssuedCredentials => {
                "Call ValidateUser again: each call issues new credentials."
            }
            SignInReject::UnknownWebSession => "Sign in again.",
            SignInReject::BadToken => "Ask Authorize for a token.",
            SignInReject::TokenExpired => "Ask Authorize for a new token before this one ends.",
            SignInReject::TokenEnded => "Ask Authorize for a new token.",
            SignInReject::GroupRequired => "Send groupid.",
            SignInReject::OtherGroup(_) => "Send the groupid for which the credential was made.",
            SignInReject::NotAMember | SignInReject::NoGroup => {
                "Make the user a member of the group, or name another group."
            }
            SignInReject::GroupOff => "Switch the group on again: an operator can, on the group's Settings.",
            SignInReject::ServiceNotAllowed => {
                "Switch the setting of this name on, for the group and the user's role."
            }
            SignInReject::UserInactive => "Activate the user in this group.",
            SignInReject::UserSuspended => "Reinstate the user in this group.",
            SignInReject::UserLocked => "Wait a quarter of an hour, or clear the user's lockout.",
            SignInReject::TooManyAttempts => {
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
            "Set the expiry to at most 86,400 seconds from now, in seconds since 1970."
        }
        login_key::LoginKeyReject::BadSignature => {
            "Sign with the group's present API key: Group ID, PUID, 1 and expiry, joined without separators."
        }
    }
}

/// What was wrong, for the log. Never a secret.
impl fmt::Display for SignInReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignInReject::NoCredential => f.write_str("no credential came"),
            SignInReject::Unreadable(why) => why.fmt(f),
            SignInReject::LoginKey(why) => why.fmt(f),
            SignInReject::UnknownGroup => f.write_str("no group has this number"),
            SignInReject::GroupWithoutApiKey => f.write_str("the group has no API key"),
            SignInReject::UnknownPuid => {
                f.write_str("the login key is genuine, but no user of the group has this PUID")
            }
            SignInReject::UnknownAddress => f.write_str("no user has this Glance Address"),
            SignInReject::NoPassword => f.write_str("the user has no password"),
            SignInReject::WrongPassword => f.write_str("the password is wrong"),
            SignInReject::WrongIssuedCredentials => {
                f.write_str("these credentials are not the last that were issued")
            }
            SignInReject::UnknownWebSession => f.write_str("the web session does not exist or has ended"),
            SignInReject::BadToken => f.write_str("the token is not one of this server's"),
            SignInReject::TokenExpired => f.write_str("the token has expired"),
            SignInReject::TokenEnded => {
                f.write_str("the token was issued before the user was suspended or the password changed")
            }
            SignInReject::GroupRequired => f.write_str("the user is in several groups and none was named"),
            SignInReject::OtherGroup(asked) => {
                write!(f, "the credential is not for group {asked}, which was asked for")
            }
            SignInReject::NotAMember => f.write_str("the user does not belong to the group"),
            SignInReject::NoGroup => f.write_str("the user belongs to no group"),
            SignInReject::GroupOff => f.write_str("the group is switched off"),
            SignInReject::ServiceNotAllowed => f.write_str("the service is switched off for this user"),
            SignInReject::UserInactive => f.write_str("the user is not active in this group"),
            SignInReject::UserSuspended => f.write_str("the user is suspended in this group"),
            SignInReject::UserLocked => f.write_str("the password is locked after too many wrong ones"),
            SignInReject::TooManyAttempts => f.write_str("too many failures from this address"),
        }
    }
}
