//! A request whose head was read and whose body is on its way.

use super::body::Chunked;
use super::buffers;
use super::head::{Framing, ParsedHead};
use super::ledger::Bytes;
use super::refusal::Refusal;

/// Bytes by which a body grows at least.
const SMALLEST_GROWTH: usize = 4096;

/// A head, and as much of its body as has come.
pub struct Incoming {
    pub head: ParsedHead,
    pub body: Vec<u8>,
    pub account: Bytes,
    limit: usize,
    reader: Reader,
}

enum Reader {
    Length(usize),
    Chunked(Chunked),
}

/// How far a body has come.
pub struct Taken {
    /// Bytes of the input that were used.
    pub used: usize,
    pub is_whole: bool,
    /// Bytes that are known to be missing.
    pub missing: usize,
}

impl Incoming {
    /// Expects the body of `head`: `account` counts its bytes, of which there may be `limit`.
    pub fn new(head: ParsedHead, account: Bytes, limit: usize) -> Incoming {
        let reader = match head.framing {
            Framing::Length(length) => Reader::Length(usize::try_from(length).unwrap_or(usize::MAX)),
            Framing::Chunked => Reader::Chunked(Chunked::default()),
        };
        Incoming { head, body: buffers::take(), account, limit, reader }
    }

    /// Bytes that the body may have at most.
    pub fn most(&self) -> usize {
        match self.reader {
            Reader::Length(length) => length,
            Reader::Chunked(_) => self.limit,
        }
    }

    /// Gives up the body: what has come of it is dropped, and counts no more.
    pub fn into_head(self) -> ParsedHead {
        self.head
    }

    /// Takes what has come of the body.
    ///
    /// # Errors
    /// The rule that the body breaks, or the budget that it would exceed.
    pub fn take(&mut self, input: &[u8]) -> Result<Taken, Refusal> {
        let taken = match &mut self.reader {
            Reader::Length(length) => {
                let missing = *length - self.body.len();
                let used = input.len().min(missing);
                if self.body.capacity() - self.body.len() < used {
                    // Twice as much as before, but never more than the body needs.
                    let more = self.body.len().max(SMALLEST_GROWTH).max(used).min(missing);
                    self.body.reserve_exact(more);
                }
                self.body.extend_from_slice(input.get(..used).unwrap_or_default());
                let missing = missing - used;
                Taken { used, is_whole: missing == 0, missing }
            }
            Reader::Chunked(chunked) => {
                let used = chunked.decode(input, &mut self.body, self.limit)?;
                Taken { used, is_whole: chunked.is_done(), missing: 0 }
            }
        };
        match self.account.grow_to(self.body.capacity()) {
            true => Ok(taken),
            false => Err(Refusal::BodiesTooMany),
        }
    }
}
