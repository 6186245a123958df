//! The seed file: TOML in, a [`Seed`] out. `${NAME}` in a text stands for an environment variable, so that
//! no secret need be in the file; `$${` is a plain `${`.
//!
//! Unknown keys are refused, with the line they stand on.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::desk::appliance::seed::{Seed, SeedGroup, SeedMembership, SeedOperator, SeedSso, SeedUser};
use crate::desk::ground::password_rule::PasswordRule;
use crate::desk::people::roles::NewRole;
use crate::desk::people::users::{NewUser, RoleChoice};
use crate::error::{Error, Kind, Result};
use crate::model::GroupId;
use crate::model::person::{Person, for_each_line};
use crate::model::sso::fields::{MOVED_TO_GROUP, is_named};
use crate::secret::Secret;

/// The lab's demo seed: the group of the published login keys. Wire contract §2.3.
pub const DEMO: &str = include_str!("../static/demo.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    users: Vec<User>,
    #[serde(default)]
    operators: Vec<Operator>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    number: i64,
    name: String,
    account_id: Option<String>,
    api_key: Option<String>,
    password_rule: Option<String>,
    #[serde(default)]
    scim_sets_administrators: bool,
    #[serde(default)]
    settings: BTreeMap<String, bool>,
    /// Origins whose pages may frame ours.
    #[serde(default)]
    allowed_sites: Vec<String>,
    #[serde(default)]
    roles: Vec<Role>,
    /// The fields of SSO Configure by name, and `keys`: certificates in PEM.
    sso: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    settings: BTreeMap<String, bool>,
}

// What reads a file is derived from a struct, which must spell each key out.
macro_rules! user {
    ($($name:ident $flag:ident $help:tt)*) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct User {
            address: String,
            $(
                #[serde(default)]
                $name: String,
            )*
            password: Option<String>,
            memberships: Vec<Membership>,
        }

        impl User {
            fn person(&self) -> Person<String> {
                Person { $($name: self.$name.clone(),)* }
            }
        }
    };
}
for_each_line!(user);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    group: i64,
    puid: Option<String>,
    role: Option<String>,
    #[serde(default)]
    administrator: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    name: String,
    password: String,
}

/// Reads a seed file.
///
/// # Errors
/// As [`parse`]; `Invalid` with code `seed_unreadable` when the file cannot be read.
pub fn read(path: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Seed> {
    let unreadable = |e: std::io::Error| {
        let public = format!("The seed file {} cannot be read: {e}.", path.display());
        Error::new(Kind::Invalid, "seed_unreadable", public)
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    parse(&text, environment)
}

/// Reads the text of a seed file; `environment` looks a variable up.
///
/// # Errors
/// `Invalid` with code `seed_malformed` when it is not TOML of this shape, and `seed_variable_unset` when
/// it names a variable that is not set.
pub fn parse(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Seed> {
    let file: File = toml::from_str(text)
        .map_err(|e| Error::new(Kind::Invalid, "seed_malformed", format!("The seed file is wrong: {e}")))?;
    let filled = |text: String| expand(&text, &environment);
    let filled_option = |text: Option<String>| text.map(filled).transpose();
    let role = |role: Role| -> Result<NewRole> {
        Ok(NewRole {
            name: filled(role.name)?,
            description: filled(role.description)?,
            settings: role.settings,
        })
    };
    let group = |mut group: Group| -> Result<SeedGroup> {
        group.allowed_sites.extend(group.sso.as_mut().and_then(sites_of_old_place));
        Ok(SeedGroup {
            id: group_id(group.number)?,
            name: filled(group.name)?,
            account_id: filled_option(group.account_id)?,
            api_key: filled_option(group.api_key)?.map(|key| Secret::new(key.into_bytes())),
            password_rule: group.password_rule.map(|name| rule(&name)).transpose()?,
            scim_sets_administrators: group.scim_sets_administrators,
            settings: group.settings,
            allowed_sites: filled(group.allowed_sites.join("\n"))?,
            roles: group.roles.into_iter().map(role).collect::<Result<_>>()?,
            sso: group.sso.map(|table| sso(table, &filled)).transpose()?,
        })
    };
    let membership = |membership: Membership| -> Result<SeedMembership> {
        Ok(SeedMembership {
            group: group_id(membership.group)?,
            puid: filled_option(membership.puid)?,
            role: RoleChoice::of_wire(&filled_option(membership.role)?.unwrap_or_default()),
            administrator: membership.administrator,
        })
    };
    let user = |user: User| -> Result<SeedUser> {
        let lines = user.person();
        let person = NewUser {
            address: filled(user.address)?,
            person: lines.try_map(|_, text| filled(text.clone()))?,
            password: filled_option(user.password)?.map(|text| Secret::new(text.into_bytes())),
            ..NewUser::default()
        };
        let memberships = user.memberships.into_iter().map(membership).collect::<Result<_>>()?;
        Ok(SeedUser { person, memberships })
    };
    let operator = |operator: Operator| -> Result<SeedOperator> {
        let password = Secret::new(filled(operator.password)?.into_bytes());
        Ok(SeedOperator { name: filled(operator.name)?, password })
    };
    Ok(Seed {
        groups: file.groups.into_iter().map(group).collect::<Result<_>>()?,
        users: file.users.into_iter().map(user).collect::<Result<_>>()?,
        operators: file.operators.into_iter().map(operator).collect::<Result<_>>()?,
    })
}

/// Takes the sites out of the table `[groups.sso]`, where they stood before they belonged to the group.
fn sites_of_old_place(sso: &mut toml::Table) -> Option<String> {
    let name = sso.keys().find(|name| is_named(MOVED_TO_GROUP, name)).cloned()?;
    sso.remove(&name).map(|sites| plain(&sites))
}

/// A value as somebody would type it for a field; of several, each on a line.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(lines) => lines.iter().map(plain).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// Reads the table `[groups.sso]`: what a field may hold is judged where it is set.
fn sso(table: toml::Table, filled: &impl Fn(String) -> Result<String>) -> Result<SeedSso> {
    let mut seed = SeedSso::default();
    for (name, value) in table {
        match value {
            toml::Value::Array(keys) if name == "keys" => {
                let pems = keys.into_iter().filter_map(|key| key.as_str().map(str::to_owned));
                seed.keys = pems.map(filled).collect::<Result<_>>()?;
            }
            toml::Value::String(pem) if name == "keys" => seed.keys.push(filled(pem)?),
            value => seed.fields.push((name, filled(plain(&value))?)),
        }
    }
    Ok(seed)
}

fn group_id(number: i64) -> Result<GroupId> {
    let wrong = || Error::invalid("group_malformed", "number", format!("{number} is not a Group ID."));
    GroupId::parse(&number.to_string()).ok_or_else(wrong)
}

fn rule(name: &str) -> Result<PasswordRule> {
    let unknown = || {
        let names = PasswordRule::ALL.map(PasswordRule::name).join(", ");
        let public = format!("{name} is not a password rule; the rules are {names}.");
        Error::invalid("password_rule_unknown", "password_rule", public)
    };
    PasswordRule::named(name).ok_or_else(unknown)
}

/// Puts the values of environment variables in the place of `${NAME}`.
fn expand(text: &str, environment: &impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        let unclosed = || {
            let public = "The seed file is wrong: a ${ without its closing brace.";
            Error::new(Kind::Invalid, "seed_malformed", public)
        };
        let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
        let unset = || {
            let public = format!("The seed file names the environment variable {name}, which is not set.");
            Error::new(Kind::Invalid, "seed_variable_unset", public)
        };
        out.push_str(before);
        out.push_str(&environment(name).ok_or_else(unset)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::clock::Clock;
    use crate::desk::Desk;
    use crate::desk::appliance::seed::Seeded;
    use crate::desk::people::users::UserKey;
    use crate::model::Caller;
    use crate::model::Mode;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_demo_seed_is_applied_once_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        let host = Caller::host();
        let seed = parse(DEMO, nothing).unwrap();
        let made = desk.appliance.apply_seed(&host, seed.clone()).unwrap();
        assert!(made.groups >= 1 && made.users >= 1);
        let group = GroupId(12345);
        let member = desk.people.member(&host, group, &UserKey::Puid("uniqueUserIdentifier".into())).unwrap();
        assert!(member.membership.may_sign_in());
        assert!(desk.sign_in.show_api_key(&host, group).unwrap() == Some(Secret::new("mySecretApiKey")));
        desk.sign_in.change_api_key(&host, group, Some(Secret::new("anotherSecretKey"))).unwrap();
        assert_eq!(desk.appliance.apply_seed(&host, seed).unwrap(), Seeded::default(), "what exists stays");
        assert!(desk.sign_in.show_api_key(&host, group).unwrap() == Some(Secret::new("anotherSecretKey")));
    }

    #[test]
    fn the_seed_in_the_documentation_is_one() {
        let page = include_str!("../docs/provisioning.md");
        let (_, after) = page.split_once("```toml\n").unwrap();
        let (sample, _) = after.split_once("```").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        let seed = parse(sample, |_| Some("Correct horse 1".into())).unwrap();
        let made = desk.appliance.apply_seed(&Caller::host(), seed).unwrap();
        assert_eq!((made.groups, made.roles, made.users, made.operators), (1, 1, 1, 1));
    }

    #[test]
    fn a_seeded_password_keeps_the_rule_of_its_group_and_nothing_stands_twice() {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        let five = "[[groups]]\nnumber = 5\nname = \"Five\"\n";
        let user = "[[users]]\naddress = \"a.b\"\npassword = \"abcdef\"\nmemberships = [{ group = 5 }]\n";
        let seeded = |text: &str| {
            let seed = parse(text, nothing).unwrap();
            desk.appliance.apply_seed(&Caller::host(), seed).map(|made| made.users).map_err(|e| e.code)
        };
        assert_eq!(seeded(&format!("{five}{user}")), Err("password_too_short"));
        assert_eq!(seeded(&format!("{five}{five}")), Err("seeded_twice"));
        let lax = format!("{five}password_rule = \"six\"\n");
        assert_eq!(seeded(&format!("{lax}{user}{}", user.replace("a.b", "A.B"))), Err("seeded_twice"));
        assert_eq!(seeded(&format!("{lax}{user}")), Ok(1));
        // The group is there now, with its rule, whatever the seed says.
        assert_eq!(seeded(&user.replace("a.b", "c.d")), Ok(1));
    }

    #[test]
    fn allowed_sites_are_read_where_they_stand_and_where_they_stood() {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        let host = Caller::host();
        let seeded = |text: &str| {
            let seed = parse(text, |_| Some("crm.example.com".into())).unwrap();
            desk.appliance.apply_seed(&host, seed).map_err(|e| e.code)
        };
        let sites = |group| desk.people.allowed_sites(GroupId(group)).unwrap().join(" ");
        let group = |number: i64| format!("[[groups]]\nnumber = {number}\nname = \"{number}\"\n");
        let new = format!("{}allowed_sites = [\"https://${{SITE}}/\", \"https://b.example\"]\n", group(5));
        seeded(&new).unwrap();
        assert_eq!(sites(5), "https://crm.example.com https://b.example");
        let old = |number, sites: &str| format!("{}[groups.sso]\nallowed-sites = {sites}\n", group(number));
        seeded(&old(6, "\"https://a.example\"")).unwrap();
        seeded(&old(7, "[\"https://a.example\", \"https://${SITE}\"]")).unwrap();
        assert_eq!(
            (sites(6).as_str(), sites(7).as_str()),
            ("https://a.example", "https://a.example https://crm.example.com")
        );
        // What somebody took away stays away, from either place.
        for (number, text) in [(5, new), (6, old(6, "\"https://a.example\""))] {
            desk.people.set_allowed_sites(&host, GroupId(number), "", None).unwrap();
            seeded(&text).unwrap();
            assert_eq!(sites(number), "", "group {number}");
        }
        assert_eq!(seeded(&old(8, "\"*\"")), Err("site_malformed"));
    }

    #[test]
    fn a_seed_with_a_mistake_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        let text = "[[groups]]\nnumber = 5\nname = \"Five\"\n[[users]]\naddress = \"a.b\"\n\
                    memberships = [{ group = 5, role = \"Nobody\" }]\n";
        let refused = desk.appliance.apply_seed(&Caller::host(), parse(text, nothing).unwrap()).unwrap_err();
        assert_eq!(refused.code, "role_unknown");
        assert!(refused.public.starts_with("User a.b:"), "{}", refused.public);
        assert!(desk.people.groups(&Caller::host()).unwrap().is_empty());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let refused =
            parse("[[groups]]\nnumber = 5\nname = \"Five\"\napikey = \"x\"\n", nothing).err().unwrap();
        assert_eq!(refused.code, "seed_malformed");
        assert!(refused.public.contains("line 4") && refused.public.contains("apikey"), "{}", refused.public);
    }

    #[test]
    fn a_placeholder_stands_for_an_environment_variable() {
        let environment = |name: &str| (name == "KEY").then(|| "a\"b${KEY}".to_owned());
        let check = |text: &str, expected: std::result::Result<&str, &str>| {
            let outcome = expand(text, &environment);
            assert_eq!(outcome.as_deref().map_err(|e| e.code), expected, "{text}");
        };
        check("plain $ text", Ok("plain $ text"));
        check("<${KEY}>", Ok("<a\"b${KEY}>"));
        check("$${KEY}", Ok("${KEY}"));
        check("${OTHER}", Err("seed_variable_unset"));
        check("${KEY", Err("seed_malformed"));
    }
}
