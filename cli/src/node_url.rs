//! URLs on the command line. They may hold keys: what is refused is not repeated, as the parser's own errors would do.

use std::ffi::OsStr;

use clap::{
    Arg, Command, Error,
    builder::TypedValueParser,
    error::{ErrorKind, Result},
};

use crate::globals::Endpoint;

/// Reads `--url` and its like.
#[derive(Clone, Copy, Debug)]
pub struct UrlParser;

impl TypedValueParser for UrlParser {
    type Value = Endpoint;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Endpoint> {
        let text = value.to_str().unwrap_or_default();
        text.parse().map_err(|problem: String| {
            let option = arg.map_or_else(String::new, |arg| format!(" for '{arg}'"));
            let text = format!("invalid value{option}: {problem}\n");
            Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser, Debug)]
    struct Line {
        #[arg(long, value_parser = UrlParser)]
        url: Endpoint,
    }

    #[test]
    fn a_key_in_a_refused_url_is_not_repeated() {
        for url in [
            "htps://node.example/KEY-12",
            "node.example/KEY-12",
            "https://node.example:99999/?api-key=KEY-12",
        ] {
            let error = Line::try_parse_from(["line", "--url", url]).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains("KEY-12"), "{said}");
            assert!(said.contains("--url") && said.contains("devnet"), "{said}");
        }
        let line = Line::try_parse_from(["line", "--url", "https://node.example/KEY-12"]).unwrap();
        assert_eq!(line.url.url().expose(), "https://node.example/KEY-12");
        assert!(!format!("{line:?}").contains("KEY-12"));
    }
}
