//! A pool with a position, and instructions that must fail.

use ballast_abi::whirlpool::instruction::*;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    parts::{ArrayKind, Pool, PoolSpec, Position, Trader},
    scenario::RICH,
    world::{Deployment, Outcome, World, key},
};

/// Error numbers of the token programs.
pub const INSUFFICIENT_FUNDS: u32 = 1;
pub const MINT_MISMATCH: u32 = 3;
pub const OWNER_MISMATCH: u32 = 4;
/// Anchor's error numbers.
pub const HAS_ONE: u32 = 2001;
pub const RAW: u32 = 2003;
pub const SEEDS: u32 = 2006;
pub const ADDRESS: u32 = 2012;
pub const WRONG_DISCRIMINATOR: u32 = 3002;
pub const WRONG_OWNER: u32 = 3007;
pub const WRONG_PROGRAM: u32 = 3008;
pub const NOT_SIGNER: u32 = 3010;
pub const NOT_INITIALIZED: u32 = 3012;

#[track_caller]
pub fn assert_code(outcome: Outcome, code: u32) {
    match outcome {
        Ok(_) => panic!("succeeded, expected error {code}"),
        Err(failure) => assert_eq!(failure.code, Some(code), "{}", failure.text),
    }
}

/// A pool at price 1 with tick arrays around it and a position with liquidity.
pub struct Scene {
    pub world: World,
    pub pool: Pool,
    pub alice: Trader,
    pub bob: Trader,
    pub position: Position,
}

pub const LIQUIDITY: u128 = 1_000_000_000_000;

pub fn increase(liquidity: u128) -> IncreaseLiquidityV2 {
    IncreaseLiquidityV2 {
        liquidity,
        max_a: u64::MAX,
        max_b: u64::MAX,
    }
}

pub fn decrease(liquidity: u128) -> DecreaseLiquidityV2 {
    DecreaseLiquidityV2 {
        liquidity,
        min_a: 0,
        min_b: 0,
    }
}

pub fn sell(amount: u64) -> SwapV2 {
    SwapV2 {
        amount,
        other_amount_threshold: 0,
        sqrt_price_limit: 0,
        amount_is_input: true,
        a_to_b: true,
    }
}

/// Another pool in the same world, with arrays around its price.
pub fn pool_with_arrays(world: &mut World, number: u64) -> Pool {
    let pool = Pool::create(world, number, PoolSpec::default());
    for (start, kind) in [
        (-352, ArrayKind::Dynamic),
        (0, ArrayKind::Fixed),
        (352, ArrayKind::Fixed),
    ] {
        pool.initialize_tick_array(world, start, kind).unwrap();
    }
    pool
}

pub fn open(world: &mut World, pool: &Pool, trader: &Trader, number: u64) -> Position {
    let mint = key("position", number);
    let (position, outcome) = pool.open(world, trader.key.pubkey(), &mint, -40, 360, false);
    outcome.unwrap();
    position
}

impl Scene {
    pub fn new() -> Self {
        let mut world = World::new(&Deployment::under_test());
        let pool = pool_with_arrays(&mut world, 0);
        let [alice, bob] = ["alice", "bob"].map(|name| pool.trader(&mut world, name, RICH));
        let position = open(&mut world, &pool, &alice, 0);
        pool.increase(&mut world, &alice, &position, increase(LIQUIDITY))
            .unwrap();
        Self {
            world,
            pool,
            alice,
            bob,
            position,
        }
    }

    pub fn send(&mut self, instruction: ballast_abi::Instruction, signer: &Keypair) -> Outcome {
        self.world.send(&[instruction], &[signer])
    }

    /// Increases and decreases with accounts that were tampered with; both must fail alike.
    #[track_caller]
    pub fn assert_modify(&mut self, code: u32, tamper: impl Fn(&mut ModifyLiquidityV2Accounts)) {
        let mut accounts = self.pool.modify_accounts(&self.alice, &self.position);
        tamper(&mut accounts);
        let signer = self.alice.key.insecure_clone();
        let program = self.pool.program;
        assert_code(
            self.send(increase(1_000).instruction(program, &accounts), &signer),
            code,
        );
        assert_code(
            self.send(decrease(1_000).instruction(program, &accounts), &signer),
            code,
        );
    }

    #[track_caller]
    pub fn assert_collect(&mut self, code: u32, tamper: impl Fn(&mut CollectFeesV2Accounts)) {
        let mut accounts = self.pool.collect_accounts(&self.alice, &self.position);
        tamper(&mut accounts);
        let signer = self.alice.key.insecure_clone();
        let instruction = CollectFeesV2 {}.instruction(self.pool.program, &accounts);
        assert_code(self.send(instruction, &signer), code);
    }

    #[track_caller]
    pub fn assert_swap(&mut self, code: u32, args: SwapV2, tamper: impl Fn(&mut SwapV2Accounts)) {
        let mut accounts = self
            .pool
            .swap_accounts(&self.world, &self.alice, args.a_to_b);
        tamper(&mut accounts);
        let signer = self.alice.key.insecure_clone();
        let instruction = args.instruction(self.pool.program, &accounts);
        assert_code(self.send(instruction, &signer), code);
    }
}
