//! What a person reads of an error: what went wrong, its cause, what to type, a line each.

use std::fmt;

use anyhow::Error;
use console::style;

use crate::trouble::Kind;

/// The words that what is to be done begins with, in messages of this repository: they say what was wrong, then what to do.
const TO_DO: &[&str] = &[
    "add",
    "allow",
    "announce",
    "ask",
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

impl Complaint {
    /// Of an error of `command`, as it is typed.
    pub fn new(error: &Error, kind: Kind, command: &str) -> Self {
        let mut help = None;
        let mut parts = error.chain().map(|part| {
            let text = part.to_string();
            let found = match help {
                None => split(&text),
                Some(_) => None,
            };
            match found {
                Some((what, advice)) => {
                    // Where a program failed says what was wrong, not what to do.
                    let (advice, place) = match advice.find(PLACE) {
                        Some(at) => advice.split_at(at),
                        None => (advice, ""),
                    };
                    help = Some(advice.to_owned());
                    format!("{what}{place}")
                }
                None => text,
            }
        });
        let what = parts.next().unwrap_or_default();
        let mut causes: Vec<String> = parts.collect();
        causes.dedup();
        Self {
            what,
            cause: (!causes.is_empty()).then(|| causes.join(": ")),
            help: help
                .or_else(|| kind.help().map(ToOwned::to_owned))
                .unwrap_or_else(|| format!("`ballast help{command}` says what it takes")),
        }
    }
}

/// What was wrong, and what to do about it.
fn split(message: &str) -> Option<(&str, &str)> {
    let ends = message.match_indices([':', ';']);
    ends.filter_map(|(at, _)| {
        let advice = message.get(at + 1..)?.strip_prefix(' ')?;
        let word: &str = advice.trim_start_matches('`');
        let word = word
            .split(|letter: char| !letter.is_ascii_alphabetic())
            .next()?;
        TO_DO.contains(&word).then(|| (&message[..at], advice))
    })
    .next()
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
            told(&refused, Kind::Refused),
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
        let bare = anyhow!("--slippage 100% must be below 1 (100%)");
        assert_eq!(
            told(&bare, Kind::Other),
            "error: --slippage 100% must be below 1 (100%)\nhelp: `ballast help open` says what it takes"
        );
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
