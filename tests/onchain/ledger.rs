//! Numbers and chain: what [`ballast_ledger::Values`] makes of a position and its reserves is what the program makes of them, to the
//! unit, on random paths. Interest runs, fees wait, pool and oracle differ. What the numbers do the program does, unless a rule forbids it
//! that is not the ledger's ([`RULES`]); what the numbers refuse it refuses, for the same reason unless such a rule comes first.
//!
//! A seed is a position that lives through a few moves and actions. Each is named in what fails; `BALLAST_SEED=n` begins with another,
//! and `BALLAST_SEQUENCES=n` plays so many.

use std::{collections::BTreeMap, time::Duration};

use ballast_client::{
    Amounts, Automation, BallastError, Instruction, OpenArgs, Policy, Position, PositionContext,
    Reaction, RecenterArgs, SendError, Side, Trade, ballast, ballast::risk, instruction,
};
use ballast_keeper::execute::{FeeAccounts, View, ViewRequest};
use ballast_ledger::{Ledger, Values};
use ballast_localnet::{Localnet, Trader, UsdPrice};
use ballast_model::lending::INDEX_ONE_X64;
use ballast_strategy::act::{Deed, Rules, carry_out};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    mirror::{Fault, Mirror},
    support::{Scene, number},
};

/// Positions that one world sees.
const LIVES: u64 = 25;
const SEQUENCES: u64 = 100;
const STEPS: usize = 4;
const START: i64 = 200;
/// Seeds by which something was found: an exit that trades back across the edge of a tick array, and a part that does not lower LTV.
const FOUND: [u64; 2] = [1_796_050_225, 1_796_050_234];

const KINDS: [&str; 7] = [
    "rehedge",
    "deleverage",
    "deleverage with a swap",
    "recenter",
    "compound",
    "exit",
    "liquidate",
];

/// Reasons for which the program refuses what the ledger could do: an action is not due or not allowed. What has to hold after it is none
/// of them, for the numbers say the same of that.
const RULES: [BallastError; 9] = [
    BallastError::CompoundNotDue,
    BallastError::DeleverageNotDue,
    BallastError::ExitNotDue,
    BallastError::NoLiquidity,
    BallastError::NotLiquidatable,
    BallastError::PoolDiverged,
    BallastError::RecenterNotDue,
    BallastError::RehedgeNotDue,
    BallastError::TooSoon,
];

/// What happened, how often.
#[derive(Debug, Default)]
struct Tally {
    /// Actions that both have done alike, by kind.
    alike: BTreeMap<&'static str, u64>,
    /// Of them those that swapped; that collected fees; that booked a loss, which are rare and not demanded.
    swapped: u64,
    with_fees: u64,
    losses: u64,
    /// Actions that a rule forbids, by the rule.
    forbidden: BTreeMap<String, u64>,
    /// Actions that both have refused for the same reason, by the reason.
    refused: BTreeMap<String, u64>,
}

impl Tally {
    /// The program has refused: a rule forbids it, or the numbers have refused it for the same reason.
    fn note_refusal(
        &mut self,
        at: &str,
        kind: &str,
        foreseen: &Result<(), Fault>,
        lowered: impl FnOnce() -> bool,
        error: &SendError,
    ) {
        if let Some(rule) = RULES.into_iter().find(|rule| error.is(*rule)) {
            let told = format!("{kind}: {}", rule.name());
            *self.forbidden.entry(told).or_default() += 1;
            return;
        }
        let (fault, alike) = match foreseen {
            // What has to hold afterwards is no part of carrying it out; the numbers have to say the same of it.
            Ok(()) if error.is(BallastError::LtvNotLowered) && !lowered() => {
                *self
                    .refused
                    .entry(format!("{kind}: LTV not lowered"))
                    .or_default() += 1;
                return;
            }
            Ok(()) => panic!("{at}: the numbers do what the program refuses: {error}"),
            Err(fault @ Fault::Ledger(ours)) => (fault, error.is(BallastError::from(*ours))),
            Err(fault @ Fault::Swap(_)) => {
                let program = error.failure().and_then(|failure| failure.program);
                (fault, program.is_some_and(|program| program != ballast::ID))
            }
        };
        assert!(
            alike,
            "{at}: the numbers refuse because {fault}, the program because {error}"
        );
        *self.refused.entry(format!("{kind}: {fault}")).or_default() += 1;
    }
}

#[tokio::test]
async fn numbers_and_chain_do_the_same_to_the_unit() {
    let (first, count) = (
        number("BALLAST_SEED", 0),
        number("BALLAST_SEQUENCES", SEQUENCES),
    );
    let mut tally = Tally::default();
    let mut scene = Scene::new().await;
    for (number, seed) in (first..first + count).chain(FOUND).enumerate() {
        if number as u64 % LIVES == LIVES - 1 {
            scene = Scene::new().await;
        }
        let mut life = Life {
            scene: &scene,
            seed,
            rng: StdRng::seed_from_u64(seed),
            tally: &mut tally,
        };
        life.live().await;
    }
    println!("{tally:#?}");
    let demanded = if count >= 1_000 { 10 } else { count / 50 };
    for kind in KINDS {
        let found = tally.alike.get(kind).copied().unwrap_or(0);
        assert!(found >= demanded, "{kind}: {tally:?}");
    }
    let refused = tally.refused.values().sum();
    for found in [tally.swapped, tally.with_fees, refused] {
        assert!(found >= demanded, "{tally:?}");
    }
}

struct Life<'a> {
    scene: &'a Scene,
    seed: u64,
    rng: StdRng,
    tally: &'a mut Tally,
}

impl Life<'_> {
    async fn live(&mut self) {
        self.scene.price(START).await;
        let id = self.seed;
        let args = self.args(id);
        let ticks = [args.tick_lower, args.tick_upper];
        self.scene.world.create_tick_arrays(ticks).await.unwrap();
        let alice = &self.scene.alice;
        // What cannot be opened is another test's.
        if self.scene.world.try_open(alice, args).await.is_err() {
            return;
        }
        let address =
            ballast_client::PositionAddresses::new(&self.scene.world.market, &alice.key(), id)
                .position;
        let chain = self.scene.svm.chain();
        let position = PositionContext::load(chain.as_ref(), address)
            .await
            .unwrap();
        let mut price = START as f64;
        // Some are left alone until somebody liquidates them.
        let neglected = self.rng.random_bool(0.3);
        for _ in 0..STEPS {
            price = self.pass(price, neglected).await;
            self.act(&position, price, neglected).await;
        }
        let _ = self.scene.close(&position).await;
    }

    fn args(&mut self, id: u64) -> OpenArgs {
        let rng = &mut self.rng;
        let [down, up] = [rng.random_range(0.03..0.2), rng.random_range(0.03..0.2)];
        let at = |factor: f64| UsdPrice::from_f64(START as f64 * factor).unwrap();
        let own = Amounts::new(
            if rng.random_bool(0.3) {
                rng.random_range(0..500_000_000)
            } else {
                0
            },
            rng.random_range(50_000_000..500_000_000),
        );
        let leverage_bps = rng.random_range(15_000..32_000);
        let args =
            self.scene
                .world
                .open_args(id, [at(1.0 - down), at(1.0 + up)], own, leverage_bps);
        let args = args.unwrap();
        let policy = Policy {
            hedge_bps: rng.random_range(6_000..=10_000),
            delta_band_bps: rng.random_range(60..400),
            delta_target_bps: 50,
            ..args.policy
        };
        OpenArgs { policy, ..args }
    }

    /// Time passes, others trade, and the price moves.
    async fn pass(&mut self, price: f64, neglected: bool) -> f64 {
        let days = self.rng.random_range(0..5 * 86_400);
        self.scene.svm.pass_time(days).await.unwrap();
        for _ in 0..self.rng.random_range(0..3) {
            self.scene
                .pool(price * self.rng.random_range(0.97..1.03))
                .await;
        }
        let factor = if neglected {
            // What is hedged and above its band owes base alone: it is liquidated, and by a gap insolvent.
            self.rng.random_range(1.05..1.7)
        } else if self.rng.random_bool(0.35) {
            self.rng.random_range(0.55..1.7)
        } else {
            self.rng.random_range(0.95..1.05)
        };
        let price = (price * factor).clamp(70.0, 500.0);
        let move_to = UsdPrice::from_f64(price).unwrap();
        self.scene.world.move_price(move_to).await.unwrap();
        if self.rng.random_bool(0.3) {
            self.scene
                .pool(price * self.rng.random_range(0.997..1.003))
                .await;
        }
        price
    }

    async fn view(&self, position: &PositionContext) -> View {
        let market = &self.scene.world.market;
        let position = self.scene.world.reload(position).await.unwrap();
        let request = ViewRequest {
            market,
            position: position.address,
            fees: Some(FeeAccounts::new(market, &position.position)),
            min_slot: 0,
            wallet: None,
        };
        let chain = self.scene.svm.chain();
        View::fetch(chain.as_ref(), &request, Duration::ZERO)
            .await
            .unwrap()
    }

    /// Tries a few kinds of action, one after the other, each on numbers and on the chain.
    async fn act(&mut self, position: &PositionContext, price: f64, neglected: bool) {
        let first = self.rng.random_range(0..KINDS.len());
        for number in 0..3 {
            let kind = if neglected {
                "liquidate"
            } else {
                KINDS[(first + number * 3) % KINDS.len()]
            };
            self.prepare(kind, position).await;
            let Some(ticks) = self.new_ticks(price) else {
                continue;
            };
            self.scene.world.create_tick_arrays(ticks).await.unwrap();
            let view = self.view(position).await;
            let Some(stored) = view.position.clone() else {
                return;
            };
            if stored.position.liquidity.get() == 0 && kind != "recenter" {
                continue;
            }
            self.compare(kind, &view, &stored, ticks).await;
        }
    }

    /// Makes an action due, as far as an owner can.
    async fn prepare(&mut self, kind: &str, position: &PositionContext) {
        let ltv_bps = self.scene.ltv_bps(position).await;
        let stored = self.scene.world.reload(position).await.unwrap().position;
        let tick = self.scene.world.pool().await.unwrap().tick_current;
        if kind.starts_with("deleverage") && (1_000..7_900).contains(&ltv_bps) {
            let trigger = ltv_bps - 5;
            let policy = Policy {
                deleverage_trigger_ltv_bps: trigger,
                deleverage_target_ltv_bps: trigger - self.rng.random_range(50..900),
                ..stored.policy
            };
            let _ = self.scene.set_policy(position, policy).await;
        }
        let automation = Automation {
            leverage_bps: self.rng.random_range(15_000..30_000),
            max_exit_loss_bps: 100,
            at_low: self.rng.random_range(1..=3),
            window_low_tick: if kind == "exit" {
                tick + 100
            } else {
                Automation::NO_LOW
            },
            ..Automation::OFF
        };
        let automation = Automation {
            at_low: if kind == "exit" { automation.at_low } else { 0 },
            ..automation
        };
        let _ = self.scene.try_automate(position, automation).await;
    }

    fn new_ticks(&mut self, price: f64) -> Option<[i32; 2]> {
        let end = |factor: f64| {
            let price = UsdPrice::from_f64(price * factor).ok()?;
            Some(self.scene.world.tick_at(price).ok()?.get())
        };
        let low = self.rng.random_range(0.8..0.98);
        let high = self.rng.random_range(1.02..1.2);
        Some([end(low)?, end(high)?])
    }

    fn deed(&mut self, kind: &str, position: &Position, ticks: [i32; 2]) -> Deed {
        match kind {
            "rehedge" => Deed::Rehedge,
            "deleverage" => Deed::Deleverage,
            "deleverage with a swap" => Deed::DeleverageSwap,
            "recenter" => Deed::Recenter { ticks },
            "compound" => Deed::Compound,
            "exit" => Deed::Exit(
                Reaction::from_byte(position.automation.at_low).unwrap_or(Reaction::ExitAsIs),
            ),
            _ => Deed::Liquidate {
                max_pay: if self.rng.random_bool(0.5) {
                    Amounts::new(u64::MAX, u64::MAX)
                } else {
                    Amounts::new(
                        self.rng.random_range(0..2_000_000_000),
                        self.rng.random_range(0..200_000_000),
                    )
                },
            },
        }
    }

    async fn compare(
        &mut self,
        kind: &'static str,
        view: &View,
        position: &PositionContext,
        ticks: [i32; 2],
    ) {
        let stored = &position.position;
        let deed = self.deed(kind, stored, ticks);
        let scene = self.scene;
        let ends = [ticks[0], ticks[1], stored.tick_lower, stored.tick_upper];
        let mirror = Mirror::of(scene, &ends, view.fees.unwrap()).await;
        let market = &view.market;
        let mut ledger = market.ledger(stored, market.now_secs, mirror).unwrap();
        let wallet = &scene.liquidator.wallet;
        for side in [Side::Base, Side::Quote] {
            let held = scene.world.balance(&wallet.tokens(side)).await.unwrap();
            ledger.payer = ledger.payer.with(side, held);
        }
        let fees_before = view.fees.unwrap().pending;
        let rules = Rules {
            market: &market.market,
            position: stored,
            oracle: market.oracle_sqrt_price().unwrap(),
            now_secs: market.now_secs,
        };
        let before = ledger.position().unwrap();
        let foreseen = carry_out(deed, &rules, &mut ledger);

        let (by, instruction) = self.instruction(deed, position, &ledger, market.pool.tick_current);
        let sent = scene.send(by, instruction).await;
        let at = format!("BALLAST_SEED={}, {kind}", self.seed);
        if let Err(error) = sent {
            let lowered = || {
                let (limits, after) = (&market.market.limits, ledger.position().unwrap());
                risk::require_ltv_lowered(limits, &before, &after, rules.oracle).is_ok()
            };
            self.tally
                .note_refusal(&at, kind, &foreseen, lowered, &error);
            return;
        }
        if let Err(fault) = foreseen {
            panic!("{at}: the program has done what the numbers refuse: {fault}");
        }
        let after = self.view(position).await;
        self.same(&at, &ledger, &after, stored).await;

        *self.tally.alike.entry(kind).or_default() += 1;
        self.tally.swapped += u64::from(ledger.swap_loss > 0);
        let collects = matches!(deed, Deed::Compound | Deed::Exit(_) | Deed::Recenter { .. });
        self.tally.with_fees += u64::from(collects && !fees_before.is_zero());
        let lost = after.market.base_reserve.bad_debt > market.base_reserve.bad_debt
            || after.market.quote_reserve.bad_debt > market.quote_reserve.bad_debt
            || after.market.base_reserve.insurance < market.base_reserve.insurance
            || after.market.quote_reserve.insurance < market.quote_reserve.insurance;
        self.tally.losses += u64::from(lost);
    }

    fn instruction(
        &self,
        deed: Deed,
        position: &PositionContext,
        ledger: &Values<Mirror>,
        tick: i32,
    ) -> (&Trader, Instruction) {
        let scene = self.scene;
        let market = &scene.world.market;
        let trade = ledger.pool.traded().unwrap_or(Trade::SellBase);
        let path = market.swap_path(tick, trade);
        let (owner, key) = (&scene.alice, &scene.alice.key());
        let instruction = match deed {
            Deed::Rehedge => instruction::rehedge(market, position, key, &path),
            Deed::Deleverage => instruction::deleverage(market, position, key),
            Deed::DeleverageSwap => instruction::deleverage_swap(market, position, key, &path),
            Deed::Recenter { ticks } => {
                let args = RecenterArgs {
                    tick_lower: ticks[0],
                    tick_upper: ticks[1],
                };
                instruction::recenter(market, position, key, args, &path)
            }
            Deed::Compound => instruction::compound(market, position, key),
            Deed::Exit(_) => {
                let path = market.exit_path(tick, trade);
                instruction::exit(market, position, key, &path)
            }
            Deed::Liquidate { max_pay } => {
                let by = &scene.liquidator;
                let liquidate =
                    instruction::liquidate(market, position, &by.key(), &by.wallet, max_pay, 0);
                return (by, liquidate);
            }
        };
        (owner, instruction)
    }

    /// Position, reserves and pool are the same in both.
    async fn same(&self, at: &str, ledger: &Values<Mirror>, after: &View, before: &Position) {
        let stored = &after.position.as_ref().unwrap().position;
        let market = &after.market;
        let ends = [ledger.band.sqrt_lower(), ledger.band.sqrt_upper()];
        assert_eq!(
            [stored.tick_lower, stored.tick_upper],
            ends.map(|end| end.tick().get()),
            "{at}: band"
        );
        assert_eq!(
            stored.liquidity.get(),
            ledger.liquidity(),
            "{at}: liquidity"
        );
        assert_eq!(stored.idle(), ledger.idle(), "{at}: idle");
        let shares = [
            stored.base_debt_shares.get(),
            stored.quote_debt_shares.get(),
        ];
        assert_eq!(shares, ledger.shares, "{at}: debt shares");
        for side in [Side::Base, Side::Quote] {
            let state = market.reserve(side).state();
            assert_eq!(state, ledger.lender(side).state, "{at}: reserve of {side}");
            // Interest has run.
            assert!(state.debt_shares == 0 || state.borrow_index_x64 > INDEX_ONE_X64);
        }
        let lost = stored.entry.swap_loss - before.entry.swap_loss;
        assert_eq!(lost, ledger.swap_loss, "{at}: swap loss");
        let pool = &market.pool;
        assert_eq!(
            (pool.sqrt_price, pool.tick_current, pool.liquidity),
            ledger.pool.state(),
            "{at}: pool"
        );
        let wallet = &self.scene.liquidator.wallet;
        for side in [Side::Base, Side::Quote] {
            let held = self
                .scene
                .world
                .balance(&wallet.tokens(side))
                .await
                .unwrap();
            assert_eq!(held, ledger.payer.get(side), "{at}: payer's {side}");
        }
    }
}
