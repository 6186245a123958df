//! Generated requests: whatever comes, the answer is a clear document, never a failure of ours, and what
//! was refused has changed nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::model::queries::MemberQuery;
use tiny_http::Method;

use super::tests::{Papi, outcome, papi};
use crate::desk::fixture::SEVEN;
use crate::model::{Caller, Member};

/// Requests of one run; SIDELIGHT_GENERATED asks for more.
const REQUESTS: usize = 600;

/// A small generator of numbers, the same in each run (xorshift, Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn value(&mut self) -> String {
        const ODD: &[&str] = &[
            "",
            "%",
            "%zz",
            "%00",
            "%FF",
            "+",
            "*",
            "**",
            "-none-",
            "E1",
            "ann.x",
            "'",
            "\"",
            "<a>",
            "&amp;",
            "%26",
            "%0d%0a",
            "\u{202e}",
            "%EF%BF%BF",
            "9999999999999999999",
            "-1",
            "1e9",
            "true",
            "%F0%9F%98%80",
            "$1$1$x",
            "../..",
            "=1+1",
            "Sales",
        ];
        match self.below(6) {
            0 => self.pick(ODD).repeat(self.below(400)),
            1 => (0..self.below(40))
                .map(|_| char::from(b' ' + u8::try_from(self.below(95)).unwrap()))
                .collect(),
            _ => (0..=self.below(3)).map(|_| self.pick(ODD)).collect(),
        }
    }
}

fn members(p: &Papi) -> Vec<Member> {
    let query = MemberQuery { limit: 10_000, ..MemberQuery::default() };
    p.desk().people.members(&Caller::host(), SEVEN, &query).unwrap().members
}

#[test]
fn generated_requests_are_answered_clearly_and_refusals_change_nothing() {
    const NAMES: &[&str] = &[
        "PartnerUserID",
        "UserAddress",
        "UserPW",
        "UserFirst",
        "UserLast",
        "UserEmail",
        "UserRole",
        "UserSuspended",
        "UserActive",
        "AudioProvider",
        "OKURL",
        "PageCount",
        "PageStart",
        "PartnerID",
        "partnerauth",
        "x",
        "",
    ];
    const PAGES: &[&str] = &["NewUser", "UpdateUser", "DeleteUser", "ShowUsers", "ShowRoles"];
    let p = papi();
    p.make_users(3);
    let requests = std::env::var("SIDELIGHT_GENERATED").ok().and_then(|n| n.parse().ok()).unwrap_or(REQUESTS);
    let mut numbers = Numbers(0x5eed_5eed);
    let auth = p.login_key("admin.seven");
    let mut before = members(&p);
    for _ in 0..requests {
        let page = numbers.pick(PAGES);
        let mut fields = format!("PartnerLogin=admin.seven&PartnerAuth={auth}");
        for _ in 0..numbers.below(6) {
            let (name, value) = (numbers.pick(NAMES), numbers.value());
            fields.push_str(&format!("&{name}={value}"));
        }
        let as_get = numbers.below(8) == 0;
        let (method, query, body) =
            if as_get { (Method::Get, fields.as_str(), "") } else { (Method::Post, "", fields.as_str()) };
        let (status, text) = p.request(method, &format!("/PAPI/{page}.asp"), query, body, &[]);
        assert_eq!(status, 200, "{page} {fields}\n{text}");
        let outcome = outcome(&text);
        let after = members(&p);
        if outcome != "ok" || page.starts_with("Show") {
            assert_eq!(after, before, "{page} {fields} {outcome}");
        }
        before = after;
    }
}
