//! Reads what was swapped in a market's pool and in the other pools of its pair, from the fees that their liquidity has earned.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ballast_abi::whirlpool::PoolView;
use ballast_client::{Account, Chain, MarketContext};
use ballast_flags::flow::PoolMark;
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc::Sender,
    time::{MissedTickBehavior, interval},
};

use super::Heard;
use crate::{config::Config, event::KeeperEvent, events::Events};

/// How often they are read.
const EVERY: Duration = Duration::from_secs(60);

/// The pools of one market's pair, its own first, with what was last seen of each.
struct Pair {
    market: Arc<MarketContext>,
    pools: Vec<Pubkey>,
    marks: BTreeMap<Pubkey, PoolMark>,
    /// What was last warned of, by pool.
    told: BTreeMap<Pubkey, &'static str>,
}

/// Reads, until nobody listens.
pub(super) async fn watch(
    chain: Arc<dyn Chain>,
    config: Arc<Config>,
    markets: Vec<Arc<MarketContext>>,
    events: Events,
    heard: Sender<Heard>,
) {
    let pair = |market: Arc<MarketContext>| {
        let others = config.flags.pair_pools.get(&market.address)?;
        let pools = [market.market.whirlpool]
            .into_iter()
            .chain(others.iter().copied());
        Some(Pair {
            pools: pools.collect(),
            market,
            marks: BTreeMap::new(),
            told: BTreeMap::new(),
        })
    };
    let mut pairs: Vec<Pair> = markets.into_iter().filter_map(pair).collect();
    if pairs.is_empty() {
        return;
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for pair in &mut pairs {
            // A node that does not answer is told of elsewhere; the next look covers the time.
            let Ok(answer) = chain.accounts(&pair.pools).await else {
                continue;
            };
            let swapped = pair.take(&answer.accounts, &config.pool_programs, &events);
            if let Some((pool, all)) = swapped {
                let market = pair.market.address;
                let flow = Heard::Flow {
                    market,
                    pool,
                    pair: all,
                };
                if heard.send(flow).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Pair {
    /// What was swapped since the last look, in the market's pool and in all. `None` if its own was not seen twice.
    fn take(
        &mut self,
        accounts: &[Option<Account>],
        programs: &[Pubkey],
        events: &Events,
    ) -> Option<(u128, u128)> {
        let (mut own, mut all) = (None, 0u128);
        for (pool, account) in self.pools.clone().into_iter().zip(accounts) {
            let mark = match self.mark(account.as_ref(), programs) {
                Ok(mark) => mark,
                Err(problem) => {
                    if self.told.insert(pool, problem) != Some(problem) {
                        events.send(KeeperEvent::Warning {
                            message: format!(
                                "pool {pool} of pair_pools {problem}: its flow is not counted"
                            ),
                        });
                    }
                    continue;
                }
            };
            self.told.remove(&pool);
            let before = self.marks.insert(pool, mark);
            let swapped = before.map(|before| mark.swapped_since(&before));
            all = all.saturating_add(swapped.unwrap_or(0));
            if pool == self.market.market.whirlpool {
                own = swapped;
            }
        }
        Some((own?, all))
    }

    fn mark(
        &self,
        account: Option<&Account>,
        programs: &[Pubkey],
    ) -> Result<PoolMark, &'static str> {
        let account = account.ok_or("does not exist")?;
        if !programs.contains(&account.owner) {
            return Err("is of no program that pool_programs names");
        }
        let view = PoolView::parse(&account.data).map_err(|_| "cannot be read")?;
        if [view.mint_a(), view.mint_b()] != [self.market.base.mint, self.market.quote.mint] {
            return Err("is of other tokens");
        }
        Ok(PoolMark {
            fee_growth_x64: [
                view.fee_growth_global_a_x64(),
                view.fee_growth_global_b_x64(),
            ],
            liquidity: view.liquidity(),
            at: view.sqrt_price(),
            fee_rate_ppm: view.fee_rate_ppm(),
        })
    }
}
