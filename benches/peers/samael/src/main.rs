//! The verdict beside samael's, in turns in one run: the same response of 7 kB, one RSA-2048-SHA256 signature,
//! the same expectations. The figure that counts is the ratio of the best turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use samael::metadata::EntityDescriptor;
use samael::service_provider::{ServiceProvider, ServiceProviderBuilder};
use sidelight::protocol::saml::expectations::{Expectations, InResponseTo, Policy};
use sidelight::clock::Timestamp;
use sidelight::protocol::saml::verdict::verdict;
use sidelight::protocol::xml::VerificationKey;

const RESPONSE: &str = include_str!("../../../../tests/fixtures/saml/accepted/seven-kilobytes.xml");
const CERTIFICATE: &str = include_str!("../../../../tests/fixtures/saml/keys/idp.cert.pem");
const IDP: &str = "https://idp.example.org/metadata";
const SP: &str = "https://sp.example.com/saml/metadata";
const ACS: &str = "https://sp.example.com/account/GetLoginKey.aspx?idpid=12345";
const REQUEST: &str = "_req-7f3a9c";
const TURNS: usize = 200;
const REPETITIONS: u32 = 10;

fn main() {
    let keys = [VerificationKey::from_certificate_pem(CERTIFICATE).unwrap()];
    let (acs, requests) = ([ACS.to_owned()], [REQUEST.to_owned()]);
    let expectations = Expectations {
        now: Timestamp::parse("2026-02-01T12:00:00Z").unwrap().0,
        skew: 60_000,
        idp_entity_id: IDP,
        audience: SP,
        acs: &acs,
        in_response_to: InResponseTo { outstanding: &requests, unsolicited_allowed: false },
        verification_keys: &keys,
        decryption_keys: &[],
        policy: Policy::default(),
    };
    let provider = samael_provider();
    let ours = || drop(black_box(verdict(RESPONSE.as_bytes(), &expectations).unwrap()));
    let theirs = || drop(black_box(provider.parse_xml_response(RESPONSE, Some(&[REQUEST])).unwrap()));
    let (mut of_ours, mut of_theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        of_ours = of_ours.min(timed(ours));
        of_theirs = of_theirs.min(timed(theirs));
    }
    let microseconds = |time: Duration| time.as_secs_f64() * 1e6;
    println!("a response of {} bytes, one RSA-2048-SHA256 signature, one core", RESPONSE.len());
    println!("sidelight  {:>8.1} µs", microseconds(of_ours));
    println!(
        "samael     {:>8.1} µs   {:.1} times as long",
        microseconds(of_theirs),
        of_theirs.as_secs_f64() / of_ours.as_secs_f64()
    );
}

fn timed(run: impl Fn()) -> Duration {
    let begun = Instant::now();
    for _ in 0..REPETITIONS {
        run();
    }
    begun.elapsed() / REPETITIONS
}

/// samael asks the system's clock, which cannot be set: so it gets patience without end.
fn samael_provider() -> ServiceProvider {
    let certificate: String = CERTIFICATE.lines().filter(|line| !line.starts_with("-----")).collect();
    let metadata = format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.org/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>"#
    );
    let metadata: EntityDescriptor = metadata.parse().unwrap();
    ServiceProviderBuilder::default()
        .entity_id(SP.to_owned())
        .acs_url(ACS.to_owned())
        .idp_metadata(metadata)
        .max_clock_skew(chrono::Duration::days(36_500))
        .max_issue_delay(chrono::Duration::days(36_500))
        .build()
        .unwrap()
}
