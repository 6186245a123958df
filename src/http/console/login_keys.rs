//! The login-key workbench. Wire contract §2.4.

use super::visit::{Visit, filled, get, post, refused, visit};
use crate::clock::Timestamp;
use crate::desk::sign_in::KeyClaim;
use crate::desk::sign_in::workbench::MadeLoginKey;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::login_keys as pages;
use crate::pages::form::Fill;
use crate::protocol::launch_url::{Claim, LaunchUrl, encode};

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/login-keys", get_workbench),
    post("/console/groups/{group}/login-keys/make", post_make),
    post("/console/groups/{group}/login-keys/check", post_check),
];

/// Seconds that the form offers: the vendor's samples use an hour.
const TTL: &str = "3600";
/// Stands in the URLs of sessions when none was named.
const SESSION_KEY: &str = "1234";

/// What the page shows besides its two forms.
#[derive(Default)]
struct Shown<'s> {
    made: Option<pages::MadeKey<'s>>,
    taken_apart: Option<pages::TakenApart<'s>>,
}

fn page(
    visit: &Visit<'_>,
    group: &Group,
    status: u16,
    make: &Fill,
    check: &Fill,
    shown: Shown<'_>,
) -> Response {
    let bench = pages::Workbench {
        has_api_key: group.has_api_key,
        make,
        made: shown.made,
        check,
        taken_apart: shown.taken_apart,
    };
    answer::html(status, pages::page(&visit.frame(Some(group)), &bench))
}

fn get_workbench(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, params) = (visit.group()?, call.query());
        let puid = params.first("puid").unwrap_or_default().into_owned();
        let make = Fill::of([("puid", puid.as_str()), ("ttl", TTL)]);
        let check = Fill::of([("check_puid", puid.as_str())]);
        Ok(page(visit, &group, 200, &make, &check, Shown::default()))
    })
}

fn post_make(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let puid = form.first("puid").unwrap_or_default().into_owned();
        let seconds = form.filled("ttl").and_then(|text| text.parse().ok()).unwrap_or(0);
        match visit.desk().sign_in.make_login_key(&visit.caller, group.id, &puid, seconds) {
            Ok(made) => {
                let session = form.filled("session_key").unwrap_or_else(|| SESSION_KEY.to_owned());
                let carriers = carriers(visit, &group, &puid, &made, &session);
                let expires = made.expires_at.to_string();
                let expires = format!("{} UTC", expires.get(..19).unwrap_or(&expires).replace('T', " "));
                let shown = Shown {
                    made: Some(pages::MadeKey {
                        login_key: &made.text,
                        expires: &expires,
                        carriers: &carriers,
                    }),
                    taken_apart: None,
                };
                // So that the key can be taken apart with one click.
                let check = Fill::of([("login_key", made.text.as_str()), ("check_puid", puid.as_str())]);
                Ok(page(visit, &group, 200, &filled(&form), &check, shown))
            }
            Err(error) => {
                let (status, make) = refused(filled(&form), error, &[("puid", "puid"), ("ttl", "ttl")])?;
                Ok(page(visit, &group, status, &make, &Fill::default(), Shown::default()))
            }
        }
    })
}

/// Every way to carry a login key, in the order of wire contract §2.4.
fn carriers(
    visit: &Visit<'_>,
    group: &Group,
    puid: &str,
    made: &MadeLoginKey,
    session: &str,
) -> Vec<(String, String)> {
    let origin = visit.app.origin(visit.call.request);
    let webserver = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host).to_owned();
    let key = made.text.as_str();
    let claim = Claim { group: group.id, puid: puid.to_owned(), login_key: key.to_owned() };
    let session_key = session.to_owned();
    let urls = [
        ("Agent start: the page that starts a session", LaunchUrl::AgentStart { origin: origin.clone() }),
        ("Agent join: the page that asks for a session key", LaunchUrl::AgentJoin { origin: origin.clone() }),
        (
            "Agent view: joins a session",
            LaunchUrl::AgentView { origin: origin.clone(), session_key: session_key.clone(), wait: false },
        ),
        (
            "Agent view, waiting for the session",
            LaunchUrl::AgentView { origin: origin.clone(), session_key: session_key.clone(), wait: true },
        ),
        (
            "Native client: start a session",
            LaunchUrl::StartSession { webserver: Some(webserver.clone()), session_key },
        ),
        ("Native client: sign in (Panorama)", LaunchUrl::PanoramaAuthenticate),
        (
            "Native client: join (Panorama)",
            LaunchUrl::PanoramaJoin { webserver, group: group.id, session: session.to_owned() },
        ),
    ];
    let mut carriers: Vec<_> =
        urls.into_iter().map(|(what, url)| (what.to_owned(), url.build(&claim))).collect();
    let encoded = encode(puid);
    let id = group.id;
    let json = serde_json::json!({ "partnerid": id, "partneruserid": puid, "loginkey": key });
    let authorize = format!("{origin}/services/AuthorizationService.svc/rest/Authorize");
    carriers.extend([
        ("One string".to_owned(), format!("partnerid={id}&partneruserid={puid}~{key}")),
        ("HTTP header".to_owned(), format!("Authorization: Bearer GKEY {id}&{encoded}&{key}")),
        ("JSON body of Authorize".to_owned(), json.to_string()),
        (
            "With curl".to_owned(),
            format!(
                "curl -k '{authorize}' -d 'partnerid={id}' --data-urlencode 'partneruserid={}' -d 'loginkey={key}'",
                puid.replace('\'', "'\\''")
            ),
        ),
    ]);
    carriers
}

fn post_check(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let text = form.first("login_key").unwrap_or_default().into_owned();
        let puid = form.first("check_puid").unwrap_or_default().into_owned();
        let make = Fill::of([("puid", puid.as_str()), ("ttl", TTL)]);
        let at = match form.filled("now") {
            None => Ok(None),
            Some(text) => Timestamp::parse(&text).map(Some).ok_or_else(|| {
                Error::invalid("instant_malformed", "now", "Use the form 2020-07-05T00:00:00Z.")
            }),
        };
        let judged = at.and_then(|at| {
            let claim = KeyClaim { group: group.id, puid, text: text.into() };
            visit.desk().sign_in.take_login_key_apart(&visit.caller, &claim, at)
        });
        match judged {
            Ok(explanation) => {
                let shown = Shown {
                    made: None,
                    taken_apart: Some(pages::TakenApart {
                        accepted: explanation.verdict.is_ok(),
                        checks: &explanation.checks,
                        repair: explanation.repair(),
                    }),
                };
                Ok(page(visit, &group, 200, &make, &filled(&form), shown))
            }
            Err(error) => {
                let (status, check) = refused(filled(&form), error, &[("now", "now")])?;
                Ok(page(visit, &group, status, &make, &check, Shown::default()))
            }
        }
    })
}
