//! From what the hedge is to points of it, one of each perpetual in a quarter of an hour.

use std::{collections::BTreeMap, time::Duration};

use ballast_history::HedgePoint;
use tokio::time::Instant;

use super::{Input, queue::Sender};
use crate::hedge::{HedgeNow, HedgeWatch};

/// What was seen longer ago is not known any more.
const MOST_AGE: Duration = Duration::from_secs(120);

/// How an account's points are kept: venue and account.
pub(crate) fn account(now: &HedgeNow) -> String {
    format!("{} {}", now.venue, now.account)
}

/// Watches the hedge for the history.
pub(super) struct HedgeSights {
    now: Option<HedgeWatch>,
    /// Of each perpetual the newest interval that has a point.
    noted: BTreeMap<String, i64>,
}

impl HedgeSights {
    /// `None`: there is no hedge.
    pub fn new(now: Option<HedgeWatch>) -> Self {
        Self {
            now,
            noted: BTreeMap::new(),
        }
    }

    /// Hands over what is new at a time of the cluster's clock, if there is room; else it is new the next time as well.
    pub fn take(&mut self, secs: i64, sender: &Sender) {
        let Some(now) = &self.now else {
            return;
        };
        let mut new = points(&now.borrow(), secs, Instant::now());
        let interval_secs = HedgePoint::interval_secs(secs);
        new.retain(|point| self.noted.get(&point.coin) != Some(&interval_secs));
        if new.is_empty() {
            return;
        }
        let coins: Vec<String> = new.iter().map(|point| point.coin.clone()).collect();
        if sender.try_send(Input::Hedge(new)).is_ok() {
            self.noted
                .extend(coins.into_iter().map(|coin| (coin, interval_secs)));
        }
    }
}

/// The perpetuals that were seen lately and of which it is known what they have earned. A keeper that does not lead sees nothing.
fn points(now: &HedgeNow, secs: i64, at: Instant) -> Vec<HedgePoint> {
    let account = account(now);
    let perps = now.perps.iter().filter_map(|(coin, perp)| {
        let age = at.saturating_duration_since(perp.stepped?);
        if age > MOST_AGE {
            return None;
        }
        let (pnl, realised) = (perp.pnl?, perp.realised?);
        Some(HedgePoint {
            account: account.clone(),
            coin: coin.clone(),
            interval_secs: HedgePoint::interval_secs(secs),
            secs,
            price: perp.mark?,
            position: perp.position?,
            equity: now.equity,
            realised,
            unrealised: pnl.price.checked_sub(realised)?,
            funding: pnl.funding,
            fees: pnl.fees,
        })
    });
    perps.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ballast_venue::hedge::books::Pnl;
    use rust_decimal::Decimal;
    use tokio::sync::watch;

    use super::*;
    use crate::{
        hedge::now::PerpNow,
        history::queue::{Length, Receiver, bounded},
    };

    fn perp(at: Instant) -> PerpNow {
        PerpNow {
            stepped: Some(at),
            position: Some(3.into()),
            mark: Some(100.into()),
            pnl: Some(Pnl {
                price: 7.into(),
                fees: (-1).into(),
                funding: 2.into(),
            }),
            realised: Some(10.into()),
            ..PerpNow::default()
        }
    }

    fn taken(receiver: &Receiver) -> Vec<HedgePoint> {
        match receiver.recv_timeout(Duration::ZERO) {
            Ok(Input::Hedge(points)) => points,
            _ => Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_perpetual_has_one_point_in_a_quarter_of_an_hour_while_it_is_seen() {
        let at = Instant::now();
        let now = HedgeNow {
            venue: "paper".into(),
            account: "me".into(),
            equity: Some(Decimal::from(50)),
            perps: [
                ("SOL".to_owned(), perp(at)),
                ("BTC".to_owned(), PerpNow::default()),
            ]
            .into(),
            ..HedgeNow::default()
        };
        let (_told, watched) = watch::channel(Arc::new(now));
        let mut sights = HedgeSights::new(Some(watched));
        let (sender, receiver) = bounded(1, &Length::default());
        sights.take(1_000, &sender);
        // Not lost where the queue is full.
        sights.take(1_900, &sender);
        let first = taken(&receiver);
        assert_eq!(first.len(), 1, "what was never seen has none");
        let point = &first[0];
        assert_eq!(
            (point.account.as_str(), point.interval_secs),
            ("paper me", 900)
        );
        assert_eq!((point.realised, point.unrealised), (10.into(), (-3).into()));
        // Price, fees and funding are all there is.
        assert_eq!(point.total(), Some(8.into()));
        sights.take(1_950, &sender);
        assert_eq!(taken(&receiver)[0].secs, 1_950);
        sights.take(2_000, &sender);
        assert_eq!(taken(&receiver), []);
        tokio::time::advance(MOST_AGE + Duration::from_secs(1)).await;
        sights.take(2_700, &sender);
        assert_eq!(taken(&receiver), []);
        HedgeSights::new(None).take(2_700, &sender);
        assert_eq!(taken(&receiver), []);
    }
}
