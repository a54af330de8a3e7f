//! Migrations on what is there already: announced changes, accounts of the earlier version, another guardian.

use std::mem::offset_of;

use ballast_client::{
    Automation, DecodeError, Keypair, Market, Position, PositionContext, ProgramAccount, Pubkey,
    Reserve, Side, decode, instruction,
};
use ballast_localnet::{Localnet, keys};
use ballast_migrations::{ApplyError, Desired, MarketAddresses, Report, apply};

use crate::support::{Scene, accepted};

/// Discriminator and version.
const HEAD: usize = 8 + 1;
const DAY_SECS: u64 = 86_400;

impl Scene {
    async fn apply_desired(&self, desired: &Desired) -> Report {
        self.world.apply(desired.clone()).await.unwrap()
    }

    async fn apply_at(
        &self,
        by: &Keypair,
        addresses: MarketAddresses,
    ) -> Result<Report, ApplyError> {
        let desired = self.world.config.desired.clone().at(addresses);
        apply(&self.world.sender, by, &desired).await
    }

    /// Turns an account into one of version 1, in which everything from `new` on was zero.
    async fn make_earlier<T: ProgramAccount>(&self, address: &Pubkey, new: usize) -> Vec<u8> {
        let change = |account: &mut ballast_client::Account| {
            account.data[8] = 1;
            account.data[8 + new..].fill(0);
        };
        self.copy_account(address, address, change).await;
        let account = self.svm.chain().account(address).await.unwrap().unwrap();
        assert!(matches!(
            decode::<T>(address, &account),
            Err(DecodeError::WrongVersion { found: 1, .. })
        ));
        account.data
    }

    /// Market, reserves and one position as version 1 left them, each with where its new fields begin.
    async fn earlier(&self, position: &PositionContext) -> Vec<(Pubkey, usize, Vec<u8>)> {
        let market = &self.world.market;
        let new = offset_of!(Market, keepers);
        let bytes = self.make_earlier::<Market>(&market.address, new).await;
        let mut all = vec![(market.address, new, bytes)];
        for side in [Side::Base, Side::Quote] {
            let (address, new) = (market.reserve(side), offset_of!(Reserve, pending));
            let bytes = self.make_earlier::<Reserve>(&address, new).await;
            all.push((address, new, bytes));
        }
        let (address, new) = (position.address, offset_of!(Position, automation));
        let bytes = self.make_earlier::<Position>(&address, new).await;
        all.push((address, new, bytes));
        all
    }
}

fn told(report: &Report) -> Vec<&str> {
    let changes = report.changes.iter();
    changes.map(|change| change.what.as_str()).collect()
}

#[tokio::test]
async fn accounts_of_version_1_are_migrated_and_nothing_old_changes() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let before = scene.earlier(&position).await;
    let desired = &scene.world.config.desired;
    let report = scene.apply_desired(desired).await;
    let what = told(&report);
    assert!(
        matches!(what[..], [market, source, base, quote, positions]
            if market.starts_with("migrated market")
                // It named no price accounts: that needs notice.
                && source.starts_with("announced a change of price source")
                && base.starts_with("migrated reserve")
                && quote.starts_with("migrated reserve")
                && positions.starts_with("migrated 1 positions")
                && positions.contains(&position.address.to_string())),
        "{what:?}"
    );
    for (address, new, old) in before {
        let bytes = scene.bytes(&address).await;
        assert_eq!(bytes.len(), old.len());
        assert_eq!(bytes[8], 2);
        assert_eq!(bytes[HEAD..8 + new], old[HEAD..8 + new], "{address}");
    }
    let market = scene.world.snapshot().await.unwrap().market;
    assert_eq!(market.params(), desired.market_params());
    let migrated = scene.world.reload(&position).await.unwrap();
    assert_eq!(migrated.position.automation, Automation::OFF);
    let again = scene.apply_desired(desired).await;
    assert!(
        again.changes.is_empty() && again.pending.len() == 1,
        "{again}"
    );
    // All of it works.
    scene.price(195).await;
    accepted(scene.rehedge(&position, &scene.keeper).await);
    accepted(scene.close(&position).await);
}

#[tokio::test]
async fn other_prices_and_safety_rules_are_announced_wait_and_are_put_in_force_once() {
    let scene = Scene::new().await;
    let mut wanted = scene.world.config.desired.clone();
    wanted.safety.grace_secs += 1;
    let program = scene.svm.programs().pyth.id;
    let addresses = scene.world.addresses();
    let elsewhere = MarketAddresses {
        base_price: ballast_abi::pyth::stand_in::price_account(&program, &addresses.base_feed, 1).0,
        ..addresses
    };
    let run = async |desired: &Desired, addresses| {
        let desired = desired.clone().at(addresses);
        apply(&scene.world.sender, &scene.world.authority, &desired)
            .await
            .unwrap()
    };
    let announced = run(&wanted, elsewhere).await;
    let what = told(&announced);
    assert!(
        matches!(what[..], [source, safety, ..]
            if source.starts_with("announced a change of price source") && source.contains("base_price_account: ")
                && safety.starts_with("announced a change of safety rules") && safety.contains("grace_secs: ")),
        "{what:?}"
    );
    assert_eq!(announced.pending.len(), 2);
    // Taken back, announced again, waited for.
    let taken_back = run(&scene.world.config.desired, addresses).await;
    let what = told(&taken_back);
    assert!(
        what.len() == 2 && what.iter().all(|what| what.starts_with("took back")),
        "{what:?}"
    );
    assert_eq!(run(&wanted, elsewhere).await.changes.len(), 2);
    scene.svm.pass_time(2 * DAY_SECS - 10).await.unwrap();
    let waiting = run(&wanted, elsewhere).await;
    assert!(
        waiting.changes.is_empty() && waiting.pending.len() == 2,
        "{waiting}"
    );
    scene.svm.pass_time(10).await.unwrap();
    let applied = run(&wanted, elsewhere).await;
    let what = told(&applied);
    assert!(
        matches!(what[..], [source, safety, ..]
            if source.starts_with("put in force what was announced for price source")
                && safety.starts_with("put in force what was announced for safety rules")),
        "{what:?}"
    );
    let market = scene.market().await;
    assert_eq!(market.base_price_account, elsewhere.base_price);
    assert_eq!(market.safety, wanted.safety.into());
    let again = run(&wanted, elsewhere).await;
    assert!(again.pending.is_empty(), "{again}");
}

#[tokio::test]
async fn more_positions_than_fit_a_transaction_are_migrated() {
    let scene = Scene::new().await;
    let mut positions = Vec::new();
    for id in 0..13 {
        let mut args = scene.example(id);
        args.own_quote = 30_000_000;
        positions.push(scene.world.open(&scene.alice, args).await.unwrap());
    }
    let new = offset_of!(Position, automation);
    for position in &positions {
        scene.make_earlier::<Position>(&position.address, new).await;
    }
    let report = scene.apply_desired(&scene.world.config.desired).await;
    let what = told(&report);
    assert!(
        matches!(what[..], [many, rest]
            if many.starts_with("migrated 12 positions") && rest.starts_with("migrated 1 positions")),
        "{what:?}"
    );
    for position in &positions {
        scene.world.reload(position).await.unwrap();
    }
}

#[tokio::test]
async fn what_may_hurt_is_announced_waits_and_is_put_in_force_once() {
    let scene = Scene::new().await;
    scene.open(1).await;
    let desired = &scene.world.config.desired;
    let mut wanted = desired.clone();
    wanted.limits.maintenance_ltv_bps -= 100;
    wanted.quote_reserve.rate_at_full_bps += 100;
    let announced = scene.apply_desired(&wanted).await;
    let what = told(&announced);
    assert!(
        matches!(what[..], [market, reserve]
            if market.starts_with("announced a change of market") && market.contains("maintenance_ltv_bps: ")
                && reserve.starts_with("announced a change of Quote reserve") && reserve.contains("rate_at_full_bps: ")),
        "{what:?}"
    );
    let due_secs = scene.svm.now_secs() + Market::NOTICE_SECS;
    let dues = |report: &Report| -> Vec<i64> {
        let pending = report.pending.iter();
        pending.map(|pending| pending.effective_at_secs).collect()
    };
    assert_eq!(dues(&announced), [due_secs; 2], "{announced}");

    // Nothing is done, and nothing postponed, however often it is applied before.
    scene.svm.pass_time(2 * DAY_SECS - 10).await.unwrap();
    for _ in 0..2 {
        let waiting = scene.apply_desired(&wanted).await;
        assert!(waiting.changes.is_empty(), "{waiting}");
        assert_eq!(dues(&waiting), [due_secs; 2]);
        assert!(waiting.to_string().contains("in force from Unix time"));
    }
    let market = async || scene.world.snapshot().await.unwrap().market;
    assert_eq!(market().await.params(), desired.market_params());

    scene.svm.pass_time(10).await.unwrap();
    let applied = scene.apply_desired(&wanted).await;
    let what = told(&applied);
    assert!(
        matches!(what[..], [market, reserve]
            if market.starts_with("put in force what was announced for market")
                && reserve.starts_with("put in force what was announced for Quote reserve")),
        "{what:?}"
    );
    assert!(applied.pending.is_empty());
    assert_eq!(market().await.params(), wanted.market_params());
    let again = scene.apply_desired(&wanted).await;
    assert!(
        again.changes.is_empty() && again.pending.is_empty(),
        "{again}"
    );
}

#[tokio::test]
async fn an_announcement_that_the_files_do_not_ask_for_is_taken_back_or_replaced() {
    let scene = Scene::new().await;
    scene.open(1).await;
    let desired = &scene.world.config.desired;
    let with = |less| {
        let mut wanted = desired.clone();
        wanted.limits.maintenance_ltv_bps -= less;
        wanted.base_reserve.rate_at_full_bps += less;
        wanted
    };
    scene.apply_desired(&with(100)).await;
    scene.svm.pass_time(DAY_SECS).await.unwrap();
    let replaced = scene.apply_desired(&with(50)).await;
    assert_eq!(replaced.changes.len(), 2, "{replaced}");
    let due_secs = scene.svm.now_secs() + Market::NOTICE_SECS;
    assert!(
        replaced.pending.len() == 2
            && replaced
                .pending
                .iter()
                .all(|pending| pending.effective_at_secs == due_secs),
        "{replaced}"
    );
    // Also when it is old enough to be put in force by anyone.
    scene.svm.pass_time(3 * DAY_SECS).await.unwrap();
    let taken_back = scene.apply_desired(desired).await;
    let what = told(&taken_back);
    assert!(
        what.len() == 2 && what.iter().all(|what| what.starts_with("took back")),
        "{what:?}"
    );
    assert!(taken_back.pending.is_empty());
    let again = scene.apply_desired(desired).await;
    assert!(again.changes.is_empty(), "{again}");
    let market = scene.world.snapshot().await.unwrap().market;
    assert_eq!(market.pending.effective_at_secs, 0);
}

#[tokio::test]
async fn another_guardian_is_named() {
    let scene = Scene::new().await;
    let guardian = Scene::fresh_address("guardian");
    let addresses = MarketAddresses {
        guardian,
        ..scene.world.addresses()
    };
    let report = scene.apply_at(&scene.world.authority, addresses).await;
    let report = report.unwrap();
    let what = told(&report);
    assert!(
        matches!(what[..], [what] if what.starts_with("named another guardian") && what.contains(&guardian.to_string())),
        "{what:?}"
    );
    assert_eq!(report.market.market.guardian, guardian);
    let again = scene.apply_at(&scene.world.authority, addresses).await;
    assert!(again.unwrap().changes.is_empty());
}

#[tokio::test]
async fn whoever_took_the_authority_over_migrates_and_nobody_else_does() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    let successor = keys::named("successor");
    let key = ballast_client::Signer::pubkey(&successor);
    scene.fund(&key, 10_000_000_000).await;
    let market = scene.world.market.address;
    let creator = ballast_client::Signer::pubkey(&scene.world.authority);
    let offer = instruction::offer_authority(&market, &creator, key);
    accepted(scene.send_as_authority(offer).await);
    let accept = instruction::accept_authority(&market, &key);
    accepted(scene.world.send(&successor, vec![accept]).await);
    scene.earlier(&position).await;

    let addresses = scene.world.addresses();
    let refused = scene.apply_at(&scene.world.authority, addresses).await;
    assert!(
        matches!(refused, Err(ApplyError::NotAuthority { authority, .. }) if authority == key),
        "{refused:?}"
    );
    let addresses = MarketAddresses {
        creator: Some(creator),
        ..addresses
    };
    let report = scene.apply_at(&successor, addresses).await.unwrap();
    assert!(told(&report)[0].starts_with("migrated market"), "{report}");
    // There is no such market of a third one's.
    let addresses = MarketAddresses {
        creator: Some(key),
        ..addresses
    };
    let missing = scene.apply_at(&scene.world.authority, addresses).await;
    assert!(
        matches!(
            missing,
            Err(ApplyError::Decode(DecodeError::Missing {
                what: "market",
                ..
            }))
        ),
        "{missing:?}"
    );
}
