//! Red flags and contingency, as far as one look goes.

use ballast_client::{
    Chain, MarketContext, MarketSnapshot, PositionContext, Positions, RpcChain, RpcConfig, ballast,
    highest_trigger_down, trigger_warning,
};
use ballast_flags::{
    Rules, State,
    contingency::{Contingency, Cover, Gap},
    look::Look,
};
use ballast_keeper::{Config, Flags, flags::aim};
use ballast_model::{Amounts, Bps};
use ballast_view::TokenNames;
use serde::Serialize;

use super::{DoctorReport, Row, State as CheckState};
use crate::{
    connection::Connection,
    format::{amount, sized},
    wallet::SIDES,
};

/// How long another endpoint may take to tell its slot.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// What the other checks found.
pub(super) struct Seen {
    /// How long the stream took to tell a slot.
    pub stream: Result<u64, String>,
    /// Balance of the key.
    pub lamports: Result<u64, String>,
    /// The market.
    pub market: Option<(MarketContext, MarketSnapshot)>,
}

/// What would bring all positions of the market back to their targets after a gap, against what is kept.
#[derive(Debug, Serialize)]
pub(super) struct ContingencyReport {
    gap_bps: u32,
    needed_base: String,
    needed_quote: String,
    have_base: Option<String>,
    have_quote: Option<String>,
    state: Cover,
    /// Positions whose need cannot be computed.
    failed: usize,
    #[serde(skip)]
    names: TokenNames,
}

/// Judges the flags that one look can judge, and adds up what positions would need.
pub(super) async fn check(
    report: &mut DoctorReport,
    connection: &Connection,
    config: Option<&Config>,
    seen: Seen,
) {
    let defaults = Flags::default();
    let flags = config.map_or(&defaults, |config| &config.flags);
    let market = seen.market.as_ref();
    let look = Look {
        price_age_secs: market
            .map(|(_, market)| market.price_age_secs(market.now_secs))
            .ok_or_else(|| "No market was read.".into()),
        depth: market.map_or_else(|| Err("No market was read.".into()), |(_, market)| depth(market)),
        stream_secs: seen.stream,
        endpoints: endpoints(connection.chain(), config, flags).await,
        lamports: seen.lamports,
        hedge: "One look does not ask the venue: see the keeper's /api/v1/flags, or `ballast hedge status`.".into(),
    };
    let rules: &Rules = &flags.rules;
    report.flags = look
        .judge(rules)
        .iter()
        .map(|judged| judged.row())
        .collect();
    // Not every node searches for positions.
    if let Some((context, market)) = market
        && let Ok(positions) = Positions::of_market(connection.chain(), &context.address).await
    {
        triggers(report, market, &positions);
        report.contingency = contingency(flags, config, context, market, &positions);
    }
}

/// Whether keepers come before maintenance, over a move of the stress distance.
fn triggers(report: &mut DoctorReport, market: &MarketSnapshot, positions: &Positions) {
    let limits = &market.market.limits;
    let warned = |found: &&PositionContext| {
        found.position.liquidity.get() > 0
            && trigger_warning(limits, &found.position.policy).is_some()
    };
    let late: Vec<String> = positions
        .positions
        .iter()
        .filter(warned)
        .map(|found| found.address.to_string())
        .collect();
    let (distance, highest) = (
        Bps::new(limits.stress_distance_bps),
        highest_trigger_down(limits),
    );
    if late.is_empty() {
        let finding = format!("every position's leaves room for a price move of {distance}");
        report.add("triggers", CheckState::Ok, finding);
    } else {
        let finding = format!(
            "a price move of {distance} can reach maintenance from below the deleverage trigger of {}: their owners should use at most \
             {highest}",
            late.join(", ")
        );
        report.add("triggers", CheckState::Warn, finding);
    }
}

/// Liquidity now and the chain's average, if that is known.
fn depth(market: &MarketSnapshot) -> Result<(u128, u128), String> {
    let (stage, since_secs) = (&market.market.stage, market.market.depth_since_secs);
    let measured = stage.depth_at_secs.saturating_sub(since_secs);
    if since_secs == 0 || measured < ballast::state::StageState::DEPTH_AVERAGE_SECS {
        return Err("The chain has no average of the pool's depth: it begins with an hour of looks, where the market's stages watch depth.".into());
    }
    Ok((market.pool.liquidity, stage.average_depth.get()))
}

/// The node, and others that the keeper's configuration names, by the keeper's names for them.
async fn endpoints(
    own: &RpcChain,
    config: Option<&Config>,
    flags: &Flags,
) -> Vec<(String, Option<u64>)> {
    let more = config
        .into_iter()
        .flat_map(|config| &config.nodes.more_rpc_urls);
    let others = more
        .chain(&flags.other_rpc_urls)
        .map(|url| RpcChain::with_config(url.clone(), RpcConfig::new(WITHIN), None));
    let others: Vec<RpcChain> = others.collect();
    let all = [own].into_iter().chain(&others);
    let slots = futures_util::future::join_all(all.map(|chain| chain.slot())).await;
    let named = slots.into_iter().enumerate();
    named
        .map(|(index, slot)| (format!("rpc-{}", index + 1), slot.ok()))
        .collect()
}

fn contingency(
    flags: &Flags,
    config: Option<&Config>,
    context: &MarketContext,
    market: &MarketSnapshot,
    positions: &Positions,
) -> Option<ContingencyReport> {
    // Without a price there is nothing to say.
    let gap = Gap::new(market.oracle_sqrt_price().ok()?, flags.gap).ok()?;
    let mut needs = Contingency {
        failed: positions.unreadable.len(),
        ..Contingency::default()
    };
    for found in &positions.positions {
        match market.position(&found.position, market.now_secs) {
            Ok(model) => needs.add(&model, aim(&found.position), &gap),
            Err(_) => needs.failed += 1,
        }
    }
    let of_market = config.and_then(|config| {
        let mut markets = config.markets.iter();
        markets.find(|market| market.address == context.address)
    });
    let kept = of_market.and_then(|market| market.buffer);
    let (needed, market) = (needs.needed(), &market.market);
    let base = |amounts: Amounts| amount(amounts.base, market.base_decimals);
    let quote = |amounts: Amounts| amount(amounts.quote, market.quote_decimals);
    Some(ContingencyReport {
        gap_bps: flags.gap.get(),
        needed_base: base(needed),
        needed_quote: quote(needed),
        have_base: kept.map(base),
        have_quote: kept.map(quote),
        state: needs.cover(kept),
        failed: needs.failed,
        names: TokenNames::of(market),
    })
}

/// A flag in the table of checks.
pub(super) fn line(flag: &Row) -> [String; 3] {
    let state = match flag.state {
        State::Quiet => "ok",
        State::Raised => "FLAG",
        State::Unknown => "?",
    };
    let finding = match flag.state {
        State::Unknown => flag.note.clone(),
        _ => format!(
            "{}, raised at {}. {}",
            flag.value, flag.threshold, flag.note
        ),
    };
    [state.into(), flag.name.into(), finding]
}

impl ContingencyReport {
    /// The same in the table of checks.
    pub fn line(&self) -> [String; 3] {
        let state = match self.state {
            Cover::Enough => "ok",
            Cover::Short => "SHORT",
            Cover::Unknown => "?",
        };
        let kept = match (&self.have_base, &self.have_quote) {
            (Some(base), Some(quote)) => format!("kept are {}", self.told(base, quote)),
            _ => "what is kept is not configured (buffer_base, buffer_quote of the market in --config)".into(),
        };
        let finding = format!(
            "after a gap of {} to either side {} would bring all positions back; {kept}",
            Bps::new(self.gap_bps),
            self.told(&self.needed_base, &self.needed_quote)
        );
        [state.into(), "contingency".into(), finding]
    }

    fn told(&self, base: &str, quote: &str) -> String {
        let [of_base, of_quote] = SIDES.map(|side| self.names.get(side));
        format!("{} {of_base} and {} {of_quote}", sized(base), sized(quote))
    }
}

#[cfg(test)]
mod tests {
    use ballast_flags::Flag;

    use super::*;

    #[test]
    fn lines_say_what_is_missing_or_what_was_seen() {
        let look = Look {
            price_age_secs: Ok(500),
            depth: Err("no average".into()),
            stream_secs: Ok(0),
            endpoints: Vec::new(),
            lamports: Ok(7_000_000),
            hedge: "not asked".into(),
        };
        let lines: Vec<[String; 3]> = look
            .judge(&Rules::default())
            .iter()
            .map(|judged| line(&judged.row()))
            .collect();
        assert_eq!(lines.len(), Flag::ALL.len());
        assert_eq!(lines[0][0], "FLAG");
        assert!(
            lines[0][2].starts_with("500 s, raised at 120 s."),
            "{}",
            lines[0][2]
        );
        assert_eq!(
            lines[1],
            ["?", "depth_drop", "no average"].map(String::from)
        );
        assert_eq!(lines[5][0], "ok");
    }
}
