//! What outlives the power.

use std::{fs::File, io, path::Path};

/// Makes a file's entry in its directory durable: a new or renamed file's own sync does not.
///
/// # Errors
/// The directory cannot be opened or synced.
pub(crate) fn sync_parent(file: &Path) -> io::Result<()> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
