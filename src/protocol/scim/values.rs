//! Reads single values of a SCIM document: texts, flags, and the one kept value of a list.

use serde_json::Value;

use super::ScimReject;
use super::path::member;

/// Reads an identifier; numbers count as text, because some clients write them so.
pub(super) fn identifier(object: &Value, name: &str) -> Result<Option<String>, ScimReject> {
    match member(object, name) {
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        _ => text(object, name),
    }
}

pub(super) fn text(object: &Value, name: &str) -> Result<Option<String>, ScimReject> {
    match member(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ScimReject::value(format!("{name} is a text."))),
    }
}

/// Passes a document whose `schemas` name `schema`, or that has none. RFC 7643 §3. Other schemas beside it are
/// extensions, which may be passed over.
pub(super) fn speaks(document: &Value, schema: &str) -> Result<(), ScimReject> {
    let names = match member(document, "schemas") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(names)) => names,
        Some(_) => return Err(ScimReject::value("schemas is a list.")),
    };
    let is_named = names.iter().filter_map(Value::as_str).any(|name| name.eq_ignore_ascii_case(schema));
    if is_named { Ok(()) } else { Err(ScimReject::value(format!("schemas does not name {schema}."))) }
}

/// Reads a boolean, also as text: Entra ID writes `"False"`.
pub(super) fn flag(object: &Value, name: &str) -> Result<Option<bool>, ScimReject> {
    match member(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(ScimReject::value(format!("{name} is true or false."))),
    }
}

/// The one value that we keep of a multi-valued attribute: the last that is primary, else the work one,
/// else one without a type. Of e-mail addresses any other will do; a mobile or fax number is not taken for
/// the phone number, because it comes beside that in an order of its own.
pub(super) fn kept_value(document: &Value, name: &str, any_will_do: bool) -> Result<String, ScimReject> {
    let elements = match member(document, name) {
        None | Some(Value::Null) => return Ok(String::new()),
        Some(Value::Array(elements)) => elements,
        Some(_) => return Err(ScimReject::value(format!("{name} is a list."))),
    };
    let mut best: Option<(u8, String)> = None;
    for element in elements {
        let (value, kind, primary) = match element {
            // OneLogin and scripts write plain texts.
            Value::String(text) => (Some(text.clone()), None, None),
            Value::Object(_) => (text(element, "value")?, text(element, "type")?, flag(element, "primary")?),
            _ => return Err(ScimReject::value(format!("Each of {name} is an object."))),
        };
        let rank = match kind.as_deref() {
            _ if primary == Some(true) => 3,
            Some(kind) if kind.eq_ignore_ascii_case("work") => 2,
            None | Some("") => 1,
            Some(_) if any_will_do => 0,
            Some(_) => continue,
        };
        let is_better = match &best {
            Some((present, _)) => rank > *present || rank == 3,
            None => true,
        };
        if let Some(value) = value.filter(|_| is_better) {
            best = Some((rank, value));
        }
    }
    Ok(best.map(|(_, value)| value).unwrap_or_default())
}
