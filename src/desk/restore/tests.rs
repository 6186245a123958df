#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use crate::desk::backup::Backup;
use crate::desk::fixture::{Fixture, SEVEN, fixture};
use crate::error::Kind;
use crate::model::queries::LogRow;
use crate::secret::Secret;

/// A backup of the fixture's appliance, in a directory of its own.
fn backed_up(f: &Fixture) -> (Backup, tempfile::TempDir) {
    let around = tempfile::tempdir().unwrap();
    let backup = f.desk.back_up(&Caller::host(), &around.path().join("backups")).unwrap();
    (backup, around)
}

fn with_an_api_key() -> Fixture {
    let f = fixture();
    f.desk.sign_in.change_api_key(&Caller::host(), SEVEN, Some(Secret::new("an-api-key-of-seven"))).unwrap();
    f
}

fn rows(f: &Fixture) -> Vec<LogRow> {
    f.desk.ground.store.read(|r| r.log_rows(&LogQuery { limit: 9, ..LogQuery::default() })).unwrap()
}

#[test]
fn a_backup_is_restored_with_its_people_and_its_key_before_it_counts() {
    let f = with_an_api_key();
    let (backup, around) = backed_up(&f);
    assert_eq!(backup.proof, Proof::LoginKeyChecked);
    let row = &rows(&f)[0];
    assert_eq!((row.operation.as_str(), row.refused), ("backup.take", false));
    let (to, key) = (around.path().join("new"), f.directory.path().join(KEY_FILE));
    let restored = restore(&backup.file, &to, KeySource::File(&key), None).unwrap();
    assert_eq!(restored.proof, Proof::LoginKeyChecked);
    let desk = Desk::open(&to, Mode::Lab, Clock::system()).unwrap();
    assert_eq!(desk.people.groups(&Caller::host()).unwrap().len(), 2);
    let names: Vec<_> =
        to.read_dir().unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with('.')), "{names:?}");
}

#[test]
fn a_backup_without_anybody_who_has_a_login_key_says_so() {
    assert_eq!(backed_up(&fixture()).0.proof, Proof::KeyFits);
}

#[test]
fn only_operators_back_up_and_a_refusal_leaves_nothing() {
    let f = fixture();
    let around = tempfile::tempdir().unwrap();
    let place = around.path().join("backups");
    let error = f.desk.back_up(&f.admin, &place).unwrap_err();
    assert_eq!((error.code, place.exists()), ("operators_only", false));
    assert_eq!((rows(&f)[0].operation.as_str(), rows(&f)[0].refused), ("backup.take", true));
}

#[test]
fn a_restore_needs_the_key_of_its_database() {
    let f = with_an_api_key();
    let (backup, around) = backed_up(&f);
    let (to, other) = (around.path().join("new"), around.path().join("other.key"));
    std::fs::write(&other, [7; 32]).unwrap();
    let error = restore(&backup.file, &to, KeySource::File(&other), None).unwrap_err();
    assert_eq!(error.code, "key_file_of_another");
    assert!(error.public.contains(&backup.manifest.key), "{error}");
    assert_eq!(to.read_dir().unwrap().count(), 0);
    // Without a key it is restored, and the server asks for the key.
    assert_eq!(restore(&backup.file, &to, KeySource::Absent, None).unwrap().proof, Proof::WithoutKey);
    let code = || Desk::open(&to, Mode::Lab, Clock::system()).err().map(|e| e.code);
    assert_eq!(code(), Some("key_file_missing"));
    std::fs::copy(f.directory.path().join(KEY_FILE), to.join(KEY_FILE)).unwrap();
    assert_eq!(code(), None);
}

#[test]
fn a_key_file_that_is_sealed_into_the_backup_is_opened_by_its_identity_alone() {
    const IDENTITY: &str = "AGE-SECRET-KEY-1H4T6W967PYHVXKGFAGU8QY9KNTEMM7MEGPGCUNKMQGJN3PWTV9NQ7FWRXD";
    const OTHER: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    let identity = Identity::parse(IDENTITY).unwrap();
    let f = with_an_api_key();
    let around = tempfile::tempdir().unwrap();
    let recipient = identity.recipient().unwrap().to_string();
    assert_eq!(f.desk.seal_key_to(&f.admin, Some(&recipient)).unwrap_err().code, "operators_only");
    assert_eq!(f.desk.seal_key_to(&Caller::host(), Some(IDENTITY)).unwrap_err().code, "bad_recipient");
    assert!(!format!("{:?}", rows(&f)).contains("1H4T6W"), "a private key stays out of the log");
    f.desk.seal_key_to(&Caller::host(), Some(&recipient)).unwrap();
    let (backup, _kept) = backed_up(&f);
    assert!(!f.desk.attention(&Caller::host()).unwrap().key_not_kept);
    let refused = |to: &str, source: KeySource<'_>| {
        let to = around.path().join(to);
        let code = restore(&backup.file, &to, source, None).err().map(|error| error.code);
        (code, to.read_dir().unwrap().count())
    };
    let other = Identity::parse(OTHER).unwrap();
    assert_eq!(refused("other", KeySource::Sealed(&other)), (Some("identity_of_another"), 0));
    let to = around.path().join("new");
    let restored = restore(&backup.file, &to, KeySource::Sealed(&identity), None).unwrap();
    assert_eq!(restored.proof, Proof::LoginKeyChecked);
    let key = |directory: &Path| std::fs::read(directory.join(KEY_FILE)).unwrap();
    assert_eq!(key(&to), key(f.directory.path()));
    assert!(!to.join(SEALED_KEY).exists());
    // One that holds no key says so.
    f.desk.seal_key_to(&Caller::host(), None).unwrap();
    assert!(f.desk.attention(&Caller::host()).unwrap().key_not_kept);
    let (backup, _around) = backed_up(&f);
    let none = restore(&backup.file, &around.path().join("none"), KeySource::Sealed(&identity), None);
    assert_eq!(none.err().map(|error| error.code), Some("no_key_inside"));
}

/// Numbers that look random and are the same in each run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

#[test]
fn a_backup_damaged_in_any_of_a_thousand_ways_is_refused_by_name_and_leaves_nothing() {
    let f = with_an_api_key();
    let (backup, around) = backed_up(&f);
    let whole = std::fs::read(&backup.file).unwrap();
    let (file, to) = (around.path().join("damaged.tar"), around.path().join("new"));
    let mut dice = Dice(1);
    for round in 0..1_000 {
        let mut bytes = whole.clone();
        let (at, other) = (dice.below(bytes.len()), dice.below(bytes.len()));
        let what = match round % 6 {
            0 => {
                bytes[at] ^= 1 << dice.below(8);
                "a bit is another"
            }
            1 => {
                bytes.truncate(at);
                "cut off"
            }
            2 => {
                bytes.swap(at, other);
                "two bytes swapped"
            }
            3 => {
                let (from, to) = (at / 512 * 512, other / 512 * 512);
                (0..512).for_each(|i| bytes.swap(from + i, to + i));
                "two blocks swapped"
            }
            4 => {
                bytes.drain(at..bytes.len().min(at + 1 + dice.below(4_096)));
                "a piece left out"
            }
            _ => {
                let end = bytes.len().min(at + 4_096);
                bytes[at..end].fill(0);
                "a page of zeros"
            }
        };
        if bytes == whole {
            continue;
        }
        std::fs::write(&file, &bytes).unwrap();
        let error = restore(&file, &to, KeySource::Absent, None).unwrap_err();
        assert!(["backup_damaged", "backup_newer"].contains(&error.code), "{round}, {what} at {at}: {error}");
        assert!(error.public.contains("damaged.tar"), "{error}");
        assert_eq!(to.read_dir().unwrap().count(), 0, "{round}, {what} at {at}");
    }
}

#[test]
fn nothing_is_restored_over_data() {
    let f = fixture();
    let (backup, around) = backed_up(&f);
    let before = std::fs::read(f.directory.path().join(DATABASE_FILE)).unwrap();
    let code = |to: &Path| restore(&backup.file, to, KeySource::Absent, None).err().map(|e| (e.kind, e.code));
    assert_eq!(code(f.directory.path()), Some((Kind::Conflict, "restore_over_data")));
    assert_eq!(std::fs::read(f.directory.path().join(DATABASE_FILE)).unwrap(), before);
    let to = around.path().join("full");
    std::fs::create_dir(&to).unwrap();
    std::fs::write(to.join("letters"), "").unwrap();
    assert_eq!(code(&to), Some((Kind::Conflict, "restore_over_data")));
    assert_eq!(to.read_dir().unwrap().count(), 1);
}

#[test]
fn a_stale_log_and_the_rest_of_an_interrupted_restore_are_taken_away() {
    let f = fixture();
    let (backup, around) = backed_up(&f);
    let to = around.path().join("new");
    std::fs::create_dir_all(to.join(".restoring")).unwrap();
    for name in ["sidelight.db", "sidelight.db-wal", "sidelight.db-shm", ".restoring/sidelight.db"] {
        std::fs::write(to.join(name), "half").unwrap();
    }
    assert!(unfinished(&to));
    let key = f.directory.path().join(KEY_FILE);
    restore(&backup.file, &to, KeySource::File(&key), None).unwrap();
    assert!(!unfinished(&to));
    Desk::open(&to, Mode::Lab, Clock::system()).unwrap();
}

#[test]
fn the_report_names_what_was_changed_since_the_backup() {
    let f = fixture();
    let (backup, around) = backed_up(&f);
    // The lab's clock of the fixture is behind the one that backups are named by.
    f.desk.clock().set_now(Clock::system().now().plus_seconds(1));
    f.desk.people.delete_group(&Caller::host(), SEVEN).unwrap();
    let data = f.directory.path();
    let bytes = || ["", "-wal"].map(|end| std::fs::read(data.join(format!("{DATABASE_FILE}{end}"))).unwrap());
    let before = bytes();
    let restored = restore(&backup.file, &around.path().join("new"), KeySource::Absent, Some(data)).unwrap();
    assert!(restored.report.old_log_read);
    let undone: Vec<&str> = restored.report.undone.iter().map(|row| row.operation.as_str()).collect();
    assert_eq!(undone, ["group.delete"]);
    assert!(bytes() == before, "the lost database is only looked at");
    let absent = restore(
        &backup.file,
        &around.path().join("other"),
        KeySource::Absent,
        Some(&around.path().join("none")),
    )
    .unwrap();
    assert!(!absent.report.old_log_read && absent.old_log_unread.unwrap().contains("no database"));
}
