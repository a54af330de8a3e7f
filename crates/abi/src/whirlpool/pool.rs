//! The pool account.

use ballast_clmm::{SqrtPrice, Tick};
use solana_address::Address;

use super::layout::pool as at;
use crate::{
    LayoutError,
    bytes::{self, address_at, i32_at, u16_at, u64_at, u128_at},
};

const WHAT: &str = "Whirlpool";

/// A checked view of a pool's bytes: nothing is copied, every getter reads in place.
#[derive(Clone, Copy, Debug)]
pub struct PoolView<'a> {
    bytes: &'a [u8; at::LENGTH],
    sqrt_price: SqrtPrice,
}

/// One of a pool's three reward slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewardView {
    /// Mint of the reward; the default address when the slot is unused.
    pub mint: Address,
    /// The pool's account of the reward.
    pub vault: Address,
    /// Q64.64 raw units per second.
    pub emissions_per_second_x64: u128,
    /// Q64.64 raw units per unit of liquidity.
    pub growth_global_x64: u128,
}

impl RewardView {
    /// Whether the slot is used: whoever appoints rewards has given it a mint and a vault.
    pub fn is_initialized(&self) -> bool {
        self.mint != Address::default()
    }
}

impl<'a> PoolView<'a> {
    /// Checks length, discriminator, ranges of price and current tick, and tick spacing. The caller checks who owns the account.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        let bytes = bytes::account(WHAT, data, &at::DISCRIMINATOR)?;
        let sqrt_price = SqrtPrice::new(u128_at(bytes, at::SQRT_PRICE))
            .map_err(|source| LayoutError::Range { what: WHAT, source })?;
        if u16_at(bytes, at::TICK_SPACING) == 0 {
            return Err(LayoutError::Value {
                what: WHAT,
                field: "tick_spacing",
            });
        }
        if !(Tick::MIN.get() - 1..=Tick::MAX.get()).contains(&i32_at(bytes, at::TICK_CURRENT)) {
            return Err(LayoutError::Value {
                what: WHAT,
                field: "tick_current",
            });
        }
        Ok(Self { bytes, sqrt_price })
    }

    /// Whirlpools config the pool belongs to.
    pub fn config(&self) -> Address {
        address_at(self.bytes, at::CONFIG)
    }

    /// Bump of the pool's address.
    pub fn bump(&self) -> u8 {
        self.bytes[at::BUMP]
    }

    /// Distance of usable ticks, never 0.
    pub fn tick_spacing(&self) -> u16 {
        u16_at(self.bytes, at::TICK_SPACING)
    }

    /// Last seed of the pool's address: its tick spacing, or the index of an adaptive-fee tier.
    pub fn fee_tier_index(&self) -> u16 {
        u16_at(self.bytes, at::FEE_TIER_INDEX)
    }

    /// Swap fee in 1e-6 of the input (the base fee of adaptive-fee pools).
    pub fn fee_rate_ppm(&self) -> u16 {
        u16_at(self.bytes, at::FEE_RATE)
    }

    /// Whether the swap fee moves with volatility, so that [`Self::fee_rate_ppm`] is only its floor. Whirlpool marks
    /// such pools by a fee-tier index that is not the tick spacing.
    pub fn has_adaptive_fee(&self) -> bool {
        self.fee_tier_index() != self.tick_spacing()
    }

    /// Protocol's part of the fee in 1e-4 of the fee.
    pub fn protocol_fee_rate_bps(&self) -> u16 {
        u16_at(self.bytes, at::PROTOCOL_FEE_RATE)
    }

    /// Liquidity of the positions whose band holds the current tick.
    pub fn liquidity(&self) -> u128 {
        u128_at(self.bytes, at::LIQUIDITY)
    }

    /// Current price.
    pub fn sqrt_price(&self) -> SqrtPrice {
        self.sqrt_price
    }

    /// Current tick. At a price exactly on a tick it is one less when the last swap came from above, and so may be one
    /// below the lowest tick; which liquidity is active follows this index, not the price.
    pub fn tick_current(&self) -> i32 {
        i32_at(self.bytes, at::TICK_CURRENT)
    }

    /// Protocol fees not yet collected, token A, raw units.
    pub fn protocol_fee_owed_a(&self) -> u64 {
        u64_at(self.bytes, at::PROTOCOL_FEE_OWED_A)
    }

    /// Protocol fees not yet collected, token B, raw units.
    pub fn protocol_fee_owed_b(&self) -> u64 {
        u64_at(self.bytes, at::PROTOCOL_FEE_OWED_B)
    }

    /// Mint of token A (base).
    pub fn mint_a(&self) -> Address {
        address_at(self.bytes, at::MINT_A)
    }

    /// The pool's account of token A.
    pub fn vault_a(&self) -> Address {
        address_at(self.bytes, at::VAULT_A)
    }

    /// Mint of token B (quote).
    pub fn mint_b(&self) -> Address {
        address_at(self.bytes, at::MINT_B)
    }

    /// The pool's account of token B.
    pub fn vault_b(&self) -> Address {
        address_at(self.bytes, at::VAULT_B)
    }

    /// Fees of token A per unit of liquidity since the beginning, Q64.64, wrapping.
    pub fn fee_growth_global_a_x64(&self) -> u128 {
        u128_at(self.bytes, at::FEE_GROWTH_GLOBAL_A)
    }

    /// Fees of token B per unit of liquidity since the beginning, Q64.64, wrapping.
    pub fn fee_growth_global_b_x64(&self) -> u128 {
        u128_at(self.bytes, at::FEE_GROWTH_GLOBAL_B)
    }

    /// When rewards were last booked, seconds.
    pub fn reward_last_updated_secs(&self) -> u64 {
        u64_at(self.bytes, at::REWARD_LAST_UPDATED)
    }

    /// The three reward slots.
    pub fn rewards(&self) -> [RewardView; 3] {
        [0, 1, 2].map(|index| {
            let start = at::REWARDS + index * at::REWARD_LENGTH;
            RewardView {
                mint: address_at(self.bytes, start),
                vault: address_at(self.bytes, start + 32),
                emissions_per_second_x64: u128_at(self.bytes, start + 96),
                growth_global_x64: u128_at(self.bytes, start + 112),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> [u8; at::LENGTH] {
        let mut data = [0; at::LENGTH];
        data[..8].copy_from_slice(&at::DISCRIMINATOR);
        data[at::TICK_SPACING..][..2].copy_from_slice(&4u16.to_le_bytes());
        data[at::SQRT_PRICE..][..16].copy_from_slice(&SqrtPrice::ONE.x64().to_le_bytes());
        data
    }

    #[test]
    fn fields_are_read_where_they_are_written() {
        let mut data = pool();
        data[at::MINT_B..][..32].fill(7);
        data[at::TICK_CURRENT..][..4].copy_from_slice(&(-443_637i32).to_le_bytes());
        data[at::FEE_GROWTH_GLOBAL_B..][..16].copy_from_slice(&u128::MAX.to_le_bytes());
        data[at::LENGTH - 16..].copy_from_slice(&5u128.to_le_bytes());
        let view = PoolView::parse(&data).unwrap();
        assert_eq!(view.mint_b(), Address::new_from_array([7; 32]));
        assert_eq!(view.tick_current(), -443_637);
        assert_eq!(view.fee_growth_global_b_x64(), u128::MAX);
        assert_eq!(view.rewards()[2].growth_global_x64, 5);
        assert!(view.rewards().iter().all(|reward| !reward.is_initialized()));
        assert_eq!(view.sqrt_price(), SqrtPrice::ONE);
    }

    #[test]
    fn rewards_are_told_apart() {
        let mut data = pool();
        let second = at::REWARDS + at::REWARD_LENGTH;
        data[second..][..32].fill(1);
        data[second + 32..][..32].fill(2);
        // The authority of a slot without a mint makes no reward of it.
        data[at::REWARDS + 64..][..32].fill(3);
        let rewards = PoolView::parse(&data).unwrap().rewards();
        assert_eq!(rewards[1].mint, Address::new_from_array([1; 32]));
        assert_eq!(rewards[1].vault, Address::new_from_array([2; 32]));
        assert_eq!(
            rewards.map(|reward| reward.is_initialized()),
            [false, true, false]
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let good = pool();
        assert!(matches!(
            PoolView::parse(&good[..652]),
            Err(LayoutError::Length { found: 652, .. })
        ));
        let mut bad = good;
        bad[0] ^= 1;
        assert!(matches!(
            PoolView::parse(&bad),
            Err(LayoutError::Discriminator { .. })
        ));
        let mut bad = good;
        bad[at::SQRT_PRICE..][..16].fill(0);
        assert!(matches!(
            PoolView::parse(&bad),
            Err(LayoutError::Range { .. })
        ));
        let mut bad = good;
        bad[at::TICK_CURRENT..][..4].copy_from_slice(&(-443_638i32).to_le_bytes());
        assert!(matches!(
            PoolView::parse(&bad),
            Err(LayoutError::Value {
                field: "tick_current",
                ..
            })
        ));
        let mut bad = good;
        bad[at::TICK_SPACING..][..2].fill(0);
        assert!(matches!(
            PoolView::parse(&bad),
            Err(LayoutError::Value {
                field: "tick_spacing",
                ..
            })
        ));
    }
}
