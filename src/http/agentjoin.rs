//! The pages behind the Service Target URLs, and the sign-in page. Wire contract §3.7, §6.3.
//!
//! - `/agentjoin/AgentView.aspx`, `/agentjoin/AgentJoin.aspx`, `/agent/start`: GET and POST, names in any
//!   case, unknown fields ignored. Anyone who brings a credential is signed in and gets the cookie `GSSNID`;
//!   anyone who has the cookie already, needs none; all others are asked.
//! - `/login/default.aspx`, `/login/signout.aspx`: in and out by password.
//!
//! Anyone who names a group is asked by the group's identity provider, or, where the group has no single sign-on, for a
//! password; the sites that the group allows may frame what is asked.

use tiny_http::Method;

use super::credentials::Fields;
use super::framing::{self, framed_by};
use super::gssnid::Jar;
use super::router::{App, AtOnce, Call, Errors, FORM, NO_BODY, Route};
use super::{account, answer, gssnid, own_page};
use crate::desk::sign_in::web_session;
use crate::desk::sign_in::{Attempt, SignedIn};
use crate::error::{Error, Kind, Result};
use crate::gate::{Request, Response};
use crate::model::GroupId;
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
            let error = app.desk.sign_in.refuse_unreadable(
                &call.anonymous(),
                surface,
                fields.named_group(),
                Some(why),
            );
            return refused(app, fields, &error);
        }
    };
    let Some(credential) = credential else { return without_credential(app, call, fields, purpose, surface) };
    let caller = call.anonymous();
    let attempt = Attempt { caller: &caller, credential: &credential, group: fields.group()?, surface };
    match app.desk.sign_in.sign_in_browser(&attempt) {
        Ok(browser) => {
            let launch = launch_of(app, call.request, purpose, &credential);
            let response =
                welcome(app, purpose, &browser.signed_in, launch.as_deref(), &browser.allowed_sites);
            let embedded = !browser.allowed_sites.is_empty();
            Ok(gssnid::set(response, Jar::of(call.request), &browser.web_session, embedded))
        }
        Err(error) if !is_refusal(&error) => Err(error),
        Err(error) if matches!(credential, Credential::Password { .. }) => {
            let named = framing::named_group(app, fields)?;
            asked(app, call, fields, named, error.kind.status(), &problem(fields, &error))
        }
        Err(error) => refused(app, fields, &error),
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
        match app.desk.sign_in.identify(&attempt) {
            Ok(signed_in) => {
                let sites = app.desk.people.allowed_sites(signed_in.group)?;
                return Ok(welcome(app, purpose, &signed_in, None, &sites));
            }
            Err(error) if !is_refusal(&error) => return Err(error),
            // The web session has ended: asked again.
            Err(_) => {}
        }
    }
    let named = framing::named_group(app, fields)?;
    // A Service Target URL that names a group goes to the group's identity provider, if it has one.
    let started = match named {
        Some(group) if app.desk.sso.has_sso_off(group)? => None,
        _ => account::start_sso(app, call, fields.params(), &address_of(call, fields))?,
    };
    match started {
        Some(response) => Ok(response),
        None => {
            let fill = named.map(|group| Fill::of([("groupid", group.to_string())])).unwrap_or_default();
            asked(app, call, fields, named, 200, &fill)
        }
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
        app.desk.sign_in.end_web_session(&call.anonymous(), value)?;
    }
    // In a frame, the page that follows is shown only if it names the group.
    let group = gssnid::values(call.request).find_map(web_session::group_of);
    let next = sign_in_address(group.filter(|_| gssnid::is_framed(call.request)));
    Ok(gssnid::clear(answer::see_other(&next), call.request))
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
    let lab = app.desk.appliance.lab_clock();
    let view = pages::SignedInView {
        purpose,
        address: signed_in.address.as_str(),
        group: signed_in.group,
        launch,
        lab: lab.as_deref(),
    };
    framed_by(answer::html(200, pages::signed_in(&view)), sites)
}

/// The address of the sign-in form. It names the group by its Partner ID, which begins no single sign-on.
fn sign_in_address(group: Option<GroupId>) -> String {
    group.map_or_else(|| SIGN_IN.to_owned(), |group| format!("{SIGN_IN}?partnerid={group}"))
}

fn refused(app: &App, fields: &Fields<'_>, error: &Error) -> Result<Response> {
    let named = framing::named_group(app, fields)?;
    let page = pages::refused(error, &sign_in_address(named), app.desk.appliance.lab_clock().as_deref());
    Ok(framed_by(answer::html(error.kind.status(), page), &framing::sites_of(app, named)?))
}

/// The sign-in form, which comes back to the same address with the same parameters. `named` is the group that the
/// request names: anyone who fills the form in may name another one in its place.
fn asked(
    app: &App,
    call: &Call<'_>,
    fields: &Fields<'_>,
    named: Option<GroupId>,
    status: u16,
    fill: &Fill,
) -> Result<Response> {
    let is_typed = |name: &str| match named {
        Some(_) => framing::names_a_group(name),
        None => name.eq_ignore_ascii_case("groupid"),
    };
    let hidden: Vec<(String, String)> = fields
        .params()
        .iter()
        .filter(|(name, _)| !is_secret(name) && !is_typed(name))
        .map(|(name, value)| (name.to_owned(), value.into_owned()))
        .collect();
    let lab = app.desk.appliance.lab_clock();
    let view = pages::SignIn { action: &call.request.path, hidden: &hidden, fill, lab: lab.as_deref() };
    Ok(framed_by(answer::html(status, pages::sign_in(&view)), &framing::sites_of(app, named)?))
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

fn with_cookies_of(from: &Response, to: Response) -> Response {
    let cookies = from.headers().iter().filter(|header| header.field.equiv("Set-Cookie"));
    cookies.fold(to, |to, cookie| answer::with(to, "Set-Cookie", cookie.value.as_str()))
}
