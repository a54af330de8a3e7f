//! Options of `ballast quote`.

use std::path::PathBuf;

use ballast_client::Pubkey;
use clap::Args;

use super::asked::AskedPrices;
use crate::{
    address::address,
    decimal::{Decimal, Positive, Ratio, sigma_day},
    policy::PolicyArgs,
    target::PriceArgs,
};

/// With more, an account could not hold 20 whole tokens.
const MAX_DECIMALS: i64 = 18;

/// What to quote. Prices are quote per base in whole tokens, own funds are in the quote token, ratios like 0.8 or 80%.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct QuoteArgs {
    /// Take price, fee, interest, limits and the pool's depth from a market: the one named, or BALLAST_MARKET, or the only one there is
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, value_parser = address)]
    pub market: Option<Option<Pubkey>>,
    /// Price now [default: the market's]
    #[arg(long, required_unless_present = "market")]
    pub price: Option<Positive>,
    /// Lower end of the range
    #[arg(long)]
    pub lower: Positive,
    /// Upper end of the range
    #[arg(long)]
    pub upper: Positive,
    /// Own funds, in the quote token
    #[arg(long)]
    pub equity: Positive,
    /// Assets over own funds: 3 is three times
    #[arg(long)]
    pub leverage: Ratio,
    /// LTV (debt over assets) at which the position is liquidated: 0.8 or 80% [default: the market's, or 80%]
    #[arg(long)]
    pub maintenance: Option<Ratio>,
    /// Decimals of the base token, at most 18 [default: the market's, or 9]
    #[arg(long, value_parser = clap::value_parser!(u8).range(..=MAX_DECIMALS), conflicts_with = "market")]
    pub base_decimals: Option<u8>,
    /// Decimals of the quote token, at most 18 [default: the market's, or 6]
    #[arg(long, value_parser = clap::value_parser!(u8).range(..=MAX_DECIMALS), conflicts_with = "market")]
    pub quote_decimals: Option<u8>,
    /// Widen the range to the pool's grid of ticks [default: the market's]
    #[arg(long, conflicts_with = "market")]
    pub tick_spacing: Option<u16>,
    /// Further prices for the PnL curve, separated by commas
    #[arg(long, value_name = "PRICES")]
    pub at: Vec<AskedPrices>,
    /// Evenly spaced points of the PnL curve, besides the marked ones
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub points: u16,
    /// Write the picture of equity against price, as SVG
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write everything with its pictures, as one HTML file that needs no network
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub conditions: ConditionArgs,
    #[command(flatten)]
    pub triggers: TriggerArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub prices: PriceArgs,
}

/// What the position lives under.
#[derive(Args, Debug)]
pub struct ConditionArgs {
    /// Standard deviation of a day's move of the price: 0.05 is 5 % [default with --market: measured in the prices posted lately]
    #[arg(help_heading = "Conditions", long, value_name = "RATIO", value_parser = sigma_day)]
    pub sigma_day: Option<Ratio>,
    /// Measure it in recorded candles: CSV (may be gzipped) with the columns time, open, high, low, close, or Binance's klines
    #[arg(
        help_heading = "Conditions",
        long,
        value_name = "FILE",
        conflicts_with = "sigma_day"
    )]
    pub candles: Option<PathBuf>,
    /// The pool's fee, in millionths of the input [default: the depth's or the market's, or 400]
    #[arg(help_heading = "Conditions", long, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub fee_ppm: Option<u32>,
    /// The protocol's part of the fee [default: the market's, or 13%]
    #[arg(help_heading = "Conditions", long, value_name = "RATIO")]
    pub protocol_share: Option<Ratio>,
    /// Seconds between blocks, in which arbitrageurs trade
    #[arg(
        help_heading = "Conditions",
        long,
        default_value = "0.4",
        value_name = "SECS"
    )]
    pub block_secs: Positive,
    /// Yearly rate of the base debt [default: the market's, or 0]
    #[arg(help_heading = "Conditions", long, value_name = "RATIO")]
    pub borrow_base_apr: Option<Ratio>,
    /// Yearly rate of the quote debt [default: the market's, or 0]
    #[arg(help_heading = "Conditions", long, value_name = "RATIO")]
    pub borrow_quote_apr: Option<Ratio>,
    /// Funding of a perpetual an hour, which shorts receive (negative: pay), for the hedge there: 0.0000125, -0.00205
    #[arg(help_heading = "Conditions", long, value_name = "RATE")]
    pub funding_hour: Option<f64>,
    /// What an action costs beside its trade (transaction, keeper's reward), in the quote token
    #[arg(
        help_heading = "Conditions",
        long,
        default_value = "0",
        value_name = "AMOUNT"
    )]
    pub action_cost: Decimal,
    /// How long the position is kept, in days
    #[arg(
        help_heading = "Conditions",
        long,
        default_value = "7",
        value_name = "DAYS"
    )]
    pub horizon_days: Positive,
    /// Instant moves of the price to look at, up and down
    #[arg(
        help_heading = "Conditions",
        long,
        default_value = "5%,10%,20%,30%,50%",
        value_delimiter = ',',
        value_name = "RATIOS"
    )]
    pub gaps: Vec<Ratio>,
    /// The pool's depth, from a file. Lines of a name and its value (sqrt_price_x64, liquidity, fee_rate_ppm, and if known
    /// tick_current and known,FIRST_TICK,LAST_TICK), then the heading tick,liquidity_net and a line for each tick at which
    /// liquidity changes, in raw units; # begins a comment [default: the market's]
    #[arg(help_heading = "Conditions", long, value_name = "FILE")]
    pub depth: Option<PathBuf>,
    /// Write the market's depth as such a file
    #[arg(
        help_heading = "Conditions",
        long,
        value_name = "FILE",
        requires = "market",
        conflicts_with = "depth"
    )]
    pub save_depth: Option<PathBuf>,
}

/// Triggers beyond the policy.
#[derive(Args, Debug)]
pub struct TriggerArgs {
    /// Part of the range next to either end in which it is recentered; 0: when the price has left it [default: never]
    #[arg(help_heading = "Triggers", long, value_name = "RATIO")]
    pub edge: Option<Ratio>,
    /// Price at or below which to leave
    #[arg(help_heading = "Triggers", long, value_name = "PRICE")]
    pub low: Option<Positive>,
    /// Price at or above which to leave
    #[arg(help_heading = "Triggers", long, value_name = "PRICE")]
    pub high: Option<Positive>,
    /// Equity in quote at or below which to leave
    #[arg(help_heading = "Triggers", long, value_name = "AMOUNT")]
    pub floor: Option<Decimal>,
}
