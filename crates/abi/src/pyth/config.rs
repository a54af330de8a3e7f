//! The receiver's own settings.

use alloc::vec::Vec;

use solana_address::Address;

use crate::{LayoutError, wire::Wire};

const WHAT: &str = "Pyth receiver configuration";

/// Who may send price messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSource {
    /// Chain, as Wormhole numbers it.
    pub chain: u16,
    /// Sender there.
    pub emitter: Address,
}

/// What the receiver accepts and asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// May change all of this.
    pub governance_authority: Address,
    /// Is to be that authority.
    pub target_governance_authority: Option<Address>,
    /// Program that verifies signed messages.
    pub wormhole: Address,
    /// Senders whose messages are taken.
    pub sources: Vec<DataSource>,
    /// Fee of an update.
    pub update_fee_lamports: u64,
    /// Signatures that a partly verified update needs.
    pub minimum_signatures: u8,
}

impl ReceiverConfig {
    /// Length of the account, with room.
    pub const LENGTH: usize = 370;
    /// sha256("account:Config")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [155, 12, 170, 224, 30, 250, 204, 130];

    /// Reads the account.
    ///
    /// # Errors
    /// Another account's discriminator, too few bytes, or a byte that is no value of its type.
    pub fn parse(data: &[u8]) -> Result<Self, LayoutError> {
        let mut rest = crate::wire::after_discriminator(WHAT, &Self::DISCRIMINATOR, data)?;
        let missing = LayoutError::Length {
            what: WHAT,
            expected: Self::LENGTH,
            found: data.len(),
        };
        Self::take(&mut rest).ok_or(missing)
    }

    /// What follows the discriminator.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = Vec::new();
        self.governance_authority.put(&mut data);
        match &self.target_governance_authority {
            None => data.push(0),
            Some(target) => {
                data.push(1);
                target.put(&mut data);
            }
        }
        self.wormhole.put(&mut data);
        data.extend_from_slice(&(self.sources.len() as u32).to_le_bytes());
        for source in &self.sources {
            source.chain.put(&mut data);
            source.emitter.put(&mut data);
        }
        self.update_fee_lamports.put(&mut data);
        self.minimum_signatures.put(&mut data);
        data
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let governance_authority = Address::take(rest)?;
        let target_governance_authority = match u8::take(rest)? {
            0 => None,
            1 => Some(Address::take(rest)?),
            _ => return None,
        };
        let wormhole = Address::take(rest)?;
        let count = u32::take(rest)?;
        let mut sources = Vec::new();
        for _ in 0..count {
            sources.push(DataSource {
                chain: u16::take(rest)?,
                emitter: Address::take(rest)?,
            });
        }
        Some(Self {
            governance_authority,
            target_governance_authority,
            wormhole,
            sources,
            update_fee_lamports: u64::take(rest)?,
            minimum_signatures: u8::take(rest)?,
        })
    }
}
