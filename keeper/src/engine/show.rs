//! Shows markets the newest price while a trigger is near, so that nobody acts on an older one that suits him better, and lenders the
//! losses that are not booked yet, so that nobody who knows of one leaves at the others' cost.

use ballast_model::price::distance_bps;
use ballast_strategy::decide::{ActionKind, is_newer_than_shown, loss_to_show, shown_age_secs};
use solana_sdk::pubkey::Pubkey;

use super::{Engine, Lane, shelf::Shelf};
use crate::config::Prices;

/// A market that has been shown no price for so long is shown one wherever the price is: one that names no price accounts of its own
/// would else count as silent some weeks later, and be settled although its feeds speak.
const SHOWN_AT_LEAST_SECS: i64 = 86_400;

impl Engine {
    /// Shows the market the newest price if that is due. Its base price account stands for it where something is noted of a market, so that
    /// a look at its evidence is another matter.
    pub(super) fn show_price(&mut self, market: Pubkey) {
        let Some(shelf) = self.shelves.get(&market) else {
            return;
        };
        let subject = shelf.market.prices.base;
        let posts = self.executor.posts(&subject, ActionKind::RefreshPrice);
        if self.flights.contains_key(&Lane::shows(subject))
            || !shelf.price_due(&self.config.prices, posts)
        {
            return;
        }
        self.dispatch(market, subject, ActionKind::RefreshPrice, false);
        if self.flights.contains_key(&Lane::shows(subject))
            && let Some(shelf) = self.shelves.get_mut(&market)
        {
            shelf.note_shown();
        }
    }

    /// Shows lenders what of a position's debts is not covered, unless they know. It counts as the showing of a price, of the position in
    /// place of the market, and keeps nothing else from being done for it.
    pub(super) fn show_loss(&mut self, market: Pubkey, position: Pubkey) {
        let prices = &self.config.prices;
        if prices.show_within_bps == 0 || self.flights.contains_key(&Lane::shows(position)) {
            return;
        }
        let withheld = self.withheld(&position);
        let Some(shelf) = self.shelves.get(&market) else {
            return;
        };
        let every_secs = i64::from(prices.show_every_secs);
        let keeper = self.executor.keeper();
        let due = shelf
            .situation(&position, keeper, &self.config, withheld)
            .filter(|now| shelf.loss_shown_secs(&position, now.now_secs) >= every_secs)
            .is_some_and(|now| matches!(loss_to_show(&now), Ok(Some(_))));
        if !due {
            return;
        }
        self.dispatch(market, position, ActionKind::RefreshPrice, false);
        if self.flights.contains_key(&Lane::shows(position))
            && let Some(shelf) = self.shelves.get_mut(&market)
        {
            shelf.note_loss_shown(position);
        }
    }
}

impl Shelf {
    /// Whether a trigger is near, or the market was shown none for long, and there is a newer price than the market was shown.
    fn price_due(&self, prices: &Prices, posts: bool) -> bool {
        let (Some(on_chain), Some(newest)) = (self.book.on_chain(), self.book.snapshot()) else {
            return false;
        };
        let since = on_chain.now_secs.saturating_sub(self.shown_at_secs);
        let showable = if posts { newest } else { on_chain };
        let forgotten =
            prices.show_within_bps > 0 && shown_age_secs(showable) >= SHOWN_AT_LEAST_SECS;
        let wanted = forgotten || self.is_near(prices.show_within_bps);
        if since < i64::from(prices.show_every_secs) || !wanted {
            return false;
        }
        is_newer_than_shown(on_chain)
            || (posts
                && is_newer_than_shown(newest)
                && shown_age_secs(newest) >= i64::from(prices.post_every_secs))
    }

    /// Whether a trigger of any position is that near to the price, or reached.
    fn is_near(&self, within_bps: u32) -> bool {
        let Some(price) = self.book.oracle().filter(|_| within_bps > 0) else {
            return false;
        };
        let (below, above) = self.index.ends();
        let near = |end| distance_bps(price, end) <= within_bps;
        !self.index.restless().is_empty() || below.into_iter().chain(above).any(near)
    }

    /// When a position of which lenders have been shown a loss is to be looked at again whatever the price does: the loss may be gone, and
    /// the last time may have been too short ago.
    pub(super) fn loss_look_secs(&self, position: &Pubkey, now_secs: i64, every_secs: u32) -> i64 {
        let every = i64::from(every_secs);
        let shown = self.loss_shown_at_secs.get(position);
        let next = shown.map_or(now_secs, |at_secs| at_secs.saturating_add(every));
        match next > now_secs {
            true => next,
            false => now_secs.saturating_add(every),
        }
    }

    /// How long ago this keeper has shown a position's loss.
    fn loss_shown_secs(&self, position: &Pubkey, now_secs: i64) -> i64 {
        let shown = self.loss_shown_at_secs.get(position);
        shown.map_or(i64::MAX, |at_secs| now_secs.saturating_sub(*at_secs))
    }

    fn note_loss_shown(&mut self, position: Pubkey) {
        if let Some(market) = self.book.snapshot() {
            self.loss_shown_at_secs.insert(position, market.now_secs);
        }
    }

    fn note_shown(&mut self) {
        if let Some(market) = self.book.on_chain() {
            self.shown_at_secs = market.now_secs;
        }
    }
}
