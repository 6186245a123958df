//! Why a SCIM request is refused: the error types of RFC 7644, table 9.

use crate::error::{Error, Kind};

/// The `scimType` of an error document. RFC 7644 §3.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    InvalidFilter,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
}

impl ScimType {
    pub const ALL: [ScimType; 7] = [
        ScimType::InvalidFilter,
        ScimType::Uniqueness,
        ScimType::Mutability,
        ScimType::InvalidSyntax,
        ScimType::InvalidPath,
        ScimType::NoTarget,
        ScimType::InvalidValue,
    ];

    /// As it stands in the document.
    pub fn name(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
        }
    }

    /// The stable code in our own words, for the access log.
    pub fn code(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "scim_invalid_filter",
            ScimType::Uniqueness => "scim_uniqueness",
            ScimType::Mutability => "scim_mutability",
            ScimType::InvalidSyntax => "scim_invalid_syntax",
            ScimType::InvalidPath => "scim_invalid_path",
            ScimType::NoTarget => "scim_no_target",
            ScimType::InvalidValue => "scim_invalid_value",
        }
    }
}

/// A refusal of the pure part: which rule, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimReject {
    pub scim_type: ScimType,
    pub detail: String,
}

impl ScimReject {
    /// Makes a refusal; `detail` is for the person who reads the identity provider's log.
    pub fn new(scim_type: ScimType, detail: impl Into<String>) -> ScimReject {
        ScimReject { scim_type, detail: detail.into() }
    }

    pub(super) fn filter(detail: impl Into<String>) -> ScimReject {
        ScimReject::new(ScimType::InvalidFilter, detail)
    }

    pub(super) fn path(detail: impl Into<String>) -> ScimReject {
        ScimReject::new(ScimType::InvalidPath, detail)
    }

    pub(super) fn syntax(detail: impl Into<String>) -> ScimReject {
        ScimReject::new(ScimType::InvalidSyntax, detail)
    }

    pub(super) fn value(detail: impl Into<String>) -> ScimReject {
        ScimReject::new(ScimType::InvalidValue, detail)
    }
}

impl From<ScimReject> for Error {
    fn from(reject: ScimReject) -> Error {
        Error::new(Kind::Invalid, reject.scim_type.code(), reject.detail)
    }
}
