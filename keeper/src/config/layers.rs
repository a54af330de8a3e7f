//! What a configuration is made of: a file, then the environment (`BALLAST_KEEPER__SECTION__KEY`), then flags
//! (`--set section.key=value`). What comes later holds. Whatever is wrong is told with the layer that it is in.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use ballast_client::Endpoint;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, ConfigError, malformed, raw::RawConfig};

/// Variables of the environment that begin with this set a key.
pub const PREFIX: &str = "BALLAST_KEEPER__";
/// Between the names of a section and of a key in such a variable.
const BORDER: &str = "__";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said: it is as by default.
    Default,
    /// The file.
    File(PathBuf),
    /// This variable of the environment.
    Variable(String),
    /// A flag, for this key.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(key) => write!(f, "--set {key}"),
        }
    }
}

/// A value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key, as a dotted path.
    pub key: String,
    /// The value, as TOML writes it; of URLs what is not secret.
    pub shown: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A value that is laid over those of the file.
#[derive(Clone, Debug)]
struct Overlay {
    origin: Origin,
    path: Vec<String>,
    text: String,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Layers {
    file: PathBuf,
    overlays: Vec<Overlay>,
}

/// A configuration, and where each of its values comes from.
#[derive(Clone, Debug)]
pub struct Layered {
    /// The configuration.
    pub config: Config,
    /// All its values. Optional ones that are not set are left out.
    pub settings: Vec<Setting>,
}

impl Layers {
    /// A file alone.
    pub fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            overlays: Vec::new(),
        }
    }

    /// With the environment of this process.
    ///
    /// # Errors
    /// [`ConfigError::Overlaid`] for a value that is no text.
    pub fn with_environment(self) -> Result<Self, ConfigError> {
        let ours = env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with(PREFIX).then_some((name, value))
        });
        let ours = ours.map(|(name, value)| match value.into_string() {
            Ok(text) => Ok((name, text)),
            Err(_) => Err(overlaid(&Origin::Variable(name), "", "is no UTF-8")),
        });
        let ours: Vec<_> = ours.collect::<Result<_, _>>()?;
        Ok(self.with_variables(ours))
    }

    /// With these variables of an environment; others than [`PREFIX`]'s are left alone.
    #[must_use]
    pub fn with_variables(mut self, all: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut ours: Vec<_> = all
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        ours.sort();
        self.overlays.extend(ours.into_iter().map(|(name, text)| {
            let key = name.get(PREFIX.len()..).unwrap_or_default();
            Overlay {
                path: key.split(BORDER).map(str::to_lowercase).collect(),
                origin: Origin::Variable(name),
                text,
            }
        }));
        self
    }

    /// With flags, each as `section.key=value`.
    ///
    /// # Errors
    /// [`ConfigError::Overlaid`] for one without a value.
    pub fn with_flags(mut self, flags: &[String]) -> Result<Self, ConfigError> {
        for flag in flags {
            // What is no key is not repeated: it may be a value.
            let Some((key, text)) = flag.split_once('=').filter(|(key, _)| is_key(key)) else {
                let origin = Origin::Flag("SECTION.KEY=VALUE".into());
                return Err(overlaid(&origin, "?", "one of them is not of this form"));
            };
            self.overlays.push(Overlay {
                origin: Origin::Flag(key.trim().into()),
                path: key.trim().split('.').map(Into::into).collect(),
                text: text.into(),
            });
        }
        Ok(self)
    }

    /// Reads and checks all of it. Relative paths are relative to the file's directory, wherever they are named.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(&self) -> Result<Layered, ConfigError> {
        let text = fs::read_to_string(&self.file).map_err(|error| ConfigError::Unreadable {
            path: self.file.clone(),
            error,
        })?;
        let (config, settings) = self.read_text(&text)?;
        let directory = self.file.parent().unwrap_or(Path::new("."));
        Ok(Layered {
            config: config.relative_to(directory),
            settings,
        })
    }

    fn read_text(&self, text: &str) -> Result<(Config, Vec<Setting>), ConfigError> {
        let in_file = |error| ConfigError::InFile {
            path: self.file.clone(),
            error: Box::new(error),
        };
        let malformed = |error| in_file(malformed::explain(text, &error));
        // First as it is, because then the error has a line.
        toml::from_str::<RawConfig>(text).map_err(malformed)?;
        let of_file: Table = toml::from_str(text).map_err(malformed)?;
        let mut table = of_file.clone();
        for overlay in &self.overlays {
            table = overlay.over(table)?;
        }
        let read = |table: &Table| RawConfig::deserialize(Value::Table(table.clone()));
        let raw = read(&table).map_err(malformed)?;
        let all = Table::try_from(&raw).unwrap_or_else(|_| table.clone());
        let mut settings = Vec::new();
        let of_file = Value::Table(of_file);
        self.list("", &Value::Table(all), Some(&of_file), &mut settings);
        let config = raw.read().map_err(|error| match self.blamed(&error) {
            Some(overlay) => ConfigError::Layered {
                origin: overlay.origin.to_string(),
                error: Box::new(error),
            },
            None => in_file(error),
        })?;
        Ok((config, settings))
    }

    /// The newest overlay of the key that an error is about.
    fn blamed(&self, error: &ConfigError) -> Option<&Overlay> {
        let ConfigError::Invalid { key, .. } = error else {
            return None;
        };
        let key = key.replace('[', ".").replace(']', "");
        self.overlay_of(&key)
    }

    fn overlay_of(&self, key: &str) -> Option<&Overlay> {
        let is_of = |overlay: &&Overlay| {
            let own = overlay.path.join(".");
            let rest = key.strip_prefix(&own);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.overlays.iter().rev().find(is_of)
    }

    fn list(&self, key: &str, value: &Value, of_file: Option<&Value>, into: &mut Vec<Setting>) {
        match value {
            Value::Table(table) => {
                for (name, value) in table {
                    let of_file = of_file.and_then(|it| it.get(name));
                    self.list(&below(key, name), value, of_file, into);
                }
            }
            Value::Array(all) if !all.is_empty() && all.iter().all(Value::is_table) => {
                for (index, value) in all.iter().enumerate() {
                    let of_file = of_file.and_then(|it| it.get(index));
                    self.list(&below(key, &index.to_string()), value, of_file, into);
                }
            }
            _ => into.push(Setting {
                origin: match (self.overlay_of(key), of_file) {
                    (Some(overlay), _) => overlay.origin.clone(),
                    (None, Some(_)) => Origin::File(self.file.clone()),
                    (None, None) => Origin::Default,
                },
                shown: shown(key, value),
                key: key.into(),
            }),
        }
    }
}

/// The key of a name in a section.
fn below(key: &str, name: &str) -> String {
    let name = if is_key(name) && !name.contains('.') {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    };
    match key {
        "" => name,
        _ => format!("{key}.{name}"),
    }
}

/// The names of a key, so that a value that was given in its place is not repeated.
fn is_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let key = key.trim();
    !key.is_empty() && key.bytes().all(plain)
}

fn overlaid(origin: &Origin, key: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Overlaid {
        origin: origin.to_string(),
        key: key.into(),
        problem: problem.into(),
    }
}

impl Overlay {
    /// The table with this value in it, if a configuration can have it there.
    fn over(&self, table: Table) -> Result<Table, ConfigError> {
        let key = self.path.join(".");
        let mut refusal = None;
        for value in self.values() {
            let mut laid = Value::Table(table.clone());
            put(&mut laid, &self.path, value)
                .map_err(|problem| overlaid(&self.origin, &key, problem))?;
            match (RawConfig::deserialize(laid.clone()), laid) {
                (Ok(_), Value::Table(table)) => return Ok(table),
                (Err(error), _) => {
                    let line = format!("value = {}", self.text);
                    let problem = malformed::without_values(&line, error.message());
                    refusal.get_or_insert(problem);
                }
                (Ok(_), _) => {}
            }
        }
        Err(overlaid(&self.origin, &key, refusal.unwrap_or_default()))
    }

    /// What its text may mean: a value of TOML, or a text without quotes.
    fn values(&self) -> impl Iterator<Item = Value> {
        let read: Option<Table> = toml::from_str(&format!("value = {}", self.text)).ok();
        // Whoever writes several lines means a text.
        let read = read.filter(|read| read.len() == 1);
        let read = read.and_then(|mut read| read.remove("value"));
        let text = Value::String(self.text.clone());
        read.into_iter().chain([text])
    }
}

/// Sets a value. Entries of lists are named by their number, from 0.
fn put(at: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((name, rest)) = path.split_first().filter(|(name, _)| !name.is_empty()) else {
        return Err("is no key: write SECTION.KEY, or SECTION__KEY in a variable".into());
    };
    let is_number = |name: &String| !name.is_empty() && name.bytes().all(|it| it.is_ascii_digit());
    let next = match at {
        Value::Table(table) => match rest {
            [] => {
                table.insert(name.clone(), value);
                return Ok(());
            }
            [number, ..] if is_number(number) => {
                let list = || Value::Array(Vec::new());
                table.entry(name.clone()).or_insert_with(list)
            }
            _ => {
                let section = || Value::Table(Table::new());
                table.entry(name.clone()).or_insert_with(section)
            }
        },
        Value::Array(all) => {
            let count = all.len();
            let index = name.parse().ok().filter(|index: &usize| *index <= count);
            let Some(index) = index.filter(|_| is_number(name)) else {
                return Err(format!("has {count} entries, numbered from 0"));
            };
            if index == count {
                let new = match rest {
                    [] => value.clone(),
                    _ => Value::Table(Table::new()),
                };
                all.push(new);
            }
            if rest.is_empty() {
                all[index] = value;
                return Ok(());
            }
            &mut all[index]
        }
        _ => return Err(format!("`{name}` is below a value, which has no keys")),
    };
    put(next, rest, value)
}

/// A value as it may be shown: of a URL, scheme, host and port.
fn shown(key: &str, value: &Value) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let is_url = |text: &str| last.contains("url") || text.contains("://");
    match value {
        Value::String(text) if is_url(text) => format!("\"{}\"", Endpoint::new(text)),
        Value::Array(all) => {
            let all: Vec<_> = all.iter().map(|value| shown(key, value)).collect();
            format!("[{}]", all.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
