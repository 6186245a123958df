//! One-time links for a password: made and ended on a user's page, opened and used by the person.
//!
//! The token stands in the query: what we note of a request is method and path. The page sends no referrer, and nothing
//! keeps it. Opening the page does not use the link up.

use super::users::{address, details_of, key_of, show, told};
use super::visit::{
    self, entry, entry_form_is_ours, get, password_typed_twice, post, refused, visit, with_entry,
};
use crate::desk::people::password_links::PATH;
use crate::error::{Error, Kind, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::pages::console::password_link as pages;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
    post("/console/groups/{group}/users/{user}/password-link", post_link),
    get(PATH, get_set),
    post(PATH, post_set),
    get("/console/set-password/done", get_done),
];

/// Makes a link, or ends the one that there is.
fn post_link(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form, key) = (visit.group()?, call.form()?, key_of(visit)?);
        let is_end = form.filled("to").as_deref() == Some("end");
        let member = visit.desk().people.member(&visit.caller, group.id, &key)?;
        if is_end {
            let sentence = match visit.desk().people.end_password_link(&visit.caller, group.id, &key)? {
                true => "The one-time link is ended.",
                false => "There was no open link.",
            };
            return Ok(visit.done(&address(&member), sentence));
        }
        match visit.desk().people.make_password_link(&visit.caller, group.id, &key) {
            // Shown in the answer itself: a secret travels in no cookie.
            Ok(made) => {
                let url = made.url(&app.origin(call.request));
                let origin_is_guessed = app.origin_is_guessed();
                let made = pages::Made { url: &url, expires_at: made.expires_at, origin_is_guessed };
                show(visit, &group, &member, 200, &details_of(visit, &member), &Fill::default(), Some(made))
            }
            Err(error) => {
                let (status, fill) = refused(Fill::default(), error, &[])?;
                show(visit, &group, &member, status, &details_of(visit, &member), &fill, None)
            }
        }
    })
}

fn get_set(app: &App, call: &Call<'_>) -> Result<Response> {
    let token = call.query().filled("token").unwrap_or_default();
    set_page(app, call, &token, 200, &Fill::default())
}

fn set_page(app: &App, call: &Call<'_>, token: &str, status: u16, fill: &Fill) -> Result<Response> {
    let open = match app.desk.people.open_password_link(&call.anonymous(), token) {
        Ok(open) => open,
        Err(error) => return closed_page(app, error),
    };
    let (browser, lab) = (entry(call)?, visit::lab_clock(&app.desk));
    let view = pages::SetView {
        token,
        form_token: &app.desk.appliance.form_token(&browser),
        address: open.address.as_str(),
        rule: &told(open.rule),
        message: &open.message,
        requires_new: open.requires_new,
        expires_at: open.expires_at,
        lab: lab.as_deref(),
    };
    Ok(with_entry(unreferred(answer::html(status, pages::set(&view, fill))), call, &browser))
}

/// What is no link that can be used looks alike, whatever it is.
fn closed_page(app: &App, error: Error) -> Result<Response> {
    if error.kind != Kind::Denied {
        return Err(error);
    }
    let lab = visit::lab_clock(&app.desk);
    let page = pages::closed(&error.public, lab.as_deref());
    Ok(unreferred(answer::html(error.kind.status(), page)))
}

/// The address of such a page has the token in it: no other page is told of it, not even one of ours.
fn unreferred(response: Response) -> Response {
    answer::with(response, "Referrer-Policy", "no-referrer")
}

fn post_set(app: &App, call: &Call<'_>) -> Result<Response> {
    let form = call.form()?;
    let token = form.filled("token").unwrap_or_default();
    if entry_form_is_ours(app, call).is_err() {
        let sentence = "Your browser did not send the cookie of this page. Allow cookies for this address, and \
                        set the password again.";
        return set_page(app, call, &token, 403, &Fill::default().with_problem(None, sentence));
    }
    let set = password_typed_twice(&form)
        .and_then(|password| app.desk.people.set_password_by_link(&call.anonymous(), &token, &password));
    match set {
        Ok(user) => {
            let browser = entry(call)?;
            let sentence = format!("The password of {} is set.", user.address);
            let response = answer::see_other(&format!("{PATH}/done"));
            Ok(with_entry(visit::say(app, call, &browser, response, &sentence), call, &browser))
        }
        Err(error) if error.kind == Kind::Denied => closed_page(app, error),
        Err(error) => {
            let fields = [("password", "password"), ("again", "again")];
            let (status, fill) = refused(Fill::default(), error, &fields)?;
            set_page(app, call, &token, status, &fill)
        }
    }
}

/// For anyone who has just set a password.
fn get_done(app: &App, call: &Call<'_>) -> Result<Response> {
    let browser = entry(call)?;
    let Some(said) = visit::message(app, call, &browser) else {
        return Ok(answer::see_other("/console/sign-in"));
    };
    let page = pages::done(&said.sentence, visit::lab_clock(&app.desk).as_deref());
    Ok(with_entry(answer::html(200, page), call, &browser))
}
