//! One run of tests, up to the first that fails.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How a run of tests ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every test passed.
    Passed,
    /// This test failed.
    Failed(String),
    /// The tests ended in the middle, if a name is given of this test.
    Aborted(Option<String>),
    /// They took longer than they may, if a name is given in this test.
    TimedOut(Option<String>),
}

/// The signal of a process that has used up the seconds it may compute.
const OUT_OF_TIME: i32 = 24;

/// Runs tests, one at a time; the rest is not waited for when one fails. Notes how long each takes.
pub fn run(
    command: &mut Command,
    longest: Duration,
    secs: &mut BTreeMap<String, f64>,
) -> Result<Ending> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let Some(output) = child.stdout.take() else {
        bail!("no output of {command:?}");
    };
    let child = Arc::new(Mutex::new(child));
    let (over, timed_out) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let watchdog = {
        let (child, over, timed_out) = (child.clone(), over.clone(), timed_out.clone());
        std::thread::spawn(move || {
            let start = Instant::now();
            while !over.load(Ordering::Relaxed) {
                if start.elapsed() > longest {
                    timed_out.store(true, Ordering::Relaxed);
                    kill(&child);
                    return;
                }
                std::thread::park_timeout(Duration::from_secs(1));
            }
        })
    };
    let (mut failed, mut begun) = (None, None);
    let mut since = Instant::now();
    for line in BufReader::new(output).lines() {
        let line = line.unwrap_or_default();
        match line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        {
            Some((name, "FAILED")) => {
                failed = Some(name.to_owned());
                kill(&child);
                break;
            }
            Some((name, "ok")) => {
                secs.insert(name.to_owned(), since.elapsed().as_secs_f64());
                since = Instant::now();
            }
            // What the test prints comes between its name and how it ended.
            Some((name, _)) => begun = Some(name.to_owned()),
            None => {}
        }
    }
    over.store(true, Ordering::Relaxed);
    watchdog.thread().unpark();
    let _ = watchdog.join();
    let status = match child.lock() {
        Ok(mut child) => child.wait()?,
        Err(_) => bail!("the watchdog panicked"),
    };
    Ok(match failed {
        Some(test) => Ending::Failed(test),
        None if status.success() => Ending::Passed,
        None if timed_out.load(Ordering::Relaxed) || status.signal() == Some(OUT_OF_TIME) => {
            Ending::TimedOut(begun)
        }
        None => Ending::Aborted(begun),
    })
}

fn kill(child: &Mutex<Child>) {
    if let Ok(mut child) = child.lock() {
        // It may be over already.
        let _ = child.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(script: &str) -> (Ending, BTreeMap<String, f64>) {
        let mut secs = BTreeMap::new();
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let longest = Duration::from_secs(2);
        (run(&mut shell, longest, &mut secs).unwrap(), secs)
    }

    #[test]
    fn only_a_test_that_fails_is_a_failure() {
        let (passed, secs) = ending("echo 'test a::b ... ok'");
        assert_eq!(passed, Ending::Passed);
        assert!(secs.contains_key("a::b"));
        let (failed, _) = ending("echo 'test a ... ok'; echo 'test b ... FAILED'; sleep 60");
        assert_eq!(failed, Ending::Failed("b".into()));
        let (aborted, _) = ending("echo 'test a ... ok'; printf 'test b ... '; exit 1");
        assert_eq!(aborted, Ending::Aborted(Some("b".into())));
        assert_eq!(ending("exec sleep 60").0, Ending::TimedOut(None));
        let (out_of_time, _) = ending("printf 'test b ... '; ulimit -S -t 1; while :; do :; done");
        assert_eq!(out_of_time, Ending::TimedOut(Some("b".into())));
    }
}
