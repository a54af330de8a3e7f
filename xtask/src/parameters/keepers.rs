//! Keepers' files that are set beside each other.

/// Keepers' files by what is said of them; the default comes first.
pub type Keepers = &'static [(&'static str, &'static str)];

/// A new position's.
pub const DEFAULT: Keepers = &[("default", "[policy]\n")];
/// What deleverages.
pub const DELEVERAGE: Keepers = &[
    ("default", "[policy]\n"),
    (
        "target 60 %",
        "[policy]\ndeleverage_target_ltv_bps = 6000\n",
    ),
    (
        "trigger 75.75 %, a stress distance away",
        "[policy]\ndeleverage_trigger_ltv_bps = 7575\n",
    ),
    (
        "trigger 77 %, the market's",
        "[policy]\ndeleverage_trigger_ltv_bps = 7700\n",
    ),
];
/// How often is rehedged.
pub const PAUSES: Keepers = &[
    ("default", "[policy]\n"),
    (
        "an hour between rehedges",
        "[policy]\nmin_rebalance_interval_secs = 3600\n",
    ),
    (
        "six hours between rehedges",
        "[policy]\nmin_rebalance_interval_secs = 21600\n",
    ),
];
/// What recenters, and how wide.
pub const RECENTERING: Keepers = &[
    (
        "present rule, out of the band, an hour",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\n",
    ),
    ("off", "[policy]\n"),
    (
        "edge 5 %",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\nedge_bps = 500\n",
    ),
    (
        "edge 10 %",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\nedge_bps = 1000\n",
    ),
    (
        "ten minutes",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 600\n",
    ),
    (
        "a day",
        "[owner]\nmin_width_ticks = 400\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 86400\n",
    ),
    (
        "width 1000",
        "[owner]\nmin_width_ticks = 1000\nmax_width_ticks = 1000\nrecenter_cooldown_secs = 3600\n",
    ),
    (
        "width 2000",
        "[owner]\nmin_width_ticks = 2000\nmax_width_ticks = 2000\nrecenter_cooldown_secs = 3600\n",
    ),
    (
        "width 4000",
        "[owner]\nmin_width_ticks = 4000\nmax_width_ticks = 4000\nrecenter_cooldown_secs = 3600\n",
    ),
    (
        "width 8000",
        "[owner]\nmin_width_ticks = 8000\nmax_width_ticks = 8000\nrecenter_cooldown_secs = 3600\n",
    ),
];
