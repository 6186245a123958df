//! The fields of SSO Configure: name, label, help text, how a value is read and written.
//!
//! One table behind the console's form, `sidelight sso set`, the seed file and the manual, so that a field
//! has one name, one rule and one explanation everywhere. Wire contract §3.2 and §3.8.

use sha2::{Digest, Sha256};

use super::endpoint::reserved_parameter;
use super::template::Template;
use super::{
    AcsStyle, AuthnContext, Autoprovision, Choice, Configuration, EndpointType, Method, NameIdPolicy,
    SKEW_SECONDS_MAX, Status,
};
use crate::error::{Error, Result};
use crate::model::GroupId;
use crate::model::relative::RelativeTarget;

/// How a field is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// One line of text.
    Line,
    /// On or off: `true` or `false`.
    Switch,
    /// One of these.
    OneOf(&'static [Choice]),
}

/// Which fields stand together; [`super::step`] says on which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Connection,
    Request,
    Answer,
    SignIn,
    Legacy,
    Autoprovisioning,
}

/// One field.
pub struct Field {
    /// Its name in forms, on the command line and in the seed file.
    pub name: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    /// What is said when the field is set to something that weakens security; empty where nothing does.
    pub warning: &'static str,
    pub entry: Entry,
    pub section: Section,
    read: fn(&Configuration) -> String,
    write: fn(&mut Configuration, &str) -> std::result::Result<(), String>,
}

impl Field {
    /// The field's value as text.
    pub fn value(&self, configuration: &Configuration) -> String {
        (self.read)(configuration)
    }

    /// Whether the warning applies to this configuration.
    pub fn warns(&self, configuration: &Configuration) -> bool {
        !self.warning.is_empty() && self.value(configuration) == "true"
    }
}

/// A name that stood here once: the sites that may frame our pages belong to the group. Seed files still say it here.
pub const MOVED_TO_GROUP: &str = "allowed_sites";

/// Finds a field by its name, in any case; `-` may stand for `_`.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| is_named(field.name, name))
}

/// Whether somebody wrote this field's name: in any case; `-` may stand for `_`.
pub fn is_named(field: &str, written: &str) -> bool {
    written.trim().replace('-', "_").eq_ignore_ascii_case(field)
}

/// Sets a field.
///
/// # Errors
/// `Invalid` with code `unknown_field` or `invalid_field`, the field's name, and a sentence with the rule.
pub fn set(configuration: &mut Configuration, name: &str, value: &str) -> Result<()> {
    let field = field(name).ok_or_else(|| unknown(name))?;
    (field.write)(configuration, value.trim())
        .map_err(|why| Error::invalid("invalid_field", field.name, format!("{}: {why}", field.label)))
}

fn unknown(name: &str) -> Error {
    let public = match is_named(MOVED_TO_GROUP, name) {
        true => {
            "Allowed sites are a setting of the group, not of SSO Configure: see Settings in the console, or \
                 sidelight group sites."
                .to_owned()
        }
        false => format!("SSO Configure has no field “{name}”."),
    };
    Error::invalid("unknown_field", name, public)
}

/// Whether a field takes a value.
pub fn takes(name: &str, value: &str) -> bool {
    set(&mut Configuration::off(GroupId(0)), name, value).is_ok()
}

/// Names the values of some fields: 16 hexadecimal digits. Two configurations that agree in these fields have one
/// edition, so that anyone who saves one page is not stopped by a change on another.
pub fn edition<'f>(configuration: &Configuration, of: impl IntoIterator<Item = &'f Field>) -> String {
    let mut hash = Sha256::new();
    for field in of {
        let value = field.value(configuration);
        hash.update(value.len().to_be_bytes());
        hash.update(value.as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Most characters of a line of text.
const LINE_MAX: usize = 1_000;

type Written = std::result::Result<(), String>;

fn line(place: &mut String, value: &str) -> Written {
    if value.chars().count() > LINE_MAX || value.contains(char::is_control) {
        return Err(format!("at most {LINE_MAX} characters on one line."));
    }
    value.clone_into(place);
    Ok(())
}

fn choice<T>(place: &mut T, choices: &[Choice], value: &str, parse: fn(&str) -> Option<T>) -> Written {
    let all = || choices.iter().map(|c| c.word).collect::<Vec<_>>().join(", ");
    *place = parse(value).ok_or_else(|| format!("“{value}” is none of {}.", all()))?;
    Ok(())
}

fn switch(place: &mut bool, value: &str) -> Written {
    *place = match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => true,
        "false" | "no" | "off" | "0" | "" => false,
        _ => return Err(format!("“{value}” is neither true nor false.")),
    };
    Ok(())
}

fn template(place: &mut Template, value: &str) -> Written {
    *place = Template::parse(value).map_err(|e| e.0)?;
    Ok(())
}

/// Reads an endpoint: https, or http to this very machine as tests have it.
fn endpoint(place: &mut String, value: &str) -> Written {
    let web = value.is_empty() || origin_of(value).is_some();
    let plain = value.bytes().all(|b| (0x21..0x7f).contains(&b) && !matches!(b, b'"' | b'<' | b'>' | b'\\'));
    if !web || !plain || value.contains('#') {
        return Err("an address that begins with https:// and has no fragment.".to_owned());
    }
    if let Some(name) = reserved_parameter(value) {
        return Err(format!(
            "its query has “{name}”, which each sign-in brings itself. Leave out what follows the question mark, unless \
             the identity provider's people say that a part of it belongs there."
        ));
    }
    line(place, value)
}

/// Scheme and authority of an https address, or of an http address of this very machine.
pub fn origin_of(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().filter(|a| !a.is_empty())?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) { host } else { authority }
    });
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let fine =
        host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':'));
    let scheme_fits = scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && local);
    (scheme_fits && fine).then(|| address.get(..scheme.len() + 3 + authority.len())).flatten()
}

fn seconds(place: &mut i64, value: &str) -> Written {
    let read = value.parse().ok().filter(|s| (0..=SKEW_SECONDS_MAX).contains(s));
    *place = read.ok_or_else(|| format!("whole seconds from 0 to {SKEW_SECONDS_MAX}."))?;
    Ok(())
}

fn relative(place: &mut String, value: &str) -> Written {
    if !value.is_empty() && RelativeTarget::parse(value).is_none() {
        return Err(
            "a path of this server that begins with one slash, such as /agentjoin/agentjoin.aspx.".to_owned()
        );
    }
    line(place, value)
}

fn required(place: &mut String, value: &str) -> Written {
    if value.is_empty() { Err("must not be empty.".to_owned()) } else { line(place, value) }
}

fn account(place: &mut Option<String>, value: &str) -> Written {
    let mut text = String::new();
    line(&mut text, value)?;
    *place = Some(text).filter(|t| !t.is_empty());
    Ok(())
}

macro_rules! fields {
    ($($section:ident $name:literal $label:literal $entry:expr;
       $help:literal $(warning $warning:literal)?
       => |$c:ident| $read:expr, |$place:ident, $value:ident| $write:expr;)*) => {
        /// Every field, in the order of the screen.
        pub static FIELDS: &[Field] = &[$(Field {
            name: $name,
            label: $label,
            help: $help,
            warning: concat!($($warning)?),
            entry: $entry,
            section: Section::$section,
            read: |$c| $read,
            write: |$place, $value| $write,
        },)*];
    };
}

fields! {
    Connection "method" "Single Sign-On Method" Entry::OneOf(Method::CHOICES);
        "Off: nobody of this group signs in by SAML. SAML 2.0: the identity provider signs its answers. \
         Encrypted SAML 2.0: it also encrypts them to our certificate, and answers in the clear are refused."
        => |c| c.method.as_str().into(), |c, v| choice(&mut c.method, Method::CHOICES, v, Method::parse);
    Connection "description" "Description" Entry::Line;
        "For you: which identity provider this is, and whom to call about it."
        => |c| c.description.clone(), |c, v| line(&mut c.description, v);
    Connection "status" "Operational Status" Entry::OneOf(Status::CHOICES);
        "Provisioning: every attempt is logged with its numbered checks, and the attributes of recent \
         assertions are shown to pick from. Production: only refusals keep their checks."
        => |c| c.status.as_str().into(), |c, v| choice(&mut c.status, Status::CHOICES, v, Status::parse);
    Connection "idp_entity_id" "Identity Provider Entity ID" Entry::Line;
        "How the identity provider names itself: the Issuer of its answers. Answers of anybody else are \
         refused. The metadata file fills this in."
        => |c| c.idp_entity_id.clone(), |c, v| line(&mut c.idp_entity_id, v);
    Connection "endpoint_url" "Identity Provider Endpoint URL" Entry::Line;
        "Where a browser is sent to sign in. The metadata file fills this in. Empty: only the identity \
         provider can start a sign-in."
        => |c| c.endpoint_url.clone(), |c, v| endpoint(&mut c.endpoint_url, v);
    Connection "endpoint_type" "Identity Provider Endpoint Type" Entry::OneOf(EndpointType::CHOICES);
        "How the request travels to that URL: in the address (https redirect) or in a form (https POST)."
        => |c| c.endpoint_type.as_str().into(),
           |c, v| choice(&mut c.endpoint_type, EndpointType::CHOICES, v, EndpointType::parse);
    Connection "entity_id" "Entity ID" Entry::Line;
        "How we name ourselves to the identity provider; it must name this as the audience of its answers. \
         Usually glance.net/sp/1."
        => |c| c.sp_entity_id.clone(), |c, v| required(&mut c.sp_entity_id, v);
    SignIn "identity_attribute" "User Identity Attribute Name" Entry::Line;
        "The attribute whose value names the user: by Partner User ID, Glance Address or e-mail address. \
         When it comes, it decides: naming nobody is a refusal, unless autoprovisioning makes the user, and so is a \
         NameID of another user. Several values are tried each. Empty: the NameID alone names the user."
        => |c| c.identity_attribute.clone(), |c, v| line(&mut c.identity_attribute, v);
    SignIn "name_id_when_missing" "Take the NameID when the attribute is missing" Entry::Switch;
        "On: when the User Identity Attribute does not come, the NameID names the user. On for every group that did not switch \
         it off, because Glance compares both. Off: such an answer is refused; choose it when people can set their \
         NameID at the identity provider themselves."
        => |c| c.name_id_when_missing.to_string(), |c, v| switch(&mut c.name_id_when_missing, v);
    SignIn "account_id" "Unique Account ID" Entry::Line;
        "Optional. A name for this group in addresses: idptoken=…, such as a Salesforce Organization ID or \
         an Entra tenant name."
        => |c| c.account_id.clone().unwrap_or_default(), |c, v| account(&mut c.account_id, v);
    Answer "idp_initiated" "Sign-ins that the identity provider starts" Entry::Switch;
        "Take an answer to which there was no request: a click on the tile in the identity provider's \
         portal. Off: only sign-ins that began here."
        => |c| c.idp_initiated_allowed.to_string(), |c, v| switch(&mut c.idp_initiated_allowed, v);
    Answer "idp_initiated_redirect" "Redirect for IdP-initiated sessions" Entry::Line;
        "Where a browser goes after a sign-in that the identity provider started: a path of this server, \
         such as /agentjoin/agentjoin.aspx. Empty: it gets the login key as text."
        => |c| c.idp_initiated_redirect.clone(), |c, v| relative(&mut c.idp_initiated_redirect, v);
    Answer "keep_responses" "Keep responses while in Provisioning" Entry::Switch;
        "Keeps each response for 24 hours, sealed, so that it can be judged again at another time or with \
         other settings. Responses hold personal data: switch it off when you are done."
        => |c| c.keep_responses.to_string(), |c, v| switch(&mut c.keep_responses, v);
    Request "authn_context" "Authentication Context" Entry::OneOf(AuthnContext::CHOICES);
        "How the request asks the identity provider to sign the person in. None leaves it to the identity \
         provider. Glance's guide says that most want a context. Ours is None all the same, because one that a person's \
         sign-in does not meet ends in an error at the identity provider (Entra: AADSTS75011). Choose the one that \
         yours names."
        => |c| c.authn_context.as_str().into(),
           |c, v| choice(&mut c.authn_context, AuthnContext::CHOICES, v, AuthnContext::parse);
    Request "acs_style" "ACS Parameter Style" Entry::OneOf(AcsStyle::CHOICES);
        "RelayState: the address that we ask to be answered at is always the same, as identity providers \
         that compare it literally want it. URL parameters: what to do afterwards is appended to it, which \
         Glance's guide calls usual; ours is RelayState, because an address with more parameters than the identity \
         provider was told is refused by most. Embedded sign-in uses RelayState all the same."
        => |c| c.acs_style.as_str().into(), |c, v| choice(&mut c.acs_style, AcsStyle::CHOICES, v, AcsStyle::parse);
    Request "name_id_policy" "Name ID Policy" Entry::OneOf(NameIdPolicy::CHOICES);
        "Which kind of name the request asks for. Most identity providers want Email address, some \
         Unspecified; Omit asks for none."
        => |c| c.name_id_policy.as_str().into(),
           |c, v| choice(&mut c.name_id_policy, NameIdPolicy::CHOICES, v, NameIdPolicy::parse);
    Request "clock_skew" "Clock skew" Entry::Line;
        "How many seconds the identity provider's clock may be off, in either direction. 60 is right unless \
         a clock is wrong; then set the clock."
        => |c| c.skew_seconds.to_string(), |c, v| seconds(&mut c.skew_seconds, v);
    Legacy "allow_sha1" "Take SHA-1 signatures" Entry::Switch;
        "For identity providers that cannot sign with SHA-256."
        warning "SHA-1 is broken: collisions can be bought. Ask for RSA-SHA256, then switch this off."
        => |c| c.allow_sha1.to_string(), |c, v| switch(&mut c.allow_sha1, v);
    Legacy "allow_rsa15" "Take RSA 1.5 key transport" Entry::Switch;
        "For identity providers that cannot encrypt with RSA-OAEP."
        warning "RSA 1.5 lets an attacker who can send many responses decrypt captured ones. Ask for \
                 RSA-OAEP, then switch this off."
        => |c| c.allow_rsa15.to_string(), |c, v| switch(&mut c.allow_rsa15, v);
    Legacy "allow_3des" "Take Triple DES encryption" Entry::Switch;
        "For identity providers that encrypt with Triple DES, as pysaml2 does unless it is told otherwise (SATOSA, \
         djangosaml2idp)."
        warning "Triple DES is not authenticated and its blocks are short: whoever can send many responses can learn \
                 what captured ones say. Ask for AES-GCM, then switch this off."
        => |c| c.allow_triple_des.to_string(), |c, v| switch(&mut c.allow_triple_des, v);
    Autoprovisioning "autoprovision" "Autoprovision" Entry::OneOf(Autoprovision::CHOICES);
        "What happens when somebody signs in whom the identity provider knows and this group does not."
        => |c| c.autoprovision.as_str().into(),
           |c, v| choice(&mut c.autoprovision, Autoprovision::CHOICES, v, Autoprovision::parse);
    Autoprovisioning "glance_address" "GlanceAddress" Entry::Line;
        "Required. Text with attributes in braces, such as {FirstName}.{LastName}.example.glance.net; accents \
         and spaces are replaced by what an address may hold."
        => |c| c.mapping.glance_address.to_string(), |c, v| template(&mut c.mapping.glance_address, v);
    Autoprovisioning "partner_uid" "PartnerUID" Entry::Line;
        "The Partner User ID: should be the value that signs the user in next time, such as {NameID}."
        => |c| c.mapping.partner_uid.to_string(), |c, v| template(&mut c.mapping.partner_uid, v);
    Autoprovisioning "first_name" "FirstName" Entry::Line;
        "Such as {givenName}."
        => |c| c.mapping.first_name.to_string(), |c, v| template(&mut c.mapping.first_name, v);
    Autoprovisioning "last_name" "LastName" Entry::Line;
        "Such as {sn}."
        => |c| c.mapping.last_name.to_string(), |c, v| template(&mut c.mapping.last_name, v);
    Autoprovisioning "email" "Email" Entry::Line;
        "Such as {mail}."
        => |c| c.mapping.email.to_string(), |c, v| template(&mut c.mapping.email, v);
    Autoprovisioning "phone" "Phone" Entry::Line;
        "Such as {telephoneNumber}."
        => |c| c.mapping.phone.to_string(), |c, v| template(&mut c.mapping.phone, v);
    Autoprovisioning "role" "Role" Entry::Line;
        "The name of a role of this group, as text for everybody (Agent) or from an attribute ({role})."
        => |c| c.mapping.role.to_string(), |c, v| template(&mut c.mapping.role, v);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::GroupId;

    #[test]
    fn every_field_reads_back_what_it_wrote() {
        let before = Configuration::off(GroupId(7));
        let mut after = before.clone();
        for field in FIELDS {
            set(&mut after, field.name, &field.value(&before)).unwrap();
        }
        assert_eq!(after, before);
    }

    #[test]
    fn a_field_says_which_rule_its_value_breaks() {
        for (name, value, code) in [
            ("method", "Encrypted SAML 2.0", None),
            ("METHOD", "encrypted_saml", None),
            ("method", "kerberos", Some("invalid_field")),
            ("clock-skew", "90", None),
            ("clock_skew", "601", Some("invalid_field")),
            ("clock_skew", "-1", Some("invalid_field")),
            ("idp_initiated_redirect", "/agentjoin/agentjoin.aspx", None),
            ("idp_initiated_redirect", "https://evil.example/", Some("invalid_field")),
            ("idp_initiated_redirect", "//evil.example/", Some("invalid_field")),
            ("endpoint_url", "https://idp.example.com/sso?x=1", None),
            ("endpoint_url", "http://127.0.0.1:8080/sso", None),
            ("endpoint_url", "http://idp.example.com/sso", Some("invalid_field")),
            ("endpoint_url", "javascript:alert(1)", Some("invalid_field")),
            ("endpoint_url", "https://user@evil.example/", Some("invalid_field")),
            ("endpoint_url", "https://idp.example.com/sso?SAMLRequest=x", Some("invalid_field")),
            ("endpoint_url", "https://idp.example.com/sso?tenant=1&RelayState=", Some("invalid_field")),
            ("allowed_sites", "https://crm.example.com", Some("unknown_field")),
            ("entity_id", "", Some("invalid_field")),
            ("glance_address", "{FirstName}.example.glance.net", None),
            ("glance_address", "{FirstName", Some("invalid_field")),
            ("nonsense", "1", Some("unknown_field")),
        ] {
            let mut configuration = Configuration::off(GroupId(7));
            let got = set(&mut configuration, name, value).err().map(|e| e.code);
            assert_eq!(got, code, "{name}={value}");
        }
    }
}
