//! A market as a record has it: accounts as their bytes, what is wider than JSON's numbers as text.

use ballast::state::{Market, Reserve};
use ballast_abi::pyth::PriceUpdate;
use ballast_model::SqrtPrice;
use ballast_snapshot::{MarketSnapshot, PoolState};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytemuck::Pod;
use serde::{Deserialize, Serialize};

use super::ReplayError;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketParts {
    slot: u64,
    now_secs: i64,
    address: String,
    pub(super) market: String,
    reserves: [String; 2],
    pool: PoolParts,
    pub(super) prices: [PriceParts; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PoolParts {
    sqrt_price_x64: String,
    tick: i32,
    liquidity: String,
    fee_ppm: u16,
    adaptive: bool,
    touched_secs: u64,
    fee_growth_x64: [String; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PriceParts {
    writer: String,
    feed: String,
    pub(super) price: i64,
    conf: u64,
    exponent: i32,
    published: i64,
    before: i64,
    ema: i64,
    ema_conf: u64,
    slot: u64,
}

impl MarketParts {
    pub fn new(market: &MarketSnapshot) -> Self {
        let pool = &market.pool;
        Self {
            slot: market.slot,
            now_secs: market.now_secs,
            address: market.address.to_string(),
            market: bytes(&market.market),
            reserves: [bytes(&market.base_reserve), bytes(&market.quote_reserve)],
            pool: PoolParts {
                sqrt_price_x64: pool.sqrt_price.x64().to_string(),
                tick: pool.tick_current,
                liquidity: pool.liquidity.to_string(),
                fee_ppm: pool.fee_rate_ppm,
                adaptive: pool.has_adaptive_fee,
                touched_secs: pool.touched_secs,
                fee_growth_x64: pool.fee_growth_x64.map(|growth| growth.to_string()),
            },
            prices: [&market.base_price, &market.quote_price].map(PriceParts::new),
        }
    }

    pub fn read(&self) -> Result<MarketSnapshot, ReplayError> {
        let [base_reserve, quote_reserve] = &self.reserves;
        let [base_price, quote_price] = &self.prices;
        let sqrt_price = parse("pool's price", &self.pool.sqrt_price_x64)?;
        Ok(MarketSnapshot {
            slot: self.slot,
            now_secs: self.now_secs,
            address: parse("market's address", &self.address)?,
            market: read::<Market>("market", &self.market)?,
            base_reserve: read::<Reserve>("base reserve", base_reserve)?,
            quote_reserve: read::<Reserve>("quote reserve", quote_reserve)?,
            pool: PoolState {
                sqrt_price: SqrtPrice::new(sqrt_price).map_err(|_| ReplayError::Unreadable {
                    what: "pool's price",
                })?,
                tick_current: self.pool.tick,
                liquidity: parse("pool's liquidity", &self.pool.liquidity)?,
                fee_rate_ppm: self.pool.fee_ppm,
                has_adaptive_fee: self.pool.adaptive,
                touched_secs: self.pool.touched_secs,
                fee_growth_x64: [
                    parse("pool's fee growth", &self.pool.fee_growth_x64[0])?,
                    parse("pool's fee growth", &self.pool.fee_growth_x64[1])?,
                ],
            },
            base_price: base_price.read()?,
            quote_price: quote_price.read()?,
        })
    }
}

impl PriceParts {
    fn new(price: &PriceUpdate) -> Self {
        Self {
            writer: price.write_authority.to_string(),
            feed: STANDARD.encode(price.feed_id),
            price: price.price,
            conf: price.conf,
            exponent: price.exponent,
            published: price.publish_time,
            before: price.previous_publish_time,
            ema: price.ema_price,
            ema_conf: price.ema_conf,
            slot: price.posted_slot,
        }
    }

    fn read(&self) -> Result<PriceUpdate, ReplayError> {
        let what = "price's feed";
        let feed = STANDARD.decode(&self.feed).ok();
        let feed = feed.and_then(|feed| feed.try_into().ok());
        Ok(PriceUpdate {
            write_authority: parse("price's writer", &self.writer)?,
            feed_id: feed.ok_or(ReplayError::Unreadable { what })?,
            price: self.price,
            conf: self.conf,
            exponent: self.exponent,
            publish_time: self.published,
            previous_publish_time: self.before,
            ema_price: self.ema,
            ema_conf: self.ema_conf,
            posted_slot: self.slot,
        })
    }
}

pub fn bytes<T: Pod>(account: &T) -> String {
    STANDARD.encode(bytemuck::bytes_of(account))
}

pub fn read<T: Pod>(what: &'static str, text: &str) -> Result<T, ReplayError> {
    let bytes = STANDARD.decode(text).ok();
    bytes
        .and_then(|bytes| bytemuck::try_pod_read_unaligned(&bytes).ok())
        .ok_or(ReplayError::Unreadable { what })
}

pub fn parse<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, ReplayError> {
    text.parse().map_err(|_| ReplayError::Unreadable { what })
}
