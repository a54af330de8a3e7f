//! What neither moves a position nor lends: who signs it, which accounts it takes, of which version.

use ballast_client::{BallastError, Instruction, MarketMode, Pubkey, Side, instruction};
use ballast_localnet::Trader;

use crate::{
    lifecycle::automation,
    support::{Scene, Sent, accepted, code, refused, substitute},
    two::{Two, two},
};

/// Number of Anchor's error for an account that should have signed.
const NOT_SIGNED: u32 = 3_010;
/// Number of Anchor's error for an account of another kind.
const OTHER_KIND: u32 = 3_002;

#[track_caller]
fn failed_with(sent: Sent, code: u32) {
    let error = sent.expect_err("accepted");
    let found = error.failure().and_then(|failure| failure.code());
    assert_eq!(found, Some(code), "{error}");
}

impl Two {
    /// Small instructions that somebody has to sign, with the position or market that they are about.
    fn signed(&self) -> Vec<(Pubkey, Instruction, Pubkey)> {
        let (scene, position) = (&self.scene, self.position.address);
        let market = &scene.world.market;
        let (alice, payer, at) = (scene.alice.key(), scene.liquidator.key(), &market.address);
        let authority = market.market.authority;
        let params = scene.world.config.desired.market_params();
        let (base, quote) = (market.reserve(Side::Base), market.reserve(Side::Quote));
        let quotes = scene.reserve_params(Side::Quote);
        vec![
            (
                alice,
                instruction::transfer(&alice, &position, payer),
                position,
            ),
            (
                payer,
                instruction::accept_transfer(&payer, &position),
                position,
            ),
            (
                alice,
                instruction::reclaim_reward(&alice, &position, 1),
                position,
            ),
            (
                alice,
                instruction::set_automation(at, &alice, &position, automation()),
                position,
            ),
            (
                alice,
                instruction::set_first_keepers(at, &alice, &position, [payer; 2], 1),
                position,
            ),
            (
                payer,
                instruction::cover_bad_debt(market, &payer, Side::Base, 1),
                base,
            ),
            (
                payer,
                instruction::fund_insurance(market, &payer, Side::Quote, 1),
                quote,
            ),
            (
                authority,
                instruction::update_market(at, &market.market.whirlpool, &authority, params),
                *at,
            ),
            (
                authority,
                instruction::update_reserve(market, &authority, Side::Quote, quotes),
                quote,
            ),
            (
                authority,
                instruction::set_mode(at, &authority, MarketMode::NoNewRisk, 60),
                *at,
            ),
            (
                authority,
                instruction::offer_authority(at, &authority, payer),
                *at,
            ),
            (payer, instruction::accept_authority(at, &payer), *at),
            (
                authority,
                instruction::set_guardian(at, &authority, payer),
                *at,
            ),
            (
                authority,
                instruction::update_safety(at, &authority, Default::default()),
                *at,
            ),
            (
                authority,
                instruction::announce_oracle(at, &authority, scene.other_source()),
                *at,
            ),
            (
                authority,
                instruction::migrate_market(at, Some((&authority, scene.rules()))),
                *at,
            ),
        ]
    }

    /// Small instructions that nobody signs, with the account that they are about.
    fn open_to_all(&self) -> Vec<(Instruction, Pubkey)> {
        let market = &self.scene.world.market;
        let (position, base) = (self.position.address, market.reserve(Side::Base));
        vec![
            (
                instruction::apply_market_change(&market.address, &market.market.whirlpool),
                market.address,
            ),
            (
                instruction::apply_safety_change(&market.address),
                market.address,
            ),
            (
                instruction::migrate_market(&market.address, None),
                market.address,
            ),
            (instruction::apply_reserve_change(market, Side::Base), base),
            (instruction::migrate_reserve(&base), base),
            (
                instruction::migrate_position(&market.address, &position),
                position,
            ),
            (instruction::refresh_stage(market), market.address),
        ]
    }

    /// All of them, as `keeper` may send them if nobody had to sign.
    fn all(&self) -> Vec<(Instruction, Pubkey)> {
        let signed = self
            .signed()
            .into_iter()
            .map(|(_, action, of)| (action, of));
        signed.chain(self.open_to_all()).collect()
    }
}

/// Sends what somebody else should have signed, without that signature.
async fn send_unsigned(scene: &Scene, by: &Trader, mut action: Instruction) -> Sent {
    for meta in &mut action.accounts {
        meta.is_signer = false;
    }
    scene.send(by, action).await
}

#[tokio::test]
async fn nothing_small_goes_without_its_signature() {
    let two = two().await;
    for (signer, action, _) in two.signed() {
        assert_ne!(signer, two.bob.key());
        failed_with(
            send_unsigned(&two.scene, &two.bob, action).await,
            NOT_SIGNED,
        );
    }
    two.all_work().await;
}

#[tokio::test]
async fn somebody_elses_signature_is_not_the_owners_nor_the_authoritys() {
    let two = two().await;
    let scene = &two.scene;
    let (bob, alice) = (&two.bob, scene.alice.key());
    let authority = scene.world.market.market.authority;
    let mut tried = 0;
    for (signer, action, _) in two.signed() {
        let expected = match signer {
            signer if signer == alice => BallastError::NotOwner,
            signer if signer == authority => BallastError::NotAuthority,
            _ => continue,
        };
        // A migration of what is of this version already says so first.
        let is_migration = action.data == instruction_data_of_migration(&two);
        let expected = match is_migration {
            true => BallastError::WrongVersion,
            false => expected,
        };
        let stolen = substitute(action, signer, bob.key());
        refused(scene.send(bob, stolen).await, expected);
        tried += 1;
    }
    assert_eq!(tried, 12);
    for offered in [
        instruction::accept_transfer(&bob.key(), &two.position.address),
        instruction::accept_authority(&scene.world.market.address, &bob.key()),
    ] {
        refused(scene.send(bob, offered).await, BallastError::NotOffered);
    }
}

fn instruction_data_of_migration(two: &Two) -> Vec<u8> {
    let at = &two.scene.world.market.address;
    instruction::migrate_market(at, Some((at, two.scene.rules()))).data
}

#[tokio::test]
async fn small_instructions_take_no_account_of_another_kind() {
    let two = two().await;
    let scene = &two.scene;
    let market = &scene.world.market;
    for (action, of) in two.all() {
        // Which account is about what is checked before who has signed what.
        let other = if of == two.position.address {
            market.reserve(Side::Base)
        } else {
            two.other.address
        };
        let by_all = scene.send_by_all(&two, substitute(action.clone(), of, other));
        failed_with(by_all.await, OTHER_KIND);
        let by_all = scene.send_by_all(&two, substitute(action, of, market.market.whirlpool));
        failed_with(by_all.await, code::OTHER_PROGRAM);
    }
    two.all_work().await;
}

impl Scene {
    /// With the signature of everybody who may have to sign.
    async fn send_by_all(&self, two: &Two, action: Instruction) -> Sent {
        let signs = |key: Pubkey| {
            let mut metas = action.accounts.iter();
            metas.any(|meta| meta.is_signer && meta.pubkey == key)
        };
        if signs(self.world.market.market.authority) {
            return self.send_as_authority(action).await;
        }
        let by = [&self.alice, &self.liquidator]
            .into_iter()
            .find(|trader| signs(trader.key()))
            .unwrap_or(&two.bob);
        self.send(by, action).await
    }
}

#[tokio::test]
async fn small_instructions_take_no_account_of_another_version() {
    let two = two().await;
    let scene = &two.scene;
    // Behind the discriminator.
    const VERSION: usize = 8;
    let set = async |address: &Pubkey, version: u8| {
        scene.patch(address, |data| data[VERSION] = version).await;
    };
    let migrations = [
        instruction_data_of_migration(&two),
        instruction::migrate_market(&Pubkey::default(), None).data,
        instruction::migrate_reserve(&Pubkey::default()).data,
        instruction::migrate_position(&Pubkey::default(), &Pubkey::default()).data,
    ];
    for (action, of) in two.all() {
        for version in [0, 1, 3, 255] {
            if version == 1 && migrations.contains(&action.data) {
                continue;
            }
            set(&of, version).await;
            let sent = scene.send_by_all(&two, action.clone()).await;
            refused(sent, BallastError::WrongVersion);
        }
        set(&of, 2).await;
    }
    // Those that take a market beside what they are about ask for its version, too.
    let market = &scene.world.market;
    let (at, alice) = (market.address, scene.alice.key());
    let base = scene.reserve_params(Side::Base);
    set(&at, 1).await;
    for action in [
        instruction::set_automation(&at, &alice, &two.position.address, automation()),
        instruction::set_first_keepers(&at, &alice, &two.position.address, [alice; 2], 1),
        instruction::update_reserve(market, &market.market.authority, Side::Base, base),
    ] {
        refused(
            scene.send_by_all(&two, action).await,
            BallastError::WrongVersion,
        );
    }
    set(&two.position.address, 1).await;
    let migrate = instruction::migrate_position(&at, &two.position.address);
    refused(
        scene.send_by_all(&two, migrate).await,
        BallastError::WrongVersion,
    );
    set(&two.position.address, 2).await;
    set(&at, 2).await;
    for side in [Side::Base, Side::Quote] {
        set(&market.reserve(side), 1).await;
        refused(
            scene
                .send_by_all(&two, instruction::refresh_stage(market))
                .await,
            BallastError::WrongVersion,
        );
        set(&market.reserve(side), 2).await;
    }
    two.all_work().await;
}

#[tokio::test]
async fn money_for_lenders_goes_to_the_reserves_own_vault() {
    let two = two().await;
    let (scene, own) = (&two.scene, &two.scene.world.market);
    let by = &scene.liquidator;
    for side in [Side::Base, Side::Quote] {
        scene
            .change_reserve(&own.reserve(side), |reserve| reserve.bad_debt = 1_000)
            .await;
        for pay in [
            instruction::cover_bad_debt(own, &by.key(), side, 1_000),
            instruction::fund_insurance(own, &by.key(), side, 1_000),
        ] {
            for to in [two.market.vault(side), by.wallet.tokens(side)] {
                let sent = scene
                    .send(by, substitute(pay.clone(), own.vault(side), to))
                    .await;
                refused(sent, BallastError::WrongReserveAccount);
            }
            let other = own.token(match side {
                Side::Base => Side::Quote,
                Side::Quote => Side::Base,
            });
            let mint = substitute(pay.clone(), own.token(side).mint, other.mint);
            refused(
                scene.send(by, mint).await,
                BallastError::WrongReserveAccount,
            );
            let to = two.market.reserve(side);
            let reserve = substitute(pay.clone(), own.reserve(side), to);
            let sent = scene.send(by, reserve).await;
            // Another market's reserve has another vault, and no bad debt.
            refused(sent, BallastError::WrongReserveAccount);
            let program = ballast_abi::spl::TOKEN_2022_PROGRAM;
            let program = substitute(pay.clone(), own.token(side).program, program);
            refused(
                scene.send(by, program).await,
                BallastError::WrongTokenProgram,
            );
            // Nobody pays with another's tokens, nor the reserve with its own.
            for from in [scene.alice.wallet.tokens(side), own.vault(side)] {
                let stolen = substitute(pay.clone(), by.wallet.tokens(side), from);
                let error = scene.send(by, stolen).await.expect_err("accepted");
                let program = error.failure().and_then(|failure| failure.program);
                assert_eq!(program, Some(own.token(side).program), "{error}");
            }
            accepted(scene.send(by, pay).await);
        }
    }
}
