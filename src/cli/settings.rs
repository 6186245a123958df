//! `sidelight config`: with which settings a server runs, and with which one would start here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Map, Value, json};

use super::host::{Host, configuration};
use super::terminal::{self, say};
use crate::config::{Config, SETTINGS};
use crate::server::{Running, memory};

/// show the settings of the running server, and the settings that serve would use here
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "config",
    note = "Each setting is shown with its source. If a server is running on the data directory, its settings are shown too.",
    example = "{command_name}\n{command_name} --data /var/lib/sidelight --json"
)]
pub struct Show {
    /// configuration file (default sidelight.toml, if it exists)
    #[argh(option)]
    config: Option<PathBuf>,
}

impl Show {
    /// Prints each setting: name, value, origin, what it is for; and what differs in the server that runs.
    pub fn run(self, host: &Host) -> ExitCode {
        let shown = configuration(&host.settings(), self.config.as_deref()).map(|config| {
            let running = Running::read(&config.data);
            let differing = running.as_ref().map(|running| differing(&config, running)).unwrap_or_default();
            match host.json {
                true => terminal::json(&document(&config, running.as_ref(), &differing)),
                false => print(&config, running.as_ref(), &differing),
            }
        });
        host.ended(shown)
    }
}

/// The names of the settings that the server runs with and `serve` would take otherwise.
fn differing(config: &Config, running: &Running) -> Vec<&'static str> {
    let differs = |name: &&'static str| {
        let here = config.values.get(name).map(|value| value.text.as_str());
        here != running.settings.get(*name).map(|setting| setting.value.as_str())
    };
    SETTINGS.iter().map(|setting| setting.name).filter(differs).collect()
}

fn print(config: &Config, running: Option<&Running>, differing: &[&str]) {
    for setting in SETTINGS {
        if let Some(value) = config.values.get(setting.name) {
            say(format_args!("{:19} {}  [{}]", setting.name, shown(&value.text), value.origin));
            println!("{:19}   {} ({})", "", setting.help, setting.variables());
        }
    }
    print_memory();
    let Some(running) = running else {
        say(format_args!(
            "\nNo server is running on {}. A server would start with these settings.",
            config.data.display()
        ));
        return;
    };
    say(format_args!(
        "\nA server is running on {}: process {}, {}.",
        config.data.display(),
        running.pid,
        running.url
    ));
    if differing.is_empty() {
        println!("It was started with these settings.");
        return;
    }
    println!("It was started with settings that differ from those above:");
    for name in differing {
        if let Some(setting) = running.settings.get(*name) {
            say(format_args!("{name:19} {}  [{}]", shown(&setting.value), setting.origin));
        }
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

/// Prints how much memory the server may take, and for what.
fn print_memory() {
    const MIB: f64 = 1024.0 * 1024.0;
    let parts = memory::parts();
    println!("\nmemory              at most {} MiB, for any client input:", memory::mebibytes(&parts));
    for part in &parts {
        println!("{:19} {:6.1} MiB  {}", "", part.bytes as f64 / MIB, part.what);
    }
}

fn document(config: &Config, running: Option<&Running>, differing: &[&str]) -> Value {
    let settings: BTreeMap<&str, Value> = config
        .values
        .iter()
        .map(|(name, value)| (*name, json!({ "value": value.text, "origin": value.origin.to_string() })))
        .collect();
    let memory: Vec<Value> =
        memory::parts().iter().map(|part| json!({ "bytes": part.bytes, "what": part.what })).collect();
    let running = running.map(|running| {
        let settings: Map<String, Value> = running
            .settings
            .iter()
            .map(|(name, s)| (name.clone(), json!({ "value": s.value, "origin": s.origin })))
            .collect();
        json!({ "pid": running.pid, "url": running.url, "settings": settings, "differing": differing })
    });
    json!({ "settings": settings, "memory": memory, "running": running })
}
