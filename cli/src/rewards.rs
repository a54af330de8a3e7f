//! Closing a position in a pool that pays rewards. The pool books them with every change of liquidity and keeps a
//! position open while one is owed: everything is taken out first, what is owed then is collected, and the position is
//! closed, all in one transaction.

use anyhow::{Context, Result};
use ballast_abi::{spl, whirlpool::error_code::CLOSE_POSITION_NOT_EMPTY};
use ballast_client::{
    AddressLookupTableAccount, BallastError, BallastEvent, DecreaseArgs, Failure, Instruction,
    Keypair, MarketContext, PositionContext, Pubkey, Receipt, Request, Reward, SendError, Sender,
    Signer, TokenAccount, instruction,
};
use serde::Serialize;

use crate::{
    connection::{explained, send},
    format::amount,
    progress,
};

/// A reward that was collected.
#[derive(Debug, Serialize)]
pub struct CollectedReward {
    pub mint: String,
    /// What arrived in the wallet, in whole tokens.
    pub amount: String,
}

/// A position that is about to be closed.
pub struct Ending<'a> {
    pub sender: &'a Sender,
    pub signer: &'a Keypair,
    pub tables: &'a [AddressLookupTableAccount],
    pub market: &'a MarketContext,
    pub position: &'a PositionContext,
}

impl Ending<'_> {
    /// Sends `close`, with what has to come before it. The wallet's accounts of the rewards are made if need be.
    ///
    /// # Errors
    /// What the programs refuse.
    pub async fn send(&self, close: Instruction) -> Result<(Receipt, Vec<CollectedReward>)> {
        let chain = self.sender.chain().as_ref();
        let rewards = Reward::of_pool(chain, self.market).await?;
        let mut owed = Vec::new();
        for reward in &rewards {
            if self.is_owed(reward).await? {
                owed.push(reward);
            }
        }
        self.make_wallets(&owed).await?;
        let mut instructions = Vec::new();
        if !owed.is_empty() {
            instructions.extend(self.take_out());
        }
        instructions.extend(owed.iter().map(|reward| self.collect(reward)));
        instructions.push(close);

        let bar = progress::spinner("closing the position");
        let sent = self.sender.send(&self.request(instructions)).await;
        bar.finish_and_clear();
        let receipt = sent
            .map_err(|error| self.named(error))
            .context("closing the position failed")?;
        let collected = receipt.events.iter().filter_map(|event| match event {
            BallastEvent::RewardCollected(event) => {
                let reward = rewards.iter().find(|reward| reward.mint == event.mint)?;
                Some(CollectedReward {
                    mint: event.mint.to_string(),
                    amount: amount(event.amount, reward.decimals),
                })
            }
            _ => None,
        });
        let collected = collected.collect();
        Ok((receipt, collected))
    }

    /// Whether something of a reward is owed once everything is taken out. The program knows: it refuses to collect
    /// nothing.
    async fn is_owed(&self, reward: &Reward) -> Result<bool> {
        let mut instructions: Vec<_> = self.take_out().into_iter().collect();
        instructions.push(self.make_wallet(reward));
        instructions.push(self.collect(reward));
        match self.sender.prepare(&self.request(instructions)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is(BallastError::ZeroAmount) => Ok(false),
            Err(error) => Err(explained(error)).with_context(|| {
                format!(
                    "trying to collect the pool's reward of mint {} failed",
                    reward.mint
                )
            }),
        }
    }

    async fn make_wallets(&self, rewards: &[&Reward]) -> Result<()> {
        if rewards.is_empty() {
            return Ok(());
        }
        let addresses: Vec<_> = rewards.iter().map(|reward| self.wallet(reward)).collect();
        let found = self.sender.chain().accounts(&addresses).await?;
        let mut make = Vec::new();
        for (reward, account) in rewards.iter().zip(&found.accounts) {
            let wallet = TokenAccount {
                address: self.wallet(reward),
                mint: reward.mint,
                program: reward.token_program,
                owner: self.signer.pubkey(),
            };
            if wallet.balance(account.as_ref())?.is_none() {
                make.push(self.make_wallet(reward));
            }
        }
        if !make.is_empty() {
            let request = Request::new(self.signer, make);
            send(self.sender, "making accounts for the rewards", &request).await?;
        }
        Ok(())
    }

    /// `None` if there is nothing in the pool.
    fn take_out(&self) -> Option<Instruction> {
        let liquidity = self.position.position.liquidity.get();
        let args = DecreaseArgs {
            liquidity,
            repay_base: 0,
            repay_quote: 0,
            pay_base: 0,
            pay_quote: 0,
        };
        let wallet = self.market.wallet(&self.signer.pubkey());
        (liquidity > 0).then(|| instruction::decrease(self.market, self.position, &wallet, args))
    }

    fn collect(&self, reward: &Reward) -> Instruction {
        instruction::collect_reward(self.market, self.position, reward, &self.wallet(reward))
    }

    fn wallet(&self, reward: &Reward) -> Pubkey {
        let owner = self.signer.pubkey();
        spl::associated_token_account(&owner, &reward.mint, &reward.token_program).0
    }

    fn make_wallet(&self, reward: &Reward) -> Instruction {
        let owner = self.signer.pubkey();
        let (mint, program) = (reward.mint, reward.token_program);
        spl::create_associated_token_account_idempotent(owner, owner, mint, program)
    }

    fn request(&self, instructions: Vec<Instruction>) -> Request<'_> {
        Request::new(self.signer, instructions).tables(self.tables)
    }

    /// Says what to do if the pool keeps the position.
    fn named(&self, error: SendError) -> anyhow::Error {
        let kept = error.failure().and_then(Failure::code) == Some(CLOSE_POSITION_NOT_EMPTY);
        let error = explained(error);
        if !kept {
            return error;
        }
        error.context(
            "the pool still owes the position a reward: run the command again; if that does not help, the reward's vault \
             holds too little, and whoever pays the reward has to fill it",
        )
    }
}
