//! Compares what nodes say of accounts, a market and one of its positions at a time, in turn: a node that shows an old or another position as
//! if it were the newest hides what is due, and nothing that is due is there to be looked at.

use std::{sync::Arc, time::Duration};

use ballast_client::{Agreement, MarketContext, Nodes};
use solana_sdk::pubkey::Pubkey;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    picture::{Picture, Pictures},
    sources::Doubts,
};

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// A market, and one of its positions if it has any.
type Turn = (Arc<MarketContext>, Option<Pubkey>);

/// Whose turn it is after another's.
fn next(picture: &Picture, last: Option<(Pubkey, Option<Pubkey>)>) -> Option<Turn> {
    if let Some((market, Some(position))) = last
        && let Some(market) = picture.markets.get(&market)
        && let Some(next) = market.positions.after(Some(&position))
    {
        return Some((Arc::clone(&market.context), Some(next.address)));
    }
    let later = |address: &&Pubkey| last.is_some_and(|(market, _)| **address > market);
    let address = picture.markets.keys().find(later);
    let address = address.or_else(|| picture.markets.keys().next())?;
    let market = picture.markets.get(address)?;
    let first = market.positions.after(None);
    Some((
        Arc::clone(&market.context),
        first.map(|first| first.address),
    ))
}

/// The accounts to compare: the position, or where there is none the market, and what may change with every slot.
fn accounts((market, position): &Turn) -> Vec<(Pubkey, bool)> {
    let addresses = market.snapshot_addresses();
    // The clock comes last and is no account that anybody could be wrong about alone.
    let of_market = addresses.split_last().map(|(_, rest)| rest);
    let of_market = of_market.unwrap_or_default().iter();
    let moves = |address: &Pubkey| position.is_some() || *address != market.address;
    let of_market = of_market.map(|address| (*address, moves(address)));
    of_market
        .chain(position.map(|position| (position, false)))
        .collect()
}

/// Compares, for ever. With one node there is nothing to compare.
pub(super) async fn watch(nodes: &Nodes, pictures: &Pictures, doubts: &Doubts) {
    if nodes.members().len() < 2 {
        return;
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        ticks.tick().await;
        let picture = pictures.borrow().clone();
        let Some(turn) = picture.and_then(|picture| next(&picture, last)) else {
            continue;
        };
        let (market, position) = (turn.0.address, turn.1);
        last = Some((market, position));
        // Whoever is found to disagree is named by the survey. Polls tell that nobody answers.
        let Ok(agreement) = nodes.sample(&accounts(&turn)).await else {
            continue;
        };
        // The one that was asked first may have told the book as well.
        if let Agreement::Outvoted(_) = agreement {
            doubts.tell(market, position.unwrap_or(market));
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::{fixtures, situation::Outlook};

    use super::*;
    use crate::{
        picture::{Found, MarketPicture, PositionPicture, PositionPictures},
        sim::bytes,
    };

    fn market(number: u8, positions: &[u8]) -> (Pubkey, MarketPicture) {
        let mut context = bytes::context();
        context.address = Pubkey::new_from_array([number; 32]);
        let mut pictures = PositionPictures::default();
        for number in positions {
            pictures.insert(PositionPicture {
                address: Pubkey::new_from_array([*number; 32]),
                slot: 0,
                position: Arc::new(fixtures::position()),
                outlook: Outlook::default(),
                found: Found::Nothing,
                in_flight: 0,
                stale: false,
            });
        }
        let picture = MarketPicture {
            context: Arc::new(context),
            newest: None,
            on_chain: None,
            volatility_ticks: None,
            fee_yield: None,
            positions_read: true,
            positions: pictures,
        };
        (Pubkey::new_from_array([number; 32]), picture)
    }

    #[test]
    fn every_position_of_every_market_has_its_turn() {
        let mut picture = Picture::empty();
        assert!(next(&picture, None).is_none());
        picture.markets = [market(1, &[9, 3]), market(2, &[]), market(4, &[5])].into();
        let mut last = None;
        let mut turns = Vec::new();
        for _ in 0..5 {
            let (market, position) = next(&picture, last).unwrap();
            last = Some((market.address, position));
            let first = |address: Pubkey| address.to_bytes()[0];
            turns.push((first(market.address), position.map(first)));
        }
        let once = [(1, Some(3)), (1, Some(9)), (2, None), (4, Some(5))];
        assert_eq!(turns, [&once[..], &once[..1]].concat());
        // What has gone meanwhile keeps nobody from having a turn.
        let gone = Some((Pubkey::new_from_array([3; 32]), None));
        let (after, _) = next(&picture, gone).unwrap();
        assert_eq!(after.address, Pubkey::new_from_array([4; 32]));
    }

    #[test]
    fn the_position_has_to_be_the_same_or_else_the_market() {
        let market = Arc::new(bytes::context());
        let position = Pubkey::new_from_array([100; 32]);
        let steady = |turn: &Turn| -> Vec<Pubkey> {
            let all = accounts(turn).into_iter();
            all.filter(|(_, moves)| !moves).map(|(it, _)| it).collect()
        };
        assert_eq!(steady(&(Arc::clone(&market), Some(position))), [position]);
        assert_eq!(steady(&(Arc::clone(&market), None)), [market.address]);
        assert_eq!(accounts(&(market, Some(position))).len(), 7);
    }
}
