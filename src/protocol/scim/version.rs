//! The version of a resource, as ETag and `meta.version`. RFC 7644 §3.14.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The weak entity tag of a resource: the same for the same content, anyone who asks and over which address,
/// so take it of the document before `meta` is added.
pub fn version_of(resource: &Value) -> String {
    let digest = Sha256::digest(resource.to_string().as_bytes());
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{hex}\"")
}

/// Whether the version is one of those in an If-Match or If-None-Match header. Weak comparison, and quotes
/// may be missing: clients hand `meta.version` back as they read it.
pub fn is_among(version: &str, header: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim();
        text.strip_prefix("W/").unwrap_or(text).trim_matches('"').to_owned()
    };
    header.split(',').any(|one| one.trim() == "*" || bare(one) == bare(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_the_content_and_are_compared_weakly() {
        let version = version_of(&serde_json::json!({"a": 1}));
        assert_eq!(version.len(), 28);
        assert_ne!(version, version_of(&serde_json::json!({"a": 2})));
        let strong = version.trim_start_matches("W/");
        for header in [version.as_str(), strong, strong.trim_matches('"'), "*", &format!("\"x\", {version}")]
        {
            assert!(is_among(&version, header), "{header}");
        }
        assert!(!is_among(&version, "\"x\""));
        assert!(!is_among(&version, ""));
    }
}
