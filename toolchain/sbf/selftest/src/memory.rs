//! Blocks of memory: of constant and of varying size, aligned and not, overlapping and not.
use crate::{Input, Output, io::digest};

const SIZE: usize = 300;

fn block(input: &mut Input) -> [u8; SIZE] {
    let mut block = [0; SIZE];
    block.iter_mut().for_each(|byte| *byte = input.u8());
    block
}

/// A range within the block; any length, also none.
fn range(input: &mut Input) -> core::ops::Range<usize> {
    let (a, b) = (input.u32() as usize % (SIZE + 1), input.below(80));
    a..(a + b).min(SIZE)
}

/// Copies `N` bytes, a constant, by value and within the block, at any alignment.
#[inline(never)]
fn constant<const N: usize>(block: &mut [u8; SIZE], from: usize, to: usize, output: &mut Output) {
    let (from, to) = (from % (SIZE - N), to % (SIZE - N));
    let Some(&copy) = block[from..].first_chunk::<N>() else {
        return;
    };
    block.copy_within(from..from + N, to);
    output.put(block[to..].first_chunk::<N>() == Some(&copy));
    let filled = [copy[0]; N];
    output.put(copy.cmp(&filled));
    let near = from.saturating_sub(1);
    // SAFETY: both ranges lie within the block, for `from <= SIZE - N`.
    unsafe {
        let start = block.as_mut_ptr();
        core::ptr::copy(start.add(from), start.add(near), N);
    }
    output.put(digest(&block[near..near + N]));
    block[to..to + N].copy_from_slice(&filled);
}

pub fn copies(input: &mut Input, output: &mut Output) {
    let mut block = block(input);
    for _ in 0..3 {
        let from = range(input);
        let to = input.u32() as usize % (SIZE - from.len() + 1);
        block.copy_within(from, to);
        output.put(digest(&block));
    }
    // Overlapping by all but one byte, both ways.
    block.copy_within(1.., 0);
    block.copy_within(..SIZE - 1, 1);
    output.put(digest(&block));
    let filled = range(input);
    block[filled].fill(input.u8());
    let place = input.below(SIZE / 2);
    let (left, right) = block.split_at_mut(SIZE / 2);
    left[place..].swap_with_slice(&mut right[place..]);
    output.put(digest(&block));
    let (from, to) = (input.u32() as usize, input.u32() as usize);
    macro_rules! sizes {
        ($($size:literal)*) => { $(constant::<$size>(&mut block, from, to.wrapping_add($size), output);)* };
    }
    // Around the limits between inline code, loops and system calls.
    sizes!(1 2 3 5 7 8 9 15 16 17 23 24 25 31 32 33 48 63 64 65 71 87 88 89 96 127 200);
    output.put(digest(&block));
    let mut words: [u64; 17] = core::array::from_fn(|_| input.u64());
    words.rotate_left(input.below(17));
    words[3..].reverse();
    words.iter().for_each(|&word| output.put(word));
    output.put(block[..100].to_vec().as_slice());
}

pub fn comparisons(input: &mut Input, output: &mut Output) {
    let first = block(input);
    let mut second = first;
    for _ in 0..6 {
        let part = range(input);
        let place = input.u32() as usize % SIZE;
        second[place] = second[place].wrapping_add(input.u8() >> 6);
        let (a, b) = (&first[part.clone()], &second[part.clone()]);
        output.put(a.cmp(b));
        output.put((a == b, a < b));
        output.put((a.starts_with(&b[..b.len() / 2]), a.contains(&input.u8())));
        let moved = range(input);
        output.put(first[moved].cmp(&second[part]));
    }
    macro_rules! sizes {
        ($($size:literal)*) => {$(
            let at = input.below(256) % (SIZE - $size);
            let (a, b) = (first[at..].first_chunk::<$size>(), second[at..].first_chunk::<$size>());
            output.put((a == b, a.cmp(&b)));
        )*};
    }
    sizes!(1 3 4 7 8 11 16 20 24 31 32 33 40 64 65 100);
}
