//! Groups, users, roles, files of users: each form's happy path and its main error.

use crate::browser::{Browser, PASSWORD, administrator, claimed, text_of};
use crate::common::Server;

#[test]
fn groups_are_made_renamed_and_refused_twice() {
    let server = Server::lab();
    let browser = claimed(&server);
    browser.refused("/console/groups/new", &[("id", "07"), ("name", "X")], 400, "href=\"#f-id\"");
    browser.refused("/console/groups/new", &[("id", "7"), ("name", "X")], 409, "exists already");
    browser.refused("/console/groups/new", &[("id", "8"), ("name", "")], 400, "href=\"#f-name\"");
    let saved =
        browser.submit("/console/groups/7/settings/group", &[("name", "Seventh"), ("account_id", "00D")]);
    assert!(saved.body.contains("Seventh") && saved.body.contains("00D"));
}

#[test]
fn settings_and_password_rules_of_a_group_are_kept() {
    let server = Server::lab();
    let browser = claimed(&server);
    let page = browser.submit(
        "/console/groups/7/settings/privileges",
        &[("setting", "viewVideo"), ("new_setting", "newThing")],
    );
    for (name, on) in [("viewVideo", true), ("newThing", true), ("remoteAssist", false)] {
        let ticked = page.body.contains(&format!("name=\"setting\" value=\"{name}\" checked"));
        assert_eq!(ticked, on, "{name}");
    }
    let bad = [("new_setting", "not a name")];
    browser.refused("/console/groups/7/settings/privileges", &bad, 400, "href=\"#f-new_setting\"");
    let rules = [("rule", "nine-symbol"), ("reset_message", "Call us.")];
    let page = browser.submit("/console/groups/7/settings/security", &rules);
    assert!(page.body.contains("value=\"nine-symbol\" checked") && page.body.contains("Call us."));
    let weak = [("address", "a.b"), ("password", "eight888"), ("again", "eight888")];
    browser.refused("/console/groups/7/users/new", &weak, 400, "href=\"#f-password\"");
}

#[test]
fn an_administrator_sets_the_allowed_sites() {
    let server = Server::lab();
    let operator = claimed(&server);
    let admin = administrator(&operator);
    let (page, form) = ("/console/groups/7/settings", "/console/groups/7/settings/sites");
    let sso = admin.get("/console/groups/7/sso/request").body;
    assert!(sso.contains("href=\"/console/groups/7/settings#allowed-sites\""), "{sso}");
    assert!(admin.get(page).body.contains("id=\"allowed-sites\""));
    let sites = "https://crm.example.com\r\nhttps://b.example";
    let saved = admin.submit(form, &[("allowed_sites", sites)]).body;
    assert!(saved.contains("https://crm.example.com, https://b.example."), "{}", text_of(&saved));
    assert!(saved.contains("https://crm.example.com\nhttps://b.example</textarea>"), "{saved}");
    admin.refused(form, &[("allowed_sites", "crm.example.com")], 400, "href=\"#f-allowed_sites\"");
    admin.refused(form, &[("allowed_sites", "crm.example.com")], 400, "crm.example.com</textarea>");
    let none = operator.submit(form, &[("allowed_sites", "")]).body;
    assert!(text_of(&none).contains("No site may embed pages in a frame."), "{}", text_of(&none));
    assert_eq!(
        admin.post("/console/groups/8/settings/sites", &[("allowed_sites", "https://x.example")]).status,
        403
    );
}

#[test]
fn users_are_made_found_changed_suspended_and_deleted() {
    let server = Server::lab();
    let browser = claimed(&server);
    browser.submit("/console/groups/7/roles/new", &[("name", "Agents"), ("setting", "viewVideo")]);
    let fields = [("address", "joe.seven.glance.net"), ("puid", "E 1"), ("first_name", "Joe")];
    let page = browser.submit("/console/groups/7/users/new", &fields);
    let at = page.body.find("/console/groups/7/users/").unwrap();
    assert!(at > 0 && page.body.contains("joe.seven.glance.net is created."));
    let user =
        page.body.split("action=\"/console/groups/7/users/").nth(1).unwrap().split('"').next().unwrap();
    let address = format!("/console/groups/7/users/{user}");
    browser.refused("/console/groups/7/users/new", &fields, 409, "href=\"#f-");
    browser.refused("/console/groups/7/users/new", &[("address", "no good")], 400, "href=\"#f-address\"");
    // A browser does not cut what is too long; the server says how much it is.
    let form = browser.get("/console/groups/7/users/new").body;
    assert!(!form.contains("maxlength"), "{form}");
    let long = [("address", &*"a".repeat(193))];
    browser.refused("/console/groups/7/users/new", &long, 400, "has 193 characters; at most 127");
    let shut = [("address", "boss.seven.glance.net"), ("administrator", "yes")];
    browser.refused("/console/groups/7/users/new", &shut, 400, "href=\"#f-password\"");
    assert!(browser.get("/console/groups/7/users?search=boss").body.contains("No users match"));
    let made = browser.submit(&format!("{address}/state"), &[("to", "administrator")]).body;
    assert!(made.contains("cannot open the console until a password is set"), "{}", text_of(&made));
    browser.submit(&format!("{address}/state"), &[("to", "member")]);

    let list = browser.get("/console/groups/7/users?search=joe&state=active");
    assert!(list.body.contains("joe.<wbr>seven.<wbr>glance.<wbr>net"));
    assert!(browser.get("/console/groups/7/users?state=suspended").body.contains("No users match"));

    let role = browser
        .get(&address)
        .body
        .split("<option value=\"")
        .nth(2)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let change =
        [("address", "joe.seven.glance.net"), ("puid", " E 2"), ("last_name", "Green"), ("role", &role)];
    let page = browser.submit(&address, &change);
    assert!(page.body.contains("Joe") || page.body.contains("Green"));
    assert!(page.body.contains("value=\" E 2\""), "a PUID is kept exactly");
    assert!(page.body.contains("The details are saved."));
    browser.refused(&address, &[("address", "-x")], 400, "href=\"#f-address\"");

    let password = format!("{address}/password");
    browser.refused(&password, &[("password", "one"), ("again", "two")], 400, "href=\"#f-again\"");
    browser.refused(&password, &[("password", "short"), ("again", "short")], 400, "href=\"#f-password\"");
    assert!(
        browser.submit(&password, &[("password", PASSWORD), ("again", PASSWORD)]).body.contains("is set")
    );

    let state = format!("{address}/state");
    assert!(browser.submit(&state, &[("to", "suspended")]).body.contains("Suspended"));
    assert!(browser.submit(&state, &[("to", "reinstated")]).body.contains("reinstated"));
    assert!(browser.submit(&state, &[("to", "administrator")]).body.contains("Administrator"));
    assert!(browser.submit(&state, &[("to", "unlocked")]).body.contains("cleared"));
    assert_eq!(browser.post(&state, &[("to", "king")]).status, 400);

    let role_page = format!("/console/groups/7/roles/{role}");
    assert_eq!(browser.post(&format!("{role_page}/delete"), &[]).status, 409, "somebody has the role");

    let delete = format!("{address}/delete");
    assert!(browser.get(&delete).body.contains("cannot be undone"));
    assert!(browser.submit(&delete, &[]).body.contains("is deleted."));
    assert_eq!(browser.get(&address).status, 404);
    assert!(browser.submit(&format!("{role_page}/delete"), &[]).body.contains("is deleted."));
}

#[test]
fn nobody_is_offered_to_shut_themselves_out() {
    let server = Server::lab();
    let operator = claimed(&server);
    let administrator = administrator(&operator);
    let list = administrator.get("/console/groups/7/users").body;
    let id =
        list.split("/console/groups/7/users/").find_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
    let address = format!("/console/groups/7/users/{}", id.unwrap());
    let deeds = ["value=\"suspended\"", "value=\"inactive\"", "value=\"member\"", "Delete…"];
    let (own, others) = (administrator.get(&address).body, operator.get(&address).body);
    for deed in deeds {
        assert!(others.contains(deed) && !own.contains(deed), "{deed}: {}", text_of(&own));
    }
    assert!(own.contains("This is you.") && !others.contains("This is you."));
    assert_eq!(administrator.post(&format!("{address}/state"), &[("to", "suspended")]).status, 403);

    // An operator may, and is told.
    operator.submit("/console/operators", &[("name", "Bob"), ("password", PASSWORD), ("again", PASSWORD)]);
    let list = operator.get("/console/operators").body;
    let asked = |name: &str| {
        let before = list.split(&format!("\">{name}</a>")).next().unwrap();
        operator.get(&format!("{}/delete", before.rsplit("href=\"").next().unwrap())).body
    };
    assert!(asked("Ada").contains("This is you"), "{}", text_of(&asked("Ada")));
    assert!(!asked("Bob").contains("This is you") && asked("Bob").contains("Their sessions end"));
}

#[test]
fn roles_are_made_and_changed() {
    let server = Server::lab();
    let browser = claimed(&server);
    let page = browser.submit("/console/groups/7/roles/new", &[("name", "Agents"), ("setting", "viewVideo")]);
    let role = page.body.split("/console/groups/7/roles/").find_map(|rest| {
        let number = rest.split('"').next()?;
        number.parse::<i64>().ok()
    });
    let address = format!("/console/groups/7/roles/{}", role.unwrap());
    browser.refused("/console/groups/7/roles/new", &[("name", "AGENTS")], 409, "already");
    browser.refused("/console/groups/7/roles/new", &[("name", "")], 400, "href=\"#f-name\"");
    assert!(browser.get(&address).body.contains("value=\"viewVideo\" checked"));
    browser
        .submit(&address, &[("name", "Helpers"), ("description", "They help."), ("setting", "remoteAssist")]);
    let page = browser.get(&address);
    assert!(page.body.contains("value=\"remoteAssist\" checked") && page.body.contains("They help."));
    assert!(!page.body.contains("value=\"viewVideo\" checked"));
}

#[test]
fn a_file_is_previewed_before_it_changes_anything_and_exported_again() {
    let server = Server::lab();
    let browser = claimed(&server);
    let upload = "/console/groups/7/users/upload";
    browser.get(upload);
    let file = "GlanceAddress,FirstName,PartnerUID\r\nann.seven.glance.net,Ann,a1\r\nno good,Bob,b1\r\n";
    let answer = browser.upload(upload, "keep", file);
    assert_eq!(answer.status, 303, "{}", text_of(&answer.body));
    let address = answer.header("location").unwrap().to_owned();
    let page = browser.get(&address);
    assert!(page.body.contains("Preview of the upload") && page.body.contains("no good"));
    // What becomes of a row stands before its address, which may be long.
    let columns = page.body.split("scope=\"col\">").skip(1).map(|rest| rest.split('<').next().unwrap());
    assert_eq!(columns.collect::<Vec<_>>(), ["Line", "Outcome", "Detail", "Glance Address"]);
    assert!(browser.get("/console/groups/7/users").body.contains("No users yet."));
    assert!(browser.get("/console/groups/7/users?search=x").body.contains("No users match"));

    let other = Browser::new(&server);
    other.sign_in("Ada", PASSWORD);
    let stranger = administrator(&browser);
    assert_eq!(stranger.get(&address).status, 404, "an upload is its sender's");

    let applied = |fields: &[(&str, &str)]| {
        browser.get(&address);
        assert_eq!(browser.post(&address, fields).status, 303);
        loop {
            let page = browser.get(&address);
            if !page.body.contains("http-equiv=\"refresh\"") {
                return page;
            }
        }
    };
    assert!(applied(&[]).body.contains("Nothing was changed, because some rows are refused."));
    assert!(applied(&[("skip_refused", "yes")]).body.contains("The upload is done"));
    let list = browser.get("/console/groups/7/users?search=ann.seven").body;
    assert!(list.contains("a1"), "{}", text_of(&list));
    let export = browser.get("/console/groups/7/users.csv");
    assert!(export.body.contains("Ann,,,,ann.seven.glance.net,,a1"), "{}", export.body);

    let template = browser.get("/console/groups/7/users-template.csv");
    assert!(browser.get(upload).body.contains("/console/groups/7/users-template.csv"));
    assert_eq!(template.body, "\u{feff}FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID\r\n");
    let answer = browser.upload(
        upload,
        "keep",
        "GlanceAddress,Email,PartnerUID\r\neve.x,not-an-email,\"4,9302E+11\"\r\n",
    );
    assert_eq!(answer.status, 303);
    let page = text_of(&browser.get(answer.header("location").unwrap()).body);
    assert!(
        page.contains("does not look like an e-mail address") && page.contains("a spreadsheet shortened"),
        "{page}"
    );
    browser.get(upload);
    let answer = browser.upload(upload, "keep", "PK\u{3}\u{4}");
    assert!(
        answer.status == 400 && text_of(&answer.body).contains("This is a workbook"),
        "{}",
        text_of(&answer.body)
    );

    browser.get(upload);
    let answer = browser.upload(upload, "keep", "");
    assert!(answer.status == 400 && answer.body.contains("href=\"#f-file\""));
    *browser.token.borrow_mut() = "AAAA".into();
    assert_eq!(browser.upload(upload, "keep", file).status, 403);
}

#[test]
fn a_preview_shows_old_and_new_values_and_turns_its_pages() {
    let server = Server::lab();
    let browser = claimed(&server);
    let upload = "/console/groups/7/users/upload";
    let shown = |file: &str| {
        browser.get(upload);
        let answer = browser.upload(upload, "keep", file);
        assert_eq!(answer.status, 303, "{}", text_of(&answer.body));
        answer.header("location").unwrap().to_owned()
    };
    let address = shown("GlanceAddress,FirstName,Email,PartnerUID\r\nann.seven,Ann,a@b,a1\r\n");
    browser.get(&address);
    browser.post(&address, &[]);
    while browser.get(&address).body.contains("http-equiv=\"refresh\"") {}

    let many: String = (0..60).map(|n| format!("n{n}.seven,,,,n{n}\r\n")).collect();
    let head = "Glance Address,first_name,E-mail,Password,PartnerUID\r\n";
    let address = shown(&format!("{head}{many}ann.seven,Anna,,correct horse,a2\r\n"));
    let page = browser.get(&address).body;
    let words_of = |page: &str| text_of(page).split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words_of(&page);
    for words in ["Ann → becomes Anna", "a1 → becomes a2", "First name:", "new value not shown"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains("Column \u{201c}first_name\u{201d} is read as FirstName."), "{text}");
    assert!(!page.contains("correct horse") && !text.contains("E-mail: "), "{text}");
    assert!(text.contains("1 to 50 of 61"), "{text}");
    let second = words_of(&browser.get(&format!("{address}?page=2")).body);
    assert!(second.contains("51 to 61 of 61") && !second.contains("Anna"), "{second}");
}

#[test]
fn a_file_with_other_columns_is_mapped_without_being_sent_again() {
    let server = Server::lab();
    let browser = claimed(&server);
    let upload = "/console/groups/7/users/upload";
    browser.get(upload);
    let answer = browser.upload(upload, "keep", "Login;Colour<b>;PUID\r\nann.seven;red;a1\r\n");
    assert_eq!(answer.status, 303, "{}", text_of(&answer.body));
    let address = answer.header("location").unwrap().to_owned();
    let page = browser.get(&address).body;
    let text = text_of(&page);
    assert!(text.contains("Which column is which") && text.contains("no column GlanceAddress"), "{text}");
    assert!(text.contains("Column 2: Colour&lt;b&gt;") || page.contains("Colour&lt;b&gt;"), "{text}");
    assert!(page.contains("<option value=\"PartnerUID\" selected>"), "{page}");

    let columns = format!("{address}/columns");
    let half = browser.post(&columns, &[("column-0", "GlanceAddress"), ("column-2", "PartnerUID")]);
    assert_eq!(half.status, 400);
    assert!(half.body.contains("href=\"#f-column-1\""), "{}", half.body);
    assert!(half.body.contains("<option value=\"GlanceAddress\" selected>"), "what was chosen stays");
    let said = [("column-0", "GlanceAddress"), ("column-1", "leave-out"), ("column-2", "PartnerUID")];
    assert_eq!(browser.post(&columns, &said).status, 303);
    let text = text_of(&browser.get(&address).body);
    assert!(text.contains("Preview of the upload") && text.contains("is left out."), "{text}");
    // It can be said anew until it is applied.
    assert!(browser.get(&columns).body.contains("<option value=\"leave-out\" selected>"));
    browser.get(&address);
    browser.post(&address, &[]);
    while browser.get(&address).body.contains("http-equiv=\"refresh\"") {}
    assert_eq!(browser.get(&columns).status, 303);
    assert!(browser.get("/console/groups/7/users").body.contains("ann.seven"));
}
