//! Which accounts an instruction takes: only the market's, the position's and the signer's own.

use ballast_abi::spl;
use ballast_client::{
    BallastError, DecreaseArgs, Instruction, Pubkey, Reaction, Side, instruction,
};
use ballast_localnet::{Localnet, Trader};

use crate::{
    support::{ANY, NOTHING, Scene, accepted, refused, substitute},
    two::{Two, two},
};

impl Two {
    /// Everything that gets as far as the pool: an exit is due, compounding is allowed. What only unhealthy positions are
    /// in for is tried where they are.
    async fn pooled(&self) -> Vec<(&Trader, Instruction)> {
        let (scene, position) = (&self.scene, &self.position);
        scene.exit_at(position, 199, Reaction::ExitAsIs).await;
        let mut actions = self.actions().await;
        // Deleveraging, liquidating and repaying.
        actions.drain(3..7);
        assert_eq!(actions.len(), 9);
        actions
    }

    /// Every action is refused with `to` in place of `from`.
    async fn none_takes(&self, from: Pubkey, to: Pubkey, expected: BallastError) {
        for (by, action) in self.actions().await {
            refused(
                self.scene.send(by, substitute(action, from, to)).await,
                expected,
            );
        }
    }
}

#[tokio::test]
async fn another_markets_reserve_lends_nothing() {
    let two = two().await;
    let own = &two.scene.world.market;
    for side in [Side::Base, Side::Quote] {
        two.none_takes(
            own.reserve(side),
            two.market.reserve(side),
            BallastError::WrongReserve,
        )
        .await;
        two.none_takes(
            own.vault(side),
            two.market.vault(side),
            BallastError::WrongReserveAccount,
        )
        .await;
    }
    // The two reserves of the same market exchanged.
    let (base, quote) = (own.reserve(Side::Base), own.reserve(Side::Quote));
    two.none_takes(base, quote, BallastError::WrongReserve)
        .await;
    let (base, quote) = (own.vault(Side::Base), own.vault(Side::Quote));
    two.none_takes(base, quote, BallastError::WrongReserveAccount)
        .await;

    let scene = &two.scene;
    let tick = scene.world.pool().await.unwrap().tick_current;
    let path = own.swap_path(tick, ballast_client::Trade::BuyBase);
    let open = || {
        let (key, wallet) = (scene.alice.key(), &scene.alice.wallet);
        instruction::open(own, &key, wallet, scene.example(2), &path)
    };
    for side in [Side::Base, Side::Quote] {
        let (from, to) = (own.reserve(side), two.market.reserve(side));
        let sent = scene.send(&scene.alice, substitute(open(), from, to)).await;
        refused(sent, BallastError::WrongReserve);
        let (from, to) = (own.vault(side), two.market.vault(side));
        let sent = scene.send(&scene.alice, substitute(open(), from, to)).await;
        refused(sent, BallastError::WrongReserveAccount);
    }
    accepted(scene.send(&scene.alice, open()).await);

    for side in [Side::Base, Side::Quote] {
        let check = instruction::check_health(own, &two.position.address, 10_000);
        let (from, to) = (own.reserve(side), two.market.reserve(side));
        let sent = scene.send(&scene.keeper, substitute(check, from, to)).await;
        refused(sent, BallastError::WrongReserve);
        let params = scene.reserve_params(side);
        let update = instruction::update_reserve(own, &own.market.authority, side, params);
        let sent = scene.send_as_authority(substitute(update, from, to)).await;
        refused(sent, BallastError::WrongReserve);
    }
    let check = instruction::check_health(own, &two.position.address, 10_000);
    accepted(scene.send(&scene.keeper, check).await);
    two.all_work().await;
}

#[tokio::test]
async fn another_positions_accounts_are_refused() {
    let two = two().await;
    let (own, other) = (two.position.addresses(), two.other.addresses());
    for (from, to) in [
        (own.whirlpool_position, other.whirlpool_position),
        (own.nft_account, other.nft_account),
        (own.base_account, other.base_account),
        (own.quote_account, other.quote_account),
        (own.base_account, own.quote_account),
        // A wallet in place of the position's own account.
        (own.base_account, two.scene.keeper.wallet.base),
    ] {
        two.none_takes(from, to, BallastError::WrongPositionAccount)
            .await;
    }
    let scene = &two.scene;
    let alice = &scene.alice;
    let market = &scene.world.market;
    let close = instruction::close(market, &two.position, &alice.wallet, u64::MAX, u64::MAX);
    let close = substitute(close, own.nft_mint, other.nft_mint);
    refused(
        scene.send(alice, close).await,
        BallastError::WrongPositionAccount,
    );
    two.all_work().await;
}

#[tokio::test]
async fn a_position_belongs_to_one_market() {
    let two = two().await;
    let (scene, own) = (&two.scene, &two.scene.world.market);
    two.none_takes(
        own.address,
        two.market.address,
        BallastError::WrongPositionAccount,
    )
    .await;
    let check = instruction::check_health(own, &two.position.address, 10_000);
    let check = substitute(check, own.address, two.market.address);
    refused(
        scene.send(&scene.keeper, check).await,
        BallastError::WrongPositionAccount,
    );
    let (key, policy) = (scene.alice.key(), scene.world.policy());
    let address = two.position.address;
    let set = instruction::set_policy(&two.market.address, &key, &address, policy);
    refused(
        scene.send(&scene.alice, set).await,
        BallastError::WrongPositionAccount,
    );
    two.all_work().await;
}

#[tokio::test]
async fn another_pool_is_refused() {
    let two = two().await;
    let scene = &two.scene;
    let market = &scene.world.market.market;
    // The same pool at another address, owned by the genuine program.
    let fake = Scene::fresh_address("fake pool");
    scene.copy_account(&market.whirlpool, &fake, |_| ()).await;
    for (from, to) in [
        (market.whirlpool, fake),
        (market.pool_base_vault, market.pool_quote_vault),
        (market.pool_quote_vault, market.pool_base_vault),
    ] {
        for (by, action) in two.pooled().await {
            let sent = scene.send(by, substitute(action, from, to)).await;
            refused(sent, BallastError::WrongPool);
        }
    }
    scene.price(115).await;
    let deleverage =
        instruction::deleverage(&scene.world.market, &two.position, &scene.keeper.key());
    let forged = substitute(deleverage.clone(), market.whirlpool, fake);
    refused(
        scene.send(&scene.keeper, forged).await,
        BallastError::WrongPool,
    );
    accepted(scene.send(&scene.keeper, deleverage).await);
    scene.price(80).await;
    let by = &scene.liquidator;
    let (key, wallet) = (by.key(), &by.wallet);
    let liquidate =
        instruction::liquidate(&scene.world.market, &two.position, &key, wallet, ANY, 0);
    let forged = substitute(liquidate.clone(), market.whirlpool, fake);
    refused(scene.send(by, forged).await, BallastError::WrongPool);
    accepted(scene.send(by, liquidate).await);
}

#[tokio::test]
async fn another_program_is_never_called_as_the_pool() {
    let two = two().await;
    let scene = &two.scene;
    let genuine = scene.world.market.market.whirlpool_program;
    let fake = scene.svm.programs().pyth.id;
    for (by, action) in two.pooled().await {
        let sent = scene.send(by, substitute(action, genuine, fake)).await;
        refused(sent, BallastError::WrongPool);
    }
    let market = &scene.world.market;
    let path = market.swap_path(
        scene.world.pool().await.unwrap().tick_current,
        ballast_client::Trade::BuyBase,
    );
    let (alice, args) = (&scene.alice, scene.example(2));
    let open = instruction::open(market, &alice.key(), &alice.wallet, args, &path);
    let forged = substitute(open.clone(), genuine, fake);
    refused(scene.send(alice, forged).await, BallastError::WrongPool);
    accepted(scene.send(alice, open).await);
    two.all_work().await;
}

#[tokio::test]
async fn another_mint_or_token_program_is_refused() {
    let two = two().await;
    let own = &two.scene.world.market;
    let (base, quote) = (own.base.mint, own.quote.mint);
    two.none_takes(base, quote, BallastError::WrongReserveAccount)
        .await;
    two.none_takes(quote, base, BallastError::WrongReserveAccount)
        .await;
    two.none_takes(
        spl::TOKEN_PROGRAM,
        spl::TOKEN_2022_PROGRAM,
        BallastError::WrongTokenProgram,
    )
    .await;
    two.all_work().await;
}

#[tokio::test]
async fn lenders_cannot_mix_reserves() {
    let two = two().await;
    let (scene, own) = (&two.scene, &two.scene.world.market);
    let by = &scene.liquidator;
    for side in [Side::Base, Side::Quote] {
        accepted(scene.world.lend(&by.keypair, side, 1_000_000).await);
        let create = instruction::create_share_wallet(&two.market, &by.key(), &by.key(), side);
        accepted(scene.send(by, create).await);
        let both = || {
            [
                instruction::deposit(own, &by.key(), side, 1_000, 0),
                instruction::withdraw(own, &by.key(), side, 1_000_000, 0),
            ]
        };
        for (from, to) in [
            (own.vault(side), two.market.vault(side)),
            (own.share_mint(side), two.market.share_mint(side)),
            (own.token(side).mint, own.base.mint),
        ]
        .into_iter()
        .filter(|(from, to)| from != to)
        {
            for lend in both() {
                let sent = scene.send(by, substitute(lend, from, to)).await;
                refused(sent, BallastError::WrongReserveAccount);
            }
        }
        // Shares of one market redeem nothing of another.
        for lend in both() {
            let sent = scene
                .send(
                    by,
                    substitute(lend, own.reserve(side), two.market.reserve(side)),
                )
                .await;
            refused(sent, BallastError::WrongReserveAccount);
        }
        for lend in both() {
            accepted(scene.send(by, lend).await);
        }
    }
}

#[tokio::test]
async fn only_the_owner_decreases_closes_and_decides() {
    let two = two().await;
    let (scene, market) = (&two.scene, &two.scene.world.market);
    let mut stolen = two.position.clone();
    stolen.position.owner = two.bob.key();
    let args = DecreaseArgs {
        liquidity: 1_000,
        ..NOTHING
    };
    let wallet = &two.bob.wallet;
    for theft in [
        instruction::decrease(market, &stolen, wallet, args),
        instruction::decrease(
            market,
            &stolen,
            wallet,
            DecreaseArgs {
                pay_quote: 1,
                ..NOTHING
            },
        ),
        instruction::close(market, &stolen, wallet, u64::MAX, u64::MAX),
        instruction::set_policy(
            &market.address,
            &two.bob.key(),
            &stolen.address,
            scene.world.policy(),
        ),
    ] {
        refused(scene.send(&two.bob, theft).await, BallastError::NotOwner);
    }
    accepted(scene.set_policy(&two.position, scene.world.policy()).await);
    two.all_work().await;
}
