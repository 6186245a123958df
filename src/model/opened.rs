//! What stood in a form's fields when somebody opened it: so that the second of two who save sees what the first changed.

/// The name of the boxes for settings of a group or a role.
pub const SETTING: &str = "setting";

/// The fields of a form by name, in its order. A box to tick is a field of its own, named `NAME/VALUE` after what it
/// sends, with the value `on` or "".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<(String, String)>);

/// A field that has another value than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub field: String,
    pub before: String,
    pub after: String,
}

/// The name of the field that is a box to tick.
pub fn box_of(name: &str, value: &str) -> String {
    format!("{name}/{value}")
}

impl Values {
    /// Takes fields by name.
    pub fn of<N: Into<String>, V: Into<String>>(fields: impl IntoIterator<Item = (N, V)>) -> Values {
        Values(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Adds a box to tick.
    pub fn and_box(mut self, name: &str, value: &str, ticked: bool) -> Values {
        self.0.push((box_of(name, value), if ticked { "on" } else { "" }.to_owned()));
        self
    }

    /// Only the fields of these names, for a form that has no others.
    pub fn only(mut self, names: &[&str]) -> Values {
        self.0.retain(|(name, _)| names.contains(&name.as_str()));
        self
    }

    /// The value of a field; `None` when there is none of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The fields of this form that have another value in `now`, and the boxes that have come since and are ticked. What
    /// the form never had is not its business.
    pub fn changed_in(&self, now: &Values) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (field, before) in self.iter() {
            let after = now.value(field).unwrap_or_default();
            if after != before {
                let (before, after) = (before.to_owned(), after.to_owned());
                differences.push(Difference { field: field.to_owned(), before, after });
            }
        }
        let come = now
            .iter()
            .filter(|(name, value)| name.contains('/') && !value.is_empty() && self.value(name).is_none());
        differences.extend(come.map(|(field, after)| Difference {
            field: field.to_owned(),
            before: String::new(),
            after: after.to_owned(),
        }));
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_form_had_and_new_boxes_count() {
        let opened = Values::of([("name", "a"), ("phone", "1")]).and_box("setting", "x", true);
        let changed = |now: &Values| {
            let each = opened.changed_in(now).into_iter();
            each.map(|d| format!("{} {} {}", d.field, d.before, d.after)).collect::<Vec<_>>()
        };
        let same = Values::of([("name", "a"), ("phone", "1"), ("email", "new")]);
        assert!(
            changed(&same.clone().and_box("setting", "x", true).and_box("setting", "y", false)).is_empty()
        );
        let now = Values::of([("name", "b"), ("phone", "1")]).and_box("setting", "y", true);
        assert_eq!(changed(&now), ["name a b", "setting/x on ", "setting/y  on"]);
    }
}
