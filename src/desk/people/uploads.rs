//! Uploaded files between their preview and their being applied.
//!
//! A person sees what a file will do before it does it; meanwhile the file waits here, in memory, because
//! it may hold passwords: it is never written down, wiped when it goes, and belongs to the one who sent it. Few of a
//! group wait at once, and its oldest gives way; one that runs never does, and no group's gives way to another's.
//! Applying runs on a thread of its own, so that a page can tell how far it is.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::desk::ground::permission;
use crate::desk::people::People;
use crate::desk::people::csv_upload::{ApplyOptions, ColumnChoice, Header, Preview, Progress, UploadPermits};
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId};
use crate::secret::{Secret, random_token};

/// Uploads of one group that are kept at once.
const OF_A_GROUP: usize = 2;
/// Bytes, about, of all uploads: three of the largest that there may be.
const BYTES_MOST: usize = 256 << 20;
/// Bytes, about, of one group's: one of the largest, and some.
const BYTES_OF_A_GROUP: usize = BYTES_MOST / 2;
/// Seconds after which a file is forgotten.
const LIFE: i64 = 60 * 60;

/// The files that wait.
#[derive(Default)]
pub struct Uploads {
    kept: Mutex<Vec<Upload>>,
    /// Whose file is read.
    pub(super) turns: UploadPermits,
}

struct Upload {
    id: String,
    owner: Actor,
    group: GroupId,
    /// When it came, or was done.
    at: Timestamp,
    /// About what it takes.
    bytes: usize,
    terms: ApplyOptions,
    file: Arc<Secret>,
    state: UploadState,
}

/// How far an upload is.
#[derive(Clone)]
pub enum UploadState {
    /// Its columns are not all known: somebody must say which is which.
    Unmapped(Arc<Header>),
    /// Judged; nothing is changed.
    Judged(Arc<Preview>),
    /// Rows done, and rows in all, are asked of the progress.
    Running(Progress),
    /// What was done, or, when it was not applied, why not.
    Done(Arc<Preview>),
    /// Our own fault, or the file was refused as a whole.
    Failed(Error),
}

impl UploadState {
    /// Bytes that it takes, about.
    fn bytes(&self) -> usize {
        match self {
            UploadState::Judged(preview) | UploadState::Done(preview) => preview.bytes(),
            // A header is short; a file that runs keeps the room of its preview.
            UploadState::Unmapped(_) | UploadState::Running(_) | UploadState::Failed(_) => 0,
        }
    }
}

impl Uploads {
    fn kept(&self, now: Timestamp) -> MutexGuard<'_, Vec<Upload>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|upload| upload.runs() || now < upload.at.plus_seconds(LIFE));
        kept
    }

    /// Notes how an upload ended.
    fn end(&self, id: &str, state: UploadState, now: Timestamp) {
        let mut kept = self.kept(now);
        if let Some(upload) = kept.iter_mut().find(|upload| upload.id == id) {
            if matches!(&state, UploadState::Done(preview) if preview.applied) {
                // Its passwords have done their work.
                upload.file = Arc::new(Secret::new([]));
            }
            upload.bytes = upload.file.expose().len() + state.bytes();
            (upload.state, upload.at) = (state, now);
        }
    }
}

/// Makes room for an upload of `group` that takes `bytes`: only the group's own give way, the oldest first, and
/// none that runs.
fn make_room(kept: &mut Vec<Upload>, group: GroupId, bytes: usize) -> Result<()> {
    loop {
        let own = kept.iter().filter(|upload| upload.group == group);
        let (own, own_bytes) = own.fold((0, bytes), |(own, sum), upload| (own + 1, sum + upload.bytes));
        let all_bytes = kept.iter().fold(bytes, |sum, upload| sum + upload.bytes);
        let group_is_full = own >= OF_A_GROUP || own_bytes > BYTES_OF_A_GROUP;
        if !group_is_full && all_bytes <= BYTES_MOST {
            return Ok(());
        }
        match kept.iter().position(|upload| upload.group == group && !upload.runs()) {
            Some(oldest) => drop(kept.remove(oldest)),
            None if group_is_full => {
                return Err(full("Uploads of this group are being applied. Try again when one is done."));
            }
            None => return Err(full("Other uploads take all the room that there is. Try again later.")),
        }
    }
}

fn full(public: &str) -> Error {
    Error::new(Kind::Unavailable, "uploads_full", public).with_field("file")
}

impl People {
    /// Judges a file and keeps it until it is applied; gives back its id. A file whose columns are not all known is
    /// kept, too, until [`People::map_upload`] says which is which.
    ///
    /// # Errors
    /// As [`People::preview_csv`] and [`People::csv_header`]; `Unavailable` with `uploads_full` when there is no room;
    /// `Invalid` with `upload_too_large` when there never will be.
    pub fn keep_upload(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: ApplyOptions,
        file: Secret,
    ) -> Result<String> {
        let state = self.judged_upload(caller, group, &terms, file.expose())?;
        let (id, now) = (random_token::<12>()?, self.ground.clock.now());
        let mut kept = self.uploads.kept(now);
        let bytes = bytes_of(&file, &state)?;
        make_room(&mut kept, group, bytes)?;
        kept.push(Upload {
            id: id.clone(),
            owner: caller.actor.clone(),
            group,
            at: now,
            bytes,
            terms,
            file: Arc::new(file),
            state,
        });
        Ok(id)
    }

    /// Judges a kept file anew, with what a person says of its columns; one that runs or is done stays as it is.
    ///
    /// # Errors
    /// As [`People::upload`] and [`People::keep_upload`]; the upload then stays as it was.
    pub fn map_upload(
        &self,
        caller: &Caller,
        group: GroupId,
        id: &str,
        columns: Vec<ColumnChoice>,
    ) -> Result<()> {
        permission::administer(caller, group)?;
        let (terms, file) = {
            let kept = self.uploads.kept(self.ground.clock.now());
            let upload = kept.iter().find(|upload| upload.is(caller, group, id)).ok_or_else(unknown)?;
            if !upload.waits() {
                return Ok(());
            }
            (ApplyOptions { columns, ..upload.terms.clone() }, Arc::clone(&upload.file))
        };
        let state = self.judged_upload(caller, group, &terms, file.expose())?;
        let bytes = bytes_of(&file, &state)?;
        let mut kept = self.uploads.kept(self.ground.clock.now());
        let at = kept.iter().position(|upload| upload.is(caller, group, id)).ok_or_else(unknown)?;
        if kept.get(at).is_some_and(|upload| !upload.waits()) {
            return Ok(());
        }
        // Taken out, so that it does not give way to itself.
        let upload = kept.remove(at);
        match make_room(&mut kept, group, bytes) {
            Ok(()) => kept.push(Upload { bytes, terms, state, ..upload }),
            Err(error) => {
                kept.push(upload);
                return Err(error);
            }
        }
        Ok(())
    }

    fn judged_upload(
        &self,
        caller: &Caller,
        group: GroupId,
        terms: &ApplyOptions,
        file: &[u8],
    ) -> Result<UploadState> {
        let header = self.csv_header(caller, group, &terms.columns, file)?;
        if header.problems.is_empty() {
            let preview = self.preview_csv(caller, group, terms, file)?;
            return Ok(UploadState::Judged(Arc::new(preview)));
        }
        Ok(UploadState::Unmapped(Arc::new(header)))
    }

    /// Says how far an upload is.
    ///
    /// # Errors
    /// `NotFound` with code `upload_unknown` when it is another's or was forgotten.
    pub fn upload(&self, caller: &Caller, group: GroupId, id: &str) -> Result<UploadState> {
        permission::administer(caller, group)?;
        let kept = self.uploads.kept(self.ground.clock.now());
        let found = kept.iter().find(|upload| upload.is(caller, group, id));
        found.map(|upload| upload.state.clone()).ok_or_else(unknown)
    }

    /// Begins to apply an upload, on a thread of its own; one that runs or is done stays as it is, and so does one
    /// whose columns are not all known.
    ///
    /// # Errors
    /// As [`People::upload`]; `Fault` when the system gives no thread.
    pub fn start_upload(
        self: &Arc<Self>,
        caller: &Caller,
        group: GroupId,
        id: &str,
        skip_refused: bool,
    ) -> Result<()> {
        permission::administer(caller, group)?;
        let progress = Progress::default();
        let (terms, file) = {
            let mut kept = self.uploads.kept(self.ground.clock.now());
            let upload = kept.iter_mut().find(|upload| upload.is(caller, group, id)).ok_or_else(unknown)?;
            if !upload.waits() || matches!(upload.state, UploadState::Unmapped(_)) {
                return Ok(());
            }
            upload.state = UploadState::Running(progress.clone());
            (ApplyOptions { skip_refused, ..upload.terms.clone() }, Arc::clone(&upload.file))
        };
        let (people, caller, named) = (Arc::clone(self), caller.clone(), id.to_owned());
        let run = move || {
            let apply = || people.apply_csv(&caller, group, &terms, file.expose(), &progress);
            // One that ran for ever would keep its place for ever.
            let outcome = catch_unwind(AssertUnwindSafe(apply))
                .unwrap_or_else(|_| Err(Error::fault("upload_panicked", "applying an upload panicked")));
            let state = match outcome {
                Ok(preview) => UploadState::Done(Arc::new(preview)),
                Err(error) => UploadState::Failed(error),
            };
            people.uploads.end(&named, state, people.ground.clock.now());
        };
        std::thread::Builder::new().name("upload".into()).spawn(run).map(drop).map_err(|e| {
            let error = Error::fault("upload_thread", e.to_string());
            self.uploads.end(id, UploadState::Failed(error.clone()), self.ground.clock.now());
            error
        })
    }
}

impl Upload {
    fn is(&self, caller: &Caller, group: GroupId, id: &str) -> bool {
        self.id == id && self.group == group && self.owner == caller.actor
    }

    /// Whether it may still be applied.
    fn waits(&self) -> bool {
        match &self.state {
            UploadState::Unmapped(_) | UploadState::Judged(_) | UploadState::Failed(_) => true,
            UploadState::Done(preview) => !preview.applied,
            UploadState::Running(_) => false,
        }
    }

    fn runs(&self) -> bool {
        matches!(self.state, UploadState::Running(_))
    }
}

/// What an upload takes.
fn bytes_of(file: &Secret, state: &UploadState) -> Result<usize> {
    let bytes = file.expose().len() + state.bytes();
    if bytes > BYTES_OF_A_GROUP {
        let public = "What is to be said of the rows of this file takes too much room. Split it.";
        return Err(Error::new(Kind::Invalid, "upload_too_large", public).with_field("file"));
    }
    Ok(bytes)
}

fn unknown() -> Error {
    let public = "This upload is not here any more: files are kept for an hour at most. Upload it again.";
    Error::new(Kind::NotFound, "upload_unknown", public)
}
