//! The surfaces: what answers on which path. One file a surface; [`crate::gate`] is the front door before them.
//!
//! Data flows one way: gate → [`router`] → surface → desk → page or body. Surfaces know no SQL and no
//! cryptography; they read a request, ask the desk, and print its answer. Each surface exports its routes
//! as `ROUTES`; [`router`] puts the tables together.

mod account;
mod agentjoin;
pub mod answer;
mod console;
mod credentials;
pub mod form;
mod framing;
mod gssnid;
mod lab;
#[cfg(test)]
mod language_tests;
pub mod multipart;
mod ops;
mod own_page;
mod papi;
mod paths;
mod rest;
pub mod router;
mod scim;
mod services;
pub mod traffic;

use router::Route;

/// The tables of all surfaces.
pub const TABLES: &[&[Route]] = &[
    ops::ROUTES,
    lab::ROUTES,
    services::ROUTES,
    papi::ROUTES,
    account::ROUTES,
    scim::ROUTES,
    rest::ROUTES,
    agentjoin::ROUTES,
    console::entry::ROUTES,
    console::group_end::ROUTES,
    console::groups::ROUTES,
    console::settings::ROUTES,
    console::upload::ROUTES,
    console::users::ROUTES,
    console::password_links::ROUTES,
    console::roles::ROUTES,
    console::provisioning::ROUTES,
    console::api_key::ROUTES,
    console::login_keys::ROUTES,
    console::access_log::ROUTES,
    console::incidents::ROUTES,
    console::sso::ROUTES,
    console::sso::keys::ROUTES,
    console::sso::step::ROUTES,
    console::sso::metadata::ROUTES,
    console::sso::attempts::ROUTES,
    console::backups::ROUTES,
    console::operators::ROUTES,
    console::appliance::ROUTES,
];
