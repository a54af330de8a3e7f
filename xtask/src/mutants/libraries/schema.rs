//! Rewrites a source file so that all its changes are there at once, each behind a question to the switch.
//!
//! `a + b` becomes `(match at(17, 2) { 0 => (a) - (b), 1 => (a) * (b), _ => a + b })`: the copies hold the code as it is, since one
//! change is on at a time. The question comes before the operands, so that one who listens hears it even of what is left early.

use std::{collections::BTreeMap, ops::Range};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{LineColumn, Span};
use syn::{
    Arm, BinOp, Block, Expr, ExprBinary, ExprStruct, ExprUnary, ImplItemFn, ItemFn, TraitItemFn,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::change::{Change, Genre, Place};

/// A rewritten file.
#[derive(Debug, Default)]
pub struct Schema {
    pub text: String,
    /// Where in `text` the code of each change stands.
    pub pieces: Vec<(Range<usize>, u32)>,
    /// Changes that no compiler accepts: `let` under `||`.
    pub refused: Vec<u32>,
    /// Changes that a switch cannot make: what they change is computed by the compiler, or is the type that is returned.
    pub alone: Vec<u32>,
}

/// Rewrites a file with these changes. `switch` is the path of the switch's module.
pub fn rewrite(source: &str, changes: &[&Change], switch: &str) -> Result<Schema> {
    let file = syn::parse_file(source).context("cannot parse")?;
    let mut by_start: BTreeMap<Place, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_start.entry(change.start).or_default().push(change);
    }
    let mut rewriter = Rewriter {
        source,
        switch,
        by_start,
        insertions: Vec::new(),
        in_const: 0,
        schema: Schema::default(),
    };
    rewriter.visit_file(&file);
    if let Some(change) = rewriter.by_start.into_values().flatten().next() {
        return Err(anyhow!("where is {}: {}?", change.place(), change.what));
    }
    let mut schema = rewriter.schema;
    apply(source, rewriter.insertions, &mut schema);
    Ok(schema)
}

/// The file with one change made, as cargo-mutants makes it.
pub fn with_change(source: &str, change: &Change) -> Result<String> {
    let at = |(line, column): Place| -> Option<usize> {
        let start: usize = source
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let chars = source[start..].char_indices().map(|(at, _)| start + at);
        chars.chain([source.len()]).nth(column - 1)
    };
    let (Some(start), Some(end)) = (at(change.start), at(change.end)) else {
        return Err(anyhow!("{} is not in the file", change.place()));
    };
    Ok(format!(
        "{}{}{}",
        &source[..start],
        change.replacement,
        &source[end..]
    ))
}

/// Text that is put in at a position.
struct Insertion {
    at: usize,
    /// Ends what was begun before: comes before all that begins here.
    closes: bool,
    text: String,
    /// Where in `text` changes stand.
    pieces: Vec<(Range<usize>, u32)>,
}

struct Rewriter<'a> {
    source: &'a str,
    switch: &'a str,
    /// Changes that have not been met yet.
    by_start: BTreeMap<Place, Vec<&'a Change>>,
    insertions: Vec<Insertion>,
    /// How many constants around this are computed by the compiler.
    in_const: usize,
    schema: Schema,
}

impl<'a> Rewriter<'a> {
    /// Takes the changes of a kind that begin at a place; answers those which a switch can make.
    fn take(&mut self, genre: Genre, span: Span) -> Vec<&'a Change> {
        let start = place(span.start());
        let Some(here) = self.by_start.get_mut(&start) else {
            return Vec::new();
        };
        let (taken, left): (Vec<_>, Vec<_>) = here
            .iter()
            .copied()
            .partition(|change| change.genre == genre);
        if left.is_empty() {
            self.by_start.remove(&start);
        } else {
            *here = left;
        }
        if self.in_const > 0 {
            self.schema
                .alone
                .extend(taken.iter().map(|change| change.number));
            return Vec::new();
        }
        taken
    }

    fn text(&self, node: &impl Spanned) -> &'a str {
        &self.source[node.span().byte_range()]
    }

    fn open(&mut self, at: usize, text: String, pieces: Vec<(Range<usize>, u32)>) {
        self.insertions.push(Insertion {
            at,
            closes: false,
            text,
            pieces,
        });
    }

    fn close(&mut self, at: usize, text: &str) {
        let text = text.to_owned();
        self.insertions.push(Insertion {
            at,
            closes: true,
            text,
            pieces: Vec::new(),
        });
    }

    /// The beginning of a `match` with what each change makes of it, and where each stands in it.
    fn arms(&self, arms: &[(u32, String)]) -> (String, Vec<(Range<usize>, u32)>) {
        let numbers = || arms.iter().map(|(number, _)| *number);
        let first = numbers().min().unwrap_or(0);
        let count = numbers().max().unwrap_or(0) - first + 1;
        let mut text = format!("match {}::at({first}, {count}) {{ ", self.switch);
        let mut pieces = Vec::new();
        for (number, arm) in arms {
            text.push_str(&format!("{} => ", number - first));
            let start = text.len();
            text.push_str(arm);
            pieces.push((start..text.len(), *number));
            text.push_str(", ");
        }
        text.push_str("_ => ");
        (text, pieces)
    }

    /// Puts an expression behind the switch.
    fn wrap(&mut self, whole: Range<usize>, arms: &[(u32, String)]) {
        if arms.is_empty() {
            return;
        }
        let (text, pieces) = self.arms(arms);
        let pieces = pieces
            .into_iter()
            .map(|(range, number)| (range.start + 1..range.end + 1, number));
        self.open(whole.start, format!("({text}"), pieces.collect());
        self.close(whole.end, " })");
    }

    /// Lets a function return before it begins.
    fn function(&mut self, block: &Block) {
        let Some(first) = block.stmts.first() else {
            return;
        };
        let mut arms = Vec::new();
        for change in self.take(Genre::FnValue, first.span()) {
            if change.returns.contains("impl ") {
                self.schema.alone.push(change.number);
            } else {
                arms.push((change.number, format!("return {}", change.replacement)));
            }
        }
        if !arms.is_empty() {
            let (text, pieces) = self.arms(&arms);
            let start = block.brace_token.span.open().byte_range().end;
            self.open(start, format!("{text}{{}} }}"), pieces);
        }
    }

    fn within_const(&mut self, visit: impl FnOnce(&mut Self)) {
        self.in_const += 1;
        visit(self);
        self.in_const -= 1;
    }
}

impl<'ast> Visit<'ast> for Rewriter<'_> {
    fn visit_item_fn(&mut self, node: &'ast ItemFn) {
        self.function(&node.block);
        visit::visit_item_fn(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast ImplItemFn) {
        self.function(&node.block);
        visit::visit_impl_item_fn(self, node);
    }

    fn visit_trait_item_fn(&mut self, node: &'ast TraitItemFn) {
        if let Some(block) = &node.default {
            self.function(block);
        }
        visit::visit_trait_item_fn(self, node);
    }

    fn visit_item_const(&mut self, node: &'ast syn::ItemConst) {
        self.within_const(|this| visit::visit_item_const(this, node));
    }

    fn visit_item_static(&mut self, node: &'ast syn::ItemStatic) {
        self.within_const(|this| visit::visit_item_static(this, node));
    }

    fn visit_impl_item_const(&mut self, node: &'ast syn::ImplItemConst) {
        self.within_const(|this| visit::visit_impl_item_const(this, node));
    }

    fn visit_trait_item_const(&mut self, node: &'ast syn::TraitItemConst) {
        self.within_const(|this| visit::visit_trait_item_const(this, node));
    }

    fn visit_expr_const(&mut self, node: &'ast syn::ExprConst) {
        self.within_const(|this| visit::visit_expr_const(this, node));
    }

    fn visit_variant(&mut self, node: &'ast syn::Variant) {
        self.within_const(|this| visit::visit_variant(this, node));
    }

    fn visit_type_array(&mut self, node: &'ast syn::TypeArray) {
        self.within_const(|this| visit::visit_type_array(this, node));
    }

    fn visit_generic_argument(&mut self, node: &'ast syn::GenericArgument) {
        self.within_const(|this| visit::visit_generic_argument(this, node));
    }

    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.visit_expr(&node.expr);
        self.within_const(|this| this.visit_expr(&node.len));
    }

    fn visit_expr_binary(&mut self, node: &'ast ExprBinary) {
        let changes = self.take(Genre::BinaryOperator, node.op.span());
        if holds_let(node) {
            self.schema
                .refused
                .extend(changes.iter().map(|change| change.number));
        } else {
            let (left, right) = (self.text(&node.left), self.text(&node.right));
            let arms: Vec<_> = changes
                .iter()
                .map(|change| {
                    let arm = format!("({left}) {} ({right})", change.replacement);
                    (change.number, arm)
                })
                .collect();
            self.wrap(node.span().byte_range(), &arms);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast ExprUnary) {
        let arms: Vec<_> = self
            .take(Genre::UnaryOperator, node.op.span())
            .iter()
            .map(|change| (change.number, format!("({})", self.text(&node.expr))))
            .collect();
        self.wrap(node.span().byte_range(), &arms);
        visit::visit_expr_unary(self, node);
    }

    fn visit_arm(&mut self, node: &'ast Arm) {
        for change in self.take(Genre::MatchArm, node.span()) {
            let ask = format!("{}::at({}, 1) != 0", self.switch, change.number);
            match &node.guard {
                Some((_, guard)) => {
                    let range = guard.span().byte_range();
                    self.open(range.start, format!("{ask} && ("), Vec::new());
                    self.close(range.end, ")");
                }
                // It may leave the compiler without an arm for some value.
                None => {
                    let text = format!(" if {ask}");
                    let pieces = vec![(0..text.len(), change.number)];
                    self.open(node.pat.span().byte_range().end, text, pieces);
                }
            }
        }
        if let Some((_, guard)) = &node.guard {
            let arms: Vec<_> = self
                .take(Genre::MatchArmGuard, guard.span())
                .iter()
                .map(|change| (change.number, change.replacement.clone()))
                .collect();
            self.wrap(guard.span().byte_range(), &arms);
        }
        visit::visit_arm(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast ExprStruct) {
        let whole = node.span().byte_range();
        let mut arms = Vec::new();
        for pair in node.fields.pairs() {
            let field = pair.value().span();
            for change in self.take(Genre::StructField, field) {
                let mut end = field.byte_range().end;
                if let Some(comma) = pair.punct() {
                    end = comma.span().byte_range().end;
                }
                let before = &self.source[whole.start..field.byte_range().start];
                arms.push((
                    change.number,
                    format!("{before}{}", &self.source[end..whole.end]),
                ));
            }
        }
        self.wrap(whole, &arms);
        visit::visit_expr_struct(self, node);
    }
}

/// Whether a chain of `&&` binds names.
fn holds_let(node: &ExprBinary) -> bool {
    let side = |side: &Expr| match side {
        Expr::Let(_) => true,
        Expr::Binary(inner) => holds_let(inner),
        _ => false,
    };
    matches!(node.op, BinOp::And(_)) && (side(&node.left) || side(&node.right))
}

fn place(at: LineColumn) -> Place {
    (at.line, at.column + 1)
}

fn apply(source: &str, insertions: Vec<Insertion>, schema: &mut Schema) {
    // Outside in: of what begins at a place the first goes on the outside, of what ends there the last.
    let mut numbered: Vec<_> = (0i64..).zip(insertions).collect();
    numbered.sort_by_key(|(n, insertion)| {
        (
            insertion.at,
            !insertion.closes,
            if insertion.closes { -n } else { *n },
        )
    });
    let mut from = 0;
    for (_, insertion) in numbered {
        schema.text.push_str(&source[from..insertion.at]);
        let base = schema.text.len();
        schema.text.push_str(&insertion.text);
        from = insertion.at;
        let pieces = insertion.pieces.into_iter();
        schema
            .pieces
            .extend(pieces.map(|(range, number)| (base + range.start..base + range.end, number)));
    }
    schema.text.push_str(&source[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of the first `what` in a source, number 7 and up.
    fn change(source: &str, nth: u32, genre: Genre, what: &str, replacement: &str) -> Change {
        let start = source.find(what).unwrap();
        let place = |at: usize| {
            let line = source[..at].matches('\n').count();
            let column = source[..at].rsplit('\n').next().unwrap().chars().count();
            (line + 1, column + 1)
        };
        Change {
            number: 7 + nth,
            file: "a.rs".into(),
            start: place(start),
            end: place(start + what.len()),
            genre,
            replacement: replacement.into(),
            what: String::new(),
            nth: 0,
            returns: "-> u64".into(),
        }
    }

    fn rewritten(source: &str, changes: &[Change]) -> Schema {
        let changes: Vec<_> = changes.iter().collect();
        rewrite(source, &changes, "s").unwrap()
    }

    #[test]
    fn operators_are_behind_the_switch_inside_and_outside() {
        let source = "// ü\nfn f() -> u64 { a * b << c? }";
        let schema = rewritten(
            source,
            &[
                change(source, 0, Genre::BinaryOperator, "<<", ">>"),
                change(source, 1, Genre::BinaryOperator, "*", "+"),
                change(source, 2, Genre::BinaryOperator, "*", "/"),
            ],
        );
        assert_eq!(
            schema.text,
            "// ü\nfn f() -> u64 { (match s::at(7, 1) { 0 => (a * b) >> (c?), _ => \
             (match s::at(8, 2) { 0 => (a) + (b), 1 => (a) / (b), _ => a * b }) << c? }) }"
        );
        let pieces = schema.pieces.iter();
        let pieces: Vec<_> = pieces
            .map(|(range, number)| (&schema.text[range.clone()], *number))
            .collect();
        assert_eq!(
            pieces,
            [("(a * b) >> (c?)", 7), ("(a) + (b)", 8), ("(a) / (b)", 9)]
        );
    }

    #[test]
    fn bodies_guards_arms_fields_and_signs_are_behind_the_switch() {
        let source = "fn f() -> u64 { match x { 1 if y => -z, 2 => A { b: 1, ..c }, _ => 0 } }";
        let schema = rewritten(
            source,
            &[
                change(
                    source,
                    0,
                    Genre::FnValue,
                    "match x { 1 if y => -z, 2 => A { b: 1, ..c }, _ => 0 }",
                    "0",
                ),
                change(source, 1, Genre::MatchArmGuard, "y", "true"),
                change(source, 2, Genre::MatchArm, "1 if y => -z,", ""),
                change(source, 3, Genre::MatchArm, "2 => A { b: 1, ..c },", ""),
                change(source, 4, Genre::UnaryOperator, "-z", ""),
                change(source, 5, Genre::StructField, "b: 1", ""),
            ],
        );
        for part in [
            "fn f() -> u64 {match s::at(7, 1) { 0 => return 0, _ => {} } match x {",
            "1 if s::at(9, 1) != 0 && ((match s::at(8, 1) { 0 => true, _ => y })) => (match s::at(11, 1) { 0 => (z), _ => -z })",
            "2 if s::at(10, 1) != 0 => (match s::at(12, 1) { 0 => A {  ..c }, _ => A { b: 1, ..c } })",
        ] {
            assert!(schema.text.contains(part), "{part}\n{}", schema.text);
        }
    }

    #[test]
    fn what_a_switch_cannot_change_is_said() {
        let source = "const A: u64 = 1 + 2; fn f() -> u64 { 3 } fn g() { if let B = c && d {} }";
        let schema = rewritten(
            source,
            &[
                change(source, 0, Genre::BinaryOperator, "+", "-"),
                change(source, 1, Genre::BinaryOperator, "&&", "||"),
            ],
        );
        assert_eq!((schema.alone, schema.refused), (vec![7], vec![8]));
        let mut iterator = change(source, 0, Genre::FnValue, "3", "empty()");
        iterator.returns = "-> impl Iterator".into();
        assert_eq!(rewritten(source, &[iterator.clone()]).alone, [7]);
        // Nothing is left out in silence.
        iterator.start.1 += 1;
        assert!(rewrite(source, &[&iterator], "s").is_err());
    }

    #[test]
    fn one_change_is_made_in_the_text() {
        let source = "fn f() {\n    ä + b\n}\n";
        let change = change(source, 0, Genre::BinaryOperator, "+", "-");
        assert_eq!(
            with_change(source, &change).unwrap(),
            "fn f() {\n    ä - b\n}\n"
        );
    }
}
