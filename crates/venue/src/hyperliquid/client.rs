//! Hyperliquid over HTTP, for one account and the agent that signs for it. Every answer is sorted by what it says of the consequence:
//! it happened, it did not, or nobody knows yet. Nothing is sent twice: what is unknown is asked for by its client order id.

use super::{
    action::{Action, CancelByCloid, CloidCancel, PlaceOrders, ScheduleCancel},
    answers::{
        Book, FeesText, FillText, FundingText, ItemStatus, Meta, OrderStatus, SettlementText, Spot,
        State,
    },
    budget::{Budget, Purpose},
    bytes::{Address, Cloid},
    nonce::Nonces,
    order_wire::{Grouping, Limit, OrderKind, OrderWire, Tif},
    sign::{Network, PrivateKey},
    transport::refusal,
};
use crate::{
    clock::Clock,
    depth::Depth,
    funding::Settlement,
    instrument::{Instrument, Side},
    venue::{Account, Done, Fill, Funding, Order, OrderState, Venue, VenueError},
};
use async_trait::async_trait;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::json;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// An answer with as many of an account's records may not be the last one. The venue's limit is 2000 for fills and 500 for payments.
const MOST_RECORDS: usize = 500;
/// And settlements of a market.
const MOST_SETTLEMENTS: usize = 500;

/// Where and for whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The interface's address, such as `https://api.hyperliquid.xyz`.
    pub url: String,
    /// Which network signatures are for.
    pub network: Network,
    /// The account that holds the position: not the agent.
    pub account: Address,
    /// Where the account is a vault or sub-account, itself.
    pub vault: Option<Address>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Connections to a venue, as every client of ours has them.
///
/// # Errors
/// This machine has no TLS.
pub fn http() -> Result<reqwest::Client, VenueError> {
    reqwest::Client::builder()
        // A signed action goes to the venue that it was made for, once.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| VenueError::NoAnswer(error.to_string()))
}

/// Who signs for the account, and the nonces of that key.
#[derive(Debug)]
pub struct Signer {
    /// The agent's key.
    pub agent: PrivateKey,
    /// Its nonces.
    pub nonces: Nonces,
}

/// The client.
pub struct Hyperliquid {
    pub(super) settings: Settings,
    pub(super) http: reqwest::Client,
    pub(super) signer: Option<Mutex<Signer>>,
    pub(super) budget: Mutex<Budget>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) instruments: OnceCell<Vec<Instrument>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hyperliquid {
    /// A client; nothing is sent yet. Without a signer it only asks.
    #[must_use]
    pub fn new(
        settings: Settings,
        http: reqwest::Client,
        signer: Option<Signer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let budget = Mutex::new(Budget::full(clock.now_ms()));
        Self {
            settings,
            http,
            signer: signer.map(Mutex::new),
            budget,
            clock,
            instruments: OnceCell::new(),
        }
    }

    /// What is traded, asked once.
    ///
    /// # Errors
    /// No answer.
    pub async fn instruments(&self) -> Result<&[Instrument], VenueError> {
        let asked = self.instruments.get_or_try_init(|| async {
            let meta: Meta = self
                .ask(Purpose::Ordinary, json!({ "type": "meta" }))
                .await?;
            Ok::<_, VenueError>(meta.instruments())
        });
        Ok(asked.await?)
    }

    /// Cancels everything at a time, unless it is put off before: what a client that died leaves behind is bounded.
    ///
    /// # Errors
    /// As for every action.
    pub async fn schedule_cancel(&self, time: Option<u64>) -> Result<(), VenueError> {
        self.act(
            Purpose::Protect,
            &Action::ScheduleCancel(ScheduleCancel { time }),
            None,
        )
        .await
        .map(|_| ())
    }

    async fn state(&self) -> Result<State, VenueError> {
        let user = self.settings.account;
        let question = json!({ "type": "clearinghouseState", "user": user });
        self.ask(Purpose::Protect, question).await
    }
}

#[async_trait]
impl Venue for Hyperliquid {
    async fn instrument(&self, coin: &str) -> Result<Instrument, VenueError> {
        let found = self
            .instruments()
            .await?
            .iter()
            .find(|instrument| instrument.coin == coin)
            .cloned();
        found.ok_or_else(|| {
            VenueError::Refused(format!(
                "the venue trades no `{coin}`; names are as in its `meta`"
            ))
        })
    }

    async fn depth(&self, coin: &str) -> Result<Depth, VenueError> {
        // Without a look at book and fills not even a reduce-only order can be placed.
        let book: Book = self
            .ask(Purpose::Protect, json!({ "type": "l2Book", "coin": coin }))
            .await?;
        Ok(book.depth())
    }

    async fn account(&self) -> Result<Account, VenueError> {
        let user = self.settings.account;
        let state = self.state().await?;
        let mut equity = state.margin_summary.account_value.0;
        if equity.is_zero() {
            // Of a unified account the perp side shows nothing: its money is the spot balance.
            let spot: Spot = self
                .ask(
                    Purpose::Protect,
                    json!({ "type": "spotClearinghouseState", "user": user }),
                )
                .await?;
            equity = spot.usdc() + state.unrealized();
        }
        Ok(Account {
            equity,
            margin_used: state.margin_summary.total_margin_used.0,
            positions: state.positions(),
        })
    }

    async fn time_ms(&self) -> Result<u64, VenueError> {
        Ok(self.state().await?.time)
    }

    async fn place(&self, order: &Order) -> Result<Done, VenueError> {
        let instrument = self.instrument(&order.coin).await?;
        let (price, size) = instrument.wire(order.cap, order.size)?;
        let action = Action::Order(PlaceOrders {
            orders: vec![OrderWire {
                asset: instrument.asset,
                is_buy: order.side == Side::Buy,
                price,
                size,
                reduce_only: order.reduce_only,
                kind: OrderKind::Limit(Limit { tif: Tif::Ioc }),
                cloid: Some(order.cloid),
            }],
            grouping: Grouping::Na,
            builder: None,
        });
        let purpose = if order.reduce_only {
            Purpose::Protect
        } else {
            Purpose::Ordinary
        };
        let answer = self
            .act(purpose, &action, Some(order.expires_after_ms))
            .await?;
        match answer.first() {
            Some(ItemStatus::Filled(filled)) => {
                let dollars = filled.total_sz.0 * order.cap;
                lock(&self.budget).traded(dollars.to_u64().unwrap_or(0));
                Ok(Done {
                    oid: filled.oid,
                    filled: filled.total_sz.0,
                })
            }
            Some(ItemStatus::Error(text)) => Err(refusal(&text)),
            Some(ItemStatus::Resting(resting)) => Err(VenueError::Unknown(format!(
                "order {} rests, though it was to fill at once",
                resting.oid
            ))),
            Some(ItemStatus::Success) => Err(VenueError::Unknown("the answer to a cancel".into())),
            Some(ItemStatus::Other(other)) => Err(VenueError::Unknown(format!(
                "an answer of a new kind: {other}"
            ))),
            None => Err(VenueError::Unknown(
                "an answer without a status of the order".into(),
            )),
        }
    }

    async fn order(&self, cloid: Cloid) -> Result<OrderState, VenueError> {
        let question =
            json!({ "type": "orderStatus", "user": self.settings.account, "oid": cloid });
        let status: OrderStatus = self.ask(Purpose::Protect, question).await?;
        status
            .state()
            .ok_or_else(|| VenueError::NoAnswer(format!("orderStatus: {status:?}")))
    }

    async fn cancel(&self, coin: &str, cloid: Cloid) -> Result<(), VenueError> {
        let asset = self.instrument(coin).await?.asset;
        let action = Action::CancelByCloid(CancelByCloid {
            cancels: vec![CloidCancel { asset, cloid }],
            fast: false,
        });
        let answer = self.act(Purpose::Protect, &action, None).await?;
        match answer.first() {
            Some(ItemStatus::Success) => Ok(()),
            Some(ItemStatus::Error(text)) => Err(refusal(&text)),
            other => Err(VenueError::Unknown(format!(
                "an answer of another kind: {other:?}"
            ))),
        }
    }

    async fn fills(&self, since_ms: u64) -> Result<Vec<Fill>, VenueError> {
        let question = json!({ "type": "userFillsByTime", "user": self.settings.account });
        self.all_since::<FillText, Fill>(
            Purpose::Protect,
            question,
            since_ms,
            MOST_RECORDS,
            |fill| (fill.time_ms, fill.tid),
        )
        .await
    }

    async fn funding(&self, since_ms: u64) -> Result<Vec<Funding>, VenueError> {
        // Two payments of one moment are of two coins.
        let coin_number = |payment: &Funding| {
            let name = super::eip712::keccak(payment.coin.as_bytes());
            u64::from_be_bytes([
                name[0], name[1], name[2], name[3], name[4], name[5], name[6], name[7],
            ])
        };
        let question = json!({ "type": "userFunding", "user": self.settings.account });
        self.all_since::<FundingText, Funding>(
            Purpose::Ordinary,
            question,
            since_ms,
            MOST_RECORDS,
            |payment| (payment.time_ms, coin_number(payment)),
        )
        .await
    }

    async fn settlements(&self, coin: &str, since_ms: u64) -> Result<Vec<Settlement>, VenueError> {
        let question = json!({ "type": "fundingHistory", "coin": coin });
        let all = self.all_since::<SettlementText, SettlementText>(
            Purpose::Ordinary,
            question,
            since_ms,
            MOST_SETTLEMENTS,
            |settled| (settled.time, 0),
        );
        let settled = all.await?;
        Ok(settled
            .into_iter()
            .filter_map(|settled| settled.settlement())
            .collect())
    }

    async fn taker_fee(&self) -> Result<Decimal, VenueError> {
        let fees: FeesText = self
            .ask(
                Purpose::Ordinary,
                json!({ "type": "userFees", "user": self.settings.account }),
            )
            .await?;
        Ok(fees.user_cross_rate.0)
    }
}
