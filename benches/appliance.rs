//! What the appliance costs before anybody calls it: start to ready, idle memory, size of the binary.
//!
//! Run with `cargo bench --bench appliance`. The start is measured from `exec` to the first answered
//! request, once the secrets exist, and reported beside the start of a process that does nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_sidelight");
const STARTS: usize = 15;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (first, child) = start(&data);
    stop(child);
    let mut starts: Vec<Duration> = (0..STARTS)
        .map(|_| {
            let (ready, child) = start(&data);
            stop(child);
            ready
        })
        .collect();
    starts.sort();
    let mut nothing: Vec<Duration> = (0..STARTS)
        .map(|_| {
            let begun = Instant::now();
            assert!(Command::new("true").status().unwrap().success());
            begun.elapsed()
        })
        .collect();
    nothing.sort();
    let (_, child) = start(&data);
    let memory = resident_kib(child.id());
    stop(child);
    let size = std::fs::metadata(BINARY).unwrap().len();
    println!("first start, secrets made      {:8.1} ms", first.as_secs_f64() * 1e3);
    println!("start to first answer, median  {:8.1} ms   (mark: 50)", starts[STARTS / 2].as_secs_f64() * 1e3);
    println!("start of `true`, median        {:8.1} ms", nothing[STARTS / 2].as_secs_f64() * 1e3);
    println!("resident memory, idle          {:8.1} MiB  (mark: 20)", memory as f64 / 1024.0);
    println!("size of the binary             {:8.1} MiB  (mark: 12)", size as f64 / 1024.0 / 1024.0);
}

/// Starts a lab with TLS off and gives back how long it took until it answered.
fn start(data: &Path) -> (Duration, Child) {
    let begun = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["serve", "--lab", "--plain-http", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("is ready"), "{line}");
    let ready = std::fs::read_to_string(data.join("ready.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let address = ready["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    (begun.elapsed(), child)
}

fn stop(mut child: Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    child.wait().unwrap();
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
