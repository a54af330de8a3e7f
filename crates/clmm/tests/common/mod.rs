//! Random inputs that can be replayed, shared by the differential tests.
//!
//! Every test draws from a fixed seed. `BALLAST_SEED` (decimal) replaces it and `BALLAST_CASES` multiplies the number of
//! cases (`10`) or divides it (`1/10`); a failing test prints the seed it ran with.
#![allow(dead_code)] // each test binary uses its own part

use ballast_clmm::{Side, SqrtPrice, SwapMode, Tick};

const DEFAULT_SEED: u64 = 20_250_227;

/// SplitMix64: small, and good enough to scatter test inputs.
pub struct Rng {
    seed: u64,
    state: u64,
}

impl Rng {
    /// The generator of one test; `stream` keeps tests apart that run from the same seed.
    pub fn new(stream: u64) -> Rng {
        let seed = variable("BALLAST_SEED").unwrap_or(DEFAULT_SEED);
        Rng {
            seed,
            state: seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    pub fn u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn u128(&mut self) -> u128 {
        u128::from(self.u64()) << 64 | u128::from(self.u64())
    }

    /// Uniform in `0..bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.u64()) * u128::from(bound)) >> 64) as u64
    }

    pub fn flag(&mut self) -> bool {
        self.u64() & 1 == 1
    }

    /// Every bit length up to `bits` (at most 128) equally often, with runs of ones and zeros, powers of two and their
    /// neighbours: where carries and borrows are decided.
    pub fn wide(&mut self, bits: u32) -> u128 {
        let len = self.below(u64::from(bits) + 1) as u32;
        let mask = if len == 0 {
            0
        } else {
            u128::MAX >> (128 - len)
        };
        let value = match self.below(8) {
            0 => mask,
            1 => mask ^ (mask >> 1),
            2 => (mask ^ (mask >> 1)).wrapping_add(1),
            3 => self.u128() | self.u128(),
            4 => self.u128() & self.u128(),
            // Extreme 64-bit digits, the inputs for which trial quotients are wrong.
            5 => u128::from(self.digit()) << 64 | u128::from(self.digit()),
            _ => self.u128(),
        };
        value & mask
    }

    fn digit(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << 63,
            3 => u64::MAX - self.below(4),
            4 => (1 << 63) + self.below(4),
            _ => self.u64(),
        }
    }

    /// As [`Rng::wide`], for amounts.
    pub fn amount(&mut self) -> u64 {
        self.wide(64) as u64
    }

    pub fn tick(&mut self) -> Tick {
        let width = (Tick::MAX.get() - Tick::MIN.get() + 1) as u64;
        Tick::new(Tick::MIN.get() + self.below(width) as i32).unwrap()
    }

    /// Even in the logarithm, with ticks' own prices, their neighbours and the bounds.
    pub fn price(&mut self) -> SqrtPrice {
        if self.below(64) == 0 {
            return if self.flag() {
                SqrtPrice::MIN
            } else {
                SqrtPrice::MAX
            };
        }
        let tick = self.tick();
        let here = tick.sqrt_price().x64();
        let x64 = match self.below(8) {
            0 => here,
            1 => here - 1,
            2 => here + 1,
            _ => here + (here as f64 * 5e-5 * self.unit()) as u128,
        };
        SqrtPrice::new(x64.clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64())).unwrap()
    }

    /// A price at a distance from `near` that is even in the logarithm: from one unit to the bounds.
    pub fn price_near(&mut self, near: SqrtPrice) -> SqrtPrice {
        let step = self.wide(96);
        let x64 = if self.flag() {
            near.x64().saturating_add(step)
        } else {
            near.x64().saturating_sub(step)
        };
        SqrtPrice::new(x64.clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64())).unwrap()
    }

    pub fn mode(&mut self) -> SwapMode {
        if self.flag() {
            SwapMode::ExactIn
        } else {
            SwapMode::ExactOut
        }
    }

    pub fn side(&mut self) -> Side {
        if self.flag() { Side::Base } else { Side::Quote }
    }

    /// An amount that moves the price by a sensible part, or any amount.
    pub fn swap_amount(&mut self, liquidity: u128) -> u64 {
        if self.flag() {
            return self.amount();
        }
        let scale = liquidity.min(u128::from(u64::MAX)) as u64;
        self.below(scale.max(1)).max(1) >> self.below(40)
    }

    fn unit(&mut self) -> f64 {
        (self.u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Drop for Rng {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay with BALLAST_SEED={}", self.seed);
        }
    }
}

/// `n` times the factor of long runs; `1/20` is a short run.
pub fn cases(n: u64) -> u64 {
    match std::env::var("BALLAST_CASES").ok().as_deref() {
        None => n,
        Some(text) => match text.strip_prefix("1/") {
            Some(part) => n / decimal("BALLAST_CASES", part),
            None => n * decimal("BALLAST_CASES", text),
        },
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(decimal(name, &text))
}

fn decimal(name: &str, text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("{name} must be a decimal 64-bit number, not {text:?}"))
}
