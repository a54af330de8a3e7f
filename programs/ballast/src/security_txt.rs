//! `security.txt`: whom to tell about a weakness, as text inside the deployed program, where explorers look for it
//! (<https://github.com/neodyme-labs/solana-security-txt>: null-terminated keys and values between two marks).

/// Whoever builds the program for a cluster says here how to be reached: `email:...`, `link:...`, several separated by
/// commas.
const CONTACTS: &str = match option_env!("BALLAST_SECURITY_CONTACTS") {
    Some(contacts) => contacts,
    None => "other:SECURITY.md of the source code names nobody yet; ask whoever deployed this",
};

/// Where the product is presented.
const PROJECT_URL: &str = match option_env!("BALLAST_PROJECT_URL") {
    Some(url) => url,
    None => "none was given when this was built",
};

/// Name of the sources that this was built from, the SHA-256 of all of them.
pub const SOURCES: &str = env!("BALLAST_SOURCES");

const PARTS: [&str; 15] = [
    "=======BEGIN SECURITY.TXT V1=======\0",
    "name\0",
    "Ballast\0",
    "project_url\0",
    PROJECT_URL,
    "\0contacts\0",
    CONTACTS,
    "\0policy\0",
    "SECURITY.md of the source code\0",
    "source_release\0",
    concat!(env!("CARGO_PKG_VERSION"), "\0"),
    "source_revision\0sha256:",
    SOURCES,
    "\0",
    "=======END SECURITY.TXT V1=======\0",
];

const LENGTH: usize = {
    let (mut length, mut part) = (0, 0);
    while part < PARTS.len() {
        length += PARTS[part].len();
        part += 1;
    }
    length
};

/// The text; `used` keeps it in the program though nothing reads it.
#[used]
static SECURITY_TXT: [u8; LENGTH] = {
    let mut text = [0; LENGTH];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let bytes = PARTS[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            text[at] = bytes[byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    text
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_alternate_between_the_marks() {
        let text = core::str::from_utf8(&SECURITY_TXT).unwrap();
        let inner = text
            .strip_prefix("=======BEGIN SECURITY.TXT V1=======\0")
            .and_then(|text| text.strip_suffix("\0=======END SECURITY.TXT V1=======\0"))
            .unwrap();
        let fields: Vec<&str> = inner.split('\0').collect();
        assert_eq!(fields.len() % 2, 0, "{fields:?}");
        let key = |name| fields.iter().step_by(2).any(|key| *key == name);
        for name in [
            "name",
            "project_url",
            "contacts",
            "policy",
            "source_revision",
        ] {
            assert!(key(name), "{name} is missing");
        }
        assert!(fields.iter().all(|field| !field.is_empty()));
    }
}
