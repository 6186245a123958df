//! The SOAP that ValidateUser speaks: reads the envelope of a call, writes that of an answer. Wire contract
//! §6, §6.6.
//!
//! Published are the operation's name, its two inputs and the element `credentials`; the elements around
//! them follow ASMX custom and are our own choice, and so is the input `groupId`.

use zeroize::Zeroizing;

use super::credential::Credential;
use super::xml::{Document, Element, Limits, XmlReject, XmlWriter};
use crate::model::GroupId;

/// The namespace of the web services. Wire contract §6.
const NAMESPACE: &str = "http://www.glancenetworks.com/services";
/// SOAP 1.1 and 1.2; the answer speaks 1.1, which clients of either read from an ASMX service.
const ENVELOPES: [&str; 2] =
    ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// Whether a body is XML.
pub fn is_envelope(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// What a call of ValidateUser brings.
pub struct ValidateUser {
    /// User name and password.
    pub credential: Credential,
    /// The group that is asked for, as it came: needed when the user is in several.
    pub group: Option<String>,
}

/// Reads an envelope with `ValidateUser`; `None` when user name or password is missing.
///
/// # Errors
/// The rule of XML that the body breaks.
pub fn validate_user(body: &[u8]) -> Result<Option<ValidateUser>, XmlReject> {
    let document = Document::parse(body, &Limits::ASSERTION)?;
    let root = document.root();
    let call = ENVELOPES
        .iter()
        .find(|namespace| root.is(namespace, "Envelope"))
        .and_then(|namespace| root.child(namespace, "Body"))
        .and_then(|body| body.children().find(|call| call.local_name() == "ValidateUser"));
    let Some(call) = call else { return Ok(None) };
    let (Some(username), Some(password)) = (input(call, "username"), input(call, "password")) else {
        return Ok(None);
    };
    let credential = Credential::Password { username, password: Zeroizing::new(password) };
    Ok(Some(ValidateUser { credential, group: input(call, "groupid") }))
}

fn input(call: Element<'_>, name: &str) -> Option<String> {
    let mut named = call.children().filter(|input| input.local_name().eq_ignore_ascii_case(name));
    named.next().map(|input| input.text()).filter(|value| !value.is_empty())
}

/// Writes the answer of ValidateUser; `credentials` are hexadecimal digits.
pub fn validated(credentials: &str, group: GroupId, envelope: bool) -> String {
    let mut xml = XmlWriter::declared(DECLARATION);
    if envelope {
        start_body(&mut xml);
        xml.start("ValidateUserResponse").attribute("xmlns", NAMESPACE).start("ValidateUserResult");
    } else {
        xml.start("ValidateUserResult").attribute("xmlns", NAMESPACE);
    }
    xml.element("groupId", &group.to_string()).element("credentials", credentials);
    xml.finish()
}

/// Writes a fault of SOAP 1.1 (section 4.4): the caller's, or the server's own.
pub fn fault(callers: bool, code: &str, sentence: &str) -> String {
    let mut xml = XmlWriter::declared(DECLARATION);
    start_body(&mut xml);
    xml.start("soap:Fault")
        .element("faultcode", if callers { "soap:Client" } else { "soap:Server" })
        .element("faultstring", sentence)
        .start("detail")
        .start("code")
        .attribute("xmlns", NAMESPACE)
        .text(code);
    xml.finish()
}

fn start_body(xml: &mut XmlWriter) {
    let [soap, _] = ENVELOPES;
    xml.start("soap:Envelope").attribute("xmlns:soap", soap).start("soap:Body");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn user_name_password_and_group_are_read_from_either_envelope() {
        for soap in ENVELOPES {
            let body = format!(
                r#"<?xml version="1.0"?><s:Envelope xmlns:s="{soap}"><s:Body>
                <ValidateUser xmlns="{NAMESPACE}"><userName>ann.acme</userName><password>a &amp; b</password>
                <groupId>72</groupId></ValidateUser></s:Body></s:Envelope>"#
            );
            let call = validate_user(body.as_bytes()).unwrap().unwrap();
            let Credential::Password { username, password } = call.credential else { panic!("{body}") };
            assert_eq!((username.as_str(), password.as_str()), ("ann.acme", "a & b"));
            assert_eq!(call.group.as_deref(), Some("72"));
        }
    }

    #[test]
    fn anything_else_is_no_call() {
        let [soap, _] = ENVELOPES;
        for inner in ["", "<Other/>", "<ValidateUser><username>ann</username></ValidateUser>"] {
            let body = format!(r#"<s:Envelope xmlns:s="{soap}"><s:Body>{inner}</s:Body></s:Envelope>"#);
            assert!(validate_user(body.as_bytes()).unwrap().is_none(), "{inner}");
        }
        assert!(validate_user(b"<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>").is_err());
        assert!(validate_user(b"<x").is_err());
    }

    #[test]
    fn a_fault_says_who_is_at_fault_and_lets_no_value_become_markup() {
        let text = fault(true, "a_code", "<b>&\r");
        let document = roxmltree::Document::parse(&text).unwrap();
        let named = |name: &str| document.descendants().find(|n| n.tag_name().name() == name).unwrap().text();
        let said = [named("faultcode"), named("faultstring"), named("code")];
        assert_eq!(said, [Some("soap:Client"), Some("<b>&\r"), Some("a_code")]);
    }

    #[test]
    fn the_answer_is_well_formed() {
        for envelope in [true, false] {
            let text = validated("00112233445566778899aabbccddeeff", GroupId(72), envelope);
            let document = roxmltree::Document::parse(&text).unwrap();
            let credentials = document.descendants().find(|n| n.has_tag_name((NAMESPACE, "credentials")));
            assert_eq!(credentials.unwrap().text(), Some("00112233445566778899aabbccddeeff"));
        }
    }
}
