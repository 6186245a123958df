//! Reads the credential of a request, wherever it travels: JSON or form body, query, headers. Wire contract
//! §2.4, §6.1, §6.8. The cookie is read by pages only, in [`super::gssnid`]: elsewhere it would let other
//! sites act for the signed-in user.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::form::{Params, without_mark};
use super::router::Call;
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;
use crate::protocol::credential::{
    self, Authorization, Credential, SentField, Unreadable, from_authorization, from_fields,
};

/// The parameters of a request: of its body first, then of its query; names in any case.
pub struct Fields<'r> {
    params: Params<'r>,
    json: Option<Map<String, Value>>,
}

impl<'r> Fields<'r> {
    /// Reads body and query. A body that begins with `{` is JSON whatever its Content-Type says: SDKs differ.
    ///
    /// # Errors
    /// `Invalid` with code `bad_json` or `body_not_utf8`.
    pub fn of(call: &'r Call<'_>) -> Result<Fields<'r>> {
        let body = without_mark(&call.request.body);
        let query = Params::of_query(&call.request.query);
        if body.trim_ascii_start().first() == Some(&b'{') {
            let json = serde_json::from_slice(body).map_err(|e| {
                Error::new(Kind::Invalid, "bad_json", format!("The body is not a JSON object: {e}."))
            })?;
            return Ok(Fields { params: query, json: Some(json) });
        }
        Ok(Fields { params: Params::of_body(body)?.and(query), json: None })
    }

    /// The first value of this name; "" counts as none.
    pub fn filled(&self, name: &str) -> Option<Cow<'_, str>> {
        self.json_value(name).or_else(|| self.params.first(name)).filter(|value| !value.is_empty())
    }

    /// All parameters of form and query, decoded.
    pub fn params(&self) -> &Params<'r> {
        &self.params
    }

    /// The group that is asked for as `groupid`.
    ///
    /// # Errors
    /// `Invalid` with code `bad_group_id` when it is no Group ID.
    pub fn group(&self) -> Result<Option<GroupId>> {
        self.filled("groupid").map(|text| group_asked_for(&text)).transpose()
    }

    /// The group that is named, by whatever parameter, if it is a Group ID: whose refusal it is.
    pub fn named_group(&self) -> Option<GroupId> {
        ["groupid", "partnerid"].iter().find_map(|name| GroupId::parse(self.filled(name)?.trim()))
    }

    /// The credential among the parameters.
    ///
    /// # Errors
    /// As [`credential::from_fields`].
    pub fn credential(&self) -> std::result::Result<Option<Credential>, Unreadable> {
        from_fields(|name| self.field(name))
    }

    fn field(&self, name: &str) -> Option<SentField> {
        if let Some(value) = self.json_value(name) {
            return Some(SentField { value: value.into_owned(), as_sent: None });
        }
        let raw = self.params.first_raw(name)?;
        let value = self.params.first(name)?.into_owned();
        Some(SentField { as_sent: (raw != value).then(|| raw.to_owned()), value })
    }

    fn json_value(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.json.as_ref()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        match value {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }
}

/// The group that a request asks for.
///
/// # Errors
/// `Invalid` with code `bad_group_id` when it is no Group ID.
pub fn group_asked_for(text: &str) -> Result<GroupId> {
    let public = "The Group ID must be a positive decimal number.";
    GroupId::parse(text.trim()).ok_or_else(|| Error::invalid("bad_group_id", "groupid", public))
}

/// What proves who sent a request: among its parameters, or in a header.
///
/// # Errors
/// `Unreadable`; `Ok(None)` when nothing came.
pub fn proof(call: &Call<'_>, fields: &Fields<'_>) -> std::result::Result<Option<Authorization>, Unreadable> {
    if let Some(found) = fields.credential()? {
        return Ok(Some(Authorization::Credential(found)));
    }
    header_proof(call)
}

/// What proves who sent a request, in the headers `Authorization` and `X-GSSNID`.
///
/// # Errors
/// `Unreadable`; `Ok(None)` when neither came.
pub fn header_proof(call: &Call<'_>) -> std::result::Result<Option<Authorization>, Unreadable> {
    if let Some(value) = call.request.header("Authorization") {
        return from_authorization(value).map(Some);
    }
    let web_session = call.request.header("X-GSSNID").filter(|value| !value.is_empty());
    Ok(web_session
        .map(|value| Authorization::Credential(credential::Credential::WebSession(value.to_owned().into()))))
}
