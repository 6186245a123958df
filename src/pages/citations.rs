//! What checks cite of our own papers, and where it is shown.

/// The directory of their addresses.
pub const PAPERS: &str = "/console/docs/";

/// Name and text of each paper.
pub const TEXTS: [(&str, &str); 2] = [
    ("saml", include_str!("../../docs/saml.md")),
    ("compatibility", include_str!("../../docs/compatibility.md")),
];

/// The address of what a check cites, such as `docs/saml.md, Which user`; `None` for a clause of a standard.
pub fn address_of(clause: &str) -> Option<String> {
    let (name, heading) = clause.strip_prefix("docs/")?.split_once(".md, ")?;
    TEXTS.iter().any(|(known, _)| *known == name).then(|| format!("{PAPERS}{name}#{}", anchor(heading)))
}

/// A heading as the end of an address: small letters and digits, with `-` between the words.
pub fn anchor(heading: &str) -> String {
    let letters = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    letters.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_leads_to_its_heading_and_a_clause_of_a_standard_nowhere() {
        assert_eq!(address_of("docs/saml.md, Which user").as_deref(), Some("/console/docs/saml#which-user"));
        assert_eq!(address_of("Bindings 3.5.4"), None);
        assert_eq!(address_of("docs/nothing.md, Which user"), None);
    }
}
