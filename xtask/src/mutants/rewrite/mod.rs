//! Finds guards in a source file and lets each ask whether it is switched off.

mod checks;
mod roundings;

use super::{report::nth_of, source::Source};
use crate::cache::Key;

/// A guard that can be switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its number; what the patched program file holds.
    pub number: u16,
    /// File, from the repository's root.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What becomes of it.
    pub kind: Kind,
    /// The guard, on one line.
    pub text: String,
    /// How many guards before it in its file read the same.
    pub nth: usize,
    /// What tells the file's code, without its tests, from other code.
    pub code: String,
}

/// What switching a guard off means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The check is left out.
    Check,
    /// The cap or floor is left out.
    Bound,
    /// It rounds the other way.
    Rounding,
}

impl Site {
    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The same for a guard as long as nobody touches it, wherever it moves in its file.
    pub fn key(&self) -> String {
        nth_of(&format!("{} {}", self.file, self.text), self.nth)
    }
}

/// A change of the text: so many bytes from a position on are replaced.
struct Edit {
    at: usize,
    length: usize,
    text: String,
}

/// Numbers guards over several files.
#[derive(Default)]
pub struct Rewriter {
    /// All that were found.
    pub sites: Vec<Site>,
}

impl Rewriter {
    /// The text of a file of the program with its checks, bounds and roundings asking.
    pub fn program(&mut self, file: &str, text: String) -> String {
        let source = Source::new(text);
        let mut edits = Vec::new();
        self.checks(file, &source, &mut edits);
        self.bounds(file, &source, &mut edits);
        self.roundings(file, &source, "ballast_clmm::mutant", &mut edits);
        self.calls(file, &source, &mut edits);
        let rewritten = apply(&source, edits);
        // A trait is in scope wherever in the module it is named.
        format!(
            "{rewritten}\n#[allow(unused_imports)]\nuse ballast_clmm::mutant::{{Ceil as _, Either as _, Unless as _}};\n"
        )
    }

    /// The text of a file of a library with its roundings asking. `module` is the path of the crate's `mutant` module.
    pub fn library(&mut self, file: &str, text: String, module: &str) -> String {
        let source = Source::new(text);
        let mut edits = Vec::new();
        self.roundings(file, &source, module, &mut edits);
        apply(&source, edits)
    }

    fn site(&mut self, file: &str, source: &Source, range: (usize, usize), kind: Kind) -> u16 {
        // More than there are numbers is refused when all are there.
        let number = self.sites.len() as u16;
        let words: Vec<_> = source.text[range.0..range.1].split_whitespace().collect();
        let text = words.join(" ");
        let same = |site: &&Site| site.file == file && site.text == text;
        let nth = self.sites.iter().filter(same).count();
        self.sites.push(Site {
            number,
            file: file.to_owned(),
            line: source.line(range.0),
            kind,
            text,
            nth,
            code: Key::new().text(&source.text[..source.end_of_code()]).hex(),
        });
        number
    }

    /// `.min(x)` and `.max(x)`.
    fn bounds(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        for method in [".min(", ".max("] {
            for at in source.places_before_tests(method) {
                let open = at + method.len() - 1;
                let Some(close) = source.after_closing(open) else {
                    continue;
                };
                if source.text[open + 1..close - 1].trim().is_empty() {
                    continue;
                }
                let number = self.site(file, source, (at, close), Kind::Bound);
                edits.push(Edit {
                    at,
                    length: method.len(),
                    text: format!("{}_unless({number}, ", &method[..4]),
                });
            }
        }
    }
}

/// Where the path begins that ends with the name at `name`: `risk::require_mode` at `risk`.
fn path_start(source: &Source, name: usize) -> usize {
    let mut start = name;
    while start >= 2 && &source.code[start - 2..start] == b"::" {
        start -= 2;
        while start > 0
            && (source.code[start - 1].is_ascii_alphanumeric() || source.code[start - 1] == b'_')
        {
            start -= 1;
        }
    }
    start
}

fn apply(source: &Source, mut edits: Vec<Edit>) -> String {
    // Stable: what is inserted first at a place stays first.
    edits.sort_by_key(|edit| edit.at);
    let mut text = String::with_capacity(source.text.len() * 2);
    let mut from = 0;
    for edit in edits {
        text.push_str(&source.text[from..edit.at]);
        text.push_str(&edit.text);
        from = edit.at + edit.length;
    }
    text.push_str(&source.text[from..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> (String, Vec<Site>) {
        let mut rewriter = Rewriter::default();
        let text = rewriter.program("a.rs", text.to_owned());
        (text, rewriter.sites)
    }

    #[test]
    fn checks_are_left_out_and_values_are_not() {
        let (text, sites) = program(
            "fn f() { require!(a(b), E); risk::require_mode(x)?; let y = require_z(x)?; g(require_w(1)?); }",
        );
        assert_eq!(sites.len(), 2, "{sites:?}");
        assert!(text.contains(
            "{ if !ballast_clmm::mutant::off(0) { require!(ballast_clmm::mutant::holds(0, a(b)), E); } if "
        ));
        assert!(text.contains(
            "} if !ballast_clmm::mutant::off(1) { ballast_clmm::mutant::passes(1, risk::require_mode(x))?; } let"
        ));
        let (text, _) = program("fn f() { require_keys_eq!(a(),\n b, E); }");
        assert!(text.contains(
            "ballast_clmm::mutant::holds(0, (a()) == (b)); require_keys_eq!(a(),\n b, E); }"
        ));
        assert_eq!(sites[1].text, "risk::require_mode(x)?;");
    }

    #[test]
    fn rules_refusals_and_addresses_ask() {
        let (text, sites) = program(
            "fn f() { let rules = [(a <= b, \"a rule\"), (\n // why\n g(a, b), \"another, (b)\",\n)]; h(a, (b, 1)); }",
        );
        assert_eq!(sites.len(), 2, "{sites:?}");
        assert!(text.contains(
            "(ballast_clmm::mutant::off(0) || ballast_clmm::mutant::holds(0, a <= b), \"a rule\")"
        ));
        assert!(text.contains(
            "ballast_clmm::mutant::off(1) || ballast_clmm::mutant::holds(1, \n // why\n g(a, b)), \"another, (b)\",\n)"
        ));

        let (text, sites) = program(
            "fn f() { if a { msg!(\"x\"); return err!(E); } if e { return Err(g(E)); } let Some(b) = c else { return err!(E); }; match d { _ => return err!(E), } }",
        );
        assert_eq!(sites.len(), 2, "{sites:?}");
        assert!(text.contains("if !ballast_clmm::mutant::off(0) { ballast_clmm::mutant::differs(0); return err!(E); } }"));
        assert!(text.contains("{ if !ballast_clmm::mutant::off(1) { ballast_clmm::mutant::differs(1); return Err(g(E)); } }"));

        let (text, _) =
            program("struct A { #[account(address = b::C @ E)]\n /// Doc.\n pub d: P<'i, C>, }");
        assert!(text.contains(
            "#[account(constraint = ballast_clmm::mutant::off(0) || ballast_clmm::mutant::holds(0, d.key() == b::C) @ E)]"
        ));
        let (text, _) = program("struct A { #[account(address = C)]\n pub d: P<'i, C>, }");
        assert!(
            text.contains("d.key() == C) @ anchor_lang::error::ErrorCode::ConstraintAddress)]")
        );
    }

    #[test]
    fn calls_that_round_can_round_the_other_way() {
        let (text, sites) = program(
            "use m::value_up; fn f() { value_up(a, b); x.of_down(c); (d).div_ceil(e); self.value_up(g); }",
        );
        assert_eq!(sites.len(), 3, "{sites:?}");
        assert!(text.contains(
            "(if ballast_clmm::mutant::off(0) { ballast_model::value_down } else { ballast_clmm::mutant::differs(0); value_up })(a, b)"
        ));
        assert!(text.contains("x.either(1, |it| it.of_down(c), |it| it.of_up(c))"));
        assert!(text.contains("(d).div_ceil_unless(2, e)"));
    }

    #[test]
    fn bounds_ask_and_iterators_do_not() {
        let (text, sites) = program("fn f() { a.min(b.max(c)); it.min(); }");
        assert_eq!(sites.len(), 2);
        assert!(text.contains("a.min_unless(0, b.max_unless(1, c))"));
        assert!(text.contains("it.min()"));
    }

    #[test]
    fn roundings_call_their_twin_if_there_is_one() {
        let (text, sites) = program(
            "impl A { fn x_up(&self, a: u64, b: [u8; 2]) -> R { 1 } fn x_down(&self, a: u64, b: [u8; 2]) -> R { 2 } }\n\
             fn y_up(a: u64) -> R { 3 }\nconst fn z_up() {}\nconst fn z_down() {}",
        );
        assert_eq!(sites.len(), 2);
        assert!(text.contains("if ballast_clmm::mutant::off(0) { return self.x_down(a, b); }"));
        assert!(text.contains("if ballast_clmm::mutant::off(1) { return self.x_up(a, b); }"));
    }

    #[test]
    fn tests_and_comments_are_left_alone() {
        let (text, sites) = program(
            "// require!(a, E);\n#[cfg(test)]\nmod tests { fn f() { require!(a, E); a.min(b); } }",
        );
        assert!(sites.is_empty(), "{text}");
    }
}
