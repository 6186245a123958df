//! A service provider as a user of samael writes it: axum, a thread for the work that blocks, SQLite.
//!
//! Its settings come from the environment (`../src/sign_in/peer.rs`); it is measured against Sidelight.

use std::sync::{Arc, Mutex};

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use samael::metadata::EntityDescriptor;
use samael::schema::Assertion;
use samael::service_provider::{ServiceProvider, ServiceProviderBuilder};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Seconds for which a session lasts.
const SESSION: i64 = 3_600;

struct Site {
    provider: ServiceProvider,
    /// One writer at a time is all that SQLite allows.
    database: Mutex<Connection>,
}

#[derive(Deserialize)]
struct Post {
    #[serde(rename = "SAMLResponse")]
    saml_response: String,
}

fn main() {
    let site = Arc::new(Site { provider: provider(), database: Mutex::new(database()) });
    let app =
        axum::Router::new().route("/account/GetLoginKey.aspx", axum::routing::post(acs)).with_state(site);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener =
            tokio::net::TcpListener::bind(format!("127.0.0.1:{}", variable("PORT"))).await.unwrap();
        axum::serve(listener, app).await.unwrap();
    });
}

async fn acs(State(site): State<Arc<Site>>, Form(post): Form<Post>) -> Response {
    // The signature and the flush both hold a thread for long.
    let signed_in = tokio::task::spawn_blocking(move || sign_in(&site, &post.saml_response)).await.unwrap();
    match signed_in {
        Ok(session) => {
            let cookie = format!("session={session}; Path=/; HttpOnly; Secure; SameSite=Lax");
            let headers = [
                (header::LOCATION, HeaderValue::from_static("/")),
                (header::SET_COOKIE, HeaderValue::try_from(cookie).unwrap()),
            ];
            (StatusCode::FOUND, headers).into_response()
        }
        Err(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
    }
}

fn sign_in(site: &Site, saml_response: &str) -> Result<String, String> {
    let assertion = site.provider.parse_base64_response(saml_response, None).map_err(|e| e.to_string())?;
    let email = name_id(&assertion).ok_or("no NameID")?;
    let used_until = not_on_or_after(&assertion).ok_or("no NotOnOrAfter")?;
    let token = token();
    let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let mut database = site.database.lock().unwrap();
    store(&mut database, &assertion.id, used_until, email, &hash)?;
    Ok(token)
}

/// Uses the assertion's ID up and begins a session, both or neither.
fn store(
    database: &mut Connection,
    assertion_id: &str,
    used_until: i64,
    email: &str,
    session: &[u8; 32],
) -> Result<(), String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let user: i64 = transaction
        .prepare_cached("SELECT id FROM users WHERE email = ?1")
        .and_then(|mut statement| statement.query_row([email], |row| row.get(0)).optional())
        .map_err(failed)?
        .ok_or("no such user")?;
    let fresh = transaction
        .prepare_cached("INSERT INTO used_assertions VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .and_then(|mut statement| statement.execute(params![assertion_id, used_until]))
        .map_err(failed)?;
    if fresh == 0 {
        return Err("this assertion was used already".into());
    }
    transaction
        .prepare_cached("INSERT INTO sessions VALUES (?1, ?2, ?3)")
        .and_then(|mut statement| {
            statement.execute(params![session, user, chrono::Utc::now().timestamp() + SESSION])
        })
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn name_id(assertion: &Assertion) -> Option<&str> {
    Some(&assertion.subject.as_ref()?.name_id.as_ref()?.value)
}

fn not_on_or_after(assertion: &Assertion) -> Option<i64> {
    Some(assertion.conditions.as_ref()?.not_on_or_after?.timestamp())
}

fn token() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn database() -> Connection {
    let connection = Connection::open(variable("DATABASE")).unwrap();
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;").unwrap();
    connection
}

fn provider() -> ServiceProvider {
    let metadata: EntityDescriptor =
        std::fs::read_to_string(variable("IDP_METADATA")).unwrap().parse().unwrap();
    ServiceProviderBuilder::default()
        .entity_id(variable("ENTITY_ID"))
        .acs_url(variable("ACS_URL"))
        .idp_metadata(metadata)
        .allow_idp_initiated(true)
        // Usually 90 seconds: but the responses are made before the run.
        .max_issue_delay(chrono::Duration::hours(1))
        .build()
        .unwrap()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}
