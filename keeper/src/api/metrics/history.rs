//! How the history store fares.

use super::text::Text;
use crate::history::Health;

/// `None`: no history is kept, and there are names alone.
pub(super) fn history(text: &mut Text, health: Option<&Health>) {
    let age = health.and_then(|health| health.settled);
    text.head(
        "ballast_history_write_age_seconds",
        "gauge",
        "Time since the history store last had all that was known, or since the start.",
    );
    if let Some(settled) = age {
        let age = settled.elapsed().as_secs_f64();
        text.sample("ballast_history_write_age_seconds", &[], age);
    }
    for (name, kind, help, value) in ALL {
        text.head(name, kind, help);
        if let Some(health) = health {
            text.sample(name, &[], value(health));
        }
    }
}

type OfHistory = (&'static str, &'static str, &'static str, fn(&Health) -> f64);

const ALL: [OfHistory; 8] = [
    (
        "ballast_history_queue",
        "gauge",
        "Pictures and readings that wait for the history's writer.",
        |health| health.queue as f64,
    ),
    (
        "ballast_history_rows_waiting",
        "gauge",
        "Rows that wait in memory for a history store that refuses them.",
        |health| health.rows_waiting as f64,
    ),
    (
        "ballast_history_positions",
        "gauge",
        "Positions with a record in the history.",
        |health| health.positions as f64,
    ),
    (
        "ballast_history_writes_total",
        "counter",
        "Transactions that the history store took.",
        |health| health.writes as f64,
    ),
    (
        "ballast_history_failures_total",
        "counter",
        "Times that the history store could not be opened, or refused.",
        |health| health.failures as f64,
    ),
    (
        "ballast_history_lost_pictures_total",
        "counter",
        "Pictures that found the writer's queue full: their positions have a longer step.",
        |health| health.lost_pictures as f64,
    ),
    (
        "ballast_history_lost_points_total",
        "counter",
        "Points that were dropped because the history store did not answer for long.",
        |health| health.lost_points as f64,
    ),
    (
        "ballast_history_unread_changes_total",
        "counter",
        "Changes of positions by others that the node could not tell of.",
        |health| health.unread_changes as f64,
    ),
];

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_waits_and_what_failed_is_told_and_nothing_of_a_history_that_is_not_kept() {
        let mut text = Text::default();
        history(&mut text, None);
        assert!(
            text.0.lines().all(|line| line.starts_with('#')),
            "{}",
            text.0
        );
        let mut text = Text::default();
        let health = Health {
            settled: Instant::now().checked_sub(Duration::from_secs(301)),
            writes: 2,
            failures: 3,
            queue: 16,
            rows_waiting: 5,
            ..Health::default()
        };
        history(&mut text, Some(&health));
        let value = |name: &str| -> f64 {
            let line = text
                .0
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name} ")));
            line.unwrap().parse().unwrap()
        };
        assert!((301.0..400.0).contains(&value("ballast_history_write_age_seconds")));
        for (name, expected) in [
            ("ballast_history_queue", 16.0),
            ("ballast_history_rows_waiting", 5.0),
            ("ballast_history_writes_total", 2.0),
            ("ballast_history_failures_total", 3.0),
        ] {
            assert_eq!(value(name), expected, "{name}");
        }
    }
}
