//! SSO Configure: shown, changed field by field, saved whole. Wire contract §3.2, §3.8.

use crate::desk::ground::known_group::never_retired;
use crate::desk::ground::permission;
use crate::desk::people::users::RoleChoice;
use crate::desk::sso::Sso;
use crate::error::{Error, Kind, Result};
use crate::model::sso::fields::{self, FIELDS};
use crate::model::sso::step::Step;
use crate::model::sso::{Autoprovision, Configuration, IdpKey, KeyFacts, Method, PortalTile, SpKey};
use crate::model::{Caller, GroupId, LogEntry};
use crate::store::{Reader, Writer};

use super::judge::Grounds;
use super::keys;
use super::known_configuration::known;
use super::tile::portal_tile;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    pub configuration: Configuration,
    /// The identity provider's keys, in the order in which they are tried.
    pub keys: Vec<KeyFacts>,
    /// Our own key pairs, newest first.
    pub own_keys: Vec<KeyFacts>,
    /// What still keeps people from signing in, or should be looked after; sentences.
    pub problems: Vec<String>,
    /// A role that everybody who is made would get, and that the group does not have; a sentence.
    pub missing_role: Option<String>,
    /// Whether a sign-in that begins here would reach the identity provider.
    pub ready: bool,
    /// What a click on the identity provider's portal tile would do.
    pub tile: PortalTile,
}

/// One field that a change gives another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub field: &'static str,
    pub label: &'static str,
    pub before: String,
    pub after: String,
}

/// A configuration as it would be, not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub configuration: Configuration,
    pub changes: Vec<Change>,
    /// The values that were refused, each with its field.
    pub errors: Vec<Error>,
}

impl Sso {
    /// Shows a group's configuration and keys.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `group_unknown`.
    pub fn sso_overview(&self, caller: &Caller, group: GroupId) -> Result<Overview> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        self.ground.store.snapshot(|r| {
            let configuration = known(r, group)?;
            let (theirs, ours) = (r.sso_keys(group)?, r.sp_keys(group)?);
            let keys = theirs.iter().map(|key| keys::facts(key, now)).collect::<Vec<_>>();
            let own_keys = ours.iter().map(|key| keys::own_facts(key, now)).collect::<Vec<_>>();
            let mut problems = problems(&configuration, &theirs, &ours, &keys);
            let missing_role = missing_role(r, &configuration)?;
            problems.extend(missing_role.clone());
            // A key that cannot be read is no reason not to show the page on which it can be removed.
            let judged = Grounds::read(self, r, configuration.clone());
            let tile = portal_tile(&configuration, &judged);
            let judged = judged.is_ok_and(|grounds| grounds.is_ok());
            let ready = judged && !configuration.endpoint_url.is_empty();
            Ok(Overview { configuration, keys, own_keys, problems, missing_role, ready, tile })
        })
    }

    /// Applies values to a group's configuration without saving it.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `group_unknown`.
    pub fn draft_sso(&self, caller: &Caller, group: GroupId, values: &[(String, String)]) -> Result<Draft> {
        permission::administer(caller, group)?;
        self.ground.store.read(|r| Ok(draft(known(r, group)?, values)))
    }

    /// Saves values: all of them or none. `opened` are the pages that they answer, for the one who saves whole forms: what
    /// somebody else saved meanwhile is not undone unseen.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group; `NotFound` with code `group_unknown`; `Invalid` for the
    /// first value that breaks its field's rule; `Conflict` with code `account_id_taken` or `changed_meanwhile`.
    pub fn set_sso(
        &self,
        caller: &Caller,
        group: GroupId,
        values: &[(String, String)],
        opened: &[Opened],
    ) -> Result<Vec<Change>> {
        let attempt = || {
            permission::administer(caller, group)?;
            let (caller, values, opened) = (caller.clone(), values.to_vec(), opened.to_vec());
            self.ground.store.write(self.ground.clock.now(), move |w| {
                let before = known(w, group)?;
                let is_stale = opened.iter().any(|o| o.edition != fields::edition(&before, o.step.fields()));
                let draft = draft(before, &values);
                if is_stale {
                    return Err(changed_meanwhile(&draft.changes));
                }
                if let Some(error) = draft.errors.into_iter().next() {
                    return Err(error);
                }
                if !draft.changes.is_empty() {
                    never_retired(w, None, draft.configuration.account_id.as_deref())?;
                    w.put_sso_configuration(&draft.configuration)?;
                    let detail = described(&draft.changes);
                    w.log(&LogEntry::done(&caller, Some(group), OPERATION, group.to_string(), detail))?;
                }
                Ok(draft.changes)
            })
        };
        self.ground.logging_refusal(caller, Some(group), OPERATION, &group.to_string(), attempt())
    }
}

/// A page of fields as somebody opened it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub step: Step,
    /// The edition of its fields: [`fields::edition`].
    pub edition: String,
}

/// The code of the refusal to undo unseen what somebody else saved.
pub const CHANGED_MEANWHILE: &str = "changed_meanwhile";

fn changed_meanwhile(changes: &[Change]) -> Error {
    let labels: Vec<&str> = changes.iter().map(|change| change.label).collect();
    let public = format!(
        "Somebody else changed these settings after you opened this page, so nothing was saved. Your values stand below; \
         saving them now would change: {}. Save again to do so, or open the page anew.",
        if labels.is_empty() { "nothing".to_owned() } else { labels.join(", ") }
    );
    Error::new(Kind::Conflict, CHANGED_MEANWHILE, public)
}

/// Configures a group that never was: a seed makes, and never changes back what somebody changed.
///
/// # Errors
/// As [`Sso::set_sso`] and [`Sso::add_sso_key`].
pub fn configured_by_seed(
    w: &Writer<'_>,
    caller: &Caller,
    group: GroupId,
    values: &[(String, String)],
    certificates: &[String],
) -> Result<()> {
    if w.has_sso_configuration(group)? {
        return Ok(());
    }
    let draft = draft(known(w, group)?, values);
    if let Some(error) = draft.errors.into_iter().next() {
        return Err(error);
    }
    let read = certificates.iter().map(|pem| keys::read_certificate(pem)).collect::<Result<Vec<_>>>()?;
    w.put_sso_configuration(&draft.configuration)?;
    keys::replace(w, group, &read)?;
    let detail = format!("{}; {} keys, from the seed file", described(&draft.changes), read.len());
    w.log(&LogEntry::done(caller, Some(group), OPERATION, group.to_string(), detail))
}

/// The access log's word for a change of the configuration.
pub(super) const OPERATION: &str = "sso.configure";

pub(super) fn draft(before: Configuration, values: &[(String, String)]) -> Draft {
    let mut configuration = before.clone();
    let mut errors = Vec::new();
    for (name, value) in values {
        if let Err(error) = fields::set(&mut configuration, name, value) {
            errors.push(error);
        }
    }
    if configuration.autoprovision != Autoprovision::Off && configuration.mapping.glance_address.is_empty() {
        let public = "GlanceAddress: autoprovisioning needs a template to make the address from.";
        errors.push(Error::invalid("invalid_field", "glance_address", public));
    }
    let changes = changes(&before, &configuration);
    Draft { configuration, changes, errors }
}

/// The fields that differ.
pub(super) fn changes(before: &Configuration, after: &Configuration) -> Vec<Change> {
    let differing = FIELDS.iter().filter_map(|field| {
        let (before, after) = (field.value(before), field.value(after));
        (before != after).then_some(Change { field: field.name, label: field.label, before, after })
    });
    differing.collect()
}

/// Changes as the access log tells them.
pub(super) fn described(changes: &[Change]) -> String {
    let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.replace('\n', " ") };
    let each = changes.iter().map(|c| format!("{} {} to {}", c.field, shown(&c.before), shown(&c.after)));
    each.collect::<Vec<_>>().join("; ")
}

/// A role that every person would get by autoprovisioning, and that the group does not have.
fn missing_role(r: &Reader<'_>, configuration: &Configuration) -> Result<Option<String>> {
    if configuration.method == Method::Off || configuration.autoprovision == Autoprovision::Off {
        return Ok(None);
    }
    // Filled without an attribute: a template that needs one is judged at each sign-in.
    let Ok(name) = configuration.mapping.role.fill(|_| Vec::new()) else { return Ok(None) };
    let missing = match RoleChoice::of_wire(&name) {
        RoleChoice::Named(name) => r.role_by_name(configuration.group, name.trim())?.is_none(),
        _ => false,
    };
    Ok(missing
        .then(|| format!("Role: the group has no role “{name}”: everybody who would be made is refused.")))
}

fn problems(
    configuration: &Configuration,
    theirs: &[IdpKey],
    ours: &[SpKey],
    facts: &[KeyFacts],
) -> Vec<String> {
    let mut problems: Vec<String> = Vec::new();
    if configuration.method == Method::Off {
        let sentence = match theirs.is_empty() || configuration.idp_entity_id.is_empty() {
            true => "Single sign-on is off. Upload the identity provider's metadata, and switch it on there.",
            false => "Single sign-on is off. Choose SAML 2.0 as the Single Sign-On Method, and save.",
        };
        return vec![sentence.to_owned()];
    }
    for (missing, sentence) in [
        (theirs.is_empty(), "There is no X.509 Public Key: every sign-in is refused until there is one."),
        (
            configuration.idp_entity_id.is_empty(),
            "The Identity Provider Entity ID is empty: every sign-in is refused until it is set.",
        ),
        (
            configuration.endpoint_url.is_empty(),
            "There is no Identity Provider Endpoint URL: only the identity provider can start a sign-in.",
        ),
        (
            configuration.method == Method::EncryptedSaml && ours.is_empty(),
            "There is no key pair of ours: every sign-in is refused until you make one.",
        ),
        (
            configuration.endpoint_url.is_empty() && !configuration.idp_initiated_allowed,
            "Neither side can start a sign-in: set the endpoint, or allow the identity provider to start.",
        ),
    ] {
        if missing {
            problems.push(sentence.to_owned());
        }
    }
    problems.extend(FIELDS.iter().filter(|f| f.warns(configuration)).map(|f| f.warning.to_owned()));
    for key in facts {
        problems.extend(key.warnings.iter().map(|warning| format!("Key {}: {warning}", key.position)));
    }
    problems
}
