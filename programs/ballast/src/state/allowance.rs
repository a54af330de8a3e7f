//! What keepers' actions may lose of a position's equity: an allowance for all of them, and one beside it for the rehedges that
//! defend the position. The keeper forecasts by the same functions.

use ballast_clmm::SqrtPrice;
use ballast_model::{ModelError, Position as PositionModel, value_up};

use super::{Market, Position};

/// In which a loss fades: a week. So a week sees at most twice the limit, three days ten sevenths of it and one day eight.
pub const FADE_SECS: i64 = 7 * 86_400;
/// What fee rates are parts of.
const MILLION: u32 = 1_000_000;

/// What was lost lately. It fades evenly over [`FADE_SECS`] after a single loss, ever more slowly when there are many: each fades
/// what is left by the part of that time since the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentLoss {
    /// Raw quote units, as of `at_secs`.
    pub amount: u64,
    /// When something was last lost.
    pub at_secs: i64,
}

impl RecentLoss {
    /// What has not faded yet.
    pub fn left_up(&self, now_secs: i64) -> u64 {
        let elapsed = now_secs.saturating_sub(self.at_secs).clamp(0, FADE_SECS);
        let left = (FADE_SECS - elapsed) as u128;
        // At most what it was.
        (u128::from(self.amount) * left).div_ceil(FADE_SECS as u128) as u64
    }

    /// With another loss; `None` if that is more than `max_bps` of `equity`. Who loses nothing is never stopped, however much
    /// others have lost: draining an allowance keeps nobody from acting at a fair price.
    #[must_use]
    pub fn charged(&self, loss: u64, equity: u128, max_bps: u32, now_secs: i64) -> Option<Self> {
        if loss == 0 {
            return Some(*self);
        }
        let total = self.left_up(now_secs).checked_add(loss)?;
        // The part is rounded down by comparing products.
        let within = u128::from(total) * 10_000 <= equity.saturating_mul(u128::from(max_bps));
        within.then_some(Self {
            amount: total,
            at_secs: now_secs,
        })
    }

    /// From when on a loss will be within `allowed`; `None`: never.
    pub fn charged_from_secs(&self, loss: u64, allowed: u64) -> Option<i64> {
        let room = allowed.checked_sub(loss)?;
        if room >= self.amount {
            return Some(self.at_secs);
        }
        // amount * (all - elapsed) / all, rounded up, is to be at most that.
        let kept = u128::from(room) * FADE_SECS as u128 / u128::from(self.amount);
        // Less than all of the time.
        Some(self.at_secs.saturating_add(FADE_SECS - kept as i64))
    }
}

/// Which allowance an action draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// The ordinary one, the stricter of market's and owner's.
    Daily,
    /// That of rehedges of a hedge error outside twice the policy's band: who drains the other cannot stop the defence.
    Defensive,
}

impl Allowance {
    /// Largest part of equity that it allows to lose.
    pub fn max_bps(self, market: &Market, position: &Position) -> u32 {
        let markets = market.keepers.max_daily_loss_bps;
        match (self, position.automation.max_daily_loss_bps) {
            (Self::Defensive, _) => market.safety.effective().max_defensive_loss_bps,
            (Self::Daily, 0) => markets,
            (Self::Daily, owners) => owners.min(markets),
        }
    }

    /// What has been lost of it.
    pub fn recent(self, position: &Position) -> RecentLoss {
        let (amount, at_secs) = match self {
            Self::Daily => (position.recent_loss, position.recent_loss_at_secs),
            Self::Defensive => (position.defensive_loss, position.defensive_loss_at_secs),
        };
        RecentLoss { amount, at_secs }
    }

    /// Stores what has been lost of it.
    pub fn store(self, position: &mut Position, recent: RecentLoss) {
        let (amount, at_secs) = match self {
            Self::Daily => (&mut position.recent_loss, &mut position.recent_loss_at_secs),
            Self::Defensive => (
                &mut position.defensive_loss,
                &mut position.defensive_loss_at_secs,
            ),
        };
        (*amount, *at_secs) = (recent.amount, recent.at_secs);
    }
}

/// What an action has made of a position.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Before, with the fees that it has collected.
    pub before: &'a PositionModel,
    /// Afterwards.
    pub after: &'a PositionModel,
    /// Base that it could not but trade: what that costs at a fair price is nobody's fault.
    pub needed_base: u64,
    /// The pool's fee, in millionths of what is paid in.
    pub fee_rate_ppm: u16,
}

/// What is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Equity lost beyond what a fair price costs, raw quote units.
    pub loss: u64,
    /// Equity before, 0 if there was none.
    pub equity: u128,
}

impl Change<'_> {
    /// Loss and equity at the price that was used and at the newest that is known, each at the one where it is worse: who picks
    /// an older price makes the loss look no smaller.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn charge(&self, used: SqrtPrice, newest: Option<SqrtPrice>) -> Result<Charge, ModelError> {
        self.charge_from(self.equities(used)?, used, newest)
    }

    /// The same, where equity before and after at the price that was used are known.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn charge_from(
        &self,
        equities: [i128; 2],
        used: SqrtPrice,
        newest: Option<SqrtPrice>,
    ) -> Result<Charge, ModelError> {
        let at_used = self.charge_at(used, equities)?;
        let Some(newest) = newest.filter(|newest| *newest != used) else {
            return Ok(at_used);
        };
        let at_newest = self.charge_at(newest, self.equities(newest)?)?;
        Ok(Charge {
            loss: at_used.loss.max(at_newest.loss),
            equity: at_used.equity.min(at_newest.equity),
        })
    }

    fn equities(&self, price: SqrtPrice) -> Result<[i128; 2], ModelError> {
        let before = self.before.at(price);
        let after = before.then(self.after);
        Ok([before.value()?.equity(), after.value()?.equity()])
    }

    fn charge_at(
        &self,
        price: SqrtPrice,
        [before, after]: [i128; 2],
    ) -> Result<Charge, ModelError> {
        let lost = u128::try_from(before.saturating_sub(after)).unwrap_or(0);
        let excess = lost.saturating_sub(self.fair_cost_up(price)?);
        Ok(Charge {
            loss: u64::try_from(excess).unwrap_or(u64::MAX),
            equity: u128::try_from(before).unwrap_or(0),
        })
    }

    /// What the trade that was needed costs in a pool as far from the price as its fee, where it pays nobody to bring it nearer:
    /// twice the fee, of what is paid for base bought, which is a little more than of base sold. With less an honest keeper would
    /// have to wait for a pool on the right side, as long as somebody keeps the allowance used up.
    fn fair_cost_up(&self, price: SqrtPrice) -> Result<u128, ModelError> {
        let rate = u32::from(self.fee_rate_ppm);
        let kept = u128::from(MILLION - rate);
        let value = value_up(self.needed_base, price)?;
        Ok(value.saturating_mul(u128::from(2 * rate)).div_ceil(kept))
    }
}

#[cfg(test)]
mod tests {
    use ballast_clmm::{Amounts, Band, Side};
    use ballast_model::{Bps, price::scale_up};

    use super::*;

    #[test]
    fn an_owner_allows_less_than_the_market_and_never_more() {
        let (mut market, mut position): (Market, Position) =
            (bytemuck::Zeroable::zeroed(), bytemuck::Zeroable::zeroed());
        market.keepers.max_daily_loss_bps = 20;
        market.safety.max_defensive_loss_bps = 30;
        for (owners, daily) in [(0, 20), (10, 10), (20, 20), (50, 20)] {
            position.automation.max_daily_loss_bps = owners;
            assert_eq!(Allowance::Daily.max_bps(&market, &position), daily);
            assert_eq!(Allowance::Defensive.max_bps(&market, &position), 30);
        }
    }

    #[test]
    fn losses_add_up_and_fade_within_a_week() {
        let mut recent = RecentLoss::default();
        // 1 % of 10 000.
        let mut charge = |loss, now| {
            let charged = recent.charged(loss, 10_000, 100, now);
            recent = charged.unwrap_or(recent);
            charged.is_some()
        };
        assert!(charge(100, 1_000_000));
        assert!(!charge(1, 1_000_000));
        // Half of it half a week later, and not a unit more.
        assert!(!charge(51, 1_302_400));
        assert!(charge(50, 1_302_400));
        assert!(!charge(1, 1_302_400));
        assert!(charge(100, 2_000_000));
        assert!(!charge(u64::MAX, 3_000_000));
    }

    #[test]
    fn a_week_loses_at_most_twice_the_limit_and_each_day_a_seventh_after_the_first() {
        // Whoever takes all that there is, every ten minutes from the first moment on.
        let (limit, step_secs) = (1_000_000, 600);
        let mut recent = RecentLoss::default();
        let (mut lost, mut by_day) = (0, Vec::new());
        for step in 0..7 * 144 {
            let now_secs = 1_000_000 + step * step_secs;
            let taken = limit - recent.left_up(now_secs);
            recent = recent.charged(taken, 100_000_000, 100, now_secs).unwrap();
            lost += taken;
            if (step + 1) % 144 == 0 {
                by_day.push(lost);
            }
        }
        for (days, lost) in (1..).zip(&by_day) {
            // It is as much as that, but for the last step.
            let most = limit + limit * days / 7;
            assert!((most * 99 / 100..=most).contains(lost), "{by_day:?}");
        }
    }

    #[test]
    fn who_loses_nothing_is_never_stopped_and_makes_nothing_fade_more_slowly() {
        let drained = RecentLoss {
            amount: 1_000,
            at_secs: 1_000_000,
        };
        assert_eq!(drained.charged(0, 10_000, 100, 1_000_001), Some(drained));
        assert_eq!(drained.charged(0, 0, 0, i64::MAX), Some(drained));
        assert_eq!(drained.charged(1, 10_000, 100, 1_000_001), None);
    }

    #[test]
    fn the_time_from_which_a_loss_is_allowed_is_exact() {
        for (amount, loss, allowed) in [(100, 1, 100), (100, 100, 100), (7, 3, 8), (1, 1, 1)] {
            let recent = RecentLoss {
                amount,
                at_secs: 1_000_000,
            };
            let from = recent.charged_from_secs(loss, allowed).unwrap();
            let charged = |now| recent.charged(loss, u128::from(allowed) * 100, 100, now);
            assert!(charged(from).is_some(), "{amount} {loss} {allowed}");
            assert!(
                from == recent.at_secs || charged(from - 1).is_none(),
                "{amount} {loss} {allowed}"
            );
        }
        assert_eq!(RecentLoss::default().charged_from_secs(2, 1), None);
    }

    /// So much base and quote.
    fn holding(base: u64, quote: u64) -> PositionModel {
        let edge = |percent: u32| scale_up(SqrtPrice::ONE, Bps::new(percent * 100)).unwrap();
        PositionModel {
            band: Band::from_sqrt_prices(edge(90), edge(110)).unwrap(),
            liquidity: 0,
            idle: Amounts { base, quote },
            debt: Amounts::ZERO,
        }
    }

    /// The charge for an action that needed no trade.
    fn charge(before: PositionModel, after: PositionModel, newest: Option<SqrtPrice>) -> Charge {
        let change = Change {
            before: &before,
            after: &after,
            needed_base: 0,
            fee_rate_ppm: 400,
        };
        change.charge(SqrtPrice::ONE, newest).unwrap()
    }

    #[test]
    fn only_what_exceeds_the_cost_of_the_needed_trade_at_a_fair_price_is_charged() {
        let before = holding(2_000_000, 0);
        // 1 000 000 sold at a price of one, for 0.1 % less.
        let after = holding(1_000_000, 999_000);
        let loss = |needed_base, fee_rate_ppm| {
            let change = Change {
                before: &before,
                after: &after,
                needed_base,
                fee_rate_ppm,
            };
            change.charge(SqrtPrice::ONE, None).unwrap().loss
        };
        assert_eq!(loss(1_000_000, 0), 1_000);
        assert_eq!(loss(1_000_000, 400), 199);
        assert_eq!(loss(500_000, 400), 599);
        assert_eq!(loss(0, 400), 1_000);
        assert_eq!(loss(1_000_000, 499), 1);
        assert_eq!(loss(1_000_000, 500), 0);
        assert_eq!(loss(1_000_000, u16::MAX), 0);
    }

    #[test]
    fn what_fades_and_what_is_fair_round_up() {
        let recent = RecentLoss {
            amount: 1,
            at_secs: 0,
        };
        assert_eq!((recent.left_up(1), recent.left_up(FADE_SECS)), (1, 0));
        // Ten base are worth 15.625; of 16, twice a fee of 1 in 16 is a little more than two.
        let change = Change {
            before: &holding(0, 100),
            after: &holding(0, 90),
            needed_base: 10,
            fee_rate_ppm: 62_500,
        };
        let price = SqrtPrice::new(5 << 62).unwrap();
        assert_eq!(change.charge(price, None).unwrap().loss, 7);
    }

    #[test]
    fn the_worse_of_used_and_newest_price_counts() {
        let double = scale_up(SqrtPrice::ONE, Bps::new(20_000)).unwrap();
        let half = scale_up(SqrtPrice::ONE, Bps::new(5_000)).unwrap();
        // Base sold at a price of one: a loss where the newest says two, none where it says a half.
        let sold = |newest| charge(holding(1_000, 1_000), holding(0, 2_000), newest);
        assert_eq!((sold(None).loss, sold(Some(half)).loss), (0, 0));
        assert!((1_000..=1_001).contains(&sold(Some(double)).loss));
        // Limits are parts of the smaller equity.
        assert_eq!(sold(Some(double)).equity, 2_000);
        assert!((1_499..=1_500).contains(&sold(Some(half)).equity));
        // Bought: the other way round.
        let bought = |newest| charge(holding(0, 2_000), holding(1_000, 1_000), newest).loss;
        assert_eq!(bought(Some(double)), 0);
        assert!((499..=501).contains(&bought(Some(half))));
    }

    #[test]
    fn a_position_without_equity_may_lose_nothing() {
        let insolvent = PositionModel {
            debt: Amounts::only(Side::Quote, 1_000),
            ..holding(0, 10)
        };
        let worse = PositionModel {
            debt: Amounts::only(Side::Quote, 1_001),
            ..holding(0, 10)
        };
        let Charge { loss, equity } = charge(insolvent, worse, None);
        assert_eq!((loss, equity), (1, 0));
        assert_eq!(RecentLoss::default().charged(loss, equity, 10_000, 0), None);
    }
}
