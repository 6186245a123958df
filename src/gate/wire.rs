//! One connection's bytes: a socket, perhaps with TLS on it. Knows nothing of HTTP.
//!
//! No call waits (MSG_DONTWAIT): what cannot be read or written now is left to the poller. A read that came
//! back shorter than it might have been has emptied the socket, so no second call asks whether it is empty.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rustix::net::{RecvFlags, SendFlags};
use rustls::{ServerConfig, ServerConnection};

use super::counters::{Counters, add};

/// Bytes asked for in one read.
const READ_BYTES: usize = 4096;
/// Bytes asked for in one read of a long body.
const LONG_READ_BYTES: usize = 64 * 1024;
/// Bytes that a client may send before its handshake is done; genuine ones need a tenth of it. The TLS library
/// would keep a message of 64 KiB for each.
const HANDSHAKE_BYTES: usize = 16 * 1024;

/// What a read found.
#[derive(Debug, PartialEq, Eq)]
pub enum Filled {
    /// At least one byte more.
    Some,
    /// Nothing yet.
    Dry,
    /// The peer will send no more.
    End,
}

/// Whether all that was to be written is on its way.
#[derive(Debug, PartialEq, Eq)]
pub enum Flushed {
    /// It is.
    All,
    /// The peer must take some first.
    Blocked,
}

/// How a handshake stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Done, or none needed.
    Done,
    /// The peer must send.
    Dry,
    /// The peer must take.
    Blocked,
    /// It failed, and the first byte shows that plain HTTP was spoken.
    Plain,
    /// It failed.
    Failed,
}

/// A socket, perhaps with TLS on it.
pub struct Wire {
    pub socket: TcpStream,
    /// Bytes, or the end, may be waiting in the socket.
    may_have_more: bool,
    tls: Option<Box<Tls>>,
    counters: Arc<Counters>,
}

struct Tls {
    session: ServerConnection,
    first_byte: Option<u8>,
    /// Bytes that came before the handshake was done.
    handshake_bytes: usize,
}

impl Wire {
    /// Takes over an accepted socket.
    ///
    /// # Errors
    /// When the socket is already gone.
    pub fn new(
        socket: TcpStream,
        tls: Option<&Arc<ServerConfig>>,
        counters: &Arc<Counters>,
    ) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Some(Box::new(Tls { session, first_byte: None, handshake_bytes: 0 }))
            }
        };
        Ok(Self { socket, may_have_more: true, tls, counters: Arc::clone(counters) })
    }

    /// Tells whether there is TLS on the socket.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Hears from the poller that there may be something to read.
    pub fn look_again(&mut self) {
        self.may_have_more = true;
    }

    /// Takes the TLS handshake as far as it goes.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn handshake(&mut self) -> io::Result<Handshake> {
        let Some(tls) = &mut self.tls else { return Ok(Handshake::Done) };
        loop {
            if flush(&self.socket, &mut tls.session)? == Flushed::Blocked {
                return Ok(Handshake::Blocked);
            }
            if !tls.session.is_handshaking() {
                return Ok(Handshake::Done);
            }
            let mut source = Source {
                socket: &self.socket,
                may_have_more: &mut self.may_have_more,
                first_byte: &mut tls.first_byte,
            };
            match tls.session.read_tls(&mut source) {
                Ok(0) => return Ok(Handshake::Failed),
                Ok(received) => tls.handshake_bytes += received,
                Err(error) if is_dry(&error) => return Ok(Handshake::Dry),
                Err(error) => return Err(error),
            }
            let processed = tls.session.process_new_packets().is_ok();
            if processed && tls.session.is_handshaking() && tls.handshake_bytes > HANDSHAKE_BYTES {
                return Ok(Handshake::Failed);
            }
            if !processed {
                if tls.first_byte.is_some_and(|byte| byte.is_ascii_uppercase()) {
                    self.tls = None;
                    return Ok(Handshake::Plain);
                }
                // The alert tells the peer why; whether it arrives does not matter.
                let _ = flush(&self.socket, &mut tls.session);
                return Ok(Handshake::Failed);
            }
        }
    }

    /// Reads what has arrived onto the end of `inbox`. `expected` is how many bytes are known to come: it
    /// sizes the read.
    ///
    /// # Errors
    /// When the socket fails or TLS is broken.
    pub fn fill(&mut self, inbox: &mut Vec<u8>, expected: usize) -> io::Result<Filled> {
        let before = inbox.len();
        let filled = self.received(inbox, expected);
        add(&self.counters.bytes_in, inbox.len().saturating_sub(before));
        filled
    }

    fn received(&mut self, inbox: &mut Vec<u8>, expected: usize) -> io::Result<Filled> {
        inbox.reserve(expected.clamp(READ_BYTES, LONG_READ_BYTES));
        let Some(tls) = &mut self.tls else {
            if !self.may_have_more {
                return Ok(Filled::Dry);
            }
            let room = inbox.capacity() - inbox.len();
            let received =
                rustix::net::recv(&self.socket, rustix::buffer::spare_capacity(inbox), RecvFlags::DONTWAIT);
            return match received {
                Ok((_, 0)) => Ok(Filled::End),
                Ok((_, received)) => {
                    self.may_have_more = received == room;
                    Ok(Filled::Some)
                }
                Err(error) if is_dry(&error.into()) => {
                    self.may_have_more = false;
                    Ok(Filled::Dry)
                }
                Err(error) => Err(error.into()),
            };
        };
        loop {
            let before = inbox.len();
            match drain(&mut tls.session, inbox) {
                Ok(()) => return Ok(Filled::End),
                Err(_) if inbox.len() > before => return Ok(Filled::Some),
                Err(error) if is_dry(&error) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Filled::End),
                Err(error) => return Err(error),
            }
            let mut source = Source {
                socket: &self.socket,
                may_have_more: &mut self.may_have_more,
                first_byte: &mut tls.first_byte,
            };
            match tls.session.read_tls(&mut source) {
                Ok(_) => {}
                Err(error) if is_dry(&error) => return Ok(Filled::Dry),
                Err(error) => return Err(error),
            }
            if let Err(error) = tls.session.process_new_packets() {
                let _ = flush(&self.socket, &mut tls.session);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }

    /// Writes as much of `bytes` as the peer takes now, counting in `sent` what need not be given again.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn send(&mut self, bytes: &[u8], sent: &mut usize) -> io::Result<Flushed> {
        let before = *sent;
        let flushed = self.sent(bytes, sent);
        add(&self.counters.bytes_out, sent.saturating_sub(before));
        flushed
    }

    fn sent(&mut self, bytes: &[u8], sent: &mut usize) -> io::Result<Flushed> {
        loop {
            let rest = bytes.get(*sent..).unwrap_or_default();
            if let Some(tls) = &mut self.tls {
                *sent += tls.session.writer().write(rest)?;
                if flush(&self.socket, &mut tls.session)? == Flushed::Blocked {
                    return Ok(Flushed::Blocked);
                }
            } else if !rest.is_empty() {
                match rustix::net::send(&self.socket, rest, SendFlags::DONTWAIT) {
                    Ok(taken) => *sent += taken,
                    Err(error) if is_dry(&error.into()) => return Ok(Flushed::Blocked),
                    Err(error) => return Err(error.into()),
                }
            }
            if *sent >= bytes.len() {
                return Ok(Flushed::All);
            }
        }
    }

    /// Tells the peer that no more will come; what it still sends can be read.
    pub fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.session.send_close_notify();
            // Best effort: a peer that does not take it will be cut all the same.
            let _ = flush(&self.socket, &mut tls.session);
        }
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Reads what has arrived below TLS and throws it away, without waiting.
    pub fn discard(&self, scratch: &mut [u8]) -> Filled {
        match rustix::net::recv(&self.socket, scratch, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Filled::End,
            Ok(_) => Filled::Some,
            Err(error) if is_dry(&error.into()) => Filled::Dry,
            Err(_) => Filled::End,
        }
    }
}

/// Reads decrypted bytes until there are none: `Ok` when the peer closed cleanly, else the error that says
/// why reading stopped ("would block" until more comes).
fn drain(session: &mut ServerConnection, inbox: &mut Vec<u8>) -> io::Result<()> {
    let mut reader = session.reader();
    let mut chunk = [0; READ_BYTES];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(()),
            n => inbox.extend_from_slice(chunk.get(..n).unwrap_or_default()),
        }
    }
}

fn flush(socket: &TcpStream, session: &mut ServerConnection) -> io::Result<Flushed> {
    while session.wants_write() {
        match session.write_tls(&mut Sink(socket)) {
            Ok(_) => {}
            Err(error) if is_dry(&error) => return Ok(Flushed::Blocked),
            Err(error) => return Err(error),
        }
    }
    Ok(Flushed::All)
}

/// Nothing to read, or no room to write: not an error.
fn is_dry(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

struct Source<'a> {
    socket: &'a TcpStream,
    may_have_more: &'a mut bool,
    first_byte: &'a mut Option<u8>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !*self.may_have_more {
            return Err(ErrorKind::WouldBlock.into());
        }
        let received = match rustix::net::recv(self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((_, received)) => received,
            Err(error) => {
                *self.may_have_more = false;
                return Err(error.into());
            }
        };
        // The end stays readable: it must be found again by the one who asks next.
        *self.may_have_more = received == buffer.len() || received == 0;
        if self.first_byte.is_none() {
            *self.first_byte = buffer.first().copied().filter(|_| received > 0);
        }
        Ok(received)
    }
}

struct Sink<'a>(&'a TcpStream);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(self.0, bytes, SendFlags::DONTWAIT)?)
    }

    fn write_vectored(&mut self, buffers: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut control = rustix::net::SendAncillaryBuffer::default();
        Ok(rustix::net::sendmsg(self.0, buffers, &mut control, SendFlags::DONTWAIT)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
