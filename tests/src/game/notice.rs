//! Rules of the safety net and feeds: what the authority announces, and what anybody puts in force after the notice.

use ballast_client::{
    Market, OracleChange, OracleSource, SafetyRules, Side, Signer, decode_at, instruction, pda,
};
use ballast_localnet::{Localnet, PricePost, QUOTE_PRICE};

use super::{Few, Game, Played, SIDES, Step};

/// What a feed's id becomes where another one is announced.
const OTHER: u8 = 0xff;

impl Game {
    /// A step about the rules of the safety net or the market's feeds.
    pub(super) async fn give_notice(&mut self, step: Step) -> Played {
        let market = self.world.market.address;
        match step {
            Step::UpdateSafety {
                which,
                of_largest_bps,
            } => {
                let present = self.now.last.market.market.safety;
                let rules = changed(present, which, of_largest_bps.0);
                let by = self.authority();
                let update = instruction::update_safety(&market, &by.pubkey(), rules);
                self.send_by(by, update).await
            }
            Step::ApplySafety { wait } => {
                self.after_notice(wait).await;
                let apply = instruction::apply_safety_change(&market);
                self.send_by(&self.people[0].keypair, apply).await
            }
            Step::AnnounceOracle { base, quote } => {
                let source = self.other_source([base, quote]);
                let by = self.authority();
                let announce = instruction::announce_oracle(&market, &by.pubkey(), source);
                let sent = self.send_by(by, announce).await;
                self.now.feeds_announced |= sent.refused.is_none();
                sent
            }
            Step::ApplyOracle { wait } => self.apply_oracle(wait).await,
            Step::CancelOracle {} => {
                let by = self.authority();
                let announced = self.announced().await;
                let payer = announced.map_or(by.pubkey(), |change| change.payer);
                let cancel = instruction::cancel_oracle_change(&market, &by.pubkey(), &payer);
                let sent = self.send_by(by, cancel).await;
                self.now.feeds_announced &= sent.refused.is_some();
                sent
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    /// Prices of the market's present feeds are posted, and their accounts named.
    pub(super) fn follow_feeds(&mut self) {
        let stored = &self.now.last.market.market;
        self.world.use_feeds([stored.base_feed, stored.quote_feed]);
    }

    async fn after_notice(&self, wait: Few<0, 4>) {
        if wait.0 > 0 {
            let notice = Market::NOTICE_SECS.unsigned_abs();
            self.svm.pass_time(notice).await.unwrap();
            self.world.post_price(self.now.price).await.unwrap();
        }
    }

    /// The feeds that are announced speak before they are in force: a market whose prices nobody has ever posted is another story.
    async fn apply_oracle(&mut self, wait: Few<0, 4>) -> Played {
        self.after_notice(wait).await;
        let announced = self.announced().await;
        let mut payer = self.people[0].key();
        if let Some(change) = &announced {
            payer = change.payer;
            let now_secs = self.svm.now_secs();
            let feeds = feeds(&change.source);
            let prices = [self.now.price, QUOTE_PRICE];
            let posts = SIDES.map(|side| PricePost {
                feed: feeds[side as usize],
                ..PricePost::good(side, prices[side as usize], now_secs)
            });
            self.world.post(&posts).await.unwrap();
        }
        let apply = instruction::apply_oracle_change(&self.world.market.address, &payer);
        let applied = self.send_by(&self.people[0].keypair, apply).await;
        if let (None, Some(change)) = (&applied.refused, announced) {
            self.world.use_feeds(feeds(&change.source));
            self.now.feeds_announced = false;
        }
        applied
    }

    async fn announced(&self) -> Option<OracleChange> {
        let address = pda::oracle_change(&self.world.market.address);
        let account = self.svm.chain().account(&address).await.unwrap();
        account.map(|account| decode_at(&address, Some(&account)).unwrap())
    }

    /// The market's source with the other feed of some tokens.
    fn other_source(&self, of: [bool; 2]) -> OracleSource {
        let source = self.now.last.market.market.oracle_source();
        let mut feeds = feeds(&source);
        for (feed, other) in feeds.iter_mut().zip(of) {
            feed[0] ^= if other { OTHER } else { 0 };
        }
        let accounts = self.world.price_accounts(&feeds);
        OracleSource {
            base_feed: feeds[Side::Base as usize],
            quote_feed: feeds[Side::Quote as usize],
            base_price_account: accounts.base,
            quote_price_account: accounts.quote,
            ..source
        }
    }
}

fn feeds(source: &OracleSource) -> [[u8; 32]; 2] {
    [source.base_feed, source.quote_feed]
}

/// One rule in another size, in some cases beyond what it may be.
fn changed(mut rules: SafetyRules, Few(which): Few<0, 5>, of_largest_bps: u32) -> SafetyRules {
    let (field, largest) = match which {
        0 => (&mut rules.grace_secs, SafetyRules::LONGEST_GRACE_SECS),
        1 => (
            &mut rules.max_age_swap_secs,
            SafetyRules::LONGEST_SWAP_AGE_SECS,
        ),
        2 => (
            &mut rules.max_age_liquidation_secs,
            SafetyRules::LONGEST_LIQUIDATION_AGE_SECS,
        ),
        3 => (
            &mut rules.write_off_bonus_bps,
            SafetyRules::LARGEST_WRITE_OFF_BONUS_BPS,
        ),
        _ => (
            &mut rules.max_defensive_loss_bps,
            SafetyRules::LARGEST_DEFENSIVE_LOSS_BPS,
        ),
    };
    *field = (largest * of_largest_bps).div_ceil(10_000);
    rules
}
