//! How settings are read: which wins, what is refused, and by which name.
#![allow(clippy::unwrap_used)]
use super::*;

fn read(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: &str) -> Result<Config> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    std::fs::write(&path, file).unwrap();
    let flags = flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    Config::read(&flags, Some(&path), |name| {
        environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned())
    })
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\ndata = \"from-file\"\nlab = true\n";
    let config = read(
        &[("listen", "127.0.0.1:3")],
        &[("SIDELIGHT_LISTEN", "127.0.0.1:2"), ("SIDELIGHT_DATA", "from-environment")],
        file,
    )
    .unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.data, Path::new("from-environment"));
    assert_eq!(config.mode, Mode::Lab);
    let origins: Vec<String> = ["listen", "data", "lab", "seed"]
        .iter()
        .map(|n| config.values.get(n).unwrap().origin.to_string())
        .map(|o| o.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(origins, ["flag", "environment", "file", "default"]);
}

#[test]
fn the_lab_and_plain_http_stay_on_loopback() {
    for (flags, field) in [
        (&[("lab", "true"), ("listen", "0.0.0.0:1")][..], "listen"),
        (&[("plain_http", "true")][..], "plain_http"),
        (&[("listen", "nowhere")][..], "listen"),
        (&[("lab", "perhaps")][..], "lab"),
        (&[("tls_cert", "c.pem")][..], "tls_key"),
        (&[("public_url", "http://sso.example.com")][..], "public_url"),
        (&[("public_url", "http://localhost:8443")][..], "public_url"),
        (&[("public_url", "https://sso.example.com/path")][..], "public_url"),
        (&[("trusted_proxies", "10.0.0.0/99")][..], "trusted_proxies"),
        (&[("metrics_listen", "nowhere")][..], "metrics_listen"),
        (&[("metrics_listen", "example.com:9464")][..], "metrics_listen"),
        (&[("metrics_listen", "127.0.0.1:8443")][..], "metrics_listen"),
        (&[("lab", "true"), ("metrics_listen", "0.0.0.0:9464")][..], "metrics_listen"),
        (&[("backup_time", "2am")][..], "backup_time"),
        (&[("backup_keep", "0")][..], "backup_keep"),
        (&[("backup_keep_days", "4000")][..], "backup_keep_days"),
        (&[("web_session_minutes", "eight")][..], "web_session_minutes"),
        (&[("web_session_minutes", "4")][..], "web_session_minutes"),
        (&[("web_session_minutes", "10081")][..], "web_session_minutes"),
    ] {
        assert_eq!(read(flags, &[], "").err().unwrap().field.as_deref(), Some(field), "{flags:?}");
    }
    assert!(read(&[("public_url", "https://sso.example.com:8443/")], &[], "").is_ok());
    let plain = [("plain_http", "1"), ("listen", "[::1]:0"), ("public_url", "http://localhost:8080")];
    assert!(read(&plain, &[], "").is_ok());
}

#[test]
fn an_address_to_listen_on_is_taken_as_people_write_it() {
    for (text, lab, production) in [
        ("localhost:9443", "127.0.0.1:9443", "127.0.0.1:9443"),
        (":9443", "127.0.0.1:9443", "0.0.0.0:9443"),
        ("9443", "127.0.0.1:9443", "0.0.0.0:9443"),
        ("[::1]:9443", "[::1]:9443", "[::1]:9443"),
    ] {
        let shown = |lab| read(&[("listen", text), ("lab", lab)], &[], "").unwrap().listen.to_string();
        assert_eq!((shown("true").as_str(), shown("false").as_str()), (lab, production), "{text}");
    }
    for wrong in ["localhost", "example.com:9443", "127.0.0.1", "99999", "::", "-1"] {
        assert_eq!(
            read(&[("listen", wrong)], &[], "").err().unwrap().field.as_deref(),
            Some("listen"),
            "{wrong}"
        );
    }
}

#[test]
fn metrics_are_off_until_set_and_a_port_alone_is_this_machines() {
    let shown = |text| read(&[("metrics_listen", text)], &[], "").unwrap().metrics_listen;
    assert_eq!(shown(""), None);
    for (text, address) in
        [("9464", "127.0.0.1:9464"), (":0", "127.0.0.1:0"), ("10.0.0.7:9464", "10.0.0.7:9464")]
    {
        assert_eq!(shown(text).unwrap().to_string(), address);
    }
}

#[test]
fn the_keys_file_is_named_by_either_variable_and_never_shown_when_it_is_the_key() {
    let with = |more: &[(&'static str, &'static str)]| {
        read(&[], &[&[("SIDELIGHT_TLS_CERT", "c.pem")], more].concat(), "")
    };
    for variable in ["SIDELIGHT_TLS_KEY", "SIDELIGHT_TLS_KEY_FILE"] {
        assert_eq!(with(&[(variable, "k.pem")]).unwrap().tls, Some(("c.pem".into(), "k.pem".into())));
        let refused = with(&[(variable, "-----BEGIN PRIVATE KEY-----\nMII")]).err().unwrap();
        assert!(refused.field.as_deref() == Some("tls_key") && !refused.public.contains("MII"));
    }
    let both = with(&[("SIDELIGHT_TLS_KEY", "k.pem"), ("SIDELIGHT_TLS_KEY_FILE", "k.pem")]);
    assert_eq!(both.err().unwrap().code, "setting_given_twice");
}

#[test]
fn the_data_directory_alone_is_found_as_with_all_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    let found = |environment: Option<&str>| data_directory(Some(&path), |_| environment.map(str::to_owned));
    assert_eq!(found(None).err().unwrap().code, "bad_configuration_file");
    assert_eq!(found(Some("there")).unwrap(), Path::new("there"));
    std::fs::write(&path, "").unwrap();
    assert_eq!(found(None).unwrap(), Path::new("./sidelight-data"));
    std::fs::write(&path, "data = \"from-file\"").unwrap();
    assert_eq!(found(None).unwrap(), Path::new("from-file"));
    assert_eq!(found(Some("")).err().unwrap().field.as_deref(), Some("data"));
}

#[test]
fn a_setting_that_does_not_exist_is_refused_by_name() {
    let error = read(&[], &[], "listne = \"x\"").err().unwrap();
    assert!(error.public.contains("listne") && error.public.contains("Did you mean listen?"), "{error}");
}

#[test]
fn a_variable_that_means_nothing_is_named_with_the_one_that_was_meant() {
    let set =
        ["SIDELIGHT_LISTN", "SIDELIGHT_DATA", "SIDELIGHT_PORT_8443_TCP", "MY_KEY", "SIDELIGHT_KEY_OF_MINE"];
    let said = unknown_variables(set.map(str::to_owned), |name| name == "SIDELIGHT_KEY_OF_MINE");
    assert_eq!(
        said,
        ["The environment variable SIDELIGHT_LISTN means nothing here. Did you mean SIDELIGHT_LISTEN?"]
    );
}
