//! Sums over a book, and its order by danger.

use ballast::state::Position as Stored;
use ballast_model::{
    Bps, Position, SqrtPrice, Valuation,
    lending::ReserveState,
    screen::{RiskInput, risk},
};
use ballast_snapshot::{MarketSnapshot, Pubkey, position_in};
use ballast_strategy::{
    fee_yield::{MeasuredYield, weighed_down},
    prices::PriceFault,
    situation::SituationError,
    sweep::Sweep,
};

use crate::{
    book::{BookMove, BookView, Contingency, HedgePnl, NearestInBook},
    detail::{curvature_day, maintenance},
    figures::{nearest, reached, scale},
    moves::{moved, trigger},
    position::{Nearest, PnlParts},
    status::Known,
    text::signed_amount,
};

/// Moves that are shown of the book.
const MOVES_BPS: [i32; 7] = [-2_000, -1_000, -500, 0, 500, 1_000, 2_000];

/// A position as it is summed up and sorted: a fraction of what a row takes.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its address.
    pub address: Pubkey,
    /// Its number.
    pub id: u64,
    /// As a value, debts with interest.
    pub model: Position,
    /// At the oracle's price.
    pub value: Valuation,
    /// At the oracle's price.
    pub delta: i128,
    /// Whether the pool's price is in its band.
    pub in_range: bool,
    /// Raw base per raw price.
    pub gamma: f64,
    /// The nearer maintenance boundary.
    pub nearest: Option<Nearest>,
    /// The lowest LTV from which a keeper deleverages.
    pub trigger: Bps,
}

/// What all positions of a market share at one moment.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    market: &'a MarketSnapshot,
    reserves: [ReserveState; 2],
    oracle: SqrtPrice,
    sigma_day: f64,
}

impl<'a> Lines<'a> {
    /// Of a market.
    ///
    /// # Errors
    /// [`SituationError`].
    pub fn new(market: &'a MarketSnapshot, sigma_day: f64) -> Result<Self, SituationError> {
        Ok(Self {
            market,
            reserves: market.reserves_at(market.now_secs)?,
            oracle: market.oracle_sqrt_price().map_err(PriceFault::from)?,
            sigma_day,
        })
    }

    /// One position. Boundaries are those of the screening, which agree with the exact ones to a part in a billion.
    ///
    /// # Errors
    /// [`SituationError`].
    pub fn line(&self, address: Pubkey, stored: &Stored) -> Result<Line, SituationError> {
        let model = position_in(stored, &self.reserves)?;
        let (value, delta) = model.value_and_delta(self.oracle)?;
        let report = risk(&RiskInput::<f64>::new(
            &model,
            self.oracle,
            maintenance(self.market),
        ));
        let scale = scale(self.market);
        let raw = |end: Option<f64>| end.map(|end| scale.raw_price(end));
        let reach = |end: &f64| {
            let low = scale.price(model.band.sqrt_lower());
            let high = scale.price(model.band.sqrt_upper());
            *end >= low * 1e-6 && *end <= high * 1e6
        };
        let price = scale.price(self.oracle);
        let upper = raw(report.upper).filter(reach);
        let nearest = if value.ltv_at_least(maintenance(self.market)) {
            Some(reached(price, upper))
        } else {
            nearest(
                price,
                raw(report.lower).filter(reach),
                upper,
                self.sigma_day,
            )
        };
        Ok(Line {
            address,
            id: stored.id,
            value,
            delta,
            in_range: model.band.contains(self.market.pool.sqrt_price),
            gamma: report.gamma,
            nearest,
            trigger: trigger(self.market, stored),
            model,
        })
    }
}

/// What others say about the book.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Change of equity in a day, raw quote units.
    pub day: Option<i128>,
    /// Where profit and loss come from.
    pub split: Option<[i128; 5]>,
    /// Buffer against a gap.
    pub contingency: Contingency,
    /// Fees a day that a position in its band is expected to earn, of its assets, as long as nothing is measured.
    pub fee_day_bps: u32,
    /// What the pool has paid its liquidity.
    pub fee_yield: Option<MeasuredYield>,
    /// Base held at a venue, raw; `None`: there is no hedge.
    pub hedge: Option<i128>,
    /// What it has earned.
    pub hedge_pnl: Option<HedgePnl>,
}

/// Adds up.
///
/// # Errors
/// [`SituationError`].
pub fn book(
    version: u64,
    market: &MarketSnapshot,
    sigma_day: f64,
    lines: &[Line],
    unvalued: usize,
    beside: Beside,
) -> Result<BookView, SituationError> {
    let oracle = market.oracle_sqrt_price().map_err(PriceFault::from)?;
    let scale = scale(market);
    let price = scale.price(oracle);
    let (base_decimals, quote_decimals) =
        (market.market.base_decimals, market.market.quote_decimals);
    let base = |raw| signed_amount(raw, base_decimals);
    let quote = |raw| signed_amount(raw, quote_decimals);
    let sum = |of: fn(&Line) -> i128| lines.iter().map(of).fold(0i128, i128::saturating_add);
    let signed = |value: u128| i128::try_from(value).unwrap_or(i128::MAX);
    let delta = sum(|line| line.delta);
    let hedge = beside.hedge.unwrap_or(0);
    let gamma = scale.gamma(lines.iter().map(|line| line.gamma).sum());
    let earning = || lines.iter().filter(|line| line.in_range);
    let assets: u128 = earning().map(|line| line.value.assets).sum();
    let configured = Bps::new(beside.fee_day_bps).of_down(assets).unwrap_or(0);
    let measured = beside.fee_yield.map(|measured| {
        let liquidity = earning().map(|line| line.model.liquidity);
        let liquidity = liquidity.fold(0u128, u128::saturating_add);
        (measured.of_liquidity_down(liquidity, oracle), measured)
    });
    let fees_day = weighed_down(configured, measured);
    let nearest = lines
        .iter()
        .filter_map(|line| Some((line, line.nearest?)))
        .min_by(|a, b| a.1.sigma_days.total_cmp(&b.1.sigma_days));
    let moves = Moves::new(market, lines, oracle, hedge);
    let what_if = MOVES_BPS
        .into_iter()
        .map(|move_bps| moves.after(move_bps))
        .collect::<Result<_, _>>()?;
    Ok(BookView {
        version,
        market: market.address.to_string(),
        equity: quote(sum(|line| line.value.equity())),
        assets: quote(signed(lines.iter().map(|line| line.value.assets).sum())),
        debt: quote(signed(lines.iter().map(|line| line.value.debt).sum())),
        pnl_day: beside.day.map(quote),
        delta: base(delta),
        hedge_delta: base(hedge),
        net_delta: base(delta.saturating_add(hedge)),
        gamma_1pct: format!("{:.*}", usize::from(base_decimals), gamma * price / 100.0),
        curvature_day: format!(
            "{:.*}",
            usize::from(quote_decimals),
            curvature_day(gamma, price, sigma_day)
        ),
        fees_day: quote(signed(fees_day)),
        fees_day_state: if beside.fee_yield.is_some() {
            "measured"
        } else {
            "expected"
        },
        pnl_parts: PnlParts::new(beside.split, quote_decimals),
        nearest: nearest.map(|(line, nearest)| NearestInBook {
            position: line.address.to_string(),
            id: line.id,
            side: nearest.side,
            distance_bps: nearest.distance_bps,
            sigma_days: nearest.sigma_days,
        }),
        contingency: beside.contingency,
        what_if,
        unvalued,
        hedge_state: if beside.hedge.is_some() {
            Known::Known
        } else {
            Known::Unknown
        },
        hedge_pnl: beside.hedge_pnl,
    })
}

/// A book at other prices. The screen looks at every position, and only who may have reached its trigger is looked at exactly: of a large
/// book that is a fraction of valuing all of it at each price.
struct Moves<'a> {
    market: &'a MarketSnapshot,
    lines: &'a [Line],
    sweep: Sweep,
    oracle: SqrtPrice,
    maintenance: Bps,
    hedge: i128,
}

impl<'a> Moves<'a> {
    fn new(market: &'a MarketSnapshot, lines: &'a [Line], oracle: SqrtPrice, hedge: i128) -> Self {
        let maintenance = maintenance(market);
        let mut sweep = Sweep::default();
        for (id, line) in (0..).zip(lines) {
            // Who can be liquidated has reached it as well.
            sweep.insert(id, &line.model, line.trigger.min(maintenance));
        }
        Self {
            market,
            lines,
            sweep,
            oracle,
            maintenance,
            hedge,
        }
    }

    /// Counts are exact. Equity is that of the rows at the present price; elsewhere it is a sum in `f64`, which lacks the rows' rounding
    /// to whole units.
    fn after(&self, move_bps: i32) -> Result<BookMove, SituationError> {
        let Self { market, oracle, .. } = *self;
        let to = if move_bps == 0 {
            oracle
        } else {
            moved(oracle, move_bps)?
        };
        let mut suspects = Vec::new();
        let totals = self.sweep.at(to, &mut suspects);
        let equity = if move_bps == 0 {
            let equities = self.lines.iter().map(|line| line.value.equity());
            equities.fold(0i128, i128::saturating_add)
        } else {
            totals.equity().round() as i128
        };
        let (mut above, mut liquidated) = (0, 0);
        for line in suspects
            .iter()
            .filter_map(|id| self.lines.get(*id as usize))
        {
            let value = line.model.value(to)?;
            above += usize::from(value.ltv_at_least(line.trigger));
            liquidated += usize::from(value.ltv_at_least(self.maintenance));
        }
        let scale = scale(market);
        let quote_decimals = market.market.quote_decimals;
        let gained = scale.base(self.hedge as f64) * (scale.price(to) - scale.price(oracle));
        let gained = (gained * 10f64.powi(quote_decimals.into())).round() as i128;
        Ok(BookMove {
            move_bps,
            price: scale.price(to),
            equity_gap: signed_amount(equity.saturating_add(gained), quote_decimals),
            positions_above_trigger_gap: above,
            positions_liquidated_gap: liquidated,
        })
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;
    use crate::{book::ContingencyState, figures::Figures};

    fn beside() -> Beside {
        Beside {
            day: None,
            split: None,
            contingency: Contingency {
                gap_bps: 1_000,
                needed_quote: None,
                needed_base: None,
                have_quote: None,
                have_base: None,
                state: ContingencyState::Unknown,
            },
            fee_day_bps: 20,
            fee_yield: None,
            hedge: None,
            hedge_pnl: None,
        }
    }

    #[test]
    fn what_may_be_liquidated_now_is_nearest_of_all_however_far_beyond() {
        let mut days = Vec::new();
        for dollars in [200, 250, 290, 400] {
            let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
            fixtures::book_debts(&mut market, &position);
            let figures = Figures::new(&market, market.address, &position).unwrap();
            let lines = Lines::new(&market, 0.04).unwrap();
            let line = lines.line(market.address, &position).unwrap();
            let nearest = line.nearest.unwrap();
            assert_eq!(Some(nearest), figures.nearest(0.04));
            let over = figures.value.ltv_at_least(maintenance(&market));
            assert_eq!(nearest.sigma_days == 0.0, over, "at {dollars}");
            days.push(nearest.sigma_days);
        }
        assert!(days[0] > days[1] && days[3] == 0.0, "{days:?}");
    }

    #[test]
    fn sums_are_the_sums_of_what_rows_show() {
        let (mut market, position) = (fixtures::snapshot(203), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let figures = Figures::new(&market, market.address, &position).unwrap();
        let lines = Lines::new(&market, 0.04).unwrap();
        let line = lines.line(market.address, &position).unwrap();
        assert_eq!(
            (line.value, line.delta, line.model),
            (figures.value, figures.delta, figures.model)
        );
        assert_eq!(line.nearest, figures.nearest(0.04));
        let book = book(3, &market, 0.04, &[line, line], 1, beside()).unwrap();
        assert_eq!(book.equity, figures.quote(2 * figures.value.equity()));
        assert_eq!(book.delta, figures.base(2 * figures.delta));
        assert_eq!(book.net_delta, book.delta);
        assert_eq!(book.what_if[3].equity_gap, book.equity);
        assert_eq!(book.unvalued, 1);
        for one in &book.what_if {
            let at = if one.move_bps == 0 {
                figures.oracle
            } else {
                moved(figures.oracle, one.move_bps).unwrap()
            };
            let value = figures.model.value(at).unwrap();
            let units = one.equity_gap.replace('.', "").parse::<i128>().unwrap();
            // A unit of the pool's base is worth less than one of quote, and there are three of those.
            let lacks = units - 2 * value.equity();
            assert!((0..=8).contains(&lacks), "{}: {lacks}", one.move_bps);
            let gone = value.ltv_at_least(Bps::new(8_300));
            assert_eq!(one.positions_liquidated_gap, 2 * usize::from(gone));
            let above = value.ltv_at_least(line.trigger);
            assert_eq!(one.positions_above_trigger_gap, 2 * usize::from(above));
        }
        // What the pool has paid outweighs what is configured: a basis point of `2 L s` a day, and next to nothing of the other.
        let measured = Beside {
            fee_day_bps: 0,
            fee_yield: Some(MeasuredYield {
                day_x64: u64::MAX / 10_000,
                secs: 18 * 3_600,
            }),
            ..beside()
        };
        let paid = super::book(3, &market, 0.04, &[line, line], 0, measured).unwrap();
        let range =
            2.0 * figures.model.liquidity as f64 * figures.oracle.x64() as f64 / 2f64.powi(64);
        let expected = 2.0 * range / 1e4 * 0.75 / 1e6;
        let said: f64 = paid.fees_day.parse().unwrap();
        assert!((said / expected - 1.0).abs() < 1e-3, "{said} {expected}");
        assert_eq!(
            (paid.fees_day_state, book.fees_day_state),
            ("measured", "expected")
        );
        // A hedge moves with the price and is no part of the positions.
        let hedged = super::book(
            3,
            &market,
            0.04,
            &[line],
            0,
            Beside {
                hedge: Some(-1_000_000_000),
                ..beside()
            },
        )
        .unwrap();
        let single = super::book(3, &market, 0.04, &[line], 0, beside()).unwrap();
        let parsed = |text: &str| text.parse::<f64>().unwrap();
        let lost = parsed(&hedged.what_if[5].equity_gap) - parsed(&single.what_if[5].equity_gap);
        assert!((lost + 20.3).abs() < 1e-3, "{lost}");
    }
}
