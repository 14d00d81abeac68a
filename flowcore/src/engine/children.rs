//! The live children of a run, and the live runs without a parent.

use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use slab::Slab;

use super::node::{Node, NodeRef};

/// Runs that have not ended, to be found by cancellation and shutdown.
#[derive(Default)]
pub(crate) struct Children(Mutex<Slab<Weak<dyn Node>>>);

impl Children {
    pub(crate) fn insert(&self, child: Weak<dyn Node>) -> u32 {
        let key = self.0.lock().insert(child);
        // A slab of 2^32 live runs doesn't fit any memory.
        key as u32
    }

    pub(crate) fn remove(&self, key: u32) {
        let mut children = self.0.lock();
        let gone = children.try_remove(key as usize);
        if children.is_empty() && children.capacity() > ROOM_KEPT {
            *children = Slab::new();
        }
        drop(children);
        drop(gone);
    }

    pub(crate) fn live(&self) -> Vec<NodeRef> {
        self.0.lock().iter().filter_map(|(_, child)| child.upgrade()).collect()
    }
}

/// Room for more children than this isn't kept once all have ended.
const ROOM_KEPT: usize = 64;

const SHARDS: usize = 16;

/// The runs without a parent, spread so that threads that start many don't meet.
pub(crate) struct Roots([Children; SHARDS]);

static ROOTS: Roots = Roots([const { Children(Mutex::new(Slab::new())) }; SHARDS]);
static NEXT_SHARD: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static SHARD: u32 = NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS as u32;
}

impl Roots {
    pub(crate) fn insert(root: Weak<dyn Node>) -> u32 {
        let shard = SHARD.try_with(|shard| *shard).unwrap_or_default();
        let key = ROOTS.0[shard as usize].insert(root);
        key * SHARDS as u32 + shard
    }

    pub(crate) fn remove(key: u32) {
        ROOTS.0[key as usize % SHARDS].remove(key / SHARDS as u32);
    }

    pub(crate) fn live() -> Vec<NodeRef> {
        ROOTS.0.iter().flat_map(Children::live).collect()
    }
}
