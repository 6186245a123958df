//! What a check cites of our own papers is there: file and heading.

use std::path::Path;

use super::{files, shown};

/// What a source cites, such as `docs/saml.md, Which user`.
fn citations(text: &str) -> Vec<&str> {
    text.split('"').filter(|literal| literal.starts_with("docs/") && literal.contains(".md, ")).collect()
}

#[test]
fn every_citation_of_our_papers_leads_to_a_heading() {
    let mut found = 0;
    let mut wrong = Vec::new();
    for path in files("src", "rs").iter().filter(|path| !shown(path).starts_with("src/pages/citations")) {
        let text = std::fs::read_to_string(path).unwrap();
        for citation in citations(&text) {
            found += 1;
            let (file, heading) = citation.split_once(", ").unwrap();
            let paper =
                std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
            if !paper
                .lines()
                .any(|line| line.trim_start_matches('#').trim() == heading && line.starts_with('#'))
            {
                wrong.push(format!("{}: {citation}", shown(path)));
            }
        }
    }
    assert!(found >= 9, "{found} citations: they are written otherwise now");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
