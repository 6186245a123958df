//! The chunked coding, read strictly (RFC 9112 section 7.1): no extensions, no trailer fields, CR LF only.
//!
//! Pure: bytes in, the decoded body out. It is fed with whatever has arrived and says what it used up.

use super::refusal::Refusal;

/// Hexadecimal digits of a chunk's size: more than any limit of this server needs.
const SIZE_DIGITS: usize = 8;

/// Where in a chunked body the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunked {
    /// Before a size line.
    Size,
    /// Inside a chunk, this many bytes before its end.
    Data(usize),
    /// Before the CR LF that ends a chunk.
    DataEnd,
    /// Before the empty line that ends the body.
    End,
    /// Past the end.
    Done,
}

impl Chunked {
    /// Decodes from `bytes` onto `body`, which may grow to `limit` bytes; returns how many bytes were used.
    /// It has used all it can: give it more when it is not [`Chunked::Done`].
    ///
    /// # Errors
    /// [`Refusal::Chunk`], [`Refusal::Trailer`], or [`Refusal::BodyTooLong`] already at the size line that
    /// announces too much.
    pub fn decode(&mut self, bytes: &[u8], body: &mut Vec<u8>, limit: usize) -> Result<usize, Refusal> {
        let mut rest = bytes;
        loop {
            match *self {
                Self::Size => {
                    let Some((digits, after)) = size_line(rest)? else { break };
                    let size = chunk_size(digits)?;
                    if size > limit.saturating_sub(body.len()) {
                        return Err(Refusal::BodyTooLong);
                    }
                    *self = if size == 0 { Self::End } else { Self::Data(size) };
                    rest = after;
                }
                Self::Data(left) => {
                    let (data, after) = rest.split_at(left.min(rest.len()));
                    body.extend_from_slice(data);
                    rest = after;
                    if data.len() < left {
                        *self = Self::Data(left - data.len());
                        break;
                    }
                    *self = Self::DataEnd;
                }
                Self::DataEnd => {
                    let Some(after) = line_end(rest, Refusal::Chunk)? else { break };
                    rest = after;
                    *self = Self::Size;
                }
                Self::End => {
                    let Some(after) = line_end(rest, Refusal::Trailer)? else { break };
                    rest = after;
                    *self = Self::Done;
                }
                Self::Done => break,
            }
        }
        Ok(bytes.len() - rest.len())
    }
}

/// A size without its CR LF, and what follows.
type SizeLine<'a> = (&'a [u8], &'a [u8]);

/// Splits off a size line; `None` when its end has not arrived.
fn size_line(bytes: &[u8]) -> Result<Option<SizeLine<'_>>, Refusal> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits > SIZE_DIGITS || (digits == 0 && !bytes.is_empty()) {
        return Err(Refusal::Chunk);
    }
    let (size, after) = bytes.split_at(digits);
    Ok(line_end(after, Refusal::Chunk)?.map(|after| (size, after)))
}

/// Passes over a CR LF; `None` when it has not arrived whole.
fn line_end(bytes: &[u8], otherwise: Refusal) -> Result<Option<&[u8]>, Refusal> {
    match bytes {
        [b'\r', b'\n', after @ ..] => Ok(Some(after)),
        [] | [b'\r'] => Ok(None),
        _ => Err(otherwise),
    }
}

fn chunk_size(digits: &[u8]) -> Result<usize, Refusal> {
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or(Refusal::Chunk)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// Decodes whole, and byte by byte: both must agree.
    #[track_caller]
    fn check(input: &str, expected: Result<(&str, &str), Refusal>) {
        let (mut chunked, mut body) = (Chunked::Size, Vec::new());
        let whole = chunked.decode(input.as_bytes(), &mut body, 64).map(|used| {
            assert!(chunked == Chunked::Done || input[used..].len() < 20, "unused input is left over");
            (String::from_utf8(body).unwrap(), input[used..].to_owned())
        });
        assert_eq!(whole, expected.map(|(b, r)| (b.to_owned(), r.to_owned())), "{input:?}");

        let (mut chunked, mut body, mut inbox) = (Chunked::Size, Vec::new(), Vec::new());
        let mut outcome = Ok(());
        for byte in input.bytes() {
            inbox.push(byte);
            match chunked.decode(&inbox, &mut body, 64) {
                Ok(used) => drop(inbox.drain(..used)),
                Err(refusal) => {
                    outcome = Err(refusal);
                    break;
                }
            }
        }
        match expected {
            Ok((text, _)) => assert_eq!((outcome, body), (Ok(()), text.as_bytes().to_vec()), "{input:?}"),
            Err(refusal) => assert_eq!(outcome, Err(refusal), "{input:?}"),
        }
    }

    #[test]
    fn chunks_are_joined_and_what_follows_is_left() {
        check("5\r\nhello\r\n0\r\n\r\n", Ok(("hello", "")));
        check("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET /", Ok(("hello!", "GET /")));
        check("0\r\n\r\n", Ok(("", "")));
        check("a\r\n0123456789\r\n00\r\n\r\n", Ok(("0123456789", "")));
        check("A\r\n0123456789\r\n0\r\n\r\n", Ok(("0123456789", "")));
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for input in [
            "5\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "5;name=value\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "\r\n",
            "000000005\r\nhello\r\n0\r\n\r\n",
            "ffffffffffffffff\r\n",
            "g\r\n",
        ] {
            check(input, Err(Refusal::Chunk));
        }
    }

    #[test]
    fn trailers_are_refused() {
        check("0\r\nX-Extra: 1\r\n\r\n", Err(Refusal::Trailer));
        check("0\r\nGET / HTTP/1.1\r\n\r\n", Err(Refusal::Trailer));
    }

    #[test]
    fn a_chunk_that_would_pass_the_limit_is_refused_at_its_size_line() {
        check("41\r\n", Err(Refusal::BodyTooLong));
        check("ffffffff\r\n", Err(Refusal::BodyTooLong));
        let full = format!("40\r\n{}\r\n", "x".repeat(64));
        check(&format!("{full}1\r\n"), Err(Refusal::BodyTooLong));
        check(&format!("{full}0\r\n\r\n"), Ok((&"x".repeat(64), "")));
    }
}
