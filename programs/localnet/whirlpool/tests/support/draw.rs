//! What happens in a pool's life, drawn from a seed.

use ballast_abi::{
    spl,
    whirlpool::{array_start, instruction::*},
};
use ballast_clmm::{SqrtPrice, Tick};
use rand::{Rng, seq::IndexedRandom};

use super::{
    parts::{ArrayKind, PoolSpec},
    scenario::{Life, Op},
};

pub fn random_spec(rng: &mut impl Rng) -> PoolSpec {
    let programs = [spl::TOKEN_PROGRAM, spl::TOKEN_2022_PROGRAM];
    let tick = match rng.random_range(0..10) {
        0 => rng.random_range(Tick::MIN.get()..=Tick::MIN.get() + 1_000),
        1 => rng.random_range(Tick::MAX.get() - 1_000..=Tick::MAX.get()),
        2..5 => rng.random_range(-200_000..=200_000),
        // About where SOL/USDC is.
        _ => rng.random_range(-20_000..=-15_000),
    };
    let exact = Tick::new(tick).unwrap().sqrt_price().x64();
    let sqrt_price = if rng.random_bool(0.2) {
        exact
    } else {
        exact + exact / 40_001
    };
    PoolSpec {
        tick_spacing: *[1, 2, 4, 8, 16, 64, 96, 128, 256].choose(rng).unwrap(),
        fee_rate_ppm: *[0, 100, 400, 3_000, 10_000, 60_000].choose(rng).unwrap(),
        protocol_fee_rate_bps: *[0, 300, 1_300, 2_500].choose(rng).unwrap(),
        sqrt_price: sqrt_price.min(SqrtPrice::MAX.x64()),
        token_program_a: *programs.choose(rng).unwrap(),
        token_program_b: *programs.choose(rng).unwrap(),
    }
}

impl Life {
    fn spacing(&self) -> i32 {
        i32::from(self.pool.spec.tick_spacing)
    }

    /// Draws what to do next from the present state.
    pub fn draw(&self, rng: &mut impl Rng) -> Op {
        let position = |rng: &mut _| {
            (0..self.positions.len())
                .collect::<Vec<_>>()
                .choose(rng)
                .copied()
        };
        match (rng.random_range(0..100), position(rng)) {
            (0..8, _) | (_, None) if self.positions.len() < 12 => self.draw_open(rng),
            (8..11, _) => {
                let [lower, _] = self.draw_band(rng);
                Op::Array {
                    start: array_start(lower, self.pool.spec.tick_spacing),
                    kind: *[ArrayKind::Fixed, ArrayKind::Dynamic].choose(rng).unwrap(),
                }
            }
            (11..14, Some(position)) => {
                let [tick_lower, tick_upper] = self.draw_reset(rng, position);
                let mut limit = |unlimited| {
                    if rng.random_bool(0.95) {
                        unlimited
                    } else {
                        rng.random_range(0..1 << 40)
                    }
                };
                let (min_a, min_b, max_a, max_b) =
                    (limit(0), limit(0), limit(u64::MAX), limit(u64::MAX));
                Op::Reposition {
                    position,
                    args: RepositionLiquidityV2 {
                        tick_lower,
                        tick_upper,
                        method: RepositionMethod::ByLiquidity {
                            liquidity: draw_liquidity(rng),
                            min_a,
                            min_b,
                            max_a,
                            max_b,
                        },
                    },
                }
            }
            (14..31, Some(position)) => Op::Increase {
                position,
                args: IncreaseLiquidityV2 {
                    liquidity: draw_liquidity(rng),
                    max_a: if rng.random_bool(0.9) {
                        u64::MAX
                    } else {
                        rng.random_range(0..1 << 40)
                    },
                    max_b: u64::MAX,
                },
            },
            (31..43, Some(position)) => {
                let all = self.positions[position]
                    .0
                    .with(&self.world, |position| position.liquidity());
                Op::Decrease {
                    position,
                    args: DecreaseLiquidityV2 {
                        liquidity: match rng.random_range(0..6) {
                            0 => draw_liquidity(rng),
                            1..4 => all,
                            _ => rng.random_range(0..=all),
                        },
                        min_a: if rng.random_bool(0.9) {
                            0
                        } else {
                            rng.random_range(0..1 << 40)
                        },
                        min_b: 0,
                    },
                }
            }
            (43..48, Some(position)) => Op::Update { position },
            (48..53, Some(position)) => Op::Collect { position },
            (53..56, Some(position)) => Op::Close { position },
            (56..60, Some(position)) => Op::Reset {
                position,
                band: self.draw_reset(rng, position),
            },
            (60..63, _) => Op::Wait {
                seconds: rng.random_range(0..1_000),
            },
            _ => self.draw_swap(rng),
        }
    }

    fn draw_band(&self, rng: &mut impl Rng) -> [i32; 2] {
        let spacing = self.spacing();
        let (low, high) = (Tick::MIN.get() / spacing, Tick::MAX.get() / spacing);
        if rng.random_bool(0.05) {
            return [low * spacing, high * spacing];
        }
        let current = self
            .pool
            .with(&self.world, |pool| pool.tick_current())
            .div_euclid(spacing);
        let mut end = || (current + rng.random_range(-140..=140)).clamp(low, high);
        let (one, other) = (end(), end());
        [one.min(other) * spacing, one.max(other) * spacing]
    }

    fn draw_open(&self, rng: &mut impl Rng) -> Op {
        let [mut lower, upper] = self.draw_band(rng);
        if rng.random_bool(0.03) {
            lower += 1;
        }
        let trader = rng.random_range(0..self.traders.len());
        Op::Open {
            trader,
            lower,
            upper,
        }
    }

    /// Another band, or now and then the same or a bad one.
    fn draw_reset(&self, rng: &mut impl Rng, position: usize) -> [i32; 2] {
        let (position, _) = self.positions[position];
        let [lower, upper] = self.draw_band(rng);
        match rng.random_range(0..20) {
            0 => [position.lower, position.upper],
            1 => [lower, upper + 1],
            2 => [upper, lower],
            _ => [lower, upper],
        }
    }

    fn draw_swap(&self, rng: &mut impl Rng) -> Op {
        let a_to_b = rng.random();
        let (price, liquidity) = self
            .pool
            .with(&self.world, |pool| (pool.sqrt_price(), pool.liquidity()));
        // About what moves the price by a few ticks, or anything.
        let typical = (liquidity >> 7).clamp(1, 1 << 55) as u64;
        let bits = rng.random_range(0..56);
        let amount = match rng.random_range(0..10) {
            0 => 0,
            1..4 => rng.random_range(0..1u64 << bits),
            _ => rng.random_range(0..=typical),
        };
        let sqrt_price_limit = match rng.random_range(0..10) {
            0 => rng.random::<u128>() >> rng.random_range(0..128),
            1 | 2 => {
                // Within a percent; now and then exactly on a tick, or on the wrong side.
                let ticks = rng.random_range(-5..100);
                let tick = price.tick().get() + if a_to_b { -ticks } else { ticks };
                Tick::new(tick.clamp(Tick::MIN.get(), Tick::MAX.get()))
                    .unwrap()
                    .sqrt_price()
                    .x64()
                    + u128::from(rng.random_bool(0.5))
            }
            _ => 0,
        };
        let amount_is_input = rng.random_bool(0.6);
        let other_amount_threshold = match (rng.random_bool(0.1), amount_is_input) {
            (true, _) => rng.random_range(0..1 << 50),
            (false, true) => 0,
            (false, false) => u64::MAX,
        };
        Op::Swap {
            trader: rng.random_range(0..self.traders.len()),
            args: SwapV2 {
                amount,
                other_amount_threshold,
                sqrt_price_limit,
                amount_is_input,
                a_to_b,
            },
            // Mostly as they should be, else shuffled with repeats.
            order: if rng.random_bool(0.8) {
                [0, 1, 2]
            } else {
                [0; 3].map(|_| rng.random_range(0..3))
            },
        }
    }
}

fn draw_liquidity(rng: &mut impl Rng) -> u128 {
    let bits = match rng.random_range(0..20) {
        0 => rng.random_range(0..=128),
        _ => rng.random_range(20..56),
    };
    if bits == 0 {
        0
    } else {
        rng.random::<u128>() >> (128 - bits)
    }
}
