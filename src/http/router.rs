//! The route table: which surface answers which method and path, how large its body may be, and in which
//! shape it speaks of errors.
//!
//! Paths are matched in any case, because the wire's own are (`/PAPI/newuser.asp`); a segment in braces
//! matches anything but `/` and keeps its case. Every answer leaves with the house's security headers.

use std::collections::HashMap;
use std::sync::Arc;

use tiny_http::Method;

use super::answer;
pub use super::answer::Errors;
use super::form::Params;
use crate::desk::Desk;
use crate::error::{Error, Kind, Result};
use crate::gate::{Answer, Broken, Handler, Head, Portions, Request, Response, Resume, Streamed, Terms};
use crate::model::Caller;
use crate::model::Mode;
use crate::promise::Promise;
use crate::server_log::note;

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
            handler: Handling::Streamed(handler),
            brief: false,
            or_json: false,
        }
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
    fn terms(&self, head: &Head<'_>) -> Terms {
        let is_json = head.content_type.is_some_and(|kind| {
            kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
        });
        let body_limit = if self.or_json && is_json { self.limit.max(JSON) } else { self.limit };
        Terms { body_limit, brief: self.brief }
    }
}

/// How a surface answers.
pub enum Handling {
    AtOnce(AtOnce),
    /// After a commit, for which no thread waits: what signs in most often.
    Promised(fn(&App, &Call<'_>) -> Result<Promise<Response>>),
    /// With a body that is made as the client takes it: exports.
    Streamed(InPieces),
}

/// What follows the body of a response, piece by piece.
pub type Pieces = Box<dyn Iterator<Item = Result<Vec<u8>>> + Send>;

/// A surface's function whose response may go on in pieces.
pub type InPieces = fn(&App, &Call<'_>) -> Result<(Response, Option<Pieces>)>;

/// A surface's function that answers at once.
pub type AtOnce = fn(&App, &Call<'_>) -> Result<Response>;

/// What every surface may use.
pub struct App {
    pub desk: Arc<Desk>,
    /// Scheme and authority under which people reach this server, such as `https://sso.example.com`, when
    /// it is configured; else it is read off the request.
    pub public_origin: Option<String>,
    routes: Routes,
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
        App { desk, public_origin, routes: Routes::new(tables) }
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

    fn answer(&self, request: &Request) -> Answer {
        let response = match self.routes.find(&request.method, &request.path) {
            Found::Route(route, parameters) => {
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
                    Asked::of(request).refused_in(error, route.errors, lab.as_deref())
                })
            }
            Found::OtherMethod(errors, allowed) => {
                let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
                let public = format!("This address answers only {allowed}.");
                let error = Error::new(Kind::WrongMethod, "method_not_allowed", public);
                let said = answer::error_in(&error, errors, self.lab_clock_for(errors).as_deref());
                answer::with(said, "Allow", &allowed)
            }
            Found::Nothing => {
                let error = Error::not_found("no_such_path", "There is nothing at this address.");
                let wants_page = request.header("Accept").is_some_and(|a| a.contains("text/html"));
                let nobodys = if wants_page { Errors::Page } else { Errors::Json };
                let shape = self.routes.errors_near(&request.path).unwrap_or(nobodys);
                answer::error_in(&error, shape, self.lab_clock_for(shape).as_deref())
            }
        };
        answer::with_house_headers(response, self.promises_tls(request)).into()
    }

    /// Answers with a body that is made as the client takes it. What fails after it has begun is logged here, and
    /// cuts the client off.
    fn streamed(&self, request: &Request, response: Response, pieces: Pieces) -> Answer {
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
        let asked = Asked::of(request);
        let lab = self.lab_clock_for(errors);
        Answer::Later(Box::new(move |resume: Resume| {
            promise.deliver(move |outcome| {
                resume.with(move || {
                    let response =
                        outcome().unwrap_or_else(|error| asked.refused_in(error, errors, lab.as_deref()));
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
pub struct Asked {
    method: Method,
    path: String,
}

impl Asked {
    /// What `request` asks for.
    pub fn of(request: &Request) -> Asked {
        Asked { method: request.method.clone(), path: request.path.clone() }
    }

    /// Answers with an error; a surface that adds headers to its errors calls this itself. Our own faults are
    /// logged here, once, and get the code that joins log and answer.
    pub fn refused(&self, error: Error, shape: Errors) -> Response {
        self.refused_in(error, shape, None)
    }

    /// As [`Asked::refused`]; in the lab, with what its clock says.
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
    fn terms(&self, head: &Head<'_>) -> Terms {
        match self.routes.find(head.method, head.path) {
            Found::Route(route, _) => route.terms(head),
            // As much as a form or a SAML response has: who posts to an address that is nearly right hears that it
            // is wrong, not that what they sent is too long.
            Found::OtherMethod(..) | Found::Nothing => Terms { body_limit: FORM, brief: true },
        }
    }

    fn handle(&self, request: &Request) -> Answer {
        self.answer(request)
    }
}

struct Routes {
    /// Routes without braces, by their path in lower case.
    literal: HashMap<String, Vec<&'static Route>>,
    /// Routes with braces, by the number of their segments.
    patterns: HashMap<usize, Vec<&'static Route>>,
    /// How those routes speak of errors whose paths begin so, in lower case: the first of the tables counts.
    beginnings: HashMap<String, Errors>,
}

enum Found<'p> {
    Route(&'static Route, Vec<(&'static str, &'p str)>),
    /// The path is known, with these methods only; its surface speaks so of errors.
    OtherMethod(Errors, Vec<Method>),
    Nothing,
}

impl Routes {
    fn new(tables: &[&'static [Route]]) -> Routes {
        let (literal, patterns, beginnings) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut routes = Routes { literal, patterns, beginnings };
        for route in tables.iter().copied().flatten() {
            for beginning in beginnings_of(&route.path.to_ascii_lowercase()) {
                routes.beginnings.entry(beginning.to_owned()).or_insert(route.errors);
            }
            if route.path.contains('{') {
                routes.patterns.entry(route.path.split('/').count()).or_default().push(route);
            } else {
                routes.literal.entry(route.path.to_ascii_lowercase()).or_default().push(route);
            }
        }
        routes
    }

    fn find<'p>(&self, method: &Method, path: &'p str) -> Found<'p> {
        // HEAD is GET without the body, which the gate leaves out.
        let method = if *method == Method::Head { &Method::Get } else { method };
        let mut others = Vec::new();
        let mut errors = None;
        let lower = path.to_ascii_lowercase();
        for route in self.literal.get(&lower).into_iter().flatten() {
            if route.method == *method {
                return Found::Route(route, Vec::new());
            }
            others.push(route.method.clone());
            errors = errors.or(Some(route.errors));
        }
        for route in self.patterns.get(&path.split('/').count()).into_iter().flatten() {
            if let Some(parameters) = matched(route.path, path) {
                if route.method == *method {
                    return Found::Route(route, parameters);
                }
                others.push(route.method.clone());
                errors = errors.or(Some(route.errors));
            }
        }
        errors.map_or(Found::Nothing, |errors| Found::OtherMethod(errors, others))
    }

    /// How the surface whose paths begin most like `path` speaks of errors.
    fn errors_near(&self, path: &str) -> Option<Errors> {
        beginnings_of(&path.to_ascii_lowercase())
            .find_map(|beginning| self.beginnings.get(beginning))
            .copied()
    }
}

/// `path` without its last segments, the longest first: at least one segment, and none in braces.
fn beginnings_of(path: &str) -> impl Iterator<Item = &str> {
    let plain = path.find("/{").and_then(|at| path.get(..at)).unwrap_or(path);
    std::iter::successors(Some(plain), |path| path.rsplit_once('/').map(|(before, _)| before))
        .filter(|path| path.len() > 1)
}

/// Matches the segments of `path` with those of `pattern`; the counts are equal.
fn matched<'p>(pattern: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut parameters = Vec::new();
    for (want, got) in pattern.split('/').zip(path.split('/')) {
        match want.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) if !got.is_empty() => parameters.push((name, got)),
            Some(_) => return None,
            None if want.eq_ignore_ascii_case(got) => {}
            None => return None,
        }
    }
    Some(parameters)
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

    static TABLE: [Route; 4] = [
        route(Method::Get, "/PAPI/NewUser.asp"),
        route(Method::Post, "/PAPI/NewUser.asp"),
        route(Method::Get, "/groups/{group}/users/{user}"),
        route(Method::Get, "/groups/{group}/users/new"),
    ];

    fn found(method: &Method, path: &str) -> String {
        match Routes::new(&[&TABLE]).find(method, path) {
            Found::Route(route, parameters) => format!("{} {parameters:?}", route.path),
            Found::OtherMethod(_, methods) => format!("only {methods:?}"),
            Found::Nothing => "nothing".into(),
        }
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

    #[test]
    fn paths_match_in_any_case_and_segments_keep_theirs() {
        for (method, path, want) in [
            (Method::Get, "/papi/newuser.ASP", "/PAPI/NewUser.asp []"),
            (Method::Head, "/papi/newuser.asp", "/PAPI/NewUser.asp []"),
            (Method::Put, "/papi/newuser.asp", "only [Method::Get, Method::Post]"),
            (
                Method::Get,
                "/Groups/7/users/Ann",
                r#"/groups/{group}/users/{user} [("group", "7"), ("user", "Ann")]"#,
            ),
            (Method::Get, "/groups//users/Ann", "nothing"),
            (Method::Get, "/groups/7", "nothing"),
        ] {
            let got = found(&method, path).replace("Get", "Method::Get").replace("Post", "Method::Post");
            let got = got.replace("Method::Method::", "Method::");
            assert_eq!(got, want, "{path}");
        }
    }
}
