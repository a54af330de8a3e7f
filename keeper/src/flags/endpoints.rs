//! Asks all nodes for their slot at the same time: those that the keeper works with, whose order follows from it, and others that are there
//! to notice when those lag or lie.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ballast_client::{Chain, Condition, Nodes};
use futures_util::future::{join, join_all};
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{EndpointSeen, Heard};

/// How often they are asked.
const EVERY: Duration = Duration::from_secs(5);
/// How long the others have to answer.
const WITHIN: Duration = Duration::from_secs(4);

/// Asks, until nobody listens. With one node there is nothing to compare.
pub(super) async fn watch(nodes: Nodes, others: Vec<Arc<dyn Chain>>, heard: Sender<Heard>) {
    if nodes.members().len() + others.len() < 2 {
        return;
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (own, others) = join(nodes.survey(), ask(&others)).await;
        let own = own.into_iter().map(|seen| EndpointSeen {
            name: String::new(),
            label: seen.label,
            slot: seen.slot,
            latency_ms: seen.latency_ms,
            condition: Some(seen.condition),
        });
        let mut all: Vec<EndpointSeen> = own.chain(others).collect();
        for (index, seen) in all.iter_mut().enumerate() {
            seen.name = format!("rpc-{}", index + 1);
        }
        if heard.send(Heard::Endpoints(all)).await.is_err() {
            return;
        }
    }
}

async fn ask(nodes: &[Arc<dyn Chain>]) -> Vec<EndpointSeen> {
    let ask = |node: &Arc<dyn Chain>| {
        let node = Arc::clone(node);
        async move {
            let asked = Instant::now();
            let answer = timeout(WITHIN, node.slot()).await;
            EndpointSeen {
                name: String::new(),
                label: node.label(),
                slot: answer.ok().and_then(Result::ok),
                latency_ms: u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX),
                condition: None,
            }
        }
    };
    join_all(nodes.iter().map(ask)).await
}

/// What is told of nodes that the keeper works with: each change of their condition, once.
#[derive(Debug, Default)]
pub(super) struct Conditions(BTreeMap<String, Condition>);

impl Conditions {
    /// What is new.
    pub fn news(&mut self, seen: &[EndpointSeen]) -> Vec<String> {
        let news = seen.iter().filter_map(|seen| {
            let now = seen.condition?;
            let before = self.0.insert(seen.name.clone(), now);
            let kind = |condition: &Condition| std::mem::discriminant(condition);
            let same = kind(&before.unwrap_or(Condition::Well)) == kind(&now);
            (!same).then(|| format!("{} ({}) {}", seen.name, seen.label, said(now)))
        });
        news.collect()
    }
}

fn said(condition: Condition) -> String {
    match condition {
        Condition::Well => "is asked in its turn again".into(),
        Condition::Behind { slots } => format!("is {slots} slots behind: it is asked last"),
        Condition::Failing { in_a_row } => {
            format!("has failed {in_a_row} times in a row: it is asked last")
        }
        Condition::Ahead { slots } => format!(
            "tells slots that cannot have been reached, by {slots}: it is asked last, and they are not believed"
        ),
        Condition::Disagrees => {
            "says something else of an account than the others: it is asked last for ten minutes"
                .into()
        }
        Condition::Contradicted => {
            "said of a transaction what the others deny: it is asked last for ten minutes".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let seen = |condition| EndpointSeen {
            name: "rpc-2".into(),
            label: "https://node.example".into(),
            slot: None,
            latency_ms: 0,
            condition: Some(condition),
        };
        let mut told = Conditions::default();
        let mut news = |condition| told.news(&[seen(condition)]);
        assert_eq!(news(Condition::Well), Vec::<String>::new());
        let behind = news(Condition::Behind { slots: 75 });
        let expected = "rpc-2 (https://node.example) is 75 slots behind: it is asked last";
        assert_eq!(behind, [expected]);
        assert_eq!(news(Condition::Behind { slots: 76 }), Vec::<String>::new());
        assert!(news(Condition::Disagrees)[0].contains("something else of an account"));
        assert!(news(Condition::Contradicted)[0].contains("the others deny"));
        assert!(news(Condition::Well)[0].contains("in its turn again"));
    }
}
