//! Random sequences of instructions by everybody, with moving and disagreeing prices, passing time and gifts. After each
//! step no token is created or lost, books and balances agree, and a share's price has not fallen except by booked bad debt;
//! after closing everything, the vaults are empty but for rounding in the lenders' favour.
//!
//! A sequence is 12 steps. 20 sequences one after another share a world, whose seed is printed when it begins; then everybody
//! leaves it. `BALLAST_SEQUENCES=100000` runs more of them, `BALLAST_SEED=n` others: from the last seed that was printed,
//! 20 sequences replay a failure. From 200 sequences on, everything that can happen has to have happened.

use std::{collections::BTreeMap, sync::Arc};

use ballast_client::{
    Amounts, BallastEvent, DecreaseArgs, Instruction, OpenArgs, PositionContext, Positions,
    Receipt, Side, Trade, instruction,
};
use ballast_localnet::{Localnet, Svm, Trader, UsdPrice, World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::StdRng};

const SEQUENCES: u64 = 200;
/// Steps of a sequence.
const STEPS: u64 = 12;
/// A new world now and then: books grow old, and every story shall have its end.
const SEQUENCES_PER_WORLD: u64 = 20;
/// With fewer, some event may be missing by chance.
const ENOUGH_FOR_EVERY_EVENT: u64 = 200;
const SIDES: [Side; 2] = [Side::Base, Side::Quote];

/// What must only change in ways that are checked.
struct Books {
    /// Lenders' assets and shares of each side.
    shares: [(u64, u64); 2],
}

struct Game {
    world: World,
    svm: Svm,
    people: Vec<Trader>,
    /// All token accounts of each side that are not a position's.
    accounts: [Vec<ballast_client::Pubkey>; 2],
    supply: [u64; 2],
    rng: StdRng,
    next_id: u64,
    dollars: f64,
    /// Whether the price has moved and keepers are still at it.
    moved: bool,
}

impl Game {
    async fn new(seed: u64) -> Self {
        let svm = Svm::start().unwrap();
        let mut config = WorldConfig::standard().unwrap();
        // Little lent, so that caps and utilisation are reached.
        config.lent = Amounts::new(20_000_000_000, 4_000_000_000);
        let world = World::new(Arc::new(svm.clone()), config).await.unwrap();
        let rich = Amounts::new(1_000_000_000_000, 1_000_000_000_000);
        let mut people = Vec::new();
        for name in ["ann", "ben", "cid"] {
            let person = world.trader(name, rich).await.unwrap();
            for side in SIDES {
                let key = person.key();
                let wallet = instruction::create_share_wallet(&world.market, &key, &key, side);
                world.send(&person.keypair, vec![wallet]).await.unwrap();
            }
            people.push(person);
        }
        let market = &world.market.market;
        let mut accounts = [
            vec![world.market.vault(Side::Base), market.pool_base_vault],
            vec![world.market.vault(Side::Quote), market.pool_quote_vault],
        ];
        for side in SIDES {
            let holders = people.iter().map(|person| person.wallet.tokens(side));
            let others = [&world.lender, &world.whale, &world.authority];
            let others = others.map(|key| {
                world
                    .market
                    .wallet(&ballast_client::Signer::pubkey(key))
                    .tokens(side)
            });
            accounts[side as usize].extend(holders.chain(others));
        }
        let mut game = Self {
            world,
            svm,
            people,
            accounts,
            supply: [0; 2],
            rng: StdRng::seed_from_u64(seed),
            next_id: 0,
            dollars: 200.0,
            moved: false,
        };
        game.supply = game.tokens(&[]).await;
        game
    }

    async fn positions(&self) -> Vec<PositionContext> {
        let chain = self.world.net.chain();
        let found = Positions::of_market(chain.as_ref(), &self.world.market.address)
            .await
            .unwrap();
        assert!(found.unreadable.is_empty());
        found.positions
    }

    /// Tokens of each side in all accounts that there are.
    async fn tokens(&self, positions: &[PositionContext]) -> [u64; 2] {
        let mut totals = [0; 2];
        for side in SIDES {
            let of_positions = positions.iter().map(|position| match side {
                Side::Base => position.position.base_account,
                Side::Quote => position.position.quote_account,
            });
            for account in self.accounts[side as usize]
                .iter()
                .copied()
                .chain(of_positions)
            {
                totals[side as usize] += self.world.balance(&account).await.unwrap();
            }
        }
        totals
    }

    async fn books(&self) -> Books {
        let snapshot = self.world.snapshot().await.unwrap();
        let shares = SIDES.map(|side| {
            let reserve = snapshot.reserve(side);
            (
                reserve.state().total_assets_down().unwrap(),
                reserve.supply_shares,
            )
        });
        Books { shares }
    }

    async fn send(&mut self, person: usize, instruction: Instruction) -> Option<Receipt> {
        let sent = self
            .world
            .send(&self.people[person].keypair, vec![instruction])
            .await;
        // What is refused changes nothing; that it is refused by name and not by accident is the guards' tests.
        sent.ok()
    }

    /// One random step by a random person.
    async fn step(&mut self) -> Vec<BallastEvent> {
        let person = self.rng.random_range(0..self.people.len());
        let side = SIDES[self.rng.random_range(0..2)];
        let positions = self.positions().await;
        let chosen = (!positions.is_empty())
            .then(|| positions[self.rng.random_range(0..positions.len())].clone());
        let key = self.people[person].key();
        let market = &self.world.market;
        let wallet = self.people[person].wallet;
        let amount = 1u64 << self.rng.random_range(0..36);
        // After a move of the price keepers and liquidators have their turn more often than not.
        let kind = if self.moved && self.rng.random_bool(0.7) {
            self.rng.random_range(8..11)
        } else {
            self.moved = false;
            self.rng.random_range(0..16)
        };
        let instruction = match (kind, chosen) {
            (0, _) => instruction::deposit(market, &key, side, amount, 0),
            (1, _) => instruction::withdraw(market, &key, side, amount, 0),
            (2, _) => instruction::accrue(market, side),
            (3..=5, _) => return self.open(person).await,
            (6, Some(position)) => {
                let liquidity = position.position.liquidity.get() / self.rng.random_range(1..6);
                let args = DecreaseArgs {
                    liquidity,
                    repay_base: if self.rng.random() { u64::MAX } else { amount },
                    repay_quote: if self.rng.random() { u64::MAX } else { amount },
                    pay_base: if self.rng.random() { amount } else { 0 },
                    pay_quote: if self.rng.random() { amount } else { 0 },
                };
                return self
                    .as_owner(&position, |market, wallet| {
                        instruction::decrease(market, &position, wallet, args)
                    })
                    .await;
            }
            (7, Some(position)) => {
                return self
                    .as_owner(&position, |market, wallet| {
                        instruction::close(market, &position, wallet, u64::MAX, u64::MAX)
                    })
                    .await;
            }
            (8, Some(position)) => {
                let trade = if self.rng.random() {
                    Trade::SellBase
                } else {
                    Trade::BuyBase
                };
                let tick = self.world.pool().await.unwrap().tick_current;
                instruction::rehedge(market, &position, &key, &market.swap_path(tick, trade))
            }
            (9, Some(position)) => instruction::deleverage(market, &position, &key),
            (10, Some(position)) => {
                instruction::liquidate(market, &position, &key, &wallet, u64::MAX, u64::MAX)
            }
            (11, Some(position)) => {
                // A gift, which must change nothing.
                let to = [
                    position.position.base_account,
                    position.position.quote_account,
                ][side as usize];
                let token = market.token(side);
                ballast_abi::spl::transfer_checked(
                    token.program,
                    wallet.tokens(side),
                    token.mint,
                    to,
                    key,
                    amount,
                    token.decimals,
                )
            }
            (12, _) => {
                self.svm
                    .pass_time(self.rng.random_range(1..2_000_000))
                    .await
                    .unwrap();
                self.world
                    .post_price(UsdPrice::from_f64(self.dollars).unwrap())
                    .await
                    .unwrap();
                return Vec::new();
            }
            (13, _) => {
                // Pool and oracle disagree for a while.
                let dollars = self.dollars * self.rng.random_range(0.97..1.03);
                self.world
                    .post_price(UsdPrice::from_f64(dollars).unwrap())
                    .await
                    .unwrap();
                return Vec::new();
            }
            _ => {
                let change = if self.rng.random_bool(0.3) {
                    // A gap, over which nobody could act.
                    self.rng.random_range(0.5..1.9)
                } else {
                    self.rng.random_range(0.88..1.13)
                };
                self.dollars = (self.dollars * change).clamp(60.0, 600.0);
                self.move_market().await;
                self.moved = true;
                return Vec::new();
            }
        };
        self.send(person, instruction)
            .await
            .map(|receipt| receipt.events)
            .unwrap_or_default()
    }

    async fn open(&mut self, person: usize) -> Vec<BallastEvent> {
        let (down, up) = (
            self.rng.random_range(0.005..0.2),
            self.rng.random_range(0.005..0.2),
        );
        let band = [self.dollars * (1.0 - down), self.dollars * (1.0 + up)]
            .map(|price| UsdPrice::from_f64(price).unwrap());
        let own = Amounts::new(
            if self.rng.random() {
                self.rng.random_range(0..2_000_000_000)
            } else {
                0
            },
            self.rng.random_range(0..300_000_000),
        );
        self.next_id += 1;
        let leverage_bps = self.rng.random_range(10_000..36_000);
        let args = self
            .world
            .open_args(self.next_id, band, own, leverage_bps)
            .unwrap();
        let mut policy = args.policy;
        policy.deleverage_trigger_ltv_bps = self.rng.random_range(5_000..=7_700);
        policy.deleverage_target_ltv_bps =
            policy.deleverage_trigger_ltv_bps - self.rng.random_range(10..1_500);
        policy.hedge_bps = [0, 5_000, 10_000, 10_000, 10_000][self.rng.random_range(0..5)];
        self.world
            .create_tick_arrays([args.tick_lower, args.tick_upper])
            .await
            .unwrap();
        let opened = self
            .world
            .try_open(&self.people[person], OpenArgs { policy, ..args })
            .await;
        opened.map(|receipt| receipt.events).unwrap_or_default()
    }

    async fn as_owner(
        &mut self,
        position: &PositionContext,
        build: impl FnOnce(&ballast_client::MarketContext, &ballast_client::Wallet) -> Instruction,
    ) -> Vec<BallastEvent> {
        let owner = self
            .people
            .iter()
            .position(|person| person.key() == position.position.owner)
            .unwrap();
        let instruction = build(&self.world.market, &self.people[owner].wallet);
        self.send(owner, instruction)
            .await
            .map(|receipt| receipt.events)
            .unwrap_or_default()
    }

    /// What holds after every step.
    async fn check(&self, before: &Books, events: &[BallastEvent]) {
        let positions = self.positions().await;
        assert_eq!(
            self.tokens(&positions).await,
            self.supply,
            "tokens were created or lost"
        );
        let snapshot = self.world.snapshot().await.unwrap();
        let bad_debt = |side: Side| {
            let lost = |event: &BallastEvent| match event {
                BallastEvent::BadDebtBooked(booked)
                    if booked.reserve == self.world.market.reserve(side) =>
                {
                    booked.from_lenders
                }
                _ => 0,
            };
            events.iter().map(lost).sum::<u64>()
        };
        for side in SIDES {
            let reserve = snapshot.reserve(side);
            let owed: u128 = positions
                .iter()
                .map(|position| match side {
                    Side::Base => position.position.base_debt_shares.get(),
                    Side::Quote => position.position.quote_debt_shares.get(),
                })
                .sum();
            assert_eq!(
                reserve.debt_shares.get(),
                owed,
                "{side:?}: debts are not the positions' debts"
            );
            let vault = self
                .world
                .balance(&self.world.market.vault(side))
                .await
                .unwrap();
            assert_eq!(vault, reserve.liquidity, "{side:?}: vault and books differ");
            let minted = self
                .world
                .net
                .chain()
                .accounts(&[self.world.market.share_mint(side)])
                .await
                .unwrap();
            let mint = minted.accounts[0].as_ref().unwrap();
            let supply = ballast_abi::spl::MintView::parse(&mint.data)
                .unwrap()
                .supply();
            assert_eq!(
                supply, reserve.supply_shares,
                "{side:?}: shares and books differ"
            );
            let (assets, shares) = before.shares[side as usize];
            let now = reserve.state().total_assets_down().unwrap() + bad_debt(side);
            // (now + 1) / (shares now + 1000) >= (then + 1) / (shares then + 1000)
            let left = (u128::from(now) + 1) * (u128::from(shares) + 1_000);
            let right = (u128::from(assets) + 1) * (u128::from(reserve.supply_shares) + 1_000);
            assert!(
                left >= right,
                "{side:?}: a share's price fell without bad debt"
            );
        }
    }

    async fn move_market(&self) {
        let price = UsdPrice::from_f64(self.dollars).unwrap();
        self.world.move_price(price).await.unwrap();
    }

    /// Everybody leaves.
    async fn end(&mut self) {
        self.dollars = 200.0;
        self.move_market().await;
        for position in self.positions().await {
            self.as_owner(&position, |market, wallet| {
                instruction::close(market, &position, wallet, u64::MAX, u64::MAX)
            })
            .await;
        }
        assert!(
            self.positions().await.is_empty(),
            "a position could not be closed"
        );
        let lender = std::mem::replace(&mut self.world.lender, ballast_client::Keypair::new());
        let mut holders = vec![&lender];
        holders.extend(self.people.iter().map(|person| &person.keypair));
        for holder in holders {
            let key = ballast_client::Signer::pubkey(holder);
            for side in SIDES {
                let shares = self
                    .world
                    .balance(&self.world.market.share_wallet(&key, side))
                    .await
                    .unwrap();
                if shares > 0 {
                    let withdraw = instruction::withdraw(&self.world.market, &key, side, shares, 0);
                    // Dust of shares may be worth nothing.
                    let sent = self.world.send(holder, vec![withdraw]).await;
                    assert!(
                        sent.is_ok() || shares < 2_000,
                        "{side:?}: {shares} shares are stuck: {sent:?}"
                    );
                }
            }
        }
        let snapshot = self.world.snapshot().await.unwrap();
        for side in SIDES {
            let state = snapshot.reserve(side).state();
            assert_eq!(state.debt_shares, 0, "{side:?}: debt without a position");
            // What is left is insurance, and the part of interest that belongs to the virtual shares and to rounding.
            let left = state.liquidity - state.insurance;
            assert!(left <= 10_000, "{side:?}: {left} are left of nobody's");
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

#[tokio::test]
async fn nothing_is_created_or_lost() {
    let first = number("BALLAST_SEED", 1);
    let sequences = number("BALLAST_SEQUENCES", SEQUENCES);
    let (mut seed, mut left) = (first, sequences);
    let mut happened = BTreeMap::new();
    while left > 0 {
        println!("BALLAST_SEED={seed}");
        let mut game = Game::new(seed).await;
        for _ in 0..left.min(SEQUENCES_PER_WORLD) * STEPS {
            let before = game.books().await;
            let events = game.step().await;
            game.check(&before, &events).await;
            for event in &events {
                *happened.entry(event.name()).or_insert(0u64) += 1;
            }
        }
        game.end().await;
        left = left.saturating_sub(SEQUENCES_PER_WORLD);
        seed += 1;
    }
    println!("{happened:?}");
    if sequences < ENOUGH_FOR_EVERY_EVENT {
        println!(
            "{sequences} sequences are too few to demand every event: from {ENOUGH_FOR_EVERY_EVENT} on"
        );
        return;
    }
    // A story in which nobody is ever rehedged or liquidated would prove nothing.
    let expected = [
        "Deposited",
        "Withdrawn",
        "PositionOpened",
        "PositionDecreased",
        "PositionClosed",
        "Rehedged",
        "Deleveraged",
        "Liquidated",
        "BadDebtBooked",
    ];
    for event in expected {
        assert!(
            happened.contains_key(event),
            "{event} never happened: {happened:?}"
        );
    }
}
