use super::*;
use crate::Mode;

const A: &str = "11111111111111111111111111111111";
const B: &str = "SysvarC1ock11111111111111111111111111111111";
const KEY: &str = "KEY0123456789";

fn text(more: &str) -> String {
    format!(
        "rpc_url = \"http://127.0.0.1:8899\"\njournal_dir = \"journal\"\nkeypair = \"id.json\"\n\
         [[markets]]\naddress = \"{A}\"\nbase_price = \"{B}\"\nquote_price = \"{B}\"\n{more}"
    )
}

fn layers(variables: &[(&str, &str)], flags: &[&str]) -> Result<Layers, ConfigError> {
    let variables = variables.iter();
    let variables =
        variables.map(|(name, text)| (format!("BALLAST_KEEPER__{name}"), (*text).into()));
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).into()).collect();
    Layers::of(Path::new("/etc/keeper.toml"))
        .with_variables(variables)
        .with_flags(&flags)
}

fn read(
    file: &str,
    variables: &[(&str, &str)],
    flags: &[&str],
) -> Result<(Config, Vec<Setting>), String> {
    let read = layers(variables, flags).and_then(|layers| layers.read_text(file));
    read.map_err(|error| error.to_string())
}

fn origin(settings: &[Setting], key: &str) -> String {
    let found = settings.iter().find(|setting| setting.key == key);
    found.map_or("nowhere".into(), |found| found.origin.to_string())
}

#[test]
fn flags_hold_over_the_environment_and_that_over_the_file() {
    let file = text("[timing]\npoll_interval_ms = 500\nresync_secs = 60\nhorizon_secs = 90\n");
    let variables = [
        ("TIMING__POLL_INTERVAL_MS", "700"),
        ("TIMING__RESYNC_SECS", "61"),
        ("MODE", "active"),
    ];
    let (config, settings) = read(&file, &variables, &["timing.poll_interval_ms=800"]).unwrap();
    assert_eq!(config.timing.poll_interval.as_millis(), 800);
    assert_eq!(config.timing.resync.as_secs(), 61);
    assert_eq!(config.timing.horizon_secs, 90);
    assert_eq!(config.mode, Mode::Active);
    for (key, from) in [
        ("timing.poll_interval_ms", "--set timing.poll_interval_ms"),
        ("timing.resync_secs", "BALLAST_KEEPER__TIMING__RESYNC_SECS"),
        ("timing.horizon_secs", "/etc/keeper.toml"),
        ("timing.watchdog_secs", "default"),
        ("mode", "BALLAST_KEEPER__MODE"),
        ("markets.0.address", "/etc/keeper.toml"),
        ("markets.0.pool_can_reset_range", "default"),
        ("flags.oracle_stall.raise_at", "nowhere"),
    ] {
        assert_eq!(origin(&settings, key), from, "{key}");
    }
    let shown = |key: &str| {
        let found = settings.iter().find(|setting| setting.key == key);
        found.unwrap().shown.clone()
    };
    assert_eq!(shown("timing.poll_interval_ms"), "800");
    assert_eq!(shown("mode"), "\"active\"");
}

#[test]
fn without_layers_it_is_the_file() {
    let file = text("[fees]\nmax_lamports_per_action = 7\n");
    let (layered, _) = read(&file, &[], &[]).unwrap();
    assert_eq!(layered, Config::parse(&file).unwrap());
    let others = [("PATH", "/bin"), ("BALLAST_KEEPER_MODE", "active")];
    let others = others.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let beside = Layers::of(Path::new("x.toml")).with_variables(others);
    assert_eq!(beside.read_text(&file).unwrap().0, layered);
}

#[test]
fn a_text_needs_no_quotes_and_a_number_may_be_a_text() {
    let variables = [
        ("API__LISTEN", "127.0.0.1:9464"),
        ("NODES__MORE_RPC_URLS", "[\"http://other:1\"]"),
        ("SIGNER__TIMEOUT_MS", "900"),
        ("FLAGS__ORACLE_STALL__RAISE_AT", "200"),
        ("KEYPAIR", "7"),
    ];
    let (config, settings) = read(&text(""), &variables, &[]).unwrap();
    assert_eq!(config.api.listen.unwrap().port(), 9_464);
    assert_eq!(config.nodes.more_rpc_urls.len(), 1);
    assert_eq!(config.keypair.as_deref(), Some(Path::new("7")));
    let from = origin(&settings, "flags.oracle_stall.raise_at");
    assert_eq!(from, "BALLAST_KEEPER__FLAGS__ORACLE_STALL__RAISE_AT");
}

#[test]
fn what_is_required_may_be_in_any_layer() {
    let whole = text("");
    let file = whole.replace("rpc_url = \"http://127.0.0.1:8899\"\n", "");
    let none = read(&file, &[], &[]).unwrap_err();
    assert!(
        none.contains("`rpc_url`") && none.contains("missing"),
        "{none}"
    );
    let (config, _) = read(&file, &[("RPC_URL", "http://127.0.0.1:8899")], &[]).unwrap();
    assert_eq!(config, Config::parse(&whole).unwrap());
    let file = whole.replace("journal_dir = \"journal\"\n", "");
    let (config, _) = read(&file, &[], &["journal_dir=journal"]).unwrap();
    assert_eq!(config, Config::parse(&whole).unwrap());
}

#[test]
fn markets_are_named_by_their_number() {
    let more = ["markets.0.lookup_table=SysvarC1ock11111111111111111111111111111111"];
    let (config, _) = read(&text(""), &[], &more).unwrap();
    assert_eq!(config.markets[0].lookup_table.unwrap().to_string(), B);
    let second = format!("{{ address = \"{B}\", base_price = \"{A}\", quote_price = \"{A}\" }}");
    let (config, settings) = read(&text(""), &[("MARKETS__1", &second)], &[]).unwrap();
    assert_eq!(config.markets.len(), 2);
    assert_eq!(
        origin(&settings, "markets.1.address"),
        "BALLAST_KEEPER__MARKETS__1"
    );
    assert_eq!(origin(&settings, "markets.0.address"), "/etc/keeper.toml");
    let far = read(&text(""), &[("MARKETS__5__ADDRESS", A)], &[]).unwrap_err();
    assert!(far.contains("has 1 entries"), "{far}");
}

#[test]
fn every_mistake_is_told_with_its_layer() {
    let file = text("");
    for (variables, flags, parts) in [
        (
            &[("TIMING__POLL", "1")][..],
            &[][..],
            [
                "BALLAST_KEEPER__TIMING__POLL",
                "`timing.poll`",
                "unknown field",
            ],
        ),
        (
            &[("COLOUR", "1")],
            &[],
            ["BALLAST_KEEPER__COLOUR", "`colour`", "unknown field"],
        ),
        (
            &[("TIMEING__POLL_INTERVAL_MS", "1")],
            &[],
            ["BALLAST_KEEPER__TIMEING__", "`timeing.", "unknown field"],
        ),
        (
            &[],
            &["mode.x=1"],
            ["--set mode.x", "`mode.x`", "unknown variant"],
        ),
        (
            &[],
            &["mode=live"],
            ["--set mode", "`mode`", "unknown variant"],
        ),
        (
            &[],
            &["max_in_flight=-1"],
            ["--set max_in_flight", "-1", "u"],
        ),
        (
            &[("TIMING__POLL_INTERVAL_MS", "1")],
            &[],
            [
                "BALLAST_KEEPER__TIMING__POLL_INTERVAL_MS",
                "out of range",
                "use 10",
            ],
        ),
        (
            &[("MARKETS__0__ADDRESS", "nobody")],
            &[],
            [
                "BALLAST_KEEPER__MARKETS__0__ADDRESS",
                "markets[0].address",
                "not an address",
            ],
        ),
        (
            &[("", "1")],
            &[],
            ["BALLAST_KEEPER__", "no key", "SECTION__KEY"],
        ),
        (
            &[],
            &["mode"],
            ["--set SECTION.KEY=VALUE", "not of this form", ""],
        ),
        (
            &[],
            &["keypair.x=1"],
            ["--set keypair.x", "below a value", "no keys"],
        ),
    ] {
        let told = read(&file, variables, flags).unwrap_err();
        for part in parts {
            assert!(
                told.contains(part),
                "{variables:?} {flags:?} {part}: {told}"
            );
        }
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    // What the file says wrongly is the file's, whatever else is laid over it.
    let told = read(&text("[timing]\npoll = 1"), &[("MODE", "paper")], &[]).unwrap_err();
    assert!(
        told.contains("/etc/keeper.toml") && told.contains("line 9"),
        "{told}"
    );
}

#[test]
fn no_secret_is_shown() {
    let url = format!("https://user:{KEY}@node.example/v1/{KEY}?api-key={KEY}");
    let variables = [
        ("RPC_URL", url.as_str()),
        ("WS_URL", "wss://node.example/KEY0123456789"),
        ("NOTIFY__WEBHOOK_URL", url.as_str()),
        ("HISTORY__URL", "postgres://u:KEY0123456789@localhost/d"),
    ];
    let (_, settings) = read(&text(""), &variables, &[]).unwrap();
    let listed = format!("{settings:?}");
    assert!(
        !listed.contains(KEY) && listed.contains("https://node.example"),
        "{listed}"
    );
    for (variables, flags) in [
        (&[("RPC_URL", KEY)][..], &[][..]),
        (&[("MODE", url.as_str())], &[]),
        (&[("MAX_IN_FLIGHT", url.as_str())], &[]),
        (&[("RPC_ULR", url.as_str())], &[]),
        (&[("WS_URL", url.as_str())], &[]),
        (&[], &["https://node.example/KEY0123456789?a=b"]),
        (&[], &["KEY0123456789"]),
        (&[], &["mode=KEY0123456789"]),
    ] {
        let told = read(&text(""), variables, flags).unwrap_err();
        assert!(!told.contains(KEY), "{variables:?} {flags:?}: {told}");
    }
}

#[test]
fn paths_are_relative_to_the_file_wherever_they_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keeper.toml");
    fs::write(&path, text("")).unwrap();
    let flags = ["keypair=other.json".to_owned()];
    let layers = Layers::of(&path).with_flags(&flags).unwrap();
    let layered = layers.read().unwrap();
    let expected = directory.path().join("other.json");
    assert_eq!(layered.config.keypair, Some(expected));
}
