//! The keeper with a service that signs, which is slow and refuses at times: everything as often as with a key of its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::{Prepared, Pubkey, SignError, Signature, TransactionSigner};
use ballast_strategy::decide::ActionKind;
use solana_sdk::{signature::Keypair, signer::Signer};
use tokio::time::{Instant, sleep};

use super::{
    Faults, World,
    scene::{POSITIONS, beside, keypair, landed, parts, settled, world},
};
use crate::{
    Keeper, Mode, Parts,
    journal::{Record, scan},
};

struct Service {
    key: Keypair,
    world: World,
    /// Of a hundred.
    refuses: u64,
    signed: Mutex<Vec<Vec<u8>>>,
}

#[async_trait]
impl TransactionSigner for Service {
    fn address(&self) -> Pubkey {
        self.key.pubkey()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let (pause, refuses) = {
            let mut world = self.world.lock();
            (world.random(2_000), world.chance(self.refuses))
        };
        sleep(Duration::from_millis(pause)).await;
        if refuses {
            let at = "service".into();
            let within = Duration::from_millis(pause);
            return Err(SignError::Late { at, within });
        }
        self.signed.lock().unwrap().push(message.to_vec());
        Ok(self.key.sign_message(message))
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_slow_and_refuses_signs_everything_once() {
    for seed in 1..=8 {
        let faults = Faults {
            lost: 20,
            ..Faults::default()
        };
        let (world, disk) = world(seed, faults);
        world.lock().set_price(205);
        let service = Arc::new(Service {
            key: keypair(),
            world: world.clone(),
            refuses: 50,
            signed: Mutex::default(),
        });
        let keeper = Keeper::new(Parts {
            signer: Some(service.clone()),
            ..parts(&world, &disk, Mode::Active)
        });
        beside(keeper, settled(&world, &disk, Instant::now())).await;
        assert_eq!(landed(&world, ActionKind::Rehedge), usize::from(POSITIONS));
        assert_eq!(world.lock().violations, Vec::<String>::new(), "seed {seed}");
        let signed = service.signed.lock().unwrap();
        let records = scan(&disk.bytes()).unwrap().records;
        for record in records {
            let Record::Intent(intent) = record else {
                continue;
            };
            let prepared =
                Prepared::from_bytes(&intent.transaction, intent.last_valid_block_height).unwrap();
            let message = prepared.transaction().message.serialize();
            let times = signed.iter().filter(|one| **one == message).count();
            assert_eq!(times, 1, "seed {seed}: intent {}", intent.id.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_signature_nothing_is_sent() {
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let service = Arc::new(Service {
        key: keypair(),
        world: world.clone(),
        refuses: 100,
        signed: Mutex::default(),
    });
    let keeper = Keeper::new(Parts {
        signer: Some(service),
        ..parts(&world, &disk, Mode::Active)
    });
    beside(keeper, sleep(Duration::from_secs(600))).await;
    assert_eq!(world.lock().submits, 0);
    let records = scan(&disk.bytes()).unwrap().records;
    let intents = records.iter().filter(|it| matches!(it, Record::Intent(_)));
    assert_eq!(intents.count(), 0);
}
