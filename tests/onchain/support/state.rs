//! What is stored: read, and written over as only a test can.

use ballast_client::{
    Account, Market, MarketParams, Position, PositionContext, Pubkey, Reserve, Side, Signer,
    SqrtPrice,
};
use ballast_localnet::{Localnet, LocalnetExt, keys};
use ballast_model::{Position as PositionModel, lending::ReserveState};
use bytemuck::Pod;

use super::{Scene, accepted};

impl Scene {
    /// The position as a value with interest to now, and the oracle's price.
    pub async fn model(&self, position: &PositionContext) -> (PositionModel, SqrtPrice) {
        let snapshot = self.world.snapshot().await.unwrap();
        let stored = self.world.reload(position).await.unwrap().position;
        (
            snapshot.position(&stored, snapshot.now_secs).unwrap(),
            snapshot.oracle_sqrt_price().unwrap(),
        )
    }

    /// A reserve's numbers with interest to now.
    pub async fn reserve(&self, side: Side) -> ReserveState {
        let snapshot = self.world.snapshot().await.unwrap();
        snapshot.reserve_at(side, snapshot.now_secs).unwrap()
    }

    /// The bytes of an account.
    pub async fn bytes(&self, address: &Pubkey) -> Vec<u8> {
        let account = self.svm.chain().account(address).await.unwrap();
        account
            .unwrap_or_else(|| panic!("{address} does not exist"))
            .data
    }

    /// What an address holds; nothing if there is no account.
    pub async fn lamports(&self, address: &Pubkey) -> u64 {
        let account = self.svm.chain().account(address).await.unwrap();
        account.map_or(0, |account| account.lamports)
    }

    /// The market's parameters, changed from those it was set up with: at once, as only a test can. That changes need notice
    /// is what `guards_setup` is about.
    pub async fn change_limits(&self, change: impl FnOnce(&mut MarketParams)) {
        let mut params = self.world.config.desired.market_params();
        change(&mut params);
        self.change_market(|market| market.set_params(&params).unwrap())
            .await;
    }

    /// Writes over the market's account, as only a test can.
    pub async fn change_market(&self, change: impl FnOnce(&mut Market)) {
        self.write_over(&self.world.market.address, change).await;
    }

    /// Writes over a reserve's account, as only a test can.
    pub async fn change_reserve(&self, address: &Pubkey, change: impl FnOnce(&mut Reserve)) {
        self.write_over(address, change).await;
    }

    /// Writes over a position's account, as only a test can.
    pub async fn change_position(
        &self,
        position: &PositionContext,
        change: impl FnOnce(&mut Position),
    ) {
        self.write_over(&position.address, change).await;
    }

    async fn write_over<T: Pod>(&self, address: &Pubkey, change: impl FnOnce(&mut T)) {
        self.patch(address, |data| {
            let body = &mut data[8..];
            let mut value: T = bytemuck::pod_read_unaligned(body);
            change(&mut value);
            body.copy_from_slice(bytemuck::bytes_of(&value));
        })
        .await;
    }

    /// Writes over an account's bytes, as only a test can.
    pub async fn patch(&self, address: &Pubkey, change: impl FnOnce(&mut Vec<u8>)) {
        let mut account = self.svm.chain().account(address).await.unwrap().unwrap();
        change(&mut account.data);
        self.svm.set_account(address, account).await.unwrap();
    }

    /// Copies an account to a new address, changed.
    pub async fn copy_account(
        &self,
        from: &Pubkey,
        to: &Pubkey,
        change: impl FnOnce(&mut Account),
    ) {
        let mut account = self.svm.chain().account(from).await.unwrap().unwrap();
        change(&mut account);
        self.svm.set_account(to, account).await.unwrap();
    }

    /// An address that nobody has used.
    pub fn fresh_address(name: &str) -> Pubkey {
        keys::named(name).pubkey()
    }

    /// Gives SOL to an address.
    pub async fn fund(&self, to: &Pubkey, lamports: u64) {
        accepted(self.svm.fund(to, lamports).await);
    }
}
