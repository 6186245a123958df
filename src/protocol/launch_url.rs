//! The URLs that carry a login key: web pages, `glance://` and `glancepanorama://`. Wire contract §2.4.
//!
//! Built with the encoding that the vendor's own clients expect: the PUID percent-encoded, the login key's
//! `$` left as it is. Enter at [`LaunchUrl::build`]; [`parse`] takes such a URL apart, for the workbench and
//! for the lab's client.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use std::borrow::Cow;

use crate::model::GroupId;
use crate::percent;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A login key keeps the `$` that clients expect raw.
const OF_LOGIN_KEY: &AsciiSet = &RESERVED.remove(b'$');
/// Host and port keep their colon.
const OF_AUTHORITY: &AsciiSet = &RESERVED.remove(b':');

/// Percent-encodes a value for a query or one segment of a path.
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// What a URL starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchUrl {
    /// The page that finds the native client and signals it to start a session.
    AgentStart { origin: String },
    /// Starts a session in the native client.
    StartSession { webserver: Option<String>, session_key: String },
    /// The page that asks for a session key and joins.
    AgentJoin { origin: String },
    /// The viewer of a session whose key is known.
    AgentView { origin: String, session_key: String, wait: bool },
    /// The viewer of a visitor's session; the older form, which carries no credentials.
    VisitorView { origin: String, visitor: String },
    /// Signs the native client in, to the server that it knows.
    PanoramaAuthenticate,
    /// Joins in the native client, on the named server.
    PanoramaJoin { webserver: String, group: GroupId, session: String },
}

/// Who is signed in by the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub group: GroupId,
    pub puid: String,
    pub login_key: String,
}

impl Claim {
    fn query(&self) -> String {
        format!(
            "partnerid={}&partneruserid={}&loginkey={}",
            self.group,
            encode(&self.puid),
            utf8_percent_encode(&self.login_key, OF_LOGIN_KEY),
        )
    }
}

impl LaunchUrl {
    /// Writes the URL for the holder of a claim.
    pub fn build(&self, claim: &Claim) -> String {
        let who = claim.query();
        match self {
            LaunchUrl::AgentStart { origin } => format!("{origin}/agent/start?{who}"),
            LaunchUrl::StartSession { webserver, session_key } => {
                let server = webserver.as_ref().map_or_else(String::new, |s| format!("/{}", server(s)));
                format!("glance://startssn{server}?key={}&{who}", encode(session_key))
            }
            LaunchUrl::AgentJoin { origin } => format!("{origin}/agentjoin/AgentJoin.aspx?{who}"),
            LaunchUrl::AgentView { origin, session_key, wait: false } => {
                format!("{origin}/agentjoin/AgentView.aspx?SessionKey={}&{who}", encode(session_key))
            }
            LaunchUrl::AgentView { origin, session_key, wait: true } => {
                format!("{origin}/agentjoin/AgentView.aspx?{who}&SessionKey={}&Wait=1", encode(session_key))
            }
            LaunchUrl::VisitorView { origin, visitor } => {
                format!("{origin}/agentjoin/AgentView.aspx?VisitorId={}&wait=1", encode(visitor))
            }
            LaunchUrl::PanoramaAuthenticate => format!("glancepanorama://authenticate?{who}"),
            LaunchUrl::PanoramaJoin { webserver, group, session } => {
                format!("glancepanorama://agentjoin/{}/{group}/{}?{who}", server(webserver), encode(session))
            }
        }
    }
}

fn server(webserver: &str) -> String {
    utf8_percent_encode(webserver, OF_AUTHORITY).to_string()
}

/// A launch URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedLaunchUrl {
    pub url: LaunchUrl,
    /// `None` when one of its three parts is missing.
    pub claim: Option<Claim>,
}

/// Takes a launch URL apart; `None` when it is none. Paths and names match in any case.
pub fn parse(text: &str) -> Option<ParsedLaunchUrl> {
    let (scheme, rest) = text.trim().split_once("://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        named.next().and_then(decode)
    };
    let url = match scheme.to_ascii_lowercase().as_str() {
        "glance" => start_session(place, value("key").unwrap_or_default())?,
        "glancepanorama" => panorama(place)?,
        scheme @ ("https" | "http") => {
            let (authority, path) = place.split_once('/')?;
            page(format!("{scheme}://{authority}"), path, value)?
        }
        _ => return None,
    };
    let claim = || {
        Some(Claim {
            group: GroupId::parse(&value("partnerid")?)?,
            puid: value("partneruserid")?,
            login_key: value("loginkey")?,
        })
    };
    Some(ParsedLaunchUrl { url, claim: claim() })
}

fn decode(value: &str) -> Option<String> {
    percent::lax(value).map(Cow::into_owned)
}

fn start_session(place: &str, session_key: String) -> Option<LaunchUrl> {
    let (command, server) = place.split_once('/').unwrap_or((place, ""));
    let server = server.trim_end_matches('/');
    command.eq_ignore_ascii_case("startssn").then(|| LaunchUrl::StartSession {
        webserver: (!server.is_empty()).then(|| server.to_owned()),
        session_key,
    })
}

fn panorama(place: &str) -> Option<LaunchUrl> {
    let mut segments = place.trim_end_matches('/').split('/');
    let command = segments.next()?.to_ascii_lowercase();
    let rest = (segments.next(), segments.next(), segments.next(), segments.next());
    match (command.as_str(), rest) {
        ("authenticate", (None, ..)) => Some(LaunchUrl::PanoramaAuthenticate),
        ("agentjoin", (Some(server), Some(group), Some(session), None)) => Some(LaunchUrl::PanoramaJoin {
            webserver: decode(server)?,
            group: GroupId::parse(group)?,
            session: decode(session)?,
        }),
        _ => None,
    }
}

fn page(origin: String, path: &str, value: impl Fn(&str) -> Option<String>) -> Option<LaunchUrl> {
    match path.to_ascii_lowercase().as_str() {
        "agent/start" => Some(LaunchUrl::AgentStart { origin }),
        "agentjoin/agentjoin.aspx" => Some(LaunchUrl::AgentJoin { origin }),
        "agentjoin/agentview.aspx" => match (value("sessionkey"), value("visitorid")) {
            (Some(session_key), _) => {
                let wait = value("wait").is_some_and(|w| w == "1");
                Some(LaunchUrl::AgentView { origin, session_key, wait })
            }
            (None, Some(visitor)) => Some(LaunchUrl::VisitorView { origin, visitor }),
            (None, None) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn claim() -> Claim {
        Claim { group: GroupId(72), puid: "a b&c+d=ü$%".into(), login_key: "$1$1593908430$a-b_c".into() }
    }

    #[test]
    fn every_url_is_built_as_published_and_read_back() {
        let who =
            "partnerid=72&partneruserid=a%20b%26c%2Bd%3D%C3%BC%24%25&loginkey=$1$1593908430$a-b_c".to_owned();
        let origin = || "https://sso.example.com:8443".to_owned();
        let host = || "sso.example.com:8443".to_owned();
        let view = |wait| LaunchUrl::AgentView { origin: origin(), session_key: "12 34".into(), wait };
        let start = |webserver| LaunchUrl::StartSession { webserver, session_key: "1234".into() };
        let join = LaunchUrl::PanoramaJoin { webserver: host(), group: GroupId(72), session: "v/1".into() };
        for (url, expected) in [
            (LaunchUrl::AgentStart { origin: origin() }, format!("{}/agent/start?{who}", origin())),
            (start(None), format!("glance://startssn?key=1234&{who}")),
            (start(Some(host())), format!("glance://startssn/{}?key=1234&{who}", host())),
            (
                LaunchUrl::AgentJoin { origin: origin() },
                format!("{}/agentjoin/AgentJoin.aspx?{who}", origin()),
            ),
            (view(false), format!("{}/agentjoin/AgentView.aspx?SessionKey=12%2034&{who}", origin())),
            (view(true), format!("{}/agentjoin/AgentView.aspx?{who}&SessionKey=12%2034&Wait=1", origin())),
            (LaunchUrl::PanoramaAuthenticate, format!("glancepanorama://authenticate?{who}")),
            (join, format!("glancepanorama://agentjoin/{}/72/v%2F1?{who}", host())),
        ] {
            assert_eq!(url.build(&claim()), expected);
            assert_eq!(parse(&expected), Some(ParsedLaunchUrl { url, claim: Some(claim()) }), "{expected}");
        }
        let visitor = LaunchUrl::VisitorView { origin: origin(), visitor: "v-1".into() };
        let expected = format!("{}/agentjoin/AgentView.aspx?VisitorId=v-1&wait=1", origin());
        assert_eq!(visitor.build(&claim()), expected);
        assert_eq!(parse(&expected), Some(ParsedLaunchUrl { url: visitor, claim: None }));
    }

    #[test]
    fn names_match_in_any_case_and_other_urls_are_none() {
        let upper =
            "HTTPS://h/AGENTJOIN/AGENTVIEW.ASPX?SESSIONKEY=1&PARTNERID=72&PARTNERUSERID=a&LOGINKEY=$1";
        assert!(parse(upper).is_some_and(|p| p.claim.is_some()));
        for text in [
            "",
            "https://",
            "https://h",
            "https://h/other",
            "https://h/agentjoin/AgentView.aspx",
            "ftp://h/agent/start",
            "glance://other",
            "glancepanorama://agentjoin/h/72",
            "glancepanorama://agentjoin/h/x/1",
            "glancepanorama://agentjoin/h/72/1/2",
            "glancepanorama://authenticate/h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
