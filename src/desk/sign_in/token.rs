//! Tokens: what Authorize hands out and later calls bring back as `Authorization: Bearer`.
//!
//! A JSON Web Token (RFC 7519) signed with HMAC-SHA256 (RFC 7518 §3.2). The header is compared as a whole,
//! so that no other algorithm can be asked for; nothing of the claims is read before the signature fits.
//! Whether its user may still come in, the store says at each use. Enter at [`issue`] and [`read`].

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::model::{GroupId, Mark, UserId};
use crate::secret::random_token;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// Longer than any that was issued here: a service's name is short.
const LONGEST: usize = 1_024;

/// Bytes of the claims of most tokens: a hint, so that their memory is taken once.
const USUAL: usize = 160;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    #[serde(rename = "sub", with = "number_as_text")]
    pub user: UserId,
    pub group: GroupId,
    pub mark: Mark,
    pub service: String,
    /// Seconds since the epoch.
    #[serde(rename = "iat")]
    pub issued_at: i64,
    /// Seconds since the epoch.
    #[serde(rename = "exp")]
    pub expires_at: i64,
    #[serde(rename = "jti")]
    pub id: String,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenReject {
    /// Not issued here.
    Bad,
    Expired,
}

/// Makes an id for a token.
///
/// # Errors
/// `Fault` when the machine has no randomness.
pub fn new_id() -> Result<String> {
    random_token::<12>()
}

/// Writes and signs a token.
pub fn issue(key: &hmac::Key, claims: &Claims) -> String {
    let mut json = Vec::with_capacity(USUAL);
    // A struct of numbers and strings always has a JSON form.
    let _ = serde_json::to_writer(&mut json, claims);
    let mut token = String::with_capacity(USUAL * 2);
    token.push_str(HEADER);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&json, &mut token);
    let signature = hmac::sign(key, token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// Checks a token at `now`, in seconds since the epoch, and reads what it says.
///
/// # Errors
/// Why it is refused.
pub fn read(key: &hmac::Key, token: &str, now: i64) -> std::result::Result<Claims, TokenReject> {
    if token.len() > LONGEST {
        return Err(TokenReject::Bad);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenReject::Bad)?;
    let claims =
        signed.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.')).ok_or(TokenReject::Bad)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenReject::Bad)?;
    hmac::verify(key, signed.as_bytes(), &signature).map_err(|_| TokenReject::Bad)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenReject::Bad)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenReject::Bad)?;
    if now >= claims.expires_at {
        return Err(TokenReject::Expired);
    }
    Ok(claims)
}

/// `sub` is a string (RFC 7519 §4.1.2).
mod number_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::UserId;

    pub fn serialize<S: Serializer>(user: &UserId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(user)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<UserId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(UserId).map_err(|_| D::Error::custom("sub is not a number"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const NOW: i64 = 1_593_907_200;

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
    }

    fn claims() -> Claims {
        Claims {
            user: UserId(42),
            group: GroupId(12345),
            mark: Mark(-7),
            service: "presence".into(),
            issued_at: NOW,
            expires_at: NOW + 60,
            id: "abc".into(),
        }
    }

    #[test]
    fn a_token_is_read_until_it_expires() {
        let token = issue(&key(), &claims());
        assert_eq!(read(&key(), &token, NOW + 59), Ok(claims()));
        assert_eq!(read(&key(), &token, NOW + 60), Err(TokenReject::Expired));
    }

    #[test]
    fn the_form_is_that_of_a_json_web_token() {
        let token = issue(&key(), &claims());
        let part = |n| URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap();
        assert_eq!(part(0), br#"{"alg":"HS256","typ":"JWT"}"#);
        assert_eq!(
            String::from_utf8(part(1)).unwrap(),
            r#"{"sub":"42","group":12345,"mark":-7,"service":"presence","iat":1593907200,"exp":1593907260,"jti":"abc"}"#
        );
        assert_eq!(token.split('.').nth(2).unwrap().len(), 43);
    }

    #[test]
    fn a_token_of_another_key_algorithm_or_form_is_refused() {
        let good = issue(&key(), &claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let payload = signed.split('.').nth(1).unwrap();
        let signed_as = |header: &str| {
            let text = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
            format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key(), text.as_bytes())))
        };
        for bad in [
            String::new(),
            ".".into(),
            "..".into(),
            format!("{signed}."),
            signed.into(),
            format!("{good}="),
            format!("{signed}.{}A", &signature[..42]),
            issue(&hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]), &claims()),
            format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#)),
            signed_as(r#"{"alg":"none","typ":"JWT"}"#),
            signed_as(r#"{"typ":"JWT","alg":"HS256"}"#),
            "x".repeat(5_000),
        ] {
            assert_eq!(read(&key(), &bad, NOW), Err(TokenReject::Bad), "{bad}");
        }
    }
}
