//! The parameters of a call: form fields and query, names in any case. Wire contract §4.1.

use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::http::form::Params;
use crate::http::multipart::Parts;
use crate::http::router::Call;
use crate::model::person;
use crate::percent;
use crate::secret::Secret;

/// The wire's name of a field.
pub fn wire_name(field: &str) -> &str {
    match field {
        "group" => "PartnerID",
        _ => person::field(field).and_then(|known| known.papi).map_or(field, |papi| papi.parameter),
    }
}

/// What came with a call. Where a name comes twice, the first counts; a form's fields come before the
/// query's.
pub struct Parameters<'r> {
    params: Params<'r>,
    /// The fields of a form that came as `multipart/form-data`, as they are.
    parts: Parts<'r>,
}

impl<'r> Parameters<'r> {
    /// Reads body and query.
    ///
    /// # Errors
    /// `Invalid` with code `body_not_utf8` or `bad_multipart`.
    pub fn of(call: &'r Call<'_>) -> Result<Parameters<'r>> {
        let request = call.request;
        let (query, content_type) = (Params::of_query(&request.query), request.header("Content-Type"));
        if content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/")) {
            let parts = Parts::read(content_type, &request.body)?;
            return Ok(Parameters { params: query, parts });
        }
        let params = Params::of_body(&request.body)?.and(query);
        Ok(Parameters { params, parts: Parts::default() })
    }

    /// The value of a parameter, which may be empty; `None` when it was not sent.
    ///
    /// # Errors
    /// `Invalid` with code `not_utf8`: a name in another encoding would be stored garbled.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let not_utf8 = || {
            let public = format!("{name} is not UTF-8 text.");
            Error::new(Kind::Invalid, "not_utf8", public).with_field(name)
        };
        if let Some(bytes) = self.parts.first_in_any_case(name) {
            return std::str::from_utf8(bytes).map(|text| Some(text.to_owned())).map_err(|_| not_utf8());
        }
        let Some(raw) = self.params.first_raw(name) else { return Ok(None) };
        let text = percent::form(raw).ok_or_else(not_utf8)?;
        Ok(Some(text.into_owned()))
    }

    /// The trimmed value of a parameter; `None` also when it is blank.
    ///
    /// # Errors
    /// As [`Parameters::text`].
    pub fn filled(&self, name: &str) -> Result<Option<String>> {
        let text = self.text(name)?.map(|text| text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A proof of who calls, exactly as sent; `None` also when it is empty.
    ///
    /// # Errors
    /// As [`Parameters::text`].
    pub fn secret(&self, name: &str) -> Result<Option<Zeroizing<String>>> {
        Ok(self.text(name)?.map(Zeroizing::new).filter(|text| !text.is_empty()))
    }

    /// A password to be set; `None` also when it is empty: a blank never takes a password away.
    ///
    /// # Errors
    /// As [`Parameters::text`].
    pub fn password(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.secret(name)?.map(|text| Secret::new(text.as_bytes())))
    }

    /// `1`, `0`, `yes`, `no`, `true` or `false`, in any case; `None` also when it is blank. Wire contract
    /// §4.3.
    ///
    /// # Errors
    /// `Invalid` with code `flag_malformed`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        let Some(text) = self.filled(name)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "1" | "yes" | "true" => Ok(Some(true)),
            "0" | "no" | "false" => Ok(Some(false)),
            _ => {
                let public = format!("{name} must be 1, 0, yes, no, true or false.");
                Err(Error::invalid("flag_malformed", name, public))
            }
        }
    }
}
