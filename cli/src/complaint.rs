//! What a person reads of an error: what went wrong, its cause, what to type, a line each.

use std::{fmt, io::Write};

use anyhow::Error;
use console::style;

use crate::{
    globals::Globals,
    help,
    report::{Told, note},
    trouble::{self, Explained, Kind},
};

/// The words that what is to be done begins with, in messages of this repository: they say what was wrong, then what to do.
const TO_DO: &[&str] = &[
    "add",
    "allow",
    "announce",
    "ask",
    "before",
    "ballast",
    "check",
    "choose",
    "close",
    "deleverage",
    "deploy",
    "do",
    "enable",
    "fund",
    "give",
    "go",
    "hedge",
    "leave",
    "look",
    "lower",
    "make",
    "migrate",
    "move",
    "name",
    "open",
    "pass",
    "post",
    "put",
    "quote",
    "raise",
    "read",
    "remove",
    "rename",
    "repay",
    "repeat",
    "replace",
    "restore",
    "resume",
    "run",
    "save",
    "send",
    "set",
    "show",
    "sign",
    "spl",
    "start",
    "take",
    "try",
    "update",
    "upgrade",
    "use",
    "wait",
    "widen",
    "write",
];

/// How a failure begins to say which instruction failed.
const PLACE: &str = " (instruction ";

/// An error in three lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What went wrong.
    pub what: String,
    /// What made it go wrong, if that is known.
    pub cause: Option<String>,
    /// What to type or to do.
    pub help: String,
}

/// Tells an error: for people, and with `--json` for programs, unless standard output has told them already.
pub fn complain(error: &Error, kind: Kind, globals: &Globals) {
    let complaint = Complaint::new(error, kind, &globals.command);
    let message = complaint.message();
    let json = globals.json && !error.is::<Told>();
    complaint.tell(kind, json.then_some(message.as_str()));
}

impl Complaint {
    /// Of an error of `command`, as it is typed.
    pub fn new(error: &Error, kind: Kind, command: &str) -> Self {
        let mut help: Option<String> = None;
        let mut parts = error.chain().map(|part| {
            let explained = part.downcast_ref::<Explained>();
            let text = explained.map_or_else(|| part.to_string(), |it| it.error.to_string());
            let what = match split(&text) {
                Some((what, advice)) => {
                    // Where a program failed says what was wrong, not what to do.
                    let (advice, place) = match advice.find(PLACE) {
                        Some(at) => advice.split_at(at),
                        None => (advice, ""),
                    };
                    // Before anything else is tried the node has to answer, which is said last.
                    if help.is_none() || kind == Kind::Cluster {
                        help = Some(advice.to_owned());
                    }
                    format!("{what}{place}")
                }
                None => text,
            };
            match explained {
                Some(explained) => quoted(&what, &explained.words),
                None => what,
            }
        });
        let what = parts.next().unwrap_or_default();
        let mut causes: Vec<String> = parts.collect();
        causes.dedup();
        Self {
            what,
            cause: (!causes.is_empty()).then(|| causes.join(": ")),
            help: help
                .or_else(|| kind.help_in(command).map(ToOwned::to_owned))
                .unwrap_or_else(|| format!("`ballast help{command}` says what it takes")),
        }
    }

    /// What and cause, for programs.
    pub fn message(&self) -> String {
        let cause = self.cause.iter();
        let cause: String = cause.map(|cause| format!(": {cause}")).collect();
        format!("{}{cause}", self.what)
    }

    /// On standard error for people, no wider than their terminal. With `json`, a message for programs, also on standard output, so
    /// that a reader of it is not left with nothing.
    pub fn tell(&self, kind: Kind, json: Option<&str>) {
        note(self.fitted(help::terminal_width(true)));
        if let Some(message) = json {
            let line = trouble::line(kind, message, Some(&self.help));
            // Whoever reads it may have gone.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }

    /// What and cause in lines that are no wider. What is to be typed stays on one, to be copied.
    fn fitted(&self, width: Option<usize>) -> String {
        let text = self.to_string();
        let Some(width) = width else {
            return text;
        };
        match text.rsplit_once('\n') {
            Some((told, help)) => format!("{}\n{help}", help::wrapped(told, width)),
            None => text,
        }
    }
}

/// What was wrong, with the program's own words. Where its error only points at them they stand in its place.
fn quoted(what: &str, words: &str) -> String {
    match what.split_once("; the log names ") {
        Some((refused, rest)) => {
            let place = rest.find(PLACE).map_or("", |at| &rest[at..]);
            let rule = words
                .split_once(" refused: ")
                .map_or(words, |(_, rule)| rule);
            format!("{refused}: {rule}{place}")
        }
        None => format!("{what}, the program says: {words}"),
    }
}

/// What was wrong, and what to do about it.
pub fn split(message: &str) -> Option<(&str, &str)> {
    let ends = message.match_indices([':', ';']);
    ends.filter_map(|(at, _)| {
        let advice = message.get(at + 1..)?.strip_prefix(' ')?;
        is_advice(advice).then(|| (&message[..at], advice))
    })
    .next()
}

/// Whether a text says what to do.
pub fn is_advice(text: &str) -> bool {
    let text = text.trim_start_matches('`');
    // A field's name is no advice.
    let word = text.split(|letter: char| !letter.is_ascii_alphabetic() && letter != '_');
    word.take(1).any(|word| TO_DO.contains(&word))
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |text| style(text).for_stderr().bold();
        writeln!(f, "{} {}", name("error:").red(), self.what)?;
        if let Some(cause) = &self.cause {
            writeln!(f, "{} {cause}", name("cause:"))?;
        }
        write!(f, "{} {}", name("help:").cyan(), self.help)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};
    use ballast_client::{BallastError, Failure, Pubkey, SendError};
    use solana_sdk::{instruction::InstructionError, transaction::TransactionError};

    use super::*;

    fn told(error: &Error, kind: Kind) -> String {
        Complaint::new(error, kind, " open").to_string()
    }

    #[test]
    fn what_cause_and_what_to_type_are_a_line_each() {
        let no_file = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error =
            Err::<(), _>(no_file).context("cannot read the key id.json: pass --keypair FILE");
        assert_eq!(
            told(&error.unwrap_err(), Kind::Other),
            "error: cannot read the key id.json\ncause: entity not found\nhelp: pass --keypair FILE"
        );
        let refused = anyhow!("ModeForbids").context("opening would fail");
        assert_eq!(
            Complaint::new(&refused, Kind::Refused, " exit").to_string(),
            format!(
                "error: opening would fail\ncause: ModeForbids\nhelp: {}",
                Kind::Refused.help().unwrap()
            )
        );
        let named = anyhow!(
            "PriceTooOld: The price is too old; post a newer one (instruction 0, in program P)"
        );
        assert_eq!(
            told(&named.context("rehedging would fail"), Kind::Refused),
            "error: rehedging would fail\ncause: PriceTooOld: The price is too old (instruction 0, in program P)\nhelp: post a \
             newer one"
        );
        let unanswered = anyhow!("no answer: check the URL").context("no market: pass --market");
        assert_eq!(
            told(&unanswered, Kind::Cluster),
            "error: no market\ncause: no answer\nhelp: check the URL"
        );
        let unclear = anyhow!("no answer").context("no market");
        assert_eq!(
            told(&unclear, Kind::Cluster),
            format!(
                "error: no market\ncause: no answer\nhelp: {}",
                Kind::Cluster.help().unwrap()
            )
        );
        let bare = anyhow!("--slippage 100% must be below 1 (100%)");
        assert_eq!(
            told(&bare, Kind::Other),
            "error: --slippage 100% must be below 1 (100%)\nhelp: `ballast help open` says what it takes"
        );
    }

    #[test]
    fn the_programs_words_are_the_cause_and_their_fields_no_advice() {
        let refused = |cause: BallastError, words: &str| {
            let error =
                TransactionError::InstructionError(2, InstructionError::Custom(cause.into()));
            let failure = Failure::new(error, Vec::new(), &[Pubkey::default(); 3]);
            let failure = Failure {
                cause: ballast_client::Cause::Ballast(cause),
                program: None,
                ..failure
            };
            let words = words.to_owned();
            let error = SendError::Refused(Box::new(failure));
            Error::from(Explained { error, words }).context("setting it would fail")
        };
        let rule = "Policy refused: --hedge must not exceed 100%";
        let said = Complaint::new(
            &refused(BallastError::BadPolicy, rule),
            Kind::Refused,
            " policy set",
        );
        assert_eq!(
            said.cause.unwrap(),
            "BadPolicy: This policy is refused: --hedge must not exceed 100% (instruction 2)"
        );
        assert!(
            said.help.starts_with("`ballast explain POSITION`"),
            "{}",
            said.help
        );
        let field = "Market parameters refused: deleverage_ltv_bps must be below it";
        let said = Complaint::new(
            &refused(BallastError::BadParameters, field),
            Kind::Refused,
            " migrate",
        );
        assert!(
            said.help.starts_with("`ballast market show`"),
            "{}",
            said.help
        );
        assert!(!is_advice("deleverage_trigger_ltv_bps must be below it"));
    }

    #[test]
    fn a_terminal_is_not_run_over_and_commands_stay_whole() {
        let complaint = Complaint {
            what: "one two three four five six seven eight".into(),
            cause: Some("nine ten".into()),
            help: "`ballast open --own-quote 100 --leverage 3`".into(),
        };
        assert_eq!(
            complaint.fitted(Some(24)),
            "error: one two three\n  four five six seven\n  eight\ncause: nine ten\nhelp: `ballast open --own-quote 100 --leverage 3`"
        );
        assert_eq!(complaint.fitted(None), complaint.to_string());
    }

    #[test]
    fn what_to_do_is_told_from_what_was_wrong() {
        for (message, expected) in [
            (
                "http://node:1 does not answer (refused): check the URL and that the node is up",
                Some("check the URL and that the node is up"),
            ),
            (
                "position 1: the range is empty; pass --lower and --upper",
                Some("pass --lower and --upper"),
            ),
            (
                "the notice is over: `ballast market apply` puts it in force",
                Some("`ballast market apply` puts it in force"),
            ),
            ("transaction failed: custom program error: 0x1", None),
            ("at http://127.0.0.1:8899: passed", None),
            ("", None),
            (":", None),
        ] {
            assert_eq!(
                split(message).map(|(_, advice)| advice),
                expected,
                "{message}"
            );
        }
    }
}
