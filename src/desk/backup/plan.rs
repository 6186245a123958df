//! Backups that are made by a plan, and by the console in the background; which of them stay; what the operators see of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::DIRECTORY;
use crate::backup_file::place;
use crate::clock::{Clock, Timestamp};
use crate::desk::Desk;
use crate::desk::ground::permission;
use crate::desk::restore::Report;
use crate::error::{Error, Kind, Result};
use crate::model::backup::{BackupPlan, BackupRecord};
use crate::model::{Caller, LogEntry};
use crate::store::Attention;

/// After a backup by the plan failed, the next attempt is made after so long.
const RETRY_SECONDS: i64 = 3_600;
/// Records that are shown.
const SHOWN: u32 = 20;

/// What the operators see of backups.
#[derive(Debug, Clone)]
pub struct Backups {
    pub plan: Option<BackupPlan>,
    /// The next moment of the plan.
    pub next: Option<Timestamp>,
    /// When the backup began that is being made.
    pub running_since: Option<Timestamp>,
    pub last_proven: Option<BackupRecord>,
    /// Newest first.
    pub records: Vec<BackupRecord>,
    /// The name of the key file, once an operator has said that a copy is kept elsewhere.
    pub key_kept: Option<String>,
    /// The age recipient to whom the key file is sealed into each backup.
    pub key_recipient: Option<String>,
    /// The report of the last restore, until it was read.
    pub restore_report: Option<Report>,
}

impl Desk {
    /// Sets the plan of the backups; the first call counts. Names the network file system that its directory lies on, if it
    /// does: locks and renames cannot be trusted there.
    pub fn set_backup_plan(&self, plan: BackupPlan) -> Option<&'static str> {
        let network = place::network(&plan.directory);
        let _ = self.backups.plan.set(plan);
        network
    }

    /// What there is to see of backups. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; those of the store.
    pub fn backups(&self, caller: &Caller) -> Result<Backups> {
        permission::run_appliance(caller)?;
        let plan = self.backups.plan.get().cloned();
        let now = Clock::system().now();
        self.ground.store.snapshot(|r| {
            Ok(Backups {
                next: plan.as_ref().map(|plan| plan.next_moment(now)),
                plan,
                running_since: *self.backups.running.lock().unwrap_or_else(PoisonError::into_inner),
                last_proven: r.last_proven_backup()?,
                records: r.backups(SHOWN)?,
                key_kept: r.key_kept()?,
                key_recipient: r.key_recipient()?,
                restore_report: r.restore_report()?.as_deref().map(Report::of_json),
            })
        })
    }

    /// What operators should be told on each page; nothing for others.
    ///
    /// # Errors
    /// Those of the store.
    pub fn attention(&self, caller: &Caller) -> Result<Attention> {
        match caller.may_run_appliance() {
            true => self.ground.store.read(|r| r.attention()),
            false => Ok(Attention::default()),
        }
    }

    /// Begins a backup in the background, into the directory of the plan, or without one into `backups` in the data
    /// directory. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `Conflict` with code `backup_running`.
    pub fn begin_backup(self: &Arc<Desk>, caller: &Caller) -> Result<()> {
        permission::run_appliance(caller)?;
        let own = || self.data.join(DIRECTORY);
        let to = self.backups.plan.get().map_or_else(own, |plan| plan.directory.clone());
        self.take_running()?;
        let (desk, caller) = (Arc::clone(self), caller.clone());
        let work = move || {
            let _running = Running(&desk);
            // What came of it stands in the records.
            let _ = desk.recorded(&caller, &to, false, desk.backed_up(&to));
        };
        std::thread::Builder::new().name("backup".into()).spawn(work).map(drop).map_err(|e| {
            self.end_running();
            Error::fault("backup_thread", e.to_string())
        })
    }

    /// Makes the backup that the plan asks for, if one is due, and deletes those that the plan does not keep. Gives back
    /// what came of it.
    ///
    /// # Errors
    /// Those of [`Desk::back_up`].
    pub fn back_up_by_plan(&self) -> Result<Option<super::Backup>> {
        let Some(plan) = self.backups.plan.get() else { return Ok(None) };
        let now = Clock::system().now();
        if !is_due(plan, now, &self.ground.store.read(|r| r.backups(SHOWN))?) || self.take_running().is_err()
        {
            return Ok(None);
        }
        let _running = Running(self);
        let backup =
            self.recorded(&Caller::host(), &plan.directory, true, self.backed_up(&plan.directory))?;
        let made = self.ground.store.read(|r| r.backups_made_by_plan())?;
        let failed = |e: std::io::Error| super::cannot(&plan.directory, &e);
        for file in not_kept(plan, now, &made).map_err(failed)? {
            std::fs::remove_file(file).map_err(failed)?;
        }
        Ok(Some(backup))
    }

    /// Notes that a copy of the key file is kept elsewhere: `typed` is the name that was read off the copy. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; `Invalid` with code `other_key` when it is not this appliance's.
    pub fn confirm_key_kept(&self, caller: &Caller, typed: &str) -> Result<()> {
        const OPERATION: &str = "backup.key-kept";
        let attempt = || {
            permission::run_appliance(caller)?;
            let name = self.ground.keys.name.clone();
            let digits = |text: &str| -> String {
                text.chars()
                    .filter(char::is_ascii_hexdigit)
                    .map(|c| c.to_ascii_uppercase())
                    .take(16)
                    .collect()
            };
            if digits(typed) != digits(&name) {
                let public = "These are not the first 16 digits of the SHA-256 of this server's key file. Compare the copy \
                              with sidelight.key in the data directory.";
                return Err(Error::invalid("other_key", "name", public));
            }
            let entry = LogEntry::done(caller, None, OPERATION, name.as_str(), "");
            self.ground.store.write(self.ground.clock.now(), move |w| {
                w.set_key_kept(&name)?;
                w.log(&entry)
            })
        };
        self.ground.logging_refusal(caller, None, OPERATION, "", attempt())
    }

    /// Notes that the report of the last restore was read. Operators only.
    ///
    /// # Errors
    /// `Denied` with `operators_only`; those of the store.
    pub fn read_restore_report(&self, caller: &Caller) -> Result<()> {
        permission::run_appliance(caller)?;
        let entry = LogEntry::done(caller, None, "backup.report-read", "", "");
        self.ground.store.write(self.ground.clock.now(), move |w| {
            w.forget_restore_report()?;
            w.log(&entry)
        })
    }

    fn take_running(&self) -> Result<()> {
        let mut running = self.backups.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(Error::new(Kind::Conflict, "backup_running", "A backup is being made already."));
        }
        *running = Some(Clock::system().now());
        Ok(())
    }

    fn end_running(&self) {
        *self.backups.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A backup that is being made; however that ends, the next one may begin.
struct Running<'d>(&'d Desk);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.end_running();
    }
}

/// Whether no backup was proven since the last moment of the plan, and the last attempt by the plan is long enough ago.
/// `records` are the newest ones, newest first.
fn is_due(plan: &BackupPlan, now: Timestamp, records: &[BackupRecord]) -> bool {
    let moment = plan.last_moment(now);
    let proven = records.iter().any(|record| record.code.is_none() && record.ended_at >= moment);
    let tried = records.iter().find(|record| record.planned).map(|record| record.ended_at);
    !proven && tried.is_none_or(|at| at.plus_seconds(RETRY_SECONDS) <= now || at < moment)
}

/// The files that the plan does not keep: beyond its count, or too old; never the newest one. `made` are the records of those
/// that it made, newest first. Nothing else in its directory is touched: what was made by hand, before an upgrade, or by
/// another appliance that shares the directory.
fn not_kept(plan: &BackupPlan, now: Timestamp, made: &[BackupRecord]) -> std::io::Result<Vec<PathBuf>> {
    let directory = plan.directory.canonicalize()?;
    let oldest = now.plus_seconds(-86_400 * i64::from(plan.keep_days));
    let too_many = usize::from(plan.keep).max(1);
    let there = made
        .iter()
        .map(|record| (Path::new(&record.file), record.ended_at))
        .filter(|(file, _)| file.parent() == Some(&directory) && file.exists());
    let surplus =
        there.enumerate().filter(|(at, (_, made_at))| *at > 0 && (*at >= too_many || *made_at < oldest));
    Ok(surplus.map(|(_, (file, _))| file.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::desk::fixture::fixture;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn plan(directory: &Path) -> BackupPlan {
        BackupPlan { directory: directory.to_owned(), minute: 120, keep: 3, keep_days: 10 }
    }

    #[test]
    fn a_backup_is_due_once_a_day_and_after_a_failure_again_in_an_hour() {
        let plan = plan(Path::new("b"));
        let record = |ended_at: &str, code: Option<&str>, planned| BackupRecord {
            ended_at: at(ended_at),
            file: String::new(),
            bytes: 0,
            code: code.map(str::to_owned),
            said: String::new(),
            planned,
        };
        let now = at("2026-12-01T02:30:00Z");
        for (records, due) in [
            (vec![], true),
            (vec![record("2026-12-01T02:01:00Z", None, true)], false),
            (vec![record("2026-12-01T02:01:00Z", None, false)], false),
            (vec![record("2026-12-01T01:59:59Z", None, true)], true),
            (vec![record("2026-12-01T02:01:00Z", Some("backup_no_room"), true)], false),
            (vec![record("2026-12-01T02:01:00Z", Some("backup_no_room"), false)], true),
            (vec![record("2026-12-01T01:45:00Z", Some("backup_no_room"), true)], true),
        ] {
            assert_eq!(is_due(&plan, now, &records), due, "{records:?}");
        }
        let failed = [record("2026-12-01T02:01:00Z", Some("backup_no_room"), true)];
        assert!(
            !is_due(&plan, at("2026-12-01T03:00:59Z"), &failed)
                && is_due(&plan, at("2026-12-01T03:01:00Z"), &failed)
        );
    }

    #[test]
    fn of_what_the_plan_made_the_newest_stays_and_what_is_too_much_or_too_old_goes() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        let file = |day: &str| place.join(format!("sidelight-2026-11-{day}T020000Z.backup.tar"));
        let record = |day: &str, file: &Path| BackupRecord {
            ended_at: at(&format!("2026-11-{day}T02:00:05Z")),
            file: file.to_string_lossy().into_owned(),
            bytes: 1,
            code: None,
            said: String::new(),
            planned: true,
        };
        // Newest first. One was deleted by hand, one lies in another directory, and of one there is no record.
        let days = ["30", "29", "28", "20", "10"];
        let mut made: Vec<BackupRecord> = days.iter().map(|day| record(day, &file(day))).collect();
        days.iter().for_each(|day| std::fs::write(file(day), "").unwrap());
        std::fs::write(file("09"), "").unwrap();
        made.insert(1, record("29", &file("11")));
        made.push(record("08", Path::new("/elsewhere/sidelight-2026-11-08T020000Z.backup.tar")));
        let plan = plan(directory.path());
        assert_eq!(not_kept(&plan, at("2026-12-01T02:00:00Z"), &made).unwrap(), [file("20"), file("10")]);
        let aged = BackupPlan { keep: 9, ..plan };
        assert_eq!(not_kept(&aged, at("2026-12-01T02:00:00Z"), &made).unwrap(), [file("20"), file("10")]);
        let all_but_one = ["29", "28", "20", "10"].map(file);
        assert_eq!(not_kept(&aged, at("2027-12-01T02:00:00Z"), &made).unwrap(), all_but_one);
    }

    #[test]
    fn the_plan_makes_one_backup_and_not_a_second_one_that_day() {
        let f = fixture();
        let place = tempfile::tempdir().unwrap();
        assert_eq!(f.desk.set_backup_plan(plan(&place.path().join("backups"))), None);
        assert!(f.desk.back_up_by_plan().unwrap().is_some());
        assert!(f.desk.back_up_by_plan().unwrap().is_none());
        let seen = f.desk.backups(&Caller::host()).unwrap();
        assert_eq!(seen.records.len(), 1);
        assert!(seen.last_proven.unwrap().planned && seen.running_since.is_none());
        assert_eq!(f.desk.backups(&f.admin).unwrap_err().code, "operators_only");
    }

    #[test]
    fn the_key_is_confirmed_by_the_digits_of_its_file_alone() {
        let f = fixture();
        let host = Caller::host();
        let name = f.desk.ground.keys.name.clone();
        assert_eq!(f.desk.confirm_key_kept(&host, "0000-0000-0000-0000").unwrap_err().code, "other_key");
        assert_eq!(f.desk.confirm_key_kept(&host, &name[..18]).unwrap_err().code, "other_key");
        assert_eq!(f.desk.confirm_key_kept(&f.admin, &name).unwrap_err().code, "operators_only");
        assert_eq!(f.desk.backups(&host).unwrap().key_kept, None);
        // As `sha256sum` prints it.
        let file = std::fs::read(f.directory.path().join("sidelight.key")).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file);
        let printed: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        f.desk.confirm_key_kept(&host, &printed).unwrap();
        assert_eq!(f.desk.backups(&host).unwrap().key_kept, Some(name));
    }

    #[test]
    fn operators_are_told_of_a_failed_backup_a_restore_and_a_key_that_is_kept_nowhere() {
        let f = fixture();
        let host = Caller::host();
        assert_eq!(f.desk.attention(&host).unwrap(), Attention::default());
        let data = f.directory.path();
        f.desk.back_up(&host, data).unwrap_err();
        let told = Attention { key_not_kept: true, backup_failed: true, restore_report: false };
        assert_eq!(f.desk.attention(&host).unwrap(), told);
        assert_eq!(f.desk.attention(&f.admin).unwrap(), Attention::default());
        let now = f.desk.clock().now();
        f.desk.ground.store.write(now, |w| w.begin_after_restore("{}")).unwrap();
        assert!(f.desk.attention(&host).unwrap().restore_report);
        f.desk.read_restore_report(&host).unwrap();
        assert!(!f.desk.attention(&host).unwrap().restore_report);
    }
}
