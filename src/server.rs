//! The running server: opens the data directory, puts the surfaces behind the gate, and stops in order.
//!
//! Start refuses rather than repairs. The ready file appears only once requests are served, and whole.

pub mod memory;

mod certificate;
mod installation;
mod metrics;
mod running;
mod tasks;

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub use certificate::CERTIFICATE_FILE;
pub use installation::{installation, uptime_by};
pub use running::Running;

use self::certificate::Certificate;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::{Desk, Start, restore};
use crate::error::{Error, Kind, Result};
use crate::gate::{self, GateConfig, Limits, Shutdown};
use crate::http::{self, router::App};
use crate::model::Caller;
use crate::model::Mode;
use crate::model::database::Closed;
use crate::model::doctor::{Installation, ServerCertificate};
use crate::replica;
use crate::seed_file;
use crate::server_log::{self, note};
use crate::whole_file::{same_file, write_whole};

/// Says, inside the data directory, how to reach the server that runs on it.
const READY_FILE: &str = "ready.json";
/// Held while a server runs on the directory.
const LOCK_FILE: &str = "sidelight.lock";

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps it from starting: configuration, data directory, certificate, port.
pub fn serve(config: &Config, start: Start) -> Result<()> {
    let _log = server_log::start().map_err(|e| Error::fault("server_log_thread", e.to_string()))?;
    let started = Instant::now();
    // Files of one's own are judged before anything is made or locked.
    let given = match &config.tls {
        Some((certificate, key)) if !config.plain_http => Some(Certificate::given(certificate, key)?),
        _ => None,
    };
    make_directory(&config.data)?;
    let _lock = lock(&config.data)?;
    if restore::unfinished(&config.data) {
        return Err(unusable(&config.data, "a restore into it was interrupted. Run sidelight restore again"));
    }
    let desk = Arc::new(Desk::open_for_server(&config.data, config.mode, Clock::system(), start)?);
    if let Some(backup) = &desk.backup_before_upgrade {
        note(format_args!(
            "The database was upgraded. A backup from before the upgrade: {} ({}).",
            backup.file.display(),
            backup.proof
        ));
    }
    if let Some(directory) = config.replica.as_deref().filter(|_| start.asks_the_replica) {
        replica::pass(directory, desk.epoch()?)?;
    }
    desk.sign_in.set_web_session_idle(i64::from(config.web_session_minutes) * 60);
    seed(config, &desk)?;
    let tls = match given {
        None if !config.plain_http => Some(Certificate::own(&config.data, config.public_origin.as_deref())?),
        given => given,
    };
    let fingerprint = tls.as_ref().map(|tls| tls.fingerprint.clone());
    let warning = tls.as_ref().and_then(|tls| tls.warning(desk.clock().now()));
    let certificate_ends = tls.as_ref().map(|tls| tls.ends);
    let gate = gate::bind(GateConfig {
        listen: config.listen,
        tls: tls.map(|tls| tls.settings),
        limits: Limits::default().lowered_to_this_process(),
        trusted_proxies: config.trusted_proxies.clone(),
    })
    .map_err(|e| {
        let public = format!("{} cannot be listened on: {e}.", config.listen);
        Error::new(Kind::Fault, "cannot_listen", public)
    })?;
    let metrics_gate = config.metrics_listen.map(metrics::bind).transpose()?;
    let metrics_url =
        metrics_gate.as_ref().map(|gate| format!("http://{}/metrics", reachable(gate.local_addr())));
    let scheme = if fingerprint.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", reachable(gate.local_addr()));
    let shutdown = Shutdown::new();
    stop_on_signals(&shutdown)?;
    if let Some((certificate, key)) = &config.tls {
        desk.set_tls_files(certificate.clone(), key.clone());
    }
    tasks::keep_house(&desk)?;
    if let Some(plan) = config.backups.clone() {
        if let Some(network) = desk.set_backup_plan(plan) {
            note(format_args!(
                "backup_dir lies on a network file system ({network}). Let backups be made on a disk, and copy them there."
            ));
        }
        tasks::back_up_by_plan(&desk)?;
    }
    tasks::prove_writes(&desk)?;
    let installation = installation(config);
    let own = certificate_ends.map(|ends_at| ServerCertificate { ends_at, is_own: config.tls.is_none() });
    // The certificate that is shown, whatever has become of its file.
    let installation = Installation { certificate: own, ..installation };
    let app = App::new(Arc::clone(&desk), config.public_origin.clone(), http::TABLES)
        .installed(started, installation);
    let app = Arc::new(app);
    let metrics_thread = match metrics_gate {
        None => None,
        Some(metrics_gate) => {
            let desk = Arc::clone(&desk);
            let (gate, traffic) = (gate.counters(), app.traffic());
            let sources = metrics::Sources { desk, gate, traffic, started, certificate_ends };
            Some(metrics::serve(metrics_gate, sources, shutdown.clone())?)
        }
    };
    // Before anybody is told that the server is ready: it is written to the database, which another process may hold.
    let claim = desk.appliance.new_claim()?;
    let ready = ReadyFiles::write(config, &url, metrics_url.as_deref())?;
    greet(
        config,
        &url,
        &people_url(config.public_origin.as_deref(), &url, gate.local_addr()),
        fingerprint.as_deref(),
        claim.as_deref(),
    );
    if let Some(warning) = warning {
        note(format_args!("{warning}"));
    }
    tasks::check_database(&desk)?;
    let stopped = gate.run(app, shutdown);
    drop(ready);
    if let Some(thread) = metrics_thread {
        // It reads the database until it ends, and stops with the gate.
        let _ = thread.join();
    }
    stopped.map_err(|e| Error::fault("gate", e.to_string()))?;
    say_how_it_stopped(&config.data, desk.close());
    Ok(())
}

/// Says whether the database's file alone may be copied now.
fn say_how_it_stopped(data: &Path, closed: Option<Closed>) {
    match closed {
        None | Some(Closed::Whole) => note(format_args!("Stopped.")),
        Some(Closed::HeldByAnother) => note(format_args!(
            "Stopped. Another process holds the database in {} open: what was written last is in sidelight.db-wal until \
             that process ends. Copy both files, or neither.",
            data.display()
        )),
        Some(Closed::RowsLost(rows)) => note(format_args!(
            "Stopped, but {rows} rows of the access log, of what had been read, could not be written to the database in \
             {} and are lost: another process held it, or the disk is full. What was written last may be in \
             sidelight.db-wal. Copy both files, or neither.",
            data.display()
        )),
        Some(Closed::Failed(error)) => note(format_args!(
            "Stopped, but the database in {} could not be closed: what was written last is in sidelight.db-wal. {error}",
            data.display()
        )),
    }
}

/// Makes what the seed file names and is not there; without a file, a lab has the demo group.
fn seed(config: &Config, desk: &Desk) -> Result<()> {
    let environment = |name: &str| std::env::var(name).ok();
    let seed = match (&config.seed, config.mode) {
        (Some(path), _) => seed_file::read(path, environment)?,
        (None, Mode::Lab) => seed_file::parse(seed_file::DEMO, environment)?,
        (None, Mode::Production) => return Ok(()),
    };
    desk.appliance.apply_seed(&Caller::host(), seed).map(drop)
}

/// Says where everything is, in the words that a newcomer copies.
fn greet(config: &Config, url: &str, shown: &str, fingerprint: Option<&str>, claim: Option<&str>) {
    note(format_args!("Sidelight {} is ready ({} mode).", env!("CARGO_PKG_VERSION"), config.mode.as_str()));
    if shown != url {
        note(format_args!("  Listens on     {url}"));
    }
    note(format_args!("  Console        {shown}/console"));
    note(format_args!("  Authorize      {shown}/services/AuthorizationService.svc/rest/Authorize"));
    note(format_args!("  Agent join     {shown}/agentjoin/AgentJoin.aspx"));
    note(format_args!("  SAML ACS       {shown}/account/GetLoginKey.aspx?sso=1&idpid=GROUP"));
    note(format_args!("  Provisioning   {shown}/PAPI/NewUser.asp"));
    note(format_args!("  REST           {shown}/api/openapi.json describes it"));
    note(format_args!("  Data           {}", config.data.display()));
    if let Some(fingerprint) = fingerprint {
        note(format_args!("  Certificate    SHA-256 {fingerprint}"));
    }
    if config.mode == Mode::Production && config.public_origin.is_none() {
        note(format_args!(
            "  Set public_url before you connect an identity provider: until then, addresses are"
        ));
        note(format_args!("  made from what each browser asks for."));
    }
    if config.mode == Mode::Lab {
        note(format_args!("  Lab clock      PUT {shown}/lab/clock"));
        if config.seed.is_none() {
            let own =
                fingerprint.filter(|_| config.tls.is_none()).map(|_| config.data.join(CERTIFICATE_FILE));
            try_the_demo(&config.data, shown, own.as_deref());
        }
    }
    if let Some(token) = claim {
        note(format_args!(
            "This appliance has no operator yet. Open this link once to become its first operator:"
        ));
        note(format_args!("  {shown}/console/claim?token={token}"));
    }
}

/// Says what the demo seed (`static/demo.toml`) made, and what can be done with it at once. `certificate` is our own,
/// which nobody trusts unless told to.
fn try_the_demo(data: &Path, shown: &str, certificate: Option<&Path>) {
    let program = std::env::args().next().unwrap_or_else(|| "sidelight".to_owned());
    let trust = certificate.map(|path| format!(" --cacert {}", path.display())).unwrap_or_default();
    note(format_args!("The demo group, unless you have changed it since:"));
    note(format_args!("  Group          12345 (Demo), API key mySecretApiKey"));
    note(format_args!("  Administrator  admin.demo.glance.net, password demo-password, in the console"));
    note(format_args!(
        "  Users          partner user IDs uniqueUserIdentifier (Agent), olga (Observer); no password"
    ));
    note(format_args!("Make a login key, and sign in with it:"));
    note(format_args!(
        "  key=$({program} login-key new --group 12345 --puid uniqueUserIdentifier --data {})",
        data.display()
    ));
    note(format_args!("  curl{trust} '{shown}/services/AuthorizationService.svc/rest/Authorize' \\"));
    note(format_args!("    -H 'Content-Type: application/json' \\"));
    note(format_args!(
        "    -d '{{\"partnerid\":12345,\"partneruserid\":\"uniqueUserIdentifier\",\"loginkey\":\"'$key'\"}}'"
    ));
}

/// Makes the data directory, for its owner alone, unless it is there.
///
/// # Errors
/// `Denied` with code `data_directory`.
pub fn make_directory(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| unusable(path, &e.to_string()))
}

/// Keeps a second server off the directory. The lock ends with the process, however it ends.
///
/// # Errors
/// `Denied` with code `data_directory` when another has it, or it cannot be written to.
pub fn lock(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK_FILE);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| unusable(directory, &e.to_string()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| unusable(directory, "another server runs on it"))?;
    Ok(file)
}

fn unusable(directory: &Path, why: &str) -> Error {
    let public = format!("The data directory {} cannot be used: {why}.", directory.display());
    Error::new(Kind::Denied, "data_directory", public)
}

/// Writes a file of the server's, whole.
fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    write_whole(path, content, mode).map_err(|e| {
        let public = format!("The file {} cannot be written: {e}.", path.display());
        Error::new(Kind::Fault, "cannot_write_file", public)
    })
}

/// The address to call when the server listens on every interface.
fn reachable(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

/// The address to show to people: the one that is configured; on a server that listens on all addresses by the
/// machine's name, because `localhost` would be their own machine.
fn people_url(public_origin: Option<&str>, url: &str, address: std::net::SocketAddr) -> String {
    let uname = rustix::system::uname();
    let machine = uname.nodename().to_string_lossy();
    match (public_origin, url.split_once("://")) {
        (Some(origin), _) => origin.to_owned(),
        (None, Some((scheme, _))) if address.ip().is_unspecified() && !machine.is_empty() => {
            format!("{scheme}://{machine}:{}", address.port())
        }
        (None, _) => url.to_owned(),
    }
}

/// Triggers the shutdown at SIGTERM or SIGINT; a second one ends the process at once. SIGHUP, which a closed terminal
/// sends too, only says what to do.
fn stop_on_signals(shutdown: &Shutdown) -> Result<()> {
    let mut signals =
        Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(|e| Error::fault("signal_handler", e.to_string()))?;
    let shutdown = shutdown.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in &mut signals {
                if signal == SIGHUP {
                    note(format_args!(
                        "SIGHUP changes nothing. Restart the server to take new certificates."
                    ));
                    continue;
                }
                if shutdown.is_triggered() {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                note(format_args!("Stopping: finishing the requests in flight."));
                shutdown.trigger();
            }
        })
        .map_err(|e| Error::fault("signal_thread", e.to_string()))?;
    Ok(())
}

/// What a ready file says of a running server, in JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Where it listens.
    pub url: String,
    /// By which address people reach it, where that is known.
    pub public_url: Option<String>,
    pub pid: u32,
    /// `production` or `lab`.
    pub mode: String,
    /// Where metrics are read; none without `metrics_listen`.
    #[serde(default)]
    pub metrics_url: Option<String>,
    /// The certificate file that was configured; without TLS, and with our own certificate, none.
    pub certificate: Option<PathBuf>,
}

impl Ready {
    /// Reads the ready file of the data directory; `None` when no server is ready there.
    pub fn read(data: &Path) -> Option<Ready> {
        serde_json::from_slice(&std::fs::read(data.join(READY_FILE)).ok()?).ok()
    }
}

/// Whether `path` is, by any name, a file that the appliance keeps: the database, a key, the certificate, the lock.
fn is_ours(directory: &Path, path: &Path) -> bool {
    let kept = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        name.starts_with("sidelight.") || name.starts_with("tls-")
    };
    let Ok(files) = directory.read_dir() else { return false };
    files.flatten().any(|file| kept(&file.file_name()) && same_file(&file.path(), path))
}

/// The ready files, removed when the server stops.
struct ReadyFiles(Vec<PathBuf>);

impl ReadyFiles {
    fn write(config: &Config, url: &str, metrics_url: Option<&str>) -> Result<ReadyFiles> {
        let own = || (config.mode == Mode::Lab).then(|| url.to_owned());
        let ready = Ready {
            url: url.to_owned(),
            public_url: config.public_origin.clone().or_else(own),
            pid: std::process::id(),
            mode: config.mode.as_str().to_owned(),
            metrics_url: metrics_url.map(str::to_owned),
            certificate: config.tls.as_ref().map(|(certificate, _)| certificate.clone()),
        };
        let document =
            serde_json::to_string(&ready).map_err(|e| Error::fault("ready_file", e.to_string()))?;
        if let Some(path) = config.ready_file.as_deref().filter(|path| is_ours(&config.data, path)) {
            let public =
                format!("ready_file would overwrite a file of the data directory: {}.", path.display());
            return Err(Error::invalid("bad_setting", "ready_file", public));
        }
        let mut files = ReadyFiles(Vec::new());
        let (running, content) = Running::of(config, url).file(&config.data)?;
        write(&running, &content, 0o600)?;
        files.0.push(running);
        for path in std::iter::once(config.data.join(READY_FILE)).chain(config.ready_file.clone()) {
            write(&path, format!("{document}\n").as_bytes(), 0o644)?;
            files.0.push(path);
        }
        Ok(files)
    }
}

impl Drop for ReadyFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::people_url;

    #[test]
    fn a_server_on_all_addresses_shows_the_machines_name_and_not_localhost() {
        let uname = rustix::system::uname();
        let machine = uname.nodename().to_string_lossy();
        let (everywhere, here) = (([0, 0, 0, 0], 8443).into(), ([127, 0, 0, 1], 8443).into());
        let url = "https://localhost:8443";
        assert_eq!(people_url(None, url, everywhere), format!("https://{machine}:8443"));
        assert_eq!(people_url(Some("https://sso.example.com"), url, everywhere), "https://sso.example.com");
        assert_eq!(people_url(None, "http://127.0.0.1:8443", here), "http://127.0.0.1:8443");
    }
}
