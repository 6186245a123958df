//! The server's first page, for the one who types its bare address: what this is, and where to go.

use maud::{Markup, html};

use super::components::{Tone, code, link_button, notice, pairs};
use super::layout;

/// What the page knows.
pub struct FrontView<'a> {
    /// In the lab: what its clock says.
    pub lab: Option<&'a str>,
    /// No operator has claimed the appliance yet.
    pub unclaimed: bool,
    /// In the lab: the demo group stands as it was shipped.
    pub has_demo: bool,
    /// Scheme and authority of this server.
    pub origin: &'a str,
}

/// Draws the page.
pub fn page(view: &FrontView<'_>) -> String {
    let is_lab = view.lab.is_some();
    let content = html! {
        div {
            h1 { "Sidelight" }
            p.lead.muted {
                "This server signs people in to Glance sessions. It checks login keys, acts as the SAML service provider of their organisation, and manages the users of each group."
            }
        }
        @if view.unclaimed && !is_lab {
            (notice(Tone::Info, &html! {
                p { "This appliance has no operator yet. Open the link that the server printed when it started. With systemd, "
                    code { "journalctl -u sidelight" } " shows the link. The first person to open it becomes the operator." }
            }))
        }
        div.columns {
            (way("If you run this server or a group", "Operators and group administrators use the console.", &html! {
                (link_button("/console", if is_lab { "Open the console" } else { "Sign in to the console" }, true))
            }))
            (way("If you join sessions", "Use the link that your organisation gave you. If you have a Glance Address and a password, you can also sign in here.", &html! { (link_button("/login/default.aspx", "Sign in as a user", false)) }))
            (way("If you write a client or a script", "The OpenAPI 3.1 file describes the web services. The console shows the addresses for each group.", &html! { (link_button("/api/openapi.json", "API description", false)) }))
        }
        @if view.has_demo { (demo(view.origin)) }
    };
    layout::front("Welcome", view.lab, &content)
}

fn way(heading: &str, sentence: &str, act: &Markup) -> Markup {
    html! {
        section.card.way { div { h2 { (heading) } p.muted { (sentence) } } div.actions { (act) } }
    }
}

/// What the demo seed (`static/demo.toml`) made, and what can be done with it at once.
fn demo(origin: &str) -> Markup {
    let call = format!(
        "curl '{origin}/services/AuthorizationService.svc/rest/Authorize' \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{{\"partnerid\":12345,\"partneruserid\":\"uniqueUserIdentifier\",\"loginkey\":\"LOGIN KEY\"}}'"
    );
    html! {
        section.card {
            header {
                h2 { "Try the demo group" }
                p { "The lab created this group for you. These are its secrets, unless you have changed them. They are \
                     published: a lab is never for real people." }
            }
            (pairs(&[
                ("Group", html! { "12345 (Demo)" }),
                ("API key", html! { code { "mySecretApiKey" } }),
                ("Administrator", html! { code { "admin.demo.glance.net" } ", password " code { "demo-password" } }),
                ("Users", html! { "Partner user IDs " code { "uniqueUserIdentifier" } " and " code { "olga" } "; no password" }),
            ]))
            ol {
                li { a href="/console/groups/12345/login-keys" { "Make a login key" } " in the console. The lab needs no password." }
                li { "Sign in with the key. Put it in place of " code { "LOGIN KEY" } ". Over HTTPS with the lab's own \
                      certificate, add " code { "--cacert" } " as the server's greeting shows." }
            }
            (code("Sign in with a login key", &call))
            p { "Refused? " a href="/console/groups/12345/access-log" { "The group's access log" } " shows every check." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_fits_and_has_no_form() {
        let view = FrontView { lab: None, unclaimed: true, has_demo: false, origin: "https://x.example" };
        let page = page(&view);
        assert!(page.contains("This appliance has no operator yet") && !page.contains("<form"), "{page}");
        assert!(!page.contains("demo-password"), "{page}");
    }

    #[test]
    fn the_origin_is_escaped() {
        let origin = "http://<script>alert(1)</script>";
        let page = page(&FrontView { lab: Some("2026"), unclaimed: true, has_demo: true, origin });
        assert!(page.contains("&lt;script&gt;alert") && !page.contains("<script>alert"), "{page}");
        assert!(!page.contains("This appliance has no operator yet"), "a lab needs no claim: {page}");
    }
}
