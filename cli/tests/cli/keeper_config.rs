//! A keeper's configuration, as `ballast keeper` reads it.

use crate::common::{command, run};

#[test]
fn a_bad_keeper_configuration_names_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    std::fs::write(
        &config,
        "rpc_url = \"http://127.0.0.1:9\"\njournal_dir = \"journal\"\nmod = \"active\"\n",
    )
    .unwrap();
    let refused = run(&["keeper", "check", "--config", config.to_str().unwrap()]);
    assert!(
        refused.code == 1 && refused.err.contains("mod"),
        "{}",
        refused.err
    );
}

#[test]
fn a_keeper_refuses_endpoints_and_key_on_its_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    let config = config.to_str().unwrap();
    // Nothing is read before that: the file does not exist.
    for command in ["run", "check"] {
        let keeper = ["keeper", command, "--config", config];
        for (option, value, key) in [
            ("--url", "http://127.0.0.1:9", "rpc_url"),
            ("--url", "localnet", "rpc_url"),
            ("--ws-url", "ws://127.0.0.1:9", "ws_url"),
            ("--keypair", "id.json", "keypair"),
        ] {
            let expected = format!(
                "error: `ballast keeper {command}` takes endpoints and key from its configuration (--config)\nhelp: leave \
                 {option} out, `{key}` in {config} decides\n"
            );
            for line in [
                [&[option, value], &keeper[..]].concat(),
                [&keeper[..], &[option, value]].concat(),
            ] {
                let refused = run(&line);
                assert_eq!((refused.code, &refused.err), (2, &expected), "{line:?}");
            }
        }
        let both = [
            &keeper[..],
            &["--keypair", "a", "--url", "devnet", "--json"],
        ]
        .concat();
        let refused = run(&both);
        assert_eq!(refused.code, 2);
        for part in ["leave --url out", "leave --keypair out"] {
            let error = refused.json()["help"].as_str().unwrap().to_owned();
            assert!(error.contains(part), "{error}");
        }
        // The environment is for other commands.
        let mut surrounded = command_in_surroundings();
        let output = surrounded.args(keeper).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("cannot read the configuration"), "{said}");
    }
}

fn command_in_surroundings() -> std::process::Command {
    let mut command = command();
    command.env("BALLAST_URL", "devnet");
    command.env("BALLAST_WS_URL", "ws://127.0.0.1:9");
    command.env("BALLAST_KEYPAIR", "id.json");
    command
}

#[test]
fn a_valid_keeper_configuration_is_said_to_be_one() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    let address = "So11111111111111111111111111111111111111112";
    let text = format!(
        "rpc_url = \"http://127.0.0.1:9\"\njournal_dir = \"journal\"\nmode = \"observe\"\n[[markets]]\naddress = \
         \"{address}\"\nbase_price = \"{address}\"\nquote_price = \"{address}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let checked = run(&["keeper", "check", "--config", config]);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    let said = format!("{config} is a valid configuration: mode observe, 1 market\n");
    assert!(checked.out.starts_with(&said), "{}", checked.out);
    assert!(!checked.out.contains("default"), "{}", checked.out);
    let checked = run(&["--json", "keeper", "check", "--config", config]).json();
    for (key, expected) in [
        ("config", serde_json::json!(config)),
        ("mode", "observe".into()),
        ("markets", 1.into()),
        ("hedge", serde_json::Value::Null),
        ("key", serde_json::Value::Null),
    ] {
        assert_eq!(checked[key], expected, "{key}");
    }

    // A hedge is said with it; a misspelt key of it is no key.
    let mut hedged = std::fs::read_to_string(config).unwrap();
    hedged += &format!(
        "[hedge]\nvenue = \"paper\"\n[[hedge.perps]]\ncoin = \"SOL\"\nmarkets = [\"{address}\"]\nband = 2\n\
         max_position = 500\n"
    );
    std::fs::write(config, &hedged).unwrap();
    let checked = run(&["keeper", "check", "--config", config]);
    let said = "SOL for 1 market, band ±2, at most 500\n";
    assert!(checked.out.contains(said), "{}", checked.out);
    std::fs::write(config, hedged.replace("max_position", "max_size")).unwrap();
    let checked = run(&["keeper", "check", "--config", config]);
    assert_eq!(checked.code, 1);
    assert!(checked.err.contains("max_size"), "{}", checked.err);

    // A group is said with it, and needs a second node.
    let group = "[shards]\nlease_url = \"postgres://me@localhost/x\"\nmember = \"eu-1\"\n";
    std::fs::write(config, hedged.clone() + group).unwrap();
    let checked = run(&["keeper", "check", "--config", config]);
    assert_eq!(checked.code, 1);
    assert!(
        checked.err.contains("nodes.more_rpc_urls"),
        "{}",
        checked.err
    );
    let nodes = "[nodes]\nmore_rpc_urls = [\"http://127.0.0.1:8\"]\n";
    std::fs::write(config, hedged + group + nodes).unwrap();
    let checked = run(&["keeper", "check", "--config", config]);
    let said = "shards: member \"eu-1\" of a group that shares 256 shards of positions\n";
    assert!(checked.out.contains(said), "{}", checked.out);
}

#[test]
fn a_keepers_values_come_from_file_environment_and_flags_and_that_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    let address = "So11111111111111111111111111111111111111112";
    let text = format!(
        "rpc_url = \"http://127.0.0.1:9/SECRET-KEY-1\"\njournal_dir = \"journal\"\nkeypair = \"key.json\"\n[[markets]]\n\
         address = \"{address}\"\nbase_price = \"{address}\"\nquote_price = \"{address}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let check = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = command();
        command.envs(variables.iter().copied());
        command.args(["--json", "keeper", "check", "--config", config]);
        let output = command.args(more).output().unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        (output.status.code(), out, err)
    };
    let variables = [
        ("BALLAST_KEEPER__TIMING__RESYNC_SECS", "120"),
        ("BALLAST_KEEPER__MODE", "paper"),
    ];
    let (code, out, _) = check(&variables, &["--set", "mode=reducing"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("SECRET-KEY-1"), "{out}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["mode"], "reducing");
    let from = |key: &str| {
        let all = report["values"].as_array().unwrap();
        let found = all.iter().find(|value| value["key"] == key);
        found.unwrap_or_else(|| panic!("{key} is not listed"))["from"].clone()
    };
    assert_eq!(from("mode"), "--set mode");
    assert_eq!(
        from("timing.resync_secs"),
        "BALLAST_KEEPER__TIMING__RESYNC_SECS"
    );
    assert_eq!(from("rpc_url"), config);
    assert_eq!(from("timing.watchdog_secs"), "default");
    // A flag is of the command line.
    for (variable, flag, part, expected) in [
        (
            "BALLAST_KEEPER__COLOUR",
            "mode=paper",
            "BALLAST_KEEPER__COLOUR",
            1,
        ),
        ("BALLAST_KEEPER__MODE", "colour=1", "--set colour", 2),
    ] {
        let (code, out, err) = check(&[(variable, "paper")], &["--set", flag]);
        assert_eq!(code, Some(expected), "{out}");
        assert!(format!("{out}{err}").contains(part), "{out}{err}");
    }
}

#[cfg(unix)]
#[test]
fn a_keepers_key_that_others_may_read_is_refused_with_what_to_type() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    let key = directory.path().join("key.json");
    let address = "So11111111111111111111111111111111111111112";
    let text = format!(
        "rpc_url = \"http://127.0.0.1:9\"\njournal_dir = \"journal\"\nkeypair = \"key.json\"\n[[markets]]\n\
         address = \"{address}\"\nbase_price = \"{address}\"\nquote_price = \"{address}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let made = run(&["key", "new", key.to_str().unwrap()]);
    assert_eq!(made.code, 0, "{}", made.err);
    let keeper = |command: &str, mode: &str| {
        let mode = format!("mode={mode}");
        run(&[
            "keeper",
            command,
            "--config",
            config.to_str().unwrap(),
            "--set",
            &mode,
        ])
    };
    assert_eq!(keeper("check", "active").code, 0);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    for command in ["check", "run"] {
        let refused = keeper(command, "active");
        assert_eq!(refused.code, 1, "{}", refused.out);
        let expected = format!("chmod 600 {}", key.display());
        assert!(refused.err.contains(&expected), "{}", refused.err);
    }
    let warned = keeper("check", "observe");
    assert_eq!(warned.code, 0);
    assert!(warned.out.contains("chmod 600"), "{}", warned.out);
}
