//! A market's prices come from elsewhere: who announces that, when it is in force, and what can be done in the first moment.

use ballast_abi::pyth::stand_in::price_account;
use ballast_client::{
    BallastError, MarketContext, OracleChange, OracleSource, Side, decode_at, instruction, pda,
};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use crate::support::{ANY, Scene, Sent, accepted, code, refused, refused_elsewhere};

const NOTICE_SECS: u64 = 2 * 86_400;
const WEEK_SECS: u64 = 7 * 86_400;
/// Another feed of base/USD.
const OTHER_FEED: [u8; 32] = [9; 32];

impl Scene {
    /// The market's source with another feed and account of base.
    pub fn other_source(&self) -> OracleSource {
        let program = self.svm.programs().pyth.id;
        OracleSource {
            base_feed: OTHER_FEED,
            base_price_account: price_account(&program, &OTHER_FEED, 0).0,
            ..self.world.market.market.oracle_source()
        }
    }

    async fn announce(&self, source: OracleSource) -> Sent {
        let market = &self.world.market;
        let announce =
            instruction::announce_oracle(&market.address, &market.market.authority, source);
        self.send_as_authority(announce).await
    }

    async fn apply_oracle(&self) -> Sent {
        let market = &self.world.market;
        let apply = instruction::apply_oracle_change(&market.address, &market.market.authority);
        self.send(&self.keeper, apply).await
    }

    /// The market as it is to be used with the other source.
    fn elsewhere(&self) -> MarketContext {
        let mut market = self.world.market.clone();
        market.prices.base = self.other_source().base_price_account;
        market
    }

    async fn post_other(&self, dollars: i64, published_secs: i64) {
        let other = PricePost {
            feed: OTHER_FEED,
            ..PricePost::good(Side::Base, UsdPrice::dollars(dollars), published_secs)
        };
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, self.svm.now_secs());
        accepted(self.world.post(&[other, quote]).await);
    }
}

#[tokio::test]
async fn prices_come_from_elsewhere_after_notice_and_the_rent_comes_back() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let source = scene.other_source();
    let authority = scene.world.market.market.authority;
    let lamports = async || {
        let account = scene.svm.chain().account(&authority).await.unwrap();
        account.unwrap().lamports
    };
    let before = lamports().await;
    accepted(scene.announce(source).await);
    let paid = before - lamports().await;
    let at = pda::oracle_change(&scene.world.market.address);
    let stored = async || scene.svm.chain().account(&at).await.unwrap();
    let change: OracleChange = decode_at(&at, stored().await.as_ref()).unwrap();
    assert_eq!((change.source, change.payer), (source, authority));
    assert_eq!(
        change.effective_at_secs,
        scene.svm.now_secs() + NOTICE_SECS as i64
    );
    scene.svm.pass_time(NOTICE_SECS - 1).await.unwrap();
    refused(scene.apply_oracle().await, BallastError::NoticeNotOver);
    assert_ne!(scene.market().await.oracle_source(), source);
    scene.svm.pass_time(1).await.unwrap();
    let poor = lamports().await;
    accepted(scene.apply_oracle().await);
    assert!(stored().await.is_none());
    let rent = lamports().await - poor;
    assert!(rent > 0 && rent <= paid, "{rent} of {paid}");
    let market = scene.market().await;
    assert_eq!(market.oracle_source(), source);
    refused_elsewhere(
        scene.apply_oracle().await,
        ballast_client::ballast::ID,
        code::OTHER_PROGRAM,
    );
    // From now on the other feed counts, and the old one does not.
    scene.oracle(200).await;
    refused(
        scene.try_open(scene.example(2)).await,
        BallastError::PriceWrongFeed,
    );
    scene.post_other(200, scene.svm.now_secs()).await;
    accepted(
        scene
            .try_open_in(&scene.elsewhere(), scene.example(2))
            .await,
    );
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn nobody_picks_among_the_new_feeds_older_prices() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    accepted(scene.announce(scene.other_source()).await);
    scene.svm.pass_time(NOTICE_SECS).await.unwrap();
    // A wick of half a minute ago, kept for the moment of the change.
    scene.price(200).await;
    scene.post_other(105, scene.svm.now_secs()).await;
    scene.svm.pass_time(11).await.unwrap();
    accepted(scene.apply_oracle().await);
    let market = scene.market().await;
    assert_eq!(market.last_base_publish_secs, scene.svm.now_secs());
    assert_eq!(ballast_client::ballast::oracle::newest_price(&market), None);
    let (elsewhere, by) = (scene.elsewhere(), &scene.liquidator);
    let liquidate = || {
        let (key, wallet) = (by.key(), &by.wallet);
        instruction::liquidate(&elsewhere, &position, &key, wallet, ANY, 0)
    };
    refused(
        scene.send(by, liquidate()).await,
        BallastError::PriceReplayed,
    );
    let show = || instruction::refresh_price(&elsewhere);
    // Shown, the other feed's price is remembered, and of this one nothing.
    accepted(scene.send(&scene.keeper, show()).await);
    let shown = scene.market().await;
    assert_eq!(shown.last_base_publish_secs, market.last_base_publish_secs);
    assert_eq!(ballast_client::ballast::oracle::newest_price(&shown), None);
    // The feed is silent since the change, and no longer.
    let look = || instruction::refresh_stage(&elsewhere);
    for (secs, stage) in [(0, 0), (89, 0), (1, 1), (210, 2)] {
        scene.svm.pass_time(secs).await.unwrap();
        // The other feed speaks.
        let quote = PricePost::good(Side::Quote, UsdPrice::ONE, scene.svm.now_secs());
        accepted(scene.world.post(&[quote]).await);
        accepted(scene.send(&scene.keeper, look()).await);
        assert_eq!(scene.market().await.stage.stage, stage, "{secs}");
    }
    // One that is published after the change is a price as any.
    scene.post_other(199, scene.svm.now_secs()).await;
    accepted(scene.send(&scene.keeper, show()).await);
    let newest = ballast_client::ballast::oracle::newest_price(&scene.market().await);
    assert!(newest.is_some());
}

#[tokio::test]
async fn an_announcement_is_the_authoritys_lapses_and_is_taken_back() {
    let scene = Scene::new().await;
    let market = &scene.world.market;
    let authority = market.market.authority;
    let source = scene.other_source();
    let stolen = instruction::announce_oracle(&market.address, &scene.keeper.key(), source);
    refused(
        scene.send(&scene.keeper, stolen).await,
        BallastError::NotAuthority,
    );
    for bad in [
        OracleSource {
            base_feed: source.quote_feed,
            ..source
        },
        OracleSource {
            price_receiver: Default::default(),
            ..source
        },
        market.market.oracle_source(),
    ] {
        refused(scene.announce(bad).await, BallastError::BadParameters);
    }
    accepted(scene.announce(source).await);
    // One at a time.
    let error = scene.announce(source).await.expect_err("accepted");
    let code = error.failure().and_then(|failure| failure.code());
    assert_eq!(code, Some(code::ALREADY_IN_USE), "{error}");
    scene
        .svm
        .pass_time(NOTICE_SECS + WEEK_SECS + 1)
        .await
        .unwrap();
    refused(scene.apply_oracle().await, BallastError::NothingAnnounced);
    // Only the authority takes it back, and only whoever paid gets the rent.
    let cancel = |by, payer| instruction::cancel_oracle_change(&market.address, by, payer);
    let keeper = scene.keeper.key();
    refused(
        scene.send(&scene.keeper, cancel(&keeper, &authority)).await,
        BallastError::NotAuthority,
    );
    refused(
        scene.send_as_authority(cancel(&authority, &keeper)).await,
        BallastError::NothingAnnounced,
    );
    accepted(
        scene
            .send_as_authority(cancel(&authority, &authority))
            .await,
    );
    accepted(scene.announce(source).await);
    scene.svm.pass_time(NOTICE_SECS).await.unwrap();
    let stolen = instruction::apply_oracle_change(&market.address, &keeper);
    refused(
        scene.send(&scene.keeper, stolen).await,
        BallastError::NothingAnnounced,
    );
    accepted(scene.apply_oracle().await);
}

#[tokio::test]
async fn one_markets_announcement_changes_no_other() {
    let scene = Scene::new().await;
    let bob = scene.world.trader("bob", Default::default()).await.unwrap();
    let other = scene.second_market(&bob, Default::default()).await;
    let announce = instruction::announce_oracle(&other.address, &bob.key(), scene.other_source());
    accepted(scene.send(&bob, announce).await);
    scene.svm.pass_time(NOTICE_SECS).await.unwrap();
    let mut apply = instruction::apply_oracle_change(&other.address, &bob.key());
    apply.accounts[0].pubkey = scene.world.market.address;
    refused(
        scene.send(&bob, apply).await,
        BallastError::NothingAnnounced,
    );
    let authority = scene.world.market.market.authority;
    let mut cancel = instruction::cancel_oracle_change(&other.address, &authority, &bob.key());
    cancel.accounts[1].pubkey = scene.world.market.address;
    refused(
        scene.send_as_authority(cancel).await,
        BallastError::NothingAnnounced,
    );
}

#[tokio::test]
async fn another_receiver_is_trusted_after_the_change_and_the_old_one_no_more() {
    let scene = Scene::new().await;
    // Some other program that stands for a receiver.
    let receiver = scene.svm.programs().whirlpool.id;
    let source = OracleSource {
        price_receiver: receiver,
        ..scene.world.market.market.oracle_source()
    };
    accepted(scene.announce(source).await);
    scene.svm.pass_time(NOTICE_SECS).await.unwrap();
    accepted(scene.apply_oracle().await);
    scene.oracle(200).await;
    let args = scene.example(1);
    refused(scene.try_open(args).await, BallastError::PriceWrongOwner);
    let prices = scene.world.market.prices;
    for account in [prices.base, prices.quote] {
        scene
            .copy_account(&account, &account, |account| account.owner = receiver)
            .await;
    }
    accepted(scene.try_open(args).await);
}
