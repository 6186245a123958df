//! One connection's life: handshake, then request after request, then the end.
//!
//! A state machine that a thread drives as far as bytes allow ([`Connection::attend`]) and then puts aside:
//! so a client that is slow, silent or hostile holds memory within its limits and no thread. Every stage has
//! one absolute deadline, set when the stage begins.

use std::net::{IpAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::address::{forwarded_for, is_trusted};
use super::buffers;
use super::counters::count;
use super::head::{self, Framing, ParsedHead};
use super::incident::new_incident;
use super::incoming::Incoming;
use super::ledger::{Bytes, Seat};
use super::print::{Manner, Printed};
use super::refusal::Refusal;
use super::refused_head;
use super::request::{Answer, Head, Refused, Request};
use super::response::{Portions, Response, Streamed};
use super::resume::{MakeResponse, Resume};
use super::shared::Shared;
use super::slots::Slot;
use super::wire::{Filled, Flushed, Handshake, Wire};
use crate::duty;
use crate::server_log::note;

/// Answers in one turn to a client that sends its requests together, before others have theirs.
const ANSWERS: u8 = 16;
/// Bytes of a refused request that are thrown away unread, so that the client hears the refusal: a browser shows the
/// page only when all of a file that is too large has left it. [`super::Limits::linger`] bounds it besides.
const DISCARDED: usize = 64 * 1024 * 1024;
/// Bytes that are thrown away in one turn, before others have theirs.
const DISCARDED_AT_ONCE: usize = 1024 * 1024;
/// Bytes that are thrown away in one read.
const SCRATCH: usize = 16 * 1024;

/// What a connection waits for.
pub enum Next {
    /// Its client sends.
    Readable,
    /// Its client takes.
    Writable,
    /// Its turn: there is work at once, but others wait longer.
    Turn,
    /// An answer that comes later, from where this leads.
    Answer(Box<dyn FnOnce(Resume) + Send>),
    /// Nothing: it is over.
    Close,
}

enum Phase {
    Handshake,
    /// Between requests: no byte of the next one is here.
    Idle,
    Head,
    Body(Box<Incoming>),
    /// The request is with its handler, and no thread with the connection.
    Waiting(Manner),
    /// The answer is known and to be made.
    Answered(MakeResponse, Manner),
    Reply {
        sent: usize,
        keep: bool,
        /// What follows when this is sent.
        more: Option<(Portions, Manner)>,
    },
    /// A refusal was sent; what the client still sends is thrown away until it has heard it.
    Linger {
        discarded: usize,
    },
}

/// What a stage came to.
enum PhaseEnd {
    Again,
    Stop(Next),
}

/// One accepted connection.
pub struct Connection {
    wire: Wire,
    seat: Seat,
    peer: IpAddr,
    inbox: Vec<u8>,
    scanned: usize,
    printed: Printed,
    stage: Phase,
    since: Instant,
    deadline: Instant,
    answers: u8,
    /// The request is answered soon, or anyone who answers it has this thread relieved.
    brief: bool,
    /// The bytes of the body that is being answered: counted until the answer is known.
    account: Option<Bytes>,
    /// Last, so that it is given up when the socket is closed already.
    place: Slot,
}

impl Connection {
    /// Takes over an accepted socket with its seat.
    ///
    /// # Errors
    /// When the socket is already gone.
    pub fn new(
        socket: TcpStream,
        peer: IpAddr,
        seat: Seat,
        place: Slot,
        shared: &Shared,
    ) -> std::io::Result<Self> {
        let wire = Wire::new(socket, shared.tls.as_ref(), &shared.counters)?;
        let (stage, patience) = if wire.is_tls() {
            (Phase::Handshake, shared.limits.handshake)
        } else {
            (Phase::Idle, shared.limits.idle)
        };
        let since = Instant::now();
        Ok(Self {
            wire,
            seat,
            peer: peer.to_canonical(),
            inbox: Vec::new(),
            scanned: 0,
            printed: Printed::default(),
            stage,
            since,
            deadline: since + patience,
            answers: 0,
            brief: false,
            account: None,
            place,
        })
    }

    /// The socket, for the poller.
    pub fn socket(&self) -> &TcpStream {
        &self.wire.socket
    }

    /// The number of its place in the parked.
    pub fn place(&self) -> usize {
        self.place.index()
    }

    /// The seat in the budget.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// When the present stage began.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// When the present stage ends at the latest.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether nothing of a request is here or on its way out, so that closing loses nothing.
    pub fn is_idle(&self) -> bool {
        matches!(self.stage, Phase::Idle | Phase::Handshake | Phase::Linger { .. })
    }

    /// Gives memory back before a wait.
    pub fn rest(&mut self) {
        if self.inbox.is_empty() {
            buffers::give_back(&mut self.inbox);
        }
        if !matches!(self.stage, Phase::Reply { .. }) {
            buffers::give_back(&mut self.printed.front);
            self.printed.tail = Vec::new();
        }
    }

    /// Drives the connection as far as its bytes allow, and says what it waits for.
    pub fn attend(&mut self, shared: &Shared) -> Next {
        if !matches!(self.stage, Phase::Answered(..)) {
            // Who comes from an answer has heard nothing from the poller: what came meanwhile, the parked knows.
            self.wire.look_again();
        }
        self.answers = 0;
        for buffer in [&mut self.inbox, &mut self.printed.front] {
            if buffer.capacity() == 0 {
                *buffer = buffers::take();
            }
        }
        loop {
            let step = if Instant::now() >= self.deadline {
                self.expire(shared)
            } else {
                match &self.stage {
                    Phase::Handshake => self.shake(shared),
                    Phase::Idle | Phase::Head => self.read_head(shared),
                    Phase::Body(_) => self.read_body(shared),
                    Phase::Answered(..) => self.print_answer(shared),
                    Phase::Reply { .. } => self.reply(shared),
                    Phase::Waiting(_) => PhaseEnd::Stop(Next::Close),
                    Phase::Linger { .. } => self.linger(),
                }
            };
            if let PhaseEnd::Stop(next) = step {
                return next;
            }
        }
    }

    fn enter(&mut self, stage: Phase, patience: Duration) -> PhaseEnd {
        self.stage = stage;
        self.since = Instant::now();
        self.deadline = self.since + patience;
        PhaseEnd::Again
    }

    /// The deadline of the stage has passed.
    fn expire(&mut self, shared: &Shared) -> PhaseEnd {
        count(&shared.counters.timed_out);
        match self.stage {
            Phase::Head => self.refuse(Refusal::HeadTooLate, shared),
            Phase::Body(_) => self.refuse(Refusal::BodyTooLate, shared),
            _ => PhaseEnd::Stop(Next::Close),
        }
    }

    fn shake(&mut self, shared: &Shared) -> PhaseEnd {
        duty::relieve();
        match self.wire.handshake() {
            Ok(Handshake::Done) => self.enter(Phase::Idle, shared.limits.idle),
            Ok(Handshake::Dry) => PhaseEnd::Stop(Next::Readable),
            Ok(Handshake::Blocked) => PhaseEnd::Stop(Next::Writable),
            Ok(Handshake::Plain) => {
                count(&shared.counters.handshakes_failed);
                self.refuse(Refusal::PlainOnTls, shared)
            }
            Ok(Handshake::Failed) | Err(_) => {
                count(&shared.counters.handshakes_failed);
                PhaseEnd::Stop(Next::Close)
            }
        }
    }

    fn read_head(&mut self, shared: &Shared) -> PhaseEnd {
        if self.scanned == self.inbox.len() {
            match self.wire.fill(&mut self.inbox, 0) {
                Ok(Filled::Some) => {}
                Ok(Filled::Dry) => return PhaseEnd::Stop(Next::Readable),
                Ok(Filled::End) | Err(_) => return PhaseEnd::Stop(Next::Close),
            }
        }
        if matches!(self.stage, Phase::Idle) {
            self.enter(Phase::Head, shared.limits.head);
        }
        let end = match head::end_of_head(&self.inbox, self.scanned, shared.limits.head_bytes) {
            Ok(Some(end)) => end,
            Ok(None) => {
                self.scanned = self.inbox.len();
                return PhaseEnd::Again;
            }
            Err(refusal) => return self.refuse(refusal, shared),
        };
        match self.inbox.get(..end).map_or(Err(Refusal::RequestLine), head::parse) {
            Ok(head) => {
                self.consume(end);
                self.begin_body(head, shared)
            }
            Err(refusal) => self.refuse(refusal, shared),
        }
    }

    /// Drops the first bytes of the inbox: they were used.
    fn consume(&mut self, used: usize) {
        self.scanned = 0;
        if used >= self.inbox.len() {
            self.inbox.clear();
        } else {
            self.inbox.drain(..used);
        }
    }

    /// Asks for the limit before any byte of the body is read.
    fn begin_body(&mut self, head: ParsedHead, shared: &Shared) -> PhaseEnd {
        let content_type = head
            .headers
            .iter()
            .find(|header| header.field.equiv("Content-Type"))
            .map(|header| header.value.as_str());
        let content_length = match head.framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let asked =
            Head { method: &head.method, path: &head.path, query: &head.query, content_type, content_length };
        let limit = match catch_unwind(AssertUnwindSafe(|| shared.handler.terms(&asked))) {
            Ok(terms) => {
                self.brief = terms.brief;
                terms.body_limit
            }
            Err(_) => return self.fail(shared, &new_incident()),
        };
        if content_length == Some(0) {
            return self.answer(head, Vec::new(), shared);
        }
        if content_length.is_some_and(|length| usize::try_from(length).unwrap_or(usize::MAX) > limit) {
            return self.refuse_request(Refusal::BodyTooLong, head, shared);
        }
        if head.expects_continue && self.inbox.is_empty() {
            let mut sent = 0;
            match self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n", &mut sent) {
                Ok(Flushed::All) => {}
                // A client that takes not even this much takes no answer either.
                Ok(Flushed::Blocked) | Err(_) => return PhaseEnd::Stop(Next::Close),
            }
        }
        let incoming = Incoming::new(head, self.seat.bytes(), limit);
        let patience = shared.limits.with_bytes(shared.limits.body, incoming.most());
        self.enter(Phase::Body(Box::new(incoming)), patience)
    }

    fn read_body(&mut self, shared: &Shared) -> PhaseEnd {
        let Phase::Body(incoming) = &mut self.stage else { return PhaseEnd::Stop(Next::Close) };
        let taken = match incoming.take(&self.inbox) {
            Ok(taken) => taken,
            Err(refusal) => return self.refuse(refusal, shared),
        };
        self.consume(taken.used);
        if taken.is_whole {
            return match std::mem::replace(&mut self.stage, Phase::Idle) {
                Phase::Body(incoming) => self.answer_body(*incoming, shared),
                _ => PhaseEnd::Stop(Next::Close),
            };
        }
        match self.wire.fill(&mut self.inbox, taken.missing) {
            Ok(Filled::Some) => PhaseEnd::Again,
            Ok(Filled::Dry) => PhaseEnd::Stop(Next::Readable),
            Ok(Filled::End) | Err(_) => PhaseEnd::Stop(Next::Close),
        }
    }

    fn answer_body(&mut self, incoming: Incoming, shared: &Shared) -> PhaseEnd {
        self.account = Some(incoming.account);
        self.answer(incoming.head, incoming.body, shared)
    }

    /// Hands the request in and prints what comes back.
    fn answer(&mut self, head: ParsedHead, body: Vec<u8>, shared: &Shared) -> PhaseEnd {
        count(&shared.counters.requests);
        let manner = Manner {
            keep_alive: head.keep_alive,
            old_version: head.old_version,
            head_only: head.method == tiny_http::Method::Head,
        };
        let mut request = self.request(head, body, shared);
        self.may_take_long();
        let answer = catch_unwind(AssertUnwindSafe(|| shared.handler.handle(&request)));
        if answer.is_ok() {
            buffers::give_back(&mut request.body);
        }
        match answer {
            Ok(Answer::Now(response)) => self.print(response, manner, shared),
            Ok(Answer::Streamed(streamed)) => self.print_streamed(streamed, manner, shared),
            Ok(Answer::Later(begin)) => {
                self.stage = Phase::Waiting(manner);
                PhaseEnd::Stop(Next::Answer(begin))
            }
            Err(_) => {
                let incident = new_incident();
                // The handler's own account of it is not worth the thread.
                let said = catch_unwind(AssertUnwindSafe(|| shared.handler.panicked(&request, &incident)));
                count(&shared.counters.panics);
                let said = said.unwrap_or_default();
                self.print_last(said, manner.head_only, shared, |printed| printed.failure(&incident))
            }
        }
    }

    /// Has somebody else look after the others before a handler runs that is not brief.
    fn may_take_long(&self) {
        if !self.brief {
            duty::relieve();
        }
    }

    /// Takes the answer that was waited for; the next thread that attends makes and sends it.
    pub fn answered(&mut self, answer: MakeResponse, shared: &Shared) {
        if let Phase::Waiting(manner) = self.stage {
            self.enter(Phase::Answered(answer, manner), shared.limits.write);
        }
    }

    /// Takes the news that no answer will come.
    pub fn failed(&mut self, shared: &Shared) {
        let incident = new_incident();
        note(format_args!("an answer never came: incident {incident}"));
        self.fail(shared, &incident);
    }

    fn print_answer(&mut self, shared: &Shared) -> PhaseEnd {
        let Phase::Answered(answer, manner) = std::mem::replace(&mut self.stage, Phase::Idle) else {
            return PhaseEnd::Stop(Next::Close);
        };
        self.may_take_long();
        match catch_unwind(AssertUnwindSafe(answer)) {
            Ok(response) => self.print(response, manner, shared),
            Err(_) => {
                let incident = new_incident();
                note(format_args!("panic while an answer was made: incident {incident}"));
                self.fail(shared, &incident)
            }
        }
    }

    fn print(&mut self, response: Response, mut manner: Manner, shared: &Shared) -> PhaseEnd {
        // The stop may have come meanwhile, and the client should hear of it.
        manner.keep_alive &= !shared.is_stopping();
        if self.printed.response(response, manner).is_err() {
            count(&shared.counters.unsafe_responses);
            self.printed.failure(&new_incident());
            return self.begin_reply(false, shared);
        }
        self.begin_reply(manner.keep_alive, shared)
    }

    fn print_streamed(&mut self, streamed: Streamed, mut manner: Manner, shared: &Shared) -> PhaseEnd {
        let Streamed { response, portions } = streamed;
        // In the old version only the end of the connection ends a body whose length is not known.
        manner.keep_alive &= !manner.old_version && !shared.is_stopping();
        if self.printed.streamed(response, manner).is_err() {
            count(&shared.counters.unsafe_responses);
            self.printed.failure(&new_incident());
            return self.begin_reply(false, shared);
        }
        let more = (!manner.head_only).then_some((portions, manner));
        self.begin_reply_with(manner.keep_alive, more, shared)
    }

    /// Has the next portion made, now that the client has taken the one before. Others have their turn before it is
    /// sent.
    fn next_portion(&mut self, mut portions: Portions, manner: Manner, shared: &Shared) -> PhaseEnd {
        duty::relieve();
        self.printed.clear();
        let more = match catch_unwind(AssertUnwindSafe(|| portions.next())) {
            Ok(Some(Ok(portion))) => {
                self.printed.portion(portion, manner);
                Some((portions, manner))
            }
            Ok(None) => {
                self.printed.last_portion(manner);
                None
            }
            Ok(Some(Err(_))) => return PhaseEnd::Stop(Next::Close),
            Err(_) => {
                count(&shared.counters.panics);
                note(format_args!("panic while a body was made: incident {}", new_incident()));
                return PhaseEnd::Stop(Next::Close);
            }
        };
        self.begin_reply_with(manner.keep_alive, more, shared);
        PhaseEnd::Stop(Next::Turn)
    }

    fn request(&self, head: ParsedHead, body: Vec<u8>, shared: &Shared) -> Request {
        let (mut peer, mut secure) = (self.peer, self.wire.is_tls());
        if is_trusted(&shared.trusted_proxies, peer) {
            let values = |name: &'static str| {
                head.headers.iter().filter(move |h| h.field.equiv(name)).map(|h| h.value.as_str())
            };
            peer = forwarded_for(&shared.trusted_proxies, values("X-Forwarded-For")).unwrap_or(peer);
            if let Some(scheme) = values("X-Forwarded-Proto").next_back() {
                secure =
                    scheme.rsplit(',').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("https"));
            }
        }
        let ParsedHead { method, path, query, headers, host, .. } = head;
        Request { method, path, query, headers, body, peer, secure, host }
    }

    fn begin_reply(&mut self, keep: bool, shared: &Shared) -> PhaseEnd {
        self.begin_reply_with(keep, None, shared)
    }

    fn begin_reply_with(
        &mut self,
        keep: bool,
        more: Option<(Portions, Manner)>,
        shared: &Shared,
    ) -> PhaseEnd {
        self.account = None;
        let bytes = self.printed.front.len() + self.printed.tail.len();
        let patience = shared.limits.with_bytes(shared.limits.write, bytes);
        self.enter(Phase::Reply { sent: 0, keep, more }, patience)
    }

    /// Refuses a request whose head was not read, or whose body is on its way.
    fn refuse(&mut self, refusal: Refusal, shared: &Shared) -> PhaseEnd {
        match std::mem::replace(&mut self.stage, Phase::Idle) {
            Phase::Body(incoming) => self.refuse_request(refusal, incoming.into_head(), shared),
            _ => {
                let inbox = std::mem::take(&mut self.inbox);
                let asked = refused_head::of(&inbox);
                let asked = asked.as_ref().map(|(method, path)| Refused::Beginning { method, path });
                self.refuse_asked(refusal, asked, shared)
            }
        }
    }

    /// Refuses a request whose head was read.
    fn refuse_request(&mut self, refusal: Refusal, head: ParsedHead, shared: &Shared) -> PhaseEnd {
        let request = self.request(head, Vec::new(), shared);
        self.refuse_asked(refusal, Some(Refused::Head(&request)), shared)
    }

    /// Refuses in the words of the handler, who knows how they speak at this path; else in plain text.
    fn refuse_asked(&mut self, refusal: Refusal, asked: Option<Refused<'_>>, shared: &Shared) -> PhaseEnd {
        shared.counters.refuses(refusal);
        // Nothing more of what it sends is read: thousands that are refused must not keep what they have sent.
        self.inbox = Vec::new();
        self.scanned = 0;
        let said = asked.and_then(|asked| {
            catch_unwind(AssertUnwindSafe(|| shared.handler.refused(refusal, &asked))).unwrap_or_default()
        });
        let head_only = asked.is_some_and(|asked| *asked.method() == tiny_http::Method::Head);
        self.print_last(said, head_only, shared, |printed| printed.refusal(refusal))
    }

    /// Prints the last response on this connection: the handler's, or `plain` when there is none that may leave.
    fn print_last(
        &mut self,
        said: Option<Response>,
        head_only: bool,
        shared: &Shared,
        plain: impl FnOnce(&mut Printed),
    ) -> PhaseEnd {
        let manner = Manner { keep_alive: false, old_version: false, head_only };
        if said.is_none_or(|response| self.printed.response(response, manner).is_err()) {
            plain(&mut self.printed);
        }
        self.begin_reply(false, shared)
    }

    fn fail(&mut self, shared: &Shared, incident: &str) -> PhaseEnd {
        count(&shared.counters.panics);
        self.printed.failure(incident);
        self.begin_reply(false, shared)
    }

    fn reply(&mut self, shared: &Shared) -> PhaseEnd {
        let Phase::Reply { sent, keep, more } = &mut self.stage else {
            return PhaseEnd::Stop(Next::Close);
        };
        let front = self.printed.front.len();
        if *sent < front || self.printed.tail.is_empty() {
            match self.wire.send(&self.printed.front, sent) {
                Ok(Flushed::All) => {}
                Ok(Flushed::Blocked) => return PhaseEnd::Stop(Next::Writable),
                Err(_) => return PhaseEnd::Stop(Next::Close),
            }
        }
        if !self.printed.tail.is_empty() {
            let mut sent_of_tail = *sent - front;
            let outcome = self.wire.send(&self.printed.tail, &mut sent_of_tail);
            *sent = front + sent_of_tail;
            match outcome {
                Ok(Flushed::All) => {}
                Ok(Flushed::Blocked) => return PhaseEnd::Stop(Next::Writable),
                Err(_) => return PhaseEnd::Stop(Next::Close),
            }
        }
        if let Some((portions, manner)) = more.take() {
            return self.next_portion(portions, manner, shared);
        }
        if !*keep {
            self.wire.finish();
            return self.enter(Phase::Linger { discarded: 0 }, shared.limits.linger);
        }
        self.printed.clear();
        self.enter(Phase::Idle, shared.limits.idle);
        self.answers += 1;
        if self.answers < ANSWERS { PhaseEnd::Again } else { PhaseEnd::Stop(Next::Turn) }
    }

    fn linger(&mut self) -> PhaseEnd {
        let Phase::Linger { discarded } = &mut self.stage else {
            return PhaseEnd::Stop(Next::Close);
        };
        let mut scratch = [0; SCRATCH];
        match self.wire.discard(&mut scratch) {
            Filled::Some if *discarded < DISCARDED => {
                *discarded += SCRATCH;
                if *discarded % DISCARDED_AT_ONCE == 0 { PhaseEnd::Stop(Next::Turn) } else { PhaseEnd::Again }
            }
            Filled::Dry => PhaseEnd::Stop(Next::Readable),
            Filled::Some | Filled::End => PhaseEnd::Stop(Next::Close),
        }
    }
}
