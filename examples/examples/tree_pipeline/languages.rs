//! A file's language, by its name.

use std::ffi::OsStr;
use std::path::Path;

pub(crate) const OTHER: &str = "Other";

const BY_EXTENSION: [(&str, &[&str]); 28] = [
    ("C", &["c", "h"]),
    ("C#", &["cs"]),
    ("C++", &["cc", "cpp", "cxx", "hh", "hpp", "hxx"]),
    ("CSS", &["css", "scss", "sass", "less"]),
    ("Go", &["go"]),
    ("Haskell", &["hs"]),
    ("HTML", &["html", "htm"]),
    ("Java", &["java"]),
    ("JavaScript", &["js", "mjs", "cjs", "jsx"]),
    ("JSON", &["json"]),
    ("Kotlin", &["kt", "kts"]),
    ("Lua", &["lua"]),
    ("Markdown", &["md", "markdown"]),
    ("OCaml", &["ml", "mli"]),
    ("Perl", &["pl", "pm"]),
    ("PHP", &["php"]),
    ("Plain text", &["txt"]),
    ("Python", &["py", "pyi"]),
    ("Ruby", &["rb"]),
    ("Rust", &["rs"]),
    ("Scala", &["scala"]),
    ("Shell", &["sh", "bash", "zsh"]),
    ("SQL", &["sql"]),
    ("Swift", &["swift"]),
    ("TOML", &["toml"]),
    ("TypeScript", &["ts", "tsx"]),
    ("XML", &["xml", "svg"]),
    ("YAML", &["yml", "yaml"]),
];

pub(crate) fn of(name: &OsStr) -> &'static str {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let known = BY_EXTENSION
        .iter()
        .find(|(_, extensions)| extensions.contains(&extension.as_str()));
    known.map_or(OTHER, |(language, _)| language)
}
