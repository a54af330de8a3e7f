//! A market and its positions at one moment.

use ballast_client::{MarketSnapshot, PositionContext, Positions, Pubkey};
use ballast_localnet::World;
use ballast_model::{ModelError, Position as PositionModel};

/// What a step's checks compare with what was before.
#[derive(Clone)]
pub(super) struct Picture {
    pub market: MarketSnapshot,
    pub positions: Vec<Held>,
}

/// An open position and the lamports of its account.
#[derive(Clone)]
pub(super) struct Held {
    pub position: PositionContext,
    pub lamports: u64,
}

impl Picture {
    pub async fn take(world: &World) -> Self {
        let chain = world.net.chain();
        let found = Positions::of_market(chain.as_ref(), &world.market.address)
            .await
            .unwrap();
        assert!(found.unreadable.is_empty());
        let addresses: Vec<Pubkey> = found.positions.iter().map(|held| held.address).collect();
        let accounts = chain.accounts(&addresses).await.unwrap().accounts;
        let held = found.positions.into_iter().zip(accounts);
        let held = held.map(|(position, account)| Held {
            position,
            lamports: account.expect("an open position has an account").lamports,
        });
        let mut positions: Vec<_> = held.collect();
        // An order that follows from the steps alone.
        positions.sort_by_key(|held| held.position.position.id);
        Self {
            market: world.snapshot().await.unwrap(),
            positions,
        }
    }

    /// Open positions.
    pub fn positions(&self) -> Vec<PositionContext> {
        let positions = self.positions.iter().map(|held| held.position.clone());
        positions.collect()
    }

    /// The position at an address.
    pub fn find(&self, address: &Pubkey) -> Option<&Held> {
        let mut positions = self.positions.iter();
        positions.find(|held| held.position.address == *address)
    }

    /// A position of this picture as a value, with interest to a later time.
    pub fn model(&self, position: &PositionContext, at_secs: i64) -> PositionModel {
        self.market.position(&position.position, at_secs).unwrap()
    }

    /// Equity at the oracle's price, in raw quote units.
    pub fn equity(&self, position: &PositionContext) -> Result<i128, ModelError> {
        let at = self.market.oracle_sqrt_price().unwrap();
        let model = self.model(position, self.market.now_secs);
        Ok(model.value(at)?.equity())
    }
}
