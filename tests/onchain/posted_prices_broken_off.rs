//! Postings that were broken off, by a kill or a halt: the next one closes what they left, and what they cost counts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use ballast_client::{
    Keypair, Signature, Signer, TransactionSigner,
    posting::{MessageAccount, PricePosting, pack},
};
use ballast_keeper::{
    execute::Verdict,
    journal::{JournalError, PostingOutcome, Record},
    updates::{Occasion, PostError, Poster},
};
use ballast_localnet::{Localnet, LocalnetExt};
use ballast_strategy::decide::ActionKind;

use crate::{keeper::Hand, posted_prices::Market};

#[tokio::test]
async fn a_posting_that_was_broken_off_anywhere_is_no_obstacle() {
    for sent in 1..=2 {
        let market = Market::new().await;
        let position = market.scene.open(1).await;
        market.move_on(206, 45).await;
        // Another life has posted the first part of something older.
        market.publish_at(150, market.scene.svm.now_secs() - 100);
        let world = &market.scene.world;
        let feeds = [
            world.market.market.base_feed,
            world.market.market.quote_feed,
        ];
        let older = market.source().latest(&feeds).await.unwrap();
        let (posting, keys) = (
            market.posting(),
            [21, 22].map(|seed| Keypair::new_from_array([seed; 32])),
        );
        let account = MessageAccount {
            is_left_over: false,
            lamports: 0,
            rent_lamports: 9_000_000,
        };
        let prices: Vec<_> = older
            .iter()
            .zip(&keys)
            .map(|(price, key)| PricePosting {
                update: price.proven(),
                account: key.pubkey(),
            })
            .collect();
        let all = posting
            .instructions(older[0].vaa(), &account, &prices)
            .unwrap();
        for instructions in pack(&posting.payer, all).unwrap().into_iter().take(sent) {
            let keeper = &market.scene.keeper.keypair;
            let mut request = ballast_client::Request::new(keeper, instructions.clone());
            for key in &keys {
                let mut metas = instructions.iter().flat_map(|one| &one.accounts);
                if metas.any(|meta| meta.pubkey == key.pubkey()) {
                    request = request.signer(key);
                }
            }
            world.sender.send(&request).await.unwrap();
        }
        assert!(
            market
                .scene
                .lamports(&posting.message_address().unwrap())
                .await
                > 0
        );

        let published = market.publish(206);
        Hand::landed(&market.hand().act(&position, ActionKind::Rehedge).await);
        assert_eq!(market.shown().await, [published; 2]);
        assert_eq!(
            market
                .scene
                .lamports(&posting.message_address().unwrap())
                .await,
            0
        );
    }
}

/// Lets so many transactions be sent, and counts.
#[derive(Default)]
struct Leave {
    sends: AtomicUsize,
    most: usize,
    begun: AtomicUsize,
    rent_lamports: AtomicU64,
    unsent: AtomicUsize,
}

#[async_trait]
impl Occasion for Leave {
    fn is_urgent(&self) -> bool {
        true
    }

    fn may_send(&self) -> bool {
        self.sends.load(Ordering::Relaxed) < self.most
    }

    fn sent(&self) {
        self.sends.fetch_add(1, Ordering::Relaxed);
    }

    async fn begin(&self, rent_lamports: u64) -> Result<(), PostError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.rent_lamports.store(rent_lamports, Ordering::Relaxed);
        Ok(())
    }

    async fn end(&self, outcome: PostingOutcome, sent: &[Signature]) -> Result<(), JournalError> {
        let unsent = matches!(outcome, PostingOutcome::NotSent { .. });
        assert_eq!(unsent, sent.is_empty());
        self.unsent.fetch_add(unsent.into(), Ordering::Relaxed);
        Ok(())
    }
}

/// A halt in the middle of a posting ends it there; the next one closes what it left.
#[tokio::test]
async fn who_may_not_send_any_more_posts_no_further_and_what_was_not_sent_costs_nothing() {
    let market = Market::new().await;
    market.move_on(206, 45).await;
    market.publish(206);
    let signer: Arc<dyn TransactionSigner> = Arc::new(market.scene.keeper.keypair.insecure_clone());
    let chain = market.scene.svm.chain();
    let sender = market.scene.world.sender.clone();
    let life = || {
        let (chain, sender, signer) = (chain.clone(), sender.clone(), signer.clone());
        Poster::new(market.source(), chain, sender, signer)
    };
    let poster = life();
    let context = &market.scene.world.market;
    let prices = poster.newest(context).await.unwrap();
    let keeper = market.scene.keeper.key();
    let lamports = async || market.scene.lamports(&keeper).await;
    let before = lamports().await;
    for (most, begun, unsent) in [(0, 1, 1), (1, 1, 0)] {
        let leave = Leave {
            most,
            ..Leave::default()
        };
        let posted = poster.post(context, &prices, 0, &leave).await;
        assert!(matches!(posted, Err(PostError::BrokenOff(_))), "{posted:?}");
        let counted = [&leave.sends, &leave.begun, &leave.unsent];
        let counted = counted.map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counted, [most, begun, unsent]);
        assert_eq!(lamports().await == before, most == 0);
    }
    assert_eq!(market.own_accounts().await, []);
    // To have broken off is no failure, so that nobody pauses for it.
    let leave = Leave {
        most: 100,
        ..Leave::default()
    };
    let posted = poster.post(context, &prices, 0, &leave).await.unwrap();
    assert_eq!(market.own_accounts().await.len(), 2);
    // The accounts are paid for once, which counts.
    let rent_lamports = |leave: &Leave| leave.rent_lamports.load(Ordering::Relaxed);
    assert_eq!(rent_lamports(&leave), market.own_lamports().await);
    let later = Leave {
        most: 100,
        ..Leave::default()
    };
    life().post(context, &prices, 0, &later).await.unwrap();
    let begun = later.begun.load(Ordering::Relaxed);
    assert_eq!((begun, rent_lamports(&later)), (1, 0));
    // What is there already is paid for once.
    let again = Leave::default();
    let same = poster.post(context, &prices, 0, &again).await.unwrap();
    assert_eq!((same, again.begun.load(Ordering::Relaxed)), (posted, 0));
}

#[tokio::test]
async fn lamports_that_somebody_sends_to_the_message_account_are_no_obstacle() {
    let market = Market::new().await;
    let position = market.scene.open(1).await;
    market.move_on(206, 45).await;
    market.publish(206);
    let message = market.posting().message_address().unwrap();
    market.scene.svm.fund(&message, 900_000).await.unwrap();
    Hand::landed(&market.hand().act(&position, ActionKind::Rehedge).await);
    assert_eq!(market.scene.lamports(&message).await, 0);
}

/// Room for the rent of two price accounts, one posting of some 30,000 lamports and what it is for, and not for another.
const ONE_POSTING: &str = "[fees]\nmax_lamports_per_action = 20000\nmax_lamports_per_hour = 3707040\n\
                           reserved_lamports_per_hour = 0\n";

#[tokio::test]
async fn what_a_posting_cost_counts_after_a_restart_as_well() {
    let market = Market::new().await;
    // It has been shown what its own accounts hold.
    market.scene.svm.pass_time(20).await.unwrap();
    market.scene.oracle(200).await;
    let sponsored = Hand::new(&market.scene, "");
    Hand::landed(&sponsored.executor.act(market.show()).await);
    market.scene.svm.pass_time(31).await.unwrap();
    market.publish(200);
    let hand = market.posting_hand(Hand::new(&market.scene, ONE_POSTING));
    Hand::landed(&hand.executor.act(market.show()).await);
    // What it would cost stands before what became of it, and that with what was sent.
    let records = hand.records();
    let [_, Record::Posting(begun), Record::Posted(ended), ..] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(
        (begun.id, begun.action),
        (ended.id, ActionKind::RefreshPrice)
    );
    let fees = begun.max_lamports - market.own_lamports().await;
    assert!((30_000..40_000).contains(&fees), "{begun:?}");
    assert!(matches!(ended.outcome, PostingOutcome::Landed { .. }));
    assert!(ended.signatures.len() >= 2, "{ended:?}");
    let chain = market.scene.svm.chain();
    for signature in &ended.signatures {
        let status = chain.status(&signature.parse().unwrap(), true).await;
        assert_eq!(status.unwrap().unwrap().error, None);
    }

    // Killed and started again, it has no money for the next one.
    let hand = market.posting_hand(hand.again(ONE_POSTING));
    market.scene.svm.pass_time(31).await.unwrap();
    market.publish(201);
    let report = hand.executor.act(market.show()).await;
    assert!(
        matches!(report.verdict, Verdict::Refused),
        "{:?}",
        report.verdict
    );
    assert_eq!(hand.records(), records);
    // One that has forgotten would have posted, and so does it an hour later.
    let forgetful = market.posting_hand(Hand::new(&market.scene, ONE_POSTING));
    Hand::landed(&forgetful.executor.act(market.show()).await);
    market.scene.svm.pass_time(3_600).await.unwrap();
    market.publish(202);
    let hand = market.posting_hand(hand.again(ONE_POSTING));
    Hand::landed(&hand.executor.act(market.show()).await);
}
