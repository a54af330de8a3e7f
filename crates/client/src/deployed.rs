//! Which program is deployed: what it says of itself.

const BEGIN: &[u8] = b"=======BEGIN SECURITY.TXT V1=======\0";
const END: &[u8] = b"=======END SECURITY.TXT V1=======\0";
const PREFIX: &str = "sha256:";

/// The sources that a program's code says it was built from; compare with [`ballast::SOURCES`]. `None` if it does not say.
pub fn sources_of(code: &[u8]) -> Option<&str> {
    let from = find(code, BEGIN)? + BEGIN.len();
    let text = code.get(from..)?;
    let text = std::str::from_utf8(text.get(..find(text, END)?)?).ok()?;
    let mut fields = text.split('\0');
    while let (Some(key), Some(value)) = (fields.next(), fields.next()) {
        if key == "source_revision" {
            return value.strip_prefix(PREFIX);
        }
    }
    None
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_read_from_the_text_inside_the_code() {
        let code = |fields: &str| {
            let text = [BEGIN, fields.as_bytes(), END].concat();
            [&[0x7f, 0xff][..], &text, &[0; 9]].concat()
        };
        let named = code("name\0Ballast\0source_revision\0sha256:abc\0");
        assert_eq!(sources_of(&named), Some("abc"));
        // A value is not taken for a key.
        let other = code("policy\0source_revision\0name\0sha256:abc\0");
        for silent in [
            other,
            code(""),
            code("source_revision\0abc\0"),
            BEGIN.to_vec(),
            Vec::new(),
        ] {
            assert_eq!(sources_of(&silent), None);
        }
    }
}
