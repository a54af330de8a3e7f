//! The stand-in receiver in litesvm, used as the real one: a signed message in parts, verified, and prices out of it.

mod support;

use ballast_abi::{
    Address, Instruction,
    pyth::{
        AccumulatorUpdate, MerkleUpdate, PriceMessage, PriceUpdate, ReceiverConfig,
        receiver::{self, InitializeAccounts, PostUpdateAccounts},
        stand_in::{SOURCE, forged_update},
        wormhole::{
            CloseEncodedVaa, CloseEncodedVaaAccounts, EncodedVaa, InitEncodedVaa,
            InitEncodedVaaAccounts, VerifyEncodedVaaV1, VerifyEncodedVaaV1Accounts,
            WriteEncodedVaaAccounts, guardian_set, write_encoded_vaa,
        },
    },
    spl, system,
};
use localnet_pyth::PythError;
use solana_keypair::Keypair;
use solana_signer::Signer;
use support::{PROGRAM, World};

const SEED: &str = "message";
/// Anchor's AccountDiscriminatorAlreadySet.
const ALREADY_SET: u32 = 3_000;

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    solana_keccak_hasher::hashv(parts).to_bytes()
}

fn price(number: u8) -> PriceMessage {
    PriceMessage {
        feed_id: [number; 32],
        price: 20_000_000_000,
        conf: 5_000_000,
        exponent: -8,
        publish_time: 1_700_000_000,
        previous_publish_time: 1_699_999_999,
        ema_price: 19_990_000_000,
        ema_conf: 6_000_000,
    }
}

fn config(wormhole: Address) -> ReceiverConfig {
    ReceiverConfig {
        governance_authority: [1; 32].into(),
        target_governance_authority: None,
        wormhole,
        sources: vec![SOURCE],
        update_fee_lamports: 0,
        minimum_signatures: 1,
    }
}

/// A world whose receiver has settings, and an update of two prices.
struct Scene {
    world: World,
    vaa: Vec<u8>,
    prices: Vec<(Vec<u8>, Vec<[u8; 20]>)>,
    base: Keypair,
}

impl Scene {
    fn new(settings: &ReceiverConfig) -> Self {
        let mut world = World::new();
        let accounts = InitializeAccounts {
            payer: world.payer.pubkey(),
            config: receiver::config(&PROGRAM),
            system_program: spl::SYSTEM_PROGRAM,
        };
        let initialize = receiver::initialize(PROGRAM, &accounts, settings);
        world.send(std::slice::from_ref(&initialize), &[]).unwrap();
        // Once for all.
        assert!(world.send(&[initialize], &[]).is_err());
        let data = forged_update(&[price(1), price(2)], 8, 5, keccak);
        let update = AccumulatorUpdate::parse(&data).unwrap();
        let prices = update.updates.iter();
        Self {
            world,
            vaa: update.vaa.to_vec(),
            prices: prices
                .map(|one| (one.message.to_vec(), one.proof.to_vec()))
                .collect(),
            base: Keypair::new_from_array([9; 32]),
        }
    }

    fn message(&self) -> Address {
        Address::create_with_seed(&self.world.payer.pubkey(), SEED, &PROGRAM).unwrap()
    }

    fn create(&self, length: usize) -> [Instruction; 2] {
        let payer = self.world.payer.pubkey();
        [
            system::transfer(payer, self.message(), 20_000_000),
            system::allocate_with_seed(self.message(), payer, SEED, length as u64, PROGRAM),
        ]
    }

    fn init(&self) -> Instruction {
        let accounts = InitEncodedVaaAccounts {
            write_authority: self.world.payer.pubkey(),
            encoded_vaa: self.message(),
        };
        InitEncodedVaa {}.instruction(PROGRAM, &accounts)
    }

    fn write(&self, index: u32, part: &[u8]) -> Instruction {
        let accounts = WriteEncodedVaaAccounts {
            write_authority: self.world.payer.pubkey(),
            draft_vaa: self.message(),
        };
        write_encoded_vaa(PROGRAM, &accounts, index, part)
    }

    fn verify(&self, guardian_set: Address) -> Instruction {
        let accounts = VerifyEncodedVaaV1Accounts {
            write_authority: self.world.payer.pubkey(),
            draft_vaa: self.message(),
            guardian_set,
        };
        VerifyEncodedVaaV1 {}.instruction(PROGRAM, &accounts)
    }

    fn close(&self) -> Instruction {
        let accounts = CloseEncodedVaaAccounts {
            write_authority: self.world.payer.pubkey(),
            encoded_vaa: self.message(),
        };
        CloseEncodedVaa {}.instruction(PROGRAM, &accounts)
    }

    fn post(&self, number: usize, account: Address) -> Instruction {
        let payer = self.world.payer.pubkey();
        let accounts = PostUpdateAccounts {
            payer,
            encoded_vaa: self.message(),
            config: receiver::config(&PROGRAM),
            treasury: receiver::treasury(&PROGRAM, 3),
            price_update_account: account,
            system_program: spl::SYSTEM_PROGRAM,
            write_authority: payer,
        };
        let (message, proof) = &self.prices[number];
        receiver::post_update(PROGRAM, &accounts, &MerkleUpdate { message, proof }, 3)
    }

    /// Writes the message in two parts.
    fn written(&mut self) {
        let vaa = self.vaa.clone();
        let mut first = self.create(EncodedVaa::length(vaa.len())).to_vec();
        first.extend([self.init(), self.write(0, &vaa[..700])]);
        self.world.send(&first, &[]).unwrap();
        let second = self.write(700, &vaa[700..]);
        self.world.send(&[second], &[]).unwrap();
    }

    /// Writes and verifies it.
    fn verified(&mut self) {
        self.written();
        let verify = self.verify(guardian_set(&PROGRAM, 0));
        self.world.send(&[verify], &[]).unwrap();
    }

    fn try_post(&mut self, number: usize) -> Result<(), u32> {
        let base = self.base.insecure_clone();
        let post = self.post(number, base.pubkey());
        self.world.send(&[post], &[&base])
    }
}

#[test]
fn a_message_in_parts_becomes_price_accounts_and_its_rent_comes_back() {
    let mut scene = Scene::new(&config(PROGRAM));
    scene.world.svm.warp_to_slot(500_000_000);
    scene.verified();
    scene.try_post(0).unwrap();
    let account = scene.base.pubkey();
    let payer = scene.world.payer.pubkey();
    let stored = |scene: &Scene| {
        let found = scene.world.svm.get_account(&account).unwrap();
        assert_eq!(found.owner, PROGRAM);
        PriceUpdate::parse(&found.data).unwrap()
    };
    assert_eq!(stored(&scene), price(1).posted(payer, 500_000_000));
    // Written over by its own authority.
    scene.try_post(1).unwrap();
    assert_eq!(stored(&scene), price(2).posted(payer, 500_000_000));
    let close = scene.close();
    scene.world.send(&[close], &[]).unwrap();
    let left = scene.world.svm.get_account(&scene.message());
    assert!(left.is_none_or(|account| account.lamports == 0));
}

#[test]
fn only_verified_messages_of_the_wormhole_program_are_posted() {
    let mut scene = Scene::new(&config(PROGRAM));
    scene.written();
    assert_eq!(scene.try_post(0), Err(PythError::UnverifiedVaa.into()));
    // Another program's account, however much it looks like a message.
    let mut scene = Scene::new(&config([7; 32].into()));
    scene.verified();
    assert_eq!(scene.try_post(0), Err(PythError::WrongVaaOwner.into()));
}

#[test]
fn a_price_that_is_not_under_the_root_or_of_another_kind_is_refused() {
    let mut scene = Scene::new(&config(PROGRAM));
    scene.verified();
    scene.prices[0].0[40] ^= 1;
    assert_eq!(scene.try_post(0), Err(PythError::InvalidPriceUpdate.into()));
    scene.prices[1].1[3][0] ^= 1;
    assert_eq!(scene.try_post(1), Err(PythError::InvalidPriceUpdate.into()));
}

#[test]
fn a_sender_that_is_not_trusted_is_refused() {
    let mut settings = config(PROGRAM);
    settings.sources[0].chain += 1;
    let mut scene = Scene::new(&settings);
    scene.verified();
    assert_eq!(scene.try_post(0), Err(PythError::InvalidDataSource.into()));
}

#[test]
fn a_price_account_is_written_by_its_authority_alone() {
    let mut scene = Scene::new(&config(PROGRAM));
    scene.verified();
    scene.try_post(0).unwrap();
    let stranger = scene.world.stranger();
    let mut scene = Scene {
        world: World {
            payer: stranger,
            ..scene.world
        },
        ..scene
    };
    scene.verified();
    assert_eq!(
        scene.try_post(0),
        Err(PythError::WrongWriteAuthority.into())
    );
}

#[test]
fn a_message_is_written_verified_and_closed_by_its_authority_alone() {
    let mut scene = Scene::new(&config(PROGRAM));
    scene.written();
    let (message, guardians) = (scene.message(), guardian_set(&PROGRAM, 0));
    let stranger = scene.world.stranger();
    let authority = stranger.pubkey();
    let draft = WriteEncodedVaaAccounts {
        write_authority: authority,
        draft_vaa: message,
    };
    let verify = VerifyEncodedVaaV1Accounts {
        write_authority: authority,
        draft_vaa: message,
        guardian_set: guardians,
    };
    let close = CloseEncodedVaaAccounts {
        write_authority: authority,
        encoded_vaa: message,
    };
    for foreign in [
        write_encoded_vaa(PROGRAM, &draft, 0, &[1]),
        VerifyEncodedVaaV1 {}.instruction(PROGRAM, &verify),
        CloseEncodedVaa {}.instruction(PROGRAM, &close),
    ] {
        assert_eq!(
            scene.world.send(&[foreign], &[&stranger]),
            Err(PythError::WriteAuthorityMismatch.into())
        );
    }
}

#[test]
fn messages_keep_their_bounds_and_are_final_once_verified() {
    let mut scene = Scene::new(&config(PROGRAM));
    let empty = scene.create(EncodedVaa::HEADER);
    let init = scene.init();
    let mut none = empty.to_vec();
    none.push(init.clone());
    assert_eq!(
        scene.world.send(&none, &[]),
        Err(PythError::InvalidCreatedAccountSize.into())
    );
    scene.written();
    assert_eq!(scene.world.send(&[init], &[]), Err(ALREADY_SET));
    let length = scene.vaa.len() as u32;
    for (index, part, error) in [
        (length, &[1][..], PythError::DataOverflow),
        (length - 1, &[1, 2], PythError::DataOverflow),
        (u32::MAX, &[1], PythError::DataOverflow),
        (0, &[], PythError::DataOverflow),
    ] {
        let write = scene.write(index, part);
        assert_eq!(scene.world.send(&[write], &[]), Err(error.into()));
    }
    // Anchor's ConstraintSeeds.
    let other = scene.verify(guardian_set(&PROGRAM, 1));
    assert_eq!(scene.world.send(&[other], &[]), Err(2006));
    let verify = scene.verify(guardian_set(&PROGRAM, 0));
    scene
        .world
        .send(std::slice::from_ref(&verify), &[])
        .unwrap();
    let late = scene.write(0, &[1]);
    for again in [late, verify] {
        assert_eq!(
            scene.world.send(&[again], &[]),
            Err(PythError::NotInWritingStatus.into())
        );
    }
}

#[test]
fn what_is_no_message_is_not_verified() {
    let mut scene = Scene::new(&config(PROGRAM));
    scene.vaa[0] = 2;
    scene.written();
    let verify = scene.verify(guardian_set(&PROGRAM, 0));
    assert_eq!(
        scene.world.send(&[verify], &[]),
        Err(PythError::CannotParseVaa.into())
    );
}
