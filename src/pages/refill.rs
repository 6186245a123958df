//! Puts what was typed back into a form of a page of ours, after its session had ended and the person signed in again.
//!
//! It reads HTML that [`super`] made and nothing else: attributes stand in double quotes, with `<`, `>`, `&` and `"`
//! escaped. Passwords, files and hidden fields stay as they are drawn, but for the editions that fields answer.

use maud::html;

/// Begins the names of hidden fields that say what the others were drawn from.
const EDITION: &str = "edition";
/// Begins those that come with what was typed on another page: such fields stand in no control of this one.
const EDITION_OF: &str = "edition_of_";

/// The page with `values` in its form that goes to `path`; `None` when it has no such form with something to fill in.
pub fn refilled(page: &str, path: &str, values: &[(String, String)]) -> Option<String> {
    let mut before = 0;
    while let Some(at) = page.get(before..)?.find("<form") {
        let start = before + at;
        let end = start + page.get(start..)?.find("</form>")?;
        let form = page.get(start..end)?;
        if goes_to(form, path)
            && let Some(form) = filled(form, values)
        {
            return Some([page.get(..start)?, &form, page.get(end..)?].concat());
        }
        before = end;
    }
    None
}

fn goes_to(form: &str, path: &str) -> bool {
    let path = escaped(path);
    ["action=\"", "formaction=\""]
        .iter()
        .any(|name| form.split(name).skip(1).any(|rest| rest.split(['"', '?']).next() == Some(path.as_str())))
}

/// The form with the values; `None` when none of its controls shows one of them.
fn filled(form: &str, values: &[(String, String)]) -> Option<String> {
    let mut out = String::with_capacity(form.len() * 2);
    let mut rest = form;
    let mut found: Vec<String> = Vec::new();
    let mut shows = false;
    while let Some(at) = ["<input", "<select", "<textarea"].iter().filter_map(|tag| rest.find(tag)).min() {
        let (passed, control) = rest.split_at_checked(at)?;
        out.push_str(passed);
        let end = match control.get(..2)? {
            "<s" => control.find("</select>")?,
            "<t" => control.find("</textarea>")?,
            _ => control.find('>')? + 1,
        };
        let (control, after) = control.split_at_checked(end)?;
        rest = after;
        let tag = control.split_inclusive('>').next()?;
        let name = unescaped(attribute(tag, "name").unwrap_or_default());
        let typed: Vec<&str> =
            values.iter().filter(|(key, _)| *key == name).map(|(_, v)| v.as_str()).collect();
        let drawn = if control.starts_with("<select") {
            typed.first().map(|value| chosen(control, value))
        } else if control.starts_with("<textarea") {
            typed.first().map(|value| format!("{tag}\n{}", escaped(value)))
        } else {
            match attribute(tag, "type").unwrap_or("text") {
                "password" | "file" => None,
                "hidden" if !name.starts_with(EDITION) => None,
                "checkbox" | "radio" => {
                    let own = unescaped(attribute(tag, "value").unwrap_or_default());
                    let bare = tag.replace(" checked", "");
                    let is_on = typed.contains(&own.as_str());
                    Some(if is_on { bare.replacen("<input", "<input checked", 1) } else { bare })
                }
                _ => typed.first().map(|value| with_value(tag, value)),
            }
        };
        shows |= drawn.is_some() && !tag.contains("type=\"hidden\"");
        found.push(name);
        out.push_str(drawn.as_deref().unwrap_or(control));
    }
    out.push_str(rest);
    if values.iter().any(|(name, _)| name.starts_with(EDITION_OF)) {
        for (name, value) in values.iter().filter(|(name, _)| !found.contains(name)) {
            out.push_str(&html! { input type="hidden" name=(name) value=(value); }.into_string());
        }
    }
    shows.then_some(out)
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

fn with_value(tag: &str, value: &str) -> String {
    let bare = match attribute(tag, "value") {
        Some(old) => tag.replacen(&format!(" value=\"{old}\""), "", 1),
        None => tag.to_owned(),
    };
    bare.replacen("<input", &format!("<input value=\"{}\"", escaped(value)), 1)
}

/// A list with one of its options chosen; as it was when it has none of this value.
fn chosen(select: &str, value: &str) -> String {
    let option = format!("<option value=\"{}\"", escaped(value));
    if !select.contains(&option) {
        return select.to_owned();
    }
    select.replace(" selected", "").replacen(&option, &format!("{option} selected"), 1)
}

fn escaped(text: &str) -> String {
    html! { (text) }.into_string()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::pages::form::{Fill, FormField, hidden, post, tick};

    fn values(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn page(fill: &Fill) -> String {
        let options = [("a".to_owned(), "A".to_owned()), ("b\"".to_owned(), "B".to_owned())];
        html! {
            (post("/other", "token", &html! { (FormField::text("line", "L").draw(fill)) }))
            (post("/x?from=y", "token", &html! {
                (hidden("edition", "1")) (hidden("id", "7"))
                (FormField::text("line", "L").draw(fill))
                (FormField::area("area", "A").draw(fill))
                (FormField::select("one", "O", &options).draw(fill))
                (FormField::password("password", "P", "off").draw(fill))
                (tick("on", "yes", "On", "", fill)) (tick("off", "yes", "Off", "", fill))
            }))
        }
        .into_string()
    }

    #[test]
    fn the_form_has_what_was_typed_and_nothing_else_is_touched() {
        const HOSTILE: &str = "\"><script>&";
        let saved = Fill::of([("line", "old"), ("area", "old"), ("one", "a"), ("off", "yes")]);
        let typed = [
            ("edition", "0"),
            ("id", "8"),
            ("form_token", "theirs"),
            ("line", HOSTILE),
            ("area", "\n</textarea>"),
            ("one", "b\""),
            ("password", "secret"),
            ("on", "yes"),
        ];
        let got = refilled(&page(&saved), "/x", &values(&typed)).unwrap();
        let want = Fill::of([("line", HOSTILE), ("area", "\n</textarea>"), ("one", "b\""), ("on", "yes")]);
        let controls = |page: &str| {
            let mut words: Vec<String> =
                page.split_inclusive([' ', '>']).map(|w| w.trim_end_matches([' ', '>']).to_owned()).collect();
            words.sort();
            words
        };
        let other = page(&saved);
        let (other, _) = other.split_once("</form>").unwrap();
        let wanted = page(&want).replace("name=\"edition\" value=\"1\"", "name=\"edition\" value=\"0\"");
        let wanted = format!("{other}</form>{}", wanted.split_once("</form>").unwrap().1);
        assert_eq!(controls(&got), controls(&wanted), "{got}");
        assert!(!got.contains("<script") && !got.contains("secret") && !got.contains("theirs"), "{got}");
    }

    #[test]
    fn a_page_without_the_form_is_left_alone() {
        assert_eq!(refilled(&page(&Fill::default()), "/y", &values(&[("line", "x")])), None);
        assert!(refilled(&page(&Fill::default()), "/x", &values(&[])).is_some());
        assert_eq!(refilled("<form action=\"/x\"><button></form>", "/x", &values(&[("to", "x")])), None);
        assert_eq!(refilled("<form action=\"/x\"><input", "/x", &values(&[])), None);
    }
}
