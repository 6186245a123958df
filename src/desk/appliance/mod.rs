//! The wing of the appliance: its operators and the sessions of its console, its claim, its access log, its seed, and what must
//! happen although nobody calls. It stands above the other wings.

pub mod access_log;
mod claim;
pub mod console_sessions;
mod doctor;
mod form_tokens;
mod housekeeping;
mod lab;
pub mod operators;
pub mod readiness;
pub mod seed;
pub mod watch;

use std::sync::Arc;

use super::ground::Ground;
use super::people::People;

/// The wing of the appliance.
pub struct Appliance {
    ground: Arc<Ground>,
    people: Arc<People>,
    readiness: readiness::Recent,
    writes: readiness::Proofs,
    last_search: watch::LastSearch,
}

impl Appliance {
    pub(super) fn new(ground: Arc<Ground>, people: Arc<People>) -> Appliance {
        Appliance {
            ground,
            people,
            readiness: readiness::Recent::default(),
            writes: readiness::Proofs::default(),
            last_search: watch::LastSearch::default(),
        }
    }
}
