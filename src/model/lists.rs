//! What lists are asked for and what they say of a thing: values that the store fills and the console shows.

use super::Group;
use super::sso::Status;

/// How many there are, counted as far as it is cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Exactly(u64),
    MoreThan(u64),
}

impl Count {
    /// What a count says that stopped one above `most`.
    pub fn up_to(counted: u64, most: u32) -> Count {
        let most = u64::from(most);
        if counted > most { Count::MoreThan(most) } else { Count::Exactly(counted) }
    }
}

/// A number with a comma between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// An order of members; those that are equal in it follow by the user's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberOrder {
    pub by: MemberColumn,
    pub descending: bool,
}

/// What members are ordered by; who has none of it comes last in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberColumn {
    /// Last name, then first name.
    Name,
    Address,
    Puid,
    Role,
    SignedIn,
}

/// A group, and what a list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLine {
    pub group: Group,
    pub users: u64,
    /// `None` while single sign-on is off.
    pub sso: Option<Status>,
}

/// What groups are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupColumn {
    Name,
    Number,
    Users,
    Made,
}

/// An order of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupOrder {
    pub by: GroupColumn,
    pub descending: bool,
}

/// Which groups to list.
#[derive(Debug, Clone)]
pub struct GroupQuery {
    /// Words, each in the name or the Unique Account ID, folded, or the beginning of the number; "" for all.
    pub search: String,
    /// Only groups whose single sign-on is on, or only those whose is off.
    pub sso: Option<bool>,
    pub order: GroupOrder,
    pub offset: u32,
    pub limit: u32,
}

/// What goes when a group goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belongings {
    pub users: u64,
    /// Of these, who is a member of no other group.
    pub only_here: u64,
    pub roles: u64,
    pub scim_tokens: u64,
    pub identity_provider_keys: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_a_comma_between_them() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), shown);
        }
    }
}
