//! The keeper on prices that it posts itself: from a server that speaks Hermes' HTTP, through the receiver's real instructions, into
//! the accounts of its next action.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ballast_abi::pyth::{PriceUpdate, stand_in::forged_update};
use ballast_client::{MarketSnapshot, PositionContext, Pubkey, posting::Posting};
use ballast_keeper::{
    config::Prices,
    execute::{Job, Report, Verdict},
    journal::Outcome,
    updates::{PriceUpdates, read_updates},
};
use ballast_localnet::{HermesAnswer, HermesServer, Localnet, PricePost, UsdPrice};
use ballast_model::{Bps, Side};
use ballast_strategy::{decide::ActionKind, situation::Outlook};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{keeper::Hand, support::Scene};

/// A scene whose receiver is open, with a service that knows its prices.
pub struct Market {
    pub scene: Scene,
    server: HermesServer,
}

impl Market {
    pub async fn new() -> Self {
        let scene = Scene::new().await;
        scene.world.open_receiver().await.unwrap();
        let server = HermesServer::start().unwrap();
        Self { scene, server }
    }

    /// The service publishes prices of now; the market's own accounts stay as they are.
    pub fn publish(&self, dollars: i64) -> i64 {
        let now_secs = self.scene.svm.now_secs();
        self.publish_at(dollars, now_secs);
        now_secs
    }

    pub fn publish_at(&self, dollars: i64, publish_time: i64) {
        let prices = [
            (Side::Base, UsdPrice::dollars(dollars)),
            (Side::Quote, UsdPrice::ONE),
        ];
        let message = |(side, price)| PricePost::good(side, price, publish_time).message();
        self.server.publish(prices.map(message).into());
    }

    /// The pool moves, and the market's own price accounts grow old.
    pub async fn move_on(&self, dollars: i64, secs: u64) {
        self.scene.pool(dollars as f64).await;
        self.scene.svm.pass_time(secs).await.unwrap();
    }

    pub fn source(&self) -> Arc<dyn PriceUpdates> {
        let prices = Prices {
            hermes_url: Some(self.server.url().into()),
            ..Prices::default()
        };
        prices.source().unwrap().unwrap()
    }

    pub fn hand(&self) -> Hand<'_> {
        self.posting_hand(Hand::new(&self.scene, ""))
    }

    pub fn posting_hand<'a>(&self, mut hand: Hand<'a>) -> Hand<'a> {
        hand.executor = hand.executor.with_updates(self.source());
        hand
    }

    pub async fn snapshot(&self) -> MarketSnapshot {
        self.scene.world.snapshot().await.unwrap()
    }

    /// When the prices were published that the market was shown last.
    pub async fn shown(&self) -> [i64; 2] {
        let market = self.snapshot().await.market;
        [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ]
    }

    /// Price accounts of this keeper's own, with their prices.
    pub async fn own_accounts(&self) -> Vec<(Pubkey, PriceUpdate)> {
        let receiver = self.scene.world.market.market.price_receiver;
        let chain = self.scene.svm.chain();
        let all = chain.program_accounts(&receiver, &[]).await.unwrap();
        let all = all.accounts.into_iter();
        let prices = all.filter_map(|(address, account)| {
            Some((address, PriceUpdate::parse(&account.data).ok()?))
        });
        prices
            .filter(|(_, update)| update.write_authority == self.scene.keeper.key())
            .collect()
    }

    /// What those hold.
    pub async fn own_lamports(&self) -> u64 {
        let mut lamports = 0;
        for (address, _) in self.own_accounts().await {
            lamports += self.scene.lamports(&address).await;
        }
        lamports
    }

    pub fn posting(&self) -> Posting {
        let receiver = self.scene.world.market.market.price_receiver;
        Posting {
            payer: self.scene.keeper.key(),
            receiver,
            wormhole: receiver,
            treasury_id: 0,
        }
    }

    /// A job to show the market its newest price.
    pub fn show(&self) -> Job {
        let market = Arc::new(self.scene.world.market.clone());
        Job {
            position: market.prices.base,
            fees: None,
            outlook: Outlook::default(),
            survey: false,
            action: ActionKind::RefreshPrice,
            min_slot: 0,
            attempt: 0,
            has_failed: false,
            market,
        }
    }
}

#[track_caller]
fn not_due(report: &Report) {
    assert!(
        matches!(report.verdict, Verdict::NotDue),
        "{:?}",
        report.verdict
    );
}

#[track_caller]
fn unavailable(report: &Report) -> &str {
    match &report.verdict {
        Verdict::Unavailable(reason) => reason,
        other => panic!("{other:?}"),
    }
}

async fn hedge_error(market: &Market, position: &PositionContext, dollars: i64) -> u128 {
    let (model, _) = market.scene.model(position).await;
    let at = market.scene.world.sqrt_price_at(UsdPrice::dollars(dollars));
    let error = model.hedge_error(at.unwrap(), Bps::ONE).unwrap();
    error.unsigned_abs()
}

#[tokio::test]
async fn when_the_markets_accounts_are_too_old_the_keeper_posts_and_rehedges_at_that() {
    let market = Market::new().await;
    let position = market.scene.open(1).await;
    market.move_on(206, 45).await;
    let before = hedge_error(&market, &position, 206).await;
    // Alone the market's accounts say that nothing has happened.
    let alone = Hand::new(&market.scene, "");
    not_due(&alone.act(&position, ActionKind::Rehedge).await);

    let published = market.publish(206);
    let hand = market.hand();
    let keeper = market.scene.keeper.key();
    let lamports = market.scene.lamports(&keeper).await;
    Hand::landed(&hand.act(&position, ActionKind::Rehedge).await);
    let cost = lamports - market.scene.lamports(&keeper).await;
    let after = hedge_error(&market, &position, 206).await;
    assert!(after * 50 < before, "{after} of {before}");
    // The program has used what was posted, and knows when it was published.
    assert_eq!(market.shown().await, [published; 2]);
    let own = market.own_accounts().await;
    assert_eq!(own.len(), 2);
    let prices = market.scene.world.market.prices;
    for (address, update) in &own {
        assert!(![prices.base, prices.quote].contains(address));
        assert_eq!(update.publish_time, published);
    }
    assert!(own.iter().any(|(_, update)| update.price == 20_600_000_000));
    // The message account is gone; what is left is the rent of two price accounts and the fees of four transactions.
    let message = market.posting().message_address().unwrap();
    assert_eq!(market.scene.lamports(&message).await, 0);
    let rent = market.scene.svm.chain().rent_lamports(134).await.unwrap();
    let fees = cost - 2 * rent;
    assert!((20_000..100_000).contains(&fees), "{fees}");

    // Nothing is left to do, and nothing more is posted for it.
    not_due(&hand.act(&position, ActionKind::Rehedge).await);
    assert_eq!(market.own_accounts().await, own);
    assert_eq!(hand.journaled(), [ActionKind::Rehedge]);
}

#[tokio::test]
async fn the_next_time_the_same_accounts_are_written_over_by_another_life_too() {
    let market = Market::new().await;
    let position = market.scene.open(1).await;
    let mut accounts = Vec::new();
    for dollars in [206, 200, 206] {
        market.move_on(dollars, 45).await;
        market.publish(dollars);
        // A new life each time.
        Hand::landed(&market.hand().act(&position, ActionKind::Rehedge).await);
        let own = market.own_accounts().await;
        let mut addresses: Vec<_> = own.iter().map(|(address, _)| *address).collect();
        addresses.sort_unstable();
        accounts.push(addresses);
    }
    assert_eq!(accounts[0].len(), 2);
    assert!(accounts.iter().all(|addresses| *addresses == accounts[0]));
}

#[tokio::test]
async fn sponsored_accounts_that_are_young_enough_are_used_and_nothing_is_posted() {
    let market = Market::new().await;
    let position = market.scene.open(1).await;
    market.scene.price(206).await;
    market.publish(206);
    Hand::landed(&market.hand().act(&position, ActionKind::Rehedge).await);
    assert_eq!(market.own_accounts().await, []);
    assert!(market.server.asked().is_empty());
}

#[tokio::test]
async fn a_price_at_which_nothing_is_due_is_not_posted() {
    let market = Market::new().await;
    let position = market.scene.open(1).await;
    market.move_on(200, 45).await;
    market.publish(200);
    not_due(&market.hand().act(&position, ActionKind::Rehedge).await);
    assert_eq!(market.own_accounts().await, []);
    assert_eq!(market.server.asked().len(), 1);
}

#[tokio::test]
async fn a_service_that_fails_or_lies_costs_no_action_and_is_named() {
    let market = Market::new().await;
    let position = market.scene.open(1).await;
    market.move_on(206, 45).await;
    market.publish(206);
    let hand = market.hand();
    let answer = |status: &str, body: &str| {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        HermesAnswer::Raw(text.into())
    };
    market.server.answer(answer("500 Oh", ""));
    let report = hand.act(&position, ActionKind::Rehedge).await;
    assert!(unavailable(&report).contains("500"), "{:?}", report.verdict);

    // A sender that the receiver does not trust, under a root of its own: only the chain can tell.
    let keccak = |parts: &[&[u8]]| solana_keccak_hasher::hashv(parts).to_bytes();
    let now_secs = market.scene.svm.now_secs();
    let forged = [
        PricePost::good(Side::Base, UsdPrice::dollars(206), now_secs).message(),
        PricePost::good(Side::Quote, UsdPrice::ONE, now_secs).message(),
    ];
    let mut forged = forged_update(&forged, 8, 1, keccak);
    // The sender's chain follows the header, 13 signatures, timestamp and nonce.
    forged[10 + 6 + 13 * 66 + 8 + 1] ^= 1;
    assert!(read_updates(std::slice::from_ref(&forged), &[]).is_ok());
    let body = format!(
        "{{\"binary\":{{\"encoding\":\"base64\",\"data\":[\"{}\"]}}}}",
        STANDARD.encode(forged)
    );
    market.server.answer(answer("200 OK", &body));
    let hand = market.hand();
    let report = hand.act(&position, ActionKind::Rehedge).await;
    assert!(
        unavailable(&report).contains("6004"),
        "{:?}",
        report.verdict
    );
    assert_eq!(market.own_accounts().await, []);
    assert!(hand.journaled().is_empty());

    // The sponsored accounts are as good as ever.
    market.scene.oracle(206).await;
    Hand::landed(&hand.act(&position, ActionKind::Rehedge).await);
}

#[tokio::test]
async fn a_receiver_that_is_not_open_is_named() {
    let market = Market {
        scene: Scene::new().await,
        server: HermesServer::start().unwrap(),
    };
    let position = market.scene.open(1).await;
    market.move_on(206, 45).await;
    market.publish(206);
    let report = market.hand().act(&position, ActionKind::Rehedge).await;
    assert!(
        unavailable(&report).contains("it has no settings"),
        "{:?}",
        report.verdict
    );
}

#[tokio::test]
async fn the_market_is_shown_what_its_accounts_hold_or_what_is_posted() {
    let market = Market::new().await;
    let sponsored = Hand::new(&market.scene, "");
    market.scene.svm.pass_time(20).await.unwrap();
    market.scene.oracle(200).await;
    let posted = market.scene.svm.now_secs();
    Hand::landed(&sponsored.executor.act(market.show()).await);
    assert_eq!(market.shown().await, [posted; 2]);
    // Shown is shown.
    not_due(&sponsored.executor.act(market.show()).await);

    // With a service: not before half a minute has passed since the price that was shown.
    let hand = market.hand();
    market.scene.svm.pass_time(29).await.unwrap();
    market.publish(201);
    not_due(&hand.executor.act(market.show()).await);
    assert_eq!(market.own_accounts().await, []);
    market.scene.svm.pass_time(1).await.unwrap();
    let published = market.publish(201);
    not_due(&sponsored.executor.act(market.show()).await);
    // The service's last answer stands for a moment.
    let until = Instant::now() + Duration::from_secs(10);
    let report = loop {
        let report = hand.executor.act(market.show()).await;
        if !matches!(report.verdict, Verdict::NotDue) {
            break report;
        }
        assert!(
            Instant::now() < until,
            "the younger price is never asked for"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    Hand::landed(&report);
    assert_eq!(market.shown().await, [published; 2]);
    assert_eq!(hand.journaled(), [ActionKind::RefreshPrice]);
    let report = hand.executor.act(market.show()).await;
    assert!(!matches!(
        report.verdict,
        Verdict::Resolved(Outcome::Landed { .. })
    ));
}
