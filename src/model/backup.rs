//! When backups are made and how long they stay, and what is kept of each.

use std::path::PathBuf;

use crate::clock::Timestamp;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The plan of daily backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    pub directory: PathBuf,
    /// The minute of the day in UTC, from 0 to 1439.
    pub minute: u16,
    /// How many backups stay at most; at least one.
    pub keep: u16,
    /// How many days a backup stays at most; the newest one stays in any case.
    pub keep_days: u16,
}

impl BackupPlan {
    /// The last moment at or before `now` at which a backup was to be made.
    pub fn last_moment(&self, now: Timestamp) -> Timestamp {
        let today = now.0.div_euclid(DAY_MS) * DAY_MS + i64::from(self.minute) * MINUTE_MS;
        Timestamp(if today <= now.0 { today } else { today - DAY_MS })
    }

    /// The next moment after `now`.
    pub fn next_moment(&self, now: Timestamp) -> Timestamp {
        Timestamp(self.last_moment(now).0 + DAY_MS)
    }
}

/// What is kept of one backup that was made, or was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRecord {
    pub ended_at: Timestamp,
    /// The file; the directory where none was made.
    pub file: String,
    pub bytes: u64,
    /// The code of the error; `None` when the backup was made and proven.
    pub code: Option<String>,
    /// How it was proven, or why it failed.
    pub said: String,
    /// Whether it was made by the plan.
    pub planned: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_plan_knows_its_moments_before_and_after() {
        let plan = BackupPlan { directory: "b".into(), minute: 120, keep: 1, keep_days: 1 };
        for (now, last, next) in [
            ("2026-12-01T02:00:00Z", "2026-12-01T02:00:00.000Z", "2026-12-02T02:00:00.000Z"),
            ("2026-12-01T01:59:59Z", "2026-11-30T02:00:00.000Z", "2026-12-01T02:00:00.000Z"),
            ("2026-12-01T23:00:00Z", "2026-12-01T02:00:00.000Z", "2026-12-02T02:00:00.000Z"),
        ] {
            let now = Timestamp::parse(now).unwrap();
            assert_eq!(
                (plan.last_moment(now).to_string(), plan.next_moment(now).to_string()),
                (last.into(), next.into())
            );
        }
    }
}
