//! What is wrong with a command line, in the three lines of every other error.

use clap::{
    Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::complaint::{Complaint, is_advice, split};

/// What clap has to say. `words` is the command line after the program's name.
pub fn complaint(error: &Error, command: &Command, words: &[String]) -> Complaint {
    let (what, tips) = told(&error.render().to_string());
    let (what, inner) = apart(error, what);
    let (what, inner, advice) = match inner {
        // Values are read by functions of ours, which say what to write; other words are clap's.
        None if error.kind() == ErrorKind::ValueValidation => {
            let (what, advice) = parted(what);
            (what, None, advice)
        }
        None => (what, None, None),
        Some(inner) if is_advice(&inner) => (what, None, Some(inner)),
        Some(inner) => {
            let (inner, advice) = parted(inner);
            (what, Some(inner), advice)
        }
    };
    let causes: Vec<String> = inner.into_iter().chain(tips).collect();
    Complaint {
        what,
        cause: (!causes.is_empty()).then(|| causes.join("; ")),
        help: corrected(error, words)
            .or(advice)
            .unwrap_or_else(|| format!("`ballast{} --help`", path(command, words))),
    }
}

/// What was wrong, and what to do about it if that is said.
fn parted(message: String) -> (String, Option<String>) {
    match split(&message) {
        Some((wrong, advice)) => (wrong.to_owned(), Some(advice.to_owned())),
        None => (message, None),
    }
}

/// Where a command has to be named and was not.
pub fn no_command(command: &Command, words: &[String]) -> Complaint {
    let path = path(command, words);
    let at = path.split_whitespace().try_fold(command, |at, name| {
        at.get_subcommands().find(|below| below.get_name() == name)
    });
    let below = at.into_iter().flat_map(Command::get_subcommands);
    let below = below.filter(|below| !below.is_hide_set());
    let names = below.map(Command::get_name).filter(|name| *name != "help");
    let names: Vec<&str> = names.collect();
    Complaint {
        what: format!("`ballast{path}` needs a command"),
        cause: (!names.is_empty()).then(|| format!("there are {}", names.join(", "))),
        help: format!("`ballast{path} --help`"),
    }
}

/// What went wrong, on one line, and clap's tips.
fn told(text: &str) -> (String, Vec<String>) {
    let lines = text.lines().map(str::trim);
    let own = lines.take_while(|line| {
        !line.starts_with("Usage:") && !line.starts_with("For more information")
    });
    let (mut what, mut tips) = (Vec::new(), Vec::new());
    for line in own.filter(|line| !line.is_empty()) {
        match line.strip_prefix("tip: ") {
            Some(tip) => tips.push(tip.to_owned()),
            None => what.push(line),
        }
    }
    let Some((first, rest)) = what.split_first() else {
        return (String::new(), tips);
    };
    let first = first.strip_prefix("error: ").unwrap_or(first);
    // A list of options, or words that go on.
    let rest = rest.join(if first.ends_with(':') { ", " } else { " " });
    (format!("{first} {rest}").trim_end().to_owned(), tips)
}

/// A value that was refused, and what its reader says about it.
fn apart(error: &Error, what: String) -> (String, Option<String>) {
    let reader = std::error::Error::source(error).map(ToString::to_string);
    let reader = reader.filter(|_| error.kind() == ErrorKind::ValueValidation);
    let Some(inner) = reader else {
        return (what, None);
    };
    let inner = inner.split_whitespace().collect::<Vec<_>>().join(" ");
    match what.strip_suffix(&format!(": {inner}")) {
        Some(outer) => (outer.to_owned(), Some(inner)),
        None => (what, None),
    }
}

/// The command line with the word that clap suggests in place of the wrong one.
fn corrected(error: &Error, words: &[String]) -> Option<String> {
    let (wrong, right) = match error.kind() {
        ErrorKind::InvalidSubcommand => (
            ContextKind::InvalidSubcommand,
            ContextKind::SuggestedSubcommand,
        ),
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        ErrorKind::InvalidValue => (ContextKind::InvalidValue, ContextKind::SuggestedValue),
        _ => return None,
    };
    let (wrong, right) = (word_in(error, wrong)?, word_in(error, right)?);
    let place = words
        .iter()
        .position(|word| replaced(word, wrong, right).is_some())?;
    let line = words
        .iter()
        .enumerate()
        .map(|(at, word)| match at == place {
            true => shown(&replaced(word, wrong, right).unwrap_or_default()),
            false => shown(word),
        });
    let line: Vec<String> = line.collect();
    Some(format!("`ballast {}`", line.join(" ")))
}

fn word_in(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(one) => Some(one),
        // The most alike is the last.
        ContextValue::Strings(all) => all.last().map(String::as_str),
        _ => None,
    }
}

/// The word with the right part in place of the wrong one: all of it, the option before `=`, or the value behind.
fn replaced(word: &str, wrong: &str, right: &str) -> Option<String> {
    if word == wrong {
        return Some(right.to_owned());
    }
    let (option, value) = word.split_once('=')?;
    match (option == wrong, value == wrong) {
        (true, _) => Some(format!("{right}={value}")),
        (false, true) => Some(format!("{option}={right}")),
        (false, false) => None,
    }
}

/// A word as a shell takes it. Addresses may hold keys: they are not repeated.
fn shown(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_@%+=:,./-".contains(letter);
    match word.split_once("://") {
        Some((before, _)) => match before.rsplit_once('=') {
            Some((option, _)) => format!("{option}=URL"),
            None => "URL".to_owned(),
        },
        None if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        None => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The words that name commands, with a space before each.
fn path(command: &Command, words: &[String]) -> String {
    let (mut at, mut path) = (command, String::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let mut options = command.get_arguments().chain(at.get_arguments());
            let known = options.find(|known| known.get_long() == Some(option));
            // The next word is its value.
            if known.is_some_and(|known| known.get_action().takes_values()) {
                words.next();
            }
        } else if let Some(below) = at.find_subcommand(word) {
            path.push(' ');
            path.push_str(below.get_name());
            at = below;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    fn said(line: &str) -> [String; 3] {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let whole = std::iter::once("ballast".to_owned()).chain(words.clone());
        let error = Cli::command().try_get_matches_from(whole).unwrap_err();
        let complaint = complaint(&error, &Cli::command(), &words);
        [
            complaint.what,
            complaint.cause.unwrap_or_default(),
            complaint.help,
        ]
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_in_three() {
        for (line, expected) in [
            (
                "risk",
                [
                    "the following required arguments were not provided: --input <FILE>",
                    "",
                    "`ballast risk --help`",
                ],
            ),
            (
                "--url https://node.example/KEY-12 positons --all",
                [
                    "unrecognized subcommand 'positons'",
                    "some similar subcommands exist: 'completions', 'positions'",
                    "`ballast --url URL positions --all`",
                ],
            ),
            (
                "lend show --onwer=me",
                [
                    "unexpected argument '--onwer' found",
                    "a similar argument exists: '--owner'",
                    "`ballast lend show --owner=me`",
                ],
            ),
            (
                "--yes policy set So11111111111111111111111111111111111111112 --keepers of",
                [
                    "invalid value 'of' for '--keepers <KEEPERS>' [possible values: on, off]",
                    "a similar value exists: 'off'",
                    "`ballast --yes policy set So11111111111111111111111111111111111111112 --keepers off`",
                ],
            ),
            (
                "--url devnet recenter So11111111111111111111111111111111111111112 --width x",
                [
                    "invalid value 'x' for '--width <WIDTH>'",
                    "`x` is no width",
                    "write a percentage like 10%, or a whole number of ticks",
                ],
            ),
            (
                "market set-mode reduce-only --for soon",
                [
                    "invalid value 'soon' for '--for <TIME>'",
                    "",
                    "write a time like 90s, 30m, 12h, 7d or 1h 30m",
                ],
            ),
            (
                "positions --all --owner So11111111111111111111111111111111111111112",
                [
                    "the argument '--all' cannot be used with '--owner <ADDRESS>'",
                    "",
                    "`ballast positions --help`",
                ],
            ),
        ] {
            assert_eq!(said(line), expected.map(str::to_owned), "{line}");
        }
        let [what, cause, help] = said("compare --model");
        assert!(
            what.ends_with("[possible values: gbm, jumps, regimes, replay, bootstrap]"),
            "{what}"
        );
        assert_eq!(
            (cause.as_str(), help.as_str()),
            ("", "`ballast compare --help`")
        );
        // Whose value looks like a command.
        let told = said("--keypair open market shwo");
        assert_eq!(told[2], "`ballast --keypair open market show`");
    }

    #[test]
    fn where_a_command_is_missing_the_commands_are_named() {
        let words = ["--json".to_owned(), "reward".to_owned()];
        let complaint = no_command(&Cli::command(), &words);
        assert_eq!(complaint.what, "`ballast reward` needs a command");
        assert_eq!(complaint.cause.unwrap(), "there are fund, reclaim");
        assert_eq!(complaint.help, "`ballast reward --help`");
    }

    #[test]
    fn a_shell_takes_what_is_repeated() {
        for (word, expected) in [
            ("--reason", "--reason"),
            ("by hand", "'by hand'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("--url=https://node/KEY", "--url=URL"),
            ("postgres://me:secret@host/x", "URL"),
        ] {
            assert_eq!(shown(word), expected);
        }
    }
}
