//! What lies in the accounts, for those who follow a game from outside.

use ballast_client::{MarketSnapshot, PositionContext};

use super::{Game, Step};

/// A game's accounts at one time.
pub struct View {
    /// Market, reserves, pool, prices and clock.
    pub snapshot: MarketSnapshot,
    /// Open positions, in the order in which steps refer to them.
    pub positions: Vec<PositionContext>,
    /// What the pool's vaults hold, by side.
    pub pool_vaults: [u64; 2],
}

impl Game {
    /// The accounts as they are now.
    pub async fn view(&self) -> View {
        let market = &self.world.market.market;
        let mut pool_vaults = [0; 2];
        for (held, vault) in pool_vaults
            .iter_mut()
            .zip([market.pool_base_vault, market.pool_quote_vault])
        {
            *held = self.world.balance(&vault).await.unwrap();
        }
        View {
            snapshot: self.world.snapshot().await.unwrap(),
            positions: self.now.last.positions(),
            pool_vaults,
        }
    }

    /// Whether who carries out a keeper's step is the position's owner.
    pub fn is_by_owner(&self, step: &Step, position: &PositionContext) -> bool {
        match step {
            Step::Rehedge { person, .. }
            | Step::Deleverage { person, .. }
            | Step::DeleverageSwap { person, .. } => {
                self.person(*person).key() == position.position.owner
            }
            _ => false,
        }
    }
}
