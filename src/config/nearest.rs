//! The known name that somebody probably meant.

/// The one of `known` that is nearest to `given`: a few letters apart, or begun alike. `None` when nothing is near,
/// because a far-fetched guess is worse than none.
pub fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let given = given.to_lowercase();
    let bare = given.trim_start_matches('-').chars().count();
    let far = bare.div_ceil(3).min(3);
    let begun = |name: &str| bare > 1 && name.starts_with(&given);
    known
        .into_iter()
        .map(|name| (distance(&given, &name.to_lowercase()), name))
        .filter(|(apart, name)| *apart <= far || begun(name))
        .min_by_key(|(apart, _)| *apart)
        .map(|(_, name)| name)
}

/// In how many letters two words differ: one is missing, is too many, is another, or has changed places with the
/// next (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, against) in other.iter().enumerate() {
            let replaced = at(&last, j) + usize::from(letter != against);
            let mut least = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let previous =
                |letters: &[char], k: usize| k.checked_sub(1).and_then(|k| letters.get(k).copied());
            if i > 0 && previous(&one, i) == Some(*against) && previous(&other, j) == Some(*letter) {
                least = least.min(at(&before_last, j - 1) + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_nonsense_finds_none() {
        let known = ["serve", "config", "sso", "user", "scim-token", "--name", "--group", "--json"];
        for (given, meant) in [
            ("serv", Some("serve")),
            ("sevre", Some("serve")),
            ("SERVE", Some("serve")),
            ("conf", Some("config")),
            ("uesr", Some("user")),
            ("scim", Some("scim-token")),
            ("--nam", Some("--name")),
            ("--jsno", Some("--json")),
            ("--grup", Some("--group")),
            ("xyzzy", None),
            ("--zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), meant, "{given}");
        }
    }
}
