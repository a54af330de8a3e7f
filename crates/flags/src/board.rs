//! All flags together: observations in, and out of them whether to reduce, with the evidence.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use crate::{
    depth_drop::DepthDrop,
    endpoints::Endpoints,
    flag::Flag,
    funding_spike::FundingSpike,
    hedge_fills::{Fill, HedgeFills},
    judgement::{Judgement, State},
    limits::Rules,
    oracle_stall::OracleStall,
    own_sol::OwnSol,
    routing_shift::RoutingShift,
    stream_lag::StreamLag,
};

/// The flags that each market has for itself.
#[derive(Clone, Debug)]
struct OfMarket {
    oracle: OracleStall,
    depth: DepthDrop,
    routing: RoutingShift,
}

/// What a person has seen and decided to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Covered {
    until_secs: i64,
    flags: BTreeSet<Flag>,
}

/// See the module's description. `K` names a market.
#[derive(Clone, Debug)]
pub struct Board<K> {
    rules: Rules,
    markets: BTreeMap<K, OfMarket>,
    funding: FundingSpike,
    hedge: HedgeFills,
    stream: StreamLag,
    endpoints: Endpoints,
    sol: OwnSol,
    covered: Option<Covered>,
}

/// What the flags say at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// One of each flag, in the order of [`Flag::ALL`]; of several markets the worst.
    pub judgements: Vec<Judgement>,
    /// Whether so many are raised that the keeper should only reduce risk, and no person has decided otherwise.
    pub reduce: bool,
    /// Until when a person's decision holds against the flags that were raised then.
    pub covered_until_secs: Option<i64>,
}

/// A flag that is raised now and was not before, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// As it is now.
    pub judgement: Judgement,
    /// Raised, or cleared.
    pub raised: bool,
}

impl<K: Ord + Copy + Display> Board<K> {
    /// A board for markets, each with whether the flow of its pair's other pools will be told.
    #[must_use]
    pub fn new(rules: Rules, markets: impl IntoIterator<Item = (K, bool)>, hedged: bool) -> Self {
        let of_market = |(market, pair)| {
            let flags = OfMarket {
                oracle: OracleStall::default(),
                depth: DepthDrop::new(rules.of(Flag::DepthDrop)),
                routing: RoutingShift::new(rules.of(Flag::RoutingShift), pair),
            };
            (market, flags)
        };
        Self {
            rules,
            markets: markets.into_iter().map(of_market).collect(),
            funding: FundingSpike::new(hedged),
            hedge: HedgeFills::new(hedged, rules.hedge_late_ms),
            stream: StreamLag::default(),
            endpoints: Endpoints::default(),
            sol: OwnSol::default(),
            covered: None,
        }
    }

    /// See [`OracleStall::observe`].
    pub fn price(&mut self, market: K, age_secs: i64) {
        if let Some(flags) = self.markets.get_mut(&market) {
            flags.oracle.observe(age_secs);
        }
    }

    /// See [`DepthDrop::observe`] and [`RoutingShift::observe_liquidity`].
    pub fn liquidity(&mut self, market: K, ours: u128, pool: u128, now_secs: i64) {
        if let Some(flags) = self.markets.get_mut(&market) {
            flags.depth.observe(pool, now_secs);
            flags.routing.observe_liquidity(ours, pool, now_secs);
        }
    }

    /// See [`RoutingShift::observe_flow`].
    pub fn flow(&mut self, market: K, pool: u128, pair: u128, now_secs: i64) {
        if let Some(flags) = self.markets.get_mut(&market) {
            flags.routing.observe_flow(pool, pair, now_secs);
        }
    }

    /// See [`FundingSpike::observe`].
    pub fn funding(&mut self, settled_secs: i64, hourly_ppb: i64) {
        self.funding.observe(settled_secs, hourly_ppb);
    }

    /// See [`HedgeFills::sent`].
    pub fn hedge_sent(&mut self, now_secs: i64) {
        self.hedge.sent(now_secs);
    }

    /// See [`HedgeFills::observe`].
    pub fn hedge_fill(&mut self, fill: Fill, now_secs: i64) {
        self.hedge.observe(fill, now_secs);
    }

    /// See [`StreamLag::observe`].
    pub fn slot(&mut self, slot: u64, now_secs: i64) {
        self.stream.observe(slot, now_secs);
    }

    /// See [`Endpoints::observe`].
    pub fn endpoints(&mut self, slots: Vec<(String, Option<u64>)>) {
        self.endpoints.observe(slots);
    }

    /// See [`Endpoints::deny`].
    pub fn denied(&mut self, names: Vec<String>) {
        self.endpoints.deny(names);
    }

    /// See [`Endpoints::disagree`].
    pub fn disagreeing(&mut self, names: Vec<String>) {
        self.endpoints.disagree(names);
    }

    /// See [`OwnSol::observe`].
    pub fn sol(&mut self, lamports: u64) {
        self.sol.observe(lamports);
    }

    /// A person had the keeper go on at `resumed_secs`, with these flags raised. They do not reduce again for as long as
    /// [`Rules::resume_holds_secs`]; any other flag that is raised meanwhile is news, and does.
    pub fn cover(&mut self, flags: impl IntoIterator<Item = Flag>, resumed_secs: i64) {
        self.covered = Some(Covered {
            until_secs: resumed_secs.saturating_add(self.rules.resume_holds_secs.into()),
            flags: flags.into_iter().collect(),
        });
    }

    /// How all of them stand.
    pub fn judge(&mut self, now_secs: i64) -> Verdict {
        let judgements = Flag::ALL
            .map(|flag| self.judge_one(flag, now_secs))
            .to_vec();
        if self
            .covered
            .as_ref()
            .is_some_and(|covered| now_secs >= covered.until_secs)
        {
            self.covered = None;
        }
        let mut verdict = Verdict {
            judgements,
            reduce: false,
            covered_until_secs: self.covered.as_ref().map(|covered| covered.until_secs),
        };
        let enough = self.rules.reduce_at > 0
            && u32::try_from(verdict.raised().count()).unwrap_or(u32::MAX) >= self.rules.reduce_at;
        let news = match &self.covered {
            Some(covered) => verdict.raised().any(|flag| !covered.flags.contains(&flag)),
            None => true,
        };
        verdict.reduce = enough && news;
        verdict
    }

    fn judge_one(&mut self, flag: Flag, now_secs: i64) -> Judgement {
        let limits = self.rules.of(flag);
        let several = self.markets.len() > 1;
        let mut worst = |judge: fn(&mut OfMarket, &crate::Limits, i64) -> Judgement| {
            let of_markets = self.markets.iter_mut().map(|(market, flags)| {
                let mut judgement = judge(flags, limits, now_secs);
                if several {
                    judgement.note = format!("Market {market}: {}", judgement.note);
                }
                judgement
            });
            of_markets
                .reduce(Judgement::worse)
                .unwrap_or_else(|| Judgement {
                    flag,
                    state: State::Unknown,
                    value: None,
                    limits: *limits,
                    since_secs: None,
                    note: "No market is looked after.".into(),
                })
        };
        match flag {
            Flag::OracleStall => worst(|of, limits, now| of.oracle.judge(limits, now)),
            Flag::DepthDrop => worst(|of, limits, now| of.depth.judge(limits, now)),
            Flag::RoutingShift => worst(|of, limits, now| of.routing.judge(limits, now)),
            Flag::FundingSpike => self.funding.judge(limits, now_secs),
            Flag::HedgeFills => self.hedge.judge(limits, now_secs),
            Flag::StreamLag => self.stream.judge(limits, now_secs),
            Flag::EndpointsDisagree => self.endpoints.judge(limits, now_secs),
            Flag::OwnSolLow => self.sol.judge(limits, now_secs),
        }
    }
}

impl Verdict {
    /// The flags that are raised.
    pub fn raised(&self) -> impl Iterator<Item = Flag> {
        let raised = self.judgements.iter();
        raised
            .filter(|judgement| judgement.state == State::Raised)
            .map(|judgement| judgement.flag)
    }

    /// All that is raised, with values and limits: the reason for reducing.
    #[must_use]
    pub fn evidence(&self) -> String {
        let raised = self.judgements.iter();
        let clauses: Vec<String> = raised
            .filter(|judgement| judgement.state == State::Raised)
            .map(Judgement::evidence)
            .collect();
        clauses.join(", ")
    }

    /// What is raised or cleared since another verdict.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<FlagChange> {
        let was: BTreeSet<Flag> = before.raised().collect();
        let changed = self.judgements.iter().filter_map(|judgement| {
            let raised = judgement.state == State::Raised;
            (raised != was.contains(&judgement.flag)).then(|| FlagChange {
                judgement: judgement.clone(),
                raised,
            })
        });
        changed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn board(markets: &[u8]) -> Board<u8> {
        let markets = markets.iter().map(|market| (*market, false));
        Board::new(Rules::default(), markets, false)
    }

    /// Lets time pass in which both or none are as they should be.
    fn pass(board: &mut Board<u8>, from: i64, secs: i64, age: i64, lamports: u64) -> Verdict {
        let mut last = Verdict::default();
        for now in from..=from + secs {
            board.slot(u64::try_from(now).unwrap(), now);
            board.price(1, age);
            board.sol(lamports);
            last = board.judge(now);
        }
        last
    }

    const FULL: u64 = 1_000_000_000;

    #[test]
    fn every_flag_is_there_once_and_says_what_is_missing() {
        let verdict = board(&[1]).judge(0);
        let flags: Vec<Flag> = verdict
            .judgements
            .iter()
            .map(|judgement| judgement.flag)
            .collect();
        assert_eq!(flags, Flag::ALL);
        for judgement in &verdict.judgements {
            assert_eq!(judgement.state, State::Unknown);
            assert!(judgement.note.len() > 10, "{judgement:?}");
        }
        assert!(!verdict.reduce);
        assert_eq!(
            board(&[]).judge(0).judgements[0].note,
            "No market is looked after."
        );
    }

    #[test]
    fn two_raised_reduce_with_their_evidence_and_one_does_not() {
        let mut one = board(&[1]);
        let verdict = pass(&mut one, 0, 60, 500, FULL);
        assert_eq!(verdict.raised().collect::<Vec<_>>(), [Flag::OracleStall]);
        assert!(!verdict.reduce);
        let verdict = pass(&mut one, 61, 0, 500, 7);
        assert!(verdict.reduce);
        assert_eq!(
            verdict.evidence(),
            "oracle_stall 500 s (limit 120 s), own_sol_low 0.000000007 SOL (limit 0.0041 SOL)"
        );
        let mut never = Board::new(
            Rules {
                reduce_at: 0,
                ..Rules::default()
            },
            [(1, false)],
            false,
        );
        assert!(!pass(&mut never, 0, 60, 500, 7).reduce);
    }

    #[test]
    fn a_persons_decision_holds_against_what_was_raised_then_and_for_its_time() {
        let mut board = board(&[1]);
        let verdict = pass(&mut board, 0, 60, 500, 7);
        assert!(verdict.reduce);
        board.cover(verdict.raised(), 60);
        let held = pass(&mut board, 61, 3_598, 500, 7);
        assert!(!held.reduce && held.covered_until_secs == Some(3_660));
        assert!(pass(&mut board, 3_660, 0, 500, 7).reduce);
    }

    #[test]
    fn another_flag_is_news_and_one_that_comes_again_is_not() {
        let mut covered = board(&[1]);
        let verdict = pass(&mut covered, 0, 60, 500, 7);
        covered.cover(verdict.raised(), 60);
        // Both clear and come again.
        assert_eq!(pass(&mut covered, 61, 120, 5, FULL).raised().count(), 0);
        assert!(!pass(&mut covered, 200, 60, 500, 7).reduce);
        // No newer slot any more.
        covered.price(1, 500);
        covered.judge(271);
        assert!(covered.judge(276).reduce);
        // A resume without any flag covers none.
        let mut fresh = board(&[1]);
        fresh.cover([], 0);
        assert!(pass(&mut fresh, 0, 60, 500, 7).reduce);
    }

    #[test]
    fn of_several_markets_the_worst_is_shown_by_name_and_counts_once() {
        let mut board = board(&[1, 2, 3]);
        for now in 0..100 {
            board.price(1, 5);
            board.price(2, 600);
            board.price(3, 700);
            board.slot(u64::try_from(now).unwrap(), now);
            board.sol(FULL);
            board.judge(now);
        }
        let verdict = board.judge(100);
        assert_eq!(verdict.raised().count(), 1);
        assert!(!verdict.reduce);
        let shown = &verdict.judgements[0];
        assert_eq!(
            (shown.value, shown.note.split(':').next()),
            (Some(700), Some("Market 3"))
        );
    }

    #[test]
    fn changes_name_what_was_raised_and_what_was_cleared() {
        let mut board = board(&[1]);
        let quiet = pass(&mut board, 0, 10, 5, FULL);
        let poor = pass(&mut board, 11, 0, 5, 7);
        let changes = poor.changes_since(&quiet);
        assert_eq!((changes.len(), changes[0].raised), (1, true));
        assert_eq!(changes[0].judgement.flag, Flag::OwnSolLow);
        let rich = pass(&mut board, 12, 0, 5, FULL);
        let changes = rich.changes_since(&poor);
        assert_eq!((changes.len(), changes[0].raised), (1, false));
        assert!(rich.changes_since(&quiet).is_empty());
    }

    #[test]
    fn rows_are_what_the_interface_shows() {
        let rules = Rules::default().with(
            Flag::OwnSolLow,
            Limits {
                raise_at: 1,
                clear_at: 2,
                window_secs: 0,
                calm_secs: 0,
            },
        );
        let mut board: Board<u8> = Board::new(rules, [], false);
        board.sol(1);
        let verdict = board.judge(5);
        let row = serde_json::to_value(verdict.judgements[7].row()).unwrap();
        assert_eq!(
            row,
            serde_json::json!({
                "name": "own_sol_low", "label": "Own SOL low", "value": "0.000000001 SOL", "threshold": "0.000000001 SOL",
                "window_secs": 0, "state": "raised", "since_secs": 5, "note": "Balance of the key that signs.",
            })
        );
        let unknown = serde_json::to_value(verdict.judgements[6].row()).unwrap();
        assert_eq!(
            (&unknown["value"], &unknown["since_secs"]),
            (&"not judged".into(), &serde_json::Value::Null)
        );
    }
}
