//! Allowed sites: the origins whose pages may frame what we show to a group's people. They belong to the group,
//! however its people sign in.

use super::People;
use crate::desk::ground::opened;
use crate::desk::ground::{known_group, permission};
use crate::error::{Error, Result};
use crate::model::opened::Values;
use crate::model::sso::fields::origin_of;
use crate::model::{Caller, GroupId, LogEntry};

/// Most sites of a group: all of them stand in a header of each page.
pub const SITES_MAX: usize = 20;

/// The access log's word for a change.
const OPERATION: &str = "group.allowed-sites";

/// Reads origins such as `https://crm.example.com`, with white space or commas between them; a slash at the end is
/// left out, and each is kept once.
///
/// # Errors
/// `Invalid`: `site_malformed`, `too_many_sites`; the field is `allowed_sites`.
pub fn sites(text: &str) -> Result<Vec<String>> {
    let refused = |code, public: String| Err(Error::invalid(code, "allowed_sites", public));
    let mut found: Vec<String> = Vec::new();
    for site in text.split(|c: char| c.is_whitespace() || c == ',').filter(|site| !site.is_empty()) {
        let site = site.trim_end_matches('/').to_ascii_lowercase();
        if origin_of(&site) != Some(&site) {
            let public = format!(
                "Allowed sites: “{site}” is no origin. Write the scheme and the host, and a port if there is one, such \
                 as https://crm.example.com."
            );
            return refused("site_malformed", public);
        }
        if !found.contains(&site) {
            found.push(site);
        }
    }
    if found.len() > SITES_MAX {
        return refused("too_many_sites", format!("Allowed sites: a group has at most {SITES_MAX}."));
    }
    Ok(found)
}

impl People {
    /// The sites that a group lets frame our pages: origins. Each page says them to the one who asks for it.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn allowed_sites(&self, group: GroupId) -> Result<Vec<String>> {
        self.ground.store.read(|r| r.allowed_sites(group))
    }

    /// Replaces a group's allowed sites by those in `text`, as [`sites`] reads them. `opened` is the form that
    /// this answers.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with `group_unknown`; those of [`sites`]; `Conflict`
    /// with `changed_meanwhile`.
    pub fn set_allowed_sites(
        &self,
        caller: &Caller,
        group: GroupId,
        text: &str,
        opened: Option<&Values>,
    ) -> Result<Vec<String>> {
        let attempt = || {
            permission::administer(caller, group)?;
            let wanted = sites(text)?;
            let (caller, opened) = (caller.clone(), opened.cloned());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let before = known_group::known(w, group)?.allowed_sites;
                opened::unchanged(opened.as_ref(), || Ok(opened::of_sites(&before)))?;
                if wanted != before {
                    w.set_allowed_sites(group, &wanted)?;
                    let detail = format!("{} to {}", listed(&before), listed(&wanted));
                    w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))?;
                }
                Ok(wanted)
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }
}

/// Sites as sentences and the access log have them.
fn listed(sites: &[String]) -> String {
    if sites.is_empty() { "none".to_owned() } else { sites.join(" ") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::desk::fixture::fixture;

    #[test]
    fn sites_are_origins_and_each_is_kept_once() {
        for (text, kept) in [
            ("", Ok("")),
            (
                "https://crm.example.com/\r\nhttps://b.example",
                Ok("https://crm.example.com https://b.example"),
            ),
            ("https://a.example,https://A.example:8443", Ok("https://a.example https://a.example:8443")),
            (" https://a.example HTTPS://A.example ", Ok("https://a.example")),
            ("http://localhost:3000", Ok("http://localhost:3000")),
            ("http://crm.example.com", Err("site_malformed")),
            ("https://crm.example.com/path", Err("site_malformed")),
            ("https://*.example.com", Err("site_malformed")),
            ("'self'", Err("site_malformed")),
            ("https://a.example;script-src", Err("site_malformed")),
            ("*", Err("site_malformed")),
        ] {
            let read = sites(text).map(|sites| sites.join(" ")).map_err(|e| e.code);
            assert_eq!(read, kept.map(str::to_owned), "{text}");
        }
        let many = |count| (0..count).map(|n| format!("https://s{n}.example\n")).collect::<String>();
        assert!(sites(&many(SITES_MAX)).is_ok());
        assert_eq!(sites(&many(SITES_MAX + 1)).unwrap_err().code, "too_many_sites");
    }

    #[test]
    fn only_who_runs_the_group_sets_its_sites_and_nobody_undoes_anothers_change_unseen() {
        let f = fixture();
        let group = GroupId(7);
        let set = |caller: &Caller, text: &str, opened: Option<&[String]>| {
            let opened = opened.map(opened::of_sites);
            f.desk.people.set_allowed_sites(caller, group, text, opened.as_ref()).map_err(|e| e.code)
        };
        let kept = || f.desk.people.allowed_sites(group).unwrap().join(" ");
        assert_eq!(set(&f.admin, "https://a.example", Some(&[])), Ok(vec!["https://a.example".to_owned()]));
        let row = f.last_log();
        assert_eq!(row, (OPERATION.to_owned(), "none to https://a.example".to_owned()));
        assert_eq!(set(&f.admin, "https://b.example", Some(&[])), Err(opened::CHANGED_MEANWHILE));
        assert_eq!(kept(), "https://a.example");
        let opened = ["https://a.example".to_owned()];
        assert!(set(&f.admin, "https://b.example", Some(&opened)).is_ok());
        assert_eq!(kept(), "https://b.example");
        let stranger = Caller::anonymous([192, 0, 2, 1].into());
        assert!(set(&stranger, "https://evil.example", None).is_err());
        assert!(f.desk.people.set_allowed_sites(&f.admin, GroupId(8), "https://evil.example", None).is_err());
        assert!(set(&Caller::host(), "", None).is_ok());
        assert_eq!(kept(), "");
    }
}
