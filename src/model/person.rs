//! The fields of a person: one table of what each is called on every surface, and how it is shown.
//!
//! Most are lines of text: what a person is called and how they are reached. [`Person`] holds a value for each, and every
//! surface reads and writes them by looping over it, so that one more line of text is one more entry of `lines!` below.
//! The other fields (address, PUID, role, password, states) have types and rules of their own, so surfaces read each of them
//! by hand; their names stand here all the same. Wire contract §4.2, §5.2, §7.

use std::fmt;

use serde::Serialize;

use super::Member;
use super::text;
use crate::error::Result;

/// One field. `None` where a surface does not have it.
pub struct Field {
    /// Its name in the house: in errors, forms, the seed file, the database and the answers of commands.
    pub name: &'static str,
    /// Its label in a form.
    pub label: &'static str,
    /// What it is called beside an old and a new value.
    pub short_label: &'static str,
    /// What a form says below the label; empty where nothing is to be said.
    pub hint: &'static str,
    /// The HTML type of its input.
    pub input: &'static str,
    /// Its name in the REST APIs and in the JSON of commands. Wire contract §5.2.
    pub rest: Option<&'static str>,
    /// Wire contract §4.2.
    pub papi: Option<Papi>,
    /// Its column in a CSV file. Wire contract §7.
    pub column: Option<&'static str>,
    /// Other names of that column, in lower case, without spaces and punctuation.
    pub also_column: &'static [&'static str],
    pub scim: Option<Scim>,
    /// How a line of text is read; `None` for what is no line of text.
    line: Option<LineRule>,
    shown: fn(&Member) -> Shown<'_>,
}

/// What the XML API calls a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Papi {
    pub parameter: &'static str,
    /// In answers.
    pub element: &'static str,
}

/// Where a field stands in a SCIM user. RFC 7643 §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scim {
    /// An attribute of the user.
    Attribute(&'static str),
    /// A part of `name`.
    Name(&'static str),
    /// A list of which one value is kept; without a better one any, or only one of no other type.
    List { name: &'static str, any_will_do: bool },
}

/// A field of a member as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Shown<'m> {
    /// `None` where the member has none: a PUID, a role.
    Text(Option<&'m str>),
    Flag(bool),
    /// A password: nobody can show it.
    Secret,
}

struct LineRule {
    most: usize,
    /// Begins the sentence of a refusal.
    what: &'static str,
    /// Too long; with a control character.
    codes: [&'static str; 2],
}

impl Field {
    /// Reads a line of text; it may be empty. What is none is kept as it came: a rule of its own reads it.
    ///
    /// # Errors
    /// `Invalid` with `NAME_too_long` or `NAME_malformed`, where NAME is the field's.
    pub fn read(&self, typed: &str) -> Result<String> {
        match &self.line {
            Some(rule) => text::line(typed, rule.most, self.name, rule.what, rule.codes),
            None => Ok(typed.to_owned()),
        }
    }

    /// The field of a member.
    pub fn shown<'m>(&self, member: &'m Member) -> Shown<'m> {
        (self.shown)(member)
    }

    /// The field of a member as text; empty where there is none, and for a password.
    pub fn text<'m>(&self, member: &'m Member) -> &'m str {
        match self.shown(member) {
            Shown::Text(text) => text.unwrap_or(""),
            Shown::Flag(true) => "true",
            Shown::Flag(false) => "false",
            Shown::Secret => "",
        }
    }

    /// Its name in SCIM, as a path.
    pub fn scim_path(&self) -> Option<String> {
        self.scim.map(|scim| match scim {
            Scim::Attribute(name) | Scim::List { name, .. } => name.to_owned(),
            Scim::Name(part) => format!("name.{part}"),
        })
    }
}

/// Fields are told apart by their names.
impl PartialEq for Field {
    fn eq(&self, other: &Field) -> bool {
        self.name == other.name
    }
}

impl Eq for Field {}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Finds a field by the house's name.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().copied().find(|field| field.name == name)
}

/// What the answers of the REST APIs and of commands have of a member: names and values. A role is not among them: each
/// says it in its own way, by number or by name.
pub fn answered(member: &Member) -> impl Iterator<Item = (&'static str, Shown<'_>)> {
    let fields = FIELDS.iter().filter(|field| **field != &ROLE);
    let answered = fields.filter_map(move |field| Some((field.rest?, field.shown(member))));
    answered.filter(|(_, shown)| *shown != Shown::Secret)
}

/// The fields of the details form, in its order.
pub fn details() -> impl Iterator<Item = &'static Field> {
    [&ADDRESS, &PUID].into_iter().chain(LINES.iter().copied()).chain([&ROLE])
}

macro_rules! lines {
    ($($field:ident $name:ident {
        label: $label:literal, short_label: $short_label:literal, hint: $hint:literal, input: $input:literal,
        rest: $rest:expr,
        papi: $papi:expr,
        column: $column:expr, also_column: $also_column:expr,
        scim: $scim:expr,
        command: $flag:ident $help:tt,
        most: $most:expr, what: $what:literal,
    })*) => {
        /// A value for each line of text that a person has.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Person<T> {
            $(pub $name: T,)*
        }

        impl<T> Person<T> {
            /// Asks for the value of each line.
            pub fn of(mut value: impl FnMut(&'static Field) -> T) -> Person<T> {
                Person { $($name: value(&$field),)* }
            }

            /// Asks for the value of each line.
            ///
            /// # Errors
            /// Those of `value`, for the first line that has one.
            pub fn try_of<E>(
                mut value: impl FnMut(&'static Field) -> std::result::Result<T, E>,
            ) -> std::result::Result<Person<T>, E> {
                Ok(Person { $($name: value(&$field)?,)* })
            }

            /// The same with another value for one line.
            #[must_use]
            pub fn with(mut self, field: &Field, value: impl Into<T>) -> Person<T> {
                if let Some((_, present)) = self.iter_mut().find(|(line, _)| *line == field) {
                    *present = value.into();
                }
                self
            }

            /// Makes another value of each.
            ///
            /// # Errors
            /// Those of `map`, for the first line that has one.
            pub fn try_map<U, E>(
                &self,
                mut map: impl FnMut(&'static Field, &T) -> std::result::Result<U, E>,
            ) -> std::result::Result<Person<U>, E> {
                Ok(Person { $($name: map(&$field, &self.$name)?,)* })
            }

            /// Makes another value of each.
            pub fn map<U>(&self, mut map: impl FnMut(&'static Field, &T) -> U) -> Person<U> {
                Person { $($name: map(&$field, &self.$name),)* }
            }

            /// Lines and values, in the order of the table.
            pub fn iter(&self) -> impl Iterator<Item = (&'static Field, &T)> {
                [$((&$field, &self.$name),)*].into_iter()
            }

            /// Lines and values, to be changed, in the order of the table.
            pub fn iter_mut(&mut self) -> impl Iterator<Item = (&'static Field, &mut T)> {
                [$((&$field, &mut self.$name),)*].into_iter()
            }

            /// The value of a line; `None` for what is no line of text.
            pub fn value(&self, field: &Field) -> Option<&T> {
                self.iter().find(|(line, _)| *line == field).map(|(_, value)| value)
            }
        }

        $(pub static $field: Field = Field {
            name: stringify!($name),
            label: $label,
            short_label: $short_label,
            hint: $hint,
            input: $input,
            rest: $rest,
            papi: $papi,
            column: $column,
            also_column: $also_column,
            scim: $scim,
            line: Some(LineRule {
                most: $most,
                what: $what,
                codes: [concat!(stringify!($name), "_too_long"), concat!(stringify!($name), "_malformed")],
            }),
            shown: |member| Shown::Text(Some(member.user.person.$name.as_str())),
        };)*

        /// The lines of text.
        pub static LINES: &[&Field] = &[$(&$field,)*];

        /// Every field, in the order of the vendor's CSV template. Wire contract §7.
        pub static FIELDS: &[&Field] = &[
            $(&$field,)* &ADDRESS, &PASSWORD, &PUID, &ROLE, &SUSPENDED, &ACTIVE, &ADMINISTRATOR,
        ];

        /// Hands name, command line option and its help of each line to a macro: for a struct that a derived parser reads,
        /// which must spell its fields out.
        macro_rules! for_each_line {
            ($call:ident) => { $call! { $($name $flag $help)* } };
        }
    };
}

lines! {
    FIRST_NAME first_name {
        label: "First name", short_label: "First name", hint: "", input: "text",
        rest: Some("firstName"),
        papi: Some(Papi { parameter: "UserFirst", element: "userfirst" }),
        column: Some("FirstName"), also_column: &[],
        scim: Some(Scim::Name("givenName")),
        command: first "first name",
        // Wire contract §4.2.
        most: 49, what: "The first name",
    }
    LAST_NAME last_name {
        label: "Last name", short_label: "Last name", hint: "", input: "text",
        rest: Some("lastName"),
        papi: Some(Papi { parameter: "UserLast", element: "userlast" }),
        column: Some("LastName"), also_column: &[],
        scim: Some(Scim::Name("familyName")),
        command: last "last name",
        // Wire contract §4.2.
        most: 49, what: "The last name",
    }
    EMAIL email {
        label: "E-mail address", short_label: "E-mail", hint: "Single sign-on finds people by it too.", input: "email",
        rest: Some("email"),
        papi: Some(Papi { parameter: "UserEmail", element: "useremail" }),
        column: Some("Email"), also_column: &["emailaddress"],
        scim: Some(Scim::List { name: "emails", any_will_do: true }),
        command: email "e-mail address",
        // Wire contract §4.2. Its form is not judged: the contract only caps its length.
        most: 127, what: "The e-mail address",
    }
    PHONE phone {
        label: "Phone number", short_label: "Phone", hint: "", input: "tel",
        rest: Some("phone"),
        // The vendor's API does not have it.
        papi: None,
        column: Some("Phone"), also_column: &["phonenumber"],
        // A mobile or fax number is not taken for it.
        scim: Some(Scim::List { name: "phoneNumbers", any_will_do: false }),
        command: phone "phone number",
        // The contract is silent; our own choice.
        most: 49, what: "The phone number",
    }
}
pub(crate) use for_each_line;

/// What a member is or may; a new one is made in no special state.
pub static STATES: &[&Field] = &[&SUSPENDED, &ACTIVE, &ADMINISTRATOR];

/// What no field but a few has.
const PLAIN: Field = Field {
    name: "",
    label: "",
    short_label: "",
    hint: "",
    input: "text",
    rest: None,
    papi: None,
    column: None,
    also_column: &[],
    scim: None,
    line: None,
    shown: |_| Shown::Secret,
};

pub static ADDRESS: Field = Field {
    name: "address",
    label: "Glance Address",
    short_label: "Glance Address",
    rest: Some("username"),
    papi: Some(Papi { parameter: "UserAddress", element: "useraddress" }),
    column: Some("GlanceAddress"),
    scim: Some(Scim::Attribute("userName")),
    shown: |member| Shown::Text(Some(member.user.address.as_str())),
    ..PLAIN
};

pub static PASSWORD: Field = Field {
    name: "password",
    label: "Password",
    short_label: "Password",
    input: "password",
    rest: Some("password"),
    papi: Some(Papi { parameter: "UserPW", element: "userpw" }),
    column: Some("Password"),
    scim: Some(Scim::Attribute("password")),
    ..PLAIN
};

pub static PUID: Field = Field {
    name: "puid",
    label: "Partner User ID (PUID)",
    short_label: "Partner User ID",
    hint: "The user's ID in your own system. Login keys are made for it; letter case and spaces count.",
    rest: Some("partnerUserId"),
    papi: Some(Papi { parameter: "PartnerUserID", element: "partneruserid" }),
    column: Some("PartnerUID"),
    also_column: &["partneruserid", "puid"],
    scim: Some(Scim::Attribute("externalId")),
    shown: |member| Shown::Text(member.membership.puid.as_ref().map(super::Puid::as_str)),
    ..PLAIN
};

/// Shown by name. Forms and the REST APIs have its number instead; a CSV file has one role for all rows; in SCIM it is a
/// group.
pub static ROLE: Field = Field {
    name: "role",
    label: "Role",
    short_label: "Role",
    rest: Some("roleId"),
    papi: Some(Papi { parameter: "UserRole", element: "userrole" }),
    shown: |member| Shown::Text(member.role_name.as_deref()),
    ..PLAIN
};

pub static SUSPENDED: Field = Field {
    name: "suspended",
    label: "Suspended",
    short_label: "Suspended",
    rest: Some("suspended"),
    papi: Some(Papi { parameter: "UserSuspended", element: "usersuspended" }),
    shown: |member| Shown::Flag(member.membership.suspended),
    ..PLAIN
};

pub static ACTIVE: Field = Field {
    name: "active",
    label: "Active",
    short_label: "Active",
    rest: Some("active"),
    papi: Some(Papi { parameter: "UserActive", element: "useractive" }),
    scim: Some(Scim::Attribute("active")),
    shown: |member| Shown::Flag(member.membership.active),
    ..PLAIN
};

pub static ADMINISTRATOR: Field = Field {
    name: "administrator",
    label: "Administrator of this group",
    short_label: "Administrator",
    hint: "May run this group in the console and through the provisioning API. Needs a password.",
    rest: Some("administrator"),
    shown: |member| Shown::Flag(member.membership.administrator),
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_keeps_to_its_length_in_characters_and_has_codes_of_its_own() {
        for field in LINES {
            let most = field.line.as_ref().map_or(0, |rule| rule.most);
            let code = |text: &str| field.read(text).err().map(|error| (error.code, error.field));
            let refused = |why: &str| Some((format!("{}_{why}", field.name), Some(field.name.to_owned())));
            let said = |text: &str| code(text).map(|(code, field)| (code.to_owned(), field));
            assert_eq!(said(&"ü".repeat(most)), None, "{field:?}");
            assert_eq!(said(&"ü".repeat(most + 1)), refused("too_long"), "{field:?}");
            assert_eq!(said("a\nb"), refused("malformed"), "{field:?}");
            assert_eq!(field.read(" Ann ").ok().as_deref(), Some("Ann"), "{field:?}");
        }
    }

    #[test]
    fn no_two_fields_have_one_name_on_a_surface() {
        let alone = |names: Vec<String>| {
            let mut told_apart: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            told_apart.sort();
            told_apart.dedup();
            assert_eq!(told_apart.len(), names.len(), "{names:?}");
        };
        let all = |name: fn(&Field) -> Option<&str>| {
            alone(FIELDS.iter().filter_map(|f| name(f)).map(str::to_owned).collect())
        };
        all(|field| Some(field.name));
        all(|field| field.rest);
        all(|field| field.papi.map(|papi| papi.parameter));
        let columns =
            FIELDS.iter().flat_map(|field| field.column.into_iter().chain(field.also_column.iter().copied()));
        alone(columns.map(str::to_owned).collect());
        alone(FIELDS.iter().filter_map(|field| field.scim_path()).collect());
    }
}
