//! A Postgres server for tests: own data directory, a socket in it and no port, gone when it is dropped.
//!
//! The server is Debian's `postgresql-15`; `cargo xtask test` installs it. Where there is none, tests are left out and say so,
//! unless `BALLAST_REQUIRE_POSTGRES` is set.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// Role that the tests connect as.
const ROLE: &str = "ballast";

/// A running server.
pub struct Postgres {
    directory: TempDir,
    programs: PathBuf,
    account: Option<Account>,
    databases: Mutex<u32>,
}

/// Who runs the server where root may not.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// One server for all tests of a process that run at the same time.
static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// The process's server, started if it does not run; `None`, with the reason on standard error, if it cannot be.
    ///
    /// # Panics
    /// If there is none although `BALLAST_REQUIRE_POSTGRES` is set.
    pub fn shared_or_skip() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        match Self::start() {
            Ok(server) => {
                let server = Arc::new(server);
                *shared = Arc::downgrade(&server);
                Some(server)
            }
            Err(error) => {
                assert!(
                    std::env::var_os("BALLAST_REQUIRE_POSTGRES").is_none(),
                    "no Postgres: {error:#}"
                );
                ballast_skip::left_out(
                    "tests on Postgres",
                    &format!("install postgresql-15 ({error:#})"),
                );
                None
            }
        }
    }

    /// Starts a server.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub fn start() -> Result<Self> {
        let programs = programs().context("it is not installed")?;
        let directory = tempfile::Builder::new().prefix("ballast-pg-").tempdir()?;
        let account = account()?;
        if let Some(account) = account {
            chown(directory.path(), Some(account.user), Some(account.group))?;
        }
        let server = Self {
            directory,
            programs,
            account,
            databases: Mutex::new(0),
        };
        server.run(
            "initdb",
            &["-A", "trust", "-U", ROLE, "-N", "-D", &server.data()],
        )?;
        let socket = server.socket().display().to_string();
        fs::write(
            Path::new(&server.data()).join("postgresql.auto.conf"),
            format!(
                "listen_addresses = ''\nunix_socket_directories = '{socket}'\nmax_connections = 60\nfsync = off\n\
                 shared_buffers = '16MB'\n"
            ),
        )?;
        server.control("start")?;
        Ok(server)
    }

    /// URL of a new, empty database.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn database(&self) -> Result<String> {
        let mut databases = self
            .databases
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *databases += 1;
        let name = format!("test_{databases}");
        let socket = self.socket().display().to_string();
        self.run("createdb", &["-h", &socket, "-U", ROLE, &name])?;
        Ok(format!(
            "postgres://{ROLE}@/{name}?host={}",
            socket.replace('/', "%2F")
        ))
    }

    /// Stops it at once, as a crash would, and starts it again.
    ///
    /// # Errors
    /// If it does not.
    pub fn crash(&self) -> Result<()> {
        self.control_with("stop", &["-m", "immediate"])?;
        self.control("start")
    }

    fn socket(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    fn control(&self, what: &str) -> Result<()> {
        self.control_with(what, &[])
    }

    fn control_with(&self, what: &str, more: &[&str]) -> Result<()> {
        let log = self.directory.path().join("log").display().to_string();
        let data = self.data();
        let mut arguments = vec!["-w", "-D", &data, "-l", &log, what];
        arguments.extend(more);
        self.run("pg_ctl", &arguments).with_context(|| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("its log says: {log}")
        })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let path = self.programs.join(program);
        let mut command = Command::new(&path);
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        if let Some(account) = self.account {
            command.uid(account.user).gid(account.group);
        }
        // To files and not to pipes: the server would keep a pipe open.
        let output = tempfile::tempfile()?;
        command
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        let status = command
            .status()
            .with_context(|| path.display().to_string())?;
        if !status.success() {
            use std::io::{Read, Seek};
            let (mut output, mut text) = (output, String::new());
            output.rewind()?;
            output.read_to_string(&mut text)?;
            bail!("{program} ended with {status}: {}", text.trim());
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What does not stop is of no use to anybody: its directory goes anyway.
        let _ = self.control_with("stop", &["-m", "immediate"]);
    }
}

/// Where the server's programs are: Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    versions.extend(
        std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths),
    );
    versions
        .into_iter()
        .find(|directory| directory.join("initdb").exists() && directory.join("pg_ctl").exists())
}

/// The account that the package has made, if this is root, as whom the server does not run.
fn account() -> Result<Option<Account>> {
    let id = |arguments: &[&str]| -> Result<u32> {
        let output = Command::new("id").args(arguments).output()?;
        ensure!(output.status.success(), "there is no account `postgres`");
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some(Account {
        user: id(&["-u", "postgres"])?,
        group: id(&["-g", "postgres"])?,
    }))
}
