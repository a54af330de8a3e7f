//! The keeper as a whole where nodes, wallets or transactions are not as they should be.

use std::{sync::Arc, time::Duration};

use ballast_model::Side;
use ballast_strategy::decide::ActionKind;
use solana_sdk::signer::Signer;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World, bytes,
    scene::{POSITIONS, beside, config, keeper, keypair, may_liquidate, parts, settled, world},
};
use crate::{
    Config, Keeper, KeeperEvent, Mode,
    events::Events,
    execute::{Executor, Job, Verdict},
    journal::{Journal, SharedJournal, tests::header},
};

const COUNT: usize = POSITIONS as usize;
const SECOND: Duration = Duration::from_secs(1);

/// A keeper for which everything is urgent.
fn urgent(world: &World, disk: &Disk) -> Keeper {
    let mut parts = parts(world, disk, Mode::Active);
    parts.config.fees.relaxed_distance_bps = 10_000;
    parts.config.fees.urgent_distance_bps = 10_000;
    Keeper::new(parts)
}

async fn until_settled(world: &World, disk: &Disk, keeper: Keeper) {
    beside(keeper, settled(world, disk, Instant::now())).await;
}

#[tokio::test(start_paused = true)]
async fn on_the_same_blockhash_a_second_transaction_is_another_one() {
    let (world, disk) = world(20, Faults::default());
    {
        let mut world = world.lock();
        world.blockhash_stands = true;
        world.set_price(205);
    }
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        // The same again, for the same fee.
        world.lock().restore_positions();
        settled(&world, &disk, Instant::now()).await;
    };
    beside(keeper(&world, &disk, Mode::Active), scene).await;
    let inner = world.lock();
    assert_eq!(inner.violations, Vec::<String>::new());
    assert_eq!(
        (inner.transactions.len(), inner.landings.len()),
        (2 * COUNT, 2 * COUNT)
    );
    let mut blockhashes: Vec<_> = inner
        .transactions
        .values()
        .map(|known| known.last_valid_block_height)
        .collect();
    blockhashes.dedup();
    assert_eq!(blockhashes.len(), 1, "the blockhash was to stand");
}

#[tokio::test(start_paused = true)]
async fn swaps_and_what_failed_before_are_simulated_however_urgent() {
    let (world, disk) = world(21, Faults::default());
    world.lock().set_price(205);
    until_settled(&world, &disk, urgent(&world, &disk)).await;
    let (sent, simulated) = {
        let inner = world.lock();
        assert_eq!(inner.simulated.len(), COUNT, "rehedges");
        (inner.transactions.len(), inner.simulated.len())
    };
    {
        let mut inner = world.lock();
        inner.faults.fails = 100;
        inner.set_price(290);
    }
    beside(urgent(&world, &disk), sleep(120 * SECOND)).await;
    let inner = world.lock();
    let (sent, simulated) = (
        inner.transactions.len() - sent,
        inner.simulated.len() - simulated,
    );
    assert!(sent > 2 * COUNT, "{sent}");
    assert!(
        inner
            .transactions
            .values()
            .any(|known| known.action == ActionKind::Deleverage)
    );
    // Only the first of each position was sent blindly.
    assert!(
        simulated >= sent - COUNT && simulated < sent + COUNT,
        "{sent} sent, {simulated} simulated"
    );
}

#[tokio::test(start_paused = true)]
async fn a_liquidator_creates_the_token_account_it_lacks() {
    let (world, disk) = world(22, Faults::default());
    let (market, keypair) = (Arc::new(bytes::context()), Arc::new(keypair()));
    {
        let mut inner = world.lock();
        // Where no swap and no repayment cures it any more.
        inner.set_price(380);
        let funded = bytes::token_account(market.base.mint, u64::MAX);
        inner
            .others
            .insert(market.wallet(&keypair.pubkey()).base, funded);
    }
    let mut config: Config = config(Mode::Paper);
    may_liquidate(&mut config);
    let (journal, _) = Journal::with_storage(disk, "memory".into(), &header()).unwrap();
    let executor = Executor::new(
        Arc::new(world.clone()),
        Some(SharedJournal::new(journal)),
        Some(keypair.clone()),
        Arc::new(config),
        Events::default(),
    );
    let job = Job {
        fees: None,
        outlook: ballast_strategy::situation::Outlook::default(),
        survey: false,
        market: Arc::clone(&market),
        position: [100; 32].into(),
        action: ActionKind::Liquidate,
        min_slot: 0,
        attempt: 0,
        has_failed: false,
    };
    // Until the price is confirmed.
    sleep(5 * SECOND).await;
    for missing in [vec![Side::Quote], vec![]] {
        let report = executor.act(job.clone()).await;
        assert!(
            matches!(report.verdict, Verdict::Paper),
            "{:?}",
            report.verdict
        );
        let mut inner = world.lock();
        let message = inner.simulated.last().unwrap().message.clone();
        let keys = message.static_account_keys();
        let created: Vec<_> = message
            .instructions()
            .iter()
            .filter(|one| {
                keys[usize::from(one.program_id_index)]
                    == ballast_abi::spl::ASSOCIATED_TOKEN_PROGRAM
            })
            .map(|one| keys[usize::from(one.accounts[1])])
            .collect();
        let wallet = market.wallet(&keypair.pubkey());
        let expected: Vec<_> = missing.iter().map(|_| wallet.quote).collect();
        assert_eq!(created, expected);
        let empty = bytes::token_account(market.quote.mint, 0);
        inner.others.insert(wallet.quote, empty);
    }
}

#[tokio::test(start_paused = true)]
async fn positions_that_an_answer_leaves_out_stay_known() {
    let (world, disk) = world(23, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let status = keeper.status();
    let scene = async {
        sleep(10 * SECOND).await;
        assert_eq!(status.borrow().positions, COUNT);
        world.lock().finds_nothing = true;
        sleep(60 * SECOND).await;
        assert_eq!(status.borrow().positions, COUNT);
        world.lock().set_price(205);
        settled(&world, &disk, Instant::now()).await;
    };
    beside(keeper, scene).await;
    assert_eq!(world.lock().landings.len(), COUNT);
}

#[tokio::test(start_paused = true)]
async fn what_waited_and_is_not_due_any_more_waits_no_longer() {
    let (world, disk) = world(
        24,
        Faults {
            lost: 100,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    let mut parts = parts(&world, &disk, Mode::Active);
    parts.config.max_in_flight = 1;
    let keeper = Keeper::new(parts);
    let status = keeper.status();
    let scene = async {
        while world.lock().transactions.is_empty() {
            sleep(SECOND / 10).await;
        }
        sleep(SECOND).await;
        assert_eq!(status.borrow().waiting, COUNT - 1);
        // Nothing is due any more before the only transaction expires.
        world.lock().set_price(200);
        sleep(200 * SECOND).await;
        assert_eq!((status.borrow().in_flight, status.borrow().waiting), (0, 0));
    };
    beside(keeper, scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_without_history_is_refused_in_active_mode() {
    let (world, disk) = world(25, Faults::default());
    world.lock().no_history = true;
    let refused = keeper(&world, &disk, Mode::Active).run(sleep(SECOND)).await;
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("--enable-rpc-transaction-history"),
        "{message}"
    );
    keeper(&world, &disk, Mode::Paper)
        .run(sleep(SECOND))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_outage_is_told_as_well_and_so_is_each_recovery() {
    let (world, disk) = world(27, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Observe);
    let mut events = keeper.events();
    let scene = async {
        for _ in 0..2 {
            for no_answer in [0, 100, 0] {
                world.lock().faults.no_answer = no_answer;
                sleep(20 * SECOND).await;
            }
        }
    };
    beside(keeper, scene).await;
    let mut outages: Vec<bool> = Vec::new();
    while let Ok(event) = events.try_recv() {
        match event {
            KeeperEvent::Warning { .. } => outages.push(true),
            KeeperEvent::Recovered { .. } => outages.push(false),
            _ => {}
        }
    }
    let told = outages.len();
    outages.dedup();
    assert_eq!(outages, [true, false, true, false]);
    // Once for each of the two questions.
    assert_eq!(told, 8);
}

#[tokio::test(start_paused = true)]
async fn too_little_sol_is_told_at_the_start_and_after_an_expiry() {
    for (lamports, expected) in [(1, 1 + COUNT), (1_000_000_000, 0)] {
        let (world, disk) = world(
            28,
            Faults {
                lost: 100,
                ..Faults::default()
            },
        );
        {
            let mut inner = world.lock();
            let key = inner.keeper;
            inner.others.insert(key, bytes::lamports(lamports));
            inner.set_price(205);
        }
        let keeper = keeper(&world, &disk, Mode::Active);
        let mut events = keeper.events();
        beside(keeper, sleep(100 * SECOND)).await;
        let mut told = 0;
        while let Ok(event) = events.try_recv() {
            if let KeeperEvent::Warning { message } = event {
                told += usize::from(message.contains("lamports"));
            }
        }
        assert_eq!(told, expected, "{lamports}");
    }
}
