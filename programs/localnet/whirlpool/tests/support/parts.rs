//! What pools, traders and positions are made of.

use ballast_abi::{
    Address, spl,
    whirlpool::{PositionView, layout},
};
use solana_keypair::Keypair;

use super::world::World;

/// What a pool is made of.
#[derive(Clone, Copy, Debug)]
pub struct PoolSpec {
    pub tick_spacing: u16,
    pub fee_rate_ppm: u16,
    pub protocol_fee_rate_bps: u16,
    pub sqrt_price: u128,
    pub token_program_a: Address,
    pub token_program_b: Address,
}

impl Default for PoolSpec {
    fn default() -> Self {
        Self {
            tick_spacing: 4,
            fee_rate_ppm: 400,
            protocol_fee_rate_bps: 1300,
            sqrt_price: 1 << 64,
            token_program_a: spl::TOKEN_PROGRAM,
            token_program_b: spl::TOKEN_PROGRAM,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayKind {
    Fixed,
    Dynamic,
}

/// Addresses of a pool.
#[derive(Clone, Copy)]
pub struct Pool {
    pub program: Address,
    pub config: Address,
    pub fee_tier: Address,
    pub address: Address,
    pub mint_a: Address,
    pub mint_b: Address,
    pub vault_a: Address,
    pub vault_b: Address,
    pub spec: PoolSpec,
}

/// Someone with accounts of both tokens.
pub struct Trader {
    pub key: Keypair,
    pub account_a: Address,
    pub account_b: Address,
}

/// Addresses of a position.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub address: Address,
    pub mint: Address,
    pub token_account: Address,
    pub lower: i32,
    pub upper: i32,
}

/// The config account as `initialize_config` leaves it. The real program lets only its administrators create one, so
/// that it is written into the virtual machine.
pub fn config_data(fee_authority: Address, protocol_fee_rate_bps: u16) -> Vec<u8> {
    let mut data = vec![0; layout::config::LENGTH];
    data[..8].copy_from_slice(&layout::config::DISCRIMINATOR);
    for offset in [
        layout::config::FEE_AUTHORITY,
        layout::config::COLLECT_PROTOCOL_FEES_AUTHORITY,
        layout::config::REWARD_EMISSIONS_SUPER_AUTHORITY,
    ] {
        data[offset..offset + 32].copy_from_slice(fee_authority.as_ref());
    }
    data[layout::config::DEFAULT_PROTOCOL_FEE_RATE..][..2]
        .copy_from_slice(&protocol_fee_rate_bps.to_le_bytes());
    data
}

impl Position {
    /// Reads the position account.
    pub fn with<T>(&self, world: &World, read: impl FnOnce(PositionView) -> T) -> T {
        read(PositionView::parse(&world.data(&self.address)).unwrap())
    }
}
