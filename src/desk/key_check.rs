//! Whether the master key is the one that the database was sealed under, found out before anything is served.
//!
//! With another key every login key would fail, and what is sealed anew would divide the database in two.

use std::path::Path;

use crate::clock::Timestamp;
use crate::desk::ground::key_cache::api_key_place;
use crate::desk::sso::sp_key_place;
use crate::error::{Error, Kind, Result};
use crate::secret::{Keys, Secret};
use crate::store::{Reader, Store};

/// Where the value is sealed that every database holds for this check.
const PLACE: &str = "appliance/key-check";

/// Checks that `keys` are those that the database was sealed under: they must open the value that is sealed for this
/// check, or a few of what else is sealed, so that one value that was damaged does not condemn the key. In a database
/// of an older program there may be nothing to open.
///
/// # Errors
/// `Denied` with code `key_file_of_another`; `Fault` when the database fails.
pub(super) fn belongs(keys: &Keys, key_file: &Path, reader: &Reader<'_>) -> Result<()> {
    let check = reader.sealed_check()?;
    let api_keys = reader.some_sealed_api_keys()?;
    let private_keys = reader.some_sealed_sp_keys()?;
    if check.is_none() && api_keys.is_empty() && private_keys.is_empty() {
        return Ok(());
    }
    let opens = |place: String, sealed: &[u8]| keys.open_sealed(&place, sealed).is_ok();
    let any = check.is_some_and(|sealed| opens(PLACE.to_owned(), &sealed))
        || api_keys.iter().any(|(group, sealed)| opens(api_key_place(*group), sealed))
        || private_keys.iter().any(|(group, sealed)| opens(sp_key_place(*group), sealed));
    if any { Ok(()) } else { Err(of_another(key_file)) }
}

/// Seals the value that later starts check, unless the database holds it. Nothing else is sealed in a new database.
///
/// # Errors
/// `Fault` or `Unavailable` when the database fails.
pub(super) fn remember(keys: &Keys, store: &Store, now: Timestamp) -> Result<()> {
    if store.read(|r| r.sealed_check())?.is_some() {
        return Ok(());
    }
    let sealed = keys.seal(PLACE, &Secret::new(PLACE))?;
    store.write(now, move |w| w.set_sealed_check(&sealed))
}

fn of_another(key_file: &Path) -> Error {
    let public = format!(
        "The key file {} is not the one that the database beside it was sealed under. Restore from the backup \
         the {} that belongs to this database.",
        key_file.display(),
        key_file.file_name().unwrap_or_default().display()
    );
    Error::new(Kind::Denied, "key_file_of_another", public)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::clock::Clock;
    use crate::desk::Desk;
    use crate::desk::fixture::{SEVEN, fixture};
    use crate::model::{Caller, Mode};
    use crate::store::KEY_FILE;

    /// Makes something sealed, and opens the directory with another key and with its own.
    fn only_its_own_key_opens_it(seal: impl FnOnce(&Desk)) {
        let f = fixture();
        seal(&f.desk);
        let path = f.directory.path().join(KEY_FILE);
        let own = std::fs::read(&path).unwrap();
        let code = || Desk::open(f.directory.path(), Mode::Lab, Clock::system()).err().map(|e| e.code);
        std::fs::write(&path, [7; 32]).unwrap();
        assert_eq!(code(), Some("key_file_of_another"));
        std::fs::write(&path, own).unwrap();
        assert_eq!(code(), None);
    }

    #[test]
    fn another_key_is_refused_before_anything_was_sealed_and_nothing_is_written() {
        only_its_own_key_opens_it(|_| ());
    }

    #[test]
    fn a_key_that_opens_no_api_key_is_refused() {
        only_its_own_key_opens_it(|desk| {
            drop(desk.sign_in.change_api_key(&Caller::host(), SEVEN, None).unwrap())
        });
    }

    #[test]
    fn a_key_that_opens_no_private_key_is_refused() {
        only_its_own_key_opens_it(|desk| drop(desk.sso.make_sp_key(&Caller::host(), SEVEN).unwrap()));
    }
}
