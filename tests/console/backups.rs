//! Backups in the console: made in the background, the copy of the key, the report of a restore.

use std::time::{Duration, Instant};

use crate::browser::{Browser, administrator, claimed, text_of};
use crate::common::Server;

const PAGE: &str = "/console/backups";

/// The page once no backup is being made any more.
fn settled(browser: &Browser<'_>) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let page = browser.get(PAGE).body;
        if !page.contains("http-equiv=\"refresh\"") {
            return page;
        }
        assert!(Instant::now() < until, "{}", text_of(&page));
        std::thread::yield_now();
    }
}

#[test]
fn a_backup_is_made_in_the_background_and_shown_when_it_was_proven() {
    let server = Server::lab();
    let browser = claimed(&server);
    let page = browser.get(PAGE).body;
    assert!(
        page.contains("There is no backup yet") && page.contains("There are no automatic backups"),
        "{}",
        text_of(&page)
    );
    browser.submit(PAGE, &[]);
    let page = settled(&browser);
    assert!(
        page.contains("Proven") && page.contains("restored and checked, with a login key"),
        "{}",
        text_of(&page)
    );
    let files: Vec<_> =
        server.data().join("backups").read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(page.contains(files[0].file_name().unwrap().to_str().unwrap()));
    let log = browser.get("/console/access-log").body;
    assert!(text_of(&log).contains("backup.take"), "{}", text_of(&log));
}

#[test]
fn a_backup_that_fails_is_told_on_every_page_until_one_is_made() {
    let server = Server::lab();
    let browser = claimed(&server);
    std::fs::write(server.data().join("backups"), "in the way").unwrap();
    browser.submit(PAGE, &[]);
    let page = settled(&browser);
    assert!(page.contains("The last attempt failed") && page.contains("backup_place"), "{}", text_of(&page));
    assert!(browser.get("/console/groups").body.contains("The last backup failed."));
    std::fs::remove_file(server.data().join("backups")).unwrap();
    browser.submit(PAGE, &[]);
    assert!(!settled(&browser).contains("The last attempt failed"));
    assert!(!browser.get("/console/groups").body.contains("The last backup failed."));
}

#[test]
fn the_copy_of_the_key_is_confirmed_by_what_sha256sum_prints() {
    use sha2::Digest;
    let server = Server::lab();
    let browser = claimed(&server);
    browser.refused("/console/backups/key", &[("name", "0123456789abcdef")], 400, "href=\"#f-name\"");
    let file = std::fs::read(server.data().join("sidelight.key")).unwrap();
    let printed: String = sha2::Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        !browser.get(PAGE).body.to_lowercase().contains(&printed[..4]),
        "the page does not say what to type"
    );
    let page = browser.submit("/console/backups/key", &[("name", &printed[..16])]).body;
    assert!(page.contains("An operator confirmed that a copy is kept elsewhere"), "{}", text_of(&page));
}

#[test]
fn the_key_is_sealed_to_a_recipient_and_a_private_key_is_never_shown_again() {
    let server = Server::lab();
    let browser = claimed(&server);
    let private = "AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS23V9CCRYDPK8QARC0SS5TZVW";
    let refused = browser.post("/console/backups/recipient", &[("recipient", private)]);
    assert!(refused.status == 400 && !refused.body.contains("AGE-SECRET"), "{}", text_of(&refused.body));
    // The example of the standard's specification (C2SP, age).
    let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let page = browser.submit("/console/backups/recipient", &[("recipient", recipient)]).body;
    assert!(
        page.contains(recipient) && page.contains("Each backup contains the sealed key file"),
        "{}",
        text_of(&page)
    );
    browser.submit(PAGE, &[]);
    settled(&browser);
    let file = server.data().join("backups").read_dir().unwrap().next().unwrap().unwrap().path();
    let mut archive = tar::Archive::new(std::fs::File::open(file).unwrap());
    let names = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    assert!(names.collect::<Vec<_>>().contains(&"sidelight.key.age".to_owned()));
}

#[test]
fn what_a_restore_may_have_undone_is_shown_until_an_operator_has_read_it() {
    let server = Server::lab();
    let browser = claimed(&server);
    let report = r#"{"backup_made_at":"2026-12-01T02:00:00.000Z","restored_at":"2026-12-01T09:30:00.000Z","old_log_read":true,
        "undone":[{"at":"2026-12-01T08:00:00.000Z","actor":"ada","operation":"user.update","subject":"<b>joe</b>"}]}"#;
    let database = rusqlite::Connection::open(server.data().join("sidelight.db")).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    database.execute("UPDATE appliance SET restore_report = ?1", [report]).unwrap();
    assert!(browser.get("/console/groups").body.contains("This server was restored from a backup"));
    let page = browser.get(PAGE).body;
    assert!(
        page.contains("On 2026-12-01 09:30 UTC from a backup of 2026-12-01 02:00 UTC."),
        "{}",
        text_of(&page)
    );
    assert!(page.contains("&lt;b&gt;joe") && !page.contains("<b>joe</b>"));
    browser.submit("/console/backups/report", &[]);
    assert!(!browser.get("/console/groups").body.contains("This server was restored from a backup"));
}

#[test]
fn only_operators_see_backups() {
    let server = Server::lab();
    let operator = claimed(&server);
    let administrator = administrator(&operator);
    assert_eq!(administrator.get(PAGE).status, 403);
    administrator.refused(PAGE, &[], 403, "Only an operator");
    administrator.refused("/console/backups/key", &[("name", "x")], 403, "Only an operator");
    administrator.refused("/console/backups/recipient", &[("recipient", "x")], 403, "Only an operator");
    administrator.refused("/console/backups/report", &[], 403, "Only an operator");
    assert!(!server.data().join("backups").exists());
}
