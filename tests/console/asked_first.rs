//! What ends something for others asks first, and says how many used it.

use crate::browser::{Browser, KEY, PASSWORD, administrator, claimed, text_of};
use crate::common::Server;

fn shown_key(browser: &Browser<'_>) -> String {
    browser.get("/console/groups/7/api-key");
    let page = browser.post("/console/groups/7/api-key/reveal", &[]).body;
    page.split("aria-label=\"API key\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

#[test]
fn a_new_api_key_asks_first_and_the_one_before_can_be_put_back_for_an_hour() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    let out = server.command(&["login-key", "new", "--group", "7", "--puid", "ann"]);
    let key = String::from_utf8_lossy(&out.stdout);
    let key = key.split_whitespace().find(|word| word.starts_with("$1$")).unwrap();
    let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let form = format!("partnerid=7&partneruserid=ann&loginkey={key}");
    let authorize = || server.post_form("/services/AuthorizationService.svc/rest/Authorize", &form).status;
    assert_eq!(authorize(), 200);

    // The page of the key has no button that ends anything.
    let page = admin.get("/console/groups/7/api-key").body;
    assert!(!page.contains("value=\"random\"") && page.contains("Change the API key…"), "{}", text_of(&page));
    let ask = admin.get("/console/groups/7/api-key/change").body;
    assert!(ask.contains("One person signed in with login keys during the last day."), "{}", text_of(&ask));
    admin.refused("/console/groups/7/api-key/change", &[("how", "typed")], 400, "href=\"#f-api_key\"");
    let page = admin.submit("/console/groups/7/api-key/change", &[("how", "random")]).body;
    assert!(page.contains("Restore the previous key…"), "{}", text_of(&page));
    let random = shown_key(&admin);
    assert_ne!(random, KEY);
    assert_eq!(authorize(), 401);

    let ask = admin.get("/console/groups/7/api-key/restore").body;
    assert!(ask.contains("Restore the previous API key?"), "{}", text_of(&ask));
    assert!(admin.submit("/console/groups/7/api-key/restore", &[]).body.contains("is restored"));
    assert_eq!((shown_key(&admin), authorize()), (KEY.to_owned(), 200));
    // A change like any other: it can be taken back, too, and has its row.
    let out = server.command(&["api-key", "restore", "--group", "7"]);
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), random);
    let log = admin.get("/console/groups/7/access-log?search=put+back").body;
    assert!(log.contains("2 rows match"), "{}", text_of(&log));

    server.send("PUT", "/lab/clock", &[], b"{\"offset_seconds\":3601}");
    assert!(!operator.get("/console/groups/7/api-key").body.contains("Restore the previous key"));
    operator.get("/console/sign-in");
    operator.sign_in("Ada", PASSWORD);
    operator.get("/console/groups/7/api-key");
    operator.refused("/console/groups/7/api-key/restore", &[], 409, "kept for one hour");
}

#[test]
fn a_scim_token_is_revoked_after_it_was_asked() {
    let server = Server::lab();
    let operator = claimed(&server);
    operator.post("/console/groups/7/provisioning/tokens", &[("label", "Okta")]);
    let page = operator.get("/console/groups/7/provisioning").body;
    assert!(!page.contains("action=\"/console/groups/7/provisioning/revoke\""), "{page}");
    let link = page.split("/console/groups/7/provisioning/revoke?token=").nth(1).unwrap();
    let id = link.split('"').next().unwrap();
    let ask = operator.get(&format!("/console/groups/7/provisioning/revoke?token={id}")).body;
    assert!(
        ask.contains("Revoke the SCIM token Okta?") && ask.contains("It was never used."),
        "{}",
        text_of(&ask)
    );
    assert_eq!(operator.get("/console/groups/7/provisioning/revoke?token=99").status, 404);
    let page = operator.submit("/console/groups/7/provisioning/revoke", &[("token", id)]).body;
    assert!(page.contains("The token is revoked."), "{}", text_of(&page));
}

#[test]
fn deletions_of_users_and_roles_say_what_they_take() {
    let server = Server::lab();
    let operator = claimed(&server);
    let page = operator.submit("/console/groups/7/users/new", &[("address", "joe.seven.glance.net")]).body;
    let user = page.split("action=\"/console/groups/7/users/").nth(1).unwrap().split('"').next().unwrap();
    let ask = operator.get(&format!("/console/groups/7/users/{user}/delete")).body;
    assert!(ask.contains("They never signed in."), "{}", text_of(&ask));
    let page = operator.submit("/console/groups/7/roles/new", &[("name", "Agents")]).body;
    let role =
        page.split("/console/groups/7/roles/").find_map(|r| r.split(['"', '?']).next()?.parse::<i64>().ok());
    let ask = operator.get(&format!("/console/groups/7/roles/{}/delete", role.unwrap())).body;
    assert!(ask.contains("Nobody has it."), "{}", text_of(&ask));
}

#[test]
fn a_groups_administrator_is_not_shown_the_form_for_new_groups() {
    let server = Server::lab();
    let operator = claimed(&server);
    let page = administrator(&operator).get("/console/groups/new");
    assert!(page.status == 403 && !page.body.contains("name=\"account_id\""), "{}", text_of(&page.body));
}

#[test]
fn the_console_of_a_lab_needs_no_claiming_and_that_of_production_does() {
    let server = Server::lab();
    let browser = Browser::new(&server);
    let page = browser.get("/console/sign-in?next=%2Fconsole%2Foperators").body;
    assert!(page.contains("Open the console"), "{}", text_of(&page));
    let page = browser.submit("/console/enter-lab", &[("next", "/console/operators")]).body;
    assert!(page.contains("Signed in as <b>Lab</b>"), "{}", text_of(&page));
    // Again, it is the same operator; from another site, nobody.
    let again = Browser::new(&server);
    again.get("/console/sign-in");
    assert!(again.submit("/console/enter-lab", &[]).body.contains("Demo"));
    let token = again.token.borrow().clone();
    let foreign = again.post_with("/console/enter-lab", &[], &token, &[("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(foreign.status, 403);

    let production = Server::start(&["--plain-http"]);
    let page = Browser::new(&production).get("/console/sign-in").body;
    assert!(
        page.contains("This appliance has no operator yet") && !page.contains("enter-lab"),
        "{}",
        text_of(&page)
    );
    let browser = Browser::new(&production);
    browser.get("/console/sign-in");
    assert_eq!(browser.post("/console/enter-lab", &[]).status, 404);
}
