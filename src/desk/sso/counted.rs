//! Counts as sentences have them.

use crate::model::lists::thousands;

/// A count in words: "1 sign-in", "more than 20,000 sign-ins".
pub(super) fn counted(count: u64, is_cut: bool, one: &str, many: &str) -> String {
    let more = if is_cut { "more than " } else { "" };
    format!("{more}{} {}", thousands(count), if count == 1 && !is_cut { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_with_commas_and_say_when_there_are_more() {
        for (count, is_cut, told) in [
            (0, false, "0 sign-ins"),
            (1, false, "1 sign-in"),
            (999, false, "999 sign-ins"),
            (1204, false, "1,204 sign-ins"),
            (20_000, true, "more than 20,000 sign-ins"),
            (1_000_000, false, "1,000,000 sign-ins"),
        ] {
            assert_eq!(counted(count, is_cut, "sign-in", "sign-ins"), told);
        }
    }
}
