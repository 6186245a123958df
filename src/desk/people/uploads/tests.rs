#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::desk::fixture::*;
use crate::desk::people::csv_upload::{Column, Which};

const FILE: &str = "GlanceAddress\nann.x\n";

fn kept(f: &Fixture, caller: &Caller, group: GroupId) -> Result<String> {
    f.desk.people.keep_upload(caller, group, ApplyOptions::default(), Secret::new(FILE))
}

fn is_there(f: &Fixture, caller: &Caller, group: GroupId, id: &str) -> bool {
    f.desk.people.upload(caller, group, id).is_ok()
}

fn set(f: &Fixture, id: &str, change: impl Fn(&mut Upload)) {
    let mut kept = f.desk.people.uploads.kept(f.desk.clock().now());
    change(kept.iter_mut().find(|upload| upload.id == id).unwrap());
}

fn running(upload: &mut Upload) {
    upload.state = UploadState::Running(Progress::default());
}

#[test]
fn a_groups_uploads_push_out_only_its_own_and_never_one_that_runs() {
    let f = fixture();
    let of_eight = kept(&f, &f.other_admin, EIGHT).unwrap();
    let applied = kept(&f, &f.admin, SEVEN).unwrap();
    set(&f, &applied, running);
    let seen: Vec<String> = (0..9).map(|_| kept(&f, &f.admin, SEVEN).unwrap()).collect();
    assert!(is_there(&f, &f.other_admin, EIGHT, &of_eight), "another group's");
    assert!(is_there(&f, &f.admin, SEVEN, &applied), "one that runs");
    let left: Vec<bool> = seen.iter().map(|id| is_there(&f, &f.admin, SEVEN, id)).collect();
    assert_eq!(left.iter().filter(|left| **left).count(), 1);
    assert!(left[8], "the newest is kept");

    set(&f, &seen[8], running);
    let refused = kept(&f, &f.admin, SEVEN).unwrap_err();
    assert_eq!((refused.kind, refused.code), (Kind::Unavailable, "uploads_full"));
    assert!(kept(&f, &f.other_admin, EIGHT).is_ok());
}

#[test]
fn large_uploads_of_one_group_give_way_and_of_several_fill_the_room() {
    let f = fixture();
    let first = kept(&f, &f.admin, SEVEN).unwrap();
    set(&f, &first, |upload| upload.bytes = BYTES_OF_A_GROUP);
    let second = kept(&f, &f.admin, SEVEN).unwrap();
    assert!(!is_there(&f, &f.admin, SEVEN, &first) && is_there(&f, &f.admin, SEVEN, &second));
    set(&f, &second, |upload| upload.bytes = BYTES_MOST);
    assert_eq!(kept(&f, &f.other_admin, EIGHT).unwrap_err().code, "uploads_full");
    assert!(is_there(&f, &f.admin, SEVEN, &second));
}

#[test]
fn an_upload_that_runs_is_not_forgotten_and_what_it_did_is_told_for_an_hour() {
    let f = fixture();
    let id = kept(&f, &f.admin, SEVEN).unwrap();
    set(&f, &id, running);
    let later = |seconds: i64| f.desk.clock().set_now(f.desk.clock().now().plus_seconds(seconds));
    later(3 * LIFE);
    assert!(is_there(&f, &f.admin, SEVEN, &id));
    let fault = UploadState::Failed(Error::fault("a_test", "for a test"));
    f.desk.people.uploads.end(&id, fault, f.desk.clock().now());
    later(LIFE - 1);
    assert!(is_there(&f, &f.admin, SEVEN, &id));
    later(1);
    assert!(!is_there(&f, &f.admin, SEVEN, &id));
}

#[test]
fn a_request_is_told_to_come_again_while_another_file_is_read() {
    let f = fixture();
    f.desk.people.uploads.turns.set_patience(std::time::Duration::ZERO);
    let turn = f.desk.people.uploads.turns.wait();
    let refused = kept(&f, &f.admin, SEVEN).unwrap_err();
    assert_eq!((refused.kind, refused.code), (Kind::Unavailable, "upload_busy"));
    drop(turn);
    assert!(kept(&f, &f.admin, SEVEN).is_ok());
}

fn mapped(f: &Fixture, id: &str, columns: &[(usize, Option<Column>)]) -> Result<UploadState> {
    let choice =
        |(at, column): &(usize, Option<Column>)| ColumnChoice { which: Which::At(*at), column: *column };
    let columns = columns.iter().map(choice).collect();
    f.desk.people.map_upload(&f.admin, SEVEN, id, columns)?;
    f.desk.people.upload(&f.admin, SEVEN, id)
}

#[test]
fn a_file_with_unknown_columns_waits_until_somebody_says_which_is_which() {
    let f = fixture();
    let file = Secret::new("Login,Mail\nann.x,a@b\n");
    let id = f.desk.people.keep_upload(&f.admin, SEVEN, ApplyOptions::default(), file).unwrap();
    let state = f.desk.people.upload(&f.admin, SEVEN, &id).unwrap();
    assert!(matches!(state, UploadState::Unmapped(_)));
    // It is not applied as it is.
    f.desk.people.start_upload(&f.admin, SEVEN, &id, true).unwrap();
    let state = f.desk.people.upload(&f.admin, SEVEN, &id).unwrap();
    assert!(matches!(state, UploadState::Unmapped(_)));
    let still = mapped(&f, &id, &[(0, Column::of("GlanceAddress"))]).unwrap();
    let UploadState::Unmapped(header) = still else { panic!() };
    assert_eq!(header.problems.len(), 1);
    let judged = mapped(&f, &id, &[(0, Column::of("GlanceAddress")), (1, Column::of("Email"))]).unwrap();
    let UploadState::Judged(preview) = judged else { panic!() };
    assert_eq!((preview.created, preview.refused), (1, 0));
    // Another reading takes its place, and not the place of another upload.
    kept(&f, &f.admin, SEVEN).unwrap();
    let anew = mapped(&f, &id, &[(0, Column::of("GlanceAddress")), (1, None)]).unwrap();
    assert!(matches!(anew, UploadState::Judged(_)));
    assert_eq!(f.desk.people.uploads.kept(f.desk.clock().now()).len(), 2);
    // Nobody changes how a file is read that is being applied.
    set(&f, &id, running);
    assert!(matches!(mapped(&f, &id, &[]).unwrap(), UploadState::Running(_)));
    let of_another = f.desk.people.map_upload(&f.other_admin, EIGHT, &id, Vec::new());
    assert_eq!(of_another.unwrap_err().code, "upload_unknown");
}

#[test]
fn an_upload_takes_the_bytes_of_its_file_and_of_what_is_said_of_its_rows() {
    let f = fixture();
    let id = kept(&f, &f.admin, SEVEN).unwrap();
    let taken = |id: &str| {
        let kept = f.desk.people.uploads.kept(f.desk.clock().now());
        kept.iter().find(|upload| upload.id == id).unwrap().bytes
    };
    let UploadState::Judged(preview) = f.desk.people.upload(&f.admin, SEVEN, &id).unwrap() else { panic!() };
    assert_eq!(taken(&id), FILE.len() + preview.bytes());
    f.desk.people.uploads.end(&id, UploadState::Done(Arc::clone(&preview)), f.desk.clock().now());
    assert_eq!(taken(&id), FILE.len() + preview.bytes(), "it may be applied again");
    let done = Preview { applied: true, ..Preview::clone(&preview) };
    f.desk.people.uploads.end(&id, UploadState::Done(Arc::new(done)), f.desk.clock().now());
    assert_eq!(taken(&id), preview.bytes(), "its file is wiped");
    let state = UploadState::Judged(preview);
    let large = Secret::new(vec![b'x'; BYTES_OF_A_GROUP]);
    assert_eq!(bytes_of(&large, &state).unwrap_err().code, "upload_too_large");
}
