//! The account of a liquidity position.

use ballast_clmm::Tick;
use solana_address::Address;

use super::layout::position as at;
use crate::{
    LayoutError,
    bytes::{self, address_at, i32_at, u64_at, u128_at},
};

const WHAT: &str = "Whirlpool position";

/// A checked view of a position's bytes.
#[derive(Clone, Copy, Debug)]
pub struct PositionView<'a> {
    bytes: &'a [u8; at::LENGTH],
    lower: Tick,
    upper: Tick,
}

impl<'a> PositionView<'a> {
    /// Checks length, discriminator and ticks. The caller checks who owns the account.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        let bytes = bytes::account(WHAT, data, &at::DISCRIMINATOR)?;
        let tick = |offset| {
            Tick::new(i32_at(bytes, offset))
                .map_err(|source| LayoutError::Range { what: WHAT, source })
        };
        Ok(Self {
            bytes,
            lower: tick(at::TICK_LOWER)?,
            upper: tick(at::TICK_UPPER)?,
        })
    }

    /// The pool.
    pub fn pool(&self) -> Address {
        address_at(self.bytes, at::POOL)
    }

    /// Mint of the NFT whose holder commands the position.
    pub fn mint(&self) -> Address {
        address_at(self.bytes, at::MINT)
    }

    /// Liquidity.
    pub fn liquidity(&self) -> u128 {
        u128_at(self.bytes, at::LIQUIDITY)
    }

    /// Lower end of the band.
    pub fn lower(&self) -> Tick {
        self.lower
    }

    /// Upper end of the band.
    pub fn upper(&self) -> Tick {
        self.upper
    }

    /// Fee growth inside the band when fees were last booked, token A, Q64.64, wrapping.
    pub fn fee_growth_checkpoint_a_x64(&self) -> u128 {
        u128_at(self.bytes, at::FEE_GROWTH_CHECKPOINT_A)
    }

    /// Fee growth inside the band when fees were last booked, token B, Q64.64, wrapping.
    pub fn fee_growth_checkpoint_b_x64(&self) -> u128 {
        u128_at(self.bytes, at::FEE_GROWTH_CHECKPOINT_B)
    }

    /// Fees booked and not yet collected, token A, raw units.
    pub fn fee_owed_a(&self) -> u64 {
        u64_at(self.bytes, at::FEE_OWED_A)
    }

    /// Fees booked and not yet collected, token B, raw units.
    pub fn fee_owed_b(&self) -> u64 {
        u64_at(self.bytes, at::FEE_OWED_B)
    }

    /// Rewards booked and not yet collected, raw units.
    pub fn rewards_owed(&self) -> [u64; 3] {
        [0, 1, 2].map(|index| u64_at(self.bytes, at::REWARDS + index * at::REWARD_LENGTH + 16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_ticks_checked() {
        let mut data = [0; at::LENGTH];
        data[..8].copy_from_slice(&at::DISCRIMINATOR);
        data[at::TICK_LOWER..][..4].copy_from_slice(&(-128i32).to_le_bytes());
        data[at::TICK_UPPER..][..4].copy_from_slice(&64i32.to_le_bytes());
        data[at::LENGTH - 8..].copy_from_slice(&9u64.to_le_bytes());
        let view = PositionView::parse(&data).unwrap();
        assert_eq!((view.lower().get(), view.upper().get()), (-128, 64));
        assert_eq!(view.rewards_owed(), [0, 0, 9]);
        data[at::TICK_UPPER..][..4].copy_from_slice(&443_637i32.to_le_bytes());
        assert!(matches!(
            PositionView::parse(&data),
            Err(LayoutError::Range { .. })
        ));
    }
}
