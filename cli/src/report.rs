//! How results reach the user: text for people or one line of JSON, on standard output.

use std::{
    fmt,
    io::{self, Write},
};

use anyhow::Result;
use console::Term;
use serde::Serialize;

use crate::{help::wrapped, trouble::Kind};

/// Standard output in the form that was asked for.
#[derive(Debug)]
pub struct Output {
    json: bool,
    wide: bool,
}

impl Output {
    /// JSON or text; `wide`: text with every digit, whatever the terminal has room for.
    pub fn new(json: bool, wide: bool) -> Self {
        Self { json, wide }
    }

    /// Prints a result.
    ///
    /// # Errors
    /// What the stream says; see [`is_broken_pipe`].
    pub fn print<T: Serialize + fmt::Display>(&mut self, report: &T) -> Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, report)?;
            writeln!(out)?;
        } else if self.wide {
            write!(out, "{report:#}")?;
        } else {
            // Whoever reads it from a file or a pipe has room for everything.
            match Term::stdout().size_checked() {
                Some((_, columns)) => {
                    let columns = usize::from(columns);
                    let text = format!("{report:columns$}");
                    write!(out, "{}", wrapped(&text, columns))?;
                }
                None => write!(out, "{report}")?,
            }
        }
        out.flush()?;
        Ok(())
    }
}

/// An error of which standard output has told already: nothing of it is added there.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Told {
    /// In short.
    pub text: String,
    /// The process ends with its code.
    pub kind: Kind,
}

impl Told {
    /// Of a check that failed.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: Kind::Other,
        }
    }
}

/// Says something on standard error. Nobody listening is no problem.
pub fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether an error only says that the reader of our output has gone (`| head`).
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |kind: io::ErrorKind| kind == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = cause
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        io.or(json).is_some_and(broken)
    })
}
