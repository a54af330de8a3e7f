//! What must be so after every step, and at the end.

use std::sync::Arc;

use ballast_abi::{spl, whirlpool::PositionView};
use ballast_client::{BallastError, BallastEvent, Cause, Failure, PositionContext, Side};

use super::{
    Game, Played, SIDES, Step, books::check_books, health::check_positions, idle, picture::Picture,
    stage::check_stage,
};

/// Raw units that may be left of nobody's at the end: the part of interest that belongs to the virtual shares, and rounding.
const LEFT_OF_NOBODY: u64 = 10_000;

impl Game {
    /// What holds after every step.
    pub(super) async fn check(&mut self, step: Option<&Step>, played: &Played) {
        if let Some(failure) = &played.refused {
            check_refusal(failure);
        }
        let before = self.now.last.clone();
        let picture = Arc::new(Picture::take(&self.world).await);
        self.now.last = picture.clone();
        check_positions(&before, &picture, step, played);
        check_stage(&before.market, &picture.market, step, played);
        let positions = picture.positions();
        assert_eq!(
            self.tokens(&positions).await,
            self.now.supply,
            "tokens were created or lost"
        );
        let snapshot = &picture.market;
        assert_eq!(
            snapshot.market.open_positions,
            positions.len() as u64,
            "positions are miscounted"
        );
        for position in &positions {
            self.check_holdings(position).await;
        }
        for side in SIDES {
            let reserve = snapshot.reserve(side);
            let owed: u128 = positions
                .iter()
                .map(|position| match side {
                    Side::Base => position.position.base_debt_shares.get(),
                    Side::Quote => position.position.quote_debt_shares.get(),
                })
                .sum();
            assert_eq!(
                reserve.debt_shares.get(),
                owed,
                "{side:?}: debts are not the positions' debts"
            );
            let shown: u64 = positions
                .iter()
                .map(|position| position.position.shown_loss(side))
                .sum();
            assert_eq!(
                reserve.shown_loss, shown,
                "{side:?}: the loss shown is not what positions show"
            );
            let vault = self.world.market.vault(side);
            let vault = self.world.balance(&vault).await.unwrap();
            assert_eq!(
                vault,
                reserve.liquidity + self.now.gifts[side as usize],
                "{side:?}: vault and books differ"
            );
            assert_eq!(
                self.minted_shares(side).await,
                reserve.supply_shares,
                "{side:?}: shares and books differ"
            );
            let was = before.market.reserve(side);
            check_books(&self.world.market.reserve(side), was, reserve, played);
            let assets = was.state().total_assets_down().unwrap();
            let shares = was.supply_shares;
            let now = reserve.state().total_assets_down().unwrap();
            let with_lost = now + self.lost_to_bad_debt(side, played);
            // (now + 1) / (shares now + 1000) >= (then + 1) / (shares then + 1000)
            let left = (u128::from(with_lost) + 1) * (u128::from(shares) + 1_000);
            let right = (u128::from(assets) + 1) * (u128::from(reserve.supply_shares) + 1_000);
            assert!(
                left >= right,
                "{side:?}: a share's price fell without bad debt"
            );
        }
    }

    /// What a position has by its books, it has.
    async fn check_holdings(&self, position: &PositionContext) {
        let stored = &position.position;
        let chain = self.world.net.chain();
        let held = chain.account(&stored.whirlpool_position).await.unwrap();
        let held = held.expect("an open position has one of the pool");
        let liquidity = PositionView::parse(&held.data).unwrap().liquidity();
        assert_eq!(
            liquidity,
            stored.liquidity.get(),
            "position {}: liquidity and books differ",
            stored.id
        );
        for side in SIDES {
            let booked = stored.idle().get(side);
            let balance = self.world.balance(&idle(position, side)).await.unwrap();
            assert!(
                balance >= booked,
                "position {}, {side:?}: {balance} are there, {booked} in the books",
                stored.id
            );
        }
    }

    async fn minted_shares(&self, side: Side) -> u64 {
        let address = self.world.market.share_mint(side);
        let chain = self.world.net.chain();
        let mint = chain.account(&address).await.unwrap().unwrap();
        spl::MintView::parse(&mint.data).unwrap().supply()
    }

    fn lost_to_bad_debt(&self, side: Side, played: &Played) -> u64 {
        let reserve = self.world.market.reserve(side);
        let lost = |event: &BallastEvent| match event {
            BallastEvent::BadDebtBooked(booked) if booked.reserve == reserve => booked.from_lenders,
            _ => 0,
        };
        played.events.iter().map(lost).sum()
    }

    /// What holds when everybody has left.
    pub(super) async fn check_end(&self) {
        let snapshot = self.world.snapshot().await.unwrap();
        for side in SIDES {
            let state = snapshot.reserve(side).state();
            assert_eq!(state.debt_shares, 0, "{side:?}: debt without a position");
            let left = state.liquidity - state.insurance;
            assert!(
                left <= LEFT_OF_NOBODY,
                "{side:?}: {left} are left of nobody's"
            );
        }
    }
}

/// Whatever people do, a program names what it does not like. It neither panics, nor runs out of compute units, nor finds
/// its own books wrong.
fn check_refusal(failure: &Failure) {
    let named = match failure.cause {
        Cause::Ballast(error) => !matches!(
            error,
            BallastError::InvariantBroken | BallastError::UnexpectedBalance
        ),
        Cause::Runtime(_) => false,
        _ => true,
    };
    assert!(
        named,
        "refused for no good reason: {failure}\n{:#?}",
        failure.logs
    );
}
