//! Arbitrary bytes for the parser of heads and of chunked bodies: it must not panic, must read the same whole
//! and in pieces, and must read what it accepts as a naive reader of lines does.

#![no_main]

#[path = "../../tests/gate/agreement.rs"]
mod agreement;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agreement::check(bytes));
