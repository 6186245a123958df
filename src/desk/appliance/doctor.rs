//! The doctor: looks at all that an operator looks after, and says of each whether it is good, or what to do.
//!
//! One table ([`CHECKS`]) stands behind `sidelight doctor` and the page *Appliance*. A check is a function from what was
//! seen to one finding; it reads nothing by itself.

use std::sync::Arc;

use super::readiness::{LEAST_FREE_BYTES, Readiness};
use super::watch::Watched;
use crate::clock::Timestamp;
use crate::desk::appliance::Appliance;
use crate::desk::ground::permission;
use crate::error::Result;
use crate::model::doctor::{Finding, Installation};
use crate::model::lists::thousands;
use crate::model::sso::health::Condition::{self, Attention, Bad, Good, Off};
use crate::model::{Caller, Mode};

const DAY_SECONDS: i64 = 86_400;
/// Days before the end of a certificate from which on it is spoken of.
const CERTIFICATE_SOON: i64 = 30;
/// A backup that is older has missed a day.
const BACKUP_OLD_SECONDS: i64 = 36 * 3_600;
/// Free room below which the doctor warns; what a backup needs is asked besides.
const LITTLE_ROOM: u64 = 1 << 30;
/// The write-ahead log is cut long before it is so large, unless somebody reads for long.
const LONG_LOG: u64 = 256 << 20;
/// By how much the clocks may differ before assertions are refused here and there.
const CLOCK_SECONDS: i64 = 60;
/// Rows of the access log of a day that make a disk a matter of months.
const MANY_ROWS_A_DAY: u64 = 2_000_000;

/// What the checks judge by.
struct Observations<'a> {
    watched: &'a Watched,
    readiness: Arc<Readiness>,
    installation: &'a Installation,
    mode: Mode,
    /// Whether this process is the server.
    serves: bool,
    /// By how many milliseconds our clock was ahead of that of the last identity provider.
    clock_ahead: Option<i64>,
}

/// What a check finds.
struct CheckResult {
    condition: Condition,
    says: String,
    repair: String,
}

/// Name, label, and the check.
type DoctorCheck = (&'static str, &'static str, fn(&Observations<'_>) -> CheckResult);

/// All checks, in the order in which they are shown.
const CHECKS: &[DoctorCheck] = &[
    ("server", "Server", server),
    ("tls_certificate", "TLS certificate", tls_certificate),
    ("public_url", "Public URL", public_url),
    ("clock", "Clock", clock),
    ("disk", "Disk", disk),
    ("writes", "Writes", writes),
    ("database", "Database", database),
    ("whole_check", "Check of the whole database", whole_check),
    ("write_ahead_log", "Write-ahead log", write_ahead_log),
    ("backup", "Last backup", backup),
    ("key_file", "Copy of the key file", key_file),
    ("access_log", "Access log", access_log),
    ("idp_certificates", "Identity providers' certificates", idp_certificates),
    ("unused_keys", "Keys that nobody uses", unused_keys),
    ("settings", "Settings", settings),
    ("server_log", "Server log", server_log),
];

impl Appliance {
    /// Looks at everything. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; those of the store.
    pub fn doctor(&self, caller: &Caller, installation: &Installation) -> Result<Vec<Finding>> {
        permission::run_appliance(caller)?;
        let watched = self.watched()?;
        let seen = Observations {
            watched: &watched,
            readiness: self.readiness(),
            installation,
            mode: self.ground.mode,
            serves: self.ground.serves,
            clock_ahead: self.ground.sign_ins.clock_ahead(),
        };
        Ok(examined(&seen))
    }
}

fn examined(seen: &Observations<'_>) -> Vec<Finding> {
    let finding = |(name, label, check): &DoctorCheck| {
        let CheckResult { condition, says, repair } = check(seen);
        Finding { name, label, condition, says, repair }
    };
    CHECKS.iter().map(finding).collect()
}

fn good(says: impl Into<String>) -> CheckResult {
    CheckResult { condition: Good, says: says.into(), repair: String::new() }
}

fn off(says: impl Into<String>) -> CheckResult {
    CheckResult { condition: Off, says: says.into(), repair: String::new() }
}

fn found(condition: Condition, says: impl Into<String>, repair: impl Into<String>) -> CheckResult {
    CheckResult { condition, says: says.into(), repair: repair.into() }
}

fn server(seen: &Observations<'_>) -> CheckResult {
    let (version, mode) = (env!("CARGO_PKG_VERSION"), seen.mode.as_str());
    match seen.installation.uptime_seconds {
        Some(seconds) => good(format!("Version {version} in {mode} mode has run for {}.", duration(seconds))),
        None => found(
            Attention,
            format!(
                "No server runs on this data directory. This is version {version}; the data is of {mode} mode."
            ),
            "Start it with sidelight serve, or by the service manager.",
        ),
    }
}

fn tls_certificate(seen: &Observations<'_>) -> CheckResult {
    let Some(certificate) = &seen.installation.certificate else {
        return off("This server speaks plain HTTP, on this machine only.");
    };
    let left = days_left(certificate.ends_at, seen.watched.now);
    let ends = format!("It ends on {}, in {left} days.", day(certificate.ends_at));
    match (left, certificate.is_own) {
        (..0, _) => found(
            Bad,
            format!("It ended on {}: browsers and clients refuse it.", day(certificate.ends_at)),
            "Put a new one in its place, and restart.",
        ),
        (0..CERTIFICATE_SOON, _) => found(Attention, ends, "Put a new one in its place, and restart."),
        (_, true) if seen.mode == Mode::Production => found(
            Attention,
            format!("Sidelight made it itself, so browsers warn of it. {ends}"),
            "Get one that browsers trust, and name it with tls_cert and tls_key.",
        ),
        _ => good(ends),
    }
}

fn public_url(seen: &Observations<'_>) -> CheckResult {
    let Installation { public_origin, asked_as, .. } = seen.installation;
    match (public_origin, asked_as) {
        (None, _) if seen.mode == Mode::Lab => good("A lab is reached at the address where it listens."),
        (None, _) => found(
            Attention,
            "It is not set: addresses for identity providers are made from what each browser asks for.",
            "Set public_url to the address that people use.",
        ),
        (Some(set), Some(asked)) if set != asked => found(
            Attention,
            format!("It is {set}, and your browser came to {asked}."),
            "Where people use that address too, change public_url; identity providers compare it letter by letter.",
        ),
        (Some(set), _) => good(format!("It is {set}.")),
    }
}

fn clock(seen: &Observations<'_>) -> CheckResult {
    let Some(ahead) = seen.clock_ahead.map(|milliseconds| milliseconds / 1_000) else {
        return off("No SAML response has come yet that it could be compared with.");
    };
    if ahead.abs() <= CLOCK_SECONDS {
        return good(format!("It agrees with the last SAML response within {} seconds.", ahead.abs() + 1));
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    found(
        Attention,
        format!("It was {} seconds {side} the identity provider's at the last SAML response.", ahead.abs()),
        "Synchronise the clocks of both machines (chrony, systemd-timesyncd).",
    )
}

fn disk(seen: &Observations<'_>) -> CheckResult {
    let Some(free) = seen.watched.free_bytes else {
        return off("The system does not say how much room there is.");
    };
    let room = format!("{} are free.", mebibytes(free));
    let wanted = LITTLE_ROOM.max(seen.watched.files.database.saturating_mul(2));
    match free {
        ..LEAST_FREE_BYTES => found(Bad, room, "Make room now: writes will fail."),
        _ if free < wanted => found(
            Attention,
            room,
            format!("Make room: a backup and its proof need about {}.", mebibytes(wanted)),
        ),
        _ => good(room),
    }
}

/// What a check of whether the appliance can serve says.
fn readiness(seen: &Observations<'_>, name: &str, fine: &str) -> CheckResult {
    let check = seen.readiness.0.iter().find(|check| check.name == name);
    match check.and_then(|check| check.failure.as_ref()) {
        None => good(fine),
        Some(failure) => found(Bad, failure.public.clone(), "See docs/operating.md, and the server log."),
    }
}

fn writes(seen: &Observations<'_>) -> CheckResult {
    match seen.serves {
        true => readiness(seen, "writes", "The last write worked."),
        false => off("Only the server knows: ask /readyz?verbose."),
    }
}

fn database(seen: &Observations<'_>) -> CheckResult {
    let size = mebibytes(seen.watched.files.database);
    readiness(seen, "database", &format!("It answers, and has {size}."))
}

fn whole_check(seen: &Observations<'_>) -> CheckResult {
    match &seen.watched.last_check {
        Some(check) => match &check.damage {
            None => good(format!("It was found sound on {}.", moment(check.at))),
            Some(damage) => found(
                Bad,
                format!("It is damaged ({damage}), found on {}.", moment(check.at)),
                "Stop the server, and restore the last backup.",
            ),
        },
        None if seen.serves => off("It runs beside the requests, and has not ended yet."),
        None => off("The server makes it at each start, and its log says how it ended."),
    }
}

fn write_ahead_log(seen: &Observations<'_>) -> CheckResult {
    let bytes = seen.watched.files.log;
    if !seen.watched.log_is_there {
        return found(
            Bad,
            "Another program has deleted sidelight.db-wal. What was written last is lost if the server is killed.",
            "Stop the server in order (SIGTERM), which writes all of it, and start it again. Never open the \
             database with another program.",
        );
    }
    match bytes {
        ..LONG_LOG => good(format!("It has {}.", mebibytes(bytes))),
        _ => found(
            Attention,
            format!("It has {}: a process has been reading the database for a long time.", mebibytes(bytes)),
            "Find the process with lsof sidelight.db, and end it: an export, a copy, a tool that was left open.",
        ),
    }
}

fn backup(seen: &Observations<'_>) -> CheckResult {
    let searched = &seen.watched.searched;
    let Some(last) = &searched.last_backup else {
        let says = "No backup has been restored and found complete.";
        if seen.mode == Mode::Lab {
            return off(says);
        }
        return found(Bad, says, "Run sidelight backup --to DIR, and do so regularly.");
    };
    let says = format!("{} of {}: {}.", last.file, moment(last.ended_at), last.said);
    if searched.backup_failed {
        let repair = "The attempt after it failed: run sidelight backup, which says why.";
        return found(Attention, says, repair);
    }
    match seen.watched.now.seconds().saturating_sub(last.ended_at.seconds()) {
        BACKUP_OLD_SECONDS.. => found(Attention, says, "It is older than a day and a half: make one."),
        _ => good(says),
    }
}

fn key_file(seen: &Observations<'_>) -> CheckResult {
    match (seen.watched.searched.key_not_kept, &seen.watched.searched.last_backup) {
        (true, _) => found(
            Attention,
            "No operator has confirmed that a copy is kept elsewhere. Without it, login keys do not work after a restore.",
            "Keep a copy of sidelight.key in another place, and confirm it; or have it sealed into each backup.",
        ),
        (false, None) => off("It matters as soon as there are backups."),
        (false, Some(_)) => good("It is kept elsewhere, or sealed into each backup."),
    }
}

fn access_log(seen: &Observations<'_>) -> CheckResult {
    let (rows, day) = (seen.watched.access_log_rows, seen.watched.searched.access_log_rows_of_a_day);
    let says = format!("{} rows, {} of them within a day.", thousands(rows), thousands(day));
    match day {
        MANY_ROWS_A_DAY.. => found(
            Attention,
            says,
            "It grows by hundreds of MiB a day, and no row is ever deleted. Find out what causes these rows.",
        ),
        _ => good(says),
    }
}

fn idp_certificates(seen: &Observations<'_>) -> CheckResult {
    let mut soonest = seen.watched.searched.certificates.clone();
    soonest.sort_by_key(|certificate| certificate.ends_at);
    let Some(first) = soonest.first() else { return off("No group uses single sign-on.") };
    let left = days_left(first.ends_at, seen.watched.now);
    let soon = soonest.iter().filter(|c| days_left(c.ends_at, seen.watched.now) < CERTIFICATE_SOON).count();
    let says = match left {
        ..0 => format!("The one of group {} ended on {}.", first.group, day(first.ends_at)),
        _ => format!("The first ends on {}, in {left} days, of group {}.", day(first.ends_at), first.group),
    };
    match soon {
        0 => good(says),
        soon => found(
            Attention,
            format!("{says} {soon} of {} end within {CERTIFICATE_SOON} days.", soonest.len()),
            "Ask for the next certificate, and add it under SSO Configure beside the one that ends.",
        ),
    }
}

fn unused_keys(seen: &Observations<'_>) -> CheckResult {
    match seen.watched.searched.unused_keys {
        0 => good("Every SCIM token and every certificate of an identity provider was used within 90 days."),
        count => found(
            Attention,
            format!("{count} SCIM tokens or certificates of identity providers were not used for 90 days."),
            "Revoke or remove those that nobody needs: see Provisioning and SSO Configure of each group.",
        ),
    }
}

fn settings(seen: &Observations<'_>) -> CheckResult {
    match seen.installation.contradictions.as_slice() {
        [] => good("They fit each other."),
        contradictions => found(Attention, contradictions.join(" "), "Change the settings, and restart."),
    }
}

fn server_log(seen: &Observations<'_>) -> CheckResult {
    match (seen.serves, seen.installation.dropped_lines) {
        (false, _) => off("Only the running server knows whether its output is read."),
        (true, 0) => good("Somebody reads it: no line was dropped."),
        (true, lines) => found(
            Attention,
            format!("{} lines were dropped, because nobody read standard error.", thousands(lines)),
            "Have a service manager collect what the server writes to standard error.",
        ),
    }
}

fn days_left(ends: Timestamp, now: Timestamp) -> i64 {
    ends.seconds().saturating_sub(now.seconds()).div_euclid(DAY_SECONDS)
}

/// `2026-12-01`
fn day(at: Timestamp) -> String {
    at.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// `2026-12-01 14:02:31 UTC`
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} UTC", text.get(..19).unwrap_or(&text).replace('T', " "))
}

fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        0 => "less than 1 MiB".to_owned(),
        mebibytes => format!("{} MiB", thousands(mebibytes)),
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;
