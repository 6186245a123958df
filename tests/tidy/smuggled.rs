//! The walls' own test: a small house with its drawing, and what somebody might smuggle into it, each caught.

use std::collections::BTreeSet;

use super::rooms::{Drawing, broken};
use super::tree::Sources;

const DRAWING: &str = "
```text walls
http     ──► desk model | tiny_http
pages    ──► model
desk     ──► store model
store    ──► model | rusqlite
protocol ──► model
model    ──►
protocol never std::fs std::time::SystemTime
```
";

/// A house without a fault.
const HOUSE: &[(&str, &str)] = &[
    (
        "src/lib.rs",
        "pub mod desk; pub mod http; pub mod model; pub mod pages; pub mod protocol; pub mod store;",
    ),
    (
        "src/http.rs",
        "use crate::desk::Desk; use crate::model::Name; fn f(_: tiny_http::Method, _: Desk, _: Name) {}",
    ),
    ("src/pages.rs", "use crate::model::Name; pub fn page(_: Name) {}"),
    (
        "src/desk/mod.rs",
        "pub mod people; use crate::model::Name; use crate::store::Store; pub struct Desk(Store, Name);",
    ),
    ("src/desk/people.rs", "use super::Desk; pub fn list(_: &Desk) {}"),
    ("src/store.rs", "use crate::model::Name; pub struct Store(rusqlite::Connection, Name);"),
    ("src/protocol.rs", "use crate::model::Name; pub fn judge(_: Name) {}"),
    ("src/model.rs", "pub struct Name;"),
];

/// Lays `changes` over the house and judges it.
fn judged(changes: &[(&str, &str)]) -> Vec<String> {
    let sources: Sources =
        HOUSE.iter().chain(changes).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let crates: BTreeSet<String> = ["rusqlite", "tiny_http", "maud"].map(str::to_owned).into();
    broken(&sources, &Drawing::read(DRAWING), &crates)
}

#[test]
fn a_house_that_keeps_to_its_drawing_is_in_order() {
    assert_eq!(judged(&[]), Vec::<String>::new());
}

/// What is smuggled, where, and what must be said of it.
const SMUGGLED: &[(&str, &str, &str, &str)] = &[
    ("a plain import", "src/pages.rs", "use crate::desk::Desk;", "reaches for desk"),
    (
        "code behind a test module",
        "src/pages.rs",
        "#[cfg(test)] mod tests {} fn f(_: crate::desk::Desk) {}",
        "reaches for desk",
    ),
    (
        "code inside a test module",
        "src/pages.rs",
        "#[cfg(test)] mod tests { use crate::desk::Desk; }",
        "reaches for desk",
    ),
    ("a room in braces", "src/protocol.rs", "use crate::{http};", "reaches for http"),
    (
        "nested braces",
        "src/protocol.rs",
        "use crate::{model::Name, desk::{people::{self as p}}};",
        "reaches for desk",
    ),
    (
        "up by super",
        "src/protocol.rs",
        "mod deep { fn f() { super::super::store::open(); } }",
        "reaches for store",
    ),
    (
        "up by self and super",
        "src/protocol.rs",
        "fn f() { self::super::store::open(); }",
        "reaches for store",
    ),
    (
        "a renamed crate root",
        "src/protocol.rs",
        "use crate as house; fn f() { house::store::open(); }",
        "reaches for store",
    ),
    (
        "a renamed room",
        "src/pages.rs",
        "use crate::desk as helpers; fn f(_: helpers::Desk) {}",
        "reaches for desk",
    ),
    (
        "a renamed parent",
        "src/protocol.rs",
        "mod deep { use super::super as up; fn f(_: up::store::Store) {} }",
        "reaches for store",
    ),
    (
        "the crate by its own name",
        "src/protocol.rs",
        "fn f(_: ::sidelight::store::Store) {}",
        "reaches for store",
    ),
    (
        "itself as an extern crate",
        "src/protocol.rs",
        "extern crate self as me; fn f(_: me::store::Store) {}",
        "reaches for store",
    ),
    ("a glob", "src/pages.rs", "use crate::*; fn f(_: desk::Desk) {}", "reaches for desk"),
    (
        "a type in a signature",
        "src/pages.rs",
        "fn f(_: Option<Vec<crate::store::Store>>) {}",
        "reaches for store",
    ),
    (
        "a trait in a qualified path",
        "src/pages.rs",
        "fn f() { <u8 as crate::desk::Trait>::g(); }",
        "reaches for desk",
    ),
    (
        "a macro's argument",
        "src/pages.rs",
        "fn f() { println!(\"{}\", crate::desk::people::users::list()); }",
        "reaches for desk",
    ),
    (
        "braces in a macro",
        "src/pages.rs",
        "bring! { use crate::{model::Name, desk::Desk}; }",
        "reaches for desk",
    ),
    (
        "the body of a macro",
        "src/pages.rs",
        "macro_rules! m { () => { $crate::store::open() } }",
        "reaches for store",
    ),
    (
        "an attribute's text",
        "src/pages.rs",
        "#[serde(with = \"crate::store::codec\")] struct S;",
        "reaches for store",
    ),
    ("an attribute's path", "src/pages.rs", "#[derive(crate::desk::Derive)] struct S;", "reaches for desk"),
    (
        "a crate of another room",
        "src/http.rs",
        "use crate::{desk::Desk, model::Name}; use tiny_http::Method; use rusqlite::Connection;",
        "reaches for the crate rusqlite",
    ),
    (
        "a crate by a leading colon",
        "src/pages.rs",
        "fn f() -> ::maud::Markup {}",
        "reaches for the crate maud",
    ),
    (
        "a clock where there is none",
        "src/protocol.rs",
        "use std::time; fn f() { time::SystemTime::now(); }",
        "reaches for std::time::SystemTime",
    ),
    ("files in braces", "src/protocol.rs", "use std::{io, fs as disk};", "reaches for std::fs"),
    (
        "a file by another name",
        "src/protocol.rs",
        "#[path = \"store.rs\"] mod own; fn f(_: own::Store) {}",
        "reaches for store",
    ),
    ("included code", "src/protocol.rs", "include!(\"store.rs\");", "hides code behind include!"),
    ("a file that no module reads", "src/orphan.rs", "pub fn f() {}", "is no module of the house"),
];

#[test]
fn whatever_is_smuggled_is_caught() {
    for (what, file, text, said) in SMUGGLED {
        let wrong = judged(&[(file, text)]);
        assert!(wrong.iter().any(|line| line.contains(file) && line.contains(said)), "{what}: {wrong:?}");
    }
}

#[test]
fn a_room_that_is_not_drawn_is_noticed() {
    let lib = "pub mod attic; pub mod desk; pub mod http; pub mod model; pub mod pages; pub mod protocol; pub mod store;";
    let wrong = judged(&[("src/lib.rs", lib), ("src/attic.rs", "use crate::store::Store;")]);
    assert_eq!(wrong, ["src/attic.rs: its room is not drawn"]);
}

#[test]
fn a_re_export_lends_nothing() {
    // The desk hands on what belongs to the store: then http knows the store.
    let desk = "pub mod people; pub use crate::store::Store as Keeper; use crate::model::Name; pub struct Desk(Keeper, Name);";
    let http = "use crate::desk::{Desk, Keeper}; use crate::model::Name; fn f(_: tiny_http::Method, _: Desk, _: Name, _: Keeper) {}";
    let wrong = judged(&[("src/desk/mod.rs", desk), ("src/http.rs", http)]);
    assert_eq!(wrong, ["src/http.rs:1 reaches for store"]);
}

#[test]
fn an_arrow_that_is_drawn_and_not_there_is_noticed() {
    let wrong = judged(&[("src/pages.rs", "pub fn page() {}")]);
    assert_eq!(wrong, ["pages is drawn to know model, and does not"]);
}

#[test]
fn files_that_reach_each_other_are_a_circle() {
    let mod_rs = "pub mod groups; pub mod people; use crate::model::Name; use crate::store::Store; pub struct Desk(Store, Name);";
    let wrong = judged(&[
        ("src/desk/mod.rs", mod_rs),
        ("src/desk/people.rs", "use super::groups::Group; pub struct Person(Group);"),
        ("src/desk/groups.rs", "pub struct Group; fn f(_: super::people::Person) {}"),
    ]);
    assert_eq!(wrong, ["a circle of files: src/desk/groups.rs, src/desk/people.rs"]);
}
