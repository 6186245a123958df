//! What a sign-in answers: where the browser goes, or the login key that it gets. Wire contract §3.5.

use crate::clock::Timestamp;
use crate::desk::sso::Sso;
use crate::error::{Error, Result};
use crate::model::relative::RelativeTarget;
use crate::model::{GlanceAddress, GroupId, Puid, UserId};
use crate::protocol::login_key::{self, SigningKey};

use super::diagnosis::Diagnosis;

/// How long a login key that a sign-in hands out is valid, in seconds: our own choice (§11 Q7).
pub const LOGIN_KEY_SECONDS: i64 = 3_600;

/// How a sign-in came out.
pub enum SsoAnswer {
    SignedIn(Box<SsoSignedIn>),
    Refused(Box<RefusedBrowser>),
    /// `test=11`: nobody was signed in.
    Diagnosed(Box<Diagnosis>),
}

/// Somebody signed in.
pub struct SsoSignedIn {
    pub group: GroupId,
    pub user: UserId,
    pub address: GlanceAddress,
    /// The value of `GSSNID`. A bearer secret.
    pub web_session: String,
    pub outcome: Outcome,
    /// The sites that may frame the embedded result.
    pub allowed_sites: Vec<String>,
}

/// What the browser gets.
pub enum Outcome {
    /// It goes on to this path.
    Redirect(RelativeTarget),
    /// `partnerid=…&partneruserid=…~$1$…`, as a text or, embedded, as a message. A bearer secret.
    LoginKey { text: String, embedded: bool },
}

/// Somebody was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBrowser {
    /// What the person may know: one sentence and the incident code.
    pub error: Error,
    /// Where they may begin again: a path of this server.
    pub again: Option<String>,
    /// Whether the answer is a message to the page that frames it.
    pub embedded: bool,
    pub allowed_sites: Vec<String>,
}

impl RefusedBrowser {
    /// A refusal of somebody who cannot begin again, or whose sites nobody knows.
    pub fn plain(error: Error, embedded: bool) -> RefusedBrowser {
        RefusedBrowser { error, again: None, embedded, allowed_sites: Vec::new() }
    }
}

impl Sso {
    /// The text answer of GetLoginKey, for a member who has a PUID in a group that has an API key, here
    /// sealed. The pairs are not encoded, because clients do not decode them.
    pub(super) fn login_key_text(
        &self,
        group: GroupId,
        sealed_api_key: Option<&[u8]>,
        puid: Option<&Puid>,
        now: Timestamp,
    ) -> Result<String> {
        let lost = || Error::fault("login_key_text", "a checked PUID or API key is gone");
        let (puid, sealed) = (puid.ok_or_else(lost)?, sealed_api_key.ok_or_else(lost)?);
        let expiry = now.seconds().saturating_add(LOGIN_KEY_SECONDS);
        let make = |key: &SigningKey| login_key::make(key, group, puid.as_str(), expiry);
        let key = self.ground.key_cache.with(&self.ground.keys, group, sealed, make)?;
        Ok(format!("partnerid={group}&partneruserid={puid}~{}", key.ok_or_else(lost)?))
    }
}
