//! The user provisioning API, "PAPI": `/PAPI/NewUser.asp` and its four siblings. Wire contract §4.
//!
//! Each call signs its partner in, does one use case of [`crate::desk::people::users`], and answers an XML document
//! whose shape [`document`] holds. POST is the way; GET works, and leaves a warning in the access log,
//! because the partner's secret then stands in URLs.
//!
//! Handled errors are answered with HTTP 200, as the classic pages do (wire contract §11 Q1); 429, 500 and
//! 503 remain what they are.

mod document;
#[cfg(test)]
mod generated_tests;
mod okurl;
mod parameters;
mod show;
#[cfg(test)]
mod tests;

use tiny_http::Method;
use zeroize::Zeroizing;

use self::document::Document;
use self::parameters::Parameters;
use super::answer;
use super::router::{App, AtOnce, Call, Errors, FORM, Route};
use crate::desk::people::users::{NewUser, RoleChoice, UserChange, UserKey};
use crate::desk::sign_in::Attempt;
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::model::person::{ACTIVE, ADDRESS, Field, PASSWORD, PUID, Person, ROLE, SUSPENDED};
use crate::model::{Caller, GroupId, LogEntry};
use crate::protocol::credential::{Credential, Subject};

/// A call: reads its own parameters, does its use case as the partner, and says what came of it.
type CallHandler = fn(&App, &Partner, &Parameters<'_>) -> Result<Document>;

/// What UpdateUser says besides when it lifts one of the two states and the other still keeps the user out: older
/// scripts send `UserActive`, newer ones `UserSuspended`.
const STILL_INACTIVE: &str =
    "The user still cannot sign in: UserActive is 0. Send UserActive=1 alone to change that.";
const STILL_SUSPENDED: &str =
    "The user still cannot sign in: UserSuspended is 1. Send UserSuspended=0 to change that.";

/// Who calls, signed in.
struct Partner {
    caller: Caller,
    group: GroupId,
}

pub const ROUTES: &[Route] = &[
    route(Method::Post, "/PAPI/NewUser.asp", new_user),
    route(Method::Get, "/PAPI/NewUser.asp", new_user),
    route(Method::Post, "/PAPI/UpdateUser.asp", update_user),
    route(Method::Get, "/PAPI/UpdateUser.asp", update_user),
    route(Method::Post, "/PAPI/DeleteUser.asp", delete_user),
    route(Method::Get, "/PAPI/DeleteUser.asp", delete_user),
    route(Method::Post, "/PAPI/ShowUsers.asp", show_users),
    route(Method::Get, "/PAPI/ShowUsers.asp", show_users),
    route(Method::Post, "/PAPI/ShowRoles.asp", show_roles),
    route(Method::Get, "/PAPI/ShowRoles.asp", show_roles),
];

const fn route(method: Method, path: &'static str, handler: AtOnce) -> Route {
    Route::at_once(method, path, FORM, Errors::Own(said), handler)
}

fn new_user(app: &App, call: &Call<'_>) -> Result<Response> {
    answered(app, call, new_user_work)
}

fn update_user(app: &App, call: &Call<'_>) -> Result<Response> {
    answered(app, call, update_user_work)
}

fn delete_user(app: &App, call: &Call<'_>) -> Result<Response> {
    answered(app, call, delete_user_work)
}

fn show_users(app: &App, call: &Call<'_>) -> Result<Response> {
    answered(app, call, show::users)
}

fn show_roles(app: &App, call: &Call<'_>) -> Result<Response> {
    answered(app, call, show::roles)
}

/// Signs the partner in, does the work, and prints what came of it; failures are documents too.
fn answered(app: &App, call: &Call<'_>, work: CallHandler) -> Result<Response> {
    let outcome = Parameters::of(call).and_then(|parameters| {
        let partner = signed_in(app, call, &parameters)?;
        if call.request.method == Method::Get {
            warn_of_get(app, call, &partner)?;
        }
        let document = work(app, &partner, &parameters)?;
        Ok((document, parameters.filled("OKURL")?))
    });
    match outcome {
        Ok((document, ok_url)) => Ok(match ok_url.and_then(|url| okurl::followed(call.request, &url)) {
            Some(location) => answer::see_other(&location),
            None => xml(200, &document),
        }),
        // The router logs our own faults and gives them their incident code.
        Err(error) if matches!(error.kind, Kind::Fault | Kind::Unavailable) => Err(error),
        Err(error) if error.kind == Kind::TooMany => Ok(said(&error)),
        Err(error) => Ok(xml(200, &document::failure(&error))),
    }
}

/// What is no answer of a page of the API: it is busy or at fault, is not there, or takes another method.
fn said(error: &Error) -> Response {
    xml(error.kind.status(), &document::failure(error))
}

fn xml(status: u16, document: &Document) -> Response {
    answer::bytes(status, "text/xml; charset=utf-8", document.print())
}

/// Signs the partner in: an active administrator, by password, by login key, or by both, when both must be
/// valid (wire contract §11 Q16).
fn signed_in(app: &App, call: &Call<'_>, parameters: &Parameters<'_>) -> Result<Partner> {
    let login = parameters.filled("PartnerLogin")?.ok_or_else(|| {
        let public = "PartnerLogin is missing. Send the Glance Address of an administrator.";
        Error::invalid("partner_login_required", "PartnerLogin", public)
    })?;
    let group = match parameters.filled("PartnerID")? {
        None => None,
        Some(text) => Some(GroupId::parse(&text).ok_or_else(|| {
            Error::invalid("partner_id_malformed", "PartnerID", "PartnerID is not a positive number.")
        })?),
    };
    let mut credentials = Vec::new();
    if let Some(password) = parameters.secret("PartnerPW")? {
        credentials.push(Credential::Password { username: login.clone(), password });
    }
    if let Some(key) = parameters.secret("PartnerAuth")? {
        let key = Zeroizing::new(key.trim().to_owned());
        credentials.push(Credential::LoginKey { subject: Subject::Address(login), key });
    }
    let anonymous = call.anonymous();
    let mut partner = None;
    for credential in &credentials {
        let attempt = Attempt { caller: &anonymous, credential, group, surface: "provisioning API" };
        partner = Some(app.desk.sign_in.identify(&attempt)?);
    }
    let partner = partner.ok_or_else(|| {
        let public = "Neither PartnerPW nor PartnerAuth was sent; one of them is required.";
        Error::invalid("partner_credential_required", "PartnerPW", public)
    })?;
    // Whether the partner may run the group is judged by each use case.
    Ok(Partner { caller: partner.caller(Some(call.request.peer)), group: partner.group })
}

fn warn_of_get(app: &App, call: &Call<'_>, partner: &Partner) -> Result<()> {
    let detail = "Called with GET, which puts the partner's secret into URLs and logs. Use POST.";
    let page: String = call.request.path.chars().filter(|c| !c.is_control()).take(40).collect();
    let entry = LogEntry::done(&partner.caller, Some(partner.group), "papi.get-warning", page, detail);
    app.desk.appliance.note_reading(entry)
}

fn new_user_work(app: &App, partner: &Partner, parameters: &Parameters<'_>) -> Result<Document> {
    let text = |field: &Field| of(parameters, field, Parameters::text).map(Option::unwrap_or_default);
    let audio = audio_provider(parameters)?;
    if let Some(url) = parameters.filled("OKURL")? {
        okurl::check(&url)?;
    }
    let new = NewUser {
        puid: Some(text(&PUID)?),
        address: text(&ADDRESS)?,
        person: Person::try_of(&text)?,
        role: RoleChoice::of_wire(&text(&ROLE)?),
        password: of(parameters, &PASSWORD, Parameters::password)?,
        administrator: false,
    };
    let made = app.desk.people.create_user(&partner.caller, partner.group, new)?;
    Ok(document::new_user(&made, audio))
}

fn update_user_work(app: &App, partner: &Partner, parameters: &Parameters<'_>) -> Result<Document> {
    let key = selected(parameters)?;
    let suspended = of(parameters, &SUSPENDED, Parameters::flag)?;
    let active = of(parameters, &ACTIVE, Parameters::flag)?;
    let change = UserChange {
        address: of(parameters, &ADDRESS, Parameters::filled)?,
        person: Person::try_of(|line| of(parameters, line, Parameters::text))?,
        role: of(parameters, &ROLE, Parameters::text)?.map(|name| RoleChoice::of_wire(&name)),
        password: of(parameters, &PASSWORD, Parameters::password)?,
        // Where both are sent, UserSuspended wins. Wire contract §4.3.
        active: if suspended.is_some() { None } else { active },
        suspended,
        ..UserChange::default()
    };
    let done = app.desk.people.update_user(&partner.caller, partner.group, &key, change)?;
    let membership = &done.member.membership;
    let lets_in = suspended == Some(false) || (suspended.is_none() && active == Some(true));
    let warning = match lets_in {
        true if !membership.active => Some(STILL_INACTIVE),
        true if membership.suspended => Some(STILL_SUSPENDED),
        _ => None,
    };
    Ok(document::user(&done.member, warning))
}

fn delete_user_work(app: &App, partner: &Partner, parameters: &Parameters<'_>) -> Result<Document> {
    let key = selected(parameters)?;
    app.desk.people.delete_user(&partner.caller, partner.group, &key)?;
    Ok(document::done())
}

/// What was sent of a field, as `read` reads it; `None` when nothing was, and where this API does not have it.
fn of<'r, T>(
    parameters: &Parameters<'r>,
    field: &Field,
    read: fn(&Parameters<'r>, &str) -> Result<Option<T>>,
) -> Result<Option<T>> {
    field.papi.map_or(Ok(None), |papi| read(parameters, papi.parameter))
}

/// The user that PartnerUserID selects.
fn selected(parameters: &Parameters<'_>) -> Result<UserKey> {
    let text = of(parameters, &PUID, Parameters::text)?.unwrap_or_default();
    crate::desk::ground::fields::puid(&text).map(|puid| UserKey::Puid(puid.as_str().to_owned()))
}

/// `1` Glance Free Conferencing, `666` testing. Wire contract §4.2.
fn audio_provider(parameters: &Parameters<'_>) -> Result<Option<u32>> {
    match parameters.filled("AudioProvider")?.as_deref() {
        None => Ok(None),
        Some("1") => Ok(Some(1)),
        Some("666") => Ok(Some(666)),
        Some(_) => {
            let public = "AudioProvider is neither 1 (Glance Free Conferencing) nor 666 (testing).";
            Err(Error::invalid("audio_provider_unknown", "AudioProvider", public))
        }
    }
}
