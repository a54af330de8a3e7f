//! The signer's token accounts: what is in them, making them, wrapping SOL.

use anyhow::{Error, Result, bail};
use ballast_abi::{clusters::WRAPPED_SOL_MINT, spl};
use ballast_client::{
    Amounts, Chain, Instruction, MarketContext, Pubkey, Side, Signer, instruction,
};
use ballast_view::TokenNames;
use solana_sdk::instruction::AccountMeta;

use crate::{connection::Connection, format::amount, globals::Globals};

/// Both tokens, base first.
pub const SIDES: [Side; 2] = [Side::Base, Side::Quote];

/// A key that has too little SOL for the fee of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signer {key} holds {} SOL, which does not pay for this transaction: fund it, or pass another key with --keypair",
    amount(*lamports, 9)
)]
pub struct Unfunded {
    /// The key.
    pub key: Pubkey,
    /// What it has.
    pub lamports: u64,
}

/// An error of who cannot pay, with the signer and what it holds, where that is known.
pub async fn named(error: Error, globals: &Globals) -> Error {
    let Ok(key) = globals.signer().map(|signer| signer.pubkey()) else {
        return error;
    };
    let connection = Connection::new(globals);
    match connection.chain().account(&key).await {
        Ok(account) => {
            let lamports = account.map_or(0, |account| account.lamports);
            Error::new(Unfunded { key, lamports })
        }
        Err(_) => error,
    }
}

/// Lamports left for fees and rent when SOL is wrapped: a position's accounts take about 0.02 SOL.
const KEPT_LAMPORTS: u64 = 30_000_000;

/// What somebody has of both tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funds {
    /// In the associated token accounts; `None` where there is none.
    pub base: Option<u64>,
    pub quote: Option<u64>,
    /// Native SOL.
    pub lamports: u64,
}

impl Funds {
    /// Reads them.
    ///
    /// # Errors
    /// If the cluster does not answer, or an account is no token account of that mint and owner.
    pub async fn load(chain: &dyn Chain, market: &MarketContext, owner: &Pubkey) -> Result<Self> {
        let [base, quote] = SIDES.map(|side| market.token_account(owner, side));
        let answer = chain
            .accounts(&[base.address, quote.address, *owner])
            .await?;
        let at = |index: usize| answer.accounts.get(index).and_then(Option::as_ref);
        Ok(Self {
            base: base.balance(at(0))?,
            quote: quote.balance(at(1))?,
            lamports: at(2).map_or(0, |account| account.lamports),
        })
    }

    /// Of one token.
    pub fn get(&self, side: Side) -> u64 {
        match side {
            Side::Base => self.base,
            Side::Quote => self.quote,
        }
        .unwrap_or(0)
    }

    fn has_account(&self, side: Side) -> bool {
        match side {
            Side::Base => self.base.is_some(),
            Side::Quote => self.quote.is_some(),
        }
    }

    /// Instructions after which `owner` has both token accounts with at least `needed` in them: missing accounts are
    /// made, missing wrapped SOL is wrapped.
    ///
    /// # Errors
    /// What is missing and cannot be wrapped.
    pub fn provide(
        &self,
        market: &MarketContext,
        owner: &Pubkey,
        needed: Amounts,
    ) -> Result<Vec<Instruction>> {
        let mut instructions = Vec::new();
        for side in SIDES {
            let token = market.token(side);
            let account = market.wallet(owner).tokens(side);
            if !self.has_account(side) {
                instructions.push(instruction::create_wallet(market, owner, owner, side));
            }
            let (has, needs) = (self.get(side), needed.get(side));
            let Some(missing) = needs.checked_sub(has).filter(|missing| *missing > 0) else {
                continue;
            };
            let unit = |raw| amount(raw, token.decimals);
            if token.mint != WRAPPED_SOL_MINT {
                bail!(
                    "the wallet holds {} {}, {} are needed: send {} more to {account} (mint {})",
                    unit(has),
                    TokenNames::of(&market.market).get(side),
                    unit(needs),
                    unit(missing),
                    token.mint
                );
            }
            let spendable = self.lamports.saturating_sub(KEPT_LAMPORTS);
            if missing > spendable {
                bail!(
                    "the wallet holds {} wrapped and {} native SOL ({} of it are kept for fees and rent), {} are needed: \
                     send {} more to {owner}",
                    unit(has),
                    unit(self.lamports),
                    unit(KEPT_LAMPORTS),
                    unit(needs),
                    unit(missing - spendable)
                );
            }
            instructions.extend(instruction::wrap_sol(owner, &account, missing));
        }
        Ok(instructions)
    }
}

/// For messages.
pub fn name(side: Side) -> &'static str {
    match side {
        Side::Base => "base",
        Side::Quote => "quote",
    }
}

/// Turns all of `owner`'s wrapped SOL back into native SOL by closing the account; `None` if the market has no SOL.
pub fn unwrap_sol(market: &MarketContext, owner: &Pubkey) -> Option<Instruction> {
    let side = SIDES
        .into_iter()
        .find(|side| market.token(*side).mint == WRAPPED_SOL_MINT)?;
    let account = market.wallet(owner).tokens(side);
    // SPL Token, instruction 9 (CloseAccount).
    Some(Instruction {
        program_id: spl::TOKEN_PROGRAM,
        accounts: vec![
            AccountMeta::new(account, false),
            AccountMeta::new(*owner, false),
            AccountMeta::new_readonly(*owner, true),
        ],
        data: vec![9],
    })
}
