//! The flags as the API shows them.

use ballast_flags::{Judgement, State, contingency::Cover};
use ballast_view as view;
use solana_sdk::pubkey::Pubkey;

use super::FlagsWatch;
use crate::api::Flags;

/// The newest of what the flags say.
pub struct Shown(pub FlagsWatch);

impl Flags for Shown {
    fn flags(&self) -> Vec<view::Flag> {
        self.0
            .borrow()
            .verdict
            .judgements
            .iter()
            .map(flag)
            .collect()
    }

    fn reduce_at(&self) -> usize {
        usize::try_from(self.0.borrow().reduce_at).unwrap_or(usize::MAX)
    }

    fn contingency(&self, market: &Pubkey) -> view::Contingency {
        let now = self.0.borrow();
        let found = now.contingency.get(market);
        let needed = found.map(|found| found.needs.needed());
        let kept = found.and_then(|found| found.kept);
        let shown = |raw: Option<u64>, side: usize| {
            raw.zip(found)
                .map(|(raw, found)| view::text::amount(raw, found.decimals[side]))
        };
        view::Contingency {
            gap_bps: now.gap_bps,
            needed_quote: shown(needed.map(|needed| needed.quote), 1),
            needed_base: shown(needed.map(|needed| needed.base), 0),
            have_quote: shown(kept.map(|kept| kept.quote), 1),
            have_base: shown(kept.map(|kept| kept.base), 0),
            state: match found.map(super::MarketContingency::cover) {
                Some(Cover::Enough) => view::ContingencyState::Enough,
                Some(Cover::Short) => view::ContingencyState::Short,
                Some(Cover::Unknown) | None => view::ContingencyState::Unknown,
            },
        }
    }
}

fn flag(judged: &Judgement) -> view::Flag {
    let row = judged.row();
    view::Flag {
        name: row.name.into(),
        label: row.label.into(),
        value: row.value,
        threshold: row.threshold,
        window_secs: row.window_secs,
        state: match row.state {
            State::Quiet => view::FlagState::Quiet,
            State::Raised => view::FlagState::Raised,
            State::Unknown => view::FlagState::Unknown,
        },
        since_secs: row.since_secs,
        note: row.note,
    }
}
