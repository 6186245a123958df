//! The route table: which surface answers which method and path, how large its body may be, and in which
//! shape it speaks of errors.
//!
//! [`Paths`] says which line of the table a path belongs to. What is refused before a surface is asked (no such path,
//! another method, a body that is too long) is printed in the language of the surface whose path it is. Every answer
//! leaves with the house's security headers.

use std::sync::Arc;
use std::time::Instant;

use tiny_http::Method;

use super::answer;
pub use super::answer::Errors;
use super::form::Params;
use super::paths::{PathMatch, Paths};
use super::traffic::{Traffic, surface_of};
use crate::desk::Desk;
use crate::error::{Error, Kind, Result};
use crate::gate::{
    Answer, Broken, Handler, Head, Portions, Refusal, Refused, Request, RequestPolicy, Response, Resume,
    Streamed,
};
use crate::model::Caller;
use crate::model::Mode;
use crate::model::doctor::Installation;
use crate::promise::Promise;
use crate::server_log::{self, note};

/// Largest body of a route that takes none to speak of.
pub const NO_BODY: usize = 4 * 1024;
/// Largest form post.
pub const FORM: usize = 64 * 1024;
/// Largest JSON document.
pub const JSON: usize = 256 * 1024;
/// Largest post that carries a SAML response.
pub const SAML: usize = 384 * 1024;
/// Largest uploaded file: a spreadsheet of 100,000 people, or a federation's metadata.
pub const UPLOAD: usize = 24 * 1024 * 1024;

/// One line of a surface's table.
pub struct Route {
    pub method: Method,
    /// Such as `/PAPI/NewUser.asp` or `/console/groups/{group}`.
    pub path: &'static str,
    /// Bytes of body.
    pub limit: usize,
    pub errors: Errors,
    /// How the surface prints what is refused before it is asked, where it has more to say than `errors`.
    pub refusal: Option<OwnRefusal>,
    pub handler: Handling,
    /// As [`Terms::brief`].
    pub brief: bool,
    /// Whether it takes JSON beside forms: a JSON document may be as large as [`JSON`].
    pub or_json: bool,
}

impl Route {
    /// Makes the line of a surface that answers at once.
    pub const fn at_once(
        method: Method,
        path: &'static str,
        limit: usize,
        errors: Errors,
        handler: AtOnce,
    ) -> Route {
        Route {
            method,
            path,
            limit,
            errors,
            refusal: None,
            handler: Handling::AtOnce(handler),
            brief: false,
            or_json: false,
        }
    }

    /// Makes the line of a surface whose body is made as the client takes it.
    pub const fn streamed(path: &'static str, handler: InPieces) -> Route {
        Route {
            method: Method::Get,
            path,
            limit: NO_BODY,
            errors: Errors::Page,
            refusal: None,
            handler: Handling::Streamed(handler),
            brief: false,
            or_json: false,
        }
    }

    /// The same line of a surface that refuses in its own way.
    pub const fn refusing(mut self, refusal: OwnRefusal) -> Route {
        self.refusal = Some(refusal);
        self
    }

    /// The same line of a surface that takes JSON beside forms.
    pub const fn or_json(mut self) -> Route {
        self.or_json = true;
        self
    }

    /// The same line of a surface that answers within some hundred microseconds: it may read a row or two,
    /// and what waits for a commit or hashes a password in it says so itself.
    pub const fn briefly(mut self) -> Route {
        self.brief = true;
        self
    }
}

impl Route {
    fn terms(&self, head: &Head<'_>) -> RequestPolicy {
        let is_json = head.content_type.is_some_and(|kind| {
            kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
        });
        let body_limit = if self.or_json && is_json { self.limit.max(JSON) } else { self.limit };
        RequestPolicy { body_limit, brief: self.brief }
    }
}

/// How a surface prints a refusal that came before it was asked: a path that is not there, a method, a body that is too
/// long and was not read. `None` leaves it to [`Route::errors`].
pub type OwnRefusal = fn(&App, &Call<'_>, &Error) -> Result<Option<Response>>;

/// How a surface answers.
pub enum Handling {
    AtOnce(AtOnce),
    /// After a commit, for which no thread waits: what signs in most often.
    Promised(fn(&App, &Call<'_>) -> Result<Promise<Response>>),
    /// With a body that is made as the client takes it: exports.
    Streamed(InPieces),
}

/// What follows the body of a response, piece by piece.
pub type BodyPortions = Box<dyn Iterator<Item = Result<Vec<u8>>> + Send>;

/// A surface's function whose response may go on in pieces.
pub type InPieces = fn(&App, &Call<'_>) -> Result<(Response, Option<BodyPortions>)>;

/// A surface's function that answers at once.
pub type AtOnce = fn(&App, &Call<'_>) -> Result<Response>;

/// What every surface may use.
pub struct App {
    pub desk: Arc<Desk>,
    /// Scheme and authority under which people reach this server, such as `https://sso.example.com`, when
    /// it is configured; else it is read off the request.
    pub public_origin: Option<String>,
    routes: Paths<&'static Route>,
    traffic: Arc<Traffic>,
    /// When the server started, and how.
    installed: Option<(Instant, Installation)>,
}

/// One request on its way to a surface.
pub struct Call<'r> {
    pub request: &'r Request,
    parameters: Vec<(&'static str, &'r str)>,
}

impl Call<'_> {
    /// The path segment that stood where the route has `{name}`; "" when the route has none of that name.
    pub fn segment(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The parameters of the query.
    pub fn query(&self) -> Params<'_> {
        Params::of_query(&self.request.query)
    }

    /// The parameters of an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    /// `Invalid` when the body is not UTF-8.
    pub fn form(&self) -> Result<Params<'_>> {
        Params::of_body(&self.request.body)
    }

    /// Somebody who has not proved who they are, at the address of this request.
    pub fn anonymous(&self) -> Caller {
        Caller::anonymous(self.request.peer)
    }
}

impl App {
    /// Puts the surfaces' tables together over one desk.
    pub fn new(desk: Arc<Desk>, public_origin: Option<String>, tables: &[&'static [Route]]) -> App {
        let routes = tables.iter().copied().flatten();
        let routes = Paths::new(routes.map(|route| (route.method.clone(), route.path, route)));
        App { desk, public_origin, routes, traffic: Arc::default(), installed: None }
    }

    /// The same, of a server that started then and so.
    pub fn installed(self, started: Instant, installation: Installation) -> App {
        App { installed: Some((started, installation)), ..self }
    }

    /// How the server was started, and what has become of it since.
    pub fn installation(&self) -> Installation {
        let Some((started, installation)) = &self.installed else { return Installation::default() };
        Installation {
            uptime_seconds: Some(started.elapsed().as_secs()),
            dropped_lines: server_log::dropped(),
            ..installation.clone()
        }
    }

    /// Counts of requests.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// Scheme and authority under which this request's sender reaches the server; no slash at its end.
    pub fn origin(&self, request: &Request) -> String {
        match &self.public_origin {
            Some(origin) => origin.clone(),
            None => format!("{}://{}", if request.secure { "https" } else { "http" }, request.host),
        }
    }

    /// Whether [`App::origin`] is only what the browser says: in production without `public_url`. The lab is
    /// reached at the address where it listens.
    pub fn origin_is_guessed(&self) -> bool {
        self.public_origin.is_none() && self.desk.mode() == Mode::Production
    }

    /// What a GET of a page of this server answers, for who shows it as an answer of their own; `None` for what answers
    /// otherwise or not at once.
    pub fn page(&self, request: &Request) -> Option<Response> {
        let PathMatch::PathLine(route, parameters) = self.routes.find(&Method::Get, &request.path) else {
            return None;
        };
        let Handling::AtOnce(handler) = route.handler else { return None };
        handler(self, &Call { request, parameters }).ok()
    }

    fn answer(&self, request: &Request) -> Answer {
        let response = match self.routes.find(&request.method, &request.path) {
            PathMatch::PathLine(route, parameters) => {
                let call = Call { request, parameters };
                let answered = match route.handler {
                    Handling::AtOnce(handler) => handler(self, &call),
                    Handling::Streamed(handler) => match handler(self, &call) {
                        Ok((response, Some(pieces))) => return self.streamed(request, response, pieces),
                        Ok((response, None)) => Ok(response),
                        Err(error) => Err(error),
                    },
                    Handling::Promised(handler) => match handler(self, &call) {
                        Ok(promise) => return self.later(request, promise, route.errors),
                        Err(error) => Err(error),
                    },
                };
                answered.unwrap_or_else(|error| {
                    let lab = self.lab_clock_for(route.errors);
                    RefusedRequest::of(request).refused_in(error, route.errors, lab.as_deref())
                })
            }
            PathMatch::OtherMethod(route, allowed) => {
                let only_forms = matches!(route.errors, Errors::Page) && allowed == [Method::Post];
                let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
                let public = match only_forms {
                    true => "There is no page at this address. It accepts only a submitted form.".to_owned(),
                    false => format!("This address accepts only {allowed}."),
                };
                let error = Error::new(Kind::WrongMethod, "method_not_allowed", public);
                answer::with(self.said(request, Some(route), &error), "Allow", &allowed)
            }
            PathMatch::Nothing => {
                let error = Error::not_found("no_such_path", "There is nothing at this address.");
                self.said(request, self.routes.nearest(&request.path), &error)
            }
        };
        answer::with_house_headers(response, self.promises_tls(request)).into()
    }

    /// Prints a refusal that came before a surface was asked, as the surface at `route` has it.
    fn said(&self, request: &Request, route: Option<&Route>, error: &Error) -> Response {
        let shape = shape_of(route, request);
        let own = match route.and_then(|route| route.refusal) {
            Some(refusal) => refusal(self, &Call { request, parameters: Vec::new() }, error),
            None => Ok(None),
        };
        let lab = self.lab_clock_for(shape);
        match own {
            Ok(Some(response)) => response,
            Ok(None) => answer::error_in(error, shape, lab.as_deref()),
            Err(error) => RefusedRequest::of(request).refused_in(error, shape, lab.as_deref()),
        }
    }

    /// The line of the table that a request belongs to, whether or not it takes it.
    fn route_of(&self, method: &Method, path: &str) -> Option<&'static Route> {
        match self.routes.find(method, path) {
            PathMatch::PathLine(route, _) | PathMatch::OtherMethod(route, _) => Some(route),
            PathMatch::Nothing => self.routes.nearest(path),
        }
    }

    /// Words what the gate refused of a request whose head was read.
    fn refused_by_gate(&self, refusal: Refusal, request: &Request) -> Response {
        let route = self.route_of(&request.method, &request.path);
        let response = match refusal {
            Refusal::BodyTooLong => {
                let head = Head {
                    method: &request.method,
                    path: &request.path,
                    query: &request.query,
                    content_type: request.header("Content-Type"),
                    content_length: None,
                };
                let limit = self.terms(&head).body_limit;
                self.said(request, route, &too_long(refusal, limit))
            }
            // Of these there may be a flood: nobody is asked who sends it.
            _ => {
                let shape = shape_of(route, request);
                answer::error_in(&as_error(refusal), shape, self.lab_clock_for(shape).as_deref())
            }
        };
        answer::with_house_headers(response, self.promises_tls(request))
    }

    /// Answers with a body that is made as the client takes it. What fails after it has begun is logged here, and
    /// cuts the client off.
    fn streamed(&self, request: &Request, response: Response, pieces: BodyPortions) -> Answer {
        let response = answer::with_house_headers(response, self.promises_tls(request));
        let path = request.path.clone();
        let portions: Portions = Box::new(pieces.map(move |piece| {
            piece.map_err(|error| {
                note(format_args!("{path}: an export was broken off: {error}"));
                Broken
            })
        }));
        Answer::Streamed(Streamed { response, portions })
    }

    /// Answers when the promise is kept.
    fn later(&self, request: &Request, promise: Promise<Response>, errors: Errors) -> Answer {
        let promises_tls = self.promises_tls(request);
        let asked = RefusedRequest::of(request);
        let lab = self.lab_clock_for(errors);
        let (traffic, surface) = (self.traffic(), surface_of(&request.path));
        Answer::Later(Box::new(move |resume: Resume| {
            promise.deliver(move |outcome| {
                resume.with(move || {
                    let response =
                        outcome().unwrap_or_else(|error| asked.refused_in(error, errors, lab.as_deref()));
                    traffic.answered(surface, &response);
                    answer::with_house_headers(response, promises_tls)
                });
            });
        }))
    }

    /// In the lab, what its clock says, for errors that are pages.
    fn lab_clock_for(&self, shape: Errors) -> Option<String> {
        if matches!(shape, Errors::Page) { self.desk.appliance.lab_clock() } else { None }
    }

    /// A lab shares `localhost` with a developer's other servers: no promise of TLS is made for it.
    fn promises_tls(&self, request: &Request) -> bool {
        request.secure && self.desk.mode() == Mode::Production
    }
}

/// What was asked for, for the log of our own faults.
pub struct RefusedRequest {
    method: Method,
    path: String,
}

impl RefusedRequest {
    /// What `request` asks for.
    pub fn of(request: &Request) -> RefusedRequest {
        RefusedRequest { method: request.method.clone(), path: request.path.clone() }
    }

    /// Answers with an error; a surface that adds headers to its errors calls this itself. Our own faults are
    /// logged here, once, and get the code that joins log and answer.
    pub fn refused(&self, error: Error, shape: Errors) -> Response {
        self.refused_in(error, shape, None)
    }

    /// As [`RefusedRequest::refused`]; in the lab, with what its clock says.
    fn refused_in(&self, error: Error, shape: Errors, lab: Option<&str>) -> Response {
        if !matches!(error.kind, Kind::Fault | Kind::Unavailable) {
            return answer::error_in(&error, shape, lab);
        }
        let incident = error.incident.clone().or_else(|| crate::secret::incident_code().ok());
        let incident = incident.unwrap_or_else(|| "unknown".into());
        note(format_args!("{} {}: incident {incident}: {error}", self.method, self.path));
        answer::error_in(&error.with_incident(incident), shape, lab)
    }
}

impl Handler for App {
    fn terms(&self, head: &Head<'_>) -> RequestPolicy {
        match self.routes.find(head.method, head.path) {
            PathMatch::PathLine(route, _) => route.terms(head),
            // As much as a form or a SAML response has: who posts to an address that is nearly right hears that it
            // is wrong, not that what they sent is too long.
            PathMatch::OtherMethod(..) | PathMatch::Nothing => {
                RequestPolicy { body_limit: FORM, brief: true }
            }
        }
    }

    fn handle(&self, request: &Request) -> Answer {
        let answer = self.answer(request);
        match &answer {
            Answer::Now(response) | Answer::Streamed(Streamed { response, .. }) => {
                self.traffic.answered(surface_of(&request.path), response);
            }
            // Counted when it is made.
            Answer::Later(_) => {}
        }
        answer
    }

    fn refused(&self, refusal: Refusal, refused: &Refused<'_>) -> Option<Response> {
        match refused {
            Refused::Head(request) => Some(self.refused_by_gate(refusal, request)),
            Refused::Beginning { path, .. } => {
                let shape = self.routes.nearest(path)?.errors;
                let lab = self.lab_clock_for(shape);
                let response = answer::error_in(&as_error(refusal), shape, lab.as_deref());
                Some(answer::with_house_headers(response, false))
            }
        }
    }

    fn panicked(&self, request: &Request, incident: &str) -> Option<Response> {
        note(format_args!("panic while answering {} {}: incident {incident}", request.method, request.path));
        let shape = shape_of(self.route_of(&request.method, &request.path), request);
        let error =
            Error::new(Kind::Fault, "panic", "Something went wrong on this server.").with_incident(incident);
        let response = answer::error_in(&error, shape, self.lab_clock_for(shape).as_deref());
        Some(answer::with_house_headers(response, self.promises_tls(request)))
    }
}

/// How errors are printed at `route`; at a path that is nobody's, as anyone who asks reads them.
fn shape_of(route: Option<&Route>, request: &Request) -> Errors {
    let wants_page = || request.header("Accept").is_some_and(|accept| accept.contains("text/html"));
    match route {
        Some(route) => route.errors,
        None if wants_page() => Errors::Page,
        None => Errors::Json,
    }
}

/// What the gate refuses, as an error.
fn as_error(refusal: Refusal) -> Error {
    let kind = match refusal.status() {
        400 => Kind::Invalid,
        503 => Kind::Unavailable,
        status => Kind::Http(status),
    };
    Error::new(kind, refusal.code(), refusal.sentence())
}

/// A body that is longer than `limit` bytes.
fn too_long(refusal: Refusal, limit: usize) -> Error {
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    let most = if limit >= MIB { format!("{} MiB", limit / MIB) } else { format!("{} KiB", limit / KIB) };
    let public = format!("The request is larger than {most}, the limit for this address. Send less at once.");
    Error { public, ..as_error(refusal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &App, _: &Call<'_>) -> Result<Response> {
        Ok(answer::text(200, ""))
    }

    const fn route(method: Method, path: &'static str) -> Route {
        Route::at_once(method, path, NO_BODY, Errors::Json, nothing)
    }

    #[test]
    fn a_json_document_may_be_larger_than_a_form_where_both_are_taken() {
        let form = Route { limit: FORM, ..route(Method::Post, "/authorize") };
        let either = Route { limit: FORM, ..route(Method::Post, "/authorize") }.or_json();
        for (route, content_type, want) in [
            (&either, Some("application/json"), JSON),
            (&either, Some("Application/JSON; charset=utf-8"), JSON),
            (&either, Some("application/x-www-form-urlencoded"), FORM),
            (&either, Some("text/plain"), FORM),
            (&either, None, FORM),
            (&form, Some("application/json"), FORM),
        ] {
            let head = Head {
                method: &Method::Post,
                path: "/authorize",
                query: "",
                content_type,
                content_length: None,
            };
            assert_eq!(route.terms(&head).body_limit, want, "{content_type:?}");
        }
    }
}
