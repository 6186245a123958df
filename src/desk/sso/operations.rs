//! The access log's words for sign-ins by SAML.

/// The access log's word for a sign-in.
pub(super) const OPERATION: &str = "sign-in.saml";
/// The access log's word for a test.
pub(super) const TEST_OPERATION: &str = "sso.test";
