//! Who signs: a key in this process, or a service that has it.

mod remote;

use async_trait::async_trait;
use solana_sdk::{
    pubkey::Pubkey,
    signature::{Keypair, Signature},
    signer::Signer,
};

pub use remote::{RemoteSigner, SignError, SignerAddress, SignerConfig};

/// Who signs for an address, perhaps elsewhere.
#[async_trait]
pub trait TransactionSigner: Send + Sync {
    /// Whose signatures it makes.
    fn address(&self) -> Pubkey;

    /// Signs these bytes.
    async fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;

    /// The key, where it is in this process.
    fn key(&self) -> Option<&(dyn Signer + Sync)> {
        None
    }
}

#[async_trait]
impl TransactionSigner for Keypair {
    fn address(&self) -> Pubkey {
        self.pubkey()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(self.sign_message(message))
    }

    fn key(&self) -> Option<&(dyn Signer + Sync)> {
        Some(self)
    }
}

/// Who pays for a transaction, and signs it.
#[derive(Clone, Copy)]
pub enum Payer<'a> {
    /// A key in this process.
    Key(&'a (dyn Signer + Sync)),
    /// A service, which is asked once for what is sent, and never for what is only simulated.
    Service(&'a dyn TransactionSigner),
}

impl Payer<'_> {
    /// Whose signature it is.
    pub fn address(&self) -> Pubkey {
        match self {
            Self::Key(key) => key.pubkey(),
            Self::Service(service) => service.address(),
        }
    }
}

impl<'a> From<&'a dyn TransactionSigner> for Payer<'a> {
    fn from(signer: &'a dyn TransactionSigner) -> Self {
        match signer.key() {
            Some(key) => Self::Key(key),
            None => Self::Service(signer),
        }
    }
}

impl<'a> From<&'a (dyn Signer + Sync)> for Payer<'a> {
    fn from(key: &'a (dyn Signer + Sync)) -> Self {
        Self::Key(key)
    }
}

impl<'a, S: Signer + Sync> From<&'a S> for Payer<'a> {
    fn from(key: &'a S) -> Self {
        Self::Key(key)
    }
}
