//! Rewards that are booked are paid out, as far as the vault goes, to whom the position's NFT says, and keep a position
//! open. How they come to be booked is written into the accounts here: only the real program has them grow.

mod support;

use ballast_abi::{
    Address, spl,
    whirlpool::{PositionView, instruction::*, layout},
};
use solana_signer::Signer;
use support::*;

const VAULT: u64 = 1_000;

/// A scene whose pool has a reward in the slot 1, without liquidity in its position.
struct Rewarded {
    scene: Scene,
    mint: Address,
    vault: Address,
    /// Alice's account of the reward.
    wallet: Address,
}

impl Rewarded {
    fn new() -> Self {
        let mut scene = Scene::new();
        let Scene {
            world,
            pool,
            alice,
            position,
            ..
        } = &mut scene;
        pool.decrease(world, alice, position, decrease(LIQUIDITY))
            .unwrap();
        let reward = key("reward", 0);
        world.create_mint(&reward, spl::TOKEN_PROGRAM, 5);
        let mint = reward.pubkey();
        let vault = world.fund(pool.address, mint, spl::TOKEN_PROGRAM, VAULT);
        let wallet = world.fund(alice.key.pubkey(), mint, spl::TOKEN_PROGRAM, 0);
        let slot = layout::pool::REWARDS + layout::pool::REWARD_LENGTH;
        let pool = pool.address;
        write(world, pool, slot, mint.as_ref());
        write(world, pool, slot + 32, vault.as_ref());
        Self {
            scene,
            mint,
            vault,
            wallet,
        }
    }

    fn book(&mut self, owed: u64) {
        let at = layout::position::REWARDS + layout::position::REWARD_LENGTH + 16;
        let position = self.scene.position.address;
        write(&mut self.scene.world, position, at, &owed.to_le_bytes());
    }

    fn owed(&self) -> [u64; 3] {
        let data = self.scene.world.data(&self.scene.position.address);
        PositionView::parse(&data).unwrap().rewards_owed()
    }

    fn collect_with(
        &mut self,
        reward_index: u8,
        tamper: impl Fn(&mut CollectRewardV2Accounts),
    ) -> Outcome {
        let Scene {
            pool,
            alice,
            position,
            ..
        } = &self.scene;
        let mut accounts = CollectRewardV2Accounts {
            pool: pool.address,
            position_authority: alice.key.pubkey(),
            position: position.address,
            position_token_account: position.token_account,
            reward_owner_account: self.wallet,
            reward_mint: self.mint,
            reward_vault: self.vault,
            reward_token_program: spl::TOKEN_PROGRAM,
            memo_program: spl::MEMO_PROGRAM,
        };
        tamper(&mut accounts);
        let instruction = CollectRewardV2 { reward_index }.instruction(pool.program, &accounts);
        let (alice, bob) = (
            alice.key.insecure_clone(),
            self.scene.bob.key.insecure_clone(),
        );
        let signer = if accounts.position_authority == bob.pubkey() {
            bob
        } else {
            alice
        };
        self.scene.send(instruction, &signer)
    }

    fn collect(&mut self) -> Outcome {
        self.collect_with(1, |_| {})
    }

    fn close(&mut self) -> Outcome {
        let Scene {
            world,
            pool,
            alice,
            position,
            ..
        } = &mut self.scene;
        pool.close(world, &alice.key, position)
    }
}

fn write(world: &mut World, address: Address, at: usize, bytes: &[u8]) {
    let mut account = world.account(&address).unwrap();
    account.data[at..at + bytes.len()].copy_from_slice(bytes);
    world.svm.set_account(address, account).unwrap();
}

#[test]
fn a_position_with_rewards_is_not_closed_until_they_are_collected() {
    let mut it = Rewarded::new();
    it.book(7);
    assert_code(it.close(), 6005);
    it.collect().unwrap();
    assert_eq!(it.scene.world.balance(&it.wallet), 7);
    assert_eq!(it.scene.world.balance(&it.vault), VAULT - 7);
    assert_eq!(it.owed(), [0; 3]);
    it.close().unwrap();
}

#[test]
fn a_vault_pays_what_it_has_and_the_rest_stays_owed() {
    let mut it = Rewarded::new();
    it.book(VAULT + 7);
    it.collect().unwrap();
    assert_eq!(it.scene.world.balance(&it.wallet), VAULT);
    assert_eq!(it.owed(), [0, 7, 0]);
    assert_code(it.close(), 6005);
    // Nothing is paid, and that is no error.
    it.collect().unwrap();
    assert_eq!(it.owed(), [0, 7, 0]);
}

#[test]
fn every_account_of_a_collection_is_checked() {
    let mut it = Rewarded::new();
    it.book(7);
    let Scene {
        world,
        pool,
        alice,
        bob,
        ..
    } = &mut it.scene;
    let (bob, alice_a, mint_a, vault_a) =
        (bob.key.pubkey(), alice.account_a, pool.mint_a, pool.vault_a);
    let second = open(world, pool, alice, 1);
    let other = pool_with_arrays(world, 7);
    let foreign = open(world, &other, alice, 2);
    type Tamper<'a> = &'a dyn Fn(&mut CollectRewardV2Accounts);
    let cases: [(u32, Tamper); 10] = [
        (HAS_ONE, &|accounts| accounts.pool = other.address),
        (HAS_ONE, &|accounts| accounts.position = foreign.address),
        (RAW, &|accounts| {
            accounts.position_token_account = second.token_account;
        }),
        (6019, &|accounts| accounts.position_authority = bob),
        (RAW, &|accounts| accounts.reward_owner_account = alice_a),
        (ADDRESS, &|accounts| accounts.reward_mint = mint_a),
        (ADDRESS, &|accounts| accounts.reward_vault = vault_a),
        (ADDRESS, &|accounts| {
            accounts.reward_token_program = spl::TOKEN_2022_PROGRAM;
        }),
        (WRONG_PROGRAM, &|accounts| {
            accounts.reward_token_program = spl::SYSTEM_PROGRAM;
        }),
        (WRONG_PROGRAM, &|accounts| {
            accounts.memo_program = spl::SYSTEM_PROGRAM;
        }),
    ];
    for (number, (code, tamper)) in cases.into_iter().enumerate() {
        println!("case {number}");
        assert_code(it.collect_with(1, tamper), code);
    }
    // A slot without a reward.
    assert_code(it.collect_with(0, |_| {}), RAW);
    // There are three; the real program fails without a number.
    let failure = it.collect_with(3, |_| {}).unwrap_err();
    assert!(
        matches!(failure.code, Some(6026) | None),
        "{}",
        failure.text
    );
    assert_eq!(it.owed(), [0, 7, 0]);
    it.collect().unwrap();
}
