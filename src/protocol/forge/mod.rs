//! The forge: what an identity provider answers, genuine or spoilt in one named way.
//!
//! A [`Recipe`] is one fault: a name, what it does in one sentence, where it was seen, what Sidelight answers to it, how
//! a service provider is repaired that lets it pass, and what it can be thrown at. [`TABLE`] has all of them; the
//! tests of the verdict run all of it, each recipe has a file in `tests/fixtures/saml/rejected`, and anyone who sends
//! faults takes them from here. A [`Forge`] has the keys and the [`Occasion`]: who answers whom, about whom, and when.
//!
//! Documents are put together as text on purpose: an attacker is not bound to what a serialiser would write.

mod addressing;
mod encryption;
mod parser;
mod parts;
mod protocol;
mod signer;
mod structure;
mod time;
mod trust;
mod wrapping;

pub use encryption::encrypted;
pub use parts::{Parts, audience, confirmation};
pub use signer::{
    ECDSA_SHA256, EXCLUSIVE, Forge, ForgeFail, ForgeKeys, ForgingKey, INCLUSIVE, Occasion, OccasionAttribute,
    RSA_SHA1, RSA_SHA256, RSA_SHA384, RSA_SHA512, SHA1, SHA256, SIGNER, Signer, cut, first_assertion,
    first_signature,
};

/// What kind of fault a recipe is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Time,
    Addressing,
    Trust,
    Wrapping,
    Parser,
    Encryption,
    Protocol,
    Structure,
}

impl Family {
    /// The word for it in lists.
    pub fn name(self) -> &'static str {
        match self {
            Family::Time => "time",
            Family::Addressing => "addressing",
            Family::Trust => "trust",
            Family::Wrapping => "wrapping",
            Family::Parser => "parser",
            Family::Encryption => "encryption",
            Family::Protocol => "protocol",
            Family::Structure => "structure",
        }
    }

    /// How a service provider is repaired that accepts a fault of this family.
    pub fn repair(self) -> &'static str {
        match self {
            Family::Time => {
                "Compare every instant with the clock, allow a few minutes of skew and no more, and refuse a value that is \
                 missing or cannot be read."
            }
            Family::Addressing => {
                "Compare audience, recipient, destination and issuer with your own values as whole strings, and refuse a \
                 response that leaves one of them out."
            }
            Family::Trust => {
                "Verify with the keys from the identity provider's metadata only. Keep a short list of signature algorithms \
                 and transforms, and ignore every key that comes with the message."
            }
            Family::Wrapping => {
                "Parse once, and read the identity only from the very element that the signature check hands back. Refuse a \
                 document with more than one assertion, or with one where none belongs."
            }
            Family::Parser => {
                "Use one strict parser for the signature and for reading. Refuse document types, comments inside of values, \
                 and everything that two parsers could read in two ways."
            }
            Family::Encryption => {
                "Encryption proves nothing about the sender: check a signature by the identity provider after decrypting. \
                 Give one and the same answer to everything that does not decrypt."
            }
            Family::Protocol => {
                "Keep the ID of each request in the user's browser session, take each answer once, and refuse what no \
                 request of yours asked for, unless you allow sign-ins that begin at the identity provider."
            }
            Family::Structure => {
                "Check the response against the SAML schema's rules before anything of it is used: versions, the number of \
                 each element, and what must not be empty."
            }
        }
    }
}

/// What a service provider must have for a recipe to be thrown at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// An ACS that takes a response by POST.
    Acs,
    /// It starts the sign-in itself, so that there is a request to answer.
    Request,
    /// It has published a key to encrypt to.
    EncryptionKey,
    /// It trusts a second key of the identity provider, on the curve P-256.
    EllipticKey,
}

impl Needs {
    /// In words, for lists.
    pub fn sentence(self) -> &'static str {
        match self {
            Needs::Acs => "any service provider that takes a response by POST",
            Needs::Request => "a service provider that starts the sign-in itself",
            Needs::EncryptionKey => "a service provider with a published encryption key",
            Needs::EllipticKey => {
                "a service provider that trusts an elliptic curve key of the identity provider"
            }
        }
    }
}

/// Makes the document of a recipe.
pub type Make = fn(&Forge) -> Result<String, ForgeFail>;

/// One named fault.
#[derive(Clone, Copy)]
pub struct Recipe {
    /// In lower case, with `_`: the same word in lists, fixtures, interfaces and reports.
    pub name: &'static str,
    /// What it does.
    pub sentence: &'static str,
    /// Where it was seen, or the clause that it breaks.
    pub source: &'static str,
    /// The code that Sidelight refuses it with.
    pub reject: &'static str,
    pub needs: Needs,
    pub make: Make,
}

impl Recipe {
    const fn needing(self, needs: Needs) -> Recipe {
        Recipe { needs, ..self }
    }
}

const fn recipe(
    name: &'static str,
    reject: &'static str,
    sentence: &'static str,
    source: &'static str,
    make: Make,
) -> Recipe {
    Recipe { name, sentence, source, reject, needs: Needs::Acs, make }
}

/// The whole table.
pub const TABLE: &[(Family, &[Recipe])] = &[
    (Family::Time, time::RECIPES),
    (Family::Addressing, addressing::RECIPES),
    (Family::Trust, trust::RECIPES),
    (Family::Wrapping, wrapping::RECIPES),
    (Family::Parser, parser::RECIPES),
    (Family::Encryption, encryption::RECIPES),
    (Family::Protocol, protocol::RECIPES),
    (Family::Structure, structure::RECIPES),
];

/// All recipes, family by family.
pub fn recipes() -> impl Iterator<Item = &'static Recipe> {
    TABLE.iter().flat_map(|(_, recipes)| recipes.iter())
}

/// The recipe of this name, and its family.
pub fn named(name: &str) -> Option<(Family, &'static Recipe)> {
    let mut all = TABLE.iter().flat_map(|(family, recipes)| recipes.iter().map(|recipe| (*family, recipe)));
    all.find(|(_, recipe)| recipe.name == name)
}
