//! What a file changes of a person, field by field, in bounded memory.

use std::cell::Cell;

use crate::model::person::{self, PASSWORD};

/// Bytes, about, of all old and new values of one file: enough for 100,000 users of whom three fields change. Of
/// later rows only the names of the fields are kept.
const VALUES_ROOM: usize = 32 << 20;

/// A field that gets another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// By the house's name.
    pub field: &'static str,
    /// `None` for a password, and where the file changes too much to keep all.
    pub values: Option<OldAndNew>,
}

/// The two values of a field; "" for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldAndNew {
    pub old: Box<str>,
    pub new: Box<str>,
}

impl FieldChange {
    /// A new password, of which nothing is told.
    pub fn password() -> FieldChange {
        FieldChange { field: PASSWORD.name, values: None }
    }

    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let values = self.values.as_ref().map_or(0, |values| values.old.len() + values.new.len());
        size_of::<FieldChange>() + values
    }

    /// The field, in words.
    pub fn words(&self) -> &'static str {
        person::field(self.field).map_or(self.field, |field| field.short_label)
    }
}

/// The room that is left for old and new values.
pub struct Room(Cell<usize>);

impl Default for Room {
    fn default() -> Room {
        Room(Cell::new(VALUES_ROOM))
    }
}

impl Room {
    /// Keeps a change, with its values while there is room.
    pub fn change(&self, field: &'static str, old: &str, new: &str) -> FieldChange {
        let values = Some(OldAndNew { old: old.into(), new: new.into() });
        let change = FieldChange { field, values };
        match self.0.get().checked_sub(change.bytes()) {
            Some(left) => {
                self.0.set(left);
                change
            }
            None => {
                self.0.set(0);
                FieldChange { field, values: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_while_there_is_room_and_fields_are_named_always() {
        let room = Room::default();
        let long = "x".repeat(100);
        let changes: Vec<FieldChange> = (0..300_000).map(|_| room.change("email", &long, &long)).collect();
        let kept = changes.iter().filter(|change| change.values.is_some()).count();
        assert!((100_000..200_000).contains(&kept), "{kept}");
        assert!(changes.iter().take(kept).all(|change| change.values.is_some()), "the first ones");
        assert!(changes.iter().all(|change| change.field == "email"));
        let bytes: usize = changes.iter().take(kept).map(FieldChange::bytes).sum();
        assert!(bytes <= VALUES_ROOM);
    }
}
