//! The live children of a run, and the live runs without a parent.

use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use slab::Slab;

use super::node::{Node, NodeRef};

/// Runs that have not ended, to be found by cancellation and shutdown.
#[derive(Default)]
pub(crate) struct Children(Mutex<Option<Box<Slab<Weak<dyn Node>>>>>);

impl Children {
    pub(crate) fn insert(&self, child: Weak<dyn Node>) -> u32 {
        let key = self.0.lock().get_or_insert_default().insert(child);
        // A slab of 2^32 live runs doesn't fit any memory.
        key as u32
    }

    pub(crate) fn remove(&self, key: u32) {
        let mut children = self.0.lock();
        if let Some(slab) = children.as_mut() {
            let _ = slab.try_remove(key as usize);
            if slab.is_empty() && slab.capacity() > 64 {
                *children = None;
            }
        }
    }

    pub(crate) fn live(&self) -> Vec<NodeRef> {
        match &*self.0.lock() {
            Some(slab) => slab.iter().filter_map(|(_, child)| child.upgrade()).collect(),
            None => Vec::new(),
        }
    }
}

const SHARDS: usize = 16;

/// The runs without a parent, spread so that threads that start many don't meet.
pub(crate) struct Roots([Children; SHARDS]);

static ROOTS: Roots = Roots([const { Children(Mutex::new(None)) }; SHARDS]);
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
