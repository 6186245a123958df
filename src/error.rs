//! The one error type: what kind of refusal or failure it is, and who may read what about it.
//!
//! Protocol refusals (a bad login key, a forged assertion) are typed enums of their own in
//! [`crate::protocol`]; at the edge they become an [`Error`] with their stable code. Errors are returned,
//! never logged on the way; the edge logs once. One table maps a [`Kind`] to an HTTP status, one to an
//! exit status.

use std::fmt;

/// Whose fault it is and what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The input breaks a rule; the same input will be refused again.
    Invalid,
    /// Nobody proved who they are.
    Unauthenticated,
    /// Somebody is known, but may not do this.
    Denied,
    /// The thing named does not exist, or the caller may not know that it does.
    NotFound,
    /// There is something at this address, but it does not take this method.
    WrongMethod,
    /// The thing exists already, or has changed meanwhile.
    Conflict,
    /// Too many attempts; later it may work.
    TooMany,
    /// Our resources are short for the moment: the same call may work later.
    Unavailable,
    /// Refused as HTTP, with this status, before it was read as anything else: malformed, too large or too late.
    Http(u16),
    /// Our own fault.
    Fault,
}

impl Kind {
    /// The HTTP status of this kind.
    pub fn status(self) -> u16 {
        match self {
            Kind::Invalid => 400,
            Kind::Unauthenticated => 401,
            Kind::Denied => 403,
            Kind::NotFound => 404,
            Kind::WrongMethod => 405,
            Kind::Conflict => 409,
            Kind::TooMany => 429,
            Kind::Unavailable => 503,
            Kind::Http(status) => status,
            Kind::Fault => 500,
        }
    }

    /// The exit status of this kind: 1 refused, 2 usage, 3 our own fault.
    pub fn exit_status(self) -> u8 {
        match self {
            Kind::Unauthenticated | Kind::Denied | Kind::NotFound | Kind::Conflict | Kind::TooMany => 1,
            Kind::Invalid | Kind::WrongMethod | Kind::Http(_) => 2,
            Kind::Unavailable | Kind::Fault => 3,
        }
    }
}

/// A refusal or a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    /// Stable, `snake_case`; programs may rely on it.
    pub code: &'static str,
    /// One or two sentences for the person at the screen: what was wrong, and what to do. Never a secret.
    pub public: String,
    /// For the log only.
    pub detail: Option<String>,
    /// The field or parameter that is at fault, by its name on the surface's wire.
    pub field: Option<String>,
    /// Joins what the person saw to what the log holds.
    pub incident: Option<String>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Makes an error of `kind`, with a stable code and a sentence for people.
    pub fn new(kind: Kind, code: &'static str, public: impl Into<String>) -> Error {
        Error { kind, code, public: public.into(), detail: None, field: None, incident: None }
    }

    /// Makes the error for input that breaks a rule of the named field.
    pub fn invalid(code: &'static str, field: impl Into<String>, public: impl Into<String>) -> Error {
        Error { field: Some(field.into()), ..Error::new(Kind::Invalid, code, public) }
    }

    /// Makes the error for a thing that does not exist.
    pub fn not_found(code: &'static str, public: impl Into<String>) -> Error {
        Error::new(Kind::NotFound, code, public)
    }

    /// Makes the error for a permission that is missing.
    pub fn denied(public: impl Into<String>) -> Error {
        Error::new(Kind::Denied, "denied", public)
    }

    /// Makes the error for our own fault; `detail` is for the log only.
    pub fn fault(code: &'static str, detail: impl Into<String>) -> Error {
        Error {
            detail: Some(detail.into()),
            ..Error::new(Kind::Fault, code, "Something went wrong on our side. Nothing was changed.")
        }
    }

    /// Adds what only the log may hold.
    pub fn with_detail(self, detail: impl Into<String>) -> Error {
        Error { detail: Some(detail.into()), ..self }
    }

    /// Names the field at fault.
    pub fn with_field(self, field: impl Into<String>) -> Error {
        Error { field: Some(field.into()), ..self }
    }

    /// Adds the incident code under which the details were kept.
    pub fn with_incident(self, incident: impl Into<String>) -> Error {
        Error { incident: Some(incident.into()), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.public, self.code)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
