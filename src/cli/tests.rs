//! The table of commands: every page of help has an example, and every example is a command line that can be typed.

#![allow(clippy::unwrap_used, clippy::panic)]

use argh::{ArgsInfo, CommandInfoWithArgs, FromArgs};

use super::{Sidelight, help, typed};

/// Calls `visit` with every command, as the path that leads to it.
fn walk<'t>(path: &mut Vec<&'t CommandInfoWithArgs>, visit: &mut impl FnMut(&[&'t CommandInfoWithArgs])) {
    visit(path);
    let command = *path.last().unwrap();
    for sub in &command.commands {
        path.push(&sub.command);
        walk(path, visit);
        path.pop();
    }
}

/// The words of a line, as a shell takes them apart; what is redirected is not the command's.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), close) if open == close => quote = None,
            (None, ' ') => words.extend(word.take()),
            (None, '|' | '>' | '<') => break,
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

fn read(line: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    typed::read(&Sidelight::get_args_info(), &words).map(|typed| typed.words).map_err(|mistake| mistake.0)
}

#[test]
fn every_page_of_help_has_an_example_and_every_example_can_be_typed() {
    let program = Sidelight::get_args_info();
    let mut pages = 0;
    walk(&mut vec![&program], &mut |path| {
        let examples = help::examples(path);
        let name = typed::spelled(path);
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let words = shell_words(&example);
            assert_eq!(words.first().map(String::as_str), Some("sidelight"), "{example}");
            assert!(example.starts_with(&name), "{example} is an example of {name}");
            let typed = typed::read(&program, words.get(1..).unwrap()).map_err(|m| m.0);
            let typed = typed.unwrap_or_else(|mistake| panic!("{example}: {mistake}"));
            let words: Vec<&str> = typed.words.iter().map(String::as_str).collect();
            if !typed.help {
                let read = Sidelight::from_args(&["sidelight"], &words);
                assert!(read.is_ok(), "{example}: {:?}", read.err());
            }
        }
        pages += 1;
    });
    assert!(pages > 50, "{pages}");
}

#[test]
fn every_page_of_help_sets_its_title_apart_and_stays_in_its_columns() {
    let program = Sidelight::get_args_info();
    walk(&mut vec![&program], &mut |path| {
        let page = help::page(path, false);
        let mut lines = page.lines();
        let title = lines.next().unwrap();
        assert!(title.starts_with(char::is_uppercase) && !title.ends_with('.'), "{title}");
        assert!(lines.any(|line| line == "Usage"), "{page}");
        let examples = help::examples(path);
        for line in page.lines().filter(|line| !examples.iter().any(|example| line.ends_with(example))) {
            assert!(line.chars().count() <= 100 || line.starts_with("  sidelight"), "{line}");
        }
        assert!(!page.contains('\x1b') && help::page(path, true).contains("\x1b[1m"));
        assert_eq!(page.matches("--help").count(), 1, "{page}");
        assert!(page.contains("--data <data>") && page.contains("Exit status"), "{page}");
    });
}

#[test]
fn options_of_the_program_stand_before_and_after_the_command_and_take_an_equals_sign() {
    let expected = ["--data", "D", "user", "list", "--group", "1"];
    for line in [
        "--data D user list --group 1",
        "--data=D user list --group=1",
        "user --data D list --group 1",
        "user list --group 1 --data D",
        "user list --group 1 --data=D",
    ] {
        assert_eq!(read(line).unwrap(), expected, "{line}");
    }
    assert_eq!(read("serve --public-url=https://a?b=c").unwrap(), ["serve", "--public-url", "https://a?b=c"]);
}

#[test]
fn a_lone_dash_is_an_argument_and_stays_an_options_value() {
    for (line, words) in [
        ("login-key check - --group 1 --puid p", "login-key check --group 1 --puid p -- -"),
        ("login-key check --group 1 --json - --puid -", "--json login-key check --group 1 --puid - -- -"),
        ("login-key check --puid - - --group 1", "login-key check --puid - --group 1 -- -"),
        ("login-key check k --puid - --group 1", "login-key check --puid - --group 1 -- k"),
        ("user import - --group 1", "user import --group 1 -- -"),
        ("user import -- -people.csv", "user import -- -people.csv"),
        ("health --wait 1", "health --wait 1"),
    ] {
        let read = read(line).unwrap();
        assert_eq!(read.join(" "), words);
        assert!(
            Sidelight::from_args(&["sidelight"], &words.split(' ').collect::<Vec<_>>()).is_ok(),
            "{words}"
        );
    }
}

#[test]
fn a_mistake_names_what_was_meant_all_that_is_missing_and_where_help_is() {
    for (line, said) in [
        ("serv", "Did you mean sidelight serve?\nSee sidelight --help."),
        ("usr list", "Did you mean sidelight user?"),
        ("user lst --group 1", "Did you mean sidelight user list?\nSee sidelight user --help."),
        ("export people.csv", "Did you mean sidelight user export?"),
        ("group create 1 --nam x", "Did you mean --name?\nSee sidelight group create --help."),
        ("user list --group", "--group needs a value"),
        ("user list --group 1 --json=yes", "--json takes no value"),
        ("health now", "takes no argument \"now\""),
        ("", "Which command of sidelight? There are serve, config,"),
        ("user", "Which command of sidelight user?"),
        ("--data", "--data needs a value"),
    ] {
        let mistake = read(line).unwrap_err();
        assert!(mistake.contains(said), "{line}: {mistake}");
    }
    let missing = read("user create --puid p").unwrap_err();
    assert!(missing.contains("--group") && missing.contains("--address"), "{missing}");
    let far = read("xyzzy").unwrap_err();
    assert!(!far.contains("Did you mean"), "{far}");
}
