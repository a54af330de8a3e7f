//! The safety net beyond hedging: deleveraging with a swap, losses that are shown, settling, and who goes first.

use ballast_client::{Amounts, Market, PositionContext, Pubkey, Trade, instruction};
use ballast_localnet::Localnet;

use super::{Game, Played, Step};

impl Game {
    /// A step about the safety of an open position.
    pub(super) async fn protect(&mut self, step: Step, position: &PositionContext) -> Played {
        let market = &self.world.market;
        match step {
            Step::DeleverageSwap { person, sell, .. } => {
                let by = self.person(person);
                let trade = if sell {
                    Trade::SellBase
                } else {
                    Trade::BuyBase
                };
                let path = market.swap_path(self.tick().await, trade);
                let deleverage = instruction::deleverage_swap(market, position, &by.key(), &path);
                self.send(by, deleverage).await
            }
            Step::ShowLoss { person, .. } => {
                let show = instruction::show_loss(market, &position.address);
                self.send(self.person(person), show).await
            }
            Step::Settle {
                person,
                pay_base,
                pay_quote,
                wait,
                ..
            } => {
                let silence_secs = Market::SETTLEMENT_SECS.unsigned_abs();
                match u64::from(wait.0) {
                    0 => {}
                    _ if !self.is_silent() => self.svm.pass_time(silence_secs).await.unwrap(),
                    // The bonus grows, and after some of that lenders bear it too.
                    more => self.svm.pass_time((more - 1) * 8 * 86_400).await.unwrap(),
                }
                let by = self.person(person);
                let most = Amounts::new(pay_base.0, pay_quote.0);
                let least = Amounts::ZERO;
                let settle =
                    instruction::settle(market, position, &by.key(), &by.wallet, most, least);
                self.send(by, settle).await
            }
            Step::SetFirstKeepers {
                first,
                second,
                named,
                head_start_secs,
                ..
            } => {
                let keepers = [first, second].map(|person| self.person(person).key());
                let nobody = Pubkey::default();
                let keepers = match named.0 {
                    0 => [nobody; 2],
                    1 => [keepers[0], nobody],
                    _ => keepers,
                };
                // Mostly what goes together: nobody has no head start.
                let head_start_secs = match (named.0, head_start_secs.0) {
                    (0, 0..=50) => 0,
                    (_, secs) => secs,
                };
                let owner = self.owner(position);
                let set = instruction::set_first_keepers(
                    &market.address,
                    &owner.key(),
                    &position.address,
                    keepers,
                    head_start_secs,
                );
                self.send(owner, set).await
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    /// Whether a price has been missing for so long that positions are settled.
    fn is_silent(&self) -> bool {
        let snapshot = &self.now.last.market;
        let heard_secs = [
            (&snapshot.base_price, snapshot.market.last_base_publish_secs),
            (
                &snapshot.quote_price,
                snapshot.market.last_quote_publish_secs,
            ),
        ]
        .map(|(price, shown_secs)| price.publish_time.max(shown_secs));
        heard_secs
            .iter()
            .any(|heard_secs| snapshot.now_secs - heard_secs >= Market::SETTLEMENT_SECS)
    }
}
