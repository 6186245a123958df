//! The wing of signing in: one use case behind every surface and every kind of credential.
//!
//! [`SignIn::identify`] judges a credential; [`SignIn::authorize`] answers it with a token,
//! [`SignIn::sign_in_browser`] with a web session. Each sign-in and each refusal has its row in the access log
//! before the reply; of many refusals of one address, some, with their number. What was wrong in truth ([`SignInReject`]) goes to
//! the log and, with the numbered checks, under an incident code to the administrator; the client gets 401 or 403 and
//! that code.

pub mod api_keys;
mod attempt;
mod authorize;
mod by_login_key;
mod by_password;
mod explained;
mod presence;
pub mod privilege;
mod refusal;
mod reject;
mod signed_in;
#[cfg(test)]
mod tests;
mod token;
pub mod web_session;
pub mod workbench;

pub use attempt::{Attempt, TOKEN_MINUTES, TOKEN_MINUTES_MOST, TokenRequest};
pub use authorize::{Authorized, BrowserSignIn};
pub use explained::{KeyClaim, KeyExplanation};
pub use reject::SignInReject;
pub use signed_in::{Means, SignedIn};

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::ground::Ground;

/// The wing of signing in.
pub struct SignIn {
    ground: Arc<Ground>,
    presence: presence::Presence,
    web_session_idle_seconds: AtomicI64,
}

impl SignIn {
    pub(super) fn new(ground: Arc<Ground>) -> SignIn {
        SignIn {
            ground,
            presence: presence::Presence::default(),
            web_session_idle_seconds: AtomicI64::new(web_session::IDLE_SECONDS),
        }
    }

    fn web_session_idle_seconds(&self) -> i64 {
        self.web_session_idle_seconds.load(Ordering::Relaxed)
    }
}
