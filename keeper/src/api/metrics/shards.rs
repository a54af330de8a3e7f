//! Metrics of the group of keepers that positions are shared out to.

use solana_sdk::pubkey::Pubkey;

use super::text::Text;
use crate::shards::{GroupNow, Standing};

/// Name, help, and a value of the group.
type OfGroup = (&'static str, &'static str, fn(&GroupNow) -> Option<f64>);

const OF_GROUP: [OfGroup; 5] = [
    (
        "ballast_shards_held",
        "Shards of positions whose lease this keeper holds, and may sign under.",
        |now| Some(now.held as f64),
    ),
    (
        "ballast_shards_unsettled",
        "Leases taken whose former holder's transactions have no outcome yet.",
        |now| Some(now.unsettled as f64),
    ),
    (
        "ballast_shards_members",
        "Keepers of the group that are there.",
        |now| Some(now.members as f64),
    ),
    (
        "ballast_shards_leases_answered",
        "1 while the table of leases answers.",
        |now| Some(f64::from(u8::from(now.answers))),
    ),
    (
        "ballast_shards_lease_age_seconds",
        "Time since leases were last renewed.",
        |now| Some(now.answered_ago?.as_secs_f64()),
    ),
];

/// Whose positions are, as this keeper sees it.
const HOLDERS: [(Standing, &str); 3] = [
    (Standing::Mine, "this"),
    (Standing::Others, "another"),
    (Standing::Nobody, "nobody"),
];

/// `None`: this keeper is in no group.
pub(super) fn shards(
    text: &mut Text,
    now: Option<&GroupNow>,
    positions: impl Iterator<Item = Pubkey>,
) {
    for (name, help, value) in OF_GROUP {
        text.head(name, "gauge", help);
        if let Some(value) = now.and_then(value) {
            text.sample(name, &[], value);
        }
    }
    text.head(
        "ballast_shards_positions",
        "gauge",
        "Positions by who rehedges them: this keeper, another one of the group, or nobody now.",
    );
    text.head(
        "ballast_shards_looks_total",
        "counter",
        "Times at which leases were to be renewed, by whether the table and the nodes answered.",
    );
    let Some(now) = now else { return };
    let standings: Vec<Standing> = positions.map(|it| now.standing(&it)).collect();
    for (standing, holder) in HOLDERS {
        let count = standings.iter().filter(|it| **it == standing).count();
        let labels = [("holder", holder)];
        text.sample("ballast_shards_positions", &labels, count as f64);
    }
    for (outcome, count) in [
        ("answered", now.looks.answered),
        ("failed", now.looks.failed),
    ] {
        let labels = [("outcome", outcome)];
        text.sample("ballast_shards_looks_total", &labels, count as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc, time::Duration};

    use ballast_client::Nodes;
    use tokio::time::sleep;

    use super::*;
    use crate::{
        Mode,
        control::Control,
        events::Events,
        shards::{Shards, fake_table::FakeTable},
        sim::{Faults, config, node::Node, nodes_tests::WELL, scene::world},
    };

    const POSITIONS: u8 = 100;

    /// Samples by name and labels.
    fn samples(shards: &Shards) -> BTreeMap<String, f64> {
        let mut text = Text::default();
        let positions = (0..POSITIONS).map(|number| Pubkey::new_from_array([number; 32]));
        let now = shards.now();
        super::shards(&mut text, now.as_ref(), positions);
        let lines = text.0.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.strip_prefix("ballast_shards_").unwrap();
            (name.to_owned(), value.parse().unwrap())
        };
        lines.map(sample).collect()
    }

    fn held_by(samples: &BTreeMap<String, f64>) -> [f64; 3] {
        HOLDERS.map(|(_, holder)| samples[&format!("positions{{holder=\"{holder}\"}}")])
    }

    #[test]
    fn a_keeper_that_is_alone_has_heads_and_no_samples() {
        assert!(samples(&Shards::default()).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn they_tell_whose_positions_are_and_that_leases_are_not_renewed() {
        let (world, _) = world(1, Faults::default());
        let table = FakeTable::default();
        let member = |name: &str, number: usize| {
            let nodes = [1, 2].map(|index| Node::of(&world, 2 * number + index, WELL));
            let [first, second] = nodes.map(|node| Arc::new(node) as _);
            let shards = Shards::member(name, table.connect(name));
            let events = Events::default();
            let control = Control::new(Mode::Active, events.clone(), None);
            let nodes = Nodes::new(first, vec![second], config(Mode::Active).nodes.asked);
            let watched = shards.clone();
            (shards, async move {
                watched.watch(nodes, control, events).await
            })
        };
        let (one, first) = member("one", 0);
        let (two, second) = member("two", 1);
        assert_eq!(held_by(&samples(&one)), [0.0, 0.0, f64::from(POSITIONS)]);
        let scene = async {
            // The first one takes all, and leaves to the second what is its own; a term later it has it.
            sleep(Duration::from_secs(60)).await;
            let [seen, other] = [&one, &two].map(samples);
            let [mine, others, nobody] = held_by(&seen);
            assert!(mine > 20.0 && others > 20.0 && nobody == 0.0, "{seen:?}");
            assert_eq!(held_by(&other), [others, mine, 0.0]);
            assert_eq!(seen["held"] + other["held"], 256.0);
            assert_eq!((seen["members"], seen["leases_answered"]), (2.0, 1.0));
            assert!(seen["lease_age_seconds"] <= 3.0, "{seen:?}");
            let failed = "looks_total{outcome=\"failed\"}";
            assert!(seen["looks_total{outcome=\"answered\"}"] > 10.0 && seen[failed] == 0.0);

            table.answers(false);
            sleep(Duration::from_secs(30)).await;
            let seen = samples(&one);
            assert_eq!(held_by(&seen), [0.0, 0.0, f64::from(POSITIONS)]);
            assert_eq!((seen["held"], seen["leases_answered"]), (0.0, 0.0));
            assert!(
                seen["lease_age_seconds"] >= 30.0 && seen[failed] > 5.0,
                "{seen:?}"
            );

            table.answers(true);
            sleep(Duration::from_secs(60)).await;
            let seen = samples(&one);
            let [mine, others, nobody] = held_by(&seen);
            assert!(mine > 20.0 && others > 20.0 && nobody == 0.0, "{seen:?}");
            assert_eq!(seen["leases_answered"], 1.0);
        };
        tokio::select! {
            () = scene => {}
            () = first => panic!("it has ended"),
            () = second => panic!("it has ended"),
        }
    }
}
