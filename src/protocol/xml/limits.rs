//! How large an XML document may be.

/// How large a document may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Elements inside each other.
    pub depth: usize,
    /// Elements, pieces of text, comments and instructions together.
    pub nodes: usize,
    /// Attributes and namespace declarations of one element.
    pub attributes: usize,
    /// Different prefixes in the whole document: they are looked up one by one.
    pub prefixes: usize,
    /// Bytes of one namespace name: a canonical form may repeat it for every element and attribute that uses it,
    /// and grow to as many times the size of the document as this has bytes for each of theirs.
    pub namespace_bytes: usize,
}

impl Limits {
    /// For protocol messages: many times what the largest genuine response has.
    pub const ASSERTION: Limits = Limits {
        bytes: 256 * 1024,
        depth: 32,
        nodes: 10_000,
        attributes: 64,
        prefixes: 64,
        namespace_bytes: 256,
    };

    /// For metadata, which an administrator uploads: the aggregate of a federation has megabytes.
    pub const METADATA: Limits = Limits {
        bytes: 16 * 1024 * 1024,
        depth: 64,
        nodes: 1_000_000,
        attributes: 64,
        prefixes: 256,
        namespace_bytes: 256,
    };
}
