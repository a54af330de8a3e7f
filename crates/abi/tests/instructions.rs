//! Discriminators are what Anchor derives from the names, accounts have the documented order and flags, and data decodes to
//! what was encoded.

use ballast_abi::{
    AccountMeta, Address, LayoutError,
    pyth::{
        MerkleUpdate, PriceUpdate, ReceiverConfig, Verification, receiver,
        stand_in::{PostPrice, PostPriceAccounts},
        wormhole::{self, EncodedVaa},
    },
    system,
    whirlpool::{instruction::*, layout},
};
use sha2::{Digest, Sha256};

fn discriminator(text: &str) -> [u8; 8] {
    Sha256::digest(text)[..8].try_into().unwrap()
}

#[test]
fn discriminators_follow_from_the_names() {
    for (name, found) in [
        ("initialize_config", InitializeConfig::DISCRIMINATOR),
        ("initialize_fee_tier", InitializeFeeTier::DISCRIMINATOR),
        ("initialize_pool_v2", InitializePoolV2::DISCRIMINATOR),
        ("initialize_tick_array", InitializeTickArray::DISCRIMINATOR),
        (
            "initialize_dynamic_tick_array",
            InitializeDynamicTickArray::DISCRIMINATOR,
        ),
        (
            "open_position_with_token_extensions",
            OpenPositionWithTokenExtensions::DISCRIMINATOR,
        ),
        (
            "close_position_with_token_extensions",
            ClosePositionWithTokenExtensions::DISCRIMINATOR,
        ),
        ("reset_position_range", ResetPositionRange::DISCRIMINATOR),
        (
            "reposition_liquidity_v2",
            RepositionLiquidityV2::DISCRIMINATOR,
        ),
        ("increase_liquidity_v2", IncreaseLiquidityV2::DISCRIMINATOR),
        ("decrease_liquidity_v2", DecreaseLiquidityV2::DISCRIMINATOR),
        (
            "update_fees_and_rewards",
            UpdateFeesAndRewards::DISCRIMINATOR,
        ),
        ("collect_fees_v2", CollectFeesV2::DISCRIMINATOR),
        ("collect_reward_v2", CollectRewardV2::DISCRIMINATOR),
        ("swap_v2", SwapV2::DISCRIMINATOR),
        ("post_price", PostPrice::DISCRIMINATOR),
        ("post_update", receiver::POST_UPDATE),
        ("initialize", receiver::INITIALIZE),
        ("init_encoded_vaa", wormhole::InitEncodedVaa::DISCRIMINATOR),
        ("write_encoded_vaa", wormhole::WRITE_ENCODED_VAA),
        (
            "verify_encoded_vaa_v1",
            wormhole::VerifyEncodedVaaV1::DISCRIMINATOR,
        ),
        (
            "close_encoded_vaa",
            wormhole::CloseEncodedVaa::DISCRIMINATOR,
        ),
    ] {
        assert_eq!(found, discriminator(&format!("global:{name}")), "{name}");
    }
    for (name, found) in [
        ("WhirlpoolsConfig", layout::config::DISCRIMINATOR),
        ("FeeTier", layout::fee_tier::DISCRIMINATOR),
        ("Whirlpool", layout::pool::DISCRIMINATOR),
        ("Position", layout::position::DISCRIMINATOR),
        ("TickArray", layout::fixed_tick_array::DISCRIMINATOR),
        (
            "DynamicTickArray",
            layout::dynamic_tick_array::DISCRIMINATOR,
        ),
        ("Oracle", layout::oracle::DISCRIMINATOR),
        ("PriceUpdateV2", PriceUpdate::DISCRIMINATOR),
        ("Config", ReceiverConfig::DISCRIMINATOR),
        ("EncodedVaa", EncodedVaa::DISCRIMINATOR),
    ] {
        assert_eq!(found, discriminator(&format!("account:{name}")), "{name}");
    }
}

/// Numbered addresses, so that a wrong order shows.
fn key(number: u8) -> Address {
    Address::new_from_array([number; 32])
}

#[test]
fn swap_accounts_and_data_are_as_documented() {
    let accounts = SwapV2Accounts {
        token_program_a: key(0),
        token_program_b: key(1),
        memo_program: key(2),
        token_authority: key(3),
        pool: key(4),
        mint_a: key(5),
        mint_b: key(6),
        owner_account_a: key(7),
        vault_a: key(8),
        owner_account_b: key(9),
        vault_b: key(10),
        tick_array_0: key(11),
        tick_array_1: key(12),
        tick_array_2: key(13),
        oracle: key(14),
    };
    let swap = SwapV2 {
        amount: 1,
        other_amount_threshold: 2,
        sqrt_price_limit: 3,
        amount_is_input: true,
        a_to_b: false,
    };
    let instruction = swap.instruction(key(99), &accounts);
    assert_eq!(SwapV2Accounts::COUNT, 15);
    let expected: Vec<AccountMeta> = (0..15)
        .map(|number| match number {
            3 => AccountMeta::new_readonly(key(3), true),
            4 | 7..=14 => AccountMeta::new(key(number), false),
            _ => AccountMeta::new_readonly(key(number), false),
        })
        .collect();
    assert_eq!(instruction.accounts, expected);
    assert_eq!(instruction.program_id, key(99));
    // Discriminator, u64, u64, u128, two booleans, None.
    assert_eq!(instruction.data.len(), 8 + 8 + 8 + 16 + 1 + 1 + 1);
    assert_eq!(instruction.data[40..], [1, 0, 0]);
    assert_eq!(SwapV2::decode(&instruction.data), Ok(swap));
}

#[test]
fn reward_accounts_and_data_are_as_documented() {
    let accounts = CollectRewardV2Accounts {
        pool: key(0),
        position_authority: key(1),
        position: key(2),
        position_token_account: key(3),
        reward_owner_account: key(4),
        reward_mint: key(5),
        reward_vault: key(6),
        reward_token_program: key(7),
        memo_program: key(8),
    };
    let collect = CollectRewardV2 { reward_index: 2 };
    let instruction = collect.instruction(key(99), &accounts);
    let expected: Vec<AccountMeta> = (0..9)
        .map(|number| match number {
            1 => AccountMeta::new_readonly(key(1), true),
            2 | 4 | 6 => AccountMeta::new(key(number), false),
            _ => AccountMeta::new_readonly(key(number), false),
        })
        .collect();
    assert_eq!(instruction.accounts, expected);
    // Discriminator, index, None.
    assert_eq!(instruction.data[8..], [2, 0]);
    assert_eq!(CollectRewardV2::decode(&instruction.data), Ok(collect));
}

#[test]
fn reset_accounts_and_data_are_as_documented() {
    let accounts = ResetPositionRangeAccounts {
        funder: key(0),
        position_authority: key(1),
        pool: key(2),
        position: key(3),
        position_token_account: key(4),
        system_program: key(5),
    };
    let reset = ResetPositionRange {
        tick_lower: -2,
        tick_upper: 3,
    };
    let instruction = reset.instruction(key(99), &accounts);
    assert_eq!(ResetPositionRangeAccounts::COUNT, 6);
    assert_eq!(
        instruction.accounts,
        [
            AccountMeta::new(key(0), true),
            AccountMeta::new_readonly(key(1), true),
            AccountMeta::new_readonly(key(2), false),
            AccountMeta::new(key(3), false),
            AccountMeta::new_readonly(key(4), false),
            AccountMeta::new_readonly(key(5), false),
        ]
    );
    assert_eq!(instruction.data[8..], [0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0]);
    assert_eq!(ResetPositionRange::decode(&instruction.data), Ok(reset));
}

#[test]
fn reposition_accounts_and_data_are_as_documented() {
    let accounts = RepositionLiquidityV2Accounts {
        pool: key(0),
        token_program_a: key(1),
        token_program_b: key(2),
        memo_program: key(3),
        position_authority: key(4),
        funder: key(5),
        position: key(6),
        position_token_account: key(7),
        mint_a: key(8),
        mint_b: key(9),
        owner_account_a: key(10),
        owner_account_b: key(11),
        vault_a: key(12),
        vault_b: key(13),
        tick_array_lower: key(14),
        tick_array_upper: key(15),
        new_tick_array_lower: key(16),
        new_tick_array_upper: key(17),
        system_program: key(18),
    };
    let reposition = RepositionLiquidityV2 {
        tick_lower: -2,
        tick_upper: 3,
        method: RepositionMethod::ByLiquidity {
            liquidity: 4,
            min_a: 5,
            min_b: 6,
            max_a: 7,
            max_b: 8,
        },
    };
    let instruction = reposition.instruction(key(99), &accounts);
    assert_eq!(RepositionLiquidityV2Accounts::COUNT, 19);
    let expected: Vec<AccountMeta> = (0..19)
        .map(|number| match number {
            4 => AccountMeta::new_readonly(key(4), true),
            5 => AccountMeta::new(key(5), true),
            0 | 6 | 10..=17 => AccountMeta::new(key(number), false),
            _ => AccountMeta::new_readonly(key(number), false),
        })
        .collect();
    assert_eq!(instruction.accounts, expected);
    let mut data = vec![0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0];
    // The method, liquidity, four amounts, None.
    data.push(0);
    data.extend(4u128.to_le_bytes());
    for amount in 5u64..=8 {
        data.extend(amount.to_le_bytes());
    }
    data.push(0);
    assert_eq!(instruction.data[8..], data);
    assert_eq!(
        RepositionLiquidityV2::decode(&instruction.data),
        Ok(reposition)
    );
    // There is no other method.
    let mut other = instruction.data;
    other[16] = 1;
    assert!(matches!(
        RepositionLiquidityV2::decode(&other),
        Err(LayoutError::Value {
            field: "method",
            ..
        })
    ));
}

#[test]
fn damaged_data_is_refused() {
    let data = DecreaseLiquidityV2 {
        liquidity: u128::MAX,
        min_a: 1,
        min_b: 2,
    }
    .data();
    assert!(DecreaseLiquidityV2::decode(&data).is_ok());
    assert!(matches!(
        IncreaseLiquidityV2::decode(&data),
        Err(LayoutError::Discriminator { .. })
    ));
    for length in 0..data.len() {
        assert!(
            DecreaseLiquidityV2::decode(&data[..length]).is_err(),
            "{length} bytes"
        );
    }
    // Some(..) remaining accounts.
    let mut some = data.clone();
    *some.last_mut().unwrap() = 1;
    assert!(DecreaseLiquidityV2::decode(&some).is_err());
    // A boolean that is neither 0 nor 1.
    let mut open = OpenPositionWithTokenExtensions {
        tick_lower: -4,
        tick_upper: 4,
        with_metadata: true,
    }
    .data();
    *open.last_mut().unwrap() = 2;
    assert!(matches!(
        OpenPositionWithTokenExtensions::decode(&open),
        Err(LayoutError::Value {
            field: "with_metadata",
            ..
        })
    ));
}

#[test]
fn post_price_carries_the_verification() {
    for verification in [Verification::Full, Verification::Partial { signatures: 5 }] {
        let post = PostPrice {
            feed_id: [1; 32],
            index: 2,
            price: -3,
            conf: 4,
            exponent: -8,
            publish_time: 5,
            previous_publish_time: 6,
            ema_price: 7,
            ema_conf: 8,
            verification,
        };
        assert_eq!(PostPrice::decode(&post.data()), Ok(post));
    }
    assert_eq!(PostPriceAccounts::COUNT, 3);
}

#[test]
fn posting_with_full_verification_has_the_documented_accounts_and_data() {
    let (program, writable) = (key(99), |number| AccountMeta::new(key(number), false));
    let accounts = receiver::PostUpdateAccounts {
        payer: key(0),
        encoded_vaa: key(1),
        config: key(2),
        treasury: key(3),
        price_update_account: key(4),
        system_program: key(5),
        write_authority: key(6),
    };
    let update = MerkleUpdate {
        message: &[7, 8, 9],
        proof: &[[1; 20], [2; 20]],
    };
    let post = receiver::post_update(program, &accounts, &update, 255);
    assert_eq!(
        post.accounts,
        [
            AccountMeta::new(key(0), true),
            AccountMeta::new_readonly(key(1), false),
            AccountMeta::new_readonly(key(2), false),
            writable(3),
            AccountMeta::new(key(4), true),
            AccountMeta::new_readonly(key(5), false),
            AccountMeta::new_readonly(key(6), true),
        ]
    );
    let mut expected = receiver::POST_UPDATE.to_vec();
    expected.extend([3, 0, 0, 0, 7, 8, 9, 2, 0, 0, 0]);
    expected.extend([1; 20]);
    expected.extend([2; 20]);
    expected.push(255);
    assert_eq!(post.data, expected);

    let draft = wormhole::WriteEncodedVaaAccounts {
        write_authority: key(0),
        draft_vaa: key(1),
    };
    let write = wormhole::write_encoded_vaa(program, &draft, 0x0102, &[4, 5]);
    assert_eq!(
        write.accounts,
        [AccountMeta::new_readonly(key(0), true), writable(1)]
    );
    assert_eq!(write.data[8..], [2, 1, 0, 0, 2, 0, 0, 0, 4, 5]);
    let verify = wormhole::VerifyEncodedVaaV1Accounts {
        write_authority: key(0),
        draft_vaa: key(1),
        guardian_set: key(2),
    };
    assert_eq!(
        verify.metas(),
        [
            AccountMeta::new_readonly(key(0), true),
            writable(1),
            AccountMeta::new_readonly(key(2), false),
        ]
    );
    let close = wormhole::CloseEncodedVaaAccounts {
        write_authority: key(0),
        encoded_vaa: key(1),
    };
    assert_eq!(close.metas(), [AccountMeta::new(key(0), true), writable(1)]);
}

#[test]
fn an_account_with_a_seed_is_allocated_by_its_base() {
    let allocate = system::allocate_with_seed(key(1), key(2), "seed", 5, key(3));
    assert_eq!(
        allocate.accounts,
        [
            AccountMeta::new(key(1), false),
            AccountMeta::new_readonly(key(2), true)
        ]
    );
    let mut expected = vec![9, 0, 0, 0];
    expected.extend([2; 32]);
    expected.extend([4, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend(b"seed");
    expected.extend([5, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([3; 32]);
    assert_eq!(allocate.data, expected);
}
