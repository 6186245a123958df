//! The four steps of SSO Configure: which fields stand on which page, and in which order.

use super::fields::{FIELDS, Field, Section};

/// One step: a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    IdentityProvider,
    Keys,
    Request,
    People,
}

impl Step {
    /// Every step, in the order of the bar.
    pub const ALL: [Step; 4] = [Step::IdentityProvider, Step::Keys, Step::Request, Step::People];

    /// The page's title.
    pub fn title(self) -> &'static str {
        match self {
            Step::IdentityProvider => "Identity provider",
            Step::Keys => "Keys",
            Step::Request => "Request and answer",
            Step::People => "People",
        }
    }

    /// The end of the page's address, behind `/sso`.
    pub fn path(self) -> &'static str {
        match self {
            Step::IdentityProvider => "/identity-provider",
            Step::Keys => "/keys",
            Step::Request => "/request",
            Step::People => "/people",
        }
    }

    /// Its name in forms: the address's end without the slash.
    pub fn word(self) -> &'static str {
        self.path().trim_start_matches('/')
    }

    /// The step of this name.
    pub fn named(word: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.word() == word)
    }

    /// The sections of its form: what must be set first.
    pub fn sections(self) -> &'static [Section] {
        match self {
            Step::IdentityProvider => &[Section::Connection],
            Step::Keys => &[],
            Step::Request => &[Section::Request, Section::Answer, Section::Legacy],
            Step::People => &[Section::SignIn, Section::Autoprovisioning],
        }
    }

    /// The fields of its form.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(move |field| self.sections().contains(&field.section))
    }

    /// The step on whose page a field stands.
    pub fn of(field: &Field) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.sections().contains(&field.section))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_stands_on_the_page_of_one_step() {
        for field in FIELDS {
            let steps = Step::ALL.iter().filter(|step| step.sections().contains(&field.section)).count();
            assert_eq!(steps, 1, "{}", field.name);
        }
    }

    #[test]
    fn a_step_is_found_by_its_word() {
        for step in Step::ALL {
            assert_eq!(Step::named(step.word()), Some(step));
        }
        assert_eq!(Step::named(""), None);
    }
}
