//! Processes that do not outlive a test.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result};

/// A process that is killed (`SIGKILL`) when this is dropped, also by a test that fails, and when the test's own process
/// ends in whatever way.
pub struct Process {
    shell: Child,
    input: Option<ChildStdin>,
    output: PathBuf,
}

/// Runs the arguments; the first background process waits for the end of input and kills them then, which happens at the
/// latest when the process at the other end of the pipe is gone. The shell ends with what it runs.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
guarded=$!
( cat <&3 >/dev/null; kill -KILL "$guarded" 2>/dev/null ) &
exec 3<&-
wait "$guarded"
"#;

impl Process {
    /// Starts a program without input; what it prints goes to the file `output`, which is made anew.
    ///
    /// # Errors
    /// If the file cannot be written or there is no shell. That there is no such program is told by
    /// [`Process::exited`] and [`Process::said`].
    pub fn start(program: &Path, arguments: &[String], output: &Path) -> Result<Self> {
        let file =
            File::create(output).with_context(|| format!("cannot write {}", output.display()))?;
        let mut shell = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("cannot start a shell")?;
        let input = shell.stdin.take();
        Ok(Self {
            shell,
            input,
            output: output.to_owned(),
        })
    }

    /// How it ended, if it did so by itself.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.shell.try_wait().context("cannot look after a process")
    }

    /// The end of what it printed, for messages.
    pub fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.output).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(15)..)
            .unwrap_or_default();
        if last.is_empty() {
            "it said nothing".into()
        } else {
            last.join("\n")
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing the input makes the guard kill the process; the shell then ends at once.
        self.input = None;
        // Nothing can be done here if the shell is gone already.
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_process_is_gone_after_drop_and_its_output_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("output");
        let script = ["-c".into(), "echo $$; exec sleep 1000".into()];
        let mut process = Process::start(Path::new("/bin/sh"), &script, &log).unwrap();
        let mut pid = String::new();
        for _ in 0..1_000 {
            pid = std::fs::read_to_string(&log).unwrap().trim().into();
            if !pid.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(Path::new("/proc").join(&pid).exists(), "pid {pid:?}");
        assert!(process.exited().unwrap().is_none());
        drop(process);
        assert!(
            !Path::new("/proc").join(&pid).exists(),
            "{pid} is still there"
        );
    }

    #[test]
    fn a_process_that_ends_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("output");
        let script = ["-c".into(), "echo port in use; exit 7".into()];
        let mut process = Process::start(Path::new("/bin/sh"), &script, &log).unwrap();
        let status = process.shell.wait().unwrap();
        assert_eq!(status.code(), Some(7));
        assert!(process.exited().unwrap().is_some());
        assert_eq!(process.said(), "port in use");
    }
}
