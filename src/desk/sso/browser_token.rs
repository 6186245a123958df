//! The cookie that binds a begun sign-in to its browser.

/// Characters of the browser's cookie: 32 bytes in base64url.
const BROWSER_TOKEN_LENGTH: usize = 43;

/// Whether `text` has the form of the browser's cookie.
pub(super) fn is_browser_token(text: &str) -> bool {
    text.len() == BROWSER_TOKEN_LENGTH
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
