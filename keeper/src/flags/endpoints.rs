//! Asks all nodes for their slot at the same time. The keeper reads its accounts from its own node only; the others are there to notice
//! when that one lags or lies.

use std::{sync::Arc, time::Duration};

use ballast_client::Chain;
use futures_util::future::join_all;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{EndpointSeen, Heard};

/// How often they are asked.
const EVERY: Duration = Duration::from_secs(5);
/// How long they have to answer.
const WITHIN: Duration = Duration::from_secs(4);

/// Asks, until nobody listens. With one node there is nothing to compare.
pub(super) async fn watch(nodes: Vec<Arc<dyn Chain>>, heard: Sender<Heard>) {
    if nodes.len() < 2 {
        return;
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let seen = ask(&nodes).await;
        if heard.send(Heard::Endpoints(seen)).await.is_err() {
            return;
        }
    }
}

async fn ask(nodes: &[Arc<dyn Chain>]) -> Vec<EndpointSeen> {
    let ask = |(index, node): (usize, &Arc<dyn Chain>)| {
        let node = Arc::clone(node);
        async move {
            let asked = Instant::now();
            let answer = timeout(WITHIN, node.slot()).await;
            EndpointSeen {
                name: format!("rpc-{}", index + 1),
                slot: answer.ok().and_then(Result::ok),
                latency_ms: u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX),
            }
        }
    };
    join_all(nodes.iter().enumerate().map(ask)).await
}
