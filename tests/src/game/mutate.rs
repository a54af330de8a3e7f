//! Changes of encoded sequences: a fuzzer that knows where a step begins finds more than one that does not.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{MAX_STEPS, RECORD, step::Kind};

/// Changes the sequence `data[..size]` in place and returns its new size, at most `max_size`. `default` is the fuzzer's own
/// way to change a string of bytes, here of constant length.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    mut default: impl FnMut(&mut [u8]),
) -> usize {
    let mut rng = StdRng::seed_from_u64(seed.into());
    let room = (max_size / RECORD).min(MAX_STEPS);
    let mut records: Vec<[u8; RECORD]> = data[..size].chunks(RECORD).map(padded).collect();
    records.truncate(room);
    for _ in 0..rng.random_range(1..4) {
        change(&mut records, room, &mut rng, &mut default);
    }
    let new = records.as_flattened();
    data[..new.len()].copy_from_slice(new);
    new.len()
}

/// Writes the beginning of one sequence and the end of another to `out`; returns the size.
pub fn cross(first: &[u8], second: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut rng = StdRng::seed_from_u64(seed.into());
    let [first, second] = [first, second].map(|data| data.chunks(RECORD).map(padded));
    let kept = rng.random_range(0..=first.len());
    let left_out = rng.random_range(0..=second.len());
    let records = first.take(kept).chain(second.skip(left_out));
    let mut size = 0;
    for (record, place) in records.zip(out.chunks_exact_mut(RECORD)).take(MAX_STEPS) {
        place.copy_from_slice(&record);
        size += RECORD;
    }
    size
}

fn change(
    records: &mut Vec<[u8; RECORD]>,
    room: usize,
    rng: &mut StdRng,
    default: &mut impl FnMut(&mut [u8]),
) {
    let count = records.len();
    let new = rng.random_bool(0.3) && count < room;
    if new || count == 0 {
        if room > 0 {
            records.insert(rng.random_range(0..=count), any(rng));
        }
        return;
    }
    let at = rng.random_range(0..count);
    match rng.random_range(0..10) {
        0 => {
            records.remove(at);
        }
        1 if count < room => {
            let copy = records[at];
            records.insert(rng.random_range(0..=count), copy);
        }
        2 => {
            let other = rng.random_range(0..count);
            records.swap(at, other);
        }
        3 => records[at][0] = any(rng)[0],
        4 | 5 => {
            let byte = rng.random_range(1..RECORD);
            records[at][byte] = rng.random();
        }
        6 => rng.fill(&mut records[at][1..]),
        _ => default(&mut records[at][1..]),
    }
}

fn any(rng: &mut StdRng) -> [u8; RECORD] {
    let mut record: [u8; RECORD] = rng.random();
    record[0] = Kind::ALL[rng.random_range(0..Kind::ALL.len())] as u8;
    record
}

fn padded(record: &[u8]) -> [u8; RECORD] {
    let mut padded = [0; RECORD];
    padded[..record.len()].copy_from_slice(record);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: usize = RECORD * MAX_STEPS;

    #[test]
    fn changes_keep_whole_steps_within_bounds() {
        for seed in 0..2_000 {
            let size = seed as usize % (FULL + 1);
            let max_size = [FULL, RECORD * 3, 0][seed as usize % 3];
            let mut data = vec![7; FULL];
            let new = mutate(&mut data, size, max_size, seed, |bytes| bytes.reverse());
            assert!(new <= max_size && new.is_multiple_of(RECORD), "seed {seed}");
            let mut again = vec![7; FULL];
            mutate(&mut again, size, max_size, seed, |bytes| bytes.reverse());
            assert_eq!(data, again, "seed {seed}");
        }
    }

    #[test]
    fn crossing_takes_a_beginning_and_an_end() {
        let (first, second) = (vec![1; RECORD * 3], vec![2; RECORD * 3 - 5]);
        let mut sizes = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut out = vec![9; RECORD * 4 + 3];
            let size = cross(&first, &second, &mut out, seed);
            let kinds: Vec<u8> = out[..size].chunks(RECORD).map(|record| record[0]).collect();
            assert!(kinds.is_sorted() && !kinds.contains(&9), "{kinds:?}");
            sizes.insert(size);
        }
        assert_eq!(sizes.last(), Some(&(RECORD * 4)));
        assert_eq!(sizes.first(), Some(&0));
    }
}
