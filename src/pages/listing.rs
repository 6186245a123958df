//! What every list has around its rows: the line that says how many were found and by what, columns that sort, and
//! the way to other pages. All of it is in the address, so that a list can be sent, kept and come back to.

use maud::{Markup, html};

use super::components::{ColumnHead, SortLink, empty};
use super::form::{Fill, FormField};
use crate::model::lists::{Count, thousands};

/// Most characters of a list's address that travels with the links to its rows.
const FROM_MAX: usize = 1_500;

/// One filter that is set: its field and value, and what it says to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    pub name: &'static str,
    pub value: String,
    pub words: String,
}

/// One order of a list: as it stands in the address, with a leading `-` for descending, and in words.
pub type SortChoice = (&'static str, &'static str);

/// A page of a list, without its rows.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The list's address, without a query.
    pub address: String,
    pub chips: Vec<Chip>,
    /// As in [`SortChoice`].
    pub sort: String,
    /// The order that needs no word in the address.
    pub default_sort: &'static str,
    /// What every page of this list is counted from, where rows may be added meanwhile: name and value.
    pub anchor: Option<(&'static str, i64)>,
    /// From 1 on.
    pub page: u32,
    pub size: u32,
    /// Rows on this page.
    pub shown: usize,
    /// Rows of all pages.
    pub count: Count,
    /// One of the rows, and several: "user", "users".
    pub nouns: (&'static str, &'static str),
}

impl Listing {
    /// The address of this page of the list, with all that was asked for.
    pub fn here(&self) -> String {
        self.with(None, &self.sort, self.page)
    }

    /// The address of something that is opened from the list and leads back to it.
    pub fn to(&self, address: &str) -> String {
        let here = self.here();
        if here == self.address || here.len() > FROM_MAX {
            return address.to_owned();
        }
        let from: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
        format!("{address}?from={from}")
    }

    /// What was asked for besides order and page, percent-encoded; "" for nothing.
    pub fn filters(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for chip in &self.chips {
            query.append_pair(chip.name, &chip.value);
        }
        query.finish()
    }

    fn with(&self, without: Option<&Chip>, sort: &str, page: u32) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for chip in self.chips.iter().filter(|chip| Some(*chip) != without) {
            query.append_pair(chip.name, &chip.value);
        }
        if sort != self.default_sort {
            query.append_pair("sort", sort);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
            if let Some((name, value)) = self.anchor {
                query.append_pair(name, &value.to_string());
            }
        }
        let query = query.finish();
        if query.is_empty() { self.address.clone() } else { format!("{}?{query}", self.address) }
    }

    /// A column that sorts. `first` is the order that its first click asks for.
    pub fn head<'h>(&self, label: &'h str, first: &str) -> ColumnHead<'h> {
        let key = first.trim_start_matches('-');
        let current = (self.sort.trim_start_matches('-') == key).then(|| self.sort.starts_with('-'));
        let next = match current {
            Some(true) => key.to_owned(),
            Some(false) => format!("-{key}"),
            None => first.to_owned(),
        };
        ColumnHead { label, sort: Some(SortLink { address: self.with(None, &next, 1), descending: current }) }
    }

    /// The field with all orders, which works where columns have no heads.
    pub fn sort_field(&self, choices: &[SortChoice]) -> Markup {
        let options: Vec<_> =
            choices.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
        FormField::select("sort", "Sort", &options).draw(&Fill::of([("sort", self.sort.as_str())]))
    }

    /// How many were found, by what, and how to take that back.
    pub fn found(&self) -> Markup {
        let (one, several) = self.nouns;
        let matching = if self.chips.is_empty() { "" } else { " match" };
        let sentence = match self.count {
            Count::Exactly(1) if self.chips.is_empty() => format!("1 {one}"),
            Count::Exactly(1) => format!("1 {one} matches"),
            Count::Exactly(count) => format!("{} {several}{matching}", thousands(count)),
            Count::MoreThan(count) => format!("More than {} {several}{matching}", thousands(count)),
        };
        html! {
            div.found {
                b role="status" { (sentence) }
                @for chip in &self.chips {
                    a.chip href=(self.with(Some(chip), &self.sort, 1)) {
                        span.unseen { "Remove the filter: " } (chip.words) " " span aria-hidden="true" { "×" }
                    }
                }
                @if !self.chips.is_empty() { a href=(self.cleared()) { "Clear all" } }
            }
        }
    }

    fn cleared(&self) -> String {
        Listing { chips: Vec::new(), ..self.clone() }.with(None, &self.sort, 1)
    }

    /// Stands where the rows would, when there are none: `nothing` says what to do when the list has none at all.
    pub fn none(&self, nothing: &str, action: &Markup) -> Markup {
        if self.chips.is_empty() {
            return empty(nothing, action);
        }
        let by: Vec<&str> = self.chips.iter().map(|chip| chip.words.as_str()).collect();
        let sentence = format!("No {} match {}.", self.nouns.1, by.join(", "));
        empty(&sentence, &html! { a href=(self.cleared()) { "Clear all" } })
    }

    /// Which rows these are, and the way to the other pages.
    pub fn pager(&self) -> Markup {
        let before = u64::from(self.page.saturating_sub(1)) * u64::from(self.size);
        let (first, last) = (before + 1, before + u64::try_from(self.shown).unwrap_or(u64::MAX));
        let range = format!("{} to {}", thousands(first), thousands(last));
        let (sentence, is_last) = match self.count {
            Count::Exactly(count) => (format!("{range} of {}", thousands(count)), last >= count),
            Count::MoreThan(count) if last <= count => {
                (format!("{range} of more than {}", thousands(count)), false)
            }
            Count::MoreThan(_) => (range, u64::try_from(self.shown).is_ok_and(|n| n < u64::from(self.size))),
        };
        let pages = match self.count {
            Count::Exactly(count) => {
                Some(u32::try_from(count.div_ceil(u64::from(self.size.max(1)))).unwrap_or(1))
            }
            Count::MoreThan(_) => None,
        };
        html! {
            @if self.shown > 0 {
                nav.pager aria-label="Pages" {
                    span { (sentence) }
                    @if self.page > 1 || !is_last {
                        ul {
                            @if self.page > 1 {
                                li { a href=(self.with(None, &self.sort, self.page - 1)) rel="prev" { "Previous" } }
                            }
                            @for step in steps(self.page, pages) {
                                @match step {
                                    Some(page) if page == self.page => {
                                        li { span aria-current="page" { span.unseen { "Page " } (page) } }
                                    },
                                    Some(page) => {
                                        li.wide-only { a href=(self.with(None, &self.sort, page)) { span.unseen { "Page " } (page) } }
                                    },
                                    None => li.wide-only { span { "…" } },
                                }
                            }
                            @if !is_last {
                                li { a href=(self.with(None, &self.sort, self.page + 1)) rel="next" { "Next" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The pages that a pager names: the first, those around the present one, the last; `None` is a gap.
fn steps(page: u32, pages: Option<u32>) -> Vec<Option<u32>> {
    let last = pages.unwrap_or(page).max(page);
    let mut named: Vec<u32> = vec![1, page.saturating_sub(1), page];
    named.extend([page + 1, last].into_iter().filter(|page| *page <= last));
    named.retain(|page| *page >= 1);
    named.sort_unstable();
    named.dedup();
    let mut steps = Vec::new();
    let mut before = 0;
    for page in named {
        match page - before {
            1 => {}
            2 => steps.push(Some(page - 1)),
            _ => steps.push(None),
        }
        steps.push(Some(page));
        before = page;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(page: u32, shown: usize, count: Count) -> Listing {
        Listing {
            address: "/console/x".into(),
            chips: Vec::new(),
            sort: "name".into(),
            default_sort: "name",
            anchor: None,
            page,
            size: 10,
            shown,
            count,
            nouns: ("user", "users"),
        }
    }

    #[test]
    fn a_pager_says_which_rows_these_are_and_leads_both_ways() {
        let page = listing(3, 10, Count::Exactly(137)).pager().0;
        assert!(
            page.contains("21 to 30 of 137") && page.contains("Previous") && page.contains("Next"),
            "{page}"
        );
        assert!(page.contains("/console/x?page=14\""), "{page}");
        let last = listing(14, 7, Count::Exactly(137)).pager().0;
        assert!(last.contains("131 to 137 of 137") && !last.contains("Next"), "{last}");
        let only = listing(1, 3, Count::Exactly(3)).pager().0;
        assert!(only.contains("1 to 3 of 3") && !only.contains("<a "), "{only}");
        let many = listing(2, 10, Count::MoreThan(1000)).pager().0;
        assert!(many.contains("11 to 20 of more than 1,000") && many.contains("Next"), "{many}");
        let beyond = listing(101, 10, Count::MoreThan(1000)).pager().0;
        assert!(beyond.contains("1,001 to 1,010<") && beyond.contains("Next"), "{beyond}");
        assert!(!listing(102, 4, Count::MoreThan(1000)).pager().0.contains("Next"));
    }

    #[test]
    fn a_column_sorts_one_way_and_then_the_other() {
        let list = listing(2, 10, Count::Exactly(20));
        let link = |first: &str, list: &Listing| {
            list.head("X", first).sort.map(|sort| (sort.address, sort.descending))
        };
        assert_eq!(link("name", &list), Some(("/console/x?sort=-name".into(), Some(false))));
        assert_eq!(link("-made", &list), Some(("/console/x?sort=-made".into(), None)));
        let down = Listing { sort: "-name".into(), ..list };
        assert_eq!(link("name", &down), Some(("/console/x".into(), Some(true))));
    }

    #[test]
    fn a_chip_takes_its_filter_away_and_the_list_can_be_come_back_to() {
        let chip = |name, value: &str| Chip { name, value: value.into(), words: format!("“{value}”") };
        let chips = vec![chip("search", "a&b"), chip("state", "locked")];
        let list = Listing { chips, ..listing(2, 10, Count::Exactly(20)) };
        assert_eq!(list.here(), "/console/x?search=a%26b&state=locked&page=2");
        assert_eq!(list.to("/y"), "/y?from=%2Fconsole%2Fx%3Fsearch%3Da%2526b%26state%3Dlocked%26page%3D2");
        let found = list.found().0;
        assert!(found.contains("20 users match") && found.contains("Clear all"), "{found}");
        assert!(found.contains("href=\"/console/x?state=locked\"") && found.contains("href=\"/console/x\""));
        assert!(list.none("None.", &html! {}).0.contains("No users match “a&amp;b”, “locked”."));
        assert_eq!(listing(1, 0, Count::Exactly(0)).to("/y"), "/y");
    }

    #[test]
    fn a_pager_names_the_first_the_last_and_those_around() {
        let shown = |page, pages| {
            let steps = steps(page, pages);
            steps.iter().map(|s| s.map_or("…".into(), |p| p.to_string())).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(1, Some(1)), "1");
        assert_eq!(shown(3, Some(14)), "1 2 3 4 … 14");
        assert_eq!(shown(7, Some(14)), "1 … 6 7 8 … 14");
        assert_eq!(shown(9, None), "1 … 8 9");
    }
}
