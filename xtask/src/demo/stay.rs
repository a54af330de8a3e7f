//! The demo with `--stay`, as README begins: what goes on after the story can be used, and Ctrl-C ends it.
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{http, invitation::Invitation};
use crate::process;

/// For the story, which takes half a minute on a quiet machine.
const STORY: Duration = Duration::from_secs(600);
/// From Ctrl-C to the end.
const ENDING: Duration = Duration::from_secs(30);
/// From what the keeper knows to what its page shows.
const SHOWN: Duration = Duration::from_secs(20);
/// Whoever the demo starts inherits it, so that what is left over is found.
const MARK: &str = "BALLAST_DEMO_PLAYED_BY";
/// The story's position has it.
const STORY_ID: u64 = 1;
/// What the visitor's wallet has of the base token: only the node knows that.
const VISITORS_BASE: &str = "5.0000";

/// Plays it, uses what it prints, and ends it; what it printed.
pub fn play(mut command: Command) -> Result<String> {
    let mut staying = Staying::start(command.arg("--stay"))?;
    let tried = staying
        .wait("the story's end", STORY, Invitation::is_whole)
        .and_then(|()| try_out(&Invitation::read(&staying.printed)?));
    // Ended in any case, so that its last words are told as well.
    let ended = staying.end();
    let printed = staying.printed.clone();
    tried
        .and(ended)
        .with_context(|| format!("the demo printed:\n{printed}"))?;
    Ok(printed)
}

/// A demo that goes on until it is ended.
struct Staying {
    child: Child,
    mark: String,
    lines: Receiver<String>,
    printed: String,
}

impl Staying {
    fn start(command: &mut Command) -> Result<Self> {
        let mark = std::process::id().to_string();
        let mut child = command
            .env(MARK, &mark)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("its output is not ours")?;
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            mark,
            lines,
            printed: String::new(),
        })
    }

    /// Reads on until what it printed is enough.
    fn wait(&mut self, what: &str, limit: Duration, enough: fn(&str) -> bool) -> Result<()> {
        let end = Instant::now() + limit;
        while !enough(&self.printed) {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => self.printed += &(line + "\n"),
                Err(RecvTimeoutError::Timeout) => bail!("{what} has not come within {limit:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("it ended before {what}"),
            }
        }
        Ok(())
    }

    /// Ctrl-C: it ends well, soon, and with all that it started.
    fn end(&mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        process::output(Command::new("kill").args(["-INT", &pid]))?;
        let start = Instant::now();
        loop {
            let left = ENDING.saturating_sub(start.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.printed += &(line + "\n"),
                // Whoever it started and left over would hold its output open as well.
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the demo has not ended within {ENDING:?} of Ctrl-C")
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "after Ctrl-C the demo ends with {status}");
        let left = marked(&self.mark)?;
        ensure!(left.is_empty(), "the demo leaves processes: {left:?}");
        eprintln!(
            "xtask: demo: ends {:.1} s after Ctrl-C",
            start.elapsed().as_secs_f64()
        );
        Ok(())
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // It has ended already, unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Numbers of the processes that have the mark in their environment.
fn marked(mark: &str) -> Result<Vec<PathBuf>> {
    let wanted = format!("{MARK}={mark}");
    let processes = fs::read_dir("/proc").context("what runs is read from /proc")?;
    let paths = processes.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths
        .filter(|path| {
            // Those of others, and those that have just ended, are not told.
            let environment = fs::read(path.join("environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        })
        .collect())
}

/// The page, and every command.
fn try_out(invitation: &Invitation) -> Result<()> {
    let positions = page(invitation)?;
    ensure!(
        invitation.commands.len() == 5,
        "README promises five commands: {:?}",
        invitation.commands
    );
    for command in &invitation.commands {
        let printed = in_a_shell(invitation, command)?;
        for part in belongs(command, invitation, &positions)? {
            ensure!(
                printed.contains(&part),
                "`{command}` says nothing of {part:?}:\n{printed}"
            );
        }
    }
    Ok(())
}

/// The page is served, knows the running market, and has the right to change something. The positions it shows.
fn page(invitation: &Invitation) -> Result<Vec<(u64, String)>> {
    let (server, token) = (invitation.server, &invitation.token);
    let page = http::get(server, "/", token)?;
    for part in ["id=\"app\"", "src=\"app.js\""] {
        ensure!(page.contains(part), "the page has no {part}: {page}");
    }
    http::get(server, "/app.js", token)?;
    let read = |path: &str| -> Result<Value> {
        Ok(serde_json::from_str(&http::get(server, path, token)?)?)
    };
    let status = read("/api/v1/status")?;
    let market = invitation.variable("BALLAST_MARKET")?;
    ensure!(
        status["markets"][0]["market"] == market && status["keeper"]["mode"] == "active",
        "the keeper is not active in {market}: {status}"
    );
    // What the page shows is made anew every second.
    let end = Instant::now() + SHOWN;
    let known = loop {
        let known = positions(&read("/api/v1/positions")?)?;
        if known.len() == 4 {
            break known;
        }
        ensure!(
            Instant::now() < end,
            "the page should show four positions within {SHOWN:?}: {known:?}"
        );
    };
    // What this asks changes nothing, but needs the right to.
    let ask = |token: &str| {
        let halt = r#"{"scope":"keeper","mode":"halt"}"#;
        http::request(server, "POST", "/api/v1/overrides/preview", token, halt)
    };
    let (right, wrong) = (ask(token)?, ask("wrong")?);
    ensure!(
        right.status == 200 && wrong.status == 401,
        "the page's token should be the keeper's: {right:?}, and another should not: {wrong:?}"
    );
    Ok(known)
}

/// Number and address of each.
fn positions(answer: &Value) -> Result<Vec<(u64, String)>> {
    let rows = answer["rows"].as_array().context("no rows of positions")?;
    let known = rows.iter().filter_map(|row| {
        let address = row["position"].as_str()?.to_owned();
        Some((row["id"].as_u64()?, address))
    });
    Ok(known.collect())
}

/// Runs a printed command as a reader does, after the lines that are printed before it.
fn in_a_shell(invitation: &Invitation, command: &str) -> Result<String> {
    let script = format!("{}\n{command}\n", invitation.setup.join("\n"));
    let mut shell = Command::new("sh");
    // Only what is printed counts.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BALLAST_") {
            shell.env_remove(&name);
        }
    }
    process::output(shell.args(["-e", "-c", &script]).stdin(Stdio::null()))
}

/// What only the running node can have told a command.
fn belongs(
    command: &str,
    invitation: &Invitation,
    positions: &[(u64, String)],
) -> Result<Vec<String>> {
    let market = invitation.variable("BALLAST_MARKET")?;
    let url = invitation.variable("BALLAST_URL")?;
    let of = |story: bool| {
        let chosen = positions
            .iter()
            .filter(move |(id, _)| (*id == STORY_ID) == story);
        chosen
            .map(|(_, address)| address.clone())
            .collect::<Vec<_>>()
    };
    let words = command.split('#').next().unwrap_or(command);
    let words: Vec<&str> = words.split_whitespace().skip(1).collect();
    Ok(match words[..] {
        ["positions"] => of(false),
        ["explain", address] if of(true) == [address] => {
            vec![format!("position {address} (id {STORY_ID})"), market.into()]
        }
        ["market", "show"] => vec![market.into(), "4 open positions".into()],
        ["lend", "show"] => vec![market.into(), VISITORS_BASE.into()],
        ["doctor"] => vec![format!("{url} at slot"), market.into()],
        _ => bail!("no check knows what `{command}` should print: add it here"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a demo of this script ends with, once it has told and got Ctrl-C.
    fn ended(script: &str) -> Result<()> {
        // A shell cannot trap what was ignored when it began, as it is for what runs in the background.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "sh", "-c", script]);
        let mut staying = Staying::start(&mut command)?;
        staying.wait("its word", ENDING, |printed| printed.contains("told"))?;
        staying.end()
    }

    #[test]
    fn what_ends_badly_or_leaves_a_process_is_an_error() {
        let script = "sleep 60 & trap 'kill $!; exit 0' INT; echo told; wait";
        ended(script).unwrap();
        let error = ended(&script.replace("exit 0", "exit 3")).unwrap_err();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        let error = ended("echo other").unwrap_err().to_string();
        assert!(error.contains("it ended before its word"), "{error}");
        let leaves = "sleep 60 >/dev/null & trap 'exit 0' INT; echo told; wait";
        let error = ended(leaves).unwrap_err().to_string();
        let (_, left) = error.split_once("/proc/").expect(&error);
        let pid: String = left.chars().take_while(char::is_ascii_digit).collect();
        process::run(Command::new("kill").arg(&pid)).unwrap();
        assert!(error.contains("leaves processes"), "{error}");
    }
}
