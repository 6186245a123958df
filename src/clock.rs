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

    /// Reads an RFC 3339 instant such as `2020-07-05T00:00:00Z`; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Timestamp> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Timestamp(t.as_millisecond()))
    }
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
