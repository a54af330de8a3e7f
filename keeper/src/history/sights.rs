//! From the engine's picture to what the history needs of it.

use ballast_abi::clusters::WRAPPED_SOL_MINT;
use ballast_client::{MarketSnapshot, Position};
use ballast_history::{Account, Counters, Frame, Moment, Opening, Sight};
use ballast_model::{Side, SqrtPrice};

use crate::picture::{MarketPicture, Picture, PositionPicture};

/// The markets that have a price, with their positions.
pub(super) fn frames(picture: &Picture) -> Vec<Frame> {
    picture.markets.values().filter_map(frame).collect()
}

fn frame(market: &MarketPicture) -> Option<Frame> {
    let snapshot = market.newest.as_deref()?;
    let moment = moment(snapshot)?;
    let sights = market.positions.iter();
    Some(Frame {
        market: snapshot.address.to_string(),
        moment,
        base_is_native: snapshot.market.base_mint == WRAPPED_SOL_MINT,
        decimals: [
            snapshot.market.base_decimals,
            snapshot.market.quote_decimals,
        ],
        complete: market.positions_read,
        sights: sights
            .filter_map(|position| sight(snapshot, position))
            .collect(),
    })
}

fn moment(snapshot: &MarketSnapshot) -> Option<Moment> {
    let reserve = |side| snapshot.reserve_at(side, snapshot.now_secs).ok();
    Some(Moment {
        secs: snapshot.now_secs,
        slot: snapshot.slot,
        price: snapshot.oracle_sqrt_price().ok()?,
        reserves: [reserve(Side::Base)?, reserve(Side::Quote)?],
    })
}

/// `None` for an opening at no price, which the program does not store.
fn sight(market: &MarketSnapshot, picture: &PositionPicture) -> Option<Sight> {
    let position = &picture.position;
    let outlook = &picture.outlook;
    let entry = &position.entry;
    Some(Sight {
        address: picture.address.to_string(),
        number: position.id,
        opening: Opening {
            secs: entry.opened_at_secs,
            price: SqrtPrice::new(entry.sqrt_price_x64.get()).ok()?,
            equity: entry.equity.into(),
        },
        account: account(position),
        slot: picture.slot,
        hedge: position.policy.hedge(),
        // What was seen before the account changed is known by the booked fees being unknown.
        fees_waiting: outlook.booked_fees.and(outlook.fees),
        reward_lamports: position
            .automation
            .reward_lamports
            .min(market.market.keepers.max_reward_lamports),
    })
}

pub(super) fn account(position: &Position) -> Account {
    let entry = &position.entry;
    Account {
        ticks: [position.tick_lower, position.tick_upper],
        liquidity: position.liquidity.get(),
        idle: [position.idle_base, position.idle_quote],
        shares: [
            position.base_debt_shares.get(),
            position.quote_debt_shares.get(),
        ],
        counters: Counters {
            brought: [entry.own_base, entry.own_quote],
            paid_out: [entry.withdrawn_base, entry.withdrawn_quote],
            swap_loss: entry.swap_loss,
            liquidation_bonus: entry.liquidation_bonus,
            fee_actions: u64::from(position.compounds)
                + u64::from(position.recenters)
                + u64::from(position.exits),
            last_reward_secs: position.last_reward_secs,
        },
    }
}
