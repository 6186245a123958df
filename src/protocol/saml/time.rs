//! Instants as SAML writes them: `xs:dateTime` in UTC (Core 1.3.3, XML Schema 2 3.2.7).
//!
//! In here an instant is a number of milliseconds since 1970-01-01T00:00:00Z. What time it is now, this
//! file does not know. Enter at [`parse_instant`] and [`format_instant`].

use crate::clock::Timestamp;

/// Reads an `xs:dateTime`; a value without a zone is UTC, as Core 1.3.3 asks. `None` if it is malformed
/// or no such day exists. White space around it is ignored, fractions finer than a millisecond are cut.
pub fn parse_instant(text: &str) -> Option<i64> {
    Timestamp::parse_utc(text.trim_matches([' ', '\t', '\r', '\n'])).map(|instant| instant.0)
}

/// Writes an instant as `2026-02-01T12:00:00Z`, with three digits of fraction where there are any.
pub fn format_instant(instant: i64) -> String {
    let written = Timestamp(instant).to_string();
    match written.strip_suffix(".000Z") {
        Some(whole) => format!("{whole}Z"),
        None => written,
    }
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
        assert_eq!(Timestamp::parse("2026-02-01T12:00:00"), None);
        assert_eq!(Timestamp::parse("2026-02-01T13:00:00+01:00"), Some(Timestamp(1_769_947_200_000)));
        assert_eq!(Timestamp::parse(" 2026-02-01T13:00:00Z"), None);
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
