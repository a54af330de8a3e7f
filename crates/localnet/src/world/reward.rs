//! Rewards of the pool. The stand-in has no instruction that sets one up or lets it grow, so both are written into the
//! accounts, as only a cluster on this machine lets one do.

use anyhow::{Context, Result};
use ballast_abi::{spl, whirlpool::layout};
use ballast_client::{PositionContext, Pubkey, Reward, Signer};

use super::World;
use crate::{keys, localnet::LocalnetExt};

/// Decimals of every reward.
const DECIMALS: u8 = 5;

impl World {
    /// Gives the pool a reward in the slot `index`, with `amount` raw units in its vault. The payer is the mint's
    /// authority.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn set_reward(&self, index: u8, amount: u64) -> Result<Reward> {
        let named = |what| keys::named(&format!("{}/reward {index} {what}", self.config.name));
        let (mint_key, vault_key) = (named("mint"), named("vault"));
        let (mint, vault, program) = (mint_key.pubkey(), vault_key.pubkey(), spl::TOKEN_PROGRAM);
        let (payer, pool) = (self.net.payer().pubkey(), self.market.market.whirlpool);
        let chain = self.net.chain();
        let mut instructions = Vec::new();
        for (account, length) in [(mint, spl::MINT_LENGTH), (vault, spl::TOKEN_ACCOUNT_LENGTH)] {
            let rent = chain.rent_lamports(length).await?;
            let create = spl::create_account(payer, account, rent, length as u64, program);
            instructions.push(create);
        }
        instructions.extend([
            spl::initialize_mint(program, mint, payer, DECIMALS),
            spl::initialize_account(program, vault, mint, pool),
            spl::mint_to(program, mint, vault, payer, amount),
        ]);
        let signers = [&mint_key, &vault_key];
        self.net
            .execute(instructions, &signers)
            .await
            .context("making a reward")?;
        let slot = layout::pool::REWARDS + usize::from(index) * layout::pool::REWARD_LENGTH;
        self.write(&pool, slot, mint.as_ref()).await?;
        self.write(&pool, slot + 32, vault.as_ref()).await?;
        Ok(Reward {
            index,
            mint,
            vault,
            token_program: program,
            decimals: DECIMALS,
        })
    }

    /// Lets a reward grow by so many Q64.64 raw units per second from now on. The stand-in takes no notice.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn set_emission(&self, reward: &Reward, per_second_x64: u128) -> Result<()> {
        let slot = layout::pool::REWARDS + usize::from(reward.index) * layout::pool::REWARD_LENGTH;
        let pool = self.market.market.whirlpool;
        self.write(&pool, slot + 96, &per_second_x64.to_le_bytes())
            .await
    }

    /// Books `owed` raw units of a reward for a position, as the pool program does when liquidity changes.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn book_reward(
        &self,
        position: &PositionContext,
        reward: &Reward,
        owed: u64,
    ) -> Result<()> {
        let at = layout::position::REWARDS
            + usize::from(reward.index) * layout::position::REWARD_LENGTH
            + 16;
        let address = position.position.whirlpool_position;
        self.write(&address, at, &owed.to_le_bytes()).await
    }

    async fn write(&self, address: &Pubkey, at: usize, bytes: &[u8]) -> Result<()> {
        let account = self.net.chain().account(address).await?;
        let mut account = account.with_context(|| format!("{address} does not exist"))?;
        let place = account.data.get_mut(at..at + bytes.len());
        place
            .with_context(|| format!("{address} has no byte {at}"))?
            .copy_from_slice(bytes);
        self.net.set_account(address, account).await
    }
}
