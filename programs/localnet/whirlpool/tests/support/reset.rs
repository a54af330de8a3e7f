//! A position without anything in it, and moves of it to other bands.

use ballast_abi::{Address, whirlpool::instruction::*};
use solana_signer::Signer;

use super::{
    parts::{Position, Trader},
    scene::*,
    world::Outcome,
};

/// Another band of the scene's arrays.
pub const BAND: [i32; 2] = [-100, 20];

/// A scene whose position traded, gave back its liquidity and its fees.
pub fn emptied() -> Scene {
    let mut scene = Scene::new();
    let Scene {
        world,
        pool,
        alice,
        bob,
        position,
    } = &mut scene;
    pool.swap(world, bob, sell(1_000_000_000)).unwrap();
    pool.decrease(world, alice, position, decrease(LIQUIDITY))
        .unwrap();
    pool.collect(world, alice, position).unwrap();
    scene
}

impl Scene {
    pub fn reset(&mut self, band: [i32; 2]) -> Outcome {
        let Self {
            world,
            pool,
            alice,
            position,
            ..
        } = self;
        pool.reset(world, alice, position, band)
    }

    /// A reset with accounts that were tampered with, signed by `trader` and the payer.
    pub fn reset_with(
        &mut self,
        signer: fn(&Self) -> &Trader,
        tamper: impl Fn(&mut ResetPositionRangeAccounts),
    ) -> Outcome {
        let payer = self.world.payer.pubkey();
        let mut accounts = self.pool.reset_accounts(payer, &self.alice, &self.position);
        tamper(&mut accounts);
        let args = ResetPositionRange {
            tick_lower: BAND[0],
            tick_upper: BAND[1],
        };
        let signer = signer(self).key.insecure_clone();
        self.send(args.instruction(self.pool.program, &accounts), &signer)
    }

    pub fn write_position(&mut self, at: usize, bytes: &[u8]) {
        let mut account = self.world.account(&self.position.address).unwrap();
        account.data[at..at + bytes.len()].copy_from_slice(bytes);
        self.world
            .svm
            .set_account(self.position.address, account)
            .unwrap();
    }

    pub fn lamports(&self, address: &Address) -> u64 {
        self.world
            .account(address)
            .map_or(0, |account| account.lamports)
    }
}

pub fn moved(position: &Position, [lower, upper]: [i32; 2]) -> Position {
    Position {
        lower,
        upper,
        ..*position
    }
}
