//! The stand-in receiver in litesvm: what it posts is what the parser of `ballast-abi` reads.

use std::{env, path::PathBuf};

use ballast_abi::{
    Address,
    pyth::{
        PriceUpdate, PythError, Verification,
        stand_in::{PostPrice, PostPriceAccounts, price_account},
    },
    spl,
};
use litesvm::LiteSVM;
use sha2::{Digest, Sha256};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

const PROGRAM: Address = Address::new_from_array(localnet_pyth::ID.to_bytes());

fn world() -> (LiteSVM, Keypair) {
    let directory = env::var_os("BALLAST_DEPLOY_DIR").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../target/deploy"
            ))
        },
        PathBuf::from,
    );
    let mut svm = LiteSVM::new();
    svm.add_program_from_file(PROGRAM, directory.join("localnet_pyth.so"))
        .expect("build the stand-in with `cargo xtask build -p localnet-pyth`");
    let payer = Keypair::new_from_array([7; 32]);
    svm.airdrop(&payer.pubkey(), 1_000_000_000).unwrap();
    (svm, payer)
}

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

fn post(
    svm: &mut LiteSVM,
    payer: &Keypair,
    account: Address,
    post: PostPrice,
) -> Result<(), String> {
    svm.expire_blockhash();
    let accounts = PostPriceAccounts {
        payer: payer.pubkey(),
        price_account: account,
        system_program: spl::SYSTEM_PROGRAM,
    };
    let message = Message::new(
        &[post.instruction(PROGRAM, &accounts)],
        Some(&payer.pubkey()),
    );
    let transaction = Transaction::new(&[payer], message, svm.latest_blockhash());
    svm.send_transaction(transaction)
        .map(|_| ())
        .map_err(|failed| format!("{:?}", failed.err))
}

#[test]
fn posted_prices_are_read_back() {
    let (mut svm, payer) = world();
    let (account, _) = price_account(&PROGRAM, &[3; 32], 0);
    let posted = price(0, Verification::Full);
    svm.warp_to_slot(500_000_000);
    post(&mut svm, &payer, account, posted).unwrap();
    let found = svm.get_account(&account).unwrap();
    assert_eq!(found.owner, PROGRAM);
    let expected = PriceUpdate {
        write_authority: payer.pubkey(),
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
    let stranger = Keypair::new_from_array([8; 32]);
    svm.airdrop(&stranger.pubkey(), 1_000_000_000).unwrap();
    let older = PostPrice {
        publish_time: 1,
        ..price(0, Verification::Partial { signatures: 5 })
    };
    post(&mut svm, &stranger, account, older).unwrap();
    let data = svm.get_account(&account).unwrap().data;
    assert_eq!(
        PriceUpdate::parse(&data),
        Err(PythError::Partial { signatures: 5 })
    );
}

#[test]
fn an_account_with_lamports_can_still_be_created() {
    let (mut svm, payer) = world();
    let (account, _) = price_account(&PROGRAM, &[3; 32], 1);
    svm.airdrop(&account, 900_000_000).unwrap();
    post(&mut svm, &payer, account, price(1, Verification::Full)).unwrap();
    assert!(PriceUpdate::parse(&svm.get_account(&account).unwrap().data).is_ok());
}

#[test]
fn only_the_derived_address_is_written() {
    let (mut svm, payer) = world();
    let (other, _) = price_account(&PROGRAM, &[3; 32], 2);
    let error = post(&mut svm, &payer, other, price(3, Verification::Full)).unwrap_err();
    // Anchor's ConstraintSeeds.
    assert!(error.contains("Custom(2006)"), "{error}");
}

/// Anyone can deploy the stand-in at its address, because anyone can make its key.
#[test]
fn the_program_id_is_the_key_of_a_public_seed() {
    let seed: [u8; 32] = Sha256::digest("ballast localnet pyth").into();
    assert_eq!(Keypair::new_from_array(seed).pubkey(), PROGRAM);
}
