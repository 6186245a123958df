//! The servers that are compared: each answers every request with the same few bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sidelight::gate::{
    Answer, GateConfig, Handler, Head, Limits, Request, Response, Shutdown, Terms, bind, load_tls,
    self_signed,
};

const BODY: &str = "{\"answer\":\"constant\"}";
const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Prints the address and serves until killed.
pub fn serve(role: &str) {
    match role {
        "tiny_http" => tiny_http(),
        "axum" => axum(None),
        "axum-tls" => axum(Some(tls())),
        "gate" => gate(None),
        "gate-tls" => gate(Some(tls())),
        other => panic!("no server is called {other}"),
    }
}

fn tls() -> Arc<rustls::ServerConfig> {
    let made = self_signed(&["localhost".to_owned()]).unwrap();
    load_tls(&made.cert_pem, &made.key_pem).unwrap()
}

struct Constant;

impl Handler for Constant {
    fn terms(&self, _: &Head<'_>) -> Terms {
        Terms { body_limit: 0, brief: true }
    }

    fn handle(&self, _: &Request) -> Answer {
        Response::from_string(BODY).into()
    }
}

fn gate(tls: Option<Arc<rustls::ServerConfig>>) {
    let listen = SocketAddr::from(ANYWHERE);
    let gate =
        bind(GateConfig { listen, tls, limits: Limits::default(), trusted_proxies: Vec::new() }).unwrap();
    println!("{}", gate.local_addr());
    gate.run(Arc::new(Constant), Shutdown::new()).unwrap();
}

fn tiny_http() {
    let server = Arc::new(tiny_http::Server::http(ANYWHERE).unwrap());
    println!("{}", server.server_addr().to_ip().unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    let _ = request.respond(tiny_http::Response::from_string(BODY));
                }
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}

#[tokio::main]
async fn axum(tls: Option<Arc<rustls::ServerConfig>>) {
    let app = axum::Router::new().route("/", axum::routing::get(|| async { BODY }));
    let listener = tokio::net::TcpListener::bind(ANYWHERE).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let acceptor = tls.map(tokio_rustls::TlsAcceptor::from);
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let service = hyper_util::service::TowerToHyperService::new(app.clone());
        let http = hyper::server::conn::http1::Builder::new();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor {
                None => {
                    let _ = http.serve_connection(hyper_util::rt::TokioIo::new(socket), service).await;
                }
                Some(acceptor) => {
                    if let Ok(socket) = acceptor.accept(socket).await {
                        let _ = http.serve_connection(hyper_util::rt::TokioIo::new(socket), service).await;
                    }
                }
            }
        });
    }
}
