//! What stands at a known address is looked at again: whose program owns it, whose market it says it is of, of which version it is. No
//! instruction can bring such an account about; a program of somebody else's, upgraded, could.

use ballast_client::{BallastError, Instruction, Pubkey, Reaction, instruction, pda};
use ballast_localnet::{Localnet, Trader};

use crate::{
    rewards::Rewarded,
    support::{NOTHING, Scene, accepted, refused},
    two::two,
};

impl Scene {
    /// Gives an account to another program, as only a test can.
    async fn give_to(&self, address: &Pubkey, owner: &Pubkey) {
        self.copy_account(address, address, |account| account.owner = *owner)
            .await;
    }

    /// Refused while the account is another program's, accepted when it is not.
    async fn refused_of_another_program(
        &self,
        account: &Pubkey,
        (by, action): (&Trader, &Instruction),
    ) {
        let genuine = self.world.market.market.whirlpool_program;
        self.give_to(account, &self.svm.programs().pyth.id).await;
        refused(self.send(by, action.clone()).await, BallastError::WrongPool);
        self.give_to(account, &genuine).await;
    }
}

/// Behind the discriminator.
const VERSION: usize = 8;

#[tokio::test]
async fn a_pool_that_is_another_programs_is_none() {
    let two = two().await;
    let scene = &two.scene;
    let market = &scene.world.market;
    scene.exit_at(&two.position, 199, Reaction::ExitAsIs).await;
    let pool = market.market.whirlpool;
    let look = instruction::refresh_stage(market);
    let mut actions = two.actions().await;
    // Deleveraging, liquidating and repaying: not due, or not with the pool.
    actions.drain(3..7);
    actions.push((&scene.keeper, look.clone()));
    for (by, action) in &actions {
        scene.refused_of_another_program(&pool, (by, action)).await;
    }
    accepted(scene.send(&scene.keeper, look).await);
    two.all_work().await;
}

#[tokio::test]
async fn a_pools_position_that_is_another_programs_is_none() {
    let two = two().await;
    let (scene, position) = (&two.scene, &two.position);
    let market = &scene.world.market;
    scene.exit_at(position, 199, Reaction::ExitAsIs).await;
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = market.swap_path(tick, ballast_client::Trade::SellBase);
    let (alice, keeper) = (&scene.alice, &scene.keeper);
    let repay = instruction::repay(market, position, &alice.wallet, 1_000, 1_000);
    let exit = instruction::exit(market, position, &keeper.key(), &path);
    let of = position.addresses().whirlpool_position;
    scene.refused_of_another_program(&of, (alice, &repay)).await;
    // An exit has the pool book the fees first, which looks at its own position itself.
    scene.give_to(&of, &scene.svm.programs().pyth.id).await;
    let error = scene.send(keeper, exit).await.expect_err("accepted");
    let refuser = error.failure().and_then(|failure| failure.program);
    assert_eq!(refuser, Some(market.market.whirlpool_program), "{error}");
    scene.give_to(&of, &market.market.whirlpool_program).await;
    accepted(scene.send(alice, repay).await);
    accepted(scene.exit(position, keeper).await);
}

#[tokio::test]
async fn a_reward_is_paid_by_the_pools_own_accounts() {
    let it = Rewarded::new(1).await;
    it.book(&it.position, 777).await;
    let (scene, alice) = (&it.scene, &it.scene.alice);
    let pool = scene.world.market.market.whirlpool;
    for account in [pool, it.position.addresses().whirlpool_position] {
        let collect = (alice, &it.collect());
        scene.refused_of_another_program(&account, collect).await;
    }
    accepted(scene.send(alice, it.collect()).await);
}

#[tokio::test]
async fn a_reserve_that_says_it_is_another_markets_lends_nothing() {
    let two = two().await;
    let (scene, market) = (&two.scene, &two.scene.world.market);
    for side in [ballast_client::Side::Base, ballast_client::Side::Quote] {
        let reserve = market.reserve(side);
        let says = async |of: Pubkey| {
            scene
                .change_reserve(&reserve, |reserve| reserve.market = of)
                .await;
        };
        says(two.market.address).await;
        for (by, action) in two.actions().await {
            refused(scene.send(by, action).await, BallastError::WrongReserve);
        }
        says(market.address).await;
    }
    two.all_work().await;
}

#[tokio::test]
async fn what_anybody_may_send_reads_this_version_only() {
    let two = two().await;
    let (scene, position) = (&two.scene, two.position.address);
    let market = &scene.world.market;
    let (at, authority) = (market.address, market.market.authority);
    let announce = instruction::announce_oracle(&at, &authority, scene.other_source());
    accepted(scene.send_as_authority(announce).await);
    let reserves = [
        market.reserve(ballast_client::Side::Base),
        market.reserve(ballast_client::Side::Quote),
    ];
    let health = instruction::check_health(market, &position, 10_000);
    let of_health = [at, position, reserves[0], reserves[1]];
    let loss = instruction::show_loss(market, &position);
    let price = instruction::refresh_price(market);
    let apply = instruction::apply_oracle_change(&at, &authority);
    let cancel = instruction::cancel_oracle_change(&at, &authority, &authority);
    let change = pda::oracle_change(&at);
    let keeper = &scene.keeper;
    let cases: [(&Instruction, &[Pubkey]); 4] = [
        (&health, &of_health),
        (&loss, &of_health),
        (&price, &[at]),
        (&apply, &[at, change]),
    ];
    for version in [1, 3] {
        let set = async |of: &Pubkey, version: u8| {
            scene.patch(of, |data| data[VERSION] = version).await;
        };
        for (action, accounts) in cases {
            for of in accounts {
                let own = scene.bytes(of).await[VERSION];
                if own == version {
                    continue;
                }
                set(of, version).await;
                refused(
                    scene.send(keeper, action.clone()).await,
                    BallastError::WrongVersion,
                );
                set(of, own).await;
            }
        }
        let own = scene.bytes(&change).await[VERSION];
        if own != version {
            set(&change, version).await;
            refused(
                scene.send_as_authority(cancel.clone()).await,
                BallastError::WrongVersion,
            );
            set(&change, own).await;
        }
    }
    accepted(scene.send(keeper, health).await);
    accepted(scene.send(keeper, price).await);
    refused(scene.send(keeper, loss).await, BallastError::NoLossToShow);
    accepted(scene.send_as_authority(cancel).await);
    let nothing = scene.decrease(&two.position, NOTHING).await;
    refused(nothing, BallastError::ZeroAmount);
}
