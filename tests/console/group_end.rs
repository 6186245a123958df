//! A group that is switched off lets nobody in by anything, and a deleted one is gone for good.

use crate::browser::{Browser, PASSWORD, administrator, claimed, text_of};
use crate::common::Server;

/// A login key of group 7 for a PUID.
fn login_key(server: &Server, puid: &str) -> String {
    let out = server.command(&["login-key", "new", "--group", "7", "--puid", puid]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout)
        .split_whitespace()
        .find(|word| word.starts_with("$1$"))
        .unwrap()
        .to_owned()
}

fn authorize(server: &Server, form: &str) -> (u16, String) {
    let answer = server.post_form("/services/AuthorizationService.svc/rest/Authorize", form);
    (answer.status, answer.body)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn a_group_that_is_off_refuses_every_credential_and_its_people_sign_in_elsewhere() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    operator.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    operator.submit(
        "/console/groups/8/users/add",
        &[("member_address", "ann.seven.glance.net"), ("member_puid", "a8")],
    );
    let bob = [
        ("address", "bob.seven.glance.net"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("administrator", "yes"),
    ];
    operator.submit("/console/groups/7/users/new", &bob);
    let by_key = format!("partnerid=7&partneruserid=ann&loginkey={}", encoded(&login_key(&server, "ann")));
    let by_password =
        |group: &str| format!("username=ann.seven.glance.net&password={}{group}", encoded(PASSWORD));
    let papi = format!(
        "/PAPI/ShowUsers.asp?PartnerLogin=bob.seven.glance.net&PartnerPW={}&GroupID=7&PageCount=10&PageNum=1",
        encoded(PASSWORD)
    );
    let made = operator.post("/console/groups/7/provisioning/tokens", &[("label", "Okta")]).body;
    let scim = made.split("sidelight_scim_").nth(1).unwrap().split('<').next().unwrap();
    let bearer = format!("Bearer sidelight_scim_{scim}");
    let scim = || server.send("GET", "/scim/v2/Users", &[("Authorization", &bearer)], b"").status;
    let (status, token) = authorize(&server, &by_key);
    assert_eq!(status, 200, "{token}");
    assert_eq!(authorize(&server, &by_password("&groupid=7")).0, 200);
    assert_eq!(authorize(&server, &by_password("")).0, 400, "in two groups, one must be named");
    assert_eq!((scim(), admin.get("/console/groups/7").status), (200, 200));
    assert!(server.get(&papi).body.contains("bob.seven"), "{}", server.get(&papi).body);
    let bearer_token = format!("Bearer {}", token.trim().trim_matches('"'));
    let rest = || {
        let headers = [("Authorization", bearer_token.as_str())];
        server.send("GET", "/api/v1/groups/7/users?q=", &headers, b"").status
    };
    assert_eq!(rest(), 200);

    // It is asked first, and says how many it concerns.
    let ask = operator.get("/console/groups/7/settings/off").body;
    assert!(ask.contains("One person signed in during the last day."), "{}", text_of(&ask));
    let page = operator.submit("/console/groups/7/settings/off", &[]).body;
    assert!(page.contains("Seven is switched off"), "{}", text_of(&page));
    assert!(operator.get("/console/groups").body.contains("Switched off"));
    for form in [by_key.clone(), by_password("&groupid=7")] {
        let (status, body) = authorize(&server, &form);
        assert!(status == 403 && body.contains("This group is switched off"), "{form}: {status} {body}");
    }
    let (status, body) = authorize(&server, &by_password(""));
    assert_eq!(status, 200, "the other group is the only one now: {body}");
    assert_eq!((scim(), admin.get("/console/groups/7").status), (403, 303));
    assert_eq!(rest(), 403);
    assert!(server.get(&papi).body.contains("switched off"), "{}", server.get(&papi).body);
    let begun = server.get("/account/GetLoginKey.aspx?sso=1&idpid=7");
    assert!(begun.status == 403, "{}", text_of(&begun.body));
    let again = Browser::new(&server);
    again.get("/console/sign-in");
    let fields = [("name", "ann.seven.glance.net"), ("password", PASSWORD)];
    assert_eq!(again.post("/console/sign-in", &fields).status, 401);
    let log = operator.get("/console/groups/7/access-log").body;
    assert!(log.contains("group_off") && log.contains("group.off"), "{}", text_of(&log));

    // On again, what was handed out before stays void; new credentials are good.
    let page = operator.submit("/console/groups/7/settings/on", &[]).body;
    assert!(page.contains("Seven is switched on"), "{}", text_of(&page));
    assert_eq!((authorize(&server, &by_key).0, scim()), (200, 200));
    assert_eq!(rest(), 401, "the token ended");
    assert_eq!(admin.get("/console/groups/7").status, 303, "the console session ended");
    again.get("/console/sign-in");
    assert_eq!(again.post("/console/sign-in", &fields).status, 303);
}

#[test]
fn a_deleted_group_takes_its_own_along_and_is_never_given_again() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    operator.submit("/console/groups/7/settings/group", &[("name", "Seven"), ("account_id", "00D7")]);
    operator.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    operator.submit("/console/groups/7/users/new", &[("address", "only.seven.glance.net")]);
    operator.submit("/console/groups/8/users/add", &[("member_address", "ann.seven.glance.net")]);
    operator.submit("/console/groups/7/roles/new", &[("name", "Agents")]);
    let ask = text_of(&operator.get("/console/groups/7/settings/delete").body);
    for sentence in
        ["1 of its 2 users are deleted. 1 stay", "1 role,", "Nobody signed in during the last day."]
    {
        assert!(ask.contains(sentence), "{sentence}: {ask}");
    }
    let page = operator.submit("/console/groups/7/settings/delete", &[]).body;
    assert!(page.contains("Seven is deleted."), "{}", text_of(&page));
    assert_eq!(operator.get("/console/groups/7").status, 404);
    assert_eq!(admin.get("/console/groups/7").status, 303);
    let users = operator.get("/console/groups/8/users").body;
    assert!(users.contains("ann.<wbr>seven"), "{}", text_of(&users));
    let fields = [("address", "only.seven.glance.net")];
    operator.submit("/console/groups/8/users/new", &fields);
    // At home in what is left: the person can be changed there.
    let user = users.split("<a class=\"primary\" href=\"").nth(1).unwrap().split(['"', '?']).next().unwrap();
    assert!(operator.get(user).body.contains("name=\"first_name\""));

    operator.refused("/console/groups/new", &[("id", "7"), ("name", "Anew")], 409, "never used again");
    let account = [("id", "9"), ("name", "Nine"), ("account_id", "00D7")];
    operator.refused("/console/groups/new", &account, 409, "href=\"#f-account_id\"");
    operator.refused(
        "/console/groups/8/settings/group",
        &[("name", "Eight"), ("account_id", "00D7")],
        409,
        "never",
    );
    let out = server.command(&["sso", "set", "account_id=00D7", "--group", "8"]);
    assert!(!out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    // The rows stay the operators'.
    let log = text_of(&operator.get("/console/access-log?search=role.create").body);
    assert!(log.contains("Agents"), "{log}");
    let log = text_of(&operator.get("/console/access-log?search=group.delete").body);
    assert!(log.contains("name Seven; 1 users deleted, 1 still in other groups"), "{log}");
}

#[test]
fn the_name_of_a_large_group_is_typed_before_it_is_deleted() {
    let server = Server::lab();
    let operator = claimed(&server);
    let mut csv = String::from("GlanceAddress,PartnerUID\r\n");
    (0..101).for_each(|n| csv.push_str(&format!("u{n}.seven.glance.net,p{n}\r\n")));
    let file = server.data().join("people.csv");
    std::fs::write(&file, csv).unwrap();
    assert!(server.command(&["user", "import", "--group", "7", file.to_str().unwrap()]).status.success());
    let delete = "/console/groups/7/settings/delete";
    assert!(operator.get(delete).body.contains("Type “Seven” to continue"));
    operator.refused(delete, &[], 400, "href=\"#f-typed_name\"");
    operator.refused(delete, &[("typed_name", "seven")], 400, "This is not the name");
    assert!(operator.submit(delete, &[("typed_name", "Seven")]).body.contains("Seven is deleted."));
}

#[test]
fn only_operators_end_a_group() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    assert!(!admin.get("/console/groups/7/settings").body.contains("Delete group"));
    for act in ["off", "delete"] {
        assert_eq!(admin.get(&format!("/console/groups/7/settings/{act}")).status, 403, "{act}");
        assert_eq!(admin.post(&format!("/console/groups/7/settings/{act}"), &[]).status, 403, "{act}");
    }
    assert_eq!(admin.post("/console/groups/7/settings/on", &[]).status, 403);
}

#[test]
fn commands_end_a_group_too_and_a_seed_does_not_bring_it_back() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Server::start_on(&data, &["--lab", "--plain-http"]);
    let done = |arguments: &[&str]| {
        let out = server.command(arguments);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    assert!(done(&["group", "off", "12345"]).contains("is off"));
    assert!(done(&["group", "list"]).contains("off"));
    assert!(done(&["group", "on", "12345"]).contains("is on"));
    assert!(done(&["group", "delete", "12345", "--yes"]).contains("is deleted"));
    assert!(!server.command(&["group", "create", "12345", "--name", "Anew"]).status.success());
    server.stop();
    let server = Server::start_on(&data, &["--lab", "--plain-http"]);
    let out = server.command(&["group", "list", "--json"]);
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "[]");
}
