//! The house itself, held to its drawing.

use std::collections::BTreeSet;
use std::path::Path;

use super::rooms::{Drawing, broken};
use super::tree::Sources;
use super::{files, shown};

fn sources() -> Sources {
    files("src", "rs").iter().map(|path| (shown(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// The names that code uses for the packages in Cargo.toml, those of tests too.
fn dependencies() -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    ["dependencies", "dev-dependencies"]
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(|table| table.keys().map(|name| name.replace('-', "_")))
        .collect()
}

#[test]
fn every_arrow_between_rooms_is_drawn_and_every_drawn_arrow_is_there() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let wrong = broken(&sources(), &Drawing::read(&text), &dependencies());
    assert!(wrong.is_empty(), "{} things:\n{}", wrong.len(), wrong.join("\n"));
}

/// The files that a text names between back quotes and that are not there.
fn missing_files(text: &str) -> Vec<&str> {
    let named = text.split('`').skip(1).step_by(2).filter(|name| {
        ["src/", "tests/", "docs/", "benches/"].iter().any(|start| name.starts_with(start))
            && !name.contains('…')
    });
    named.filter(|name| !Path::new(env!("CARGO_MANIFEST_DIR")).join(name).exists()).collect()
}

#[test]
fn every_file_that_the_papers_name_is_there() {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let papers = files("docs", "md")
        .into_iter()
        .chain(["ARCHITECTURE.md", "README.md", "SECURITY.md"].map(|name| root.join(name)));
    for paper in papers {
        assert_eq!(missing_files(&read(&paper)), [""; 0], "{}", paper.display());
    }
    assert_eq!(missing_files("`src/lib.rs` and `src/no_such_file.rs`"), ["src/no_such_file.rs"]);
}
