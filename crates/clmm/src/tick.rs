//! Ticks: the integer grid on which positions begin and end.

mod set_bits;

use crate::{
    ClmmError, ON_CHAIN, SqrtPrice,
    wide::digits::{join, mul_64, mul_digits, shr_into, split},
};

/// Number of ticks (of the pool's spacing) in one tick array account.
pub const TICK_ARRAY_SIZE: i32 = 88;

/// A tick index `i`, standing for the price `1.0001^i` (raw quote per raw base), within [`Tick::MIN`]..=[`Tick::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(i32);

impl Tick {
    /// Smallest tick of a Whirlpool; its price is [`SqrtPrice::MIN`].
    pub const MIN: Tick = Tick(-443_636);
    /// Largest tick of a Whirlpool; its price is [`SqrtPrice::MAX`].
    pub const MAX: Tick = Tick(443_636);

    /// A tick from its index.
    ///
    /// # Errors
    /// [`ClmmError::TickOutOfRange`] outside `MIN..=MAX`.
    pub const fn new(index: i32) -> Result<Tick, ClmmError> {
        if index < Tick::MIN.0 || index > Tick::MAX.0 {
            return Err(ClmmError::TickOutOfRange(index));
        }
        Ok(Tick(index))
    }

    /// The tick nearest to `index` that exists.
    pub(crate) const fn saturating(index: i32) -> Tick {
        if index < Tick::MIN.0 {
            Tick::MIN
        } else if index > Tick::MAX.0 {
            Tick::MAX
        } else {
            Tick(index)
        }
    }

    /// The tick index.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The square-root price of this tick, `1.0001^(i/2)` in Q64.64, bit for bit Whirlpool's value.
    ///
    /// Source: the binary expansion of `|i|` with one precomputed factor per bit (Uniswap v3 `TickMath`), in Whirlpool's
    /// two precisions: Q96 factors above 1 for positive ticks, Q64 factors below 1 for negative ones, each product
    /// truncated.
    #[cfg_attr(not(target_os = "solana"), inline)]
    pub const fn sqrt_price(self) -> SqrtPrice {
        let n = self.0.unsigned_abs();
        let x64 = match (self.0 < 0, ON_CHAIN) {
            (true, true) => power_below_one_x64(n),
            (false, true) => power_above_one_x96(n) >> 32,
            (true, false) => set_bits::below_one_x64(n),
            (false, false) => set_bits::above_one_x96(n) >> 32,
        };
        SqrtPrice::from_tick_value(x64)
    }

    /// Whether a position may begin or end here in a pool of this spacing.
    ///
    /// # Errors
    /// [`ClmmError::ZeroTickSpacing`].
    pub const fn is_aligned(self, spacing: u16) -> Result<bool, ClmmError> {
        match self.0.checked_rem(spacing as i32) {
            Some(remainder) => Ok(remainder == 0),
            None => Err(ClmmError::ZeroTickSpacing),
        }
    }

    /// The largest multiple of `spacing` at or below this tick.
    ///
    /// # Errors
    /// [`ClmmError::ZeroTickSpacing`]; [`ClmmError::TickOutOfRange`] if that multiple lies below [`Tick::MIN`].
    pub const fn align_down(self, spacing: u16) -> Result<Tick, ClmmError> {
        match self.0.checked_rem_euclid(spacing as i32) {
            Some(above) => Tick::new(self.0.wrapping_sub(above)),
            None => Err(ClmmError::ZeroTickSpacing),
        }
    }

    /// The smallest multiple of `spacing` at or above this tick.
    ///
    /// # Errors
    /// [`ClmmError::ZeroTickSpacing`]; [`ClmmError::TickOutOfRange`] if that multiple lies above [`Tick::MAX`].
    pub const fn align_up(self, spacing: u16) -> Result<Tick, ClmmError> {
        match self.0.checked_rem_euclid(spacing as i32) {
            Some(0) => Ok(self),
            Some(above) => Tick::new(self.0.wrapping_sub(above).wrapping_add(spacing as i32)),
            None => Err(ClmmError::ZeroTickSpacing),
        }
    }

    /// The first tick index of the tick array that holds this tick. It is a plain index because the lowest array of a pool
    /// begins below [`Tick::MIN`].
    ///
    /// # Errors
    /// [`ClmmError::ZeroTickSpacing`].
    pub const fn array_start(self, spacing: u16) -> Result<i32, ClmmError> {
        // An array spans at most 65535 * 88 ticks: nothing here comes near the bounds of an i32.
        match self.0.checked_rem_euclid(spacing as i32 * TICK_ARRAY_SIZE) {
            Some(above) => Ok(self.0.wrapping_sub(above)),
            None => Err(ClmmError::ZeroTickSpacing),
        }
    }
}

impl core::fmt::Display for Tick {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i32> for Tick {
    type Error = ClmmError;

    fn try_from(index: i32) -> Result<Tick, ClmmError> {
        Tick::new(index)
    }
}

/// `1.0001^(2^k / 2)` in Q96 for bit `k`, as Whirlpool rounds it.
const ABOVE_ONE_X96: [u128; 19] = [
    79_232_123_823_359_799_118_286_999_567,
    79_236_085_330_515_764_027_303_304_731,
    79_244_008_939_048_815_603_706_035_061,
    79_259_858_533_276_714_757_314_932_305,
    79_291_567_232_598_584_799_939_703_904,
    79_355_022_692_464_371_645_785_046_466,
    79_482_085_999_252_804_386_437_311_141,
    79_736_823_300_114_093_921_829_183_326,
    80_248_749_790_819_932_309_965_073_892,
    81_282_483_887_344_747_381_513_967_011,
    83_390_072_131_320_151_908_154_831_281,
    87_770_609_709_833_776_024_991_924_138,
    97_234_110_755_111_693_312_479_820_773,
    119_332_217_159_966_728_226_237_229_890,
    179_736_315_981_702_064_433_883_588_727,
    407_748_233_172_238_350_107_850_275_304,
    2_098_478_828_474_011_932_436_660_412_517,
    55_581_415_166_113_811_149_459_800_483_533,
    38_992_368_544_603_139_932_233_054_999_993_551,
];

/// `1.0001^(-2^k / 2)` in Q64 for bit `k`, as Whirlpool rounds it.
const BELOW_ONE_X64: [u64; 19] = [
    18_445_821_805_675_392_311,
    18_444_899_583_751_176_498,
    18_443_055_278_223_354_162,
    18_439_367_220_385_604_838,
    18_431_993_317_065_449_817,
    18_417_254_355_718_160_513,
    18_387_811_781_193_591_352,
    18_329_067_761_203_520_168,
    18_212_142_134_806_087_854,
    17_980_523_815_641_551_639,
    17_526_086_738_831_147_013,
    16_651_378_430_235_024_244,
    15_030_750_278_693_429_944,
    12_247_334_978_882_834_399,
    8_131_365_268_884_726_200,
    3_584_323_654_723_342_297,
    696_457_651_847_595_233,
    26_294_789_957_452_057,
    37_481_735_321_082,
];

/// The lowest bits of a tick, whose product is looked up instead of computed: on chain each factor costs about forty
/// instructions.
const LOOKED_UP_BITS: usize = 8;
const LOOKED_UP: usize = 1 << LOOKED_UP_BITS;

/// [`power_above_one_x96`] of the lowest bits, by the same products in the same order.
static LOW_ABOVE_ONE_X96: [u128; LOOKED_UP] = {
    let mut table = [0; LOOKED_UP];
    let mut n = 0;
    while n < LOOKED_UP {
        table[n] = times_above_one_x96(1 << 96, n, 0);
        n += 1;
    }
    table
};

/// [`power_below_one_x64`] of the lowest bits; 1, which takes 65 bits, stands as 0.
static LOW_BELOW_ONE_X64: [u64; LOOKED_UP] = {
    let mut table = [0; LOOKED_UP];
    let mut n = 0;
    while n < LOOKED_UP {
        table[n] = times_below_one_x64(0, n, 0);
        n += 1;
    }
    table
};

/// `1.0001^(n/2)` in Q96, `n <= 443636`.
const fn power_above_one_x96(n: u32) -> u128 {
    let n = n as usize;
    let low = LOW_ABOVE_ONE_X96[n % LOOKED_UP];
    times_above_one_x96(low, n >> LOOKED_UP_BITS, LOOKED_UP_BITS)
}

/// `ratio` times the factors of the bits, of which the first is that of bit `k`.
const fn times_above_one_x96(ratio: u128, bits: usize, k: usize) -> u128 {
    let (mut ratio, mut bits, mut k) = (ratio, bits, k);
    while bits != 0 && k < ABOVE_ONE_X96.len() {
        if bits & 1 == 1 {
            // 1 * factor is the factor itself: the first product costs nothing and truncates nothing.
            ratio = if ratio == 1 << 96 {
                ABOVE_ONE_X96[k]
            } else {
                mul_shr96(ratio, ABOVE_ONE_X96[k])
            };
        }
        bits >>= 1;
        k += 1;
    }
    ratio
}

/// `1.0001^(-n/2)` in Q64, `1 <= n <= 443636`.
const fn power_below_one_x64(n: u32) -> u128 {
    let n = n as usize;
    let low = LOW_BELOW_ONE_X64[n % LOOKED_UP];
    times_below_one_x64(low, n >> LOOKED_UP_BITS, LOOKED_UP_BITS) as u128
}

/// `ratio` times the factors of the bits, of which the first is that of bit `k`. A ratio of 0 stands for 1.
const fn times_below_one_x64(ratio: u64, bits: usize, k: usize) -> u64 {
    let (mut ratio, mut bits, mut k) = (ratio, bits, k);
    while bits != 0 && k < BELOW_ONE_X64.len() {
        if bits & 1 == 1 {
            // Below 1 every factor and product fits 64 bits, so that one 64-bit product per bit is enough. No product is 0.
            ratio = if ratio == 0 {
                BELOW_ONE_X64[k]
            } else {
                (mul_64(ratio, BELOW_ONE_X64[k]) >> 64) as u64
            };
        }
        bits >>= 1;
        k += 1;
    }
    ratio
}

/// `a * b / 2^96`, truncated. The true result of every product made here is below `2^128`.
#[inline(always)]
const fn mul_shr96(a: u128, b: u128) -> u128 {
    let ((a1, a0), (b1, b0)) = (split(a), split(b));
    let [_, d1, d2, d3] = mul_digits(a1, a0, b1, b0);
    join(shr_into(d3, d2, 32), shr_into(d2, d1, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ticks_within_the_bounds_exist() {
        assert_eq!(Tick::new(-443_636), Ok(Tick::MIN));
        assert_eq!(Tick::new(443_636), Ok(Tick::MAX));
        for index in [-443_637, 443_637, i32::MIN, i32::MAX] {
            assert_eq!(Tick::new(index), Err(ClmmError::TickOutOfRange(index)));
        }
    }

    #[test]
    fn saturates_at_the_bounds() {
        assert_eq!(Tick::saturating(i32::MIN), Tick::MIN);
        assert_eq!(Tick::saturating(5).get(), 5);
        assert_eq!(Tick::saturating(i32::MAX), Tick::MAX);
    }

    #[test]
    fn prices_known_from_whirlpool() {
        for (index, x64) in [
            (-443_636, 4_295_048_016),
            (-100, 18_354_745_142_194_483_561),
            (-1, 18_445_821_805_675_392_311),
            (0, 1 << 64),
            (1, 18_447_666_387_855_959_850),
            (100, 18_539_204_128_674_405_812),
            (443_636, 79_226_673_515_401_279_992_447_579_055),
        ] {
            assert_eq!(Tick(index).sqrt_price().x64(), x64, "tick {index}");
        }
    }

    #[test]
    fn alignment_rounds_towards_its_name() {
        let tick = Tick(-101);
        assert_eq!(tick.align_down(10), Ok(Tick(-110)));
        assert_eq!(tick.align_up(10), Ok(Tick(-100)));
        assert_eq!(tick.is_aligned(10), Ok(false));
        let aligned = Tick(-110);
        assert_eq!(aligned.align_down(10), Ok(aligned));
        assert_eq!(aligned.align_up(10), Ok(aligned));
        assert_eq!(aligned.is_aligned(10), Ok(true));
    }

    #[test]
    fn alignment_does_not_leave_the_bounds() {
        assert_eq!(
            Tick::MIN.align_down(64),
            Err(ClmmError::TickOutOfRange(-443_648))
        );
        assert_eq!(
            Tick::MAX.align_up(64),
            Err(ClmmError::TickOutOfRange(443_648))
        );
        assert_eq!(Tick::MIN.align_up(64), Ok(Tick(-443_584)));
        assert_eq!(Tick::MAX.align_down(64), Ok(Tick(443_584)));
    }

    #[test]
    fn the_lowest_array_begins_below_the_lowest_tick() {
        assert_eq!(Tick(-1).array_start(64), Ok(-5_632));
        assert_eq!(Tick(0).array_start(64), Ok(0));
        assert_eq!(Tick(5_632).array_start(64), Ok(5_632));
        assert_eq!(Tick::MIN.array_start(64), Ok(-444_928));
        assert_eq!(Tick::MIN.array_start(u16::MAX), Ok(-5_767_080));
    }

    #[test]
    fn a_spacing_of_zero_is_an_error() {
        let tick = Tick(1);
        assert_eq!(tick.is_aligned(0), Err(ClmmError::ZeroTickSpacing));
        assert_eq!(tick.align_down(0), Err(ClmmError::ZeroTickSpacing));
        assert_eq!(tick.align_up(0), Err(ClmmError::ZeroTickSpacing));
        assert_eq!(tick.array_start(0), Err(ClmmError::ZeroTickSpacing));
    }

    #[test]
    fn a_tick_is_shown_as_its_index() {
        extern crate std;
        assert_eq!(std::format!("{}", Tick::MIN), "-443636");
        assert_eq!(std::format!("{:>4}", Tick(7)), "   7");
    }
}
