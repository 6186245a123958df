//! Every reason for which the gate itself refuses a request, and what the client is told.
//!
//! After a refusal the connection is closed: where framing is in doubt, nothing that follows can be trusted.

/// A rule of the front door that a request broke; one variant a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The request line is not `METHOD target HTTP/1.x` with single spaces (RFC 9112 section 3).
    RequestLine,
    /// The protocol version is neither HTTP/1.0 nor HTTP/1.1.
    Version,
    /// A line ends in a bare LF, or a CR stands alone (RFC 9112 section 2.2).
    LineEnd,
    /// A header field is malformed: space before the colon, folded line, control character (RFC 9112 section 5).
    HeaderField,
    /// A field that must be single comes twice.
    HeaderRepeated,
    /// More header fields than allowed.
    HeadersTooMany,
    /// The head is longer than allowed.
    HeadTooLong,
    /// The request line alone is longer than the head may be.
    TargetTooLong,
    /// The target is not in origin form: a path, perhaps with a query (RFC 9112 section 3.2.1).
    TargetForm,
    /// The path decodes to something ambiguous: bad percent-encoding, not UTF-8, a control character, an
    /// encoded slash or a backslash, a dot segment.
    Path,
    /// An HTTP/1.1 request without Host (RFC 9112 section 3.2).
    HostMissing,
    /// More than one Host.
    HostRepeated,
    /// Host is not a name or address with an optional port.
    HostMalformed,
    /// More than one Content-Length, also when they agree (RFC 9112 section 6.3).
    LengthRepeated,
    /// A Content-Length that is not digits only.
    LengthMalformed,
    /// Content-Length beside Transfer-Encoding (RFC 9112 section 6.1).
    LengthAndCoding,
    /// More than one Transfer-Encoding, or one in HTTP/1.0.
    CodingAmbiguous,
    /// A Transfer-Encoding other than exactly `chunked`.
    CodingUnsupported,
    /// An Expect other than `100-continue`.
    Expectation,
    /// A chunk whose size line, extension or end is malformed.
    Chunk,
    /// A trailer field after the last chunk that is malformed, or more of them than any genuine client sends.
    Trailer,
    /// A body longer than the handler allows.
    BodyTooLong,
    /// The bodies being received fill the memory set aside for them.
    BodiesTooMany,
    /// The head did not arrive in time.
    HeadTooLate,
    /// The body did not arrive in time.
    BodyTooLate,
    /// Plain HTTP arrived where TLS is spoken.
    PlainOnTls,
}

impl Refusal {
    /// Gives the stable code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Gives the HTTP status.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// Gives the sentence for the client.
    pub fn sentence(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::RequestLine => ("request_line", 400, "The request line is malformed."),
            Self::Version => ("version", 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."),
            Self::LineEnd => ("line_end", 400, "Each line of the head must end in CR LF."),
            Self::HeaderField => ("header_field", 400, "A header field is malformed."),
            Self::HeaderRepeated => {
                ("header_repeated", 400, "A header field that must be single is repeated.")
            }
            Self::HeadersTooMany => ("headers_too_many", 431, "There are too many header fields."),
            Self::HeadTooLong => ("head_too_long", 431, "The header fields are too long."),
            Self::TargetTooLong => ("target_too_long", 414, "The address is too long."),
            Self::TargetForm => ("target_form", 400, "The request target must be a path."),
            Self::Path => ("path", 400, "The path is ambiguous or malformed."),
            Self::HostMissing => ("host_missing", 400, "The Host header is missing."),
            Self::HostRepeated => ("host_repeated", 400, "The Host header is repeated."),
            Self::HostMalformed => ("host_malformed", 400, "The Host header is malformed."),
            Self::LengthRepeated => ("length_repeated", 400, "Content-Length is repeated."),
            Self::LengthMalformed => ("length_malformed", 400, "Content-Length is malformed."),
            Self::LengthAndCoding => {
                ("length_and_coding", 400, "Content-Length and Transfer-Encoding exclude each other.")
            }
            Self::CodingAmbiguous => ("coding_ambiguous", 400, "Transfer-Encoding is ambiguous."),
            Self::CodingUnsupported => ("coding_unsupported", 501, "Transfer-Encoding may only be chunked."),
            Self::Expectation => ("expectation", 417, "Expect may only be 100-continue."),
            Self::Chunk => ("chunk", 400, "A chunk of the body is malformed."),
            Self::Trailer => ("trailer", 400, "A trailer field is malformed."),
            Self::BodyTooLong => ("body_too_long", 413, "The body is too long."),
            Self::BodiesTooMany => ("bodies_too_many", 503, "The server is busy. Try again in a moment."),
            Self::HeadTooLate => ("head_too_late", 408, "The request head did not arrive in time."),
            Self::BodyTooLate => ("body_too_late", 408, "The request body did not arrive in time."),
            Self::PlainOnTls => ("plain_on_tls", 400, "This port speaks HTTPS: use an https:// address."),
        }
    }
}
