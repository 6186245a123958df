//! Our own metadata, for identity providers to read (Metadata 2.4.4).
//!
//! Values in, the document out. Enter at [`ServiceProvider::to_xml`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::names::{BINDING_POST, DSIG, METADATA, PROTOCOL};
use super::writer::XmlWriter;

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
            key(&mut xml, "signing", certificate);
        }
        for certificate in self.encryption_certificates {
            key(&mut xml, "encryption", certificate);
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
}

fn key(xml: &mut XmlWriter, purpose: &'static str, certificate: &[u8]) {
    xml.start("md:KeyDescriptor").attribute("use", purpose).start("ds:KeyInfo").start("ds:X509Data");
    xml.element("ds:X509Certificate", &STANDARD.encode(certificate)).end().end().end();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::protocol::xml::{Document, Limits};

    #[test]
    fn metadata_names_the_service_its_keys_and_where_to_post() {
        let acs = ["https://a.example/?sso=1&idpid=5".to_owned(), "https://b.example/".to_owned()];
        let metadata = ServiceProvider {
            entity_id: "glance.net/sp/1",
            acs: &acs,
            signing_certificate: None,
            encryption_certificates: &[b"der".to_vec()],
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
        let certificate = keys[0].descendants().find(|e| e.is(DSIG, "X509Certificate")).unwrap();
        assert_eq!(certificate.text(), "ZGVy");
        let services: Vec<_> = role.children_named(METADATA, "AssertionConsumerService").collect();
        assert_eq!(services[0].attribute("Location"), Some(acs[0].as_str()));
        assert_eq!(services[0].attribute("isDefault"), Some("true"));
        assert_eq!(services[1].attribute("isDefault"), None);
    }
}
