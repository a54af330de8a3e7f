//! Runs the binary.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use serde_json::Value;

#[path = "names.rs"]
pub mod names;

/// Longest run. An upload to a node on a busy machine takes a minute.
const WITHIN: Duration = Duration::from_secs(300);

/// The worked example.
pub const OPEN: [&str; 9] = [
    "open",
    "--own-quote",
    "100",
    "--leverage",
    "3",
    "--lower",
    "190",
    "--upper",
    "210",
];

/// What a run printed, and how it ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// The one line of JSON on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {:?}, {}", self.out, self.err))
    }

    /// Each line of standard output as JSON.
    pub fn lines(&self) -> Vec<Value> {
        let line =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.out.lines().map(line).collect()
    }
}

/// `ballast` with nothing of the surroundings in it.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
    for variable in [
        "BALLAST_URL",
        "BALLAST_WS_URL",
        "BALLAST_KEYPAIR",
        "BALLAST_MARKET",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(variable);
    }
    // Nothing can be made there, not even by root.
    command.env("HOME", "/dev/null");
    command
}

/// Runs to the end with this on standard input.
pub fn run_with(args: &[&str], input: &[u8]) -> Run {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From another thread: the answers may fill the pipe before all is written. A program that does not read is no error.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = within(WITHIN, child, args);
    writer.join().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    // Whatever a test looks at, every answer is held to the names that all commands have.
    for value in out
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
    {
        let faults = names::faults(names::command(args), &value);
        assert_eq!(faults, [""; 0], "{args:?} has names of its own: {value}");
    }
    Run {
        code: output.status.code().expect("ended by a signal"),
        out,
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What it printed by its end. A run that takes too long is ended and told of, with what it printed until then.
fn within(limit: Duration, child: Child, args: &[&str]) -> Output {
    let pid = child.id();
    let (ended, end) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if late {
            let mut kill = Command::new("kill");
            kill.args(["-KILL", &pid.to_string()]).status().unwrap();
        }
        late
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    let late = watch.join().unwrap();
    assert!(
        !late,
        "{args:?} had not ended within {limit:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A shell's line on a terminal that `script` makes (Debian: bsdutils), with nothing of the surroundings in it.
pub fn terminal(line: &str) -> Command {
    let mut script = Command::new("script");
    for (name, value) in command().env("TERM", "xterm").get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.args(["--quiet", "--return", "--command", line, "/dev/null"]);
    script
}

/// What is on the terminal in the end, and with which code.
pub fn on_terminal(terminal: &mut Command) -> (i32, String) {
    let output = terminal.stdin(Stdio::null()).output();
    let output = output.expect("`script` makes the terminal: install bsdutils");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), said)
}

/// A decimal string as a number.
pub fn decimal(value: &Value) -> f64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no string"));
    text.parse()
        .unwrap_or_else(|_| panic!("{value} is no number"))
}

/// Runs to the end.
pub fn run(args: &[&str]) -> Run {
    run_with(args, b"")
}

/// A file of the model's golden vectors.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/model/tests/golden")
        .join(name)
}
