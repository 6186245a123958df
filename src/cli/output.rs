//! Where a command writes what it was asked for: standard output, a device, or a file that is made whole.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Stdout, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Kind, Result};
use crate::whole_file::{Existing, WholeFile, touches};

/// Exit status of a command whose reader has gone, as a shell has it: 128 and the number of SIGPIPE.
pub const READER_GONE: u8 = 141;

/// An output that was opened for a command.
pub struct Output {
    to: To,
    reader_gone: bool,
}

enum To {
    Standard(Stdout),
    /// A pipe or a device, which is written to and never replaced.
    Device(File),
    File(WholeFile),
}

impl Output {
    /// Opens what `path` names; `-` is standard output. A file is made whole when [`Output::finish`] is called.
    ///
    /// # Errors
    /// `Conflict` with code `file_exists` unless `replace`; `Invalid` with code `in_data_directory` for every name of
    /// a file in `data`, and `file_unusable` for what the system refuses.
    pub fn open(path: &Path, data: &Path, replace: bool) -> Result<Output> {
        let to = if path == Path::new("-") {
            To::Standard(io::stdout())
        } else if touches(data, path) {
            let public = format!(
                "{} lies in the data directory {}, where it could overwrite the database or a key. \
                 Name a file elsewhere.",
                path.display(),
                data.display()
            );
            return Err(Error::new(Kind::Invalid, "in_data_directory", public));
        } else if is_device(path) {
            let opened = OpenOptions::new().write(true).open(path);
            To::Device(opened.map_err(|e| unusable(path, &e))?)
        } else {
            let existing = if replace { Existing::Replace } else { Existing::Keep };
            To::File(WholeFile::begin(path, 0o666, existing).map_err(|e| unusable(path, &e))?)
        };
        Ok(Output { to, reader_gone: false })
    }

    /// The same output, whose bytes are counted in `bytes`.
    pub fn counting<'a>(&'a mut self, bytes: &'a AtomicU64) -> Counting<'a> {
        Counting { output: self, bytes }
    }

    /// Whether nobody reads any more what is written: a pipe (`… | head`) was closed.
    pub fn reader_gone(&self) -> bool {
        self.reader_gone
    }

    /// Ends the output; a file is in its place afterwards.
    ///
    /// # Errors
    /// As [`Output::open`], where a file appeared meanwhile or the system refuses.
    pub fn finish(self, path: &Path) -> Result<()> {
        let ended = match self.to {
            To::Standard(mut out) => out.flush(),
            To::Device(mut out) => out.flush(),
            To::File(file) => file.keep(),
        };
        ended.map_err(|e| unusable(path, &e))
    }
}

/// An output that counts what is written.
pub struct Counting<'a> {
    output: &'a mut Output,
    bytes: &'a AtomicU64,
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.to {
            To::Standard(out) => out.write(bytes),
            To::Device(out) => out.write(bytes),
            To::File(out) => out.write(bytes),
        };
        self.reader_gone |= written.as_ref().is_err_and(|e| e.kind() == ErrorKind::BrokenPipe);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.to {
            To::Standard(out) => out.flush(),
            To::Device(out) => out.flush(),
            To::File(out) => out.flush(),
        };
        self.reader_gone |= flushed.as_ref().is_err_and(|e| e.kind() == ErrorKind::BrokenPipe);
        flushed
    }
}

fn is_device(path: &Path) -> bool {
    let kind = path.metadata().map(|file| file.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_char_device() || kind.is_socket())
}

/// The error for a file that a command can neither read nor write.
pub fn unusable(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        ErrorKind::AlreadyExists => {
            let public = format!("{path} exists already and stays as it was. Replace it with --force.");
            Error::new(Kind::Conflict, "file_exists", public)
        }
        _ => Error::new(Kind::Invalid, "file_unusable", format!("{path} cannot be used: {error}.")),
    }
}
