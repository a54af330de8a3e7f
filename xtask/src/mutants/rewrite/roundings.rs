//! Directions of rounding.

use super::{Edit, Kind, Rewriter, path_start};
use crate::mutants::source::Source;

/// Functions of the libraries in two directions, and where they are.
const FUNCTIONS: [(&str, &str); 4] = [
    ("value", "ballast_model"),
    ("scale", "ballast_model::price"),
    ("mul_div", "ballast_clmm::wide"),
    ("sqrt_price", "ballast_model::oracle"),
];
/// Methods of theirs in two directions.
const METHODS: [&str; 2] = ["of", "amounts"];

impl Rewriter {
    /// Functions `…_up` beside which the same file has a `…_down` with the same parameters, and the other way round.
    pub(super) fn roundings(
        &mut self,
        file: &str,
        source: &Source,
        module: &str,
        edits: &mut Vec<Edit>,
    ) {
        let functions = functions(source);
        for function in &functions {
            let other = match function.name.strip_suffix("_up") {
                Some(stem) => format!("{stem}_down"),
                None => match function.name.strip_suffix("_down") {
                    Some(stem) => format!("{stem}_up"),
                    None => continue,
                },
            };
            let same = |candidate: &&Function| {
                candidate.name == other
                    && candidate.parameters == function.parameters
                    && candidate.returns == function.returns
            };
            if function.is_const || functions.iter().filter(same).count() != 1 {
                continue;
            }
            let names = argument_names(&function.parameters);
            let (receiver, names) = match names.split_first() {
                Some((first, rest)) if *first == "self" => ("self.", rest),
                _ => ("", &names[..]),
            };
            let range = (function.at, function.body);
            let number = self.site(file, source, range, Kind::Rounding);
            edits.push(Edit {
                at: function.body + 1,
                length: 0,
                text: format!(
                    " if {module}::off({number}) {{ return {receiver}{other}({}); }} {module}::differs({number});",
                    names.join(", ")
                ),
            });
        }
    }
    /// Calls that round: of a function or a method of which there are two, and of `div_ceil`.
    pub(super) fn calls(&mut self, file: &str, source: &Source, edits: &mut Vec<Edit>) {
        for (stem, module) in FUNCTIONS {
            for (name, other) in both(stem) {
                for at in source.places_before_tests(&format!("{name}(")) {
                    if source.code[..at].ends_with(b".") || source.code[..at].ends_with(b"fn ") {
                        continue;
                    }
                    let Some(close) = source.after_closing(at + name.len()) else {
                        continue;
                    };
                    let start = path_start(source, at);
                    let number = self.site(file, source, (start, close), Kind::Rounding);
                    let path = &source.text[start..at + name.len()];
                    edits.push(Edit {
                        at: start,
                        length: path.len(),
                        text: format!(
                            "(if ballast_clmm::mutant::off({number}) {{ {module}::{other} }} else {{ ballast_clmm::mutant::differs({number}); {path} }})"
                        ),
                    });
                }
            }
        }
        for stem in METHODS {
            for (name, other) in both(stem) {
                let call = format!(".{name}(");
                for at in source.places_before_tests(&call) {
                    let Some(close) = source.after_closing(at + call.len() - 1) else {
                        continue;
                    };
                    let number = self.site(file, source, (at, close), Kind::Rounding);
                    let arguments = &source.text[at + call.len()..close - 1];
                    edits.push(Edit {
                        at,
                        length: call.len(),
                        text: format!(".either({number}, |it| it{call}"),
                    });
                    edits.push(Edit {
                        at: close,
                        length: 0,
                        text: format!(", |it| it.{other}({arguments}))"),
                    });
                }
            }
        }
        let call = ".div_ceil(";
        for at in source.places_before_tests(call) {
            let Some(close) = source.after_closing(at + call.len() - 1) else {
                continue;
            };
            let number = self.site(file, source, (at, close), Kind::Rounding);
            edits.push(Edit {
                at,
                length: call.len(),
                text: format!(".div_ceil_unless({number}, "),
            });
        }
    }
}

/// Both directions, each with the other.
fn both(stem: &str) -> [(String, String); 2] {
    let (up, down) = (format!("{stem}_up"), format!("{stem}_down"));
    [(up.clone(), down.clone()), (down, up)]
}

struct Function {
    name: String,
    is_const: bool,
    parameters: String,
    returns: String,
    at: usize,
    /// Position of the body's bracket.
    body: usize,
}

fn functions(source: &Source) -> Vec<Function> {
    let mut all = Vec::new();
    for at in source.places_before_tests("fn ") {
        let rest = &source.text[at + 3..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let open = at + 3 + name.len();
        if source.code.get(open) != Some(&b'(') {
            continue;
        }
        let Some(close) = source.after_closing(open) else {
            continue;
        };
        let Some(body) = source.code[close..]
            .iter()
            .position(|b| matches!(b, b'{' | b';'))
        else {
            continue;
        };
        let body = close + body;
        if source.code[body] != b'{' {
            continue;
        }
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = source.text[..at].rfind('\n').map_or(0, |end| end + 1);
        all.push(Function {
            name,
            is_const: source.text[line..at].contains("const "),
            parameters: squeezed(&source.text[open + 1..close - 1]),
            returns: squeezed(&source.text[close..body]),
            at,
            body,
        });
    }
    all
}

/// The names in a parameter list without patterns.
fn argument_names(parameters: &str) -> Vec<&str> {
    let mut depth = 0i32;
    parameters
        .split(|c| {
            match c {
                '(' | '[' | '<' => depth += 1,
                ')' | ']' | '>' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(|part| part.split(':').next().unwrap_or("").trim())
        .map(|name| {
            name.trim_start_matches('&')
                .trim_start_matches("mut ")
                .trim()
        })
        .filter(|name| !name.is_empty())
        .collect()
}
