//! Names of runs that were given none, as Prefect makes them.

use std::sync::LazyLock;

use petname::Petnames;

use crate::definition::Definition;
use crate::run::{RunId, RunKind};

static WORDS: LazyLock<Petnames<'static>> = LazyLock::new(Petnames::default);

/// `crimson-fox` for a flow run, `process_node-3f2` for a task run: always the same for the same id.
pub(crate) fn of(definition: &Definition, id: RunId) -> String {
    let seed = id.seed();
    match definition.kind() {
        RunKind::Task => format!("{}-{:03x}", definition.name(), seed % 4096),
        RunKind::Flow => {
            let pick = |words: &[&'static str], seed: u64| {
                let index = usize::try_from(seed).unwrap_or_default() % words.len().max(1);
                words.get(index).copied().unwrap_or("run")
            };
            let adjective = pick(&WORDS.adjectives, seed & 0xffff_ffff);
            let noun = pick(&WORDS.nouns, seed >> 32);
            format!("{adjective}-{noun}")
        }
    }
}
