//! A browser without scripts: cookies, forms with their token, one redirect after a form.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::common::{Answer, Server};

pub const PASSWORD: &str = "correct horse";
pub const KEY: &str = "mySecretApiKey";

/// A browser: keeps cookies, finds the token of a page's forms, follows one redirect after a form.
pub struct Browser<'s> {
    pub server: &'s Server,
    pub cookies: RefCell<BTreeMap<String, String>>,
    pub token: RefCell<String>,
}

impl<'s> Browser<'s> {
    pub fn new(server: &'s Server) -> Browser<'s> {
        Browser { server, cookies: RefCell::default(), token: RefCell::default() }
    }

    pub fn send(&self, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let cookies: Vec<String> = self.cookies.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = more.to_vec();
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let answer = self.server.send(method, path, &headers, body);
        for (name, line) in &answer.headers {
            if name.eq_ignore_ascii_case("set-cookie") {
                let (key, value) = line.split(';').next().unwrap().split_once('=').unwrap();
                match line.contains("Max-Age=0") {
                    true => self.cookies.borrow_mut().remove(key),
                    false => self.cookies.borrow_mut().insert(key.to_owned(), value.to_owned()),
                };
            }
        }
        if let Some((_, after)) = answer.body.split_once("name=\"form_token\" value=\"") {
            *self.token.borrow_mut() = after.split('"').next().unwrap().to_owned();
        }
        answer
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Sends a form with the token of the page that was seen last.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token.borrow().clone();
        self.post_with(path, fields, &token, &[("Sec-Fetch-Site", "same-origin")])
    }

    pub fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        token: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("form_token", token);
        let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
        headers.extend(more);
        self.send("POST", path, &headers, form.finish().as_bytes())
    }

    /// Sends a form that must be accepted, and gives the page after it.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, 303, "{path}: {}", text_of(&answer.body));
        let location = answer.header("location").unwrap().to_owned();
        let mut page = self.get(&location);
        if page.status == 303 {
            page = self.get(page.header("location").unwrap());
        }
        assert_eq!(page.status, 200, "{location}");
        page
    }

    /// Sends a form that must be refused with this status, saying this.
    pub fn refused(&self, path: &str, fields: &[(&str, &str)], status: u16, sentence: &str) {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, status, "{path}: {}", text_of(&answer.body));
        assert!(answer.body.contains(sentence), "{path}: {}", text_of(&answer.body));
    }

    /// Sends a form with a file, as a browser does.
    pub fn upload(&self, path: &str, role: &str, file: &str) -> Answer {
        let token = self.token.borrow().clone();
        let field = |name: &str, value: &str| {
            format!("--xYz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = format!(
            "{}{}--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{file}\r\n--xYz--\r\n",
            field("form_token", &token),
            field("role", role),
        );
        let headers =
            [("Content-Type", "multipart/form-data; boundary=xYz"), ("Sec-Fetch-Site", "same-origin")];
        self.send("POST", path, &headers, body.as_bytes())
    }

    pub fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.get("/console/sign-in");
        self.submit("/console/sign-in", &[("name", name), ("password", password)])
    }
}

pub fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            letter if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

/// A lab whose first operator, Ada, has claimed it and made group 7 with an API key.
pub fn claimed(server: &Server) -> Browser<'_> {
    claimed_with(server, &server.claim_path())
}

pub fn claimed_with<'s>(server: &'s Server, path: &str) -> Browser<'s> {
    let browser = Browser::new(server);
    let token = path.split_once('=').unwrap().1.to_owned();
    assert_eq!(browser.get(path).status, 200);
    let fields = [("token", token.as_str()), ("name", "Ada"), ("password", PASSWORD), ("again", PASSWORD)];
    let page = browser.submit("/console/claim", &fields);
    assert!(page.body.contains("You are now the operator of this appliance."));
    browser.submit("/console/groups/new", &[("id", "7"), ("name", "Seven")]);
    browser.submit("/console/groups/7/api-key/change", &[("api_key", KEY), ("how", "typed")]);
    browser
}

/// Makes an administrator of group 7, and signs them in.
pub fn administrator<'s>(operator: &Browser<'s>) -> Browser<'s> {
    let fields = [
        ("address", "ann.seven.glance.net"),
        ("puid", "ann"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("administrator", "yes"),
    ];
    operator.submit("/console/groups/7/users/new", &fields);
    let browser = Browser::new(operator.server);
    browser.sign_in("ann.seven.glance.net", PASSWORD);
    browser
}
