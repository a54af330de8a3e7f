//! What an outcome depends on, so that a new test does not make all that is known old.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use syn::{
    Attribute, ItemFn,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{build, found::Fate, hunt};
use crate::cache::Key;

/// The sources of the packages whose tests are run.
#[cfg_attr(test, derive(Default))]
pub struct Sources {
    /// Directories of packages, each after those that it depends on, with everything but tests and what stands beside them in
    /// their files.
    code: Vec<(String, String)>,
    /// What stands beside tests, by file.
    helpers: BTreeMap<String, String>,
    /// The tests, by the name of the function: each with its file.
    tests: BTreeMap<String, Vec<(String, String)>>,
}

impl Sources {
    /// Reads packages in these directories, each of which depends on no later one.
    pub fn read<'a>(root: &Path, packages: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut sources = Self {
            code: Vec::new(),
            helpers: BTreeMap::new(),
            tests: BTreeMap::new(),
        };
        for package in packages {
            let directory = root.join(package);
            let mut files = vec![directory.join("Cargo.toml")];
            for part in ["src", "tests"] {
                collect(&directory.join(part), &mut files)?;
            }
            let mut key = Key::new();
            for file in files {
                let context = || format!("cannot read {}", file.display());
                let bytes = fs::read(&file).with_context(context)?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
                let is_rust = file.extension().is_some_and(|extension| extension == "rs");
                let code = if is_rust {
                    sources.add(&name, &text).with_context(context)?
                } else {
                    text
                };
                key = key.text(&name).text(&code);
            }
            sources.code.push((package.to_owned(), key.hex()));
        }
        Ok(sources)
    }

    /// Some, for tests.
    #[cfg(test)]
    pub fn of_code(code: &str) -> Self {
        Self {
            code: vec![(String::new(), code.to_owned())],
            ..Self::default()
        }
    }

    /// Takes the tests out of a file, and what stands beside them; answers the rest.
    fn add(&mut self, name: &str, text: &str) -> Result<String> {
        let mut found = Tests::default();
        found.visit_file(&syn::parse_file(text)?);
        let is_test_file = name.contains("/tests/") && !found.tests.is_empty();
        let (mut code, mut helpers) = (String::new(), String::new());
        let mut from = 0;
        // Modules do not begin within tests, nor tests within one another.
        let mut cuts: Vec<_> = found.tests.iter().map(|(_, range)| range.clone()).collect();
        cuts.dedup();
        for cut in cuts
            .into_iter()
            .chain(std::iter::once(text.len()..text.len()))
        {
            let part = from..cut.start;
            let inside = |at: usize| found.modules.iter().any(|module| module.contains(&at));
            for (at, c) in text[part.clone()].char_indices() {
                if is_test_file || inside(part.start + at) {
                    helpers.push(c);
                } else {
                    code.push(c);
                }
            }
            from = cut.end;
        }
        for (test, range) in found.tests {
            let tests = self.tests.entry(test).or_default();
            tests.push((name.to_owned(), text[range].to_owned()));
        }
        self.helpers.insert(name.to_owned(), squeezed(&helpers));
        Ok(squeezed(&code))
    }

    /// Of what the compiler's refusals are.
    pub fn code(&self) -> String {
        self.key_of(self.code.len()).hex()
    }

    /// The code of so many packages.
    fn key_of(&self, packages: usize) -> Key {
        let code = self.code.iter().take(packages);
        code.fold(Key::new(), |key, (_, code)| key.text(code))
    }

    /// How many packages there are up to that of a file; all if it is of none.
    fn up_to(&self, file: &str) -> usize {
        let is_in = |directory: &str| Path::new(file).starts_with(directory);
        let found = self.code.iter().position(|(directory, _)| is_in(directory));
        found.map_or(self.code.len(), |index| index + 1)
    }

    /// Of what a survivor is: all that is asked about the change.
    fn asked(&self, file: &str) -> String {
        let asked: Vec<_> = build::package_of(file)
            .into_iter()
            .flat_map(hunt::asked)
            .filter_map(build::directory_of)
            .collect();
        let is_asked = |file: &str| asked.iter().any(|asked| Path::new(file).starts_with(asked));
        let is_in = |file: &str| asked.is_empty() || is_asked(file);
        let packages = asked.iter().map(|directory| self.up_to(directory)).max();
        let mut key = self.key_of(packages.unwrap_or(self.code.len()));
        for (file, text) in self.helpers.iter().filter(|(file, _)| is_in(file)) {
            key = key.text(file).text(text);
        }
        for (file, text) in self
            .tests
            .values()
            .flatten()
            .filter(|(file, _)| is_in(file))
        {
            key = key.text(file).text(text);
        }
        key.hex()
    }

    /// Of what it is what a test does, whose name ends with the function's.
    pub fn of_test(&self, test: &str) -> String {
        let name = test.rsplit([':', ' ']).next().unwrap_or(test);
        let Some(tests) = self.tests.get(name) else {
            return self.asked("");
        };
        let packages = tests.iter().map(|(file, _)| self.up_to(file)).max();
        let mut key = self.key_of(packages.unwrap_or(self.code.len()));
        for (file, text) in tests {
            let helpers = self.helpers.get(file).map_or("", String::as_str);
            key = key.text(helpers).text(text);
        }
        key.hex()
    }

    /// Of what the fate of a change is. That a test misses something stays true whatever other tests there are.
    pub fn of(&self, change: &str, fate: &Fate) -> String {
        let file = change.split(' ').next().unwrap_or(change);
        match (fate, fate.by()) {
            (Fate::Unviable, _) => self.key_of(self.up_to(file)).hex(),
            (_, Some(test)) => self.of_test(test),
            (_, None) => self.asked(file),
        }
    }
}

/// All files below a directory, if there is one, in order.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let mut paths = fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("cannot read {}", directory.display()))?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Text without white space at the ends of lines, and without empty lines.
fn squeezed(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Where tests are in a file, and modules of them.
#[derive(Default)]
struct Tests {
    tests: Vec<(String, Range<usize>)>,
    modules: Vec<Range<usize>>,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        let is_cfg_test = |attribute: &Attribute| {
            attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|condition| condition == "test")
        };
        if node.content.is_some() && node.attrs.iter().any(is_cfg_test) {
            self.modules.push(node.span().byte_range());
        }
        visit::visit_item_mod(self, node);
    }

    fn visit_item_fn(&mut self, node: &'ast ItemFn) {
        let is_test = |attribute: &Attribute| attribute.path().is_ident("test");
        if node.attrs.iter().any(is_test) {
            let name = node.sig.ident.to_string();
            self.tests.push((name, node.span().byte_range()));
        } else {
            visit::visit_item_fn(self, node);
        }
    }

    /// Properties: all of one macro go together.
    fn visit_item_macro(&mut self, node: &'ast syn::ItemMacro) {
        if !node.mac.path.is_ident("proptest") {
            return;
        }
        let text = node.mac.tokens.to_string();
        let words: Vec<_> = text.split_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "fn") {
            let name = pair[1].split('(').next().unwrap_or_default().to_owned();
            self.tests.push((name, node.span().byte_range()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_test_leaves_what_other_tests_missed_and_nothing_else() {
        let sources = |text: &str| {
            let mut sources = Sources::default();
            let code = sources.add("p/src/a.rs", text).unwrap();
            sources.code.push(("p".to_owned(), code));
            sources
        };
        const CODE: &str = "fn f() {}\n";
        let tests = |text: &str| format!("{CODE}\n#[cfg(test)]\nmod tests {{\n{text}\n}}\n");
        let a = "#[test]\nfn a() {}\n";
        let one = sources(&tests(a));
        let found = Fate::Found("p: tests::a".into());
        let is_known = |text: &str, fate| {
            one.of("p/src/a.rs x", &fate) == sources(text).of("p/src/a.rs x", &fate)
        };

        let two = tests(&format!("{a}\n/// B.\n#[test]\nfn b() {{}}"));
        assert!(is_known(&two, found.clone()));
        assert!(!is_known(&two, Fate::Survived));
        assert!(is_known(CODE, Fate::Unviable));
        assert!(!is_known(CODE, found.clone()));
        let changed = tests("#[test]\nfn a() { f() }");
        assert!(!is_known(&changed, found.clone()));
        let helped = tests(&format!("{a}fn g() {{}}"));
        assert!(!is_known(&helped, found.clone()));
        assert!(is_known(&helped, Fate::Unviable));
        let code = tests(a).replace("{}", "{ 1 }");
        assert!(!is_known(&code, found) && !is_known(&code, Fate::Unviable));

        let properties = "proptest! {\n#[test]\nfn p(x in 0..9) {}\n}\n";
        let with_properties = sources(&tests(&format!("{a}{properties}")));
        assert!(with_properties.tests.contains_key("p"));
        assert_eq!(with_properties.code, one.code);
    }

    #[test]
    fn what_is_known_does_not_depend_on_packages_that_depend_on_it() {
        const TEST: &str = "#[test]\nfn a() {}\n";
        let sources = |[clmm, model, strategy]: [&str; 3]| {
            let mut sources = Sources::default();
            for (directory, text) in [
                ("crates/clmm", clmm),
                ("crates/model", model),
                ("crates/strategy", strategy),
            ] {
                let file = format!("{directory}/src/a.rs");
                let code = sources.add(&file, text).unwrap();
                sources.code.push((directory.to_owned(), code));
            }
            sources
        };
        let before = sources(["fn f() {}", TEST, ""]);
        let is_known = |now: [&str; 3], change: &str, fate: Fate| {
            before.of(change, &fate) == sources(now).of(change, &fate)
        };
        let found = || Fate::Found("ballast_model: a".into());
        let (clmm, model) = ("crates/clmm/src/a.rs x", "crates/model/src/a.rs x");
        let later = ["fn f() {}", TEST, "fn g() {}"];
        let own = ["fn f() {}", "fn g() {}\n#[test]\nfn a() {}\n", ""];
        let earlier = ["fn f() { 1 }", TEST, ""];
        // Of clmm's changes the model's tests are asked and nobody else's, of the model's the strategy's too.
        for fate in [found(), Fate::Survived, Fate::Unviable] {
            assert!(is_known(later, clmm, fate.clone()));
            assert_eq!(is_known(later, model, fate.clone()), fate != Fate::Survived);
            assert_eq!(is_known(own, clmm, fate.clone()), fate == Fate::Unviable);
            assert!(!is_known(own, model, fate.clone()) && !is_known(earlier, model, fate));
        }
    }
}
