//! `sidelight serve` and `sidelight config`: the server, and what it would be started with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use argh::FromArgs;

use super::refused;
use crate::config::{self, Config, SETTINGS};
use crate::error::Result;
use crate::server::{self, memory};

/// start the server: the console, the web services, the account pages
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "serve",
    note = "Each setting may also stand in the environment (SIDELIGHT_LISTEN and so on) or in a TOML file; a flag wins. See them all, with where each came from: sidelight config",
    example = "{command_name} --lab\n{command_name} --data /var/lib/sidelight --tls-cert chain.pem --tls-key key.pem"
)]
pub struct Serve {
    /// directory of the database and the key file (default ./sidelight-data)
    #[argh(option)]
    data: Option<String>,
    /// address and port (default 0.0.0.0:8443, in the lab 127.0.0.1:8443); port 0 lets the system choose
    #[argh(option)]
    listen: Option<String>,
    /// lab mode: demo group, settable clock; on loopback only, never with production data
    #[argh(switch)]
    lab: bool,
    /// TOML file with groups, roles and users to make; what exists already stays
    #[argh(option)]
    seed: Option<String>,
    /// PEM file with the certificate chain (SIDELIGHT_TLS_CERT); without it a self-signed certificate is made and kept
    #[argh(option)]
    tls_cert: Option<String>,
    /// PEM file with the certificate's private key (SIDELIGHT_TLS_KEY, or SIDELIGHT_TLS_KEY_FILE)
    #[argh(option)]
    tls_key: Option<String>,
    /// no TLS; only on a loopback address
    #[argh(switch)]
    plain_http: bool,
    /// scheme, host and port that people use, such as https://sso.example.com:8443
    #[argh(option)]
    public_url: Option<String>,
    /// proxies whose X-Forwarded-For is believed: addresses or networks, with commas
    #[argh(option)]
    trusted_proxies: Option<String>,
    /// minutes without use after which a signed-in browser must sign in again (default 480)
    #[argh(option)]
    web_session_minutes: Option<String>,
    /// file that appears once requests are served: JSON with url, public_url, pid and mode
    #[argh(option)]
    ready_file: Option<String>,
    /// configuration file (default sidelight.toml, if it exists)
    #[argh(option)]
    config: Option<PathBuf>,
}

impl Serve {
    /// Serves until it is told to stop.
    pub fn run(self) -> ExitCode {
        let served = self.configuration().and_then(|config| server::serve(&config));
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refused(&error),
        }
    }

    fn configuration(self) -> Result<Config> {
        let mut flags = BTreeMap::new();
        let options = [
            ("data", self.data),
            ("listen", self.listen),
            ("seed", self.seed),
            ("tls_cert", self.tls_cert),
            ("tls_key", self.tls_key),
            ("public_url", self.public_url),
            ("trusted_proxies", self.trusted_proxies),
            ("web_session_minutes", self.web_session_minutes),
            ("ready_file", self.ready_file),
            ("lab", self.lab.then(|| "true".to_owned())),
            ("plain_http", self.plain_http.then(|| "true".to_owned())),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                flags.insert(name, value);
            }
        }
        read(&flags, self.config.as_deref())
    }
}

/// print the settings that serve would start with, and where each came from
#[derive(FromArgs)]
#[argh(subcommand, name = "config")]
pub struct Show {
    /// configuration file (default sidelight.toml, if it exists)
    #[argh(option)]
    config: Option<PathBuf>,
}

impl Show {
    /// Prints one line a setting: name, value, origin, what it is for.
    pub fn run(self) -> ExitCode {
        match read(&BTreeMap::new(), self.config.as_deref()) {
            Ok(config) => {
                for setting in SETTINGS {
                    if let Some(value) = config.values.get(setting.name) {
                        let text = if value.text.is_empty() { "(none)" } else { &value.text };
                        println!(
                            "{:16} {text}  [{}]\n{:16}   {} ({})",
                            setting.name,
                            value.origin,
                            "",
                            setting.help,
                            setting.variables()
                        );
                    }
                }
                print_memory();
                ExitCode::SUCCESS
            }
            Err(error) => refused(&error),
        }
    }
}

/// Prints how much memory the server may take, and for what.
fn print_memory() {
    const MIB: f64 = 1024.0 * 1024.0;
    let parts = memory::parts();
    println!("\nmemory           at most {} MiB, whatever strangers send:", memory::mebibytes(&parts));
    for part in &parts {
        println!("{:16} {:6.1} MiB  {}", "", part.bytes as f64 / MIB, part.what);
    }
}

/// Reads the configuration from the process's own environment.
pub(super) fn read(flags: &BTreeMap<&'static str, String>, file: Option<&Path>) -> Result<Config> {
    Config::read(flags, named(file).as_deref(), environment)
}

/// The data directory that the server would use if it were started here without flags.
pub(super) fn data_directory() -> Result<PathBuf> {
    config::data_directory(named(None).as_deref(), environment)
}

fn named(file: Option<&Path>) -> Option<PathBuf> {
    file.map(Path::to_owned).or_else(|| std::env::var_os("SIDELIGHT_CONFIG").map(PathBuf::from))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
