//! `ballast dashboard`: the browser is given the page with the token, and only where somebody sees it.
#![cfg(target_os = "linux")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::common::{on_terminal, run, terminal};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const URL: &str = "http://127.0.0.1:9464/#token=0123456789abcdef0123456789abcdef";

/// A keeper's configuration and journal.
struct Scene {
    directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = "So11111111111111111111111111111111111111112";
        let scene = Self { directory };
        fs::create_dir(scene.path("journal")).unwrap();
        let token = scene.path("journal/api-token");
        fs::write(&token, TOKEN).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "rpc_url = \"http://127.0.0.1:9\"\njournal_dir = \"{}\"\nmode = \"observe\"\n[api]\nlisten = \"127.0.0.1:9464\"\n\
             [[markets]]\naddress = \"{address}\"\nbase_price = \"{address}\"\nquote_price = \"{address}\"\n",
            scene.path("journal").display()
        );
        fs::write(scene.path("keeper.toml"), config).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A directory with an `xdg-open` that writes the file that it is to open into a pipe.
    fn opener(&self, pipe: &Path) -> PathBuf {
        let made = Command::new("mkfifo").arg(pipe).status().unwrap();
        assert!(made.success());
        let programs = self.path("bin");
        fs::create_dir(&programs).unwrap();
        let opener = programs.join("xdg-open");
        let script = format!("#!/bin/sh\n/bin/cat \"$1\" > '{}'\n", pipe.display());
        fs::write(&opener, script).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        programs
    }

    /// The command on a terminal, with programs from there alone, and `then` after it; code and what is on the terminal.
    fn on_a_terminal(
        &self,
        display: Option<&str>,
        programs: &Path,
        more: &str,
        then: &str,
    ) -> (i32, String) {
        let line = format!(
            "PATH='{}' {} dashboard --config '{}' {more} {then}",
            programs.display(),
            env!("CARGO_BIN_EXE_ballast"),
            self.path("keeper.toml").display()
        );
        let mut script = terminal(&line);
        for name in ["DISPLAY", "WAYLAND_DISPLAY"] {
            script.env_remove(name);
        }
        on_terminal(script.envs(display.map(|display| ("DISPLAY", display))))
    }
}

#[test]
fn the_browser_is_given_the_page_with_the_token() {
    let scene = Scene::new();
    let (pipe, seen) = (scene.path("pipe"), scene.path("seen"));
    let programs = scene.opener(&pipe);
    // The terminal stays until the browser has been given something: its programs end with it.
    let then = format!(
        "&& timeout 60 cat '{}' > '{}'",
        pipe.display(),
        seen.display()
    );
    let (code, said) = scene.on_a_terminal(Some(":99"), &programs, "", &then);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(URL), "{said}");
    let page = fs::read_to_string(&seen).unwrap();
    assert!(page.contains(&format!("url={URL}\"")), "{page}");
}

#[test]
fn no_browser_is_opened_where_nobody_sees_it_or_nobody_wants_it() {
    let scene = Scene::new();
    // Nothing to open it with: whoever tries fails.
    let nothing = scene.path("nothing");
    fs::create_dir(&nothing).unwrap();
    for (display, more, expected) in [
        (Some(":99"), "", 1),
        (Some(":99"), "--print", 0),
        (None, "", 0),
    ] {
        let (code, said) = scene.on_a_terminal(display, &nothing, more, "");
        assert_eq!(code, expected, "{display:?} {more}: {said}");
        assert!(said.contains(URL), "{said}");
        let failed =
            said.contains("xdg-open cannot be started") && said.contains("open the address");
        assert_eq!(failed, expected == 1, "{said}");
    }
    // Without a terminal.
    let config = scene.path("keeper.toml");
    let printed = run(&["dashboard", "--config", config.to_str().unwrap()]);
    assert_eq!((printed.code, printed.out), (0, format!("{URL}\n")));
    let json = run(&["--json", "dashboard", "--config", config.to_str().unwrap()]).json();
    assert_eq!(json["url"], URL);
}
