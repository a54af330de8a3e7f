//! Which program is deployed: by the sources that it names, or by its bytes.

use std::path::Path;

use ballast_client::{ballast, sources_of};

use super::{DoctorReport, State};
use crate::commands::deploy::{is_padded, read_program};

/// Whether the deployed program is the one that this binary fits.
pub(super) fn check(report: &mut DoctorReport, code: &[u8], file: Option<&Path>) {
    let (state, finding) = match sources_of(code) {
        Some(ballast::SOURCES) => (
            State::Ok,
            format!("says it is of the same sources as this binary ({})", ballast::SOURCES),
        ),
        Some(other) => (
            State::Warn,
            format!(
                "says it is of other sources ({other}) than this binary ({}): build `ballast` from the checkout that was \
                 deployed, or deploy from this one",
                ballast::SOURCES
            ),
        ),
        None => (
            State::Warn,
            "does not say which sources it was built from: pass --program FILE.so to compare it with a build".into(),
        ),
    };
    report.add("program's sources", state, finding);
    let Some(path) = file else { return };
    let (state, finding) = match read_program(path) {
        Err(error) => (State::Fail, format!("{error:#}")),
        Ok(file) if is_padded(code, &file) => (
            State::Ok,
            format!("are those of {} ({} bytes)", path.display(), file.len()),
        ),
        Ok(_) => (
            State::Fail,
            format!(
                "are not those of {}: another program is deployed",
                path.display()
            ),
        ),
    };
    report.add("program's bytes", state, finding);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_other_sources_or_other_bytes_is_told() {
        let code_of = |revision: &str| {
            let text = format!(
                "=======BEGIN SECURITY.TXT V1=======\0{revision}=======END SECURITY.TXT V1=======\0"
            );
            // A program's header, as far as a mistaken file is found out by it.
            let mut bytes = b"\x7fELF\x02\x01".to_vec();
            bytes.resize(18, 0);
            bytes.extend(263u16.to_le_bytes());
            bytes.extend(text.bytes());
            bytes
        };
        let same = code_of(&format!("source_revision\0sha256:{}\0", ballast::SOURCES));
        let other = code_of("source_revision\0sha256:00\0");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &same).unwrap();
        for (deployed, expected) in [
            (same.clone(), [State::Ok, State::Ok]),
            // Room for a longer one.
            ([&same[..], &[0; 9]].concat(), [State::Ok, State::Ok]),
            ([&same[..], &[1]].concat(), [State::Ok, State::Fail]),
            (other, [State::Warn, State::Fail]),
            (code_of(""), [State::Warn, State::Fail]),
        ] {
            let mut report = DoctorReport::default();
            check(&mut report, &deployed, Some(file.path()));
            let states: Vec<_> = report.checks.iter().map(|check| check.state).collect();
            assert_eq!(states, expected, "{report}");
        }
    }
}
