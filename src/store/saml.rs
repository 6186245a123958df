//! SAML while it runs: requests that wait for an answer, assertions that were used, and attempts.

use rusqlite::{OptionalExtension, Row};

use super::{Reader, Writer, database_fault};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::GroupId;
use crate::model::sso::{KeptAttempt, LOGIN_KEY_CHECK};

/// An AuthnRequest that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRequest {
    /// Its ID, which comes back as InResponseTo.
    pub id: String,
    pub group: GroupId,
    /// The opaque handle that travels as RelayState.
    pub relay_state: String,
    /// Fingerprint of the browser's cookie.
    pub browser: [u8; 32],
    /// JSON: what to do after the sign-in.
    pub target: String,
    pub expires_at: Timestamp,
}

/// An attempt to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    pub group: GroupId,
    pub incident: Option<String>,
    /// The stable code of the reject; `None` when it was accepted.
    pub code: Option<&'static str>,
    pub subject: String,
    pub checks: String,
    /// JSON: the keys that were tried and the one that came, where none verified.
    pub keys: Option<String>,
    pub attributes: Option<String>,
    /// The sealed response, what it was judged against (JSON), and when both are wiped.
    pub kept: Option<KeptResponse>,
}

/// A response that can be judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResponse {
    pub sealed: Vec<u8>,
    /// JSON: the ACS URLs and the outstanding requests.
    pub circumstances: String,
    pub until: Timestamp,
}

/// Requests of one browser to one group that wait for their answers; the oldest go first. A browser names itself by
/// a cookie that anybody could make up, and all of its requests are read when an answer comes.
const WAITING_MOST: u32 = 16;

/// Attempts of one group that are kept; the oldest go first.
const ATTEMPTS_KEPT: u32 = 200;

const ATTEMPT: &str = "SELECT id, at, group_id, incident, code, subject, checks, attributes, kept_until,
         EXISTS (SELECT 1 FROM access_log AS log
                 WHERE log.incident = saml_attempts.incident AND log.operation = 'sso.test') AS of_a_test,
         keys
     FROM saml_attempts";

impl Reader<'_> {
    /// The requests of one browser to which a group's identity provider has not answered: few.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn pending_requests(
        &self,
        group: GroupId,
        browser: &[u8; 32],
        now: Timestamp,
    ) -> Result<Vec<PendingRequest>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, relay_state, target, expires_at FROM saml_requests
                 WHERE browser = ?1 AND group_id = ?2 AND expires_at > ?3",
            )
            .map_err(database_fault)?;
        let rows = statement
            .query_map((browser, group.0, now.0), |row| {
                Ok(PendingRequest {
                    id: row.get("id")?,
                    group,
                    relay_state: row.get("relay_state")?,
                    browser: *browser,
                    target: row.get("target")?,
                    expires_at: Timestamp(row.get("expires_at")?),
                })
            })
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The latest attempts of a group, newest first.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn saml_attempts(&self, group: GroupId, limit: u32) -> Result<Vec<KeptAttempt>> {
        let sql = format!("{ATTEMPT} WHERE group_id = ?1 ORDER BY id DESC LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql).map_err(database_fault)?;
        let rows = statement.query_map((group.0, limit), attempt_row).map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// One attempt of a group.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn saml_attempt(&self, group: GroupId, id: i64) -> Result<Option<KeptAttempt>> {
        let sql = format!("{ATTEMPT} WHERE group_id = ?1 AND id = ?2");
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row((group.0, id), attempt_row).optional())
            .map_err(database_fault)
    }

    /// The number of the attempt behind an incident code.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn saml_attempt_of_incident(&self, group: GroupId, incident: &str) -> Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT id FROM saml_attempts WHERE group_id = ?1 AND incident = ?2")
            .and_then(|mut s| s.query_row((group.0, incident), |row| row.get(0)).optional())
            .map_err(database_fault)
    }

    /// The sealed response of an attempt and what it was judged against; `None` when it is not kept.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn kept_response(&self, group: GroupId, id: i64, now: Timestamp) -> Result<Option<KeptResponse>> {
        self.connection
            .prepare_cached(
                "SELECT sealed_response, circumstances, kept_until FROM saml_attempts
                 WHERE group_id = ?1 AND id = ?2 AND kept_until > ?3 AND sealed_response IS NOT NULL",
            )
            .and_then(|mut s| {
                s.query_row((group.0, id, now.0), |row| {
                    Ok(KeptResponse {
                        sealed: row.get("sealed_response")?,
                        circumstances: row.get::<_, Option<String>>("circumstances")?.unwrap_or_default(),
                        until: Timestamp(row.get("kept_until")?),
                    })
                })
                .optional()
            })
            .map_err(database_fault)
    }

    /// Whether a request still waits for its answer.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn is_pending(&self, id: &str) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM saml_requests WHERE id = ?1)")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)))
            .map_err(database_fault)
    }

    /// Whether an assertion was used before.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn assertion_was_used(&self, fingerprint: &[u8; 32]) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM saml_replays WHERE fingerprint = ?1)")
            .and_then(|mut s| s.query_row([fingerprint], |row| row.get(0)))
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Keeps a request until its answer comes; the browser's oldest make room.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_pending_request(&self, request: &PendingRequest) -> Result<()> {
        self.execute(
            "DELETE FROM saml_requests WHERE id IN
                 (SELECT id FROM saml_requests WHERE browser = ?1 AND group_id = ?2
                  ORDER BY created_at DESC LIMIT -1 OFFSET ?3)",
            (&request.browser, request.group.0, WAITING_MOST - 1),
        )?;
        self.connection
            .prepare_cached(
                "INSERT INTO saml_requests (id, group_id, relay_state, browser, target, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                s.execute((
                    &request.id,
                    request.group.0,
                    &request.relay_state,
                    &request.browser,
                    &request.target,
                    self.now.0,
                    request.expires_at.0,
                ))
            })
            .map_err(database_fault)?;
        Ok(())
    }

    /// Takes a request away, because its answer was accepted.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn take_pending_request(&self, id: &str) -> Result<()> {
        self.execute("DELETE FROM saml_requests WHERE id = ?1", [id])
    }

    /// Uses up an assertion, remembered until `until`; `false` when it was used before.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn use_assertion(&self, fingerprint: &[u8; 32], until: Timestamp) -> Result<bool> {
        let used = self
            .connection
            .prepare_cached(
                "INSERT INTO saml_replays (fingerprint, until) VALUES (?1, ?2)
                 ON CONFLICT (fingerprint) DO NOTHING",
            )
            .and_then(|mut s| s.execute((fingerprint, until.0)))
            .map_err(database_fault)?;
        Ok(used == 1)
    }

    /// Keeps an attempt; the group's oldest make room.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_saml_attempt(&self, attempt: &NewAttempt) -> Result<i64> {
        let kept = attempt.kept.as_ref();
        let id = self
            .connection
            .prepare_cached(
                "INSERT INTO saml_attempts (at, group_id, incident, code, subject, checks, attributes,
                     circumstances, sealed_response, kept_until, keys)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )
            .and_then(|mut s| {
                s.insert((
                    self.now.0,
                    attempt.group.0,
                    &attempt.incident,
                    attempt.code,
                    &attempt.subject,
                    &attempt.checks,
                    &attempt.attributes,
                    kept.map(|k| &k.circumstances),
                    kept.map(|k| &k.sealed),
                    kept.map(|k| k.until.0),
                    &attempt.keys,
                ))
            })
            .map_err(database_fault)?;
        self.connection
            .prepare_cached(
                "DELETE FROM saml_attempts WHERE group_id = ?1 AND id <=
                     (SELECT id FROM saml_attempts WHERE group_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )
            .and_then(|mut s| s.execute((attempt.group.0, ATTEMPTS_KEPT)))
            .map_err(database_fault)?;
        Ok(id)
    }
}

/// Of a test that was refused the access log tells, under its incident. One that was accepted has no
/// incident, but a check that only tests make.
fn attempt_row(row: &Row<'_>) -> rusqlite::Result<KeptAttempt> {
    let code: Option<String> = row.get("code")?;
    let checks: String = row.get("checks")?;
    let of_tests = || checks.contains(&format!("\"name\":\"{LOGIN_KEY_CHECK}\""));
    let test = if code.is_some() { row.get("of_a_test")? } else { of_tests() };
    Ok(KeptAttempt {
        id: row.get("id")?,
        at: Timestamp(row.get("at")?),
        group: GroupId(row.get("group_id")?),
        incident: row.get("incident")?,
        code,
        subject: row.get("subject")?,
        checks,
        keys: row.get("keys")?,
        attributes: row.get("attributes")?,
        kept_until: row.get::<_, Option<i64>>("kept_until")?.map(Timestamp),
        test,
    })
}
