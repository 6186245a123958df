//! Groups: the list, one to be made, and a group's overview.

use super::access_log::lines_of;
use super::listing::{self, ListQuery};
use super::visit::{filled, get, post, refused, visit};
use crate::desk::ground::permission;
use crate::error::{Error, Result};
use crate::gate::Response;
use crate::http::answer;
use crate::http::router::{App, Call, Route};
use crate::model::GroupId;
use crate::model::lists::{GroupColumn, GroupOrder, GroupQuery};
use crate::model::queries::{LogQuery, MemberQuery};
use crate::pages::console::groups as pages;
use crate::pages::form::Fill;

pub const ROUTES: &[Route] = &[
    get("/console/groups", get_groups),
    get("/console/groups/new", get_new_group),
    post("/console/groups/new", post_new_group),
    get("/console/groups/{group}", get_group),
];

/// Rows of the access log on an overview.
const RECENT: u32 = 8;

fn get_groups(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let params = call.query();
        let asked = ListQuery::of(&params, &pages::SORTS);
        let order = GroupOrder { by: column_of(asked.key()), descending: asked.descending() };
        let search = params.filled("search").unwrap_or_default();
        let sso = match params.filled("sso").as_deref() {
            Some("on") => Some(true),
            Some("off") => Some(false),
            _ => None,
        };
        let query = GroupQuery { search, sso, order, offset: 0, limit: listing::PAGE };
        let count = visit.desk().people.count_groups_to(&visit.caller, &query, listing::COUNT_MAX)?;
        let asked = asked.within(count);
        let query = GroupQuery { offset: asked.offset(), ..query };
        let lines: Vec<_> = visit
            .desk()
            .people
            .group_lines(&visit.caller, &query)?
            .into_iter()
            .map(|line| pages::GroupRow { group: line.group, users: line.users, sso: line.sso })
            .collect();
        let chips = listing::searched("search", &query.search).into_iter();
        let chips = chips.chain(listing::chosen("sso", params.filled("sso"), &pages::sso_filter()));
        let recent = LogQuery { limit: RECENT, ..LogQuery::default() };
        let recent = lines_of(visit.desk().appliance.log_rows(&visit.caller, &recent)?);
        let around = (lines.len(), count);
        let nouns = ("group", "groups");
        let view = pages::GroupsView {
            listing: &asked.listing("/console/groups", &pages::SORTS, chips.collect(), nouns, around),
            lines: &lines,
            fill: &filled(&params),
            recent: &recent,
        };
        Ok(answer::html(200, pages::list(&visit.frame(None), &view)))
    })
}

fn column_of(key: &str) -> GroupColumn {
    match key {
        "id" => GroupColumn::Number,
        "users" => GroupColumn::Users,
        "made" => GroupColumn::Made,
        _ => GroupColumn::Name,
    }
}

fn get_new_group(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        permission::run_appliance(&visit.caller)?;
        Ok(answer::html(200, pages::new(&visit.frame(None), &Fill::default())))
    })
}

fn post_new_group(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let form = call.form()?;
        let number = form.filled("id").and_then(|text| GroupId::parse(&text)).ok_or_else(|| {
            let public =
                "The Group ID must be a positive number without a sign or leading zeros, such as 12345.";
            Error::invalid("group_id_malformed", "id", public)
        });
        let made = number.and_then(|id| {
            let name = form.filled("name").unwrap_or_default();
            visit.desk().people.create_group(&visit.caller, id, &name, form.filled("account_id").as_deref())
        });
        match made {
            Ok(group) => {
                let sentence = format!(
                    "The group {} is created. Next, create its first users. To use login keys, also set an API key.",
                    group.name
                );
                Ok(visit.done(&format!("/console/groups/{}", group.id), &sentence))
            }
            Err(error) => {
                let fields = [("id", "id"), ("name", "name"), ("account_id", "account_id")];
                let (status, fill) = refused(filled(&form), error, &fields)?;
                Ok(answer::html(status, pages::new(&visit.frame(None), &fill)))
            }
        }
    })
}

fn get_group(app: &App, call: &Call<'_>) -> Result<Response> {
    visit(app, call, |visit| {
        let group = visit.group()?;
        let desk = visit.desk();
        let users = desk.people.count_members(&visit.caller, group.id, &MemberQuery::default())?;
        let roles = desk.people.role_choices(&visit.caller, group.id)?;
        let query = LogQuery { group: Some(group.id), limit: RECENT, ..LogQuery::default() };
        let recent = lines_of(desk.appliance.log_rows(&visit.caller, &query)?);
        let origin = app.origin(call.request);
        let home = pages::Home {
            group: &group,
            users,
            roles: roles.len(),
            origin: &origin,
            origin_is_guessed: app.origin_is_guessed(),
            recent: &recent,
        };
        Ok(answer::html(200, pages::home(&visit.frame(Some(&group)), &home)))
    })
}
