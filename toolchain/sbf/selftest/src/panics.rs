//! Panics: which of them happens, and what they say where it happened.
use std::cell::RefCell;

use ruint::aliases::U256;

use crate::{Input, Output};

struct Account {
    data: RefCell<[u64; 4]>,
}

fn nested<T: TryFrom<u128>>(number: u128) -> T {
    let convert = |number| match T::try_from(number) {
        Ok(small) => small,
        Err(_) => panic!("{number} does not fit"),
    };
    convert(number)
}

#[track_caller]
fn checked(condition: bool) {
    assert!(condition, "the caller's fault");
}

/// Mostly panics. Every panic has a line and column of its own, some several in one line.
pub fn panics(input: &mut Input, output: &mut Output) {
    let (a, b) = (input.u64(), input.u64());
    let (x, y) = (input.u128(), input.u128());
    let (i, j) = (input.i64(), input.i64());
    let (place, list) = (input.below(12), [a, b, 3, 4, 5]);
    match input.below(31) {
        0 => output.put(a + b),
        1 => output.put(a - b),
        2 => output.put(a * b),
        3 => output.put(x + y),
        4 => output.put(x - y),
        5 => output.put(x * y),
        6 => output.put((x as i128) * (y as i128)),
        7 => output.put(i * j),
        8 => output.put((i + j, i - j)),
        9 => output.put(a / (b & 1)),
        10 => output.put(x % (y & 1)),
        11 => output.put((i64::MIN | (i & 1)) / (j & 1 | -1)),
        12 => output.put(-(i128::MIN + i128::from(i & 1))),
        13 => output.put(1u64 << (b % 128)),
        14 => output.put(x >> (b as u32 % 256)),
        15 => output.put((a as u8 + b as u8, (a as u32) * (b as u32))),
        16 => output.put((i as i32) - (j as i32)),
        17 => output.put(list[place]),
        18 => output.put(list[place..].len() as u64),
        19 => output.put(list[place..4].len() as u64 + list[..place].len() as u64),
        20 => output.put(Some(a).filter(|a| a % 2 == 0).unwrap()),
        21 => output.put(u32::try_from(a).expect("a small number")),
        22 => output.put((nested::<u8>(x), nested::<u64>(y))),
        23 => checked(a < b),
        24 => assert_eq!(a % 2, b % 2, "parity"),
        25 => {
            let account = Account {
                data: RefCell::new([a, b, 0, 1]),
            };
            let first = account.data.borrow_mut();
            if place % 2 == 0 {
                drop(first);
            }
            output.put(account.data.borrow_mut()[place % 4]);
        }
        26 => output.put(&"aäöü"[place % 8..]),
        27 => {
            let mut copy = [0; 5];
            copy[..place % 6].copy_from_slice(&list[1..]);
            output.put(copy[0]);
        }
        28 => {
            let mut vector = list.to_vec();
            output.put(vector.remove(place));
            output.put(vector.swap_remove(place / 2));
        }
        // In another crate.
        29 => output.put(U256::from(x).to::<u64>()),
        _ if a % 2 == 0 => unreachable!("{a} is even"),
        _ => panic!(),
    }
}
