//! What sends something shows its plan first, and asks. Nothing can be sent without an [`Agreed`], and only an agreed [`Plan`] makes
//! one: a new command cannot forget to ask.

use std::{
    fmt::{self, Display, Write},
    io::{self, BufRead, IsTerminal},
};

use ballast_client::Pubkey;
use thiserror::Error;

use crate::{globals::Globals, help, report::note};

/// What is about to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    text: String,
}

/// Somebody agreed to a plan, on the terminal or by `--yes`. Made here and nowhere else.
#[derive(Debug)]
pub struct Agreed(());

/// Nobody did. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAgreed {
    /// Nobody could be asked.
    #[error(
        "nothing was sent, for there is no terminal to ask on: pass --yes if the plan above is what you want"
    )]
    NoTerminal,
    /// The answer was no.
    #[error("nothing was sent, for the plan was not agreed to: pass --yes if it is what you want")]
    Declined,
}

impl Plan {
    /// To do that.
    pub fn new(what: impl Display) -> Self {
        Self {
            text: format!("{what}\n"),
        }
    }

    /// To send that to the cluster, signed and paid by this key.
    pub fn on_chain(what: impl Display, globals: &Globals, signer: &Pubkey) -> Self {
        Self::new(what)
            .line("cluster", globals.url.url())
            .line("signer", signer)
    }

    /// With a line that names a part of it.
    #[must_use]
    pub fn line(mut self, name: &str, value: impl Display) -> Self {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "  {name:<12} {value}");
        self
    }

    /// With lines that are ready.
    #[must_use]
    pub fn lines(mut self, text: impl Display) -> Self {
        let text = text.to_string();
        self.text.push_str(text.trim_end());
        self.text.push('\n');
        self
    }

    /// With what whoever agrees should know.
    #[must_use]
    pub fn warning(mut self, warning: Option<impl Display>) -> Self {
        if let Some(warning) = warning {
            let _ = writeln!(self.text, "warning: {warning}");
        }
        self
    }

    /// Shows it, where it will not be asked about.
    pub fn show(&self) {
        note(fitted(&self.text, help::terminal_width(true)).trim_end());
    }

    /// Shows it, and asks on the terminal unless `--yes` has answered.
    ///
    /// # Errors
    /// [`NotAgreed`].
    pub fn agreed(&self, globals: &Globals) -> Result<Agreed, NotAgreed> {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        self.show();
        self.answered(globals.yes, terminal.then(|| io::stdin().lock()))
    }

    /// As [`Self::agreed`], with somebody who answers if there is one.
    fn answered(&self, yes: bool, answers: Option<impl BufRead>) -> Result<Agreed, NotAgreed> {
        if yes {
            return Ok(Agreed(()));
        }
        let mut answers = answers.ok_or(NotAgreed::NoTerminal)?;
        note("Go on? [y/N]");
        let mut answer = String::new();
        // Who cannot be heard has not agreed.
        answers
            .read_line(&mut answer)
            .map_err(|_| NotAgreed::Declined)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(Agreed(())),
            _ => Err(NotAgreed::Declined),
        }
    }
}

/// In lines that are no wider, if there is a width. What is carried over begins below the value that it belongs to.
fn fitted(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) => help::wrapped(text, width),
        None => text.to_owned(),
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        let plan = Plan::new("to do it");
        let answered = |answer: &str| plan.answered(false, Some(answer.as_bytes())).map(drop);
        for yes in ["y\n", "YES\n", " y "] {
            assert_eq!(answered(yes), Ok(()));
        }
        for no in ["", "\n", "n\n", "yeah\n", "y y\n"] {
            assert_eq!(answered(no), Err(NotAgreed::Declined));
        }
        struct Deaf;
        impl io::Read for Deaf {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::Other.into())
            }
        }
        let deaf = plan.answered(false, Some(io::BufReader::new(Deaf)));
        assert_eq!(deaf.map(drop), Err(NotAgreed::Declined));
    }

    #[test]
    fn where_nobody_can_be_asked_the_word_has_to_be_given_beforehand() {
        let plan = Plan::new("to do it");
        let nobody = None::<&[u8]>;
        let refused = plan.answered(false, nobody).map(drop).unwrap_err();
        assert_eq!(refused, NotAgreed::NoTerminal);
        assert!(refused.to_string().contains("--yes"), "{refused}");
        assert!(plan.answered(true, nobody).is_ok());
    }

    #[test]
    fn a_plan_is_read_line_by_line() {
        let plan = Plan::new("to open a position")
            .line("leverage", "3.00x")
            .lines("  swap first   0.5 SOL\n")
            .warning(None::<&str>)
            .warning(Some("outside the range"));
        assert_eq!(
            plan.to_string(),
            "to open a position\n  leverage     3.00x\n  swap first   0.5 SOL\nwarning: outside the range\n"
        );
    }

    #[test]
    fn a_plan_is_no_wider_than_the_terminal() {
        let plan = Plan::new("to set it").lines(
            "  policy       hedge 100.00%, rehedge beyond 10.00% (to within 5.00%) of the full base amount, at least 5m 0s apart",
        );
        let lines = fitted(&plan.to_string(), Some(60));
        assert!(
            lines.lines().all(|line| line.chars().count() <= 60),
            "{lines}"
        );
        assert!(
            lines.lines().count() > 2 && lines.lines().nth(2).unwrap().starts_with("     "),
            "{lines}"
        );
        assert_eq!(fitted(&plan.to_string(), None), plan.to_string());
    }

    /// The type keeps commands from sending unasked as long as nobody goes round it.
    #[test]
    fn nobody_goes_round_it() {
        let mut found = Vec::new();
        let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                for way in [
                    concat!("Sender", "::new("),
                    concat!(".sub", "mit("),
                    concat!(".una", "sked("),
                ] {
                    if text.contains(way) {
                        let name = path.file_name().unwrap().to_string_lossy().into_owned();
                        found.push((way, name));
                    }
                }
            }
        }
        found.sort();
        // An upload's pieces go to the node by themselves, for a sender that was agreed to.
        let expected = [
            (concat!(".sub", "mit("), "upload.rs"),
            (concat!(".una", "sked("), "connection.rs"),
            (concat!("Sender", "::new("), "connection.rs"),
        ];
        let found: Vec<_> = found
            .iter()
            .map(|(way, name)| (*way, name.as_str()))
            .collect();
        assert_eq!(found, expected);
    }
}
