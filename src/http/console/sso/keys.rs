//! The keys of both sides: added, taken away after a question, put back.
//!
//! All buttons of the page send its one form, so that a certificate that is being pasted comes back with the page.

use super::super::visit::{Visit, get, post, refused, visit};
use super::shown::{gone_to, keys_page};
use super::typed;
use super::{address, redirect};
use crate::desk::sso::{KEY_IN_USE, KeyUse};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::sso::step::Step;
use crate::pages::console::sso::{Back, Question, ask};
use crate::pages::form::Fill;
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
    visit(app, call, |visit| keys_page(visit, &visit.group()?, 200, "", &Fill::default(), &[]))
}

/// For anyone who loads the address of an answer anew.
fn get_answer(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| Ok(redirect(&visit.group()?, "/keys")))
}

/// What was typed beside the button that was pressed.
fn pasted(form: &Params<'_>) -> Fill {
    Fill::of(form.first("certificate").map(|pem| ("certificate", pem.into_owned())))
}

/// What was typed on every page, to be sent again by a question.
fn carried(visit: &Visit<'_>, group: &Group, form: &Params<'_>) -> Result<Vec<(String, String)>> {
    let pem = form.filled("certificate").map(|pem| ("certificate".to_owned(), pem));
    let others = typed::carried(visit, group, &typed::read(form, Step::Keys), Step::Keys)?;
    Ok(pem.into_iter().chain(others.into_iter().flat_map(|other| other.values)).collect())
}

/// The page after a change: with what was typed, or, where nothing was, after a redirect.
fn done(visit: &Visit<'_>, group: &Group, form: &Params<'_>, sentence: &str) -> Result<Response> {
    if carried(visit, group, form)?.is_empty() {
        return Ok(visit.done(&address(group, "/keys"), sentence));
    }
    keys_page(visit, group, 200, sentence, &pasted(form), &typed::read(form, Step::Keys))
}

fn refused_here(visit: &Visit<'_>, group: &Group, form: &Params<'_>, error: Error) -> Result<Response> {
    let (status, fill) = refused(pasted(form), error, &[("certificate", "certificate")])?;
    keys_page(visit, group, status, "", &fill, &typed::read(form, Step::Keys))
}

fn post_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        if let Some(response) = gone_to(visit, &group, &form, Step::Keys)? {
            return Ok(response);
        }
        let pem = form.first("certificate").unwrap_or_default();
        match visit.desk().sso.add_sso_key(&visit.caller, group.id, &pem) {
            Ok((key, was_there)) => {
                let sentence = match was_there {
                    true => format!("The key of {} already exists. Nothing was changed.", key.subject),
                    false => format!("The key of {} is now used to verify signatures.", key.subject),
                };
                let others = typed::read(&form, Step::Keys);
                match others.iter().any(|typed| typed.step != Step::Keys) {
                    true => keys_page(visit, &group, 200, &sentence, &Fill::default(), &others),
                    false => Ok(visit.done(&address(&group, "/keys"), &sentence)),
                }
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
            return keys_page(visit, &group, 200, "", &pasted(&form), &typed::read(&form, Step::Keys));
        }
        match visit.desk().sso.remove_sso_key(&visit.caller, group.id, &fingerprint, agreed) {
            Ok(()) => {
                let sentence = "The key is removed. Responses signed with it are refused. You can restore it for one hour.";
                done(visit, &group, &form, sentence)
            }
            Err(error) if error.code == KEY_IN_USE => {
                let key = visit.desk().sso.sso_key_use(&visit.caller, group.id, &fingerprint)?;
                Ok(answer::html(200, question(visit, &group, &key, &form)?))
            }
            Err(error) => refused_here(visit, &group, &form, error),
        }
    })
}

fn question(visit: &Visit<'_>, group: &Group, key: &KeyUse, form: &Params<'_>) -> Result<String> {
    let facts = &key.facts;
    let left = match key.others {
        0 => "This is the last key. Without a key, nobody can sign in by single sign-on.".to_owned(),
        1 => "Responses signed with it are refused at once. One other key stays.".to_owned(),
        several => format!("Responses signed with it are refused at once. {several} other keys stay."),
    };
    let sentences = [key.sentence(), left, "You can restore it for one hour.".to_owned()];
    let mut carried = carried(visit, group, form)?;
    let is_typed = !carried.is_empty();
    carried.push(("fingerprint".to_owned(), facts.fingerprint.clone()));
    let (action, keys) = (address(group, "/keys/remove"), address(group, "/keys"));
    let back = if is_typed { Back::Typed } else { Back::To(&keys) };
    Ok(ask(
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
    ))
}

fn post_key_restore(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let fingerprint = form.filled("fingerprint").unwrap_or_default();
        match visit.desk().sso.restore_sso_key(&visit.caller, group.id, &fingerprint) {
            Ok(key) => done(
                visit,
                &group,
                &form,
                &format!("The key of {} is used again to verify signatures.", key.subject),
            ),
            Err(error) => refused_here(visit, &group, &form, error),
        }
    })
}

fn post_own_key(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        match visit.desk().sso.make_sp_key(&visit.caller, group.id) {
            Ok(_) => {
                let sentence =
                    "Our metadata now contains the new certificate. Older key pairs still decrypt.";
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
            Some("yes") => match visit.desk().sso.remove_sp_key(&visit.caller, group.id, number) {
                Ok(()) => done(visit, &group, &form, "The key pair is removed."),
                Err(error) => refused_here(visit, &group, &form, error),
            },
            Some(_) => keys_page(visit, &group, 200, "", &pasted(&form), &typed::read(&form, Step::Keys)),
            None => {
                let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
                let pair = overview.own_keys.iter().find(|key| key.position == number).ok_or_else(unknown)?;
                let sentences = [
                    "Responses encrypted for this key pair can no longer be decrypted, so those sign-ins are refused."
                        .to_owned(),
                    "Its private key is destroyed, so you cannot undo this.".to_owned(),
                ];
                let mut carried = carried(visit, &group, &form)?;
                let is_typed = !carried.is_empty();
                carried.push(("number".to_owned(), number.to_string()));
                let (action, keys) = (address(&group, "/own-keys/remove"), address(&group, "/keys"));
                let back = if is_typed { Back::Typed } else { Back::To(&keys) };
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
        let overview = visit.desk().sso.sso_overview(&visit.caller, group.id)?;
        let pair = overview.own_keys.iter().find(|key| key.position == number).ok_or_else(unknown)?;
        let response = answer::bytes(200, "application/x-pem-file", pem(&pair.certificate));
        let name = format!("attachment; filename=\"sidelight-{}-{number}.pem\"", group.id);
        Ok(answer::with(response, "Content-Disposition", &name))
    })
}
