//! Losses that lenders have not been shown.

use ballast::{loss::loss_to_show as to_show, oracle::Grade};
use ballast_model::{Amounts, Bps, Side};

use crate::{
    prices::{judge, of_loss},
    situation::{Situation, SituationError},
};

/// Least part of a debt by which what lenders were shown must be wrong to be shown anew.
const STEP: Bps = Bps::new(10);

/// What of a position's debts lenders are to be shown as uncovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What the collateral does not cover.
    pub uncovered: Amounts,
    /// What lenders were shown.
    pub shown: Amounts,
}

/// The loss that `show_loss` would show now, if that is another than what was shown. Nobody is paid for showing it, and nobody else
/// may: until the second witness lets it be booked, who knows of it leaves at par and the others pay for it. What is covered again
/// is shown away, so that nobody gets less for a loss that is none.
///
/// # Errors
/// [`SituationError`].
pub fn loss_to_show(situation: &Situation) -> Result<Option<Loss>, SituationError> {
    let (market, position) = (situation.market, situation.position);
    let judged = judge(market, situation.now_secs, Grade::Loss).ok();
    let Some(prices) = judged.and_then(|used| of_loss(market, used)) else {
        return Ok(None);
    };
    let model = situation.model()?;
    let shown = Amounts::new(position.shown_loss_base, position.shown_loss_quote);
    let uncovered = to_show(&model, &prices, shown)?.uncovered;
    let is_wrong = |side: Side| {
        let off = uncovered.get(side).abs_diff(shown.get(side));
        let step = STEP.of_up(model.debt.get(side).into());
        step.is_some_and(|step| u128::from(off) > step)
    };
    let is_gone = uncovered == Amounts::ZERO && shown != Amounts::ZERO;
    let due = is_gone || is_wrong(Side::Base) || is_wrong(Side::Quote);
    Ok(due.then_some(Loss { uncovered, shown }))
}

#[cfg(test)]
mod tests {
    use ballast::state::Position;
    use ballast_model::oracle::FeedPrice;
    use ballast_snapshot::MarketSnapshot;

    use super::*;
    use crate::fixtures::{self, NOW};

    fn loss(dollars: i64, change: impl FnOnce(&mut MarketSnapshot, &mut Position)) -> Option<Loss> {
        let (mut market, mut position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        change(&mut market, &mut position);
        loss_to_show(&fixtures::situation(&market, &position)).unwrap()
    }

    fn showing(position: &mut Position, shown: Amounts) {
        (position.shown_loss_base, position.shown_loss_quote) = (shown.base, shown.quote);
    }

    #[test]
    fn what_is_not_covered_is_shown_once_and_again_when_it_is_another() {
        assert_eq!(loss(200, |_, _| ()), None);
        assert_eq!(loss(300, |_, _| ()), None);
        let first = loss(400, |_, _| ()).unwrap();
        assert!(first.uncovered.base > 0 && first.uncovered.quote > 0);
        assert_eq!(first.shown, Amounts::ZERO);
        assert_eq!(loss(400, |_, p| showing(p, first.uncovered)), None);
        // More by a percent of the price, or less.
        for dollars in [404, 396] {
            let then = loss(dollars, |_, p| showing(p, first.uncovered)).unwrap();
            assert_eq!(then.shown, first.uncovered);
            assert_eq!(then.uncovered.base > first.uncovered.base, dollars == 404);
        }
        let gone = loss(300, |_, p| showing(p, Amounts::new(1, 0))).unwrap();
        assert_eq!(gone.uncovered, Amounts::ZERO);
    }

    #[test]
    fn an_uncertain_price_only_adds_to_what_was_shown() {
        let uncertain = |m: &mut MarketSnapshot| {
            m.base_price.conf = m.base_price.price.unsigned_abs() / 20;
        };
        let all = loss(400, |_, _| ()).unwrap().uncovered;
        let least = loss(400, |m, _| uncertain(m)).unwrap().uncovered;
        // 5 % less, and what quote is uncertain by.
        let [less, more] = [379, 380].map(|dollars| loss(dollars, |_, _| ()).unwrap().uncovered);
        assert!((less.base..=more.base).contains(&least.base), "{least:?}");
        assert!(least.base > 0 && least.base < all.base);
        let again = |dollars, shown| {
            loss(dollars, |m, p| {
                uncertain(m);
                showing(p, shown);
            })
        };
        assert_eq!(again(400, all), None);
        assert_eq!(again(300, all), None);
        assert_eq!(again(345, Amounts::ZERO), None);
    }

    #[test]
    fn a_part_of_a_thousandth_of_the_debt_is_not_worth_a_transaction() {
        let debt = fixtures::situation(&fixtures::snapshot(400), &fixtures::position()).model();
        let step = u64::try_from(STEP.of_up(debt.unwrap().debt.base.into()).unwrap()).unwrap();
        let all = loss(400, |_, _| ()).unwrap().uncovered;
        let less = |by: u64| {
            loss(400, |_, p| {
                showing(p, Amounts::new(all.base - by, all.quote))
            })
        };
        assert_eq!(less(step), None);
        assert!(less(step + 1).is_some());
    }

    #[test]
    fn it_takes_a_price_of_seconds_and_the_worse_of_used_and_newest() {
        let aged = |secs| loss(400, |m, _| m.base_price.publish_time = NOW - secs);
        assert!(aged(15).is_some());
        assert_eq!(aged(16), None);
        let known = |cents| {
            move |m: &mut MarketSnapshot, _: &mut Position| {
                m.market.newest_sqrt_price_x64 = fixtures::sqrt_price_cents(cents).x64().into();
                m.market.newest_feed_prices = fixtures::known_prices();
                (
                    m.market.last_base_publish_secs,
                    m.market.last_quote_publish_secs,
                ) = (NOW, NOW);
            }
        };
        let at = |dollars| loss(dollars, |_, _| ()).unwrap().uncovered;
        assert_eq!(loss(400, known(42_000)).unwrap().uncovered, at(420));
        assert_eq!(loss(420, known(40_000)).unwrap().uncovered, at(420));
        assert_eq!(loss(300, known(40_000)).unwrap().uncovered, at(400));
        // An uncertain one says nothing, but nothing is shown away meanwhile.
        let doubted = |m: &mut MarketSnapshot, p: &mut Position| {
            known(40_000)(m, p);
            let newest = &mut m.market.newest_feed_prices[0];
            *newest = FeedPrice::marked_uncertain(*newest);
        };
        assert_eq!(loss(300, doubted), None);
        let kept = loss(300, |m, p| {
            doubted(m, p);
            showing(p, at(400));
        });
        assert_eq!(kept, None);
    }
}
