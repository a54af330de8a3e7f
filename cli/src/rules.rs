//! Rules that the program names in its log, in the words of the options that break them.

/// How a rule begins whose fields are options.
const OF_OPTIONS: [&str; 3] = [
    "Policy refused: ",
    "Automation refused: ",
    "First keepers refused: ",
];

/// What a rule says, and what is typed instead. Longer before what they hold.
const WORDS: &[(&str, &str)] = &[
    (
        "must lie in 10000..= the market's max_leverage_bps",
        "must lie between 1x and the market's cap",
    ),
    (
        "must lie in 1..= the market's max_swap_loss_bps",
        "must be above 0 and at most the market's",
    ),
    (
        "the market's max_swap_loss_bps",
        "the market's bound of a swap's loss",
    ),
    ("the market's max_reward_lamports", "the market's"),
    (
        "the market's maintenance_ltv_bps",
        "the market's maintenance LTV",
    ),
    (
        "window ticks must be ticks, or none",
        "--low and --high must be prices of a pool, or none",
    ),
    (
        "reactions must be 0 hold, 1 exit as is, 2 exit into base or 3 exit into quote",
        "--at-low, --at-high and --at-floor must be one of their values",
    ),
    ("at_floor needs a min_equity", "--at-floor needs --floor"),
    (
        "at_low and at_high need an edge",
        "--at-low needs --low, and --at-high needs --high",
    ),
    (
        "keeper_enabled must be 0 or 1",
        "--keepers must be on or off",
    ),
    (
        "head_start_secs must not exceed 60",
        "--head-start must not exceed 60s",
    ),
    ("head_start_secs", "--head-start"),
    ("deleverage_target_ltv_bps", "--deleverage-target"),
    ("deleverage_trigger_ltv_bps", "--deleverage-trigger"),
    ("delta_target_bps", "--delta-target"),
    ("delta_band_bps", "--delta-band"),
    ("hedge_bps", "--hedge"),
    ("max_swap_loss_bps", "--max-swap-loss"),
    ("max_exit_loss_bps", "--max-exit-loss"),
    ("max_daily_loss_bps", "--daily-loss"),
    ("reward_lamports", "--reward"),
    ("min_width_ticks", "--min-width"),
    ("max_width_ticks", "--max-width"),
    ("window_low_tick", "--low"),
    ("window_high_tick", "--high"),
    ("leverage_bps", "--leverage"),
    ("edge_bps", "--edge"),
    (" 10000", " 100%"),
    (" 5000", " 50%"),
];

/// A line of the log as whoever typed the options reads it.
pub fn in_options(line: &str) -> String {
    if !OF_OPTIONS.iter().any(|begin| line.starts_with(begin)) {
        return line.to_owned();
    }
    let replaced = |text: String, (field, option): &(&str, &str)| text.replace(field, option);
    WORDS.iter().fold(line.to_owned(), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: [(&str, &str); 3] = [
        (
            "Policy refused: ",
            include_str!("../../programs/ballast/src/state/policy.rs"),
        ),
        (
            "Automation refused: ",
            include_str!("../../programs/ballast/src/state/automation.rs"),
        ),
        (
            "First keepers refused: ",
            include_str!("../../programs/ballast/src/state/first_keepers.rs"),
        ),
    ];

    #[test]
    fn no_rule_of_the_program_names_a_field() {
        let mut rules = 0;
        for (begin, source) in PROGRAM {
            let (_, check) = source.split_once("let rules = [").unwrap();
            let (check, _) = check.split_once("for (holds, rule)").unwrap();
            for rule in check.split('"').skip(1).step_by(2) {
                // What no option sets.
                if rule == "padding must be 0" {
                    continue;
                }
                let told = in_options(&format!("{begin}{rule}"));
                assert!(
                    !told.contains(['_', '=']) && told.contains("--"),
                    "{rule}: {told}"
                );
                rules += 1;
            }
        }
        assert!(rules > 15, "{rules}");
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let line = "Market parameters refused: max_leverage_bps must exceed 10000";
        assert_eq!(in_options(line), line);
        assert_eq!(
            in_options(
                "Policy refused: deleverage_trigger_ltv_bps must be below the market's maintenance_ltv_bps"
            ),
            "Policy refused: --deleverage-trigger must be below the market's maintenance LTV"
        );
    }
}
