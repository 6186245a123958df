//! Uploaded files between their preview and their being applied.
//!
//! A person sees what a file will do before it does it; meanwhile the file waits here, in memory, because
//! it may hold passwords: it is never written down, wiped when it goes, and belongs to whoever sent it. Few
//! wait at once, the oldest gives way. Applying runs on a thread of its own, so that a page can tell how far
//! it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::csv_upload::{Preview, Progress, Terms};
use super::{Desk, permission};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{Actor, Caller, GroupId};
use crate::secret::{Secret, random_token};

/// Files that wait at once: each may be as large as an upload may be.
const UPLOADS_MOST: usize = 4;
/// Seconds after which a file is forgotten.
const LIFE: i64 = 60 * 60;

/// The files that wait.
#[derive(Default)]
pub struct Uploads {
    kept: Mutex<Vec<Upload>>,
}

struct Upload {
    id: String,
    owner: Actor,
    group: GroupId,
    at: Timestamp,
    terms: Terms,
    file: Arc<Secret>,
    state: UploadState,
}

/// How far an upload is.
#[derive(Clone)]
pub enum UploadState {
    /// Judged; nothing is changed.
    Judged(Arc<Preview>),
    /// Rows done, and rows in all, are asked of the progress.
    Running(Progress),
    /// What was done, or, when it was not applied, why not.
    Done(Arc<Preview>),
    /// Our own fault, or the file was refused as a whole.
    Failed(Error),
}

impl Uploads {
    fn kept(&self, now: Timestamp) -> MutexGuard<'_, Vec<Upload>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|upload| now < upload.at.plus_seconds(LIFE));
        kept
    }
}

impl Desk {
    /// Judges a file and keeps it until it is applied; gives back its id.
    ///
    /// # Errors
    /// As [`Desk::preview_csv`].
    pub fn keep_upload(&self, caller: &Caller, group: GroupId, terms: Terms, file: Secret) -> Result<String> {
        let preview = self.preview_csv(caller, group, &terms, file.expose())?;
        let (id, now) = (random_token::<12>()?, self.clock.now());
        let mut kept = self.uploads.kept(now);
        if kept.len() >= UPLOADS_MOST {
            kept.remove(0);
        }
        kept.push(Upload {
            id: id.clone(),
            owner: caller.actor.clone(),
            group,
            at: now,
            terms,
            file: Arc::new(file),
            state: UploadState::Judged(Arc::new(preview)),
        });
        Ok(id)
    }

    /// Says how far an upload is.
    ///
    /// # Errors
    /// `NotFound` with code `upload_unknown` when it is another's or was forgotten.
    pub fn upload(&self, caller: &Caller, group: GroupId, id: &str) -> Result<UploadState> {
        permission::administer(caller, group)?;
        let kept = self.uploads.kept(self.clock.now());
        let found = kept.iter().find(|upload| upload.is(caller, group, id));
        found.map(|upload| upload.state.clone()).ok_or_else(unknown)
    }

    /// Begins to apply an upload, on a thread of its own; one that runs or is done stays as it is.
    ///
    /// # Errors
    /// As [`Desk::upload`]; `Fault` when the system gives no thread.
    pub fn start_upload(
        self: &Arc<Desk>,
        caller: &Caller,
        group: GroupId,
        id: &str,
        skip_refused: bool,
    ) -> Result<()> {
        permission::administer(caller, group)?;
        let progress = Progress::default();
        let (terms, file) = {
            let mut kept = self.uploads.kept(self.clock.now());
            let upload = kept.iter_mut().find(|upload| upload.is(caller, group, id)).ok_or_else(unknown)?;
            let again = match &upload.state {
                UploadState::Judged(_) | UploadState::Failed(_) => true,
                UploadState::Done(preview) => !preview.applied,
                UploadState::Running(_) => false,
            };
            if !again {
                return Ok(());
            }
            upload.state = UploadState::Running(progress.clone());
            (Terms { skip_refused, ..upload.terms.clone() }, Arc::clone(&upload.file))
        };
        let (desk, caller, id) = (Arc::clone(self), caller.clone(), id.to_owned());
        let run = move || {
            let outcome = desk.apply_csv(&caller, group, &terms, file.expose(), &progress);
            let state = match outcome {
                Ok(preview) => UploadState::Done(Arc::new(preview)),
                Err(error) => UploadState::Failed(error),
            };
            let mut kept = desk.uploads.kept(desk.clock.now());
            if let Some(upload) = kept.iter_mut().find(|upload| upload.id == id) {
                if matches!(&state, UploadState::Done(preview) if preview.applied) {
                    // Its passwords have done their work.
                    upload.file = Arc::new(Secret::new([]));
                }
                upload.state = state;
            }
        };
        std::thread::Builder::new()
            .name("upload".into())
            .spawn(run)
            .map(|_| ())
            .map_err(|e| Error::fault("upload_thread", e.to_string()))
    }
}

impl Upload {
    fn is(&self, caller: &Caller, group: GroupId, id: &str) -> bool {
        self.id == id && self.group == group && self.owner == caller.actor
    }
}

fn unknown() -> Error {
    let public = "This upload is not here any more: files are kept for an hour at most. Upload it again.";
    Error::new(Kind::NotFound, "upload_unknown", public)
}
