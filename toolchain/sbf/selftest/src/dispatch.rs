//! Calls of functions that are known at run time only.
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{Input, Output};

trait Curve {
    fn name(&self) -> &'static str;
    fn area(&self) -> u128;
    /// More arguments than registers, and a large result.
    fn moved(
        &self,
        x: u64,
        y: u64,
        z: i128,
        scale: u32,
        flip: bool,
        label: &str,
    ) -> (u128, String, [u64; 2]);
    /// Not overridden everywhere.
    fn doubled(&self) -> u128 {
        self.area().wrapping_mul(2)
    }
}

struct Square(u64);
struct Rectangle {
    width: u64,
    height: u64,
    count: Cell<u32>,
    /// Widths of dropped rectangles.
    dropped: Rc<RefCell<Vec<u64>>>,
}

impl Curve for Square {
    fn name(&self) -> &'static str {
        "square"
    }
    fn area(&self) -> u128 {
        u128::from(self.0) * u128::from(self.0)
    }
    fn moved(
        &self,
        x: u64,
        y: u64,
        z: i128,
        scale: u32,
        flip: bool,
        label: &str,
    ) -> (u128, String, [u64; 2]) {
        let sum = self.area().wrapping_mul(u128::from(scale)) ^ z as u128;
        (sum, format!("{label}:{flip}"), [x ^ self.0, y])
    }
}

impl Curve for Rectangle {
    fn name(&self) -> &'static str {
        "rectangle"
    }
    fn area(&self) -> u128 {
        self.count.set(self.count.get() + 1);
        u128::from(self.width) * u128::from(self.height)
    }
    fn moved(
        &self,
        x: u64,
        y: u64,
        z: i128,
        scale: u32,
        flip: bool,
        label: &str,
    ) -> (u128, String, [u64; 2]) {
        let turned = if flip { [y, x] } else { [x, y] };
        (
            z.unsigned_abs() % (u128::from(scale) + 1),
            label.repeat(2),
            turned,
        )
    }
    fn doubled(&self) -> u128 {
        self.area() << 1 | u128::from(self.count.get())
    }
}

impl Drop for Rectangle {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.width);
    }
}

pub fn trait_objects(input: &mut Input, output: &mut Output) {
    let dropped = Rc::default();
    let mut curves: Vec<Box<dyn Curve>> = Vec::new();
    for _ in 0..4 {
        curves.push(match input.below(2) {
            0 => Box::new(Square(input.u64())),
            _ => Box::new(Rectangle {
                width: input.u64(),
                height: input.u64(),
                count: Cell::new(0),
                dropped: Rc::clone(&dropped),
            }),
        });
    }
    for curve in &curves {
        output.put(curve.name());
        output.put((curve.area(), curve.doubled()));
        let (x, y, z) = (input.u64(), input.u64(), input.i128());
        let (sum, label, place) = curve.moved(x, y, z, input.u32(), input.below(2) == 1, "at");
        output.put((sum, label));
        output.put((place[0], place[1]));
    }
    drop(curves);
    dropped.borrow().iter().for_each(|&width| output.put(width));
}

type Operation = fn(u128, u128, u64, u64, u64) -> (u128, bool);

const OPERATIONS: [Operation; 4] = [
    |a, b, c, _, _| (a.wrapping_add(b) ^ u128::from(c), a < b),
    |a, b, _, d, _| a.overflowing_mul(b ^ u128::from(d)),
    |a, b, _, _, e| (a & b, e % 2 == 0),
    |a, b, c, d, e| {
        (
            a.rotate_left((b % 128) as u32) ^ u128::from(c ^ d ^ e),
            b == 0,
        )
    },
];

#[inline(never)]
fn apply(function: &mut dyn FnMut(u64) -> u128, words: &[u64]) -> u128 {
    words
        .iter()
        .fold(0, |sum: u128, &word| sum.wrapping_add(function(word)))
}

type ManyArguments = dyn Fn(u64, u64, u128, u64, u64, u64) -> u128;

#[inline(never)]
fn adder(base: u128, factor: u64) -> Box<ManyArguments> {
    Box::new(move |a, b, c, d, e, f| {
        let sum = [a, b, d, e, f]
            .iter()
            .fold(c, |sum, &word| sum.rotate_left(5) ^ u128::from(word));
        base.wrapping_add(sum.wrapping_mul(u128::from(factor)))
    })
}

pub fn closures(input: &mut Input, output: &mut Output) {
    let words: [u64; 6] = core::array::from_fn(|_| input.u64());
    let (a, b) = (input.u128(), input.u128());
    for _ in 0..3 {
        output.put(OPERATIONS[input.below(4)](
            a, b, words[0], words[1], words[2],
        ));
    }
    let mut calls = 0u64;
    let mut count = |word| {
        calls += 1;
        u128::from(word) * u128::from(calls)
    };
    output.put(apply(&mut count, &words));
    output.put(calls);
    let add = adder(a, words[3]);
    output.put(add(words[0], words[1], b, words[2], words[4], words[5]));

    let shared = Rc::new(RefCell::new(Vec::new()));
    let push: Vec<Box<dyn FnOnce()>> = words
        .iter()
        .map(|&word| {
            let shared = Rc::clone(&shared);
            Box::new(move || shared.borrow_mut().push(word ^ 1)) as Box<dyn FnOnce()>
        })
        .collect();
    push.into_iter().rev().for_each(|push| push());
    output.put(Rc::strong_count(&shared) as u64);
    shared.borrow().iter().for_each(|&word| output.put(word));

    let mut numbers: Box<dyn Iterator<Item = u64>> = Box::new(words.into_iter());
    if input.below(2) == 0 {
        numbers = Box::new(numbers.filter(|word| word % 2 == 0));
    }
    let divisor = input.u64() | 1;
    output.put(numbers.map(|word| word % divisor).max());
}
