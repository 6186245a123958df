//! A target inside this server: the only kind of address that a sign-in goes on to.
//!
//! An address that came with a request (`redirect=…`) or from an administrator must never lead a freshly
//! signed-in browser elsewhere, nor write into the head of a response. Wire contract §3.2, §11 Q15.

use std::fmt;

use crate::percent;

/// Most bytes of a target.
const TARGET_MAX: usize = 4_096;

/// A path of this server with an optional query, such as `/agentjoin/AgentJoin.aspx?idpid=7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelativeTarget(String);

impl RelativeTarget {
    /// Reads a target; `None` unless it is ASCII, begins with one slash, and its path holds no scheme, host,
    /// backslash or control character, neither as written nor after percent-decoding once or twice. What its
    /// query stands for is the business of the page that it leads to: `name=ACME%5Cann` is a person's name.
    pub fn parse(text: &str) -> Option<RelativeTarget> {
        let printable = text.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
        if text.len() > TARGET_MAX || !printable {
            return None;
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        // Twice, because a server or a script on the way may decode once more.
        let once = percent::lax(path)?;
        let twice = percent::lax(&once)?;
        let stays = [path, &once, &twice].into_iter().all(stays_here);
        stays.then(|| RelativeTarget(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RelativeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn stays_here(path: &str) -> bool {
    // Browsers read a backslash as a slash, and drop tabs and line ends before they look: `/\evil`, `/\t/evil`.
    path.starts_with('/') && !path.contains("//") && !path.contains('\\') && !path.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_server_is_a_target() {
        for (text, good) in [
            ("/agentjoin/agentjoin.aspx", true),
            ("/account/AccountSummary.aspx?a=b&c=%2Fd", true),
            ("/agent/start?next=https%3A%2F%2Fexample.com%2F", true),
            ("/agentjoin/AgentView.aspx?name=ACME%5Cann&note=a%0Ab%00&x=%ff", true),
            ("/", true),
            ("", false),
            ("/a?b=\\evil", false),
            ("/a?b=c d", false),
            ("/%3F//evil.example", false),
            ("agentjoin/agentjoin.aspx", false),
            ("https://evil.example/", false),
            ("javascript:alert(1)", false),
            ("//evil.example/", false),
            ("/a//evil.example", false),
            ("/%2Fevil.example/", false),
            ("/%252Fevil.example/", false),
            ("/\\evil.example/", false),
            ("/%5Cevil.example/", false),
            ("/%255Cevil.example/", false),
            ("/a\r\nSet-Cookie: x", false),
            ("/a%0d%0aSet-Cookie: x", false),
            ("/a%0D%0ASet-Cookie:x", false),
            ("/\t/evil.example", false),
            ("/%09/evil.example", false),
            ("/a b", false),
            ("/ümlaut", false),
            ("/%ff", false),
        ] {
            assert_eq!(RelativeTarget::parse(text).is_some(), good, "{text:?}");
        }
    }
}
