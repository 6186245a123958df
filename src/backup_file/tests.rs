#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

/// A backup of two small parts.
fn backup(directory: &Path) -> Vec<u8> {
    let (database, certificate) = (directory.join("d"), directory.join("c"));
    std::fs::write(&database, (0..=255).cycle().take(700).collect::<Vec<u8>>()).unwrap();
    std::fs::write(&certificate, "certificate\n").unwrap();
    let manifest = Manifest::new(5, "lab", 16, BTreeMap::from([("users".to_owned(), 3)]), "AB12".to_owned());
    let mut out = Vec::new();
    let parts = [("sidelight.db", database.as_path()), ("tls-certificate.pem", certificate.as_path())];
    write(&mut out, manifest, &parts).unwrap();
    out
}

/// Reads `bytes` as a backup, into a new directory.
fn read_bytes(bytes: &[u8]) -> Result<Manifest> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("b");
    let out = directory.path().join("out");
    std::fs::write(&file, bytes).unwrap();
    std::fs::create_dir(&out).unwrap();
    read(&file, &out)
}

#[test]
fn what_was_written_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = backup(directory.path());
    std::fs::write(directory.path().join("b"), &bytes).unwrap();
    let out = directory.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let manifest = read(&directory.path().join("b"), &out).unwrap();
    assert_eq!(manifest.rows["users"], 3);
    assert_eq!(
        std::fs::read(out.join("sidelight.db")).unwrap(),
        std::fs::read(directory.path().join("d")).unwrap()
    );
    assert_eq!(std::fs::read(out.join("tls-certificate.pem")).unwrap(), b"certificate\n");
}

#[test]
fn public_tools_open_it() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = backup(directory.path());
    let names: Vec<String> = tar::Archive::new(bytes.as_slice())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names, ["manifest.json", "sidelight.db", "tls-certificate.pem", "SHA256SUMS"]);
}

#[test]
fn a_backup_with_any_one_byte_changed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = backup(directory.path());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let error = read_bytes(&damaged).unwrap_err();
        assert!(["backup_damaged", "backup_newer"].contains(&error.code), "{at}: {error}");
    }
}

#[test]
fn a_backup_that_is_cut_off_or_longer_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = backup(directory.path());
    for length in (0..bytes.len()).step_by(97) {
        assert_eq!(read_bytes(&bytes[..length]).unwrap_err().code, "backup_damaged", "{length}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(read_bytes(&longer).unwrap_err().code, "backup_damaged");
}

#[test]
fn a_backup_with_blocks_swapped_doubled_or_left_out_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = backup(directory.path());
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK).collect();
    for at in 0..blocks.len() {
        let mut without = blocks.clone();
        without.remove(at);
        let mut doubled = blocks.clone();
        doubled.insert(at, blocks[at]);
        let mut swapped = blocks.clone();
        swapped.swap(at, (at + 1) % blocks.len());
        for (what, changed) in [("without", without), ("doubled", doubled), ("swapped", swapped)] {
            if changed != blocks {
                assert_eq!(read_bytes(&changed.concat()).unwrap_err().code, "backup_damaged", "{what} {at}");
            }
        }
    }
}

#[test]
fn a_part_that_does_not_belong_into_a_data_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    backup(directory.path());
    for name in ["../sidelight.db", "other", "manifest.json"] {
        let manifest = Manifest::new(5, "lab", 16, BTreeMap::new(), String::new());
        let database = directory.path().join("d");
        let mut out = Vec::new();
        // The writer trusts its caller with names; `..` is refused by tar already.
        if write(&mut out, manifest, &[("sidelight.db", &database), (name, &database)]).is_ok() {
            assert_eq!(read_bytes(&out).unwrap_err().code, "backup_damaged", "{name}");
        }
    }
}

#[test]
fn a_newer_format_is_refused_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("d");
    std::fs::write(&database, "d").unwrap();
    let manifest = Manifest { format: 2, ..Manifest::new(5, "lab", 16, BTreeMap::new(), String::new()) };
    let mut out = Vec::new();
    write(&mut out, manifest, &[("sidelight.db", &database)]).unwrap();
    assert_eq!(read_bytes(&out).unwrap_err().code, "backup_newer");
}
