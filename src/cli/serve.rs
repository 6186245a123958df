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
    note = "You can also give each setting as an environment variable (such as SIDELIGHT_LISTEN) or in a TOML file. A flag overrides both. To see all settings and their sources: sidelight config",
    example = "{command_name} --lab\n{command_name} --data /var/lib/sidelight --tls-cert chain.pem --tls-key key.pem"
)]
pub struct Serve {
    /// address and port (default 0.0.0.0:8443, in the lab 127.0.0.1:8443); port 0 lets the system choose
    #[argh(option)]
    listen: Option<String>,
    /// lab mode: demo group, settable clock; on loopback only, never with production data
    #[argh(switch)]
    lab: bool,
    /// TOML file with groups, roles and users to create; existing ones are not changed
    #[argh(option)]
    seed: Option<String>,
    /// PEM file with the certificate chain (SIDELIGHT_TLS_CERT); without it, a self-signed certificate is created and
    /// kept
    #[argh(option)]
    tls_cert: Option<String>,
    /// PEM file with the certificate's private key (SIDELIGHT_TLS_KEY, or SIDELIGHT_TLS_KEY_FILE)
    #[argh(option)]
    tls_key: Option<String>,
    /// no TLS; only on a loopback address
    #[argh(switch)]
    plain_http: bool,
    /// the URL at which users reach this server, such as https://sso.example.com:8443
    #[argh(option)]
    public_url: Option<String>,
    /// trusted proxies, whose X-Forwarded-For header is used: addresses or networks, separated by commas
    #[argh(option)]
    trusted_proxies: Option<String>,
    /// address and port of /metrics, such as 127.0.0.1:9464 (no TLS, no password); without it, metrics are not served
    #[argh(option)]
    metrics_listen: Option<String>,
    /// minutes of inactivity after which a browser must sign in again (default 480)
    #[argh(option)]
    web_session_minutes: Option<String>,
    /// directory for a daily backup, preferably on another disk; without it, there is no daily backup
    #[argh(option)]
    backup_dir: Option<String>,
    /// when the daily backup is made, in UTC (default 02:00)
    #[argh(option)]
    backup_time: Option<String>,
    /// how many backups are kept in --backup-dir (default 30)
    #[argh(option)]
    backup_keep: Option<String>,
    /// how many days a backup stays there (default 90); the newest backup is always kept
    #[argh(option)]
    backup_keep_days: Option<String>,
    /// file that is written when the server is ready: JSON with url, public_url, pid and mode
    #[argh(option)]
    ready_file: Option<String>,
    /// start once although the database was not closed cleanly and its log (sidelight.db-wal) is lost
    #[argh(switch)]
    accept_lost_log: bool,
    /// upgrade the database of an older version without a backup; only when there is no disk space for one
    #[argh(switch)]
    upgrade_without_backup: bool,
    /// directory of the replica (Litestream); the server does not start if another server was promoted from it
    #[argh(option)]
    replica: Option<String>,
    /// start once although another server was promoted from the replica, or although the replica cannot be read
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
