//! Each rule of the wire contract §4 by its name, through the router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Read;

use tiny_http::{Header, Method};

use crate::desk::Desk;
use crate::desk::fixture::{EIGHT, SEVEN, fixture, puid, user};
use crate::desk::people::roles::NewRole;
use crate::desk::people::users::{NewUser, RoleChoice, UserChange, UserKey};
use crate::gate::{Answer, Handler, Request};
use crate::http::router::App;
use crate::model::{Caller, Member};
use crate::protocol::login_key::{SigningKey, make};
use crate::secret::Secret;

const PASSWORD: &str = "partner password";
const API_KEY: &str = "mySecretApiKey";

pub(super) struct Papi {
    app: App,
    _directory: tempfile::TempDir,
}

/// Group 7 with administrator `admin.seven`, a password, an API key, and the roles Sales and Support.
pub(super) fn papi() -> Papi {
    let f = fixture();
    let password = UserChange { password: Some(Secret::new(PASSWORD)), ..UserChange::default() };
    f.desk.people.update_user(&f.admin, SEVEN, &puid("admin.seven"), password).unwrap();
    f.desk.sign_in.change_api_key(&f.admin, SEVEN, Some(Secret::new(API_KEY))).unwrap();
    for name in ["Sales", "Support"] {
        f.desk
            .people
            .create_role(&f.admin, SEVEN, NewRole { name: name.into(), ..NewRole::default() })
            .unwrap();
    }
    let app = App::new(f.desk, None, super::super::TABLES);
    Papi { app, _directory: f.directory }
}

impl Papi {
    pub(super) fn desk(&self) -> &Desk {
        &self.app.desk
    }

    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: &str,
        headers: &[&str],
    ) -> (u16, String) {
        let request = Request {
            method,
            path: path.into(),
            query: query.into(),
            headers: headers.iter().map(|h| h.parse::<Header>().unwrap()).collect(),
            body: body.into(),
            peer: [127, 0, 0, 1].into(),
            secure: true,
            host: "localhost".into(),
        };
        let response = self.app.handle(&request);
        let Answer::Now(response) = response else { panic!("the answer comes later") };
        let status = response.status_code().0;
        let location = response.headers().iter().find(|h| h.field.equiv("Location"));
        let location = location.map(|h| format!("Location: {}\n", h.value)).unwrap_or_default();
        let mut text = String::new();
        response.into_reader().read_to_string(&mut text).unwrap();
        (status, location + &text)
    }

    /// Posts as the partner, by login key; checks that the answer is well-formed XML with HTTP 200.
    fn post(&self, page: &str, fields: &str) -> String {
        let body = format!("PartnerLogin=admin.seven&PartnerAuth={}&{fields}", self.login_key("admin.seven"));
        let (status, text) = self.request(Method::Post, &format!("/PAPI/{page}.asp"), "", &body, &[]);
        assert_eq!(status, 200, "{text}");
        assert!(text.starts_with("<?xml version=\"1.0\" standalone=\"yes\"?>\n"), "{text}");
        roxmltree::Document::parse(&text).unwrap();
        text
    }

    pub(super) fn login_key(&self, puid: &str) -> String {
        let expiry = self.desk().clock().now().seconds() + 600;
        make(&SigningKey::new(API_KEY.as_bytes()), SEVEN, puid, expiry).unwrap()
    }

    fn check(&self, page: &str, fields: &str, expected: &str) {
        let text = self.post(page, fields);
        assert_eq!(outcome(&text), expected, "{page} {fields}\n{text}");
    }

    fn member(&self, key: &UserKey) -> Member {
        self.desk().people.member(&Caller::host(), SEVEN, key).unwrap()
    }

    pub(super) fn make_users(&self, count: usize) {
        for number in 0..count {
            let role = ["", "Sales", "Support"][number % 3];
            let fields =
                format!("PartnerUserID=P{number}&UserAddress=u{number}.east.example&UserRole={role}");
            self.check("NewUser", &fields, "ok");
        }
    }
}

/// `ok`, or the code and the parameter of a failure.
pub(super) fn outcome(text: &str) -> String {
    let document = roxmltree::Document::parse(text).unwrap();
    let one = |name: &str| {
        document.descendants().find(|n| n.has_tag_name(name)).and_then(|n| n.text()).unwrap_or_default()
    };
    match one("status") {
        "ok" => "ok".into(),
        _ => format!("{} {}", one("code"), one("parameter")).trim_end().to_owned(),
    }
}

fn all(text: &str, name: &str) -> String {
    let document = roxmltree::Document::parse(text).unwrap();
    let found = document.descendants().filter(|n| n.has_tag_name(name));
    found.map(|n| n.text().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_partner_signs_in_by_password_or_login_key_and_both_must_be_valid() {
    let p = papi();
    let check = |credentials: &str, expected: &str| {
        let body = format!("{credentials}&PageCount=1");
        let (status, text) = p.request(Method::Post, "/PAPI/ShowUsers.asp", "", &body, &[]);
        assert_eq!((status, outcome(&text).as_str()), (200, expected), "{credentials}");
    };
    let key = p.login_key("admin.seven");
    let wrong = p.login_key("somebody");
    check(&format!("PartnerLogin=admin.seven&PartnerAuth={key}"), "ok");
    check("PartnerLogin=ADMIN.seven&PartnerPW=partner+password", "ok");
    check(&format!("PartnerLogin=admin.seven&PartnerPW=partner+password&PartnerAuth={key}"), "ok");
    check(&format!("PartnerLogin=admin.seven&PartnerID=7&PartnerAuth={key}"), "ok");
    check(&format!("PartnerLogin=admin.seven&PartnerPW=wrong+password&PartnerAuth={key}"), "sign_in_refused");
    check(
        &format!("PartnerLogin=admin.seven&PartnerPW=partner+password&PartnerAuth={wrong}"),
        "sign_in_refused",
    );
    check(&format!("PartnerLogin=nobody.seven&PartnerAuth={key}"), "sign_in_refused");
    check("PartnerLogin=admin.seven", "partner_credential_required PartnerPW");
    check("PartnerPW=partner+password", "partner_login_required PartnerLogin");
    check(
        "PartnerLogin=admin.seven&PartnerPW=partner+password&PartnerID=x",
        "partner_id_malformed PartnerID",
    );
}

#[test]
fn a_partner_is_an_active_administrator() {
    let p = papi();
    p.check("NewUser", "PartnerUserID=E1&UserAddress=plain.seven", "ok");
    let as_user = |address: &str, puid: &str| {
        let body = format!("PartnerLogin={address}&PartnerAuth={}&PageCount=1", p.login_key(puid));
        outcome(&p.request(Method::Post, "/PAPI/ShowUsers.asp", "", &body, &[]).1)
    };
    assert_eq!(as_user("plain.seven", "E1"), "administrators_only");
    assert_eq!(as_user("admin.seven", "admin.seven"), "ok");
    let suspended = UserChange { suspended: Some(true), ..UserChange::default() };
    p.desk().people.update_user(&Caller::host(), SEVEN, &puid("admin.seven"), suspended).unwrap();
    assert_ne!(as_user("admin.seven", "admin.seven"), "ok");
}

#[test]
fn paths_and_parameter_names_are_read_in_any_case() {
    let p = papi();
    let body = format!(
        "PARTNERLOGIN=admin.seven&partnerauth={}&partnerUSERid=E1&USERADDRESS=ann.seven",
        p.login_key("admin.seven")
    );
    let (_, text) = p.request(Method::Post, "/papi/NEWUSER.ASP", "", &body, &[]);
    assert_eq!(outcome(&text), "ok");
}

#[test]
fn get_works_and_leaves_a_warning_and_no_secret() {
    let p = papi();
    let query = "PartnerLogin=admin.seven&PartnerPW=partner+password&PartnerUserID=E1&UserAddress=ann.seven\
                 &UserPW=users+password";
    let (status, text) = p.request(Method::Get, "/PAPI/NewUser.asp", query, "", &[]);
    assert_eq!((status, outcome(&text).as_str()), (200, "ok"));
    let rows = p.desk().log_rows_for_test();
    assert!(rows.iter().any(|row| row.contains("papi.get-warning")), "{rows:?}");
    assert!(!rows.iter().any(|row| row.contains("password") && row.contains("users")), "{rows:?}");
    assert!(!rows.iter().any(|row| row.contains("partner+password") || row.contains(PASSWORD)), "{rows:?}");
}

#[test]
fn new_user_requires_partner_user_id_and_user_address() {
    let p = papi();
    p.check("NewUser", "UserAddress=ann.seven", "puid_required PartnerUserID");
    p.check("NewUser", "PartnerUserID=&UserAddress=ann.seven", "puid_required PartnerUserID");
    p.check("NewUser", "PartnerUserID=E1", "address_required UserAddress");
    p.check("NewUser", "PartnerUserID=E1&UserAddress=ann.seven", "ok");
}

#[test]
fn new_user_keeps_the_length_of_each_parameter() {
    let p = papi();
    let fields = |name: &str, length: usize| {
        let mut fields = format!("{name}={}", "a".repeat(length));
        for (other, value) in
            [("PartnerUserID", format!("{name}{length}")), ("UserAddress", format!("{name}{length}.x"))]
        {
            if other != name {
                fields.push_str(&format!("&{other}={value}"));
            }
        }
        fields
    };
    for (name, most, code) in [
        ("PartnerUserID", 255, "puid_too_long"),
        ("UserAddress", 127, "address_too_long"),
        ("UserPW", 49, "password_too_long"),
        ("UserFirst", 49, "first_name_too_long"),
        ("UserLast", 49, "last_name_too_long"),
        ("UserEmail", 127, "email_too_long"),
    ] {
        p.check("NewUser", &fields(name, most + 1), &format!("{code} {name}"));
        p.check("NewUser", &fields(name, most), "ok");
    }
    p.check("NewUser", &fields("UserRole", 71), "role_too_long UserRole");
    p.check("NewUser", &fields("UserRole", 70), "role_unknown UserRole");
    p.check("NewUser", &fields("UserPW", 7), "password_too_short UserPW");
}

#[test]
fn new_user_keeps_the_alphabet_of_the_glance_address() {
    let p = papi();
    for bad in ["a_b.x", ".a.x", "a.x.", "-a.x", "a.x-", "a%40b.x", "a b.x", "m%C3%BCller.x"] {
        p.check("NewUser", &format!("PartnerUserID=E1&UserAddress={bad}"), "address_malformed UserAddress");
    }
    p.check("NewUser", "PartnerUserID=E1&UserAddress=xyz.partner.com", "ok");
}

#[test]
fn a_role_must_exist_and_omitted_blank_or_none_means_no_role() {
    let p = papi();
    p.check("NewUser", "PartnerUserID=E0&UserAddress=e0.x&UserRole=Sales", "ok");
    assert_eq!(p.member(&puid("E0")).role_name.as_deref(), Some("Sales"));
    for (number, role) in ["", "&UserRole=", "&UserRole=-none-", "&UserRole=-NONE-"].iter().enumerate() {
        let number = number + 1;
        p.check("NewUser", &format!("PartnerUserID=E{number}&UserAddress=e{number}.x{role}"), "ok");
        assert_eq!(p.member(&puid(&format!("E{number}"))).role_name, None);
    }
    p.check("NewUser", "PartnerUserID=E9&UserAddress=e9.x&UserRole=Nobody", "role_unknown UserRole");
}

#[test]
fn duplicates_are_refused_and_the_same_call_twice_is_safe() {
    let p = papi();
    let call = "PartnerUserID=E1&UserAddress=ann.x&UserFirst=Ann";
    p.check("NewUser", call, "ok");
    let before = p.member(&puid("E1"));
    p.check("NewUser", call, "puid_taken PartnerUserID");
    p.check("NewUser", "PartnerUserID=E2&UserAddress=ANN.x", "address_taken UserAddress");
    assert_eq!(p.member(&puid("E1")), before);
    let update = "PartnerUserID=E1&UserLast=Lee";
    p.check("UpdateUser", update, "ok");
    p.check("UpdateUser", update, "ok");
    p.check("DeleteUser", "PartnerUserID=E1", "ok");
    p.check("DeleteUser", "PartnerUserID=E1", "user_unknown PartnerUserID");
}

#[test]
fn audio_provider_is_one_or_666_and_is_answered() {
    let p = papi();
    for bad in ["2", "x", "1.0", "-1"] {
        let fields = format!("PartnerUserID=E1&UserAddress=ann.x&AudioProvider={bad}");
        p.check("NewUser", &fields, "audio_provider_unknown AudioProvider");
    }
    let text = p.post("NewUser", "PartnerUserID=E1&UserAddress=ann.x&AudioProvider=666");
    assert_eq!(all(&text, "audioprovider"), "666");
    let text = p.post("NewUser", "PartnerUserID=E2&UserAddress=bob.x");
    assert!(!text.contains("<audio>"));
}

#[test]
fn okurl_sends_the_browser_back_to_its_own_site_only_and_only_on_success() {
    let p = papi();
    let send = |fields: &str, headers: &[&str]| {
        let auth = p.login_key("admin.seven");
        let body = format!("PartnerLogin=admin.seven&PartnerAuth={auth}&{fields}");
        p.request(Method::Post, "/PAPI/NewUser.asp", "", &body, headers)
    };
    let own = ["Origin: https://crm.example.com"];
    let url = "OKURL=https%3A%2F%2Fcrm.example.com%2Fdone";
    let (status, text) = send(&format!("PartnerUserID=E1&UserAddress=e1.x&{url}"), &own);
    assert_eq!((status, text.starts_with("Location: https://crm.example.com/done")), (303, true), "{text}");
    let (status, text) = send(&format!("PartnerUserID=E1&UserAddress=e1.x&{url}"), &own);
    assert_eq!((status, outcome(&text).as_str()), (200, "puid_taken PartnerUserID"));
    let (status, _) =
        send(&format!("PartnerUserID=E2&UserAddress=e2.x&{url}"), &["Origin: https://evil.example"]);
    assert_eq!(status, 200, "not an open redirect");
    let (_, text) = send("PartnerUserID=E3&UserAddress=e3.x&OKURL=javascript:alert(1)", &own);
    assert_eq!(outcome(&text), "okurl_malformed OKURL");
}

#[test]
fn update_user_changes_what_was_sent_and_leaves_the_rest() {
    let p = papi();
    p.check(
        "NewUser",
        "PartnerUserID=E1&UserAddress=ann.x&UserFirst=Ann&UserLast=Lee&UserEmail=a@b&UserRole=Sales",
        "ok",
    );
    p.check("UpdateUser", "PartnerUserID=E1&UserLast=Ray", "ok");
    let ann = p.member(&puid("E1"));
    assert_eq!((ann.user.person.first_name.as_str(), ann.user.person.last_name.as_str()), ("Ann", "Ray"));
    assert_eq!((ann.user.person.email.as_str(), ann.role_name.as_deref()), ("a@b", Some("Sales")));
    p.check("UpdateUser", "PartnerUserID=E1&UserAddress=ann.ray.x", "ok");
    assert_eq!(p.member(&puid("E1")).user.address.as_str(), "ann.ray.x");
    p.check("UpdateUser", "PartnerUserID=E1&UserRole=-none-&UserEmail=", "ok");
    let ann = p.member(&puid("E1"));
    assert_eq!((ann.role_name, ann.user.person.email.as_str()), (None, ""));
    p.check("UpdateUser", "PartnerUserID=E1&UserAddress=&UserPW=", "ok");
    assert_eq!(p.member(&puid("E1")).user.address.as_str(), "ann.ray.x", "a blank takes no address away");
    p.check("UpdateUser", "PartnerUserID=E9", "user_unknown PartnerUserID");
    p.check("UpdateUser", "UserLast=Ray", "puid_required PartnerUserID");
    p.check("UpdateUser", "PartnerUserID=E1&UserAddress=admin.seven", "address_taken UserAddress");
}

#[test]
fn user_suspended_and_user_active_read_their_words_and_suspended_wins() {
    let p = papi();
    p.check("NewUser", "PartnerUserID=E1&UserAddress=ann.x", "ok");
    let check = |fields: &str, suspended: bool, active: bool| {
        p.check("UpdateUser", &format!("PartnerUserID=E1&{fields}"), "ok");
        let m = p.member(&puid("E1")).membership;
        assert_eq!((m.suspended, m.active), (suspended, active), "{fields}");
    };
    check("UserSuspended=1", true, true);
    check("UserFirst=Ann", true, true);
    check("UserSuspended=no", false, true);
    check("UserSuspended=TRUE", true, true);
    check("UserSuspended=0", false, true);
    check("UserSuspended=Yes", true, true);
    check("UserSuspended=false", false, true);
    check("UserActive=0", false, false);
    check("UserActive=yes", false, true);
    check("UserSuspended=1&UserActive=1", true, true);
    check("UserActive=0&UserSuspended=0", false, true);
    for bad in ["2", "on", "y"] {
        p.check(
            "UpdateUser",
            &format!("PartnerUserID=E1&UserSuspended={bad}"),
            "flag_malformed UserSuspended",
        );
        p.check("UpdateUser", &format!("PartnerUserID=E1&UserActive={bad}"), "flag_malformed UserActive");
    }
}

#[test]
fn whoever_lifts_one_of_the_two_states_is_warned_when_the_other_still_keeps_the_user_out() {
    let p = papi();
    p.check("NewUser", "PartnerUserID=E1&UserAddress=ann.x", "ok");
    let warning = |fields: &str| {
        let text = p.post("UpdateUser", &format!("PartnerUserID=E1&{fields}"));
        assert!(text.contains("<status>ok</status>"), "{text}");
        all(&text, "warning")
    };
    assert_eq!(warning("UserActive=0"), "");
    assert!(warning("UserSuspended=0").contains("Send UserActive=1"));
    assert_eq!(warning("UserSuspended=1"), "");
    assert_eq!(warning("UserFirst=Ann"), "");
    assert!(warning("UserActive=1").contains("Send UserSuspended=0"));
    assert_eq!(warning("UserSuspended=0"), "");
}

#[test]
fn whoever_may_not_list_leaves_a_row_when_they_try() {
    let p = papi();
    let password = Some(Secret::new(PASSWORD));
    let new = NewUser { password, ..user("bob.x", "bob") };
    p.desk().people.create_user(&Caller::host(), SEVEN, new).unwrap();
    for (page, operation) in [("ShowUsers", "user.list"), ("ShowRoles", "role.list")] {
        let body = "PartnerLogin=bob.x&PartnerPW=partner+password&PageCount=9";
        let (_, text) = p.request(Method::Post, &format!("/PAPI/{page}.asp"), "", body, &[]);
        assert_eq!(all(&text, "code"), "administrators_only");
        let row = p.desk().log_rows_for_test().remove(0);
        assert!(row.starts_with(&format!("bob.x {operation} 7 Only an administrator")), "{row}");
    }
}

#[test]
fn after_delete_user_the_same_names_make_a_new_user() {
    let p = papi();
    let call = "PartnerUserID=E1&UserAddress=ann.x";
    let first = all(&p.post("NewUser", call), "userid");
    p.check("DeleteUser", "PartnerUserID=E1", "ok");
    let second = all(&p.post("NewUser", call), "userid");
    assert_ne!(first, second);
    p.check("DeleteUser", "", "puid_required PartnerUserID");
}

#[test]
fn show_users_requires_page_count_from_1_to_1000() {
    let p = papi();
    p.check("ShowUsers", "", "page_count_required PageCount");
    for bad in ["0", "1001", "-1", "%2B5", "x", "1.5", "99999999999999999999"] {
        p.check("ShowUsers", &format!("PageCount={bad}"), "page_count_out_of_range PageCount");
    }
    p.check("ShowUsers", "PageCount=1", "ok");
    p.check("ShowUsers", "PageCount=1000", "ok");
    p.check(
        "ShowUsers",
        &format!("PageCount=1&PartnerUserID={}", "a".repeat(256)),
        "puid_too_long PartnerUserID",
    );
    p.check(
        "ShowUsers",
        &format!("PageCount=1&UserAddress={}", "a".repeat(128)),
        "address_too_long UserAddress",
    );
    p.check("ShowUsers", &format!("PageCount=1&UserRole={}", "a".repeat(256)), "role_too_long UserRole");
}

#[test]
fn show_users_finds_by_wildcards_none_and_all_criteria_together() {
    let p = papi();
    p.check("NewUser", "PartnerUserID=SalesA34&UserAddress=ann.ri.example.glance.net&UserRole=Sales", "ok");
    p.check("NewUser", "PartnerUserID=salesB&UserAddress=bob.ri.example.glance.net", "ok");
    p.check("NewUser", "PartnerUserID=X34&UserAddress=cyd.ma.example.glance.net&UserRole=Sales", "ok");
    let no_puid = UserChange { puid: Some(None), ..UserChange::default() };
    p.desk().people.update_user(&Caller::host(), SEVEN, &puid("admin.seven"), no_puid).unwrap();
    // The partner has no PUID any more: from here on by password.
    let check = |fields: &str, expected: &str| {
        let body = format!("PartnerLogin=admin.seven&PartnerPW=partner+password&PageCount=9&{fields}");
        let (_, text) = p.request(Method::Post, "/PAPI/ShowUsers.asp", "", &body, &[]);
        let found = all(&text, "useraddress");
        let found: Vec<&str> = found.split(' ').map(|a| a.split('.').next().unwrap()).collect();
        assert_eq!(found.join(" "), expected, "{fields}");
    };
    check("", "admin ann bob cyd");
    check("PartnerUserID=", "admin ann bob cyd");
    check("PartnerUserID=Sales*", "ann bob");
    check("PartnerUserID=*34", "ann cyd");
    check("PartnerUserID=*a*", "ann bob");
    check("PartnerUserID=Sa*34", "");
    check("PartnerUserID=X34", "cyd");
    // A whole PUID is compared as DeleteUser compares it, part of one as people search.
    check("PartnerUserID=x34", "");
    check("PartnerUserID=SALES*", "ann bob");
    check("PartnerUserID=-none-", "admin");
    check("UserAddress=*.ri.example.glance.net", "ann bob");
    check("UserAddress=BOB.ri.example.glance.net", "bob");
    check("UserRole=sales", "ann cyd");
    check("UserRole=-none-", "admin bob");
    check("UserRole=Nobody", "");
    check("UserRole=Sales&UserAddress=*.ri.example.glance.net", "ann");
    check("UserRole=Sales&PartnerUserID=salesB", "");
    check("PartnerUserID=100%25", "");
    let field = NewRole { name: "Außendienst Öst".into(), ..NewRole::default() };
    p.desk().people.create_role(&Caller::host(), SEVEN, field).unwrap();
    let change = UserChange { role: Some(RoleChoice::of_wire("Außendienst Öst")), ..UserChange::default() };
    p.desk().people.update_user(&Caller::host(), SEVEN, &puid("salesB"), change).unwrap();
    check("UserRole=AUSSENDIENST ÖST", "bob");
    check("UserRole=aussen*", "bob");
    check("UserRole=*öst", "bob");
    check("UserRole=*ost", "");
}

#[test]
fn show_users_pages_by_an_opaque_page_start_of_at_most_15_characters() {
    let p = papi();
    p.make_users(7);
    let (mut start, mut seen, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let text = p.post("ShowUsers", &format!("PageCount=3&PageStart={start}"));
        seen.push(all(&text, "partneruserid"));
        start = all(&text, "pagestart");
        pages += 1;
        assert!(start.len() <= 15);
        if start.is_empty() {
            break;
        }
    }
    assert_eq!((pages, seen.join(" ").as_str()), (3, "admin.seven P0 P1 P2 P3 P4 P5 P6"));
    p.check("ShowUsers", "PageCount=3&PageStart=nonsense", "page_start_unknown PageStart");
    p.check("ShowUsers", "PageCount=3&PageStart=0123456789abcdef", "page_start_too_long PageStart");
}

#[test]
fn show_roles_counts_only_roles_that_have_users() {
    let p = papi();
    p.check("NewUser", "PartnerUserID=E1&UserAddress=ann.x&UserRole=Sales", "ok");
    p.check("NewUser", "PartnerUserID=E2&UserAddress=bob.x&UserRole=Sales", "ok");
    p.check("UpdateUser", "PartnerUserID=E2&UserActive=0", "ok");
    let text = p.post("ShowRoles", "");
    assert_eq!(all(&text, "name"), "Sales -none-");
    assert_eq!(all(&text, "activeusers"), "1 1");
    assert_eq!(all(&text, "inactiveusers"), "1 0");
    let document = roxmltree::Document::parse(&text).unwrap();
    let role = document.descendants().find(|n| n.has_tag_name("role")).unwrap();
    let children: Vec<&str> =
        role.children().filter(|n| n.is_element()).map(|n| n.tag_name().name()).collect();
    assert_eq!(children, ["name", "activeusers", "inactiveusers", "users"]);
}

#[test]
fn a_user_of_several_groups_names_one_with_partner_id() {
    let p = papi();
    p.desk()
        .people
        .add_member(&Caller::host(), EIGHT, "admin.seven", Some("x"), RoleChoice::None, true)
        .unwrap();
    let check = |fields: &str, expected: &str| {
        let body = format!("PartnerLogin=admin.seven&PartnerPW=partner+password&PageCount=1&{fields}");
        let (_, text) = p.request(Method::Post, "/PAPI/ShowUsers.asp", "", &body, &[]);
        assert!(outcome(&text).starts_with(expected), "{fields} {text}");
    };
    check("", "group_required");
    check("PartnerID=7", "ok");
    check("PartnerID=8", "ok");
}

#[test]
fn names_beyond_ascii_are_kept_and_other_encodings_refused() {
    let p = papi();
    let text = p.post("NewUser", "PartnerUserID=E%261%3C&UserAddress=ann.x&UserFirst=J%C3%BCrgen+%3C%26%3E");
    assert_eq!(
        (all(&text, "userfirst").as_str(), all(&text, "partneruserid").as_str()),
        ("Jürgen <&>", "E&1<")
    );
    p.check("NewUser", "PartnerUserID=E2&UserAddress=bob.x&UserFirst=J%FCrgen", "not_utf8 UserFirst");
    p.check("NewUser", "PartnerUserID=E2%00&UserAddress=bob.x", "puid_malformed PartnerUserID");
}
