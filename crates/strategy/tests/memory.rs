//! What a position costs in the book and the trigger index beyond its account, its key of 32 bytes included, by an allocator that counts.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use ballast::state::Position;
use ballast_model::{Boundaries, SqrtPrice};
use ballast_strategy::{
    fixtures::{self, scattered, scattered_key},
    held::{Held, Taken},
    trigger::{TriggerIndex, Watch},
};

/// The system's allocator, with the bytes that are held.
struct Counting;

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the system allocator's; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD_BYTES.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MOST_BYTES: usize = 200;

fn watch(n: u64) -> Watch {
    let price = |x64: u128| SqrtPrice::new(x64).ok();
    let one = SqrtPrice::ONE.x64();
    let away = u128::from(scattered(n));
    Watch {
        quiet: Boundaries::Interval {
            lower: price(one / 2 + away / 4),
            upper: price(one + away),
        },
        until_secs: 1_700_000_000 + (scattered(n) % 3_600) as i64,
    }
}

/// 115,000 positions leave the table of ids as empty as it ever is: it has just grown. And again after each has been looked at
/// anew, which scatters what the ordered sets hold.
#[test]
fn a_position_costs_at_most_200_bytes_beyond_its_account() {
    for positions in [100_000, 115_000u64] {
        let before = HELD_BYTES.load(Relaxed);
        let (mut held, mut index) = (Held::default(), TriggerIndex::default());
        for round in 0..2 {
            for n in 0..positions {
                let (address, mut position) = (scattered_key(n), fixtures::position());
                position.id = round;
                assert_eq!(held.take_in(address, round, &position), Taken::Changed);
                let id = held.id(&address).unwrap();
                index.insert(id, watch(n + round * positions));
            }
            let bytes = (HELD_BYTES.load(Relaxed) - before) / positions as usize;
            let bytes = bytes - size_of::<Position>();
            println!("{positions} positions, round {round}: {bytes} bytes each");
            assert_eq!(index.len() as u64, positions);
            assert!(
                (64..=MOST_BYTES).contains(&bytes),
                "{bytes} bytes each for {positions} positions, at most {MOST_BYTES} are allowed"
            );
        }
    }
}
