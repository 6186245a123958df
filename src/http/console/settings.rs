//! A group's settings: name, privileges, allowed sites, password rules.

use super::visit::{Visit, filled, get, post, refused, visit};
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::people::allowed_sites::SITES_CHANGED_MEANWHILE;
use crate::desk::people::groups;
use crate::desk::people::password_policy::PasswordPolicy;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::pages::console::roles::SETTING_FIELD;
use crate::pages::console::{confirm, settings as pages};
use crate::pages::form::Fill;
use crate::pages::layout::Place;

pub const ROUTES: &[Route] = &[
    get("/console/groups/{group}/settings", get_settings),
    post("/console/groups/{group}/settings/group", post_group),
    post("/console/groups/{group}/settings/privileges", post_privileges),
    get("/console/groups/{group}/settings/remove", get_remove),
    post("/console/groups/{group}/settings/remove", post_remove),
    post("/console/groups/{group}/settings/sites", post_sites),
    post("/console/groups/{group}/settings/security", post_security),
];

/// What came with one of the forms and was refused.
#[derive(Default)]
struct Refused {
    about: Option<Fill>,
    privileges: Option<Fill>,
    sites: Option<Fill>,
    security: Option<Fill>,
}

fn get_settings(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| page(visit, &visit.group()?, 200, Refused::default()))
}

fn page(visit: &Visit<'_>, group: &Group, status: u16, refused: Refused) -> Result<Response> {
    let settings = visit.desk().people.group_settings(&visit.caller, group.id)?;
    let policy = visit.desk().people.password_policy(&visit.caller, group.id)?;
    let names: Vec<_> = settings.keys().map(|name| (name.clone(), !groups::is_shipped(name))).collect();
    let on = settings.iter().filter(|(_, on)| **on).map(|(name, _)| (SETTING_FIELD, name.as_str()));
    let about = || {
        Fill::of([("name", group.name.as_str()), ("account_id", group.account_id.as_deref().unwrap_or(""))])
    };
    let sites = || {
        let sites = group.allowed_sites.join("\n");
        Fill::of([(pages::SITES_FIELD, sites.clone()), (pages::OPENED_FIELD, sites)])
    };
    let security = || {
        let mut values = vec![("rule", policy.rule.name()), ("reset_message", policy.reset_message.as_str())];
        values.extend(policy.reset_requires_new.then_some(("reset_requires_new", "yes")));
        values.extend(policy.reset_may_create.then_some(("reset_may_create", "yes")));
        values.extend(policy.scim_sets_administrators.then_some(("scim_sets_administrators", "yes")));
        Fill::of(values)
    };
    let rules: Vec<_> =
        PasswordRule::ALL.iter().map(|rule| (rule.name().to_owned(), rule.sentence())).collect();
    let view = pages::SettingsView {
        group,
        settings: &names,
        rules: &rules,
        about: &refused.about.unwrap_or_else(about),
        privileges: &refused.privileges.unwrap_or_else(|| Fill::of(on)),
        sites: &refused.sites.unwrap_or_else(sites),
        security: &refused.security.unwrap_or_else(security),
    };
    Ok(answer::html(status, pages::page(&visit.frame(Some(group)), &view)))
}

fn address(group: &Group) -> String {
    format!("/console/groups/{}/settings", group.id)
}

fn post_group(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let name = form.filled("name").unwrap_or_default();
        let account = form.filled("account_id");
        match visit.desk().people.update_group(&visit.caller, group.id, &name, account.as_deref()) {
            Ok(_) => Ok(visit.done(&address(&group), "The group is saved.")),
            Err(error) => {
                let fields = [("name", "name"), ("account_id", "account_id")];
                let (status, fill) = refused(filled(&form), error, &fields)?;
                page(visit, &group, status, Refused { about: Some(fill), ..Refused::default() })
            }
        }
    })
}

fn post_privileges(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let ticked = form.all(SETTING_FIELD);
        let mut wanted = visit.desk().people.group_settings(&visit.caller, group.id)?;
        for (name, on) in &mut wanted {
            *on = ticked.iter().any(|ticked| ticked == name);
        }
        if let Some(new) = form.filled("new_setting") {
            wanted.insert(new, true);
        }
        match visit.desk().people.set_group_settings(&visit.caller, group.id, wanted) {
            Ok(_) => Ok(visit.done(&address(&group), "The settings are saved.")),
            Err(error) => {
                let (status, fill) = refused(filled(&form), error, &[("settings", "new_setting")])?;
                page(visit, &group, status, Refused { privileges: Some(fill), ..Refused::default() })
            }
        }
    })
}

/// Asks before a setting goes, and says which roles have it on.
fn get_remove(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let name = call.query().filled("name").unwrap_or_default();
        if !visit.desk().people.group_settings(&visit.caller, group.id)?.contains_key(&name) {
            let public = format!("The group has no setting {name}.");
            return Err(Error::not_found("setting_unknown", public));
        }
        let (roles, _) = visit.desk().people.roles(&visit.caller, group.id)?;
        let on = roles.iter().filter(|role| role.settings.get(&name) == Some(&true)).count();
        let on = match on {
            0 => "No role has it on.".to_owned(),
            1 => "One role has it on and loses it.".to_owned(),
            several => format!("{several} roles have it on and lose it."),
        };
        let back = address(&group);
        let deed = confirm::Deed {
            question: &format!("Remove the setting {name}?"),
            consequences: &["Clients that ask for it are told that it is off.", &on],
            action: &format!("{back}/remove"),
            hidden: &[("name", &name)],
            words: "Remove setting",
            keep: "Keep it",
            back: &back,
            ..confirm::Deed::default()
        };
        let crumbs = [(back.clone(), "Settings")];
        Ok(answer::html(200, confirm::page(&visit.frame(Some(&group)), Place::Settings, &crumbs, &deed)))
    })
}

fn post_remove(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let name = form.filled("name").unwrap_or_default();
        visit.desk().people.remove_group_setting(&visit.caller, group.id, &name)?;
        Ok(visit.done(&address(&group), &format!("The setting {name} is removed.")))
    })
}

fn post_sites(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let wanted = form.first(pages::SITES_FIELD).unwrap_or_default();
        let opened =
            form.first(pages::OPENED_FIELD).map(|sites| sites.lines().map(str::to_owned).collect::<Vec<_>>());
        match visit.desk().people.set_allowed_sites(&visit.caller, group.id, &wanted, opened.as_deref()) {
            Ok(sites) if sites.is_empty() => {
                Ok(visit.done(&address(&group), "No site may show pages in a frame."))
            }
            Ok(sites) => {
                let sentence = format!("These sites may show pages in a frame: {}.", sites.join(", "));
                Ok(visit.done(&address(&group), &sentence))
            }
            Err(error) => {
                // Whoever is told what changed meanwhile answers to that from now on.
                let is_told = error.code == SITES_CHANGED_MEANWHILE;
                let (status, mut fill) =
                    refused(filled(&form), error, &[(pages::SITES_FIELD, pages::SITES_FIELD)])?;
                if is_told {
                    fill = fill
                        .without(pages::OPENED_FIELD)
                        .with(pages::OPENED_FIELD, &group.allowed_sites.join("\n"));
                }
                page(visit, &group, status, Refused { sites: Some(fill), ..Refused::default() })
            }
        }
    })
}

fn post_security(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let present = visit.desk().people.password_policy(&visit.caller, group.id)?;
        let rule = form.filled("rule").and_then(|name| PasswordRule::named(&name));
        let policy = PasswordPolicy {
            rule: rule.unwrap_or(present.rule),
            // Browsers send line breaks as CR LF.
            reset_message: form.filled("reset_message").unwrap_or_default().replace("\r\n", "\n"),
            reset_requires_new: form.filled("reset_requires_new").is_some(),
            reset_may_create: form.filled("reset_may_create").is_some(),
            scim_sets_administrators: form.filled("scim_sets_administrators").is_some(),
        };
        match visit.desk().people.set_password_policy(&visit.caller, group.id, policy) {
            Ok(()) => Ok(visit.done(&address(&group), "The password rules are saved.")),
            Err(error) => {
                let fields = [("reset_message", "reset_message")];
                let (status, fill) = refused(filled(&form), error, &fields)?;
                page(visit, &group, status, Refused { security: Some(fill), ..Refused::default() })
            }
        }
    })
}
