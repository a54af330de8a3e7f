//! A decision with everything that it was made from, as a line of JSON, and making it again.
//!
//! The line holds the accounts' bytes, prices and all else that a [`Situation`] is made of, so that [`Recorded::replay`] decides
//! again without a node, and compares every field of the [`Assessment`], the planned amounts included.

mod parts;

use ballast::state::Position;
use ballast_model::Amounts;
use ballast_snapshot::Pubkey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    decide::{Assessment, assess},
    fee_yield::MeasuredYield,
    kinds::Kinds,
    situation::{Economics, Outlook, Situation, SituationError},
};
use parts::{MarketParts, bytes, parse, read};

/// Format of the record; another one where a decision rests on more.
pub const VERSION: u32 = 3;

/// Why a recorded decision cannot be made again, or comes out differently.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// Another format.
    #[error("it is of format {found}, this program makes decisions of format {VERSION} again")]
    Version {
        /// In the record.
        found: u32,
    },
    /// A part that is none.
    #[error("its {what} does not read back: it was written by another version of the program")]
    Unreadable {
        /// Which.
        what: &'static str,
    },
    /// It is not the same.
    #[error("another decision: recorded was\n  {recorded}\nand now it is\n  {now}")]
    Differs {
        /// What the record says.
        recorded: String,
        /// What comes out.
        now: String,
    },
}

/// See the module's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// [`VERSION`].
    pub version: u32,
    /// The position.
    pub position: String,
    /// When, cluster's clock, Unix seconds.
    pub now_secs: i64,
    /// Newest slot of the data.
    pub slot: u64,
    market: MarketParts,
    /// Bytes of the position.
    account: String,
    keeper: String,
    funds: Option<[u64; 2]>,
    min_gain: u64,
    outlook: OutlookParts,
    /// What was decided, every field of it.
    decision: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OutlookParts {
    fees: Option<[u64; 2]>,
    booked: Option<[u64; 2]>,
    reward: Option<u64>,
    action_cost: Option<u64>,
    volatility: Option<u32>,
    fee_yield: Option<MeasuredYield>,
    economics: (u32, u32, u64),
    refused: u16,
    /// Not in records of before it was known.
    #[serde(default)]
    retried: u16,
    /// The same.
    #[serde(default)]
    unhealthy_since: Option<i64>,
    forbidden: u16,
}

impl Recorded {
    /// Records what was decided on a position.
    pub fn new(
        position: &Pubkey,
        situation: &Situation,
        decided: &Result<Assessment, SituationError>,
    ) -> Self {
        let outlook = &situation.outlook;
        let economics = &outlook.economics;
        Self {
            version: VERSION,
            position: position.to_string(),
            now_secs: situation.now_secs,
            slot: situation.slot,
            market: MarketParts::new(situation.market),
            account: bytes(situation.position),
            keeper: situation.keeper.to_string(),
            funds: situation.funds.map(pair),
            min_gain: situation.min_gain,
            outlook: OutlookParts {
                fees: outlook.fees.map(pair),
                booked: outlook.booked_fees.map(pair),
                reward: outlook.reward_lamports,
                action_cost: outlook.action_cost,
                volatility: outlook.volatility,
                fee_yield: outlook.fee_yield,
                economics: (
                    economics.fee_day_bps,
                    economics.payback_days,
                    economics.min_reward_lamports,
                ),
                refused: outlook.refused.bits(),
                retried: outlook.retried.bits(),
                unhealthy_since: outlook.unhealthy_since_secs,
                forbidden: outlook.forbidden.bits(),
            },
            decision: told(decided),
        }
    }

    /// Decides again.
    ///
    /// # Errors
    /// [`ReplayError`]: the decision is not the one recorded, to the last bit.
    pub fn replay(&self) -> Result<(), ReplayError> {
        if self.version != VERSION {
            return Err(ReplayError::Version {
                found: self.version,
            });
        }
        let market = self.market.read()?;
        let position: Position = read("position", &self.account)?;
        let outlook = &self.outlook;
        let (fee_day_bps, payback_days, min_reward_lamports) = outlook.economics;
        let situation = Situation {
            market: &market,
            position: &position,
            now_secs: self.now_secs,
            slot: self.slot,
            keeper: parse("keeper", &self.keeper)?,
            funds: self.funds.map(amounts),
            min_gain: self.min_gain,
            outlook: Outlook {
                fees: outlook.fees.map(amounts),
                booked_fees: outlook.booked.map(amounts),
                reward_lamports: outlook.reward,
                action_cost: outlook.action_cost,
                volatility: outlook.volatility,
                fee_yield: outlook.fee_yield,
                economics: Economics {
                    fee_day_bps,
                    payback_days,
                    min_reward_lamports,
                },
                refused: Kinds::from_bits(outlook.refused),
                retried: Kinds::from_bits(outlook.retried),
                unhealthy_since_secs: outlook.unhealthy_since,
                forbidden: Kinds::from_bits(outlook.forbidden),
            },
        };
        let now = told(&assess(&situation));
        if now == self.decision {
            return Ok(());
        }
        Err(ReplayError::Differs {
            recorded: self.decision.clone(),
            now,
        })
    }

    /// What was decided, every field of it.
    pub fn decision(&self) -> &str {
        &self.decision
    }
}

fn told(decided: &Result<Assessment, SituationError>) -> String {
    format!("{decided:?}")
}

fn pair(amounts: Amounts) -> [u64; 2] {
    [amounts.base, amounts.quote]
}

fn amounts([base, quote]: [u64; 2]) -> Amounts {
    Amounts { base, quote }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        decide::Decision,
        fixtures::{
            KEEPER, NOW, SLOT, automation, book_debts, position, price_update, situation, snapshot,
        },
    };

    /// Through text and back, as a file has it.
    fn read_back(recorded: &Recorded) -> Recorded {
        serde_json::from_str(&serde_json::to_string(recorded).unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn every_decision_is_made_again_bit_for_bit(
            cents in 12_000i64..32_000,
            automatic in any::<bool>(),
            later in 0i64..40,
            funds in proptest::option::of((0u64..1 << 40, 0u64..1 << 40)),
            fees in proptest::option::of((0u64..1 << 30, 0u64..1 << 30)),
            volatility in proptest::option::of(0u32..2_000),
            fee_yield in proptest::option::of((any::<u64>(), 21_600u32..300_000)),
            refused in 0u16..512,
            forbidden in 0u16..512,
            unhealthy_for in proptest::option::of(0i64..100),
        ) {
            let mut held = position();
            if automatic {
                held.automation = automation();
            }
            let mut market = snapshot(200);
            book_debts(&mut market, &held);
            market.base_price = price_update(cents * 1_000_000, 1);
            market.pool.sqrt_price = crate::fixtures::sqrt_price_cents(cents);
            market.pool.tick_current = market.pool.sqrt_price.tick().get();
            let at = Situation {
                now_secs: NOW + later,
                slot: SLOT + 3,
                funds: funds.map(|(base, quote)| Amounts { base, quote }),
                min_gain: 5,
                outlook: Outlook {
                    fees: fees.map(|(base, quote)| Amounts { base, quote }),
                    volatility,
                    fee_yield: fee_yield.map(|(day_x64, secs)| MeasuredYield { day_x64, secs }),
                    refused: Kinds::from_bits(refused),
                    retried: Kinds::from_bits(refused & forbidden),
                    unhealthy_since_secs: unhealthy_for.map(|secs| NOW - secs),
                    forbidden: Kinds::from_bits(forbidden),
                    ..Outlook::default()
                },
                ..situation(&market, &held)
            };
            let decided = assess(&at);
            let recorded = read_back(&Recorded::new(&KEEPER, &at, &decided));
            prop_assert_eq!(recorded.replay(), Ok(()));
            prop_assert_eq!(recorded.decision(), format!("{decided:?}"));
        }
    }

    #[test]
    fn a_decision_that_rests_on_something_else_is_another() {
        let mut held = position();
        let mut market = snapshot(170);
        book_debts(&mut market, &held);
        let at = situation(&market, &held);
        let decided = assess(&at);
        assert!(matches!(
            decided.as_ref().unwrap().decision,
            Decision::Act(..) | Decision::Blocked { .. }
        ));
        let recorded = read_back(&Recorded::new(&KEEPER, &at, &decided));
        assert_eq!(recorded.replay(), Ok(()));
        // One unit of idle quote is enough.
        held.idle_quote += 1;
        let mut other = recorded.clone();
        other.account = bytes(&held);
        assert!(matches!(other.replay(), Err(ReplayError::Differs { .. })));
        // So is a rule of the market.
        market.market.limits.target_ltv_bps = 5_000;
        let mut other = recorded.clone();
        other.market.market = bytes(&market.market);
        assert!(matches!(other.replay(), Err(ReplayError::Differs { .. })));
        let mut other = recorded.clone();
        other.market.prices[0].price += 1;
        assert!(matches!(other.replay(), Err(ReplayError::Differs { .. })));
        // And a record that was changed.
        let mut other = recorded.clone();
        other.decision = other.decision.replacen('1', "2", 1);
        assert!(matches!(other.replay(), Err(ReplayError::Differs { .. })));
        let mut other = recorded.clone();
        other.market.market.truncate(40);
        assert_eq!(
            other.replay(),
            Err(ReplayError::Unreadable { what: "market" })
        );
        let mut other = recorded;
        other.version += 1;
        assert!(matches!(other.replay(), Err(ReplayError::Version { .. })));
    }

    #[test]
    fn a_record_costs_a_few_kilobytes() {
        let held = position();
        let market = snapshot(170);
        let at = situation(&market, &held);
        let text = serde_json::to_string(&Recorded::new(&KEEPER, &at, &assess(&at))).unwrap();
        println!("a recorded decision has {} bytes", text.len());
        assert!(text.len() < 12_000, "{}", text.len());
    }
}
