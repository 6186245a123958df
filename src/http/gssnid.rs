//! The cookie `GSSNID`. Wire contract §3.6, §11 Q7.
//!
//! Browsers that block the cookies of other sites' frames keep a cookie that is `Partitioned`, apart for each site
//! that frames us. So a browser may hold two: one that it got in a frame, and one that it got outside.

use super::answer;
use crate::gate::{Request, Response};
use crate::protocol::credential::Credential;

const NAME: &str = "GSSNID";

/// Where a browser puts the cookie that it gets with the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jar {
    /// False on the lab's plain HTTP only.
    secure: bool,
    /// The answer is shown in a frame.
    framed: bool,
}

impl Jar {
    /// As the request says.
    pub fn of(request: &Request) -> Jar {
        Jar { secure: request.secure, framed: is_framed(request) }
    }
}

/// Whether the answer to this request is shown in a frame.
pub fn is_framed(request: &Request) -> bool {
    request.header("Sec-Fetch-Dest").is_some_and(|dest| matches!(dest, "iframe" | "frame"))
}

/// The value of the cookie, unverified; `None` also when it is empty.
pub fn value(request: &Request) -> Option<&str> {
    request.cookie(NAME).filter(|value| !value.is_empty())
}

/// All values that came: a browser may hold one of a frame and one of outside. A few are enough.
pub fn values(request: &Request) -> impl Iterator<Item = &str> {
    request.cookies(NAME).filter(|value| !value.is_empty()).take(2)
}

/// The web session of the one who sends the request, unverified.
pub fn of(request: &Request) -> Option<Credential> {
    value(request).map(|value| Credential::WebSession(value.to_owned().into()))
}

/// Sets the cookie: host-only, for scripts unreadable, and sent cross-site only when `embedded`, that is,
/// when the group lets other sites frame our pages.
pub fn set(response: Response, jar: Jar, value: &str, embedded: bool) -> Response {
    let attributes = match jar {
        // Browsers take SameSite=None and Partitioned from a secure page only.
        Jar { secure: false, .. } => "; SameSite=Lax",
        Jar { framed: true, .. } if embedded => "; SameSite=None; Secure; Partitioned",
        Jar { framed: true, .. } => "; SameSite=Lax; Secure; Partitioned",
        _ if embedded => "; SameSite=None; Secure",
        _ => "; SameSite=Lax; Secure",
    };
    answer::with(response, "Set-Cookie", &format!("{NAME}={value}; Path=/; HttpOnly{attributes}"))
}

/// Takes the cookie away, both that of frames and the other one.
pub fn clear(response: Response, request: &Request) -> Response {
    let kinds: &[&str] = match request.secure {
        // In another site's frame, browsers take only SameSite=None.
        true => &["; SameSite=None; Secure", "; SameSite=None; Secure; Partitioned"],
        false => &[""],
    };
    kinds.iter().fold(response, |response, kind| {
        answer::with(response, "Set-Cookie", &format!("{NAME}=; Path=/; HttpOnly; Max-Age=0{kind}"))
    })
}
