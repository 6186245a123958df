//! The shape of our answers: the one place to correct when the vendor's own become known.
//!
//! Public documents show only the declaration and the `<role>` element of ShowRoles, with its children in
//! lower case (wire contract §4.6, §4.7). Everything else here is our own choice in that style:
//!
//! ```xml
//! <?xml version="1.0" standalone="yes"?>
//! <response><status>ok</status><user>…</user></response>
//! <response><status>error</status><code>…</code><parameter>…</parameter><message>…</message></response>
//! ```

use super::parameters::wire_name;
use crate::desk::people::roles::{RoleView, WithoutRole};
use crate::error::Error;
use crate::model::Member;
use crate::model::person::{ADDRESS, Field, LINES, PUID, ROLE, STATES, Shown};
use crate::protocol::xml::XmlWriter;

const DECLARATION: &str = "<?xml version=\"1.0\" standalone=\"yes\"?>";

/// The name under which users without a role are counted. Wire contract §4.6.
const NO_ROLE: &str = "-none-";

/// An element: text, or other elements.
pub enum Node {
    Text(&'static str, String),
    Parent(&'static str, Vec<Node>),
}

/// An answer.
pub struct Document(Vec<Node>);

impl Document {
    /// Prints the document, indented by two spaces.
    pub fn print(&self) -> String {
        let mut xml = XmlWriter::declared(DECLARATION).on_lines();
        xml.start("response");
        self.0.iter().for_each(|node| print(node, &mut xml));
        xml.finish()
    }
}

/// Answers a call that has nothing to tell.
pub fn done() -> Document {
    ok(Vec::new())
}

/// Answers with one user; with what the caller may not expect, where there is something.
pub fn user(member: &Member, warning: Option<&str>) -> Document {
    let mut nodes = vec![user_node(member)];
    nodes.extend(warning.map(|warning| text("warning", warning)));
    ok(nodes)
}

/// Answers NewUser; with an audio provider, what is known of the audio account.
pub fn new_user(member: &Member, audio_provider: Option<u32>) -> Document {
    let mut nodes = vec![user_node(member)];
    if let Some(provider) = audio_provider {
        nodes.push(Node::Parent("audio", vec![text("audioprovider", provider.to_string())]));
    }
    ok(nodes)
}

/// Answers ShowUsers; `next` is the PageStart of the next page.
pub fn users(members: &[Member], next: Option<String>) -> Document {
    let mut nodes = vec![Node::Parent("users", members.iter().map(user_node).collect())];
    nodes.extend(next.map(|next| text("pagestart", next)));
    ok(nodes)
}

/// Answers ShowRoles: only roles that have users, active or not.
pub fn roles(views: &[RoleView], without: WithoutRole) -> Document {
    let counted = views
        .iter()
        .map(|view| (view.role.name.as_str(), view.active_users, view.inactive_users))
        .chain(std::iter::once((NO_ROLE, without.active_users, without.inactive_users)))
        .filter(|(_, active, inactive)| active + inactive > 0)
        .map(|(name, active, inactive)| {
            Node::Parent(
                "role",
                vec![
                    text("name", name),
                    text("activeusers", active.to_string()),
                    text("inactiveusers", inactive.to_string()),
                    text("users", (active + inactive).to_string()),
                ],
            )
        });
    ok(vec![Node::Parent("roles", counted.collect())])
}

/// Answers a call that was refused: the rule's stable code, and the parameter that broke it.
pub fn failure(error: &Error) -> Document {
    let mut nodes = vec![text("status", "error"), text("code", error.code)];
    nodes.extend(error.field.as_deref().map(|field| text("parameter", wire_name(field))));
    nodes.push(text("message", error.public.as_str()));
    nodes.extend(error.incident.as_deref().map(|incident| text("incident", incident)));
    Document(nodes)
}

fn ok(nodes: Vec<Node>) -> Document {
    Document(std::iter::once(text("status", "ok")).chain(nodes).collect())
}

fn user_node(member: &Member) -> Node {
    // What the partner finds a user by stands first.
    let fields = [&PUID, &ADDRESS]
        .into_iter()
        .chain(LINES.iter().copied())
        .chain([&ROLE])
        .chain(STATES.iter().copied());
    let node = |field: &Field| {
        let value = match field.shown(member) {
            Shown::Text(text) => text.unwrap_or(""),
            Shown::Flag(true) => "1",
            Shown::Flag(false) => "0",
            Shown::Secret => return None,
        };
        Some(text(field.papi?.element, value))
    };
    let number = text("userid", member.user.id.to_string());
    Node::Parent("user", std::iter::once(number).chain(fields.filter_map(node)).collect())
}

fn text(name: &'static str, value: impl Into<String>) -> Node {
    Node::Text(name, value.into())
}

fn print(node: &Node, xml: &mut XmlWriter) {
    match node {
        Node::Text(name, value) => {
            xml.element(name, value);
        }
        Node::Parent(name, children) => {
            xml.start(name);
            children.iter().for_each(|child| print(child, xml));
            xml.end();
        }
    }
}
