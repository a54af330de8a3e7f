//! A market's view, from its accounts.

use ballast::{
    oracle::{confidence_ppm_up, ema_divergence_ppm_up},
    state::{MarketMode, StageRules},
};
use ballast_abi::pyth::PriceUpdate;
use ballast_model::{Bps, Side, lending::ReserveState};
use ballast_snapshot::MarketSnapshot;
use ballast_strategy::{Tokens, situation::SituationError};

use crate::{
    figures::scale,
    lending::ReserveView,
    market::{Limits, MarketView, OracleView, StageEvidence},
    text::amount,
};

/// What a market's view is made of.
#[derive(Clone, Copy, Debug)]
pub struct ShownMarket<'a> {
    /// The market as its accounts have it.
    pub on_chain: &'a MarketSnapshot,
    /// The same at the newest prices known.
    pub newest: &'a MarketSnapshot,
    /// Its tokens.
    pub tokens: Tokens<'a>,
    /// A usual day's move, as a part of the price.
    pub sigma_day: f64,
    /// Whether that is measured.
    pub sigma_measured: bool,
}

/// A market's mode as answers and commands name it.
pub fn mode_name(mode: MarketMode) -> &'static str {
    match mode {
        MarketMode::Normal => "normal",
        MarketMode::NoNewRisk => "no_new_risk",
        MarketMode::ReduceOnly => "reduce_only",
    }
}

impl ShownMarket<'_> {
    /// The view.
    ///
    /// # Errors
    /// [`SituationError`].
    pub fn view(&self, version: u64) -> Result<MarketView, SituationError> {
        let Self { newest, tokens, .. } = self;
        let (market, scale) = (&newest.market, scale(newest));
        let price = newest
            .oracle_sqrt_price()
            .ok()
            .map(|root| scale.price(root));
        let pool_price = scale.price(newest.pool.sqrt_price);
        let limits = &market.limits;
        let mode = mode_name(market.mode_at(newest.now_secs));
        let deviation = price.map(|price| (pool_price / price - 1.0) * 1e4);
        Ok(MarketView {
            version,
            market: newest.address.to_string(),
            name: format!("{}/{}", tokens.base, tokens.quote),
            base: tokens.base.to_owned(),
            quote: tokens.quote.to_owned(),
            pool: market.whirlpool.to_string(),
            slot: newest.slot,
            price,
            pool_price,
            deviation_bps: deviation.map(tenth),
            max_deviation_bps: limits.max_pool_deviation_bps,
            oracle: OracleView {
                age_secs: newest.price_age_secs(newest.now_secs),
                max_age_tight_secs: market.oracle_rules.max_age_tight_secs,
                max_age_loose_secs: market.oracle_rules.max_age_loose_secs,
                confidence_bps: sum_ppm(newest).map(|ppm| tenth(ppm as f64 / 100.0)),
                ema_divergence_bps: ema_ppm(newest).map(|ppm| tenth(ppm as f64 / 100.0)),
            },
            mode: mode.to_owned(),
            stage: market.stage.stage,
            stage_evidence: self.evidence(deviation),
            limits: Limits {
                max_leverage_bps: limits.max_leverage_bps,
                initial_ltv_bps: limits.initial_ltv_bps,
                deleverage_ltv_bps: limits.deleverage_ltv_bps,
                target_ltv_bps: limits.target_ltv_bps,
                maintenance_ltv_bps: limits.maintenance_ltv_bps,
                liquidation_bonus_bps: limits.liquidation_bonus_bps,
                stress_distance_bps: limits.stress_distance_bps,
            },
            sigma_day: self.sigma_day,
            sigma_state: if self.sigma_measured {
                "measured"
            } else {
                "assumed"
            },
            reserves: vec![
                ReserveView::new(newest, Side::Base, tokens.base)?,
                ReserveView::new(newest, Side::Quote, tokens.quote)?,
            ],
        })
    }

    /// What the chain would see, and from where on it counts.
    fn evidence(&self, deviation: Option<f64>) -> Vec<StageEvidence> {
        let Self { on_chain, .. } = self;
        let StageRules {
            silence_secs,
            confidence_bps,
            ema_divergence_bps,
            pool_divergence_bps,
            depth_drop_bps,
            utilisation_bps,
            ..
        } = on_chain.market.stages;
        let one = |name: &str, value: Option<String>, threshold: u32, unit: &str| StageEvidence {
            name: name.to_owned(),
            value: value.unwrap_or_else(|| "not known".to_owned()),
            raises_at: (threshold > 0).then(|| match unit {
                "%" => percent(f64::from(threshold)),
                "fall" => format!("-{}", percent(f64::from(threshold))),
                unit => format!("{threshold} {unit}"),
            }),
        };
        let bps = |ppm: u64| format!("{} bp", tenth(ppm as f64 / 100.0));
        let average = on_chain.market.stage.average_depth.get();
        let depth = (average > 0).then(|| {
            let change = on_chain.pool.liquidity as f64 / average as f64 - 1.0;
            format!("{:+.1} %", change * 100.0)
        });
        let used = [Side::Base, Side::Quote].map(|side| {
            on_chain
                .reserve(side)
                .utilisation_before_slot_bps(on_chain.slot)
                .ok()
        });
        let used = used.into_iter().flatten().max();
        vec![
            one(
                "silence",
                Some(format!("{} s", on_chain.price_age_secs(on_chain.now_secs))),
                silence_secs,
                "s",
            ),
            one(
                "confidence",
                sum_ppm(on_chain).map(bps),
                confidence_bps,
                "bp",
            ),
            one(
                "EMA divergence",
                ema_ppm(on_chain).map(bps),
                ema_divergence_bps,
                "bp",
            ),
            one(
                "pool divergence",
                deviation.map(|bps| format!("{} bp", tenth(bps.abs()))),
                pool_divergence_bps,
                "bp",
            ),
            one("depth", depth, depth_drop_bps, "fall"),
            one(
                "utilisation",
                used.map(|bps| percent(f64::from(bps))),
                utilisation_bps,
                "%",
            ),
        ]
    }
}

fn percent(bps: f64) -> String {
    format!("{} %", tenth(bps / 100.0))
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn feeds(market: &MarketSnapshot) -> [&PriceUpdate; 2] {
    [&market.base_price, &market.quote_price]
}

/// Confidence of both feeds together, parts per million.
fn sum_ppm(market: &MarketSnapshot) -> Option<u64> {
    let [base, quote] = feeds(market).map(|update| confidence_ppm_up(update).ok());
    base?.checked_add(quote?)
}

/// Distance from the average of the worse feed, parts per million.
fn ema_ppm(market: &MarketSnapshot) -> Option<u64> {
    let [base, quote] = feeds(market).map(|update| ema_divergence_ppm_up(update).ok());
    Some(base?.max(quote?))
}

impl ReserveView {
    /// Of one side of a market, interest to the snapshot's time.
    ///
    /// # Errors
    /// [`SituationError`].
    pub fn new(market: &MarketSnapshot, side: Side, token: &str) -> Result<Self, SituationError> {
        let reserve = market.reserve(side);
        let state = market.reserve_at(side, market.now_secs)?;
        let lending = |error| {
            SituationError::Snapshot(ballast_snapshot::SnapshotError::Lending { side, error })
        };
        let curve = reserve.curve();
        let shown = |raw| amount(raw, reserve.decimals);
        Ok(Self {
            token: token.to_owned(),
            supplied: shown(state.total_assets_down().map_err(lending)?),
            borrowed: shown(state.total_debt_up().map_err(lending)?),
            available: shown(state.liquidity),
            utilisation_bps: state.utilisation_bps_up().map_err(lending)?.get(),
            borrow_rate_bps: state.borrow_rate_bps_up(&curve).map_err(lending)?.get(),
            supply_rate_bps: state
                .supply_rate_bps_down(&curve, Bps::new(reserve.reserve_factor_bps))
                .map_err(lending)?
                .get(),
            share_price: share_price(&state).map_err(lending)?,
            supply_cap: shown(reserve.supply_cap),
            borrow_cap: shown(reserve.borrow_cap),
            insurance: shown(state.insurance),
            bad_debt: shown(reserve.bad_debt),
            shown_loss: shown(reserve.shown_loss),
        })
    }
}

/// Tokens that a share is worth: one, before there are any.
fn share_price(state: &ReserveState) -> Result<String, ballast_model::lending::LendingError> {
    if state.supply_shares == 0 {
        return Ok("1.000000000".to_owned());
    }
    let lenders = state.total_assets_down()?.saturating_sub(state.insurance);
    Ok(format!(
        "{:.9}",
        lenders as f64 / state.supply_shares as f64
    ))
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;

    #[test]
    fn a_market_is_shown_with_its_evidence_beside_its_rules() {
        let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        market.pool.sqrt_price = fixtures::sqrt_price_cents(20_100);
        market.market.stages.pool_divergence_bps = 200;
        let shown = ShownMarket {
            on_chain: &market,
            newest: &market,
            tokens: fixtures::TOKENS,
            sigma_day: 0.04,
            sigma_measured: false,
        };
        let view = shown.view(5).unwrap();
        assert_eq!(
            (view.name.as_str(), view.mode.as_str(), view.stage),
            ("SOL/USDC", "normal", 0)
        );
        assert_eq!(
            (view.price.map(f64::round), view.deviation_bps),
            (Some(200.0), Some(50.0))
        );
        let pool = &view.stage_evidence[3];
        assert_eq!(
            (pool.value.as_str(), pool.raises_at.as_deref()),
            ("50 bp", Some("200 bp"))
        );
        assert_eq!(view.stage_evidence[4].value, "not known");
        assert_eq!(view.stage_evidence[4].raises_at, None);
        // One basis point of confidence in each feed.
        assert_eq!(view.oracle.confidence_bps, Some(2.0));
        let [base, quote] = [&view.reserves[0], &view.reserves[1]];
        let number = |text: &str| text.parse::<f64>().unwrap();
        assert!(number(&quote.borrowed) > 0.0 && number(&base.borrowed) > 0.0);
        assert_eq!(base.share_price, "1.000000000");
        assert_eq!(view.sigma_state, "assumed");
    }
}
