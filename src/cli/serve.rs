//! `sidelight serve`: starts the server.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};

use super::host::{Host, configuration};
use super::warn_of_unknown_variables;
use crate::config::Config;
use crate::desk::Start;
use crate::error::Result;
use crate::model::database::LostLog;
use crate::server;

/// start the server: the console, the web services, the account pages
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "serve",
    note = "Each setting may also stand in the environment (SIDELIGHT_LISTEN and so on) or in a TOML file; a flag wins. See them all, with where each came from: sidelight config",
    example = "{command_name} --lab\n{command_name} --data /var/lib/sidelight --tls-cert chain.pem --tls-key key.pem"
)]
pub struct Serve {
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
    /// address and port of /metrics, such as 127.0.0.1:9464 (no TLS, no password); without it there are none
    #[argh(option)]
    metrics_listen: Option<String>,
    /// minutes without use after which a signed-in browser must sign in again (default 480)
    #[argh(option)]
    web_session_minutes: Option<String>,
    /// directory, best on another disk, that takes a backup each day; without it none is made by itself
    #[argh(option)]
    backup_dir: Option<String>,
    /// when the daily backup is made, in UTC (default 02:00)
    #[argh(option)]
    backup_time: Option<String>,
    /// how many backups stay in --backup-dir (default 30)
    #[argh(option)]
    backup_keep: Option<String>,
    /// how many days a backup stays there (default 90); the newest one always does
    #[argh(option)]
    backup_keep_days: Option<String>,
    /// file that appears once requests are served: JSON with url, public_url, pid and mode
    #[argh(option)]
    ready_file: Option<String>,
    /// start once with a database that was not closed cleanly and whose log (sidelight.db-wal) is lost
    #[argh(switch)]
    accept_lost_log: bool,
    /// bring the database of an older version up to date without a backup: where there is no room for one
    #[argh(switch)]
    upgrade_without_backup: bool,
    /// directory of the replica (Litestream): do not serve when another server was promoted from it
    #[argh(option)]
    replica: Option<String>,
    /// serve once although the replica says that another server was promoted, or cannot be read
    #[argh(switch)]
    alone: bool,
    /// configuration file (default sidelight.toml, if it exists)
    #[argh(option)]
    config: Option<PathBuf>,
}

impl Serve {
    /// Serves until it is told to stop.
    pub fn run(self, host: &Host) -> ExitCode {
        let start = Start {
            lost_log: if self.accept_lost_log { LostLog::Accept } else { LostLog::Refuse },
            backup_before_upgrade: !self.upgrade_without_backup,
            asks_the_replica: !self.alone,
        };
        host.ended(self.configuration(host).and_then(|config| {
            let seed = config.seed.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
            warn_of_unknown_variables(host, &[], &seed.unwrap_or_default());
            server::serve(&config, start)
        }))
    }

    fn configuration(self, host: &Host) -> Result<Config> {
        let mut flags = host.settings();
        let options = [
            ("listen", self.listen),
            ("seed", self.seed),
            ("tls_cert", self.tls_cert),
            ("tls_key", self.tls_key),
            ("public_url", self.public_url),
            ("trusted_proxies", self.trusted_proxies),
            ("metrics_listen", self.metrics_listen),
            ("web_session_minutes", self.web_session_minutes),
            ("replica", self.replica),
            ("backup_dir", self.backup_dir),
            ("backup_time", self.backup_time),
            ("backup_keep", self.backup_keep),
            ("backup_keep_days", self.backup_keep_days),
            ("ready_file", self.ready_file),
            ("lab", self.lab.then(|| "true".to_owned())),
            ("plain_http", self.plain_http.then(|| "true".to_owned())),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                flags.insert(name, value);
            }
        }
        configuration(&flags, self.config.as_deref())
    }
}
