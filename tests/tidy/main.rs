//! Keeps the house tidy: who may know whom, how long a file may be, what every file says at its head.
//!
//! - `tree` reads the sources into modules, `arrows` follows every path to the file that declares what it names.
//! - `rooms` reads from ARCHITECTURE.md which room may know which, and judges the arrows.
//! - `citations`: what checks cite of our papers is there.
//! - `columns`: rows of the database are read by name.
//! - `features`: what the tests need compiles nothing of the program again.
//! - `walls` holds the house to that; `smuggled` shows that each way around it is caught.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod arrows;
mod citations;
mod columns;
mod features;
mod rooms;
mod smuggled;
mod tree;
mod walls;

use std::path::{Path, PathBuf};

const LINES_MAX: usize = 600;

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // What a build of the workspaces beside ours leaves there is not written by anybody.
                if path.file_name().is_none_or(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string()
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for path in ["src", "tests", "benches"].iter().flat_map(|f| files(f, "rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.lines().count() > LINES_MAX {
            wrong.push(format!("{} has {} lines", shown(&path), text.lines().count()));
        }
        let is_part_of_a_test = shown(&path).ends_with("tests.rs");
        if !text.starts_with("//!") && !is_part_of_a_test {
            wrong.push(format!("{} does not say what it is for", shown(&path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_work_is_left_for_later_by_its_own_words() {
    let words = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "unimplemented".to_owned() + "!",
        "todo".to_owned() + "!(",
    ];
    let mut wrong = Vec::new();
    for path in ["src", "tests"].iter().flat_map(|f| files(f, "rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                wrong.push(format!("{}:{} {line}", shown(&path), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
