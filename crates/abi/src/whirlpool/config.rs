//! Whirlpools config and fee tier: what new pools start with.

use solana_address::Address;

use super::layout::{config, fee_tier};
use crate::{
    LayoutError,
    bytes::{self, address_at, u16_at},
};

/// A checked view of a config's bytes.
#[derive(Clone, Copy, Debug)]
pub struct ConfigView<'a>(&'a [u8; config::LENGTH]);

impl<'a> ConfigView<'a> {
    /// Checks length and discriminator. The caller checks who owns the account.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        bytes::account("WhirlpoolsConfig", data, &config::DISCRIMINATOR).map(Self)
    }

    /// Who may create fee tiers.
    pub fn fee_authority(&self) -> Address {
        address_at(self.0, config::FEE_AUTHORITY)
    }

    /// Who may appoint reward authorities.
    pub fn reward_emissions_super_authority(&self) -> Address {
        address_at(self.0, config::REWARD_EMISSIONS_SUPER_AUTHORITY)
    }

    /// Protocol's part of the fee of new pools in 1e-4 of the fee.
    pub fn default_protocol_fee_rate_bps(&self) -> u16 {
        u16_at(self.0, config::DEFAULT_PROTOCOL_FEE_RATE)
    }
}

/// A checked view of a fee tier's bytes.
#[derive(Clone, Copy, Debug)]
pub struct FeeTierView<'a>(&'a [u8; fee_tier::LENGTH]);

impl<'a> FeeTierView<'a> {
    /// Checks length and discriminator. The caller checks who owns the account.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        bytes::account("FeeTier", data, &fee_tier::DISCRIMINATOR).map(Self)
    }

    /// Config it belongs to.
    pub fn config(&self) -> Address {
        address_at(self.0, fee_tier::CONFIG)
    }

    /// Tick spacing of its pools.
    pub fn tick_spacing(&self) -> u16 {
        u16_at(self.0, fee_tier::TICK_SPACING)
    }

    /// Swap fee of new pools in 1e-6 of the input.
    pub fn default_fee_rate_ppm(&self) -> u16 {
        u16_at(self.0, fee_tier::DEFAULT_FEE_RATE)
    }
}
