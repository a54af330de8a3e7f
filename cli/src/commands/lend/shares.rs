//! Shares of a reserve and what they are worth.

use anyhow::Result;
use ballast_client::{Chain, MarketContext, Pubkey, Side};
use ballast_model::lending::ReserveState;

/// Shares in somebody's associated account.
pub async fn held_shares(
    chain: &dyn Chain,
    market: &MarketContext,
    owner: &Pubkey,
    side: Side,
) -> Result<u64> {
    let shares = market.share_account(owner, side);
    let account = chain.account(&shares.address).await?;
    Ok(shares.balance(account.as_ref())?.unwrap_or(0))
}

/// What shares are worth, whether or not it is at hand.
pub fn worth(state: &ReserveState, shares: u64) -> u64 {
    // Redeeming is refused without liquidity; the price of a share is the same with it.
    let mut all_at_hand = *state;
    all_at_hand.debt_shares = 0;
    all_at_hand.liquidity = state
        .liquidity
        .saturating_add(state.total_debt_up().unwrap_or(0));
    all_at_hand.redeem(shares).unwrap_or(0)
}

/// The least shares that are worth `raw`, if `held` are.
pub fn shares_for_up(state: &ReserveState, raw: u64, held: u64) -> Option<u64> {
    if worth(state, held) < raw {
        return None;
    }
    let (mut too_few, mut enough) = (0, held);
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if worth(state, middle) >= raw {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Some(enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_shares_that_are_worth_an_amount() {
        let mut state = ReserveState::new(0);
        let held = state.deposit(1_000_000).unwrap();
        // Half of it lent out, and grown by a tenth.
        state.borrow(500_000).unwrap();
        state.borrow_index_x64 += state.borrow_index_x64 / 10;
        let all = worth(&state, held);
        assert!((1_049_000..=1_050_000).contains(&all), "{all}");
        for raw in [1, 2, 999, 500_000, all] {
            let shares = shares_for_up(&state, raw, held).unwrap();
            assert!(
                worth(&state, shares) >= raw && worth(&state, shares - 1) < raw,
                "{raw}: {shares}"
            );
        }
        assert_eq!(shares_for_up(&state, all + 1, held), None);
        assert_eq!(worth(&state, 0), 0);
    }
}
