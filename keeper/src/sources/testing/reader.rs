//! Reading what sources say of the simulated market.

use std::{sync::Arc, time::Duration};

use ballast_client::Chain;
use ballast_feed::Feed;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{book::MarketBook, config::Timing, sim::bytes, sources::Follower};

/// Longest wait for something that has to come.
const NEVER_SEEN: Duration = Duration::from_secs(3_600);

/// Follows sources that ask `chain` and listen to `feeds`.
pub fn follow(chain: Arc<dyn Chain>, feeds: Vec<Arc<dyn Feed>>, timing: Timing) -> Follower {
    Follower::start(chain, feeds, bytes::context(), timing)
}

impl Follower {
    /// Reads for so long, without troubles.
    pub(in crate::sources) async fn read_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(read) = timeout_at(until, self.next()).await {
            read.expect("sources that go on");
            assert_eq!(self.troubles, [""; 0]);
        }
    }

    /// Reads until something holds, without troubles; how long that took.
    pub(in crate::sources) async fn read_until(
        &mut self,
        holds: impl Fn(&MarketBook) -> bool,
    ) -> Duration {
        let began = Instant::now();
        let reading = async {
            while !holds(&self.book) {
                self.next().await.expect("sources that go on");
                assert_eq!(self.troubles, [""; 0]);
            }
        };
        timeout(NEVER_SEEN, reading).await.expect("never seen");
        began.elapsed()
    }
}
