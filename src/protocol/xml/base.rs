//! Joining `xml:base` attributes, for the apex of a subtree in Canonical XML 1.1 (§2.4, "Join-URI-References").
//!
//! RFC 3986 §5.2 with the changes that the standard makes: the base need not be absolute, leading `..`
//! segments of a relative path stay, repeated slashes become one, a trailing `..` gets a slash.

/// Joins bases, the outermost first, into one; empty where nothing is left.
pub(super) fn join_bases<'b>(bases: impl Iterator<Item = &'b str>) -> String {
    bases.fold(
        String::new(),
        |base, reference| {
            if base.is_empty() { reference.to_owned() } else { join(&base, reference) }
        },
    )
}

/// The components of a URI reference (RFC 3986 §3); the fragment is no part of a base.
#[derive(Clone, Copy, Default)]
struct Reference<'r> {
    scheme: Option<&'r str>,
    authority: Option<&'r str>,
    path: &'r str,
    query: Option<&'r str>,
}

impl<'r> Reference<'r> {
    fn new(text: &'r str) -> Reference<'r> {
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let (text, query) = match text.split_once('?') {
            Some((text, query)) => (text, Some(query)),
            None => (text, None),
        };
        let (scheme, text) = match text.split_once(':') {
            Some((scheme, rest)) if super::characters::is_absolute_uri(text) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, path) = match text.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (Some(authority), path)
            }
            None => (None, text),
        };
        Reference { scheme, authority, path, query }
    }
}

/// RFC 3986 §5.2.2 and §5.3.
fn join(base: &str, reference: &str) -> String {
    let (base, r) = (Reference::new(base), Reference::new(reference));
    let scheme = r.scheme.or(base.scheme);
    let own_authority = r.scheme.is_some() || r.authority.is_some();
    let authority = if own_authority { r.authority } else { base.authority };
    let (path, query) = if own_authority || r.path.starts_with('/') {
        (remove_dot_segments(r.path), r.query)
    } else if r.path.is_empty() {
        (base.path.to_owned(), r.query.or(base.query))
    } else {
        let merged = if base.authority.is_some() && base.path.is_empty() {
            format!("/{}", r.path)
        } else {
            let directory =
                base.path.rfind('/').and_then(|slash| base.path.get(..=slash)).unwrap_or_default();
            format!("{directory}{}", r.path)
        };
        (remove_dot_segments(&merged), r.query)
    };
    let mut joined = String::new();
    for (part, before, behind) in
        [(scheme, "", ":"), (authority, "//", ""), (Some(&*path), "", ""), (query, "?", "")]
    {
        if let Some(part) = part {
            joined.extend([before, part, behind]);
        }
    }
    joined
}

/// RFC 3986 §5.2.4, with the changes of Canonical XML 1.1.
fn remove_dot_segments(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        let parent_known = kept.last().is_some_and(|last| *last != "..");
        match segment {
            ".." if parent_known => {
                kept.pop();
            }
            ".." if absolute => {}
            _ => kept.push(segment),
        }
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let directory = matches!(last, "" | "." | "..") && !kept.is_empty();
    let (before, behind) = (if absolute { "/" } else { "" }, if directory { "/" } else { "" });
    format!("{before}{}{behind}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join_bases;

    #[test]
    fn bases_are_joined_as_the_standard_says() {
        for (bases, expected) in [
            (&["http://a/b/c"][..], "http://a/b/c"),
            (&["http://a/b/c", "d"], "http://a/b/d"),
            (&["http://a/b/c/", "../d"], "http://a/b/d"),
            (&["http://a/b/c/", "../../../d"], "http://a/d"),
            (&["http://a", "d"], "http://a/d"),
            (&["http://a/b?q", ""], "http://a/b?q"),
            (&["http://a/b?q", "?r"], "http://a/b?r"),
            (&["http://a/b", "//c/d/./e"], "http://c/d/e"),
            (&["http://a/b", "urn:x"], "urn:x"),
            (&["a/b", "../../../c"], "../../c"),
            (&["a/", ".."], ""),
            (&["a/b/", "../.."], ""),
            (&["a/", "../.."], "../"),
            (&["/a//b/", "c//d"], "/a/b/c/d"),
            (&["a/", "b/", "c#f"], "a/b/c"),
            // What stands before the colon is no scheme.
            (&["http://a/b/", "1:c"], "http://a/b/1:c"),
        ] {
            assert_eq!(join_bases(bases.iter().copied()), expected, "{bases:?}");
        }
    }
}
