//! The papers that checks cite, inside the binary: each as a page whose headings can be led to.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use super::citations::{PAPERS, TEXTS, anchor};
use super::layout;

/// The page of a paper; `None` when none has this name.
pub fn page(name: &str, lab: Option<&str>) -> Option<String> {
    let (_, text) = TEXTS.iter().find(|(known, _)| *known == name)?;
    let title = text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    Some(layout::front(title, lab, &html! { article.paper { (drawn(text)) } }))
}

/// Markdown as HTML. What it holds of HTML itself is shown as text, and links to files that are not here are text too.
fn drawn(text: &str) -> Markup {
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = here(&dest_url)?;
                Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
            }
            other => Some(other),
        })
        .collect();
    without_lone_ends(&mut events);
    give_anchors(&mut events);
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    PreEscaped(html)
}

/// Where a link of a paper leads from its page.
fn here<'t>(target: &str) -> Option<CowStr<'t>> {
    let (file, rest) =
        target.split_once('#').map_or((target, String::new()), |(file, end)| (file, format!("#{end}")));
    if file.is_empty() || target.starts_with("https://") {
        return Some(target.to_owned().into());
    }
    let name = file.strip_suffix(".md")?;
    TEXTS.iter().any(|(known, _)| *known == name).then(|| format!("{PAPERS}{name}{rest}").into())
}

/// Takes the end of each link away whose beginning was.
fn without_lone_ends(events: &mut Vec<Event<'_>>) {
    let mut open = 0_usize;
    events.retain(|event| match event {
        Event::Start(Tag::Link { .. }) => {
            open += 1;
            true
        }
        // Links do not stand in each other.
        Event::End(TagEnd::Link) => std::mem::take(&mut open) > 0,
        _ => true,
    });
}

fn give_anchors(events: &mut [Event<'_>]) {
    let mut heading = String::new();
    // From the end, so that a heading's text is known where it begins.
    for event in events.iter_mut().rev() {
        match event {
            Event::End(TagEnd::Heading(_)) => heading.clear(),
            Event::Text(text) | Event::Code(text) => heading.insert_str(0, text),
            Event::Start(Tag::Heading { id, .. }) => *id = Some(anchor(&heading).into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_paper_is_a_page_and_each_heading_can_be_led_to() {
        for (name, text) in TEXTS {
            let page = page(name, None).unwrap();
            let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
            for heading in headings.filter(|heading| !heading.contains('`')) {
                assert!(page.contains(&format!("id=\"{}\"", anchor(heading))), "{name}: {heading}");
            }
            assert!(!page.contains("<script>") && page.contains("<table>"), "{name}");
        }
        assert_eq!(page("operating", None), None);
    }

    #[test]
    fn html_in_a_paper_is_text_and_a_link_leads_only_to_what_is_here() {
        let drawn = drawn(
            "## A `b` c\n<script>x</script>\n\n[one](saml.md#which-user) [two](../SECURITY.md) [three](javascript:x)",
        );
        let drawn = drawn.into_string();
        assert!(drawn.contains("<h2 id=\"a-b-c\">") && !drawn.contains("<script"), "{drawn}");
        assert!(drawn.contains("<a href=\"/console/docs/saml#which-user\">one</a>"), "{drawn}");
        assert!(
            drawn.contains(" two ") && drawn.contains(" three") && drawn.matches("<a ").count() == 1,
            "{drawn}"
        );
    }
}
