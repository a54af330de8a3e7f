//! The sender against a scripted cluster: what is sent, how often, and how the outcome is named.

mod script;

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use async_trait::async_trait;
use ballast_client::{
    BallastError, BuildError, Cause, Chain, Confirmation, EXPIRY_MARGIN, Failure, Fate, Keypair,
    Outcome, Payer, PriorityFee, Pubkey, Request, SendError, SignError, Signature,
    TransactionSigner, await_fate, fate,
};
use script::{LAST_VALID, Script, budget, custom, instruction, sender, status, unreachable_node};
use solana_sdk::{instruction::InstructionError, transaction::TransactionError};

#[tokio::test(start_paused = true)]
async fn the_limit_comes_from_the_simulation_and_the_fee_from_others_up_to_the_cap() {
    let script = Script {
        fees: vec![10, 900, 50],
        ..Script::default()
    };
    let (sender, _) = sender(script);
    let payer = Keypair::new();
    let request = Request::new(&payer, [instruction()]);
    assert_eq!(
        budget(&sender.prepare(&request).await.unwrap()),
        (135_000, None)
    );
    let recent = |cap| PriorityFee::Recent {
        percentile: 100,
        cap,
    };
    let request = request.fee(recent(500));
    assert_eq!(
        budget(&sender.prepare(&request).await.unwrap()),
        (135_000, Some(500))
    );
    let request = request.fee(recent(5_000)).compute_limit(7);
    assert_eq!(
        budget(&sender.prepare(&request).await.unwrap()),
        (7, Some(900))
    );
}

#[tokio::test(start_paused = true)]
async fn what_would_fail_is_not_sent() {
    let script = Script {
        simulation: Some(custom(BallastError::PriceStale)),
        ..Script::default()
    };
    let (sender, chain) = sender(script);
    let payer = Keypair::new();
    let error = sender
        .send(&Request::new(&payer, [instruction()]))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SendError::Refused(failure) if failure.is(BallastError::PriceStale)),
        "{error}"
    );
    assert!(chain.with(|script| script.sent.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_are_sent_again_until_it_lands() {
    let mut statuses = VecDeque::from(vec![None; 12]);
    statuses.push_back(status(Confirmation::Processed, None));
    statuses.push_back(status(Confirmation::Confirmed, None));
    let script = Script {
        statuses,
        submissions: [Err(unreachable_node())].into(),
        ..Script::default()
    };
    let (sender, chain) = sender(script);
    let payer = Keypair::new();
    let receipt = sender
        .send(&Request::new(&payer, [instruction()]))
        .await
        .unwrap();
    assert_eq!((receipt.slot, receipt.units), (9, Some(77)));
    // Twelve looks 0.4 s apart, sent at 0, 2 and 4 s.
    let sent = chain.with(|script| script.sent.clone());
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|bytes| *bytes == sent[0]));
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_chain_is_named_from_its_logs() {
    let pool = Pubkey::new_unique();
    let error = TransactionError::InstructionError(1, InstructionError::Custom(6_038));
    let script = Script {
        statuses: [status(Confirmation::Finalized, Some(error))].into(),
        ..Script::default()
    };
    let (sender, chain) = sender(script);
    let payer = Keypair::new();
    let prepared = sender
        .prepare(&Request::new(&payer, [instruction()]))
        .await
        .unwrap();
    let logs = [
        format!("Program {} invoke [1]", ballast::ID),
        format!("Program {pool} invoke [2]"),
        format!("Program {pool} failed: custom program error: 0x1796"),
    ];
    chain.with(|script| script.logs = logs.into());
    let outcome = sender.deliver(&prepared).await;
    let Outcome::Failed { slot: 9, failure } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        matches!(failure, Failure { program: Some(program), cause: Cause::Whirlpool { .. }, .. } if program == pool)
    );
}

#[tokio::test(start_paused = true)]
async fn expired_only_when_the_history_has_nothing() {
    let payer = Keypair::new();
    let script = |history| Script {
        height: LAST_VALID,
        height_step: 10,
        history,
        ..Script::default()
    };
    let (late, _) = sender(script(None));
    let prepared = late
        .prepare(&Request::new(&payer, [instruction()]))
        .await
        .unwrap();
    let outcome = late.deliver(&prepared).await;
    assert!(matches!(outcome, Outcome::Expired), "{outcome:?}");
    // A node that lags may not know of it yet.
    for (over, expected) in [
        (1, false),
        (EXPIRY_MARGIN, false),
        (EXPIRY_MARGIN + 1, true),
    ] {
        let (looking, _) = sender(Script {
            height: LAST_VALID + over,
            ..Script::default()
        });
        let found = looking.look_up(&prepared).await.unwrap();
        let expired = matches!(found, Some(Outcome::Expired));
        assert_eq!((expired, found.is_some()), (expected, expected), "{over}");
    }
    let (lucky, _) = sender(script(status(Confirmation::Confirmed, None)));
    let outcome = lucky.deliver(&prepared).await;
    assert!(
        matches!(outcome, Outcome::Landed { slot: 9 }),
        "{outcome:?}"
    );
    assert!(matches!(
        lucky.look_up(&prepared).await,
        Ok(Some(Outcome::Landed { .. }))
    ));
}

#[tokio::test(start_paused = true)]
async fn silence_until_the_deadline_is_not_expiry() {
    let (sender, chain) = sender(Script {
        submissions: vec![Err(unreachable_node()); 1_000].into(),
        ..Script::default()
    });
    let payer = Keypair::new();
    let prepared = sender
        .prepare(&Request::new(&payer, [instruction()]))
        .await
        .unwrap();
    let outcome = sender.deliver(&prepared).await;
    let last_error = Some(unreachable_node());
    assert!(
        matches!(&outcome, Outcome::Dropped { last_error: error } if *error == last_error),
        "{outcome:?}"
    );
    assert!(chain.with(|script| script.sent.len()) >= 30);
    assert!(matches!(sender.look_up(&prepared).await, Ok(None)));
}

#[tokio::test(start_paused = true)]
async fn the_fate_of_a_signature_is_told_and_waited_for() {
    let signature = Signature::from([3; 64]);
    let look = async |script: Script, last_valid| {
        let (_, chain) = sender(script);
        let chain: &dyn Chain = chain.as_ref();
        fate(chain, &signature, last_valid).await.unwrap()
    };
    let with = |history| Script {
        history,
        ..Script::default()
    };
    let landed = look(with(status(Confirmation::Confirmed, None)), None).await;
    assert!(matches!(landed, Fate::Landed { slot: 9, .. }), "{landed:?}");
    let seen = look(with(status(Confirmation::Processed, None)), None).await;
    assert!(matches!(seen, Fate::Seen { slot: 9 }) && !seen.is_final());
    let program = ballast::ID;
    let failed = Script {
        logs: vec![
            format!("Program {program} invoke [1]"),
            format!("Program {program} failed: custom program error: 0x1"),
        ],
        ..with(status(
            Confirmation::Finalized,
            Some(custom(BallastError::RehedgeNotDue)),
        ))
    };
    let failed = look(failed, None).await;
    assert!(
        matches!(&failed, Fate::Failed { slot: 9, failure } if failure.is(BallastError::RehedgeNotDue)),
        "{failed:?}"
    );
    // Nothing known: with the last valid height that is expiry from there on, without it not before a blockhash's life.
    let at = |height| Script {
        height,
        ..Script::default()
    };
    let unknown = look(at(LAST_VALID + 32), Some(LAST_VALID)).await;
    assert!(
        matches!(
            unknown,
            Fate::Unknown {
                height: 182,
                certain_above: 182
            }
        ),
        "{unknown:?}"
    );
    let expired = look(at(LAST_VALID + 33), Some(LAST_VALID)).await;
    assert!(matches!(expired, Fate::Expired), "{expired:?}");
    let unknown = look(at(1_000), None).await;
    assert!(
        matches!(
            unknown,
            Fate::Unknown {
                height: 1_000,
                certain_above: 1_182
            }
        ),
        "{unknown:?}"
    );
    // Waited for.
    let (_, chain) = sender(Script {
        height: 1_000,
        height_step: 10,
        ..Script::default()
    });
    let pause = Duration::from_secs(1);
    let fate = await_fate(chain.as_ref(), &signature, None, pause).await;
    assert!(matches!(fate, Ok(Fate::Expired)), "{fate:?}");
    assert!(chain.with(|script| script.height) > 1_010 + 182);
}

/// Somebody elsewhere who has a key, and whether he signs.
struct Elsewhere(Keypair, bool, Mutex<Vec<Vec<u8>>>);

#[async_trait]
impl TransactionSigner for Elsewhere {
    fn address(&self) -> Pubkey {
        self.0.address()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.2.lock().unwrap().push(message.to_vec());
        if self.1 {
            return self.0.sign(message).await;
        }
        Err(SignError::Refused {
            at: "elsewhere".into(),
            reason: "not today".into(),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_signs_what_is_sent_once_and_nothing_that_is_simulated() {
    let (sender, chain) = sender(Script::default());
    let key = || Keypair::new_from_array([5; 32]);
    let elsewhere = Elsewhere(key(), true, Mutex::default());
    let payer: Payer<'_> = (&elsewhere as &dyn TransactionSigner).into();
    let prepared = sender
        .prepare(&Request::new(payer, [instruction()]))
        .await
        .unwrap();
    assert_eq!(prepared.transaction().verify_with_results(), [true]);
    let simulated = chain.with(|script| std::mem::take(&mut script.simulated));
    assert_eq!(simulated.len(), 1);
    assert_eq!(simulated[0].signatures, [Signature::default()]);
    let message = prepared.transaction().message.serialize();
    assert_eq!(*elsewhere.2.lock().unwrap(), [message]);
    // A key in this process makes the same of it.
    let own = key();
    let own = sender.prepare(&Request::new(&own, [instruction()])).await;
    assert_eq!(own.unwrap(), prepared);
    let unwilling = Elsewhere(key(), false, Mutex::default());
    let payer: Payer<'_> = (&unwilling as &dyn TransactionSigner).into();
    let refused = sender.prepare(&Request::new(payer, [instruction()])).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, SendError::Build(BuildError::Signer { .. })),
        "{refused}"
    );
    assert!(refused.to_string().contains("not today"), "{refused}");
    assert!(chain.with(|script| script.sent.is_empty()));
}
