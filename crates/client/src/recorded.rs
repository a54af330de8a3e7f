//! What a cluster answered about accounts, written down, and a cluster that answers the same again.
//!
//! The file is JSON: each question with its answers, in the order in which they came. A question that was asked again may have another answer.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use solana_sdk::{
    account::Account, pubkey::Pubkey, signature::Signature, transaction::VersionedTransaction,
};
use thiserror::Error;

use crate::{
    AccountFilter, Accounts, Blockhash, Chain, ChainError, OwnedAccounts, Simulation,
    TransactionRecord, TransactionStatus,
};

/// What is wrong with a file of answers.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// No JSON.
    #[error("it is no JSON of recorded accounts: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of something else.
    #[error("the answers to `{question}` are not as they are recorded: {problem}")]
    Answer {
        /// Of which question.
        question: String,
        /// What is wrong.
        problem: &'static str,
    },
}

fn of_accounts(addresses: &[Pubkey]) -> String {
    let all: Vec<String> = addresses.iter().map(Pubkey::to_string).collect();
    format!("accounts {}", all.join(" "))
}

fn of_program(program: &Pubkey, filters: &[AccountFilter]) -> String {
    let all: Vec<String> = filters
        .iter()
        .map(|filter| format!("{}={}", filter.offset, STANDARD.encode(&filter.bytes)))
        .collect();
    format!("program {program} {}", all.join(" "))
}

fn written(account: &Account) -> Value {
    json!({
        "lamports": account.lamports,
        "owner": account.owner.to_string(),
        "executable": account.executable,
        "rent_epoch": account.rent_epoch,
        "data": STANDARD.encode(&account.data),
    })
}

fn read(value: &Value) -> Option<Account> {
    Some(Account {
        lamports: value["lamports"].as_u64()?,
        owner: value["owner"].as_str()?.parse().ok()?,
        executable: value["executable"].as_bool()?,
        rent_epoch: value["rent_epoch"].as_u64()?,
        data: STANDARD.decode(value["data"].as_str()?).ok()?,
    })
}

/// An answer; addresses are those of a program's accounts.
#[derive(Clone, Debug)]
struct Answer {
    slot: Option<u64>,
    accounts: Vec<(Option<Pubkey>, Option<Account>)>,
}

impl Answer {
    fn to_json(&self) -> Value {
        let accounts: Vec<Value> = self
            .accounts
            .iter()
            .map(|(address, account)| {
                json!({
                    "address": address.map(|address| address.to_string()),
                    "account": account.as_ref().map(written),
                })
            })
            .collect();
        json!({ "slot": self.slot, "accounts": accounts })
    }

    fn from_json(value: &Value) -> Result<Self, &'static str> {
        let accounts = value["accounts"].as_array().ok_or("no list of accounts")?;
        let accounts = accounts.iter().map(|each| {
            let address = match &each["address"] {
                Value::Null => None,
                address => {
                    let address = address.as_str().and_then(|text| text.parse().ok());
                    Some(address.ok_or("an address that is none")?)
                }
            };
            let account = match &each["account"] {
                Value::Null => None,
                account => Some(read(account).ok_or("an account that is none")?),
            };
            Ok((address, account))
        });
        Ok(Self {
            slot: value["slot"].as_u64(),
            accounts: accounts.collect::<Result<_, &'static str>>()?,
        })
    }
}

/// A cluster whose answers about accounts are written down, or come from what was. Other questions it refuses: they would not be answered
/// again.
pub struct RecordedChain<'a> {
    /// Whom it asks; `None`: the record.
    asks: Option<&'a dyn Chain>,
    answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
}

impl<'a> RecordedChain<'a> {
    /// Asks a cluster, and writes down what it answers.
    pub fn of(chain: &'a dyn Chain) -> Self {
        Self {
            asks: Some(chain),
            answers: Mutex::default(),
        }
    }

    /// All answers so far, as a file.
    pub fn to_json(&self) -> String {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answers: BTreeMap<&String, Vec<Value>> = answers
            .iter()
            .map(|(question, given)| (question, given.iter().map(Answer::to_json).collect()))
            .collect();
        format!("{:#}\n", json!({ "answers": answers }))
    }

    /// Answers as a file of [`Self::to_json`] says.
    ///
    /// # Errors
    /// [`RecordedError`].
    pub fn from_json(text: &str) -> Result<Self, RecordedError> {
        let file: Value = serde_json::from_str(text)?;
        let wrong = |question: &str, problem| RecordedError::Answer {
            question: question.to_owned(),
            problem,
        };
        let all = file["answers"].as_object();
        let all = all.ok_or_else(|| wrong("all", "there is no table `answers`"))?;
        let mut answers = BTreeMap::new();
        for (question, given) in all {
            let given = given
                .as_array()
                .ok_or_else(|| wrong(question, "no list of answers"))?;
            let given = given
                .iter()
                .map(Answer::from_json)
                .collect::<Result<_, _>>();
            let given = given.map_err(|problem| wrong(question, problem))?;
            answers.insert(question.clone(), given);
        }
        Ok(Self {
            asks: None,
            answers: Mutex::new(answers),
        })
    }

    fn note(&self, question: String, answer: Answer) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.entry(question).or_default().push_back(answer);
    }

    /// The next answer to a question; its last one counts for all that come later.
    fn recall(&self, question: &str, what: &'static str) -> Result<Answer, ChainError> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let given = answers.get_mut(question);
        let next = given.and_then(|given| match given.len() {
            0 | 1 => given.front().cloned(),
            _ => given.pop_front(),
        });
        next.ok_or_else(|| refused(what, format!("`{question}` was not asked then")))
    }
}

fn refused(what: &'static str, reason: String) -> ChainError {
    ChainError::Refused {
        endpoint: "the record".into(),
        what,
        reason,
    }
}

fn never<T>(what: &'static str) -> Result<T, ChainError> {
    Err(refused(what, "it holds accounts alone".into()))
}

#[async_trait]
impl Chain for RecordedChain<'_> {
    fn label(&self) -> String {
        self.asks.map_or("the record".into(), Chain::label)
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        let question = of_accounts(addresses);
        let Some(chain) = self.asks else {
            let answer = self.recall(&question, "accounts")?;
            let accounts = answer.accounts.into_iter().map(|(_, account)| account);
            let accounts: Vec<_> = accounts.collect();
            return match answer.slot {
                Some(slot) if accounts.len() == addresses.len() => Ok(Accounts { slot, accounts }),
                _ => Err(refused(
                    "accounts",
                    format!("the answer to `{question}` is not of these accounts"),
                )),
            };
        };
        let answer = chain.accounts(addresses).await?;
        let accounts = answer.accounts.iter();
        self.note(
            question,
            Answer {
                slot: Some(answer.slot),
                accounts: accounts.map(|account| (None, account.clone())).collect(),
            },
        );
        Ok(answer)
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let question = of_program(program, filters);
        let Some(chain) = self.asks else {
            let answer = self.recall(&question, "a program's accounts")?;
            let accounts = answer.accounts.into_iter();
            return Ok(OwnedAccounts {
                slot: answer.slot,
                accounts: accounts
                    .filter_map(|(address, account)| address.zip(account))
                    .collect(),
            });
        };
        let answer = chain.program_accounts(program, filters).await?;
        let accounts = answer.accounts.iter().cloned();
        self.note(
            question,
            Answer {
                slot: answer.slot,
                accounts: accounts
                    .map(|(address, account)| (Some(address), Some(account)))
                    .collect(),
            },
        );
        Ok(answer)
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        never("a blockhash")
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        never("the block height")
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        never("the slot")
    }

    async fn simulate(&self, _: &VersionedTransaction) -> Result<Simulation, ChainError> {
        never("a simulation")
    }

    async fn submit(&self, _: &VersionedTransaction) -> Result<(), ChainError> {
        never("a transaction")
    }

    async fn status(
        &self,
        _: &Signature,
        _: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        never("what became of a transaction")
    }

    async fn transaction(&self, _: &Signature) -> Result<Option<TransactionRecord>, ChainError> {
        never("a transaction's record")
    }

    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        never("recent fees")
    }

    async fn rent_lamports(&self, _: usize) -> Result<u64, ChainError> {
        never("rent")
    }
}

#[cfg(test)]
mod tests;
