//! What JSON would lose of a value without a word.

use std::fmt;

/// How much of a map's key is shown.
const KEY_SHOWN: usize = 64;

/// A part of a value that would be read back from JSON as something else, and where it is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Unfaithful {
    pub(super) loss: Loss,
    /// From the inside out.
    pub(super) path: Vec<Step>,
}

/// What would be lost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Loss {
    /// NaN or an infinity: JSON has `null` for all of them.
    NotFinite(f64),
    /// `Some(None)`, `Some(())`: JSON has `null`, which is `None`.
    EmptySome,
}

/// One step from a value to a part of it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    Field(&'static str),
    Index(usize),
    /// A map's key as JSON.
    Key(String),
}

impl Step {
    pub(super) fn key(key: &(impl serde::Serialize + ?Sized)) -> Self {
        let mut text = serde_json::to_string(key).unwrap_or_default();
        if let Some((end, _)) = text.char_indices().nth(KEY_SHOWN) {
            text.truncate(end);
            text.push('…');
        }
        Self::Key(text)
    }
}

impl Unfaithful {
    /// Where it is: `orders[3].price`; empty if it is the value itself.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
                Step::Key(key) => path.extend(["[", key, "]"]),
            }
        }
        path
    }
}

/// As in "`price` is NaN, which JSON can't keep".
impl fmt::Display for Unfaithful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            path if path.is_empty() => f.write_str("it")?,
            path => write!(f, "`{path}`")?,
        }
        match self.loss {
            Loss::NotFinite(float) => write!(f, " is {float}, which JSON can't keep"),
            Loss::EmptySome => f.write_str(" is a `Some` of nothing, which JSON can't tell from `None`"),
        }
    }
}
