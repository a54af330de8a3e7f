//! Moves of a position with its liquidity.

use ballast_abi::{Address, spl, whirlpool::instruction::*};
use solana_signer::Signer;

use super::{
    parts::{Pool, Position, Trader},
    scene::Scene,
    world::{Outcome, World},
};

/// Moves with `liquidity` and without limits.
pub fn reposition([tick_lower, tick_upper]: [i32; 2], liquidity: u128) -> RepositionLiquidityV2 {
    RepositionLiquidityV2 {
        tick_lower,
        tick_upper,
        method: RepositionMethod::ByLiquidity {
            liquidity,
            min_a: 0,
            min_b: 0,
            max_a: u64::MAX,
            max_b: u64::MAX,
        },
    }
}

impl Pool {
    pub fn reposition_accounts(
        &self,
        funder: Address,
        trader: &Trader,
        position: &Position,
        args: &RepositionLiquidityV2,
    ) -> RepositionLiquidityV2Accounts {
        let present = self.modify_accounts(trader, position);
        RepositionLiquidityV2Accounts {
            pool: present.pool,
            token_program_a: present.token_program_a,
            token_program_b: present.token_program_b,
            memo_program: present.memo_program,
            position_authority: present.position_authority,
            funder,
            position: present.position,
            position_token_account: present.position_token_account,
            mint_a: present.mint_a,
            mint_b: present.mint_b,
            owner_account_a: present.owner_account_a,
            owner_account_b: present.owner_account_b,
            vault_a: present.vault_a,
            vault_b: present.vault_b,
            tick_array_lower: present.tick_array_lower,
            tick_array_upper: present.tick_array_upper,
            new_tick_array_lower: self.array_of(args.tick_lower),
            new_tick_array_upper: self.array_of(args.tick_upper),
            system_program: spl::SYSTEM_PROGRAM,
        }
    }

    /// The payer pays what the position's account lacks.
    pub fn reposition(
        &self,
        world: &mut World,
        trader: &Trader,
        position: &Position,
        args: RepositionLiquidityV2,
    ) -> Outcome {
        let accounts = self.reposition_accounts(world.payer.pubkey(), trader, position, &args);
        world.send(&[args.instruction(self.program, &accounts)], &[&trader.key])
    }
}

impl Scene {
    pub fn reposition(&mut self, args: RepositionLiquidityV2) -> Outcome {
        self.reposition_with(|scene| &scene.alice, args, |_| {})
    }

    /// A move with accounts that were tampered with, signed by `signer` and the payer.
    pub fn reposition_with(
        &mut self,
        signer: fn(&Self) -> &Trader,
        args: RepositionLiquidityV2,
        tamper: impl Fn(&mut RepositionLiquidityV2Accounts),
    ) -> Outcome {
        let payer = self.world.payer.pubkey();
        let mut accounts = self
            .pool
            .reposition_accounts(payer, &self.alice, &self.position, &args);
        tamper(&mut accounts);
        let signer = signer(self).key.insecure_clone();
        self.send(args.instruction(self.pool.program, &accounts), &signer)
    }
}
