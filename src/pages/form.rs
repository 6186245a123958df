//! Forms: what was filled in, what is wrong with it, and the fields that show both.
//!
//! A [`Fill`] carries the values and the problems of one form. The same page function draws the fresh
//! form (`Fill::default()`), the form over a thing that exists (`Fill::of([("name", …)])`) and the form
//! that came back with problems. Draw a form so:
//!
//! ```ignore
//! form::post("/console/groups/new", csrf, &fill, &html! {
//!     (FormField::text("name", "Name").hint("As people know it.").required().draw(&fill))
//!     (button("Create group", Weight::Primary))
//! })
//! ```
//!
//! [`post`] puts the token against forgery into the form. [`problems`] goes above it, once a page: it lists
//! what is wrong and links to each field. Passwords are never filled in again.

use maud::{Markup, html};

use crate::model::opened::Values;

/// The name of the field with the token against forgery.
pub const TOKEN_FIELD: &str = "form_token";
/// The name of the field with the values that a form was made from.
pub const OPENED_FIELD: &str = "opened";

/// What stands in a form's fields, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fill {
    values: Vec<(String, String)>,
    problems: Vec<Problem>,
}

/// Something that is wrong: with the field of this name, or, without one, with the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub field: Option<String>,
    pub sentence: String,
}

impl Fill {
    /// Fills fields by name. A name may stand several times: ticked boxes of one name.
    pub fn of<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Fill {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Fill { values, problems: Vec::new() }
    }

    /// Fills a form over what exists with the values `standing`; it says that it was made from those that are there `now`.
    pub fn opened(standing: &Values, now: &Values) -> Fill {
        let fields = standing.iter().filter_map(|(field, value)| match field.split_once('/') {
            Some((name, sent)) => (!value.is_empty()).then_some((name, sent)),
            None => Some((field, value)),
        });
        let carried = form_urlencoded::Serializer::new(String::new()).extend_pairs(now.iter()).finish();
        Fill::of(fields.chain([(OPENED_FIELD, carried.as_str())]))
    }

    /// These fields, and those of `others`.
    pub fn and(mut self, others: Fill) -> Fill {
        self.values.extend(others.values);
        self.problems.extend(others.problems);
        self
    }

    /// Leaves out the fields whose name is `unwanted`.
    pub fn without_those(mut self, unwanted: impl Fn(&str) -> bool) -> Fill {
        self.values.retain(|(name, _)| !unwanted(name));
        self
    }

    /// Adds what is wrong; `field` is the name of a field of the form, if one is at fault.
    pub fn with_problem(mut self, field: Option<&str>, sentence: impl Into<String>) -> Fill {
        self.problems.push(Problem { field: field.map(str::to_owned), sentence: sentence.into() });
        self
    }

    /// The value of a field; "" when it has none.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether this value stands in a field of this name.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(key, held)| key == name && held == value)
    }

    /// What is wrong with the field.
    pub fn problem(&self, name: &str) -> Option<&str> {
        self.problems.iter().find(|p| p.field.as_deref() == Some(name)).map(|p| p.sentence.as_str())
    }

    /// How many things are wrong.
    pub fn count_of_problems(&self) -> usize {
        self.problems.len()
    }

    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        !self.problems.is_empty()
    }
}

/// A form that changes something. `token` is the session's token against forgery.
pub fn post(action: &str, token: &str, content: &Markup) -> Markup {
    html! {
        form method="post" action=(action) accept-charset="utf-8" {
            (token_field(token))
            (content)
        }
    }
}

/// As [`post`], with an `id`: buttons elsewhere on the page may send it.
pub fn post_with_id(id: &str, action: &str, token: &str, content: &Markup) -> Markup {
    html! {
        form id=(id) method="post" action=(action) accept-charset="utf-8" {
            (token_field(token))
            (content)
        }
    }
}

/// A form that uploads a file.
pub fn upload(action: &str, token: &str, content: &Markup) -> Markup {
    html! {
        form method="post" action=(action) enctype="multipart/form-data" accept-charset="utf-8" {
            (token_field(token))
            (content)
        }
    }
}

/// A button that is a form of its own: one change without fields.
pub fn post_button(action: &str, token: &str, button: &Markup) -> Markup {
    post(action, token, button)
}

/// A form that asks: its fields become the address's query. `name` tells it from other searches of the page for those
/// who hear the page.
pub fn ask(name: &str, action: &str, content: &Markup) -> Markup {
    html! { form.filters method="get" action=(action) role="search" aria-label=(name) { (content) } }
}

fn token_field(token: &str) -> Markup {
    html! { input type="hidden" name=(TOKEN_FIELD) value=(token); }
}

/// A value that travels with a form without being shown.
pub fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// What the form was made from, so that who saves it does not undo unseen what somebody else saved meanwhile.
pub fn opened(fill: &Fill) -> Markup {
    html! { @if !fill.value(OPENED_FIELD).is_empty() { (hidden(OPENED_FIELD, fill.value(OPENED_FIELD))) } }
}

/// Tells password managers whose password a form is about; nobody sees it, and the server does not read it.
pub fn whose(name: &str) -> Markup {
    html! {
        input.unseen type="text" name="username" value=(name) autocomplete="username" readonly tabindex="-1"
            aria-hidden="true";
    }
}

/// What is wrong with a form, each line leading to its field; nothing when nothing is. Takes the focus.
pub fn problems(fill: &Fill) -> Markup {
    html! {
        @if fill.is_wrong() {
            div.notice.bad role="alert" tabindex="-1" autofocus {
                h2 { "That did not work yet" }
                ul {
                    @for problem in &fill.problems {
                        li {
                            @match &problem.field {
                                Some(field) => a href={ "#f-" (field) } { (problem.sentence) },
                                None => (problem.sentence),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One field with its label, its hint and its problem. It has no most: a browser would cut what is pasted, and
/// say nothing.
pub struct FormField<'a> {
    name: &'a str,
    label: &'a str,
    kind: FieldKind<'a>,
    hint: &'a str,
    more: &'a str,
    required: bool,
    autocomplete: &'a str,
    class: &'a str,
    marks_optional: bool,
}

enum FieldKind<'a> {
    Input(&'a str),
    Area,
    Select(&'a [(String, String)]),
}

impl<'a> FormField<'a> {
    fn new(name: &'a str, label: &'a str, kind: FieldKind<'a>) -> FormField<'a> {
        let (hint, more, autocomplete, class) = ("", "", "off", "");
        FormField {
            name,
            label,
            kind,
            hint,
            more,
            required: false,
            autocomplete,
            class,
            marks_optional: true,
        }
    }

    /// A line of text.
    pub fn text(name: &'a str, label: &'a str) -> FormField<'a> {
        FormField::new(name, label, FieldKind::Input("text"))
    }

    /// A line of another HTML input type: `email`, `date`, `number`, `search`, `tel`, `url`.
    pub fn of_type(name: &'a str, label: &'a str, input_type: &'a str) -> FormField<'a> {
        FormField::new(name, label, FieldKind::Input(input_type))
    }

    /// A password: never filled in again. `autocomplete` is `new-password` or `current-password`.
    pub fn password(name: &'a str, label: &'a str, autocomplete: &'a str) -> FormField<'a> {
        FormField { autocomplete, ..FormField::new(name, label, FieldKind::Input("password")) }
    }

    /// Several lines of text.
    pub fn area(name: &'a str, label: &'a str) -> FormField<'a> {
        FormField::new(name, label, FieldKind::Area)
    }

    /// One of several: value and words of each.
    pub fn select(name: &'a str, label: &'a str, options: &'a [(String, String)]) -> FormField<'a> {
        FormField { marks_optional: false, ..FormField::new(name, label, FieldKind::Select(options)) }
    }

    /// A file to upload; `accept` as in HTML, such as `.csv,text/csv`.
    pub fn file(name: &'a str, label: &'a str) -> FormField<'a> {
        FormField::new(name, label, FieldKind::Input("file"))
    }

    /// Says what to type, or what it is for.
    pub fn hint(self, hint: &'a str) -> FormField<'a> {
        FormField { hint, ..self }
    }

    /// Explains more, folded under the field.
    pub fn more(self, more: &'a str) -> FormField<'a> {
        FormField { more, ..self }
    }

    /// The form cannot be sent without it.
    pub fn required(self) -> FormField<'a> {
        FormField { required: true, ..self }
    }

    /// What the browser may fill in: a token of HTML's `autocomplete`.
    pub fn autocomplete(self, autocomplete: &'a str) -> FormField<'a> {
        FormField { autocomplete, ..self }
    }

    /// Drawn in the type of code, over the whole width.
    pub fn code(self) -> FormField<'a> {
        FormField { class: "code-text", ..self }
    }

    /// Drawn narrow, for a number or a date.
    pub fn short(self) -> FormField<'a> {
        FormField { class: "short", ..self }
    }

    /// Not marked "optional": in a filter everything is.
    pub fn unmarked(self) -> FormField<'a> {
        FormField { marks_optional: false, ..self }
    }

    /// Draws the field with its value and its problem.
    pub fn draw(&self, fill: &Fill) -> Markup {
        let id = format!("f-{}", self.name);
        let problem = fill.problem(self.name);
        let told = [(!self.hint.is_empty()).then_some("-hint"), problem.is_some().then_some("-problem")];
        let told: Vec<String> = told.iter().flatten().map(|suffix| format!("{id}{suffix}")).collect();
        let described = (!told.is_empty()).then(|| told.join(" "));
        let invalid = problem.is_some().then_some("true");
        html! {
            div class={ "field" @if problem.is_some() { " wrong" } @if self.class == "short" { " brief" } } {
                label for=(id) {
                    (self.label)
                    @if !self.required && self.marks_optional { span.optional { " (optional)" } }
                }
                @if !self.hint.is_empty() { p.hint id={ (id) "-hint" } { (self.hint) } }
                @if let Some(sentence) = problem { p.wrong-text id={ (id) "-problem" } { (sentence) } }
                @match self.kind {
                    FieldKind::Input(kind) => {
                        input id=(id) name=(self.name) type=(kind) required[self.required]
                            value=[self.shown(fill, kind)] class=[self.class()]
                            autocomplete=(self.autocomplete) spellcheck=[spellcheck(kind)]
                            autocapitalize=[spellcheck(kind).map(|_| "none")]
                            aria-describedby=[described] aria-invalid=[invalid];
                    },
                    FieldKind::Area => {
                        // A browser drops the first line break of a textarea, so one is always there.
                        textarea id=(id) name=(self.name) required[self.required]
                            autocomplete=(self.autocomplete) spellcheck="false"
                            aria-describedby=[described] aria-invalid=[invalid]
                            { "\n" (fill.value(self.name)) }
                    },
                    FieldKind::Select(options) => {
                        select id=(id) name=(self.name) aria-describedby=[described] aria-invalid=[invalid] {
                            @for (value, words) in options {
                                option value=(value) selected[fill.value(self.name) == value] { (words) }
                            }
                        }
                    },
                }
                (folded(self.label, self.more))
            }
        }
    }

    fn shown<'f>(&self, fill: &'f Fill, kind: &str) -> Option<&'f str> {
        (!matches!(kind, "password" | "file")).then(|| fill.value(self.name))
    }

    fn class(&self) -> Option<&str> {
        Some(self.class).filter(|class| !class.is_empty())
    }
}

/// Names and identifiers are not prose: no red wave under them, no capitals put in front.
fn spellcheck(kind: &str) -> Option<&'static str> {
    matches!(kind, "text" | "search").then_some("false")
}

/// What explains more of a field, folded; nothing for "".
fn folded(label: &str, more: &str) -> Markup {
    html! {
        @if !more.is_empty() {
            details.more { summary { "More" span.unseen { " about " (label) } } p.hint { (more) } }
        }
    }
}

/// A box to tick: sends `name=value` when ticked.
pub fn tick(name: &str, value: &str, label: &str, hint: &str, fill: &Fill) -> Markup {
    tick_of_type("checkbox", name, value, label, (hint, ""), fill)
}

/// As [`tick`], with what explains more, folded.
pub fn tick_with_more(
    name: &str,
    value: &str,
    label: &str,
    (hint, more): (&str, &str),
    fill: &Fill,
) -> Markup {
    tick_of_type("checkbox", name, value, label, (hint, more), fill)
}

/// One of several choices of one name, each with its own hint; put them into [`fieldset`].
pub fn radio(name: &str, value: &str, label: &str, hint: &str, fill: &Fill) -> Markup {
    tick_of_type("radio", name, value, label, (hint, ""), fill)
}

fn tick_of_type(
    kind: &str,
    name: &str,
    value: &str,
    label: &str,
    (hint, more): (&str, &str),
    fill: &Fill,
) -> Markup {
    let id = format!("f-{name}-{value}");
    let told = (!hint.is_empty()).then(|| format!("{id}-hint"));
    html! {
        div.tick {
            input type=(kind) id=(id) name=(name) value=(value) checked[fill.has(name, value)]
                aria-describedby=[told];
            label for=(id) { (label) }
            @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
            (folded(label, more))
        }
    }
}

/// Several fields that answer one question.
pub fn fieldset(legend: &str, content: &Markup) -> Markup {
    html! { fieldset { legend { (legend) } (content) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>";

    fn check(page: &Markup) {
        assert!(!page.0.contains("<script") && page.0.contains("&lt;script&gt;"), "{}", page.0);
    }

    #[test]
    fn hostile_values_are_escaped_in_every_field() {
        let fill = Fill::of([("a", HOSTILE)]).with_problem(Some("a"), HOSTILE).with_problem(None, HOSTILE);
        let options = [(HOSTILE.to_owned(), HOSTILE.to_owned())];
        check(&FormField::text("a", HOSTILE).hint(HOSTILE).draw(&fill));
        check(&FormField::area("a", "A").draw(&fill));
        check(&FormField::select("a", "A", &options).draw(&fill));
        check(&problems(&fill));
        check(&post(HOSTILE, HOSTILE, &html! {}));
        check(&upload(HOSTILE, HOSTILE, &html! {}));
        check(&hidden(HOSTILE, HOSTILE));
        check(&tick(HOSTILE, HOSTILE, HOSTILE, HOSTILE, &fill));
        check(&tick_with_more(HOSTILE, HOSTILE, HOSTILE, (HOSTILE, HOSTILE), &fill));
        check(&FormField::text("a", HOSTILE).more(HOSTILE).draw(&fill));
        check(&fieldset(HOSTILE, &html! {}));
        check(&post_with_id(HOSTILE, HOSTILE, HOSTILE, &html! {}));
    }

    #[test]
    fn a_problem_leads_to_its_field_and_is_told_with_it() {
        let fill = Fill::of([("name", "x")]).with_problem(Some("name"), "Too short.");
        assert!(problems(&fill).0.contains("<a href=\"#f-name\">Too short.</a>"));
        let field = FormField::text("name", "Name").hint("Any.").draw(&fill).0;
        assert!(field.contains("aria-describedby=\"f-name-hint f-name-problem\""), "{field}");
        assert!(field.contains("aria-invalid=\"true\""), "{field}");
    }

    #[test]
    fn a_password_is_never_filled_in_again() {
        let fill = Fill::of([("password", "s3cret")]);
        assert!(
            !FormField::password("password", "Password", "new-password").draw(&fill).0.contains("s3cret")
        );
    }

    #[test]
    fn ticked_boxes_of_one_name_are_kept_apart() {
        let fill = Fill::of([("s", "one"), ("s", "two")]);
        assert!(tick("s", "two", "Two", "", &fill).0.contains("checked"));
        assert!(!tick("s", "three", "Three", "", &fill).0.contains("checked"));
    }
}
