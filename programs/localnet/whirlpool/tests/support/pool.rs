//! Instructions to a pool, its tick arrays and positions.

use ballast_abi::{
    Address, spl,
    whirlpool::{PoolView, array_start, instruction::*, pda, swap_tick_arrays},
};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    parts::{ArrayKind, Pool, PoolSpec, Position, Trader, config_data},
    world::{Outcome, World, key},
};

impl Pool {
    /// Config, fee tier, mints, pool. `number` tells pools of one world apart.
    pub fn create(world: &mut World, number: u64, spec: PoolSpec) -> Self {
        let program = world.program;
        let payer = world.payer.pubkey();
        let config = key("config", number).pubkey();
        let data = config_data(payer, spec.protocol_fee_rate_bps);
        let account = Account {
            lamports: world.rent(data.len()),
            data,
            owner: program,
            executable: false,
            rent_epoch: u64::MAX,
        };
        world.svm.set_account(config, account).unwrap();

        let mut mints = [key("mint 1", number), key("mint 2", number)];
        mints.sort_by_key(Keypair::pubkey);
        world.create_mint(&mints[0], spec.token_program_a, 9);
        world.create_mint(&mints[1], spec.token_program_b, 6);
        let [mint_a, mint_b] = mints.map(|mint| mint.pubkey());

        let (vault_a, vault_b) = (key("vault a", number), key("vault b", number));
        let pool = Self {
            program,
            config,
            fee_tier: pda::fee_tier(&program, &config, spec.tick_spacing).0,
            address: pda::pool(&program, &config, &mint_a, &mint_b, spec.tick_spacing).0,
            mint_a,
            mint_b,
            vault_a: vault_a.pubkey(),
            vault_b: vault_b.pubkey(),
            spec,
        };
        pool.initialize_fee_tier(world).unwrap();
        pool.initialize(world, &vault_a, &vault_b).unwrap();
        pool
    }

    pub fn initialize_fee_tier(&self, world: &mut World) -> Outcome {
        let payer = world.payer.pubkey();
        let instruction = InitializeFeeTier {
            tick_spacing: self.spec.tick_spacing,
            default_fee_rate_ppm: self.spec.fee_rate_ppm,
        }
        .instruction(
            self.program,
            &InitializeFeeTierAccounts {
                config: self.config,
                fee_tier: self.fee_tier,
                funder: payer,
                fee_authority: payer,
                system_program: spl::SYSTEM_PROGRAM,
            },
        );
        world.send(&[instruction], &[])
    }

    pub fn initialize(&self, world: &mut World, vault_a: &Keypair, vault_b: &Keypair) -> Outcome {
        let instruction = InitializePoolV2 {
            tick_spacing: self.spec.tick_spacing,
            initial_sqrt_price: self.spec.sqrt_price,
        }
        .instruction(
            self.program,
            &InitializePoolV2Accounts {
                config: self.config,
                mint_a: self.mint_a,
                mint_b: self.mint_b,
                token_badge_a: pda::token_badge(&self.program, &self.config, &self.mint_a).0,
                token_badge_b: pda::token_badge(&self.program, &self.config, &self.mint_b).0,
                funder: world.payer.pubkey(),
                pool: self.address,
                vault_a: vault_a.pubkey(),
                vault_b: vault_b.pubkey(),
                fee_tier: self.fee_tier,
                token_program_a: self.spec.token_program_a,
                token_program_b: self.spec.token_program_b,
                system_program: spl::SYSTEM_PROGRAM,
                rent: spl::RENT_SYSVAR,
            },
        );
        world.send(&[instruction], &[vault_a, vault_b])
    }

    /// Someone with `amount` of each token.
    pub fn trader(&self, world: &mut World, name: &str, amount: u64) -> Trader {
        let key = key(name, 0);
        let address = key.pubkey();
        if world.account(&address).is_none() {
            world.svm.airdrop(&address, 1_000_000_000_000).unwrap();
        }
        Trader {
            account_a: world.fund(address, self.mint_a, self.spec.token_program_a, amount),
            account_b: world.fund(address, self.mint_b, self.spec.token_program_b, amount),
            key,
        }
    }

    pub fn tick_array(&self, start: i32) -> Address {
        pda::tick_array(&self.program, &self.address, start).0
    }

    /// The array that holds `tick`.
    pub fn array_of(&self, tick: i32) -> Address {
        self.tick_array(array_start(tick, self.spec.tick_spacing))
    }

    pub fn initialize_tick_array(&self, world: &mut World, start: i32, kind: ArrayKind) -> Outcome {
        let (pool, funder) = (self.address, world.payer.pubkey());
        let (tick_array, system_program) = (self.tick_array(start), spl::SYSTEM_PROGRAM);
        let instruction = match kind {
            ArrayKind::Fixed => InitializeTickArray { start }.instruction(
                self.program,
                &InitializeTickArrayAccounts {
                    pool,
                    funder,
                    tick_array,
                    system_program,
                },
            ),
            ArrayKind::Dynamic => InitializeDynamicTickArray {
                start,
                idempotent: false,
            }
            .instruction(
                self.program,
                &InitializeDynamicTickArrayAccounts {
                    pool,
                    funder,
                    tick_array,
                    system_program,
                },
            ),
        };
        world.send(&[instruction], &[])
    }

    pub fn position(&self, mint: Address, owner: Address, lower: i32, upper: i32) -> Position {
        Position {
            address: pda::position(&self.program, &mint).0,
            mint,
            token_account: spl::associated_token_account(&owner, &mint, &spl::TOKEN_2022_PROGRAM).0,
            lower,
            upper,
        }
    }

    pub fn open(
        &self,
        world: &mut World,
        owner: Address,
        mint: &Keypair,
        lower: i32,
        upper: i32,
        with_metadata: bool,
    ) -> (Position, Outcome) {
        let position = self.position(mint.pubkey(), owner, lower, upper);
        let instruction = OpenPositionWithTokenExtensions {
            tick_lower: lower,
            tick_upper: upper,
            with_metadata,
        }
        .instruction(
            self.program,
            &OpenPositionWithTokenExtensionsAccounts {
                funder: world.payer.pubkey(),
                owner,
                position: position.address,
                position_mint: position.mint,
                position_token_account: position.token_account,
                pool: self.address,
                token_2022_program: spl::TOKEN_2022_PROGRAM,
                system_program: spl::SYSTEM_PROGRAM,
                associated_token_program: spl::ASSOCIATED_TOKEN_PROGRAM,
                metadata_update_authority: METADATA_UPDATE_AUTHORITY,
            },
        );
        let outcome = world.send(&[instruction], &[mint]);
        (position, outcome)
    }

    pub fn close(&self, world: &mut World, authority: &Keypair, position: &Position) -> Outcome {
        let instruction = ClosePositionWithTokenExtensions {}.instruction(
            self.program,
            &ClosePositionWithTokenExtensionsAccounts {
                position_authority: authority.pubkey(),
                receiver: authority.pubkey(),
                position: position.address,
                position_mint: position.mint,
                position_token_account: position.token_account,
                token_2022_program: spl::TOKEN_2022_PROGRAM,
            },
        );
        world.send(&[instruction], &[authority])
    }

    pub fn reset_accounts(
        &self,
        funder: Address,
        trader: &Trader,
        position: &Position,
    ) -> ResetPositionRangeAccounts {
        ResetPositionRangeAccounts {
            funder,
            position_authority: trader.key.pubkey(),
            pool: self.address,
            position: position.address,
            position_token_account: position.token_account,
            system_program: spl::SYSTEM_PROGRAM,
        }
    }

    /// Moves an empty position to another band; the payer pays what its account lacks.
    pub fn reset(
        &self,
        world: &mut World,
        trader: &Trader,
        position: &Position,
        [tick_lower, tick_upper]: [i32; 2],
    ) -> Outcome {
        let accounts = self.reset_accounts(world.payer.pubkey(), trader, position);
        let args = ResetPositionRange {
            tick_lower,
            tick_upper,
        };
        world.send(&[args.instruction(self.program, &accounts)], &[&trader.key])
    }

    pub fn modify_accounts(
        &self,
        trader: &Trader,
        position: &Position,
    ) -> ModifyLiquidityV2Accounts {
        ModifyLiquidityV2Accounts {
            pool: self.address,
            token_program_a: self.spec.token_program_a,
            token_program_b: self.spec.token_program_b,
            memo_program: spl::MEMO_PROGRAM,
            position_authority: trader.key.pubkey(),
            position: position.address,
            position_token_account: position.token_account,
            mint_a: self.mint_a,
            mint_b: self.mint_b,
            owner_account_a: trader.account_a,
            owner_account_b: trader.account_b,
            vault_a: self.vault_a,
            vault_b: self.vault_b,
            tick_array_lower: self.array_of(position.lower),
            tick_array_upper: self.array_of(position.upper),
        }
    }

    pub fn increase(
        &self,
        world: &mut World,
        trader: &Trader,
        position: &Position,
        args: IncreaseLiquidityV2,
    ) -> Outcome {
        let accounts = self.modify_accounts(trader, position);
        world.send(&[args.instruction(self.program, &accounts)], &[&trader.key])
    }

    pub fn decrease(
        &self,
        world: &mut World,
        trader: &Trader,
        position: &Position,
        args: DecreaseLiquidityV2,
    ) -> Outcome {
        let accounts = self.modify_accounts(trader, position);
        world.send(&[args.instruction(self.program, &accounts)], &[&trader.key])
    }

    pub fn update(&self, world: &mut World, position: &Position) -> Outcome {
        let instruction = UpdateFeesAndRewards {}.instruction(
            self.program,
            &UpdateFeesAndRewardsAccounts {
                pool: self.address,
                position: position.address,
                tick_array_lower: self.array_of(position.lower),
                tick_array_upper: self.array_of(position.upper),
            },
        );
        world.send(&[instruction], &[])
    }

    pub fn collect_accounts(&self, trader: &Trader, position: &Position) -> CollectFeesV2Accounts {
        CollectFeesV2Accounts {
            pool: self.address,
            position_authority: trader.key.pubkey(),
            position: position.address,
            position_token_account: position.token_account,
            mint_a: self.mint_a,
            mint_b: self.mint_b,
            owner_account_a: trader.account_a,
            vault_a: self.vault_a,
            owner_account_b: trader.account_b,
            vault_b: self.vault_b,
            token_program_a: self.spec.token_program_a,
            token_program_b: self.spec.token_program_b,
            memo_program: spl::MEMO_PROGRAM,
        }
    }

    pub fn collect(&self, world: &mut World, trader: &Trader, position: &Position) -> Outcome {
        let accounts = self.collect_accounts(trader, position);
        world.send(
            &[CollectFeesV2 {}.instruction(self.program, &accounts)],
            &[&trader.key],
        )
    }

    pub fn swap_accounts(&self, world: &World, trader: &Trader, a_to_b: bool) -> SwapV2Accounts {
        let tick = self.with(world, |pool| pool.tick_current());
        let [tick_array_0, tick_array_1, tick_array_2] =
            swap_tick_arrays(tick, self.spec.tick_spacing, a_to_b)
                .map(|start| self.tick_array(start));
        SwapV2Accounts {
            token_program_a: self.spec.token_program_a,
            token_program_b: self.spec.token_program_b,
            memo_program: spl::MEMO_PROGRAM,
            token_authority: trader.key.pubkey(),
            pool: self.address,
            mint_a: self.mint_a,
            mint_b: self.mint_b,
            owner_account_a: trader.account_a,
            vault_a: self.vault_a,
            owner_account_b: trader.account_b,
            vault_b: self.vault_b,
            tick_array_0,
            tick_array_1,
            tick_array_2,
            oracle: pda::oracle(&self.program, &self.address).0,
        }
    }

    pub fn swap(&self, world: &mut World, trader: &Trader, args: SwapV2) -> Outcome {
        let accounts = self.swap_accounts(world, trader, args.a_to_b);
        world.send(&[args.instruction(self.program, &accounts)], &[&trader.key])
    }

    /// Reads the pool account.
    pub fn with<T>(&self, world: &World, read: impl FnOnce(PoolView) -> T) -> T {
        read(PoolView::parse(&world.data(&self.address)).unwrap())
    }
}
