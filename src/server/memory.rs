//! How much memory the server may take, part by part: what strangers send cannot take more.
//!
//! Each part is a number that is enforced where it is spent. `sidelight config` prints them; `tests/memory.rs`
//! floods the real server and looks at what it took.

use crate::desk;
use crate::desk::ground::passwords;
use crate::gate::Limits;

const MIB: usize = 1024 * 1024;
/// The program itself, before anybody has come.
const PROGRAM: usize = 16 * MIB;
/// Of one connection, beside the head of its request: its state, TLS and the bytes just read.
const BESIDE_THE_HEAD: usize = 12 * 1024;
/// Of one serving thread: its stack, and what the allocator keeps for it.
const THREAD: usize = 256 * 1024;

/// One part of the sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryPart {
    /// What takes it, for people.
    pub what: String,
    pub bytes: usize,
}

/// The parts of what a server may take that is started here.
pub fn parts() -> Vec<MemoryPart> {
    parts_of(&Limits::default().lowered_to_this_process())
}

fn parts_of(limits: &Limits) -> Vec<MemoryPart> {
    let part = |what: String, bytes: usize| MemoryPart { what, bytes };
    let Limits { connections, threads, head_bytes, body_bytes_in_all, .. } = *limits;
    let passwords = passwords::at_once();
    vec![
        part("the program".into(), PROGRAM),
        part("pages of the database that are kept".into(), desk::database_cache_bytes()),
        part(format!("passwords, {passwords} hashed at once"), passwords::memory_bytes()),
        part(format!("{connections} connections"), connections * (head_bytes + BESIDE_THE_HEAD)),
        part("bodies being received or answered".into(), body_bytes_in_all),
        part(format!("{threads} threads"), threads * THREAD),
    ]
}

/// The sum in whole MiB, rounded up.
pub fn mebibytes(parts: &[MemoryPart]) -> usize {
    parts.iter().map(|part| part.bytes).sum::<usize>().div_ceil(MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limits_fit_into_192_mib() {
        let parts = parts_of(&Limits::default());
        assert!(mebibytes(&parts) <= 192, "{parts:?}");
    }
}
