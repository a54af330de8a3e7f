//! What a service manager is told: that the keeper runs, that its engine goes on, that it stops. By systemd's notification socket
//! (`NOTIFY_SOCKET`, `WATCHDOG_USEC`), if there is one.
//!
//! The watchdog is fed from the engine's own progress: an engine that hangs is not covered for by a task that does not.

use std::{
    env, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::engine::Status;

/// How often an engine that has nothing to do shows that it could.
pub(crate) const BEAT: Duration = Duration::from_secs(1);

/// How often the engine's loop has turned.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// It has turned once more.
    pub(crate) fn turned(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn turns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A service manager that wants to be told.
#[derive(Debug)]
pub struct Supervisor {
    #[cfg(unix)]
    socket: std::os::unix::net::UnixDatagram,
    #[cfg(unix)]
    to: std::os::unix::net::SocketAddr,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that started this process; `None`: none did.
    ///
    /// # Errors
    /// If its socket cannot be used.
    pub fn of_process() -> io::Result<Option<Self>> {
        let Some(address) = env::var_os("NOTIFY_SOCKET") else {
            return Ok(None);
        };
        let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
        let meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let micros = number("WATCHDOG_USEC").filter(|micros| meant && *micros > 0);
        Self::at(Path::new(&address), micros.map(Duration::from_micros)).map(Some)
    }

    /// One at that address; a name that begins with `@` is no file. Within every `watchdog` it wants to hear of progress.
    ///
    /// # Errors
    /// If the socket cannot be used.
    #[cfg(unix)]
    pub fn at(address: &Path, watchdog: Option<Duration>) -> io::Result<Self> {
        use std::os::unix::{ffi::OsStrExt, net};
        let to = match address.as_os_str().as_bytes() {
            #[cfg(target_os = "linux")]
            [b'@', name @ ..] => {
                use std::os::linux::net::SocketAddrExt;
                net::SocketAddr::from_abstract_name(name)?
            }
            _ => net::SocketAddr::from_pathname(address)?,
        };
        let socket = net::UnixDatagram::unbound()?;
        // A manager that does not read keeps nobody here waiting.
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            to,
            watchdog,
        })
    }

    /// There is none on this system.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub fn at(_: &Path, _: Option<Duration>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What is lost on the way is no harm: it is said again, or the manager restarts the keeper.
    fn tell(&self, text: &str) {
        #[cfg(unix)]
        let _ = self.socket.send_to_addr(text.as_bytes(), &self.to);
        #[cfg(not(unix))]
        let _ = text;
    }

    /// The keeper comes to its end.
    pub(crate) fn stops(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Says that it runs as soon as the engine turns, and then, three times in each of the watchdog's periods, that it still does, if it
    /// does.
    pub(crate) async fn watch(&self, progress: &Progress, status: &watch::Receiver<Status>) {
        let every = self.watchdog.map_or(Duration::from_secs(10), |it| it / 3);
        let mut ticks = interval(every.clamp(Duration::from_millis(1), Duration::from_secs(60)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seen, mut is_ready) = (progress.turns(), false);
        loop {
            ticks.tick().await;
            let turns = progress.turns();
            if turns == seen && (is_ready || turns == 0) {
                continue;
            }
            seen = turns;
            let said = status_line(&status.borrow());
            let ready = if is_ready { "" } else { "READY=1\n" };
            is_ready = true;
            let alive = match self.watchdog {
                Some(_) => "WATCHDOG=1\n",
                None => "",
            };
            self.tell(&format!("{ready}{alive}STATUS={said}"));
        }
    }
}

fn status_line(status: &Status) -> String {
    format!(
        "{}, slot {}, {} positions in {} markets, {} actions in flight",
        status.mode, status.slot, status.positions, status.markets, status.in_flight
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use tokio::time::{Instant, advance, sleep};

    use super::*;

    struct Manager {
        socket: UnixDatagram,
        _directory: tempfile::TempDir,
        supervisor: Supervisor,
    }

    const WATCHDOG: Duration = Duration::from_secs(30);

    fn manager(watchdog: Option<Duration>) -> Manager {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let supervisor = Supervisor::at(&path, watchdog).unwrap();
        Manager {
            socket,
            _directory: directory,
            supervisor,
        }
    }

    impl Manager {
        fn heard(&self) -> Vec<String> {
            let mut all = Vec::new();
            let mut bytes = [0; 4_096];
            while let Ok(length) = self.socket.recv(&mut bytes) {
                all.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
            }
            all
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_turns_is_ready_and_alive_and_one_that_hangs_is_not() {
        let manager = manager(Some(WATCHDOG));
        let (progress, status) = (Progress::default(), watch::Sender::default());
        let receiver = status.subscribe();
        let watching = manager.supervisor.watch(&progress, &receiver);
        let scene = async {
            // Between two looks.
            sleep(65 * BEAT).await;
            assert_eq!(manager.heard(), Vec::<String>::new(), "nothing turns yet");
            progress.turned();
            sleep(10 * BEAT).await;
            let heard = manager.heard();
            assert_eq!(heard.len(), 1);
            assert!(
                heard[0].starts_with("READY=1\nWATCHDOG=1\nSTATUS=observe, slot 0"),
                "{heard:?}"
            );
            let mut last = Instant::now();
            for _ in 0..40 {
                progress.turned();
                advance(3 * BEAT).await;
                sleep(Duration::ZERO).await;
                for told in manager.heard() {
                    assert!(told.starts_with("WATCHDOG=1\nSTATUS="), "{told}");
                    assert!(last.elapsed() < WATCHDOG, "{:?}", last.elapsed());
                    last = Instant::now();
                }
            }
            assert!(last.elapsed() < WATCHDOG, "{:?}", last.elapsed());
            sleep(25 * BEAT).await;
            manager.heard();
            // It hangs.
            sleep(10 * WATCHDOG).await;
            assert_eq!(manager.heard(), Vec::<String>::new());
        };
        tokio::select! {
            () = watching => unreachable!("it watches for ever"),
            () = scene => {}
        }
        manager.supervisor.stops();
        assert_eq!(manager.heard(), ["STOPPING=1\nSTATUS=stopping"]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_watchdog_it_says_only_that_it_runs() {
        let manager = manager(None);
        let (progress, status) = (Progress::default(), watch::Sender::default());
        progress.turned();
        let receiver = status.subscribe();
        let watching = manager.supervisor.watch(&progress, &receiver);
        tokio::select! {
            () = watching => unreachable!("it watches for ever"),
            () = sleep(BEAT) => {}
        }
        let heard = manager.heard();
        assert!(heard[0].starts_with("READY=1\nSTATUS="), "{heard:?}");
        assert!(!heard.concat().contains("WATCHDOG"), "{heard:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_file_is_reached_and_a_full_socket_keeps_nobody_waiting() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("ballast-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        let supervisor = Supervisor::at(Path::new(&format!("@{name}")), None).unwrap();
        // More than a socket holds.
        for _ in 0..10_000 {
            supervisor.tell("STATUS=x");
        }
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"STATUS=x");
    }
}
