//! What the clusters of this machine have in common.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use async_trait::async_trait;
use ballast_abi::system;
use ballast_client::{
    Account, Chain, Instruction, Keypair, PriorityFee, Pubkey, Receipt, Request, SendError, Sender,
    SenderConfig, Signer,
};

use crate::programs::Programs;

/// Where a cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// JSON-RPC.
    pub rpc_url: String,
    /// Websocket.
    pub ws_url: String,
}

/// A cluster on this machine. It ends when it is dropped.
#[async_trait]
pub trait Localnet: Send + Sync {
    /// Its kind, for messages and reports.
    fn name(&self) -> &'static str;

    /// To ask and to send.
    fn chain(&self) -> Arc<dyn Chain>;

    /// Where others reach it; `None` if only this process can.
    fn endpoints(&self) -> Option<&Endpoints>;

    /// A wallet with plenty of SOL.
    fn payer(&self) -> &Keypair;

    /// What it runs.
    fn programs(&self) -> &Programs;

    /// How long to wait between two looks at it.
    fn poll(&self) -> Duration;

    /// Whether [`Localnet::pass_time`] takes no time.
    fn moves_time(&self) -> bool;

    /// Lets the cluster's clock advance by at least `secs`: at once where time can be moved, else by waiting.
    async fn pass_time(&self, secs: u64) -> Result<()>;

    /// Writes an account, where that is possible.
    async fn set_account(&self, address: &Pubkey, account: Account) -> Result<()> {
        let _ = account;
        bail!(
            "{} cannot write account {address}: use the SVM or the embedded node",
            self.name()
        )
    }
}

/// What every [`Localnet`] can do.
pub trait LocalnetExt: Localnet {
    /// A sender that fits the cluster's pace.
    fn sender(&self) -> Sender {
        let config = SenderConfig {
            fee: PriorityFee::None,
            poll: self.poll(),
            resend: self.poll() * 10,
            deadline: Duration::from_secs(60),
            ..SenderConfig::default()
        };
        Sender::new(self.chain(), config)
    }

    /// Sends instructions that the payer and `signers` sign.
    fn execute(
        &self,
        instructions: Vec<Instruction>,
        signers: &[&Keypair],
    ) -> impl Future<Output = Result<Receipt, SendError>> + Send {
        let sender = self.sender();
        async move {
            let mut request = Request::new(self.payer(), instructions);
            for signer in signers {
                request = request.signer(*signer);
            }
            sender.send(&request).await
        }
    }

    /// An instruction that sends SOL from the payer.
    fn funding(&self, to: &Pubkey, lamports: u64) -> Instruction {
        system::transfer(self.payer().pubkey(), *to, lamports)
    }

    /// Sends SOL from the payer.
    fn fund(
        &self,
        to: &Pubkey,
        lamports: u64,
    ) -> impl Future<Output = Result<Receipt, SendError>> + Send {
        let instruction = self.funding(to, lamports);
        async move { self.execute(vec![instruction], &[]).await }
    }
}

impl<T: Localnet + ?Sized> LocalnetExt for T {}
