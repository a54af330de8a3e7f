use std::{fs, time::Duration};

use ballast_model::Amounts;
use ballast_strategy::situation::Economics;

use super::*;

const A: &str = "11111111111111111111111111111111";
const B: &str = "SysvarC1ock11111111111111111111111111111111";

fn text(head: &str, tail: &str) -> String {
    format!(
        "rpc_url = \"http://127.0.0.1:8899\"\njournal_dir = \"journal\"\n{head}\n\
         [[markets]]\naddress = \"{A}\"\nbase_price = \"{B}\"\nquote_price = \"{B}\"\n{tail}"
    )
}

fn error(head: &str, tail: &str) -> String {
    Config::parse(&text(head, tail)).unwrap_err().to_string()
}

#[test]
fn the_shortest_configuration_observes() {
    let config = Config::parse(&text("", "")).unwrap();
    assert_eq!(config.mode, Mode::Observe);
    assert_eq!(config.ws_url.expose(), "ws://127.0.0.1:8900/");
    assert_eq!(config.pool_programs, POOL_PROGRAMS);
    assert_eq!(config.timing, Timing::default());
    assert_eq!(config.fees, Fees::default());
    assert!(!config.liquidation.enabled);
    assert_eq!(config.liquidation.min_gain, 10_000);
    assert_eq!(config.markets[0].base_price.to_string(), B);
    assert_eq!(config.automation, Automation::default());
    let market = Config::parse(&text(
        "",
        &format!("lookup_table = \"{A}\"\npool_can_reset_range = false"),
    ));
    let market = market.unwrap().markets[0];
    assert_eq!(market.lookup_table.unwrap().to_string(), A);
    assert!(!market.pool_can_reset_range && config.markets[0].pool_can_reset_range);
}

#[test]
fn every_key_is_read() {
    let config = Config::parse(&text(
        "ws_url = \"wss://node/ws\"\nkeypair = \"id.json\"\nmode = \"active\"\nmax_in_flight = 7\n\
         pool_programs = [\"11111111111111111111111111111111\"]",
        "[timing]\npoll_interval_ms = 100\nresend_interval_ms = 700\nrefresh_interval_ms = 300\nwatchdog_secs = 7\nresync_secs = 60\n\
         horizon_secs = 90\nbackoff_first_ms = 200\nbackoff_max_secs = 9\n\
         [fees]\nmin_micro_lamports = 1\nmax_micro_lamports = 2\nmax_lamports_per_action = 3\n\
         max_lamports_per_hour = 9000\nreserved_lamports_per_hour = 8\nwarn_below_lamports = 9\n\
         relaxed_distance_bps = 500\nurgent_distance_bps = 50\n\
         [liquidation]\nenabled = true\nmax_pay_base = 4\nmax_pay_quote = 5\nmin_gain = 6\n\
         [automation]\nexpected_fee_bps_per_day = 6\npayback_days = 7\nmin_reward_lamports = 8\ncreate_tick_arrays = false\n\
         look_at_fees_secs = 60\nrefresh_stages = false\n",
    ))
    .unwrap();
    assert_eq!(config.mode, Mode::Active);
    assert_eq!(config.ws_url.expose(), "wss://node/ws");
    assert_eq!(config.keypair.as_deref(), Some(Path::new("id.json")));
    assert_eq!(config.max_in_flight, 7);
    assert_eq!(config.pool_programs, [A.parse().unwrap()]);
    assert_eq!(config.fees.warn_below_lamports, 9);
    assert_eq!(
        config.timing,
        Timing {
            poll_interval: Duration::from_millis(100),
            resend_interval: Duration::from_millis(700),
            refresh: Duration::from_millis(300),
            watchdog: Duration::from_secs(7),
            resync: Duration::from_secs(60),
            horizon_secs: 90,
            backoff_first: Duration::from_millis(200),
            backoff_max: Duration::from_secs(9),
        }
    );
    assert_eq!(
        (
            config.fees.min_micro_lamports,
            config.fees.max_micro_lamports
        ),
        (1, 2)
    );
    assert_eq!(
        (
            config.fees.max_lamports_per_hour,
            config.fees.reserved_lamports_per_hour
        ),
        (9_000, 8)
    );
    assert_eq!(config.liquidation.max_pay, Amounts { base: 4, quote: 5 });
    assert_eq!(config.liquidation.min_gain, 6);
    let expected = Automation {
        economics: Economics {
            fee_day_bps: 6,
            payback_days: 7,
            min_reward_lamports: 8,
        },
        create_tick_arrays: false,
        look_at_fees: Duration::from_secs(60),
        refresh_stages: false,
    };
    assert_eq!(config.automation, expected);
}

#[test]
fn every_mistake_is_named() {
    for (head, tail, expected) in [
        ("colour = 1", "", "colour"),
        ("", "[timing]\npoll = 1", "poll"),
        ("mode = \"live\"", "", "live"),
        ("mode = \"active\"", "", "`keypair`"),
        ("ws_url = \"http://x\"", "", "`ws_url`"),
        ("max_in_flight = 0", "", "`max_in_flight`"),
        ("max_in_flight = -1", "", "max_in_flight"),
        ("pool_programs = []", "", "`pool_programs`"),
        ("pool_programs = [\"xyz\"]", "", "`pool_programs`"),
        (
            "",
            "[timing]\npoll_interval_ms = 1",
            "`timing.poll_interval_ms`",
        ),
        (
            "",
            "[timing]\nresend_interval_ms = 1",
            "`timing.resend_interval_ms`",
        ),
        (
            "",
            "[timing]\nrefresh_interval_ms = 1",
            "`timing.refresh_interval_ms`",
        ),
        ("", "[timing]\nwatchdog_secs = 0", "`timing.watchdog_secs`"),
        ("", "[timing]\nresync_secs = 1", "`timing.resync_secs`"),
        ("", "[timing]\nhorizon_secs = 1", "`timing.horizon_secs`"),
        (
            "",
            "[timing]\nbackoff_first_ms = 1",
            "`timing.backoff_first_ms`",
        ),
        (
            "",
            "[timing]\nbackoff_max_secs = 9999",
            "`timing.backoff_max_secs`",
        ),
        (
            "",
            "[fees]\nmin_micro_lamports = 2000000",
            "`fees.min_micro_lamports`",
        ),
        (
            "",
            "[fees]\nmax_lamports_per_action = 1000000001",
            "`fees.max_lamports_per_action`",
        ),
        (
            "",
            "[fees]\nmax_lamports_per_hour = 204999",
            "`fees.max_lamports_per_hour`",
        ),
        (
            "",
            "[fees]\nmax_lamports_per_hour = 300000\nreserved_lamports_per_hour = 300001",
            "`fees.reserved_lamports_per_hour`",
        ),
        (
            "",
            "[fees]\nurgent_distance_bps = 1001",
            "`fees.relaxed_distance_bps`",
        ),
        (
            "",
            "[liquidation]\nenabled = true",
            "`liquidation.max_pay_base`",
        ),
        (
            "",
            "[automation]\nexpected_fee_bps_per_day = 10001",
            "`automation.expected_fee_bps_per_day`",
        ),
        (
            "",
            "[automation]\npayback_days = 0",
            "`automation.payback_days`",
        ),
        (
            "",
            "[automation]\nlook_at_fees_secs = 9",
            "`automation.look_at_fees_secs`",
        ),
        (
            "",
            "[prices]\nhermes_url = \"wss://hermes.example\"",
            "`prices.hermes_url`",
        ),
        ("", "[prices]\ntimeout_ms = 99", "`prices.timeout_ms`"),
        ("", "[prices]\npoll_ms = 199", "`prices.poll_ms`"),
        (
            "",
            "[prices]\nshow_within_bps = 10001",
            "`prices.show_within_bps`",
        ),
        (
            "",
            "[prices]\nshow_every_secs = 0",
            "`prices.show_every_secs`",
        ),
        (
            "",
            "[prices]\npost_every_secs = 4",
            "`prices.post_every_secs`",
        ),
        ("", "[prices]\nhermes = \"x\"", "hermes"),
        ("", "lookup_table = \"xyz\"", "markets[0].lookup_table"),
        (
            "",
            &format!("[[markets]]\naddress = \"{A}\"\nbase_price = \"{B}\"\nquote_price = \"{B}\""),
            "markets[1].address",
        ),
        (
            "",
            &format!("[[markets]]\naddress = \"xyz\"\nbase_price = \"{B}\"\nquote_price = \"{B}\""),
            "markets[1].address",
        ),
        (
            "",
            &format!("[[markets]]\naddress = \"{B}\"\nquote_price = \"{B}\""),
            "base_price",
        ),
    ] {
        let message = error(head, tail);
        assert!(message.contains(expected), "{head} {tail}: {message}");
    }
    let none = Config::parse("rpc_url = \"http://x\"\njournal_dir = \"j\"")
        .unwrap_err()
        .to_string();
    assert!(none.contains("[[markets]]"), "{none}");
    let bad = Config::parse("rpc_url = \"x\"\njournal_dir = \"j\"")
        .unwrap_err()
        .to_string();
    assert!(bad.contains("`rpc_url`"), "{bad}");
}

#[test]
fn paths_are_relative_to_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keeper.toml");
    fs::write(&path, text("keypair = \"id.json\"", "")).unwrap();
    let config = Config::read(&path).unwrap();
    assert_eq!(config.journal_dir, directory.path().join("journal"));
    assert_eq!(config.keypair, Some(directory.path().join("id.json")));
    let missing = Config::read(&directory.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(missing.contains("none.toml"), "{missing}");
}

#[test]
fn a_malformed_file_is_named_once_with_line_key_and_fix() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keeper.toml");
    for (head, key, line) in [
        ("colour = 1", "colour", 3),
        ("max_in_flight = -1", "max_in_flight", 3),
        ("mode =", "mode", 3),
    ] {
        fs::write(&path, text(head, "")).unwrap();
        let error = Config::read(&path).unwrap_err();
        // Printers of errors print the sources as well.
        assert!(std::error::Error::source(&error).is_none());
        let message = error.to_string();
        for part in [
            "keeper.toml",
            key,
            &format!("line {line}"),
            "keeper.example.toml",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn the_example_is_valid_and_shows_the_defaults() {
    let text = include_str!("../../keeper.example.toml");
    let example = Config::parse(text).unwrap();
    // With every commented key in force nothing but the websocket's address is spelled differently.
    let uncommented: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key)
                if key
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' ')) =>
            {
                format!("{key}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert_eq!(Config::parse(&uncommented).unwrap(), example);
    assert!(uncommented.contains("\nmax_pay_quote = 0"));
}

#[test]
fn prices_are_read_and_a_services_key_is_never_shown() {
    assert_eq!(
        Config::parse(&text("", "")).unwrap().prices,
        Prices::default()
    );
    let config = Config::parse(&text(
        "",
        "[prices]\nhermes_url = \"https://hermes.example/KEY-123456\"\ntimeout_ms = 700\npoll_ms = 300\nshow_within_bps = 7\n\
         show_every_secs = 8\npost_every_secs = 9\n",
    ))
    .unwrap();
    assert_eq!(
        config.prices,
        Prices {
            hermes_url: Some("https://hermes.example/KEY-123456".into()),
            timeout: Duration::from_millis(700),
            poll: Duration::from_millis(300),
            show_within_bps: 7,
            show_every_secs: 8,
            post_every_secs: 9,
        }
    );
    assert!(!format!("{config:?}").contains("KEY-123456"));
    let source = config.prices.source().unwrap().unwrap();
    assert_eq!(source.label(), "https://hermes.example");
    let bad = error("", "[prices]\nhermes_url = \"h.example/KEY-123456\"");
    assert!(!bad.contains("KEY-123456"), "{bad}");
}

#[test]
fn flags_are_read_and_what_is_left_out_follows() {
    use ballast_flags::{Flag, Limits};
    let plain = Config::parse(&text("", "")).unwrap();
    assert_eq!(plain.flags, Flags::default());
    assert_eq!(plain.notify, Notify::default());
    assert_eq!(plain.markets[0].buffer, None);
    let pool = "buffer_quote = 5\npair_pools = [\"SysvarC1ock11111111111111111111111111111111\"]\n";
    let config = Config::parse(&text(
        "",
        &format!(
            "{pool}[fees]\nwarn_below_lamports = 900\n[flags]\nreduce_at = 3\nresume_holds_secs = 60\nhedge_late_ms = 700\n\
             other_rpc_urls = [\"https://other.example/KEY-123456\"]\n[flags.stream_lag]\nraise_at = 20\nwindow_secs = 7\n\
             [flags.own_sol_low]\ncalm_secs = 9\n[contingency]\ngap_bps = 2500\n\
             [notify]\nwebhook_url = \"https://hook.example/KEY-123456\"\ntimeout_ms = 900\nattempts = 2\nqueue = 3\n\
             boundary_sigma_days_bps = 5\nfailures_in_row = 6\n"
        ),
    ))
    .unwrap();
    let rules = config.flags.rules;
    assert_eq!(
        (
            rules.reduce_at,
            rules.resume_holds_secs,
            rules.hedge_late_ms
        ),
        (3, 60, 700)
    );
    // The end of a flag moves with its beginning.
    let lag = Limits {
        raise_at: 20,
        clear_at: 6,
        window_secs: 7,
        calm_secs: 60,
    };
    assert_eq!(rules.of(Flag::StreamLag), &lag);
    let sol = Limits {
        raise_at: 900,
        clear_at: 1_350,
        window_secs: 0,
        calm_secs: 9,
    };
    assert_eq!(rules.of(Flag::OwnSolLow), &sol);
    assert_eq!(rules.of(Flag::DepthDrop), &Flag::DepthDrop.default_limits());
    assert_eq!(config.flags.gap.get(), 2_500);
    assert_eq!(
        config.flags.pair_pools[&config.markets[0].address],
        [B.parse().unwrap()]
    );
    assert_eq!(config.markets[0].buffer, Some(Amounts::new(0, 5)));
    assert_eq!(config.notify.queue, 3);
    assert!(!format!("{config:?}").contains("KEY-123456"));
    for (tail, key) in [
        ("[flags]\nreduce_at = 9", "flags.reduce_at"),
        ("[flags]\nreduce_art = 1", "reduce_art"),
        ("[flags.stream_lag]\nraise_at = 0", "flags.stream_lag"),
        ("[flags.stream_lag]\nclear_at = 10", "flags.stream_lag"),
        ("[flags.stream_log]\nraise_at = 1", "stream_log"),
        ("[flags.stream_lag]\nraise = 1", "raise"),
        ("[flags.depth_drop]\nwindow_secs = 1", "flags.depth_drop"),
        (
            "[flags]\nresume_holds_secs = 86401",
            "flags.resume_holds_secs",
        ),
        ("[flags]\nhedge_late_ms = 1", "flags.hedge_late_ms"),
        (
            "[flags]\nother_rpc_urls = [\"KEY-123456\"]",
            "flags.other_rpc_urls",
        ),
        ("pair_pools = [\"KEY-123456\"]", "pair_pools"),
        ("[contingency]\ngap_bps = 0", "contingency.gap_bps"),
        (
            "[notify]\nwebhook_url = \"KEY-123456\"",
            "notify.webhook_url",
        ),
        ("[notify]\ntimeout_ms = 1", "notify.timeout_ms"),
        ("[notify]\nattempts = 0", "notify.attempts"),
        ("[notify]\nqueue = 0", "notify.queue"),
        (
            "[notify]\nboundary_sigma_days_bps = 1000001",
            "notify.boundary_sigma_days_bps",
        ),
        ("[notify]\nfailures_in_row = 0", "notify.failures_in_row"),
    ] {
        let error = error("", tail);
        assert!(
            error.contains(key) && !error.contains("KEY-123456"),
            "{tail}: {error}"
        );
    }
}
