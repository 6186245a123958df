//! The fields of a person, a role and a group: each read from text by one rule, whichever surface the text
//! came through. Wire contract §1, §4.2 and §5. A person's lines of text are read by [`crate::model::person`].
//!
//! An error names the field in the house's words (`first_name`); a surface puts its own wire's name in its
//! place. White space around names and addresses is not part of them; a PUID is kept exactly as given.

use crate::error::{Error, Result};
use crate::model::text::{line, too_long};
use crate::model::{GLANCE_ADDRESS_MAX, GlanceAddress, PUID_MAX, Puid, ROLE_NAME_MAX};

/// Most characters of a description. Wire contract §5.3.
pub const DESCRIPTION_MAX: usize = 255;
/// Most characters of a group's or an operator's name. Our own choice.
pub const TITLE_MAX: usize = 100;
/// Most characters of a setting's name. Our own choice.
pub const SETTING_MAX: usize = 64;

/// Reads a Glance Address.
///
/// # Errors
/// `Invalid`: `address_required`, `address_too_long`, `address_malformed`.
pub fn address(text: &str) -> Result<GlanceAddress> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid("address_required", "address", "The Glance Address is missing."));
    }
    if text.chars().count() > GLANCE_ADDRESS_MAX {
        return Err(too_long("address_too_long", "address", "The Glance Address", text, GLANCE_ADDRESS_MAX));
    }
    GlanceAddress::parse(text).ok_or_else(|| {
        let public = "A Glance Address has only letters a to z, digits, dots and hyphens, and neither dot nor \
                      hyphen first or last, such as doe.john.example.glance.net.";
        Error::invalid("address_malformed", "address", public)
    })
}

/// Reads a PUID.
///
/// # Errors
/// `Invalid`: `puid_required`, `puid_too_long`, `puid_malformed`, `puid_reserved`.
pub fn puid(text: &str) -> Result<Puid> {
    if text.is_empty() {
        return Err(Error::invalid("puid_required", "puid", "The Partner User ID is missing."));
    }
    if text.chars().count() > PUID_MAX {
        return Err(too_long("puid_too_long", "puid", "The Partner User ID", text, PUID_MAX));
    }
    if is_none_word(text) {
        let public = "-none- stands for no Partner User ID, and cannot be one.";
        return Err(Error::invalid("puid_reserved", "puid", public));
    }
    Puid::parse(text).ok_or_else(|| {
        let public = "The Partner User ID has a control character in it.";
        Error::invalid("puid_malformed", "puid", public)
    })
}

/// Reads the name of a role to be made.
///
/// # Errors
/// `Invalid`: `role_name_required`, `role_name_too_long`, `role_name_malformed`, `role_name_reserved`.
pub fn role_name(text: &str) -> Result<String> {
    let codes = ["role_name_too_long", "role_name_malformed"];
    let name = line(text, ROLE_NAME_MAX, "name", "The role's name", codes)?;
    if name.is_empty() {
        return Err(Error::invalid("role_name_required", "name", "The role's name is missing."));
    }
    // A star would read as a wildcard, and -none- as no role.
    if is_none_word(&name) || name.contains('*') {
        let public = "A role cannot be named -none-, and its name cannot have a star in it.";
        return Err(Error::invalid("role_name_reserved", "name", public));
    }
    Ok(name)
}

/// Reads the description of a role; it may be empty.
///
/// # Errors
/// `Invalid`: `description_too_long`, `description_malformed`.
pub fn description(text: &str) -> Result<String> {
    let codes = ["description_too_long", "description_malformed"];
    line(text, DESCRIPTION_MAX, "description", "The description", codes)
}

/// Reads the name of a group or an operator.
///
/// # Errors
/// `Invalid`: `name_required`, `name_too_long`, `name_malformed`.
pub fn title(text: &str) -> Result<String> {
    let name = line(text, TITLE_MAX, "name", "The name", ["name_too_long", "name_malformed"])?;
    if name.is_empty() {
        return Err(Error::invalid("name_required", "name", "The name is missing."));
    }
    Ok(name)
}

/// Reads a Unique Account ID; `None` when it is empty.
///
/// # Errors
/// `Invalid`: `account_id_too_long`, `account_id_malformed`.
pub fn account_id(text: &str) -> Result<Option<String>> {
    let codes = ["account_id_too_long", "account_id_malformed"];
    let id = line(text, 255, "account_id", "The Unique Account ID", codes)?;
    Ok(Some(id).filter(|id| !id.is_empty()))
}

/// Reads the name of a setting: a letter, then letters, digits, `_`, `-` and `.`.
///
/// # Errors
/// `Invalid`: `setting_malformed`.
pub fn setting(text: &str) -> Result<String> {
    let fits = text.len() <= SETTING_MAX
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if fits {
        return Ok(text.to_owned());
    }
    let public = format!(
        "A setting's name begins with a letter a to z, has only letters, digits, _, - and . in it, and at \
         most {SETTING_MAX} of them."
    );
    Err(Error::invalid("setting_malformed", "settings", public))
}

/// Whether `text` is the word that stands for "none" on the wire, in any case. Wire contract §4.5.
pub fn is_none_word(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("-none-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code<T>(outcome: Result<T>) -> Option<&'static str> {
        outcome.err().map(|e| e.code)
    }

    #[test]
    fn each_field_keeps_to_its_length_in_characters() {
        assert_eq!(code(puid(&"a".repeat(255))), None);
        assert_eq!(code(puid(&"a".repeat(256))), Some("puid_too_long"));
        assert_eq!(code(role_name(&"a".repeat(70))), None);
        assert_eq!(code(role_name(&"a".repeat(71))), Some("role_name_too_long"));
        assert_eq!(code(description(&"a".repeat(256))), Some("description_too_long"));
        assert_eq!(code(address(&"a".repeat(128))), Some("address_too_long"));
    }

    #[test]
    fn what_is_required_is_missed_by_name() {
        assert_eq!(code(address(" ")), Some("address_required"));
        assert_eq!(code(puid("")), Some("puid_required"));
        assert_eq!(code(role_name("")), Some("role_name_required"));
        assert_eq!(address("").unwrap_err().field.as_deref(), Some("address"));
    }

    #[test]
    fn words_with_a_meaning_on_the_wire_name_nothing() {
        assert_eq!(code(puid("-NONE-")), Some("puid_reserved"));
        assert_eq!(code(role_name("-none-")), Some("role_name_reserved"));
        assert_eq!(code(role_name("Sales*")), Some("role_name_reserved"));
    }

    #[test]
    fn addresses_and_names_are_trimmed_and_a_puid_is_not() {
        assert_eq!(address(" a.b ").unwrap().as_str(), "a.b");
        assert_eq!(role_name(" Agent ").unwrap(), "Agent");
        assert_eq!(puid(" E1").unwrap().as_str(), " E1");
        assert_eq!(code(address("a_b")), Some("address_malformed"));
        assert_eq!(code(role_name("a\nb")), Some("role_name_malformed"));
    }

    #[test]
    fn settings_are_plain_words() {
        assert_eq!(code(setting("viewVideo")), None);
        for bad in ["", "1a", "a b", "a:b", "a;b", &"a".repeat(65)] {
            assert_eq!(code(setting(bad)), Some("setting_malformed"), "{bad:?}");
        }
    }
}
