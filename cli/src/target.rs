//! Which market, and where its prices are.

use anyhow::{Context, Result, anyhow, bail, ensure};
use ballast_abi::{clusters, pyth::PriceUpdate};
use ballast_client::{
    AccountFilter, AddressLookupTableAccount, Chain, DecodeError, Keypair, Market, MarketContext,
    MarketSnapshot, PriceAccounts, Pubkey, Sender, Signer, decode_at, lookup_table, markets,
};
use clap::Args;

use crate::trouble::misuse;
use crate::{address::address, progress, report::note};

/// Which position.
#[derive(Args, Clone, Copy, Debug)]
pub struct OnePosition {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
}

/// Names the market where no option does.
pub const MARKET_VARIABLE: &str = "BALLAST_MARKET";

/// Which market.
#[derive(Args, Clone, Debug, Default)]
pub struct MarketArgs {
    /// The market; may be left out if the cluster has only one
    #[arg(long, env = MARKET_VARIABLE, value_name = "ADDRESS", value_parser = address)]
    pub market: Option<Pubkey>,
    #[command(flatten)]
    pub prices: PriceArgs,
}

/// Where its prices are.
#[derive(Args, Clone, Debug, Default)]
pub struct PriceArgs {
    /// Account with the base token's price; by default the freshest one of the market's feed
    #[arg(long, env = "BALLAST_BASE_PRICE", value_name = "ADDRESS", value_parser = address)]
    pub base_price: Option<Pubkey>,
    /// Account with the quote token's price; by default the freshest one of the market's feed
    #[arg(long, env = "BALLAST_QUOTE_PRICE", value_name = "ADDRESS", value_parser = address)]
    pub quote_price: Option<Pubkey>,
}

/// Which lookup table.
#[derive(Args, Clone, Debug, Default)]
pub struct TableArgs {
    /// The market's lookup table; by default the one of the market's authority
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub lookup_table: Option<Pubkey>,
}

/// The market that was named, or the only one there is.
///
/// # Errors
/// None or several markets, with their addresses.
pub async fn market_address(chain: &dyn Chain, named: Option<Pubkey>) -> Result<Pubkey> {
    if let Some(address) = named {
        return Ok(address);
    }
    let found = markets(chain)
        .await
        .context("looking for the market failed: pass --market ADDRESS")?;
    match found.as_slice() {
        [(address, _)] => Ok(*address),
        [] => bail!(misuse!(
            "no market on {}: set one up with `ballast deploy` or `ballast migrate`, or check --url",
            chain.label()
        )),
        several => {
            let addresses: Vec<_> = several
                .iter()
                .map(|(address, _)| address.to_string())
                .collect();
            bail!(misuse!(
                "{} markets on {}: pass --market with one of {}",
                several.len(),
                chain.label(),
                addresses.join(", ")
            ))
        }
    }
}

/// A market with everything its instructions share.
///
/// # Errors
/// What cannot be found or read.
pub async fn load(chain: &dyn Chain, args: &MarketArgs) -> Result<MarketContext> {
    let address = market_address(chain, args.market).await?;
    load_at(chain, address, &args.prices).await
}

/// The market as stored.
///
/// # Errors
/// If there is none at that address, with those that there are.
pub async fn stored(chain: &dyn Chain, address: &Pubkey) -> Result<Market> {
    let account = chain.account(address).await?;
    let stored = decode_at(address, account.as_ref());
    match stored {
        Ok(market) => Ok(market),
        Err(
            error @ (DecodeError::Missing { .. }
            | DecodeError::WrongOwner { .. }
            | DecodeError::WrongDiscriminator { .. }),
        ) => {
            let known = markets(chain).await.unwrap_or_default();
            let known: Vec<_> = known.iter().map(|(it, _)| it.to_string()).collect();
            let (told, advice) = match known.as_slice() {
                [] => ("there is none", "check --url".to_owned()),
                known => (
                    "there are others",
                    format!("pass --market with one of {}", known.join(", ")),
                ),
            };
            let found = match error {
                DecodeError::Missing { .. } => "nothing is there",
                _ => "that is another account",
            };
            bail!(misuse!(
                "no market at {address} on {} ({found}, {told}): {advice}",
                chain.label()
            ))
        }
        Err(error) => Err(error.into()),
    }
}

/// As [`load`], of a market whose address is known.
///
/// # Errors
/// What cannot be found or read.
pub async fn load_at(
    chain: &dyn Chain,
    address: Pubkey,
    prices: &PriceArgs,
) -> Result<MarketContext> {
    let market = stored(chain, &address).await?;
    let receiver = &market.price_receiver;
    let (base_feed, quote_feed) = (&market.base_feed, &market.quote_feed);
    let own = [market.base_price_account, market.quote_price_account];
    let [base_own, quote_own] = own.map(|own| Some(own).filter(|own| *own != Pubkey::default()));
    let (named_base, named_quote) = (prices.base_price, prices.quote_price);
    let prices = PriceAccounts {
        base: price_account(chain, "base", receiver, base_feed, named_base, base_own).await?,
        quote: price_account(chain, "quote", receiver, quote_feed, named_quote, quote_own).await?,
    };
    Ok(MarketContext::load(chain, address, prices).await?)
}

/// A market at one slot.
///
/// # Errors
/// What cannot be read, and what to do about it.
pub async fn snapshot(chain: &dyn Chain, market: &MarketContext) -> Result<MarketSnapshot> {
    let snapshot = market.snapshot(chain).await;
    snapshot.map_err(|error| match error {
        ballast_client::LoadError::Decode(DecodeError::Missing {
            what: "reserve",
            address,
        }) => {
            anyhow!("the market has no reserve {address} yet: run `ballast migrate`")
        }
        other => other.into(),
    })
}

/// The sponsored accounts that are the same on public clusters.
const SPONSORED: [([u8; 32], Pubkey); 2] = [
    (clusters::SOL_USD_FEED, clusters::SOL_USD_PRICE),
    (clusters::USDC_USD_FEED, clusters::USDC_USD_PRICE),
];
/// Where a fully verified price holds its feed id.
const FEED_OFFSET: usize = 41;

async fn price_account(
    chain: &dyn Chain,
    side: &str,
    receiver: &Pubkey,
    feed: &[u8; 32],
    named: Option<Pubkey>,
    own: Option<Pubkey>,
) -> Result<Pubkey> {
    if let Some(address) = named {
        return Ok(address);
    }
    if let Some((_, address)) = SPONSORED.iter().find(|(known, _)| known == feed) {
        let account = chain.account(address).await?;
        if account.is_some_and(|account| {
            account.owner == *receiver && PriceUpdate::parse(&account.data).is_ok()
        }) {
            return Ok(*address);
        }
    }
    let filters = [
        AccountFilter {
            offset: 0,
            bytes: PriceUpdate::DISCRIMINATOR.into(),
        },
        AccountFilter {
            offset: FEED_OFFSET,
            bytes: feed.to_vec(),
        },
    ];
    let found = chain.program_accounts(receiver, &filters).await;
    let found = found.with_context(|| {
        format!("looking for the {side} price failed: pass --{side}-price ADDRESS")
    })?;
    let prices = found.accounts.iter().filter_map(|(address, account)| {
        let update = PriceUpdate::parse(&account.data).ok()?;
        (update.feed_id == *feed).then_some((update.publish_time, *address))
    });
    // Where a feed is retired, the market's own account stands for its silence.
    let found = prices.max().map(|(_, address)| address).or(own);
    found.with_context(|| {
        format!("no price account of the market's {side} feed under receiver {receiver}: pass --{side}-price ADDRESS")
    })
}

/// A lookup table with the market's addresses that is there: the one named, the authority's or the signer's own. Sends
/// nothing; `None` if there is none, or none with all of the addresses.
///
/// # Errors
/// What is wrong with the one named.
pub async fn existing_table(
    chain: &dyn Chain,
    market: &MarketContext,
    args: &TableArgs,
    signer: &Pubkey,
) -> Result<Option<AddressLookupTableAccount>> {
    if let Some(address) = args.lookup_table {
        let table = lookup_table::load(chain, &address).await?;
        ensure!(
            table.addresses.contains(&market.address),
            misuse!(
                "lookup table {address} is not of market {}: leave --lookup-table out to have one found or made",
                market.address
            )
        );
        return Ok(Some(table));
    }
    let addresses = market.static_addresses();
    let complete =
        |table: &AddressLookupTableAccount| addresses.iter().all(|a| table.addresses.contains(a));
    for authority in [&market.market.authority, signer] {
        match lookup_table::find(chain, authority, &addresses).await {
            Ok(Some(table)) if complete(&table) => return Ok(Some(table)),
            Ok(_) => {}
            Err(error) => note(format_args!(
                "looking for a lookup table of {authority} failed: {error}"
            )),
        }
    }
    Ok(None)
}

/// As [`existing_table`]; if there is none, the signer's own is made or completed.
///
/// # Errors
/// What the cluster says.
pub async fn table(
    sender: &Sender,
    market: &MarketContext,
    args: &TableArgs,
    signer: &Keypair,
) -> Result<AddressLookupTableAccount> {
    let chain = sender.chain().as_ref();
    if let Some(table) = existing_table(chain, market, args, &signer.pubkey()).await? {
        return Ok(table);
    }
    let addresses = market.static_addresses();
    let bar = progress::spinner("preparing a lookup table");
    let ensured = lookup_table::ensure(sender, signer, None, &addresses).await;
    bar.finish_and_clear();
    let ensured = ensured.context("making a lookup table failed: pass --lookup-table ADDRESS")?;
    if ensured.created {
        note(format_args!(
            "made lookup table {} (used again next time)",
            ensured.table.key
        ));
    }
    Ok(ensured.table)
}
