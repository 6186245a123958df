//! ShowUsers and ShowRoles. Wire contract §4.5 and §4.6.

use super::Partner;
use super::document::{self, Document};
use super::parameters::Parameters;
use crate::desk::ground::fields::is_none_word;
use crate::error::{Error, Result};
use crate::http::router::App;
use crate::model::queries::{MemberQuery, RoleMatch, TextMatch};
use crate::model::{GLANCE_ADDRESS_MAX, PUID_MAX, UserId};

/// Users of one page. Wire contract §4.5.
const PAGE_COUNT: std::ops::RangeInclusive<u32> = 1..=1_000;
/// Most characters of PageStart. Wire contract §4.5.
const PAGE_START_MAX: usize = 15;
/// Most characters of UserRole in ShowUsers. Wire contract §4.5.
const ROLE_MAX: usize = 255;

pub(super) fn users(app: &App, partner: &Partner, parameters: &Parameters<'_>) -> Result<Document> {
    let query = query(parameters)?;
    let page = app.desk.people.show_members(&partner.caller, partner.group, &query)?;
    Ok(document::users(&page.members, page.next.map(|last| token(last.0))))
}

pub(super) fn roles(app: &App, partner: &Partner, _: &Parameters<'_>) -> Result<Document> {
    let (views, without) = app.desk.people.show_roles(&partner.caller, partner.group)?;
    Ok(document::roles(&views, without))
}

fn query(parameters: &Parameters<'_>) -> Result<MemberQuery> {
    let puid = criterion(parameters, "PartnerUserID", PUID_MAX)?;
    let address = criterion(parameters, "UserAddress", GLANCE_ADDRESS_MAX)?;
    let role = criterion(parameters, "UserRole", ROLE_MAX)?;
    Ok(MemberQuery {
        puid: puid.map(|text| match pattern(&text) {
            _ if is_none_word(&text) => TextMatch::Absent,
            // Whole PUIDs name users, and name them as DeleteUser does; parts of them search.
            TextMatch::Is(puid) => TextMatch::Exactly(puid),
            part => part,
        }),
        address: address.map(|text| pattern(&text)),
        role: role
            .map(|text| if is_none_word(&text) { RoleMatch::None } else { RoleMatch::Named(pattern(&text)) }),
        after: page_start(parameters)?,
        limit: page_count(parameters)?,
        ..MemberQuery::default()
    })
}

fn criterion(parameters: &Parameters<'_>, name: &str, most: usize) -> Result<Option<String>> {
    match parameters.filled(name)? {
        Some(text) if text.chars().count() > most => {
            let code = match name {
                "PartnerUserID" => "puid_too_long",
                "UserAddress" => "address_too_long",
                _ => "role_too_long",
            };
            Err(Error::invalid(code, name, format!("{name} has more than {most} characters.")))
        }
        text => Ok(text),
    }
}

/// A star first or last stands for anything; anywhere else it is a star. Wire contract §11 Q3.
fn pattern(text: &str) -> TextMatch {
    match (text.strip_prefix('*'), text.strip_suffix('*')) {
        (None, None) => TextMatch::Is(text.to_owned()),
        (None, Some(begin)) => TextMatch::Begins(begin.to_owned()),
        (Some(end), None) => TextMatch::Ends(end.to_owned()),
        (Some(rest), Some(_)) => TextMatch::Has(rest.strip_suffix('*').unwrap_or("").to_owned()),
    }
}

fn page_count(parameters: &Parameters<'_>) -> Result<u32> {
    let text = parameters.filled("PageCount")?.ok_or_else(|| {
        let public = "PageCount, from 1 to 1000, is missing.";
        Error::invalid("page_count_required", "PageCount", public)
    })?;
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|count| digits && PAGE_COUNT.contains(count)).ok_or_else(|| {
        Error::invalid("page_count_out_of_range", "PageCount", "PageCount is not a number from 1 to 1000.")
    })
}

fn page_start(parameters: &Parameters<'_>) -> Result<Option<UserId>> {
    let Some(text) = parameters.filled("PageStart")? else { return Ok(None) };
    if text.chars().count() > PAGE_START_MAX {
        let public = format!("PageStart has more than {PAGE_START_MAX} characters.");
        return Err(Error::invalid("page_start_too_long", "PageStart", public));
    }
    let unknown = || {
        let public = "PageStart is not a value from an earlier page.";
        Error::invalid("page_start_unknown", "PageStart", public)
    };
    untoken(&text).map(|id| Some(UserId(id))).ok_or_else(unknown)
}

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The PageStart after the user with this number: the number in base 36, and two digits more that tell a
/// token of ours from something typed. At most 15 characters.
fn token(id: i64) -> String {
    let number = id.unsigned_abs();
    base36(number) + &format!("{:0>2}", base36(check_number(number)))
}

fn untoken(text: &str) -> Option<i64> {
    let (number, check) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let number = u64::from_str_radix(number, 36).ok()?;
    let genuine = u64::from_str_radix(check, 36).ok()? == check_number(number);
    i64::try_from(number).ok().filter(|_| genuine && !text.starts_with('+') && !check.starts_with('+'))
}

fn check_number(number: u64) -> u64 {
    // A prime below 36², so that two digits hold it; the factor spreads neighbours.
    (number % 1_291 * 577 + 211) % 1_291
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = usize::try_from(number % 36).unwrap_or(0);
        digits.push(DIGITS.get(digit).copied().map_or('0', char::from));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_start_is_opaque_short_and_only_ever_ours() {
        for id in [0, 1, 35, 36, 1_000_000, i64::MAX] {
            let text = token(id);
            assert!(text.len() <= PAGE_START_MAX, "{text}");
            assert_eq!(untoken(&text), Some(id));
        }
        for foreign in ["", "1", "1000", "+1a", "zzzzzzzzzzzzzzz", "ä1", "-5"] {
            assert_eq!(untoken(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_star_counts_first_or_last_and_nowhere_else() {
        let check = |text: &str, expected: TextMatch| assert_eq!(pattern(text), expected, "{text}");
        check("Sales*", TextMatch::Begins("Sales".into()));
        check("*34", TextMatch::Ends("34".into()));
        check("*.ri.example.glance.net", TextMatch::Ends(".ri.example.glance.net".into()));
        check("*mid*", TextMatch::Has("mid".into()));
        check("*", TextMatch::Has(String::new()));
        check("a*b", TextMatch::Is("a*b".into()));
        check("plain", TextMatch::Is("plain".into()));
    }
}
