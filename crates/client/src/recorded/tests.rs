//! What was answered is answered again.

use super::*;

/// Answers with the number of the question.
#[derive(Default)]
struct Counting(Mutex<u64>);

impl Counting {
    fn account(&self) -> (u64, Account) {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        let account = Account {
            lamports: *count,
            data: vec![0, 255, 7],
            owner: Pubkey::new_from_array([5; 32]),
            executable: true,
            rent_epoch: u64::MAX,
        };
        (*count, account)
    }
}

#[async_trait]
impl Chain for Counting {
    fn label(&self) -> String {
        "a node".into()
    }
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        let (slot, account) = self.account();
        let mut accounts = vec![None; addresses.len()];
        accounts[0] = Some(account);
        Ok(Accounts { slot, accounts })
    }
    async fn program_accounts(
        &self,
        program: &Pubkey,
        _: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let (_, account) = self.account();
        Ok(OwnedAccounts {
            slot: None,
            accounts: vec![(*program, account)],
        })
    }
    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        never("")
    }
    async fn block_height(&self) -> Result<u64, ChainError> {
        never("")
    }
    async fn slot(&self) -> Result<u64, ChainError> {
        never("")
    }
    async fn simulate(&self, _: &VersionedTransaction) -> Result<Simulation, ChainError> {
        never("")
    }
    async fn submit(&self, _: &VersionedTransaction) -> Result<(), ChainError> {
        never("")
    }
    async fn status(
        &self,
        _: &Signature,
        _: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        never("")
    }
    async fn transaction(&self, _: &Signature) -> Result<Option<TransactionRecord>, ChainError> {
        never("")
    }
    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        never("")
    }
    async fn rent_lamports(&self, _: usize) -> Result<u64, ChainError> {
        never("")
    }
}

#[tokio::test]
async fn what_was_answered_is_answered_again_in_its_order() {
    let node = Counting::default();
    let recording = RecordedChain::of(&node);
    let [a, b] = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
    let filter = AccountFilter {
        offset: 8,
        bytes: vec![1, 2],
    };
    let filters = std::slice::from_ref(&filter);
    let mut said = Vec::new();
    for _ in 0..2 {
        said.push(recording.accounts(&[a, b]).await.unwrap());
    }
    let owned = recording.program_accounts(&b, filters).await.unwrap();
    let again = RecordedChain::from_json(&recording.to_json()).unwrap();
    assert_eq!(
        (recording.label(), again.label()),
        ("a node".into(), "the record".into())
    );
    for expected in [&said[0], &said[1], &said[1]] {
        assert_eq!(again.accounts(&[a, b]).await.as_ref(), Ok(expected));
    }
    assert_eq!(again.program_accounts(&b, filters).await, Ok(owned));
    // What was not asked nobody knows.
    let other = again.accounts(&[b]).await.unwrap_err().to_string();
    assert!(other.contains("was not asked then"), "{other}");
    assert!(again.program_accounts(&a, filters).await.is_err());
    assert!(again.slot().await.is_err());
}

#[test]
fn a_file_of_something_else_is_refused() {
    for (text, said) in [
        ("", "no JSON of recorded accounts"),
        ("{}", "there is no table `answers`"),
        (
            r#"{"answers": {"q": 1}}"#,
            "`q` are not as they are recorded: no list of answers",
        ),
        (r#"{"answers": {"q": [{}]}}"#, "no list of accounts"),
        (
            r#"{"answers": {"q": [{"accounts": [{"address": "x"}]}]}}"#,
            "an address that is none",
        ),
        (
            r#"{"answers": {"q": [{"accounts": [{"account": {}}]}]}}"#,
            "an account that is none",
        ),
    ] {
        let error = RecordedChain::from_json(text).err().unwrap().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}
