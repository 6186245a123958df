//! The parts from which every page of the console is made. Fields of forms are in [`super::form`], the
//! frame around a page in [`super::layout`].
//!
//! | part | use it for |
//! | --- | --- |
//! | [`header`] | the page's one `h1`, what the page is for, where it belongs, what can be done there |
//! | [`card`], [`flush_card`], [`danger_card`] | one thing on a page, with an `h2`; `flush` for tables and check lists |
//! | [`table`], [`table_of`] | rows that become cards on a phone; never lay a table by hand |
//! | [`badge`] | one word of state: [`Tone::Good`], `Bad`, `Warn`, `Info`, `Plain` |
//! | [`link_button`], [`button`] | going somewhere looks like a link or a plain button; a change is a `button` in a form |
//! | [`notice`] | something that the reader must not miss |
//! | [`pairs`] | facts about one thing: key and value |
//! | [`code`] | a value to be copied: one click selects all of it, and the script adds a button |
//! | [`checks`] | numbered checks, green up to the first red |
//! | [`failed_first`], [`to_failed`] | the same where there are many: the red ones, the others folded; the way to the red one |
//! | [`time`], [`time_utc`] | an instant: where a column or label says "(UTC)", and where none does |
//! | [`breakable`] | a long dotted name in a narrow column |
//!
//! Everything takes plain values and escapes them; nothing here knows a route, a session or the desk.

use maud::{Markup, PreEscaped, html};

use super::citations;
use crate::clock::Timestamp;
use crate::protocol::check::{Check, CheckOutcome};

/// What a colour says. The words beside it say the same, for the one who does not see the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
    Info,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Info => "info",
        }
    }
}

/// A step of the way to a page: its address and its name.
pub type Crumb<'a> = (String, &'a str);

/// The head of a page: the way to it, its title, a sentence on what it is for, and what can be done.
pub fn header(crumbs: &[Crumb<'_>], title: &str, lead: &str, actions: &Markup) -> Markup {
    html! {
        div {
            @if !crumbs.is_empty() {
                nav aria-label="Where you are" {
                    ol.crumbs {
                        @for (address, name) in crumbs { li { a href=(address) { (name) } } }
                    }
                }
            }
            div.head {
                div {
                    h1 { (title) }
                    @if !lead.is_empty() { p.lead { (lead) } }
                }
                @if !actions.0.is_empty() { div.actions { (actions) } }
            }
        }
    }
}

/// A card with a heading, a sentence ("" for none) and its content.
pub fn card(heading: &str, sentence: &str, content: &Markup) -> Markup {
    card_of_class("card", heading, sentence, content)
}

/// A card whose content reaches its edges: a table or a check list.
pub fn flush_card(heading: &str, sentence: &str, content: &Markup) -> Markup {
    card_of_class("card flush", heading, sentence, content)
}

/// A card for what cannot be undone.
pub fn danger_card(heading: &str, sentence: &str, content: &Markup) -> Markup {
    card_of_class("card danger", heading, sentence, content)
}

fn card_of_class(class: &str, heading: &str, sentence: &str, content: &Markup) -> Markup {
    html! {
        section class=(class) {
            @if !heading.is_empty() {
                header {
                    h2 { (heading) }
                    @if !sentence.is_empty() { p { (sentence) } }
                }
            }
            (content)
        }
    }
}

/// A number and what it counts, leading to `address`.
pub fn tile(value: &str, name: &str, address: &str) -> Markup {
    html! { div.tile { b { (value) } span { a href=(address) { (name) } } } }
}

/// The head of a column.
pub struct ColumnHead<'a> {
    /// "" for a column of buttons, which has no label.
    pub label: &'a str,
    /// For a column that sorts.
    pub sort: Option<SortLink>,
}

/// Where a click on a column's head leads.
pub struct SortLink {
    pub address: String,
    /// When the table is sorted by this column: whether the greatest stands first.
    pub descending: Option<bool>,
}

/// A row of a table; `below` stands in a row of its own under it, over the whole width.
pub struct TableRow {
    pub cells: Vec<Markup>,
    pub below: Option<Markup>,
}

impl<'a> From<&'a str> for ColumnHead<'a> {
    fn from(label: &'a str) -> ColumnHead<'a> {
        ColumnHead { label, sort: None }
    }
}

/// A table: on a phone each row becomes a card that names its values by the column. `caption` is read out
/// but not shown. A column named "" has no label, for buttons.
pub fn table(caption: &str, columns: &[&str], rows: &[Vec<Markup>]) -> Markup {
    let heads: Vec<ColumnHead<'_>> = columns.iter().map(|column| ColumnHead::from(*column)).collect();
    let rows: Vec<TableRow> =
        rows.iter().map(|cells| TableRow { cells: cells.clone(), below: None }).collect();
    table_of(caption, &heads, &rows)
}

/// As [`table`], with columns that sort and rows that have more below them.
pub fn table_of(caption: &str, heads: &[ColumnHead<'_>], rows: &[TableRow]) -> Markup {
    // The roles are written out because `display: block`, which makes cards of rows, takes them away.
    html! {
        div.scroll {
            table.cards role="table" {
                caption.unseen { (caption) }
                thead role="rowgroup" { tr role="row" { @for head in heads { (column_head(head)) } } }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" class=[row.below.is_some().then_some("parent")] {
                            @for (head, cell) in heads.iter().zip(&row.cells) {
                                td role="cell" data-label=(head.label) class=[head.label.is_empty().then_some("bare")] {
                                    div { (cell) }
                                }
                            }
                        }
                        @if let Some(below) = &row.below {
                            tr.below role="row" { td.bare role="cell" colspan=(heads.len()) { div { (below) } } }
                        }
                    }
                }
            }
        }
    }
}

fn column_head(head: &ColumnHead<'_>) -> Markup {
    let sorted = head.sort.as_ref().and_then(|sort| sort.descending);
    let order = sorted.map(|descending| if descending { "descending" } else { "ascending" });
    html! {
        th role="columnheader" scope="col" aria-sort=[order] {
            @match &head.sort {
                Some(sort) => a href=(sort.address) {
                    (head.label)
                    @if let Some(descending) = sorted { " " span aria-hidden="true" { (if descending { "▼" } else { "▲" }) } }
                },
                None => @if head.label.is_empty() { span.unseen { "Actions" } } @else { (head.label) },
            }
        }
    }
}

/// Stands where a table would, when there is nothing to show: says so, and what to do.
pub fn empty(sentence: &str, action: &Markup) -> Markup {
    html! { div.empty { p { (sentence) } (action) } }
}

/// One word of state.
pub fn badge(tone: Tone, word: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (word) } }
}

/// A link that looks like a button; `primary` for the page's main way on.
pub fn link_button(address: &str, words: &str, primary: bool) -> Markup {
    html! { a class=(if primary { "button primary" } else { "button" }) href=(address) { (words) } }
}

/// How heavy a button is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonStyle {
    Plain,
    Primary,
    Danger,
    Small,
}

/// A button that sends its form.
pub fn button(words: &str, weight: ButtonStyle) -> Markup {
    html! { button class=(weight_class(weight)) type="submit" { (words) } }
}

/// A button that sends its form and says which button it was.
pub fn choice_button(words: &str, weight: ButtonStyle, name: &str, value: &str) -> Markup {
    html! { button class=(weight_class(weight)) type="submit" name=(name) value=(value) { (words) } }
}

fn weight_class(weight: ButtonStyle) -> &'static str {
    match weight {
        ButtonStyle::Plain => "button",
        ButtonStyle::Primary => "button primary",
        ButtonStyle::Danger => "button danger",
        ButtonStyle::Small => "button small",
    }
}

/// Something that the reader must not miss.
pub fn notice(tone: Tone, content: &Markup) -> Markup {
    html! { div class={ "notice " (tone.class()) } { (content) } }
}

/// Facts about one thing.
pub fn pairs(facts: &[(&str, Markup)]) -> Markup {
    html! { dl.pairs { @for (name, value) in facts { dt { (name) } dd { (value) } } } }
}

/// A value to be copied: one click selects all of it; the console's script shows the button that copies it.
pub fn code(label: &str, value: &str) -> Markup {
    html! {
        div.code {
            @if !label.is_empty() { span.label { (label) } }
            pre tabindex="0" aria-label=(if label.is_empty() { "Value to copy" } else { label }) { (value) }
            button.button.small.copy type="button" hidden {
                b aria-live="polite" { "Copy" } span.unseen { " " (if label.is_empty() { value } else { label }) }
            }
        }
    }
}

/// Numbered checks, green up to the first red.
pub fn checks(checks: &[Check]) -> Markup {
    listed(checks.iter(), None)
}

/// The checks that failed, then the others folded. `place` tells lists of one page apart.
pub fn failed_first(checks: &[Check], place: &str) -> Markup {
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (passed, skipped) = (count(CheckOutcome::Passed), count(CheckOutcome::Skipped));
    let (failed, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.outcome == CheckOutcome::Failed);
    html! {
        @if !failed.is_empty() { (listed(failed.into_iter(), Some(place))) }
        @if !others.is_empty() {
            details.fold {
                summary {
                    (passed) " passed" @if skipped > 0 { ", " (skipped) " not judged" }
                }
                (listed(others.into_iter(), None))
            }
        }
    }
}

/// Leads to the first check that failed in a list of [`failed_first`]; nothing when none did.
pub fn to_failed(checks: &[Check], place: &str) -> Markup {
    html! {
        @if let Some(check) = checks.iter().find(|check| check.outcome == CheckOutcome::Failed) {
            p { a href={ "#" (place) "-" (check.number) } { "Check " (check.number) ", " (check.name) } }
        }
    }
}

fn listed<'c>(checks: impl Iterator<Item = &'c Check>, place: Option<&str>) -> Markup {
    html! {
        ol.checks {
            @for check in checks {
                @let (class, word, mark) = match check.outcome {
                    CheckOutcome::Passed => ("passed", "Passed", TICK),
                    CheckOutcome::Failed => ("failed", "Failed", CROSS),
                    CheckOutcome::Skipped => ("skipped", "Not judged", DASH),
                };
                li class=(class) id=[place.map(|place| format!("{place}-{}", check.number))] {
                    span.mark { (PreEscaped(mark)) span.unseen { (word) ": " } }
                    div {
                        div.what {
                            b { (check.number) ". " (check.name) }
                            @match citations::address_of(&check.clause) {
                                Some(address) => span { a href=(address) { (check.clause) } },
                                None => @if !check.clause.is_empty() { span { (check.clause) } },
                            }
                        }
                        @if check.outcome == CheckOutcome::Failed {
                            (pairs(&[
                                ("Expected", html! { (check.expected) }),
                                ("Got", html! { (check.got) }),
                            ]))
                        } @else if !check.got.is_empty() {
                            p.small.muted.wrap { (check.got) }
                        }
                    }
                }
            }
        }
    }
}

/// A dotted name that may be broken after each of its parts.
pub fn breakable(name: &str) -> Markup {
    html! { @for part in name.split_inclusive(['.', '@', '/', '_']) { (part) wbr; } }
}

/// An instant in UTC, to the second.
pub fn time(at: Timestamp) -> Markup {
    let exact = at.to_string();
    let shown = exact.get(..19).unwrap_or(&exact).replace('T', " ");
    html! { time datetime=(exact) { (shown) } }
}

/// An instant, or a word for its absence.
pub fn time_or(at: Option<Timestamp>, absent: &str) -> Markup {
    match at {
        Some(at) => time(at),
        None => html! { span.muted { (absent) } },
    }
}

/// As [`time`] with its zone, for where no column or label says it.
pub fn time_utc(at: Timestamp) -> Markup {
    html! { (time(at)) "\u{a0}UTC" }
}

/// As [`time_or`] with the zone.
pub fn time_utc_or(at: Option<Timestamp>, absent: &str) -> Markup {
    at.map_or_else(|| time_or(None, absent), time_utc)
}

const TICK: &str = r#"<svg width="14" height="14" viewBox="0 0 14 14" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M2.5 7.5l3 3 6-7"/></svg>"#;
const CROSS: &str = r#"<svg width="14" height="14" viewBox="0 0 14 14" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><path d="M3 3l8 8M11 3l-8 8"/></svg>"#;
const DASH: &str = r#"<svg width="14" height="14" viewBox="0 0 14 14" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><path d="M3 7h8"/></svg>"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HOSTILE: &str = "<script>alert(1)</script>\"'&";

    fn check(page: &Markup) {
        let raw = page.0.contains("<script") || page.0.contains("=\"\"'&");
        assert!(!raw && page.0.contains("&lt;script&gt;"), "{}", page.0);
    }

    #[test]
    fn hostile_values_are_escaped_in_every_component() {
        let cell = html! { (HOSTILE) };
        check(&header(&[(HOSTILE.into(), HOSTILE)], HOSTILE, HOSTILE, &html! {}));
        check(&card(HOSTILE, HOSTILE, &html! {}));
        check(&tile(HOSTILE, HOSTILE, HOSTILE));
        check(&table(HOSTILE, &[HOSTILE], &[vec![cell.clone()]]));
        check(&empty(HOSTILE, &html! {}));
        let sort = Some(SortLink { address: HOSTILE.into(), descending: Some(true) });
        let row = TableRow { cells: vec![cell.clone()], below: Some(cell.clone()) };
        check(&table_of(HOSTILE, &[ColumnHead { label: HOSTILE, sort }], &[row]));
        check(&badge(Tone::Good, HOSTILE));
        check(&breakable(HOSTILE));
        check(&link_button(HOSTILE, HOSTILE, true));
        check(&button(HOSTILE, ButtonStyle::Plain));
        check(&choice_button(HOSTILE, ButtonStyle::Danger, HOSTILE, HOSTILE));
        check(&pairs(&[(HOSTILE, cell)]));
        check(&code(HOSTILE, HOSTILE));
        for outcome in [CheckOutcome::Passed, CheckOutcome::Failed, CheckOutcome::Skipped] {
            let list = [one_check(1, outcome)];
            check(&checks(&list));
            check(&failed_first(&list, "check"));
        }
        check(&to_failed(&[one_check(1, CheckOutcome::Failed)], "check"));
    }

    fn one_check(number: u16, outcome: CheckOutcome) -> Check {
        let [name, clause, expected, got] = [(); 4].map(|()| HOSTILE.to_owned());
        Check { number, name, clause, outcome, expected, got }
    }

    #[test]
    fn what_failed_stands_first_and_can_be_led_to() {
        let list = [
            one_check(1, CheckOutcome::Passed),
            one_check(2, CheckOutcome::Passed),
            one_check(3, CheckOutcome::Failed),
            one_check(4, CheckOutcome::Skipped),
        ];
        let page = failed_first(&list, "check").0;
        let (shown, folded) = page.split_once("<details").unwrap();
        assert!(shown.contains("id=\"check-3\"") && shown.matches("<li").count() == 1, "{page}");
        assert!(folded.contains("2 passed, 1 not judged") && folded.matches("<li").count() == 3, "{page}");
        assert!(to_failed(&list, "check").0.contains("href=\"#check-3\""));
        assert_eq!(to_failed(&list[..2], "check").0, "");
    }

    #[test]
    fn an_instant_is_shown_to_the_second_and_kept_exactly() {
        let shown = time(Timestamp(1_593_908_430_123)).0;
        assert_eq!(shown, "<time datetime=\"2020-07-05T00:20:30.123Z\">2020-07-05 00:20:30</time>");
    }
}
