//! Sorting, and collections on the heap, of which a program has 32 KB and never gets back what it frees.
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};

use crate::{Input, Output};

fn words(input: &mut Input, most: usize) -> Vec<u64> {
    let count = input.below(most);
    // Few different ones, so that some are equal.
    (0..count)
        .map(|_| input.u64() >> (input.u8() & 56))
        .collect()
}

pub fn sorting(input: &mut Input, output: &mut Output) {
    let mut numbers = words(input, 48);
    let mut pairs: Vec<(u8, u64)> = numbers.iter().map(|&word| (word as u8 % 4, word)).collect();
    // Stable: pairs with equal keys keep their order.
    pairs.sort_by_key(|pair| pair.0);
    pairs.iter().for_each(|&pair| output.put(pair));
    numbers.sort_unstable();
    numbers.dedup();
    numbers.iter().for_each(|&word| output.put(word));
    let wanted = input.u64();
    output.put(numbers.binary_search(&wanted).unwrap_or_else(|place| place) as u64);
    output.put(numbers.partition_point(|&word| word < wanted >> 9) as u64);
    let mut wide: [u128; 9] = core::array::from_fn(|_| input.u128());
    wide.sort_unstable_by(|a, b| b.cmp(a));
    wide.into_iter().for_each(|number| output.put(number));
    let mut text: Vec<String> = wide
        .iter()
        .take(5)
        .map(|number| format!("{:x}", *number as u32))
        .collect();
    text.sort();
    output.put(text.join(","));
}

pub fn collections(input: &mut Input, output: &mut Output) {
    let numbers = words(input, 40);
    let mut tree = BTreeMap::new();
    let mut hash = HashMap::new();
    for (place, &word) in numbers.iter().enumerate() {
        *tree.entry(word % 16).or_insert(0u128) += u128::from(word);
        hash.entry(word).or_insert(place);
    }
    if let Some(&word) = numbers.first() {
        output.put(tree.remove(&(word % 16)));
    }
    tree.iter().for_each(|(&key, &sum)| output.put((key, sum)));
    tree.range(3..9).rev().for_each(|(&key, _)| output.put(key));
    // A hash map has no order.
    output.put(hash.len() as u64);
    numbers
        .iter()
        .for_each(|word| output.put(hash.get(word).map(|&place| place as u64)));
    let evens: BTreeSet<u64> = numbers
        .iter()
        .copied()
        .filter(|word| word % 2 == 0)
        .collect();
    let thirds: BTreeSet<u64> = numbers
        .iter()
        .copied()
        .filter(|word| word % 3 == 0)
        .collect();
    evens
        .intersection(&thirds)
        .for_each(|&word| output.put(word));

    let mut queue: VecDeque<u64> = VecDeque::new();
    let mut heap = BinaryHeap::new();
    for &word in numbers.iter().take(20) {
        if word % 3 == 0 {
            queue.push_front(word);
        } else {
            queue.push_back(word);
        }
        heap.push(word as u32);
        if word % 5 == 0 {
            output.put(queue.pop_front());
        }
    }
    queue
        .make_contiguous()
        .iter()
        .for_each(|&word| output.put(word));
    while let Some(word) = heap.pop() {
        output.put(word);
    }
    let mut grown: Vec<u8> = Vec::new();
    for &word in numbers.iter().take(16) {
        grown.extend_from_slice(&word.to_be_bytes()[..word as usize % 8]);
        grown.insert(grown.len() / 2, word as u8);
    }
    grown.retain(|byte| byte % 7 != 0);
    output.put(grown.as_slice());
}
