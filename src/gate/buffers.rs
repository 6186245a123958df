//! Buffers that a thread has to spare: what one connection gives back before it waits, the next one takes.
//!
//! Thousands of idle connections must not keep a buffer each, and a buffer made and thrown away for each
//! request costs as much as reading the request.

use std::cell::RefCell;

/// Buffers kept by one thread.
const KEPT: usize = 8;
/// A longer buffer was needed once, and its memory is given back.
const LONGEST: usize = 16 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Gives an empty buffer, with memory if this thread has some to spare.
pub fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Takes back a buffer, whatever is in it, and leaves one without memory.
pub fn give_back(buffer: &mut Vec<u8>) {
    let mut buffer = std::mem::take(buffer);
    if (1..=LONGEST).contains(&buffer.capacity()) {
        buffer.clear();
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < KEPT {
                spare.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_taken_empty() {
        let mut buffer = b"secret".to_vec();
        let memory = buffer.as_ptr();
        give_back(&mut buffer);
        assert_eq!(buffer.capacity(), 0);
        let taken = take();
        assert_eq!((taken.as_ptr(), taken.len()), (memory, 0));
        assert_eq!(take().capacity(), 0);
    }

    #[test]
    fn few_and_short_buffers_are_kept() {
        give_back(&mut Vec::with_capacity(LONGEST + 1));
        assert_eq!(take().capacity(), 0);
        for _ in 0..KEPT + 3 {
            give_back(&mut Vec::with_capacity(10));
        }
        let kept = std::iter::from_fn(|| Some(take()).filter(|buffer| buffer.capacity() > 0)).count();
        assert_eq!(kept, KEPT);
    }
}
