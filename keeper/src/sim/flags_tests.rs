//! Red flags on a simulated chain: each fires and does not fire. What follows from them is [`reducing`]'s.

mod reducing;

use std::{sync::Arc, time::Duration};

use ballast_client::{Chain, Endpoint};
use ballast_flags::{Flag, Limits, State, hedge_fills::Fill};
use ballast_model::Amounts;
use ballast_strategy::fixtures;
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World, bytes,
    scene::{beside, keypair, parts, world},
};
use crate::{
    Keeper, KeeperEvent, Mode, Parts,
    api::Flags as _,
    control::Control,
    flags::{FlagsNow, FlagsWatch, Heard},
    notify::tests::{Receiver, body},
};

const RICH: u64 = 10_000_000_000;

/// What a keeper of these parts makes of the flags by the end of what is done beside it.
struct Seen {
    now: FlagsNow,
    /// Raised and cleared, in order.
    told: Vec<(Flag, bool)>,
    modes: Vec<Mode>,
}

impl Seen {
    fn state(&self, flag: Flag) -> State {
        let of_flag = |judgement: &&ballast_flags::Judgement| judgement.flag == flag;
        let found = self.now.verdict.judgements.iter().find(of_flag);
        found.unwrap().state
    }

    fn raised(&self) -> Vec<Flag> {
        self.now.verdict.raised().collect()
    }
}

/// A keeper with everything that the flags need: a balance, short windows, positions.
fn prepared(world: &World, disk: &Disk, mode: Mode) -> Parts {
    fund(world, RICH);
    let mut parts = parts(world, disk, mode);
    let soon = Limits {
        window_secs: 60,
        calm_secs: 120,
        ..Flag::DepthDrop.default_limits()
    };
    let rules = parts.config.flags.rules;
    parts.config.flags.rules = rules
        .with(Flag::DepthDrop, soon)
        .with(Flag::RoutingShift, soon);
    parts
}

fn fund(world: &World, lamports: u64) {
    let purse = bytes::lamports(lamports);
    world.lock().others.insert(keypair_address(), purse);
}

fn keypair_address() -> Pubkey {
    use solana_sdk::signer::Signer;
    keypair().pubkey()
}

/// Runs a keeper beside something that is done with its handles.
async fn run<F: Future<Output = ()>>(
    parts: Parts,
    act: impl FnOnce(Control, FlagsWatch, tokio::sync::mpsc::Sender<Heard>) -> F,
) -> Seen {
    let keeper = Keeper::new(parts);
    let (control, flags, ear) = (keeper.control(), keeper.flags(), keeper.flags_ear());
    let mut events = keeper.events();
    let doing = act(control, flags.clone(), ear);
    beside(keeper, doing).await;
    let mut seen = Seen {
        now: FlagsNow::clone(&flags.borrow()),
        told: Vec::new(),
        modes: Vec::new(),
    };
    while let Ok(event) = events.try_recv() {
        match event {
            KeeperEvent::RedFlag { flag, raised, .. } => seen.told.push((flag, raised)),
            KeeperEvent::ModeChanged { mode, .. } => seen.modes.push(mode),
            _ => {}
        }
    }
    seen
}

async fn secs(secs: u64) {
    sleep(Duration::from_secs(secs)).await;
}

/// After so long in which nothing is wrong.
async fn calm(seconds: u64) -> Seen {
    let (world, disk) = world(1, Faults::default());
    run(prepared(&world, &disk, Mode::Observe), |_, _, _| {
        secs(seconds)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_wrong_nothing_fires_and_what_cannot_be_judged_says_why() {
    let seen = calm(4_000).await;
    assert_eq!((seen.raised(), seen.told.len()), (vec![], 0));
    for judgement in &seen.now.verdict.judgements {
        let expected = match judgement.flag {
            // No hedge, no other node.
            Flag::FundingSpike | Flag::HedgeFills | Flag::EndpointsDisagree => State::Unknown,
            // An observer's balance is not looked at.
            Flag::OwnSolLow => State::Unknown,
            _ => State::Quiet,
        };
        assert_eq!(judgement.state, expected, "{judgement:?}");
        assert!(!judgement.note.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_oracle_that_falls_silent_fires_and_clears_when_it_speaks_again() {
    let (world, disk) = world(2, Faults::default());
    let seen = run(
        prepared(&world, &disk, Mode::Observe),
        async |_, flags: FlagsWatch, _| {
            secs(60).await;
            world.lock().silence_oracle();
            secs(125).await;
            assert_eq!(flags.borrow().verdict.raised().count(), 0);
            secs(15).await;
            assert_eq!(
                flags.borrow().verdict.raised().collect::<Vec<_>>(),
                [Flag::OracleStall]
            );
            world.lock().wake_oracle();
            secs(65).await;
        },
    )
    .await;
    assert_eq!(
        seen.told,
        [(Flag::OracleStall, true), (Flag::OracleStall, false)]
    );
}

/// Multiplies the pool's liquidity, in tenths.
fn set_depth(world: &World, tenths: u128) {
    let whole = fixtures::snapshot(200).pool.liquidity;
    world
        .lock()
        .change_market(|market| market.pool.liquidity = whole / 10 * tenths);
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_loses_most_of_its_depth_fires_and_one_that_loses_a_third_does_not() {
    for (tenths, fires) in [(4, true), (7, false)] {
        let (world, disk) = world(3, Faults::default());
        let seen = run(prepared(&world, &disk, Mode::Observe), async |_, _, _| {
            secs(4_000).await;
            set_depth(&world, tenths);
            secs(120).await;
        })
        .await;
        assert_eq!(seen.raised().contains(&Flag::DepthDrop), fires, "{tenths}");
    }
}

#[tokio::test(start_paused = true)]
async fn others_who_take_most_of_our_flow_fire_and_a_flash_of_liquidity_does_not() {
    for (stays, fires) in [(300, true), (20, false)] {
        let (world, disk) = world(4, Faults::default());
        // Ours is a third of the pool.
        let ours = u128::from(super::scene::POSITIONS) * fixtures::position().liquidity.get();
        world
            .lock()
            .change_market(|market| market.pool.liquidity = 3 * ours);
        let seen = run(prepared(&world, &disk, Mode::Observe), async |_, _, _| {
            secs(4_000).await;
            world
                .lock()
                .change_market(|market| market.pool.liquidity = 9 * ours);
            secs(stays).await;
            if !fires {
                world
                    .lock()
                    .change_market(|market| market.pool.liquidity = 3 * ours);
                secs(300).await;
            }
        })
        .await;
        assert_eq!(
            seen.told.contains(&(Flag::RoutingShift, true)),
            fires,
            "{stays}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_stands_still_fires_and_a_node_that_skips_answers_does_not() {
    let (world, disk) = world(5, Faults::default());
    let seen = run(
        prepared(&world, &disk, Mode::Observe),
        async |_, flags: FlagsWatch, _| {
            secs(60).await;
            world.lock().stand_still();
            secs(12).await;
            assert_eq!(flags.borrow().verdict.raised().count(), 0);
            secs(8).await;
        },
    )
    .await;
    assert_eq!(seen.raised(), [Flag::StreamLag]);
    let faults = Faults {
        no_answer: 20,
        ..Faults::default()
    };
    let (shaky, disk) = super::scene::world(6, faults);
    // A start needs answers.
    shaky.lock().faults = Faults::default();
    let seen = run(prepared(&shaky, &disk, Mode::Observe), async |_, _, _| {
        secs(10).await;
        shaky.lock().faults = faults;
        secs(600).await;
    })
    .await;
    assert_eq!(seen.told, []);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_lags_behind_another_fires_and_one_bad_among_three_counts_for_nothing() {
    let lagging = |slots: u64| {
        let faults = Faults {
            lags: 100,
            lag_slots: slots,
            ..Faults::default()
        };
        let (node, _) = super::scene::world(7, faults);
        Arc::new(node) as Arc<dyn Chain>
    };
    for (others, state) in [
        (&[60][..], State::Raised),
        (&[4], State::Quiet),
        (&[60, 2], State::Quiet),
        (&[60, 200], State::Raised),
    ] {
        let (world, disk) = world(8, Faults::default());
        let mut parts = prepared(&world, &disk, Mode::Observe);
        parts.other_nodes = others.iter().copied().map(lagging).collect();
        let seen = run(parts, |_, _, _| secs(90)).await;
        assert_eq!(seen.state(Flag::EndpointsDisagree), state);
        assert_eq!(seen.now.endpoints[0].name, "rpc-1");
        // It is no stream lag: what the keeper reads is fresh.
        assert_eq!(seen.state(Flag::StreamLag), State::Quiet);
    }
}

#[tokio::test(start_paused = true)]
async fn little_sol_fires_and_enough_does_not() {
    for (lamports, state) in [(4_000_000, State::Raised), (RICH, State::Quiet)] {
        let (world, disk) = world(9, Faults::default());
        let parts = prepared(&world, &disk, Mode::Active);
        fund(&world, lamports);
        let seen = run(parts, |_, _, _| secs(10)).await;
        assert_eq!(seen.state(Flag::OwnSolLow), state);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_hedge_tells_of_funding_and_fills_fires_and_does_not() {
    for (hourly_ppb, fill, state) in [
        (70_000, Fill::Failed, State::Raised),
        (12_500, Fill::Filled { took_ms: 900 }, State::Quiet),
    ] {
        let (world, disk) = world(10, Faults::default());
        let mut parts = prepared(&world, &disk, Mode::Observe);
        // A hedge that sends nothing, and has nothing to tell of funding.
        let folder = tempfile::tempdir().unwrap();
        super::hedge_scene::add_hedge(&mut parts, folder.path(), Instant::now());
        let seen = run(parts, async |control: Control, _, ear| {
            secs(10).await;
            for hour in 1..=3 {
                let settled_secs = control.now_secs() - 3_600 * (3 - hour);
                ear.send(Heard::Funding {
                    settled_secs,
                    hourly_ppb,
                })
                .await
                .unwrap();
                ear.send(Heard::HedgeSent).await.unwrap();
                ear.send(Heard::HedgeFill(fill)).await.unwrap();
            }
            secs(5).await;
        })
        .await;
        assert_eq!(seen.state(Flag::FundingSpike), state);
        assert_eq!(seen.state(Flag::HedgeFills), state);
    }
}

#[tokio::test(start_paused = true)]
async fn contingency_is_that_of_the_book_against_what_is_kept() {
    let (world, disk) = world(18, Faults::default());
    let mut parts = prepared(&world, &disk, Mode::Observe);
    parts.config.markets[0].buffer = Some(Amounts::new(0, u64::MAX));
    let keeper = Keeper::new(parts);
    let (flags, mut events) = (keeper.flags(), keeper.events());
    beside(keeper, secs(60)).await;
    let now = flags.borrow().clone();
    let shown = crate::flags::Shown(flags);
    let market = bytes::context().address;
    let found = now.contingency[&market];
    let needed = found.needs.needed();
    assert!(
        needed.base > 0 && needed.quote > 0 && found.needs.failed == 0,
        "{found:?}"
    );
    assert_eq!(found.cover(), ballast_flags::contingency::Cover::Short);
    // Told once, and shown by the API in whole tokens.
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::Contingency { short, base, .. } = event {
            told.push((short, base));
        }
    }
    let view = shown.contingency(&market);
    assert_eq!(view.state, ballast_view::ContingencyState::Short);
    assert_eq!(view.have_base.as_deref(), Some("0.000000000"));
    let base = [view.needed_base.unwrap(), view.have_base.unwrap()];
    assert_eq!(told, [(true, base)]);
    let names: Vec<String> = shown.flags().into_iter().map(|flag| flag.name).collect();
    assert_eq!(names, Flag::ALL.map(Flag::name));
    assert_eq!(shown.reduce_at(), 2);
}

#[tokio::test(start_paused = true)]
async fn boundaries_that_come_near_are_told_once() {
    let (world, disk) = world(19, Faults::default());
    let keeper = Keeper::new(prepared(&world, &disk, Mode::Observe));
    let mut events = keeper.events();
    beside(keeper, async {
        // Moves of three per cent to and fro: a usual day is a third of the price.
        for minute in 0..60 {
            world
                .lock()
                .set_price(if minute % 2 == 0 { 200 } else { 206 });
            secs(60).await;
        }
    })
    .await;
    let mut near = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::BoundaryNear { positions, .. } = event {
            near.push(positions);
        }
    }
    assert_eq!(near, [usize::from(super::scene::POSITIONS)]);
}

#[tokio::test]
async fn a_raised_flag_reaches_the_webhook_before_the_keeper_ends() {
    let receiver = Receiver::start(&["200 OK"]).await;
    let (world, disk) = world(20, Faults::default());
    let mut parts = prepared(&world, &disk, Mode::Active);
    fund(&world, 1_000_000);
    parts.config.notify.webhook_url = Some(Endpoint::new(&receiver.url));
    Keeper::new(parts).run(secs(5)).await.unwrap();
    let told = receiver.requests();
    let told: Vec<_> = told.iter().map(|request| body(request)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["kind"], "flag_raised");
    assert_eq!(told[0]["keeper"], keypair_address().to_string());
    assert_eq!(told[0]["data"]["flag"], "own_sol_low");
    assert!(
        told[0]["text"]
            .as_str()
            .unwrap()
            .contains("0.001 SOL, limit"),
        "{told:?}"
    );
}

#[test]
fn other_nodes_are_configured_by_address() {
    let config = super::scene::config(Mode::Observe);
    assert!(config.flags.other_rpc_urls.is_empty());
    let mut config = config;
    config.flags.other_rpc_urls = vec![Endpoint::new("ws://node")];
    assert!(
        config
            .check()
            .unwrap_err()
            .to_string()
            .contains("flags.other_rpc_urls")
    );
}
