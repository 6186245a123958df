//! SSO Configure: one configuration a group, the identity provider's keys and our own.

use rusqlite::{OptionalExtension, Row, named_params};

use super::columns::Columns;
use super::imports::visible;
use super::leaving::{HOME, STILL_THERE};
use super::{Reader, Writer, database_fault, is_duplicate};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;
use crate::model::sso::{
    AcsStyle, AuthnContext, Autoprovision, Configuration, EndpointType, IdpKey, Method, NameIdPolicy, SpKey,
    Status,
};

/// Removed keys of a group that are kept aside.
const REMOVED_KEPT: u32 = 10;

impl Reader<'_> {
    /// The configuration of a group; `None` when there is no such group, Off when it has none.
    ///
    /// # Errors
    /// `Fault` when the database fails or holds a value that no version wrote.
    pub fn sso_configuration(&self, group: GroupId) -> Result<Option<Configuration>> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT g.account_id, c.method, c.description, c.status, c.idp_entity_id, c.endpoint_url,
                     c.endpoint_type, c.sp_entity_id, c.identity_attribute, c.idp_initiated_redirect,
                     c.idp_initiated_allowed, c.authn_context, c.acs_style, c.name_id_policy,
                     c.skew_seconds, c.allow_sha1, c.allow_rsa15, c.keep_responses, c.autoprovision,
                     c.mapping, c.name_id_when_missing, c.allow_3des
                 FROM groups g LEFT JOIN sso_configurations c ON c.group_id = g.id
                 WHERE g.id = ?1 AND g.leaving = 0",
            )
            .and_then(|mut s| s.query_row([group.0], |row| configuration_row(group, row)).optional())
            .map_err(database_fault)?;
        found.transpose()
    }

    /// Whether a group was ever configured.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn has_sso_configuration(&self, group: GroupId) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM sso_configurations WHERE group_id = ?1)")
            .and_then(|mut s| s.query_row([group.0], |row| row.get(0)))
            .map_err(database_fault)
    }

    /// Whether that by which a response was judged still stands: `None` when the group is switched off, else whether the
    /// settings that decide who comes in are those of `judged`, and the group still has the key with this fingerprint.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sso_still_stands(&self, judged: &Configuration, fingerprint: &str) -> Result<Option<bool>> {
        let c = judged;
        let found = self
            .connection
            .prepare_cached(
                "SELECT c.method = :method AND c.autoprovision = :autoprovision AND c.idp_entity_id = :idp
                     AND c.sp_entity_id = :sp AND c.identity_attribute = :identity_attribute
                     AND EXISTS (SELECT 1 FROM sso_keys k
                                 WHERE k.group_id = g.id AND k.fingerprint = :fingerprint) AS stands
                 FROM groups g LEFT JOIN sso_configurations c ON c.group_id = g.id
                 WHERE g.id = :group AND g.leaving = 0 AND g.off_since IS NULL",
            )
            .and_then(|mut s| {
                let parameters = named_params! {
                    ":group": c.group.0,
                    ":method": c.method.as_str(),
                    ":autoprovision": c.autoprovision.as_str(),
                    ":idp": c.idp_entity_id,
                    ":sp": c.sp_entity_id,
                    ":identity_attribute": c.identity_attribute,
                    ":fingerprint": fingerprint,
                };
                s.query_row(parameters, |row| row.get::<_, Option<bool>>("stands")).optional()
            })
            .map_err(database_fault)?;
        Ok(found.map(|stands| stands.unwrap_or(false)))
    }

    /// The identity provider's keys in the order in which they are tried.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sso_keys(&self, group: GroupId) -> Result<Vec<IdpKey>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT position, fingerprint, certificate, added_at, last_verified_at
                 FROM sso_keys WHERE group_id = ?1 ORDER BY position",
            )
            .map_err(database_fault)?;
        let rows = statement
            .query_map([group.0], |row| {
                Ok(IdpKey {
                    position: row.get("position")?,
                    fingerprint: row.get("fingerprint")?,
                    certificate: row.get("certificate")?,
                    added_at: Timestamp(row.get("added_at")?),
                    last_verified_at: row.get::<_, Option<i64>>("last_verified_at")?.map(Timestamp),
                })
            })
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The keys of an identity provider that were removed and can still be put back, the latest first, each with
    /// until when. Their positions are 0.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn removed_sso_keys(&self, group: GroupId, now: Timestamp) -> Result<Vec<(IdpKey, Timestamp)>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT fingerprint, certificate, added_at, last_verified_at, until FROM sso_removed_keys
                 WHERE group_id = ?1 AND until > ?2 ORDER BY removed_at DESC, fingerprint",
            )
            .map_err(database_fault)?;
        let rows = statement
            .query_map((group.0, now.0), |row| {
                let key = IdpKey {
                    position: 0,
                    fingerprint: row.get("fingerprint")?,
                    certificate: row.get("certificate")?,
                    added_at: Timestamp(row.get("added_at")?),
                    last_verified_at: row.get::<_, Option<i64>>("last_verified_at")?.map(Timestamp),
                };
                Ok((key, Timestamp(row.get("until")?)))
            })
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// Our own key pairs, newest first, without their private halves.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sp_keys(&self, group: GroupId) -> Result<Vec<SpKey>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, certificate, last_used_at, created_at FROM sp_keys
                 WHERE group_id = ?1 ORDER BY id DESC",
            )
            .map_err(database_fault)?;
        let rows = statement
            .query_map([group.0], |row| {
                Ok(SpKey {
                    id: row.get("id")?,
                    certificate: row.get("certificate")?,
                    last_used_at: row.get::<_, Option<i64>>("last_used_at")?.map(Timestamp),
                    created_at: Timestamp(row.get("created_at")?),
                })
            })
            .map_err(database_fault)?;
        rows.collect::<rusqlite::Result<_>>().map_err(database_fault)
    }

    /// The sealed private half (PKCS#8) of one of our key pairs.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn sealed_sp_key(&self, group: GroupId, id: i64) -> Result<Option<Vec<u8>>> {
        self.connection
            .prepare_cached("SELECT sealed_private_key FROM sp_keys WHERE group_id = ?1 AND id = ?2")
            .and_then(|mut s| s.query_row((group.0, id), |row| row.get(0)).optional())
            .map_err(database_fault)
    }

    /// A few sealed private halves and their groups, to try the master key on.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn some_sealed_sp_keys(&self) -> Result<Vec<(GroupId, Vec<u8>)>> {
        self.connection
            .prepare("SELECT group_id, sealed_private_key FROM sp_keys ORDER BY id LIMIT 8")
            .and_then(|mut s| {
                s.query_map([], |row| Ok((GroupId(row.get("group_id")?), row.get("sealed_private_key")?)))?
                    .collect()
            })
            .map_err(database_fault)
    }

    /// The groups whose Unique Account ID is this one, exactly: one at most.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn group_by_account_id(&self, account_id: &str) -> Result<Option<GroupId>> {
        self.group_by("SELECT id FROM groups WHERE account_id = ?1 AND leaving = 0", account_id)
    }

    /// The group of this name, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn group_by_name(&self, name: &str) -> Result<Option<GroupId>> {
        self.group_by("SELECT id FROM groups WHERE name = ?1 AND leaving = 0", name)
    }

    /// The home group of the user with this Glance Address, in any case.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn group_by_address(&self, address: &str) -> Result<Option<GroupId>> {
        let sql = format!(
            "SELECT {HOME} FROM users u WHERE u.glance_address = ?1 AND {} AND {STILL_THERE}",
            visible("u.id")
        );
        self.group_by(&sql, address)
    }

    fn group_by(&self, sql: &str, value: &str) -> Result<Option<GroupId>> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([value], |row| row.get(0).map(GroupId)).optional())
            .map_err(database_fault)
    }
}

impl Writer<'_> {
    /// Puts a configuration in force, the Unique Account ID with it.
    ///
    /// # Errors
    /// `Conflict` with code `account_id_taken` when another group has that Unique Account ID.
    pub fn put_sso_configuration(&self, configuration: &Configuration) -> Result<()> {
        let c = configuration;
        let mapping =
            serde_json::to_string(&c.mapping).map_err(|e| Error::fault("sso_mapping", e.to_string()))?;
        self.connection
            .prepare_cached("UPDATE groups SET account_id = ?2 WHERE id = ?1")
            .and_then(|mut s| s.execute((c.group.0, &c.account_id)))
            .map_err(taken_account_id)?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO sso_configurations
                     (group_id, method, description, status, idp_entity_id, endpoint_url, endpoint_type,
                      sp_entity_id, identity_attribute, idp_initiated_redirect, idp_initiated_allowed,
                      authn_context, acs_style, name_id_policy, skew_seconds, allow_sha1, allow_rsa15,
                      keep_responses, autoprovision, mapping, name_id_when_missing, allow_3des, updated_at)
                 VALUES (:group, :method, :description, :status, :idp_entity_id, :endpoint_url,
                      :endpoint_type, :sp_entity_id, :identity_attribute, :redirect, :unsolicited,
                      :context, :acs_style, :policy, :skew, :sha1, :rsa15, :keep, :autoprovision, :mapping,
                      :name_id, :triple_des, :now)",
            )
            .and_then(|mut s| {
                s.execute(named_params! {
                    ":group": c.group.0,
                    ":method": c.method.as_str(),
                    ":description": c.description,
                    ":status": c.status.as_str(),
                    ":idp_entity_id": c.idp_entity_id,
                    ":endpoint_url": c.endpoint_url,
                    ":endpoint_type": c.endpoint_type.as_str(),
                    ":sp_entity_id": c.sp_entity_id,
                    ":identity_attribute": c.identity_attribute,
                    ":redirect": c.idp_initiated_redirect,
                    ":unsolicited": c.idp_initiated_allowed,
                    ":context": c.authn_context.as_str(),
                    ":acs_style": c.acs_style.as_str(),
                    ":policy": c.name_id_policy.as_str(),
                    ":skew": c.skew_seconds,
                    ":sha1": c.allow_sha1,
                    ":rsa15": c.allow_rsa15,
                    ":keep": c.keep_responses,
                    ":autoprovision": c.autoprovision.as_str(),
                    ":mapping": mapping,
                    ":name_id": c.name_id_when_missing,
                    ":triple_des": c.allow_triple_des,
                    ":now": self.now.0,
                })
            })
            .map_err(database_fault)?;
        Ok(())
    }

    /// Replaces the identity provider's keys, whose positions are their places in `certificates`
    /// (fingerprint and DER). A key that was there before keeps when it was added and last verified, also one
    /// that comes back. What goes is kept aside until `until`.
    ///
    /// # Errors
    /// `Conflict` with code `key_twice`; `Fault` when the database fails.
    pub fn put_sso_keys(
        &self,
        group: GroupId,
        certificates: &[(String, Vec<u8>)],
        until: Timestamp,
    ) -> Result<()> {
        let mut before = self.sso_keys(group)?;
        for gone in before.iter().filter(|key| !certificates.iter().any(|(f, _)| *f == key.fingerprint)) {
            self.keep_removed_key(group, gone, until)?;
        }
        before.extend(self.removed_sso_keys(group, self.now)?.into_iter().map(|(key, _)| key));
        self.connection
            .prepare_cached("DELETE FROM sso_keys WHERE group_id = ?1")
            .and_then(|mut s| s.execute([group.0]))
            .map_err(database_fault)?;
        let mut insert = self
            .connection
            .prepare_cached(
                "INSERT INTO sso_keys (group_id, position, fingerprint, certificate, added_at, last_verified_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .map_err(database_fault)?;
        for (position, (fingerprint, certificate)) in (1i64..).zip(certificates) {
            let known = before.iter().find(|key| key.fingerprint == *fingerprint);
            let added_at = known.map_or(self.now, |key| key.added_at);
            let verified = known.and_then(|key| key.last_verified_at);
            insert
                .execute((group.0, position, fingerprint, certificate, added_at.0, verified.map(|t| t.0)))
                .map_err(|e| {
                    if is_duplicate(&e) {
                        Error::new(Kind::Conflict, "key_twice", "The same certificate stands twice.")
                    } else {
                        database_fault(e)
                    }
                })?;
            self.execute(
                "DELETE FROM sso_removed_keys WHERE group_id = ?1 AND fingerprint = ?2",
                (group.0, fingerprint),
            )?;
        }
        Ok(())
    }

    /// Keeps a key aside that is removed; the group's oldest make room.
    fn keep_removed_key(&self, group: GroupId, key: &IdpKey, until: Timestamp) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO sso_removed_keys
                 (group_id, fingerprint, certificate, added_at, last_verified_at, removed_at, until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                group.0,
                &key.fingerprint,
                &key.certificate,
                key.added_at.0,
                key.last_verified_at.map(|at| at.0),
                self.now.0,
                until.0,
            ),
        )?;
        self.execute(
            "DELETE FROM sso_removed_keys WHERE group_id = ?1 AND fingerprint IN
                 (SELECT fingerprint FROM sso_removed_keys WHERE group_id = ?1
                  ORDER BY removed_at DESC, fingerprint LIMIT -1 OFFSET ?2)",
            (group.0, REMOVED_KEPT),
        )
    }

    /// Notes that a key has verified a response now.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn note_sso_key_verified(&self, group: GroupId, fingerprint: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE sso_keys SET last_verified_at = ?3 WHERE group_id = ?1 AND fingerprint = ?2",
            )
            .and_then(|mut s| s.execute((group.0, fingerprint, self.now.0)))
            .map_err(database_fault)?;
        Ok(())
    }

    /// Notes that a key pair of ours decrypted, unless that was noted after `noted_after`.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn note_sp_key_used(&self, group: GroupId, id: i64, noted_after: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE sp_keys SET last_used_at = ?3
                 WHERE group_id = ?1 AND id = ?2 AND coalesce(last_used_at, ?4) <= ?4",
            )
            .and_then(|mut s| s.execute((group.0, id, self.now.0, noted_after.0)))
            .map_err(database_fault)?;
        Ok(())
    }

    /// Keeps a key pair of ours.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn insert_sp_key(&self, group: GroupId, certificate: &[u8], sealed: &[u8]) -> Result<i64> {
        self.connection
            .prepare_cached(
                "INSERT INTO sp_keys (group_id, certificate, sealed_private_key, created_at)
                 VALUES (?1, ?2, ?3, ?4)",
            )
            .and_then(|mut s| s.insert((group.0, certificate, sealed, self.now.0)))
            .map_err(database_fault)
    }

    /// Removes a key pair of ours; false when there is none of that number.
    ///
    /// # Errors
    /// `Fault` when the database fails.
    pub fn delete_sp_key(&self, group: GroupId, id: i64) -> Result<bool> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM sp_keys WHERE group_id = ?1 AND id = ?2")
            .and_then(|mut s| s.execute((group.0, id)))
            .map_err(database_fault)?;
        Ok(removed == 1)
    }
}

fn configuration_row(group: GroupId, row: &Row<'_>) -> rusqlite::Result<Result<Configuration>> {
    let row = Columns::of(row);
    let word = |column: &str| row.get::<String>(column);
    let account_id = row.get("account_id")?;
    let off = Configuration { account_id, ..Configuration::off(group) };
    let Some(method) = row.get::<Option<String>>("method")? else { return Ok(Ok(off)) };
    // In the order of the statement.
    let (description, status) = (row.get("description")?, word("status")?);
    let (idp_entity_id, endpoint_url, endpoint) =
        (row.get("idp_entity_id")?, row.get("endpoint_url")?, word("endpoint_type")?);
    let (sp_entity_id, identity_attribute) = (row.get("sp_entity_id")?, row.get("identity_attribute")?);
    let (idp_initiated_redirect, idp_initiated_allowed) =
        (row.get("idp_initiated_redirect")?, row.get("idp_initiated_allowed")?);
    let (context, style, policy) = (word("authn_context")?, word("acs_style")?, word("name_id_policy")?);
    let (skew_seconds, allow_sha1, allow_rsa15) =
        (row.get("skew_seconds")?, row.get("allow_sha1")?, row.get("allow_rsa15")?);
    let (keep_responses, autoprovision) = (row.get("keep_responses")?, word("autoprovision")?);
    let mapping = serde_json::from_str(&word("mapping")?);
    let configuration = Configuration {
        description,
        idp_entity_id,
        endpoint_url,
        sp_entity_id,
        identity_attribute,
        idp_initiated_redirect,
        idp_initiated_allowed,
        skew_seconds,
        allow_sha1,
        allow_rsa15,
        keep_responses,
        name_id_when_missing: row.get("name_id_when_missing")?,
        allow_triple_des: row.get("allow_3des")?,
        ..off
    };
    let unknown = || Error::fault("sso_configuration", format!("group {group} has an unknown word"));
    let words = || -> Result<Configuration> {
        Ok(Configuration {
            method: Method::parse(&method).ok_or_else(unknown)?,
            status: Status::parse(&status).ok_or_else(unknown)?,
            endpoint_type: EndpointType::parse(&endpoint).ok_or_else(unknown)?,
            authn_context: AuthnContext::parse(&context).ok_or_else(unknown)?,
            acs_style: AcsStyle::parse(&style).ok_or_else(unknown)?,
            name_id_policy: NameIdPolicy::parse(&policy).ok_or_else(unknown)?,
            autoprovision: Autoprovision::parse(&autoprovision).ok_or_else(unknown)?,
            mapping: mapping.map_err(|e| Error::fault("sso_mapping", e.to_string()))?,
            ..configuration
        })
    };
    Ok(words())
}

fn taken_account_id(error: rusqlite::Error) -> Error {
    if is_duplicate(&error) {
        let public = "Another group has this Unique Account ID.";
        return Error::new(Kind::Conflict, "account_id_taken", public).with_field("account_id");
    }
    database_fault(error)
}
