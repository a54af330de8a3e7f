//! What a token's freeze authority can stop, and what goes on all the same. USDC has one, so that they are accepted.

use ballast_abi::spl;
use ballast_client::{Amounts, Pubkey, Side, Signer, instruction};

use crate::support::{Scene, Sent, accepted, code, refused_elsewhere};

/// Where a token account says that it is frozen, and how.
const STATE_OFFSET: usize = 108;
const FROZEN: u8 = 2;
const THAWED: u8 = 1;
/// Where a mint names its freeze authority.
const FREEZER_OFFSET: usize = 46;

/// Refused by the token program, because of the freeze and nothing else.
#[track_caller]
fn frozen_out(sent: Sent) {
    refused_elsewhere(sent, spl::TOKEN_PROGRAM, code::ACCOUNT_FROZEN);
}

impl Scene {
    async fn set_state(&self, account: &Pubkey, state: u8) {
        self.patch(account, |data| data[STATE_OFFSET] = state).await;
    }
}

#[tokio::test]
async fn a_mint_with_a_freeze_authority_is_accepted() {
    let scene = Scene::new().await;
    let mint = scene.world.market.market.quote_mint;
    scene.patch(&mint, |data| data[FREEZER_OFFSET] = 1).await;
    let bob = scene.world.trader("bob", Amounts::ZERO).await.unwrap();
    scene.second_market(&bob, Pubkey::default()).await;
}

#[tokio::test]
async fn a_position_that_is_frozen_waits_alone_and_its_loss_is_shown() {
    let scene = Scene::new().await;
    let [frozen, other] = [scene.open(1).await, scene.open(2).await];
    let account = frozen.position.quote_account;
    scene.set_state(&account, FROZEN).await;
    // Above the market's trigger: it needs the quote that the pool would pay.
    scene.price(250).await;
    frozen_out(scene.deleverage(&frozen, &scene.keeper).await);
    accepted(scene.deleverage(&other, &scene.keeper).await);
    // Insolvent.
    scene.price(400).await;
    frozen_out(scene.liquidate(&frozen).await);
    let show = instruction::show_loss(&scene.world.market, &frozen.address);
    accepted(scene.send(&scene.keeper, show).await);
    let lender = &scene.world.lender;
    let out = instruction::withdraw(
        &scene.world.market,
        &lender.pubkey(),
        Side::Quote,
        1_000_000,
        0,
    );
    accepted(scene.world.send(lender, vec![out]).await);
    accepted(scene.liquidate(&other).await);
    // Nothing else is in its way.
    scene.set_state(&account, THAWED).await;
    accepted(scene.liquidate(&frozen).await);
}

#[tokio::test]
async fn a_vault_that_is_frozen_stops_its_own_token_only() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let market = &scene.world.market;
    let vault = market.vault(Side::Base);
    scene.set_state(&vault, FROZEN).await;
    let lender = &scene.world.lender;
    let wallet = market.wallet(&lender.pubkey());
    scene.donate(Side::Base, wallet.base, 1_000_000).await;
    scene.donate(Side::Quote, wallet.quote, 1_000_000).await;
    let deposit = async |side| {
        let deposit = instruction::deposit(market, &lender.pubkey(), side, 1_000_000, 0);
        scene.world.send(lender, vec![deposit]).await
    };
    frozen_out(deposit(Side::Base).await);
    accepted(deposit(Side::Quote).await);
    // Whoever owes base cannot be hedged or liquidated; quote is repaid all the same.
    frozen_out(scene.try_open(scene.example(2)).await);
    scene.price(195).await;
    frozen_out(scene.rehedge(&position, &scene.keeper).await);
    scene.price(250).await;
    accepted(scene.deleverage(&position, &scene.keeper).await);
    scene.price(300).await;
    frozen_out(scene.liquidate(&position).await);
    scene.set_state(&vault, THAWED).await;
    accepted(scene.liquidate(&position).await);
    accepted(deposit(Side::Base).await);
}
