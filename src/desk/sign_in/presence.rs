//! When each user signed in last, to the hour: by this an administrator finds accounts that are out of use.
//!
//! A sign-in by password notes it anyway, with the failures that it forgives. The others are so many that a row for
//! each would cost more than it tells: of a user one an hour is noted, and nobody waits for it.

use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::desk::ground::kept::Kept;
use crate::desk::sign_in::SignIn;
use crate::model::UserId;

/// How old a note may grow.
const NOTE_EVERY_SECONDS: i64 = 3_600;
/// Users kept; anyone who is not any more is noted once more.
const KEPT_MOST: usize = 65_536;

/// Whose sign-in was noted when.
pub(super) struct Presence(Mutex<Kept<UserId, Timestamp>>);

impl Default for Presence {
    fn default() -> Presence {
        Presence(Mutex::new(Kept::at_most(KEPT_MOST)))
    }
}

impl Presence {
    /// Whether a sign-in at `now` is to be noted; then it counts as noted.
    fn is_news(&self, user: UserId, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A lab's clock also goes back.
        if noted.get(&user).is_some_and(|at| *at <= now && now < at.plus_seconds(NOTE_EVERY_SECONDS)) {
            return false;
        }
        noted.insert(user, now);
        true
    }
}

impl SignIn {
    /// Notes that a user signs in, unless it was noted within the hour.
    pub(in crate::desk) fn note_presence(&self, user: UserId, now: Timestamp) {
        if self.presence.is_news(user, now) {
            self.ground.store.note(now, move |w| w.note_presence(user)).deliver(drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_in_an_hour_is_news() {
        let presence = Presence::default();
        let news = |user, seconds| presence.is_news(UserId(user), Timestamp::from_seconds(seconds));
        assert_eq!([news(1, 0), news(1, 3_599), news(2, 3_599), news(1, 3_600)], [true, false, true, true]);
        assert!(news(1, 10), "a clock that was set back");
    }
}
