//! Which room may know which, as ARCHITECTURE.md draws it, and what breaks the drawing.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::{self, Arrows};
use super::tree::{Sources, Tree};

/// What ARCHITECTURE.md says: in the block that begins with this line, each line is
/// `room ──► the rooms it knows | the crates it uses`.
const BLOCK: &str = "```text walls";
/// The same for the standard library: `room never std::a std::b`.
const NEVER: &str = "never";

/// The drawing.
#[derive(Default)]
pub struct Drawing {
    pub knows: BTreeMap<String, BTreeSet<String>>,
    pub crates: BTreeMap<String, BTreeSet<String>>,
    pub never: BTreeMap<String, BTreeSet<String>>,
}

impl Drawing {
    /// Reads the drawing out of the text of ARCHITECTURE.md.
    pub fn read(text: &str) -> Drawing {
        let mut drawing = Drawing::default();
        let block = text.split_once(BLOCK).map_or("", |(_, rest)| rest);
        for line in block.split("```").next().unwrap_or_default().lines() {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
            if let Some((room, rest)) = line.split_once("──►") {
                let (rooms, crates) = rest.split_once('|').unwrap_or((rest, ""));
                drawing.knows.insert(room.trim().to_owned(), words(rooms));
                drawing.crates.insert(room.trim().to_owned(), words(crates));
            } else if let Some((room, rest)) = line.split_once(NEVER) {
                drawing.never.insert(room.trim().to_owned(), words(rest));
            }
        }
        drawing
    }
}

impl Drawing {
    /// The room of a file: the innermost that is drawn, such as `desk/people`, else the folder or the file right below
    /// `src`.
    fn room_of<'f>(&self, file: &'f str) -> &'f str {
        let inside = file.trim_start_matches("src/").trim_end_matches(".rs");
        let folders = inside.rmatch_indices('/').map(|(at, _)| &inside[..at]);
        let outermost = inside.split('/').next().unwrap_or(inside);
        folders.into_iter().find(|folder| self.knows.contains_key(*folder)).unwrap_or(outermost)
    }

    /// By which name `from` is drawn to know `to`. Whoever stands outside of a room that has wings knows the whole of it;
    /// a wing names each of its neighbours.
    fn known_as<'t>(&self, from: &str, to: &'t str) -> Option<&'t str> {
        let known = self.knows.get(from)?;
        let outer = to.rmatch_indices('/').map(|(at, _)| &to[..at]).filter(|outer| !is_within(from, outer));
        std::iter::once(to).chain(outer).find(|name| known.contains(*name))
    }

    /// What the standard library holds that the room, or the one that it is a wing of, keeps its hands off.
    fn never<'d>(&'d self, room: &'d str) -> impl Iterator<Item = &'d String> {
        self.never.iter().filter(move |(name, _)| is_within(room, name)).flat_map(|(_, paths)| paths)
    }
}

/// Whether `room` is `outer` or a wing of it.
fn is_within(room: &str, outer: &str) -> bool {
    room.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Everything in `sources` that breaks `drawing`, a line each.
pub fn broken(sources: &Sources, drawing: &Drawing, dependencies: &BTreeSet<String>) -> Vec<String> {
    let tree = Tree::read(sources, "src/lib.rs");
    let mut crates = dependencies.clone();
    crates.extend(["std", "core", "alloc"].map(str::to_owned));
    let arrows = arrows::find(&tree, "sidelight", &crates);
    let mut wrong = tree.unreadable.clone();
    wrong.extend(unread(sources, &tree));
    wrong.extend(between_rooms(&arrows, drawing));
    wrong.extend(to_crates(&arrows, drawing));
    wrong.extend(in_circles(&arrows));
    wrong.sort();
    wrong.dedup();
    wrong
}

/// A file that no module reaches would be read by nobody.
fn unread(sources: &Sources, tree: &Tree) -> Vec<String> {
    let read: BTreeSet<&str> = tree.modules.values().map(|module| module.file.as_str()).collect();
    let missing = sources.keys().filter(|file| !read.contains(file.as_str()) && *file != "src/main.rs");
    missing.map(|file| format!("{file} is no module of the house")).collect()
}

fn between_rooms(arrows: &Arrows, drawing: &Drawing) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for arrow in &arrows.between_files {
        let from = drawing.room_of(&arrow.from);
        for file in arrow.through.iter().chain([&arrow.to]) {
            let to = drawing.room_of(file);
            // The tests of a wing open the whole desk.
            if from == to || from == "lib" || (arrow.in_test && is_within(from, to)) {
                continue;
            }
            if !drawing.knows.contains_key(from) {
                wrong.push(format!("{}: its room is not drawn", arrow.from));
                continue;
            }
            match drawing.known_as(from, to) {
                None => wrong.push(format!("{}:{} reaches for {to}", arrow.from, arrow.line)),
                Some(name) => drop(seen.insert((from, name))),
            }
        }
    }
    for (from, known) in &drawing.knows {
        for to in known.iter().filter(|to| !seen.contains(&(from.as_str(), to.as_str()))) {
            wrong.push(format!("{from} is drawn to know {to}, and does not"));
        }
    }
    wrong
}

fn to_crates(arrows: &Arrows, drawing: &Drawing) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for reach in &arrows.to_crates {
        let room = drawing.room_of(&reach.from);
        let name = reach.path.split("::").next().unwrap_or_default();
        let is_standard = ["std", "core", "alloc"].contains(&name);
        let known = drawing.crates.get(room);
        if is_standard {
            for path in drawing.never(room).filter(|path| begins_with(&reach.path, path) && !reach.in_test) {
                wrong.push(format!("{}:{} reaches for {path}", reach.from, reach.line));
            }
        } else if known.is_some_and(|known| known.contains(name)) {
            seen.insert((room, name));
        } else if !reach.in_test {
            wrong.push(format!("{}:{} reaches for the crate {name}", reach.from, reach.line));
        }
    }
    for (room, known) in &drawing.crates {
        for name in known.iter().filter(|name| !seen.contains(&(room.as_str(), name.as_str()))) {
            wrong.push(format!("{room} is drawn to use the crate {name}, and does not"));
        }
    }
    wrong
}

fn begins_with(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn in_circles(arrows: &Arrows) -> Vec<String> {
    let found = arrows::circles(&arrows.between_files);
    let shown = |circle: &BTreeSet<String>| circle.iter().cloned().collect::<Vec<_>>().join(", ");
    found.iter().map(|circle| format!("a circle of files: {}", shown(circle))).collect()
}
