//! The chunked coding, read strictly (RFC 9112 section 7.1): CR LF only, and nothing that two readers could take for
//! two things. Chunk extensions and trailer fields are checked, counted and thrown away (sections 7.1.1 and 7.1.2):
//! they change no size, no header and no answer.
//!
//! Pure: bytes in, the decoded body out. It is fed with whatever has arrived and says what it used up.

use super::refusal::Refusal;

/// Hexadecimal digits of a chunk's size: more than any limit of this server needs.
const SIZE_DIGITS: usize = 8;
/// Bytes of one line of a size with its extensions, or of one trailer field.
const LINE: usize = 256;
/// Bytes of extensions and trailer fields of one body. Genuine ones have a signature or a checksum.
const BESIDES: u16 = 4 * 1024;

/// Where in a chunked body the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunked {
    at: At,
    /// Bytes of extensions and trailer fields that may still come.
    besides: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a size line.
    Size,
    /// Inside a chunk, this many bytes before its end.
    Data(usize),
    /// Before the CR LF that ends a chunk.
    DataEnd,
    /// Before a trailer field or the empty line that ends the body.
    End,
    /// Past the end.
    Done,
}

impl Default for Chunked {
    fn default() -> Chunked {
        Chunked { at: At::Size, besides: BESIDES }
    }
}

impl Chunked {
    /// Whether the body has ended.
    pub fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Decodes from `bytes` onto `body`, which may grow to `limit` bytes; returns how many bytes were used.
    /// It has used all it can: give it more when it is not done.
    ///
    /// # Errors
    /// [`Refusal::Chunk`], [`Refusal::Trailer`], or [`Refusal::BodyTooLong`] already at the size line that
    /// announces too much.
    pub fn decode(&mut self, bytes: &[u8], body: &mut Vec<u8>, limit: usize) -> Result<usize, Refusal> {
        let mut rest = bytes;
        loop {
            match self.at {
                At::Size => {
                    let Some((line, after)) = line(rest, Refusal::Chunk)? else { break };
                    let (digits, extensions) = split_size(line)?;
                    let size = chunk_size(digits)?;
                    self.pass_over(extensions, is_extensions, Refusal::Chunk)?;
                    if size > limit.saturating_sub(body.len()) {
                        return Err(Refusal::BodyTooLong);
                    }
                    self.at = if size == 0 { At::End } else { At::Data(size) };
                    rest = after;
                }
                At::Data(left) => {
                    let (data, after) = rest.split_at(left.min(rest.len()));
                    body.extend_from_slice(data);
                    rest = after;
                    if data.len() < left {
                        self.at = At::Data(left - data.len());
                        break;
                    }
                    self.at = At::DataEnd;
                }
                At::DataEnd => {
                    let Some(after) = line_end(rest, Refusal::Chunk)? else { break };
                    rest = after;
                    self.at = At::Size;
                }
                At::End => {
                    let Some((line, after)) = line(rest, Refusal::Trailer)? else { break };
                    rest = after;
                    if line.is_empty() {
                        self.at = At::Done;
                    } else {
                        self.pass_over(line, is_field, Refusal::Trailer)?;
                    }
                }
                At::Done => break,
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Throws away what is well-formed and not too much.
    fn pass_over(
        &mut self,
        bytes: &[u8],
        is_sound: fn(&[u8]) -> bool,
        otherwise: Refusal,
    ) -> Result<(), Refusal> {
        let left = u16::try_from(bytes.len()).ok().and_then(|bytes| self.besides.checked_sub(bytes));
        self.besides = left.filter(|_| is_sound(bytes)).ok_or(otherwise)?;
        Ok(())
    }
}

/// A line without its CR LF, and what follows.
type Line<'a> = (&'a [u8], &'a [u8]);

/// Splits off a line; `None` when its end has not arrived. A size line must begin as one before its end is waited for.
fn line(bytes: &[u8], otherwise: Refusal) -> Result<Option<Line<'_>>, Refusal> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let (line, after) = bytes.split_at(end.unwrap_or(bytes.len()));
    if line.len() > LINE || !is_beginning(line, otherwise) {
        return Err(otherwise);
    }
    Ok(line_end(after, otherwise)?.map(|after| (line, after)))
}

/// Whether a line may still become what it must be.
fn is_beginning(line: &[u8], otherwise: Refusal) -> bool {
    match otherwise {
        Refusal::Chunk => line.is_empty() || split_size(line).is_ok(),
        _ => line.first().is_none_or(|byte| is_token(*byte)),
    }
}

/// Splits a size from its extensions, which begin with a semicolon.
fn split_size(line: &[u8]) -> Result<Line<'_>, Refusal> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, extensions) = line.split_at(digits);
    let follows = extensions.first().is_none_or(|byte| *byte == b';');
    if digits.is_empty() || digits.len() > SIZE_DIGITS || !follows {
        return Err(Refusal::Chunk);
    }
    Ok((digits, extensions))
}

/// `*( ";" name [ "=" ( token / quoted-string ) ] )`, without the white space around it that RFC 9112 section 7.1.1
/// calls bad and lets nobody send.
fn is_extensions(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [b';', after @ ..] = rest {
        let Some(after) = after_token(after) else { return false };
        rest = match after {
            [b'=', b'"', quoted @ ..] => match after_quoted(quoted) {
                Some(after) => after,
                None => return false,
            },
            [b'=', value @ ..] => match after_token(value) {
                Some(after) => after,
                None => return false,
            },
            after => after,
        };
    }
    rest.is_empty()
}

/// `name ":" value`, without control characters, and none whose name two readers could read as two.
fn is_field(line: &[u8]) -> bool {
    match after_token(line) {
        Some([b':', value @ ..]) => value.iter().all(|byte| is_text(*byte)),
        _ => false,
    }
}

fn after_token(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.iter().take_while(|byte| is_token(**byte)).count();
    bytes.get(length..).filter(|_| length > 0)
}

/// What follows the closing quotation mark (RFC 9110 section 5.6.4).
fn after_quoted(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [b'"', after @ ..] => Some(after),
        [b'\\', escaped, after @ ..] if is_text(*escaped) => after_quoted(after),
        [byte, after @ ..] if is_text(*byte) && *byte != b'\\' => after_quoted(after),
        _ => None,
    }
}

/// A character of a token (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
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
        let (mut chunked, mut body) = (Chunked::default(), Vec::new());
        let whole = chunked.decode(input.as_bytes(), &mut body, 64).map(|used| {
            assert!(chunked.is_done() || input[used..].len() < 20, "unused input is left over");
            (String::from_utf8(body).unwrap(), input[used..].to_owned())
        });
        assert_eq!(whole, expected.map(|(b, r)| (b.to_owned(), r.to_owned())), "{input:?}");

        let (mut chunked, mut body, mut inbox) = (Chunked::default(), Vec::new(), Vec::new());
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
            "5;\r\nhello\r\n0\r\n\r\n",
            "5 ;name=value\r\nhello\r\n0\r\n\r\n",
            "5; name=value\r\nhello\r\n0\r\n\r\n",
            "5;name=\r\nhello\r\n0\r\n\r\n",
            "5;name=\"open\r\nhello\r\n0\r\n\r\n",
            "5;name=\"a\"b\r\nhello\r\n0\r\n\r\n",
            "5;name=\"a\\\"\r\nhello\r\n0\r\n\r\n",
            "5;na\0me\r\nhello\r\n0\r\n\r\n",
            "5;name\nhello\r\n0\r\n\r\n",
            "5;name\rhello\r\n0\r\n\r\n",
            "5,name\r\nhello\r\n0\r\n\r\n",
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
    fn extensions_and_trailers_are_passed_over() {
        check("5;name\r\nhello\r\n0;last=1\r\n\r\n", Ok(("hello", "")));
        check("5;a=b;c=\"d;\\\" e\"\r\nhello\r\n0\r\n\r\nGET /", Ok(("hello", "GET /")));
        check("0\r\nX-Extra: 1\r\n\r\n", Ok(("", "")));
        check("1\r\nx\r\n0\r\nContent-Length: 5\r\nX:\r\n\r\nGET /", Ok(("x", "GET /")));
    }

    #[test]
    fn malformed_trailers_are_refused() {
        for trailer in [
            "GET / HTTP/1.1\r\n\r\n",
            " folded: 1\r\n\r\n",
            "X-Extra : 1\r\n\r\n",
            ": 1\r\n\r\n",
            "X-Extra\r\n\r\n",
            "X-Extra: 1\n\r\n",
            "X-Extra: 1\rX\r\n\r\n",
            "X-Extra: \0\r\n\r\n",
        ] {
            check(&format!("0\r\n{trailer}"), Err(Refusal::Trailer));
        }
    }

    #[test]
    fn what_comes_beside_the_body_is_bounded() {
        let long = "x".repeat(LINE);
        check(&format!("1;{long}\r\n"), Err(Refusal::Chunk));
        check(&format!("0\r\n{long}: 1\r\n"), Err(Refusal::Trailer));
        let fields = "x: 3456789\r\n".repeat(usize::from(BESIDES) / 10);
        check(&format!("0\r\n{fields}\r\n"), Ok(("", "")));
        check(&format!("0\r\n{fields}x: 3456789\r\n\r\n"), Err(Refusal::Trailer));
        let chunks = "1;abcdefghi\r\nx\r\n".repeat(60);
        check(&format!("{chunks}0\r\n{fields}\r\n"), Err(Refusal::Trailer));
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
