//! The market's oracle: two Pyth prices, checked, and turned into one square-root price of quote per base.

use anchor_lang::prelude::*;
use ballast_abi::pyth::PriceUpdate;
use ballast_clmm::SqrtPrice;
use ballast_model::{
    Bps,
    oracle::{FeedPrice, sqrt_price_down},
    price::{scale_down, scale_up},
};

use crate::{
    errors::BallastError,
    groups::PriceAccounts,
    math::ToProgramError,
    state::{Market, OracleRules, SafetyRules, StageRules},
};

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
    /// For swaps that protect a position: seconds old, because who swaps picks the moment; as uncertain as [`Grade::Loose`] and at
    /// any distance from the average, since it has to be done in bad times.
    Swap,
    /// For liquidations: younger than [`Grade::Loose`], because who liquidates picks the moment.
    Liquidation,
    /// For a deleverage from risk stage 2 on, when the oracle itself is what is wrong: much older, and as uncertain as half the
    /// price.
    Stalled,
}

/// Confidence interval over price that [`Grade::Stalled`] accepts.
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
}

impl Demands {
    /// What a market demands for a grade.
    pub fn of(
        rules: &OracleRules,
        stages: &StageRules,
        safety: &SafetyRules,
        grade: Grade,
    ) -> Self {
        let safety = safety.effective();
        let (max_age_secs, max_confidence_bps) = match grade {
            Grade::Tight => (rules.max_age_tight_secs, rules.max_confidence_tight_bps),
            Grade::Loose => (rules.max_age_loose_secs, rules.max_confidence_loose_bps),
            Grade::Final | Grade::Swap => {
                (safety.max_age_swap_secs, rules.max_confidence_loose_bps)
            }
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
            max_future_secs: rules.max_future_secs,
        }
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

/// Reads both prices, checks them, and remembers their publish times, so that an older one is never used again.
///
/// # Errors
/// One of the `Price…` errors for the first rule broken.
pub fn read_price(
    market: &mut Market,
    accounts: &PriceAccounts,
    now_secs: i64,
    grade: Grade,
) -> Result<OraclePrice> {
    let (price, base_publish_secs, quote_publish_secs) = read(market, accounts, now_secs, grade)?;
    market.last_base_publish_secs = base_publish_secs;
    market.last_quote_publish_secs = quote_publish_secs;
    Ok(price)
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

/// The last price ever shown, once the market has been without one for [`Market::SETTLEMENT_SECS`]: neither was one shown in that
/// time, nor do the accounts that are passed hold one.
///
/// # Errors
/// [`BallastError::NotSilentLongEnough`].
pub fn settlement_price(
    market: &Market,
    accounts: &PriceAccounts,
    now_secs: i64,
) -> Result<SqrtPrice> {
    let shown_secs = market
        .last_base_publish_secs
        .min(market.last_quote_publish_secs);
    let _ = accounts;
    let silent = now_secs.saturating_sub(shown_secs) >= Market::SETTLEMENT_SECS;
    require!(silent, BallastError::NotSilentLongEnough);
    SqrtPrice::new(market.newest_sqrt_price_x64.get()).or_range()
}

/// The price and both publish times.
fn read(
    market: &Market,
    accounts: &PriceAccounts,
    now_secs: i64,
    grade: Grade,
) -> Result<(OraclePrice, i64, i64)> {
    let base = read_feed(market, &accounts.base_price, &market.base_feed)?;
    let quote = read_feed(market, &accounts.quote_price, &market.quote_feed)?;
    let demands = Demands::of(&market.oracle_rules, &market.stages, &market.safety, grade);
    let base_confidence_ppm = check_feed(&demands, &base, market.last_base_publish_secs, now_secs)?;
    let quote_confidence_ppm =
        check_feed(&demands, &quote, market.last_quote_publish_secs, now_secs)?;

    let mid = ratio(market, &base, &quote)?;
    // The ratio's relative uncertainty is at most the sum of both, rounded up to a basis point.
    let uncertainty_bps = (base_confidence_ppm + quote_confidence_ppm).div_ceil(100);
    let one = Bps::ONE.get();
    let uncertainty_bps = u32::try_from(uncertainty_bps).map_err(|_| BallastError::PriceTooWide)?;
    // Both feeds may be uncertain by half: no price is nothing.
    let least_bps = one.saturating_sub(uncertainty_bps).max(1);
    let price = OraclePrice {
        low: scale_down(mid, Bps::new(least_bps)).or_range()?,
        mid,
        high: scale_up(mid, Bps::new(one.saturating_add(uncertainty_bps))).or_range()?,
    };
    Ok((price, base.publish_time, quote.publish_time))
}

/// The square-root price of raw quote per raw base that two updates say, whatever their quality.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn ratio(market: &Market, base: &PriceUpdate, quote: &PriceUpdate) -> Result<SqrtPrice> {
    let feed = |update: &PriceUpdate| FeedPrice {
        price: update.price,
        exponent: update.exponent,
    };
    sqrt_price_down(
        feed(base),
        feed(quote),
        market.base_decimals,
        market.quote_decimals,
    )
    .or_range()
}

/// The square-root price that both feeds' moving averages say: the second witness for what cannot be made good. Called with
/// accounts whose prices were read already.
///
/// # Errors
/// [`BallastError::PriceMalformed`] for averages that are not positive, and those of [`read_feed`].
pub fn average_price(market: &Market, accounts: &PriceAccounts) -> Result<SqrtPrice> {
    let average = |account, feed| -> Result<PriceUpdate> {
        let update = read_feed(market, account, feed)?;
        require!(update.ema_price > 0, BallastError::PriceMalformed);
        Ok(PriceUpdate {
            price: update.ema_price,
            ..update
        })
    };
    ratio(
        market,
        &average(&accounts.base_price, &market.base_feed)?,
        &average(&accounts.quote_price, &market.quote_feed)?,
    )
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
        update.publish_time >= last_publish_secs,
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
mod tests {
    use super::*;

    const RULES: OracleRules = OracleRules {
        max_age_tight_secs: 30,
        max_age_loose_secs: 120,
        max_confidence_tight_bps: 50,
        max_confidence_loose_bps: 200,
        max_ema_divergence_bps: 300,
        max_future_secs: 5,
    };
    const NOW: i64 = 1_700_000_000;

    fn update() -> PriceUpdate {
        PriceUpdate {
            write_authority: Pubkey::default(),
            feed_id: [1; 32],
            price: 20_000_000_000,
            conf: 20_000_000,
            exponent: -8,
            publish_time: NOW - 10,
            previous_publish_time: NOW - 11,
            ema_price: 20_000_000_000,
            ema_conf: 0,
            posted_slot: 1,
        }
    }

    fn check(update: &PriceUpdate, last: i64, grade: Grade) -> std::result::Result<u64, Error> {
        let demands = Demands::of(
            &RULES,
            &StageRules::default(),
            &SafetyRules::default(),
            grade,
        );
        check_feed(&demands, update, last, NOW)
    }

    #[track_caller]
    fn refuses(update: &PriceUpdate, last: i64, grade: Grade, expected: BallastError) {
        assert_eq!(check(update, last, grade).unwrap_err(), error!(expected));
    }

    #[test]
    fn a_good_price_passes_with_its_confidence() {
        assert_eq!(check(&update(), 0, Grade::Tight).unwrap(), 1_000);
    }

    #[test]
    fn every_rule_fires_at_its_edge() {
        let with = |change: fn(&mut PriceUpdate)| {
            let mut price = update();
            change(&mut price);
            price
        };
        refuses(
            &with(|p| p.price = 0),
            0,
            Grade::Loose,
            BallastError::PriceMalformed,
        );
        refuses(
            &with(|p| p.price = -1),
            0,
            Grade::Loose,
            BallastError::PriceMalformed,
        );
        refuses(
            &with(|p| p.exponent = 1),
            0,
            Grade::Loose,
            BallastError::PriceMalformed,
        );
        refuses(
            &with(|p| p.exponent = -13),
            0,
            Grade::Loose,
            BallastError::PriceMalformed,
        );
        refuses(
            &with(|p| p.publish_time = NOW + 6),
            0,
            Grade::Loose,
            BallastError::PriceFromFuture,
        );
        check(&with(|p| p.publish_time = NOW + 5), 0, Grade::Loose).unwrap();
        refuses(
            &with(|p| p.publish_time = i64::MAX),
            0,
            Grade::Loose,
            BallastError::PriceFromFuture,
        );
        refuses(
            &with(|p| p.publish_time = i64::MIN),
            i64::MIN,
            Grade::Loose,
            BallastError::PriceStale,
        );
        refuses(
            &with(|p| p.publish_time = NOW - 31),
            0,
            Grade::Tight,
            BallastError::PriceStale,
        );
        check(&with(|p| p.publish_time = NOW - 31), 0, Grade::Loose).unwrap();
        refuses(
            &with(|p| p.publish_time = NOW - 121),
            0,
            Grade::Loose,
            BallastError::PriceStale,
        );
        refuses(
            &update(),
            NOW - 9,
            Grade::Loose,
            BallastError::PriceReplayed,
        );
        check(&update(), NOW - 10, Grade::Loose).unwrap();
        refuses(
            &with(|p| p.conf = p.price as u64 / 199),
            0,
            Grade::Tight,
            BallastError::PriceTooWide,
        );
        check(&with(|p| p.conf = p.price as u64 / 199), 0, Grade::Loose).unwrap();
        refuses(
            &with(|p| p.conf = u64::MAX),
            0,
            Grade::Loose,
            BallastError::PriceTooWide,
        );
        refuses(
            &with(|p| p.ema_price = p.price * 100 / 96),
            0,
            Grade::Tight,
            BallastError::PriceDiverged,
        );
        refuses(
            &with(|p| p.ema_price = p.price * 100 / 104),
            0,
            Grade::Tight,
            BallastError::PriceDiverged,
        );
        check(
            &with(|p| p.ema_price = p.price * 100 / 104),
            0,
            Grade::Loose,
        )
        .unwrap();
        refuses(
            &with(|p| p.ema_price = 0),
            0,
            Grade::Tight,
            BallastError::PriceMalformed,
        );
    }
}
