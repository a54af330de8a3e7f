//! The keeper, running beside the demo against the cluster's RPC and websockets, and what it tells.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, ensure};
use ballast_client::Signer;
use ballast_keeper::{
    Api, Config, Fees, Keeper, KeeperError, KeeperEvent, Liquidation, MarketConfig, Mode, Status,
    Timing,
    api::{Token, browser},
    journal::Outcome,
};
use ballast_localnet::{Localnet, LocalnetExt, World, keys};
use tempfile::TempDir;
use tokio::{
    sync::{broadcast::error::RecvError, oneshot, watch},
    task::JoinHandle,
};

use crate::report::Action;

/// Within the keeper's directory.
const JOURNAL: &str = "journal";
/// For fees.
const KEEPER_LAMPORTS: u64 = 10_000_000_000;

/// How often the keeper looks at fees, by the cluster's clock: as often as may be.
pub const LOOK_AT_FEES: std::time::Duration = std::time::Duration::from_secs(10);

/// A keeper in active mode.
pub struct Watcher {
    task: JoinHandle<Result<(), KeeperError>>,
    listener: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    status: watch::Receiver<Status>,
    heard: Arc<Mutex<Heard>>,
    api_address: watch::Receiver<Option<SocketAddr>>,
    /// Its key and journal; removed in the end.
    directory: TempDir,
}

/// What the keeper told and nobody has taken yet.
#[derive(Default)]
pub struct Heard {
    /// What landed.
    pub actions: Vec<Action>,
    /// What did not go well.
    pub notes: Vec<String>,
    /// What stands in the way of what is due, as last told.
    obstacle: Option<String>,
}

impl Watcher {
    /// Starts a keeper for one market and waits until it has read it.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(net: &dyn Localnet, world: &World) -> Result<Self> {
        let endpoints = net
            .endpoints()
            .context("the keeper needs a cluster with RPC")?;
        let keypair = keys::named("keeper");
        net.fund(&keypair.pubkey(), KEEPER_LAMPORTS)
            .await
            .context("funding the keeper")?;
        let directory = tempfile::tempdir().context("a directory for the keeper's journal")?;
        let key_file = directory.path().join("keeper.json");
        keys::write(&keypair, &key_file)?;
        let config = Config {
            rpc_url: (&endpoints.rpc_url).into(),
            ws_url: (&endpoints.ws_url).into(),
            keypair: Some(key_file),
            signer: None,
            mode: Mode::Active,
            journal_dir: directory.path().join(JOURNAL),
            max_in_flight: 4,
            // On this cluster pools are of the stand-in.
            pool_programs: vec![world.market.market.whirlpool_program],
            markets: vec![MarketConfig {
                address: world.market.address,
                base_price: world.market.prices.base,
                quote_price: world.market.prices.quote,
                lookup_table: None,
                pool_can_reset_range: true,
                buffer: None,
            }],
            timing: Timing {
                poll_interval: net.poll().max(std::time::Duration::from_millis(50)),
                ..Timing::default()
            },
            fees: Fees::default(),
            bundles: ballast_keeper::config::Bundles::default(),
            liquidation: Liquidation {
                enabled: false,
                max_pay: ballast_client::Amounts::ZERO,
                min_gain: 0,
            },
            // The story is the position's.
            automation: ballast_keeper::Automation {
                refresh_stages: false,
                look_at_fees: LOOK_AT_FEES,
                ..ballast_keeper::Automation::default()
            },
            history: ballast_keeper::config::History::default(),
            prices: ballast_keeper::Prices {
                show_within_bps: 0,
                ..ballast_keeper::Prices::default()
            },
            nodes: ballast_keeper::config::Nodes::default(),
            shards: None,
            budgets: ballast_keeper::config::Budgets::default(),
            feed: ballast_keeper::config::Feed::default(),
            flags: ballast_keeper::Flags::default(),
            hedge: None,
            notify: ballast_keeper::Notify::default(),
            api: Api {
                // Some free port.
                listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
                ..Api::default()
            },
        };
        let keeper = Keeper::connect(config).await?;
        let (status, mut events) = (keeper.status(), keeper.events());
        let api_address = keeper.api_address();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let listener = tokio::spawn({
            let heard = Arc::clone(&heard);
            async move {
                loop {
                    let event = events.recv().await;
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    match event {
                        Ok(event) => heard.hear(event),
                        Err(RecvError::Lagged(missed)) => {
                            heard.notes.push(format!("{missed} keeper events missed"));
                        }
                        Err(RecvError::Closed) => return,
                    }
                }
            }
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keeper.run(async {
            // A dropped sender means the same.
            let _ = stopped.await;
        }));
        Ok(Self {
            task,
            listener,
            stop,
            status,
            heard,
            api_address,
            directory,
        })
    }

    /// Where its page is, with the token that changes need. Waits until it listens: it does once it has recovered from its journal.
    ///
    /// # Errors
    /// If it ends before.
    pub async fn page(&self) -> Result<String> {
        let mut told = self.api_address.clone();
        let address = *told
            .wait_for(Option::is_some)
            .await
            .context("the keeper ended before it listened")?;
        let address = address.context("the keeper does not listen")?;
        let token = Token::read(&Token::path(&self.directory.path().join(JOURNAL)))?;
        Ok(format!("http://{address}/#token={}", token.expose()))
    }

    /// Says where its page is, and opens it where somebody sees that.
    ///
    /// # Errors
    /// As [`Watcher::page`].
    pub async fn show_page(&self) -> Result<()> {
        let page = self.page().await?;
        println!("\nthe keeper's page, on which the story is live: {page}\n");
        if browser::is_watched()
            && let Err(error) = browser::open(self.directory.path(), &page)
        {
            // The story goes on without.
            eprintln!("{error}");
        }
        Ok(())
    }

    /// Whether it knows its position and nothing is in flight.
    ///
    /// # Errors
    /// If it has ended.
    pub fn idle(&self) -> Result<bool> {
        ensure!(
            !self.task.is_finished(),
            "the keeper has ended: {}",
            self.take().notes.join("; ")
        );
        let status = *self.status.borrow();
        Ok(status.positions > 0 && status.in_flight == 0)
    }

    /// Waits until it knows so many positions: it is told of new ones a little after they are opened.
    ///
    /// # Errors
    /// If it ends before.
    pub async fn knows(&self, positions: usize) -> Result<()> {
        let mut status = self.status.clone();
        let known = status.wait_for(|status| status.positions >= positions);
        known
            .await
            .with_context(|| format!("the keeper ended before it knew {positions} positions"))?;
        Ok(())
    }

    /// What stands in the way of what is due, if it said that something does.
    pub fn obstacle(&self) -> Option<String> {
        self.heard().obstacle.clone()
    }

    /// What it told since the last call.
    pub fn take(&self) -> Heard {
        let mut heard = self.heard();
        let obstacle = heard.obstacle.clone();
        let now = Heard {
            obstacle,
            ..Heard::default()
        };
        std::mem::replace(&mut heard, now)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops it; returns what it still told.
    ///
    /// # Errors
    /// If it ended badly.
    pub async fn stop(self) -> Result<Heard> {
        // If it is gone already its result says why.
        let _ = self.stop.send(());
        self.task.await.context("the keeper's task")??;
        self.listener.await.context("the listener's task")?;
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut heard))
    }
}

impl Heard {
    fn hear(&mut self, event: KeeperEvent) {
        match event {
            KeeperEvent::Resolved {
                action,
                reason,
                signature,
                outcome: Outcome::Landed { slot },
                ..
            } => self.actions.push(Action {
                slot,
                action: action.to_string(),
                reason,
                signature: signature.to_string(),
            }),
            KeeperEvent::Resolved {
                action, outcome, ..
            } => self.notes.push(format!("{action}: {outcome:?}")),
            KeeperEvent::Refused { action, error, .. } => {
                self.notes.push(format!("{action} refused: {error}"));
            }
            KeeperEvent::Decision(decision) => {
                let blocked = decision.action.filter(|_| !decision.obstacles.is_empty());
                self.obstacle = blocked.map(|action| {
                    let obstacles = decision.obstacles.join("; ");
                    format!("{action} has to wait: {obstacles}")
                });
            }
            KeeperEvent::StreamLost { reason } => self.notes.push(format!("stream lost: {reason}")),
            KeeperEvent::Warning { message } => self.notes.push(message),
            KeeperEvent::Halted { reason } => self.notes.push(format!("halted: {reason}")),
            _ => {}
        }
    }
}
