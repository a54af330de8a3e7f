//! What a position may be called on the command line: its address, the short form that tables print, or its number among the
//! signer's.
//!
//! The command line is read twice: first with names in place of addresses; then, when a name has been looked up, with the address
//! that it stands for. So commands have addresses only, and no command can forget to accept names.

use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use ballast_client::{Chain, PositionContext, Positions, Pubkey, Signer, markets};
use clap::{ArgMatches, Command, builder::ValueParser};

use crate::{connection::Connection, globals::Globals, trouble::misuse};

/// The argument that is a position, in every command that has one.
const ARGUMENT: &str = "position";
/// Fewer letters at an end are no short form: what is printed has so many, and addresses with fewer in common are soon found.
const LEAST_LETTERS: usize = 4;

/// A position as somebody calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionName {
    /// Its address.
    Address(Pubkey),
    /// How its address begins and ends.
    Short(String, String),
    /// Its number among the signer's.
    Number(u64),
}

impl FromStr for PositionName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        let ends = text.split_once('…').or_else(|| text.split_once("..."));
        let is_end = |end: &str| {
            end.len() >= LEAST_LETTERS && end.bytes().all(|it| it.is_ascii_alphanumeric())
        };
        match ends {
            Some((begin, end)) if is_end(begin) && is_end(end) => {
                Ok(Self::Short(begin.to_owned(), end.to_owned()))
            }
            _ => Err(
                "this is no position: write its address (32 bytes in base58), the short form that is printed, like 9n9b…qEpB, or its \
                 number among the signer's",
            ),
        }
    }
}

impl fmt::Display for PositionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Short(begin, end) => write!(f, "{begin}…{end}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The command with names where positions are.
pub fn accepting_names(command: Command) -> Command {
    let name = |text: &str| text.parse::<PositionName>();
    parsing(command, &ValueParser::new(name))
}

/// The command with that address where positions are, whatever is written there.
pub fn knowing(command: Command, address: Pubkey) -> Command {
    let known = move |_: &str| Ok::<_, &'static str>(address);
    parsing(command, &ValueParser::new(known))
}

fn parsing(command: Command, parser: &ValueParser) -> Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|below| below.get_name().to_owned())
        .collect();
    // All of them, because changing one by its name would put it behind the others.
    let command = command.mut_args(|argument| match argument.get_id() == ARGUMENT {
        true => argument.value_parser(parser.clone()),
        false => argument,
    });
    below.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |below| parsing(below, parser))
    })
}

/// The position that a command line names, as read by [`accepting_names`].
pub fn given(matches: &ArgMatches) -> Option<&PositionName> {
    let mut at = matches;
    while let Some((_, below)) = at.subcommand() {
        at = below;
    }
    at.try_get_one(ARGUMENT).ok().flatten()
}

/// The address that a name stands for.
///
/// # Errors
/// A name of none or of several positions; no key for a number; if the cluster does not answer.
pub async fn address_of(name: &PositionName, globals: &Globals) -> Result<Pubkey> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    match name {
        PositionName::Address(address) => Ok(*address),
        PositionName::Number(number) => {
            // What a keeper's page shows has numbers of many owners.
            if matches!(globals.command.trim(), "pause" | "reduce" | "resume") {
                bail!(misuse!(
                    "a keeper looks after positions of many owners: pass the position's address, or the short form that is printed"
                ));
            }
            let owner = globals.signer()?.pubkey();
            let found = Positions::of_owner(chain, &owner).await?.positions;
            let called = |it: &PositionContext| it.position.id == *number;
            one_of(found.into_iter().filter(called).collect(), || {
                format!("the signer {owner} has no position number {number}")
            })
        }
        PositionName::Short(begin, end) => {
            let called = |it: &PositionContext| {
                let address = it.address.to_string();
                address.starts_with(begin.as_str()) && address.ends_with(end.as_str())
            };
            let mut found = Vec::new();
            for (market, _) in markets(chain).await? {
                let positions = Positions::of_market(chain, &market).await?.positions;
                found.extend(positions.into_iter().filter(called));
            }
            one_of(found, || {
                format!("no position on {} is called {name}", chain.label())
            })
        }
    }
}

/// The only one of them.
fn one_of(found: Vec<PositionContext>, none: impl Fn() -> String) -> Result<Pubkey> {
    match found.as_slice() {
        [one] => Ok(one.address),
        [] => bail!(misuse!(
            "{}: `ballast positions` lists the signer's, with --all everybody's",
            none()
        )),
        several => {
            let told: Vec<String> = several
                .iter()
                .map(|it| {
                    format!(
                        "{} (number {} of {})",
                        it.address, it.position.id, it.position.owner
                    )
                })
                .collect();
            bail!(misuse!(
                "{} positions are called so: pass the address of one, {}",
                several.len(),
                told.join(" or ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    const ADDRESS: &str = "So11111111111111111111111111111111111111112";

    #[test]
    fn what_is_printed_of_a_position_is_a_name_of_it() {
        let short = |begin: &str, end: &str| PositionName::Short(begin.into(), end.into());
        for (text, expected) in [
            (ADDRESS, PositionName::Address(ADDRESS.parse().unwrap())),
            ("4", PositionName::Number(4)),
            ("9n9b…qEpB", short("9n9b", "qEpB")),
            ("9n9b...qEpB", short("9n9b", "qEpB")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "foo", "-1", "…", "9n9b…", "9…B", "9n/b…qEpB", "4.0"] {
            let error = text.parse::<PositionName>().unwrap_err();
            assert!(error.contains("base58"), "{text}: {error}");
        }
    }

    /// Paths of all commands, with whether they have a position.
    fn commands(command: &Command, path: &[String], all: &mut Vec<(Vec<String>, bool)>) {
        let mut arguments = command.get_arguments();
        all.push((path.to_vec(), arguments.any(|it| it.get_id() == ARGUMENT)));
        for below in command.get_subcommands() {
            commands(below, &[path, &[below.get_name().to_owned()]].concat(), all);
        }
    }

    #[test]
    fn every_command_that_takes_a_position_takes_its_names() {
        let mut all = Vec::new();
        commands(&Cli::command(), &[], &mut all);
        let with_one: Vec<_> = all.iter().filter(|(_, has_one)| *has_one).collect();
        assert!(with_one.len() > 20, "{with_one:?}");
        for (path, _) in with_one {
            let at = path
                .iter()
                .try_fold(accepting_names(Cli::command()), |at, name| {
                    at.find_subcommand(name).cloned()
                });
            let arguments = at.unwrap();
            let position = arguments.get_arguments().find(|it| it.get_id() == ARGUMENT);
            let parsed = position.unwrap().get_value_parser().type_id();
            assert_eq!(
                parsed,
                ValueParser::new(|text: &str| text.parse::<PositionName>()).type_id(),
                "{path:?}"
            );
        }
        // No other argument is called so in help.
        let names = |command: &Command| {
            command
                .get_arguments()
                .filter(|it| {
                    it.get_value_names()
                        .is_some_and(|it| it.iter().any(|it| it == "POSITION"))
                })
                .all(|it| it.get_id() == ARGUMENT)
        };
        for (path, _) in &all {
            let at = path
                .iter()
                .try_fold(Cli::command(), |at, name| at.find_subcommand(name).cloned());
            assert!(names(&at.unwrap()), "{path:?}");
        }
    }

    #[test]
    fn a_command_line_is_read_with_the_address_in_place_of_the_name() {
        let line = ["ballast", "explain", "4"];
        let mut naming = accepting_names(Cli::command());
        let matches = naming.try_get_matches_from_mut(line).unwrap();
        assert_eq!(given(&matches), Some(&PositionName::Number(4)));
        let address: Pubkey = ADDRESS.parse().unwrap();
        let known = knowing(Cli::command(), address).try_get_matches_from(line);
        let (_, explain) = known.as_ref().unwrap().subcommand().unwrap();
        assert_eq!(explain.get_one::<Pubkey>(ARGUMENT), Some(&address));
        // Its place among others is the same.
        accepting_names(Cli::command()).debug_assert();
        let fund = ["ballast", "reward", "fund", "9n9b…qEpB", "0.002"];
        let matches = naming.try_get_matches_from_mut(fund).unwrap();
        assert!(matches!(given(&matches), Some(PositionName::Short(..))));
        let without = naming
            .try_get_matches_from_mut(["ballast", "positions"])
            .unwrap();
        assert_eq!(given(&without), None);
    }
}
