//! A market in the SVM with people who do anything to it: [`Step`]s as data, which tests draw and the fuzzer decodes. After
//! each step no token is created or lost, books and balances agree, and a share's price has not fallen except by booked bad
//! debt; insurance and bad debt are what events say; positions that no event names are as they were; what adds risk leaves
//! a position healthy and hedged; keepers lose no more of it in a day, and are paid no more, than owner and market allow;
//! an exit leaves neither debt nor liquidity; the stage is what the evidence asks for. After that everybody can leave, in
//! whatever mode and stage the market is, and the vaults are empty but for rounding in the lenders' favour.

mod act;
mod arena;
mod books;
mod check;
mod end;
mod govern;
mod health;
mod mutate;
mod net;
mod notice;
mod parameters;
mod picture;
mod play;
mod pressing;
mod protect;
mod stage;
mod step;
mod view;

use std::sync::Arc;

use ballast_abi::spl;
use ballast_client::{
    Amounts, BallastEvent, Failure, PositionContext, Pubkey, Reward, Side, Signer, instruction,
};
use ballast_localnet::{Localnet, LocalnetExt, Saved, Svm, Trader, UsdPrice, World, WorldConfig};

pub use arena::Arena;
pub use mutate::{cross, mutate};
pub use parameters::{Amount, Cap, Few, Hedge, Person, Pick, Secs, Token, Within};
use picture::Picture;
pub use pressing::Pressing;
pub use step::{Kind, MAX_STEPS, RECORD, Step, decode};
pub use view::View;

const SIDES: [Side; 2] = [Side::Base, Side::Quote];
/// Where the price begins and ends.
const START_PRICE: UsdPrice = UsdPrice::dollars(200);
/// What everybody has of both tokens.
const RICH: Amounts = Amounts::new(1_000_000_000_000, 1_000_000_000_000);
/// What the pool can pay of its reward.
const REWARDS: u64 = 1_000_000_000;

/// Events that a run which is long enough must have seen. A story in which nobody is ever rehedged or liquidated would prove
/// nothing.
pub const EVENTS: [&str; 43] = [
    "Accrued",
    "AuthorityAccepted",
    "AuthorityOffered",
    "AutomationSet",
    "BadDebtBooked",
    "BadDebtCovered",
    "Compounded",
    "Deleveraged",
    "DeleveragedWithSwap",
    "Deposited",
    "Exited",
    "FeesCollected",
    "FirstKeepersSet",
    "GuardianSet",
    "InsuranceFunded",
    "KeeperRewarded",
    "LeftToFirstKeepers",
    "Liquidated",
    "LossShown",
    "MarketChangeAnnounced",
    "MarketUpdated",
    "ModeSet",
    "OracleChangeAnnounced",
    "OracleChangeCancelled",
    "OracleChanged",
    "PolicySet",
    "PositionClosed",
    "PositionDecreased",
    "PositionIncreased",
    "PositionOffered",
    "PositionOpened",
    "PositionRepaid",
    "PositionTransferred",
    "Recentered",
    "Rehedged",
    "ReserveChangeAnnounced",
    "ReserveUpdated",
    "RewardCollected",
    "SafetyChangeAnnounced",
    "SafetyUpdated",
    "Settled",
    "StageChanged",
    "Withdrawn",
];

/// A market with people around it. Panics when something is not as it must be.
pub struct Game {
    world: World,
    svm: Svm,
    people: Vec<Trader>,
    /// Each person's account of the reward.
    reward_wallets: Vec<Pubkey>,
    reward: Reward,
    /// All token accounts of each side that are not a position's.
    accounts: [Vec<Pubkey>; 2],
    now: Now,
}

/// What changes from step to step, outside the runtime.
#[derive(Clone)]
struct Now {
    /// Tokens of each side that there are.
    supply: [u64; 2],
    /// Tokens that each side's vault was given.
    gifts: [u64; 2],
    /// The market and its positions after the last step.
    last: Arc<Picture>,
    /// Number of the next position.
    next_id: u64,
    /// The market's price.
    price: UsdPrice,
    /// Whether other feeds are announced.
    feeds_announced: bool,
}

/// A [`Game`] at one time.
pub struct Bookmark {
    runtime: Saved,
    now: Now,
}

/// What became of a step.
#[derive(Debug, Default)]
pub struct Played {
    /// The program's events.
    pub events: Vec<BallastEvent>,
    /// Why it was refused, if it was. What is refused changes nothing; that it is refused by name and not by accident is the
    /// guards' tests.
    pub refused: Option<Failure>,
}

impl Game {
    /// A new market at a price of 200, in a runtime of its own: [`Svm::start`] or [`Svm::watched`].
    pub async fn new(svm: Svm) -> Self {
        // What would fail is to be executed too.
        svm.set_simulating(false);
        let mut config = WorldConfig::standard().unwrap();
        config.start_price = START_PRICE;
        // Little lent, so that caps and utilisation are reached.
        config.lent = Amounts::new(20_000_000_000, 4_000_000_000);
        let world = World::new(Arc::new(svm.clone()), config).await.unwrap();
        let reward = world.set_reward(0, REWARDS).await.unwrap();
        let (mut people, mut reward_wallets) = (Vec::new(), Vec::new());
        for name in ["ann", "ben", "cid"] {
            let person = world.trader(name, RICH).await.unwrap();
            let (payer, key) = (svm.payer().pubkey(), person.key());
            let wallets = [
                instruction::create_share_wallet(&world.market, &payer, &key, Side::Base),
                instruction::create_share_wallet(&world.market, &payer, &key, Side::Quote),
                spl::create_associated_token_account_idempotent(
                    payer,
                    key,
                    reward.mint,
                    reward.token_program,
                ),
            ];
            svm.execute(wallets.into(), &[]).await.unwrap();
            let wallet = spl::associated_token_account(&key, &reward.mint, &reward.token_program).0;
            reward_wallets.push(wallet);
            people.push(person);
        }
        let accounts = SIDES.map(|side| {
            let market = &world.market;
            let pool_vault = match side {
                Side::Base => market.market.pool_base_vault,
                Side::Quote => market.market.pool_quote_vault,
            };
            let others = [&world.lender, &world.whale, &world.authority];
            let holders = people
                .iter()
                .map(Trader::key)
                .chain(others.map(Signer::pubkey));
            let wallets = holders.map(|key| market.wallet(&key).tokens(side));
            [market.vault(side), pool_vault]
                .into_iter()
                .chain(wallets)
                .collect()
        });
        let guardian = people[1].key();
        let authority = &world.authority;
        let guard = instruction::set_guardian(&world.market.address, &authority.pubkey(), guardian);
        world.send(authority, vec![guard]).await.unwrap();
        let picture = Arc::new(Picture::take(&world).await);
        let mut game = Self {
            world,
            svm,
            people,
            reward_wallets,
            reward,
            accounts,
            now: Now {
                supply: [0; 2],
                gifts: [0; 2],
                last: picture,
                next_id: 0,
                price: START_PRICE,
                feeds_announced: false,
            },
        };
        game.now.supply = game.tokens(&[]).await;
        game
    }

    /// The game as it is now.
    pub fn bookmark(&self) -> Bookmark {
        Bookmark {
            runtime: self.svm.save(),
            now: self.now.clone(),
        }
    }

    /// Makes everything as it was at a bookmark of this game.
    pub fn go_back(&mut self, to: &Bookmark) {
        self.svm.restore(&to.runtime);
        self.now = to.now.clone();
        self.follow_feeds();
    }

    /// Whether any position is open.
    pub fn has_positions(&self) -> bool {
        !self.now.last.positions.is_empty()
    }

    /// Whether bad debt is booked that nobody has covered.
    pub fn has_bad_debt(&self) -> bool {
        let market = &self.now.last.market;
        SIDES.iter().any(|side| market.reserve(*side).bad_debt > 0)
    }

    /// The market's risk stage.
    pub fn stage(&self) -> u8 {
        self.now.last.market.market.stage.stage
    }

    /// One step, after which everything is as it must be.
    pub async fn step(&mut self, step: Step) -> Played {
        let played = self.play(step).await;
        self.check(Some(&step), &played).await;
        played
    }

    /// Tokens of each side in all accounts that there are.
    async fn tokens(&self, positions: &[PositionContext]) -> [u64; 2] {
        let mut totals = [0; 2];
        for side in SIDES {
            let of_positions = positions.iter().map(|position| idle(position, side));
            let accounts: Vec<_> = self.accounts[side as usize]
                .iter()
                .copied()
                .chain(of_positions)
                .collect();
            for account in accounts {
                totals[side as usize] += self.world.balance(&account).await.unwrap();
            }
        }
        totals
    }
}

/// A position's own account of one token.
fn idle(position: &PositionContext, side: Side) -> Pubkey {
    match side {
        Side::Base => position.position.base_account,
        Side::Quote => position.position.quote_account,
    }
}
