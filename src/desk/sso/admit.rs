//! What follows from an accepted response, in one transaction: which user it is, the user made or updated
//! where the group autoprovisions, the assertion used up, the web session, the access log, and the attempt.
//!
//! All checks run before the first write, so a refused response never uses up an assertion's ID.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::desk::people::users::{CheckedChange, CheckedUser};
use crate::error::{Error, Result};
use crate::model::sso::{Autoprovision, Configuration, IdpKey, LOGIN_KEY_CHECK, SKEW_SECONDS_MAX, Status};
use crate::model::{Caller, LogEntry, Member};
use crate::protocol::saml::identity::Identity;
use crate::store::{KeptResponse, NewAttempt, Reader, Writer};

use super::diagnosis::attributes_json;
use super::judge::{Checklist, Grounds};
use super::matching::{Identifiers, matched};
use super::operations::{OPERATION, TEST_OPERATION};
use super::provision;
use super::reject::SsoReject;

/// When a key verified or decrypted is noted to the minute: one row of the log a sign-in is enough to write.
const NOTE_EVERY_SECONDS: i64 = 60;

/// All that the transaction needs, owned.
pub(super) struct AdmissionRequest {
    pub caller: Caller,
    pub grounds: Arc<Grounds>,
    /// The response, when it is to be kept.
    pub kept: Option<KeptResponse>,
    pub identity: Identity,
    pub identifiers: Identifiers,
    /// Whether the browser gets a login key.
    pub needs_key: bool,
    /// `test=11`: everything is judged, and nobody is signed in or made.
    pub only_test: bool,
    /// Fingerprint and end of the web session.
    pub session: ([u8; 32], Timestamp),
    /// Those on the response, where somebody will read them even when it is accepted.
    pub checks: Option<Checklist>,
}

/// What came of it.
pub(super) enum Admission {
    In(Box<Admitted>),
    Refused(Box<Denied>),
}

/// Somebody was let in.
pub(super) struct Admitted {
    /// `None` only in a test, for somebody who would be made.
    pub member: Option<Arc<Member>>,
    pub identity: Identity,
    pub checks: Checklist,
}

/// Nobody was let in, and nothing was written.
pub(super) struct Denied {
    pub reject: SsoReject,
    pub identity: Identity,
    pub checks: Checklist,
}

enum Plan {
    Known(Arc<Member>),
    Update(Arc<Member>, CheckedChange),
    Make(CheckedUser),
}

impl AdmissionRequest {
    /// Carries it out, or says why not.
    pub fn carry_out(mut self, w: &Writer<'_>) -> Result<Admission> {
        let plan = match self.decided(w)? {
            Ok(plan) => plan,
            Err(reject) => return self.denied(w, reject),
        };
        let answers = self.identity.in_response_to.as_deref();
        // Of two different assertions that answer one request, the first wins.
        if let Some(id) = answers
            && !w.is_pending(id)?
        {
            return self.denied(w, SsoReject::Replay);
        }
        if self.may_be_of_before_a_restore(w)? {
            return self.denied(w, SsoReject::BeforeRestore);
        }
        if !w.use_assertion(&replay_fingerprint(&self.identity), self.remembered_until(w.now))? {
            return self.denied(w, SsoReject::Replay);
        }
        if let Some(id) = answers {
            w.take_pending_request(id)?;
        }
        if let Some(checks) = &mut self.checks {
            checks.passed("First use", "Profiles 4.1.4.5", "an assertion that was not used before", "new");
        }
        let group = self.grounds.configuration.group;
        if let Some(key) = self.key()
            && key.last_verified_at.is_none_or(|at| at.plus_seconds(NOTE_EVERY_SECONDS) <= w.now)
        {
            w.note_sso_key_verified(group, &key.fingerprint)?;
        }
        if let Some(id) = self.own_key() {
            w.note_sp_key_used(group, id, w.now.plus_seconds(-NOTE_EVERY_SECONDS))?;
        }
        let ip = self.caller.ip;
        let member = match plan {
            Plan::Known(member) => Some(member),
            Plan::Update(member, _) if self.only_test => Some(member),
            Plan::Update(member, change) => {
                Some(Arc::new(provision::brought_up_to_date(w, group, ip, &member, &change)?))
            }
            Plan::Make(_) if self.only_test => None,
            Plan::Make(new) => Some(Arc::new(provision::made(w, group, ip, &new)?)),
        };
        if let Some(member) = member.as_ref().filter(|_| !self.only_test) {
            let (fingerprint, expires_at) = self.session;
            if !w.insert_web_session(&fingerprint, group, member.user.id, None, expires_at)? {
                return Err(Error::fault("sso_member", "a member who is remembered is gone"));
            }
        }
        self.log(w, member.as_deref())?;
        let AdmissionRequest { identity, checks, .. } = self;
        let checks = checks.unwrap_or_default();
        Ok(Admission::In(Box::new(Admitted { member, identity, checks })))
    }

    /// Whether the assertion may be older than the last restore. What was used between the backup and the restore is not
    /// in the restored database, so an assertion of that time could be used twice.
    fn may_be_of_before_a_restore(&self, r: &Reader<'_>) -> Result<bool> {
        let skew = self.grounds.configuration.skew_seconds;
        Ok(r.restored_at()?.is_some_and(|restored| self.identity.issued_at < restored.plus_seconds(skew).0))
    }

    /// Who it is and whether they may come in. Writes nothing.
    fn decided(&mut self, w: &Writer<'_>) -> Result<std::result::Result<Plan, SsoReject>> {
        // Asked again inside the transaction: since the grounds were read, the group may have been switched off, and a key
        // or the settings that let this response pass may have been taken back.
        let fingerprint = self.key().map_or("", |key| key.fingerprint.as_str());
        match w.sso_still_stands(&self.grounds.configuration, fingerprint)? {
            Some(true) => {}
            Some(false) => return Ok(Err(SsoReject::SettingsChanged)),
            None => return Ok(Err(SsoReject::GroupOff)),
        }
        let who = (&self.identity, &self.identifiers);
        let planned = plan(w, &self.grounds.configuration, who, self.checks.as_mut())?;
        let plan = match planned {
            Ok(plan) => plan,
            Err(reject) => return Ok(Err(reject)),
        };
        let has_puid = match &plan {
            Plan::Known(member) | Plan::Update(member, _) => member.membership.puid.is_some(),
            Plan::Make(new) => new.puid.is_some(),
        };
        if self.only_test {
            self.say_whether_a_key_could_be_made(has_puid);
        }
        if self.needs_key && !has_puid {
            return Ok(Err(SsoReject::UserWithoutPuid));
        }
        if self.needs_key && self.grounds.api_key.is_none() {
            return Ok(Err(SsoReject::WithoutApiKey));
        }
        Ok(Ok(plan))
    }

    /// A sign-in without a redirect ends in a login key, which a test does not make.
    fn say_whether_a_key_could_be_made(&mut self, has_puid: bool) {
        let missing = match (has_puid, self.grounds.api_key.is_some()) {
            (true, true) => None,
            (false, true) => Some("the user has no Partner User ID"),
            (true, false) => Some("the group has no API key"),
            (false, false) => Some("the user has no Partner User ID, and the group no API key"),
        };
        let expected = "an API key and a Partner User ID";
        let Some(checks) = &mut self.checks else { return };
        match missing {
            None => checks.passed(LOGIN_KEY_CHECK, "docs/saml.md, Login keys", expected, "both are there"),
            Some(missing) => {
                let got = format!("{missing}: only a sign-in that ends in a redirect succeeds");
                checks.open(LOGIN_KEY_CHECK, "docs/saml.md, Login keys", expected, got);
            }
        }
    }

    fn denied(self, w: &Writer<'_>, reject: SsoReject) -> Result<Admission> {
        let AdmissionRequest { grounds, identity, identifiers, checks, .. } = self;
        let mut checks = match checks {
            Some(checks) => checks,
            // Nobody was to read them, until it was refused.
            None => {
                let mut checks = Checklist::default();
                let who = (&identity, &identifiers);
                let _ = plan(w, &grounds.configuration, who, Some(&mut checks))?;
                checks
            }
        };
        checks.failed(&reject);
        Ok(Admission::Refused(Box::new(Denied { reject, identity, checks })))
    }

    /// The key that verified.
    fn key(&self) -> Option<&IdpKey> {
        self.grounds.stored.get(self.identity.key_index)
    }

    /// The number of our key pair that decrypted.
    fn own_key(&self) -> Option<i64> {
        self.identity.decryption_key.and_then(|key| self.grounds.ours.ids.get(key)).copied()
    }

    /// How long the assertion could come again: until its end, plus the largest skew, which an administrator
    /// may allow tomorrow.
    fn remembered_until(&self, now: Timestamp) -> Timestamp {
        Timestamp(self.identity.not_on_or_after).max(now).plus_seconds(SKEW_SECONDS_MAX)
    }

    fn log(&self, w: &Writer<'_>, member: Option<&Member>) -> Result<()> {
        let configuration = &self.grounds.configuration;
        let group = configuration.group;
        let operation = if self.only_test { TEST_OPERATION } else { OPERATION };
        let name_id = self.identity.name_id.as_ref().map_or("", |n| n.value.as_str());
        let subject = member.map_or_else(|| name_id.to_owned(), |m| m.user.address.to_string());
        let key = self.key().map_or_else(String::new, |key| {
            let short = key.fingerprint.get(..16).unwrap_or_default();
            format!("verified by key {} ({short})", key.position)
        });
        let algorithm = self.identity.algorithms.signature.rsplit('#').next().unwrap_or_default();
        let encrypted = self.own_key().map_or_else(String::new, |id| format!(", encrypted to key pair {id}"));
        let answer = match &self.identity.in_response_to {
            Some(_) => "started here",
            None => "started by the identity provider",
        };
        let detail = format!("{key}, {algorithm}{encrypted}, {answer}");
        let done = LogEntry::done(&self.caller, Some(group), operation, subject.clone(), detail);
        w.log(&LogEntry { actor: subject, ..done })?;
        if configuration.status == Status::Provisioning {
            w.insert_saml_attempt(&NewAttempt {
                group,
                incident: None,
                code: None,
                subject: name_id.to_owned(),
                checks: self.checks.as_ref().map_or_else(|| "[]".to_owned(), Checklist::to_json),
                keys: None,
                attributes: Some(attributes_json(&self.identity)),
                kept: self.kept.clone(),
            })?;
        }
        Ok(())
    }
}

/// Works out who it is, noting each rule where somebody will read it. Writes nothing.
fn plan(
    r: &Reader<'_>,
    configuration: &Configuration,
    (identity, identifiers): (&Identity, &Identifiers),
    mut checks: Option<&mut Checklist>,
) -> Result<std::result::Result<Plan, SsoReject>> {
    let autoprovision = configuration.autoprovision;
    let member = match matched(r, configuration, identifiers)?.map(Arc::new) {
        Ok(member) => member,
        Err(SsoReject::UserUnknown { .. }) if autoprovision != Autoprovision::Off => {
            let new = match provision::planned(r, configuration, identity, identifiers)? {
                Ok(new) => new,
                Err(reject) => return Ok(Err(reject)),
            };
            if let Some(checks) = checks {
                let got = format!("{} becomes {}", identifiers.shown(), new.address);
                checks.passed("Autoprovisioning", "docs/saml.md, Autoprovisioning", "a user to be made", got);
            }
            return Ok(Ok(Plan::Make(new)));
        }
        Err(reject) => return Ok(Err(reject)),
    };
    if let Some(checks) = checks.as_deref_mut() {
        let got = format!("{} is {}", identifiers.shown(), member.user.address);
        checks.passed("Which user", "docs/saml.md, Which user", "exactly one user of the group", got);
    }
    if let Err(barred) = member.membership.standing(false).admitted() {
        return Ok(Err(barred.into()));
    }
    if let Some(checks) = checks {
        let expected = "active, not suspended";
        checks.passed("User may sign in", "docs/saml.md, Which user", expected, "yes");
    }
    if autoprovision != Autoprovision::CreateAndUpdate {
        return Ok(Ok(Plan::Known(member)));
    }
    let planned = provision::planned_update(r, configuration, identity, &member)?;
    Ok(planned.map(|change| match change {
        Some(change) => Plan::Update(member, change),
        None => Plan::Known(member),
    }))
}

/// Judges who it would be, for a re-judge: the checks, and the reject if there is one. Writes nothing.
pub(super) fn rehearsed(
    r: &Reader<'_>,
    configuration: &Configuration,
    identity: &Identity,
    checks: &mut Checklist,
) -> Result<Option<SsoReject>> {
    let identifiers = Identifiers::of(configuration, identity);
    let reject = plan(r, configuration, (identity, &identifiers), Some(checks))?.err();
    if let Some(reject) = &reject {
        checks.failed(reject);
    }
    Ok(reject)
}

/// Names an assertion: its issuer and its ID.
pub(super) fn replay_fingerprint(identity: &Identity) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(identity.issuer.as_bytes());
    hash.update([0]);
    hash.update(identity.assertion_id.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::desk::fixture::{Fixture, SEVEN, fixture, user};
    use crate::desk::sso::known_configuration::known;
    use crate::desk::sso::trust::{OwnKeys, Trust};
    use crate::protocol::saml::identity::{Algorithms, NameId, Signed};

    /// A response that names `name` and was judged good while the group was as it is now.
    fn judged(f: &Fixture, name: &str, autoprovision: Autoprovision) -> AdmissionRequest {
        let mut configuration = f.desk.ground.store.read(|r| known(r, SEVEN)).unwrap();
        configuration.method = crate::model::sso::Method::Saml;
        configuration.autoprovision = autoprovision;
        configuration.mapping.glance_address =
            crate::model::sso::template::Template::parse("{NameID}").unwrap();
        let now = f.desk.clock().now();
        let identity = Identity {
            name_id: Some(NameId { value: name.to_owned(), format: None }),
            attributes: Vec::new(),
            session_index: None,
            session_not_on_or_after: None,
            authn_instant: now.0,
            authn_context: None,
            issuer: "https://idp.example".to_owned(),
            assertion_id: format!("_{name}"),
            issued_at: now.0,
            not_on_or_after: now.plus_seconds(60).0,
            in_response_to: None,
            signed: Signed::default(),
            decryption_key: None,
            key_index: 0,
            algorithms: Algorithms { signature: String::new(), digest: String::new() },
        };
        let identifiers = Identifiers::of(&configuration, &identity);
        let kept = configuration.clone();
        let keys = vec![("ab".repeat(32), Vec::new())];
        let stored = f.desk.ground.store.write(now, move |w| {
            w.put_sso_configuration(&kept)?;
            w.put_sso_keys(SEVEN, &keys, now)?;
            w.sso_keys(SEVEN)
        });
        let grounds = Grounds {
            configuration,
            stored: stored.unwrap(),
            theirs: Arc::new(Trust { fingerprints: Vec::new(), keys: Vec::new() }),
            ours: Arc::new(OwnKeys { ids: Vec::new(), keys: Vec::new() }),
            api_key: None,
            allowed_sites: Vec::new(),
        };
        AdmissionRequest {
            caller: Caller::host(),
            grounds: Arc::new(grounds),
            kept: None,
            identity,
            identifiers,
            needs_key: false,
            only_test: false,
            session: ([7; 32], now.plus_seconds(3600)),
            checks: None,
        }
    }

    fn carried_out(f: &Fixture, act: AdmissionRequest) -> std::result::Result<(), &'static str> {
        let now = f.desk.clock().now();
        match f.desk.ground.store.write(now, move |w| act.carry_out(w)).unwrap() {
            Admission::In(_) => Ok(()),
            Admission::Refused(denied) => Err(denied.reject.code()),
        }
    }

    #[test]
    fn a_group_that_is_switched_off_after_the_verdict_lets_nobody_in() {
        for (name, autoprovision) in [("ann.seven", Autoprovision::Off), ("new.seven", Autoprovision::Create)]
        {
            let f = fixture();
            f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
            let act = judged(&f, name, autoprovision);
            f.desk.people.switch_group_off(&Caller::host(), SEVEN).unwrap();
            assert_eq!(carried_out(&f, act), Err("group_off"), "{name}");
            let now = f.desk.clock().now();
            let session = f.desk.ground.store.read(|r| r.web_session(&[7; 32], now)).unwrap();
            assert!(session.is_none(), "{name}");
            assert!(f.desk.ground.store.read(|r| r.user_by_address("new.seven")).unwrap().is_none());
        }
    }

    #[test]
    fn settings_that_are_taken_back_after_the_verdict_let_nobody_in() {
        let changes: [fn(&mut Configuration); 3] = [
            |c| c.method = crate::model::sso::Method::Off,
            |c| c.autoprovision = Autoprovision::CreateAndUpdate,
            |c| c.idp_entity_id = "https://other.example".to_owned(),
        ];
        for change in changes {
            let f = fixture();
            f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
            let act = judged(&f, "ann.seven", Autoprovision::Off);
            let mut configuration = act.grounds.configuration.clone();
            change(&mut configuration);
            let now = f.desk.clock().now();
            f.desk.ground.store.write(now, move |w| w.put_sso_configuration(&configuration)).unwrap();
            assert_eq!(carried_out(&f, act), Err("sso_settings_changed"));
        }
    }

    #[test]
    fn a_key_that_is_removed_after_the_verdict_lets_nobody_in() {
        let f = fixture();
        f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
        let act = judged(&f, "ann.seven", Autoprovision::Off);
        let now = f.desk.clock().now();
        let other = vec![("cd".repeat(32), Vec::new())];
        f.desk.ground.store.write(now, move |w| w.put_sso_keys(SEVEN, &other, now)).unwrap();
        assert_eq!(carried_out(&f, act), Err("sso_settings_changed"));
    }

    #[test]
    fn the_row_of_a_sign_in_names_the_user_as_the_actor() {
        let f = fixture();
        f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
        assert_eq!(carried_out(&f, judged(&f, "ann.seven", Autoprovision::Off)), Ok(()));
        let row = f.log().into_iter().find(|row| row.operation == OPERATION).unwrap();
        assert_eq!((row.actor.as_str(), row.subject.as_str()), ("ann.seven", "ann.seven"));
    }

    #[test]
    fn a_login_key_is_for_those_who_have_a_puid() {
        let f = fixture();
        f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
        let without = crate::desk::people::users::NewUser { puid: None, ..user("ben.seven", "") };
        f.desk.people.create_user(&Caller::host(), SEVEN, without).unwrap();
        for (name, outcome) in
            [("ann.seven", Err("group_without_api_key")), ("ben.seven", Err("user_without_puid"))]
        {
            let act = AdmissionRequest { needs_key: true, ..judged(&f, name, Autoprovision::Off) };
            assert_eq!(carried_out(&f, act), outcome, "{name}");
        }
        let redirected = judged(&f, "ben.seven", Autoprovision::Off);
        assert_eq!(carried_out(&f, redirected), Ok(()), "a redirect needs no login key");
    }

    #[test]
    fn an_assertion_of_before_a_restore_lets_nobody_in() {
        let f = fixture();
        f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
        let act = judged(&f, "ann.seven", Autoprovision::Off);
        let now = f.desk.clock().now();
        f.desk.ground.store.write(now, |w| w.begin_after_restore("[]")).unwrap();
        assert_eq!(carried_out(&f, act), Err("issued_before_restore"));
    }

    #[test]
    fn a_group_that_stays_on_lets_the_same_people_in() {
        for (name, autoprovision) in [("ann.seven", Autoprovision::Off), ("new.seven", Autoprovision::Create)]
        {
            let f = fixture();
            f.desk.people.create_user(&Caller::host(), SEVEN, user("ann.seven", "A1")).unwrap();
            assert_eq!(carried_out(&f, judged(&f, name, autoprovision)), Ok(()), "{name}");
        }
    }
}
