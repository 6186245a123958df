//! After a sign-in: the form that the end of the session before interrupted, on its page again.

use std::io::Read;

use tiny_http::{Header, Method};

use super::interrupted::Interrupted;
use super::visit::{ENTRY, MESSAGE, SESSION, cookie, cookie_name, is_own_address, of_console};
use crate::desk::appliance::console_sessions::person_of;
use crate::error::Result;
use crate::gate::{Request, Response};
use crate::http::answer;
use crate::http::router::{App, Call};
use crate::pages;

/// The page with the form that was interrupted, as it was filled in, for the one who has just signed in again; `None` when
/// it is another person, or the page has no such form.
///
/// # Errors
/// Our own faults.
pub fn taken_up(app: &App, call: &Call<'_>, bearer: &str, sealed: &str) -> Result<Option<Response>> {
    let Some(caller) = app.desk.appliance.console_caller(&call.anonymous(), bearer)? else { return Ok(None) };
    let browser = cookie(call, ENTRY).unwrap_or_default();
    let text = app.desk.appliance.open_form(browser, &person_of(&caller.actor), sealed);
    let Some(interrupted) = text.as_deref().and_then(Interrupted::parse) else { return Ok(None) };
    let sentence = "You are signed in again. Nothing was saved yet. The form below shows what you typed. Passwords \
                    and API keys must be typed again.";
    let said = app.desk.appliance.seal_message(bearer, sentence);
    let cookies = format!("{}={bearer}; {}={said}", cookie_name(call, SESSION), cookie_name(call, MESSAGE));
    for address in interrupted.pages().into_iter().filter(|address| is_own_address(address)) {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let request = Request {
            method: Method::Get,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Header::from_bytes("Cookie", cookies.as_str()).into_iter().collect(),
            body: Vec::new(),
            peer: call.request.peer,
            secure: call.request.secure,
            host: call.request.host.clone(),
        };
        let Some(response) = app.page(&request).filter(|response| response.status_code() == 200) else {
            continue;
        };
        let mut page = String::new();
        if response.into_reader().read_to_string(&mut page).is_err() {
            continue;
        }
        if let Some(page) = pages::refill::refilled(&page, &interrupted.action, &interrupted.values) {
            return Ok(Some(of_console(answer::html(200, page))));
        }
    }
    Ok(None)
}
