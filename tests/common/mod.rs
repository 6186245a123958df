//! Starts the real binary on a port of its own and talks to it; stops it, by its own process, at the end.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_sidelight");

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    stderr: Mutex<Option<BufReader<ChildStderr>>>,
    /// Such as `http://127.0.0.1:40123`.
    pub url: String,
    /// What it said on its way up, the claim link included.
    pub greeting: String,
    data: PathBuf,
    _directory: Option<tempfile::TempDir>,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// `name=value` of the cookie of this name that the answer sets.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"));
        let pair = set.map(|(_, value)| value.split(';').next().unwrap_or_default().to_owned());
        pair.into_iter().find(|pair| pair.split_once('=').is_some_and(|(key, _)| key == name))
    }
}

impl Server {
    /// Starts a lab with the demo seed, on plain HTTP.
    pub fn lab() -> Server {
        Server::start(&["--lab", "--plain-http"])
    }

    /// Starts a server with these flags on a fresh data directory.
    pub fn start(flags: &[&str]) -> Server {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Server::start_on(&directory.path().join("data"), flags);
        server._directory = Some(directory);
        server
    }

    /// Starts a server with these flags on a data directory that the caller keeps.
    pub fn start_on(data: &Path, flags: &[&str]) -> Server {
        let mut child = Command::new(BINARY)
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(flags)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut greeting = String::new();
        // The greeting is the proof of readiness: it is printed once requests are served.
        while !greeting.contains("is ready") {
            if stderr.read_line(&mut greeting).unwrap() == 0 {
                panic!("the server did not start: {greeting}");
            }
        }
        let ready = std::fs::read_to_string(data.join("ready.json")).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        let url = ready["url"].as_str().unwrap().to_owned();
        Server {
            child,
            stderr: Mutex::new(Some(stderr)),
            url,
            greeting,
            data: data.to_owned(),
            _directory: None,
        }
    }

    /// The path and query of the link with which the first operator claims the appliance, read off the
    /// greeting; once a server.
    pub fn claim_path(&self) -> String {
        let said = self.said_until("/console/claim?token=");
        said.split_at(said.find("/console/claim").unwrap()).1.trim().to_owned()
    }

    /// What the server says from here on, up to the line with `word`.
    pub fn said_until(&self, word: &str) -> String {
        let mut said = String::new();
        let mut stderr = self.stderr.lock().unwrap();
        while !said.contains(word) {
            assert_ne!(stderr.as_mut().unwrap().read_line(&mut said).unwrap(), 0, "no {word}: {said}");
        }
        said
    }

    /// Reads all that the server says from here on, and forgets it: a server that nobody hears would wait in the end.
    pub fn heard_by_nobody(&self) {
        if let Some(mut stderr) = self.stderr.lock().unwrap().take() {
            std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        }
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command of the same binary on this server's data directory.
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY)
            .args(arguments)
            .args(["--data", self.data.to_str().unwrap()])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Sets the lab's clock to an RFC 3339 instant.
    pub fn set_clock(&self, now: &str) {
        let body = format!("{{\"now\":\"{now}\"}}");
        let answer = self.send("PUT", "/lab/clock", &[], body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn post_form(&self, path: &str, form: &str) -> Answer {
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &kind, form.as_bytes())
    }

    pub fn post_json(&self, path: &str, json: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], json.as_bytes())
    }

    /// Sends any request; redirects are not followed.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent_answer = if body.is_empty() && matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS") {
            agent.run(request.body(()).unwrap())
        } else {
            agent.run(request.body(body).unwrap())
        };
        let mut answer = agent_answer.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut bytes = Vec::new();
        answer.body_mut().as_reader().read_to_end(&mut bytes).unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Asks the server to stop (SIGTERM), waits for it, and gives back its exit status and last words.
    pub fn stop(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut words = String::new();
        if let Some(mut stderr) = self.stderr.get_mut().unwrap().take() {
            stderr.read_to_string(&mut words).unwrap();
        }
        (self.child.wait().unwrap().code(), words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
