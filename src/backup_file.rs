//! The backup file: one tar file with the database, the files that belong to it, and what they must be.
//!
//! Entries stand in this order: `manifest.json`, the parts, `SHA256SUMS`. Public tools open it: `tar xf FILE`, then
//! `sha256sum -c SHA256SUMS`. [`read`] accepts only what [`write`] would write, byte by byte: names, order, headers,
//! padding and end. So a file that was damaged anywhere is refused, also where tar would not mind.
//!
//! Knows nothing of SQLite and of what the parts mean.

pub mod place;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};

/// The format that this program writes and reads.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";
/// The names that a part may have. A name is also the part's file name in a data directory.
pub const PARTS: [&str; 4] = ["sidelight.db", SEALED_KEY, "tls-certificate.pem", "tls-key.pem"];
/// The key file, sealed to an age recipient. The one part that does not go into a data directory as it is.
pub const SEALED_KEY: &str = "sidelight.key.age";
/// The longest manifest or list of sums that is read, in bytes.
const LONGEST_TEXT: u64 = 1 << 20;
/// The unit of tar: headers are so long, and contents are padded to a multiple of it.
const BLOCK: usize = 512;
/// The zero blocks at the end of a tar file.
const END: usize = 2 * BLOCK;
/// Bytes that are copied at once.
const CHUNK: usize = 256 * 1024;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// The version of the program that made it, such as `0.1.0`.
    pub program: String,
    /// When the database was in this state: milliseconds since 1970 in UTC.
    pub made_at: i64,
    /// `production` or `lab`.
    pub mode: String,
    /// The version of the database's schema.
    pub schema: i32,
    /// The rows of each table.
    pub rows: BTreeMap<String, i64>,
    /// The fingerprint of the key file that the database needs.
    pub key: String,
    /// The age recipient whose identity opens the key file in the backup, if that is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_sealed_to: Option<String>,
    /// The parts in the order of the file.
    pub parts: Vec<Part>,
}

/// One file inside a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    pub bytes: u64,
    /// In lower-case hex.
    pub sha256: String,
}

impl Manifest {
    /// A manifest of this program's format, still without parts.
    pub fn new(made_at: i64, mode: &str, schema: i32, rows: BTreeMap<String, i64>, key: String) -> Manifest {
        Manifest {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            mode: mode.to_owned(),
            schema,
            rows,
            key,
            key_sealed_to: None,
            parts: Vec::new(),
        }
    }

    /// Whether a part of this name is in the backup.
    pub fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }
}

/// Writes a backup to `out`: `manifest`, completed by the parts, then each part from its file, then the sums.
/// Gives back the manifest as written.
///
/// # Errors
/// What the system says when a file cannot be read or `out` not be written.
pub fn write(out: &mut impl Write, mut manifest: Manifest, parts: &[(&str, &Path)]) -> io::Result<Manifest> {
    for (name, path) in parts {
        let mut file = File::open(path)?;
        let (bytes, sha256) = copy_hashed(&mut file, &mut io::sink())?;
        manifest.parts.push(Part { name: (*name).to_owned(), bytes, sha256 });
    }
    let text = serde_json::to_vec_pretty(&manifest)?;
    write_entry(out, MANIFEST, text.len() as u64, &mut text.as_slice())?;
    for ((name, path), part) in parts.iter().zip(&manifest.parts) {
        let sha256 = write_entry(out, name, part.bytes, &mut File::open(path)?)?;
        if sha256 != part.sha256 {
            return Err(io::Error::other(format!("{} changed while it was copied", path.display())));
        }
    }
    let sums = sums(&text, &manifest);
    write_entry(out, SUMS, sums.len() as u64, &mut sums.as_bytes())?;
    out.write_all(&[0; END])?;
    Ok(manifest)
}

/// Reads the backup `file` and writes its parts into `directory`, each under its name, mode 0600. Parts are written
/// while they are read: after an error, what stands in `directory` is worth nothing.
///
/// # Errors
/// `Invalid` with code `backup_damaged`, which names the place; `backup_newer` for a format that this program does not
/// know; `Fault` with code `cannot_restore` when a file cannot be written.
pub fn read(file: &Path, directory: &Path) -> Result<Manifest> {
    let opened = File::open(file).map_err(|e| {
        let public = format!("The backup {} cannot be read: {e}.", file.display());
        Error::new(Kind::NotFound, "backup_unreadable", public)
    })?;
    let mut source = Source { from: io::BufReader::with_capacity(CHUNK, opened), file };
    let text = source.text(MANIFEST)?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|e| source.unknown_manifest(&text, &e.to_string()))?;
    source.judge(&manifest)?;
    for part in &manifest.parts {
        source.part(part, directory)?;
    }
    if source.text(SUMS)? != sums(&text, &manifest).as_bytes() {
        return Err(source.damaged("SHA256SUMS does not agree with manifest.json"));
    }
    source.zeros(END, "its end")?;
    let mut behind = [0];
    match source.from.read(&mut behind) {
        Ok(0) => Ok(manifest),
        Ok(_) => Err(source.damaged("something stands behind its end")),
        Err(e) => Err(source.damaged(&format!("it cannot be read to its end: {e}"))),
    }
}

/// A backup while it is read.
struct Source<'f> {
    from: io::BufReader<File>,
    file: &'f Path,
}

impl Source<'_> {
    fn damaged(&self, why: &str) -> Error {
        let public = format!("The backup {} is damaged: {why}. Take another backup.", self.file.display());
        Error::new(Kind::Invalid, "backup_damaged", public)
    }

    fn unknown_manifest(&self, text: &[u8], why: &str) -> Error {
        #[derive(Deserialize)]
        struct Any {
            format: u32,
        }
        match serde_json::from_slice::<Any>(text) {
            Ok(Any { format }) if format != FORMAT => self.other_format(format),
            _ => self.damaged(&format!("{MANIFEST} cannot be read ({why})")),
        }
    }

    fn other_format(&self, format: u32) -> Error {
        let public = format!(
            "The backup {} is of format {format}; this program knows format {FORMAT}. Restore it with the program that \
             made it, or a newer one.",
            self.file.display()
        );
        Error::new(Kind::Invalid, "backup_newer", public)
    }

    /// The parts are ones that belong into a data directory, each once, the database first.
    fn judge(&self, manifest: &Manifest) -> Result<()> {
        if manifest.format != FORMAT {
            return Err(self.other_format(manifest.format));
        }
        let names: Vec<&str> = manifest.parts.iter().map(|part| part.name.as_str()).collect();
        let known = names.iter().all(|name| PARTS.contains(name));
        let once = names.iter().enumerate().all(|(at, name)| !names.iter().take(at).any(|n| n == name));
        let key_as_said = manifest.key_sealed_to.is_some() == manifest.has(SEALED_KEY);
        if known && once && key_as_said && names.first() == PARTS.first() {
            return Ok(());
        }
        Err(self.damaged(&format!("{MANIFEST} names parts that do not belong into a backup")))
    }

    /// The content of a short entry.
    fn text(&mut self, name: &str) -> Result<Vec<u8>> {
        let bytes = self.header(name)?;
        if bytes > LONGEST_TEXT {
            return Err(self.damaged(&format!("{name} is too long")));
        }
        let mut text = Vec::new();
        let read = self.from.by_ref().take(bytes).read_to_end(&mut text);
        if read.is_err() || text.len() as u64 != bytes {
            return Err(self.damaged(&format!("{name} is cut off")));
        }
        self.padding(bytes, name)?;
        Ok(text)
    }

    fn part(&mut self, part: &Part, directory: &Path) -> Result<()> {
        if self.header(&part.name)? != part.bytes {
            return Err(self.damaged(&format!("{} is not as long as {MANIFEST} says", part.name)));
        }
        let path = directory.join(&part.name);
        let unwritten = |e: &io::Error| {
            let public = format!("{} cannot be written: {e}.", path.display());
            Error::new(Kind::Fault, "cannot_restore", public)
        };
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut out = made.map_err(|e| unwritten(&e))?;
        let mut left = part.bytes;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK];
        while left > 0 {
            let most = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = self.from.read(chunk.get_mut(..most).unwrap_or_default());
            let got = match read.map(|read| chunk.get(..read).unwrap_or_default()) {
                Ok([]) => return Err(self.damaged(&format!("{} is cut off", part.name))),
                Ok(got) => got,
                Err(e) => return Err(self.damaged(&format!("{} cannot be read: {e}", part.name))),
            };
            hash.update(got);
            out.write_all(got).map_err(|e| unwritten(&e))?;
            left -= got.len() as u64;
        }
        out.sync_all().map_err(|e| unwritten(&e))?;
        if hex(&hash.finalize()) != part.sha256 {
            return Err(
                self.damaged(&format!("{} does not have the SHA-256 that {MANIFEST} names", part.name))
            );
        }
        self.padding(part.bytes, &part.name)
    }

    /// The length of the content that follows. The header must be the one that is written for it.
    fn header(&mut self, name: &str) -> Result<u64> {
        let mut block = [0; BLOCK];
        self.from.read_exact(&mut block).map_err(|_| self.damaged(&format!("{name} is cut off")))?;
        let found = tar::Header::from_byte_slice(&block);
        let bytes = found.entry_size().unwrap_or(u64::MAX);
        let expected = header(name, bytes).map(|header| *header.as_bytes());
        match expected {
            Ok(expected) if expected == block => Ok(bytes),
            _ => Err(self.damaged(&format!("the header of {name} is not as it was written"))),
        }
    }

    fn padding(&mut self, bytes: u64, name: &str) -> Result<()> {
        self.zeros(padding(bytes), &format!("what follows {name}"))
    }

    fn zeros(&mut self, count: usize, what: &str) -> Result<()> {
        let mut found = vec![0; count];
        match self.from.read_exact(&mut found) {
            Ok(()) if found.iter().all(|byte| *byte == 0) => Ok(()),
            _ => Err(self.damaged(&format!("{what} is not as it was written"))),
        }
    }
}

fn header(name: &str, bytes: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_cksum();
    Ok(header)
}

fn padding(bytes: u64) -> usize {
    usize::try_from(bytes.next_multiple_of(BLOCK as u64) - bytes).unwrap_or_default()
}

fn write_entry(out: &mut impl Write, name: &str, bytes: u64, content: &mut impl Read) -> io::Result<String> {
    out.write_all(header(name, bytes)?.as_bytes())?;
    let (written, sha256) = copy_hashed(&mut content.take(bytes), out)?;
    if written != bytes {
        return Err(io::Error::other(format!("{name} became shorter while it was copied")));
    }
    out.write_all(&vec![0; padding(bytes)])?;
    Ok(sha256)
}

fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let read = from.read(&mut chunk)?;
        let Some(got) = chunk.get(..read).filter(|got| !got.is_empty()) else {
            return Ok((bytes, hex(&hash.finalize())));
        };
        hash.update(got);
        to.write_all(got)?;
        bytes += got.len() as u64;
    }
}

/// The list that `sha256sum -c` reads.
fn sums(manifest_text: &[u8], manifest: &Manifest) -> String {
    let own = format!("{}  {MANIFEST}\n", hex(&Sha256::digest(manifest_text)));
    manifest.parts.iter().fold(own, |sums, part| sums + &format!("{}  {}\n", part.sha256, part.name))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
