//! What is kept in memory because it is costly to make again: bounded, the oldest goes first.
//!
//! An entry is only a shortcut. Anyone who takes one proves it against what the database says at that moment, so nothing
//! here needs to be told of a change.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Values by key, at most so many of them.
pub struct Kept<K, V> {
    most: usize,
    values: HashMap<K, V>,
    /// Each key that is kept, once, in the order in which they came.
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Copy, V> Kept<K, V> {
    /// Keeps at most `most`.
    pub fn at_most(most: usize) -> Kept<K, V> {
        Kept { most, values: HashMap::new(), order: VecDeque::new() }
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    /// Keeps a value, in place of the one that its key had. Where there is no room, whose key came first goes.
    pub fn insert(&mut self, key: K, value: V) {
        if self.values.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        if self.values.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_no_other() {
        let mut kept = Kept::at_most(3);
        for number in 0..5 {
            kept.insert(number, number * 10);
        }
        let there: Vec<_> = (0..5).map(|number| kept.get(&number).copied()).collect();
        assert_eq!(there, [None, None, Some(20), Some(30), Some(40)]);
        assert_eq!((kept.values.len(), kept.order.len()), (3, 3));
    }

    #[test]
    fn a_value_that_is_replaced_takes_no_more_room() {
        let mut kept = Kept::at_most(2);
        for number in 0..100 {
            kept.insert(1, number);
        }
        kept.insert(2, 0);
        assert_eq!((kept.get(&1), kept.get(&2)), (Some(&99), Some(&0)));
        assert_eq!((kept.values.len(), kept.order.len()), (2, 2));
        kept.insert(3, 0);
        assert_eq!(kept.get(&1), None, "it came first, however often it was replaced");
    }
}
