//! Our own metadata, for identity providers to read (Metadata 2.4.4).
//!
//! Values in, the document out. Enter at [`ServiceProvider::to_xml`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::names::{BINDING_POST, DSIG, METADATA, PROTOCOL};
use crate::protocol::xml::XmlWriter;

/// A service provider as its metadata describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceProvider<'a> {
    pub entity_id: &'a str,
    /// The URLs of the assertion consumer service; the first is the default.
    pub acs: &'a [String],
    /// The certificate, in DER, that our requests are signed with; `None` if they are not.
    pub signing_certificate: Option<&'a [u8]>,
    /// The certificates, in DER, that assertions may be encrypted to; the newest first.
    pub encryption_certificates: &'a [Vec<u8>],
    /// Whether RSA 1.5 and Triple DES are taken, too.
    pub takes_rsa15: bool,
    pub takes_triple_des: bool,
    /// The name identifier formats that we ask for.
    pub name_id_formats: &'a [&'a str],
}

impl ServiceProvider<'_> {
    /// Writes the document.
    pub fn to_xml(&self) -> String {
        let mut xml = XmlWriter::new();
        let signed = if self.signing_certificate.is_some() { "true" } else { "false" };
        xml.start("md:EntityDescriptor")
            .attribute("xmlns:md", METADATA)
            .attribute("xmlns:ds", DSIG)
            .attribute("entityID", self.entity_id);
        xml.start("md:SPSSODescriptor")
            .attribute("AuthnRequestsSigned", signed)
            .attribute("WantAssertionsSigned", "true")
            .attribute("protocolSupportEnumeration", PROTOCOL);
        if let Some(certificate) = self.signing_certificate {
            key(&mut xml, "signing", certificate, &[]);
        }
        let methods = self.encryption_methods();
        for certificate in self.encryption_certificates {
            key(&mut xml, "encryption", certificate, &methods);
        }
        for format in self.name_id_formats {
            xml.element("md:NameIDFormat", format);
        }
        for (index, location) in self.acs.iter().enumerate() {
            xml.start("md:AssertionConsumerService")
                .attribute("Binding", BINDING_POST)
                .attribute("Location", location)
                .attribute("index", &index.to_string())
                .attribute_if("isDefault", (index == 0).then_some("true"))
                .end();
        }
        xml.finish()
    }

    /// The algorithms that we decrypt, the best first (Metadata 2.4.1.1).
    fn encryption_methods(&self) -> Vec<&'static str> {
        let mut methods = ENCRYPTION_METHODS.to_vec();
        methods.extend(self.takes_triple_des.then_some("http://www.w3.org/2001/04/xmlenc#tripledes-cbc"));
        methods.extend(KEY_TRANSPORTS);
        methods.extend(self.takes_rsa15.then_some("http://www.w3.org/2001/04/xmlenc#rsa-1_5"));
        methods
    }
}

/// AES-GCM before CBC, which is not authenticated.
const ENCRYPTION_METHODS: [&str; 6] = [
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
];
const KEY_TRANSPORTS: [&str; 2] =
    ["http://www.w3.org/2009/xmlenc11#rsa-oaep", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"];

fn key(xml: &mut XmlWriter, purpose: &'static str, certificate: &[u8], methods: &[&str]) {
    xml.start("md:KeyDescriptor").attribute("use", purpose).start("ds:KeyInfo").start("ds:X509Data");
    xml.element("ds:X509Certificate", &STANDARD.encode(certificate)).end().end();
    for method in methods {
        xml.start("md:EncryptionMethod").attribute("Algorithm", method).end();
    }
    xml.end();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::protocol::xml::{Document, Element, Limits};

    #[test]
    fn metadata_names_the_service_its_keys_and_where_to_post() {
        let acs = ["https://a.example/?sso=1&idpid=5".to_owned(), "https://b.example/".to_owned()];
        let metadata = ServiceProvider {
            entity_id: "glance.net/sp/1",
            acs: &acs,
            signing_certificate: None,
            encryption_certificates: &[b"der".to_vec()],
            takes_rsa15: false,
            takes_triple_des: false,
            name_id_formats: &[],
        };
        let xml = metadata.to_xml();
        let document = Document::parse(xml.as_bytes(), &Limits::METADATA).unwrap();
        assert_eq!(document.root().attribute("entityID"), Some("glance.net/sp/1"));
        let role = document.root().child(METADATA, "SPSSODescriptor").unwrap();
        assert_eq!(role.attribute("AuthnRequestsSigned"), Some("false"));
        let keys: Vec<_> = role.children_named(METADATA, "KeyDescriptor").collect();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].attribute("use"), Some("encryption"));
        let methods = |key: Element<'_>| -> Vec<String> {
            let methods = key.children_named(METADATA, "EncryptionMethod");
            methods.filter_map(|method| method.attribute("Algorithm")).map(str::to_owned).collect()
        };
        let listed = methods(keys[0]);
        assert_eq!(listed.first().map(String::as_str), Some("http://www.w3.org/2009/xmlenc11#aes256-gcm"));
        assert!(listed.iter().all(|method| !method.contains("tripledes") && !method.contains("rsa-1_5")));
        let legacy = ServiceProvider { takes_rsa15: true, takes_triple_des: true, ..metadata }.to_xml();
        assert!(legacy.contains("#tripledes-cbc") && legacy.contains("#rsa-1_5"), "{legacy}");
        let certificate = keys[0].descendants().find(|e| e.is(DSIG, "X509Certificate")).unwrap();
        assert_eq!(certificate.text(), "ZGVy");
        let services: Vec<_> = role.children_named(METADATA, "AssertionConsumerService").collect();
        assert_eq!(services[0].attribute("Location"), Some(acs[0].as_str()));
        assert_eq!(services[0].attribute("isDefault"), Some("true"));
        assert_eq!(services[1].attribute("isDefault"), None);
    }
}
