//! With which settings the server runs, for `sidelight config`: a file beside the ready file, while the server runs.
//!
//! No setting is a secret; the file is for the owner of the data directory all the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::{Error, Result};

const FILE: &str = "running.json";

/// The settings of a running server.
#[derive(Debug, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// Where it listens.
    pub url: String,
    /// By name.
    pub settings: BTreeMap<String, RunningSetting>,
}

/// A setting's value and where it came from, in words.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningSetting {
    pub value: String,
    pub origin: String,
}

impl Running {
    /// What a server that was started with `config` says of itself.
    pub fn of(config: &Config, url: &str) -> Running {
        let settings = config.values.iter().map(|(name, value)| {
            let setting = RunningSetting { value: value.text.clone(), origin: value.origin.to_string() };
            ((*name).to_owned(), setting)
        });
        Running { pid: std::process::id(), url: url.to_owned(), settings: settings.collect() }
    }

    /// The file in a data directory, and its content.
    ///
    /// # Errors
    /// `Fault` when it cannot be written as JSON, which no setting hinders.
    pub fn file(&self, data: &Path) -> Result<(PathBuf, Vec<u8>)> {
        let document = serde_json::to_vec(self).map_err(|e| Error::fault("running_file", e.to_string()))?;
        Ok((data.join(FILE), document))
    }

    /// Reads what the server on the data directory says; `None` when none runs there, also where one was killed and
    /// left its file.
    pub fn read(data: &Path) -> Option<Running> {
        let lock = File::open(data.join(super::LOCK_FILE)).ok()?;
        // The server holds it as long as it lives; a lock that can be had is given back by closing the file.
        if flock(&lock, FlockOperation::NonBlockingLockShared).is_ok() {
            return None;
        }
        serde_json::from_slice(&std::fs::read(data.join(FILE)).ok()?).ok()
    }
}
