//! Commands that documents print: found in text, and held against a command line as clap knows it.
//!
//! Also a module of the tests of `ballast-cli`, which hold `ballast ...` against their own command line.

use clap::Command;

/// A command as it stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Number of its first line, from 1.
    pub line: usize,
    /// Its words after the program's name.
    pub words: Vec<String>,
}

/// Every command of `program` (its name, or `cargo xtask`) in a Markdown text: in backticks, and lines of fenced blocks.
pub fn commands(text: &str, program: &str) -> Vec<Printed> {
    let mut found = Vec::new();
    let mut fenced = false;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            let mut whole = line.trim().to_owned();
            while let Some(begun) = whole.strip_suffix('\\') {
                let next = lines.next().map_or("", |(_, line)| line.trim());
                whole = format!("{begun}{next}");
            }
            found.extend(whole.split("&&").filter_map(|part| {
                let words = after(unset(part.trim()), program)?;
                Some((index + 1, words))
            }));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.filter_map(|span| Some((index + 1, after(unset(span), program)?))));
        }
    }
    let command = |(line, words)| Printed { line, words };
    found.into_iter().map(command).collect()
}

/// Without assignments of variables in front.
fn unset(command: &str) -> &str {
    let mut rest = command;
    while let Some((first, behind)) = rest.split_once(' ') {
        let name = first.split('=').next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !first.contains('=') || name.is_empty() || !name.chars().all(is_name) {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

/// The words after the program's name, up to a comment or to what is another command's.
fn after(command: &str, program: &str) -> Option<Vec<String>> {
    let rest = command.strip_prefix(program)?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let words = rest.split_whitespace();
    let end = |word: &&str| !["#", "|", "&&", ">", "2>&1"].contains(word) && !word.starts_with('#');
    Some(words.take_while(end).map(str::to_owned).collect())
}

/// What is wrong with a command: a subcommand or an option that `root` does not have.
pub fn fault(root: &Command, printed: &Printed) -> Option<String> {
    let (mut at, mut path) = (root, root.get_name().to_owned());
    let mut above: Vec<&Command> = Vec::new();
    let mut words = printed.words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--").filter(|name| !name.is_empty()) else {
            match at.find_subcommand(word) {
                Some(below) => {
                    above.push(at);
                    at = below;
                    path = format!("{path} {word}");
                }
                // What follows belongs to another program.
                None if takes_anything(at) => return None,
                None if at.has_subcommands() && !word.starts_with('-') && is_name(word) => {
                    return Some(format!("`{path}` has no command `{word}`"));
                }
                None => {}
            }
            continue;
        };
        let (name, joined) = match option.split_once('=') {
            Some((name, _)) => (name, true),
            None => (option, false),
        };
        if ["help", "version"].contains(&name) {
            continue;
        }
        let of = |command: &Command| {
            let mut arguments = command.get_arguments();
            arguments
                .find(|argument| argument.get_long() == Some(name))
                .cloned()
        };
        let global = above
            .iter()
            .rev()
            .find_map(|command| of(command).filter(|argument| argument.is_global_set()));
        match of(at).or(global) {
            Some(argument) if argument.get_action().takes_values() && !joined => {
                // Its value is no subcommand.
                words.next_if(|word| !word.starts_with("--"));
            }
            Some(_) => {}
            None if takes_anything(at) => return None,
            None => return Some(format!("`{path}` has no option `--{name}`")),
        }
    }
    None
}

/// Whether all further words are passed on.
fn takes_anything(command: &Command) -> bool {
    command
        .get_arguments()
        .any(|argument| argument.is_trailing_var_arg_set())
}

/// Not a placeholder, like `POSITION` or `...`.
fn is_name(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    fn root() -> Command {
        Command::new("tool")
            .arg(
                Arg::new("url")
                    .long("url")
                    .global(true)
                    .action(ArgAction::Set),
            )
            .subcommand(
                Command::new("lend")
                    .subcommand(Command::new("show").arg(Arg::new("owner").long("owner"))),
            )
            .subcommand(Command::new("risk").arg(Arg::new("position")))
            .subcommand(
                Command::new("demo").arg(
                    Arg::new("rest")
                        .trailing_var_arg(true)
                        .allow_hyphen_values(true)
                        .num_args(0..),
                ),
            )
    }

    #[test]
    fn commands_are_found_in_backticks_and_in_blocks() {
        let text = "see `tool risk`, `tool-box no`, tool nothing\n```\nA=b tool lend show   # why\n$ x | tool y\ntool risk \\\n  \
                    --url z && tool demo --x\n```\nand `BALLAST_X=1 tool lend`";
        let found: Vec<(usize, String)> = commands(text, "tool")
            .into_iter()
            .map(|printed| (printed.line, printed.words.join(" ")))
            .collect();
        let expected = [
            (1, "risk"),
            (3, "lend show"),
            (5, "risk --url z"),
            (5, "demo --x"),
            (8, "lend"),
        ];
        assert_eq!(
            found,
            expected.map(|(line, words)| (line, words.to_owned()))
        );
    }

    #[test]
    fn what_does_not_exist_is_told_and_what_does_is_not() {
        for (words, expected) in [
            ("", None),
            ("--help", None),
            ("lend show --owner X --url lend", None),
            ("--url risk lend show", None),
            ("risk POSITION --url=x", None),
            ("risk lowercase-address", None),
            ("demo --anything goes", None),
            ("lend ...", None),
            ("dance", Some("`tool` has no command `dance`")),
            ("lend take", Some("`tool lend` has no command `take`")),
            (
                "risk --owner X",
                Some("`tool risk` has no option `--owner`"),
            ),
            (
                "lend show --all",
                Some("`tool lend show` has no option `--all`"),
            ),
        ] {
            let printed = Printed {
                line: 1,
                words: words.split_whitespace().map(str::to_owned).collect(),
            };
            assert_eq!(fault(&root(), &printed).as_deref(), expected, "{words}");
        }
    }
}
