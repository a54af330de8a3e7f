//! Brings a cluster to the desired state.

use ballast_abi::whirlpool::PoolView;
use ballast_client::{ChainError, Pubkey};
use ballast_client::{
    DecodeError, InitMarketArgs, Instruction, Market, MarketContext, MarketError, MarketParams,
    PoolAddresses, PriceAccounts, Request, Reserve, ReserveParams, SendError, Sender, Signature,
    Signer, decode, decode_at, instruction, lookup_table, pda,
};
use ballast_model::Side;
use thiserror::Error;

use crate::{
    desired::{Desired, DesiredError, MarketAddresses, ReserveRules},
    report::{Change, Report},
};

/// Why the desired state was not reached. What was done before stays done; apply again after fixing the cause.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The desired state lacks something.
    #[error(transparent)]
    Desired(#[from] DesiredError),
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An account is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A step failed.
    #[error("{what}: {error}")]
    Send {
        /// Which step.
        what: String,
        /// Why.
        error: Box<SendError>,
    },
    /// The lookup table.
    #[error(transparent)]
    LookupTable(Box<lookup_table::LookupTableError>),
    /// The market exists and differs in what can never change.
    #[error("market {market} exists with another {what}: a new market needs another authority")]
    Fixed {
        /// The market.
        market: Pubkey,
        /// What differs.
        what: &'static str,
    },
    /// Somebody else rules the market.
    #[error("the authority of market {market} is {authority}, not the signer: sign with that key")]
    NotAuthority {
        /// The market.
        market: Pubkey,
        /// Its authority.
        authority: Pubkey,
    },
}

impl From<MarketError> for ApplyError {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::Chain(error) => error.into(),
            MarketError::Decode(error) => error.into(),
        }
    }
}

impl From<lookup_table::LookupTableError> for ApplyError {
    fn from(error: lookup_table::LookupTableError) -> Self {
        Self::LookupTable(Box::new(error))
    }
}

/// Creates and updates market, reserves and lookup table as far as they differ from `desired`. `authority` pays and signs;
/// it is the creator of the market, which is part of the market's address. Applying twice changes nothing the second time.
///
/// # Errors
/// [`ApplyError`].
pub async fn apply(
    sender: &Sender,
    authority: &(dyn Signer + Sync),
    desired: &Desired,
) -> Result<Report, ApplyError> {
    let addresses = desired
        .market
        .ok_or(DesiredError::MissingAddress("addresses"))?;
    let mut run = Run {
        sender,
        authority,
        changes: Vec::new(),
    };
    let context = run.market(&addresses, desired.market_params()).await?;
    run.reserve(&context, Side::Base, desired.base_reserve)
        .await?;
    run.reserve(&context, Side::Quote, desired.quote_reserve)
        .await?;
    let lookup_table = run.lookup_table(&context, &addresses).await?;
    Ok(Report {
        changes: run.changes,
        market: context,
        lookup_table,
    })
}

struct Run<'a> {
    sender: &'a Sender,
    authority: &'a (dyn Signer + Sync),
    changes: Vec<Change>,
}

impl Run<'_> {
    async fn step(&mut self, what: String, instruction: Instruction) -> Result<(), ApplyError> {
        let sent = self
            .sender
            .send(&Request::new(self.authority, [instruction]))
            .await;
        match sent {
            Ok(receipt) => {
                self.changed(what, Some(receipt.signature));
                Ok(())
            }
            Err(error) => Err(ApplyError::Send {
                what,
                error: Box::new(error),
            }),
        }
    }

    fn changed(&mut self, what: String, signature: Option<Signature>) {
        self.changes.push(Change { what, signature });
    }

    async fn market(
        &mut self,
        addresses: &MarketAddresses,
        params: MarketParams,
    ) -> Result<MarketContext, ApplyError> {
        let signer = self.authority.pubkey();
        let chain = self.sender.chain().clone();
        let address = pda::market(&signer, &addresses.whirlpool);
        match chain.account(&address).await? {
            None => {
                let pool = self.pool(addresses).await?;
                let args = InitMarketArgs {
                    guardian: addresses.guardian,
                    price_receiver: addresses.price_receiver,
                    base_feed: addresses.base_feed,
                    quote_feed: addresses.quote_feed,
                    base_price_account: addresses.base_price,
                    quote_price_account: addresses.quote_price,
                    params,
                };
                let create = instruction::init_market(&signer, &pool, args);
                self.step(
                    format!("created market {address} for pool {}", addresses.whirlpool),
                    create,
                )
                .await?;
            }
            Some(account) => {
                let market: Market = decode(&address, &account)?;
                require_same(address, &market, addresses)?;
                if market.params() != params {
                    if market.authority != signer {
                        return Err(ApplyError::NotAuthority {
                            market: address,
                            authority: market.authority,
                        });
                    }
                    let what =
                        format!("updated market {address}: {}", difference(&market, &params));
                    self.step(what, instruction::update_market(&address, &signer, params))
                        .await?;
                }
            }
        }
        let prices = PriceAccounts {
            base: addresses.base_price,
            quote: addresses.quote_price,
        };
        Ok(MarketContext::load(chain.as_ref(), address, prices).await?)
    }

    async fn pool(&self, addresses: &MarketAddresses) -> Result<PoolAddresses, ApplyError> {
        let address = addresses.whirlpool;
        let account = self.sender.chain().account(&address).await?;
        let account = account.ok_or(DecodeError::Missing {
            what: "pool",
            address,
        })?;
        if account.owner != addresses.whirlpool_program {
            return Err(ApplyError::Decode(DecodeError::WrongOwner {
                what: "pool",
                address,
                expected: Box::new(addresses.whirlpool_program),
                found: Box::new(account.owner),
            }));
        }
        let view = PoolView::parse(&account.data).map_err(|error| DecodeError::Malformed {
            what: "pool",
            address,
            reason: error.to_string(),
        })?;
        Ok(PoolAddresses {
            program: addresses.whirlpool_program,
            whirlpool: address,
            base_mint: view.mint_a(),
            quote_mint: view.mint_b(),
        })
    }

    async fn reserve(
        &mut self,
        market: &MarketContext,
        side: Side,
        rules: ReserveRules,
    ) -> Result<(), ApplyError> {
        let signer = self.authority.pubkey();
        let params = ReserveParams::from(rules);
        let address = market.reserve(side);
        let account = self.sender.chain().account(&address).await?;
        let Some(account) = account else {
            let create = instruction::init_reserve(market, &signer, side, params);
            return self
                .step(format!("created {side:?} reserve {address}"), create)
                .await;
        };
        let reserve: Reserve = decode_at(&address, Some(&account))?;
        if reserve.params() == params {
            return Ok(());
        }
        let update = instruction::update_reserve(market, &signer, side, params);
        self.step(format!("updated {side:?} reserve {address}"), update)
            .await
    }

    async fn lookup_table(
        &mut self,
        market: &MarketContext,
        addresses: &MarketAddresses,
    ) -> Result<ballast_client::AddressLookupTableAccount, ApplyError> {
        let wanted = market.static_addresses();
        let ensured =
            lookup_table::ensure(self.sender, self.authority, addresses.lookup_table, &wanted)
                .await?;
        let (key, added) = (ensured.table.key, ensured.added);
        if ensured.created {
            self.changed(
                format!("created lookup table {key} with {added} addresses"),
                None,
            );
        } else if added > 0 {
            self.changed(
                format!("added {added} addresses to lookup table {key}"),
                None,
            );
        }
        Ok(ensured.table)
    }
}

/// A market's own addresses never change.
fn require_same(
    address: Pubkey,
    market: &Market,
    addresses: &MarketAddresses,
) -> Result<(), ApplyError> {
    let rules = [
        (
            market.whirlpool_program == addresses.whirlpool_program,
            "whirlpool_program",
        ),
        (market.whirlpool == addresses.whirlpool, "whirlpool"),
        (
            market.price_receiver == addresses.price_receiver,
            "price_receiver",
        ),
        (market.base_feed == addresses.base_feed, "base_feed"),
        (market.quote_feed == addresses.quote_feed, "quote_feed"),
        (market.guardian == addresses.guardian, "guardian"),
    ];
    match rules.iter().find(|(same, _)| !same) {
        Some((_, what)) => Err(ApplyError::Fixed {
            market: address,
            what,
        }),
        None => Ok(()),
    }
}

/// The names of the parameters that differ.
fn difference(market: &Market, params: &MarketParams) -> String {
    let (before, after) = (format!("{:?}", market.params()), format!("{params:?}"));
    // Debug output lists `name: value` pairs in the same order.
    let changed = before
        .split(", ")
        .zip(after.split(", "))
        .filter(|(before, after)| before != after);
    let changed: Vec<_> = changed
        .map(|(before, after)| format!("{before} -> {after}"))
        .collect();
    changed.join("; ")
}
