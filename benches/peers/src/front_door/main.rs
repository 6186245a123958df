//! The front door's constant route against bare tiny_http and against axum on hyper, in one run.
//!
//! Each server is a process of its own (this binary, told its role by an argument), so that its CPU time can
//! be read. First all have the same two cores to share with the client; then the client has one of them to
//! itself and the servers the other, so that what the client costs weighs on none of them (`taskset`). Read the
//! ratios, not the figures.

mod load;
mod servers;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Rounds in turn, so that whatever else the machine does falls on all alike; medians are shown.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(500);

fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("serve"), Some(role)) => servers::serve(&role),
        _ => measure(),
    }
}

fn measure() {
    println!("{:<28}{:>12}{:>9}{:>14}{:>9}", "", "requests/s", "ratio", "CPU us/req", "ratio");
    for cores in [Cores::Shared, Cores::Apart] {
        if !hold_to(cores.of_client(), std::process::id()) {
            println!("\nwithout taskset nobody can be given a core");
            continue;
        }
        for connections in [16, 64] {
            compare(cores, connections, false, &["tiny_http", "axum", "gate"]);
            compare(cores, connections, true, &["axum", "gate"]);
        }
    }
}

/// Who may use which of the two cores, as taskset numbers them.
#[derive(Clone, Copy)]
enum Cores {
    Shared,
    Apart,
}

impl Cores {
    fn of_client(self) -> &'static str {
        match self {
            Cores::Shared => "0,1",
            Cores::Apart => "1",
        }
    }

    fn of_servers(self) -> &'static str {
        match self {
            Cores::Shared => "0,1",
            Cores::Apart => "0",
        }
    }
}

/// Holds all threads of a process, and those that they will make, to some cores.
fn hold_to(cores: &str, pid: u32) -> bool {
    let held = Command::new("taskset").args(["-apc", cores, &pid.to_string()]).stdout(Stdio::null()).status();
    held.is_ok_and(|status| status.success())
}

fn compare(cores: Cores, connections: usize, tls: bool, roles: &[&'static str]) {
    let arrangement = match cores {
        Cores::Shared => "two cores for all",
        Cores::Apart => "a core each",
    };
    println!("\n{connections} connections, {}, {arrangement}", if tls { "TLS" } else { "plain" });
    let servers: Vec<Server> = roles.iter().map(|role| Server::start(role, tls)).collect();
    for server in &servers {
        assert!(hold_to(cores.of_servers(), server.child.id()));
    }
    let mut results = vec![Vec::new(); roles.len()];
    for _ in 0..ROUNDS {
        for (server, results) in servers.iter().zip(&mut results) {
            let before = server.cpu();
            let requests = load::run(server.address, connections, tls, ROUND);
            let cpu = (server.cpu() - before).as_secs_f64() * 1e6 / requests as f64;
            results.push((requests as f64 / ROUND.as_secs_f64(), cpu));
        }
    }
    let medians: Vec<(f64, f64)> = results
        .iter_mut()
        .map(|rounds| {
            let median = |pick: fn(&(f64, f64)) -> f64| {
                let mut values: Vec<f64> = rounds.iter().map(pick).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            (median(|round| round.0), median(|round| round.1))
        })
        .collect();
    let (ours, our_cpu) = medians[medians.len() - 1];
    for (role, (rate, cpu)) in roles.iter().zip(medians) {
        println!("  {role:<26}{rate:>12.0}{:>9.2}{cpu:>14.1}{:>9.2}", ours / rate, our_cpu / cpu);
    }
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(role: &str, tls: bool) -> Self {
        let role = if tls { format!("{role}-tls") } else { role.to_owned() };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["serve", &role])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }

    /// CPU time used so far, in user and kernel, in clock ticks of 10 ms.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
