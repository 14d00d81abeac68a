//! Where a run stands in its tree, in words.

use std::sync::Arc;

use super::core::Core;

/// How much of the top of a long path is shown.
const TOP_LEVELS: usize = 3;

impl Core {
    /// The names of the definitions from the root to this run; a long path is folded in its middle.
    pub(crate) fn path(&self) -> String {
        const SHOWN: usize = 8;
        let mut names = vec![self.definition.name()];
        let mut core = self;
        while let Some(parent) = &core.parent {
            core = parent.core();
            if names.len() >= SHOWN && core.depth as usize > TOP_LEVELS {
                let folded = core.depth as usize + 1 - TOP_LEVELS;
                names.reverse();
                return format!("{} › … {folded} more … › {}", core.top(), names.join(" › "));
            }
            names.push(core.definition.name());
        }
        names.reverse();
        names.join(" › ")
    }

    /// The first levels of the path of a run below them.
    pub(super) fn top(&self) -> Arc<str> {
        let mut names = Vec::new();
        let mut core = self;
        loop {
            if let Some(top) = &core.top {
                return (**top).clone();
            }
            if (core.depth as usize) < TOP_LEVELS {
                names.push(core.definition.name());
            }
            match &core.parent {
                Some(parent) => core = parent.core(),
                None => break,
            }
        }
        names.reverse();
        names.join(" › ").into()
    }
}
