//! How a market stands: mode, risk stage and its evidence, what is announced, who rules.

use std::fmt;

use ballast_client::{Market, MarketMode, MarketSnapshot, OracleChange, Pubkey};
use ballast_view::mode_name;
use serde::Serialize;

use crate::{
    format::{duration, when},
    wallet::{SIDES, name},
};

/// A mode's name in JSON as it is typed.
pub(super) fn typed(mode: &str) -> String {
    mode.replace('_', "-")
}

/// Times in Unix seconds; none where there is nothing to tell.
#[derive(Debug, Serialize)]
pub struct Standing {
    #[serde(skip)]
    now_secs: i64,
    /// What is allowed now: the stricter of what was set and what the stage demands.
    mode_now: &'static str,
    mode_set: &'static str,
    mode_until_secs: Option<i64>,
    /// 0 normal, 1 no new risk, 2 reduce only, 3 anyone may shrink positions.
    stage: u8,
    /// When the stage was last raised, confirmed or lowered.
    stage_confirmed_at_secs: Option<i64>,
    /// For how long pool or reserves have shown evidence.
    market_evidence_secs: i64,
    /// How long a stage stays after its evidence has gone.
    stage_calm_secs: u32,
    guardian: Option<String>,
    guardian_rests_until_secs: Option<i64>,
    authority_offered_to: Option<String>,
    announced: Vec<Announced>,
}

#[derive(Debug, Serialize)]
struct Announced {
    what: &'static str,
    effective_at_secs: i64,
    changes: String,
}

impl Standing {
    /// At the snapshot's time. `source` is what was announced about where prices come from.
    pub fn new(snapshot: &MarketSnapshot, source: Option<&OracleChange>) -> Self {
        let (market, now_secs) = (&snapshot.market, snapshot.now_secs);
        let some = |secs: i64| (secs > 0).then_some(secs);
        let later = |secs: i64| Some(secs).filter(|secs| *secs > now_secs);
        let somebody = |key: Pubkey| (key != Pubkey::default()).then(|| key.to_string());
        let mut announced = Vec::new();
        if let Some(effective_at_secs) = some(market.pending.effective_at_secs) {
            announced.push(Announced {
                what: "market",
                effective_at_secs,
                changes: difference(&market.params(), &market.pending.params),
            });
        }
        if let Some(effective_at_secs) = some(market.pending_safety.effective_at_secs) {
            announced.push(Announced {
                what: "safety rules",
                effective_at_secs,
                changes: difference(&market.safety, &market.pending_safety.rules),
            });
        }
        if let Some(change) = source {
            announced.push(Announced {
                what: "price source",
                effective_at_secs: change.effective_at_secs,
                changes: super::source::difference(&market.oracle_source(), &change.source),
            });
        }
        for side in SIDES {
            let reserve = snapshot.reserve(side);
            if let Some(effective_at_secs) = some(reserve.pending_effective_at_secs) {
                announced.push(Announced {
                    what: name(side),
                    effective_at_secs,
                    changes: difference(&reserve.params(), &reserve.pending),
                });
            }
        }
        // The one of both that makes the mode what it is.
        let guardians = now_secs < market.guardian_until_secs()
            && market.mode_set_at(now_secs) == MarketMode::from_byte(market.guardian_mode);
        let mode_until_secs = if guardians {
            market.guardian_until_secs()
        } else {
            market.mode_until_secs
        };
        Self {
            now_secs,
            mode_now: mode_name(market.mode_at(now_secs)),
            mode_set: mode_name(market.mode_set_at(now_secs)),
            mode_until_secs: (market.mode_set_at(now_secs) != MarketMode::Normal)
                .then_some(mode_until_secs),
            stage: market.stage.stage,
            stage_confirmed_at_secs: some(market.stage.confirmed_at_secs),
            market_evidence_secs: market.stage.market_evidence_secs,
            stage_calm_secs: market.stages.calm_secs,
            guardian: somebody(market.guardian),
            guardian_rests_until_secs: later(market.guardian_rests_until_secs),
            authority_offered_to: somebody(market.pending_authority),
            announced,
        }
    }
}

/// The fields that differ, with both values.
fn difference<P: fmt::Debug>(before: &P, after: &P) -> String {
    let (before, after) = (format!("{before:?}"), format!("{after:?}"));
    // Debug output lists `name: value` pairs in the same order.
    let pairs = before.split(", ").zip(after.split(", "));
    let changed = pairs.filter(|(before, after)| before != after);
    let trim = |text: &str| text.trim_end_matches([' ', '}']).to_owned();
    let value = |text: &str| trim(text.rsplit(": ").next().unwrap_or(text));
    let changed: Vec<_> = changed
        .map(|(before, after)| {
            let before = before.rsplit("{ ").next().unwrap_or(before);
            format!("{} -> {}", trim(before), value(after))
        })
        .collect();
    changed.join("; ")
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ago = |secs: i64| duration(self.now_secs.saturating_sub(secs).max(0));
        let at = |secs: i64| when(secs, self.now_secs);
        write!(f, "  allowed now  {}", typed(self.mode_now))?;
        match self.mode_until_secs {
            Some(secs) => writeln!(f, " ({} set until {})", typed(self.mode_set), at(secs))?,
            None => writeln!(f)?,
        }
        write!(f, "  risk stage   {}", self.stage)?;
        if let Some(secs) = self.stage_confirmed_at_secs {
            write!(
                f,
                ", looked at {} ago, falls after {} of calm",
                ago(secs),
                duration(self.stage_calm_secs.into())
            )?;
        }
        match self.market_evidence_secs {
            secs @ 1.. => writeln!(f, "; evidence of the market for {}", duration(secs))?,
            _ => writeln!(f)?,
        }
        write!(
            f,
            "  guardian     {}",
            self.guardian.as_deref().unwrap_or("nobody")
        )?;
        match self.guardian_rests_until_secs {
            Some(secs) => writeln!(f, ", has to rest until {}", at(secs))?,
            None => writeln!(f)?,
        }
        if let Some(to) = &self.authority_offered_to {
            writeln!(f, "  offered      the authority, to {to}")?;
        }
        for announced in &self.announced {
            let when = match announced.effective_at_secs {
                _ if self.now_secs
                    > announced
                        .effective_at_secs
                        .saturating_add(Market::LAPSE_SECS) =>
                {
                    "lapsed: announce it again".to_owned()
                }
                effective if effective <= self.now_secs => {
                    "its notice is over: `ballast market apply` puts it in force".to_owned()
                }
                effective => format!("from {} on", at(effective)),
            };
            writeln!(
                f,
                "  announced    {}: {} ({when})",
                announced.what, announced.changes
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ballast_client::MarketParams;

    #[test]
    fn only_what_differs_is_named() {
        let before = MarketParams::default();
        let mut after = before;
        after.limits.max_position_value = 5;
        after.stages.target_ltv_bps = 7;
        assert_eq!(
            super::difference(&before, &after),
            "max_position_value: 0 -> 5; target_ltv_bps: 0 -> 7"
        );
        assert_eq!(super::difference(&before, &before), "");
    }
}
