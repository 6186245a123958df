//! A duty that a thread has, and how it is relieved of it before it takes long.
//!
//! A thread of the gate that answers one client has others to look after. While it takes microseconds, they
//! wait; before it waits for a disk or hashes a password, another thread must step in. Only the one who is
//! about to take long knows that, deep inside; only the gate knows who else there is. So the gate leaves word
//! with the thread ([`begin`]), and anyone who takes long says so ([`relieve`]). On a thread without a duty
//! nothing happens.

use std::cell::RefCell;

thread_local! {
    static RELIEF: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Gives this thread a duty, of which `relief` relieves it: called each time the thread is about to take long.
pub fn begin(relief: impl Fn() + 'static) {
    RELIEF.set(Some(Box::new(relief)));
}

/// Says that this thread is about to take longer than others should wait: some hundred microseconds.
pub fn relieve() {
    RELIEF.with_borrow(|relief| relief.iter().for_each(|relief| relief()));
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn only_a_thread_with_a_duty_is_relieved_and_each_time() {
        relieve();
        let times = Rc::new(Cell::new(0));
        begin({
            let times = Rc::clone(&times);
            move || times.set(times.get() + 1)
        });
        relieve();
        relieve();
        std::thread::scope(|scope| drop(scope.spawn(relieve)));
        assert_eq!(times.get(), 2);
    }
}
