//! `ballast`: everything a person does with the protocol.
#![forbid(unsafe_code)]

mod acting;
mod address;
mod automation;
mod commands;
mod complaint;
mod connection;
mod consent;
mod decimal;
#[cfg(test)]
mod documents;
mod examples;
mod facts;
mod globals;
mod growth;
mod help;
mod lines;
mod market_rules;
mod node_url;
mod number;
#[cfg(test)]
mod page_commands;
mod policy;
mod position_name;
mod progress;
mod range;
mod recorded;
mod report;
mod rewards;
mod rules;
mod slippage;
mod study;
mod table;
mod target;
mod time;
mod tokens;
mod trouble;
mod usage;
mod view;
mod volatility;
mod wallet;
mod width;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use ballast_client::Pubkey;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use acting::PositionArgs;
use ballast_view::text as format;
use commands::{
    automation::AutomationCommand,
    backtest::BacktestArgs,
    calibrate::CalibrateArgs,
    close::CloseArgs,
    compare::CompareArgs,
    control::{EitherArgs, KeeperArgs, PositionArgs as OnePositionArgs},
    dashboard::DashboardArgs,
    deploy::DeployArgs,
    doctor::DoctorArgs,
    explain::ExplainArgs,
    first_keepers::FirstKeepersCommand,
    funds::{DecreaseArgs, IncreaseArgs, RepayArgs},
    hedge::HedgeCommand,
    journal::JournalCommand,
    keeper::KeeperCommand,
    key::KeyCommand,
    lend::LendCommand,
    market::MarketCommand,
    migrate::MigrateArgs,
    open::OpenArgs,
    optimise::OptimiseArgs,
    policy::PolicyCommand,
    positions::PositionsArgs,
    quote::QuoteArgs,
    risk::RiskArgs,
    safety::{DeleverageArgs, LiquidateArgs, SettleArgs},
    shell::{CompletionsArgs, ManArgs},
    simulate::SimulateArgs,
    stress::StressArgs,
    transfer::{AcceptArgs, RewardCommand, TransferArgs},
    tx::TxArgs,
    upkeep::RecenterArgs,
};
use complaint::complain;
use globals::Globals;
use position_name::PositionName;
use report::{Output, is_broken_pipe};
use study::Invocation;

/// So long threads are waited for that still do something when all is said.
const LAST_THREADS: Duration = Duration::from_secs(2);

/// Leveraged, delta-neutral concentrated liquidity on Solana.
///
/// Amounts are in whole tokens, prices in quote per base (USDC per SOL), ratios like 0.8 or 80%.
#[derive(Parser, Debug)]
#[command(name = "ballast", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Say what a position is, earns and costs, and how it can end, before opening it (offline unless --market)
    Quote(Box<QuoteArgs>),
    /// Answer a file of positions, a JSON object per line (offline)
    Risk(RiskArgs),
    /// Say what keeping a position earns and costs, and how it can end, over many random paths (offline)
    Simulate(Box<SimulateArgs>),
    /// Say what two strategies or keepers' configurations differ in, on the same random prices (offline)
    Compare(Box<CompareArgs>),
    /// Find the best width, leverage, hedge and delta band, if liquidation must be rare (offline)
    Optimise(Box<OptimiseArgs>),
    /// Fit models of price, volume and depth to recorded trading, for `--model-file` of the commands above (offline)
    Calibrate(CalibrateArgs),
    /// Say what bad days do to a book, or to a market as it is now: positions, lenders, bad debt
    Stress(Box<StressArgs>),
    /// Say what a position would have earned on recorded trading (offline)
    Backtest(BacktestArgs),
    /// Open a position
    Open(Box<OpenArgs>),
    /// List positions, the one in most danger first
    Positions(PositionsArgs),
    /// Say why nothing is done with a position, or what comes next and at which price
    Explain(ExplainArgs),
    /// Bring more funds into a position, or only other leverage
    Increase(IncreaseArgs),
    /// Repay a position's debts from the wallet
    Repay(RepayArgs),
    /// Take liquidity out, repay, pay out
    Decrease(DecreaseArgs),
    /// Pay a position's fees out
    Collect(PositionArgs),
    /// Put a position's fees to work. The owner, or a keeper when it is due
    Compound(PositionArgs),
    /// Move a position to a new band. The owner, or a keeper when it is due
    Recenter(RecenterArgs),
    /// Take a position out of the pool when its window or floor is reached; `close` pays out what is left
    Exit(PositionArgs),
    /// Bring a position's delta back to its target. The owner, or a keeper when it is due
    Rehedge(PositionArgs),
    /// Bring a position's LTV down, without a swap where that is enough. Anyone, when it is due
    Deleverage(DeleverageArgs),
    /// Close as much of an unhealthy position as restores its health, for a bonus. Anyone
    Liquidate(LiquidateArgs),
    /// Show the reserves what of a position's debts its collateral does not cover. Anyone
    ShowLoss(PositionArgs),
    /// Settle a position at the last price of a market that has had none for a week. Anyone
    Settle(SettleArgs),
    /// Close a position
    Close(CloseArgs),
    /// When keepers hedge and deleverage a position
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// What else keepers may do with a position: recenter, exit, compound
    #[command(subcommand)]
    Automation(AutomationCommand),
    /// Keepers who go first for some seconds when something is due
    #[command(subcommand)]
    FirstKeepers(FirstKeepersCommand),
    /// Offer a position to somebody
    Transfer(TransferArgs),
    /// Take an offered position over
    Accept(AcceptArgs),
    /// SOL that keepers of a position are paid from
    #[command(subcommand)]
    Reward(RewardCommand),
    /// A market, its limits and reserves
    #[command(subcommand)]
    Market(MarketCommand),
    /// Lend, take back, see what is lent
    #[command(subcommand)]
    Lend(LendCommand),
    /// A perpetual at a venue, against what the chain leaves: its cost, its state, closing it
    #[command(subcommand)]
    Hedge(HedgeCommand),
    /// The bot that looks after positions
    #[command(subcommand)]
    Keeper(KeeperCommand),
    /// Have the keeper send nothing more until somebody resumes it; raises risk, and asks
    Halt(KeeperArgs),
    /// Have the keeper do only what lowers risk, for all positions or one
    Reduce(EitherArgs),
    /// Have the keeper leave a position alone; raises risk, and asks
    Pause(OnePositionArgs),
    /// Have the keeper do again what its configuration says, for all positions or one
    Resume(EitherArgs),
    /// What a keeper has written down: show it, check it, make its decisions again (offline)
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Say where a keeper's page is, with the token that changes need, or open it
    Dashboard(DashboardArgs),
    /// Deploy or upgrade the program, then set up its market
    Deploy(DeployArgs),
    /// Bring a market to what its migrations say
    Migrate(MigrateArgs),
    /// Say what became of a transaction whose outcome was not seen
    Tx(TxArgs),
    /// Check node, program, market, oracle and key
    Doctor(DoctorArgs),
    /// Keys as files
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print what a shell needs to complete commands
    ///
    /// Write it where the shell looks, then start the shell anew.
    ///
    /// bash: `ballast completions bash > ~/.local/share/bash-completion/completions/ballast`
    ///
    /// zsh: `ballast completions zsh > ~/.zfunc/_ballast`, with `fpath=(~/.zfunc $fpath)` before `compinit` in ~/.zshrc
    ///
    /// fish: `ballast completions fish > ~/.config/fish/completions/ballast.fish`
    Completions(CompletionsArgs),
    /// Write man pages
    Man(ManArgs),
}

fn main() -> ExitCode {
    let cli = parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let kind = trouble::kind_in(&error, &cli.globals.command);
            complain(&error, kind, &cli.globals);
            kind.exit_code().into()
        }
    }
}

/// Ends the process with usage if the command line makes no sense.
fn parse() -> Cli {
    let mut dressed = help::dressed(Cli::command());
    let mut naming = position_name::accepting_names(dressed.clone());
    let mut matches = naming
        .try_get_matches_from_mut(std::env::args_os())
        .unwrap_or_else(|error| help::end(&error, &naming));
    if let Some(name) = position_name::given(&matches) {
        let address = located(name, &matches);
        matches = position_name::knowing(dressed.clone(), address)
            .try_get_matches_from(std::env::args_os())
            .unwrap_or_else(|error| help::end(&error, &dressed));
    }
    let mut cli = Cli::from_arg_matches(&matches)
        .unwrap_or_else(|error| help::end(&error.format(&mut dressed), &dressed));
    cli.globals.note_given(&matches);
    cli.globals.command = command_path(&matches);
    cli.globals.invocation = Invocation::of(&Cli::command(), &matches);
    cli
}

/// The position of that name. Ends the process if it cannot be told.
fn located(name: &PositionName, matches: &ArgMatches) -> Pubkey {
    if let PositionName::Address(address) = name {
        return *address;
    }
    let mut globals = Globals::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    globals.command = command_path(matches);
    let look = || {
        let runtime =
            tokio::runtime::Runtime::new().context("cannot start threads for network work")?;
        let found = runtime.block_on(position_name::address_of(name, &globals));
        runtime.shutdown_timeout(LAST_THREADS);
        found
    };
    look().unwrap_or_else(|error| {
        let kind = trouble::kind(&error);
        complain(&error, kind, &globals);
        std::process::exit(kind.exit_code().into())
    })
}

/// The command as it is typed, with a space before each word of it.
fn command_path(matches: &ArgMatches) -> String {
    let mut path = String::new();
    let mut below = matches.subcommand();
    while let Some((name, matches)) = below {
        path.push(' ');
        path.push_str(name);
        below = matches.subcommand();
    }
    path
}

fn run(cli: &Cli) -> Result<()> {
    let mut output = Output::new(cli.globals.json, cli.globals.wide);
    match &cli.command {
        Command::Quote(args) => commands::quote::run(args, &cli.globals, &mut output),
        Command::Risk(args) => commands::risk::run(args),
        Command::Simulate(args) => {
            commands::simulate::run(args, &cli.globals.invocation, &mut output)
        }
        Command::Compare(args) => {
            commands::compare::run(args, &cli.globals.invocation, &mut output)
        }
        Command::Optimise(args) => {
            commands::optimise::run(args, &cli.globals.invocation, &mut output)
        }
        Command::Calibrate(args) => commands::calibrate::run(args, &mut output),
        Command::Stress(args) => commands::stress::run(args, &cli.globals, &mut output),
        Command::Backtest(args) => {
            commands::backtest::run(args, &cli.globals.invocation, &mut output)
        }
        Command::Key(command) => commands::key::run(command, &cli.globals, &mut output),
        Command::Completions(args) => {
            commands::shell::completions(args, help::dressed(Cli::command()))
        }
        Command::Man(args) => {
            commands::shell::man(args, help::dressed(Cli::command()), &mut output)
        }
        Command::Journal(command) => commands::journal::run(command, &cli.globals, &mut output),
        online => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .context("cannot start threads for network work")?;
            let done = runtime.block_on(async {
                match run_online(online, &cli.globals, &mut output).await {
                    Err(error) if trouble::is_unfunded(&error) => {
                        Err(wallet::named(error, &cli.globals).await)
                    }
                    done => done,
                }
            });
            // A thread that waits for a server which does not answer is not waited for.
            runtime.shutdown_timeout(LAST_THREADS);
            done
        }
    }
}

async fn run_online(command: &Command, globals: &Globals, output: &mut Output) -> Result<()> {
    match command {
        Command::Quote(_)
        | Command::Risk(_)
        | Command::Simulate(_)
        | Command::Compare(_)
        | Command::Optimise(_)
        | Command::Calibrate(_)
        | Command::Stress(_)
        | Command::Backtest(_)
        | Command::Key(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Journal(_) => Ok(()),
        Command::Open(args) => commands::open::run(args, globals, output).await,
        Command::Positions(args) => commands::positions::run(args, globals, output).await,
        Command::Explain(args) => commands::explain::run(args, globals, output).await,
        Command::Increase(args) => commands::funds::increase(args, globals, output).await,
        Command::Repay(args) => commands::funds::repay(args, globals, output).await,
        Command::Decrease(args) => commands::funds::decrease(args, globals, output).await,
        Command::Collect(args) => commands::upkeep::collect(args, globals, output).await,
        Command::Compound(args) => commands::upkeep::compound(args, globals, output).await,
        Command::Recenter(args) => commands::upkeep::recenter(args, globals, output).await,
        Command::Exit(args) => commands::upkeep::exit(args, globals, output).await,
        Command::Automation(command) => commands::automation::run(command, globals, output).await,
        Command::FirstKeepers(command) => {
            commands::first_keepers::run(command, globals, output).await
        }
        Command::Transfer(args) => commands::transfer::transfer(args, globals, output).await,
        Command::Accept(args) => commands::transfer::accept(args, globals, output).await,
        Command::Reward(command) => commands::transfer::reward(command, globals, output).await,
        Command::Rehedge(args) => commands::safety::rehedge(args, globals, output).await,
        Command::Deleverage(args) => commands::safety::deleverage(args, globals, output).await,
        Command::Liquidate(args) => commands::safety::liquidate(args, globals, output).await,
        Command::ShowLoss(args) => commands::safety::show_loss(args, globals, output).await,
        Command::Settle(args) => commands::safety::settle(args, globals, output).await,
        Command::Close(args) => commands::close::run(args, globals, output).await,
        Command::Policy(command) => commands::policy::run(command, globals, output).await,
        Command::Market(command) => commands::market::run(command, globals, output).await,
        Command::Lend(command) => commands::lend::run(command, globals, output).await,
        Command::Hedge(command) => commands::hedge::run(command, globals, output).await,
        Command::Keeper(command) => commands::keeper::run(command, globals, output).await,
        Command::Halt(args) => commands::control::halt(args, globals, output).await,
        Command::Reduce(args) => commands::control::reduce(args, globals, output).await,
        Command::Pause(args) => commands::control::pause(args, globals, output).await,
        Command::Resume(args) => commands::control::resume(args, globals, output).await,
        Command::Dashboard(args) => commands::dashboard::run(args, globals, output),
        Command::Deploy(args) => commands::deploy::run(args, globals, output).await,
        Command::Migrate(args) => commands::migrate::run(args, globals, output).await,
        Command::Tx(args) => commands::tx::run(args, globals, output).await,
        Command::Doctor(args) => commands::doctor::run(args, globals, output).await,
    }
}
