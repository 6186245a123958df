//! Lists: sorted, counted, paged both ways, and come back to as they were left.

use crate::browser::{Browser, claimed, text_of};
use crate::common::Server;

/// What stands in the first column, in order.
fn firsts(page: &str) -> Vec<String> {
    let rows = page.split("<a class=\"primary\" href=\"").skip(1);
    rows.map(|rest| rest.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()).collect()
}

/// The address of the first link whose words are these.
fn link(page: &str, words: &str) -> String {
    let before = page.split(&format!(">{words}</a>")).next().unwrap();
    assert_ne!(before.len(), page.len(), "no link says {words}: {}", text_of(page));
    let (_, rest) = before.rsplit_once("href=\"").unwrap();
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

/// Makes users 001 to `count` of group 7.
fn people(browser: &Browser<'_>, count: u32) {
    let mut csv = String::from("GlanceAddress,PartnerUID,FirstName,LastName\r\n");
    for n in 1..=count {
        csv.push_str(&format!("u{n:03}.seven.glance.net,p{:03},Kim,L{}\r\n", count - n, n % 3));
    }
    let file = browser.server.data().join("people.csv");
    std::fs::write(&file, csv).unwrap();
    let out = browser.server.command(&["user", "import", "--group", "7", file.to_str().unwrap()]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn a_list_of_users_is_counted_sorted_and_paged_both_ways() {
    let server = Server::lab();
    let browser = claimed(&server);
    people(&browser, 120);
    let first = browser.get("/console/groups/7/users").body;
    assert!(first.contains("120 users<") && first.contains("1 to 50 of 120"), "{}", text_of(&first));
    assert!(first.contains("aria-sort=\"ascending\"><a href=\"/console/groups/7/users?sort=-address\""));
    assert_eq!(first.matches("aria-sort=").count(), 1);

    let second = browser.get(&link(&first, "Next")).body;
    assert!(second.contains("51 to 100 of 120"), "{}", text_of(&second));
    let third = browser.get(&link(&second, "Next")).body;
    assert!(third.contains("101 to 120 of 120") && !third.contains(">Next<"));
    let back = browser.get(&link(&third, "Previous")).body;
    assert!(back.contains("51 to 100 of 120"));
    // A page behind the last is the last.
    assert!(browser.get("/console/groups/7/users?page=99").body.contains("101 to 120 of 120"));

    let addresses = |page: &str| {
        let found = page.split("data-label=\"Glance Address\"><div>").skip(1);
        found.map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (sort, first) in [
        ("address", "u001."),
        ("-address", "u120."),
        ("puid", "u120."),
        ("-puid", "u001."),
        ("name", "u003."),
        ("-name", "u119."),
        ("signed_in", "u001."),
        ("nonsense'; --", "u001."),
    ] {
        let page = browser.get(&format!("/console/groups/7/users?sort={}", sort.replace(' ', "+"))).body;
        assert_eq!(addresses(&page)[0], first, "{sort}");
    }
    // A search is said, can be taken away by itself, and keeps the order.
    let page = browser.get("/console/groups/7/users?search=u00&state=active&sort=-address").body;
    assert!(page.contains("9 users match") && page.contains("“u00”"), "{}", text_of(&page));
    assert!(page.contains("href=\"/console/groups/7/users?state=active&amp;sort=-address\""), "{page}");
    assert_eq!(link(&page, "Clear all"), "/console/groups/7/users?sort=-address");
    let none = browser.get("/console/groups/7/users?search=ar+lee").body;
    assert!(none.contains("No users match “ar lee”.") && none.contains("Clear all"), "{}", text_of(&none));
}

#[test]
fn a_count_is_exact_to_a_thousand() {
    let server = Server::lab();
    let browser = claimed(&server);
    people(&browser, 1_000);
    let page = browser.get("/console/groups/7/users?page=20").body;
    assert!(page.contains("951 to 1,000 of 1,000"), "{}", text_of(&page));
    browser.get("/console/groups/7/users/new");
    browser.submit("/console/groups/7/users/new", &[("address", "one.more.glance.net")]);
    let page = browser.get("/console/groups/7/users").body;
    assert!(page.contains("More than 1,000 users<"), "{}", text_of(&page));
    assert!(page.contains("1 to 50 of more than 1,000"), "{}", text_of(&page));
    let last = browser.get("/console/groups/7/users?page=21").body;
    assert!(last.contains("1,001 to 1,001<") && !last.contains(">Next<"), "{}", text_of(&last));
}

#[test]
fn a_list_is_come_back_to_as_it_was_left() {
    let server = Server::lab();
    let browser = claimed(&server);
    people(&browser, 60);
    let asked = "/console/groups/7/users?search=seven&sort=-address&page=2";
    let list = browser.get(asked).body;
    let user = link(&list, "Kim L1");
    assert!(user.contains("?from=%2Fconsole"), "{user}");
    let page = browser.get(&user).body;
    let crumb = format!("<a href=\"{}\">Users</a>", asked.replace('&', "&amp;"));
    assert!(page.contains(&crumb), "{page}");
    // Saving, and the page that asks before a deletion, keep the way back; the deletion takes it.
    let address = user.split('?').next().unwrap();
    let query = user.split('?').nth(1).unwrap();
    let saved = browser.submit(&format!("{address}/state?{query}"), &[("to", "suspended")]).body;
    assert!(saved.contains(&crumb), "{saved}");
    let ask = browser.get(&format!("{address}/delete?{query}")).body;
    assert!(ask.contains(&crumb) && ask.contains(&format!("{address}/delete?from=")), "{ask}");
    let answer = browser.post(&format!("{address}/delete?{query}"), &[]);
    assert_eq!(answer.header("location"), Some(asked), "{}", answer.body);
    // Nobody is led elsewhere.
    let other = user.split('?').next().unwrap().replace("/users/", "/users/x");
    for foreign in ["https://evil.example/", "//evil.example/console/x", "/account/x", "/console/../x"] {
        let page = browser.get(&format!("{other}?from={foreign}")).body;
        assert!(!page.contains("evil") && !page.contains("/account/x"), "{foreign}: {page}");
    }
    // Who signs in again goes to the page with its query.
    let stranger = Browser::new(&server);
    let sent = stranger.get(asked);
    let location = sent.header("location").unwrap();
    assert!(location.starts_with("/console/sign-in?next="), "{location}");
    stranger.get(location);
    let fields = [("name", "Ada"), ("password", crate::browser::PASSWORD), ("next", asked)];
    let answer = stranger.post("/console/sign-in", &fields);
    assert_eq!(answer.header("location"), Some(asked));
}

#[test]
fn groups_say_how_many_users_they_have_and_where_single_sign_on_stands() {
    let server = Server::lab();
    let browser = claimed(&server);
    people(&browser, 4);
    browser.submit("/console/groups/new", &[("id", "8"), ("name", "Aachen"), ("account_id", "00D8")]);
    let out = server.command(&["sso", "set", "method=saml", "--group", "7"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let page = browser.get("/console/groups").body;
    assert_eq!(firsts(&page), ["Aachen", "Demo", "Seven"], "{}", text_of(&page));
    let seven = page.split(">Seven</a>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(seven.contains(">4</a>") && text_of(seven).contains("Provisioning"), "{seven}");
    for (query, found) in [
        ("?sort=-name", "Seven Demo Aachen"),
        ("?sort=id", "Seven Aachen Demo"),
        ("?sort=-users", "Seven Demo Aachen"),
        ("?search=AACH", "Aachen"),
        ("?search=00d8", "Aachen"),
        ("?search=7", "Seven"),
        ("?sso=on", "Seven"),
        ("?sso=off", "Aachen Demo"),
        ("?search=%25", ""),
    ] {
        let page = browser.get(&format!("/console/groups{query}")).body;
        assert_eq!(firsts(&page).join(" "), found, "{query}: {}", text_of(&page));
    }
    let page = browser.get("/console/groups?search=aach").body;
    let group = browser.get(&link(&page, "Aachen")).body;
    assert!(group.contains("<a href=\"/console/groups?search=aach\">Groups</a>"), "{group}");
}

#[test]
fn roles_operators_and_the_log_sort_and_page() {
    let server = Server::lab();
    let browser = claimed(&server);
    for name in ["Beta", "alpha", "Gamma"] {
        browser.submit("/console/groups/7/roles/new", &[("name", name), ("description", "d")]);
    }
    let page = browser.get("/console/groups/7/roles?sort=-name").body;
    assert_eq!(firsts(&page), ["Gamma", "Beta", "alpha"], "{}", text_of(&page));
    let page = browser.get("/console/groups/7/roles?search=BET").body;
    assert_eq!(firsts(&page), ["Beta"]);

    let operator = |name| [("name", name), ("password", "correct horse"), ("again", "correct horse")];
    browser.submit("/console/operators", &operator("Zoe"));
    let page = browser.get("/console/operators?sort=-name").body;
    assert_eq!(firsts(&page), ["Zoe", "Ada"], "{}", text_of(&page));
    assert_eq!(firsts(&browser.get("/console/operators?search=zo").body), ["Zoe"]);

    people(&browser, 70);
    let first = browser.get("/console/groups/7/access-log").body;
    assert!(
        first.contains("aria-sort=\"descending\"") && first.contains("1 to 50 of "),
        "{}",
        text_of(&first)
    );
    let next = link(&first, "Next");
    let second = browser.get(&next).body;
    // Rows that are written meanwhile move nothing.
    browser.submit("/console/groups/7/roles/new", &[("name", "Delta")]);
    assert_eq!(browser.get(&next).body.matches("<time").count(), second.matches("<time").count());
    assert!(browser.get(&link(&second, "Previous")).body.contains("role.create"));
    let oldest = browser.get("/console/groups/7/access-log?sort=at").body;
    let row = oldest.find("group.create").unwrap();
    assert!(row < oldest.find("api-key.change").unwrap(), "the oldest stands first");
    let refused = browser.get("/console/groups/7/access-log?outcome=refused&search=zzz").body;
    assert!(refused.contains("No rows match Refused, “zzz”."), "{}", text_of(&refused));
}

#[test]
fn a_mistyped_setting_can_be_removed() {
    let server = Server::lab();
    let browser = claimed(&server);
    let privileges = "/console/groups/7/settings/privileges";
    browser.submit(privileges, &[("setting", "viewVideo"), ("new_setting", "veiwVideo")]);
    browser.submit("/console/groups/7/roles/new", &[("name", "Agents"), ("setting", "veiwVideo")]);
    let page = browser.get("/console/groups/7/settings").body;
    let remove = "/console/groups/7/settings/remove";
    assert!(page.contains(&format!("{remove}?name=veiwVideo")), "{page}");
    assert!(!page.contains(&format!("{remove}?name=viewVideo")), "what every group has stays");
    let ask = browser.get(&format!("{remove}?name=veiwVideo")).body;
    assert!(ask.contains("One role that has it on loses it."), "{}", text_of(&ask));
    let page = browser.submit(remove, &[("name", "veiwVideo")]).body;
    assert!(page.contains("The setting veiwVideo is removed."), "{}", text_of(&page));
    assert!(!page.contains("value=\"veiwVideo\""), "{page}");
    browser.refused(remove, &[("name", "veiwVideo")], 404, "no setting veiwVideo");
    browser.refused(remove, &[("name", "viewVideo")], 409, "Switch it off instead");
    // One that is added again under the same name begins anew.
    browser.submit(privileges, &[("setting", "viewVideo"), ("new_setting", "veiwVideo")]);
    let roles = browser.get("/console/groups/7/roles").body;
    assert!(!roles.contains("veiwVideo"), "{}", text_of(&roles));
}
