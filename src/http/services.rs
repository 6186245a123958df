//! The web services that authenticate. Wire contract §5.1, §6.1, §6.6.
//!
//! - `…/AuthorizationService.svc/rest/Authorize`: any credential; answers the token as a bare JSON string,
//!   because the SDKs send back whatever they parse (§10, trap 8).
//! - `…/rest/AuthorizeFromWebSession`: the cookie `GSSNID`, from our own pages only.
//! - `/api/v0/authorize`: as Authorize, and answers the object of §5.1.
//! - `/services/ProvisioningService.asmx`: ValidateUser, which issues "G4S credentials".
//!
//! SDKs call from other origins. Authorize never looks at cookies, so that answering any origin lends nobody
//! another's session; AuthorizeFromWebSession does, and answers no other origin.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tiny_http::Method;

use super::credentials::{Fields, group_asked_for, proof};
use super::router::{App, Call, Errors, FORM, Handling, RefusedRequest, Route};
use super::{answer, gssnid, own_page};
use crate::clock::Timestamp;
use crate::desk::Desk;
use crate::desk::sign_in::{Attempt, Authorized, BrowserSignIn, TokenRequest};
use crate::duty;
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::model::GroupId;
use crate::promise::Promise;
use crate::protocol::credential::{Authorization, Credential};
use crate::protocol::soap;

const AUTHORIZE: &str = "/services/AuthorizationService.svc/rest/Authorize";
const FROM_WEB_SESSION: &str = "/services/AuthorizationService.svc/rest/AuthorizeFromWebSession";
const NEWER_AUTHORIZE: &str = "/api/v0/authorize";
const PROVISIONING: &str = "/services/ProvisioningService.asmx";
const VALIDATE_USER: &str = "/services/ProvisioningService.asmx/ValidateUser";

const XML: &str = "text/xml; charset=utf-8";

/// `service` of §5.1 is a number; the only one published is that of `webservices`.
const WEBSERVICES: u32 = 9;

const fn route(method: Method, path: &'static str, handler: Handling) -> Route {
    Route {
        method,
        path,
        limit: FORM,
        errors: Errors::Json,
        refusal: None,
        handler,
        brief: false,
        or_json: false,
    }
}

pub const ROUTES: &[Route] = &[
    route(Method::Post, AUTHORIZE, Handling::Promised(authorize)).briefly().or_json(),
    route(Method::Get, AUTHORIZE, Handling::Promised(authorize)).briefly(),
    route(Method::Options, AUTHORIZE, Handling::AtOnce(preflight)).briefly(),
    route(Method::Post, FROM_WEB_SESSION, Handling::Promised(authorize_from_web_session)).briefly(),
    route(Method::Get, FROM_WEB_SESSION, Handling::Promised(authorize_from_web_session)).briefly(),
    route(Method::Post, NEWER_AUTHORIZE, Handling::Promised(newer_authorize)).briefly().or_json(),
    route(Method::Options, NEWER_AUTHORIZE, Handling::AtOnce(preflight)).briefly(),
    Route::at_once(Method::Post, PROVISIONING, FORM, Errors::Own(fault), validate_user),
    Route::at_once(Method::Post, VALIDATE_USER, FORM, Errors::Own(fault), validate_user),
];

fn authorize(app: &App, call: &Call<'_>) -> Result<Promise<Response>> {
    let promised =
        with_proof(app, call, "Authorize", |attempt, request| app.desk.sign_in.authorize(attempt, request));
    Ok(for_any_origin(call, promised, bare))
}

fn newer_authorize(app: &App, call: &Call<'_>) -> Result<Promise<Response>> {
    let promised = with_proof(app, call, "authorize", |attempt, request| {
        app.desk.sign_in.authorize_with_web_session(attempt, request)
    });
    let desk = Arc::clone(&app.desk);
    Ok(for_any_origin(call, promised, move |(authorized, browser)| {
        newer_answer(&desk, &authorized, &browser)
    }))
}

/// Reads proof and wishes of a request and hands them to `task`.
fn with_proof<T>(
    app: &App,
    call: &Call<'_>,
    surface: &'static str,
    task: impl FnOnce(&Attempt<'_>, &TokenRequest) -> Result<T>,
) -> Result<T> {
    if call.request.body.len() > FORM {
        duty::relieve();
    }
    let fields = Fields::of(call)?;
    let request = token_request(&fields)?;
    let (group, named) = (fields.group()?, fields.named_group());
    let caller = call.anonymous();
    let credential = match proof(call, &fields) {
        Ok(Some(Authorization::Credential(credential))) => credential,
        // A token is not exchanged for another: it would never end.
        Ok(None | Some(Authorization::Token(_))) => {
            return Err(app.desk.sign_in.refuse_unreadable(&caller, surface, named, None));
        }
        Err(why) => return Err(app.desk.sign_in.refuse_unreadable(&caller, surface, named, Some(why))),
    };
    task(&Attempt { caller: &caller, credential: &credential, group, surface }, &request)
}

fn token_request(fields: &Fields<'_>) -> Result<TokenRequest> {
    TokenRequest::new(fields.filled("service").as_deref(), fields.filled("duration").as_deref())
}

fn authorize_from_web_session(app: &App, call: &Call<'_>) -> Result<Promise<Response>> {
    // No page of ours asked where somebody typed the address.
    let was_typed = call.request.header("Sec-Fetch-Site") == Some("none");
    if was_typed || !own_page::sends(app, call.request) {
        let public = "Only pages of this server may use the web session.";
        return Err(Error::new(Kind::Denied, "other_origin", public));
    }
    let fields = Fields::of(call)?;
    let request = token_request(&fields)?;
    let (caller, surface) = (call.anonymous(), "AuthorizeFromWebSession");
    let Some(credential) = gssnid::of(call.request) else {
        return Err(app.desk.sign_in.refuse_unreadable(&caller, surface, fields.named_group(), None));
    };
    let attempt = Attempt { caller: &caller, credential: &credential, group: fields.group()?, surface };
    app.desk.sign_in.authorize(&attempt, &request).map(|promise| promise.then(|kept| kept.and_then(bare)))
}

/// The token as a JSON string. Its alphabet needs no escapes.
fn bare(authorized: Authorized) -> Result<Response> {
    Ok(answer::bytes(200, "application/json", ["\"", &authorized.token, "\""].concat()))
}

/// The object of §5.1; names exactly as published, the misspelt one too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewerAnswer<'a> {
    #[serde(rename = "VServer")]
    vserver: Option<&'a str>,
    application_settings: BTreeMap<String, bool>,
    #[serde(rename = "authTokeExp")]
    auth_token_expiry: String,
    auth_token: &'a str,
    colo_select_url: Option<&'a str>,
    glance_address: &'a str,
    group_id: i64,
    gssn_id: &'a str,
    is_trial: bool,
    message: Option<&'a str>,
    plan_timeout: u32,
    plan_title: Option<&'a str>,
    privilege_string: String,
    service: u32,
}

fn newer_answer(desk: &Desk, authorized: &Authorized, browser: &BrowserSignIn) -> Result<Response> {
    let signed_in = &authorized.signed_in;
    let settings = desk.sign_in.settings_of(signed_in)?;
    let mut privileges = format!("gssnId:{};personId:{}", browser.web_session, signed_in.user);
    for name in settings.iter().filter(|(_, on)| **on).map(|(name, _)| name) {
        privileges.push_str(&format!(";{name}:on"));
    }
    if signed_in.administrator {
        privileges.push_str(";groupowner:on");
    }
    let service = if authorized.claims.service == "webservices" { WEBSERVICES } else { 0 };
    Ok(answer::json(
        200,
        &NewerAnswer {
            vserver: None,
            application_settings: settings,
            auth_token_expiry: Timestamp::from_seconds(authorized.claims.expires_at).to_string(),
            auth_token: &authorized.token,
            colo_select_url: None,
            glance_address: signed_in.address.as_str(),
            group_id: signed_in.group.0,
            gssn_id: &browser.web_session,
            is_trial: false,
            message: None,
            plan_timeout: 0,
            plan_title: None,
            privilege_string: privileges,
            service,
        },
    ))
}

/// `ValidateUser`: user name and password, and `groupid` for a user of several groups, in a form or a SOAP
/// envelope; answers new credentials as XML.
fn validate_user(app: &App, call: &Call<'_>) -> Result<Response> {
    let envelope = soap::is_envelope(&call.request.body);
    match validated(app, call, envelope) {
        // Anyone who sends a form goes by the status of the refusal, as everywhere.
        Err(error) if envelope => {
            Ok(RefusedRequest::of(call.request).refused(error, Errors::Own(fault_of_envelope)))
        }
        answered => answered,
    }
}

fn validated(app: &App, call: &Call<'_>, envelope: bool) -> Result<Response> {
    let (caller, surface) = (call.anonymous(), "ValidateUser");
    let (credential, group) = if envelope {
        in_envelope(call)?
    } else {
        let fields = Fields::of(call)?;
        match fields.credential() {
            Ok(credential) => (credential, fields.group()?),
            Err(why) => {
                let named = fields.named_group();
                return Err(app.desk.sign_in.refuse_unreadable(&caller, surface, named, Some(why)));
            }
        }
    };
    let Some(credential @ Credential::Password { .. }) = credential else {
        return Err(app.desk.sign_in.refuse_unreadable(&caller, surface, group, None));
    };
    let attempt = Attempt { caller: &caller, credential: &credential, group, surface };
    let issued = app.desk.sign_in.issue_credentials(&attempt)?;
    let document = soap::validated(&issued.credentials, issued.signed_in.group, envelope);
    Ok(answer::bytes(200, XML, document))
}

/// A refusal of HTTP's (no such path, another method, a body that is too long, a busy server) as clients of SOAP read
/// it, with HTTP's own status.
fn fault(error: &Error) -> Response {
    answer::bytes(error.kind.status(), XML, fault_document(error))
}

/// A refusal of what an envelope asked for. SOAP 1.1 section 6.2: its status is 500, and clients of .NET and Java read no
/// fault under 401 or 403.
fn fault_of_envelope(error: &Error) -> Response {
    answer::bytes(500, XML, fault_document(error))
}

fn fault_document(error: &Error) -> String {
    let incident = error.incident.as_ref().map(|code| format!(" Incident {code}.")).unwrap_or_default();
    let callers = error.kind.status() < 500;
    soap::fault(callers, error.code, &format!("{}{incident}", error.public))
}

/// Credential and group of a SOAP envelope; the group may stand in the query too.
fn in_envelope(call: &Call<'_>) -> Result<(Option<Credential>, Option<GroupId>)> {
    let brought = soap::validate_user(&call.request.body).map_err(|reject| {
        let public = "The body is not a valid SOAP envelope.";
        Error::new(Kind::Invalid, "bad_soap", public).with_detail(format!("{reject:?}"))
    })?;
    let (credential, named) = brought.map_or((None, None), |b| (Some(b.credential), b.group));
    let named = named.or_else(|| call.query().filled("groupid"));
    Ok((credential, named.as_deref().map(group_asked_for).transpose()?))
}

/// What a browser asks before a call from another origin (Fetch, "CORS-preflight").
fn preflight(_: &App, call: &Call<'_>) -> Result<Response> {
    let response = with_origin(answer::no_content(), call.request.header("Origin"));
    let response = answer::with(response, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    let headers = "Authorization, Content-Type, X-GSSNID, X-Requested-With";
    let response = answer::with(response, "Access-Control-Allow-Headers", headers);
    Ok(answer::with(response, "Access-Control-Max-Age", "600"))
}

/// Lets the calling page read the answer, also a refusal: the SDK tells 401 from a lost connection.
fn for_any_origin<T: Send + 'static>(
    call: &Call<'_>,
    promised: Result<Promise<T>>,
    answer: impl FnOnce(T) -> Result<Response> + Send + 'static,
) -> Promise<Response> {
    let origin = call.request.header("Origin").map(str::to_owned);
    let asked = RefusedRequest::of(call.request);
    promised.unwrap_or_else(|error| Promise::kept(Err(error))).then(move |kept| {
        let response = kept.and_then(answer).unwrap_or_else(|error| asked.refused(error, Errors::Json));
        Ok(with_origin(response, origin.as_deref()))
    })
}

fn with_origin(response: Response, origin: Option<&str>) -> Response {
    let Some(origin) = origin else { return response };
    let response = answer::with(response, "Access-Control-Allow-Origin", origin);
    let response = answer::with(response, "Access-Control-Allow-Credentials", "true");
    answer::with(response, "Vary", "Origin")
}
