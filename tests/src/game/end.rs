//! How a game ends.

use ballast_client::{Keypair, Signer, instruction};

use super::{Game, Played, RICH, SIDES, START_PRICE};

impl Game {
    /// Everybody leaves, and everything is as it must be then.
    pub async fn end(&mut self) {
        // Whoever has given or lent everything away could not repay.
        for person in &self.people {
            self.world.mint_to(&person.key(), RICH).await.unwrap();
        }
        let positions = self.now.last.positions();
        self.now.supply = self.tokens(&positions).await;
        // The oracle stays as silent, the market's mode and stage as strict as they are: leaving needs neither.
        let price = self.world.sqrt_price_at(START_PRICE).unwrap();
        self.world.move_pool(price).await.unwrap();
        self.check(None, &Played::default()).await;
        for position in positions {
            // The pool program keeps a position that it owes something.
            let collected = self.collect_reward(&position).await;
            self.check(None, &collected).await;
            let closed = self.close(&position).await;
            if let Some(failure) = &closed.refused {
                panic!(
                    "position {} cannot be closed: {failure}\n{:#?}",
                    position.position.id, failure.logs
                );
            }
            self.check(None, &closed).await;
        }
        let people = self.people.iter().map(|person| &person.keypair);
        let holders = people
            .chain([&self.world.lender])
            .map(Keypair::insecure_clone);
        for holder in holders.collect::<Vec<_>>() {
            let key = holder.pubkey();
            for side in SIDES {
                let market = &self.world.market;
                let account = market.share_wallet(&key, side);
                let shares = self.world.balance(&account).await.unwrap();
                if shares > 0 {
                    let withdraw = instruction::withdraw(market, &key, side, shares, 0);
                    let sent = self.send_by(&holder, withdraw).await;
                    // Dust of shares may be worth nothing.
                    assert!(
                        sent.refused.is_none() || shares < 2_000,
                        "{side:?}: {shares} shares are stuck: {sent:?}"
                    );
                    self.check(None, &sent).await;
                }
            }
        }
        self.check(None, &Played::default()).await;
        self.check_end().await;
    }
}
