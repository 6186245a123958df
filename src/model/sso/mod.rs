//! Single sign-on by SAML, as a group's administrator configures it: wire contract §3.2 and §3.8.
//!
//! Values only. [`fields`] is the one table of names, labels and help texts that the console, the command
//! line, the seed file and the manual share; [`step`] says on which page each stands, [`health`] how well it
//! all works; [`template`] reads the mapping of attributes; [`addresses`] are what people copy; [`tile`] says what
//! a portal tile would do.

pub mod addresses;
pub mod compared;
pub mod endpoint;
pub mod fields;
pub mod health;
pub mod step;
pub mod template;
pub mod tile;

use serde::{Deserialize, Serialize};

use super::GroupId;
use crate::clock::Timestamp;
use crate::model::person::Field;
use template::Template;
pub use tile::PortalTile;

/// Our entity ID where none is configured. Wire contract §3.1.
pub const DEFAULT_ENTITY_ID: &str = "glance.net/sp/1";
/// Most keys of an identity provider. Wire contract §3.1.
pub const IDP_KEYS_MAX: usize = 5;
/// The check of a test that says whether a sign-in could end in a login key: it decides only those that do.
pub const LOGIN_KEY_CHECK: &str = "Login key";

/// Clock skew where none is configured, in seconds (design.md section 4).
pub const DEFAULT_SKEW_SECONDS: i64 = 60;
/// Largest clock skew, in seconds: beyond ten minutes a clock is wrong, not skewed.
pub const SKEW_SECONDS_MAX: i64 = 600;

/// One of the values that a field may have: the word that is stored and typed, the label that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub word: &'static str,
    pub label: &'static str,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident $word:literal $label:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$note])* $variant,)* }

        impl $name {
            /// Every value, in the order of the screen.
            pub const CHOICES: &'static [Choice] =
                &[$(Choice { word: $word, label: $label },)*];

            /// The word that is stored and typed.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The label that is shown.
            pub fn label(self) -> &'static str {
                match self { $($name::$variant => $label,)* }
            }

            /// Reads a word or a label, in any case.
            pub fn parse(text: &str) -> Option<$name> {
                $(if text.eq_ignore_ascii_case($word) || text.eq_ignore_ascii_case($label) {
                    return Some($name::$variant);
                })*
                None
            }
        }
    )*};
}

choices! {
    /// Single Sign-On Method.
    Method {
        /// Nobody signs in by SAML.
        Off "off" "Off",
        Saml "saml" "SAML 2.0",
        /// Assertions must come encrypted to our key.
        EncryptedSaml "encrypted_saml" "Encrypted SAML 2.0",
    }
    /// Operational Status.
    Status {
        /// Every attempt is logged with its checks, and attributes are captured to pick from.
        Provisioning "provisioning" "Provisioning",
        Production "production" "Production",
    }
    /// Identity Provider Endpoint Type: how an AuthnRequest travels.
    EndpointType {
        Redirect "redirect" "https redirect",
        Post "post" "https POST",
    }
    /// Authentication Context that a request asks for. The values are ours (§11 Q12).
    AuthnContext {
        Nothing "none" "None",
        PasswordProtectedTransport "password_protected_transport" "Password over a protected transport",
        Windows "windows" "Windows integrated",
        Unspecified "unspecified" "Unspecified",
    }
    /// ACS Parameter Style: where a sign-in's target travels. The values are ours (§11 Q12).
    AcsStyle {
        UrlParameters "url_parameters" "URL parameters",
        RelayState "relay_state" "RelayState",
    }
    /// Name ID Policy that a request asks for. The values are ours (§11 Q12).
    NameIdPolicy {
        Email "email" "Email address",
        Unspecified "unspecified" "Unspecified",
        Persistent "persistent" "Persistent",
        Omit "omit" "Omit",
    }
    /// Autoprovision: what happens to people whom the identity provider knows and we do not.
    Autoprovision {
        Off "off" "No",
        Create "create" "Yes: make new users",
        /// Also bring names, e-mail, phone and role up to date on later sign-ins.
        CreateAndUpdate "create_and_update" "Yes: make new users, and update them when they sign in",
    }
}

/// SSO Configure of one group. Made by [`Configuration::off`] and changed field by field, so that each
/// value in it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    pub group: GroupId,
    pub method: Method,
    pub description: String,
    pub status: Status,
    /// The entity ID of the identity provider: the only issuer that is believed.
    pub idp_entity_id: String,
    pub endpoint_url: String,
    pub endpoint_type: EndpointType,
    /// The screen's Entity ID: ours, which assertions must name as their audience.
    pub sp_entity_id: String,
    /// Empty when only the NameID names the user.
    pub identity_attribute: String,
    /// Whether the NameID names the user when the identity attribute did not come.
    pub name_id_when_missing: bool,
    /// The value of `idptoken`; it is kept with the group.
    pub account_id: Option<String>,
    /// A [`super::RelativeTarget`], or empty.
    pub idp_initiated_redirect: String,
    pub idp_initiated_allowed: bool,
    pub authn_context: AuthnContext,
    pub acs_style: AcsStyle,
    pub name_id_policy: NameIdPolicy,
    /// How far the identity provider's clock may be off, in seconds.
    pub skew_seconds: i64,
    pub allow_sha1: bool,
    pub allow_rsa15: bool,
    pub allow_triple_des: bool,
    /// Whether responses are kept, sealed, for a day, while in Provisioning.
    pub keep_responses: bool,
    pub autoprovision: Autoprovision,
    pub mapping: Mapping,
}

impl Configuration {
    /// The configuration of a group that has none: nobody signs in by SAML.
    pub fn off(group: GroupId) -> Configuration {
        Configuration {
            group,
            method: Method::Off,
            description: String::new(),
            status: Status::Provisioning,
            idp_entity_id: String::new(),
            endpoint_url: String::new(),
            endpoint_type: EndpointType::Redirect,
            sp_entity_id: DEFAULT_ENTITY_ID.to_owned(),
            identity_attribute: String::new(),
            name_id_when_missing: true,
            account_id: None,
            idp_initiated_redirect: String::new(),
            idp_initiated_allowed: true,
            authn_context: AuthnContext::Nothing,
            acs_style: AcsStyle::RelayState,
            name_id_policy: NameIdPolicy::Email,
            skew_seconds: DEFAULT_SKEW_SECONDS,
            allow_sha1: false,
            allow_rsa15: false,
            allow_triple_des: false,
            keep_responses: false,
            autoprovision: Autoprovision::Off,
            mapping: Mapping::default(),
        }
    }
}

/// From which attributes a new user is made: one template a field, empty where nothing is mapped. §3.8.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// Required for autoprovisioning.
    pub glance_address: Template,
    pub partner_uid: Template,
    pub first_name: Template,
    pub last_name: Template,
    pub email: Template,
    pub phone: Template,
    /// The name of a role of the group.
    pub role: Template,
}

impl Mapping {
    /// The template of one of a person's lines of text. SSO Configure keeps each in a column of its own, so a line that has
    /// none stays empty.
    pub fn of_line(&self, line: &Field) -> Option<&Template> {
        match line.name {
            "first_name" => Some(&self.first_name),
            "last_name" => Some(&self.last_name),
            "email" => Some(&self.email),
            "phone" => Some(&self.phone),
            _ => None,
        }
    }
}

/// A certificate of the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpKey {
    /// Its place, from 1: the order in which keys are tried.
    pub position: i64,
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub fingerprint: String,
    /// DER.
    pub certificate: Vec<u8>,
    pub added_at: Timestamp,
    /// When a response was last accepted by it; kept to the minute.
    pub last_verified_at: Option<Timestamp>,
}

/// One of our own key pairs, without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpKey {
    pub id: i64,
    /// DER.
    pub certificate: Vec<u8>,
    /// When a response was last decrypted with it; kept to the minute.
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// A key as it is shown: the identity provider's, or a pair of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its place from 1; for a pair of ours its number.
    pub position: i64,
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub fingerprint: String,
    pub subject: String,
    pub issuer: String,
    /// `RSA 2048`, `ECDSA P-256`.
    pub kind: String,
    pub begins_at: Timestamp,
    pub ends_at: Timestamp,
    pub added_at: Timestamp,
    /// When it last verified or decrypted a response; kept to the minute.
    pub used_at: Option<Timestamp>,
    /// DER.
    pub certificate: Vec<u8>,
    /// Sentences.
    pub warnings: Vec<String>,
}

/// A key of the identity provider that was removed, and can be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedKey {
    pub facts: KeyFacts,
    pub until: Timestamp,
}

/// What came to the ACS, as it is shown to administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttempt {
    pub id: i64,
    pub at: Timestamp,
    pub group: GroupId,
    pub incident: Option<String>,
    /// The stable code of the reject; `None` when it was accepted.
    pub code: Option<String>,
    /// The NameID of a verified assertion.
    pub subject: String,
    /// JSON: the numbered checks.
    pub checks: String,
    /// JSON: [`compared::ComparedKeys`], where no trusted key made the signature.
    pub keys: Option<String>,
    /// JSON: attribute name to values, of a verified assertion while in Provisioning.
    pub attributes: Option<String>,
    /// When the response is wiped; `None` when it is not kept.
    pub kept_until: Option<Timestamp>,
    /// `test=11`: nobody was to be signed in.
    pub test: bool,
}
