//! What can be done in a [`super::Game`], as data.

use arbitrary::Unstructured;

use super::{Amount, Cap, Few, Hedge, Person, Pick, Secs, Token, Within};

macro_rules! steps {
    ($($(#[$doc:meta])* $number:literal $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        /// One step of a game. What it refers to, it refers to by number, so that every step means something in every state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step {
            $($(#[$doc])* $name { $(#[allow(missing_docs, reason = "the step says what it is")] $field: $type),* },)*
        }

        /// What a [`Step`] does, without its parameters. The number is its first byte in the corpus and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }

        impl Step {
            /// A step of this kind with parameters from bytes; bytes that are missing count as zero.
            pub fn of(kind: Kind, parameters: &[u8]) -> Self {
                Self::read(kind, &mut Unstructured::new(parameters))
                    .expect("missing bytes count as zero")
            }

            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$name { .. } => Kind::$name,)*
                }
            }

            #[allow(unused_variables, reason = "not every step has parameters")]
            fn read(kind: Kind, bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
                Ok(match kind {
                    $(Kind::$name => Self::$name { $($field: bytes.arbitrary()?),* },)*
                })
            }
        }
    };
}

// To add one: a free number, parameters of the types below, an arm of `Game::play`, a weight in `conservation`; then
// `cargo xtask fuzz --seconds 300 --keep` for inputs that succeed in it.
steps! {
    /// Lends.
    0 Deposit { person: Person, side: Token, amount: Amount }
    /// Takes back a part of what was lent, or more than that.
    1 Withdraw { person: Person, side: Token, part_bps: Within<0, 11_000> }
    /// Books interest.
    2 Accrue { side: Token }
    /// Opens a position around the price of the market.
    3 Open {
        person: Person,
        with_base: bool,
        own_base: Within<0, 2_000_000_000>,
        own_quote: Within<0, 300_000_000>,
        down_bps: Within<50, 2_000>,
        up_bps: Within<50, 2_000>,
        leverage_bps: Within<10_000, 36_000>,
        hedge: Hedge,
        trigger_ltv_bps: Within<5_000, 7_701>,
        margin_bps: Within<10, 1_500>,
    }
    /// The owner takes liquidity out, repays and is paid.
    4 Decrease {
        position: Pick,
        liquidity_bps: Within<0, 10_001>,
        repay_base: Cap,
        repay_quote: Cap,
        pay_base: Amount,
        pay_quote: Amount,
    }
    /// The owner closes.
    5 Close { position: Pick }
    /// The owner changes the policy, also to one that is refused.
    6 SetPolicy {
        position: Pick,
        hedge: Hedge,
        band_bps: Within<0, 10_100>,
        target_bps: Within<0, 1_000>,
        trigger_ltv_bps: Within<0, 9_000>,
        margin_bps: Within<0, 5_000>,
        swap_loss_bps: Within<0, 120>,
        interval_secs: Within<0, 1_000>,
        keepers: bool,
    }
    /// A keeper rehedges.
    7 Rehedge { person: Person, position: Pick, sell: bool }
    /// A keeper deleverages.
    8 Deleverage { person: Person, position: Pick }
    /// A liquidator pays at most so much.
    9 Liquidate { person: Person, position: Pick, pay_base: Cap, pay_quote: Cap }
    /// The owner collects the pool's reward.
    10 CollectReward { position: Pick }
    /// The pool books a reward for a position.
    11 BookReward { position: Pick, amount: Within<0, 100> }
    /// A gift to one of a position's accounts, which must change nothing.
    12 GiftToPosition { person: Person, position: Pick, side: Token, amount: Amount }
    /// A gift to a reserve's vault, which must change nothing.
    13 GiftToVault { person: Person, side: Token, amount: Amount }
    /// Time passes; the same prices are posted anew, or else grow stale.
    14 Wait { secs: Secs, post: bool }
    /// Pool and oracle move together.
    15 MoveMarket { to_bps: Within<8_800, 11_300> }
    /// Pool and oracle move together over a gap, in which nobody can act.
    16 Gap { to_bps: Within<5_000, 19_000> }
    /// The oracle's price departs from the market's by this factor, until the next move or wait.
    17 MoveOracle { of_market_bps: Within<9_700, 10_300> }
    /// The pool's price departs from the market's by this factor, until the next move.
    18 MovePool { of_market_bps: Within<9_700, 10_300> }
    /// Somebody has the market remember how new the prices are.
    19 RefreshPrice {}
    /// The owner brings funds and another leverage.
    20 Increase {
        position: Pick,
        with_base: bool,
        own_base: Within<0, 1_000_000_000>,
        own_quote: Within<0, 200_000_000>,
        leverage_bps: Within<9_900, 36_000>,
        sell: bool,
    }
    /// The owner only repays.
    21 Repay { position: Pick, base: Cap, quote: Cap }
    /// The owner takes the fees out.
    22 Collect { position: Pick }
    /// A keeper puts the fees to work.
    23 Compound { person: Person, position: Pick }
    /// A keeper moves the band: this far from the oracle's price, in tick spacings, beyond 3 not at all; this wide to either
    /// side, in tick spacings.
    24 Recenter {
        person: Person,
        position: Pick,
        offset: Few<0, 16>,
        half_width: Within<1, 500>,
        replacing: bool,
    }
    /// A keeper takes the position out of the pool.
    25 Exit { person: Person, position: Pick }
    /// The owner lets keepers do more or less. Edges are distances from the market's price, the floor a part of the equity.
    26 SetAutomation {
        position: Pick,
        leverage_bps: Within<9_900, 40_100>,
        min_width: Few<0, 32>,
        more_width: Few<0, 128>,
        edge: Few<0, 52>,
        cooldown_secs: Few<0, 100>,
        low: Few<0, 64>,
        high: Few<0, 64>,
        at_low: Few<0, 5>,
        at_high: Few<0, 5>,
        at_floor: Few<0, 5>,
        floor_bps: Within<0, 12_000>,
        compound_min: Few<0, 40>,
        reward: Few<0, 202>,
        exit_loss_bps: Few<0, 102>,
        daily_loss_bps: Within<0, 505>,
    }
    /// The owner offers the position to one, and another, mostly the same, accepts.
    27 Transfer { position: Pick, to: Person, by_other: Few<0, 5>, accept: Few<0, 4> }
    /// The owner takes lamports back.
    28 ReclaimReward { position: Pick, lamports: Cap }
    /// Somebody sends lamports to a position.
    29 FundReward { person: Person, position: Pick, lamports: Within<0, 3_000_000> }
    /// Somebody shows the market what its stage rests on.
    30 RefreshStage {}
    /// A price with any confidence interval, moving average and age is posted.
    31 PostPrice {
        side: Token,
        of_market_bps: Within<9_900, 10_101>,
        confidence_bps: Within<0, 500>,
        ema_bps: Within<8_500, 11_500>,
        doubtful: Few<0, 4>,
        age_secs: Few<0, 150>,
        show: bool,
    }
    /// Somebody pays for a part of the bad debt, or for more than that.
    32 CoverBadDebt { person: Person, side: Token, part_bps: Within<0, 11_000> }
    /// Somebody adds to the insurance.
    33 FundInsurance { person: Person, side: Token, amount: Amount }
    /// Authority, guardian or somebody else sets the mode.
    34 SetMode { by: Few<0, 3>, mode: Few<0, 3>, secs: Secs }
    /// The authority names another guardian.
    35 SetGuardian { to: Person }
    /// The authority changes one of the market's parameters, or announces that.
    36 UpdateMarket { which: Few<0, 14>, of_present_bps: Within<5_000, 15_000> }
    /// The authority changes one of a reserve's parameters, or announces that.
    37 UpdateReserve { side: Token, which: Few<0, 8>, of_present_bps: Within<5_000, 15_000> }
    /// Somebody puts announced parameters in force: the market's or a reserve's, mostly after the notice.
    38 ApplyChange { which: Few<0, 3>, wait: Few<0, 4> }
    /// The authority offers its rights.
    39 OfferAuthority { to: Person }
    /// Somebody takes the authority over.
    40 AcceptAuthority { by: Person }
    /// Traders move the pool this far from where it is and back, so that positions earn.
    41 TradePool { up_bps: Within<9_700, 10_300>, times: Few<1, 4> }
    /// Time passes without a new price, long enough for silence, and somebody shows that to the market.
    42 FallSilent { secs: Within<50, 800> }
    /// Time passes with good prices, long enough for the stage to fall, and somebody shows that to the market.
    43 Calm {}
    /// A keeper deleverages with a swap.
    44 DeleverageSwap { person: Person, position: Pick, sell: bool }
    /// Somebody shows what of a position's debts is not covered.
    45 ShowLoss { person: Person, position: Pick }
    /// Somebody settles a position and brings at most so much, mostly after so long without a price that it can be.
    46 Settle { person: Person, position: Pick, pay_base: Cap, pay_quote: Cap, wait: Few<0, 4> }
    /// The owner says who goes first: nobody, one keeper or two.
    47 SetFirstKeepers {
        position: Pick,
        first: Person,
        second: Person,
        named: Few<0, 3>,
        head_start_secs: Few<0, 62>,
    }
    /// The authority announces another rule of the safety net: this part of the largest that it may be.
    48 UpdateSafety { which: Few<0, 5>, of_largest_bps: Within<0, 11_000> }
    /// Somebody puts announced rules of the safety net in force, mostly after the notice.
    49 ApplySafety { wait: Few<0, 4> }
    /// The authority announces other feeds: of both tokens, of one of them, or none.
    50 AnnounceOracle { base: bool, quote: bool }
    /// Somebody puts announced feeds in force, mostly after the notice.
    51 ApplyOracle { wait: Few<0, 4> }
    /// The authority takes back that other feeds were announced.
    52 CancelOracle {}
}

/// Bytes of a step in an encoded sequence: its kind and its parameters. Of one size, so that changes of one step leave the
/// others alone.
pub const RECORD: usize = 20;
/// Steps of a sequence; more are not decoded.
pub const MAX_STEPS: usize = 24;
/// Kinds that there may ever be; a number that is not used yet is no step.
const KINDS: u8 = 64;

/// The steps that bytes mean.
pub fn decode(bytes: &[u8]) -> Vec<Step> {
    let records = bytes.chunks(RECORD).take(MAX_STEPS);
    records.filter_map(decode_one).collect()
}

fn decode_one(record: &[u8]) -> Option<Step> {
    let (kind, parameters) = record.split_first()?;
    let kind = Kind::ALL
        .iter()
        .find(|known| **known as u8 == kind % KINDS)?;
    Some(Step::of(*kind, parameters))
}

#[cfg(test)]
mod tests {
    use ballast_client::Side;

    use super::*;

    #[test]
    fn numbers_are_the_corpus_and_differ() {
        let numbers: Vec<u8> = Kind::ALL.iter().map(|kind| *kind as u8).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!(numbers.iter().all(|number| *number < KINDS));
    }

    #[test]
    fn every_byte_string_is_a_sequence() {
        assert_eq!(decode(&[]), []);
        // A record that is cut off has zeros; a number that nothing has yet is left out.
        let mut bytes = vec![63; RECORD];
        bytes.extend([2, 1]);
        assert_eq!(
            decode(&bytes),
            [Step::Accrue {
                side: Token(Side::Quote)
            }]
        );
        assert_eq!(decode(&[64]), [Step::of(Kind::Deposit, &[])]);
        assert_eq!(decode(&vec![5; RECORD * 100]).len(), MAX_STEPS);
    }

    #[test]
    fn every_parameter_fits_its_record() {
        for kind in Kind::ALL {
            let [fits, more] = [[0xff; RECORD - 1].as_slice(), &[0xff; 100]]
                .map(|parameters| Step::of(*kind, parameters));
            assert_eq!(fits, more, "{kind:?} needs more than {RECORD} bytes");
        }
    }
}
