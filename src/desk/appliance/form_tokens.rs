//! What the console's pages carry against forgery: a token in every form, and a seal on the message that one
//! page leaves for the next. Both are bound with an HMAC to a value that only this browser holds.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::desk::appliance::Appliance;

impl Appliance {
    /// The token that forms of this browser carry: nobody who does not hold `bearer` can make it.
    pub fn form_token(&self, bearer: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.ground.keys.form, &bound("form", bearer, "")))
    }

    /// Whether a form came from a page that this browser was given.
    pub fn form_token_fits(&self, bearer: &str, token: &str) -> bool {
        let tag = URL_SAFE_NO_PAD.decode(token);
        tag.is_ok_and(|tag| hmac::verify(&self.ground.keys.form, &bound("form", bearer, ""), &tag).is_ok())
    }

    /// Seals a message to the next page of this browser, so that nobody else can put words there.
    pub fn seal_message(&self, bearer: &str, message: &str) -> String {
        let tag = hmac::sign(&self.ground.keys.form, &bound("message", bearer, message));
        format!("{}.{}", URL_SAFE_NO_PAD.encode(tag), URL_SAFE_NO_PAD.encode(message))
    }

    /// Seals a form that came after its session had ended, for the same browser and the same person.
    pub fn seal_form(&self, browser: &str, person: &str, form: &str) -> String {
        self.seal_message(&whose_form(browser, person), form)
    }

    /// Opens what [`Appliance::seal_form`] sealed for the same browser and person.
    pub fn open_form(&self, browser: &str, person: &str, sealed: &str) -> Option<String> {
        self.open_message(&whose_form(browser, person), sealed)
    }

    /// Opens what [`Appliance::seal_message`] sealed for the same browser.
    pub fn open_message(&self, bearer: &str, sealed: &str) -> Option<String> {
        let (tag, message) = sealed.split_once('.')?;
        let message = String::from_utf8(URL_SAFE_NO_PAD.decode(message).ok()?).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.ground.keys.form, &bound("message", bearer, &message), &tag).ok()?;
        Some(message)
    }
}

/// No browser's value has a line break in it, so this is never taken for a message's.
fn whose_form(browser: &str, person: &str) -> String {
    format!("{browser}\nform\n{person}")
}

/// What is signed: the purpose and the browser have no zero byte in them, so the parts cannot be shifted.
fn bound(purpose: &str, bearer: &str, message: &str) -> Vec<u8> {
    [purpose, bearer, message].join("\0").into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::clock::Clock;
    use crate::desk::Desk;
    use crate::model::Mode;

    #[test]
    fn a_token_or_message_of_another_browser_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        let token = desk.appliance.form_token("mine");
        assert!(desk.appliance.form_token_fits("mine", &token));
        for wrong in ["", "AAAA", "!", &desk.appliance.form_token("theirs")] {
            assert!(!desk.appliance.form_token_fits("mine", wrong), "{wrong:?}");
        }
        let sealed = desk.appliance.seal_message("mine", "Saved.");
        assert_eq!(desk.appliance.open_message("mine", &sealed).as_deref(), Some("Saved."));
        assert_eq!(desk.appliance.open_message("theirs", &sealed), None);
        assert_eq!(desk.appliance.open_message("mine", "AAAA.U2F2ZWQu"), None);
        let form = desk.appliance.seal_form("mine", "operator 1", "a=b");
        assert_eq!(desk.appliance.open_form("mine", "operator 1", &form).as_deref(), Some("a=b"));
        for (browser, person) in [("mine", "operator 2"), ("theirs", "operator 1"), ("mine", "")] {
            assert_eq!(desk.appliance.open_form(browser, person, &form), None, "{browser} {person}");
        }
        assert_eq!(desk.appliance.open_message("mine", &form), None);
        // A token for forms is no seal on a message, whatever the message is.
        assert_eq!(desk.appliance.open_message("mine", &format!("{token}.")), None);
    }
}
