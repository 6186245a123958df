//! What a click on a group's tile in the identity provider's portal would do.

/// The outcome of a click, as far as the configuration decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortalTile {
    /// It signs in and opens this path of this server.
    Opens { path: String },
    /// It signs in and shows the login key as text. Users without a Partner User ID are refused.
    ShowsLoginKey { repair: String },
    /// Everybody is refused.
    Refused { because: String, repair: String },
}

impl PortalTile {
    /// Whether people end where they can go on.
    pub fn works(&self) -> bool {
        matches!(self, PortalTile::Opens { .. })
    }

    /// The outcome, in one sentence.
    pub fn sentence(&self) -> String {
        match self {
            PortalTile::Opens { path } => format!("A click on the portal tile opens {path}."),
            PortalTile::ShowsLoginKey { .. } => {
                "A click on the portal tile shows the login key as text, and refuses users without a Partner User ID."
                    .to_owned()
            }
            PortalTile::Refused { because, .. } => {
                format!("A click on the portal tile would be refused, because {because}.")
            }
        }
    }

    /// What to change, in one sentence; "" where people end where they can go on.
    pub fn repair(&self) -> &str {
        match self {
            PortalTile::Opens { .. } => "",
            PortalTile::ShowsLoginKey { repair } | PortalTile::Refused { repair, .. } => repair,
        }
    }
}
