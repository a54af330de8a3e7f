//! One position with its market at one slot: what is looked at last before acting.

use std::time::Duration;

use ballast_abi::spl::{SYSTEM_PROGRAM, TokenAccountView};
use ballast_client::{
    Account, Accounts, Chain, ChainError, DecodeError, LoadError, MarketContext, MarketSnapshot,
    PositionContext, Wallet, decode,
};
use ballast_model::{Amounts, Side};
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tokio::time::sleep;

use super::fees::{Earned, FeeAccounts};

/// Where [`MarketContext::snapshot_addresses`] has the pool.
const POOL: usize = 3;

/// How often to ask again for a view that is not older than it has to be.
const ATTEMPTS: u32 = 40;

/// Why there is no view.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ViewError {
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The market cannot be read.
    #[error(transparent)]
    Market(#[from] LoadError),
    /// The position cannot be read.
    #[error(transparent)]
    Position(#[from] DecodeError),
    /// The node lags behind what is already known.
    #[error(
        "the node is at slot {slot}, but slot {min_slot} is known already: use a node that keeps up"
    )]
    Behind {
        /// Slot of its answer.
        slot: u64,
        /// Slot that it should have reached.
        min_slot: u64,
    },
}

/// Accounts as they came, for the book.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The market's.
    pub market: Accounts,
    /// The position's; `None`: it does not exist any more.
    pub position: Option<Account>,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct View {
    /// Market, reserves, pool and prices.
    pub market: MarketSnapshot,
    /// The position; `None`: it does not exist any more.
    pub position: Option<PositionContext>,
    /// What lies in the wallet asked for, at most what may be paid.
    pub funds: Option<Amounts>,
    /// What the position has earned, if that was asked for and could be read.
    pub fees: Option<Earned>,
    /// Sides whose token account in that wallet does not exist.
    pub missing_wallets: Vec<Side>,
    /// All of it as it came.
    pub fresh: Fresh,
}

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub struct ViewRequest<'a> {
    /// The market.
    pub market: &'a MarketContext,
    /// The position; the market's own address: none.
    pub position: Pubkey,
    /// Where its fees are read from, if they matter.
    pub fees: Option<FeeAccounts>,
    /// What the keeper knows already to have happened: answers of earlier slots are not good enough.
    pub min_slot: u64,
    /// Wallet to pay from and most that it may pay.
    pub wallet: Option<(Wallet, Amounts)>,
}

impl View {
    /// Fetches a view with one request, again after `pause` while the node lags behind.
    ///
    /// # Errors
    /// [`ViewError`].
    pub async fn fetch(
        chain: &dyn Chain,
        request: &ViewRequest<'_>,
        pause: Duration,
    ) -> Result<Self, ViewError> {
        let mut addresses = request.market.snapshot_addresses().to_vec();
        let market_accounts = addresses.len();
        addresses.push(request.position);
        if let Some(fees) = &request.fees {
            addresses.extend(fees.addresses());
        }
        if let Some((wallet, _)) = request.wallet {
            addresses.extend([wallet.base, wallet.quote]);
        }
        let mut attempt = 0;
        let answer = loop {
            let answer = chain.accounts(&addresses).await?;
            if answer.slot >= request.min_slot {
                break answer;
            }
            attempt += 1;
            if attempt >= ATTEMPTS {
                return Err(ViewError::Behind {
                    slot: answer.slot,
                    min_slot: request.min_slot,
                });
            }
            sleep(pause).await;
        };
        let slot = answer.slot;
        let mut market = answer.accounts;
        let mut rest = market
            .split_off(market_accounts.min(market.len()))
            .into_iter();
        let market = Accounts {
            slot,
            accounts: market,
        };
        let snapshot = request.market.snapshot_from(&market)?;
        let account = rest
            .next()
            .flatten()
            .filter(|account| account.owner == ballast::ID)
            .filter(|_| request.position != request.market.address);
        let position = match &account {
            None => None,
            Some(account) => {
                let position = decode(&request.position, account)?;
                Some(PositionContext {
                    address: request.position,
                    position,
                })
            }
        };
        let mut fees = None;
        if let Some(asked) = &request.fees {
            let accounts = [0; 3].map(|_| rest.next().flatten());
            let accounts = accounts.each_ref().map(Option::as_ref);
            let pool = market.accounts.get(POOL).and_then(Option::as_ref);
            fees = pool.zip(position.as_ref()).and_then(|(pool, position)| {
                asked.earned(request.market, &position.position, pool, accounts)
            });
        }
        let mut missing_wallets = Vec::new();
        let funds = request.wallet.map(|(_, max_pay)| {
            let [base, quote] = [Side::Base, Side::Quote].map(|side| {
                let token = request.market.token(side);
                let account = rest.next().flatten();
                if account
                    .as_ref()
                    .is_none_or(|account| account.owner == SYSTEM_PROGRAM)
                {
                    missing_wallets.push(side);
                }
                balance(account.as_ref(), &token.program, &token.mint).min(max_pay.get(side))
            });
            Amounts { base, quote }
        });
        Ok(Self {
            market: snapshot,
            position,
            funds,
            fees,
            missing_wallets,
            fresh: Fresh {
                market,
                position: account,
            },
        })
    }
}

/// Tokens in an account; none if it is no account of that mint.
fn balance(account: Option<&Account>, program: &Pubkey, mint: &Pubkey) -> u64 {
    account
        .filter(|account| account.owner == *program)
        .and_then(|account| TokenAccountView::parse(&account.data).ok())
        .filter(|view| view.mint() == *mint)
        .map_or(0, |view| view.amount())
}
