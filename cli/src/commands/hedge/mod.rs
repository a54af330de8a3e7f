//! `ballast hedge`: what a perpetual costs before it is traded, what is held at the venue, and closing it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use ballast_venue::{
    clock::{Clock, SystemClock},
    funding::forecast::Forecaster,
    hedge::{
        cost::quote,
        exposure::Exposure,
        hedger::{Hedger, Plan},
        journal::{Journal, Origin, file_name},
        report::{Alert, Outcome},
        target::{Decision, Rules},
    },
    hyperliquid::{
        bytes::Address,
        client::{Hyperliquid, Settings, Signer, http},
        key_file::read_agent_key,
        nonce::Nonces,
        sign::Network,
    },
    venue::{Account, Venue, VenueError},
};
use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use crate::{
    consent::{self, Agreed},
    globals::Globals,
    progress,
    report::{Output, note},
    trouble::misuse,
};
use report::{FlattenReport, JournalReport, QuoteReport, StatusReport};

mod report;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two steps of closing.
const PAUSE: Duration = Duration::from_secs(1);
/// Settlements that a forecast looks back on.
const HISTORY_MS: u64 = 30 * 24 * 3_600_000;
/// What to do.
#[derive(Subcommand, Debug)]
pub enum HedgeCommand {
    /// Say what a trade costs: fee, half-spread, slippage, funding over the holding time, margin, liquidation price
    Quote(QuoteArgs),
    /// Show the account at the venue, and what the journal knows of it
    Status(StatusArgs),
    /// Close the position at the venue, in slices of what its book shows
    Flatten(FlattenArgs),
}

/// Which account at which venue.
#[derive(Args, Debug)]
pub struct VenueArgs {
    /// The venue's network, mainnet or testnet: signatures are for one of them
    #[arg(long, env = "BALLAST_VENUE_NETWORK", value_name = "NETWORK")]
    pub network: Network,
    /// Where the venue's interface is, if not where its network has it
    #[arg(long, env = "BALLAST_VENUE_URL", value_name = "URL")]
    pub venue_url: Option<String>,
    /// The account that holds the position: not the agent
    #[arg(long, env = "BALLAST_VENUE_ACCOUNT", value_name = "ADDRESS")]
    pub account: Address,
    /// The perpetual
    #[arg(long, default_value = "SOL")]
    pub coin: String,
}

/// What to quote.
#[derive(Args, Debug)]
pub struct QuoteArgs {
    #[command(flatten)]
    venue: VenueArgs,
    /// How much to buy, in the base token; negative sells
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE")]
    size: Decimal,
    /// How long the position is held
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168), value_name = "HOURS")]
    hours: u32,
}

/// Whose state.
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    venue: VenueArgs,
    /// Directory with the hedge's journal
    #[arg(long, value_name = "DIRECTORY")]
    state: Option<PathBuf>,
}

/// How to close.
#[derive(Args, Debug)]
pub struct FlattenArgs {
    #[command(flatten)]
    venue: VenueArgs,
    /// Directory for the journal and the nonces
    #[arg(long, value_name = "DIRECTORY")]
    state: PathBuf,
    /// File with the agent's key, mode 600
    #[arg(long, env = "BALLAST_AGENT_KEY", value_name = "FILE")]
    agent_key: PathBuf,
    /// How far from the best price an order may fill
    #[arg(long, default_value = "50", value_name = "BPS")]
    cap_bps: Decimal,
    /// Share of the visible depth that one order takes, above 0 up to 1
    #[arg(long, default_value = "0.5", value_name = "SHARE")]
    depth_share: Decimal,
    /// How many steps to try
    #[arg(long, default_value_t = 60, value_name = "COUNT")]
    steps: u32,
}

/// Runs one of them.
///
/// # Errors
/// The venue does not answer, or the position is not closed.
pub async fn run(command: &HedgeCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    match command {
        HedgeCommand::Quote(args) => output.print(&quoted(args).await?),
        HedgeCommand::Status(args) => output.print(&status(args).await?),
        HedgeCommand::Flatten(args) => output.print(&flatten(args, globals).await?),
    }
}

/// To ask.
fn reader(args: &VenueArgs) -> Result<Hyperliquid> {
    client(args, None)
}

/// To trade as somebody agreed to.
fn trader(args: &VenueArgs, signer: Signer, _: &Agreed) -> Result<Hyperliquid> {
    client(args, Some(signer))
}

fn client(args: &VenueArgs, signer: Option<Signer>) -> Result<Hyperliquid> {
    let url = args
        .venue_url
        .clone()
        .unwrap_or_else(|| args.network.url().to_owned());
    let settings = Settings {
        url,
        network: args.network,
        account: args.account,
        vault: None,
        timeout: TIMEOUT,
    };
    Ok(Hyperliquid::new(
        settings,
        http()?,
        signer,
        Arc::new(SystemClock),
    ))
}

async fn quoted(args: &QuoteArgs) -> Result<QuoteReport> {
    let venue = reader(&args.venue)?;
    let coin = &args.venue.coin;
    let instrument = venue.instrument(coin).await?;
    let (depth, account, fee) = (
        venue.depth(coin).await?,
        venue.account().await?,
        venue.taker_fee().await?,
    );
    let mut forecaster = Forecaster::default();
    for settlement in venue
        .settlements(coin, SystemClock.now_ms().saturating_sub(HISTORY_MS))
        .await?
    {
        forecaster.observe(&settlement);
    }
    let forecast = forecaster.total(args.hours);
    if forecast.is_none() {
        note(
            "note: the venue shows too few settlements for a forecast of funding; it is left out of the total",
        );
    }
    let quote = quote(
        args.size,
        &instrument,
        &depth,
        &account,
        fee,
        forecast.as_ref(),
    )
    .context(
        "nothing would fill: the book shows nothing on that side, or the size is below a lot",
    )?;
    Ok(QuoteReport::new(coin.clone(), args.hours, &quote))
}

fn journal_file(state: &Path, venue: &VenueArgs) -> PathBuf {
    state.join(file_name(
        &venue.network.to_string(),
        venue.account,
        &venue.coin,
    ))
}

async fn status(args: &StatusArgs) -> Result<StatusReport> {
    let venue = reader(&args.venue)?;
    let coin = &args.venue.coin;
    let account: Account = venue.account().await?;
    let entries = args
        .state
        .as_ref()
        .map(|state| Journal::read(&journal_file(state, &args.venue)))
        .transpose()?;
    let held = account
        .positions
        .iter()
        .find(|position| position.coin == *coin);
    let position = account.position(coin).normalize();
    let fills = venue.fills(0).await?;
    let fills = || fills.iter().filter(|fill| fill.coin == *coin);
    let funding = venue.funding(0).await?;
    Ok(StatusReport {
        coin: coin.clone(),
        position,
        entry_price: held.map(|held| held.entry.normalize()),
        liquidation_price: held
            .and_then(|held| held.liquidation)
            .map(|price| price.normalize()),
        equity: account.equity.normalize(),
        margin_used: account.margin_used.normalize(),
        closed_pnl: fills()
            .map(|fill| fill.closed_pnl)
            .sum::<Decimal>()
            .normalize(),
        fees: fills().map(|fill| fill.fee).sum::<Decimal>().normalize(),
        funding: funding
            .iter()
            .filter(|payment| payment.coin == *coin)
            .map(|payment| payment.usdc)
            .sum::<Decimal>()
            .normalize(),
        journal: entries.map(|entries| JournalReport::new(&entries, coin, position)),
    })
}

async fn flatten(args: &FlattenArgs, globals: &Globals) -> Result<FlattenReport> {
    if args.depth_share <= Decimal::ZERO
        || args.depth_share > Decimal::ONE
        || args.cap_bps < Decimal::ZERO
    {
        bail!(misuse!(
            "--depth-share is above 0 and at most 1, --cap-bps is not negative"
        ));
    }
    fs::create_dir_all(&args.state)
        .with_context(|| format!("cannot make --state {}", args.state.display()))?;
    let agent = read_agent_key(&args.agent_key)?;
    // The journal first: it is one process's, and so is what lies beside it.
    let (journal, entries) = Journal::open(&journal_file(&args.state, &args.venue))?;
    let nonces = Nonces::open(&args.state.join(format!("nonce-{}", agent.address())))?;
    let coin = args.venue.coin.clone();
    let held = reader(&args.venue)?.account().await?;
    let position_before = held.position(&coin).normalize();
    let consent = consent::Plan::new("closing the position at the venue")
        .line("venue", args.venue.network)
        .line("account", args.venue.account)
        .line("close", format_args!("{position_before} {coin}"))
        .line(
            "at most",
            format_args!("{} bps from the best price, in slices", args.cap_bps),
        )
        .agreed(globals)?;
    let venue = trader(&args.venue, Signer { agent, nonces }, &consent)?;
    let plan = Plan {
        account: args.venue.account,
        coin: coin.clone(),
        rules: Rules {
            band: Decimal::ZERO,
            cap_bps: args.cap_bps,
            depth_share: args.depth_share,
        },
        expires_after_ms: 5_000,
    };
    let mut hedger = Hedger::new(plan, venue, journal, &entries);
    let (mut orders, mut trades_of_others) = (0, 0);
    let bar = progress::spinner("closing the position");
    let mut last = String::from("none");
    for _ in 0..args.steps {
        match hedger
            .step(Exposure::of(Decimal::ZERO), SystemClock.now_ms())
            .await
        {
            Ok(report) => {
                trades_of_others += report.alerts.len();
                let stranger = |alert: &&Alert| alert.origin == Origin::Foreign;
                if let Some(alert) = report.alerts.iter().find(stranger).filter(|_| orders > 0) {
                    bar.finish_and_clear();
                    bail!(
                        "somebody else traded {} {coin} on this account while it was being closed, perhaps a keeper that hedges it: \
                         stop that first (`ballast halt`, or its [hedge]), then try again",
                        alert.fill.side.signed(alert.fill.size).normalize()
                    );
                }
                match report.outcome {
                    Outcome::Idle(Decision::Inside) => {
                        bar.finish_and_clear();
                        let position = hedger
                            .books()
                            .position(&coin)
                            .unwrap_or_default()
                            .normalize();
                        return Ok(FlattenReport {
                            coin,
                            position_before,
                            position,
                            orders,
                            trades_of_others,
                        });
                    }
                    Outcome::Refused(ref error @ VenueError::AgentUnknown(_)) => {
                        return Err(error.clone().into());
                    }
                    Outcome::Traded { .. } => {
                        orders += 1;
                        // What is left is not waited for.
                        continue;
                    }
                    Outcome::Unknown => orders += 1,
                    Outcome::Refused(_)
                    | Outcome::Waiting(_)
                    | Outcome::Idle(_)
                    | Outcome::Shown(_)
                    | Outcome::Blind
                    | Outcome::OffPrice { .. }
                    | Outcome::NotAdmitted(_) => {}
                }
                last = match &report.outcome {
                    Outcome::Refused(error) => error.to_string(),
                    other => format!("{other:?}"),
                };
            }
            Err(error @ ballast_venue::hedge::hedger::HedgeError::Journal(_)) => {
                return Err(error.into());
            }
            Err(error) => last = error.to_string(),
        }
        bar.set_message(last.clone());
        tokio::time::sleep(PAUSE).await;
    }
    bar.finish_and_clear();
    bail!(
        "the position is not closed after {} steps, the last: {last}; `ballast hedge status --state {}` says where it stands",
        args.steps,
        args.state.display()
    )
}
