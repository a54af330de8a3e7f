//! The stand-in receiver in litesvm: what it posts is what the parser of `ballast-abi` reads.

mod support;

use ballast_abi::{
    Address,
    pyth::{
        PriceUpdate, PythError, Verification,
        stand_in::{PostPrice, PostPriceAccounts, price_account},
    },
    spl,
};
use sha2::{Digest, Sha256};
use solana_keypair::Keypair;
use solana_signer::Signer;
use support::{PROGRAM, World};

fn price(index: u16, verification: Verification) -> PostPrice {
    PostPrice {
        feed_id: [3; 32],
        index,
        price: -20_000_000_000,
        conf: 5_000_000,
        exponent: -8,
        publish_time: 1_700_000_000,
        previous_publish_time: 1_699_999_999,
        ema_price: 19_990_000_000,
        ema_conf: 6_000_000,
        verification,
    }
}

fn post(world: &mut World, account: Address, post: PostPrice) -> Result<(), u32> {
    let accounts = PostPriceAccounts {
        payer: world.payer.pubkey(),
        price_account: account,
        system_program: spl::SYSTEM_PROGRAM,
    };
    world.send(&[post.instruction(PROGRAM, &accounts)], &[])
}

#[test]
fn posted_prices_are_read_back() {
    let mut world = World::new();
    let (account, _) = price_account(&PROGRAM, &[3; 32], 0);
    let posted = price(0, Verification::Full);
    world.svm.warp_to_slot(500_000_000);
    post(&mut world, account, posted).unwrap();
    let found = world.svm.get_account(&account).unwrap();
    assert_eq!(found.owner, PROGRAM);
    let expected = PriceUpdate {
        write_authority: world.payer.pubkey(),
        feed_id: posted.feed_id,
        price: posted.price,
        conf: posted.conf,
        exponent: posted.exponent,
        publish_time: posted.publish_time,
        previous_publish_time: posted.previous_publish_time,
        ema_price: posted.ema_price,
        ema_conf: posted.ema_conf,
        posted_slot: 500_000_000,
    };
    assert_eq!(PriceUpdate::parse(&found.data), Ok(expected));

    // Anyone may overwrite it, with an older price and less verification too.
    world.payer = world.stranger();
    let older = PostPrice {
        publish_time: 1,
        ..price(0, Verification::Partial { signatures: 5 })
    };
    post(&mut world, account, older).unwrap();
    let data = world.svm.get_account(&account).unwrap().data;
    assert_eq!(
        PriceUpdate::parse(&data),
        Err(PythError::Partial { signatures: 5 })
    );
}

#[test]
fn an_account_with_lamports_can_still_be_created() {
    let mut world = World::new();
    let (account, _) = price_account(&PROGRAM, &[3; 32], 1);
    world.svm.airdrop(&account, 900_000_000).unwrap();
    post(&mut world, account, price(1, Verification::Full)).unwrap();
    assert!(PriceUpdate::parse(&world.svm.get_account(&account).unwrap().data).is_ok());
}

#[test]
fn only_the_derived_address_is_written() {
    let mut world = World::new();
    let (other, _) = price_account(&PROGRAM, &[3; 32], 2);
    // Anchor's ConstraintSeeds.
    let refused = post(&mut world, other, price(3, Verification::Full));
    assert_eq!(refused, Err(2006));
}

/// Anyone can deploy the stand-in at its address, because anyone can make its key.
#[test]
fn the_program_id_is_the_key_of_a_public_seed() {
    let seed: [u8; 32] = Sha256::digest("ballast localnet pyth").into();
    assert_eq!(Keypair::new_from_array(seed).pubkey(), PROGRAM);
}
