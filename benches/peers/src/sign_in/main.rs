//! A whole sign-in over HTTP, each answered after a durable row, against what an integrator would otherwise run.
//!
//! By SAML: a response is posted, each used once; the server checks its signature and all else, that it was not used
//! before, and who the user is, and begins a session. By login key: an HMAC is checked, the user looked up, a token
//! kept. Names of peers are the arguments (`../../run.sh`); Sidelight is measured in turns with them, on the same
//! cores, in one run. The figures that count are the ratios, and of them the answers for a second of the server's
//! processor time: another program's work does not change them.

mod load;
mod peer;
mod responses;
mod users;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use peer::{API_KEY, GROUP, Peer, Server};
use responses::IdentityProvider;
use sidelight::clock::Clock;
use sidelight::model::GroupId;
use sidelight::protocol::login_key::{SigningKey, make};

const TURNS: usize = 5;
/// Requests before the first turn, which do not count: compilers at run time and caches warm up.
const WARM_UP: usize = 1_000;
const LOGIN_KEY_LIFE: i64 = 3_600;

/// One way to sign in.
struct Kind {
    title: &'static str,
    /// How many requests of a turn Sidelight gets.
    ours: usize,
    /// Requests that are answered with a sign-in. Each is sent to a server at most once.
    requests: Vec<Vec<u8>>,
    /// Requests that a sound server refuses, and why.
    refused: Vec<(&'static str, Vec<u8>)>,
    /// Whether a second sending of the same request is refused too.
    once: bool,
}

/// What a server did in all turns.
#[derive(Default)]
struct Work {
    answers: usize,
    elapsed: Duration,
    processor_time: Duration,
    latencies: Vec<Duration>,
}

fn main() {
    let peers: Vec<Peer> = std::env::args().skip(1).map(|name| Peer::named(&name)).collect();
    let (by_login_key, by_saml): (Vec<Peer>, Vec<Peer>) =
        peers.into_iter().partition(|peer| *peer == Peer::Express);
    if !by_saml.is_empty() {
        measure(&saml(), &by_saml);
    }
    if !by_login_key.is_empty() {
        measure(&login_key(), &by_login_key);
    }
}

/// How many requests of a turn this server gets, so that each has work for about a second.
fn share(kind: &Kind, peer: Peer) -> usize {
    match peer {
        Peer::Sidelight => kind.ours,
        Peer::Samael => 1_500,
        Peer::NodeSaml => 600,
        Peer::Python3Saml => 500,
        Peer::Express => 5_000,
    }
}

fn measure(kind: &Kind, peers: &[Peer]) {
    let servers: Vec<Server> =
        std::iter::once(Peer::Sidelight).chain(peers.iter().copied()).map(Server::start).collect();
    let (warm_up, rest) = kind.requests.split_at(WARM_UP);
    for server in &servers {
        assert_is_sound(kind, server, &warm_up[0]);
        load::send_all(server.address, &warm_up[1..], accepted(kind, server.peer));
    }
    let mut works: Vec<Work> = servers.iter().map(|_| Work::default()).collect();
    for requests in rest.chunks(kind.ours) {
        for (server, work) in servers.iter().zip(&mut works) {
            let requests = &requests[..share(kind, server.peer)];
            let (begun, before) = (Instant::now(), server.processor_time());
            let latencies = load::send_all(server.address, requests, accepted(kind, server.peer));
            work.elapsed += begun.elapsed();
            work.processor_time += server.processor_time() - before;
            work.answers += latencies.len();
            work.latencies.extend(latencies);
        }
    }
    print(kind, &servers, &mut works);
}

/// The status of a sign-in: Sidelight answers with a page that posts the browser on, and the Authorize of all with JSON.
fn accepted(kind: &Kind, peer: Peer) -> u16 {
    if kind.once && peer != Peer::Sidelight { 302 } else { 200 }
}

fn assert_is_sound(kind: &Kind, server: &Server, genuine: &[u8]) {
    let name = server.peer.title();
    let (status, text) = load::send(server.address, genuine);
    assert_eq!(status, accepted(kind, server.peer), "{name}: {text}");
    let used = kind.once.then_some(("a response that was used", genuine));
    let refused = kind.refused.iter().map(|(reason, request)| (*reason, request.as_slice()));
    for (reason, request) in refused.chain(used) {
        let (status, _) = load::send(server.address, request);
        assert!(status >= 400, "{name} answers {status} to {reason}");
    }
}

fn print(kind: &Kind, servers: &[Server], works: &mut [Work]) {
    println!("\n{}, {} connections; ratios are Sidelight's to theirs", kind.title, load::CONNECTIONS);
    println!(
        "  {:<24}{:>16}{:>8}{:>12}{:>8}{:>10}{:>8}{:>10}{:>8}",
        "", "a processor s", "ratio", "requests/s", "ratio", "p50 ms", "ratio", "p99 ms", "ratio"
    );
    let figures: Vec<[f64; 4]> = works.iter_mut().map(Work::figures).collect();
    for (server, [of_processor, rate, p50, p99]) in servers.iter().zip(&figures) {
        let [our_of_processor, our_rate, our_p50, our_p99] = figures[0];
        println!(
            "  {:<24}{of_processor:>16.0}{:>8.1}{rate:>12.0}{:>8.1}{p50:>10.1}{:>8.2}{p99:>10.1}{:>8.2}",
            server.peer.title(),
            our_of_processor / of_processor,
            our_rate / rate,
            our_p50 / p50,
            our_p99 / p99
        );
    }
}

impl Work {
    /// Answers for a second of processor time, answers a second, and the latencies of half and of 99 in 100 in
    /// milliseconds.
    fn figures(&mut self) -> [f64; 4] {
        self.latencies.sort();
        let quantile = |hundredths: usize| {
            self.latencies[self.latencies.len() * hundredths / 100].as_secs_f64() * 1_000.0
        };
        let answers = self.answers as f64;
        [
            answers / self.processor_time.as_secs_f64(),
            answers / self.elapsed.as_secs_f64(),
            quantile(50),
            quantile(99),
        ]
    }
}

fn saml() -> Kind {
    let now = Clock::system().now();
    let (trusted, foreign) = (IdentityProvider::trusted(now), IdentityProvider::foreign(now));
    let old = IdentityProvider::trusted(now.plus_seconds(-86_400));
    let changed = trusted.response("_changed", 1).replace(&users::email(1), &users::email(2));
    // Two threads: signing costs more than Sidelight's verdict.
    let ours = 5_000;
    let numbers: Vec<usize> = (0..WARM_UP + TURNS * ours).collect();
    let (first, second) = numbers.split_at(numbers.len() / 2);
    let made = |numbers: &[usize]| -> Vec<Vec<u8>> {
        let response = |number: usize| trusted.response(&format!("_a{number}"), number * 7919);
        numbers.iter().map(|number| acs_post(&response(*number))).collect()
    };
    let requests = std::thread::scope(|scope| {
        let second = scope.spawn(|| made(second));
        [made(first), second.join().unwrap()].concat()
    });
    println!("a response of {} bytes", trusted.response("_a0", 0).len());
    Kind {
        title: "sign-in by SAML",
        ours,
        requests,
        refused: vec![
            ("a response about somebody else than was signed", acs_post(&changed)),
            ("a response of an unknown identity provider", acs_post(&foreign.response("_foreign", 1))),
            ("a response of yesterday", acs_post(&old.response("_old", 1))),
        ],
        once: true,
    }
}

fn acs_post(response: &str) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("SAMLResponse", &STANDARD.encode(response))
        .finish();
    post("/account/GetLoginKey.aspx?idpid=12345", "application/x-www-form-urlencoded", &body)
}

fn login_key() -> Kind {
    let ours = 15_000;
    let now = Clock::system().now().seconds();
    let request = |api_key: &str, number: usize, expiry: i64| {
        let puid = users::puid(number);
        let login_key = make(&SigningKey::new(api_key.as_bytes()), GroupId(GROUP), &puid, expiry).unwrap();
        let body = format!(r#"{{"partnerid":{GROUP},"partneruserid":"{puid}","loginkey":"{login_key}"}}"#);
        let path = "/services/AuthorizationService.svc/rest/Authorize?service=presence&duration=60";
        post(path, "application/json", &body)
    };
    Kind {
        title: "sign-in by login key",
        ours,
        requests: (0..WARM_UP + TURNS * ours)
            .map(|number| request(API_KEY, number * 7919, now + LOGIN_KEY_LIFE))
            .collect(),
        refused: vec![
            ("a login key of another API key", request("another", 1, now + LOGIN_KEY_LIFE)),
            ("a login key of yesterday", request(API_KEY, 1, now - 86_400)),
        ],
        once: false,
    }
}

fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: sp.example.com\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
