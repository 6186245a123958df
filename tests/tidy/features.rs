//! What the tests need changes no crate of the program: it would be compiled a second time, with all that rests on it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The features of each crate, by name and version, as cargo turns them on for `edges`.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let mut tree = Command::new(cargo);
    tree.args([
        "tree",
        "--locked",
        "--offline",
        "--prefix",
        "none",
        "--format",
        "{p}\t{f}",
        "--edges",
        edges,
    ]);
    let output = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, features) = line.split_once('\t').unwrap();
        crates.entry(name.to_owned()).or_default().insert(features.trim_end_matches(" (*)").to_owned());
    }
    crates
}

#[test]
fn no_crate_of_the_program_is_compiled_again_for_the_tests() {
    let (program, tests) = (features("normal,build"), features("normal,build,dev"));
    let again: Vec<String> = program
        .iter()
        .filter(|(name, sets)| !tests.get(*name).is_some_and(|with_tests| sets.is_subset(with_tests)))
        .map(|(name, sets)| format!("{name}: {sets:?}, for the tests {:?}", tests.get(name)))
        .collect();
    assert!(
        again.is_empty(),
        "name in [dependencies] the feature that [dev-dependencies] adds:\n{}",
        again.join("\n")
    );
}
