//! The oracle's prices.

use anyhow::{Context, Result};
use ballast_abi::{
    clusters::{SOL_USD_FEED, USDC_USD_FEED},
    pyth::{
        PriceMessage, ReceiverConfig, Verification,
        receiver::{self, InitializeAccounts},
        stand_in::{PostPrice, PostPriceAccounts, SOURCE, price_account},
    },
    spl,
};
use ballast_client::{Instruction, PriceAccounts, Receipt, SendError, Side, Signer, SqrtPrice};

use super::{BASE_DECIMALS, QUOTE_DECIMALS, QUOTE_PRICE, World};
use crate::{
    localnet::{Localnet, LocalnetExt},
    price::UsdPrice,
    programs::Programs,
};

/// Base's and quote's feed, unless others are used.
pub(super) const STANDARD_FEEDS: [[u8; 32]; 2] = [SOL_USD_FEED, USDC_USD_FEED];
/// Confidence interval of posted prices: 2 bps.
const CONFIDENCE_DIVISOR: u64 = 5_000;

/// A price exactly as it will be stored; any value, for tests of what must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePost {
    /// Feed id.
    pub feed: [u8; 32],
    /// Which of the feed's accounts; the market's own is 0.
    pub index: u16,
    /// Price in units of `10^exponent`.
    pub price: i64,
    /// Confidence in units of `10^exponent`.
    pub conf: u64,
    /// Power of ten of the unit.
    pub exponent: i32,
    /// Unix seconds.
    pub publish_time: i64,
    /// Moving average in units of `10^exponent`.
    pub ema_price: i64,
    /// What it claims about its signatures.
    pub verification: Verification,
}

impl PricePost {
    /// A good price of one side's feed: narrow, on its average, fully verified.
    pub fn good(side: Side, price: UsdPrice, publish_time: i64) -> Self {
        Self {
            feed: STANDARD_FEEDS[side as usize],
            index: 0,
            price: price.units(),
            conf: price.units().unsigned_abs() / CONFIDENCE_DIVISOR,
            exponent: UsdPrice::EXPONENT,
            publish_time,
            ema_price: price.units(),
            verification: Verification::Full,
        }
    }
}

impl PricePost {
    /// The same as a message that a price service hands out.
    pub fn message(&self) -> PriceMessage {
        PriceMessage {
            feed_id: self.feed,
            price: self.price,
            conf: self.conf,
            exponent: self.exponent,
            publish_time: self.publish_time,
            previous_publish_time: self.publish_time.saturating_sub(1),
            ema_price: self.ema_price,
            ema_conf: self.conf,
        }
    }
}

/// The stand-in's own accounts of these feeds.
pub(super) fn accounts(programs: &Programs, feeds: &[[u8; 32]; 2]) -> PriceAccounts {
    let [base, quote] = feeds.map(|feed| price_account(&programs.pyth.id, &feed, 0).0);
    PriceAccounts { base, quote }
}

fn post_instruction(net: &dyn Localnet, post: &PricePost) -> Instruction {
    let program = net.programs().pyth.id;
    let accounts = PostPriceAccounts {
        payer: net.payer().pubkey(),
        price_account: price_account(&program, &post.feed, post.index).0,
        system_program: spl::SYSTEM_PROGRAM,
    };
    let args = PostPrice {
        feed_id: post.feed,
        index: post.index,
        price: post.price,
        conf: post.conf,
        exponent: post.exponent,
        publish_time: post.publish_time,
        previous_publish_time: post.publish_time.saturating_sub(1),
        ema_price: post.ema_price,
        ema_conf: post.conf,
        verification: post.verification,
    };
    args.instruction(program, &accounts)
}

/// Good prices of both feeds, published now.
pub(super) async fn good_pair(
    net: &dyn Localnet,
    feeds: &[[u8; 32]; 2],
    prices: [UsdPrice; 2],
) -> Result<[PricePost; 2]> {
    let now_secs = net.chain().clock().await?.now_secs;
    Ok([Side::Base, Side::Quote].map(|side| {
        let good = PricePost::good(side, prices[side as usize], now_secs);
        let feed = feeds[side as usize];
        PricePost { feed, ..good }
    }))
}

/// Posts good prices of both feeds into the stand-in's own accounts.
pub(super) async fn post_pair(
    net: &dyn Localnet,
    feeds: &[[u8; 32]; 2],
    prices: [UsdPrice; 2],
) -> Result<()> {
    let posts = good_pair(net, feeds, prices).await?;
    let posts = posts.map(|post| post_instruction(net, &post));
    net.execute(posts.into(), &[]).await?;
    Ok(())
}

/// Creates the settings of the stand-in receiver.
pub(super) async fn open_receiver(net: &dyn Localnet) -> Result<Receipt, SendError> {
    let program = net.programs().pyth.id;
    let payer = net.payer().pubkey();
    let accounts = InitializeAccounts {
        payer,
        config: receiver::config(&program),
        system_program: spl::SYSTEM_PROGRAM,
    };
    let settings = ReceiverConfig {
        governance_authority: payer,
        target_governance_authority: None,
        wormhole: program,
        sources: vec![SOURCE],
        update_fee_lamports: 0,
        minimum_signatures: 1,
    };
    let initialize = receiver::initialize(program, &accounts, &settings);
    net.execute(vec![initialize], &[]).await
}

impl World {
    /// Posts prices exactly as they are given.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn post(&self, posts: &[PricePost]) -> Result<Receipt, SendError> {
        let instructions = posts
            .iter()
            .map(|post| post_instruction(self.net.as_ref(), post))
            .collect();
        self.net.execute(instructions, &[]).await
    }

    /// Creates the settings of the stand-in receiver, without which nothing can be posted through it as through the real one.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn open_receiver(&self) -> Result<Receipt, SendError> {
        open_receiver(self.net.as_ref()).await
    }

    /// Posts a good price of base, and one of quote, both published now. Leaves the pool alone.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn post_price(&self, base: UsdPrice) -> Result<()> {
        let prices = [base, QUOTE_PRICE];
        self.config
            .ground
            .post(self.net.as_ref(), &self.feeds, prices)
            .await
            .context("posting prices")
    }

    /// Feeds of which prices are posted, and whose accounts instructions name, by side.
    pub fn feeds(&self) -> [[u8; 32]; 2] {
        self.feeds
    }

    /// Posts prices of other feeds from now on, and names their accounts. Which feeds the market itself takes is not changed.
    pub fn use_feeds(&mut self, feeds: [[u8; 32]; 2]) {
        self.feeds = feeds;
        self.market.prices = self.price_accounts(&feeds);
    }

    /// The accounts that prices of these feeds are posted to.
    pub fn price_accounts(&self, feeds: &[[u8; 32]; 2]) -> PriceAccounts {
        self.config
            .ground
            .price_accounts(self.net.programs(), feeds)
    }

    /// Moves the market: first the pool by swaps of the whale, then the oracle.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn move_price(&self, to: UsdPrice) -> Result<()> {
        self.move_pool(self.sqrt_price_at(to)?).await?;
        self.post_price(to).await
    }

    /// The pool's square-root price at a price of base (quote at its present price).
    ///
    /// # Errors
    /// If the pool cannot have such a price.
    pub fn sqrt_price_at(&self, base: UsdPrice) -> Result<SqrtPrice> {
        base.sqrt_price(QUOTE_PRICE, BASE_DECIMALS, QUOTE_DECIMALS)
    }
}
