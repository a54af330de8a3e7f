//! Random life of a pool: operations drawn from a seed, the same for every world they are applied to.

use std::collections::BTreeMap;

use ballast_abi::{
    spl,
    whirlpool::{array_start, instruction::*, is_array_start},
};
use ballast_clmm::{SqrtPrice, Tick};
use rand::{Rng, seq::IndexedRandom};
use solana_signer::Signer;

use super::{
    parts::{ArrayKind, Pool, PoolSpec, Position, Trader},
    world::{Deployment, Failure, Outcome, Receipt, World, key},
};

/// An operation in terms that do not depend on program ids.
#[derive(Clone, Debug)]
pub enum Op {
    Array {
        start: i32,
        kind: ArrayKind,
    },
    Open {
        trader: usize,
        lower: i32,
        upper: i32,
    },
    Increase {
        position: usize,
        args: IncreaseLiquidityV2,
    },
    Decrease {
        position: usize,
        args: DecreaseLiquidityV2,
    },
    Update {
        position: usize,
    },
    Collect {
        position: usize,
    },
    Close {
        position: usize,
    },
    Swap {
        trader: usize,
        args: SwapV2,
        order: [usize; 3],
    },
    Wait {
        seconds: i64,
    },
}

/// A world with one pool and everything that happened in it.
pub struct Life {
    pub world: World,
    pub pool: Pool,
    pub traders: Vec<Trader>,
    pub positions: Vec<(Position, usize)>,
    pub arrays: BTreeMap<i32, ArrayKind>,
    time: i64,
    opened: u64,
    last_succeeded: bool,
}

pub const RICH: u64 = 1 << 60;

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
    pub fn new(deployment: &Deployment, spec: PoolSpec) -> Self {
        let mut world = World::new(deployment);
        world.set_time(1_700_000_000);
        let pool = Pool::create(&mut world, 0, spec);
        let traders = ["alice", "bob"].map(|name| pool.trader(&mut world, name, RICH));
        Self {
            world,
            pool,
            traders: traders.into(),
            positions: Vec::new(),
            arrays: BTreeMap::new(),
            time: 1_700_000_000,
            opened: 0,
            last_succeeded: true,
        }
    }

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
            (8..13, _) => {
                let [lower, _] = self.draw_band(rng);
                Op::Array {
                    start: array_start(lower, self.pool.spec.tick_spacing),
                    kind: *[ArrayKind::Fixed, ArrayKind::Dynamic].choose(rng).unwrap(),
                }
            }
            (13..35, Some(position)) => Op::Increase {
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
            (35..47, Some(position)) => {
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
            (47..52, Some(position)) => Op::Update { position },
            (52..57, Some(position)) => Op::Collect { position },
            (57..60, Some(position)) => Op::Close { position },
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

    /// Does it. Opening a position also creates the tick arrays it needs, of alternating kinds.
    pub fn apply(&mut self, op: &Op) -> Outcome {
        let outcome = self.attempt(op);
        self.last_succeeded = outcome.is_ok();
        outcome
    }

    /// Whether the last operation succeeded.
    pub fn last_succeeded(&self) -> bool {
        self.last_succeeded
    }

    fn attempt(&mut self, op: &Op) -> Outcome {
        let (world, pool) = (&mut self.world, &self.pool);
        match *op {
            Op::Array { start, kind } => {
                let outcome = pool.initialize_tick_array(world, start, kind);
                if outcome.is_ok() {
                    self.arrays.insert(start, kind);
                }
                outcome
            }
            Op::Open {
                trader,
                lower,
                upper,
            } => {
                self.opened += 1;
                let mint = key("position", self.opened);
                let owner = self.traders[trader].key.pubkey();
                let with_metadata = self.opened.is_multiple_of(7);
                let (position, outcome) =
                    pool.open(world, owner, &mint, lower, upper, with_metadata);
                let receipt = outcome?;
                self.positions.push((position, trader));
                for tick in [lower, upper] {
                    self.ensure_array(tick);
                }
                Ok(receipt)
            }
            Op::Increase { position, args } => {
                let (position, trader) = self.positions[position];
                pool.increase(world, &self.traders[trader], &position, args)
            }
            Op::Decrease { position, args } => {
                let (position, trader) = self.positions[position];
                pool.decrease(world, &self.traders[trader], &position, args)
            }
            Op::Update { position } => pool.update(world, &self.positions[position].0),
            Op::Collect { position } => {
                let (position, trader) = self.positions[position];
                pool.collect(world, &self.traders[trader], &position)
            }
            Op::Close { position } => {
                let (closed, trader) = self.positions[position];
                let outcome = pool.close(world, &self.traders[trader].key, &closed);
                if outcome.is_ok() {
                    self.positions.remove(position);
                }
                outcome
            }
            Op::Swap {
                trader,
                args,
                order,
            } => {
                let trader = &self.traders[trader];
                let mut accounts = pool.swap_accounts(world, trader, args.a_to_b);
                let arrays = [
                    accounts.tick_array_0,
                    accounts.tick_array_1,
                    accounts.tick_array_2,
                ];
                [
                    accounts.tick_array_0,
                    accounts.tick_array_1,
                    accounts.tick_array_2,
                ] = order.map(|index| arrays[index]);
                world.send(&[args.instruction(pool.program, &accounts)], &[&trader.key])
            }
            Op::Wait { seconds } => {
                self.time += seconds;
                world.set_time(self.time);
                Ok(Receipt {
                    compute_units: 0,
                    logs: Vec::new(),
                })
            }
        }
    }

    fn ensure_array(&mut self, tick: i32) {
        let start = array_start(tick, self.pool.spec.tick_spacing);
        assert!(is_array_start(start, self.pool.spec.tick_spacing));
        if !self.arrays.contains_key(&start) {
            let kind = if self.arrays.len().is_multiple_of(2) {
                ArrayKind::Dynamic
            } else {
                ArrayKind::Fixed
            };
            self.pool
                .initialize_tick_array(&mut self.world, start, kind)
                .unwrap();
            self.arrays.insert(start, kind);
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

/// Error numbers for amounts beyond 64 bits and products beyond 128. The real program has one for each place where that can
/// happen; the stand-in does not tell all of them apart.
const TOO_LARGE: [u32; 7] = [6008, 6017, 6018, 6030, 6031, 6033, 6039];

/// An outcome without what depends on the program: `Ok`, or the error number (the text of other errors).
pub fn verdict(op: &Op, outcome: &Outcome) -> Result<(), String> {
    match outcome {
        Ok(_) => Ok(()),
        Err(Failure {
            code: Some(code), ..
        }) => match op {
            Op::Swap { .. } | Op::Increase { .. } if TOO_LARGE.contains(code) => {
                Err("too large".into())
            }
            _ => Err(code.to_string()),
        },
        Err(Failure { text, .. }) => Err(text.lines().next().unwrap_or_default().to_string()),
    }
}
