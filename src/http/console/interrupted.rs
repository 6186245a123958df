//! A form that came after its session had ended: what was typed goes along through the sign-in, sealed.

use super::super::form::Params;
use super::super::router::Call;
use crate::pages::form::TOKEN_FIELD;

/// What never goes along: secrets, and what only the button that was pressed has.
const NEVER: [&str; 7] = [TOKEN_FIELD, "password", "again", "current", "api_key", "confirmed", "go"];
/// Most bytes that go along: the page of the sign-in carries a third more, and its form takes 64 KiB.
const MOST: usize = 32 * 1024;

/// A form that was not saved.
pub struct Interrupted {
    /// The page on which it was filled in, with its query; "" when the browser did not say.
    pub page: String,
    /// Where it was sent, without a query.
    pub action: String,
    pub values: Vec<(String, String)>,
}

impl Interrupted {
    /// What `form`, the body of `call`, would have changed. `page` is where it came from.
    pub fn of(call: &Call<'_>, form: &Params<'_>, page: String) -> Interrupted {
        let values = form.iter().filter(|(name, _)| !NEVER.contains(name));
        let values = values.map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
        Interrupted { page, action: call.request.path.clone(), values }
    }

    /// As text; `None` when it is too long to go along.
    pub fn to_text(&self) -> Option<String> {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.append_pair("page", &self.page).append_pair("action", &self.action).extend_pairs(&self.values);
        Some(text.finish()).filter(|text| text.len() <= MOST)
    }

    /// Reads [`Interrupted::to_text`].
    pub fn parse(text: &str) -> Option<Interrupted> {
        let mut pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
        let (page, action) = (pairs.next()?.1, pairs.next()?.1);
        Some(Interrupted { page, action, values: pairs.collect() })
    }

    /// The pages that may have the form, the likeliest first.
    pub fn pages(&self) -> Vec<&str> {
        let parents =
            std::iter::successors(Some(self.action.as_str()), |path| Some(path.rsplit_once('/')?.0));
        let parents = parents.take_while(|path| path.len() > "/console".len()).take(4);
        Some(self.page.as_str()).filter(|page| !page.is_empty()).into_iter().chain(parents).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_typed_survives_as_text_and_its_size_is_bounded() {
        let value = |length: usize| vec![("a".to_owned(), "&=é\n".repeat(length))];
        let form = |length| Interrupted {
            page: "/console/groups/7/users?search=a%26b".into(),
            action: "/console/groups/7/users/5/password".into(),
            values: value(length),
        };
        let read = Interrupted::parse(&form(3).to_text().unwrap()).unwrap();
        assert_eq!((read.page, read.action, read.values), (form(3).page, form(3).action, value(3)));
        assert!(form(MOST).to_text().is_none() && Interrupted::parse("").is_none());
        let pages = form(1);
        let want = [
            "/console/groups/7/users?search=a%26b",
            "/console/groups/7/users/5/password",
            "/console/groups/7/users/5",
            "/console/groups/7/users",
            "/console/groups/7",
        ];
        assert_eq!(pages.pages(), want);
    }
}
