//! Which line of a table a method and a path belong to. Pure.
//!
//! Paths are matched in any case, because the wire's own are (`/PAPI/newuser.asp`); a segment in braces
//! matches anything but `/` and keeps its case.

use std::collections::HashMap;

use tiny_http::Method;

/// The lines of a table by their methods and paths; `L` is what a line holds.
pub struct Paths<L> {
    /// Lines without braces, by their path in lower case.
    literal: HashMap<String, Vec<PathLine<L>>>,
    /// Lines with braces, by the number of their segments.
    patterns: HashMap<usize, Vec<PathLine<L>>>,
    /// The first line whose path begins so, in lower case.
    beginnings: HashMap<String, L>,
}

struct PathLine<L> {
    method: Method,
    path: &'static str,
    held: L,
}

/// What stands at a path.
pub enum PathMatch<'p, L> {
    /// A line, and what stands in the path where the line's own has braces.
    PathLine(L, Vec<(&'static str, &'p str)>),
    /// The path is known, with these methods only; the first of its lines.
    OtherMethod(L, Vec<Method>),
    Nothing,
}

impl<L: Copy> Paths<L> {
    /// Puts lines together: method, path and what the line holds.
    pub fn new(lines: impl IntoIterator<Item = (Method, &'static str, L)>) -> Paths<L> {
        let (literal, patterns, beginnings) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut paths = Paths { literal, patterns, beginnings };
        for (method, path, held) in lines {
            for beginning in beginnings_of(&path.to_ascii_lowercase()) {
                paths.beginnings.entry(beginning.to_owned()).or_insert(held);
            }
            let line = PathLine { method, path, held };
            if path.contains('{') {
                paths.patterns.entry(path.split('/').count()).or_default().push(line);
            } else {
                paths.literal.entry(path.to_ascii_lowercase()).or_default().push(line);
            }
        }
        paths
    }

    /// Finds what stands at `path`.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> PathMatch<'p, L> {
        // HEAD is GET without the body, which the gate leaves out.
        let method = if *method == Method::Head { &Method::Get } else { method };
        let mut others = Vec::new();
        let mut first = None;
        let lower = path.to_ascii_lowercase();
        for line in self.literal.get(&lower).into_iter().flatten() {
            if line.method == *method {
                return PathMatch::PathLine(line.held, Vec::new());
            }
            others.push(line.method.clone());
            first = first.or(Some(line.held));
        }
        for line in self.patterns.get(&path.split('/').count()).into_iter().flatten() {
            if let Some(parameters) = matched(line.path, path) {
                if line.method == *method {
                    return PathMatch::PathLine(line.held, parameters);
                }
                others.push(line.method.clone());
                first = first.or(Some(line.held));
            }
        }
        first.map_or(PathMatch::Nothing, |first| PathMatch::OtherMethod(first, others))
    }

    /// Finds the line whose path begins most like `path`; of several, the first of the table.
    pub fn nearest(&self, path: &str) -> Option<L> {
        beginnings_of(&path.to_ascii_lowercase())
            .find_map(|beginning| self.beginnings.get(beginning))
            .copied()
    }
}

/// `path` without its last segments, the longest first: at least one segment, and none in braces.
fn beginnings_of(path: &str) -> impl Iterator<Item = &str> {
    let plain = path.find("/{").and_then(|at| path.get(..at)).unwrap_or(path);
    std::iter::successors(Some(plain), |path| path.rsplit_once('/').map(|(before, _)| before))
        .filter(|path| path.len() > 1)
}

/// Matches the segments of `path` with those of `pattern`; the counts are equal.
fn matched<'p>(pattern: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut parameters = Vec::new();
    for (want, got) in pattern.split('/').zip(path.split('/')) {
        match want.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) if !got.is_empty() => parameters.push((name, got)),
            Some(_) => return None,
            None if want.eq_ignore_ascii_case(got) => {}
            None => return None,
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(Method, &str, &str); 4] = [
        (Method::Get, "/PAPI/NewUser.asp", "get"),
        (Method::Post, "/PAPI/NewUser.asp", "post"),
        (Method::Get, "/groups/{group}/users/{user}", "user"),
        (Method::Get, "/groups/{group}/users/new", "new"),
    ];

    fn found(method: &Method, path: &str) -> String {
        match Paths::new(TABLE).find(method, path) {
            PathMatch::PathLine(held, parameters) => format!("{held} {parameters:?}"),
            PathMatch::OtherMethod(first, methods) => format!("{first}, only {methods:?}"),
            PathMatch::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn paths_match_in_any_case_and_segments_keep_theirs() {
        for (method, path, want) in [
            (Method::Get, "/papi/newuser.ASP", "get []"),
            (Method::Head, "/papi/newuser.asp", "get []"),
            (Method::Post, "/papi/newuser.asp", "post []"),
            (Method::Put, "/papi/newuser.asp", "get, only [Get, Post]"),
            (Method::Get, "/Groups/7/users/Ann", r#"user [("group", "7"), ("user", "Ann")]"#),
            (Method::Get, "/groups//users/Ann", "nothing"),
            (Method::Get, "/groups/7", "nothing"),
        ] {
            assert_eq!(found(&method, path), want, "{path}");
        }
    }

    #[test]
    fn the_line_whose_path_begins_most_like_another_is_its_nearest() {
        let paths = Paths::new(TABLE);
        for (path, want) in [
            ("/papi/nothing.asp", Some("get")),
            ("/PAPI", Some("get")),
            ("/groups/7/nothing", Some("user")),
            ("/groupsx", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(paths.nearest(path), want, "{path}");
        }
    }
}
