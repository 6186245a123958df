//! What a list was asked for: order and page. Filters are each list's own.

use crate::http::form::Params;
use crate::model::lists::Count;
use crate::pages::listing::{Chip, Listing, SortChoice};

/// Up to how many rows a list counts exactly.
pub const COUNT_MAX: u32 = 1_000;
/// Rows on one page.
pub const PAGE: u32 = 50;
/// Most pages that can be turned to: who looks further narrows the search.
const PAGES_MAX: u32 = 2_000;

/// Order and page of a list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    pub sort: String,
    pub page: u32,
}

impl ListQuery {
    /// Reads them; the first of `choices` is the order that nobody need ask for.
    pub fn of(params: &Params<'_>, choices: &[SortChoice]) -> ListQuery {
        let asked = params.filled("sort").unwrap_or_default();
        let known = choices.iter().find(|(value, _)| *value == asked).or(choices.first());
        let page = params.filled("page").and_then(|text| text.parse().ok()).unwrap_or(1);
        ListQuery {
            sort: known.map_or_else(String::new, |(value, _)| (*value).to_owned()),
            page: u32::clamp(page, 1, PAGES_MAX),
        }
    }

    /// What is sorted by, without the direction.
    pub fn key(&self) -> &str {
        self.sort.trim_start_matches('-')
    }

    pub fn descending(&self) -> bool {
        self.sort.starts_with('-')
    }

    /// The last page when there are fewer: rows were deleted, or somebody wrote the address.
    pub fn within(self, count: Count) -> ListQuery {
        let last = match count {
            Count::Exactly(count) => u32::try_from(count.div_ceil(u64::from(PAGE))).unwrap_or(PAGES_MAX),
            Count::MoreThan(_) => PAGES_MAX,
        };
        ListQuery { page: self.page.clamp(1, last.max(1)), ..self }
    }

    /// Rows on the pages before this one.
    pub fn offset(&self) -> u32 {
        (self.page - 1).saturating_mul(PAGE)
    }

    /// This page of rows that are all at hand, and how many there are.
    pub fn cut<T>(self, rows: Vec<T>) -> (ListQuery, Vec<T>, Count) {
        let count = Count::Exactly(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        let asked = self.within(count);
        let (skip, take) = (asked.offset(), PAGE);
        let (skip, take) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(take).unwrap_or(0));
        (asked, rows.into_iter().skip(skip).take(take).collect(), count)
    }

    /// The list around the rows.
    pub fn listing(
        self,
        address: &str,
        choices: &[SortChoice],
        chips: Vec<Chip>,
        nouns: (&'static str, &'static str),
        (shown, count): (usize, Count),
    ) -> Listing {
        Listing {
            address: address.to_owned(),
            chips,
            sort: self.sort,
            default_sort: choices.first().map_or("", |(value, _)| value),
            anchor: None,
            page: self.page,
            size: PAGE,
            shown,
            count,
            nouns,
        }
    }
}

/// The chip of a text that is searched for.
pub fn searched(name: &'static str, text: &str) -> Option<Chip> {
    (!text.is_empty()).then(|| Chip { name, value: text.to_owned(), words: format!("“{text}”") })
}

/// The chip of one of several choices, in the words of its option.
pub fn chosen(name: &'static str, value: Option<String>, options: &[(String, String)]) -> Option<Chip> {
    let value = value?;
    let (_, words) = options.iter().find(|(option, _)| *option == value)?;
    Some(Chip { name, words: words.clone(), value })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CHOICES: [SortChoice; 2] = [("name", "Name"), ("-made", "Newest")];

    #[test]
    fn what_cannot_be_asked_for_is_the_first_order_and_a_page_that_exists() {
        for (query, sort, page) in [
            ("", "name", 1),
            ("sort=-made&page=3", "-made", 3),
            ("sort=password_hash&page=0", "name", 1),
            ("sort=-name&page=-1", "name", 1),
            ("page=99999999999", "name", 1),
            ("page=4294967295", "name", 2_000),
        ] {
            let asked = ListQuery::of(&Params::of_query(query), &CHOICES);
            assert_eq!((asked.sort.as_str(), asked.page), (sort, page), "{query}");
        }
        let far = ListQuery::of(&Params::of_query("page=9"), &CHOICES);
        assert_eq!(far.clone().within(Count::Exactly(51)).page, 2);
        assert_eq!(far.clone().within(Count::Exactly(0)).page, 1);
        let (asked, rows, count) = far.cut((0..51).collect());
        assert_eq!((asked.page, rows, count), (2, vec![50], Count::Exactly(51)));
    }
}
