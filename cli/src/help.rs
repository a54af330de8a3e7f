//! Help as people read it: commands in groups, two examples each, as wide as the terminal.

use std::{
    fmt::Write as _,
    io::{Write as _, stderr, stdout},
    process::exit,
};

use clap::{Command, Error, error::ErrorKind};
use console::measure_text_width;

use crate::{
    examples::{self, GROUPS},
    trouble::Kind,
    usage,
};

/// Without a terminal.
const USUAL_WIDTH: usize = 100;
/// Longer lines are hard to read, shorter ones leave no room beside an option.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=120;
/// Text that would begin further right than this part of a line begins under what it explains.
const FURTHEST: f64 = 0.6;

/// The command line with groups and examples in its help.
pub fn dressed(command: Command) -> Command {
    let command = examples::all().fold(command, |command, (path, lines)| {
        let names: Vec<&str> = path.split(' ').collect();
        with_examples(command, &names, lines)
    });
    let groups = groups(&command);
    let header = *command.get_styles().get_header();
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\n{header}Global options:{header:#}\n{{options}}\n\n`ballast help COMMAND` \
         says more of one."
    ))
}

fn with_examples(command: Command, path: &[&str], lines: &[&str]) -> Command {
    match path.split_first() {
        Some((name, below)) if command.find_subcommand(name).is_some() => {
            command.mut_subcommand(name, |command| with_examples(command, below, lines))
        }
        Some(_) => command,
        None => {
            let header = *command.get_styles().get_header();
            let text = example_lines(lines);
            command.after_help(format!("{header}Examples:{header:#}\n{text}"))
        }
    }
}

fn example_lines(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("  ballast {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Groups of commands, each with its examples. What no group names comes last.
fn groups(command: &Command) -> String {
    let header = *command.get_styles().get_header();
    let named = GROUPS.iter().flat_map(|group| group.commands);
    let others: Vec<&str> = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .map(Command::get_name)
        .filter(|name| !named.clone().any(|known| *known == *name))
        .collect();
    let mut text = String::new();
    let mut group = |title: &str, names: &[&str], lines: &[&str]| {
        let found = names
            .iter()
            .filter_map(|name| command.find_subcommand(name));
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n{header}{title}:{header:#}");
        for below in found {
            let about = below.get_about().map(ToString::to_string);
            let about = about.unwrap_or_default();
            let _ = writeln!(text, "  {:<15}{about}", below.get_name());
        }
        if !lines.is_empty() {
            let _ = writeln!(
                text,
                "{}",
                example_lines(lines).replace("  ballast", "    $ ballast")
            );
        }
    };
    for one in &GROUPS {
        group(one.title, one.commands, one.examples);
    }
    if !others.is_empty() {
        group("Others", &others, &[]);
    }
    text
}

/// Ends the process with what clap has to say: help, version, or what is wrong with the command line.
pub fn end(error: &Error, command: &Command) -> ! {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let json = words.iter().any(|word| word == "--json");
    let (to_stderr, code) = match error.kind() {
        ErrorKind::DisplayHelp => (false, 0),
        ErrorKind::DisplayVersion => error.exit(),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !json => (true, 2),
        kind => {
            let complaint = match kind {
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::MissingSubcommand => usage::no_command(command, &words),
                _ => usage::complaint(error, command, &words),
            };
            let message = complaint.message();
            complaint.tell(Kind::Usage, json.then_some(message.as_str()));
            exit(Kind::Usage.exit_code().into())
        }
    };
    // By the same rule as everything else.
    let coloured = match to_stderr {
        true => console::colors_enabled_stderr(),
        false => console::colors_enabled(),
    };
    let text = match coloured {
        true => error.render().ansi().to_string(),
        false => error.render().to_string(),
    };
    let text = wrapped(&text, terminal_width(to_stderr).unwrap_or(USUAL_WIDTH));
    // Whoever reads it may have seen enough.
    let _ = match to_stderr {
        true => stderr().lock().write_all(text.as_bytes()),
        false => stdout().lock().write_all(text.as_bytes()),
    };
    exit(code)
}

/// How wide lines may be on a terminal; `None`: it is none.
pub fn terminal_width(of_stderr: bool) -> Option<usize> {
    let terminal = if of_stderr {
        console::Term::stderr()
    } else {
        console::Term::stdout()
    };
    let (_, columns) = terminal.size_checked()?;
    Some(usize::from(columns).clamp(*WIDTHS.start(), *WIDTHS.end()))
}

/// Text with lines no longer than `width`, but for words that are. What is carried over begins below the explanation that it
/// belongs to: behind the first gap of two spaces, a little further where a label begins the line, else where the line began.
/// Lists without spaces break behind their commas.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        let end = if line.ends_with('\n') { "\n" } else { "" };
        let line = line.trim_end();
        let example = line
            .trim_start()
            .trim_start_matches("$ ")
            .starts_with("ballast ");
        if measure_text_width(line) <= width {
            out.push_str(line);
        } else if example {
            out.push_str(&wrapped_example(line, width));
        } else {
            out.push_str(&wrapped_line(line, width));
        }
        out.push_str(end);
    }
    out
}

/// As a shell reads it, so that it can be copied: a backslash before each end of a line, and none between an option and its value.
fn wrapped_example(line: &str, width: usize) -> String {
    const GOES_ON: &str = " \\";
    let begin = line.len() - line.trim_start().len();
    let hang = begin + 4;
    let mut out = String::new();
    let mut column = 0;
    for (index, option) in line.split(" --").enumerate() {
        let dashes = if index == 0 { "" } else { "--" };
        let long = dashes.len() + measure_text_width(option);
        if index > 0 && column + 1 + long + GOES_ON.len() > width {
            out.push_str(GOES_ON);
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(dashes);
        out.push_str(option);
        column += long;
    }
    out
}

fn wrapped_line(line: &str, width: usize) -> String {
    let begin = line.len() - line.trim_start().len();
    let body = &line[begin..];
    let gap = body.find("  ").map(|at| {
        let behind = body[at..].len() - body[at..].trim_start().len();
        (at, at + behind)
    });
    let (head, rest, hang) = match gap {
        Some((at, behind)) => {
            let hang = begin + measure_text_width(&body[..behind]);
            if hang as f64 > width as f64 * FURTHEST {
                (
                    format!("{}\n", &line[..begin + at]),
                    &body[behind..],
                    begin + 8,
                )
            } else {
                (line[..begin + behind].to_owned(), &body[behind..], hang)
            }
        }
        None => (line[..begin].to_owned(), body, begin + hang_of(body)),
    };
    let mut out = head;
    let mut column = if out.ends_with('\n') {
        out.push_str(&" ".repeat(hang));
        hang
    } else {
        measure_text_width(&out)
    };
    let mut first = true;
    for word in rest.split(' ') {
        for (part, piece) in pieces(word, width.saturating_sub(hang)).enumerate() {
            let space = usize::from(!first && part == 0);
            let long = measure_text_width(piece);
            if !first && column + space + long > width {
                out.push('\n');
                out.push_str(&" ".repeat(hang));
                column = hang;
            } else {
                out.push_str(&" ".repeat(space));
                column += space;
            }
            out.push_str(piece);
            column += long;
            first = false;
        }
    }
    out
}

/// Prose goes on where it began, what stands behind a label a little further.
fn hang_of(body: &str) -> usize {
    let plain = console::strip_ansi_codes(body);
    let label = plain
        .split(' ')
        .next()
        .is_some_and(|word| word.ends_with(':'));
    if label { 2 } else { 0 }
}

/// A word, or the entries of a list that is longer than there is room for.
fn pieces(word: &str, room: usize) -> impl Iterator<Item = &str> {
    let is_list = measure_text_width(word) > room && word.contains(',');
    let whole = (!is_list).then_some(word);
    let entries = is_list
        .then(|| word.split_inclusive(','))
        .into_iter()
        .flatten();
    whole.into_iter().chain(entries)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    #[test]
    fn every_command_is_in_one_group() {
        let command = Cli::command();
        let below = command
            .get_subcommands()
            .filter(|below| !below.is_hide_set());
        for name in below.map(Command::get_name) {
            let groups = GROUPS.iter().filter(|group| group.commands.contains(&name));
            assert_eq!(groups.count(), 1, "{name}: name it in one of GROUPS");
        }
        assert!(
            !dressed(command)
                .render_help()
                .to_string()
                .contains("Others:")
        );
    }

    #[test]
    fn every_example_is_a_command_line() {
        let mut shown = 0;
        let of_groups = GROUPS
            .iter()
            .flat_map(|group| group.examples.iter().copied());
        let of_commands = examples::all().flat_map(|(path, lines)| {
            for line in lines {
                assert!(
                    format!("{line} ").starts_with(&format!("{path} ")),
                    "{line} is no example of {path}"
                );
            }
            assert_eq!(lines.len(), 2, "{path}");
            lines.iter().copied()
        });
        for line in of_groups.chain(of_commands) {
            let words = std::iter::once("ballast").chain(line.split_whitespace());
            let words = words.map(|word| match word {
                "POSITION" | "KEEPER" | "ADDRESS" => "So11111111111111111111111111111111111111112",
                "VENUE-ACCOUNT" => "0x0000000000000000000000000000000000000001",
                "FEED" => "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a",
                "SIGNATURE" => {
                    "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
                }
                word => word,
            });
            let read = Cli::command().try_get_matches_from(words);
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
            shown += 1;
        }
        assert!(shown > 120, "{shown}");
    }

    /// Each command below this one with its path, after those that it is below.
    fn commands(above: &str, command: &Command) -> Vec<(String, Command)> {
        let below = command.get_subcommands();
        let below = below.filter(|below| !below.is_hide_set() && below.get_name() != "help");
        below
            .flat_map(|below| {
                let path = format!("{above} {}", below.get_name());
                let own = (path.clone(), below.clone());
                std::iter::once(own).chain(commands(&path, below))
            })
            .collect()
    }

    #[test]
    fn commands_have_two_examples_each() {
        let all = commands("ballast", &dressed(Cli::command()));
        let leaves = all.iter().filter(|(_, command)| !command.has_subcommands());
        assert!(leaves.count() > 60);
        for (path, mut command) in all {
            let text = command.render_help().to_string();
            let examples = text.lines().filter(|line| {
                let line = format!("{line} ");
                line.starts_with(&format!("  {path} "))
            });
            assert_eq!(examples.count(), 2, "examples of {path} in\n{text}");
        }
        // No examples without a command.
        let all = commands("", &Cli::command());
        for (path, _) in examples::all() {
            let known = all.iter().any(|(known, _)| known.trim() == path);
            assert!(known, "there is no command {path}");
        }
    }

    #[test]
    fn lines_are_carried_over_below_what_they_explain() {
        let text = "Usage: x\n\n  --url <URL>  one two three four five six seven eight nine\n  short  text\nno gap in this line but it is long\n";
        let expected = "Usage: x\n\n  --url <URL>  one two three\n               four five six\n               seven eight\n               nine\n  short  text\nno gap in this line but it is\nlong\n";
        assert_eq!(wrapped(text, 30), expected);
        // Too far right: below it, as clap does.
        let text = "  --a-very-long-option <WITH_VALUE>  says something\n";
        assert_eq!(
            wrapped(text, 40),
            "  --a-very-long-option <WITH_VALUE>\n          says something\n"
        );
        for width in [40, 80, 120] {
            let mut command = dressed(Cli::command());
            let text = wrapped(&command.render_help().to_string(), width);
            // A word longer than a line is left whole, and so is a command with its first words.
            let long = |line: &&str| measure_text_width(line) > width;
            let words =
                |line: &&str| !line.contains("ballast ") && line.split_whitespace().count() > 1;
            assert_eq!(text.lines().filter(long).find(words), None, "{width}");
        }
    }

    #[test]
    fn lists_break_behind_commas_and_labels_stand_out() {
        let text = "  --at  one of these: 5%,10%,20%,30%,50%,70%,90%\nUsage: ballasts one two three four\n";
        assert_eq!(
            wrapped(text, 24),
            "  --at  one of these:\n        5%,10%,20%,30%,\n        50%,70%,90%\nUsage: ballasts one two\n  three four\n"
        );
        for width in [60, 80] {
            for (path, mut command) in commands("ballast", &dressed(Cli::command())) {
                let text = wrapped(&command.render_long_help().to_string(), width);
                let long = |line: &&str| measure_text_width(line) > width;
                let other = |line: &&str| !line.contains("ballast ");
                assert_eq!(
                    text.lines().filter(long).find(other),
                    None,
                    "{path} at {width}"
                );
            }
        }
    }

    /// The heading above an option, as help shows it.
    fn heading_above<'a>(help: &'a str, option: &str) -> Option<&'a str> {
        let at = help.find(&format!("\n      {option} "))?;
        let mut above = help[..at].lines().rev();
        above.find(|line| !line.starts_with(' ') && line.ends_with(':'))
    }

    #[test]
    fn options_stand_under_their_own_headings() {
        for (path, mut command) in commands("ballast", &dressed(Cli::command())) {
            let help = command.render_help().to_string();
            for option in [
                "--market",
                "--base-price",
                "--quote-price",
                "--lookup-table",
                "--priority-fee",
            ] {
                let above = heading_above(&help, option);
                assert!(
                    matches!(above, None | Some("Options:")),
                    "{option} of {path} under {above:?}"
                );
            }
        }
        let open = commands("ballast", &dressed(Cli::command()));
        let (_, mut open) = open
            .into_iter()
            .find(|(path, _)| path == "ballast open")
            .unwrap();
        let help = open.render_help().to_string();
        assert_eq!(heading_above(&help, "--delta-band"), Some("Policy:"));
        assert_eq!(heading_above(&help, "--market"), Some("Options:"));
    }

    #[test]
    fn a_long_example_is_carried_over_so_that_a_shell_still_reads_it() {
        let text = "  ballast simulate --model gbm --sigma-day 4% --paths 1000 --liquidate\n";
        assert_eq!(
            wrapped(text, 40),
            "  ballast simulate --model gbm \\\n      --sigma-day 4% --paths 1000 \\\n      --liquidate\n"
        );
        for (path, lines) in examples::all() {
            for line in lines {
                let line = format!("  ballast {line}");
                for width in [80, 100] {
                    let shown = wrapped(&line, width);
                    let longest = shown.lines().map(measure_text_width).max();
                    assert!(longest <= Some(width), "{path}: {shown}");
                    let read: Vec<_> = shown
                        .split_whitespace()
                        .filter(|word| *word != "\\")
                        .collect();
                    assert_eq!(read, line.split_whitespace().collect::<Vec<_>>());
                    let lines = shown.lines().count();
                    assert_eq!(shown.matches(" \\\n").count(), lines - 1, "{shown}");
                }
            }
        }
    }

    #[test]
    fn colours_are_no_letters() {
        let text = "\u{1b}[1mone\u{1b}[0m two three";
        assert_eq!(wrapped(text, 40), text);
        assert_eq!(wrapped(text, 8), "\u{1b}[1mone\u{1b}[0m two\nthree");
    }
}
