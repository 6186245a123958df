//! The numbered rules that a response is judged by, in the order of the standard.
//!
//! A table: number, name and clause. What each rule demands is in the file named beside it. The clauses
//! are those of the SAML 2.0 documents of OASIS with the approved errata.

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident $name:literal $clause:literal,)*) => {
        /// One rule; its number in the list of checks is its place here, from 1.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $($(#[$doc])* $variant,)* }

        impl Rule {
            /// Every rule, in order.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)*];

            /// The rule in a few words.
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$variant => $name,)* }
            }

            /// The clause that demands it.
            pub const fn clause(self) -> &'static str {
                match self { $(Rule::$variant => $clause,)* }
            }
        }
    };
}

rules! {
    /// `bindings.rs`
    Message "Message encoding" "Bindings 3.5.4",
    /// `protocol/xml`
    Document "XML document" "XML 1.0; Core 1.1",
    /// `envelope.rs`
    Response "Response element" "Core 3.3.3",
    /// `envelope.rs`
    Version "Version" "Core 3.2.2",
    /// `envelope.rs`
    Status "Status" "Core 3.2.2.2",
    /// `envelope.rs`
    ResponseIssuer "Response issuer" "Profiles 4.1.4.2",
    /// `envelope.rs`
    Destination "Destination" "Bindings 3.5.5.2",
    /// `envelope.rs`
    InResponseTo "In response to" "Core 3.2.2",
    /// `envelope.rs`
    OneAssertion "One assertion" "Profiles 4.1.4.2",
    /// `trust.rs`
    SignaturePlace "Signature placement" "Profiles 4.1.4.2; Core 5.4.1",
    /// `trust.rs`
    ResponseSignature "Response signature" "Core 5.4; XML Signature 3.2",
    /// `trust.rs`
    Decryption "Decryption" "Core 6.1; XML Encryption 4.2",
    /// `trust.rs`
    AssertionSignature "Assertion signature" "Core 5.4; XML Signature 3.2",
    /// `trust.rs`
    Coverage "Signature coverage" "Profiles 4.1.4.3",
    /// `assertion.rs`
    AssertionVersion "Assertion version" "Core 2.3.3",
    /// `assertion.rs`
    AssertionIssuer "Assertion issuer" "Profiles 4.1.4.2",
    /// `subject.rs`
    Bearer "Bearer confirmation" "Profiles 4.1.4.2",
    /// `subject.rs`
    Recipient "Recipient" "Profiles 4.1.4.3",
    /// `subject.rs`
    ConfirmationTime "Confirmation time" "Profiles 4.1.4.3",
    /// `subject.rs`
    ConfirmationAnswer "Confirmation in response to" "Profiles 4.1.4.3",
    /// `conditions.rs`
    Conditions "Conditions" "Core 2.5.1.1",
    /// `conditions.rs`
    NotBefore "Not before" "Core 2.5.1.2",
    /// `conditions.rs`
    NotOnOrAfter "Not on or after" "Core 2.5.1.2",
    /// `conditions.rs`
    Audience "Audience" "Core 2.5.1.4; Profiles 4.1.4.2",
    /// `statements.rs`
    AuthnStatement "Authentication statement" "Profiles 4.1.4.2; Core 2.7.2",
    /// `statements.rs`
    Session "Session end" "Core 2.7.2",
    /// `subject.rs`
    NameId "NameID" "Core 2.2.2",
    /// `statements.rs`
    Attributes "Attributes" "Core 2.7.3",
}

impl Rule {
    /// The rule's number, from 1.
    pub fn number(self) -> u16 {
        self as u16 + 1
    }
}
