#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Each check by itself: what makes it speak, and that nothing else does.

use super::*;
use crate::desk::appliance::readiness::ReadyCheck;
use crate::desk::fixture::fixture;
use crate::error::Error;
use crate::model::GroupId;
use crate::model::backup::BackupRecord;
use crate::model::doctor::ServerCertificate;

/// What was changed of an appliance on which all is well.
type Change = fn(&mut Watched, &mut Installation, &mut Vec<ReadyCheck>);

/// What the doctor says beyond "good" after a change: names, conditions and whether there is something to do.
fn said(change: Change) -> Vec<(&'static str, Condition)> {
    let f = fixture();
    let mut watched = f.desk.appliance.watched().unwrap();
    let day = DAY_SECONDS;
    let now = watched.now;
    watched.free_bytes = Some(LITTLE_ROOM * 2);
    watched.last_check = Some(crate::model::database::DatabaseCheck { at: now, damage: None });
    watched.searched.last_backup = Some(BackupRecord {
        ended_at: now.plus_seconds(-day),
        file: "b.tar".into(),
        bytes: 1,
        code: None,
        said: "sound".into(),
        planned: true,
    });
    watched.searched.key_not_kept = false;
    watched.searched.certificates = vec![super::super::watch::IdpCertificate {
        group: GroupId(7),
        ends_at: now.plus_seconds(CERTIFICATE_SOON * day),
    }];
    let mut installation = Installation {
        uptime_seconds: Some(5),
        certificate: Some(ServerCertificate {
            ends_at: now.plus_seconds(CERTIFICATE_SOON * day),
            is_own: false,
        }),
        public_origin: Some("https://sso.example.com".into()),
        asked_as: Some("https://sso.example.com".into()),
        ..Installation::default()
    };
    let mut ready = f.desk.appliance.readiness().0.clone();
    change(&mut watched, &mut installation, &mut ready);
    let seen = Observations {
        watched: &watched,
        readiness: Arc::new(Readiness(ready)),
        installation: &installation,
        mode: Mode::Production,
        serves: true,
        clock_ahead: Some(CLOCK_SECONDS * 1_000),
    };
    let findings = examined(&seen);
    for finding in &findings {
        let acts = matches!(finding.condition, Attention | Bad);
        assert_eq!(acts, !finding.repair.is_empty(), "{finding:?}");
        assert!(finding.says.ends_with('.') && !finding.says.contains(".."), "{finding:?}");
    }
    findings.into_iter().filter(|f| f.condition != Good).map(|f| (f.name, f.condition)).collect()
}

#[test]
fn a_healthy_appliance_is_good_in_every_line() {
    assert_eq!(said(|_, _, _| {}), []);
}

#[test]
fn each_check_speaks_of_its_own_trouble_alone() {
    let changes: [(&str, Condition, Change); 21] = [
        ("server", Attention, |_, i, _| i.uptime_seconds = None),
        ("tls_certificate", Off, |_, i, _| i.certificate = None),
        ("tls_certificate", Bad, |w, i, _| {
            i.certificate.as_mut().unwrap().ends_at = w.now.plus_seconds(-1);
        }),
        ("tls_certificate", Attention, |w, i, _| {
            i.certificate.as_mut().unwrap().ends_at = w.now.plus_seconds(CERTIFICATE_SOON * DAY_SECONDS - 1);
        }),
        ("tls_certificate", Attention, |_, i, _| i.certificate.as_mut().unwrap().is_own = true),
        ("public_url", Attention, |_, i, _| i.public_origin = None),
        ("public_url", Attention, |_, i, _| i.asked_as = Some("https://other.example.com".into())),
        ("disk", Bad, |w, _, _| w.free_bytes = Some(LEAST_FREE_BYTES - 1)),
        ("disk", Attention, |w, _, _| w.free_bytes = Some(LITTLE_ROOM - 1)),
        ("disk", Attention, |w, _, _| w.files.database = LITTLE_ROOM * 2),
        ("writes", Bad, |_, _, ready| ready[1].failure = Some(Error::fault("database", ""))),
        ("database", Bad, |_, _, ready| ready[0].failure = Some(Error::fault("database", ""))),
        ("whole_check", Bad, |w, _, _| w.last_check.as_mut().unwrap().damage = Some("page 7".into())),
        ("whole_check", Off, |w, _, _| w.last_check = None),
        ("write_ahead_log", Bad, |w, _, _| w.log_is_there = false),
        ("write_ahead_log", Attention, |w, _, _| w.files.log = LONG_LOG),
        ("backup", Bad, |w, _, _| w.searched.last_backup = None),
        ("backup", Attention, |w, _, _| w.searched.backup_failed = true),
        ("backup", Attention, |w, _, _| {
            w.searched.last_backup.as_mut().unwrap().ended_at = w.now.plus_seconds(-BACKUP_OLD_SECONDS);
        }),
        ("key_file", Attention, |w, _, _| w.searched.key_not_kept = true),
        ("access_log", Attention, |w, _, _| w.searched.access_log_rows_of_a_day = MANY_ROWS_A_DAY),
    ];
    for (name, condition, change) in changes {
        let mut expected = vec![(name, condition)];
        if said(change).contains(&("key_file", Off)) {
            // Without backups, the copy of the key file does not matter yet.
            expected.push(("key_file", Off));
        }
        assert_eq!(said(change), expected);
    }
    let more: [(&str, Condition, Change); 5] = [
        ("idp_certificates", Off, |w, _, _| w.searched.certificates = Vec::new()),
        ("idp_certificates", Attention, |w, _, _| w.searched.certificates[0].ends_at = w.now),
        ("unused_keys", Attention, |w, _, _| w.searched.unused_keys = 1),
        ("settings", Attention, |_, i, _| i.contradictions = vec!["They differ.".into()]),
        ("server_log", Attention, |_, i, _| i.dropped_lines = 1),
    ];
    for (name, condition, change) in more {
        assert_eq!(said(change), [(name, condition)]);
    }
}

#[test]
fn only_operators_are_told() {
    let f = fixture();
    let refused = f.desk.appliance.doctor(&f.admin, &Installation::default());
    assert_eq!(refused.unwrap_err().code, "operators_only");
}

#[test]
fn the_rows_of_a_day_are_counted_by_halving() {
    let f = fixture();
    let store = &f.desk.ground.store;
    let all = store.read(|r| r.access_log_rows()).unwrap();
    assert!(all > 2);
    let begin = f.desk.clock().now();
    f.desk.clock().set_now(begin.plus_seconds(100));
    f.desk.ground.record(crate::model::LogEntry::done(&Caller::host(), None, "x", "y", "z")).unwrap();
    for (from, rows) in [(-1_000, all + 1), (1, 1), (100, 1), (101, 0)] {
        let counted = store.read(|r| r.access_log_rows_since(begin.plus_seconds(from))).unwrap();
        assert_eq!(counted, rows, "{from}");
    }
}
