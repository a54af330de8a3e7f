//! What readers are told, in the API's types.

use ballast_history::{
    ActionRow, Figures, HedgePoint, Point, STEP_SECS,
    store::{ActionQuery, Before, Store, StoreError},
};
use ballast_model::{SqrtPrice, Tick};
use ballast_strategy::decide::ActionKind;
use ballast_view::{
    Action, ActionFigures, ActionOutcome, Opened, Past, Scale, text::signed_amount,
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use solana_sdk::pubkey::Pubkey;

use super::{Health, HistoryReader, Standing, hedge};
use crate::{api, hedge::HedgeNow};

/// Rows that are not of this keeper's journal are numbered from here on: above any intent's number, and exact as a double.
const ROWS_FROM: u64 = 1 << 52;
/// Most points of an answer: 250 days of them.
const MOST_POINTS: u32 = 24_000;

/// What stands in a row of [`HistoryReader::rows`].
pub const FIELDS: [&str; 9] = [
    "secs",
    "price",
    "delta",
    "ltv_bps",
    "leverage_bps",
    "equity",
    "lower",
    "upper",
    "pnl",
];

/// What stands in a row of [`HistoryReader::hedge_rows`]. Amounts of money are dollars.
pub const HEDGE_FIELDS: [&str; 9] = [
    "secs",
    "price",
    "position",
    "equity",
    "realised",
    "unrealised",
    "funding",
    "fees",
    "pnl",
];

impl HistoryReader {
    /// What is kept of a position.
    pub fn past(&self, position: &Pubkey) -> Past {
        self.standing(position)
            .map_or_else(Past::default, |standing| past(&standing))
    }

    /// The same of all of a market's positions that are open, together; known one by one since the latest of them.
    pub fn past_of_market(&self, market: &Pubkey) -> Past {
        let Ok(standings) = self.standings.read() else {
            return Past::default();
        };
        let of_market = standings
            .values()
            .filter(|standing| standing.market == *market && standing.track.closed_secs.is_none());
        let mut whole: Option<Past> = None;
        for standing in of_market {
            let next = past(standing);
            whole = Some(match whole {
                None => next,
                Some(before) => together(&before, &next),
            });
        }
        whole.unwrap_or_default()
    }

    /// A position's points from one time (inclusive) to another (exclusive), oldest first, as rows of [`FIELDS`]. Waits for the
    /// store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rows(
        &self,
        position: &Pubkey,
        from_secs: i64,
        to_secs: i64,
    ) -> Result<Vec<Vec<Option<f64>>>, StoreError> {
        let Some(standing) = self.standing(position) else {
            return Ok(Vec::new());
        };
        let address = position.to_string();
        let points =
            self.ask_now(|store| store.points(&address, from_secs..to_secs, MOST_POINTS))?;
        let scale = scale(&standing);
        Ok(points.iter().map(|point| row(point, scale)).collect())
    }

    /// Points of an account's perpetual from one time (inclusive) to another (exclusive), oldest first, as rows of [`HEDGE_FIELDS`].
    /// Waits for the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hedge_rows(
        &self,
        account: &str,
        coin: &str,
        from_secs: i64,
        to_secs: i64,
    ) -> Result<Vec<Vec<Option<f64>>>, StoreError> {
        let points = self
            .ask_now(|store| store.hedge_points(account, coin, from_secs..to_secs, MOST_POINTS))?;
        Ok(points.iter().map(hedge_row).collect())
    }

    /// Actions older than a number (`None`: all), newest first, at most so many, and whether there are more. Waits for the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn page(
        &self,
        position: Option<&Pubkey>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<Action>, bool), StoreError> {
        let query = ActionQuery {
            position: position.map(ToString::to_string),
            before: before.and_then(cursor),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        };
        let found = self.ask_now(|store| store.actions(&query))?;
        let rows = found.rows.iter();
        let shown = rows.filter_map(|row| self.action(row.id, &row.row));
        Ok((shown.collect(), found.more))
    }

    /// What owners do has no kind of its own in the API: it is left out.
    fn action(&self, id: i64, row: &ActionRow) -> Option<Action> {
        let kind = ActionKind::ALL
            .into_iter()
            .find(|kind| kind.to_string() == row.action)?;
        let standing = row
            .position
            .parse()
            .ok()
            .and_then(|position| self.standing(&position));
        let scale = standing.as_ref().map_or(
            Scale {
                base_decimals: 9,
                quote_decimals: 6,
            },
            scale,
        );
        let figures = |at: &Figures| ActionFigures {
            equity: signed_amount(at.equity, scale.quote_decimals),
            delta: Some(signed_amount(at.delta, scale.base_decimals)),
            ltv_bps: at.ltv_bps,
        };
        let unknown = ActionFigures {
            equity: signed_amount(0, scale.quote_decimals),
            delta: None,
            ltv_bps: 0,
        };
        Some(Action {
            id: row
                .intent
                .unwrap_or_else(|| ROWS_FROM.saturating_add(id.unsigned_abs())),
            secs: row.secs,
            position: row.position.clone(),
            number: row.number,
            market: standing
                .as_ref()
                .map(|standing| standing.market.to_string()),
            action: kind,
            reason: row.reason.clone().unwrap_or_default(),
            price: row
                .price_x64
                .and_then(|x64| SqrtPrice::new(x64).ok())
                .map_or(0.0, |root| scale.price(root)),
            outcome: outcome(&row.outcome)?,
            error: row.error.clone(),
            signature: row.signature.clone(),
            slot: row.slot.unwrap_or(0),
            cost: row
                .cost
                .map(|cost| signed_amount(-cost, scale.quote_decimals)),
            by: if row.intent.is_some() || row.signature.is_none() {
                "keeper"
            } else {
                "other"
            },
            before: row.before.as_ref().map_or(unknown, figures),
            after: row.after.as_ref().map(figures),
        })
    }

    /// As [`HistoryReader::ask`] for those who are not asynchronous, or must not wait there: the store is asked on another thread.
    fn ask_now<T: Send>(
        &self,
        question: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let mut store = self.location.open_to_read()?;
                question(store.as_mut())
            });
            asked
                .join()
                .unwrap_or_else(|_| Err(StoreError::Url("the question was not answered".into())))
        })
    }
}

impl api::Past for HistoryReader {
    fn of(&self, position: &Pubkey) -> Past {
        self.past(position)
    }

    fn of_market(&self, market: &Pubkey) -> Past {
        self.past_of_market(market)
    }

    fn points(
        &self,
        position: &Pubkey,
        from_secs: i64,
        to_secs: i64,
    ) -> Option<Vec<Vec<Option<f64>>>> {
        self.rows(position, from_secs, to_secs).ok()
    }

    fn fields(&self) -> &'static [&'static str] {
        &FIELDS
    }

    fn hedge_points(
        &self,
        now: &HedgeNow,
        coin: &str,
        from_secs: i64,
        to_secs: i64,
    ) -> Option<Vec<Vec<Option<f64>>>> {
        let account = hedge::account(now);
        self.hedge_rows(&account, coin, from_secs, to_secs).ok()
    }

    fn hedge_fields(&self) -> &'static [&'static str] {
        &HEDGE_FIELDS
    }

    fn health(&self) -> Option<Health> {
        Some(self.health())
    }

    fn step_secs(&self) -> u32 {
        u32::try_from(STEP_SECS).unwrap_or(u32::MAX)
    }

    fn actions(
        &self,
        position: Option<&Pubkey>,
        before: Option<u64>,
        limit: usize,
    ) -> Option<(Vec<Action>, bool)> {
        self.page(position, before, limit).ok()
    }
}

fn cursor(before: u64) -> Option<Before> {
    if before >= u64::MAX >> 1 {
        return None;
    }
    Some(match before.checked_sub(ROWS_FROM) {
        Some(row) => Before::Row(i64::try_from(row).unwrap_or(i64::MAX)),
        None => Before::Intent(before),
    })
}

fn outcome(name: &str) -> Option<ActionOutcome> {
    Some(match name {
        "pending" => ActionOutcome::Pending,
        "landed" => ActionOutcome::Landed,
        "failed" => ActionOutcome::Failed,
        "raced" => ActionOutcome::Raced,
        "expired" => ActionOutcome::Expired,
        "dropped" => ActionOutcome::Dropped,
        "paper" => ActionOutcome::Paper,
        _ => return None,
    })
}

fn scale(standing: &Standing) -> Scale {
    let [base_decimals, quote_decimals] = standing.track.decimals;
    Scale {
        base_decimals,
        quote_decimals,
    }
}

fn past(standing: &Standing) -> Past {
    let sums = &standing.track.sums;
    let day = standing.day.and_then(|day| {
        let (now, then) = (sums.total().ok()?, day.sums.total().ok()?);
        now.checked_sub(then)
    });
    Past {
        day,
        split: Some((
            sums.parts().map(|(_, part)| part),
            standing.track.observed_from_secs,
        )),
        opened: standing.track.opened.and_then(|opened| {
            Some(Opened {
                price: SqrtPrice::new(opened.price_x64).ok()?,
                position: opened.position().ok()?,
            })
        }),
    }
}

fn together(a: &Past, b: &Past) -> Past {
    let day = a.day.zip(b.day).and_then(|(a, b)| a.checked_add(b));
    let split = a.split.zip(b.split).and_then(|((a, from), (b, since))| {
        let mut sum = [0; 5];
        for (sum, (a, b)) in sum.iter_mut().zip(a.into_iter().zip(b)) {
            *sum = a.checked_add(b)?;
        }
        Some((sum, from.max(since)))
    });
    Past {
        day,
        split,
        opened: None,
    }
}

fn row(point: &Point, scale: Scale) -> Vec<Option<f64>> {
    let price = |root: Option<SqrtPrice>| root.map(|root| scale.price(root));
    let end = |tick| price(Tick::new(tick).ok().map(Tick::sqrt_price));
    let [lower, upper] = point.ticks;
    // For eyes, as prices are.
    let quote = |raw: i128| scale.quote(raw as f64);
    vec![
        Some(point.secs as f64),
        price(SqrtPrice::new(point.price_x64).ok()),
        Some(scale.base(point.delta as f64)),
        Some(f64::from(point.ltv_bps)),
        point.leverage_bps.map(|leverage| leverage as f64),
        Some(quote(point.equity)),
        end(lower),
        end(upper),
        point.sums.total().ok().map(quote),
    ]
}

fn hedge_row(point: &HedgePoint) -> Vec<Option<f64>> {
    let dollars = |amount: Decimal| amount.to_f64();
    vec![
        Some(point.secs as f64),
        dollars(point.price),
        point.position.to_f64(),
        point.equity.and_then(dollars),
        dollars(point.realised),
        dollars(point.unrealised),
        dollars(point.funding),
        dollars(point.fees),
        point.total().and_then(dollars),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_from_whatever_number_was_shown() {
        assert_eq!(cursor(i64::MAX as u64), None);
        assert_eq!(cursor(7), Some(Before::Intent(7)));
        assert_eq!(cursor(ROWS_FROM + 7), Some(Before::Row(7)));
    }

    #[test]
    fn sums_of_a_market_are_those_of_its_positions() {
        let one = Past {
            day: Some(5),
            split: Some(([1, 2, 3, 4, 5], 100)),
            opened: None,
        };
        let other = Past {
            day: Some(-2),
            split: Some(([10, 20, 30, 40, 50], 50)),
            opened: None,
        };
        assert_eq!(
            together(&one, &other),
            Past {
                day: Some(3),
                split: Some(([11, 22, 33, 44, 55], 100)),
                opened: None,
            }
        );
        // Of one nothing is known: of both nothing is.
        let unknown = Past {
            day: None,
            ..other.clone()
        };
        assert_eq!(together(&one, &unknown).day, None);
    }
}
