//! Life of a pool: operations, the same for every world they are applied to.

use std::collections::BTreeMap;

use ballast_abi::whirlpool::{array_start, instruction::*, is_array_start};
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
    Reset {
        position: usize,
        band: [i32; 2],
    },
    Reposition {
        position: usize,
        args: RepositionLiquidityV2,
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

    /// Does it. Opening or moving a position also creates the tick arrays it needs, of alternating kinds.
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
            Op::Reset { position, band } => {
                let (moved, trader) = self.positions[position];
                let receipt = pool.reset(world, &self.traders[trader], &moved, band)?;
                [
                    self.positions[position].0.lower,
                    self.positions[position].0.upper,
                ] = band;
                for tick in band {
                    self.ensure_array(tick);
                }
                Ok(receipt)
            }
            Op::Reposition { position, args } => {
                let (moved, trader) = self.positions[position];
                let band = [args.tick_lower, args.tick_upper];
                for tick in band {
                    self.ensure_array(tick);
                }
                let trader = &self.traders[trader];
                let receipt = self
                    .pool
                    .reposition(&mut self.world, trader, &moved, args)?;
                [
                    self.positions[position].0.lower,
                    self.positions[position].0.upper,
                ] = band;
                Ok(receipt)
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
            Op::Swap { .. } | Op::Increase { .. } | Op::Reposition { .. }
                if TOO_LARGE.contains(code) =>
            {
                Err("too large".into())
            }
            _ => Err(code.to_string()),
        },
        Err(Failure { text, .. }) => Err(text.lines().next().unwrap_or_default().to_string()),
    }
}
