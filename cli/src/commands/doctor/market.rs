//! The market with its oracle, pool, reserves and lookup table.

use ballast_client::{Chain, MarketContext, MarketMode, MarketSnapshot, ballast, lookup_table};
use ballast_model::{Bps, price::within, screen::Real};
use ballast_strategy::prices;
use ballast_view::{TokenNames, mode_name};

use super::{DoctorArgs, DoctorReport, State};
use crate::{
    format::{amount, duration, significant, sized},
    range, target,
    wallet::{SIDES, name},
};

/// Returns the market, if there is one.
pub(super) async fn check(
    report: &mut DoctorReport,
    chain: &dyn Chain,
    args: &DoctorArgs,
) -> Option<(MarketContext, MarketSnapshot)> {
    let context = match target::load(chain, &args.market).await {
        Ok(context) => context,
        Err(error) => {
            report.add("market", State::Fail, format!("{error:#}"));
            return None;
        }
    };
    let snapshot = match target::snapshot(chain, &context).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let finding = format!("{}: {error:#}", context.address);
            report.add("market", State::Fail, finding);
            return None;
        }
    };
    let mode = snapshot.market.mode_at(snapshot.now_secs);
    let state = if mode == MarketMode::Normal {
        State::Ok
    } else {
        State::Warn
    };
    report.add(
        "market",
        state,
        format!(
            "{} in mode {}",
            context.address,
            mode_name(mode).replace('_', "-")
        ),
    );
    oracle(report, &snapshot);
    pool(report, &snapshot);
    reserves(report, &snapshot);
    table(report, chain, &context).await;
    Some((context, snapshot))
}

fn oracle(report: &mut DoctorReport, snapshot: &MarketSnapshot) {
    let age = duration(snapshot.price_age_secs(snapshot.now_secs));
    let grades = [ballast::oracle::Grade::Tight, ballast::oracle::Grade::Loose];
    let [tight, loose] = grades.map(|grade| prices::judge(snapshot, snapshot.now_secs, grade));
    match (tight, loose) {
        (Ok(root), _) => {
            let price = range::price(
                root,
                snapshot.market.base_decimals,
                snapshot.market.quote_decimals,
            )
            .to_f64();
            let names = TokenNames::of(&snapshot.market);
            let [base, quote] = SIDES.map(|side| names.get(side));
            report.add(
                "oracle",
                State::Ok,
                format!("{} {quote} per {base}, {age} old", significant(price, 8)),
            );
        }
        (Err(fault), Ok(_)) => report.add(
            "oracle",
            State::Warn,
            format!("only good for reducing risk: {fault}"),
        ),
        (Err(_), Err(fault)) => report.add("oracle", State::Fail, format!("unusable: {fault}")),
    }
}

fn pool(report: &mut DoctorReport, snapshot: &MarketSnapshot) {
    let Ok(oracle) = snapshot.oracle_sqrt_price() else {
        return;
    };
    let cap = Bps::new(snapshot.market.limits.max_pool_deviation_bps);
    let price = |root| {
        range::price(
            root,
            snapshot.market.base_decimals,
            snapshot.market.quote_decimals,
        )
        .to_f64()
    };
    let distance = crate::format::change(price(snapshot.pool.sqrt_price) / price(oracle) - 1.0);
    if snapshot.pool.liquidity == 0 {
        report.add(
            "pool",
            State::Warn,
            "no liquidity at the current price: swaps and rehedges will fail",
        );
    } else if within(snapshot.pool.sqrt_price, oracle, cap) {
        report.add("pool", State::Ok, format!("{distance} from the oracle"));
    } else {
        report.add(
            "pool",
            State::Warn,
            format!("{distance} from the oracle, {cap} is allowed: opening and rehedging wait for arbitrage"),
        );
    }
}

fn reserves(report: &mut DoctorReport, snapshot: &MarketSnapshot) {
    for side in SIDES {
        let what = if side == SIDES[0] {
            "base reserve"
        } else {
            "quote reserve"
        };
        let reserve = snapshot.reserve(side);
        match snapshot.reserve_at(side, snapshot.now_secs) {
            Err(error) => report.add(what, State::Fail, error.to_string()),
            Ok(state) if state.liquidity == 0 => report.add(
                what,
                State::Warn,
                format!(
                    "nothing to lend: `ballast lend deposit {} AMOUNT`",
                    name(side)
                ),
            ),
            Ok(state) => {
                report.add(
                    what,
                    State::Ok,
                    format!(
                        "{} {} to lend",
                        sized(&amount(state.liquidity, reserve.decimals)),
                        TokenNames::of(&snapshot.market).get(side)
                    ),
                );
            }
        }
    }
}

async fn table(report: &mut DoctorReport, chain: &dyn Chain, context: &MarketContext) {
    match lookup_table::find(chain, &context.market.authority, &context.static_addresses()).await {
        Ok(Some(table)) => report.add("lookup table", State::Ok, table.key.to_string()),
        Ok(None) => report.add("lookup table", State::Warn, "none of the market's authority: `ballast migrate` makes one; until then each user makes their own"),
        Err(error) => report.add("lookup table", State::Warn, format!("cannot be searched for: {error}; pass --lookup-table")),
    }
}
