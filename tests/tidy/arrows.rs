//! Follows every mentioned path to the file that declares what it names, through renames and re-exports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tree::{Meaning, Tree};

/// Longest chain of re-exports that is followed.
const LINKS_MOST: usize = 48;

/// Everything that the sources reach for.
#[derive(Default)]
pub struct Arrows {
    pub between_files: Vec<Arrow>,
    pub to_crates: Vec<Reach>,
}

/// A file names something that another file declares.
pub struct Arrow {
    pub from: String,
    pub to: String,
    /// Files whose re-exports the path goes through.
    pub through: BTreeSet<String>,
    pub line: usize,
    pub in_test: bool,
}

/// A file names something of another crate, such as `std::fs::read`.
pub struct Reach {
    pub from: String,
    pub path: String,
    pub line: usize,
    pub in_test: bool,
}

enum Target {
    File { file: String, is_module: bool, through: BTreeSet<String>, certain: bool },
    Crate(Vec<String>),
}

/// Finds the arrows of `tree`; `crates` are the crates that it depends on, and `own` is its name.
pub fn find(tree: &Tree, own: &str, crates: &BTreeSet<String>) -> Arrows {
    let resolver = Resolver { tree, own, crates };
    let mut arrows = Arrows::default();
    for (path, module) in &tree.modules {
        for mention in &module.mentions {
            for target in resolver.start(path, &mention.segments, 0) {
                match target {
                    Target::File { file, is_module, through, .. } => {
                        // A lone name may be a variable that is called as a module is.
                        if file != module.file && !(is_module && mention.segments.len() == 1) {
                            arrows.between_files.push(Arrow {
                                from: module.file.clone(),
                                to: file,
                                through,
                                line: mention.line,
                                in_test: mention.in_test,
                            });
                        }
                    }
                    Target::Crate(segments) => arrows.to_crates.push(Reach {
                        from: module.file.clone(),
                        path: segments.join("::"),
                        line: mention.line,
                        in_test: mention.in_test,
                    }),
                }
            }
        }
    }
    arrows
}

struct Resolver<'t> {
    tree: &'t Tree,
    own: &'t str,
    crates: &'t BTreeSet<String>,
}

impl Resolver<'_> {
    /// Resolves a path as it is written in `module`.
    fn start(&self, module: &[String], segments: &[String], links: usize) -> Vec<Target> {
        let Some((first, rest)) = segments.split_first() else { return Vec::new() };
        if links > LINKS_MOST {
            return Vec::new();
        }
        match first.as_str() {
            "" => match rest.split_first() {
                Some((name, rest)) if name == self.own => self.walk(&[], rest, links),
                Some(_) => vec![Target::Crate(rest.to_vec())],
                None => Vec::new(),
            },
            "crate" => self.walk(&[], rest, links),
            "self" | "super" => {
                let mut base = module;
                let mut rest = segments;
                while let Some((step, after)) = rest.split_first() {
                    match step.as_str() {
                        "super" => base = base.split_last().map_or(base, |(_, outer)| outer),
                        "self" => {}
                        _ => break,
                    }
                    rest = after;
                }
                self.walk(base, rest, links)
            }
            _ => {
                let found = self.named(module, segments, links);
                if !found.is_empty() {
                    return found;
                }
                match () {
                    () if first == self.own => self.walk(&[], rest, links),
                    () if self.crates.contains(first) => vec![Target::Crate(segments.to_vec())],
                    () => Vec::new(),
                }
            }
        }
    }

    /// Resolves `segments` inside `module`, where the first is a name of that module.
    fn walk(&self, module: &[String], segments: &[String], links: usize) -> Vec<Target> {
        let Some(here) = self.tree.modules.get(module) else { return Vec::new() };
        let target = |is_module, certain| {
            vec![Target::File { file: here.file.clone(), is_module, through: BTreeSet::new(), certain }]
        };
        if segments.is_empty() {
            return target(true, true);
        }
        let found = self.named(module, segments, links);
        // A macro may have made it: then this file did.
        if found.is_empty() { target(false, false) } else { found }
    }

    fn named(&self, module: &[String], segments: &[String], links: usize) -> Vec<Target> {
        let Some(here) = self.tree.modules.get(module) else { return Vec::new() };
        let Some((first, rest)) = segments.split_first() else { return Vec::new() };
        let mut found = Vec::new();
        for meaning in here.names.get(first).into_iter().flatten() {
            match meaning {
                Meaning::Item => found.push(Target::File {
                    file: here.file.clone(),
                    is_module: false,
                    through: BTreeSet::new(),
                    certain: true,
                }),
                Meaning::ChildModule => {
                    let child = [module, std::slice::from_ref(first)].concat();
                    found.extend(self.walk(&child, rest, links));
                }
                Meaning::Import(path) => {
                    // `use a::b as a` would lead to itself.
                    if path.first() == Some(first) && path.len() == 1 {
                        continue;
                    }
                    let longer = [path.as_slice(), rest].concat();
                    found.extend(self.through(here, self.start(module, &longer, links + 1)));
                }
            }
        }
        if found.is_empty() {
            for glob in &here.globs {
                let longer = [glob.as_slice(), segments].concat();
                let targets =
                    self.start(module, &longer, links + 1).into_iter().filter(|target| match target {
                        Target::File { certain, .. } => *certain,
                        Target::Crate(_) => false,
                    });
                found.extend(self.through(here, targets.collect()));
            }
        }
        found
    }

    fn through(&self, here: &super::tree::Module, targets: Vec<Target>) -> Vec<Target> {
        let mut targets = targets;
        for target in &mut targets {
            if let Target::File { file, through, .. } = target
                && *file != here.file
            {
                through.insert(here.file.clone());
            }
        }
        targets
    }
}

/// Finds the circles: groups of files each of which reaches every other of its group. Test code does not count, nor
/// what the head of a folder (`a/mod.rs`, or `a.rs` beside `a/`) takes from the files of its own folder: a head
/// shows the way in, and its files may use what it declares.
pub fn circles(arrows: &[Arrow]) -> Vec<BTreeSet<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows.iter().filter(|arrow| !arrow.in_test && !leads_in(&arrow.from, &arrow.to)) {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
        next.entry(&arrow.to).or_default();
    }
    let reach: HashMap<&str, BTreeSet<&str>> =
        next.keys().map(|file| (*file, reached(&next, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached) in &reach {
        if reached.contains(file) {
            let group = reached.iter().filter(|other| reach.get(*other).is_some_and(|r| r.contains(file)));
            circles.insert(group.map(|file| (*file).to_owned()).collect::<BTreeSet<_>>());
        }
    }
    circles.into_iter().collect()
}

fn leads_in(head: &str, file: &str) -> bool {
    let folder = head.strip_suffix("/mod.rs").unwrap_or_else(|| head.trim_end_matches(".rs"));
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn reached<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&str> = next.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = waiting.pop() {
        if found.insert(file) {
            waiting.extend(next.get(file).into_iter().flatten());
        }
    }
    found
}
