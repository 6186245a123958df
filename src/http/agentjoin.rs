//! The pages behind the Service Target URLs, and the sign-in page. Wire contract §3.7, §6.3.
//!
//! - `/agentjoin/AgentView.aspx`, `/agentjoin/AgentJoin.aspx`, `/agent/start`: GET and POST, names in any
//!   case, unknown fields ignored. Whoever brings a credential is signed in and gets the cookie `GSSNID`;
//!   whoever has the cookie already, needs none; all others are asked.
//! - `/login/default.aspx`, `/login/signout.aspx`: in and out by password.

use tiny_http::Method;

use super::credentials::Fields;
use super::gssnid::Jar;
use super::router::{App, AtOnce, Call, Errors, FORM, NO_BODY, Route};
use super::{account, answer, gssnid, own_page};
use crate::desk::sign_in::{Attempt, SignedIn};
use crate::error::{Error, Kind, Result};
use crate::gate::{Request, Response};
use crate::model::relative::RelativeTarget;
use crate::pages::agentjoin::{self as pages, Purpose};
use crate::pages::form::Fill;
use crate::protocol::credential::{Credential, Subject, Unreadable};
use crate::protocol::launch_url::{Claim, LaunchUrl};

const VIEW: &str = "/agentjoin/AgentView.aspx";
const JOIN: &str = "/agentjoin/AgentJoin.aspx";
const START: &str = "/agent/start";
const SIGN_IN: &str = "/login/default.aspx";
const SIGN_OUT: &str = "/login/signout.aspx";

const fn page(method: Method, path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(method, path, FORM, Errors::Page, handler)
}

pub const ROUTES: &[Route] = &[
    page(Method::Get, VIEW, agent_view),
    page(Method::Post, VIEW, agent_view),
    page(Method::Get, JOIN, agent_join),
    page(Method::Post, JOIN, agent_join),
    page(Method::Get, START, agent_start),
    page(Method::Post, START, agent_start),
    page(Method::Get, SIGN_IN, get_sign_in),
    page(Method::Post, SIGN_IN, post_sign_in),
    page(Method::Post, SIGN_OUT, post_sign_out),
    Route::at_once(Method::Get, pages::SCRIPT_PATH, NO_BODY, Errors::Text, get_script).briefly(),
];

/// Parameters that never travel on: they prove who somebody is.
const SECRETS: [&str; 7] =
    ["loginkey", "partnerid", "partneruserid", "username", "password", "g4scredentials", "gssnid"];
/// Most characters of a session key that is shown.
const SESSION_MOST: usize = 100;
/// Tells the native client to choose a session key. Wire contract §6.4.
const RANDOM_KEY: &str = "GLANCE_KEYTYPE_RANDOM";

fn agent_view(app: &App, call: &Call<'_>) -> Result<Response> {
    let fields = Fields::of(call)?;
    let session = fields.filled("sessionkey").or_else(|| fields.filled("visitorid"));
    let purpose = match session {
        Some(session) => Purpose::View { session: session.chars().take(SESSION_MOST).collect() },
        None => Purpose::Join,
    };
    arrive(app, call, &fields, &purpose, "AgentView")
}

fn agent_join(app: &App, call: &Call<'_>) -> Result<Response> {
    arrive(app, call, &Fields::of(call)?, &Purpose::Join, "AgentJoin")
}

fn agent_start(app: &App, call: &Call<'_>) -> Result<Response> {
    arrive(app, call, &Fields::of(call)?, &Purpose::Start, "agent/start")
}

/// Signs in who brings a credential, knows who has a web session, and asks everybody else.
fn arrive(
    app: &App,
    call: &Call<'_>,
    fields: &Fields<'_>,
    purpose: &Purpose,
    surface: &'static str,
) -> Result<Response> {
    let credential = match fields.credential() {
        Ok(credential) => credential,
        // A Service Target URL may name the group by anybody's address (§3.7).
        Err(Unreadable::Incomplete(_)) if fields.filled("loginkey").is_none() => None,
        Err(why) => {
            let error =
                app.desk.refuse_unreadable(&call.anonymous(), surface, fields.named_group(), Some(why));
            return Ok(refused(app, &error));
        }
    };
    let Some(credential) = credential else { return without_credential(app, call, fields, purpose, surface) };
    let caller = call.anonymous();
    let attempt = Attempt { caller: &caller, credential: &credential, group: fields.group()?, surface };
    match app.desk.sign_in_browser(&attempt) {
        Ok(browser) => {
            let launch = launch_of(app, call.request, purpose, &credential);
            let response =
                welcome(app, purpose, &browser.signed_in, launch.as_deref(), &browser.allowed_sites);
            let embedded = !browser.allowed_sites.is_empty();
            Ok(gssnid::set(response, Jar::of(call.request), &browser.web_session, embedded))
        }
        Err(error) if !is_refusal(&error) => Err(error),
        Err(error) if matches!(credential, Credential::Password { .. }) => {
            Ok(asked(app, call, fields, error.kind.status(), &problem(fields, &error)))
        }
        Err(error) => Ok(refused(app, &error)),
    }
}

fn without_credential(
    app: &App,
    call: &Call<'_>,
    fields: &Fields<'_>,
    purpose: &Purpose,
    surface: &'static str,
) -> Result<Response> {
    if let Some(credential) = gssnid::of(call.request) {
        let caller = call.anonymous();
        let attempt = Attempt { caller: &caller, credential: &credential, group: fields.group()?, surface };
        match app.desk.identify(&attempt) {
            Ok(signed_in) => {
                let sites = app.desk.allowed_sites(signed_in.group)?;
                return Ok(welcome(app, purpose, &signed_in, None, &sites));
            }
            Err(error) if !is_refusal(&error) => return Err(error),
            // The web session has ended: asked anew.
            Err(_) => {}
        }
    }
    // A Service Target URL that names a group goes to the group's identity provider.
    match account::start_sso(app, call, fields.params(), &address_of(call, fields))? {
        Some(response) => Ok(response),
        None => Ok(asked(app, call, fields, 200, &Fill::default())),
    }
}

/// Where the browser comes back to: the address that it asked for. What a form posted travels on as a query, but for
/// what proves who somebody is.
fn address_of(call: &Call<'_>, fields: &Fields<'_>) -> String {
    let request = call.request;
    if request.body.is_empty() {
        return format!("{}?{}", request.path, request.query);
    }
    let mut query = form_urlencoded::Serializer::new(format!("{}?", request.path));
    for (name, value) in fields.params().iter().filter(|(name, _)| !is_secret(name)) {
        query.append_pair(name, &value);
    }
    query.finish()
}

fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

fn get_sign_in(app: &App, call: &Call<'_>) -> Result<Response> {
    without_credential(app, call, &Fields::of(call)?, &Purpose::SignIn, "login")
}

fn post_sign_in(app: &App, call: &Call<'_>) -> Result<Response> {
    let fields = Fields::of(call)?;
    let response = arrive(app, call, &fields, &Purpose::SignIn, "login")?;
    // Paths of this server only. Wire contract §11, Q15.
    let target = fields.filled("redirect").and_then(|target| RelativeTarget::parse(&target));
    match target {
        Some(target) if response.status_code() == tiny_http::StatusCode(200) => {
            Ok(with_cookies_of(&response, answer::see_other(target.as_str())))
        }
        _ => Ok(response),
    }
}

fn post_sign_out(app: &App, call: &Call<'_>) -> Result<Response> {
    if !own_page::sends(app, call.request) {
        return Err(Error::denied("Only this server's own pages may sign you out."));
    }
    for value in gssnid::values(call.request) {
        app.desk.end_web_session(&call.anonymous(), value)?;
    }
    Ok(gssnid::clear(answer::see_other(SIGN_IN), call.request))
}

fn get_script(_: &App, _: &Call<'_>) -> Result<Response> {
    Ok(answer::bytes(200, "text/javascript; charset=utf-8", pages::SCRIPT))
}

fn welcome(
    app: &App,
    purpose: &Purpose,
    signed_in: &SignedIn,
    launch: Option<&str>,
    sites: &[String],
) -> Response {
    let lab = app.desk.lab_clock();
    let view = pages::SignedIn {
        purpose,
        address: signed_in.address.as_str(),
        group: signed_in.group,
        launch,
        lab: lab.as_deref(),
    };
    framed_by(answer::html(200, pages::signed_in(&view)), sites)
}

fn refused(app: &App, error: &Error) -> Response {
    let page = pages::refused(error, app.desk.lab_clock().as_deref());
    framed_by(answer::html(error.kind.status(), page), &[])
}

/// The sign-in form, which comes back to the same address with the same parameters.
fn asked(app: &App, call: &Call<'_>, fields: &Fields<'_>, status: u16, fill: &Fill) -> Response {
    let hidden: Vec<(String, String)> = fields
        .params()
        .iter()
        .filter(|(name, _)| !is_secret(name) && !name.eq_ignore_ascii_case("groupid"))
        .map(|(name, value)| (name.to_owned(), value.into_owned()))
        .collect();
    let lab = app.desk.lab_clock();
    let view = pages::SignIn { action: &call.request.path, hidden: &hidden, fill, lab: lab.as_deref() };
    framed_by(answer::html(status, pages::sign_in(&view)), &[])
}

fn problem(fields: &Fields<'_>, error: &Error) -> Fill {
    let typed = |name: &str| fields.filled(name).unwrap_or_default().into_owned();
    let fill = Fill::of([("username", typed("username")), ("groupid", typed("groupid"))]);
    let incident = error.incident.as_ref().map_or_else(String::new, |code| format!(" Incident {code}."));
    fill.with_problem(error.field.as_deref(), format!("{}{incident}", error.public))
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.kind, Kind::Unauthenticated | Kind::Denied | Kind::Invalid)
}

/// The address that hands over to the native client: it carries the login key on that came.
fn launch_of(app: &App, request: &Request, purpose: &Purpose, credential: &Credential) -> Option<String> {
    let Credential::LoginKey { subject: Subject::Partner { group, puid, .. }, key } = credential else {
        return None;
    };
    let claim = Claim { group: *group, puid: puid.clone(), login_key: key.to_string() };
    let origin = app.origin(request);
    let webserver = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host).to_owned();
    match purpose {
        Purpose::View { session } => {
            let join = LaunchUrl::PanoramaJoin { webserver, group: *group, session: session.clone() };
            Some(join.build(&claim))
        }
        Purpose::Start => {
            let start =
                LaunchUrl::StartSession { webserver: Some(webserver), session_key: RANDOM_KEY.to_owned() };
            Some(start.build(&claim))
        }
        Purpose::Join | Purpose::SignIn => None,
    }
}

/// Lets only the group's sites frame a page.
fn framed_by(response: Response, sites: &[String]) -> Response {
    let ancestors = if sites.is_empty() { "'none'".to_owned() } else { sites.join(" ") };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors {ancestors}"
    );
    answer::with(response, "Content-Security-Policy", &policy)
}

fn with_cookies_of(from: &Response, to: Response) -> Response {
    let cookies = from.headers().iter().filter(|header| header.field.equiv("Set-Cookie"));
    cookies.fold(to, |to, cookie| answer::with(to, "Set-Cookie", cookie.value.as_str()))
}
