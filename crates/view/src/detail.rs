//! Rows and details, from figures and the keeper's decision.

use ballast::state::Automation;
use ballast_model::{Bps, Position, SqrtPrice, Tick};
use ballast_strategy::{
    Tokens,
    decide::{Explanation, explain},
    situation::{Situation, SituationError},
};

use crate::{
    decision::DecisionView,
    explain::{Story, liquidatable, next, sentence, thresholds},
    figures::{Figures, leverage},
    moves::{trigger, what_if},
    overrides::Override,
    position::{
        CurvePoint, EntryView, Extras, OwnersWishes, PnlParts, PolicyView, PositionDetail,
        PositionView, Row,
    },
    status::Known,
    text::{amount, signed_amount},
    unwind::unwind,
};

/// Points of the curve, evenly spaced; more in the band.
const POINTS: u32 = 120;
const BAND_POINTS: u32 = 24;

/// What lies farther away than these parts of the price is not drawn: it would press everything else together.
const LEAST_DRAWN: f64 = 0.2;
const MOST_DRAWN: f64 = 3.0;

/// What others keep about a position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Change of equity in a day, raw quote units.
    pub day: Option<i128>,
    /// Where profit and loss come from: fees, interest, drift, curvature, costs, raw quote units, and since when that is known.
    pub split: Option<([i128; 5], i64)>,
    /// The position as it was opened.
    pub opened: Option<Opened>,
}

/// A position as it was opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opened {
    /// The oracle's price then.
    pub price: SqrtPrice,
    /// The position.
    pub position: Position,
}

/// Everything that a view of a position is made of.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What the keeper decides on.
    pub situation: &'a Situation<'a>,
    /// Its address.
    pub address: ballast_snapshot::Pubkey,
    /// The market's tokens.
    pub tokens: Tokens<'a>,
    /// A usual day's move, as a part of the price.
    pub sigma_day: f64,
    /// The keeper's mode for this position.
    pub mode: &'a str,
    /// The override that binds the position.
    pub held: Option<&'a Override>,
    /// Whether the keeper may do anything for it.
    pub may_act: bool,
    /// What others keep about it.
    pub past: &'a Past,
}

impl Seen<'_> {
    fn figures(&self) -> Result<Figures<'_>, SituationError> {
        Figures::new(self.situation.market, self.address, self.situation.position)
    }

    fn extras(&self, figures: &Figures, explanation: &Explanation) -> Extras {
        let automation = &figures.stored.automation;
        Extras {
            label: None,
            hedge_tolerance: amount(
                explanation.assessment.hedge_tolerance,
                self.tokens.decimals.0,
            ),
            nearest: figures.nearest(self.sigma_day),
            next: next(figures.market, automation, explanation),
            decision: DecisionView::new(&explanation.assessment, self.tokens, self.held),
            mode: self.mode.to_owned(),
            paused: self.held.cloned(),
            pnl_day: self.past.day.map(|day| figures.quote(day)),
        }
    }

    /// A row of the book.
    ///
    /// # Errors
    /// [`SituationError`].
    pub fn row(&self) -> Result<Row, SituationError> {
        let figures = self.figures()?;
        let extras = self.extras(&figures, &explain(self.situation)?);
        Ok(Row::new(PositionView::of(&figures)?, extras))
    }

    /// Everything.
    ///
    /// # Errors
    /// [`SituationError`].
    pub fn detail(&self, version: u64) -> Result<PositionDetail, SituationError> {
        let figures = self.figures()?;
        let explanation = explain(self.situation)?;
        let extras = self.extras(&figures, &explanation);
        let view = PositionView::of(&figures)?;
        let (market, stored, scale) = (figures.market, figures.stored, figures.scale());
        let automation = &stored.automation;
        let said = sentence(&Story {
            decision: &extras.decision,
            next: &extras.next,
            view: &view,
            hedge_tolerance: &extras.hedge_tolerance,
            tokens: self.tokens,
            paused: self.held,
            liquidatable: liquidatable(market, &explanation.assessment),
            mode: Some(self.mode),
        });
        let gamma = scale.gamma(figures.gamma_raw());
        let price = view.price;
        let base = |value: f64| format!("{value:.*}", usize::from(scale.base_decimals));
        let quote = |value: f64| format!("{value:.*}", usize::from(scale.quote_decimals));
        let pnl = figures.pnl()?;
        let fees = self.situation.outlook.fees;
        let fees_waiting = fees.and_then(|fees| {
            let base = ballast_model::value_down(fees.base, figures.oracle).ok()?;
            i128::try_from(base.saturating_add(fees.quote.into())).ok()
        });
        Ok(PositionDetail {
            version,
            sentence: said,
            fees_waiting: fees_waiting.map(|value| figures.quote(value)),
            gamma: base(gamma),
            gamma_1pct: base(gamma * price / 100.0),
            curvature_day: quote(curvature_day(gamma, price, self.sigma_day)),
            thresholds: thresholds(market, automation, &explanation),
            entry: entry(&figures, &view, self.past.opened.as_ref())?,
            pnl: PnlParts::new(
                self.past.split.map(|(parts, _)| parts),
                scale.quote_decimals,
            ),
            pnl_total: figures.quote(pnl),
            pnl_observed_from_secs: self.past.split.map(|(_, since)| since),
            deleverage_ltv_bps: trigger(market, stored).get(),
            policy: OwnersWishes {
                policy: PolicyView::from(&stored.policy),
                recenter: automation.max_width_ticks > 0,
                equity_floor: (automation.at_floor != 0 && automation.min_equity > 0)
                    .then(|| amount(automation.min_equity, scale.quote_decimals)),
                window: window(automation).map(|end| end.map(|end| scale.price(end))),
            },
            unwind: unwind(&figures)?,
            what_if: what_if(&figures, self.situation, self.may_act)?,
            curve: curve(&figures, self.past.opened.as_ref()),
            view,
            extras,
        })
    }
}

/// What curvature is expected to cost a day: half of gamma times the squared usual move.
pub fn curvature_day(gamma: f64, price: f64, sigma_day: f64) -> f64 {
    gamma * (price * sigma_day).powi(2) / 2.0
}

fn entry(
    figures: &Figures,
    view: &PositionView,
    opened: Option<&Opened>,
) -> Result<EntryView, SituationError> {
    let (mut leverage_bps, mut boundaries) = (None, (None, None));
    if let Some(Opened { price, position }) = opened {
        leverage_bps = leverage(&position.value(*price)?);
        boundaries = figures.liquidation_prices_of(position)?;
    }
    Ok(EntryView {
        price: view.entry_price,
        equity: view.entry_equity.clone(),
        secs: figures.stored.entry.opened_at_secs,
        leverage_bps,
        liquidation_lower: boundaries.0,
        liquidation_upper: boundaries.1,
        as_opened_state: match opened {
            Some(_) => Known::Known,
            None => Known::Unknown,
        },
    })
}

fn window(automation: &Automation) -> [Option<SqrtPrice>; 2] {
    let ends = [automation.window_low_tick, automation.window_high_tick];
    ends.map(|tick| Tick::new(tick).ok().map(Tick::sqrt_price))
}

/// The position along the price: from below everything that matters to above it.
fn curve(figures: &Figures, opened: Option<&Opened>) -> Vec<CurvePoint> {
    let scale = figures.scale();
    let (now, band) = (
        figures.price(),
        [
            figures.model.band.sqrt_lower(),
            figures.model.band.sqrt_upper(),
        ]
        .map(|end| scale.price(end)),
    );
    let (lower, upper) = figures.liquidation_prices();
    let marks: Vec<f64> = [lower, upper, Some(band[0]), Some(band[1]), Some(now)]
        .into_iter()
        .flatten()
        .collect();
    let least = marks.iter().copied().fold(f64::INFINITY, f64::min);
    let most = marks.iter().copied().fold(0.0, f64::max);
    let (left, right) = (
        (least * 0.94).max(now * LEAST_DRAWN),
        (most * 1.06).min(now * MOST_DRAWN),
    );
    let between = |from: f64, to: f64, points: u32| {
        (0..=points).map(move |index| from + (to - from) * f64::from(index) / f64::from(points))
    };
    let mut prices: Vec<f64> = between(left, right, POINTS)
        .chain(between(band[0], band[1], BAND_POINTS))
        .chain(
            marks
                .iter()
                .copied()
                .filter(|mark| (left..=right).contains(mark)),
        )
        .collect();
    prices.sort_by(f64::total_cmp);
    prices.dedup();
    prices
        .into_iter()
        .filter_map(|price| point(figures, opened, price))
        .collect()
}

fn point(figures: &Figures, opened: Option<&Opened>, price: f64) -> Option<CurvePoint> {
    let scale = figures.scale();
    let at = scale.sqrt_price(price)?;
    let (value, delta) = figures.model.value_and_delta(at).ok()?;
    let round = |value: f64, places: f64| (value * places).round() / places;
    Some(CurvePoint {
        price: round(price, 1e6),
        // A hundredth is more than a picture shows.
        equity: round(scale.quote(value.equity() as f64), 100.0),
        as_opened: opened
            .and_then(|opened| opened.position.value(at).ok())
            .map(|value| round(scale.quote(value.equity() as f64), 100.0)),
        delta: round(scale.base(delta as f64), 1e4),
        ltv_bps: (value.assets > 0).then(|| value.ltv_bps_up()),
        leverage_bps: leverage(&value),
    })
}

impl Row {
    /// Of its parts.
    pub fn new(view: PositionView, extras: Extras) -> Self {
        Self {
            position: view.position,
            id: view.id,
            owner: view.owner,
            market: view.market,
            price: view.price,
            lower: view.lower,
            upper: view.upper,
            in_range: view.in_range,
            equity: view.equity,
            assets: view.assets,
            debt: view.debt,
            delta: view.delta,
            hedge_error: view.hedge_error,
            ltv_bps: view.ltv_bps,
            leverage_bps: view.leverage_bps,
            liquidation_lower: view.liquidation_lower,
            liquidation_upper: view.liquidation_upper,
            keepers_allowed: view.keepers_allowed,
            extras,
        }
    }
}

impl PnlParts {
    /// Fees, interest, drift, curvature, costs, raw quote units; `None`: not known.
    pub fn new(parts: Option<[i128; 5]>, quote_decimals: u8) -> Self {
        let part = |index: usize| {
            let parts = parts?;
            Some(signed_amount(*parts.get(index)?, quote_decimals))
        };
        Self {
            state: if parts.is_some() {
                Known::Known
            } else {
                Known::Unknown
            },
            fees: part(0),
            interest: part(1),
            drift: part(2),
            curvature: part(3),
            costs: part(4),
        }
    }
}

/// The LTV at which somebody is liquidated, as the screening takes it.
pub(crate) fn maintenance(market: &ballast_snapshot::MarketSnapshot) -> Bps {
    Bps::new(market.market.limits.maintenance_ltv_bps)
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;

    fn detail(dollars: i64, past: &Past) -> PositionDetail {
        let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let situation = fixtures::situation(&market, &position);
        let seen = Seen {
            situation: &situation,
            address: market.address,
            tokens: fixtures::TOKENS,
            sigma_day: 0.04,
            mode: "active",
            held: None,
            may_act: true,
            past,
        };
        let row = serde_json::to_value(seen.row().unwrap()).unwrap();
        let detail = seen.detail(7).unwrap();
        let whole = serde_json::to_value(&detail).unwrap();
        for (key, value) in row.as_object().unwrap() {
            assert_eq!(&whole[key], value, "{key}");
        }
        detail
    }

    /// The source document's worked example: 110.86 and 258.62 for LTV 80 %; the fixture's maintenance is 83 %.
    #[test]
    fn the_worked_example_has_its_numbers() {
        let detail = detail(200, &Past::default());
        assert_eq!((detail.version, detail.view.ltv_bps), (7, 6_667));
        // Opened at three; amounts are rounded against the position.
        assert!(matches!(detail.view.leverage_bps, Some(30_000..=30_002)));
        // gamma = -L / (2 P^1.5), in whole tokens.
        let liquidity: f64 = detail.view.liquidity.parse().unwrap();
        let exact = -(liquidity / 10f64.powf(7.5)) / (2.0 * 200f64.powf(1.5));
        let gamma: f64 = detail.gamma.parse().unwrap();
        assert!((gamma / exact - 1.0).abs() < 1e-5, "{gamma} {exact}");
        let cost: f64 = detail.curvature_day.parse().unwrap();
        assert!((cost / (exact * 64.0 / 2.0) - 1.0).abs() < 1e-3, "{cost}");
        let nearest = detail.extras.nearest.unwrap();
        let days = nearest.distance_bps.unsigned_abs() as f64 / 1e4 / 0.04;
        assert!((nearest.sigma_days - days).abs() < 0.01, "{nearest:?}");
        assert_eq!(detail.pnl.state, Known::Unknown);
        assert!(detail.pnl_observed_from_secs.is_none() && detail.pnl.fees.is_none());
    }

    #[test]
    fn the_curve_is_the_model_and_goes_through_the_present() {
        let detail = detail(203, &Past::default());
        let now = detail
            .curve
            .iter()
            .find(|point| point.price == 203.0)
            .unwrap();
        let equity: f64 = detail.view.equity.parse().unwrap();
        assert!(
            (now.equity - equity).abs() <= 0.0051,
            "{} {equity}",
            now.equity
        );
        assert_eq!(
            (now.ltv_bps, now.leverage_bps),
            (Some(detail.view.ltv_bps), detail.view.leverage_bps)
        );
        assert!(detail.curve.len() > 120 && detail.curve.is_sorted_by(|a, b| a.price <= b.price));
        let written = serde_json::to_string(&detail).unwrap();
        assert!(written.len() <= 30_000, "{}", written.len());
    }

    #[test]
    fn a_position_as_it_was_opened_has_a_curve_and_boundaries_of_its_own() {
        let before = detail(200, &Past::default());
        assert_eq!(before.entry.as_opened_state, Known::Unknown);
        assert!(before.entry.leverage_bps.is_none() && before.curve[0].as_opened.is_none());
        // Opened with the same band and debts, at the price of now: the curve as opened is the curve.
        let (mut market, position) = (fixtures::snapshot(200), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let figures = Figures::new(&market, market.address, &position).unwrap();
        let opened = Opened {
            price: figures.oracle,
            position: figures.model,
        };
        let past = Past {
            opened: Some(opened),
            ..Past::default()
        };
        let same = detail(200, &past);
        assert_eq!(same.entry.as_opened_state, Known::Known);
        assert_eq!(same.entry.leverage_bps, same.view.leverage_bps);
        assert_eq!(
            (same.entry.liquidation_lower, same.entry.liquidation_upper),
            (same.view.liquidation_lower, same.view.liquidation_upper)
        );
        assert!(
            same.curve
                .iter()
                .all(|point| point.as_opened == Some(point.equity))
        );
        // Opened with less debt, it was farther from its boundaries.
        let mut less = opened;
        less.position.debt.quote /= 2;
        let past = Past {
            opened: Some(less),
            ..past
        };
        let calmer = detail(200, &past);
        assert!(calmer.entry.leverage_bps < calmer.view.leverage_bps);
        assert!(
            calmer
                .curve
                .iter()
                .all(|point| point.as_opened > Some(point.equity))
        );
        assert!(serde_json::to_string(&calmer).unwrap().len() <= 30_000);
    }

    #[test]
    fn a_curve_holds_the_boundaries() {
        for dollars in [120, 200, 268] {
            let detail = detail(dollars, &Past::default());
            let ends = [0, detail.curve.len() - 1].map(|index| detail.curve[index].price);
            for at in [detail.view.liquidation_lower, detail.view.liquidation_upper] {
                let at = at.unwrap();
                assert!(ends[0] < at && at < ends[1], "{at} {ends:?}");
            }
        }
    }

    #[test]
    fn a_known_split_is_written_with_its_beginning() {
        let past = Past {
            day: Some(-1_500_000),
            split: Some(([1, -2, 3, -4, 5], 99)),
            opened: None,
        };
        let detail = detail(200, &past);
        assert_eq!(detail.extras.pnl_day.as_deref(), Some("-1.500000"));
        assert_eq!(detail.pnl.costs.as_deref(), Some("0.000005"));
        assert_eq!(
            (detail.pnl.state, detail.pnl_observed_from_secs),
            (Known::Known, Some(99))
        );
    }
}
