//! `OKURL`: where the browser goes after a user was made. Deprecated. Wire contract §4.2.
//!
//! Followed only back to the site that the browser came from: anyone who could send people from here to
//! anywhere would have an open redirect. Else the answer is the XML document, as without it.

use crate::error::{Error, Result};
use crate::gate::Request;

/// Most characters of an OKURL. Our own choice.
const LONGEST: usize = 2_048;

/// Passes a URL that could be followed: `http` or `https`, absolute.
///
/// # Errors
/// `Invalid` with code `okurl_malformed`.
pub fn check(url: &str) -> Result<()> {
    let plain = url.len() <= LONGEST && url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain && origin(url).is_some() {
        return Ok(());
    }
    let public = "OKURL is not an absolute http or https URL of at most 2048 characters.";
    Err(Error::invalid("okurl_malformed", "OKURL", public))
}

/// The URL to go to, when it belongs to the site that the request came from.
pub fn followed(request: &Request, url: &str) -> Option<String> {
    let came_from = request.header("Origin").or_else(|| request.header("Referer"));
    same_site(came_from, url).then(|| url.to_owned())
}

fn same_site(came_from: Option<&str>, url: &str) -> bool {
    check(url).is_ok() && came_from.and_then(origin).is_some_and(|from| Some(from) == origin(url))
}

/// Scheme and authority of a URL, in lower case; `None` for one with user information in it.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let authority = rest.split(['/', '?', '#']).next()?;
    let sound = matches!(scheme.as_str(), "http" | "https")
        && !authority.is_empty()
        && authority
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    sound.then(|| format!("{scheme}://{}", authority.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn okurl_is_followed_only_back_to_where_the_browser_came_from() {
        let shop = Some("https://crm.example.com");
        let check = |from: Option<&str>, url: &str, expected: bool| {
            assert_eq!(same_site(from, url), expected, "{from:?} {url}");
        };
        check(shop, "https://crm.example.com/done?x=1", true);
        check(Some("https://CRM.example.com/form.html"), "https://crm.example.com/done", true);
        check(None, "https://crm.example.com/done", false);
        check(Some("null"), "https://crm.example.com/done", false);
        check(shop, "https://evil.example.net/", false);
        check(shop, "http://crm.example.com/", false);
        check(shop, "https://crm.example.com@evil.example.net/", false);
        check(shop, "https://crm.example.com\\@evil.example.net/", false);
        check(shop, "//crm.example.com/", false);
        check(shop, "javascript:alert(1)", false);
        check(shop, "https://crm.example.com/\r\nSet-Cookie: a=b", false);
    }
}
