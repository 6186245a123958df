//! Reads PATCH requests and applies them to a document. RFC 7644 §3.5.2, and how identity providers write
//! them:
//!
//! - Entra ID: `"op": "Add"`, paths with filters (`emails[type eq "work"].value`) for values that may not
//!   exist yet, dotted keys in a replacement without a path, booleans as text, a removal that lists its
//!   values under `"value"` instead of in the path.
//! - Okta: a replacement without a path that repeats `id`.
//!
//! What may be changed at all is judged by who reads the document afterwards: [`super::user`].

use serde_json::{Map, Value};

use super::evaluate::meets;
use super::filter::{Comparison, Filter};
use super::path::{AttrPath, TEXT_MAX, key_of, member};
use super::values::speaks;
use super::{PATCH_SCHEMA, ScimReject, ScimType};

/// Most operations of one request.
const OPERATIONS_MAX: usize = 1_000;
/// Most values that one attribute may have after a PATCH.
const VALUES_MAX: usize = 10_000;

/// The attributes of users and groups that have several values. RFC 7643 §4.1.2, §4.2.
const MULTI_VALUED: [&str; 10] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
];

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Add,
    Remove,
    Replace,
}

/// One operation of a PATCH.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub op: Op,
    /// Always there for a removal.
    pub path: Option<PatchPath>,
    /// Null when there is none.
    pub value: Value,
}

/// The target of an operation: `attribute`, `attribute[filter]`, `attribute[filter].sub`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    pub attribute: AttrPath,
    pub filter: Option<Filter>,
    /// The sub-attribute behind a bracket; one without a bracket is part of `attribute`.
    pub sub: Option<String>,
}

impl PatchPath {
    /// Reads a path.
    ///
    /// # Errors
    /// `invalidPath` when it breaks the grammar.
    pub fn parse(text: &str) -> Result<PatchPath, ScimReject> {
        let text = text.trim();
        let malformed = || ScimReject::path(format!("{text:?} is no path."));
        if text.len() > TEXT_MAX {
            return Err(ScimReject::path("The path is too long."));
        }
        let Some((attribute, rest)) = text.split_once('[') else {
            return Ok(PatchPath { attribute: AttrPath::parse(text)?, filter: None, sub: None });
        };
        let (filter, after) = rest.rsplit_once(']').ok_or_else(malformed)?;
        let sub = match after.strip_prefix('.') {
            Some(sub) => Some(AttrPath::parse(sub)?),
            None if after.is_empty() => None,
            None => return Err(malformed()),
        };
        if sub.as_ref().is_some_and(|s| s.sub.is_some() || s.extension.is_some()) {
            return Err(malformed());
        }
        let filter = Filter::parse(filter).map_err(|reject| ScimReject::path(reject.detail))?;
        let attribute = AttrPath::parse(attribute)?;
        Ok(PatchPath { attribute, filter: Some(filter), sub: sub.map(|s| s.name) })
    }
}

/// Reads the body of a PATCH request.
///
/// # Errors
/// `invalidSyntax` for a body that is no PATCH, `invalidPath` for a path that cannot be read, `noTarget` for
/// a removal without a path.
pub fn operations(body: &Value) -> Result<Vec<Operation>, ScimReject> {
    speaks(body, PATCH_SCHEMA)?;
    let list = member(body, "Operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| ScimReject::syntax("A PATCH needs a list named Operations."))?;
    if list.is_empty() || list.len() > OPERATIONS_MAX {
        return Err(ScimReject::syntax(format!("A PATCH has 1 to {OPERATIONS_MAX} Operations.")));
    }
    list.iter().map(operation).collect()
}

fn operation(item: &Value) -> Result<Operation, ScimReject> {
    let word = member(item, "op").and_then(Value::as_str).unwrap_or_default();
    let op = match word.to_ascii_lowercase().as_str() {
        "add" => Op::Add,
        "remove" => Op::Remove,
        "replace" => Op::Replace,
        _ => return Err(ScimReject::syntax("Each operation has an op: add, remove or replace.")),
    };
    let path = match member(item, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => Some(PatchPath::parse(text)?),
        Some(_) => return Err(ScimReject::path("A path is a text.")),
    };
    let value = member(item, "value").cloned().unwrap_or(Value::Null);
    match (op, &path, &value) {
        (Op::Remove, None, _) => Err(ScimReject::new(ScimType::NoTarget, "A removal needs a path.")),
        (Op::Add | Op::Replace, None, Value::Object(_)) => Ok(Operation { op, path, value }),
        (Op::Add | Op::Replace, None, _) => {
            Err(ScimReject::syntax("An operation without a path needs an object as its value."))
        }
        _ => Ok(Operation { op, path, value }),
    }
}

/// The operations with a path each: a value without a path is taken apart, one operation a key. Keys may
/// be dotted, full URNs, or even paths with filters. Those that name the resource rather than change it
/// (`schemas`, `id`, `meta`) are left out.
///
/// # Errors
/// `invalidPath` for a key that cannot be read.
pub fn with_paths(operations: Vec<Operation>) -> Result<Vec<Operation>, ScimReject> {
    let mut all = Vec::with_capacity(operations.len());
    for operation in operations {
        match (operation.path, operation.value) {
            (None, Value::Object(members)) => {
                for (key, value) in members {
                    let path = PatchPath::parse(&key)?;
                    if !["schemas", "id", "meta"].iter().any(|name| path.attribute.is(name)) {
                        all.push(Operation { op: operation.op, path: Some(path), value });
                    }
                }
            }
            (path, value) => all.push(Operation { op: operation.op, path, value }),
        }
    }
    Ok(all)
}

/// Applies operations to a document, in their order; the document is of use only when all succeed.
///
/// # Errors
/// `invalidValue`, `noTarget`, `invalidPath` as RFC 7644 §3.5.2 gives them; `mutability` for `id` and
/// `meta`.
pub fn apply(document: &mut Value, operations: Vec<Operation>) -> Result<(), ScimReject> {
    for operation in with_paths(operations)? {
        let Some(path) = &operation.path else { continue };
        if ["id", "meta", "schemas"].iter().any(|name| path.attribute.is(name)) {
            let detail = format!("{} cannot be changed.", path.attribute);
            return Err(ScimReject::new(ScimType::Mutability, detail));
        }
        apply_one(home(document, path)?, operation.op, path, operation.value)?;
    }
    Ok(())
}

/// The object that holds the attribute: the document, or the extension's object in it.
fn home<'d>(document: &'d mut Value, path: &PatchPath) -> Result<&'d mut Map<String, Value>, ScimReject> {
    let object = document.as_object_mut().ok_or_else(|| ScimReject::syntax("The resource is no object."))?;
    let Some(urn) = path.attribute.extension.as_deref().filter(|_| !path.attribute.name.is_empty()) else {
        return Ok(object);
    };
    let key = key_of(object, urn);
    object_at(object, key)
}

fn apply_one(
    home: &mut Map<String, Value>,
    op: Op,
    path: &PatchPath,
    value: Value,
) -> Result<(), ScimReject> {
    let name = match &path.attribute.extension {
        Some(urn) if path.attribute.name.is_empty() => urn,
        _ => &path.attribute.name,
    };
    let key = key_of(home, name);
    if let Some(filter) = &path.filter {
        return change_elements(home, &key, op, path, filter, value);
    }
    if let Some(sub) = &path.attribute.sub {
        return change_sub(home, key, op, sub, value);
    }
    // Setting to null and removing are one. RFC 7643 §2.5.
    if op == Op::Remove || value.is_null() {
        return remove(home, &key, value);
    }
    if is_multi_valued(name) {
        return change_list(home, key, op, value);
    }
    match (home.get_mut(&key), value) {
        (Some(Value::Object(present)), Value::Object(new)) => {
            for (sub, value) in new {
                let sub = key_of(present, &sub);
                present.insert(sub, value);
            }
        }
        (_, value) => {
            home.insert(key, unwrapped(value));
        }
    }
    Ok(())
}

/// Removes an attribute, or, as Entra ID asks for it, those of its values that are listed.
fn remove(home: &mut Map<String, Value>, key: &str, listed: Value) -> Result<(), ScimReject> {
    let listed = match listed {
        Value::Array(listed) if !listed.is_empty() => listed,
        Value::Object(one) => vec![Value::Object(one)],
        _ => {
            home.remove(key);
            return Ok(());
        }
    };
    if let Some(Value::Array(present)) = home.get_mut(key) {
        present.retain(|element| !listed.iter().any(|gone| same_value(element, gone)));
    }
    Ok(())
}

fn change_list(home: &mut Map<String, Value>, key: String, op: Op, value: Value) -> Result<(), ScimReject> {
    let new = match value {
        Value::Array(elements) => elements,
        one => vec![one],
    };
    if op == Op::Replace {
        home.insert(key, Value::Array(new));
        return Ok(());
    }
    let list = list_at(home, key)?;
    for element in new {
        if is_primary(&element) {
            for present in list.iter_mut() {
                set_sub(present, "primary", Value::Bool(false));
            }
        }
        if !list.contains(&element) {
            list.push(element);
        }
        if list.len() > VALUES_MAX {
            return Err(ScimReject::value(format!("An attribute has at most {VALUES_MAX} values.")));
        }
    }
    Ok(())
}

fn change_elements(
    home: &mut Map<String, Value>,
    key: &str,
    op: Op,
    path: &PatchPath,
    filter: &Filter,
    value: Value,
) -> Result<(), ScimReject> {
    if op == Op::Remove || value.is_null() {
        if let Some(Value::Array(list)) = home.get_mut(key) {
            match &path.sub {
                None => list.retain(|element| !meets(element, filter)),
                Some(sub) => {
                    for element in list.iter_mut().filter(|e| meets(e, filter)) {
                        take_sub(element, sub);
                    }
                }
            }
        }
        return Ok(());
    }
    let list = list_at(home, key.to_owned())?;
    let mut met = false;
    for element in list.iter_mut().filter(|element| meets(element, filter)) {
        met = true;
        write_element(element, path.sub.as_deref(), value.clone())?;
    }
    if !met {
        // Entra ID sets values this way that do not exist yet, with Add and with Replace alike.
        let mut element = described(filter).ok_or_else(|| {
            ScimReject::new(ScimType::NoTarget, format!("No value of {} meets the filter.", path.attribute))
        })?;
        write_element(&mut element, path.sub.as_deref(), value)?;
        list.push(element);
    }
    Ok(())
}

fn write_element(element: &mut Value, sub: Option<&str>, value: Value) -> Result<(), ScimReject> {
    match (sub, value) {
        (Some(sub), value) => set_sub(element, sub, unwrapped(value)),
        (None, Value::Object(members)) => {
            for (sub, value) in members {
                set_sub(element, &sub, value);
            }
        }
        (None, _) => return Err(ScimReject::value("The value of an element is an object.")),
    }
    Ok(())
}

fn change_sub(
    home: &mut Map<String, Value>,
    key: String,
    op: Op,
    sub: &str,
    value: Value,
) -> Result<(), ScimReject> {
    let is_removal = op == Op::Remove || value.is_null();
    match home.get_mut(&key) {
        // A sub-attribute of a list is that of each of its elements.
        Some(Value::Array(list)) => {
            for element in list {
                if is_removal { take_sub(element, sub) } else { set_sub(element, sub, value.clone()) }
            }
        }
        Some(element @ Value::Object(_)) if is_removal => take_sub(element, sub),
        _ if is_removal => {}
        _ => {
            let object = object_at(home, key)?;
            let sub = key_of(object, sub);
            object.insert(sub, unwrapped(value));
        }
    }
    Ok(())
}

/// The element that a filter of equalities describes, for a value that does not exist yet.
fn described(filter: &Filter) -> Option<Value> {
    let mut element = Map::new();
    for condition in filter.conjuncts() {
        match condition {
            Filter::Compare { path, operator: Comparison::Equal, value } if path.sub.is_none() => {
                element.insert(path.name.clone(), value.clone());
            }
            _ => return None,
        }
    }
    Some(Value::Object(element))
}

/// A value in a list of one, as older clients write single values: `[{"value": "x"}]` is `"x"`.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => match list.pop() {
            Some(only) => member(&only, "value").cloned().unwrap_or(only),
            None => Value::Null,
        },
        other => other,
    }
}

fn object_at(home: &mut Map<String, Value>, key: String) -> Result<&mut Map<String, Value>, ScimReject> {
    let malformed = ScimReject::path(format!("{key} has no sub-attributes."));
    let value = home.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or(malformed)
}

fn list_at(home: &mut Map<String, Value>, key: String) -> Result<&mut Vec<Value>, ScimReject> {
    let malformed = ScimReject::path(format!("{key} does not have several values."));
    let value = home.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().ok_or(malformed)
}

fn set_sub(element: &mut Value, sub: &str, value: Value) {
    if let Some(object) = element.as_object_mut() {
        let key = key_of(object, sub);
        object.insert(key, value);
    }
}

fn take_sub(element: &mut Value, sub: &str) {
    if let Some(object) = element.as_object_mut() {
        let key = key_of(object, sub);
        object.remove(&key);
    }
}

fn is_primary(element: &Value) -> bool {
    match member(element, "primary") {
        Some(Value::Bool(primary)) => *primary,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn same_value(element: &Value, listed: &Value) -> bool {
    match (member(element, "value"), member(listed, "value")) {
        (Some(a), Some(b)) => a == b,
        _ => element == listed,
    }
}

fn is_multi_valued(name: &str) -> bool {
    MULTI_VALUED.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
