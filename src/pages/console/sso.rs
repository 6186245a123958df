//! SSO Configure: the form with every field, both sides' keys, the upload and what it would change.

use maud::{Markup, html};

use super::{crumbs, guessed_origin, own};
use crate::model::sso::addresses::Addresses;
use crate::model::sso::fields::{Entry, FIELDS, Field as SsoField, Section, edition};
use crate::model::sso::{Configuration, IDP_KEYS_MAX, KeyFacts, Status};
use crate::pages::components::{
    Tone, Weight, badge, button, card, choice_button, code, danger_card, empty, flush_card, header,
    link_button, notice, pairs, table, time, time_or,
};
use crate::pages::form::{self, Field, Fill};
use crate::pages::layout::{Frame, Place, console};

/// What the page shows.
pub struct ConfigureView<'a> {
    pub configuration: &'a Configuration,
    pub keys: &'a [KeyFacts],
    pub own_keys: &'a [KeyFacts],
    pub problems: &'a [String],
    /// A sign-in that begins here would reach the identity provider.
    pub ready: bool,
    pub addresses: &'a Addresses,
    /// Whether their origin is only what the browser says.
    pub origin_is_guessed: bool,
}

const TITLE: &str = "SSO Configure";
const LEAD: &str = "The group's people sign in with their organisation's own sign-in.";

/// The page; `fill` holds the form's values and what is wrong with them.
pub fn configure(frame: &Frame<'_>, view: &ConfigureView<'_>, fill: &Fill) -> String {
    let actions = html! {
        (link_button(&own(frame, "/sso/attempts"), "Attempts", false))
        @if view.ready { (link_button(&view.addresses.test, "Test this connection", true)) }
    };
    let content = html! {
        (form::problems(fill))
        (header(&crumbs(frame, &[]), TITLE, LEAD, &actions))
        (standing(frame, view))
        (tell(view))
        (metadata_card(frame, fill))
        (keys_card(frame, view.keys, fill))
        (fields_form(frame, view.configuration, fill))
        (own_keys_card(frame, view.own_keys))
    };
    console(frame, Place::SignOn, TITLE, fill.is_wrong(), &content)
}

fn tell(view: &ConfigureView<'_>) -> Markup {
    let sentence = "Most take our metadata, by its address or as a file, and need nothing else.";
    card(
        "Tell the identity provider",
        sentence,
        &html! {
            (guessed_origin(view.origin_is_guessed))
            (code("Our metadata, which says the next two", &view.addresses.metadata))
            (code("ACS URL, to be copied exactly", &view.addresses.acs))
            (code("Entity ID", &view.configuration.sp_entity_id))
            p { "By the NameID it must name the user: e-mail address, Glance Address or Partner User ID. By an attribute "
                "instead: set User Identity Attribute Name below." }
            div.actions { (link_button(&view.addresses.metadata, "Metadata as a file", false)) }
        },
    )
}

/// Whether it is on, and what is missing.
fn standing(frame: &Frame<'_>, view: &ConfigureView<'_>) -> Markup {
    let problems = html! {
        @match view.problems {
            [only] => p { (only) },
            several => ul { @for problem in several { li { (problem) } } },
        }
    };
    let status = view.configuration.status;
    html! {
        @if view.ready {
            (notice(Tone::Good, &html! {
                p { "Single sign-on is on. Operational Status: " (status.label()) "." }
                @if status == Status::Provisioning {
                    p { "When people sign in, set it to Production: from then on only refusals are kept." }
                    (form::post_button(
                        &own(frame, "/sso/production"),
                        frame.token,
                        &button("Set Production", Weight::Small),
                    ))
                }
            }))
            (card("Sign in here", "For a first try. It ends on a page that says who is signed in.", &html! {
                (code("Sign-in address", &view.addresses.sign_in))
                div.actions { (link_button(&view.addresses.sign_in, "Sign in", false)) }
            }))
        }
        @if !view.problems.is_empty() { (notice(Tone::Warn, &problems)) }
    }
}

fn metadata_card(frame: &Frame<'_>, fill: &Fill) -> Markup {
    let sentence = "Fills in most fields and the keys. What it would change is shown before it is saved.";
    card(
        "Metadata File Upload",
        sentence,
        &form::upload(
            &own(frame, "/sso/metadata"),
            frame.token,
            &html! {
                (Field::file("metadata_file", "Metadata file").unmarked().draw(fill))
                (Field::area("metadata_text", "Or its text, pasted").code().unmarked().draw(fill))
                (Field::text("entity", "Entity ID, when the file has several").draw(fill))
                div.actions { (button("Show what it would change", Weight::Primary)) }
            },
        ),
    )
}

fn keys_card(frame: &Frame<'_>, keys: &[KeyFacts], fill: &Fill) -> Markup {
    let sentence = "An answer signed by any of them is taken. To change keys: add the second, let the identity \
                    provider switch, and remove the first once it is out of use.";
    let rows: Vec<Vec<Markup>> = keys
        .iter()
        .map(|key| {
            let fingerprint = key.fingerprint.get(..16).unwrap_or(&key.fingerprint);
            let remove = form::post_button(
                &own(frame, "/sso/keys/remove"),
                frame.token,
                &html! {
                    (form::hidden("fingerprint", &key.fingerprint))
                    (button("Remove", Weight::Small))
                },
            );
            vec![
                facts_of(key),
                html! { code { (fingerprint) } },
                ends(key),
                time_or(key.used_at, "Never"),
                remove,
            ]
        })
        .collect();
    let add = form::post(
        &own(frame, "/sso/keys"),
        frame.token,
        &html! {
            (Field::area("certificate", "Additional X.509 Public Key")
                .hint("PEM, with or without its lines.").code().required().draw(fill))
            div.actions { (button("Add key", Weight::Primary)) }
        },
    );
    html! {
        (flush_card("X.509 Public Keys", sentence, &html! {
            @if rows.is_empty() { (empty("There is no key yet: every sign-in is refused.", &html! {})) }
            @else { (table("X.509 public keys", &["Key", "SHA-256", "Ends", "Last verified", ""], &rows)) }
        }))
        @if keys.len() < IDP_KEYS_MAX { (card("", "", &add)) }
    }
}

fn own_keys_card(frame: &Frame<'_>, keys: &[KeyFacts]) -> Markup {
    let sentence = "For Encrypted SAML 2.0. The newest certificate stands in our metadata; older pairs still decrypt \
                    until they are removed.";
    let address = own(frame, "/sso/own-keys");
    let make = form::post_button(&address, frame.token, &button("Make a key pair", Weight::Plain));
    html! {
        (card("Our encryption keys", sentence, &html! {
            @for key in keys {
                (pairs(&[
                    ("Number", html! { (key.position) }),
                    ("Made", time(key.added_at)),
                    ("Ends", ends(key)),
                    ("Last used", time_or(key.used_at, "Never")),
                    ("SHA-256", html! { code { (key.fingerprint) } }),
                ]))
                (code("Certificate, Base64 of its DER", &base64_of(&key.certificate)))
                (form::post_button(&own(frame, "/sso/own-keys/remove"), frame.token, &html! {
                    (form::hidden("number", &key.position.to_string()))
                    (button("Remove this pair", Weight::Small))
                }))
            }
            (make)
        }))
    }
}

fn base64_of(der: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(der)
}

fn facts_of(key: &KeyFacts) -> Markup {
    html! {
        (key.subject)
        p.small.muted { "Key " (key.position) ", " (key.kind) }
        @for warning in &key.warnings { p.small { (badge(Tone::Warn, "Warning")) " " (warning) } }
    }
}

fn ends(key: &KeyFacts) -> Markup {
    time(key.ends_at)
}

/// The form's field that says which configuration its values were drawn from.
pub const EDITION: &str = "edition";

fn fields_form(frame: &Frame<'_>, configuration: &Configuration, fill: &Fill) -> Markup {
    let answered = match fill.value(EDITION) {
        "" => edition(configuration),
        opened => opened.to_owned(),
    };
    let section = |heading: &str, section: Section| {
        html! {
            (form::fieldset(heading, &html! {
                @for field in FIELDS.iter().filter(|field| field.section == section) { (drawn(field, fill)) }
            }))
        }
    };
    card(
        "Configuration",
        "",
        &form::post(
            &own(frame, "/sso"),
            frame.token,
            &html! {
                (form::hidden(EDITION, &answered))
                (section("Connection", Section::Connection))
                (section("Request", Section::Request))
                (section("Sign-in", Section::SignIn))
                (section("Autoprovisioning", Section::Autoprovisioning))
                p { a href=(own(frame, "/sso/attributes")) { "Attributes of recent assertions to pick from" } }
                (section("For old identity providers", Section::Legacy))
                div.actions.staying { (button("Save", Weight::Primary)) }
            },
        ),
    )
}

fn drawn(field: &SsoField, fill: &Fill) -> Markup {
    let hint = match field.warning {
        "" => field.help.to_owned(),
        warning => format!("{} Warning: {warning}", field.help),
    };
    match field.entry {
        Entry::Line => Field::text(field.name, field.label).hint(&hint).unmarked().draw(fill),
        Entry::Lines => Field::area(field.name, field.label).hint(&hint).unmarked().draw(fill),
        Entry::Switch => form::tick(field.name, "true", field.label, &hint, fill),
        Entry::OneOf(choices) => {
            let options: Vec<(String, String)> =
                choices.iter().map(|c| (c.word.to_owned(), c.label.to_owned())).collect();
            Field::select(field.name, field.label, &options).hint(&hint).draw(fill)
        }
    }
}

/// What an upload would change.
pub struct PreviewView<'a> {
    /// The identity provider that was read.
    pub entity: &'a str,
    /// Label, before, after.
    pub changes: &'a [(&'a str, &'a str, &'a str)],
    pub added: &'a [KeyFacts],
    pub removed: &'a [KeyFacts],
    pub notes: &'a [String],
    /// Single sign-on is off, and could be switched on at once.
    pub off: bool,
    /// The file in Base64, to come back with the confirmation.
    pub file: &'a str,
}

/// The page between an upload and its saving.
pub fn preview(frame: &Frame<'_>, view: &PreviewView<'_>) -> String {
    const TITLE: &str = "What the metadata would change";
    let shown = |value: &str| html! { @if value.is_empty() { span.muted { "None" } } @else { (value) } };
    let rows: Vec<Vec<Markup>> = view
        .changes
        .iter()
        .map(|(label, before, after)| vec![html! { (label) }, shown(before), shown(after)])
        .collect();
    let nothing = view.changes.is_empty() && view.added.is_empty() && view.removed.is_empty();
    let keys = |heading: &str, keys: &[KeyFacts]| {
        html! {
            @if !keys.is_empty() {
                (card(heading, "", &html! { ul { @for key in keys { li { (facts_of(key)) " " code { (key.fingerprint) } } } } }))
            }
        }
    };
    let save = form::post(
        &own(frame, "/sso/metadata/save"),
        frame.token,
        &html! {
            (form::hidden("file", view.file))
            (form::hidden("entity", view.entity))
            div.actions {
                @if view.off { (choice_button("Save and switch on SAML 2.0", Weight::Primary, "then", "on")) }
                (button("Save", if view.off { Weight::Plain } else { Weight::Primary }))
                (link_button(&own(frame, "/sso"), "Cancel", false))
            }
        },
    );
    let content = html! {
        (header(&crumbs(frame, &[("/sso", "SSO Configure")]), TITLE, view.entity, &html! {}))
        @for note in view.notes { (notice(Tone::Info, &html! { p { (note) } })) }
        @if nothing { (notice(Tone::Good, &html! { p { "Nothing: everything in the file is configured already." } })) }
        @if !rows.is_empty() { (flush_card("Fields", "", &table("Fields", &["Field", "Before", "After"], &rows))) }
        (keys("Keys that come in", view.added))
        @if !view.removed.is_empty() {
            (danger_card("Keys that go", "Answers signed by them are refused from then on.", &html! {
                ul { @for key in view.removed { li { (facts_of(key)) " " code { (key.fingerprint) } } } }
            }))
        }
        @if nothing { (link_button(&own(frame, "/sso"), "Back", true)) } @else { (save) }
    };
    console(frame, Place::SignOn, TITLE, false, &content)
}
