//! Messages as they travel: whatever comes, unwrapping ends, within its limits, and what is wrapped again
//! reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidelight::protocol::saml::bindings::{
    Encoding, MAX_MESSAGE, RedirectMessage, decode, decode_post, encode_post, redirect_query,
};

fuzz_target!(|octets: &[u8]| {
    for encoding in [Encoding::Auto, Encoding::Base64, Encoding::PercentBase64] {
        if let Ok(document) = decode(octets, encoding) {
            assert!(document.len() <= MAX_MESSAGE.max(octets.len()));
        }
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(document) = decode_post(text) {
        assert_eq!(decode_post(&encode_post(&document)).as_ref(), Ok(&document));
    }
    if let Ok(message) = RedirectMessage::parse(text) {
        let query = redirect_query(message.direction, &message.document, message.relay_state.as_deref());
        let again = RedirectMessage::parse(&query).expect("what we wrote reads back");
        assert_eq!((again.document, again.relay_state), (message.document, message.relay_state));
    }
});
