//! The compiler made from Debian's and crates.io's packages: provides its parts in the user's cache, and runs it.
//! What each part is for: `toolchain/sbf/README.md`.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    cache::{Area, Key},
    debian::{self, Package},
    process, repository,
    steps::Steps,
};

const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const RUST_VERSION: &str = "1.96.0";
/// The source of std, from package rust-web-src.
const STD_SOURCE: &str = "/usr/src/rustc-1.96.0/library";
const LLVM: &str = "/usr/lib/llvm-22";
/// File stem of the target description in `toolchain/sbf`.
const TARGET: &str = "sbpf-solana";

const PACKAGES: [Package; 8] = [
    Package {
        name: "rustc-web",
        version: "1.96.",
    },
    Package {
        name: "cargo-web",
        version: "1.96.",
    },
    Package {
        name: "rust-web-src",
        version: "1.96.",
    },
    Package {
        name: "llvm-22",
        version: "1:22.",
    },
    Package {
        name: "llvm-22-dev",
        version: "1:22.",
    },
    Package::any("g++"),
    Package::any("zlib1g-dev"),
    Package::any("patch"),
];

/// The parts, each a file or directory in the cache.
pub struct Tools {
    /// Pass plugin that rewrites what LLVM's BPF back end cannot select.
    legalize: PathBuf,
    /// The linker.
    link: PathBuf,
    /// std's source with the changes that the target needs.
    std: PathBuf,
    /// Bitcode of the functions that compiled code calls.
    runtime: PathBuf,
}

impl Tools {
    /// Finds the parts; installs packages and builds parts that are missing.
    pub fn provide() -> Result<Self> {
        let area = Area::open("sbf")?;
        let missing_packages = debian::missing(&PACKAGES);
        // Keys need the versions that are installed, so packages come first.
        let packages_step = usize::from(!missing_packages.is_empty());
        let mut steps = Steps::new(packages_step + 4);
        if !missing_packages.is_empty() {
            steps.run("install Debian packages (1.4 GB, half a minute)", || {
                debian::install(&missing_packages)
            })?;
        }
        let recipe = Recipe::read()?;
        let parts = [
            (
                "compile the LLVM pass (10 seconds)",
                &recipe.legalize,
                Recipe::build_legalize as Build,
            ),
            (
                "compile the linker (2 to 4 minutes)",
                &recipe.link,
                Recipe::build_link,
            ),
            ("patch the source of std", &recipe.std, Recipe::build_std),
            (
                "compile the run-time support (20 seconds)",
                &recipe.runtime,
                Recipe::build_runtime,
            ),
        ];
        let missing = parts
            .iter()
            .filter(|(_, name, _)| !area.entry(name).exists())
            .count();
        steps.set_total(packages_step + missing);
        for (what, name, build) in parts {
            if !area.entry(name).exists() {
                steps.run(what, || {
                    area.install(name, |output, scratch| {
                        build(&recipe, &area, output, scratch)
                    })
                })?;
            }
        }
        Ok(recipe.tools(&area))
    }

    /// Debian's cargo, set up to compile for the target; std is compiled along with the first program.
    pub fn cargo(&self) -> Command {
        let mut flags = vec![
            // Nothing could execute vectors.
            "-Cno-vectorize-loops".to_string(),
            "-Cno-vectorize-slp".to_string(),
            format!("-Clink-arg=--llvm-bin={LLVM}/bin"),
            format!("-Clink-arg=--legalize={}", self.legalize.display()),
            format!("-Clink-arg=--runtime={}", self.runtime.display()),
            // Programs hold file names, for panics: the same ones on every machine.
            format!(
                "--remap-path-prefix={}=/rustc/{RUST_VERSION}/library",
                self.std.display()
            ),
        ];
        if let Some(home) = cargo_home() {
            flags.push(format!(
                "--remap-path-prefix={}/registry/src=/registry",
                home.display()
            ));
        }
        let mut command = process::foreign(CARGO);
        command
            .env("RUSTC", RUSTC)
            // Debian's rustc is a stable one; a custom target and building std are unstable features.
            .env("RUSTC_BOOTSTRAP", "1")
            // The only way to tell cargo where std's source is.
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", &self.std)
            .env("CARGO_TARGET_SBPF_SOLANA_LINKER", &self.link)
            // Holds spaces in paths; with --target these flags do not reach build scripts and macros.
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .args([
                "build",
                "-Zjson-target-spec",
                "-Zbuild-std=std,panic_abort",
                "-Zbuild-std-features=",
                "--target",
            ])
            .arg(target_file());
        command
    }

    /// The directory below cargo's target directory that holds what is compiled for the target.
    pub fn target_name(&self) -> &'static str {
        TARGET
    }
}

type Build = fn(&Recipe, &Area, &Path, &Path) -> Result<()>;

/// Names of the parts in the cache: each ends with a hash of all that the part is built from.
struct Recipe {
    legalize: String,
    link: String,
    std: String,
    runtime: String,
}

impl Recipe {
    fn read() -> Result<Self> {
        let rustc = process::output(process::foreign(RUSTC).arg("-vV"))?;
        let llvm =
            process::output(Command::new(format!("{LLVM}/bin/llvm-config")).arg("--version"))?;
        if !rustc.contains(&format!("release: {RUST_VERSION}\n")) || !Path::new(STD_SOURCE).is_dir()
        {
            bail!(
                "{RUSTC} or {STD_SOURCE} is not Rust {RUST_VERSION}: std-solana.patch and this program were made for that \
                 version"
            );
        }
        let std = Key::new()
            .text(&rustc)
            .files(&directory().join("std-solana.patch"))?;
        let std_hash = std.hex();
        let runtime = Key::new()
            .text(&std_hash)
            .files(&directory().join("rt"))?
            .files(&target_file())?;
        Ok(Self {
            legalize: format!(
                "legalize-{}",
                Key::new()
                    .text(&llvm)
                    .files(&directory().join("legalize"))?
                    .hex()
            ),
            link: format!(
                "link-{}",
                Key::new()
                    .text(&llvm)
                    .files(&directory().join("link"))?
                    .hex()
            ),
            std: format!("std-{std_hash}"),
            runtime: format!("runtime-{}", runtime.hex()),
        })
    }

    fn tools(&self, area: &Area) -> Tools {
        Tools {
            legalize: area.entry(&self.legalize).join("legalize.so"),
            link: area.entry(&self.link).join("sbf-link"),
            std: area.entry(&self.std).join("library"),
            runtime: area.entry(&self.runtime).join("sbf_rt.bc"),
        }
    }

    fn build_legalize(&self, _: &Area, output: &Path, _: &Path) -> Result<()> {
        let flags =
            process::output(Command::new(format!("{LLVM}/bin/llvm-config")).arg("--cxxflags"))?;
        process::run(
            process::foreign("g++")
                .args(["-O1", "-fPIC", "-shared"])
                .args(flags.split_whitespace())
                .arg(directory().join("legalize/plugin.cpp"))
                .arg("-o")
                .arg(output.join("legalize.so")),
        )
    }

    fn build_link(&self, _: &Area, output: &Path, scratch: &Path) -> Result<()> {
        process::run(
            process::host_cargo()
                .current_dir(directory().join("link"))
                .env_remove("RUSTFLAGS")
                .env("LLVM_SYS_221_PREFIX", LLVM)
                .env("LIBRARY_PATH", format!("{LLVM}/lib"))
                .args(["build", "--release", "--locked", "--target-dir"])
                .arg(scratch),
        )?;
        copy(&scratch.join("release/sbf-link"), &output.join("sbf-link"))
    }

    fn build_std(&self, _: &Area, output: &Path, _: &Path) -> Result<()> {
        process::run(
            process::foreign("cp")
                .args(["-r", "-L", STD_SOURCE])
                .arg(output.join("library")),
        )?;
        let patch = directory().join("std-solana.patch");
        // --fuzz=0: a hunk that does not fit exactly belongs to another version of std.
        process::run(
            process::foreign("patch")
                .args(["-p1", "--quiet", "--fuzz=0", "-d"])
                .arg(output)
                .arg("-i")
                .arg(patch),
        )
    }

    fn build_runtime(&self, area: &Area, output: &Path, scratch: &Path) -> Result<()> {
        process::run(
            process::foreign(CARGO)
                .current_dir(directory().join("rt"))
                .env("RUSTC", RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("__CARGO_TESTS_ONLY_SRC_ROOT", self.tools(area).std)
                .args([
                    "rustc",
                    "--release",
                    "--locked",
                    "-Zjson-target-spec",
                    "-Zbuild-std=core",
                    "--target",
                ])
                .arg(target_file())
                .arg("--target-dir")
                .arg(scratch)
                .args(["--", "--emit=llvm-bc", "-Cextra-filename="]),
        )?;
        copy(
            &scratch.join(TARGET).join("release/deps/sbf_rt.bc"),
            &output.join("sbf_rt.bc"),
        )
    }
}

fn directory() -> PathBuf {
    repository::root().join("toolchain/sbf")
}

fn target_file() -> PathBuf {
    directory().join(format!("{TARGET}.json"))
}

fn cargo_home() -> Option<PathBuf> {
    let path = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    path("CARGO_HOME").or_else(|| path("HOME").map(|home| home.join(".cargo")))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
