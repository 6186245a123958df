//! The answer of GetLoginKey for a browser that is signed in already: the web session authorises every
//! Service Target URL. Wire contract §3.6.

use crate::desk::sso::Sso;
use crate::error::Result;
use crate::model::{Caller, GlanceAddress, GroupId, LogEntry, Puid};

use super::answer::{Outcome, SsoSignedIn};
use super::target::Target;

/// The access log's word for a login key that a web session was given.
const OPERATION: &str = "login-key.issue";

impl Sso {
    /// Who is signed in by the web session `value`, and to which group; `None` for nobody who may come in.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn standing_member(&self, value: &str) -> Result<Option<(GlanceAddress, GroupId)>> {
        let now = self.ground.clock.now();
        let Ok((signed_in, state)) = self.sign_in.find_web_session(value, now)? else { return Ok(None) };
        Ok(state.standing.is_admitted().then_some((signed_in.address, signed_in.group)))
    }

    /// Answers from the web session `value`; `None` when it is not one of this group whose member may come
    /// in and be given what is asked for: then a sign-in has to begin.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn standing_answer(
        &self,
        caller: &Caller,
        group: GroupId,
        value: &str,
        target: &Target,
    ) -> Result<Option<SsoSignedIn>> {
        let now = self.ground.clock.now();
        let Ok((signed_in, state)) = self.sign_in.find_web_session(value, now)? else { return Ok(None) };
        if target.test || signed_in.group != group || !state.standing.is_admitted() {
            return Ok(None);
        }
        let outcome = match target.redirect() {
            Some(path) => Outcome::Redirect(path),
            None => {
                let puid = state.puid.as_deref().and_then(Puid::parse);
                let (api_key, _) = self.ground.store.read(|r| r.sealed_api_keys(group))?;
                if puid.is_none() || api_key.is_none() {
                    return Ok(None);
                }
                let text = self.login_key_text(group, api_key.as_deref(), puid.as_ref(), now)?;
                let address = signed_in.address.as_str();
                let done = LogEntry::done(caller, Some(group), OPERATION, address, "to a web session");
                self.ground.store.log(now, LogEntry { actor: address.to_owned(), ..done })?;
                Outcome::LoginKey { text, embedded: target.embedded }
            }
        };
        Ok(Some(SsoSignedIn {
            group,
            user: signed_in.user,
            address: signed_in.address,
            web_session: value.to_owned(),
            outcome,
            allowed_sites: self.ground.store.read(|r| r.allowed_sites(group))?,
        }))
    }
}
