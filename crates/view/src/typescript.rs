//! The page's types are these types: what is checked in is compared with what this crate's sources say.
//!
//! A small exporter for what is used here: structures and enumerations that serde writes as objects and strings. It reads the
//! sources as rustfmt leaves them and refuses what it does not know, so that nothing is left out unnoticed.

use std::{env, fmt::Write, fs, path::PathBuf};

use ballast_strategy::{ActionKind, decide::Threshold};

/// The sources with answers in them, in the order of the page's file.
const SOURCES: [&str; 13] = [
    include_str!("status.rs"),
    include_str!("what_if.rs"),
    include_str!("position.rs"),
    include_str!("decision.rs"),
    include_str!("overrides.rs"),
    include_str!("book.rs"),
    include_str!("action.rs"),
    include_str!("flag.rs"),
    include_str!("lending.rs"),
    include_str!("lenders.rs"),
    include_str!("market.rs"),
    include_str!("events.rs"),
    include_str!("error.rs"),
];

const HEADER: &str = "// Generated from crates/view by its test `the_pages_types_are_these_types`. Do not edit: run that test with\n\
                      // BALLAST_WRITE_TYPES=1.\n";

/// A Rust type as TypeScript.
fn typed(rust: &str) -> String {
    let inside = |open: &str| {
        rust.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix('>'))
    };
    if let Some(inner) = inside("Option<") {
        return format!("{} | null", typed(inner));
    }
    if let Some(inner) = inside("Vec<") {
        return format!("Array<{}>", typed(inner));
    }
    if let Some((inner, count)) = rust
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .and_then(|rest| rest.split_once("; "))
    {
        let each = vec![typed(inner); count.parse().unwrap()];
        return format!("[{}]", each.join(", "));
    }
    match rust {
        "String" | "&'static str" => "string".into(),
        "bool" => "boolean".into(),
        // What goes beyond 2^53 is text in these answers.
        "f64" | "u8" | "u32" | "u64" | "usize" | "i32" | "i64" => "number".into(),
        name => {
            let name = name.rsplit("::").next().unwrap_or(name);
            assert!(
                name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric),
                "the exporter does not know `{rust}`"
            );
            name.into()
        }
    }
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// What is being read.
enum Inside {
    Nothing,
    /// Name, fields, flattened types.
    Struct(String, String, Vec<String>),
    /// Name, variants.
    Enum(String, Vec<String>),
}

/// Every serialised type of a source.
fn declarations(source: &str) -> String {
    let mut text = String::new();
    let (mut docs, mut attributes) = (Vec::new(), String::new());
    let mut inside = Inside::Nothing;
    for line in source.lines() {
        let trimmed = line.trim();
        if let Some(doc) = trimmed.strip_prefix("/// ") {
            docs.push(
                doc.replace("[`", "`")
                    .replace("`]", "`")
                    .replace("crate::", "")
                    .replace("*/", "* /"),
            );
            continue;
        }
        if trimmed.starts_with("#[") {
            attributes.push_str(trimmed);
            continue;
        }
        let doc = docs.join(" ");
        let is_answer = attributes.contains("Serialize") || attributes.contains("Deserialize");
        match &mut inside {
            Inside::Nothing => {
                let named = |keyword: &str| {
                    let rest = line.strip_prefix(keyword)?.strip_suffix(" {")?;
                    Some(rest.to_owned())
                };
                if let Some(name) = named("pub struct ").filter(|_| is_answer) {
                    writeln!(text, "\n/** {doc} */").unwrap();
                    inside = Inside::Struct(name, String::new(), Vec::new());
                } else if let Some(name) = named("pub enum ").filter(|_| is_answer) {
                    assert!(attributes.contains("rename_all = \"snake_case\""), "{name}");
                    writeln!(text, "\n/** {doc} */").unwrap();
                    inside = Inside::Enum(name, Vec::new());
                }
            }
            Inside::Struct(name, fields, flattened) if trimmed == "}" => {
                let flattened: String = flattened.iter().map(|of| format!("{of} & ")).collect();
                writeln!(text, "export type {name} = {flattened}{{\n{fields}}};").unwrap();
                inside = Inside::Nothing;
            }
            Inside::Struct(_, fields, flattened) => {
                let field = trimmed
                    .strip_prefix("pub ")
                    .and_then(|field| field.strip_suffix(','));
                let (name, of) = field.unwrap().split_once(": ").unwrap();
                if attributes.contains("flatten") {
                    flattened.push(typed(of));
                } else {
                    let left_out = attributes.contains("skip_serializing_if")
                        || attributes.contains("(default)");
                    let (mark, of) = match of.strip_prefix("Option<").filter(|_| left_out) {
                        Some(inner) => ("?", inner.strip_suffix('>').unwrap()),
                        None => ("", of),
                    };
                    writeln!(fields, "  /** {doc} */\n  {name}{mark}: {};", typed(of)).unwrap();
                }
            }
            Inside::Enum(name, variants) if trimmed == "}" => {
                writeln!(text, "export type {name} = {};", variants.join(" | ")).unwrap();
                inside = Inside::Nothing;
            }
            Inside::Enum(_, variants) => {
                let variant = trimmed.strip_suffix(',').unwrap();
                variants.push(format!("\"{}\"", snake_case(variant)));
            }
        }
        docs.clear();
        attributes.clear();
    }
    text
}

fn strings<T: serde::Serialize>(values: &[T]) -> String {
    let written = values
        .iter()
        .map(|value| serde_json::to_string(value).unwrap());
    written.collect::<Vec<_>>().join(" | ")
}

fn generated() -> String {
    use Threshold as T;
    let thresholds = [
        T::HedgeBand,
        T::PolicyTrigger,
        T::MarketTrigger,
        T::Maintenance,
        T::Band,
        T::Window,
        T::Floor,
    ];
    let mut text = HEADER.to_owned();
    writeln!(text, "\n/** What a price boundary stands for. */").unwrap();
    writeln!(text, "export type Threshold = {};", strings(&thresholds)).unwrap();
    writeln!(text, "\n/** What is done. */").unwrap();
    writeln!(
        text,
        "export type ActionKind = {};",
        strings(&ActionKind::ALL)
    )
    .unwrap();
    for source in SOURCES {
        text.push_str(&declarations(source));
    }
    text
}

#[test]
fn the_pages_types_are_these_types() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../keeper/dashboard/src/api.ts");
    let generated = generated();
    if env::var_os("BALLAST_WRITE_TYPES").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &generated).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == generated,
        "keeper/dashboard/src/api.ts is not what the types say: run this test with BALLAST_WRITE_TYPES=1 and look at the difference"
    );
}

#[test]
fn every_type_that_is_named_is_declared() {
    let text = generated();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let type_like =
            word.starts_with(char::is_uppercase) && text.contains(&format!(": {word};"));
        assert!(
            !type_like || text.contains(&format!("export type {word} =")),
            "{word} is not declared"
        );
    }
}

#[test]
fn fields_are_exported_as_serde_writes_them() {
    let source = "/// A thing.\n#[derive(Clone, Serialize)]\npub struct Thing {\n    /// One.\n    pub one: Option<[f64; 2]>,\n    /// Two.\n    \
                  #[serde(skip_serializing_if = \"Option::is_none\")]\n    pub two: Option<u64>,\n    /// All of it.\n    #[serde(flatten)]\n    \
                  pub other: Other,\n}\n/// A kind.\n#[derive(Serialize)]\n#[serde(rename_all = \"snake_case\")]\npub enum Kind {\n    /// A.\n    \
                  AboveAll,\n}\n/// Not an answer.\npub struct Inner {\n    x: u8,\n}\n";
    let text = declarations(source);
    let expected = "\n/** A thing. */\nexport type Thing = Other & {\n  /** One. */\n  one: [number, number] | null;\n  /** Two. */\n  two?: number;\n};\n\
                    \n/** A kind. */\nexport type Kind = \"above_all\";\n";
    assert_eq!(text, expected);
}
