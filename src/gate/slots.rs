//! The numbers under which the poller knows the connections, given out and taken back.

use std::sync::{Arc, Mutex, PoisonError};

/// The numbers that are free, and the first that was never given out.
#[derive(Default)]
pub struct Slots {
    numbers: Mutex<Numbers>,
}

#[derive(Default)]
struct Numbers {
    free: Vec<usize>,
    next: usize,
}

/// A connection's number, which it keeps while a thread has it; given back when dropped.
pub struct Slot {
    places: Arc<Slots>,
    index: usize,
}

impl Slots {
    /// Gives out a number that was given back; when there is none, a new one.
    pub fn take(self: &Arc<Self>) -> Slot {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let index = numbers.free.pop().unwrap_or_else(|| {
            numbers.next += 1;
            numbers.next - 1
        });
        Slot { places: Arc::clone(self), index }
    }
}

impl Slot {
    /// The number, from zero.
    pub fn index(&self) -> usize {
        self.index
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.places.numbers.lock().unwrap_or_else(PoisonError::into_inner).free.push(self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_given_back_is_given_out_again() {
        let places = Arc::new(Slots::default());
        let (first, second) = (places.take(), places.take());
        assert_eq!((first.index(), second.index()), (0, 1));
        drop(first);
        assert_eq!((places.take().index(), second.index()), (0, 1));
    }
}
