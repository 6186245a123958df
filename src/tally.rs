//! What is counted: plain numbers that rooms raise and that one room prints (`metrics`).
//!
//! Raising one is an atomic addition; nobody waits. Labels are `&'static str`: words of the program, so no stranger can
//! invent one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// The upper ends of a histogram's buckets, in microseconds: from a look-up in memory to the longest that anybody waits.
pub const BOUNDS: [u64; 14] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];

/// How long something took, each time that it was done.
#[derive(Debug, Default)]
pub struct Histogram {
    /// One for each of [`BOUNDS`], and one for what took longer.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// The upper end of each bucket in seconds, the last infinite, and how many fell into this bucket alone.
    pub buckets: Vec<(f64, u64)>,
    /// In seconds.
    pub sum: f64,
    pub count: u64,
}

impl Histogram {
    /// Notes that it was done once.
    pub fn took(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|bound| *bound < microseconds);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Relaxed);
        }
        self.microseconds.fetch_add(microseconds, Relaxed);
    }

    /// Reads it.
    pub fn read(&self) -> Distribution {
        const MICROSECONDS: f64 = 1e6;
        let ends = BOUNDS.iter().map(|bound| *bound as f64 / MICROSECONDS).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = ends.zip(self.buckets.iter().map(|b| b.load(Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Distribution { buckets, sum: self.microseconds.load(Relaxed) as f64 / MICROSECONDS, count }
    }
}

/// Counts by words of the program.
#[derive(Debug)]
pub struct Labelled<const N: usize>(RwLock<BTreeMap<[&'static str; N], AtomicU64>>);

impl<const N: usize> Default for Labelled<N> {
    fn default() -> Self {
        Labelled(RwLock::default())
    }
}

impl<const N: usize> Labelled<N> {
    /// Counts one more under these words.
    pub fn count(&self, words: [&'static str; N]) {
        if let Some(counter) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&words) {
            counter.fetch_add(1, Relaxed);
            return;
        }
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        counters.entry(words).or_default().fetch_add(1, Relaxed);
    }

    /// Reads all, in the order of their words.
    pub fn read(&self) -> Vec<([&'static str; N], u64)> {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        counters.iter().map(|(words, counter)| (*words, counter.load(Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_time_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for microseconds in [0, 50, 51, 5_000_000, 5_000_001] {
            histogram.took(Duration::from_micros(microseconds));
        }
        let read = histogram.read();
        let filled: Vec<_> = read.buckets.iter().filter(|(_, count)| *count > 0).copied().collect();
        assert_eq!(filled, [(0.000_05, 2), (0.0001, 1), (5.0, 1), (f64::INFINITY, 1)]);
        assert_eq!((read.count, read.sum), (5, 10.000_102));
    }

    #[test]
    fn each_pair_of_words_is_counted_by_itself() {
        let counts = Labelled::default();
        for words in [["b", "x"], ["a", "x"], ["b", "x"]] {
            counts.count(words);
        }
        assert_eq!(counts.read(), [(["a", "x"], 1), (["b", "x"], 2)]);
    }
}
