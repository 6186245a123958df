//! The keys of both sides: added, taken away after a question, put back.
//!
//! All buttons of the page send its one form, so that a certificate that is being pasted comes back with the page.

use super::super::visit::{Visit, get, post, refused, visit};
use super::{address, health, redirect};
use crate::desk::sso::{KEY_IN_USE, KeyUse};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::sso::keys as pages;
use crate::pages::console::sso::{Back, Question, ask};
use crate::pages::form::Fill;
use crate::pages::layout::{Flash, Frame};
use crate::protocol::xml::pem;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/sso/keys", get_keys),
    post("/console/groups/{group}/sso/keys", post_key),
    get("/console/groups/{group}/sso/keys/remove", get_answer),
    post("/console/groups/{group}/sso/keys/remove", post_key_remove),
    get("/console/groups/{group}/sso/keys/restore", get_answer),
    post("/console/groups/{group}/sso/keys/restore", post_key_restore),
    get("/console/groups/{group}/sso/own-keys", get_answer),
    post("/console/groups/{group}/sso/own-keys", post_own_key),
    get("/console/groups/{group}/sso/own-keys/remove", get_answer),
    post("/console/groups/{group}/sso/own-keys/remove", post_own_key_remove),
    get("/console/groups/{group}/sso/own-keys/{number}/certificate.pem", get_own_certificate),
];

fn get_keys(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, &visit.group()?, 200, "", &Fill::default()))
}

/// For whoever loads the address of an answer anew.
fn get_answer(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| Ok(redirect(&visit.group()?, "/keys")))
}

/// The page; `said` is what was just done, when the page is its own answer.
fn page(visit: &Visit<'_>, group: &Group, status: u16, said: &str, fill: &Fill) -> Result<Response> {
    let (overview, health) = health(visit, group)?;
    let removed = visit.desk().removed_sso_keys(&visit.caller, group.id)?;
    let view = pages::KeysView {
        health: &health,
        keys: &overview.keys,
        removed: &removed,
        own_keys: &overview.own_keys,
    };
    let flash = (!said.is_empty()).then(|| Flash { good: true, sentence: said.to_owned() });
    let frame = visit.frame(Some(group));
    let frame = Frame { flash: flash.as_ref().or(frame.flash), ..frame };
    Ok(answer::html(status, pages::page(&frame, &view, fill)))
}

/// What was typed beside the button that was pressed.
fn typed(form: &Params<'_>) -> Fill {
    Fill::of(form.first("certificate").map(|pem| ("certificate", pem.into_owned())))
}

/// The page after a change: with what was typed, or, where nothing was, after a redirect.
fn done(visit: &Visit<'_>, group: &Group, form: &Params<'_>, sentence: &str) -> Result<Response> {
    match form.filled("certificate") {
        None => Ok(visit.done(&address(group, "/keys"), sentence)),
        Some(_) => page(visit, group, 200, sentence, &typed(form)),
    }
}

fn refused_here(visit: &Visit<'_>, group: &Group, form: &Params<'_>, error: Error) -> Result<Response> {
    let (status, fill) = refused(typed(form), error, &[("certificate", "certificate")])?;
    page(visit, group, status, "", &fill)
}

fn post_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let pem = form.first("certificate").unwrap_or_default();
        match visit.desk().add_sso_key(&visit.caller, group.id, &pem) {
            Ok((key, was_there)) => {
                let sentence = match was_there {
                    true => format!("The key of {} is there already. Nothing was changed.", key.subject),
                    false => format!("The key of {} verifies from now on.", key.subject),
                };
                Ok(visit.done(&address(&group, "/keys"), &sentence))
            }
            Err(error) => refused_here(visit, &group, &form, error),
        }
    })
}

fn post_key_remove(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let fingerprint = form.filled("fingerprint").unwrap_or_default();
        let (agreed, kept) = match form.filled("confirmed").as_deref() {
            Some("yes") => (true, false),
            Some(_) => (false, true),
            None => (false, false),
        };
        if kept {
            return page(visit, &group, 200, "", &typed(&form));
        }
        match visit.desk().remove_sso_key(&visit.caller, group.id, &fingerprint, agreed) {
            Ok(()) => {
                let sentence =
                    "The key is removed: answers signed by it are refused. It can be put back for an hour.";
                done(visit, &group, &form, sentence)
            }
            Err(error) if error.code == KEY_IN_USE => {
                let key = visit.desk().sso_key_use(&visit.caller, group.id, &fingerprint)?;
                Ok(answer::html(200, question(visit, &group, &key, &form)))
            }
            Err(error) => refused_here(visit, &group, &form, error),
        }
    })
}

fn question(visit: &Visit<'_>, group: &Group, key: &KeyUse, form: &Params<'_>) -> String {
    let facts = &key.facts;
    let left = match key.others {
        0 => "It is the last key: without one nobody can sign in by single sign-on.".to_owned(),
        1 => "Answers signed by it are refused from then on. One other key stays.".to_owned(),
        several => format!("Answers signed by it are refused from then on. {several} other keys stay."),
    };
    let sentences = [key.sentence(), left, "It can be put back for an hour.".to_owned()];
    let mut carried = vec![("fingerprint".to_owned(), facts.fingerprint.clone())];
    carried.extend(form.filled("certificate").map(|pem| ("certificate".to_owned(), pem)));
    let (action, keys) = (address(group, "/keys/remove"), address(group, "/keys"));
    let back = if carried.len() > 1 { Back::Typed } else { Back::To(&keys) };
    ask(
        &visit.frame(Some(group)),
        &Question {
            title: "Remove this key?",
            sentences: &sentences,
            about: Some(facts),
            action: &action,
            words: "Remove key",
            carried: &carried,
            keep: "Keep it",
            back,
        },
    )
}

fn post_key_restore(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let fingerprint = form.filled("fingerprint").unwrap_or_default();
        match visit.desk().restore_sso_key(&visit.caller, group.id, &fingerprint) {
            Ok(key) => done(visit, &group, &form, &format!("The key of {} verifies again.", key.subject)),
            Err(error) => refused_here(visit, &group, &form, error),
        }
    })
}

fn post_own_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        match visit.desk().make_sp_key(&visit.caller, group.id) {
            Ok(_) => {
                let sentence = "The new certificate stands in our metadata. Older pairs still decrypt.";
                done(visit, &group, &form, sentence)
            }
            Err(error) => refused_here(visit, &group, &form, error),
        }
    })
}

fn post_own_key_remove(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let unknown = || Error::not_found("key_unknown", "The group has no such key pair.");
        let number: i64 = form.filled("number").and_then(|n| n.parse().ok()).ok_or_else(unknown)?;
        let confirmed = form.filled("confirmed");
        match confirmed.as_deref() {
            Some("yes") => match visit.desk().remove_sp_key(&visit.caller, group.id, number) {
                Ok(()) => done(visit, &group, &form, "The key pair is removed."),
                Err(error) => refused_here(visit, &group, &form, error),
            },
            Some(_) => page(visit, &group, 200, "", &typed(&form)),
            None => {
                let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
                let pair = overview.own_keys.iter().find(|key| key.position == number).ok_or_else(unknown)?;
                let sentences = [
                    "What is encrypted to it can no longer be read: such sign-ins are refused from then on."
                        .to_owned(),
                    "Its private half is destroyed, so this cannot be taken back.".to_owned(),
                ];
                let mut carried = vec![("number".to_owned(), number.to_string())];
                carried.extend(form.filled("certificate").map(|pem| ("certificate".to_owned(), pem)));
                let (action, keys) = (address(&group, "/own-keys/remove"), address(&group, "/keys"));
                let back = if carried.len() > 1 { Back::Typed } else { Back::To(&keys) };
                let asked = ask(
                    &visit.frame(Some(&group)),
                    &Question {
                        title: &format!("Remove key pair {number}?"),
                        sentences: &sentences,
                        about: Some(pair),
                        action: &action,
                        words: "Remove key pair",
                        carried: &carried,
                        keep: "Keep it",
                        back,
                    },
                );
                Ok(answer::html(200, asked))
            }
        }
    })
}

fn get_own_certificate(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, number) = (visit.group()?, visit.number("number")?);
        let unknown = || Error::not_found("key_unknown", "The group has no such key pair.");
        let overview = visit.desk().sso_overview(&visit.caller, group.id)?;
        let pair = overview.own_keys.iter().find(|key| key.position == number).ok_or_else(unknown)?;
        let response = answer::bytes(200, "application/x-pem-file", pem(&pair.certificate));
        let name = format!("attachment; filename=\"sidelight-{}-{number}.pem\"", group.id);
        Ok(answer::with(response, "Content-Disposition", &name))
    })
}
