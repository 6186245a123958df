//! `/account/*` and `/saml/*`: GetLoginKey, which is also the assertion consumer, the account page, and our
//! metadata. Wire contract §3.5, §3.6, §3.7.
//!
//! Other surfaces call [`start_sso`] for a Service Target URL that names a group, from a browser without a
//! web session.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tiny_http::Method;

use super::answer;
use super::form::Params;
use super::framing::{self, framed_by};
use super::gssnid::{self, Jar};
use super::router::{App, AtOnce, Call, Errors, Handling, NO_BODY, Route, SAML};
use crate::desk::sso::{
    Beginning, Diagnosis, GroupSelector, Outcome, Posted, REQUEST_LIFETIME, RefusedBrowser, RequestBinding,
    SsoAnswer, SsoSignedIn, Target,
};
use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::gate::{Refusal as RefusedByGate, Request, Response};
use crate::model::GroupId;
use crate::model::relative::RelativeTarget;
use crate::pages;
use crate::promise::Promise;

pub const ROUTES: &[Route] = &[
    get(GET_LOGIN_KEY, get_login_key),
    Route {
        method: Method::Post,
        path: GET_LOGIN_KEY,
        limit: SAML,
        errors: Errors::Page,
        refusal: Some(long_response),
        handler: Handling::Promised(post_login_key),
        brief: true,
        or_json: false,
    },
    get("/account/AccountSummary.aspx", get_account_summary),
    get("/saml/metadata", get_metadata),
];

/// Bytes of a post up to which a SAML response is judged within some hundred microseconds.
const JUDGED_BRIEFLY: usize = 32 * 1024;

const GET_LOGIN_KEY: &str = "/account/GetLoginKey.aspx";

const fn get(path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(Method::Get, path, NO_BODY, Errors::Page, handler)
}

fn get_login_key(app: &App, call: &Call<'_>) -> Result<Response> {
    let params = call.query();
    if params.first("SAMLResponse").is_some() {
        let public =
            "The identity provider must send its response by POST. Choose the HTTP-POST binding there.";
        return Err(Error::new(Kind::Invalid, "post_binding_only", public));
    }
    login_key(app, call, &params)
}

fn post_login_key(app: &App, call: &Call<'_>) -> Result<Promise<Response>> {
    if call.request.body.len() > JUDGED_BRIEFLY {
        duty::relieve();
    }
    let form = call.form()?;
    let query = call.query();
    let responses = form.all("SAMLResponse");
    if responses.is_empty() && form.first("RelayState").is_none() {
        return Ok(Promise::kept(login_key(app, call, &query.and(form))));
    }
    if responses.len() > 1 || query.first("SAMLResponse").is_some() {
        let public = "The request contains SAMLResponse twice. Send it once.";
        return Err(Error::invalid("parameter_twice", "SAMLResponse", public));
    }
    let target = target_of(&query);
    let group = match group_of(app, call, &query)? {
        Ok(group) => group,
        Err(error) => {
            return Ok(Promise::kept(Ok(refused_at_once(
                app,
                RefusedBrowser::plain(error, target.embedded),
            ))));
        }
    };
    let origin = app.origin(call.request);
    let posted = Posted {
        group,
        response: responses.into_iter().next().unwrap_or_default().into_owned(),
        relay_state: form.first("RelayState").map(Cow::into_owned),
        browser: call.request.cookie(cookie_name(call.request)).map(str::to_owned),
        url: [origin.as_str(), &call.request.path, "?", &call.request.query].concat(),
        origin,
        target,
    };
    let (jar, lab) = (Jar::of(call.request), app.desk.appliance.lab_clock());
    let names_group = names_group(&query);
    let answer = app.desk.sso.consume_saml(call.anonymous(), posted)?;
    Ok(answer.then(move |answer| match answer? {
        SsoAnswer::SignedIn(signed_in) => Ok(signed_in_answer(jar, &signed_in)),
        SsoAnswer::Refused(mut refusal) => {
            // What a page of a person's group says of its sites would tell that there is such a person.
            refusal.allowed_sites.retain(|_| names_group || refusal.embedded);
            Ok(refused(&refusal, lab.as_deref()))
        }
        SsoAnswer::Diagnosed(diagnosis) => Ok(diagnosed(&diagnosis)),
    }))
}

/// A SAML response that was too long to be read is refused as others are: with a page, an incident and a row.
fn long_response(app: &App, call: &Call<'_>, error: &Error) -> Result<Option<Response>> {
    if error.code != RefusedByGate::BodyTooLong.code() {
        return Ok(None);
    }
    duty::relieve();
    let query = call.query();
    let (selector, embedded) = (selector_of(&query), target_of(&query).embedded);
    let caller = call.anonymous();
    let mut refusal = app.desk.sso.refuse_long_response(&caller, selector.as_ref(), SAML, embedded)?;
    refusal.allowed_sites.retain(|_| names_group(&query) || embedded);
    Ok(Some(refused_at_once(app, refusal)))
}

fn diagnosed(diagnosis: &Diagnosis) -> Response {
    let reject = diagnosis.reject.as_ref().map(|(code, repair)| (*code, repair.as_str()));
    let view = pages::sso::DiagnosisView {
        group: diagnosis.group,
        checks: &diagnosis.checks,
        reject,
        incident: diagnosis.incident.as_deref(),
        name_id: diagnosis.name_id.as_deref(),
        attributes: &diagnosis.attributes,
        document: &diagnosis.document,
        keys: diagnosis.keys.as_ref(),
    };
    answer::html(200, pages::sso::diagnosis(&view))
}

/// Answers from the web session, or begins a sign-in.
fn login_key(app: &App, call: &Call<'_>, params: &Params<'_>) -> Result<Response> {
    let target = target_of(params);
    let group = match group_of(app, call, params)? {
        Ok(group) => group,
        Err(error) => return Ok(refused_at_once(app, RefusedBrowser::plain(error, target.embedded))),
    };
    if let Some(value) = gssnid::value(call.request)
        && let Some(standing) = app.desk.sso.standing_answer(&call.anonymous(), group, value, &target)?
    {
        return Ok(signed_in_answer(Jar::of(call.request), &standing));
    }
    begin(app, call, params, group, &target)
}

/// Begins a sign-in for a Service Target URL that names a group; afterwards the browser comes back to the
/// `address`, a path with its query. `None` when `params` name no group.
///
/// # Errors
/// `Denied` with an incident code when the group cannot sign in by SAML.
pub(super) fn start_sso(
    app: &App,
    call: &Call<'_>,
    params: &Params<'_>,
    address: &str,
) -> Result<Option<Response>> {
    let Some(selector) = selector_of(params) else { return Ok(None) };
    let group = match app.desk.sso.sso_group(&selector)? {
        Some(group) => group,
        None => return Err(app.desk.sso.refuse_unknown_group(&call.anonymous(), Some(&selector))?),
    };
    let target = RelativeTarget::parse(&printable(address)).as_ref().map(Target::to).unwrap_or_default();
    begin(app, call, params, group, &target).map(Some)
}

fn get_account_summary(app: &App, call: &Call<'_>) -> Result<Response> {
    let signed_in = match gssnid::value(call.request) {
        Some(value) => app.desk.sso.standing_member(value)?,
        None => None,
    };
    if let Some((address, group)) = signed_in {
        return Ok(answer::html(200, pages::sso::account_summary(address.as_str(), group)));
    }
    let public = "You are not signed in. Use the address that your administrator gave you.";
    let address = format!("{}?{}", call.request.path, call.request.query);
    start_sso(app, call, &call.query(), &address)?
        .ok_or_else(|| Error::new(Kind::Unauthenticated, "not_signed_in", public))
}

fn get_metadata(app: &App, call: &Call<'_>) -> Result<Response> {
    let params = call.query();
    let group = match selector_of(&params) {
        Some(selector) => app.desk.sso.sso_group(&selector)?,
        None => None,
    };
    let public = "There is no such group. Our metadata is at /saml/metadata?idpid= followed by the Group ID.";
    let nothing = || Error::not_found("group_unknown", public);
    let group = group.ok_or_else(nothing)?;
    let metadata = app.desk.sso.sp_metadata(group, &app.origin(call.request))?;
    let response = answer::bytes(200, "application/samlmetadata+xml; charset=utf-8", metadata);
    let name = format!("inline; filename=\"sidelight-{group}.xml\"");
    Ok(answer::with(response, "Content-Disposition", &name))
}

fn begin(
    app: &App,
    call: &Call<'_>,
    params: &Params<'_>,
    group: GroupId,
    target: &Target,
) -> Result<Response> {
    let frames = || framing::sites_of(app, Some(group).filter(|_| target.embedded || names_group(params)));
    let (browser, origin) = (call.request.cookie(cookie_name(call.request)), app.origin(call.request));
    let begun = match app.desk.sso.begin_sso(&call.anonymous(), group, target, browser, &origin) {
        Ok(Beginning::Begun(begun)) => begun,
        Ok(Beginning::Diagnosed(diagnosis)) => return Ok(diagnosed(&diagnosis)),
        Err(error) if matches!(error.kind, Kind::Denied | Kind::TooMany) => {
            let refusal =
                RefusedBrowser { allowed_sites: frames()?, ..RefusedBrowser::plain(error, target.embedded) };
            return Ok(refused_at_once(app, refusal));
        }
        Err(error) => return Err(error),
    };
    let response = match &begun.carried {
        RequestBinding::Redirect { location } => answer::with(answer::text(302, ""), "Location", location),
        RequestBinding::Post { action, request, relay_state } => {
            let page = pages::sso::post_request(action, request, relay_state);
            // Where the identity provider sends the form on to, is its business: form-action would stop it.
            let policy = format!(
                "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; script-src {}; {}",
                pages::sso::SUBMIT.csp_source(),
                framing::ancestors(&frames()?)
            );
            answer::with(answer::html(200, page), "Content-Security-Policy", &policy)
        }
    };
    Ok(answer::with(
        response,
        "Set-Cookie",
        &cookie(call.request, &begun.browser, target.embedded || gssnid::is_framed(call.request)),
    ))
}

fn signed_in_answer(jar: Jar, signed_in: &SsoSignedIn) -> Response {
    let embedding = !signed_in.allowed_sites.is_empty();
    let response = match &signed_in.outcome {
        Outcome::Redirect(path) => answer::see_other(path.as_str()),
        Outcome::LoginKey { text, embedded: false } => answer::text(200, text.as_str()),
        Outcome::LoginKey { text, embedded: true } => embedded(Some(text), &signed_in.allowed_sites),
    };
    gssnid::set(response, jar, &signed_in.web_session, embedding)
}

fn refused_at_once(app: &App, refusal: RefusedBrowser) -> Response {
    refused(&refusal, app.desk.appliance.lab_clock().as_deref())
}

/// The answer to somebody who is refused; `lab`: in the lab, what its clock says.
fn refused(refusal: &RefusedBrowser, lab: Option<&str>) -> Response {
    if refusal.embedded {
        return embedded(None, &refusal.allowed_sites);
    }
    let error = &refusal.error;
    let page = match &refusal.again {
        Some(again) => {
            answer::html(error.kind.status(), pages::error::page_with_again(error, lab, Some(again)))
        }
        None => answer::error_in(error, Errors::Page, lab),
    };
    // A policy of its own would tell that the group was found, where a person named it.
    if refusal.allowed_sites.is_empty() { page } else { framed_by(page, &refusal.allowed_sites) }
}

/// The page that posts its message to the page that frames it: only to the sites that the group allows, and
/// only they may frame it.
fn embedded(login_key: Option<&str>, allowed_sites: &[String]) -> Response {
    let page = pages::sso::embedded(login_key, allowed_sites);
    let script = pages::sso::POST_MESSAGE.csp_source();
    let frames = framing::ancestors(allowed_sites);
    let policy =
        format!("default-src 'none'; base-uri 'none'; form-action 'none'; script-src {script}; {frames}");
    answer::with(answer::html(200, page), "Content-Security-Policy", &policy)
}

/// The group that the parameters name; inside, how to refuse when they name none.
fn group_of(app: &App, call: &Call<'_>, params: &Params<'_>) -> Result<std::result::Result<GroupId, Error>> {
    let selector = selector_of(params);
    let group = match &selector {
        Some(selector) => app.desk.sso.sso_group(selector)?,
        None => None,
    };
    match group {
        Some(group) => Ok(Ok(group)),
        None => Ok(Err(app.desk.sso.refuse_unknown_group(&call.anonymous(), selector.as_ref())?)),
    }
}

/// The first selector that came, in the order in which the browser SDK prefers them.
fn selector_of(params: &Params<'_>) -> Option<GroupSelector> {
    type Selector = fn(String) -> GroupSelector;
    let selectors: [(&str, Selector); 6] = [
        ("idpid", GroupSelector::Number),
        ("idpname", GroupSelector::Name),
        ("idptoken", GroupSelector::AccountId),
        ("idpusername", GroupSelector::Username),
        ("username", GroupSelector::Username),
        ("groupid", GroupSelector::Number),
    ];
    selectors.into_iter().find_map(|(name, make)| params.filled(name).map(make))
}

/// Whether the group was named itself, and not by one of its people.
fn names_group(params: &Params<'_>) -> bool {
    selector_of(params).is_some_and(|selector| !matches!(selector, GroupSelector::Username(_)))
}

fn target_of(params: &Params<'_>) -> Target {
    let is = |name: &str, value: &str| params.filled(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
    Target {
        // A redirect that leads elsewhere is not followed: the browser gets the login key as text.
        redirect: params
            .filled("redirect")
            .and_then(|path| RelativeTarget::parse(&path))
            .map(|path| path.as_str().to_owned()),
        embedded: is("mode", "embedded") && is("fmt", "html"),
        test: is("test", "11"),
    }
}

/// What a browser would write in an address for what an address cannot hold.
fn printable(address: &str) -> String {
    const UNPRINTABLE: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
    utf8_percent_encode(address, &UNPRINTABLE).to_string()
}

/// The cookie that binds a request to its browser.
fn cookie_name(request: &Request) -> &'static str {
    if request.secure { "__Host-sidelight-saml" } else { "sidelight-saml" }
}

/// It must come along when the identity provider's page posts to us, which is cross-site: so SameSite=None,
/// which needs Secure, which browsers grant to plain HTTP on loopback too. Inside a frame it is kept apart
/// for each framing site (Partitioned), or browsers would drop it.
fn cookie(request: &Request, value: &str, framed: bool) -> String {
    let partitioned = if framed { "; Partitioned" } else { "" };
    let name = cookie_name(request);
    format!(
        "{name}={value}; Path=/; HttpOnly; Secure; SameSite=None; Max-Age={REQUEST_LIFETIME}{partitioned}"
    )
}
