//! The live children of a run, and the live runs without a parent.

use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use slab::Slab;

use super::node::{Node, NodeRef};

/// Runs that have not ended, to be found by cancellation and shutdown.
#[derive(Default)]
pub(crate) struct Children(Mutex<List>);

/// Most runs have no more than two children at a time, and need no memory for them.
#[derive(Default)]
struct List {
    few: [Option<Weak<dyn Node>>; FEW],
    many: Option<Box<Slab<Weak<dyn Node>>>>,
}

const FEW: usize = 2;

/// Room for more children than this isn't kept once all have ended.
const ROOM_KEPT: usize = 64;

impl Children {
    /// `placed` is told the place before anybody can find the child there.
    pub(crate) fn insert(&self, child: Weak<dyn Node>, placed: impl FnOnce(u32)) {
        let mut list = self.0.lock();
        let key = match list.few.iter().position(Option::is_none) {
            Some(free) => {
                list.few[free] = Some(child);
                free
            }
            None => FEW + list.many.get_or_insert_default().insert(child),
        };
        // 2^32 live runs don't fit any memory.
        placed(key as u32);
    }

    pub(crate) fn remove(&self, key: u32) {
        let key = key as usize;
        let mut list = self.0.lock();
        let gone = match (key.checked_sub(FEW), &mut list.many) {
            (None, _) => list.few[key].take(),
            (Some(key), Some(many)) => many.try_remove(key),
            (Some(_), None) => None,
        };
        if list
            .many
            .as_ref()
            .is_some_and(|many| many.is_empty() && many.capacity() > ROOM_KEPT)
        {
            list.many = None;
        }
        drop(list);
        drop(gone);
    }

    pub(crate) fn live(&self) -> Vec<NodeRef> {
        let list = self.0.lock();
        let many = list.many.iter().flat_map(|many| many.iter()).map(|(_, child)| child);
        list.few
            .iter()
            .flatten()
            .chain(many)
            .filter_map(Weak::upgrade)
            .collect()
    }
}

const SHARDS: usize = 16;

/// The runs without a parent, spread so that threads that start many don't meet.
pub(crate) struct Roots([Children; SHARDS]);

static ROOTS: Roots = Roots(
    [const {
        Children(Mutex::new(List {
            few: [const { None }; FEW],
            many: None,
        }))
    }; SHARDS],
);
static NEXT_SHARD: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static SHARD: u32 = NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS as u32;
}

impl Roots {
    pub(crate) fn insert(root: Weak<dyn Node>, placed: impl FnOnce(u32)) {
        let shard = SHARD.try_with(|shard| *shard).unwrap_or_default();
        ROOTS.0[shard as usize].insert(root, |key| placed(key * SHARDS as u32 + shard));
    }

    pub(crate) fn remove(key: u32) {
        ROOTS.0[key as usize % SHARDS].remove(key / SHARDS as u32);
    }

    pub(crate) fn live() -> Vec<NodeRef> {
        ROOTS.0.iter().flat_map(Children::live).collect()
    }
}
