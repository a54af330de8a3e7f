//! What can be done in a [`super::Game`], as data.

use arbitrary::{Arbitrary, Unstructured};
use ballast_client::Side;

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
}

/// Bytes of a step in an encoded sequence: its kind and its parameters. Of one size, so that changes of one step leave the
/// others alone.
pub const RECORD: usize = 20;
/// Steps of a sequence; more are not decoded.
pub const MAX_STEPS: usize = 24;
/// Kinds that there may ever be; a number that is not used yet is no step.
const KINDS: u8 = 32;

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

/// Who does it: this number modulo the number of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person(pub u8);

/// Which of the open positions: this number modulo how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick(pub u8);

/// Which token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(pub Side);

/// Raw units, of all magnitudes alike up to 2^40, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub u64);

/// A limit, which is none more often than not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap(pub u64);

/// A number from `LOW` to below `END`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<const LOW: u32, const END: u32>(pub u32);

/// A time, of all magnitudes alike up to three weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secs(pub u32);

/// A hedge ratio in basis points, the whole one more often than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge(pub u32);

impl Arbitrary<'_> for Person {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self(bytes.arbitrary()?))
    }
}

impl Arbitrary<'_> for Pick {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self(bytes.arbitrary()?))
    }
}

impl Arbitrary<'_> for Token {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self(if bytes.arbitrary()? {
            Side::Quote
        } else {
            Side::Base
        }))
    }
}

impl Arbitrary<'_> for Amount {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(Self::from_bytes(bytes.arbitrary()?))
    }
}

impl Amount {
    fn from_bytes([exponent, fraction]: [u8; 2]) -> Self {
        Self(((0x100 + u64::from(fraction)) << (exponent % 42)) >> 9)
    }
}

impl Arbitrary<'_> for Cap {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let [exponent, fraction]: [u8; 2] = bytes.arbitrary()?;
        Ok(Self(match exponent {
            0x60.. => u64::MAX,
            _ => Amount::from_bytes([exponent, fraction]).0,
        }))
    }
}

impl<const LOW: u32, const END: u32> Arbitrary<'_> for Within<LOW, END> {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let part = u64::from(bytes.arbitrary::<u16>()?);
        let offset = (part * u64::from(END - LOW)) >> u16::BITS;
        // Below END - LOW, which is a u32.
        Ok(Self(LOW + offset as u32))
    }
}

impl Arbitrary<'_> for Secs {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let [exponent, fraction]: [u8; 2] = bytes.arbitrary()?;
        Ok(Self(
            ((0x100 + u32::from(fraction)) << (exponent % 21)) >> 8,
        ))
    }
}

impl Arbitrary<'_> for Hedge {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let ratios = [10_000, 0, 5_000, 10_000, 10_000];
        Ok(Self(
            ratios[usize::from(bytes.arbitrary::<u8>()?) % ratios.len()],
        ))
    }
}

#[cfg(test)]
mod tests {
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
        let mut bytes = vec![31; RECORD];
        bytes.extend([2, 1]);
        assert_eq!(
            decode(&bytes),
            [Step::Accrue {
                side: Token(Side::Quote)
            }]
        );
        assert_eq!(decode(&[32]), [Step::of(Kind::Deposit, &[])]);
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

    #[test]
    fn amounts_have_all_magnitudes() {
        let amounts = |bytes: [u8; 2]| {
            let amount: Amount = Unstructured::new(&bytes).arbitrary().unwrap();
            let cap: Cap = Unstructured::new(&bytes).arbitrary().unwrap();
            (amount.0, cap.0)
        };
        assert_eq!(amounts([0, 0]), (0, 0));
        assert_eq!(amounts([1, 0]), (1, 1));
        assert_eq!(amounts([41, 0]), (1 << 40, 1 << 40));
        assert_eq!(amounts([0xff, 0xff]), (0x1ff >> 6, u64::MAX));
    }

    #[test]
    fn bounds_are_reached_and_kept() {
        let within = |bytes: [u8; 2]| {
            let number: Within<5, 8> = Unstructured::new(&bytes).arbitrary().unwrap();
            number.0
        };
        assert_eq!((within([0, 0]), within([0xff, 0xff])), (5, 7));
    }
}
