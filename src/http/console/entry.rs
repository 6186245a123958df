//! Coming in and going out: claim, sign-in, sign-out, switching groups, one's own password; the stylesheet.

use super::taken_up::taken_up;
use super::visit::{
    self, entry, entry_form_is_ours, filled, get, is_own_address, is_signed_in, lab_clock,
    password_typed_twice, post, refused, say, sign_in_page, visit, with_entry, with_session, without_session,
};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::{Actor, GroupId};
use crate::pages::assets;
use crate::pages::console::entry as pages;
use crate::pages::form::Fill;
use crate::pages::{front, papers};
use crate::secret::Secret;

pub const ROUTES: &[Route] = &[
    get("/", get_root),
    get("/console", get_console),
    get("/console/static/{file}", get_static),
    get("/console/docs/{paper}", get_paper),
    get("/console/claim", get_claim),
    post("/console/claim", post_claim),
    get("/console/sign-in", get_sign_in),
    post("/console/sign-in", post_sign_in),
    post("/console/enter-lab", post_enter_lab),
    post("/console/sign-out", post_sign_out),
    get("/console/switch", get_switch),
    post("/console/switch", post_switch),
    get("/console/password", get_password),
    post("/console/password", post_password),
];

/// For people who type the bare address: what this is, or, for the signed-in user, the console.
fn get_root(app: &App, call: &Call<'_>) -> Result<Response> {
    if is_signed_in(app, call)? {
        return Ok(answer::see_other("/console"));
    }
    let lab = lab_clock(&app.desk);
    let page = front::page(&front::FrontView {
        lab: lab.as_deref(),
        unclaimed: app.desk.appliance.is_unclaimed()?,
        has_demo: app.desk.appliance.has_demo()?,
        origin: &app.origin(call.request),
    });
    Ok(answer::html(200, page))
}

fn get_console(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        Ok(answer::see_other(&match visit.caller.actor {
            Actor::User { group, .. } => format!("/console/groups/{group}"),
            _ => "/console/groups".to_owned(),
        }))
    })
}

/// A paper that checks cite. Open to everybody: it is the same in every copy of the program.
fn get_paper(app: &App, call: &Call<'_>) -> Result<Response> {
    let lab = lab_clock(&app.desk);
    let page = papers::page(call.segment("paper"), lab.as_deref());
    let unknown = || Error::not_found("no_such_path", "There is nothing at this address.");
    page.map(|page| answer::html(200, page)).ok_or_else(unknown)
}

fn get_static(_: &App, call: &Call<'_>) -> Result<Response> {
    let response = match call.segment("file") {
        name if name == assets::stylesheet_name() => {
            answer::bytes(200, "text/css; charset=utf-8", assets::STYLESHEET)
        }
        name if name == assets::script_name() => {
            answer::bytes(200, "text/javascript; charset=utf-8", assets::SCRIPT)
        }
        _ => return Err(Error::not_found("no_such_path", "There is nothing at this address.")),
    };
    // The name has a hash of the content in it: another content has another name.
    Ok(answer::with(response, "Cache-Control", "public, max-age=31536000, immutable"))
}

fn get_claim(app: &App, call: &Call<'_>) -> Result<Response> {
    let token = call.query().filled("token").unwrap_or_default();
    if !app.desk.appliance.claim_is_open(&token)? {
        return Err(Error::denied(
            "This link is no longer valid: it was used, or the server was restarted. Sign in, or use the latest link that the server printed.",
        ));
    }
    claim_page(app, call, &token, 200, &Fill::default())
}

fn claim_page(app: &App, call: &Call<'_>, token: &str, status: u16, fill: &Fill) -> Result<Response> {
    let browser = entry(call)?;
    let page =
        pages::claim(token, &app.desk.appliance.form_token(&browser), lab_clock(&app.desk).as_deref(), fill);
    Ok(with_entry(answer::html(status, page), call, &browser))
}

fn post_claim(app: &App, call: &Call<'_>) -> Result<Response> {
    entry_form_is_ours(app, call)?;
    let form = call.form()?;
    let token = form.filled("token").unwrap_or_default();
    let name = form.filled("name").unwrap_or_default();
    let claimed = password_typed_twice(&form)
        .and_then(|password| app.desk.appliance.claim(&call.anonymous(), &token, &name, &password));
    match claimed {
        Ok(bearer) => {
            let response = answer::see_other("/console/groups");
            let sentence = match app.desk.people.has_groups()? {
                true => "You are now the operator of this appliance.",
                false => {
                    "You are now the operator of this appliance. Next, create a group: each customer account is a group."
                }
            };
            Ok(with_session(visit::say(app, call, &bearer, response, sentence), call, &bearer))
        }
        Err(error) if error.code == "claim_closed" => Err(error),
        Err(error) => {
            let fields = [("name", "name"), ("password", "password"), ("again", "again")];
            let (status, fill) = refused(filled(&form), error, &fields)?;
            claim_page(app, call, &token, status, &fill)
        }
    }
}

fn get_sign_in(app: &App, call: &Call<'_>) -> Result<Response> {
    let next = call.query().filled("next").unwrap_or_default();
    sign_in_page(app, call, &next, 200, &Fill::default(), None)
}

fn post_sign_in(app: &App, call: &Call<'_>) -> Result<Response> {
    let form = call.form()?;
    let next = form.filled("next").unwrap_or_default();
    let ended = form.filled(pages::KEPT).map(|sealed| pages::Ended { kept: Some(sealed), lost: Vec::new() });
    if entry_form_is_ours(app, call).is_err() {
        let sentence = "Your browser did not send the cookie of this page. Allow cookies for this \
                        address, and sign in again.";
        let fill = filled(&form).with_problem(None, sentence);
        return sign_in_page(app, call, &next, 403, &fill, ended.as_ref());
    }
    let name = form.filled("name").unwrap_or_default();
    let password = Secret::new(form.first("password").unwrap_or_default().as_bytes());
    match app.desk.appliance.sign_in_to_console(&call.anonymous(), &name, &password) {
        Ok(bearer) => come_in(app, call, &bearer),
        Err(error) => {
            let (status, fill) = refused(filled(&form), error, &[("name", "name")])?;
            sign_in_page(app, call, &next, status, &fill, ended.as_ref())
        }
    }
}

/// In a lab, nobody needs a password.
fn post_enter_lab(app: &App, call: &Call<'_>) -> Result<Response> {
    app.desk.appliance.only_in_lab()?;
    entry_form_is_ours(app, call)?;
    let bearer = app.desk.appliance.enter_lab(&call.anonymous())?;
    come_in(app, call, &bearer)
}

/// Leads anyone who has just signed in to where they wanted, or back to the form that their session's end interrupted.
fn come_in(app: &App, call: &Call<'_>, bearer: &str) -> Result<Response> {
    let form = call.form()?;
    let next = form.filled("next").unwrap_or_default();
    let response = match form.filled(pages::KEPT) {
        None => answer::see_other(own_address(&next)),
        Some(sealed) => match taken_up(app, call, bearer, &sealed)? {
            Some(page) => page,
            None => {
                let sentence =
                    "You are signed in again. Nothing was changed. Make the change again on this page.";
                say(app, call, bearer, answer::see_other(own_address(&next)), sentence)
            }
        },
    };
    Ok(with_session(response, call, bearer))
}

/// Where somebody goes who has signed in.
fn own_address(next: &str) -> &str {
    if is_own_address(next) { next } else { "/console" }
}

fn post_sign_out(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        visit.desk().appliance.sign_out_of_console(&visit.caller, &visit.bearer)?;
        let browser = entry(call)?;
        let response = answer::see_other("/console/sign-in");
        let response = visit::say(app, call, &browser, response, "You are signed out.");
        Ok(without_session(with_entry(response, call, &browser), call))
    })
}

fn get_switch(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let mut groups = Vec::new();
        for id in visit.desk().appliance.console_groups(&visit.caller)? {
            // Each as the administrator of that group: the same person, asked for their other office.
            let mut caller = visit.caller.clone();
            if let Actor::User { group, .. } = &mut caller.actor {
                *group = id;
            }
            groups.push(visit.desk().people.group(&caller, id)?);
        }
        let here = match visit.caller.actor {
            Actor::User { group, .. } => groups.iter().find(|known| known.id == group),
            _ => None,
        };
        Ok(answer::html(200, pages::switch(&visit.frame(here), &groups)))
    })
}

fn post_switch(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = call.form()?.filled("group").and_then(|text| GroupId::parse(&text));
        let group = group.ok_or_else(|| Error::not_found("group_unknown", "There is no such group."))?;
        let bearer = visit.desk().appliance.switch_console_group(&visit.caller, &visit.bearer, group)?;
        Ok(with_session(answer::see_other(&format!("/console/groups/{group}")), call, &bearer))
    })
}

fn get_password(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| password_page(visit, 200, &Fill::default()))
}

fn password_page(visit: &visit::Visit<'_>, status: u16, fill: &Fill) -> Result<Response> {
    let group = match visit.caller.actor {
        Actor::User { group, .. } => Some(visit.desk().people.group(&visit.caller, group)?),
        _ => None,
    };
    let rule = format!("At least {}.", visit.desk().people.own_password_rule(&visit.caller)?.sentence());
    Ok(answer::html(status, pages::own_password(&visit.frame(group.as_ref()), &rule, fill)))
}

fn post_password(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let form = call.form()?;
        let current = Secret::new(form.first("current").unwrap_or_default().as_bytes());
        let changed = password_typed_twice(&form)
            .and_then(|wanted| visit.desk().appliance.change_own_password(&visit.caller, &current, &wanted));
        match changed {
            Ok(bearer) => {
                let response = visit.done_as(&bearer, "/console", "Your password is changed.");
                Ok(with_session(response, call, &bearer))
            }
            Err(error) => {
                let fields = [("current", "current"), ("password", "password"), ("again", "again")];
                let (status, fill) = refused(Fill::default(), error, &fields)?;
                password_page(visit, status, &fill)
            }
        }
    })
}
