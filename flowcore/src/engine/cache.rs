//! Results kept under a key of the user's, for later runs of the same task in this process.

use std::any::Any;
use std::collections::{HashMap, VecDeque, hash_map};
use std::ptr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::context::RunContext;
use super::core::Core;
use super::node::NodeRef;
use super::observe;
use super::panic::{drop_guarded, guarded};
use super::recording;
use crate::definition::Definition;
use crate::private::Probed;

/// The oldest results go when there are more.
const MOST: usize = 10_000;

type Key = (usize, String);

struct Entry {
    value: Box<dyn Any + Send>,
    expires: Option<Instant>,
}

#[derive(Default)]
struct Cache {
    entries: HashMap<Key, Entry>,
    /// From the oldest to the newest; a key written again stands at its first place.
    order: VecDeque<Key>,
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

fn key(definition: &'static Definition, text: &str) -> Key {
    (ptr::from_ref(definition).addr(), text.to_owned())
}

/// The key of the run, if its task has one and the user's function gives one. Its trouble is no trouble of the run's.
pub(crate) fn key_of(node: &NodeRef) -> Option<String> {
    let core = node.core();
    let make = core.options().cache_key.as_ref()?;
    let context = RunContext::for_key(node.clone(), core.epoch(), core.attempt());
    match guarded(|| make(&context)) {
        Ok(key) => key,
        Err(panic) => {
            observe::warn(node, &format!("the cache key function {panic}; the run is not cached"));
            None
        }
    }
}

/// A copy of the result under the key, unless it has expired.
pub(crate) fn get<T: Send + 'static>(node: &NodeRef, text: &str, output: &Probed<T>) -> Option<T> {
    known(node, text, output.clone).or_else(|| recorded(node, text, output))
}

/// What an earlier process has recorded under the key.
fn recorded<T>(node: &NodeRef, text: &str, output: &Probed<T>) -> Option<T> {
    let core = node.core();
    let (read, session) = (output.read?, recording::session()?);
    core.number.get()?;
    let found = session.store.cached(&core.definition.row().key, text, core.now());
    let told = match found {
        Ok(None) => return None,
        Ok(Some(json)) => match guarded(|| read(&json)) {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => format!("a cached result can't be read: {error}"),
            Err(panic) => format!("the Deserialize of a cached result {panic}"),
        },
        Err(error) => error.to_string(),
    };
    observe::warn(node, &format!("{told}; the run goes on without"));
    None
}

/// What the store is to keep of the key.
pub(crate) fn entry(core: &Core, text: &str) -> (String, Option<i64>) {
    let expires = core.options().cache_expiration.map(|after| {
        let nanos = i64::try_from(after.as_nanos()).unwrap_or(i64::MAX);
        core.now().saturating_add(nanos)
    });
    (text.to_owned(), expires)
}

fn known<T: Send + 'static>(node: &NodeRef, text: &str, clone: Option<fn(&T) -> T>) -> Option<T> {
    let definition = node.core().definition;
    let Some(clone) = clone else {
        observe::warn(
            node,
            &format!(
                "a result that can't be cloned isn't cached: derive Clone for {}",
                std::any::type_name::<T>()
            ),
        );
        return None;
    };
    let key = key(definition, text);
    // The user's Clone runs on an entry that is taken out, so that it runs under no lock.
    let entry = {
        let mut cache = CACHE.lock();
        cache.entries.remove(&key)?
    };
    if entry.expires.is_some_and(|expires| Instant::now() >= expires) {
        drop_guarded(entry);
        return None;
    }
    let copy = entry.value.downcast_ref::<T>().map(|value| guarded(|| clone(value)));
    let spare = match CACHE.lock().entries.entry(key) {
        hash_map::Entry::Vacant(place) => {
            place.insert(entry);
            None
        }
        // Another run has put its own there meanwhile.
        hash_map::Entry::Occupied(_) => Some(entry),
    };
    drop_guarded(spare);
    match copy {
        Some(Ok(value)) => Some(value),
        Some(Err(panic)) => {
            observe::warn(
                node,
                &format!("the Clone of a cached result {panic}; the run goes on without"),
            );
            None
        }
        None => None,
    }
}

/// Keeps a result.
pub(crate) fn put<T: Send + 'static>(node: &NodeRef, text: &str, value: T) {
    let core = node.core();
    let expires = core
        .options()
        .cache_expiration
        .and_then(|after: Duration| Instant::now().checked_add(after));
    let key = key(core.definition, text);
    let entry = Entry {
        value: Box::new(value),
        expires,
    };
    let mut gone = Vec::new();
    {
        let mut cache = CACHE.lock();
        cache.order.push_back(key.clone());
        gone.extend(cache.entries.insert(key, entry));
        while cache.order.len() > MOST {
            if let Some(oldest) = cache.order.pop_front() {
                gone.extend(cache.entries.remove(&oldest));
            }
        }
    }
    drop_guarded(gone);
}
