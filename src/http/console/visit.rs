//! A visit: one request of somebody who is signed in to the console.
//!
//! - The session's cookie is host-only, `Secure`, `HttpOnly`, `SameSite=Lax`, and named `__Host-…`; on plain
//!   HTTP, which only loopback serves, browsers would refuse that name.
//! - A form must come from our own origin (Sec-Fetch-Site, else Origin) and carry the token that is bound to
//!   the session.
//! - A change answers with 303; what it has to say travels in a sealed cookie and is shown once.

use std::cell::Cell;

use tiny_http::Method;

use super::interrupted::Interrupted;

use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::http::form::Params;
use crate::http::router::{App, AtOnce, BodyPortions, Call, Errors, FORM, InPieces, NO_BODY, Route, UPLOAD};
use crate::http::{answer, own_page};
use crate::model::{Actor, Caller, Group, GroupId};
use crate::pages;
use crate::pages::console::entry::Ended;
use crate::pages::form::{Fill, TOKEN_FIELD};
use crate::pages::layout::{Flash, Frame};

/// Holds the session of somebody who is signed in.
pub(super) const SESSION: &str = "console";
/// Binds the forms of somebody who is not signed in yet to their browser.
pub(super) const ENTRY: &str = "console-entry";
/// Holds the message for the next page.
pub(super) const MESSAGE: &str = "console-said";
/// Seconds in which the next page must be asked for.
const MESSAGE_LIFE: &str = "; Max-Age=60";
/// Most characters of a message: browsers drop cookies above 4096 bytes.
const MESSAGE_MAX: usize = 500;

/// Makes the line of a table for a page.
pub const fn get(path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(Method::Get, path, NO_BODY, Errors::Page, handler).refusing(refusal)
}

/// Makes the line of a table for a file whose body is made as the client takes it.
pub const fn streamed(path: &'static str, handler: InPieces) -> Route {
    Route::streamed(path, handler).refusing(refusal)
}

/// Makes the line of a table for a form.
pub const fn post(path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(Method::Post, path, FORM, Errors::Page, handler).refusing(refusal)
}

/// Makes the line of a table for a form with a file.
pub const fn upload(path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(Method::Post, path, UPLOAD, Errors::Page, handler).refusing(refusal)
}

/// One request of somebody who is signed in.
pub struct Visit<'a> {
    pub app: &'a App,
    pub call: &'a Call<'a>,
    pub caller: Caller,
    /// What the browser holds.
    pub bearer: String,
    token: String,
    who: String,
    may_switch: bool,
    lab: Option<String>,
    attention: Vec<(&'static str, &'static str)>,
    flash: Option<Flash>,
    /// The list from which this page was opened, as it was left.
    from: Option<String>,
    /// Whether a page was framed, and so the message shown.
    shown: Cell<bool>,
}

/// Runs `page` for the signed-in user; sends others to the sign-in.
///
/// # Errors
/// Our own faults; refusals become pages.
pub fn visit(
    app: &App,
    call: &Call<'_>,
    page: impl FnOnce(&Visit<'_>) -> Result<Response>,
) -> Result<Response> {
    let Some(visit) = Visit::of(app, call)? else {
        return sign_in_again(app, call, cookie(call, SESSION).unwrap_or_default());
    };
    if call.request.method == Method::Post {
        // An upload carries its token inside the multipart body, which its handler reads.
        let token = match is_multipart(call) {
            true => {
                crate::http::multipart::Parts::read(call.request.header("Content-Type"), &call.request.body)?
                    .text(TOKEN_FIELD)
                    .map(str::to_owned)
            }
            false => call.form()?.first(TOKEN_FIELD).map(|token| token.into_owned()),
        };
        from_our_own_page(app, call, &visit.bearer, token.as_deref())?;
    }
    let response = match page(&visit) {
        Err(error) if !matches!(error.kind, Kind::Fault | Kind::Unavailable) => visit.refused(&error),
        outcome => outcome?,
    };
    Ok(visit.ended(response))
}

/// Keeps bar and menu around what was refused before any page was asked: no such page, another method, a file that is too
/// large. `None` for the one who is not signed in.
fn refusal(app: &App, call: &Call<'_>, error: &Error) -> Result<Option<Response>> {
    if cookie(call, SESSION).is_none() {
        return Ok(None);
    }
    duty::relieve();
    let visit = Visit::of(app, call)?;
    Ok(visit.map(|visit| visit.ended(visit.refused(error))))
}

/// Whether the browser holds a session of the console.
///
/// # Errors
/// Our own faults.
pub fn is_signed_in(app: &App, call: &Call<'_>) -> Result<bool> {
    match cookie(call, SESSION).unwrap_or_default() {
        "" => Ok(false),
        bearer => Ok(app.desk.appliance.console_caller(&call.anonymous(), bearer)?.is_some()),
    }
}

/// As [`visit`], for a response whose body is made as the client takes it.
///
/// # Errors
/// As [`visit`].
pub fn visit_streamed(
    app: &App,
    call: &Call<'_>,
    page: impl FnOnce(&Visit<'_>) -> Result<(Response, BodyPortions)>,
) -> Result<(Response, Option<BodyPortions>)> {
    let mut pieces = None;
    let response = visit(app, call, |visit| {
        let (response, more) = page(visit)?;
        pieces = Some(more);
        Ok(response)
    })?;
    Ok((response, pieces))
}

/// Makes the head of a file that is exported: its name and a field say when the export began.
pub fn exported(name: &str, began_at: Timestamp) -> Response {
    let at = Timestamp::from_seconds(began_at.seconds()).to_string();
    let response = answer::bytes(200, "text/csv; charset=utf-8", Vec::new());
    // Not every file system takes colons.
    let name = format!("attachment; filename=\"{name}-{}.csv\"", at.replace(':', "-"));
    answer::with(answer::with(response, "Content-Disposition", &name), "Export-Began-At", &at)
}

impl<'a> Visit<'a> {
    /// The visit of the signed-in user; `None` of others.
    fn of(app: &'a App, call: &'a Call<'a>) -> Result<Option<Visit<'a>>> {
        let bearer = cookie(call, SESSION).unwrap_or_default().to_owned();
        let caller = match bearer.as_str() {
            "" => None,
            bearer => app.desk.appliance.console_caller(&call.anonymous(), bearer)?,
        };
        let Some(caller) = caller else { return Ok(None) };
        let (who, may_switch) = match &caller.actor {
            Actor::Operator { name, .. } => (name.clone(), false),
            actor => (actor.to_string(), app.desk.appliance.console_groups(&caller)?.len() > 1),
        };
        let attention = super::attention::of(&app.desk, &caller)?;
        Ok(Some(Visit {
            app,
            call,
            caller,
            token: app.desk.appliance.form_token(&bearer),
            flash: message(app, call, &bearer),
            bearer,
            who,
            may_switch,
            lab: lab_clock(&app.desk),
            attention,
            from: call.query().filled("from").filter(|from| is_own_address(from)),
            shown: Cell::new(false),
        }))
    }

    /// A refusal in the console's frame, beside the menu of the group whose address it is, with the way back.
    fn refused(&self, error: &Error) -> Response {
        let path = self.call.request.path.as_str();
        let missing = (error.code == "no_such_path" && is_own_address(path)).then_some(path);
        // Anyone who may not see the group is shown none of it.
        let group = group_in(path).and_then(|id| self.desk().people.group(&self.caller, id).ok());
        let page = pages::error::framed(&self.frame(group.as_ref()), error, missing, self.came_from());
        answer::html(error.kind.status(), page)
    }

    /// The page of the console from which the browser says that it came. A page does not lead back to itself, but a form
    /// does to its page, which has the same address.
    fn came_from(&self) -> Option<&'a str> {
        let request = self.call.request;
        let address = request.header("Referer")?.strip_prefix(self.app.origin(request).as_str())?;
        let leads_on =
            request.method == Method::Post || address.split('?').next() != Some(request.path.as_str());
        (is_own_address(address) && leads_on).then_some(address)
    }

    /// The response as it leaves: a message that a page showed is shown no more.
    fn ended(&self, response: Response) -> Response {
        let response = match self.flash.is_some() && self.shown.get() {
            true => set_cookie(response, self.call, MESSAGE, "", "; Max-Age=0"),
            false => response,
        };
        of_console(response)
    }

    /// The use cases.
    pub fn desk(&self) -> &Desk {
        &self.app.desk
    }

    /// Frames a page; with a group, beside that group's menu.
    pub fn frame<'f>(&'f self, group: Option<&'f Group>) -> Frame<'f> {
        self.shown.set(true);
        Frame {
            who: &self.who,
            operator: self.caller.may_run_appliance(),
            token: &self.token,
            group: group.map(|group| (group.id, group.name.as_str())),
            flash: self.flash.as_ref(),
            lab: self.lab.as_deref(),
            attention: &self.attention,
            may_switch: self.may_switch,
            from: self.from.as_deref(),
        }
    }

    /// The group that the path names, for the one who may run it.
    ///
    /// # Errors
    /// `NotFound` for what is no number or no group, `Denied` for another's group.
    pub fn group(&self) -> Result<Group> {
        let id = GroupId::parse(self.call.segment("group"))
            .ok_or_else(|| Error::not_found("group_unknown", "There is no such group."))?;
        self.desk().people.group(&self.caller, id)
    }

    /// The number that the path names.
    ///
    /// # Errors
    /// `NotFound` for what is no number.
    pub fn number(&self, segment: &str) -> Result<i64> {
        let missing = || Error::not_found("no_such_path", "There is nothing at this address.");
        self.call.segment(segment).parse().map_err(|_| missing())
    }

    /// Sends the browser on after a change, with a message for the next page. Back to a list means back to it as it was
    /// left; elsewhere the way back to it stays.
    pub fn done(&self, location: &str, sentence: &str) -> Response {
        self.done_as(&self.bearer, &led_back(self.from.as_deref(), location), sentence)
    }

    /// As [`Visit::done`], for a session that has just begun.
    pub fn done_as(&self, bearer: &str, location: &str, sentence: &str) -> Response {
        say(self.app, self.call, bearer, answer::see_other(location), sentence)
    }
}

/// What came with a form, to be shown again; passwords and tokens are left out.
pub fn filled(params: &Params<'_>) -> Fill {
    Fill::of(
        params
            .iter()
            .filter(|(name, _)| !matches!(*name, TOKEN_FIELD | "password" | "again" | "current"))
            .map(|(name, value)| (name.to_owned(), value.into_owned())),
    )
}

/// Puts a refusal at its field. `fields` pairs the desk's name of a field with the form's, where the form
/// has the field.
///
/// # Errors
/// Our own faults are not the form's.
pub fn refused(fill: Fill, error: Error, fields: &[(&str, &str)]) -> Result<(u16, Fill)> {
    if matches!(error.kind, Kind::Fault | Kind::Unavailable) {
        return Err(error);
    }
    let named = error.field.as_deref().and_then(|field| fields.iter().find(|(desk, _)| *desk == field));
    Ok((error.kind.status(), fill.with_problem(named.map(|(_, form)| *form), error.public)))
}

/// The new password of a form that asks for it twice.
///
/// # Errors
/// `Invalid` for the field `again`.
pub fn password_typed_twice(params: &Params<'_>) -> Result<crate::secret::Secret> {
    let password = params.first("password").unwrap_or_default();
    if params.first("again").unwrap_or_default() != password {
        return Err(Error::invalid(
            "password_differs",
            "again",
            "The two passwords differ. Type both again.",
        ));
    }
    Ok(crate::secret::Secret::new(password.as_bytes()))
}

/// What a page of somebody who is not signed in holds its forms with: the value of their cookie, or a new
/// one that [`with_entry`] sets.
///
/// # Errors
/// `Fault` when the machine has no randomness.
pub fn entry(call: &Call<'_>) -> Result<String> {
    match cookie(call, ENTRY) {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => crate::secret::random_token::<24>(),
    }
}

/// Sets the cookie of [`entry`].
pub fn with_entry(response: Response, call: &Call<'_>, value: &str) -> Response {
    of_console(set_cookie(response, call, ENTRY, value, ""))
}

/// Passes a form of somebody who is not signed in.
///
/// # Errors
/// `Denied` with code `foreign_form`.
pub fn entry_form_is_ours(app: &App, call: &Call<'_>) -> Result<()> {
    let bearer = cookie(call, ENTRY).unwrap_or_default();
    let token = call.form()?.first(TOKEN_FIELD).map(|token| token.into_owned());
    from_our_own_page(app, call, bearer, token.as_deref())
}

/// Gives the browser a session that has just begun.
pub fn with_session(response: Response, call: &Call<'_>, bearer: &str) -> Response {
    of_console(set_cookie(response, call, SESSION, bearer, ""))
}

/// Takes the session away from the browser.
pub fn without_session(response: Response, call: &Call<'_>) -> Response {
    of_console(set_cookie(response, call, SESSION, "", "; Max-Age=0"))
}

/// Leaves a message for the next page of this browser.
pub fn say(app: &App, call: &Call<'_>, bearer: &str, response: Response, sentence: &str) -> Response {
    let sentence: String = sentence.chars().take(MESSAGE_MAX).collect();
    let sealed = app.desk.appliance.seal_message(bearer, &sentence);
    set_cookie(response, call, MESSAGE, &sealed, MESSAGE_LIFE)
}

/// The message that the page before left for this browser.
pub fn message(app: &App, call: &Call<'_>, bearer: &str) -> Option<Flash> {
    let sealed = cookie(call, MESSAGE).filter(|sealed| !sealed.is_empty())?;
    app.desk.appliance.open_message(bearer, sealed).map(|sentence| Flash { good: true, sentence })
}

/// In the lab, what its clock says.
pub fn lab_clock(desk: &Desk) -> Option<String> {
    desk.appliance.lab_clock()
}

fn from_our_own_page(app: &App, call: &Call<'_>, bearer: &str, token: Option<&str>) -> Result<()> {
    let own = own_page::sends(app, call.request);
    if own && token.is_some_and(|token| app.desk.appliance.form_token_fits(bearer, token)) {
        return Ok(());
    }
    let public = "This form does not belong to your current session. Nothing was changed. Go back, reload the page, and send the form again.";
    Err(Error::new(Kind::Denied, "foreign_form", public))
}

/// Where a change leads, for somebody who came `from` a list.
fn led_back(from: Option<&str>, location: &str) -> String {
    match from {
        Some(from) if from.split('?').next() == Some(location) => from.to_owned(),
        Some(from) if !location.contains('?') => {
            let from: String = form_urlencoded::byte_serialize(from.as_bytes()).collect();
            format!("{location}?from={from}")
        }
        _ => location.to_owned(),
    }
}

/// Sends somebody whose session has ended to the sign-in. A form of ours does not get lost: it goes along, sealed for the
/// same person, or is shown to be copied.
fn sign_in_again(app: &App, call: &Call<'_>, bearer: &str) -> Result<Response> {
    if call.request.method != Method::Post || bearer.is_empty() {
        return Ok(answer::see_other(&sign_in_address(call)));
    }
    let page = came_from(call);
    if is_multipart(call) {
        let ended = Ended { kept: None, lost: Vec::new() };
        return sign_in_page(app, call, &page, 401, &Fill::default(), Some(&ended));
    }
    let form = call.form()?;
    if from_our_own_page(app, call, bearer, form.first(TOKEN_FIELD).as_deref()).is_err() {
        return Ok(answer::see_other(&sign_in_address(call)));
    }
    let interrupted = Interrupted::of(call, &form, page.clone());
    let browser = entry(call)?;
    let person = app.desk.appliance.ended_console_person(bearer)?;
    let kept = person
        .zip(interrupted.to_text())
        .map(|(who, text)| app.desk.appliance.seal_form(&browser, &who, &text));
    let lost = if kept.is_some() { Vec::new() } else { interrupted.values };
    let ended = Ended { kept, lost };
    let response = sign_in_page_in(app, call, &browser, &page, 401, &Fill::default(), Some(&ended))?;
    Ok(with_entry(response, call, &browser))
}

/// The page of ours from which a form was sent, as far as the browser says; "" else.
fn came_from(call: &Call<'_>) -> String {
    let referrer = call.request.header("Referer").unwrap_or_default();
    let address =
        referrer.split_once("://").and_then(|(_, rest)| Some(rest.split_at_checked(rest.find('/')?)?.1));
    address.filter(|address| is_own_address(address)).unwrap_or_default().to_owned()
}

/// The page where operators and administrators sign in; `next` is where they go then.
///
/// # Errors
/// Our own faults.
pub fn sign_in_page(
    app: &App,
    call: &Call<'_>,
    next: &str,
    status: u16,
    fill: &Fill,
    ended: Option<&Ended>,
) -> Result<Response> {
    let browser = entry(call)?;
    let response = sign_in_page_in(app, call, &browser, next, status, fill, ended)?;
    Ok(with_entry(response, call, &browser))
}

fn sign_in_page_in(
    app: &App,
    call: &Call<'_>,
    browser: &str,
    next: &str,
    status: u16,
    fill: &Fill,
    ended: Option<&Ended>,
) -> Result<Response> {
    let page = pages::console::entry::sign_in(
        &pages::console::entry::SignInView {
            form_token: &app.desk.appliance.form_token(browser),
            next,
            lab: lab_clock(&app.desk).as_deref(),
            flash: message(app, call, browser).as_ref(),
            unclaimed: app.desk.appliance.is_unclaimed()?,
            ended,
        },
        fill,
    );
    Ok(answer::html(status, page))
}

/// Where somebody signs in who wanted to come here.
fn sign_in_address(call: &Call<'_>) -> String {
    let request = call.request;
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let wanted = format!("{}{query}", request.path);
    if request.method == Method::Get && wanted.starts_with("/console/") && is_own_address(&wanted) {
        let next: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        return format!("/console/sign-in?next={next}");
    }
    "/console/sign-in".to_owned()
}

/// The group to whose pages a path belongs.
fn group_in(path: &str) -> Option<GroupId> {
    let mut segments = path.strip_prefix("/console/groups/")?.split('/');
    GroupId::parse(segments.next()?)
}

/// Most characters of an address that is remembered.
const ADDRESS_MAX: usize = 2_000;

/// Whether an address that came with a request is a page of the console: nothing that could lead elsewhere, and
/// nothing that a header could be split with.
pub fn is_own_address(address: &str) -> bool {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let segments = path.strip_prefix("/console/").unwrap_or_default();
    address.len() <= ADDRESS_MAX
        && !segments.is_empty()
        && segments.split('/').all(|s| !s.is_empty() && s.bytes().all(plain) && !matches!(s, "." | ".."))
        && query
            .bytes()
            .all(|b| plain(b) || matches!(b, b'%' | b'=' | b'&' | b'+' | b'*' | b':' | b'@' | b','))
}

fn is_multipart(call: &Call<'_>) -> bool {
    call.request.header("Content-Type").is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

pub(super) fn cookie_name(call: &Call<'_>, name: &str) -> String {
    if call.request.secure { format!("__Host-sidelight-{name}") } else { format!("sidelight-{name}") }
}

pub(super) fn cookie<'c>(call: &'c Call<'_>, name: &str) -> Option<&'c str> {
    call.request.cookie(&cookie_name(call, name))
}

fn set_cookie(response: Response, call: &Call<'_>, name: &str, value: &str, more: &str) -> Response {
    let secure = if call.request.secure { "; Secure" } else { "" };
    let name = cookie_name(call, name);
    let line = format!("{name}={value}; Path=/{secure}; HttpOnly; SameSite=Lax{more}");
    answer::with(response, "Set-Cookie", &line)
}

/// With `no-referrer`, browsers would hide the origin of our own forms from us.
pub(super) fn of_console(response: Response) -> Response {
    let told = response.headers().iter().any(|header| header.field.equiv("Referrer-Policy"));
    if told { response } else { answer::with(response, "Referrer-Policy", "same-origin") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_console_are_come_back_to() {
        for (address, own) in [
            ("/console/groups", true),
            ("/console/groups/7/users?search=a%26b&state=locked&page=2", true),
            ("/console/groups/7/users.csv", true),
            ("", false),
            ("/", false),
            ("/console", false),
            ("/console/", false),
            ("/consoles/x", false),
            ("//evil.example/console/x", false),
            ("/console//evil.example", false),
            ("/console/../account", false),
            ("/console/./x", false),
            ("/console\\x", false),
            ("/console/x\\y", false),
            ("https://evil.example/console/x", false),
            ("javascript:alert(1)", false),
            ("/console/x#y", false),
            ("/console/x?y\r\nSet-Cookie: a=b", false),
            ("/console/x?<script>", false),
            ("/console/x?a=\"", false),
            ("/console/ x", false),
        ] {
            assert_eq!(is_own_address(address), own, "{address}");
        }
        assert!(!is_own_address(&format!("/console/x?{}", "a".repeat(2_000))));
    }

    #[test]
    fn a_change_leads_back_to_the_list_as_it_was_left() {
        let from = Some("/console/groups/7/users?page=2");
        assert_eq!(led_back(from, "/console/groups/7/users"), "/console/groups/7/users?page=2");
        let on = "/console/groups/7/users/5?from=%2Fconsole%2Fgroups%2F7%2Fusers%3Fpage%3D2";
        assert_eq!(led_back(from, "/console/groups/7/users/5"), on);
        assert_eq!(led_back(None, "/console/groups/7/users/5"), "/console/groups/7/users/5");
    }
}
