//! The configuration: what each setting is, where it may come from, and where it did come from.
//!
//! A flag wins over the environment, the environment over the file, the file over the default. Every
//! setting is one line of [`SETTINGS`]; `sidelight config` prints them all with their origin.

mod backups;
mod nearest;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::gate::Net;
use crate::model::Mode;
use crate::model::backup::BackupPlan;

pub use nearest::nearest;

/// The configuration file that is read when no other is named and this one exists.
pub const DEFAULT_FILE: &str = "sidelight.toml";

/// The environment variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "SIDELIGHT_CONFIG";

/// One setting: its name in the file and as `--name`, its environment variable, what it does.
pub struct Setting {
    /// With underscores; a flag has dashes in their place.
    pub name: &'static str,
    pub environment: &'static str,
    pub help: &'static str,
    /// As it would be written in the file; "" for none.
    pub default: &'static str,
}

/// All settings of the server, in the order in which `sidelight config` prints them.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "data",
        environment: "SIDELIGHT_DATA",
        help: "directory of the database and the key file",
        default: "./sidelight-data",
    },
    Setting {
        name: "lab",
        environment: "SIDELIGHT_LAB",
        help: "lab mode: for development and tests, on loopback only",
        default: "false",
    },
    Setting {
        name: "listen",
        environment: "SIDELIGHT_LISTEN",
        help: "address and port; port 0 lets the system choose",
        default: "",
    },
    Setting {
        name: "public_url",
        environment: "SIDELIGHT_PUBLIC_URL",
        help: "scheme, host and port that people use, when it is not what their browser asks for",
        default: "",
    },
    Setting {
        name: "trusted_proxies",
        environment: "SIDELIGHT_TRUSTED_PROXIES",
        help: "addresses or networks of proxies whose X-Forwarded-For is believed, with commas",
        default: "",
    },
    Setting {
        name: "tls_cert",
        environment: "SIDELIGHT_TLS_CERT",
        help: "PEM file with the certificate chain; without it a self-signed one is made",
        default: "",
    },
    Setting {
        name: "tls_key",
        environment: "SIDELIGHT_TLS_KEY",
        help: "PEM file with the certificate's private key",
        default: "",
    },
    Setting {
        name: "plain_http",
        environment: "SIDELIGHT_PLAIN_HTTP",
        help: "no TLS; only on a loopback address",
        default: "false",
    },
    Setting {
        name: "metrics_listen",
        environment: "SIDELIGHT_METRICS_LISTEN",
        help: "address and port of /metrics, without TLS and for anybody who comes there; off until set",
        default: "",
    },
    Setting {
        name: "web_session_minutes",
        environment: "SIDELIGHT_WEB_SESSION_MINUTES",
        help: "minutes without use after which a signed-in browser must sign in again",
        default: "480",
    },
    Setting {
        name: "backup_dir",
        environment: "SIDELIGHT_BACKUP_DIR",
        help: "directory, best on another disk, that takes a backup each day",
        default: "",
    },
    Setting {
        name: "backup_time",
        environment: "SIDELIGHT_BACKUP_TIME",
        help: "when the daily backup is made, in UTC",
        default: "02:00",
    },
    Setting {
        name: "backup_keep",
        environment: "SIDELIGHT_BACKUP_KEEP",
        help: "how many backups stay in backup_dir; older ones are deleted",
        default: "30",
    },
    Setting {
        name: "backup_keep_days",
        environment: "SIDELIGHT_BACKUP_KEEP_DAYS",
        help: "how many days a backup stays there; the newest one always does",
        default: "90",
    },
    Setting {
        name: "replica",
        environment: "SIDELIGHT_REPLICA",
        help: "directory of the replica; the server does not serve when another was promoted from it",
        default: "",
    },
    Setting {
        name: "seed",
        environment: "SIDELIGHT_SEED",
        help: "TOML file with groups, roles and users to make at start",
        default: "",
    },
    Setting {
        name: "ready_file",
        environment: "SIDELIGHT_READY_FILE",
        help: "file that appears, with url, pid and mode, once requests are served",
        default: "",
    },
];

/// Another variable of a setting: the key's also has the ending that secrets in files have elsewhere.
const ALSO: &[(&str, &str)] = &[("tls_key", "SIDELIGHT_TLS_KEY_FILE")];

impl Setting {
    fn other_variable(&self) -> Option<&'static str> {
        ALSO.iter().find(|(name, _)| *name == self.name).map(|(_, variable)| *variable)
    }

    /// The environment variables of the setting, for people.
    pub fn variables(&self) -> String {
        match self.other_variable() {
            Some(other) => format!("{} or {other}", self.environment),
            None => self.environment.to_owned(),
        }
    }

    fn in_environment(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Option<Value>> {
        let found = |name: &'static str| {
            environment(name).map(|text| Value { text, origin: Origin::Environment(name) })
        };
        match (found(self.environment), self.other_variable().and_then(found)) {
            (Some(_), Some(_)) => {
                let public =
                    format!("{} are both set. Set one of them.", self.variables().replace(" or ", " and "));
                Err(Error::invalid("setting_given_twice", self.name, public))
            }
            (one, other) => Ok(one.or(other)),
        }
    }

    fn in_file(&self, path: &Path, table: &toml::Table) -> Option<Value> {
        let text = match table.get(self.name)? {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(Value { text, origin: Origin::File(path.to_owned()) })
    }

    fn by_default(&self) -> Value {
        Value { text: self.default.into(), origin: Origin::Default }
    }
}

/// The data directory by environment, file and default, for commands that need no more of the configuration.
/// The file, `file` or the one in the working directory, is read only when the environment does not say.
///
/// # Errors
/// As [`Config::read`].
pub fn data_directory(file: Option<&Path>, environment: impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
    const NAME: &str = "data";
    let mut values = BTreeMap::new();
    for setting in SETTINGS.iter().filter(|setting| setting.name == NAME) {
        let value = if let Some(value) = setting.in_environment(&environment)? {
            value
        } else {
            let (path, table) = read_file(file)?;
            setting.in_file(&path, &table).unwrap_or_else(|| setting.by_default())
        };
        values.insert(setting.name, value);
    }
    directory(&values)
}

fn directory(values: &BTreeMap<&'static str, Value>) -> Result<PathBuf> {
    match value(values, "data") {
        "" => Err(wrong(values, "data", "a directory")),
        named => Ok(PathBuf::from(named)),
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Environment(&'static str),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("flag"),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub origin: Origin,
}

/// The configuration of the server, checked.
pub struct Config {
    pub data: PathBuf,
    pub mode: Mode,
    pub listen: SocketAddr,
    pub public_origin: Option<String>,
    pub trusted_proxies: Vec<Net>,
    /// Certificate chain and key; `None` makes a self-signed pair in the data directory.
    pub tls: Option<(PathBuf, PathBuf)>,
    pub plain_http: bool,
    /// Where metrics are read; `None` where nobody may.
    pub metrics_listen: Option<SocketAddr>,
    /// Without use, a web session ends after so long.
    pub web_session_minutes: u16,
    /// When backups are made by themselves, and how long they stay.
    pub backups: Option<BackupPlan>,
    /// The directory of the replica that Litestream writes.
    pub replica: Option<PathBuf>,
    pub seed: Option<PathBuf>,
    pub ready_file: Option<PathBuf>,
    /// Every setting by name, with its origin.
    pub values: BTreeMap<&'static str, Value>,
}

impl Config {
    /// Reads the configuration.
    ///
    /// `flags` maps the names of settings to what was typed; `file` names the configuration file;
    /// `environment` looks a variable up.
    ///
    /// # Errors
    /// `Invalid`, naming the setting, where it came from, and what it should be.
    pub fn read(
        flags: &BTreeMap<&'static str, String>,
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Config> {
        let (path, table) = read_file(file)?;
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let flag = flags.get(setting.name).map(|text| Value { text: text.clone(), origin: Origin::Flag });
            let value = match flag {
                Some(value) => value,
                None => setting
                    .in_environment(&environment)?
                    .or_else(|| setting.in_file(&path, &table))
                    .unwrap_or_else(|| setting.by_default()),
            };
            values.insert(setting.name, value);
        }
        Config::check(values)
    }

    fn check(mut values: BTreeMap<&'static str, Value>) -> Result<Config> {
        let mode = if boolean(&values, "lab")? { Mode::Lab } else { Mode::Production };
        if let Some(listen) = values.get_mut("listen").filter(|v| v.text.is_empty()) {
            listen.text = match mode {
                Mode::Lab => "127.0.0.1:8443".into(),
                Mode::Production => "0.0.0.0:8443".into(),
            };
        }
        let plain_http = boolean(&values, "plain_http")?;
        let listen = listen(&values, "listen", mode == Mode::Lab || plain_http)?;
        if let Some(value) = values.get_mut("listen") {
            value.text = listen.to_string();
        }
        if plain_http && !listen.ip().is_loopback() {
            return Err(wrong(
                &values,
                "plain_http",
                "used on a loopback address only; listen elsewhere with TLS",
            ));
        }
        if mode == Mode::Lab && !listen.ip().is_loopback() {
            return Err(wrong(&values, "listen", "a loopback address in lab mode, such as 127.0.0.1:8443"));
        }
        let metrics_listen = metrics_listen(&values, listen, mode)?;
        let path = |name| values.get(name).map(|v| &v.text).filter(|t| !t.is_empty()).map(PathBuf::from);
        if value(&values, "tls_key").contains("-----BEGIN") {
            // Said without showing it.
            let public = "tls_key names the file that holds the private key; it is not the key itself.";
            return Err(Error::invalid("bad_setting", "tls_key", public));
        }
        let tls = match (path("tls_cert"), path("tls_key")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(wrong(&values, "tls_key", "given together with tls_cert")),
            (None, Some(_)) => return Err(wrong(&values, "tls_cert", "given together with tls_key")),
        };
        Ok(Config {
            data: directory(&values)?,
            mode,
            listen,
            public_origin: public_origin(&values)?,
            trusted_proxies: trusted_proxies(&values)?,
            tls,
            plain_http,
            metrics_listen,
            web_session_minutes: web_session_minutes(&values)?,
            backups: backups::plan(&values)?,
            replica: path("replica"),
            seed: path("seed"),
            ready_file: path("ready_file"),
            values,
        })
    }
}

fn read_file(named: Option<&Path>) -> Result<(PathBuf, toml::Table)> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
    let invalid = |why: String| {
        let public = format!("The configuration file {} {why}", path.display());
        Error::new(Kind::Invalid, "bad_configuration_file", public)
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(invalid(format!("cannot be read: {e}."))),
    };
    let table: toml::Table = text.parse().map_err(|e| invalid(format!("is not TOML: {e}")))?;
    match table.keys().find(|key| SETTINGS.iter().all(|setting| setting.name != key.as_str())) {
        Some(unknown) => {
            let near = nearest(unknown, SETTINGS.iter().map(|setting| setting.name));
            let meant = near.map(|name| format!(" Did you mean {name}?")).unwrap_or_default();
            Err(invalid(format!("has a setting {unknown} that does not exist.{meant}")))
        }
        None => Ok((path, table)),
    }
}

/// What commands once read of themselves; a secret is taken from there only where the command line says so.
const SECRETS: &[(&str, &str)] =
    &[("SIDELIGHT_API_KEY", "--api-key-from"), ("SIDELIGHT_PASSWORD", "--password-from")];

/// Says of each variable that begins as ours do and is none of ours which one was probably meant.
///
/// `names` are the variables that are set; `used` knows those that are read for another reason. What Kubernetes sets
/// for a service that is called sidelight (`SIDELIGHT_SERVICE_HOST`, `SIDELIGHT_PORT_8443_TCP`) is nobody's mistake.
pub fn unknown_variables(
    names: impl IntoIterator<Item = String>,
    used: impl Fn(&str) -> bool,
) -> Vec<String> {
    let own = SETTINGS
        .iter()
        .flat_map(|setting| std::iter::once(setting.environment).chain(setting.other_variable()));
    let known: Vec<&str> = own.chain([CONFIG_VARIABLE]).collect();
    let set_by_others =
        |name: &str| name.starts_with("SIDELIGHT_SERVICE_") || name.starts_with("SIDELIGHT_PORT");
    let unknown = |name: &String| {
        name.starts_with("SIDELIGHT_")
            && !known.contains(&name.as_str())
            && !used(name)
            && !set_by_others(name)
    };
    let mut names: Vec<String> = names.into_iter().filter(unknown).collect();
    names.sort();
    let sentence = |name: String| {
        if let Some((_, option)) = SECRETS.iter().find(|(secret, _)| *secret == name) {
            return format!(
                "The environment variable {name} is set and not used. Say {option} env:{name} to use it."
            );
        }
        let near = nearest(&name, known.iter().copied());
        let meant = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        format!("The environment variable {name} means nothing here.{meant}")
    };
    names.into_iter().map(sentence).collect()
}

fn value<'v>(values: &'v BTreeMap<&'static str, Value>, name: &str) -> &'v str {
    values.get(name).map_or("", |v| v.text.as_str())
}

fn boolean(values: &BTreeMap<&'static str, Value>, name: &'static str) -> Result<bool> {
    match value(values, name).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(wrong(values, name, "true or false")),
    }
}

fn parsed<T: std::str::FromStr>(
    values: &BTreeMap<&'static str, Value>,
    name: &'static str,
    what: &str,
) -> Result<T> {
    value(values, name).parse().map_err(|_| wrong(values, name, what))
}

/// An address and port; `localhost` for the address is this machine alone, and a port alone is every address, or
/// where only this machine may ask, this machine.
fn listen(
    values: &BTreeMap<&'static str, Value>,
    name: &'static str,
    this_machine_only: bool,
) -> Result<SocketAddr> {
    let text = value(values, name).trim();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let refuse = || wrong(values, name, "an address and port such as 127.0.0.1:8443, localhost:8443 or 8443");
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port.parse().map_err(|_| refuse())?;
    match host {
        "" if this_machine_only => Ok((Ipv4Addr::LOCALHOST, port).into()),
        "" | "*" => Ok((Ipv4Addr::UNSPECIFIED, port).into()),
        host if host.eq_ignore_ascii_case("localhost") => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ => Err(refuse()),
    }
}

/// A port alone is this machine's: metrics tell strangers how busy the house is.
fn metrics_listen(
    values: &BTreeMap<&'static str, Value>,
    gate: SocketAddr,
    mode: Mode,
) -> Result<Option<SocketAddr>> {
    const NAME: &str = "metrics_listen";
    if value(values, NAME).trim().is_empty() {
        return Ok(None);
    }
    let address = listen(values, NAME, true)?;
    if address.port() != 0 && address.port() == gate.port() {
        return Err(wrong(values, NAME, "another port than that of listen"));
    }
    if mode == Mode::Lab && !address.ip().is_loopback() {
        return Err(wrong(values, NAME, "a loopback address in lab mode, such as 127.0.0.1:9464"));
    }
    Ok(Some(address))
}

/// From five minutes, below which a sign-in would hardly be over, to seven days, after which a web session ends
/// in any case.
fn web_session_minutes(values: &BTreeMap<&'static str, Value>) -> Result<u16> {
    const NAME: &str = "web_session_minutes";
    let minutes = parsed(values, NAME, "a number of minutes")?;
    match minutes {
        5..=10_080 => Ok(minutes),
        _ => Err(wrong(values, NAME, "between 5 and 10080 minutes (seven days)")),
    }
}

fn trusted_proxies(values: &BTreeMap<&'static str, Value>) -> Result<Vec<Net>> {
    let texts = value(values, "trusted_proxies").split(',').map(str::trim).filter(|t| !t.is_empty());
    texts
        .map(|text| {
            text.parse()
                .map_err(|_| wrong(values, "trusted_proxies", "addresses like 10.0.0.7 or 10.0.0.0/8"))
        })
        .collect()
}

/// An origin: `https://host[:port]`, nothing after it. Plain `http` is for loopback without TLS only.
fn public_origin(values: &BTreeMap<&'static str, Value>) -> Result<Option<String>> {
    let text = value(values, "public_url").trim_end_matches('/');
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = || wrong(values, "public_url", "https:// and a host, such as https://sso.example.com");
    let encrypted = !boolean(values, "plain_http")?;
    let (scheme, loopback) = origin_parts(text).ok_or_else(refuse)?;
    if scheme == "http" && (encrypted || !loopback) {
        return Err(refuse());
    }
    Ok(Some(text.to_ascii_lowercase()))
}

/// The scheme of an origin, and whether its host is this machine; `None` for what is no origin of `http` or `https`.
pub fn origin_parts(text: &str) -> Option<(&str, bool)> {
    let (scheme, authority) =
        text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let address = bracketed.unwrap_or(host).parse::<IpAddr>();
    let loopback = host == "localhost" || address.as_ref().is_ok_and(|a| a.is_loopback());
    (!host.is_empty() && (named || address.is_ok())).then_some((scheme, loopback))
}

fn wrong(values: &BTreeMap<&'static str, Value>, name: &'static str, what: &str) -> Error {
    let origin = values.get(name).map_or(Origin::Default, |v| v.origin.clone());
    let given = value(values, name);
    Error::invalid("bad_setting", name, format!("{name} must be {what}; it is \"{given}\" (from {origin})."))
}

#[cfg(test)]
mod tests;
