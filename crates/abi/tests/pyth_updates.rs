//! Price updates as Hermes hands them out: taken apart, checked against the root that the guardians have signed, and refused
//! where they are anything else.

use ballast_abi::pyth::{
    AccumulatorUpdate, DataSource, GUARDIAN_SIGNATURE_BYTES, MAX_UPDATE_BYTES, PriceMessage,
    ReceiverConfig, SignedRoot, UpdateError, Vaa,
    stand_in::{SOURCE, forged_update},
    wormhole::{EncodedVaa, VaaStatus},
};
use ballast_abi::{Address, LayoutError};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    solana_keccak_hasher::hashv(parts).to_bytes()
}

/// A real update, of BTC/USD on 28 July 2023, from the documentation of Hermes' API.
const REAL: &str = include_str!("hermes_update.base64");

fn real() -> Vec<u8> {
    STANDARD.decode(REAL.trim()).unwrap()
}

fn price(number: u8) -> PriceMessage {
    PriceMessage {
        feed_id: [number; 32],
        price: -5,
        conf: u64::MAX,
        exponent: -8,
        publish_time: 1_700_000_000,
        previous_publish_time: 1_699_999_999,
        ema_price: i64::MIN,
        ema_conf: 7,
    }
}

#[test]
fn a_real_update_is_read_and_its_price_is_under_the_signed_root() {
    let data = real();
    let update = AccumulatorUpdate::parse(&data).unwrap();
    let vaa = Vaa::parse(update.vaa).unwrap();
    assert_eq!(
        (vaa.guardian_set_index, vaa.signatures, vaa.emitter_chain),
        (3, 13, 26)
    );
    let root = SignedRoot::parse(vaa.payload).unwrap();
    let [only] = update.updates[..] else {
        panic!("{} prices", update.updates.len())
    };
    assert_eq!(only.root(keccak), root.root);
    let price = PriceMessage::parse(only.message).unwrap();
    assert_eq!(price.feed_id[..4], [0xe6, 0x2d, 0xf6, 0xc8]);
    assert_eq!(
        (price.price, price.conf, price.exponent),
        (2_931_999_000_000, 705_950_551, -8),
    );
    assert_eq!(
        (price.publish_time, price.previous_publish_time),
        (1_690_576_635, 1_690_576_634)
    );
    assert_eq!(
        (price.ema_price, price.ema_conf),
        (2_929_734_300_000, 625_449_400)
    );
    assert_eq!(price.encode(), only.message);
}

#[test]
fn a_forged_update_reads_like_a_real_one_for_every_size_of_the_tree() {
    for depth in 1..=11 {
        let data = forged_update(&[price(1), price(2)], depth, 9, keccak);
        let update = AccumulatorUpdate::parse(&data).unwrap();
        let vaa = Vaa::parse(update.vaa).unwrap();
        assert_eq!(
            (vaa.emitter_chain, vaa.emitter_address),
            (SOURCE.chain, SOURCE.emitter.to_bytes())
        );
        let root = SignedRoot::parse(vaa.payload).unwrap();
        assert_eq!(root.slot, 9);
        assert_eq!(update.updates.len(), 2);
        for (found, expected) in update.updates.iter().zip([price(1), price(2)]) {
            assert_eq!(found.proof.len(), depth as usize);
            assert_eq!(found.root(keccak), root.root);
            assert_eq!(PriceMessage::parse(found.message), Ok(expected));
        }
    }
    // As long as a real one.
    let data = forged_update(&[price(1)], 11, 9, keccak);
    assert_eq!(AccumulatorUpdate::parse(&data).unwrap().vaa.len(), 952);
}

#[test]
fn every_part_that_is_cut_short_or_too_long_is_refused() {
    let data = real();
    for end in 0..data.len() {
        assert!(
            matches!(
                AccumulatorUpdate::parse(&data[..end]),
                Err(UpdateError::Truncated { .. })
            ),
            "{end}"
        );
    }
    let mut longer = data.clone();
    longer.push(0);
    assert_eq!(
        AccumulatorUpdate::parse(&longer),
        Err(UpdateError::Trailing {
            what: "price update",
            bytes: 1
        })
    );
    assert!(matches!(
        AccumulatorUpdate::parse(&vec![0; MAX_UPDATE_BYTES + 1]),
        Err(UpdateError::TooLong {
            most: MAX_UPDATE_BYTES,
            ..
        })
    ));
    let update = AccumulatorUpdate::parse(&data).unwrap();
    for end in 0..952 - SignedRoot::LENGTH {
        assert!(
            matches!(
                Vaa::parse(&update.vaa[..end]),
                Err(UpdateError::Truncated { .. })
            ),
            "{end}"
        );
    }
    let message = update.updates[0].message;
    for end in 0..message.len() {
        assert!(PriceMessage::parse(&message[..end]).is_err(), "{end}");
    }
    let payload = Vaa::parse(update.vaa).unwrap().payload;
    for end in 0..payload.len() {
        assert!(SignedRoot::parse(&payload[..end]).is_err(), "{end}");
    }
}

#[test]
fn other_kinds_and_versions_are_named() {
    let value = |what, field| Err(UpdateError::Value { what, field });
    let changed = |at: usize, to: u8| {
        let mut data = real();
        data[at] = to;
        AccumulatorUpdate::parse(&data).map(|_| ())
    };
    assert_eq!(changed(0, b'X'), value("price update", "magic"));
    assert_eq!(changed(4, 2), value("price update", "major version"));
    assert_eq!(changed(5, 9), Ok(()));
    assert_eq!(changed(7, 1), value("price update", "proof type"));
    let long = |at| changed(at, 255);
    assert!(matches!(
        long(8),
        Err(UpdateError::TooLong {
            what: "signed message",
            ..
        })
    ));
    assert!(matches!(
        long(963),
        Err(UpdateError::TooLong {
            what: "price message",
            ..
        })
    ));
    assert!(matches!(
        long(963 + 2 + 85),
        Err(UpdateError::TooLong {
            what: "Merkle proof",
            found: 255,
            most: 32
        })
    ));
    let mut message = price(1).encode();
    message[0] = 1;
    assert_eq!(
        PriceMessage::parse(&message),
        Err(UpdateError::Value {
            what: "price message",
            field: "type"
        })
    );
    let mut root = SignedRoot {
        slot: 1,
        root: [2; 20],
    }
    .encode();
    assert_eq!(
        SignedRoot::parse(&root),
        Ok(SignedRoot {
            slot: 1,
            root: [2; 20]
        })
    );
    root[4] = 1;
    assert_eq!(
        SignedRoot::parse(&root),
        Err(UpdateError::Value {
            what: "signed root",
            field: "type"
        })
    );
}

#[test]
fn fields_that_later_versions_add_are_passed_over() {
    let mut message = price(3).encode().to_vec();
    message.extend([1, 2, 3]);
    assert_eq!(PriceMessage::parse(&message), Ok(price(3)));
    // Three bytes more in the update's own header.
    let mut data = real();
    data[6] = 3;
    data.splice(7..7, [9, 9, 9]);
    assert_eq!(AccumulatorUpdate::parse(&data).unwrap().updates.len(), 1);
}

#[test]
fn no_changed_byte_of_message_or_proof_stays_under_the_root() {
    let data = real();
    let update = AccumulatorUpdate::parse(&data).unwrap();
    let root = SignedRoot::parse(Vaa::parse(update.vaa).unwrap().payload).unwrap();
    let start = 963 + 2;
    // Not the number of hashes, which is a matter of the layout.
    for at in (start..data.len()).filter(|at| *at != start + 85) {
        let mut changed = data.clone();
        changed[at] ^= 1;
        let update = AccumulatorUpdate::parse(&changed).unwrap();
        assert_ne!(update.updates[0].root(keccak), root.root, "{at}");
    }
}

#[test]
fn the_receivers_settings_survive_the_round_trip() {
    for target in [None, Some(Address::new_from_array([2; 32]))] {
        let config = ReceiverConfig {
            governance_authority: [1; 32].into(),
            target_governance_authority: target,
            wormhole: [3; 32].into(),
            sources: vec![
                SOURCE,
                DataSource {
                    chain: 1,
                    emitter: [4; 32].into(),
                },
            ],
            update_fee_lamports: 5,
            minimum_signatures: 6,
        };
        let mut data = ReceiverConfig::DISCRIMINATOR.to_vec();
        data.extend(config.encode());
        let end = data.len();
        data.resize(ReceiverConfig::LENGTH, 0);
        assert_eq!(ReceiverConfig::parse(&data), Ok(config));
        for end in 0..end {
            assert!(ReceiverConfig::parse(&data[..end]).is_err(), "{end}");
        }
    }
    let mut endless = ReceiverConfig::DISCRIMINATOR.to_vec();
    endless.extend([0; 65]);
    // So many sources as no account can hold.
    endless.resize(ReceiverConfig::LENGTH, 255);
    assert!(ReceiverConfig::parse(&endless).is_err());
}

#[test]
fn a_message_account_is_what_it_says() {
    let authority = Address::new_from_array([7; 32]);
    for status in [VaaStatus::Writing, VaaStatus::Verified] {
        let mut data = EncodedVaa::header(status, &authority, 3).to_vec();
        data.extend([1, 2, 3]);
        assert_eq!(data.len(), EncodedVaa::length(3));
        let found = EncodedVaa::parse(&data).unwrap();
        assert_eq!((found.status, found.write_authority), (status, authority));
        assert_eq!(found.vaa, [1, 2, 3]);
        for (at, error) in [
            (
                0,
                LayoutError::Discriminator {
                    what: "Wormhole message account",
                },
            ),
            (
                8,
                LayoutError::Value {
                    what: "Wormhole message account",
                    field: "status",
                },
            ),
            (
                42,
                LayoutError::Value {
                    what: "Wormhole message account",
                    field: "length",
                },
            ),
            (
                44,
                LayoutError::Value {
                    what: "Wormhole message account",
                    field: "length",
                },
            ),
        ] {
            let mut bad = data.clone();
            bad[at] = 99;
            assert_eq!(EncodedVaa::parse(&bad), Err(error), "{at}");
        }
        assert!(matches!(
            EncodedVaa::parse(&data[..EncodedVaa::HEADER]),
            Err(LayoutError::Length { .. })
        ));
    }
}

/// Bytes that begin like one of the kinds, or like none, and go on anyhow.
fn wild() -> impl Strategy<Value = Vec<u8>> {
    let rest = proptest::collection::vec(any::<u8>(), 0..2_000);
    (0..7, rest).prop_map(|(kind, rest)| {
        let begin = match kind {
            0 => Vec::new(),
            // Version 1.0, nothing added, proofs of one kind.
            1 => b"PNAU\x01\0\0\0".to_vec(),
            // Two signatures.
            2 => vec![Vaa::VERSION, 0, 0, 0, 9, 2],
            3 => PriceMessage::encode(&price(1))[..1].to_vec(),
            4 => b"AUWV\0".to_vec(),
            // No next authority, three sources.
            5 => [
                &ReceiverConfig::DISCRIMINATOR[..],
                &[7; 32],
                &[0],
                &[8; 32],
                &3u32.to_le_bytes(),
            ]
            .concat(),
            _ => EncodedVaa::header(VaaStatus::Writing, &Address::default(), rest.len()).to_vec(),
        };
        [begin, rest].concat()
    })
}

proptest! {
    /// What is taken is what the bytes say; all else is refused, and nothing panics.
    #[test]
    fn no_bytes_are_too_wild(data in wild()) {
        if let Ok(update) = AccumulatorUpdate::parse(&data) {
            prop_assert!(data.starts_with(b"PNAU\x01"));
            let parts = update.updates.iter().map(|it| it.message.len() + size_of_val(it.proof));
            prop_assert!(update.vaa.len() + parts.sum::<usize>() < data.len());
        }

        let signatures = data.get(5).copied().unwrap_or_default();
        let head = 57 + usize::from(signatures) * GUARDIAN_SIGNATURE_BYTES;
        let vaa = Vaa::parse(&data);
        prop_assert_eq!(vaa.is_ok(), data.first() == Some(&Vaa::VERSION) && data.len() >= head);
        if let Ok(vaa) = vaa {
            prop_assert_eq!(&vaa.guardian_set_index.to_be_bytes(), &data[1..5]);
            prop_assert_eq!((vaa.signatures, vaa.payload), (signatures, &data[head..]));
        }

        let message = PriceMessage::parse(&data);
        let is_price = data.first() == Some(&0) && data.len() >= PriceMessage::LENGTH;
        prop_assert_eq!(message.is_ok(), is_price);
        if let Ok(message) = message {
            prop_assert!(data.starts_with(&message.encode()));
        }

        let root = SignedRoot::parse(&data);
        let is_root = data.starts_with(b"AUWV\0") && data.len() >= SignedRoot::LENGTH;
        prop_assert_eq!(root.is_ok(), is_root);
        if let Ok(root) = root {
            // But for four bytes that nobody needs.
            let bytes = root.encode();
            prop_assert_eq!((&bytes[..13], &bytes[17..]), (&data[..13], &data[17..37]));
        }

        if let Ok(config) = ReceiverConfig::parse(&data) {
            let rest = data.strip_prefix(&ReceiverConfig::DISCRIMINATOR[..]);
            prop_assert!(rest.is_some_and(|rest| rest.starts_with(&config.encode())));
        }

        if let Ok(message) = EncodedVaa::parse(&data) {
            let (header, vaa) = data.split_at(EncodedVaa::HEADER);
            prop_assert_eq!(message.vaa, vaa);
            let same = EncodedVaa::header(message.status, &message.write_authority, vaa.len());
            prop_assert_eq!((&same[..41], &same[42..]), (&header[..41], &header[42..]));
        }
    }

    #[test]
    fn a_real_update_with_wild_bytes_is_read_or_refused(
        changes in proptest::collection::vec((0usize..1_211, any::<u8>()), 1..20),
        end in 0usize..=1_211,
    ) {
        let mut data = real();
        for (at, to) in changes {
            data[at] = to;
        }
        if let Ok(update) = AccumulatorUpdate::parse(&data[..end]) {
            let _ = Vaa::parse(update.vaa).map(|vaa| SignedRoot::parse(vaa.payload));
            for update in update.updates {
                let _ = (update.root(keccak), PriceMessage::parse(update.message));
            }
        }
    }
}

/// Whatever stands around it, a feed's message is found, and another feed's is not taken for it.
#[test]
fn messages_are_found_in_other_bytes() {
    let (ours, others) = (price(3), price(4));
    let feed = ours.feed_id;
    let bytes = [
        &[0, 1, 2][..],
        &others.encode(),
        &ours.encode(),
        &[0; 7],
        &ours.encode(),
        // Another kind of message, and one that breaks off.
        &[1],
        &feed,
        &[0],
        &feed,
        &[9; 20],
    ]
    .concat();
    let found: Vec<_> = PriceMessage::find_all(&bytes, &feed).collect();
    assert_eq!(found, [ours, ours]);
    assert_eq!(PriceMessage::find_all(&[0; 10], &feed).count(), 0);
    assert_eq!(PriceMessage::find_all(&[], &feed).count(), 0);
}
