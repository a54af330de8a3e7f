//! The market's oracle: two Pyth prices, checked, and turned into one square-root price of quote per base.

mod settlement;

use anchor_lang::prelude::*;
use ballast_abi::pyth::PriceUpdate;
use ballast_clmm::SqrtPrice;
use ballast_model::{
    Bps, Side,
    oracle::{FeedPrice, sqrt_price_down},
    price::{scale_down, scale_up, within},
};

use crate::{
    errors::BallastError,
    groups::PriceAccounts,
    math::ToProgramError,
    state::{Market, OracleRules, SafetyRules, StageRules},
};

pub use settlement::{SettlementPrice, settlement_price};

/// How good a price must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// For what adds risk or swaps.
    Tight,
    /// For what only reduces risk.
    Loose,
    /// For what cannot be made good: writing debt off. As fresh as [`Grade::Tight`], so that nobody chooses among old prices;
    /// as uncertain as [`Grade::Loose`], since it has to be done in bad times.
    Final,
    /// For showing lenders what is not covered, which books nothing: as fresh as [`Grade::Final`], and as uncertain as half the price,
    /// since right after a gap prices are.
    Loss,
    /// For swaps that protect a position: seconds old, because who swaps picks the moment; as uncertain as [`Grade::Loose`] and at
    /// any distance from the average, since it has to be done in bad times.
    Swap,
    /// For liquidations: younger than [`Grade::Loose`], because who liquidates picks the moment.
    Liquidation,
    /// For a deleverage from risk stage 1 on, when the oracle itself may be what is wrong: much older, and as uncertain as half the
    /// price.
    Stalled,
}

impl Grade {
    /// For a deleverage without a swap. As soon as the market sees that something is wrong it takes any price that there is:
    /// between what [`Grade::Loose`] accepts and what the next stage begins with nobody could act else.
    pub fn to_deleverage(market: &Market) -> Self {
        if market.stage.stage >= 1 {
            Self::Stalled
        } else {
            Self::Loose
        }
    }
}

/// Confidence interval over price that [`Grade::Stalled`] and [`Grade::Loss`] accept.
const STALLED_CONFIDENCE_BPS: u32 = 5_000;

/// What a grade demands of each feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Oldest price.
    pub max_age_secs: u32,
    /// Largest confidence interval over price.
    pub max_confidence_bps: u32,
    /// Largest distance from the moving average; `None`: any.
    pub max_ema_divergence_bps: Option<u32>,
    /// How far ahead of the clock a publish time may lie.
    pub max_future_secs: u32,
    /// How much older than the newest price shown to the market it may be.
    pub grace_secs: u32,
    /// Whether it may be older than that as long as the newest price shown says the same.
    pub confirmed: bool,
}

/// How near an older price must lie to the newest to say the same: as far as the sponsored accounts let the price move before they
/// follow. So somebody who shows newer prices takes them from nobody who only reduces risk: either the price has not moved, or the
/// account has just followed.
const CONFIRMED_BPS: u32 = 50;

impl Demands {
    /// What a market demands for a grade.
    pub fn of(
        rules: &OracleRules,
        stages: &StageRules,
        safety: &SafetyRules,
        grade: Grade,
    ) -> Self {
        let safety = safety.effective();
        // What adds risk, swaps or writes off takes from others by the choice of a price; the rest reduces risk.
        let takes = matches!(
            grade,
            Grade::Tight | Grade::Swap | Grade::Final | Grade::Loss
        );
        let (max_age_secs, max_confidence_bps) = match grade {
            Grade::Tight => (rules.max_age_tight_secs, rules.max_confidence_tight_bps),
            Grade::Loose => (rules.max_age_loose_secs, rules.max_confidence_loose_bps),
            Grade::Final | Grade::Swap => {
                (safety.max_age_swap_secs, rules.max_confidence_loose_bps)
            }
            Grade::Loss => (safety.max_age_swap_secs, STALLED_CONFIDENCE_BPS),
            Grade::Liquidation => (
                safety.max_age_liquidation_secs,
                rules.max_confidence_loose_bps,
            ),
            Grade::Stalled => (stages.max_age_stalled_secs, STALLED_CONFIDENCE_BPS),
        };
        Self {
            max_age_secs,
            max_confidence_bps,
            max_ema_divergence_bps: (grade == Grade::Tight).then_some(rules.max_ema_divergence_bps),
            // A cluster's clock that lags after an outage makes every price one from the future, whose age nobody can tell. What
            // reduces risk must go on; the moving average and the newest price shown limit the choice.
            max_future_secs: if takes {
                rules.max_future_secs
            } else {
                rules.max_future_secs.max(stages.max_age_stalled_secs)
            },
            grace_secs: if takes {
                safety.grace_secs / 2
            } else {
                safety.grace_secs
            },
            confirmed: matches!(grade, Grade::Loose | Grade::Stalled),
        }
    }

    /// The publish times of the newest base and quote prices shown, against which a pair of updates is to be held.
    pub fn shown_secs(&self, market: &Market, base: &PriceUpdate, quote: &PriceUpdate) -> [i64; 2] {
        let shown @ [base_secs, quote_secs] = [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ];
        let late = self.replayed(base.publish_time, base_secs)
            || self.replayed(quote.publish_time, quote_secs);
        let same = || {
            newest_price(market)
                .zip(ratio(market, base, quote).ok())
                .is_some_and(|(newest, price)| within(price, newest, Bps::new(CONFIRMED_BPS)))
        };
        if late && self.confirmed && same() {
            [i64::MIN; 2]
        } else {
            shown
        }
    }

    /// Whether a price of this time is one that somebody has made obsolete by showing a newer one, older than the grace.
    pub fn replayed(&self, publish_secs: i64, newest_secs: i64) -> bool {
        publish_secs < newest_secs.saturating_sub(i64::from(self.grace_secs))
    }
}

/// The oracle's price with its confidence interval, as square roots of raw quote per raw base.
#[derive(Clone, Copy, Debug)]
pub struct OraclePrice {
    /// Lower end of the confidence interval.
    pub low: SqrtPrice,
    /// The price.
    pub mid: SqrtPrice,
    /// Upper end of the confidence interval.
    pub high: SqrtPrice,
}

/// Reads both prices, checks them, and takes note of them: of their publish times, which never fall, and of the price if none
/// newer has been shown.
///
/// # Errors
/// One of the `Price…` errors for the first rule broken.
pub fn read_price(
    market: &mut Market,
    accounts: &PriceAccounts,
    now_secs: i64,
    grade: Grade,
) -> Result<OraclePrice> {
    let (price, base, quote) = read(market, accounts, now_secs, grade)?;
    take_note(market, &base, &quote, price.mid);
    Ok(price)
}

/// Like [`read_price`], and gives both updates, base and quote: their averages are a second witness.
///
/// # Errors
/// As [`read_price`].
pub fn read_with_updates(
    market: &mut Market,
    accounts: &PriceAccounts,
    now_secs: i64,
    grade: Grade,
) -> Result<(OraclePrice, Box<[PriceUpdate; 2]>)> {
    let (price, base, quote) = read(market, accounts, now_secs, grade)?;
    take_note(market, &base, &quote, price.mid);
    Ok((price, Box::new([base, quote])))
}

/// Like [`read_price`], but remembers nothing.
///
/// # Errors
/// As [`read_price`].
pub fn peek_price(
    market: &Market,
    accounts: &PriceAccounts,
    now_secs: i64,
    grade: Grade,
) -> Result<OraclePrice> {
    Ok(read(market, accounts, now_secs, grade)?.0)
}

/// The price of the newest update of each feed that anybody has shown to the market; `None` before the first, and before the first
/// of a new feed. What somebody uses may be older, by the grace: losses count against the worse of both. It may be as uncertain as it
/// likes, see [`newest_is_certain`].
pub fn newest_price(market: &Market) -> Option<SqrtPrice> {
    let [base, quote] = market.newest_feed_prices.map(FeedPrice::unpacked);
    base.and(quote)
        .and_then(|_| SqrtPrice::new(market.newest_sqrt_price_x64.get()).ok())
}

/// Whether the confidence intervals of [`newest_price`] are no wider than what a liquidation takes. Nothing is paid, and no loss shown
/// or booked, at a price that is not, but for a settlement, which has no other.
pub fn newest_is_certain(market: &Market) -> bool {
    market
        .newest_feed_prices
        .iter()
        .all(|packed| FeedPrice::is_certain(*packed))
}

/// Remembers two updates that the market has been shown, of each feed the newest: whoever shows one feed late beside the other
/// early makes neither older. `price`: their ratio.
pub fn take_note(market: &mut Market, base: &PriceUpdate, quote: &PriceUpdate, price: SqrtPrice) {
    let newest = [
        remember(market, Side::Base, base),
        remember(market, Side::Quote, quote),
    ];
    match newest {
        [true, true] => market.newest_sqrt_price_x64 = price.x64().into(),
        [false, false] => {}
        // Dearer to compute, and rare.
        _ => combine(market),
    }
}

/// Remembers the update of one feed.
pub fn take_note_of(market: &mut Market, side: Side, update: &PriceUpdate) {
    if remember(market, side, update) {
        combine(market);
    }
}

/// Remembers an update unless a newer one of its feed has been shown; whether it is the newest now.
fn remember(market: &mut Market, side: Side, update: &PriceUpdate) -> bool {
    let largest_bps = market.oracle_rules.max_confidence_loose_bps;
    let (shown_secs, newest) = match side {
        Side::Base => (
            &mut market.last_base_publish_secs,
            &mut market.newest_feed_prices[0],
        ),
        Side::Quote => (
            &mut market.last_quote_publish_secs,
            &mut market.newest_feed_prices[1],
        ),
    };
    let newer = update.publish_time >= *shown_secs;
    if newer {
        *shown_secs = update.publish_time;
        let packed = feed_price(update).packed();
        *newest = match is_certain(update, largest_bps) {
            true => packed,
            false => FeedPrice::marked_uncertain(packed),
        };
    }
    newer
}

/// Whether a pair of updates is as certain as what a liquidation takes, a loss of lenders included.
pub fn are_certain(market: &Market, base: &PriceUpdate, quote: &PriceUpdate) -> bool {
    let largest_bps = market.oracle_rules.max_confidence_loose_bps;
    is_certain(base, largest_bps) && is_certain(quote, largest_bps)
}

/// Whether the confidence interval is at most this part of the price; without a division, which costs more.
fn is_certain(update: &PriceUpdate, largest_bps: u32) -> bool {
    let price = u128::from(update.price.max(0).unsigned_abs());
    u128::from(update.conf) * u128::from(Bps::ONE.get()) <= price * u128::from(largest_bps)
}

/// The newest price of both feeds, where both have spoken, neither so long before the other that it could be used no more: a market
/// whose one feed is dead is settled at the last price of both, wherever the other goes.
fn combine(market: &mut Market) {
    let apart_secs = market
        .last_base_publish_secs
        .abs_diff(market.last_quote_publish_secs);
    if apart_secs > u64::from(market.oracle_rules.max_age_loose_secs) {
        return;
    }
    let [base, quote] = market.newest_feed_prices.map(FeedPrice::unpacked);
    let decimals = [market.base_decimals, market.quote_decimals];
    let price = base
        .zip(quote)
        .and_then(|(base, quote)| sqrt_price_down(base, quote, decimals[0], decimals[1]).ok());
    if let Some(price) = price {
        market.newest_sqrt_price_x64 = price.x64().into();
    }
}

const fn feed_price(update: &PriceUpdate) -> FeedPrice {
    FeedPrice {
        price: update.price,
        exponent: update.exponent,
    }
}

/// Remembers of two updates what is newer than what the market has been shown before. Neither may be worse than what a deleverage
/// takes, but each may be as old as that: who has only one that is newer shows that one.
///
/// # Errors
/// As [`read_price`], but [`BallastError::PriceReplayed`] only where both are older than what was shown by more than the grace.
pub fn show_prices(market: &mut Market, accounts: &PriceAccounts, now_secs: i64) -> Result<()> {
    let base = read_feed(market, &accounts.base_price, &market.base_feed)?;
    let quote = read_feed(market, &accounts.quote_price, &market.quote_feed)?;
    let demands = Demands::of(
        &market.oracle_rules,
        &market.stages,
        &market.safety,
        Grade::Loose,
    );
    for update in [&base, &quote] {
        check_feed(&demands, update, i64::MIN, now_secs)?;
    }
    require!(
        !demands.replayed(base.publish_time, market.last_base_publish_secs)
            || !demands.replayed(quote.publish_time, market.last_quote_publish_secs),
        BallastError::PriceReplayed
    );
    let price = ratio(market, &base, &quote)?;
    take_note(market, &base, &quote, price);
    Ok(())
}

/// The price and both updates.
fn read(
    market: &Market,
    accounts: &PriceAccounts,
    now_secs: i64,
    grade: Grade,
) -> Result<(OraclePrice, PriceUpdate, PriceUpdate)> {
    let base = read_feed(market, &accounts.base_price, &market.base_feed)?;
    let quote = read_feed(market, &accounts.quote_price, &market.quote_feed)?;
    let demands = Demands::of(&market.oracle_rules, &market.stages, &market.safety, grade);
    let [base_shown_secs, quote_shown_secs] = demands.shown_secs(market, &base, &quote);
    let base_confidence_ppm = check_feed(&demands, &base, base_shown_secs, now_secs)?;
    let quote_confidence_ppm = check_feed(&demands, &quote, quote_shown_secs, now_secs)?;

    let mid = ratio(market, &base, &quote)?;
    // The ratio's relative uncertainty is at most the sum of both.
    let price = OraclePrice::around(mid, base_confidence_ppm + quote_confidence_ppm)?;
    Ok((price, base, quote))
}

/// The price of two updates with its confidence interval.
///
/// # Errors
/// [`BallastError::PriceMalformed`], [`BallastError::PriceTooWide`], [`BallastError::OutOfRange`].
pub fn with_interval(
    market: &Market,
    base: &PriceUpdate,
    quote: &PriceUpdate,
) -> Result<OraclePrice> {
    let uncertainty_ppm = confidence_ppm_up(base)?.saturating_add(confidence_ppm_up(quote)?);
    OraclePrice::around(ratio(market, base, quote)?, uncertainty_ppm)
}

impl OraclePrice {
    /// A price with this relative uncertainty, rounded up to a basis point, to both sides.
    ///
    /// # Errors
    /// [`BallastError::PriceTooWide`], [`BallastError::OutOfRange`].
    pub fn around(mid: SqrtPrice, uncertainty_ppm: u64) -> Result<Self> {
        let one = Bps::ONE.get();
        let uncertainty_bps =
            u32::try_from(uncertainty_ppm.div_ceil(100)).map_err(|_| BallastError::PriceTooWide)?;
        // Both feeds may be uncertain by half: no price is nothing.
        let least_bps = one.saturating_sub(uncertainty_bps).max(1);
        Ok(Self {
            low: scale_down(mid, Bps::new(least_bps)).or_range()?,
            mid,
            high: scale_up(mid, Bps::new(one.saturating_add(uncertainty_bps))).or_range()?,
        })
    }
}

/// The square-root price of raw quote per raw base that two updates say, whatever their quality.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn ratio(market: &Market, base: &PriceUpdate, quote: &PriceUpdate) -> Result<SqrtPrice> {
    sqrt_price_down(
        feed_price(base),
        feed_price(quote),
        market.base_decimals,
        market.quote_decimals,
    )
    .or_range()
}

/// The same of their moving averages.
///
/// # Errors
/// [`BallastError::PriceMalformed`] for an average that is not positive, [`BallastError::OutOfRange`].
pub fn average(market: &Market, base: &PriceUpdate, quote: &PriceUpdate) -> Result<SqrtPrice> {
    let averaged = |update: &PriceUpdate| {
        require!(update.ema_price > 0, BallastError::PriceMalformed);
        Ok::<_, Error>(PriceUpdate {
            price: update.ema_price,
            ..*update
        })
    };
    ratio(market, &averaged(base)?, &averaged(quote)?)
}

/// Parses one price account: owner, layout, full verification, feed.
///
/// # Errors
/// [`BallastError::PriceWrongOwner`], [`BallastError::PriceNotFull`], [`BallastError::PriceWrongFeed`].
pub fn read_feed(market: &Market, account: &AccountInfo, feed: &[u8; 32]) -> Result<PriceUpdate> {
    require_keys_eq!(
        *account.owner,
        market.price_receiver,
        BallastError::PriceWrongOwner
    );
    let data = account.try_borrow_data()?;
    let update = PriceUpdate::parse(&data).map_err(|_| BallastError::PriceNotFull)?;
    require!(update.feed_id == *feed, BallastError::PriceWrongFeed);
    Ok(update)
}

/// Checks one price against the rules; returns its confidence interval in millionths of the price, rounded up.
fn check_feed(
    demands: &Demands,
    update: &PriceUpdate,
    last_publish_secs: i64,
    now_secs: i64,
) -> Result<u64> {
    let confidence_ppm = confidence_ppm_up(update)?;
    let age_secs = i128::from(now_secs) - i128::from(update.publish_time);
    require!(
        age_secs >= -i128::from(demands.max_future_secs),
        BallastError::PriceFromFuture
    );
    require!(
        age_secs <= i128::from(demands.max_age_secs),
        BallastError::PriceStale
    );
    require!(
        !demands.replayed(update.publish_time, last_publish_secs),
        BallastError::PriceReplayed
    );

    require!(
        confidence_ppm <= u64::from(demands.max_confidence_bps) * 100,
        BallastError::PriceTooWide
    );
    if let Some(allowed_bps) = demands.max_ema_divergence_bps {
        require!(
            ema_divergence_ppm_up(update)? <= u64::from(allowed_bps) * 100,
            BallastError::PriceDiverged
        );
    }
    Ok(confidence_ppm)
}

/// Confidence interval in millionths of the price, rounded up.
///
/// # Errors
/// [`BallastError::PriceMalformed`] for prices that are not positive or have an impossible exponent.
pub fn confidence_ppm_up(update: &PriceUpdate) -> Result<u64> {
    let price = u64::try_from(update.price)
        .ok()
        .filter(|price| *price > 0)
        .ok_or(BallastError::PriceMalformed)?;
    require!(
        (-12..=0).contains(&update.exponent),
        BallastError::PriceMalformed
    );
    let ppm = (u128::from(update.conf) * 1_000_000).div_ceil(u128::from(price));
    u64::try_from(ppm).map_err(|_| error!(BallastError::PriceTooWide))
}

/// Distance of the price from its moving average in millionths of the average, rounded up.
///
/// # Errors
/// [`BallastError::PriceMalformed`] for an average that is not positive.
pub fn ema_divergence_ppm_up(update: &PriceUpdate) -> Result<u64> {
    let average = u64::try_from(update.ema_price)
        .ok()
        .filter(|price| *price > 0)
        .ok_or(BallastError::PriceMalformed)?;
    let distance = update.price.unsigned_abs().abs_diff(average);
    let ppm = (u128::from(distance) * 1_000_000).div_ceil(u128::from(average));
    u64::try_from(ppm).map_err(|_| error!(BallastError::PriceDiverged))
}

#[cfg(test)]
mod tests;
