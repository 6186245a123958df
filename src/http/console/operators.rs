//! Operators: the list, one to be added, another's password, delete.

use super::listing::{self, ListQuery};
use super::visit::{Visit, filled, get, password_typed_twice, post, refused, visit};
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::{Actor, Operator};
use crate::pages::console::{confirm, operators as pages};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;

pub const ROUTES: &[Route] = &[
    get("/console/operators", get_operators),
    post("/console/operators", post_operator),
    get("/console/operators/{operator}", get_operator),
    post("/console/operators/{operator}/password", post_password),
    post("/console/operators/{operator}/clear-lockout", post_clear_lockout),
    get("/console/operators/{operator}/delete", get_delete),
    post("/console/operators/{operator}/delete", post_delete),
];

const LIST: &str = "/console/operators";

fn get_operators(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| list_page(visit, 200, &Fill::default()))
}

fn list_page(visit: &Visit<'_>, status: u16, fill: &Fill) -> Result<Response> {
    let params = visit.call.query();
    let search = params.filled("search").unwrap_or_default();
    let wanted = search.to_lowercase();
    // By name as they come.
    let mut operators = visit.desk().appliance.operators(&visit.caller)?;
    operators.retain(|operator| operator.name.to_lowercase().contains(&wanted));
    let asked = ListQuery::of(&params, &pages::SORTS);
    match asked.key() {
        "signed_in" => operators.sort_by_key(|operator| operator.signed_in_at),
        "made" => operators.sort_by_key(|operator| operator.created_at),
        _ => {}
    }
    if asked.descending() {
        operators.reverse();
    }
    let (asked, operators, count) = asked.cut(operators);
    let chips = listing::searched("search", &search).into_iter().collect();
    let around = (operators.len(), count);
    let view = pages::OperatorsView {
        listing: &asked.listing(LIST, &pages::SORTS, chips, ("operator", "operators"), around),
        operators: &operators,
        search: &filled(&params),
        fill,
        now: visit.desk().clock().now(),
    };
    Ok(answer::html(status, pages::list(&visit.frame(None), &view)))
}

fn post_operator(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let form = call.form()?;
        let name = form.filled("name").unwrap_or_default();
        let made = password_typed_twice(&form)
            .and_then(|password| visit.desk().appliance.create_operator(&visit.caller, &name, &password));
        match made {
            Ok(operator) => Ok(visit.done(LIST, &format!("{} is an operator now.", operator.name))),
            Err(error) => {
                let fields = [("name", "name"), ("password", "password"), ("again", "again")];
                let (status, fill) = refused(filled(&form), error, &fields)?;
                list_page(visit, status, &fill)
            }
        }
    })
}

fn named(visit: &Visit<'_>) -> Result<Operator> {
    let number = visit.number("operator")?;
    let operators = visit.desk().appliance.operators(&visit.caller)?;
    let found = operators.into_iter().find(|operator| operator.id.0 == number);
    found.ok_or_else(|| Error::not_found("operator_unknown", "There is no such operator."))
}

fn one_page(visit: &Visit<'_>, operator: &Operator, status: u16, fill: &Fill) -> Result<Response> {
    let now = visit.desk().clock().now();
    Ok(answer::html(status, pages::one(&visit.frame(None), operator, now, fill)))
}

fn get_operator(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| one_page(visit, &named(visit)?, 200, &Fill::default()))
}

fn post_password(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (operator, form) = (named(visit)?, call.form()?);
        let set = password_typed_twice(&form).and_then(|password| {
            visit.desk().appliance.set_operator_password(&visit.caller, &operator.name, &password)
        });
        match set {
            Ok(()) => Ok(visit.done(LIST, &format!("The password of {} is set.", operator.name))),
            Err(error) => {
                let fields = [("password", "password"), ("again", "again")];
                let (status, fill) = refused(Fill::default(), error, &fields)?;
                one_page(visit, &operator, status, &fill)
            }
        }
    })
}

fn post_clear_lockout(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let operator = named(visit)?;
        visit.desk().appliance.clear_operator_lockout(&visit.caller, &operator.name)?;
        Ok(visit.done(LIST, &format!("{} may sign in again.", operator.name)))
    })
}

fn get_delete(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let operator = named(visit)?;
        let back = format!("{LIST}/{}", operator.id);
        let own = matches!(&visit.caller.actor, Actor::Operator { id, .. } if *id == operator.id);
        let consequences: &[&str] = match own {
            true => &[
                "This is your own account. You are signed out at once. Only another operator, or a person on the host, can give you access again.",
                "The access log keeps the record of your actions.",
            ],
            false => &["Their sessions end at once. The access log keeps the record of their actions."],
        };
        let deed = confirm::Deed {
            question: &format!("Delete the operator {}?", operator.name),
            consequences,
            action: &format!("{back}/delete"),
            words: "Delete operator",
            back: &back,
            ..confirm::Deed::default()
        };
        let frame = visit.frame(None);
        let crumbs = [(frame.back_to(LIST), "Operators")];
        Ok(answer::html(200, confirm::page(&frame, MenuEntry::Operators, &crumbs, &deed)))
    })
}

fn post_delete(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let operator = named(visit)?;
        visit.desk().appliance.delete_operator(&visit.caller, &operator.name)?;
        Ok(visit.done(LIST, &format!("{} is no operator any more.", operator.name)))
    })
}
