//! The users that every server knows.

use std::fmt::Write;
use std::path::Path;

pub const COUNT: usize = 1_000;

pub fn email(number: usize) -> String {
    format!("user{:07}@example.com", number % COUNT)
}

pub fn puid(number: usize) -> String {
    format!("user{:07}", number % COUNT)
}

/// Makes a peer's database.
pub fn make_database(path: &Path) {
    let mut database = rusqlite::Connection::open(path).unwrap();
    database.execute_batch(include_str!("../../service_provider.sql")).unwrap();
    let transaction = database.transaction().unwrap();
    for number in 0..COUNT {
        transaction
            .execute("INSERT INTO users (puid, email) VALUES (?1, ?2)", [puid(number), email(number)])
            .unwrap();
    }
    transaction.commit().unwrap();
}

/// The same users as a file that Sidelight imports.
pub fn csv() -> String {
    let mut text = "FirstName,LastName,Email,GlanceAddress,PartnerUID\n".to_owned();
    for number in 0..COUNT {
        let (puid, email) = (puid(number), email(number));
        writeln!(text, "Ann,Example,{email},{puid}.demo.glance.net,{puid}").unwrap();
    }
    text
}
