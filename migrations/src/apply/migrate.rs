//! Accounts of the earlier version become accounts of this one.

use ballast_client::{
    Account, DecodeError, Market, MarketContext, MarketParams, Positions, ProgramAccount, Pubkey,
    Reserve, RulesSinceVersion2, decode, decode_any_version, decode_at, instruction,
};

use super::{ApplyError, Run};

/// The version that the program migrates.
const EARLIER: u8 = 1;
/// Positions that are migrated in one transaction; it holds about twenty more addresses.
const POSITIONS_PER_TRANSACTION: usize = 12;

impl Run<'_> {
    /// The market in this version, migrated with the new rules of `params` if need be.
    pub(super) async fn migrated_market(
        &mut self,
        address: &Pubkey,
        account: &Account,
        params: MarketParams,
    ) -> Result<Market, ApplyError> {
        let Some(earlier) = earlier::<Market>(address, account)? else {
            return Ok(decode(address, account)?);
        };
        self.require_authority(*address, &earlier)?;
        let rules = RulesSinceVersion2 {
            keepers: params.keepers,
            stages: params.stages,
        };
        let chosen = Some((&self.authority.pubkey(), rules));
        let migrate = instruction::migrate_market(address, chosen);
        self.step(format!("migrated market {address}"), [migrate])
            .await?;
        let account = self.sender.chain().account(address).await?;
        Ok(decode_at(address, account.as_ref())?)
    }

    /// The reserve in this version, migrated if need be.
    pub(super) async fn migrated_reserve(
        &mut self,
        address: &Pubkey,
        account: &Account,
    ) -> Result<Reserve, ApplyError> {
        if earlier::<Reserve>(address, account)?.is_none() {
            return Ok(decode(address, account)?);
        }
        let migrate = instruction::migrate_reserve(address);
        self.step(format!("migrated reserve {address}"), [migrate])
            .await?;
        let account = self.sender.chain().account(address).await?;
        Ok(decode_at(address, account.as_ref())?)
    }

    /// Migrates the market's positions that need it.
    pub(super) async fn positions(&mut self, market: &MarketContext) -> Result<(), ApplyError> {
        if market.market.open_positions == 0 {
            return Ok(());
        }
        let chain = self.sender.chain().clone();
        let all = Positions::of_market(chain.as_ref(), &market.address).await?;
        let old = all.unreadable.iter().filter_map(|error| match error {
            DecodeError::WrongVersion {
                address,
                found: EARLIER,
                ..
            } => Some(*address),
            _ => None,
        });
        let old: Vec<_> = old.collect();
        for some in old.chunks(POSITIONS_PER_TRANSACTION) {
            let migrate = |position| instruction::migrate_position(&market.address, position);
            let names: Vec<_> = some.iter().map(Pubkey::to_string).collect();
            let what = format!("migrated {} positions: {}", some.len(), names.join(", "));
            self.step(what, some.iter().map(migrate).collect::<Vec<_>>())
                .await?;
        }
        Ok(())
    }
}

/// The account, if it is of the version that is migrated.
fn earlier<T: ProgramAccount>(
    address: &Pubkey,
    account: &Account,
) -> Result<Option<T>, DecodeError> {
    let value: T = decode_any_version(address, account)?;
    Ok((value.layout_version() == EARLIER).then_some(value))
}
