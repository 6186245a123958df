//! The appliance: what needs attention first, then every line that the doctor wrote.

use maud::{Markup, html};

use crate::clock::Timestamp;
use crate::model::doctor::Finding;
use crate::model::sso::health::Condition;
use crate::pages::components::{Tone, badge, card, header, notice, time};
use crate::pages::layout::{Frame, MenuEntry, console};

/// What the page shows.
pub struct ApplianceView<'a> {
    pub findings: &'a [Finding],
    pub now: Timestamp,
}

/// All findings; those that need attention first.
pub fn overview(frame: &Frame<'_>, view: &ApplianceView<'_>) -> String {
    let needs = |f: &&Finding| matches!(f.condition, Condition::Attention | Condition::Bad);
    let (wanting, fine): (Vec<&Finding>, Vec<&Finding>) = view.findings.iter().partition(needs);
    let content = html! {
        (header(&[], "Appliance", "The results of all checks: the server, its data, and what expires soon.", &html! {}))
        @let others = if wanting.is_empty() { "All checks" } else { "Everything else" };
        @if wanting.is_empty() {
            (notice(Tone::Good, &html! { p { "All is well, checked " (time(view.now)) " UTC." } }))
        } @else {
            (card("Needs attention", "", &lines(&wanting)))
        }
        (card(others, "", &lines(&fine)))
        p.muted { "On the host, " code { "sidelight doctor" } " shows the same checks, even when nobody can sign in." }
    };
    console(frame, MenuEntry::Appliance, "Appliance", false, &content)
}

fn lines(findings: &[&Finding]) -> Markup {
    html! {
        dl.pairs {
            @for finding in findings {
                dt { (mark(finding.condition)) " " (finding.label) }
                dd {
                    p { (finding.says) }
                    @if !finding.repair.is_empty() { p { b { "To do: " } (finding.repair) } }
                    @if let Some((address, words)) = place(finding.name) { p { a href=(address) { (words) } } }
                }
            }
        }
    }
}

/// Where the console has more of it.
fn place(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "backup" | "key_file" => Some(("/console/backups", "See backups")),
        "access_log" => Some(("/console/access-log", "See the access log")),
        _ => None,
    }
}

fn mark(condition: Condition) -> Markup {
    match condition {
        Condition::Good => badge(Tone::Good, "Good"),
        Condition::Attention => badge(Tone::Warn, "Attention"),
        Condition::Bad => badge(Tone::Bad, "Bad"),
        Condition::Off => badge(Tone::Plain, "Not judged"),
    }
}
