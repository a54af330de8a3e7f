//! A pool that pays rewards: the Whirlpool program books them with every change of liquidity and keeps the position open
//! until they are collected.

use ballast_abi::{
    spl,
    whirlpool::{error_code, layout},
};
use ballast_client::{
    Amounts, BallastError, BallastEvent, DecreaseArgs, Instruction, PositionContext, Pubkey,
    Receipt, Reward, Side, Signer, instruction,
};
use ballast_localnet::{Localnet, LocalnetExt};

use crate::support::{NOTHING, Scene, Sent, accepted, refused, substitute};

/// What the reward's vault holds, raw units.
const VAULT: u64 = 1_000_000;

/// A scene whose pool pays a reward, with a position of alice's.
pub struct Rewarded {
    pub scene: Scene,
    pub position: PositionContext,
    pub reward: Reward,
    /// Alice's account of the reward's mint.
    pub wallet: Pubkey,
}

impl Rewarded {
    /// With the reward in the slot `index`.
    pub async fn new(index: u8) -> Self {
        let scene = Scene::new().await;
        let position = scene.open(1).await;
        let reward = scene.world.set_reward(index, VAULT).await.unwrap();
        let chain = scene.svm.chain();
        let found = Reward::of_pool(chain.as_ref(), &scene.world.market).await;
        assert_eq!(found.unwrap(), [reward]);
        let (payer, alice) = (scene.svm.payer().pubkey(), scene.alice.key());
        let (mint, program) = (reward.mint, reward.token_program);
        let wallet = spl::create_associated_token_account_idempotent(payer, alice, mint, program);
        scene.svm.execute(vec![wallet], &[]).await.unwrap();
        Self {
            wallet: spl::associated_token_account(&alice, &mint, &program).0,
            scene,
            position,
            reward,
        }
    }

    /// Books so much of the reward for a position.
    pub async fn book(&self, position: &PositionContext, owed: u64) {
        let world = &self.scene.world;
        world
            .book_reward(position, &self.reward, owed)
            .await
            .unwrap();
    }

    pub async fn booked(&self) -> u64 {
        let chain = self.scene.svm.chain();
        let booked = Reward::booked(chain.as_ref(), &self.position)
            .await
            .unwrap();
        booked[usize::from(self.reward.index)]
    }

    /// Collects to alice's wallet.
    pub fn collect(&self) -> Instruction {
        let market = &self.scene.world.market;
        instruction::collect_reward(market, &self.position, &self.reward, &self.wallet)
    }

    async fn send(&self, instruction: Instruction) -> Sent {
        self.scene.send(&self.scene.alice, instruction).await
    }

    pub async fn balance(&self, account: &Pubkey) -> u64 {
        self.scene.world.balance(account).await.unwrap()
    }

    /// Everything out, collected and closed, in one transaction.
    async fn end(&self) -> Sent {
        let (scene, market) = (&self.scene, &self.scene.world.market);
        let (alice, position) = (&scene.alice, &self.position);
        let out = DecreaseArgs {
            liquidity: scene.model(position).await.0.liquidity,
            ..NOTHING
        };
        let instructions = vec![
            instruction::decrease(market, position, &alice.wallet, out),
            self.collect(),
            instruction::close(market, position, &alice.wallet, u64::MAX, u64::MAX),
        ];
        scene.world.send(&alice.keypair, instructions).await
    }
}

/// The transaction failed with an error number of another program.
#[track_caller]
pub fn failed_with(sent: Sent, code: u32) {
    let error = sent.expect_err("accepted");
    let found = error.failure().and_then(ballast_client::Failure::code);
    assert_eq!(found, Some(code), "{error}");
}

fn collected(receipt: &Receipt) -> Vec<(Pubkey, u8, Pubkey, u64)> {
    let events = receipt.events.iter().filter_map(|event| match event {
        BallastEvent::RewardCollected(event) => {
            Some((event.position, event.index, event.mint, event.amount))
        }
        _ => None,
    });
    events.collect()
}

#[tokio::test]
async fn a_position_is_closed_once_its_rewards_are_collected() {
    for index in 0..3 {
        let it = Rewarded::new(index).await;
        it.book(&it.position, 777).await;
        failed_with(
            it.scene.close(&it.position).await,
            error_code::CLOSE_POSITION_NOT_EMPTY,
        );
        let receipt = accepted(it.send(it.collect()).await);
        let (address, mint) = (it.position.address, it.reward.mint);
        assert_eq!(collected(&receipt), [(address, index, mint, 777)]);
        assert_eq!(it.balance(&it.wallet).await, 777);
        assert_eq!(it.balance(&it.reward.vault).await, VAULT - 777);
        assert_eq!(it.booked().await, 0);
        // There is nothing more to collect.
        refused(it.send(it.collect()).await, BallastError::ZeroAmount);
        accepted(it.scene.close(&it.position).await);
    }
}

#[tokio::test]
async fn one_transaction_takes_everything_out_collects_and_closes() {
    let it = Rewarded::new(0).await;
    it.book(&it.position, 5).await;
    let lamports = async || {
        let chain = it.scene.svm.chain();
        let account = chain.account(&it.scene.alice.key()).await.unwrap();
        account.unwrap().lamports
    };
    let before = lamports().await;
    let receipt = accepted(it.end().await);
    assert_eq!(collected(&receipt).len(), 1);
    assert_eq!(it.balance(&it.wallet).await, 5);
    assert!(lamports().await > before, "the rent has come back");
}

#[tokio::test]
async fn rewards_that_grow_are_booked_by_the_decrease_and_collected_with_it() {
    let it = Rewarded::new(1).await;
    if !it.scene.world.net.programs().real_whirlpool {
        println!("skipped: rewards do not grow in the stand-in");
        return;
    }
    // One raw unit per second for the whole pool.
    it.scene
        .world
        .set_emission(&it.reward, 1 << 64)
        .await
        .unwrap();
    it.scene.wait(100_000, 200).await;
    assert_eq!(it.booked().await, 0);
    refused(it.send(it.collect()).await, BallastError::ZeroAmount);
    failed_with(
        it.scene.close(&it.position).await,
        error_code::CLOSE_POSITION_NOT_EMPTY,
    );
    let receipt = accepted(it.end().await);
    let arrived = it.balance(&it.wallet).await;
    assert!((1..=100_010).contains(&arrived), "{arrived}");
    let (address, mint) = (it.position.address, it.reward.mint);
    assert_eq!(collected(&receipt), [(address, 1, mint, arrived)]);
}

#[tokio::test]
async fn an_empty_vault_pays_what_it_has() {
    let it = Rewarded::new(0).await;
    it.book(&it.position, VAULT + 7).await;
    accepted(it.send(it.collect()).await);
    assert_eq!(it.balance(&it.wallet).await, VAULT);
    assert_eq!(it.booked().await, 7);
    refused(it.send(it.collect()).await, BallastError::ZeroAmount);
    // Whoever fills it again frees the position.
    let payer = it.scene.svm.payer().pubkey();
    let (program, mint) = (it.reward.token_program, it.reward.mint);
    let fill = spl::mint_to(program, mint, it.reward.vault, payer, 7);
    it.scene.svm.execute(vec![fill], &[]).await.unwrap();
    accepted(it.end().await);
    assert_eq!(it.balance(&it.wallet).await, VAULT + 7);
}

#[tokio::test]
async fn another_reward_than_the_pools_is_refused() {
    let it = Rewarded::new(1).await;
    it.book(&it.position, 777).await;
    for index in [0, 2, 3, 255] {
        let other = Reward { index, ..it.reward };
        let market = &it.scene.world.market;
        let collect = instruction::collect_reward(market, &it.position, &other, &it.wallet);
        refused(it.send(collect).await, BallastError::BadParameters);
    }
    let market = &it.scene.world.market.market;
    for (from, to) in [
        (it.reward.mint, market.quote_mint),
        (it.reward.vault, market.pool_quote_vault),
        (it.reward.vault, it.wallet),
        (market.whirlpool, it.position.position.whirlpool_position),
        (market.whirlpool_program, it.reward.token_program),
    ] {
        let sent = it.send(substitute(it.collect(), from, to)).await;
        refused(sent, BallastError::WrongPool);
    }
    // Of another mint, or none at all.
    let wallet = it.scene.alice.wallet.quote;
    let sent = it.send(substitute(it.collect(), it.wallet, wallet)).await;
    failed_with(sent, 2_003);
    let alice = it.scene.alice.key();
    let mut collect = it.collect();
    for meta in &mut collect.accounts {
        if meta.pubkey == it.wallet {
            meta.pubkey = alice;
        }
    }
    refused(it.send(collect).await, BallastError::WrongTokenAccount);
    assert_eq!(it.booked().await, 777);
    accepted(it.send(it.collect()).await);
}

#[tokio::test]
async fn another_positions_accounts_are_refused() {
    let it = Rewarded::new(0).await;
    let scene = &it.scene;
    let bob = scene
        .world
        .trader("bob", Amounts::new(0, 1_000_000_000))
        .await
        .unwrap();
    let other = scene.world.open(&bob, scene.example(1)).await.unwrap();
    let market = scene.second_market(&bob, Pubkey::default()).await;
    it.book(&it.position, 777).await;
    it.book(&other, 555).await;
    let (own, others) = (it.position.addresses(), other.addresses());
    for (from, to) in [
        (own.whirlpool_position, others.whirlpool_position),
        (own.nft_account, others.nft_account),
        (scene.world.market.address, market.address),
    ] {
        let sent = it.send(substitute(it.collect(), from, to)).await;
        refused(sent, BallastError::WrongPositionAccount);
    }
    let sent = it
        .send(substitute(it.collect(), own.position, others.position))
        .await;
    refused(sent, BallastError::NotOwner);
    accepted(it.send(it.collect()).await);
    assert_eq!(it.balance(&it.wallet).await, 777);
}

#[tokio::test]
async fn neither_the_positions_nor_the_reserves_accounts_take_part() {
    let it = Rewarded::new(0).await;
    let (scene, market) = (&it.scene, &it.scene.world.market);
    it.book(&it.position, 777).await;
    let own = it.position.addresses();
    let protected = [
        own.base_account,
        own.quote_account,
        own.nft_account,
        market.vault(Side::Base),
        market.vault(Side::Quote),
    ];
    for account in protected {
        let collect = instruction::collect_reward(market, &it.position, &it.reward, &account);
        refused(it.send(collect).await, BallastError::WrongTokenAccount);
    }
    // A pool that names one of them as its reward's vault, and pays the reward in that token.
    for (side, account) in [
        (Side::Base, own.base_account),
        (Side::Quote, own.quote_account),
        (Side::Quote, market.vault(Side::Quote)),
    ] {
        let reward = Reward {
            mint: market.token(side).mint,
            vault: account,
            ..it.reward
        };
        scene
            .patch(&market.market.whirlpool, |data| {
                let slot = layout::pool::REWARDS;
                data[slot..][..32].copy_from_slice(reward.mint.as_ref());
                data[slot + 32..][..32].copy_from_slice(account.as_ref());
            })
            .await;
        let wallet = scene.alice.wallet.tokens(side);
        let collect = instruction::collect_reward(market, &it.position, &reward, &wallet);
        refused(it.send(collect).await, BallastError::WrongTokenAccount);
    }
}

#[tokio::test]
async fn an_account_of_another_version_is_refused() {
    let it = Rewarded::new(0).await;
    it.book(&it.position, 777).await;
    for address in [it.position.address, it.scene.world.market.address] {
        // Behind the discriminator.
        it.scene.patch(&address, |data| data[8] += 1).await;
        refused(it.send(it.collect()).await, BallastError::WrongVersion);
        it.scene.patch(&address, |data| data[8] -= 1).await;
    }
    accepted(it.send(it.collect()).await);
}

#[tokio::test]
async fn the_end_fits_one_transaction_with_every_reward() {
    let it = Rewarded::new(0).await;
    let (scene, world) = (&it.scene, &it.scene.world);
    let payer = scene.svm.payer().pubkey();
    let (alice, market) = (&scene.alice, &world.market);
    let mut instructions = vec![instruction::decrease(
        market,
        &it.position,
        &alice.wallet,
        DecreaseArgs {
            liquidity: scene.model(&it.position).await.0.liquidity,
            ..NOTHING
        },
    )];
    let mut wallets = vec![it.wallet];
    for index in [1, 2] {
        let reward = world.set_reward(index, VAULT).await.unwrap();
        let (mint, program) = (reward.mint, reward.token_program);
        wallets.push(spl::associated_token_account(&alice.key(), &mint, &program).0);
        let create =
            spl::create_associated_token_account_idempotent(payer, alice.key(), mint, program);
        scene.svm.execute(vec![create], &[]).await.unwrap();
    }
    let rewards = Reward::of_pool(scene.svm.chain().as_ref(), market)
        .await
        .unwrap();
    assert_eq!(rewards.len(), 3);
    for (reward, wallet) in rewards.iter().zip(&wallets) {
        world.book_reward(&it.position, reward, 9).await.unwrap();
        instructions.push(instruction::collect_reward(
            market,
            &it.position,
            reward,
            wallet,
        ));
    }
    let max = u64::MAX;
    instructions.push(instruction::close(
        market,
        &it.position,
        &alice.wallet,
        max,
        max,
    ));
    accepted(world.send(&alice.keypair, instructions).await);
    for wallet in &wallets {
        assert_eq!(it.balance(wallet).await, 9);
    }
}
