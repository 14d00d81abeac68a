//! Types as people write them.

/// `alloc::vec::Vec<shop::Order>` as `Vec<Order>`.
pub(super) fn short(type_name: &str) -> String {
    let mut short = String::with_capacity(type_name.len());
    let mut word = String::new();
    let mut rest = type_name.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            // A path so far: only its last segment is kept. `dyn a::B` keeps its `dyn`.
            ':' if rest.peek() == Some(&':') => {
                rest.next();
                word.clear();
            }
            // `{{closure}}`, `{impl#0}`
            c if c.is_alphanumeric() || "_{}#".contains(c) => word.push(c),
            other => {
                short.push_str(&word);
                word.clear();
                short.push(other);
            }
        }
    }
    short.push_str(&word);
    short
}

/// Whether the type is text, or may be: then a word on the command line that is no JSON text means itself.
pub(super) fn is_text(type_name: &str) -> bool {
    matches!(
        short(type_name).as_str(),
        "String" | "&str" | "str" | "PathBuf" | "Option<String>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_left_out() {
        let table = [
            ("i64", "i64"),
            ("alloc::string::String", "String"),
            ("alloc::vec::Vec<shop::order::Order>", "Vec<Order>"),
            ("(u8, core::option::Option<a::B>)", "(u8, Option<B>)"),
            ("alloc::boxed::Box<dyn a::B>", "Box<dyn B>"),
            ("[a::B; 3]", "[B; 3]"),
            ("&a::B", "&B"),
            ("shop::main::{{closure}}::Cart", "Cart"),
        ];
        for (long, name) in table {
            assert_eq!(short(long), name, "{long}");
        }
        assert!(is_text("alloc::string::String") && !is_text("i64"));
    }
}
