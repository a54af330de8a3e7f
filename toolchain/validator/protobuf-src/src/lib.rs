//! Uses the distribution's protoc (Debian package `protobuf-compiler`) instead of compiling one.
use std::path::PathBuf;

pub fn protoc() -> PathBuf {
    PathBuf::from("/usr/bin/protoc")
}

pub fn include() -> PathBuf {
    PathBuf::from("/usr/include")
}
