//! Who brings rewards to whom, and that none keeps a keeper from recentering.

use ballast_abi::spl;
use ballast_client::{BallastError, Pubkey, Signer, instruction};
use ballast_localnet::{Localnet, LocalnetExt, Trader};

use crate::{
    lifecycle::automation,
    rewards::{Rewarded, failed_with},
    support::{Scene, accepted, refused, substitute},
};

#[tokio::test]
async fn anyone_brings_rewards_to_the_owner_and_to_nobody_else() {
    let it = Rewarded::new(0).await;
    it.book(&it.position, 777).await;
    let (scene, market) = (&it.scene, &it.scene.world.market);
    let stranger: &Trader = &scene.keeper;
    let bring =
        || instruction::collect_reward_for(market, &it.position, &it.reward, &stranger.key());
    // The stranger's own account, and one that is the owner's but not the associated one.
    let payer = scene.svm.payer().pubkey();
    let (mint, program) = (it.reward.mint, it.reward.token_program);
    let create =
        spl::create_associated_token_account_idempotent(payer, stranger.key(), mint, program);
    scene.svm.execute(vec![create], &[]).await.unwrap();
    let own = spl::associated_token_account(&stranger.key(), &mint, &program).0;
    let other = Scene::fresh_address("another account of the owner's");
    scene.copy_account(&it.wallet, &other, |_| ()).await;
    for account in [own, other, it.reward.vault] {
        let stolen = substitute(bring(), it.wallet, account);
        refused(scene.send(stranger, stolen).await, BallastError::NotOwner);
    }
    // The owner is among the accounts but has not signed.
    let mut unsigned = it.collect();
    unsigned.accounts[0].is_signer = false;
    let sent = scene.send(stranger, unsigned).await;
    failed_with(sent, 3_010);
    // An associated account that is somebody else's by now.
    const OWNER: usize = 32;
    let (alice, key) = (scene.alice.key(), stranger.key());
    let hand_over = async |to: Pubkey| {
        let write = |data: &mut Vec<u8>| data[OWNER..][..32].copy_from_slice(to.as_ref());
        scene.patch(&it.wallet, write).await;
    };
    hand_over(key).await;
    refused(scene.send(stranger, bring()).await, BallastError::NotOwner);
    hand_over(alice).await;
    assert_eq!(it.booked().await, 777);
    accepted(scene.send(stranger, bring()).await);
    assert_eq!(it.balance(&it.wallet).await, 777);
    refused(
        scene.send(stranger, bring()).await,
        BallastError::ZeroAmount,
    );
}

#[tokio::test]
async fn a_keeper_recenters_a_position_that_is_owed_a_reward() {
    for replacing in [false, true] {
        let it = Rewarded::new(0).await;
        let (scene, market) = (&it.scene, &it.scene.world.market);
        scene.automate(&it.position, automation()).await;
        it.book(&it.position, 777).await;
        scene.price(216).await;
        let args = scene.ticks_around(216, 512);
        let recenter = async || match replacing {
            true => {
                let keeper = &scene.keeper;
                scene.recenter_replacing(&it.position, keeper, args).await
            }
            false => scene.recenter(&it.position, &scene.keeper, args).await,
        };
        // Only an empty position can be moved or replaced.
        let error = recenter().await.expect_err("accepted");
        let program = error.failure().and_then(|failure| failure.program);
        assert_eq!(program, Some(market.market.whirlpool_program), "{error}");
        let key = scene.keeper.key();
        let bring = instruction::collect_reward_for(market, &it.position, &it.reward, &key);
        accepted(scene.send(&scene.keeper, bring).await);
        accepted(recenter().await);
        assert_eq!(it.balance(&it.wallet).await, 777);
    }
}
