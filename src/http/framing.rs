//! Who may show our pages in a frame: the sites that the group allows, which the request names or whose member was
//! signed in; nobody else. Content Security Policy Level 3, `frame-ancestors`.

use super::answer;
use super::credentials::Fields;
use super::router::App;
use crate::desk::sso::GroupSelector;
use crate::error::Result;
use crate::gate::Response;
use crate::model::GroupId;

/// The policy of a page that may be framed, but for who may.
const PAGE: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; \
     base-uri 'none'";

type Selector = fn(String) -> GroupSelector;

/// The parameters that name a group, the first that comes decides; as for single sign-on, which knows no Partner ID. A
/// parameter that names a person names no group.
const NAMING: [(&str, Selector); 5] = [
    ("idpid", GroupSelector::Number),
    ("idpname", GroupSelector::Name),
    ("idptoken", GroupSelector::AccountId),
    ("groupid", GroupSelector::Number),
    ("partnerid", GroupSelector::Number),
];

/// Whether a parameter of this name, in any case, names a group.
pub fn names_a_group(parameter: &str) -> bool {
    NAMING.iter().any(|(name, _)| name.eq_ignore_ascii_case(parameter))
}

/// The group that a request names; `None` when it names none, or by a name that no group has. A number is not looked up.
///
/// # Errors
/// `Fault` when the database fails.
pub fn named_group(app: &App, fields: &Fields<'_>) -> Result<Option<GroupId>> {
    let named =
        NAMING.into_iter().find_map(|(name, selector)| Some(selector(fields.filled(name)?.into_owned())));
    named.map_or(Ok(None), |selector| app.desk.sso.sso_group(&selector))
}

/// The sites that may frame a page for this group; none where no group is meant.
///
/// # Errors
/// `Fault` when the database fails.
pub fn sites_of(app: &App, group: Option<GroupId>) -> Result<Vec<String>> {
    group.map_or_else(|| Ok(Vec::new()), |group| app.desk.people.allowed_sites(group))
}

/// The directive that lets only these sites frame a page.
pub fn ancestors(sites: &[String]) -> String {
    let sites = if sites.is_empty() { "'none'".to_owned() } else { sites.join(" ") };
    format!("frame-ancestors {sites}")
}

/// Lets only these sites frame a page.
pub fn framed_by(response: Response, sites: &[String]) -> Response {
    answer::with(response, "Content-Security-Policy", &format!("{PAGE}; {}", ancestors(sites)))
}
