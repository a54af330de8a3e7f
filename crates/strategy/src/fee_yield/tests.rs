use ballast_model::{Amounts, Tick, value_down};
use proptest::prelude::*;

use super::*;

const HOUR: i64 = BLOCK_SECS as i64;

/// A pool that is watched.
struct Watched {
    pool: FeeYield,
    growth_x64: [u128; 2],
    secs: i64,
    at: SqrtPrice,
}

impl Watched {
    /// Just begun, close to where the pool's count wraps.
    fn new() -> Self {
        let mut watched = Self {
            pool: FeeYield::default(),
            growth_x64: [u128::MAX - 5, u128::MAX - 7],
            secs: 1_700_000_000,
            at: Tick::new(-16_000).unwrap().sqrt_price(),
        };
        assert!(!watched.look(0, [0; 2]));
        watched
    }

    /// A look after so many seconds in which a unit of liquidity has earned that.
    fn look(&mut self, secs: i64, earned_x64: [u128; 2]) -> bool {
        self.secs += secs;
        for (growth, earned) in self.growth_x64.iter_mut().zip(earned_x64) {
            *growth = growth.wrapping_add(earned);
        }
        self.pool.observe(&GrowthMark {
            growth_x64: self.growth_x64,
            at: self.at,
            secs: self.secs,
        })
    }

    /// So many hours, each of which pays a part of the whole range's value, half in either token.
    fn hours(&mut self, count: u32, part_x64: u128) {
        for _ in 0..count {
            assert!(self.look(HOUR, self.halves(part_x64)));
        }
    }

    /// Growth that is worth a part of `2 s`, half in either token.
    fn halves(&self, part_x64: u128) -> [u128; 2] {
        let root = self.at.x64();
        [
            mul_div_down(part_x64, 1 << 64, root).unwrap(),
            mul_shr64_down(part_x64, root).unwrap(),
        ]
    }

    #[track_caller]
    fn day(&self) -> u64 {
        self.pool.measured().unwrap().day_x64
    }
}

/// A basis point of the whole range's value in an hour.
const BP: u128 = (1 << 64) / 10_000;

#[track_caller]
fn close(found: u64, expected: u128) {
    let off = u128::from(found).abs_diff(expected);
    assert!(off <= expected / 1_000_000, "{found} is not {expected}");
}

#[test]
fn it_says_what_a_unit_has_earned_across_the_wrap_of_the_count() {
    let mut watched = Watched::new();
    watched.hours(5, BP);
    assert_eq!(watched.pool.measured(), None);
    watched.hours(1, BP);
    close(watched.day(), 24 * BP);
    assert_eq!(watched.pool.measured().unwrap().secs, 6 * BLOCK_SECS);
    // A different yield is learnt within the memory, and nothing of the old one is left.
    watched.hours(72, 3 * BP);
    close(watched.day(), 72 * BP);
    assert_eq!(watched.pool.measured().unwrap().secs, 72 * BLOCK_SECS);
}

/// The pool's own rule for what a position is owed says the same.
#[test]
fn it_is_what_a_position_in_range_has_been_owed() {
    let mut watched = Watched::new();
    let liquidity = 429_239_012_648u128;
    let mut owed = Amounts::ZERO;
    for hour in 0..24u128 {
        let earned = watched.halves(BP + hour * BP / 50);
        watched.look(HOUR, earned);
        let paid = earned.map(|earned| mul_shr64_down(earned, liquidity).unwrap());
        owed.base += u64::try_from(paid[0]).unwrap();
        owed.quote += u64::try_from(paid[1]).unwrap();
    }
    let worth = value_down(owed.base, watched.at).unwrap() + u128::from(owed.quote);
    let said = watched
        .pool
        .measured()
        .unwrap()
        .of_liquidity_down(liquidity, watched.at);
    assert!(
        said.abs_diff(worth) <= worth / 100_000,
        "{said} is not {worth}"
    );
}

#[test]
fn more_liquidity_that_shares_the_same_fees_is_a_lower_yield() {
    let mut watched = Watched::new();
    // The pool takes the same; the count shows what a unit gets of it.
    let taken = 1_000 * BP;
    watched.hours(72, taken / 1_000);
    close(watched.day(), 24 * BP);
    watched.hours(72, taken / 4_000);
    close(watched.day(), 6 * BP);
}

#[test]
fn a_gap_is_one_block_and_not_one_without_fees() {
    let mut steady = Watched::new();
    steady.hours(10, BP);
    // Nobody looked for half a day, and the pool went on.
    assert!(steady.look(12 * HOUR, steady.halves(12 * BP)));
    close(steady.day(), 24 * BP);
    assert_eq!(steady.pool.measured().unwrap().secs, 16 * BLOCK_SECS);
    // It counts for no more than six hours, whatever went on in it.
    let mut quiet = Watched::new();
    quiet.hours(18, BP);
    assert!(quiet.look(1_000 * HOUR, [0; 2]));
    // What was seen six weeks ago is no longer known, and one block says nothing.
    assert_eq!(quiet.pool.measured(), None);
    let mut quiet = Watched::new();
    quiet.hours(18, BP);
    assert!(quiet.look(100 * HOUR, [0; 2]));
    close(quiet.day(), 24 * BP * 18 / 24);
}

#[test]
fn what_contradicts_itself_is_left_out() {
    let mut watched = Watched::new();
    watched.hours(10, BP);
    let before = watched.pool.measured();
    // Too soon, and a clock that went back.
    assert!(!watched.look(HOUR - 1, watched.halves(BP)));
    assert!(!watched.look(-10 * HOUR, [0; 2]));
    watched.secs += 9 * HOUR + 1;
    assert_eq!(watched.pool.measured(), before);
    // A count that went back: another pool's, or one that a node has taken back.
    watched.growth_x64 = [0, 3];
    assert!(!watched.look(2 * HOUR, [0; 2]));
    assert_eq!(watched.pool.measured(), before);
    watched.hours(1, BP);
    close(watched.day(), 24 * BP);
}

#[test]
fn a_flash_of_fees_moves_it_by_a_bounded_part() {
    for flash in [10 * BP, 1_000_000 * BP, u128::MAX / 1_000_000_000] {
        let mut watched = Watched::new();
        watched.hours(23, BP);
        watched.hours(1, flash);
        // One hour in a day counts four times at most.
        close(watched.day(), 27 * BP);
        // Eight of a day's hours are still no majority.
        watched.hours(7, flash);
        let all = 23 * BP + 8 * 4 * BP;
        close(watched.day(), all * 24 / 31);
    }
    // A keeper that has just begun says nothing before most hours have been like that.
    let mut fresh = Watched::new();
    fresh.hours(1, 1_000_000 * BP);
    fresh.hours(1, 1_000_000 * BP);
    assert_eq!(fresh.pool.measured(), None);
    fresh.hours(4, BP);
    close(fresh.day(), (4 + 2 * 4) * BP * 24 / 6);
    // Fees that come in few hours are not believed either.
    let mut rare = Watched::new();
    for _ in 0..20 {
        rare.hours(3, 0);
        rare.hours(1, BP);
    }
    assert_eq!(rare.day(), 0);
}

#[test]
fn the_configured_number_counts_for_all_until_time_outweighs_it() {
    let measured = |secs| Some((100, MeasuredYield { day_x64: 0, secs }));
    assert_eq!(weighed_down(20, None), 20);
    assert_eq!(weighed_down(20, measured(6 * BLOCK_SECS)), 40);
    assert_eq!(weighed_down(0, measured(18 * BLOCK_SECS)), 75);
    for hours in [24, 72] {
        assert_eq!(weighed_down(20, measured(hours * BLOCK_SECS)), 100);
    }
}

#[test]
fn a_band_earns_its_concentration_times_as_much() {
    let whole = MeasuredYield {
        day_x64: u64::try_from(BP).unwrap(),
        secs: BLOCK_SECS,
    };
    // Just below, because a basis point has no end in binary.
    assert_eq!(whole.of_band_bps_down(1_000), 39);
    assert_eq!(whole.of_band_bps_down(4_000), 9);
    assert_eq!(whole.of_band_bps_down(400_000), 0);
    let much = MeasuredYield {
        day_x64: u64::MAX,
        ..whole
    };
    assert_eq!(much.of_band_bps_down(0), 399_999_999);
    assert_eq!(much.of_band_bps_down(u32::MAX), 9_999);
    assert_eq!(
        much.of_liquidity_down(u128::MAX, SqrtPrice::MAX),
        u128::MAX - (u128::MAX >> 64) - 1
    );
    assert_eq!(much.of_liquidity_down(0, SqrtPrice::MAX), 0);
}

#[test]
fn it_reads_back_as_it_was() {
    let mut watched = Watched::new();
    watched.hours(80, 3 * BP);
    let text = serde_json::to_string(&watched.pool).unwrap();
    let read: FeeYield = serde_json::from_str(&text).unwrap();
    assert_eq!(read, watched.pool);
    println!("{} bytes", text.len());
    // While nobody ran the pool went on.
    watched.pool = read;
    watched.look(30 * HOUR, watched.halves(90 * BP));
    close(watched.day(), 72 * BP);
}

proptest! {
    /// Nothing is too wild, and it lies among what was seen.
    #[test]
    fn what_is_measured_lies_among_the_blocks(
        looks in proptest::collection::vec((0i64..400_000, any::<[u128; 2]>(), 0u32..128), 0..120),
        tick in -443_636i32..=443_636,
    ) {
        let mut watched = Watched::new();
        watched.at = Tick::new(tick).unwrap().sqrt_price();
        for (secs, earned, shift) in looks {
            watched.look(secs, earned.map(|earned| earned >> shift));
            prop_assert!(watched.pool.blocks.len() <= BLOCKS);
            let rates = || watched.pool.blocks.iter().map(|block| block.day_x64);
            if let Some(measured) = watched.pool.measured() {
                prop_assert!(measured.day_x64 <= rates().max().unwrap());
                prop_assert!(measured.secs >= 6 * BLOCK_SECS);
            }
        }
    }
}
