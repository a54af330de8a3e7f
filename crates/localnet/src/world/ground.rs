//! Where a world is: under keys of its own, or at devnet's addresses.

use anyhow::Result;
use ballast_abi::{
    clusters::{SOL_USD_PRICE, USDC_USD_PRICE, devnet::WHIRLPOOLS_CONFIG},
    pyth::{
        AccumulatorUpdate, PriceUpdate, Verification, stand_in::forged_update, wormhole::EncodedVaa,
    },
};
use ballast_client::{
    Account, Amounts, PriceAccounts, Pubkey, Signer, existing,
    posting::{MessageAccount, Posting, PricePosting, pack},
};

use super::prices::{self, good_pair, open_receiver, post_pair};
use crate::{
    localnet::{Localnet, LocalnetExt},
    price::UsdPrice,
    programs::Programs,
};

/// Depth of the tree under a signed message.
const DEPTH: u32 = 4;

/// Where mints, pool and price accounts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// At addresses that follow from the world's name, and prices in the stand-in's own accounts.
    Own,
    /// At the addresses that devnet's migrations name, and prices in the sponsored accounts. To set that up, the cluster's accounts have
    /// to be writable, and its programs where public clusters have them: [`Programs::at_public_addresses`].
    Devnet,
}

impl Ground {
    /// Address of the pool's config; `own` is that of a world of its own.
    pub(super) fn whirlpools_config(self, own: &Pubkey) -> Pubkey {
        match self {
            Self::Own => *own,
            Self::Devnet => WHIRLPOOLS_CONFIG,
        }
    }

    /// What the whale has: enough to move the price anywhere within the background liquidity, many times. SOL cannot be minted.
    pub(super) fn plenty(self) -> Amounts {
        match self {
            Self::Own => Amounts::new(u64::MAX / 8, u64::MAX / 8),
            Self::Devnet => Amounts::new(300_000_000_000_000, u64::MAX / 8),
        }
    }

    /// The accounts that prices are in.
    pub(super) fn price_accounts(
        self,
        programs: &Programs,
        feeds: &[[u8; 32]; 2],
    ) -> PriceAccounts {
        match self {
            Self::Own => prices::accounts(programs, feeds),
            Self::Devnet => PriceAccounts {
                base: SOL_USD_PRICE,
                quote: USDC_USD_PRICE,
            },
        }
    }

    /// Makes the accounts that prices are posted to, where posting does not make them.
    pub(super) async fn prepare_prices(
        self,
        net: &dyn Localnet,
        feeds: &[[u8; 32]; 2],
    ) -> Result<()> {
        if self == Self::Own {
            return Ok(());
        }
        open_receiver(net).await?;
        let PriceAccounts { base, quote } = self.price_accounts(net.programs(), feeds);
        for (address, feed) in [base, quote].iter().zip(feeds) {
            let update = PriceUpdate {
                write_authority: net.payer().pubkey(),
                feed_id: *feed,
                price: 0,
                conf: 0,
                exponent: UsdPrice::EXPONENT,
                publish_time: 0,
                previous_publish_time: 0,
                ema_price: 0,
                ema_conf: 0,
                posted_slot: 0,
            };
            let account = Account {
                lamports: net.chain().rent_lamports(PriceUpdate::LENGTH).await?,
                data: update.encode(Verification::Full).into(),
                owner: net.programs().pyth.id,
                executable: false,
                rent_epoch: u64::MAX,
            };
            net.set_account(address, account).await?;
        }
        Ok(())
    }

    /// Posts good prices of both feeds, published now.
    pub(crate) async fn post(
        self,
        net: &dyn Localnet,
        feeds: &[[u8; 32]; 2],
        prices: [UsdPrice; 2],
    ) -> Result<()> {
        match self {
            Self::Own => post_pair(net, feeds, prices).await,
            Self::Devnet => self.post_sponsored(net, feeds, prices).await,
        }
    }

    /// Posts them out of a signed message, as whoever sponsors the accounts does.
    async fn post_sponsored(
        self,
        net: &dyn Localnet,
        feeds: &[[u8; 32]; 2],
        prices: [UsdPrice; 2],
    ) -> Result<()> {
        let (chain, payer) = (net.chain(), net.payer().pubkey());
        let receiver = net.programs().pyth.id;
        let posting = Posting {
            payer,
            receiver,
            wormhole: receiver,
            treasury_id: 0,
        };
        let messages = good_pair(net, feeds, prices).await?;
        let messages = messages.map(|post| post.message());
        let keccak = |parts: &[&[u8]]| solana_keccak_hasher::hashv(parts).to_bytes();
        let data = forged_update(&messages, DEPTH, chain.slot().await?, keccak);
        let update = AccumulatorUpdate::parse(&data)?;
        let held = chain.account(&posting.message_address()?).await?;
        let held = existing(held.as_ref());
        let account = MessageAccount {
            is_left_over: held.is_some(),
            lamports: 0,
            rent_lamports: chain
                .rent_lamports(EncodedVaa::length(update.vaa.len()))
                .await?,
        };
        let PriceAccounts { base, quote } = self.price_accounts(net.programs(), feeds);
        let sponsored = [base, quote];
        let posted: Vec<PricePosting> = update
            .updates
            .iter()
            .zip(sponsored)
            .map(|(update, account)| PricePosting {
                update: *update,
                account,
            })
            .collect();
        let mut instructions = posting.instructions(update.vaa, &account, &posted)?;
        // On devnet a program signs for these accounts, which have no keys. The stand-in asks the write authority alone.
        for meta in instructions.iter_mut().flat_map(|one| &mut one.accounts) {
            meta.is_signer &= !sponsored.contains(&meta.pubkey);
        }
        for part in pack(&payer, instructions)? {
            net.execute(part, &[]).await?;
        }
        Ok(())
    }
}
