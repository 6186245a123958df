//! An identity provider's endpoint may have a query of its own, but not one that a SAML message brings: with two
//! `SAMLRequest` or `RelayState` in one address, each side could read another one.

use std::borrow::Cow;

use crate::percent;

/// The parameters that a message itself brings (Bindings 3.4.4.1 and 3.5.4).
const RESERVED_PARAMETERS: [&str; 6] =
    ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"];

/// The first parameter in the query of `location` that the message itself brings. In any case, because many
/// identity providers read names so.
pub fn reserved_parameter(location: &str) -> Option<&'static str> {
    let (_, query) = location.split_once('?')?;
    query.split('&').find_map(reserved_name)
}

fn reserved_name(parameter: &str) -> Option<&'static str> {
    let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
    let name = percent::lossy(name);
    RESERVED_PARAMETERS.into_iter().find(|reserved| name.trim().eq_ignore_ascii_case(reserved))
}

/// The location without the parameters that the message itself brings.
pub fn without_reserved_parameters(location: &str) -> Cow<'_, str> {
    match location.split_once('?') {
        Some((path, query)) if reserved_parameter(location).is_some() => {
            let kept: Vec<&str> = query.split('&').filter(|part| reserved_name(part).is_none()).collect();
            Cow::Owned(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
        }
        _ => Cow::Borrowed(location),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_brings_is_found_in_every_spelling_and_left_out() {
        for (location, found, without) in [
            ("https://idp.example/sso", None, "https://idp.example/sso"),
            ("https://idp.example/sso?tenant=7&x", None, "https://idp.example/sso?tenant=7&x"),
            (
                "https://idp.example/SAMLRequest?a=RelayState",
                None,
                "https://idp.example/SAMLRequest?a=RelayState",
            ),
            ("https://idp.example/sso?SAMLRequest=x", Some("SAMLRequest"), "https://idp.example/sso"),
            (
                "https://idp.example/sso?a=1&relaystate&b=2",
                Some("RelayState"),
                "https://idp.example/sso?a=1&b=2",
            ),
            ("https://idp.example/sso?%53igAlg=x&a=1", Some("SigAlg"), "https://idp.example/sso?a=1"),
            (
                "https://idp.example/sso?Signature=&SAMLResponse=y",
                Some("Signature"),
                "https://idp.example/sso",
            ),
        ] {
            assert_eq!(reserved_parameter(location), found, "{location}");
            assert_eq!(without_reserved_parameters(location), without, "{location}");
        }
    }
}
