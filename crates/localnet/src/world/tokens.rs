//! Mints and token accounts.

use anyhow::{Context, Result};
use ballast_abi::{
    clusters::{WRAPPED_SOL_MINT, devnet::DEV_USDC_MINT},
    spl,
};
use ballast_client::{
    Account, Amounts, Chain, Instruction, Pubkey, SendError, Side, Signer, existing, instruction,
};

use super::{BASE_DECIMALS, Ground, QUOTE_DECIMALS, World, WorldConfig};
use crate::{
    keys,
    localnet::{Localnet, LocalnetExt},
};

/// Mints of base and quote, the base mint's address below the quote mint's as the pool demands. The payer is their
/// authority, except of wrapped SOL.
pub(super) async fn create_mints(net: &dyn Localnet, world: &WorldConfig) -> Result<[Pubkey; 2]> {
    match world.ground {
        Ground::Own => create_own_mints(net, &world.name).await,
        Ground::Devnet => write_devnet_mints(net).await,
    }
}

/// Devnet's mints as accounts: nobody here has the key of that of devUSDC.
async fn write_devnet_mints(net: &dyn Localnet) -> Result<[Pubkey; 2]> {
    let mints = [
        (WRAPPED_SOL_MINT, None, BASE_DECIMALS),
        (DEV_USDC_MINT, Some(net.payer().pubkey()), QUOTE_DECIMALS),
    ];
    for (mint, authority, decimals) in mints {
        let data = mint_data(authority, decimals);
        let account = Account {
            lamports: net.chain().rent_lamports(data.len()).await?,
            data,
            owner: spl::TOKEN_PROGRAM,
            executable: false,
            rent_epoch: u64::MAX,
        };
        net.set_account(&mint, account).await?;
    }
    Ok(mints.map(|(mint, ..)| mint))
}

/// A mint without supply: authority, supply, decimals, whether it is initialised, who may freeze.
fn mint_data(authority: Option<Pubkey>, decimals: u8) -> Vec<u8> {
    let mut data = Vec::with_capacity(spl::MINT_LENGTH);
    data.extend_from_slice(&u32::from(authority.is_some()).to_le_bytes());
    data.extend_from_slice(authority.unwrap_or_default().as_ref());
    data.extend_from_slice(&0u64.to_le_bytes());
    data.extend_from_slice(&[decimals, 1]);
    data.resize(spl::MINT_LENGTH, 0);
    data
}

async fn create_own_mints(net: &dyn Localnet, name: &str) -> Result<[Pubkey; 2]> {
    let base = keys::named(&format!("{name}/base mint"));
    let quote = (0..u32::MAX)
        .map(|number| keys::named(&format!("{name}/quote mint {number}")))
        .find(|quote| base.pubkey() < quote.pubkey())
        .context("no quote mint above the base mint")?;
    let rent = net.chain().rent_lamports(spl::MINT_LENGTH).await?;
    let payer = net.payer().pubkey();
    let mut instructions = Vec::new();
    for (mint, decimals) in [(&base, BASE_DECIMALS), (&quote, QUOTE_DECIMALS)] {
        let (mint, space) = (mint.pubkey(), spl::MINT_LENGTH as u64);
        instructions.push(spl::create_account(
            payer,
            mint,
            rent,
            space,
            spl::TOKEN_PROGRAM,
        ));
        instructions.push(spl::initialize_mint(
            spl::TOKEN_PROGRAM,
            mint,
            payer,
            decimals,
        ));
    }
    net.execute(instructions, &[&base, &quote]).await?;
    Ok([base.pubkey(), quote.pubkey()])
}

/// Balance of a token account, 0 if it does not exist.
pub(super) async fn balance(chain: &dyn Chain, account: &Pubkey) -> Result<u64> {
    let found = chain.account(account).await?;
    let Some(found) = existing(found.as_ref()) else {
        return Ok(0);
    };
    let view =
        spl::TokenAccountView::parse(&found.data).with_context(|| format!("account {account}"))?;
    Ok(view.amount())
}

impl World {
    /// Instructions that create both of `owner`'s token accounts and mint to them, or wrap SOL; the payer signs.
    pub(super) fn minting(&self, owner: &Pubkey, amounts: Amounts) -> Vec<Instruction> {
        let payer = self.net.payer().pubkey();
        let wallet = self.market.wallet(owner);
        let mut instructions = Vec::new();
        for side in [Side::Base, Side::Quote] {
            instructions.push(instruction::create_wallet(
                &self.market,
                &payer,
                owner,
                side,
            ));
            let (token, amount) = (self.market.token(side), amounts.get(side));
            let account = wallet.tokens(side);
            if amount > 0 && token.mint == WRAPPED_SOL_MINT {
                instructions.extend(instruction::wrap_sol(&payer, &account, amount));
            } else if amount > 0 {
                instructions.push(spl::mint_to(
                    token.program,
                    token.mint,
                    account,
                    payer,
                    amount,
                ));
            }
        }
        instructions
    }

    /// Mints to `owner`'s associated token accounts, which are created if need be.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn mint_to(&self, owner: &Pubkey, amounts: Amounts) -> Result<(), SendError> {
        self.net.execute(self.minting(owner, amounts), &[]).await?;
        Ok(())
    }

    /// What `owner`'s associated token accounts hold.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn wallet_balances(&self, owner: &Pubkey) -> Result<Amounts> {
        let wallet = self.market.wallet(owner);
        Ok(Amounts::new(
            self.balance(&wallet.base).await?,
            self.balance(&wallet.quote).await?,
        ))
    }
}
