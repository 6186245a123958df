//! Switching a group off and on again, and deleting it: each asked first, but for switching on.

use super::visit::{filled, get, post, visit};
use crate::desk::people::group_end::{GroupEnd, TYPE_NAME_ABOVE};
use crate::error::Result;
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::lists::{Count, thousands};
use crate::pages::console::confirm::{self, TYPED_NAME};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;

use super::visit::Visit;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/settings/off", get_off),
    post("/console/groups/{group}/settings/off", post_off),
    post("/console/groups/{group}/settings/on", post_on),
    get("/console/groups/{group}/settings/delete", get_delete),
    post("/console/groups/{group}/settings/delete", post_delete),
];

/// How many signed in within a day, as a sentence.
pub fn signed_in_sentence(count: Count, by: &str) -> String {
    match count {
        Count::Exactly(0) => format!("Nobody signed in{by} during the last day."),
        Count::Exactly(1) => format!("One person signed in{by} during the last day."),
        Count::Exactly(count) => format!("{} people signed in{by} during the last day.", thousands(count)),
        Count::MoreThan(count) => {
            format!("More than {} people signed in{by} during the last day.", thousands(count))
        }
    }
}

fn get_off(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let end = visit.desk().people.group_end(&visit.caller, group.id)?;
        let back = format!("/console/groups/{}/settings", group.id);
        let deed = confirm::Deed {
            question: &format!("Switch {} off?", group.name),
            consequences: &[
                "Nobody can sign in to this group: login keys, passwords, tokens, web sessions and single sign-on are refused, and so are the provisioning API and SCIM tokens.",
                "Web sessions and tokens end at once. They stay ended when the group is switched on again.",
                "Its users can still sign in to their other groups. Nothing is deleted.",
                &signed_in_sentence(end.signed_in, ""),
            ],
            taken_back: "An operator can switch the group on again at any time.",
            action: &format!("{back}/off"),
            words: "Switch group off",
            keep: "Leave it on",
            back: &back,
            ..confirm::Deed::default()
        };
        let crumbs = [(back.clone(), "Settings")];
        Ok(answer::html(200, confirm::page(&visit.frame(Some(&group)), MenuEntry::Settings, &crumbs, &deed)))
    })
}

fn post_off(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.desk().people.switch_group_off(&visit.caller, visit.group()?.id)?;
        let sentence = format!("{} is switched off: every sign-in to it is refused.", group.name);
        Ok(visit.done(&format!("/console/groups/{}/settings", group.id), &sentence))
    })
}

fn post_on(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.desk().people.switch_group_on(&visit.caller, visit.group()?.id)?;
        let sentence = format!("{} is switched on: its users can sign in again.", group.name);
        Ok(visit.done(&format!("/console/groups/{}/settings", group.id), &sentence))
    })
}

fn get_delete(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let end = visit.desk().people.group_end(&visit.caller, visit.group()?.id)?;
        ask_delete(visit, &end, 200, Fill::default())
    })
}

fn ask_delete(visit: &Visit<'_>, end: &GroupEnd, status: u16, fill: Fill) -> Result<Response> {
    let (group, goes) = (&end.group, end.belongings);
    let elsewhere = goes.users.saturating_sub(goes.only_here);
    let people = format!(
        "{} of its {} are deleted. {} stay, because they are also members of other groups. If this was their home group, the oldest of the others becomes their home group.",
        thousands(goes.only_here),
        counted(goes.users, "user", "users"),
        thousands(elsewhere),
    );
    let things = format!(
        "Deleted with it: {}, {}, {}, its API key, settings and SSO Configure.",
        counted(goes.roles, "role", "roles"),
        counted(goes.scim_tokens, "SCIM token", "SCIM tokens"),
        counted(goes.identity_provider_keys, "key of the identity provider", "keys of the identity provider"),
    );
    let back = format!("/console/groups/{}/settings", group.id);
    let deed = confirm::Deed {
        question: &format!("Delete {}?", group.name),
        consequences: &[
            &people,
            &things,
            &signed_in_sentence(end.signed_in, ""),
            "Its Group ID and Unique Account ID are never used again. Operators can still read the rows of its access log.",
            "To keep all data but block all sign-ins, switch the group off instead.",
        ],
        action: &format!("{back}/delete"),
        typed: (goes.users > TYPE_NAME_ABOVE).then_some(group.name.as_str()),
        fill,
        words: "Delete group",
        keep: "Keep it",
        back: &back,
        ..confirm::Deed::default()
    };
    let crumbs = [(back.clone(), "Settings")];
    Ok(answer::html(status, confirm::page(&visit.frame(Some(group)), MenuEntry::Settings, &crumbs, &deed)))
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { several })
}

fn post_delete(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let end = visit.desk().people.group_end(&visit.caller, group.id)?;
        let typed = form.filled(TYPED_NAME).unwrap_or_default();
        if end.belongings.users > TYPE_NAME_ABOVE && typed != group.name {
            let fill = filled(&form).with_problem(Some(TYPED_NAME), "This is not the name of the group.");
            return ask_delete(visit, &end, 400, fill);
        }
        let group = visit.desk().people.delete_group(&visit.caller, group.id)?;
        Ok(visit.done("/console/groups", &format!("{} is deleted.", group.name)))
    })
}
