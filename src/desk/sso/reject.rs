//! Why a SAML sign-in is refused: the verdict on the response, or one of our own rules after it.
//!
//! One variant a rule, with its stable code, what was expected, what came, and the likely repair. The
//! person is told one calm sentence and an incident code; the administrator reads the rest.

use crate::model::Barred;
use crate::protocol::check::{Check, CheckOutcome};
use crate::protocol::saml::reject::SamlReject;

/// A refused sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SsoReject {
    /// No group was named, or none of that name exists.
    UnknownGroup {
        got: String,
    },
    /// Single Sign-On Method is Off.
    Off,
    /// The group has no key to verify with.
    WithoutKeys,
    /// An operator switched the group off.
    GroupOff,
    /// The settings or the key by which the response was judged were changed or removed while it was judged.
    SettingsChanged,
    /// Nobody said which issuer to believe.
    WithoutIssuer,
    /// A sign-in cannot begin here: there is no endpoint to send the browser to.
    WithoutEndpoint,
    /// Encrypted SAML 2.0 without a key pair of ours.
    WithoutOwnKey,
    /// The form has no `SAMLResponse`.
    WithoutResponse,
    /// What was posted is larger than `most` bytes, and was not read.
    ResponseTooLong {
        most: usize,
    },
    /// The response itself.
    Response(Box<SamlReject>),
    /// The assertion was used before.
    Replay,
    /// The assertion was made before the appliance was restored from a backup: whether it was used is not known.
    BeforeRestore,
    /// Neither the identity attribute nor the NameID has a value.
    WithoutIdentifier,
    /// The identity attribute did not come, and the NameID does not count instead.
    IdentityAttributeMissing {
        attribute: String,
        got: String,
    },
    /// The identity attribute names nobody, though the NameID names somebody.
    AttributeNamesNobody {
        attribute: String,
        got: String,
    },
    /// Nobody in the group has these identifiers.
    UserUnknown {
        got: String,
    },
    /// One identifier names several users.
    UserAmbiguous {
        got: String,
    },
    /// The attribute and the NameID name different users.
    UserConflict {
        got: String,
    },
    /// Deactivated: a former member.
    UserInactive,
    UserSuspended,
    /// The result is a login key, and the user has no PUID to put in it.
    UserWithoutPuid,
    /// The result is a login key, and the group has no API key to make it with.
    WithoutApiKey,
    /// Autoprovisioning: a template needs an attribute that did not come.
    AttributeMissing {
        field: &'static str,
        attribute: String,
    },
    /// Autoprovisioning: a template needs one value, and several came.
    AttributeSeveral {
        field: &'static str,
        attribute: String,
    },
    /// Autoprovisioning: the field breaks its rule.
    FieldInvalid {
        field: &'static str,
        got: String,
    },
    /// Autoprovisioning: the address or PUID belongs to somebody else already. Never linked: anyone who
    /// controls an attribute would take that account over.
    FieldTaken {
        field: &'static str,
        got: String,
    },
    /// Autoprovisioning: the group has no such role.
    RoleUnknown {
        got: String,
    },
    /// Autoprovisioning: nothing of the new user would match what the identity provider sends, so that the
    /// next sign-in would not find them.
    NotFoundAgain {
        got: String,
    },
}

impl From<Barred> for SsoReject {
    fn from(barred: Barred) -> SsoReject {
        match barred {
            Barred::GroupOff => SsoReject::GroupOff,
            Barred::Suspended => SsoReject::UserSuspended,
            Barred::Inactive => SsoReject::UserInactive,
        }
    }
}

impl SsoReject {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SsoReject::UnknownGroup { .. } => "unknown_group",
            SsoReject::Off => "sso_off",
            SsoReject::GroupOff => "group_off",
            SsoReject::SettingsChanged => "sso_settings_changed",
            SsoReject::WithoutKeys => "no_trust_anchor",
            SsoReject::WithoutIssuer => "sso_without_issuer",
            SsoReject::WithoutEndpoint => "sso_without_endpoint",
            SsoReject::WithoutOwnKey => "sso_without_own_key",
            SsoReject::WithoutResponse => "response_missing",
            SsoReject::ResponseTooLong { .. } => "response_too_long",
            SsoReject::Response(reject) => reject.code.code(),
            SsoReject::Replay => "replay",
            SsoReject::BeforeRestore => "issued_before_restore",
            SsoReject::WithoutIdentifier => "identifier_missing",
            SsoReject::IdentityAttributeMissing { .. } => "identity_attribute_missing",
            SsoReject::AttributeNamesNobody { .. } => "user_unknown",
            SsoReject::UserUnknown { .. } => "user_unknown",
            SsoReject::UserAmbiguous { .. } => "user_ambiguous",
            SsoReject::UserConflict { .. } => "user_conflict",
            SsoReject::UserInactive => "user_inactive",
            SsoReject::UserSuspended => "user_suspended",
            SsoReject::UserWithoutPuid => "user_without_puid",
            SsoReject::WithoutApiKey => "group_without_api_key",
            SsoReject::AttributeMissing { .. } => "provisioning_attribute_missing",
            SsoReject::AttributeSeveral { .. } => "provisioning_attribute_several",
            SsoReject::FieldInvalid { .. } => "provisioning_field_invalid",
            SsoReject::FieldTaken { .. } => "provisioning_field_taken",
            SsoReject::RoleUnknown { .. } => "provisioning_role_unknown",
            SsoReject::NotFoundAgain { .. } => "provisioning_not_found_again",
        }
    }

    /// The rule in a few words.
    fn name(&self) -> &'static str {
        match self {
            SsoReject::UnknownGroup { .. } | SsoReject::GroupOff => "Group",
            SsoReject::Off | SsoReject::WithoutKeys | SsoReject::WithoutIssuer => "Configuration",
            SsoReject::WithoutEndpoint | SsoReject::WithoutOwnKey | SsoReject::SettingsChanged => {
                "Configuration"
            }
            SsoReject::WithoutResponse | SsoReject::ResponseTooLong { .. } => "Response",
            SsoReject::Response(_) => "Response",
            SsoReject::Replay | SsoReject::BeforeRestore => "First use",
            SsoReject::WithoutIdentifier
            | SsoReject::IdentityAttributeMissing { .. }
            | SsoReject::AttributeNamesNobody { .. }
            | SsoReject::UserUnknown { .. }
            | SsoReject::UserAmbiguous { .. }
            | SsoReject::UserConflict { .. } => "Which user",
            SsoReject::UserInactive | SsoReject::UserSuspended => "User may sign in",
            SsoReject::UserWithoutPuid | SsoReject::WithoutApiKey => "Login key",
            SsoReject::AttributeMissing { .. }
            | SsoReject::AttributeSeveral { .. }
            | SsoReject::FieldInvalid { .. }
            | SsoReject::FieldTaken { .. }
            | SsoReject::NotFoundAgain { .. }
            | SsoReject::RoleUnknown { .. } => "Autoprovisioning",
        }
    }

    /// The section of the guide, or the clause of the standard.
    fn clause(&self) -> &'static str {
        match self {
            SsoReject::Response(reject) => reject.clause(),
            SsoReject::Replay | SsoReject::BeforeRestore => "Profiles 4.1.4.5",
            SsoReject::WithoutIdentifier
            | SsoReject::IdentityAttributeMissing { .. }
            | SsoReject::AttributeNamesNobody { .. }
            | SsoReject::UserUnknown { .. }
            | SsoReject::UserAmbiguous { .. }
            | SsoReject::UserConflict { .. } => "docs/saml.md, Which user",
            SsoReject::UserWithoutPuid | SsoReject::WithoutApiKey => "docs/saml.md, Login keys",
            SsoReject::AttributeMissing { .. }
            | SsoReject::AttributeSeveral { .. }
            | SsoReject::FieldInvalid { .. }
            | SsoReject::FieldTaken { .. }
            | SsoReject::NotFoundAgain { .. }
            | SsoReject::RoleUnknown { .. } => "docs/saml.md, Autoprovisioning",
            _ => "docs/saml.md, Every field",
        }
    }

    /// What would have passed.
    pub fn expected(&self) -> String {
        match self {
            SsoReject::UnknownGroup { .. } => "a group: idpid, idpname, idptoken or username".into(),
            SsoReject::GroupOff => "a group that is switched on".into(),
            SsoReject::SettingsChanged => "the settings and keys by which the response was judged".into(),
            SsoReject::Off => "SAML 2.0 or Encrypted SAML 2.0".into(),
            SsoReject::WithoutKeys => "at least one X.509 Public Key".into(),
            SsoReject::WithoutIssuer => "an Identity Provider Entity ID".into(),
            SsoReject::WithoutEndpoint => "an Identity Provider Endpoint URL".into(),
            SsoReject::WithoutOwnKey => "a key pair of ours to decrypt with".into(),
            SsoReject::WithoutResponse => "the form field SAMLResponse".into(),
            SsoReject::ResponseTooLong { most } => format!("a form of at most {} KiB", most / 1024),
            SsoReject::Response(reject) => reject.expected.clone(),
            SsoReject::Replay => "an assertion that was not used before".into(),
            SsoReject::BeforeRestore => "an assertion that was made after this server was restored from a backup".into(),
            SsoReject::WithoutIdentifier => "a value of the identity attribute, or a NameID".into(),
            SsoReject::IdentityAttributeMissing { attribute, .. } => format!("a value of the attribute {attribute}"),
            SsoReject::AttributeNamesNobody { attribute, .. } => {
                format!("a user of the group whom the attribute {attribute} names, whoever the NameID names")
            }
            SsoReject::UserUnknown { .. } => {
                "the Partner User ID, Glance Address or e-mail address of a user of the group".into()
            }
            SsoReject::UserAmbiguous { .. } => "exactly one user".into(),
            SsoReject::UserConflict { .. } => "the attribute and the NameID name one user".into(),
            SsoReject::UserInactive | SsoReject::UserSuspended => {
                "an active user who is not suspended".into()
            }
            SsoReject::UserWithoutPuid => "a user with a Partner User ID".into(),
            SsoReject::WithoutApiKey => "an API key of the group".into(),
            SsoReject::AttributeMissing { field, attribute }
            | SsoReject::AttributeSeveral { field, attribute } => {
                format!("one value of the attribute {attribute}, for {field}")
            }
            SsoReject::FieldInvalid { field, .. } => format!("a {field} that keeps its rule"),
            SsoReject::FieldTaken { field, .. } => format!("a {field} that nobody has yet"),
            SsoReject::RoleUnknown { .. } => "the name of a role of the group".into(),
            SsoReject::NotFoundAgain { .. } => {
                "a PartnerUID, GlanceAddress or Email that equals the identity attribute, or the NameID when it did not come"
                    .into()
            }
        }
    }

    /// What came.
    pub fn got(&self) -> String {
        match self {
            SsoReject::Off => "Off".into(),
            SsoReject::GroupOff => "switched off".into(),
            SsoReject::SettingsChanged => "settings or keys that were changed meanwhile".into(),
            SsoReject::ResponseTooLong { .. } => "a larger one, which was not read".into(),
            SsoReject::Response(reject) => reject.got.clone(),
            SsoReject::Replay => "one that was used before".into(),
            SsoReject::BeforeRestore => "an older one, which may have been used before".into(),
            SsoReject::UnknownGroup { got } if got.is_empty() => "none".into(),
            SsoReject::UnknownGroup { got }
            | SsoReject::AttributeNamesNobody { got, .. }
            | SsoReject::UserUnknown { got }
            | SsoReject::UserAmbiguous { got }
            | SsoReject::UserConflict { got }
            | SsoReject::FieldInvalid { got, .. }
            | SsoReject::FieldTaken { got, .. }
            | SsoReject::NotFoundAgain { got }
            | SsoReject::RoleUnknown { got } => got.clone(),
            SsoReject::IdentityAttributeMissing { got, .. } if got.is_empty() => "none, and no NameID".into(),
            SsoReject::IdentityAttributeMissing { got, .. } => format!("only {got}"),
            SsoReject::UserInactive => "a former member".into(),
            SsoReject::UserSuspended => "suspended".into(),
            SsoReject::AttributeSeveral { .. } => "several".into(),
            _ => "none".into(),
        }
    }

    /// What an administrator would most likely have to do.
    pub fn repair(&self) -> &'static str {
        match self {
            SsoReject::UnknownGroup { .. } => {
                "Correct the address: it must name the group, as in idpid=12345."
            }
            SsoReject::GroupOff => "Switch the group on again: an operator can, on the group's Settings.",
            SsoReject::SettingsChanged => "Sign in once more; the new settings are used then.",
            SsoReject::Off => "Set the Single Sign-On Method in SSO Configure.",
            SsoReject::WithoutKeys | SsoReject::WithoutIssuer | SsoReject::WithoutEndpoint => {
                "Upload the identity provider's metadata in SSO Configure."
            }
            SsoReject::WithoutOwnKey => {
                "Make a key pair in SSO Configure and give the identity provider its certificate."
            }
            SsoReject::WithoutResponse => "The identity provider must post its answer as a form.",
            SsoReject::ResponseTooLong { .. } => {
                "Have the identity provider send less: as a rule it lists every group that the person is in. Leave out \
                 the attributes that no field of SSO Configure names."
            }
            SsoReject::Response(reject) => reject.repair(),
            SsoReject::BeforeRestore => "Sign in once more; the next answer is new.",
            SsoReject::Replay => "Start a new sign-in; going back in the browser sends the old answer again.",
            SsoReject::IdentityAttributeMissing { .. } => {
                "Have the identity provider send the attribute, or correct the User Identity Attribute Name. If the \
                 NameID may name users too, switch on “Take the NameID when the attribute is missing”."
            }
            SsoReject::AttributeNamesNobody { .. } => {
                "The attribute decides, and it names no user of this group, though the NameID names one. Correct the \
                 attribute at the identity provider or the user's e-mail address; if the NameID is what should name \
                 users, empty the User Identity Attribute Name."
            }
            SsoReject::WithoutIdentifier | SsoReject::UserUnknown { .. } => {
                "Compare the value that came to the user's Partner User ID, Glance Address and e-mail \
                 address; correct one of them, or the User Identity Attribute Name, or autoprovision."
            }
            SsoReject::UserAmbiguous { .. } => {
                "Give each user an e-mail address of their own, or identify users by Partner User ID."
            }
            SsoReject::UserConflict { .. } => {
                "Let the identity provider send one person's values, or correct the user who has the other's."
            }
            SsoReject::UserInactive | SsoReject::UserSuspended => {
                "Activate or reinstate the user, if they should be let in."
            }
            SsoReject::UserWithoutPuid => "Give the user a Partner User ID.",
            SsoReject::WithoutApiKey => "Set the group's API key.",
            SsoReject::AttributeMissing { .. } | SsoReject::AttributeSeveral { .. } => {
                "Let the identity provider send the attribute with one value, or change the mapping."
            }
            SsoReject::FieldInvalid { .. } => "Change the mapping so that the field keeps its rule.",
            SsoReject::FieldTaken { .. } => {
                "Let an administrator decide whether this is the same person, and set the Partner User ID; \
                 or change the mapping so that people have different values."
            }
            SsoReject::RoleUnknown { .. } => "Make the role, or change the mapping.",
            SsoReject::NotFoundAgain { .. } => {
                "Map PartnerUID to what identifies the user, such as {NameID} or the identity attribute."
            }
        }
    }

    /// The line of the list of checks that it failed, numbered after those that passed.
    pub(super) fn check(&self, number: u16) -> Check {
        Check {
            number,
            name: self.name().into(),
            clause: self.clause().into(),
            outcome: CheckOutcome::Failed,
            expected: self.expected(),
            got: self.got(),
        }
    }
}
