//! Whether the commands exist that documents print.

use std::{fs, path::Path};

use clap::CommandFactory;

use crate::Cli;

#[path = "../../xtask/src/printed.rs"]
mod printed;

/// Documents outside of `docs`.
const OTHERS: [&str; 6] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "clients/typescript/README.md",
    "keeper/dashboard/README.md",
];

#[test]
fn every_printed_command_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths: Vec<_> = OTHERS.iter().map(|name| root.join(name)).collect();
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    paths.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    let command = Cli::command();
    let (mut seen, mut faults) = (0, Vec::new());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        for printed in printed::commands(&text, "ballast") {
            seen += 1;
            if let Some(fault) = printed::fault(&command, &printed) {
                faults.push(format!("{}:{}: {fault}", path.display(), printed.line));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 50, "only {seen} commands were found");
}
