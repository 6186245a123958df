//! The one clock of the process, and the instant that it tells.
//!
//! Login keys, assertions, web sessions and lockouts all read this clock. In the lab it can be set; it
//! goes on running from there. Protocol code never reads it: there, time is an argument.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Makes an instant from whole seconds since the epoch.
    pub fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(1000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by `seconds`, which may be negative.
    pub fn plus_seconds(self, seconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Reads an RFC 3339 instant such as `2020-07-05T00:00:00Z`, whose zone is required; `None` when it is not one.
    /// Fractions finer than a millisecond are cut.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let written = Written::read(text)?;
        written.at(written.offset_minutes?)
    }

    /// Reads an `xs:dateTime` (XML Schema 2 3.2.7) as [`Timestamp::parse`] does; one without a zone is UTC, as SAML core
    /// 1.3.3 asks.
    pub fn parse_utc(text: &str) -> Option<Timestamp> {
        let written = Written::read(text)?;
        written.at(written.offset_minutes.unwrap_or(0))
    }
}

/// An instant as it is written: `2020-07-05T00:00:00`, then a fraction or none, then a zone or none. Both standards that
/// we read have this one shape; jiff, which knows the calendar, would read many more.
struct Written {
    date: [i16; 3],
    time: [i8; 3],
    milliseconds: i64,
    offset_minutes: Option<i64>,
}

/// Nobody writes more than nine digits of a second; the bound keeps the scan short.
const FRACTION_DIGITS_MOST: usize = 18;

impl Written {
    /// Checks the shape, not yet the calendar.
    fn read(text: &str) -> Option<Written> {
        let mut rest = text.as_bytes();
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
        let milliseconds = fraction(&mut rest)?;
        let offset_minutes = zone(rest)?;
        let small = |number: i16| i8::try_from(number).ok();
        let time = [small(hour)?, small(minute)?, small(second)?];
        Some(Written { date: [year, month, day], time, milliseconds, offset_minutes })
    }

    /// The instant, in a zone that is so many minutes ahead of UTC; `None` when there is no such day or time. XML Schema
    /// lets 24:00:00 stand for the end of the day; both standards know leap seconds only to forbid or to ignore them.
    fn at(&self, offset_minutes: i64) -> Option<Timestamp> {
        let [year, month, day] = self.date;
        let [hour, minute, second] = self.time;
        let is_end_of_day = self.time == [24, 0, 0] && self.milliseconds == 0;
        let (hour, days) = if is_end_of_day { (0, 1) } else { (hour, 0) };
        if year == 0 || second > 59 {
            return None;
        }
        let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
        let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
        let local = date.to_datetime(time).duration_since(epoch);
        let minutes = days * 24 * 60 - offset_minutes;
        Some(Timestamp(local.as_secs().checked_add(minutes * 60)?.checked_mul(1000)? + self.milliseconds))
    }
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i16> {
    let (head, tail) = rest.split_at_checked(count)?;
    let mut number: i16 = 0;
    for byte in head {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i16::from(byte - b'0');
    }
    *rest = tail;
    Some(number)
}

fn literal(rest: &mut &[u8], wanted: u8) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    (*first == wanted).then(|| *rest = tail)
}

/// Milliseconds; 0 where no fraction is written.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if rest.first() != Some(&b'.') {
        return Some(0);
    }
    literal(rest, b'.')?;
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > FRACTION_DIGITS_MOST {
        return None;
    }
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    let milliseconds = head.iter().chain(b"00").take(3);
    Some(milliseconds.fold(0, |number, byte| number * 10 + i64::from(byte - b'0')))
}

/// Minutes ahead of UTC, up to fourteen hours; `Some(None)` where no zone is written, `None` where it is malformed.
fn zone(mut rest: &[u8]) -> Option<Option<i64>> {
    let sign = match rest.split_first() {
        None => return Some(None),
        Some((b'Z', [])) => return Some(Some(0)),
        Some((b'+', tail)) => {
            rest = tail;
            1
        }
        Some((b'-', tail)) => {
            rest = tail;
            -1
        }
        Some(_) => return None,
    };
    let hours = i64::from(digits(&mut rest, 2)?);
    literal(&mut rest, b':')?;
    let minutes = i64::from(digits(&mut rest, 2)?);
    let within = minutes <= 59 && (hours < 14 || (hours == 14 && minutes == 0));
    (rest.is_empty() && within).then_some(Some(sign * (hours * 60 + minutes)))
}

/// RFC 3339 in UTC with milliseconds: `2020-07-05T00:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            // A certificate without an end has the last second of the year 9999, which is a little too late for an
            // instant that may be shown in any zone.
            Err(_) => match jiff::civil::date(1970, 1, 1)
                .at(0, 0, 0, 0)
                .checked_add(jiff::SignedDuration::from_millis(self.0))
            {
                Ok(t) => write!(f, "{t:.3}Z"),
                Err(_) => write!(f, "{} ms", self.0),
            },
        }
    }
}

/// The clock. Clones tell the same time.
#[derive(Clone, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Makes a clock that tells the machine's time.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// Tells the time.
    pub fn now(&self) -> Timestamp {
        Timestamp(machine_ms().saturating_add(self.offset_ms.load(Ordering::Relaxed)))
    }

    /// Sets the clock to `now`, from where it goes on running. The caller has made sure that this is a lab.
    pub fn set_now(&self, now: Timestamp) {
        self.set_offset_ms(now.0.saturating_sub(machine_ms()));
    }

    /// Sets how far this clock is ahead of the machine's, in milliseconds; 0 restores it.
    pub fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    /// How far this clock is ahead of the machine's, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }
}

fn machine_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_and_written_as_rfc_3339() {
        let instant = Timestamp::parse("2020-07-05T00:20:30Z");
        assert_eq!(instant, Some(Timestamp::from_seconds(1_593_908_430)));
        assert_eq!(instant.map(|t| t.to_string()).as_deref(), Some("2020-07-05T00:20:30.000Z"));
        assert_eq!(Timestamp::parse("yesterday"), None);
        // The end of a certificate that has none (RFC 5280 §4.1.2.5).
        assert_eq!(Timestamp(253_402_300_799_000).to_string(), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn a_set_clock_is_set_for_every_clone() {
        let clock = Clock::system();
        let clone = clock.clone();
        clock.set_now(Timestamp::from_seconds(1_593_907_200));
        assert_eq!(clone.now().seconds() / 3600, 1_593_907_200 / 3600);
        clock.set_offset_ms(0);
        assert!(clone.now() > Timestamp::from_seconds(1_700_000_000));
    }
}
