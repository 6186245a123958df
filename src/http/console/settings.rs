//! A group's settings: name, privileges, allowed sites, password rules.

use super::meanwhile::{self, Words};
use super::visit::{Visit, filled, get, post, refused, visit};
use crate::desk::ground::opened::{self, CHANGED_MEANWHILE};
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::people::groups;
use crate::desk::people::password_policy::PasswordPolicy;
use crate::desk::people::password_policy::of_policy;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::form::Params;
use crate::http::router::{App, Call, Route};
use crate::model::Group;
use crate::model::opened::Values;
use crate::pages::console::roles::SETTING_FIELD;
use crate::pages::console::{confirm, settings as pages};
use crate::pages::form::Fill;
use crate::pages::layout::MenuEntry;

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
    let over = |values: Values| Fill::opened(&values, &values);
    let rules: Vec<_> =
        PasswordRule::ALL.iter().map(|rule| (rule.name().to_owned(), rule.sentence())).collect();
    let view = pages::SettingsView {
        group,
        settings: &names,
        rules: &rules,
        about: &refused.about.unwrap_or_else(|| over(opened::of_group(group))),
        privileges: &refused.privileges.unwrap_or_else(|| over(opened::of_settings(&settings))),
        sites: &refused.sites.unwrap_or_else(|| over(opened::of_sites(&group.allowed_sites))),
        security: &refused.security.unwrap_or_else(|| over(of_policy(&policy))),
    };
    Ok(answer::html(status, pages::page(&visit.frame(Some(group)), &view)))
}

fn address(group: &Group) -> String {
    format!("/console/groups/{}/settings", group.id)
}

/// What the form of the password rules calls its fields.
const RULES: [(&str, &str); 5] = [
    ("rule", "Minimum password complexity"),
    ("reset_message", "Password reset prompt message"),
    ("reset_requires_new/yes", "Require a password different from the current one"),
    ("reset_may_create/yes", "Users without a password may create one with a reset"),
    ("scim_sets_administrators/yes", "SCIM tokens may set administrators' passwords"),
];

/// One of the forms that somebody else's save overtook.
fn overtaken(
    visit: &Visit<'_>,
    group: &Group,
    form: &Params<'_>,
    now: Values,
    error: &Error,
    operation: &str,
    words: Words<'_>,
) -> Result<Fill> {
    let typed = meanwhile::typed(form, &now);
    let saved =
        visit.desk().appliance.last_change(&visit.caller, group.id, operation, &[&group.id.to_string()])?;
    Ok(meanwhile::overtaken(form, &typed, &now, error, saved, words))
}

fn post_group(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let name = form.filled("name").unwrap_or_default();
        let (account, opened) = (form.filled("account_id"), meanwhile::opened(&form));
        match visit.desk().people.update_group(
            &visit.caller,
            group.id,
            &name,
            account.as_deref(),
            opened.as_ref(),
        ) {
            Ok(_) => Ok(visit.done(&address(&group), "The group is saved.")),
            Err(error) if error.code == CHANGED_MEANWHILE => {
                let group = visit.group()?;
                let words = Words {
                    labels: &[("name", "Name"), ("account_id", "Unique Account ID")],
                    shown: &|_, _| None,
                    choices: &[],
                };
                let fill =
                    overtaken(visit, &group, &form, opened::of_group(&group), &error, "group.update", words)?;
                page(visit, &group, 409, Refused { about: Some(fill), ..Refused::default() })
            }
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
        let (ticked, opened) = (form.all(SETTING_FIELD), meanwhile::opened(&form));
        let mut wanted = visit.desk().people.group_settings(&visit.caller, group.id)?;
        for (name, on) in &mut wanted {
            *on = ticked.iter().any(|ticked| ticked == name);
        }
        if let Some(new) = form.filled("new_setting") {
            wanted.insert(new, true);
        }
        match visit.desk().people.set_group_settings(&visit.caller, group.id, wanted, opened.as_ref()) {
            Ok(_) => Ok(visit.done(&address(&group), "The settings are saved.")),
            Err(error) if error.code == CHANGED_MEANWHILE => {
                let now = opened::of_settings(&visit.desk().people.group_settings(&visit.caller, group.id)?);
                let words = Words { labels: &[], shown: &|_, _| None, choices: &[] };
                let fill = overtaken(visit, &group, &form, now, &error, "group.settings", words)?;
                page(visit, &group, 409, Refused { privileges: Some(fill), ..Refused::default() })
            }
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
            1 => "One role that has it on loses it.".to_owned(),
            several => format!("{several} roles that have it on lose it."),
        };
        let back = address(&group);
        let deed = confirm::Deed {
            question: &format!("Remove the setting {name}?"),
            consequences: &["Clients that ask for this setting get the answer “off”.", &on],
            action: &format!("{back}/remove"),
            hidden: &[("name", &name)],
            words: "Remove setting",
            keep: "Keep it",
            back: &back,
            ..confirm::Deed::default()
        };
        let crumbs = [(back.clone(), "Settings")];
        Ok(answer::html(200, confirm::page(&visit.frame(Some(&group)), MenuEntry::Settings, &crumbs, &deed)))
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
        let opened = meanwhile::opened(&form);
        match visit.desk().people.set_allowed_sites(&visit.caller, group.id, &wanted, opened.as_ref()) {
            Ok(sites) if sites.is_empty() => {
                Ok(visit.done(&address(&group), "No site may embed pages in a frame."))
            }
            Ok(sites) => {
                let sentence = format!("These sites may embed pages in a frame: {}.", sites.join(", "));
                Ok(visit.done(&address(&group), &sentence))
            }
            Err(error) if error.code == CHANGED_MEANWHILE => {
                let now = opened::of_sites(&visit.group()?.allowed_sites);
                let words =
                    Words { labels: &[(pages::SITES_FIELD, "Sites")], shown: &|_, _| None, choices: &[] };
                let fill = overtaken(visit, &group, &form, now, &error, "group.allowed-sites", words)?;
                page(visit, &group, 409, Refused { sites: Some(fill), ..Refused::default() })
            }
            Err(error) => {
                let fields = [(pages::SITES_FIELD, pages::SITES_FIELD)];
                let (status, fill) = refused(filled(&form), error, &fields)?;
                page(visit, &group, status, Refused { sites: Some(fill), ..Refused::default() })
            }
        }
    })
}

fn post_security(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let (group, form) = (visit.group()?, call.form()?);
        let opened = meanwhile::opened(&form);
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
        match visit.desk().people.set_password_policy(&visit.caller, group.id, policy, opened.as_ref()) {
            Ok(()) => Ok(visit.done(&address(&group), "The password rules are saved.")),
            Err(error) if error.code == CHANGED_MEANWHILE => {
                let now = of_policy(&visit.desk().people.password_policy(&visit.caller, group.id)?);
                let shown = |field: &str, value: &str| match field {
                    "rule" => PasswordRule::named(value).map(PasswordRule::sentence),
                    _ => None,
                };
                let words = Words { labels: &RULES, shown: &shown, choices: &["rule"] };
                let fill = overtaken(visit, &group, &form, now, &error, "group.password-policy", words)?;
                page(visit, &group, 409, Refused { security: Some(fill), ..Refused::default() })
            }
            Err(error) => {
                let fields = [("reset_message", "reset_message")];
                let (status, fill) = refused(filled(&form), error, &fields)?;
                page(visit, &group, status, Refused { security: Some(fill), ..Refused::default() })
            }
        }
    })
}
