//! What is done with the position, and the comparison of two ways.

use super::*;

/// The example at twice the own funds: no rehedge finds an LTV from which it has to withdraw.
fn at_two(strategy: &str, extra: &[&str]) -> Value {
    let line = EXAMPLE.map(|part| match part {
        "hold" => strategy,
        "3" => "2",
        part => part,
    });
    run(&[&line[..], extra].concat()).json()
}

#[test]
fn strategies() {
    let hold = at_two("hold", &["--json", "--no-fees"]);
    for strategy in ["continuous", "band:30%"] {
        let free = ["--json", "--no-fees", "--swap-cost-ppm", "0"];
        let report = at_two(strategy, &free);
        // Hedging for nothing takes spread away, and no mean.
        let sd = |report: &Value| number(&report["equity"]["sd"]);
        assert!(sd(&report) < 0.7 * sd(&hold), "{strategy}");
        let off = number(&report["equity"]["mean"]) - number(&hold["equity"]["mean"]);
        assert!(
            off.abs() < 4.0 * number(&hold["equity"]["stderr"]),
            "{strategy}"
        );
        assert!(number(&report["actions_per_day"]) > 0.5);
    }
    let unhedged = at_two("unhedged", &["--json"]);
    assert!(number(&unhedged["equity"]["sd"]) > number(&hold["equity"]["sd"]));
}

/// Whatever leverage lies above the target is brought there by the first rehedge: who asks for it is told.
#[test]
fn leverage_that_does_not_last_is_told() {
    let of = |strategy: &str, leverage: &str, extra: &[&str]| {
        let line = EXAMPLE.map(|part| match part {
            "hold" => strategy,
            "3" => leverage,
            "2000" => "10",
            part => part,
        });
        let run = run(&[&line[..], extra].concat());
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        run
    };
    for (strategy, leverage, told) in [
        ("keeper", "3.9", "LTV 74.36%"),
        ("band:30%", "3.9", "LTV 74.36%"),
        ("keeper", "2.85", ""),
        ("hold", "3.9", ""),
    ] {
        let report = of(strategy, leverage, &["--json"]).json();
        let warnings = report["warnings"].as_array().unwrap();
        assert_eq!(
            warnings.is_empty(),
            told.is_empty(),
            "{strategy} {leverage}"
        );
        let all = report["warnings"].to_string();
        assert!(all.contains(told), "{all}");
        let text = of(strategy, leverage, &[]).out;
        let said = text.contains("warning: the position opens at");
        assert_eq!(said, !told.is_empty(), "{text}");
    }
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("higher.toml");
    std::fs::write(
        &file,
        "[policy]\ndeleverage_target_ltv_bps = 7500\ndeleverage_trigger_ltv_bps = 7575\n",
    )
    .unwrap();
    let keeper = format!("keeper:{}", file.display());
    let higher = of(&keeper, "3.9", &["--json"]).json();
    assert_eq!(higher["warnings"], serde_json::json!([]));
}

/// What costs nothing or never happens because no option says otherwise is named, for who does nothing as well.
#[test]
fn what_is_not_counted_is_named() {
    let few = |strategy: &str, extra: &[&str]| {
        let line = EXAMPLE.map(|part| match part {
            "hold" => strategy,
            "2000" => "10",
            part => part,
        });
        run(&[&line[..], extra].concat())
    };
    let hold = few("hold", &[]).out;
    let said = "world        not counted: interest (--borrow-base-apr, --borrow-quote-apr), liquidations (--liquidate)\n";
    assert!(hold.contains(said), "{hold}");
    let keeper = few("keeper", &[]).out;
    for said in [
        "world        a perfect world",
        "what an action costs beside its trade (--action-cost)",
        "price impact of the position's own trades (--pool-liquidity, --depth)",
    ] {
        assert!(keeper.contains(said), "{said}: {keeper}");
    }
    let all = [
        "--json",
        "--borrow-base-apr=8%",
        "--borrow-quote-apr=12%",
        "--action-cost=0.01",
        "--liquidate",
        "--pool-liquidity=1000000000000",
    ];
    let not_counted = |run: Run| run.json()["not_counted"].clone();
    assert_eq!(not_counted(few("keeper", &all)), serde_json::json!([]));
    let one = not_counted(few(
        "hold",
        &["--json", "--liquidate", "--borrow-base-apr=8%"],
    ));
    assert_eq!(
        one,
        serde_json::json!(["interest of the quote debt (--borrow-quote-apr)"])
    );
}

/// Own trades pay impact where a depth is stated, the more the less deep; where they are large against it that is told.
#[test]
fn own_trades_move_a_pool_of_stated_depth() {
    for strategy in ["keeper", "band:10%"] {
        let swaps = |extra: &[&str]| {
            let report = at_two(strategy, &[&["--json", "--no-fees"], extra].concat());
            (number(&report["attribution"]["swaps"]["mean"]), report)
        };
        let (none, report) = swaps(&[]);
        assert_eq!(report["warnings"], serde_json::json!([]));
        let (deep, _) = swaps(&["--pool-liquidity=1000000000000000000"]);
        assert!((deep / none - 1.0).abs() < 1e-4, "{deep} {none}");
        // 200 of funds in 5 % have a liquidity of 9 10^9: this is a hundred times as much.
        let (shallow, report) = swaps(&["--pool-liquidity=1000000000000"]);
        assert!(shallow < 1.01 * deep, "{shallow} {deep}");
        assert_eq!(report["warnings"], serde_json::json!([]));
        let (shallower, _) = swaps(&["--pool-liquidity=50000000000"]);
        assert!(shallower < shallow, "{shallower} {shallow}");
        // Less than the position has of its own: a trade of some percent, which its cap ends early.
        let (_, report) = swaps(&["--pool-liquidity=2000000000"]);
        let told = report["warnings"].to_string();
        assert!(
            told.contains("--pool-liquidity holds"),
            "{strategy}: {told}"
        );
    }
}

/// A draw-down floor ends the position: whatever happens later, it keeps what it had.
#[test]
fn a_floor_and_a_price_window_end_the_position() {
    let directory = tempfile::TempDir::new().unwrap();
    let with = |owner: &str| {
        let file = directory.path().join("keeper.toml");
        std::fs::write(&file, format!("[owner]\n{owner}\n")).unwrap();
        let strategy = format!("keeper:{}", file.display());
        let line = EXAMPLE.map(|part| match part {
            "hold" => strategy.as_str(),
            "3" => "2",
            "2000" => "300",
            part => part,
        });
        run(&[&line[..], &["--json", "--no-fees"]].concat())
    };
    let plain = with("").json();
    let exits = |report: &Value| number(&report["actions"]["exit"]["probability"]);
    assert_eq!(exits(&plain), 0.0);
    let floor = with("min_equity = 95.0\nat_floor = \"exit-quote\"\nmax_exit_loss_bps = 100");
    assert_eq!((floor.code, floor.err.as_str()), (0, ""));
    let floor = floor.json();
    assert!(exits(&floor) > 0.05 && exits(&floor) < 0.95, "{floor}");
    let draw_down = |report: &Value| number(&report["draw_down"]["quantile_95"]);
    let worst = |report: &Value| number(&report["equity"]["shortfall_5"]);
    assert!(draw_down(&floor) < draw_down(&plain), "{floor}");
    // A look every hour finds it a little below; nothing is lost after that.
    assert!(
        worst(&floor) > worst(&plain) && worst(&floor) > 92.0,
        "{floor}"
    );
    let window = "window_low = 195.0\nat_low = \"exit-quote\"\nwindow_high = 205.0\nat_high = \"exit-quote\"\nmax_exit_loss_bps = 100";
    let window = with(window).json();
    assert!(exits(&window) > 0.9, "{window}");
    let wrong = with("min_equity = 0.0\nat_floor = \"exit\"");
    let said = "owner.min_equity 0 must be above 0 for at_floor";
    assert!(wrong.code == 1 && wrong.err.contains(said), "{}", wrong.err);
}

/// With the file that a keeper runs with: no position comes to its liquidation price, of which some do where nobody looks.
#[test]
fn a_keepers_configuration() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../keeper/keeper.example.toml");
    let keeper = format!("keeper:{file}");
    let paths = ["--json"];
    let kept = changed("--strategy", &keeper, &["--json", "--ci", "100%"]);
    assert_eq!((kept.code, kept.err.as_str()), (0, ""));
    let (kept, left) = (kept.json(), example(&paths).json());
    let chance = |report: &Value| number(&report["liquidation"]["probability"]);
    assert!(
        chance(&left) > 0.025 && chance(&kept) < 0.1 * chance(&left),
        "{kept}"
    );
    assert_eq!(kept["paths"], 1_000);
    assert!(
        number(&kept["actions"]["rehedge"]["per_day"]) > 0.5,
        "{kept}"
    );
    let worst = |report: &Value| number(&report["equity"]["shortfall_5"]);
    assert!(worst(&kept) > worst(&left), "{kept} {left}");
    // Beside what was seen: how it would have ended if nobody had acted, by formula. It is no other than for who does not act.
    let either =
        |form: &Value| number(&form["continuous"]["lower"]) + number(&form["continuous"]["upper"]);
    let (liquidated, deleverage) = (&kept["liquidation"]["closed_form"], &kept["deleverage"]);
    let of_left = either(&left["liquidation"]["closed_form"]);
    assert!((either(liquidated) - of_left).abs() < 0.02 && of_left > 0.03);
    assert!(
        either(&deleverage["closed_form"]) > either(liquidated),
        "{deleverage}"
    );
    let seen = number(&deleverage["probability"]);
    assert_eq!(seen, number(&kept["actions"]["deleverage"]["probability"]));
    assert!(seen < either(&deleverage["closed_form"]));
    assert_eq!(left["deleverage"], Value::Null);
    let missing = changed("--strategy", "keeper:/nonexistent.toml", &[]);
    assert!(
        missing.code == 1 && missing.err.contains("check the path"),
        "{}",
        missing.err
    );
    let directory = tempfile::TempDir::new().unwrap();
    let wrong = directory.path().join("wrong.toml");
    std::fs::write(&wrong, "[policy]\nwith_love = 1\n").unwrap();
    let wrong = changed("--strategy", &format!("keeper:{}", wrong.display()), &[]);
    assert!(
        wrong.code == 1 && wrong.err.contains("with_love"),
        "{}",
        wrong.err
    );
}

/// A keeper measures how much the price moves; what is said of another model is nothing to it.
#[test]
fn a_keeper_is_told_nothing_of_the_price() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("keeper.toml");
    let owner = "[owner]\nmin_width_ticks = 200\nmax_width_ticks = 4000\nedge_bps = 500\n";
    std::fs::write(&file, owner).unwrap();
    let keeper = format!("keeper:{}", file.display());
    let regimes = |sigma: &[&str]| {
        let line = format!(
            "simulate --json --model regimes --regime 3%:3 --regime 8%:1 --horizon-days 10 --step-secs 600 --paths 20 --seed 5 \
             --price 200 --lower 190 --upper 210 --equity 100 --leverage 3 --taker-volume-day 2e8 \
             --pool-liquidity 50000000000000 --strategy {keeper}"
        );
        let line: Vec<&str> = line
            .split_whitespace()
            .chain(sigma.iter().copied())
            .collect();
        let report = run(&line);
        assert_eq!((report.code, report.err.as_str()), (0, ""));
        report.json()
    };
    let plain = regimes(&[]);
    for sigma in ["1%", "12%"] {
        assert_eq!(plain, regimes(&["--sigma-day", sigma]), "{sigma}");
    }
    let recentered = |report: &Value| number(&report["actions"]["recenter"]["per_day"]);
    assert!(recentered(&plain) > 0.0, "{plain}");
}

/// What is late and what is lost is said, and costs; by default nothing is, which is said as well.
#[test]
fn a_keeper_that_is_late() {
    let few = ["--json", "--ci", "100%"];
    let kept = |extra: &[&str]| changed("--strategy", "keeper", &[&few, extra].concat());
    let perfect = kept(&[]).json();
    assert_eq!(perfect["lag"], Value::Null);
    let none = ["--miss", "0", "--oracle-delay-secs", "0", "--worsens", "2"];
    assert_eq!(perfect, kept(&none).json());
    let late = kept(&["--keeper-latency-secs", "7200", "--miss", "50%"]).json();
    assert_eq!(late["lag"]["miss"], 0.5);
    let worst = |report: &Value| number(&report["equity"]["shortfall_5"]);
    assert!(worst(&late) < worst(&perfect) - 1.0, "{late} {perfect}");
    let fall = &perfect["draw_down"];
    assert!(
        number(&fall["from_peak"]["mean"]) > number(&fall["mean"]),
        "{fall}"
    );
    let text = changed("--strategy", "keeper", &["--ci", "100%"]).out;
    assert!(text.contains("a perfect world"), "{text}");
    let refused = kept(&["--miss", "100%"]);
    assert!(
        refused.code == 1 && refused.err.contains("chance of missing"),
        "{}",
        refused.err
    );
}

/// On the same prices a difference is known far better than either mean.
#[test]
fn one_strategy_against_another() {
    let free = [
        "--json",
        "--no-fees",
        "--swap-cost-ppm",
        "0",
        "--against",
        "continuous",
    ];
    let report = at_two("band:5%", &free);
    let against = &report["against"];
    let difference = &against["difference"];
    let expected = number(&report["equity"]["mean"]) - number(&against["equity"]["mean"]);
    assert!((number(&difference["mean"]) - expected).abs() < 1e-9);
    assert!(
        number(&difference["stderr"]) < 0.3 * number(&report["equity"]["stderr"]),
        "{against}"
    );
    let parts: f64 = against["attribution"]
        .as_object()
        .unwrap()
        .values()
        .map(number)
        .sum();
    assert!((parts - expected).abs() < 1e-9);
    let same = changed("--strategy", "hold", &["--json", "--against", "hold"]).json();
    assert_eq!(same["against"]["difference"]["mean"], 0.0);
}

/// It stops where the mean is known, at the same path on any number of threads; what is known of the prices beforehand helps.
#[test]
fn as_many_paths_as_it_takes() {
    let simulate = |strategy: &str, ci: &str, threads: &str| {
        let mut line = EXAMPLE.map(|part| if part == "hold" { strategy } else { part });
        let paths = line.iter().position(|part| *part == "2000").unwrap();
        line[paths] = "100000";
        let extra = ["--json", "--no-fees", "--ci", ci, "--threads", threads];
        run(&[&line[..], &extra].concat()).json()
    };
    let paths = |ci: &str, threads: &str| {
        let report = simulate("band:30%", ci, threads);
        let mean = &report["equity_controlled"];
        let known = 1.96 * number(&mean["stderr"]) / number(&mean["mean"]);
        // Not worse than without.
        assert!(number(&mean["stderr"]) < number(&report["equity"]["stderr"]));
        (report["paths"].as_u64().unwrap(), known)
    };
    let (few, known) = paths("0.3%", "1");
    assert!(
        known <= 0.003 && (1_000..20_000).contains(&few),
        "{few} {known}"
    );
    assert_eq!(paths("0.3%", "2"), (few, known));
    let (more, known) = paths("0.15%", "2");
    assert!(known <= 0.0015 && more > 2 * few, "{more} {known}");
    // What nobody touches is known exactly.
    let held = simulate("hold", "0.01%", "2");
    assert_eq!(held["paths"], 1_000);
    assert!((number(&held["equity_controlled"]["mean"]) - 87.40).abs() < 0.01);
}

/// What actions cost beside their trades is a part of the gain.
#[test]
fn actions_cost_something() {
    let with =
        |cost: &str| changed("--strategy", "band:10%", &["--json", "--action-cost", cost]).json();
    let (free, dear) = (with("0"), with("0.01"));
    let gas = number(&dear["attribution"]["gas"]["mean"]);
    assert!(
        (gas + 0.07 * number(&dear["actions_per_day"])).abs() < 1e-9,
        "{gas}"
    );
    let mean = |report: &Value| number(&report["equity"]["mean"]);
    assert!((mean(&dear) - mean(&free) - gas).abs() < 1e-9);
    assert!(number(&free["protocol_fees"]) > 0.0);
    let shown =
        number(&free["protocol_fees"]) / number(&free["attribution"]["fees_arbitrage"]["mean"]);
    assert!((shown - 0.13 / 0.87).abs() < 1e-9, "{shown}");
}
