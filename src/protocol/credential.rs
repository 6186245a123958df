//! Credentials as the wire carries them: every carrier of the wire contract §2.4 and every set of §6.1,
//! read into one [`Credential`]. Nothing here is verified.
//!
//! Enter at [`from_fields`] (three parameters, form, query or JSON body), [`from_single`]
//! (`username~loginkey` and the pair form) and [`from_authorization`] (the header). The way back, for
//! people who build an integration: [`pair_form`] and [`bearer_form`].

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

use super::launch_url::encode;
use crate::model::GroupId;
use crate::percent;

/// Who a credential is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A Glance Address.
    Address(String),
    /// A Group ID and the user's PUID in that group.
    Partner {
        group: GroupId,
        puid: String,
        /// What else the PUID may be, in the order in which to try it: clients encode it as a form does, as an
        /// address does, or not at all (§10, trap 2), and only the signature tells which was meant.
        other_readings: Vec<String>,
    },
}

/// One way of proving who one is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    LoginKey {
        subject: Subject,
        key: Zeroizing<String>,
    },
    Password {
        username: String,
        password: Zeroizing<String>,
    },
    /// What ValidateUser issued, "G4S credentials" on the wire. §6.6
    IssuedCredentials {
        username: String,
        credentials: Zeroizing<String>,
    },
    /// The value of the cookie `GSSNID`.
    WebSession(Zeroizing<String>),
}

/// Why no credential could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A part is missing: the PUID beside a Group ID, the password beside a user name.
    Incomplete(&'static str),
    /// The Group ID is not a positive decimal integer.
    GroupId,
    /// Two kinds of proof came at once; which one counts is not guessed.
    Ambiguous,
    /// A single string without the `~` between user and login key.
    NoTilde,
    /// The `Authorization` header has none of the known forms.
    Header,
}

impl Unreadable {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Unreadable::Incomplete(_) => "credential_incomplete",
            Unreadable::GroupId => "group_id_not_a_number",
            Unreadable::Ambiguous => "credential_ambiguous",
            Unreadable::NoTilde => "credential_without_tilde",
            Unreadable::Header => "authorization_header_unknown",
        }
    }
}

/// What was wrong, for the log.
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Incomplete(part) => write!(f, "{part} is missing"),
            Unreadable::GroupId => f.write_str("the Group ID is not a positive decimal integer"),
            Unreadable::Ambiguous => f.write_str("more than one kind of credential was sent"),
            Unreadable::NoTilde => f.write_str("no ~ stands between user and login key"),
            Unreadable::Header => f.write_str("the Authorization header has none of the known forms"),
        }
    }
}

/// One parameter of a query, a form or a JSON object.
#[derive(Clone)]
pub struct SentField {
    pub value: String,
    /// As it came, where decoding changed it.
    pub as_sent: Option<String>,
}

impl SentField {
    fn other_readings(&self) -> Vec<String> {
        self.as_sent.as_ref().map(|sent| readings(sent, &self.value)).unwrap_or_default()
    }
}

/// What was meant by `sent`, if it was not `value`: itself, what it says as a part of an address, where `+` is `+`,
/// or as a form does, where `+` is a space.
fn readings(sent: &str, value: &str) -> Vec<String> {
    let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
    let all = [Some(sent.to_owned()), owned(percent::lax(sent)), owned(percent::form(sent))];
    let mut others: Vec<String> = Vec::new();
    for reading in all.into_iter().flatten() {
        if reading != value && !others.contains(&reading) {
            others.push(reading);
        }
    }
    others
}

/// Reads a credential from named fields; `field` finds one by its lower-case name, in any case. `None`
/// when no field of a credential is there.
///
/// Known are `partnerid`, `partneruserid`, `loginkey`, `username`, `password`, `g4scredentials`, `gssnid`. A
/// `loginkey` that holds `~` brings its user along.
///
/// # Errors
/// What is missing or contradictory.
pub fn from_fields(field: impl Fn(&str) -> Option<SentField>) -> Result<Option<Credential>, Unreadable> {
    let filled = |name: &str| field(name).filter(|f| !f.value.is_empty());
    let secret = |name: &str| filled(name).map(|f| Zeroizing::new(f.value));
    let (key, password) = (secret("loginkey"), secret("password"));
    let (issued, session) = (secret("g4scredentials"), secret("gssnid"));
    match (key, password, issued, session) {
        (Some(key), None, None, None) if key.contains('~') => from_single(&key).map(Some),
        (Some(key), None, None, None) => Ok(Some(Credential::LoginKey { subject: subject(filled)?, key })),
        (None, Some(password), None, None) => {
            Ok(Some(Credential::Password { username: username(filled)?, password }))
        }
        (None, None, Some(credentials), None) => {
            Ok(Some(Credential::IssuedCredentials { username: username(filled)?, credentials }))
        }
        (None, None, None, Some(value)) => Ok(Some(Credential::WebSession(value))),
        (None, None, None, None) if filled("partnerid").is_some_and(|group| carries_key(&group)) => {
            joined_at_group(filled).map(Some)
        }
        (None, None, None, None) => match filled("partneruserid").or_else(|| filled("username")) {
            Some(user) if carries_key(&user) => joined(filled, &user).map(Some),
            Some(_) => {
                Err(Unreadable::Incomplete("the proof (loginkey, password, g4scredentials or gssnid)"))
            }
            None => Ok(None),
        },
        _ => Err(Unreadable::Ambiguous),
    }
}

/// A single string that was taken apart as parameters: `partneruserid=…~loginkey` in the pair form, or
/// `username=…~loginkey`.
fn joined(filled: impl Fn(&str) -> Option<SentField>, user: &SentField) -> Result<Credential, Unreadable> {
    let (puid, key) = user.value.rsplit_once('~').ok_or(Unreadable::NoTilde)?;
    let key = Zeroizing::new(key.to_owned());
    let subject = match filled("partnerid") {
        Some(group) => Subject::Partner {
            group: GroupId::parse(group.value.trim()).ok_or(Unreadable::GroupId)?,
            puid: puid.to_owned(),
            other_readings: user
                .as_sent
                .as_ref()
                .and_then(|sent| sent.rsplit_once('~'))
                .map(|(sent, _)| readings(sent, puid))
                .unwrap_or_default(),
        },
        None if filled("partneruserid").is_some() => return Err(Unreadable::Incomplete("partnerid")),
        None => Subject::Address(puid.to_owned()),
    };
    Ok(Credential::LoginKey { subject, key })
}

/// The pair form in the other order, taken apart: `partneruserid=…` and `partnerid=…~loginkey`.
fn joined_at_group(filled: impl Fn(&str) -> Option<SentField>) -> Result<Credential, Unreadable> {
    let group = filled("partnerid").ok_or(Unreadable::Incomplete("partnerid"))?;
    let puid = filled("partneruserid").ok_or(Unreadable::Incomplete("partneruserid"))?;
    // With a login key on either, the PUID would go to the log with a login key in it.
    if carries_key(&puid) {
        return Err(Unreadable::Ambiguous);
    }
    let (group, key) = group.value.rsplit_once('~').ok_or(Unreadable::NoTilde)?;
    let subject = Subject::Partner {
        group: GroupId::parse(group.trim()).ok_or(Unreadable::GroupId)?,
        other_readings: puid.other_readings(),
        puid: puid.value,
    };
    Ok(Credential::LoginKey { subject, key: Zeroizing::new(key.to_owned()) })
}

/// Whether a login key hangs on the value, as in the single strings.
fn carries_key(field: &SentField) -> bool {
    field.value.contains("~$")
}

fn username(filled: impl Fn(&str) -> Option<SentField>) -> Result<String, Unreadable> {
    filled("username").map(|f| f.value).ok_or(Unreadable::Incomplete("username"))
}

fn subject(filled: impl Fn(&str) -> Option<SentField>) -> Result<Subject, Unreadable> {
    match (filled("partnerid"), filled("partneruserid"), filled("username")) {
        (Some(group), Some(puid), _) => Ok(Subject::Partner {
            group: GroupId::parse(group.value.trim()).ok_or(Unreadable::GroupId)?,
            other_readings: puid.other_readings(),
            puid: puid.value,
        }),
        (_, None, Some(address)) => Ok(Subject::Address(address.value)),
        (_, None, None) => Err(Unreadable::Incomplete("partneruserid")),
        (None, Some(_), _) => Err(Unreadable::Incomplete("partnerid")),
    }
}

/// Reads `username~loginkey` or `partnerid=…&partneruserid=…~loginkey`, its two pairs in either order.
///
/// # Errors
/// What is missing.
pub fn from_single(text: &str) -> Result<Credential, Unreadable> {
    // The login key has no `~`; a PUID may.
    let (user, key) = text.rsplit_once('~').ok_or(Unreadable::NoTilde)?;
    let subject = match split_pairs(user) {
        Some((group, puid)) => partner(group, puid)?,
        None if user.is_empty() => return Err(Unreadable::Incomplete("the user")),
        None => Subject::Address(user.to_owned()),
    };
    Ok(Credential::LoginKey { subject, key: Zeroizing::new(key.to_owned()) })
}

/// Finds Group ID and PUID in the pair form; the PUID may hold `&` and `=` itself.
fn split_pairs(text: &str) -> Option<(&str, &str)> {
    const GROUP: &str = "partnerid=";
    const PUID: &str = "partneruserid=";
    if let Some(rest) = strip_prefix_any_case(text, GROUP) {
        let (group, rest) = rest.split_once('&')?;
        return Some((group, strip_prefix_any_case(rest, PUID)?));
    }
    let rest = strip_prefix_any_case(text, PUID)?;
    let (puid, group) = rest.rsplit_once('&')?;
    Some((strip_prefix_any_case(group, GROUP)?, puid))
}

fn strip_prefix_any_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A PUID that may or may not be URL-encoded: GetLoginKey's own text does not encode it, a header does.
fn partner(group: &str, puid: &str) -> Result<Subject, Unreadable> {
    let decoded = percent::lax(puid).ok_or(Unreadable::Incomplete("the PUID"))?;
    if decoded.is_empty() {
        return Err(Unreadable::Incomplete("the PUID"));
    }
    Ok(Subject::Partner {
        group: GroupId::parse(group.trim()).ok_or(Unreadable::GroupId)?,
        other_readings: readings(puid, &decoded),
        puid: decoded.into_owned(),
    })
}

/// What an `Authorization` header brought.
#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq))]
pub enum Authorization {
    Credential(Credential),
    /// A token that Authorize handed out: `Bearer <JWT>` or `Bearer GJWT <JWT>`.
    Token(Zeroizing<String>),
}

/// Reads the value of an `Authorization` header. §2.4, §3.6, §6.8
///
/// # Errors
/// `Header` when it is none of `Bearer GKEY …`, `Bearer GSSNID …`, `Bearer GJWT …`, `Bearer …`; what a
/// login key's carrier lacks.
pub fn from_authorization(value: &str) -> Result<Authorization, Unreadable> {
    let mut words = value.trim().splitn(3, ' ');
    let scheme = words.next().unwrap_or_default();
    let (kind, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().trim());
    if !scheme.eq_ignore_ascii_case("Bearer") || kind.is_empty() {
        return Err(Unreadable::Header);
    }
    match (kind.to_ascii_uppercase().as_str(), rest.is_empty()) {
        ("GKEY", false) => from_key_header(rest).map(Authorization::Credential),
        ("GSSNID", false) => {
            Ok(Authorization::Credential(Credential::WebSession(Zeroizing::new(rest.to_owned()))))
        }
        ("GJWT", false) => Ok(Authorization::Token(Zeroizing::new(rest.to_owned()))),
        ("GKEY" | "GSSNID" | "GJWT", true) | (_, false) => Err(Unreadable::Header),
        (_, true) => Ok(Authorization::Token(Zeroizing::new(kind.to_owned()))),
    }
}

/// `[partnerid]&[partneruserid]&[loginkey]`, split at the first and the last `&` (§10, trap 3), or
/// `[glanceaddress]~[loginkey]`.
fn from_key_header(text: &str) -> Result<Credential, Unreadable> {
    let three_parts = text
        .split_once('&')
        .and_then(|(group, rest)| rest.rsplit_once('&').map(|(puid, key)| (group, puid, key)))
        .filter(|(group, ..)| !group.contains('='));
    match three_parts {
        Some((group, puid, key)) => {
            Ok(Credential::LoginKey { subject: partner(group, puid)?, key: Zeroizing::new(key.to_owned()) })
        }
        None => from_single(text),
    }
}

/// Writes the pair form, which is also GetLoginKey's answer (§3.5): nothing is encoded.
pub fn pair_form(group: GroupId, puid: &str, login_key: &str) -> String {
    format!("partnerid={group}&partneruserid={puid}~{login_key}")
}

/// Writes the value of an `Authorization` header that carries a login key.
pub fn bearer_form(group: GroupId, puid: &str, login_key: &str) -> String {
    format!("Bearer GKEY {group}&{}&{login_key}", encode(puid))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const KEY: &str = "$1$1593908430$Wf7vDWWv1Ci5VrcUvtWuJh_jLgZIfectGUPkg6DbZws";

    fn by_address(address: &str) -> Result<Credential, Unreadable> {
        let subject = Subject::Address(address.to_owned());
        Ok(Credential::LoginKey { subject, key: KEY.to_owned().into() })
    }

    fn by_puid(group: i64, puid: &str, others: &[&str]) -> Result<Credential, Unreadable> {
        let subject = Subject::Partner {
            group: GroupId(group),
            puid: puid.to_owned(),
            other_readings: others.iter().map(|&other| other.to_owned()).collect(),
        };
        Ok(Credential::LoginKey { subject, key: KEY.to_owned().into() })
    }

    #[track_caller]
    fn check<T: PartialEq>(input: &str, got: T, expected: T) {
        assert!(got == expected, "{input}");
    }

    #[test]
    fn a_single_string_names_the_user_before_the_tilde() {
        for (user, expected) in [
            ("joe.acme.glance.net", by_address("joe.acme.glance.net")),
            ("partnerid=72&partneruserid=ann", by_puid(72, "ann", &[])),
            ("partneruserid=ann&partnerid=72", by_puid(72, "ann", &[])),
            ("PartnerID=72&PARTNERUSERID=ann", by_puid(72, "ann", &[])),
            ("partnerid=72&partneruserid=a&b=c~d", by_puid(72, "a&b=c~d", &[])),
            ("partneruserid=a&b=c&partnerid=72", by_puid(72, "a&b=c", &[])),
            ("partnerid=72&partneruserid=a+b", by_puid(72, "a+b", &["a b"])),
            ("partnerid=72&partneruserid=a%20b", by_puid(72, "a b", &["a%20b"])),
            ("partnerid=x&partneruserid=ann", Err(Unreadable::GroupId)),
            ("partnerid=72&partneruserid=", Err(Unreadable::Incomplete("the PUID"))),
            ("", Err(Unreadable::Incomplete("the user"))),
        ] {
            let text = format!("{user}~{KEY}");
            check(&text, from_single(&text), expected);
        }
        check("no tilde", from_single(KEY), Err(Unreadable::NoTilde));
    }

    #[test]
    fn a_bearer_header_brings_a_login_key_a_web_session_or_a_token() {
        let key = |credential: Result<Credential, Unreadable>| credential.map(Authorization::Credential);
        let token = |text: &str| Ok(Authorization::Token(text.to_owned().into()));
        for (value, expected) in [
            (format!("Bearer GKEY joe.acme.glance.net~{KEY}"), key(by_address("joe.acme.glance.net"))),
            (format!("Bearer GKEY 72&ann&{KEY}"), key(by_puid(72, "ann", &[]))),
            (format!("bearer gkey 72&a%26b%40c&{KEY}"), key(by_puid(72, "a&b@c", &["a%26b%40c"]))),
            (format!("Bearer GKEY 72&a&b&{KEY}"), key(by_puid(72, "a&b", &[]))),
            (format!("Bearer GKEY partnerid=72&partneruserid=ann~{KEY}"), key(by_puid(72, "ann", &[]))),
            (format!("Bearer GKEY {KEY}"), Err(Unreadable::NoTilde)),
            ("Bearer GSSNID 1.2.x.72".into(), key(Ok(Credential::WebSession("1.2.x.72".to_owned().into())))),
            ("Bearer GJWT a.b.c".into(), token("a.b.c")),
            ("Bearer a.b.c".into(), token("a.b.c")),
            ("Bearer GKEY".into(), Err(Unreadable::Header)),
            ("Bearer a b".into(), Err(Unreadable::Header)),
            ("Basic abc".into(), Err(Unreadable::Header)),
            ("".into(), Err(Unreadable::Header)),
        ] {
            check(&value, from_authorization(&value), expected);
        }
    }

    #[track_caller]
    fn fields(pairs: &[(&str, &str)], expected: Result<Option<Credential>, Unreadable>) {
        let find = |name: &str| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| SentField { value: (*value).to_owned(), as_sent: None })
        };
        check(&format!("{pairs:?}"), from_fields(find), expected);
    }

    #[test]
    fn every_set_of_fields_gives_its_credential() {
        let (ann, joe) = (("partneruserid", "ann"), ("username", "joe"));
        let some = |credential: Result<Credential, Unreadable>| credential.map(Some);
        let (key, group) = (("loginkey", KEY), ("partnerid", "72"));
        fields(&[group, ann, key], some(by_puid(72, "ann", &[])));
        fields(&[group, ann, key, joe], some(by_puid(72, "ann", &[])));
        fields(&[joe, key], some(by_address("joe")));
        fields(&[("loginkey", &format!("joe~{KEY}"))], some(by_address("joe")));
        let password = || "secret".to_owned().into();
        fields(
            &[joe, ("password", "secret")],
            Ok(Some(Credential::Password { username: "joe".into(), password: password() })),
        );
        fields(
            &[joe, ("g4scredentials", "secret")],
            Ok(Some(Credential::IssuedCredentials { username: "joe".into(), credentials: password() })),
        );
        fields(&[("gssnid", "secret")], Ok(Some(Credential::WebSession(password()))));
        fields(&[group, ("partneruserid", &format!("ann~{KEY}"))], some(by_puid(72, "ann", &[])));
        let keyed_group = ("partnerid", &*format!("72~{KEY}"));
        fields(&[ann, keyed_group], some(by_puid(72, "ann", &[])));
        fields(&[("partneruserid", &format!("ann~{KEY}")), keyed_group], Err(Unreadable::Ambiguous));
        fields(&[keyed_group], Err(Unreadable::Incomplete("partneruserid")));
        fields(&[ann, ("partnerid", &format!("x~{KEY}"))], Err(Unreadable::GroupId));
        fields(&[("username", &format!("joe~{KEY}"))], some(by_address("joe")));
        fields(&[("partneruserid", &format!("ann~{KEY}"))], Err(Unreadable::Incomplete("partnerid")));
        fields(&[("gssnid", ""), ("loginkey", "")], Ok(None));
        fields(&[], Ok(None));
        fields(&[group], Ok(None));
        fields(&[ann, key], Err(Unreadable::Incomplete("partnerid")));
        fields(&[group, key], Err(Unreadable::Incomplete("partneruserid")));
        fields(&[("partnerid", "-1"), ann, key], Err(Unreadable::GroupId));
        fields(&[("password", "x")], Err(Unreadable::Incomplete("username")));
        fields(&[joe, key, ("password", "x")], Err(Unreadable::Ambiguous));
        fields(
            &[joe],
            Err(Unreadable::Incomplete("the proof (loginkey, password, g4scredentials or gssnid)")),
        );
    }

    /// What clients send for the PUIDs `Jörg + Müller` and `Ann Lee`.
    #[test]
    fn a_puid_has_every_reading_that_a_client_may_have_meant() {
        const ADDRESS: &str = "J%C3%B6rg%20+%20M%C3%BCller";
        let form = |sent: &str| {
            let value: String = percent::form_lossy(sent).into_owned();
            let puid = SentField { as_sent: Some(sent.to_owned()), value };
            let field = |value: &str| Some(SentField { value: value.to_owned(), as_sent: None });
            from_fields(|name| match name {
                "partneruserid" => Some(puid.clone()),
                "partnerid" => field("72"),
                "loginkey" => field(KEY),
                _ => None,
            })
        };
        // As a browser escapes what stands raw in an address.
        check(ADDRESS, form(ADDRESS), by_puid(72, "Jörg   Müller", &[ADDRESS, "Jörg + Müller"]).map(Some));
        check("raw", form("Ann+Lee"), by_puid(72, "Ann Lee", &["Ann+Lee"]).map(Some));
        // The encoders of .NET, Java and Apex write a space as +, in a header too.
        let header = |puid: &str| from_authorization(&format!("Bearer GKEY 72&{puid}&{KEY}"));
        let key = |credential: Result<Credential, Unreadable>| credential.map(Authorization::Credential);
        check("header", header("Ann+Lee"), key(by_puid(72, "Ann+Lee", &["Ann Lee"])));
        let encoded = "J%C3%B6rg+%2B+M%C3%BCller";
        let others = [encoded, "Jörg + Müller"];
        check(encoded, header(encoded), key(by_puid(72, "Jörg+++Müller", &others)));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for puid in ["ann", "a b", "a&b=c~d", "100%", "ü+$"] {
            let header = bearer_form(GroupId(72), puid, KEY);
            let Ok(Authorization::Credential(Credential::LoginKey { subject, .. })) =
                from_authorization(&header)
            else {
                panic!("{header}")
            };
            assert!(matches!(subject, Subject::Partner { puid: read, .. } if read == puid), "{header}");
        }
        let pair = pair_form(GroupId(72), "a&b~c", KEY);
        check(&pair, from_single(&pair), by_puid(72, "a&b~c", &[]));
    }
}
