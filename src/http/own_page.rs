//! Whether a browser sends a form from one of our own pages: asked wherever a cookie alone would let another site
//! act for somebody.

use super::router::App;
use crate::gate::Request;

/// Whether the request comes from a page of this server, as far as its browser says.
///
/// `Sec-Fetch-Site` is asked first: a page that sends no referrer has its forms sent with `Origin: null`. A request
/// with neither header is of no browser of this decade; nothing but a token tells more of it.
pub fn sends(app: &App, request: &Request) -> bool {
    match (request.header("Sec-Fetch-Site"), request.header("Origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.eq_ignore_ascii_case(&app.origin(request)),
        (None, None) => true,
    }
}
