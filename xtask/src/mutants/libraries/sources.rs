//! What an outcome depends on, so that a new test does not make all that is known old.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use syn::{
    Attribute, ItemFn,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::found::Fate;
use crate::cache::Key;

/// The sources of the packages whose tests are run.
#[cfg_attr(test, derive(Default))]
pub struct Sources {
    /// Everything but functions that are tests.
    code: String,
    /// The tests, by the name of the function.
    tests: BTreeMap<String, String>,
}

impl Sources {
    /// Reads packages.
    pub fn read(packages: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let mut files = Vec::new();
        for package in packages {
            files.push(package.join("Cargo.toml"));
            for directory in ["src", "tests"] {
                collect(&package.join(directory), &mut files)?;
            }
        }
        let mut key = Key::new();
        let mut tests = BTreeMap::new();
        for file in files {
            let context = || format!("cannot read {}", file.display());
            let bytes = fs::read(&file).with_context(context)?;
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if file.extension().is_some_and(|extension| extension == "rs") {
                text = without_tests(&text, &mut tests).with_context(context)?;
            }
            key = key.text(&file.to_string_lossy()).text(&text);
        }
        Ok(Self {
            code: key.hex(),
            tests,
        })
    }

    /// Some, for tests.
    #[cfg(test)]
    pub fn of_code(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            tests: BTreeMap::new(),
        }
    }

    /// Of what the compiler's refusals are.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Of what a survivor is: everything.
    pub fn all(&self) -> String {
        let all = Key::new().text(&self.code);
        let tests = self.tests.iter();
        tests
            .fold(all, |key, (name, text)| key.text(name).text(text))
            .hex()
    }

    /// Of what a fate is. That a test misses something stays true whatever other tests there are.
    pub fn of(&self, fate: &Fate) -> String {
        match (fate, fate.by()) {
            (Fate::Unviable, _) => self.code.clone(),
            (_, Some(test)) => {
                let name = test.rsplit([':', ' ']).next().unwrap_or(test);
                let text = self.tests.get(name).map_or("", String::as_str);
                Key::new().text(&self.code).text(text).hex()
            }
            (_, None) => self.all(),
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

/// A file without the functions that are tests, which go to `tests`.
fn without_tests(text: &str, tests: &mut BTreeMap<String, String>) -> Result<String> {
    struct Tests(Vec<(String, std::ops::Range<usize>)>);
    impl<'ast> Visit<'ast> for Tests {
        fn visit_item_fn(&mut self, node: &'ast ItemFn) {
            let is_test = |attribute: &Attribute| attribute.path().is_ident("test");
            if node.attrs.iter().any(is_test) {
                self.0
                    .push((node.sig.ident.to_string(), node.span().byte_range()));
            } else {
                visit::visit_item_fn(self, node);
            }
        }
    }
    let mut found = Tests(Vec::new());
    found.visit_file(&syn::parse_file(text)?);
    let mut rest = String::new();
    let mut from = 0;
    for (name, range) in found.0 {
        rest.push_str(text[from..range.start].trim_end());
        from = range.end;
        tests.entry(name).or_default().push_str(&text[range]);
    }
    rest.push_str(text[from..].trim_start());
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_test_leaves_what_other_tests_missed_and_nothing_else() {
        let sources = |text: &str| {
            let mut tests = BTreeMap::new();
            let code = without_tests(text, &mut tests).unwrap();
            Sources { code, tests }
        };
        let one = sources("fn f() {}\nmod tests {\n    #[test]\n    fn a() {}\n}\n");
        let two = sources(
            "fn f() {}\nmod tests {\n    #[test]\n    fn a() {}\n\n    /// B.\n    #[test]\n    fn b() {}\n}\n",
        );
        let changed = sources("fn f() {}\nmod tests {\n    #[test]\n    fn a() { f() }\n}\n");
        let code = sources("fn f() { 1 }\nmod tests {\n    #[test]\n    fn a() {}\n}\n");
        let found = Fate::Found("p: tests::a".into());
        assert_eq!(one.of(&found), two.of(&found));
        assert_ne!(one.of(&found), changed.of(&found));
        assert_ne!(one.of(&found), code.of(&found));
        assert_eq!(one.of(&Fate::Unviable), changed.of(&Fate::Unviable));
        assert_ne!(one.of(&Fate::Survived), two.of(&Fate::Survived));
        assert_eq!(two.tests["b"], "/// B.\n    #[test]\n    fn b() {}");
    }
}
