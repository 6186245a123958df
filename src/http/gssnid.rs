//! The cookie `GSSNID`. Wire contract §3.6, §11 Q7.

use super::answer;
use crate::gate::{Request, Response};
use crate::protocol::credential::Credential;

const NAME: &str = "GSSNID";

/// The value of the cookie, unverified; `None` also when it is empty.
pub fn value(request: &Request) -> Option<&str> {
    request.cookie(NAME).filter(|value| !value.is_empty())
}

/// The web session of whoever sends the request, unverified.
pub fn of(request: &Request) -> Option<Credential> {
    value(request).map(|value| Credential::WebSession(value.to_owned().into()))
}

/// Sets the cookie: host-only, for scripts unreadable, and sent cross-site only when `embedded`, that is,
/// when the group lets other sites frame our pages. `secure` is false on the lab's plain HTTP only.
pub fn set(response: Response, secure: bool, value: &str, embedded: bool) -> Response {
    // Browsers take SameSite=None from a secure page only.
    let site = if embedded && secure { "None" } else { "Lax" };
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; HttpOnly; SameSite={site}{secure}");
    answer::with(response, "Set-Cookie", &cookie)
}

/// Takes the cookie away.
pub fn clear(response: Response, request: &Request) -> Response {
    let secure = if request.secure { "; Secure" } else { "" };
    answer::with(response, "Set-Cookie", &format!("{NAME}=; Path=/; HttpOnly; Max-Age=0{secure}"))
}
