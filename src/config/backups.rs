//! The settings of the daily backup.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Value, parsed, value, wrong};
use crate::error::Result;
use crate::model::backup::BackupPlan;

/// The plan of backups; `None` without a directory.
///
/// # Errors
/// `Invalid` with code `bad_setting`.
pub(super) fn plan(values: &BTreeMap<&'static str, Value>) -> Result<Option<BackupPlan>> {
    let minute = minute_of_day(value(values, "backup_time"))
        .ok_or_else(|| wrong(values, "backup_time", "a time of the day in UTC, such as 02:00"))?;
    let count = |name: &'static str, most: u16| {
        let what = format!("a number from 1 to {most}");
        let count: u16 = parsed(values, name, &what)?;
        if (1..=most).contains(&count) { Ok(count) } else { Err(wrong(values, name, &what)) }
    };
    let (keep, keep_days) = (count("backup_keep", 1_000)?, count("backup_keep_days", 3_660)?);
    let directory = PathBuf::from(value(values, "backup_dir"));
    Ok((!directory.as_os_str().is_empty()).then_some(BackupPlan { directory, minute, keep, keep_days }))
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str, below: u16| {
        let shaped = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|number| shaped && *number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

#[cfg(test)]
mod tests {
    use super::minute_of_day;

    #[test]
    fn a_time_of_the_day_has_two_digits_of_each() {
        assert_eq!(minute_of_day("00:00"), Some(0));
        assert_eq!(minute_of_day("23:59"), Some(1_439));
        for wrong in ["24:00", "2:00", "02:60", "02:0", "0200", "+2:00", "02:00:00", ""] {
            assert_eq!(minute_of_day(wrong), None, "{wrong}");
        }
    }
}
