//! The second of two who save the same form sees what the first changed, and nothing of either is lost.

use crate::browser::{Browser, administrator, claimed, text_of};
use crate::common::{Answer, Server};

/// What the form with this address says that it was made from.
pub fn opened(page: &str, form: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("action=\"{form}")).unwrap_or_else(|| panic!("no {form}: {page}"));
    let rest = rest.split("</form>").next().unwrap();
    let value = rest.split_once("name=\"opened\" value=\"").unwrap_or_else(|| panic!("{rest}")).1;
    value.split('"').next().unwrap().replace("&amp;", "&")
}

/// Two who opened the same page: the first saves; the second is told, and saves knowingly. Gives back what the second
/// was told.
struct Two<'b, 's> {
    first: &'b Browser<'s>,
    second: &'b Browser<'s>,
    page: &'b str,
    form: &'b str,
}

impl Two<'_, '_> {
    fn told(&self, one: &[(&str, &str)], other: &[(&str, &str)]) -> Answer {
        let seen = [self.first, self.second].map(|browser| opened(&browser.get(self.page).body, self.form));
        let with = |seen: &str, fields: &[(&str, &str)], browser: &Browser<'_>| {
            browser.post(self.form, &[fields, &[("opened", seen)]].concat())
        };
        let saved = with(&seen[0], one, self.first);
        assert_eq!(saved.status, 303, "{}", text_of(&saved.body));
        let told = with(&seen[1], other, self.second);
        let text = text_of(&told.body);
        assert_eq!(told.status, 409, "{text}");
        assert!(text.contains("Somebody else saved this after you opened it"), "{text}");
        assert!(text.contains("It was saved by operator Ada, 20"), "by whom and when: {text}");
        told
    }

    /// Sends the form as it came back, with these fields.
    fn saved(&self, told: &Answer, fields: &[(&str, &str)]) -> String {
        let seen = opened(&told.body, self.form);
        self.second.submit(self.form, &[fields, &[("opened", &seen)]].concat()).body
    }
}

fn says(answer: &Answer, words: &[&str]) {
    let text = text_of(&answer.body);
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn of_a_users_details() {
    let server = Server::lab();
    let ada = claimed(&server);
    let ann = administrator(&ada);
    for role in ["Agents", "Bosses"] {
        ada.submit("/console/groups/7/roles/new", &[("name", role)]);
    }
    let list = ada.get("/console/groups/7/users").body;
    let id =
        list.split("/console/groups/7/users/").find_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
    let page = &format!("/console/groups/7/users/{}", id.unwrap());
    let roles = ada.get(page).body;
    let bosses = roles.split("<option value=\"").find(|o| o.contains(">Bosses<")).unwrap();
    let bosses = bosses.split('"').next().unwrap();
    let two = Two { first: &ada, second: &ann, page, form: page };
    let base = [("address", "ann.seven.glance.net"), ("puid", "ann"), ("email", ""), ("phone", "")];
    let one = [&base[..], &[("first_name", "Anna"), ("last_name", "Lee"), ("role", bosses)]].concat();
    let other = [&base[..], &[("first_name", "Anne"), ("last_name", ""), ("role", "")]].concat();
    let told = two.told(&one, &other);
    says(
        &told,
        &[
            "First name: changed from nothing to “Anna”. The form shows what you typed.",
            "Last name: changed from nothing to “Lee”. The form shows the new value.",
            "Role: changed from no role to Bosses. The form shows the new value.",
        ],
    );
    assert!(told.body.contains("name=\"first_name\" type=\"text\" value=\"Anne\""), "{}", told.body);
    assert!(told.body.contains("name=\"last_name\" type=\"text\" value=\"Lee\""), "{}", told.body);
    let last = [&base[..], &[("first_name", "Anne"), ("last_name", "Lee"), ("role", bosses)]].concat();
    assert!(two.saved(&told, &last).contains("Anne Lee"));
    // A form that does not say what it was made from is a program's, and saves as before.
    assert_eq!(ann.post(page, &[("first_name", "A")]).status, 303);
}

#[test]
fn of_what_another_group_decides_of_a_user_only_that_counts() {
    let server = Server::lab();
    let ada = claimed(&server);
    let ann = administrator(&ada);
    ada.submit("/console/groups/new", &[("id", "8"), ("name", "Eight")]);
    ada.submit("/console/groups/8/users/new", &[("address", "bob.eight"), ("puid", "bob")]);
    let member = [("member_address", "bob.eight"), ("member_puid", "bob")];
    let added = ada.submit("/console/groups/7/users/add", &member).body;
    let id =
        added.split("action=\"/console/groups/7/users/").nth(1).unwrap().split(['"', '/']).next().unwrap();
    let (here, home) = (format!("/console/groups/7/users/{id}"), format!("/console/groups/8/users/{id}"));
    let seen = opened(&ann.get(&here).body, &here);
    ada.submit(&home, &[("address", "bob.eight"), ("first_name", "Bob")]);
    assert_eq!(ann.post(&here, &[("puid", "bob 2"), ("opened", &seen)]).status, 303);
    assert_eq!(ann.post(&here, &[("puid", "bob 3"), ("opened", &seen)]).status, 409);
}

#[test]
fn of_a_role() {
    let server = Server::lab();
    let ada = claimed(&server);
    let ann = administrator(&ada);
    ada.submit("/console/groups/7/roles/new", &[("name", "Agents"), ("setting", "viewVideo")]);
    let list = ada.get("/console/groups/7/roles").body;
    let id =
        list.split("/console/groups/7/roles/").find_map(|rest| rest.split('"').next()?.parse::<i64>().ok());
    let page = &format!("/console/groups/7/roles/{}", id.unwrap());
    let two = Two { first: &ada, second: &ann, page, form: page };
    let one = [("name", "Helpers"), ("description", "Help"), ("setting", "remoteAssist")];
    let other = [("name", "Agents"), ("description", "Agents do"), ("setting", "viewVideo")];
    let told = two.told(&one, &other);
    says(
        &told,
        &[
            "Name: changed from “Agents” to “Helpers”. The form shows the new value",
            "Description: changed from nothing to “Help”. The form shows what you typed",
            "remoteAssist: changed from off to on. The form shows the new value",
            "viewVideo: changed from on to off. The form shows the new value",
        ],
    );
    let last = [("name", "Helpers"), ("description", "Agents do"), ("setting", "remoteAssist")];
    assert!(two.saved(&told, &last).contains("The role Helpers is saved."));
}

#[test]
fn of_a_groups_settings_and_name() {
    let server = Server::lab();
    let ada = claimed(&server);
    let ann = administrator(&ada);
    let page = "/console/groups/7/settings";
    let two = Two { first: &ada, second: &ann, page, form: "/console/groups/7/settings/privileges" };
    let one = [("setting", "viewVideo"), ("new_setting", "newThing")];
    let other = [
        ("setting", "viewVideo"),
        ("setting", "remoteAssist"),
        ("setting", "agentVideo"),
        ("new_setting", "mine"),
    ];
    let told = two.told(&one, &other);
    says(
        &told,
        &[
            "remoteAssist: changed from on to off. The form shows the new value",
            "newThing: changed from off to on. The form shows the new value",
        ],
    );
    assert!(
        told.body.contains("value=\"newThing\" checked"),
        "what came meanwhile is not switched off unseen"
    );
    assert!(told.body.contains("value=\"agentVideo\" checked") && told.body.contains("value=\"mine\""));
    let last = [("setting", "viewVideo"), ("setting", "newThing"), ("setting", "agentVideo")];
    assert!(two.saved(&told, &last).contains("The settings are saved."));

    let grace = Browser::new(&server);
    let fields = [("name", "Grace"), ("password", "correct horse"), ("again", "correct horse")];
    ada.submit("/console/operators", &fields);
    grace.sign_in("Grace", "correct horse");
    let two = Two { first: &ada, second: &grace, page, form: "/console/groups/7/settings/group" };
    let told =
        two.told(&[("name", "Seventh"), ("account_id", "")], &[("name", "Seven"), ("account_id", "00D")]);
    says(&told, &["Name: changed from “Seven” to “Seventh”. The form shows the new value"]);
    let saved = two.saved(&told, &[("name", "Seventh"), ("account_id", "00D")]);
    assert!(saved.contains("Seventh") && saved.contains("00D"));
}

#[test]
fn of_password_rules_and_allowed_sites() {
    let server = Server::lab();
    let ada = claimed(&server);
    let ann = administrator(&ada);
    let page = "/console/groups/7/settings";
    let two = Two { first: &ada, second: &ann, page, form: "/console/groups/7/settings/security" };
    let one = [("rule", "nine"), ("reset_message", "One."), ("scim_sets_administrators", "yes")];
    let other = [("rule", "eight"), ("reset_message", "Other."), ("reset_may_create", "yes")];
    let told = two.told(&one, &other);
    says(
        &told,
        &[
            "Minimum password complexity: changed from 8 characters to 9 characters. The form shows the new value",
            "Password reset prompt message: changed from nothing to “One.”. The form shows what you typed",
            "SCIM tokens may set administrators' passwords: changed from off to on. The form shows the new value",
        ],
    );
    assert!(told.body.contains("href=\"#f-rule-nine\"") && told.body.contains("id=\"f-rule-nine\""));
    for ticked in
        ["value=\"nine\" checked", "name=\"reset_may_create\" value=\"yes\" checked", "Other.</textarea>"]
    {
        assert!(told.body.contains(ticked), "{ticked}: {}", told.body);
    }
    assert!(two.saved(&told, &[&other[..], &[("rule", "nine")]].concat()).contains("rules are saved."));

    let two = Two { first: &ada, second: &ann, page, form: "/console/groups/7/settings/sites" };
    let told = two.told(&[("allowed_sites", "https://a.example")], &[("allowed_sites", "https://b.example")]);
    says(&told, &["Sites: changed from nothing to “https://a.example”. The form shows what you typed"]);
    assert!(two.saved(&told, &[("allowed_sites", "https://b.example")]).contains("https://b.example."));
}
