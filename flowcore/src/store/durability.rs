//! How safe a record is, and what happens where it can't be made.

use std::fmt;
use std::str::FromStr;

/// What a committed record outlives.
///
/// ```
/// use flowcore::store::Durability;
/// assert_eq!("full".parse(), Ok(Durability::Full));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Durability {
    /// The end of the machine, too: each commit waits for the disk.
    Full,
    /// The end of the process. A power cut may cost the last commits, never the order of what is left.
    #[default]
    Normal,
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => Ok(Self::Full),
            "normal" => Ok(Self::Normal),
            other => Err(format!("'{other}' is no durability: there are `full` and `normal`")),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Normal => "normal",
        })
    }
}

/// What becomes of runs when their store fails.
///
/// ```
/// use flowcore::store::StoreTrouble;
/// assert_eq!("continue".parse(), Ok(StoreTrouble::Continue));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum StoreTrouble {
    /// Outermost and durable runs fail with an error of kind `Store`.
    #[default]
    Fail,
    /// Runs go on; what isn't recorded is counted, and told in the log. Durable runs fail all the same.
    Continue,
}

impl FromStr for StoreTrouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fail" => Ok(Self::Fail),
            "continue" => Ok(Self::Continue),
            other => Err(format!("'{other}' is no policy: there are `fail` and `continue`")),
        }
    }
}

impl fmt::Display for StoreTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fail => "fail",
            Self::Continue => "continue",
        })
    }
}
