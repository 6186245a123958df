//! What is asked for by the one who signs in.

use crate::error::{Error, Result};
use crate::model::{Caller, GroupId};
use crate::protocol::credential::Credential;

/// An attempt to sign in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Where it comes from; who it is, is yet to be proved.
    pub caller: &'a Caller,
    pub credential: &'a Credential,
    /// The group that was asked for; needed when the user is in several.
    pub group: Option<GroupId>,
    /// Where it came in, for the log: `Authorize`, `AgentView`.
    pub surface: &'static str,
}

/// For what a token is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub(super) service: String,
    pub(super) minutes: i64,
}

/// Minutes for which a token may be asked. Wire contract §6.1.
pub const TOKEN_MINUTES_MOST: i64 = 120;
/// Minutes of a token when the client does not say.
pub const TOKEN_MINUTES: i64 = 60;
const SERVICE_LENGTH_MOST: usize = 32;

impl TokenRequest {
    /// Checks what the client asks for; absent values have defaults.
    ///
    /// # Errors
    /// `Invalid` with code `bad_duration` outside of 1 to 120, `bad_service` for anything but up to 32
    /// letters, digits, `-` and `_`.
    pub fn new(service: Option<&str>, duration: Option<&str>) -> Result<TokenRequest> {
        let service = service.unwrap_or_default();
        let in_alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if service.len() > SERVICE_LENGTH_MOST || !service.bytes().all(in_alphabet) {
            let public = "The service is a word of up to 32 letters, digits, '-' and '_'.";
            return Err(Error::invalid("bad_service", "service", public));
        }
        let minutes = match duration {
            None | Some("") => Some(TOKEN_MINUTES),
            Some(text) => text.parse().ok().filter(|minutes| (1..=TOKEN_MINUTES_MOST).contains(minutes)),
        };
        let public = "The duration is a number of minutes from 1 to 120.";
        let minutes = minutes.ok_or_else(|| Error::invalid("bad_duration", "duration", public))?;
        Ok(TokenRequest { service: service.to_owned(), minutes })
    }

    /// The service that was asked for; "" when none was named.
    pub fn service(&self) -> &str {
        &self.service
    }
}
