//! What SSO Configure says of itself: whether sign-in works and from which side, what a click on the portal's tile
//! does, what is missing, and how far each step is.
//!
//! Every fact carries the act that answers it. Enter at [`Sso::sso_health`].

use crate::clock::Timestamp;
use crate::desk::ground::permission;
use crate::desk::sso::Sso;
use crate::error::Result;
use crate::model::person::LINES;
use crate::model::queries::LogQuery;
use crate::model::sso::fields::FIELDS;
use crate::model::sso::health::{Condition, Fact, Health, NextAction, StepState};
use crate::model::sso::step::Step;
use crate::model::sso::template::Template;
use crate::model::sso::{Autoprovision, Configuration, KeyFacts, Method, PortalTile, Status};
use crate::model::{Caller, GroupId};
use crate::store::{Asker, SignInCounts};

use super::configure::{OPERATION as CONFIGURE, Overview};
use super::counted::counted;
use super::operations::OPERATION as SIGN_IN;

/// Over how long sign-ins are counted, in seconds.
const COUNTED_SECONDS: i64 = 86_400;
/// Rows of the whole log that are looked through for who saved last.
const SAVED_WITHIN: i64 = 50_000;

/// What the facts are told from.
struct GroupFacts<'a> {
    overview: &'a Overview,
    counts: &'a SignInCounts,
    /// Attributes of the mapping that no recent assertion had.
    unseen: &'a [String],
}

impl Sso {
    /// Says how a group's single sign-on stands.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn sso_health(&self, caller: &Caller, group: GroupId, overview: &Overview) -> Result<Health> {
        permission::administer(caller, group)?;
        let now = self.ground.clock.now();
        let latest = LogQuery {
            search: CONFIGURE.to_owned(),
            refused: Some(false),
            within: Some(SAVED_WITHIN),
            ..LogQuery::default()
        };
        let latest = LogQuery { group: Some(group), limit: 1, ..latest };
        let (counts, saved) = self.ground.store.search(&Asker::of(caller, Some(group)), |r| {
            let counts = r.sign_in_counts(group, SIGN_IN, now.plus_seconds(-COUNTED_SECONDS))?;
            let saved = r.log_rows(&latest)?.pop().map(|row| (row.at, row.actor));
            Ok((counts, saved))
        })?;
        let unseen = self.unseen_attributes(caller, &overview.configuration)?;
        let known = GroupFacts { overview, counts: &counts, unseen: &unseen };
        Ok(Health { at: now, facts: facts(&known), steps: steps(&known), saved })
    }

    /// How many signed in by single sign-on within a day, in one sentence, for the one who is about to end it.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn sso_use(&self, caller: &Caller, group: GroupId) -> Result<String> {
        permission::administer(caller, group)?;
        let since = self.ground.clock.now().plus_seconds(-COUNTED_SECONDS);
        let counts = self
            .ground
            .store
            .search(&Asker::of(caller, Some(group)), |r| r.sign_in_counts(group, SIGN_IN, since))?;
        Ok(match counts.last_accepted_at {
            None => "Nobody signed in by it within a day.".to_owned(),
            Some(last) => format!(
                "{} came by it within a day, the last at {} UTC.",
                counted(counts.accepted, counts.is_cut, "sign-in", "sign-ins"),
                day_and_time(last)
            ),
        })
    }

    /// What each field of the mapping makes of the latest assertion, or which of its attributes never came: the
    /// field's name and a sentence. Nothing while no assertion is kept.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn told_of_mapping(
        &self,
        caller: &Caller,
        configuration: &Configuration,
    ) -> Result<Vec<(&'static str, String)>> {
        let seen = self.recent_sso_attributes(caller, configuration.group)?;
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let values = |name: &str| {
            seen.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let told = templates(configuration).filter(|(_, template)| !template.is_empty());
        let told = told.filter_map(|(field, template)| {
            let unseen: Vec<String> =
                template.names().filter(|name| values(name).is_empty()).map(str::to_owned).collect();
            if !unseen.is_empty() {
                let never = braced(&unseen);
                return Some((field, format!("Warning: no recent assertion had {never}.")));
            }
            let filled = match field {
                "glance_address" => template.fill_address(values),
                _ => template.fill(values),
            };
            Some((field, format!("From the latest sign-ins: {}.", filled.ok()?)))
        });
        Ok(told.collect())
    }

    /// The attributes that the mapping needs and that no recent assertion had; nothing while none is kept.
    ///
    /// # Errors
    /// `Denied` unless the caller may run the group.
    pub fn unseen_attributes(&self, caller: &Caller, configuration: &Configuration) -> Result<Vec<String>> {
        if configuration.autoprovision == Autoprovision::Off {
            return Ok(Vec::new());
        }
        let seen = self.recent_sso_attributes(caller, configuration.group)?;
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let mut unseen: Vec<String> = Vec::new();
        for name in templates(configuration).flat_map(|(_, template)| template.names()) {
            if !seen.iter().any(|(known, _)| known == name) && !unseen.iter().any(|u| u == name) {
                unseen.push(name.to_owned());
            }
        }
        Ok(unseen)
    }
}

/// The mapping, with the name of each field.
fn templates(configuration: &Configuration) -> impl Iterator<Item = (&'static str, &Template)> {
    let mapping = &configuration.mapping;
    let lines = LINES.iter().filter_map(|line| Some((line.name, mapping.of_line(line)?)));
    [("glance_address", &mapping.glance_address), ("partner_uid", &mapping.partner_uid)]
        .into_iter()
        .chain(lines)
        .chain([("role", &mapping.role)])
}

fn facts(known: &GroupFacts<'_>) -> Vec<Fact> {
    let mut facts = vec![from_here(known), from_the_portal(known), keys(known)];
    facts.extend(missing(known));
    facts
}

fn fact(condition: Condition, heading: &str, sentence: impl Into<String>, act: Option<NextAction>) -> Fact {
    Fact { condition, heading: heading.to_owned(), sentence: sentence.into(), act }
}

fn from_here(known: &GroupFacts<'_>) -> Fact {
    let configuration = &known.overview.configuration;
    if configuration.method == Method::Off {
        return match is_told(known.overview) {
            false => fact(
                Condition::Off,
                "Single sign-on is off",
                "Upload the identity provider's metadata, and switch it on there.",
                Some(NextAction::Upload),
            ),
            true => fact(
                Condition::Off,
                "Single sign-on is off",
                "Choose SAML 2.0 as the Single Sign-On Method, and save.",
                Some(NextAction::Change(Step::IdentityProvider)),
            ),
        };
    }
    if known.overview.ready {
        let counts = known.counts;
        return match (counts.accepted, counts.last_accepted_at) {
            (0, _) | (_, None) => fact(
                Condition::Good,
                "Sign-in from here is ready",
                "Nobody has signed in within a day. A test shows each check, and signs nobody in.",
                Some(NextAction::Test),
            ),
            (accepted, Some(last)) => fact(
                Condition::Good,
                "Sign-in from here works",
                format!(
                    "{} within a day, the last at {} UTC.",
                    counted(accepted, counts.is_cut, "sign-in", "sign-ins"),
                    last.to_string().get(..19).unwrap_or_default().replace('T', " ")
                ),
                Some(NextAction::Attempts),
            ),
        };
    }
    if configuration.idp_entity_id.is_empty() {
        return fact(
            Condition::Bad,
            "Every sign-in is refused",
            "The Identity Provider Entity ID is empty: nobody's answers are believed.",
            Some(NextAction::Change(Step::IdentityProvider)),
        );
    }
    if known.overview.keys.is_empty() {
        let sentence = "There is no X.509 Public Key to verify answers with.";
        return fact(Condition::Bad, "Every sign-in is refused", sentence, Some(NextAction::AddKey));
    }
    if configuration.method == Method::EncryptedSaml && known.overview.own_keys.is_empty() {
        let sentence = "There is no key pair of ours that answers could be encrypted to.";
        return fact(
            Condition::Bad,
            "Every sign-in is refused",
            sentence,
            Some(NextAction::Change(Step::Keys)),
        );
    }
    if configuration.endpoint_url.is_empty() {
        let sentence =
            "There is no Identity Provider Endpoint URL: only the identity provider can start a sign-in.";
        let act = Some(NextAction::Change(Step::IdentityProvider));
        return fact(Condition::Attention, "No sign-in can begin here", sentence, act);
    }
    let sentence = "A key cannot be read. Remove it, and add it again.";
    fact(Condition::Bad, "Every sign-in is refused", sentence, Some(NextAction::Change(Step::Keys)))
}

/// Whether the identity provider is known: its name and a key.
fn is_told(overview: &Overview) -> bool {
    !overview.keys.is_empty() && !overview.configuration.idp_entity_id.is_empty()
}

/// What a click on the tile in the identity provider's portal does.
fn from_the_portal(known: &GroupFacts<'_>) -> Fact {
    let (configuration, tile) = (&known.overview.configuration, &known.overview.tile);
    let off = configuration.method == Method::Off;
    let act = Some(NextAction::Change(Step::Request)).filter(|_| !off);
    let (condition, heading) = match tile {
        PortalTile::Opens { .. } => (Condition::Good, "The portal's tile works"),
        PortalTile::ShowsLoginKey { .. } => {
            (Condition::Attention, "The portal's tile ends in a login key as text")
        }
        PortalTile::Refused { .. } if off || !configuration.idp_initiated_allowed => {
            (Condition::Off, "The portal's tile is refused")
        }
        PortalTile::Refused { .. } => (Condition::Bad, "The portal's tile is refused"),
    };
    let sentence = [tile.sentence().as_str(), tile.repair()].join(" ");
    fact(condition, heading, sentence.trim_end(), act)
}

fn keys(known: &GroupFacts<'_>) -> Fact {
    let keys = &known.overview.keys;
    let Some(first) = keys.first() else {
        let off = known.overview.configuration.method == Method::Off;
        let condition = if off { Condition::Off } else { Condition::Bad };
        let sentence = "The identity provider's signing certificate comes with its metadata.";
        return fact(condition, "No key is trusted yet", sentence, Some(NextAction::AddKey));
    };
    if let Some((key, warning)) = keys.iter().find_map(|k| k.warnings.first().map(|w| (k, w))) {
        let heading = match keys.len() {
            1 => "The only key needs attention".to_owned(),
            _ => format!("Key {} needs attention", key.position),
        };
        let sentence = format!("{}: {warning}", key.subject);
        return fact(Condition::Attention, &heading, sentence, Some(NextAction::AddKey));
    }
    let heading = match keys.len() {
        1 => "One key is trusted".to_owned(),
        several => format!("{several} keys are trusted"),
    };
    let sentence = match keys.iter().filter_map(|key| key.used_at).max() {
        Some(at) => format!("The last that verified did so at {} UTC.", day_and_time(at)),
        None if keys.len() == 1 => format!("It has verified nothing yet. It ends {}.", day(first.ends_at)),
        None => "They have verified nothing yet.".to_owned(),
    };
    fact(Condition::Good, &heading, sentence, Some(NextAction::Change(Step::Keys)))
}

/// What is missing or should be looked after, each with its act; one line that says so when nothing is.
fn missing(known: &GroupFacts<'_>) -> Vec<Fact> {
    let overview = known.overview;
    let configuration = &overview.configuration;
    let mut missing = Vec::new();
    if known.counts.refused > 0 {
        let heading = format!(
            "{} refused within a day",
            counted(known.counts.refused, known.counts.is_cut, "sign-in was", "sign-ins were")
        );
        let code = known.counts.commonest_code().unwrap_or_default();
        let sentence = format!("Most often because of {code}.");
        missing.push(fact(Condition::Attention, &heading, sentence, Some(NextAction::Refusals)));
    }
    if configuration.method != Method::Off {
        for (heading, sentence, step) in looked_after(overview) {
            missing.push(fact(Condition::Attention, &heading, sentence, Some(NextAction::Change(step))));
        }
        if !known.unseen.is_empty() {
            let sentence = format!(
                "No recent assertion had {}: whoever would be made is refused.",
                braced(known.unseen)
            );
            let act = Some(NextAction::Change(Step::People));
            missing.push(fact(Condition::Attention, "The mapping needs what never came", sentence, act));
        }
        if overview.ready && configuration.status == Status::Provisioning {
            let sentence =
                "Every attempt is kept with its checks. When people sign in, set it to Production.";
            let act = Some(NextAction::Change(Step::IdentityProvider));
            missing.push(fact(Condition::Off, "The Operational Status is Provisioning", sentence, act));
        }
    }
    if missing.is_empty() {
        missing.push(match configuration.method {
            Method::Off => fact(
                Condition::Off,
                "Nobody signs in by single sign-on",
                "Passwords and login keys still work.",
                None,
            ),
            _ => fact(
                Condition::Good,
                "Nothing is missing",
                "Nobody was refused within a day.",
                Some(NextAction::Attempts),
            ),
        });
    }
    missing
}

/// What works and should be looked after: heading, sentence, and the step where that is done.
fn looked_after(overview: &Overview) -> Vec<(String, String, Step)> {
    if overview.configuration.method == Method::Off {
        return Vec::new();
    }
    let weak = FIELDS.iter().filter(|field| field.warns(&overview.configuration));
    let weak = weak.filter_map(|field| {
        Some((format!("“{}” is on", field.label), field.warning.to_owned(), Step::of(field)?))
    });
    let role = overview.missing_role.iter();
    let role =
        role.map(|sentence| ("A role of the mapping is missing".to_owned(), sentence.clone(), Step::People));
    weak.chain(role).collect()
}

fn steps(known: &GroupFacts<'_>) -> Vec<StepState> {
    let overview = known.overview;
    let configuration = &overview.configuration;
    let on = configuration.method != Method::Off;
    let wanting = |step: Step| looked_after(overview).iter().any(|(_, _, of)| *of == step);
    let missing = if on { Condition::Bad } else { Condition::Off };
    let provider = match (configuration.idp_entity_id.is_empty(), configuration.endpoint_url.is_empty()) {
        (true, _) => (missing, "Not known yet".to_owned()),
        (_, true) if on => (Condition::Attention, "Without an endpoint".to_owned()),
        _ if on => {
            (Condition::Good, format!("{}, {}", configuration.method.label(), configuration.status.label()))
        }
        _ => (Condition::Off, "GroupFacts; switched off".to_owned()),
    };
    let keys = match overview.keys.as_slice() {
        [] => (missing, "None yet".to_owned()),
        _ if configuration.method == Method::EncryptedSaml && overview.own_keys.is_empty() => {
            (Condition::Bad, "No key pair of ours".to_owned())
        }
        keys => {
            let warned = keys.iter().any(|key| !key.warnings.is_empty());
            let condition = if warned { Condition::Attention } else { Condition::Good };
            (condition, key_words(keys))
        }
    };
    let portal = from_the_portal(known).condition;
    let request = match portal {
        _ if wanting(Step::Request) => (Condition::Attention, "Takes what is weak".to_owned()),
        Condition::Bad if on => (Condition::Attention, "The portal's tile is refused".to_owned()),
        Condition::Attention => (Condition::Attention, "The portal's tile ends in text".to_owned()),
        Condition::Off if on => (Condition::Good, "Sign-ins begin here only".to_owned()),
        _ => (Condition::Good, "Both sides may begin".to_owned()),
    };
    let people = match configuration.identity_attribute.as_str() {
        _ if wanting(Step::People) || (on && !known.unseen.is_empty()) => {
            (Condition::Attention, "The mapping needs attention".to_owned())
        }
        "" => (Condition::Good, "By NameID".to_owned()),
        attribute => (Condition::Good, format!("By {attribute}")),
    };
    let told = [provider, keys, request, people];
    let each = Step::ALL.into_iter().zip(told);
    each.map(|(step, (condition, words))| StepState { step, condition, words }).collect()
}

fn key_words(keys: &[KeyFacts]) -> String {
    let count = match keys.len() {
        1 => "One".to_owned(),
        several => several.to_string(),
    };
    match keys.iter().map(|key| key.ends_at).max() {
        Some(end) => format!("{count}, until {}", day(end)),
        None => count,
    }
}

fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

fn day_and_time(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

fn braced(names: &[String]) -> String {
    names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ")
}
