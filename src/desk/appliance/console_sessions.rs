//! Signing in to the console, staying signed in, and signing out.
//!
//! Operators and administrators of a group sign in by password. What the browser then holds is random; only
//! its fingerprint is kept. A session ends after [`IDLE`] without a click and after [`LONGEST`] in any case;
//! each use asks again whether its holder may still be here.

use crate::clock::Timestamp;
use crate::desk::appliance::Appliance;
use crate::desk::ground::guard::{Account, FAILURES_MOST, Reserved, WINDOW_SECONDS, Weight};
use crate::desk::ground::password_rule::OPERATOR_PASSWORD_RULE;
use crate::desk::ground::passwords;
use crate::desk::ground::refusal::{ChangeOfRefusal, Failure, NotedWhen, Refusal, RefusalNote};
use crate::desk::people::users::password_given;
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GlanceAddress, GroupId, LogEntry, OperatorId, User, UserId};
use crate::secret::{Secret, random_token};
use crate::store::{ConsoleHolder, ConsoleSessionRow, NewConsoleHolder, Reader};

/// Seconds without a click after which a session ends.
const IDLE: i64 = 60 * 60;
/// Seconds after which a session ends in any case.
const LONGEST: i64 = 12 * 60 * 60;
/// Seconds between two notes of a session's use: a page view should not cost a write.
const NOTE_EVERY: i64 = 60;
const WRONG_PASSWORD: &str = "wrong_password";
/// The operation of a sign-in to the console in the access log.
pub(super) const SIGN_IN: &str = "console.sign-in";

/// Why nobody came in, for the access log; the person is told one sentence for all.
enum ConsoleReject {
    UnknownName,
    NoPassword,
    Locked,
    /// Whose failure the store counts; `None` when the password was changed while it was verified.
    WrongPassword(Option<Whose>),
    NotAnAdministrator,
    TooManyAttempts,
}

#[derive(Clone, Copy)]
enum Whose {
    Operator(OperatorId),
    User(UserId),
}

impl ConsoleReject {
    fn code(&self) -> &'static str {
        match self {
            ConsoleReject::UnknownName => "unknown_name",
            ConsoleReject::NoPassword => "no_password",
            ConsoleReject::Locked => "locked",
            ConsoleReject::WrongPassword(_) => WRONG_PASSWORD,
            ConsoleReject::NotAnAdministrator => "not_an_administrator",
            ConsoleReject::TooManyAttempts => "too_many_attempts",
        }
    }

    /// Whether the guard counts it: whatever was verified.
    fn is_counted(&self) -> bool {
        !matches!(self, ConsoleReject::Locked | ConsoleReject::TooManyAttempts)
    }

    /// Whether it counts from every address: nothing in the store can be locked, and the answers must not differ.
    fn counts_everywhere(&self) -> bool {
        matches!(self, ConsoleReject::UnknownName | ConsoleReject::NoPassword)
    }

    fn failure<'a>(&self, name: &'a str) -> Option<Failure<'a>> {
        let (account, everywhere) = (Account::Password(name), self.counts_everywhere());
        self.is_counted().then_some(Failure { account, weight: Weight::Password, everywhere })
    }

    /// The wrong password that the store counts, which locks the account after several.
    fn change(&self, now: Timestamp) -> Option<ChangeOfRefusal> {
        let ConsoleReject::WrongPassword(Some(whose)) = *self else { return None };
        let (since, until) = (now.plus_seconds(-WINDOW_SECONDS), now.plus_seconds(WINDOW_SECONDS));
        Some(Box::new(move |w| match whose {
            Whose::Operator(id) => w.count_operator_failure(id, FAILURES_MOST.into(), until),
            Whose::User(id) => w.count_failure(id, FAILURES_MOST.into(), since, until),
        }))
    }
}

/// Somebody who knew the password with this hash.
struct Proved {
    holder: NewConsoleHolder,
    hash: String,
}

impl Appliance {
    /// Signs an operator (by name) or a group's administrator (by Glance Address) in to the console, and
    /// gives back what their browser is to hold.
    ///
    /// # Errors
    /// `Unauthenticated` with code `sign_in_refused`: wrong name or password, locked, or no administrator;
    /// only the access log says which.
    pub fn sign_in_to_console(&self, caller: &Caller, name: &str, password: &Secret) -> Result<String> {
        let name = name.trim();
        // Held until a failure is counted.
        let reserved = self.ground.guard.reserve(caller.ip, self.ground.clock.now());
        let judged = match &reserved {
            Ok(_) => self.console_holder(caller, name, password)?,
            Err(_) => Err(ConsoleReject::TooManyAttempts),
        };
        let refusal = match judged {
            Ok(proved) => {
                match self.new_console_session(caller, name, proved.holder, Some(proved.hash), SIGN_IN) {
                    // It was changed while it was verified.
                    Err(error) if error.code == WRONG_PASSWORD => ConsoleReject::WrongPassword(None),
                    opened => {
                        self.ground.guard.forget(caller.ip, Account::Password(name));
                        return opened;
                    }
                }
            }
            Err(refusal) => refusal,
        };
        self.refuse_console(caller, name, &refusal, reserved.ok().flatten())?;
        let public = "That name and password do not open the console. After several wrong passwords an account \
                      stays closed for a quarter of an hour.";
        Err(Error::new(Kind::Unauthenticated, "sign_in_refused", public).with_field("name"))
    }

    /// Sends a refusal out. What the guard counts is always noted, because it lets few of them happen and the time of
    /// the answer must not tell one from another. Of a user it is the home group's.
    fn refuse_console(
        &self,
        caller: &Caller,
        name: &str,
        reject: &ConsoleReject,
        reserved: Option<Reserved>,
    ) -> Result<()> {
        let now = self.ground.clock.now();
        let noted = if reject.is_counted() { NotedWhen::Always } else { NotedWhen::Tallied };
        let (code, failure) = (reject.code(), reject.failure(name));
        let refusal = Refusal { caller, operation: SIGN_IN, code, means: None, failure, reserved, noted };
        let kept = self.ground.turn_away(refusal, now, |_| {
            let group = self.ground.store.read(|r| match r.operator_by_name(name)? {
                Some(_) => Ok(None),
                None => Ok(r.user_by_address(name)?.map(|user| user.home_group)),
            })?;
            let (subject, detail) = (name.to_owned(), "console".to_owned());
            Ok(RefusalNote { group, subject, detail, incident: None, change: reject.change(now) })
        });
        kept.map(drop)
    }

    /// Finds who is named, and verifies their password. For somebody locked nothing is verified: the answer must
    /// come as soon as that of the guard, which refuses a name that nobody has.
    fn console_holder(
        &self,
        caller: &Caller,
        name: &str,
        password: &Secret,
    ) -> Result<std::result::Result<Proved, ConsoleReject>> {
        if self.ground.admit_attempt(caller.ip, Account::Password(name), self.ground.clock.now())?.is_err() {
            return Ok(Err(ConsoleReject::TooManyAttempts));
        }
        match self.ground.store.read(|r| r.operator_by_name(name))? {
            Some(operator) => {
                let locked = operator.is_locked(self.ground.clock.now());
                self.operator_by_password(operator.id, locked, password)
            }
            None => self.administrator_by_password(name, password),
        }
    }

    fn operator_by_password(
        &self,
        id: OperatorId,
        locked: bool,
        password: &Secret,
    ) -> Result<std::result::Result<Proved, ConsoleReject>> {
        if locked {
            return Ok(Err(ConsoleReject::Locked));
        }
        let hash = self.ground.store.read(|r| r.operator_password_hash(id))?;
        let fits = self.ground.verifier.verify(password, hash.as_deref())?;
        let Some(hash) = hash.filter(|_| fits) else {
            return Ok(Err(ConsoleReject::WrongPassword(Some(Whose::Operator(id)))));
        };
        self.ground.store.write(self.ground.clock.now(), move |w| w.note_operator_sign_in(id))?;
        Ok(Ok(Proved { holder: NewConsoleHolder::Operator(id), hash }))
    }

    fn administrator_by_password(
        &self,
        address: &str,
        password: &Secret,
    ) -> Result<std::result::Result<Proved, ConsoleReject>> {
        let Some(user) = self.ground.store.read(|r| r.user_by_address(address))? else {
            self.ground.verifier.verify(password, None)?;
            return Ok(Err(ConsoleReject::UnknownName));
        };
        let now = self.ground.clock.now();
        if user.is_locked(now) {
            return Ok(Err(ConsoleReject::Locked));
        }
        let id = user.id;
        let hash = self.ground.store.read(|r| r.password_hash(id))?;
        let fits = self.ground.verifier.verify(password, hash.as_deref())?;
        let Some(hash) = hash else { return Ok(Err(ConsoleReject::NoPassword)) };
        if !fits {
            return Ok(Err(ConsoleReject::WrongPassword(Some(Whose::User(id)))));
        }
        // The home group first: it is where the person belongs.
        let groups = self.administered_groups(&user)?;
        let group = groups.iter().find(|g| **g == user.home_group).or(groups.first()).copied();
        let Some(group) = group else { return Ok(Err(ConsoleReject::NotAnAdministrator)) };
        self.ground.store.write(now, move |w| w.note_sign_in(id))?;
        Ok(Ok(Proved { holder: NewConsoleHolder::Member { user: id, group }, hash }))
    }

    fn administered_groups(&self, user: &User) -> Result<Vec<GroupId>> {
        self.ground.store.read(|r| {
            let mut groups = Vec::new();
            for membership in r.memberships_of(user.id)? {
                let Some(group) = r.group(membership.group)? else { continue };
                if membership.administrator && membership.standing(group.off_since.is_some()).is_admitted() {
                    groups.push(group.id);
                }
            }
            Ok(groups)
        })
    }

    /// Signs the operator in who has just claimed the appliance, or anybody whose session must begin again.
    /// `proof` is the hash of the password that was verified: with another one by now, nobody comes in.
    pub(in crate::desk) fn new_console_session(
        &self,
        caller: &Caller,
        name: &str,
        holder: NewConsoleHolder,
        proof: Option<String>,
        operation: &'static str,
    ) -> Result<String> {
        let bearer = random_token::<32>()?;
        let fingerprint = self.ground.keys.fingerprint_of(bearer.as_bytes());
        let now = self.ground.clock.now();
        let (group, who) = match holder {
            NewConsoleHolder::Operator(id) => {
                (None, self.ground.store.read(|r| r.operator(id))?.map(|o| format!("operator {}", o.name)))
            }
            NewConsoleHolder::Member { user, group } => {
                (Some(group), self.ground.store.read(|r| r.user(user))?.map(|u| u.address.to_string()))
            }
        };
        // The row is of the person who came in, not of the stranger who asked.
        let done = LogEntry::done(caller, group, operation, name, "");
        let entry = LogEntry { actor: who.unwrap_or_else(|| done.actor.clone()), ..done };
        self.ground.store.write(now, move |w| {
            if proof.is_some() && proof != password_hash_of(w, holder)? {
                return Err(wrong_current());
            }
            w.insert_console_session(&fingerprint, holder, now.plus_seconds(LONGEST))?;
            w.log(&entry)
        })?;
        Ok(bearer)
    }

    /// Says who holds a console session, as a caller from the same address as `anonymous`; `None` when it
    /// has ended or its holder may no longer be here.
    ///
    /// # Errors
    /// Those of the store.
    pub fn console_caller(&self, anonymous: &Caller, bearer: &str) -> Result<Option<Caller>> {
        let fingerprint = self.ground.keys.fingerprint_of(bearer.as_bytes());
        let now = self.ground.clock.now();
        let Some(session) = self.ground.store.read(|r| r.console_session(&fingerprint, now))? else {
            return Ok(None);
        };
        if is_idle(&session, now) {
            return Ok(None);
        }
        let Some(actor) = actor_of(session.holder) else { return Ok(None) };
        if now >= session.used_at.plus_seconds(NOTE_EVERY) {
            self.ground.store.note(now, move |w| w.use_console_session(&fingerprint)).wait()?;
        }
        Ok(Some(Caller { actor, ip: anonymous.ip }))
    }

    /// Says who held a console session that has ended by itself, as [`person_of`] does; `None` when it was ended by
    /// somebody, or is forgotten.
    ///
    /// # Errors
    /// Those of the store.
    pub fn ended_console_person(&self, bearer: &str) -> Result<Option<String>> {
        let fingerprint = self.ground.keys.fingerprint_of(bearer.as_bytes());
        let session = self.ground.store.read(|r| r.console_session(&fingerprint, Timestamp(i64::MIN)))?;
        Ok(session.and_then(|session| actor_of(session.holder)).map(|actor| person_of(&actor)))
    }

    /// Ends a console session.
    ///
    /// # Errors
    /// Those of the store.
    pub fn sign_out_of_console(&self, caller: &Caller, bearer: &str) -> Result<()> {
        let fingerprint = self.ground.keys.fingerprint_of(bearer.as_bytes());
        let group = match &caller.actor {
            Actor::User { group, .. } => Some(*group),
            _ => None,
        };
        let entry = LogEntry::done(caller, group, "console.sign-out", caller.actor.to_string(), "");
        self.ground.store.write(self.ground.clock.now(), move |w| {
            w.delete_console_session(&fingerprint)?;
            w.log(&entry)
        })
    }

    /// Lists the groups among which an administrator may switch.
    ///
    /// # Errors
    /// Those of the store.
    pub fn console_groups(&self, caller: &Caller) -> Result<Vec<GroupId>> {
        let Actor::User { id, .. } = caller.actor else { return Ok(Vec::new()) };
        match self.ground.store.read(|r| r.user(id))? {
            Some(user) => self.administered_groups(&user),
            None => Ok(Vec::new()),
        }
    }

    /// Begins a session in another group that the same person administers, and ends this one.
    ///
    /// # Errors
    /// `Denied` with code `administrators_only` when they do not administer it.
    pub fn switch_console_group(&self, caller: &Caller, bearer: &str, group: GroupId) -> Result<String> {
        let Actor::User { id, address, .. } = &caller.actor else {
            return Err(Error::denied("Operators see all groups."));
        };
        if !self.console_groups(caller)?.contains(&group) {
            let public = "Only an administrator of the group may do that.";
            return Err(Error::new(Kind::Denied, "administrators_only", public));
        }
        let holder = NewConsoleHolder::Member { user: *id, group };
        let next =
            self.new_console_session(caller, address.as_str(), holder, None, "console.switch-group")?;
        let ended = self.ground.keys.fingerprint_of(bearer.as_bytes());
        self.ground.store.write(self.ground.clock.now(), move |w| w.delete_console_session(&ended))?;
        Ok(next)
    }

    /// Changes the password of the signed-in user, ends all their sessions, and begins a new one.
    ///
    /// # Errors
    /// `Unauthenticated` for the field `current` when the present password is wrong, which counts as a
    /// failed sign-in; `Invalid` for a password that breaks its rule.
    pub fn change_own_password(&self, caller: &Caller, current: &Secret, wanted: &Secret) -> Result<String> {
        let (holder, group, operation, name) = match &caller.actor {
            Actor::Operator { id, name } => {
                (NewConsoleHolder::Operator(*id), None, "operator.password", name.as_str())
            }
            Actor::User { id, address, group, .. } => {
                let holder = NewConsoleHolder::Member { user: *id, group: *group };
                (holder, Some(*group), "user.password", address.as_str())
            }
            _ => return Err(Error::new(Kind::Unauthenticated, "not_signed_in", "Sign in first.")),
        };
        let proved = match self.own_password(holder, name, current)? {
            Ok(proved) => proved,
            Err(refusal) => {
                // To the person, all reasons are one; the row says which.
                self.refuse_own_password(caller, group, operation, name, &refusal)?;
                return Err(wrong_current());
            }
        };
        let changed = match holder {
            NewConsoleHolder::Operator(id) => self.set_own_operator_password(caller, id, wanted, proved.hash),
            NewConsoleHolder::Member { user, group } => {
                self.set_own_user_password(caller, user, group, wanted, proved.hash)
            }
        };
        let hash = self.ground.logging_refusal(caller, group, operation, name, changed)?;
        self.new_console_session(caller, name, holder, Some(hash), SIGN_IN)
    }

    /// The wrong present password of somebody who is signed in: the store alone counts it.
    fn refuse_own_password(
        &self,
        caller: &Caller,
        group: Option<GroupId>,
        operation: &'static str,
        name: &str,
        reject: &ConsoleReject,
    ) -> Result<()> {
        let now = self.ground.clock.now();
        let (code, failure, reserved, noted) = (reject.code(), None, None, NotedWhen::Proved);
        let refusal = Refusal { caller, operation, code, means: None, failure, reserved, noted };
        let kept = self.ground.turn_away(refusal, now, |_| {
            let (subject, detail) = (name.to_owned(), "own".to_owned());
            Ok(RefusalNote { group, subject, detail, incident: None, change: reject.change(now) })
        });
        kept.map(drop)
    }

    fn own_password(
        &self,
        holder: NewConsoleHolder,
        name: &str,
        current: &Secret,
    ) -> Result<std::result::Result<Proved, ConsoleReject>> {
        match holder {
            NewConsoleHolder::Operator(id) => {
                let operator = self.ground.store.read(|r| r.operator(id))?.ok_or_else(wrong_current)?;
                let locked = operator.is_locked(self.ground.clock.now());
                self.operator_by_password(id, locked, current)
            }
            NewConsoleHolder::Member { .. } => self.administrator_by_password(name, current),
        }
    }

    /// Replaces the password whose hash was `current`, and gives back the hash of the new one.
    pub(in crate::desk) fn set_own_operator_password(
        &self,
        caller: &Caller,
        id: OperatorId,
        wanted: &Secret,
        current: String,
    ) -> Result<String> {
        OPERATOR_PASSWORD_RULE.check(wanted)?;
        let hash = passwords::hash(wanted)?;
        let (who, new) = (caller.clone(), hash.clone());
        let name = self.ground.store.write(self.ground.clock.now(), move |w| {
            // Asked inside the transaction: a colleague may have set another one while these were hashed.
            if w.operator_password_hash(id)? != Some(current) {
                return Err(wrong_current());
            }
            let operator = w.operator(id)?.ok_or_else(wrong_current)?;
            w.set_operator_password_hash(id, &new)?;
            w.log(&LogEntry::done(&who, None, "operator.password", &operator.name, "own"))?;
            Ok(operator.name)
        })?;
        self.ground.guard.forget(None, Account::Password(&name));
        Ok(hash)
    }

    /// Replaces the password whose hash was `current`, and gives back the hash of the new one.
    fn set_own_user_password(
        &self,
        caller: &Caller,
        id: UserId,
        group: GroupId,
        wanted: &Secret,
        current: String,
    ) -> Result<String> {
        self.people.own_password_rule(caller)?.check(wanted)?;
        let hash = passwords::hash(wanted)?;
        let entry = LogEntry::done(caller, Some(group), "user.password", caller.actor.to_string(), "own");
        let new = hash.clone();
        self.ground.store.write(self.ground.clock.now(), move |w| {
            if w.password_hash(id)? != Some(current) {
                return Err(wrong_current());
            }
            let user = w.user(id)?.ok_or_else(wrong_current)?;
            password_given(w, &user, &new)?;
            w.log(&entry)
        })?;
        Ok(hash)
    }
}

/// Names the signed-in user to the console: by number, which is never given again.
pub fn person_of(actor: &Actor) -> String {
    match actor {
        Actor::Operator { id, .. } => format!("operator {}", id.0),
        Actor::User { id, group, .. } => format!("user {} of {group}", id.0),
        _ => String::new(),
    }
}

/// The hash of the password that this holder has now.
fn password_hash_of(reader: &Reader<'_>, holder: NewConsoleHolder) -> Result<Option<String>> {
    match holder {
        NewConsoleHolder::Operator(id) => reader.operator_password_hash(id),
        NewConsoleHolder::Member { user, .. } => reader.password_hash(user),
    }
}

fn wrong_current() -> Error {
    let public = "The present password is not right, or the account is closed after several wrong ones.";
    Error::new(Kind::Unauthenticated, WRONG_PASSWORD, public).with_field("current")
}

fn is_idle(session: &ConsoleSessionRow, now: Timestamp) -> bool {
    now >= session.used_at.plus_seconds(IDLE) || now < session.created_at.plus_seconds(-LONGEST)
}

fn actor_of(holder: ConsoleHolder) -> Option<Actor> {
    match holder {
        ConsoleHolder::Operator { id, name } => Some(Actor::Operator { id, name }),
        ConsoleHolder::Member { user, group, address, may_administer: true } => {
            let address = GlanceAddress::parse(&address)?;
            Some(Actor::User { id: user, address, group, administrator: true })
        }
        ConsoleHolder::Member { .. } => None,
    }
}
