//! Instants as SAML writes them: `xs:dateTime` in UTC (Core 1.3.3, XML Schema 2 3.2.7).
//!
//! In here an instant is a number of milliseconds since 1970-01-01T00:00:00Z. What time it is now, this
//! file does not know. Enter at [`parse_instant`] and [`format_instant`].

const MS_A_SECOND: i64 = 1_000;
const MS_A_DAY: i64 = 86_400_000;
/// Nobody writes more than nine digits of a second; the bound keeps the scan short.
const MAX_FRACTION_DIGITS: usize = 18;

/// Reads an `xs:dateTime`; a value without a zone is UTC, as Core 1.3.3 asks. `None` if it is malformed
/// or no such day exists. White space around it is ignored, fractions finer than a millisecond are cut.
pub fn parse_instant(text: &str) -> Option<i64> {
    let (local, offset_minutes) = parse_local(text)?;
    local.checked_sub(offset_minutes.unwrap_or(0).checked_mul(60 * MS_A_SECOND)?)
}

/// Reads an RFC 3339 timestamp, in which the zone is required. `None` if it is malformed.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (local, offset_minutes) = parse_local(text)?;
    local.checked_sub(offset_minutes?.checked_mul(60 * MS_A_SECOND)?)
}

/// Writes an instant as `2026-02-01T12:00:00Z`, with three digits of fraction where there are any.
pub fn format_instant(instant: i64) -> String {
    let (days, ms) = (instant.div_euclid(MS_A_DAY), instant.rem_euclid(MS_A_DAY));
    let (year, month, day) = civil_from_days(days);
    let (seconds, fraction) = (ms / MS_A_SECOND, ms % MS_A_SECOND);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let whole = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction == 0 { format!("{whole}Z") } else { format!("{whole}.{fraction:03}Z") }
}

/// Local milliseconds since the epoch, and the zone's offset in minutes if one was written.
fn parse_local(text: &str) -> Option<(i64, Option<i64>)> {
    let mut rest = text.trim_matches([' ', '\t', '\r', '\n']).as_bytes();
    let year = digits(&mut rest, 4)?;
    literal(&mut rest, b'-')?;
    let month = digits(&mut rest, 2)?;
    literal(&mut rest, b'-')?;
    let day = digits(&mut rest, 2)?;
    literal(&mut rest, b'T')?;
    let hour = digits(&mut rest, 2)?;
    literal(&mut rest, b':')?;
    let minute = digits(&mut rest, 2)?;
    literal(&mut rest, b':')?;
    let second = digits(&mut rest, 2)?;
    let ms = fraction(&mut rest)?;
    let offset = zone(&mut rest)?;

    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    // XML Schema lets 24:00:00 stand for the end of the day; leap seconds are forbidden (Core 1.3.3).
    let end_of_day = hour == 24 && minute == 0 && second == 0 && ms == 0;
    if (hour > 23 && !end_of_day) || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3_600 + minute * 60 + second;
    Some((days_from_civil(year, month, day) * MS_A_DAY + seconds * MS_A_SECOND + ms, offset))
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(count)?;
    let mut number = 0;
    for byte in head {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    *rest = tail;
    Some(number)
}

fn literal(rest: &mut &[u8], wanted: u8) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    (*first == wanted).then(|| *rest = tail)
}

fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if rest.first() != Some(&b'.') {
        return Some(0);
    }
    literal(rest, b'.')?;
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > MAX_FRACTION_DIGITS {
        return None;
    }
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    let ms = head.iter().chain(b"00").take(3);
    Some(ms.fold(0, |number, byte| number * 10 + i64::from(byte - b'0')))
}

/// `Some(None)` where no zone is written, `None` where it is malformed.
fn zone(rest: &mut &[u8]) -> Option<Option<i64>> {
    let sign = match rest.split_first() {
        None => return Some(None),
        Some((b'Z', [])) => return Some(Some(0)),
        Some((b'+', tail)) => {
            *rest = tail;
            1
        }
        Some((b'-', tail)) => {
            *rest = tail;
            -1
        }
        Some(_) => return None,
    };
    let hours = digits(rest, 2)?;
    literal(rest, b':')?;
    let minutes = digits(rest, 2)?;
    let within = minutes <= 59 && (hours < 14 || (hours == 14 && minutes == 0));
    (rest.is_empty() && within).then_some(Some(sign * (hours * 60 + minutes)))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the
/// leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse_instant(text), expected, "{text:?}");
    }

    #[test]
    fn instants_are_read_as_xml_schema_writes_them() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2026-02-01T12:00:00Z", Some(1_769_947_200_000));
        check("2026-02-01T12:00:00.5Z", Some(1_769_947_200_500));
        check("2026-02-01T12:00:00.1239999Z", Some(1_769_947_200_123));
        check("2026-02-01T12:00:00", Some(1_769_947_200_000));
        check("2026-02-01T14:00:00+02:00", Some(1_769_947_200_000));
        check("2026-02-01T06:30:00-05:30", Some(1_769_947_200_000));
        check("\n 2026-02-01T12:00:00Z ", Some(1_769_947_200_000));
        check("2026-01-31T24:00:00Z", parse_instant("2026-02-01T00:00:00Z"));
        check("2024-02-29T00:00:00Z", Some(1_709_164_800_000));
        check("1969-12-31T23:59:59Z", Some(-1_000));
    }

    #[test]
    fn malformed_instants_are_refused() {
        for text in [
            "",
            "INVALID-DATE",
            "2026-02-01",
            "2026-02-01 12:00:00Z",
            "2026-02-01t12:00:00z",
            "2026-2-1T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-02-00T12:00:00Z",
            "2026-02-01T24:00:01Z",
            "2026-02-01T23:59:60Z",
            "2026-02-01T12:60:00Z",
            "2026-02-01T12:00:00.Z",
            "2026-02-01T12:00:00,5Z",
            "2026-02-01T12:00:00Zjunk",
            "2026-02-01T12:00:00+0200",
            "2026-02-01T12:00:00+15:00",
            "+2026-02-01T12:00:00Z",
            "-2026-02-01T12:00:00Z",
            "12026-02-01T12:00:00Z",
            "0000-02-01T12:00:00Z",
            "２026-02-01T12:00:00Z",
            "1769947200",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn zones_reach_to_fourteen_hours_and_leap_days_skip_three_centuries_of_four() {
        check("2026-02-01T17:59:00+05:59", Some(1_769_947_200_000));
        check("2026-02-02T02:00:00+14:00", Some(1_769_947_200_000));
        for text in [
            "2026-02-01T12:00:00+14:01",
            "2026-02-01T12:00:00+15:00",
            "2026-02-01T12:00:00-14:59",
            "2100-02-29T12:00:00Z",
            "1900-02-29T12:00:00Z",
            "2026-02-29T12:00:00Z",
        ] {
            check(text, None);
        }
        check("2000-02-29T00:00:00Z", Some(951_782_400_000));
    }

    #[test]
    fn rfc_3339_demands_a_zone() {
        assert_eq!(parse_rfc3339("2026-02-01T12:00:00"), None);
        assert_eq!(parse_rfc3339("2026-02-01T13:00:00+01:00"), Some(1_769_947_200_000));
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut instant = -62_135_596_800_000;
        while instant < 253_402_300_000_000 {
            assert_eq!(parse_instant(&format_instant(instant)), Some(instant));
            instant += 86_399_999 * 97;
        }
        assert_eq!(format_instant(1_769_947_200_500), "2026-02-01T12:00:00.500Z");
    }
}
