//! Which store a process uses.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::error::{StoreError, StoreErrorKind, StoreResult};
use super::memory::MemoryStore;
use super::store::Store;
use crate::settings::{Settings, settings};

static INSTALLED: OnceLock<Arc<dyn Store>> = OnceLock::new();

/// Makes `store` the one that this process's runs are kept in, whatever `FLOW_DATABASE_URL` says: a program does it before its first run.
///
/// # Errors
/// `Refused` if a store was installed before.
///
/// ```
/// use std::sync::Arc;
/// use flowcore::prelude::*;
/// use flowcore::store::{MemoryStore, RunQuery, Store, install};
///
/// #[task]
/// fn noop() {}
///
/// let store = Arc::new(MemoryStore::new());
/// install(store.clone()).unwrap();
/// noop().unwrap();
/// assert_eq!(store.runs(&RunQuery::default()).unwrap().items[0].definition, "noop");
/// ```
pub fn install(store: Arc<dyn Store>) -> StoreResult<()> {
    INSTALLED
        .set(store)
        .map_err(|_| StoreError::new(StoreErrorKind::Refused, "a store was installed before"))
}

/// The store of this process: the [installed](install) one, or the one that the setting `database_url` names, or the default. `None`
/// for `none:`.
///
/// # Errors
/// What keeps it from being opened.
pub fn of_settings() -> StoreResult<Option<Arc<dyn Store>>> {
    if let Some(store) = INSTALLED.get() {
        return Ok(Some(store.clone()));
    }
    named(Access::Write)
}

/// The store that the settings name, to look at alone: it may be one that this process can't write.
#[cfg(feature = "cli")]
pub(crate) fn to_read() -> StoreResult<Option<Arc<dyn Store>>> {
    named(Access::Read)
}

fn named(access: Access) -> StoreResult<Option<Arc<dyn Store>>> {
    match &settings().database_url {
        Some(url) => open(url, settings(), access),
        None => open(&default_url()?, settings(), access),
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Write,
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "only views open a store to read alone")
    )]
    Read,
}

/// The store of that URL; `None` for `none:`.
pub(crate) fn open(url: &str, settings: &Settings, access: Access) -> StoreResult<Option<Arc<dyn Store>>> {
    match url.split_once(':') {
        Some(("none", _)) => Ok(None),
        Some(("memory", _)) => Ok(Some(memory())),
        Some(("sqlite", path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            file(Path::new(path), settings, access).map(Some)
        }
        // A letter is a drive, not a scheme.
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Err(StoreError::new(
                StoreErrorKind::Other,
                format!("there is no store of the sort '{scheme}:'"),
            )
            .advise("FLOW_DATABASE_URL may be sqlite:PATH, memory: or none:"))
        }
        _ => file(Path::new(url), settings, access).map(Some),
    }
}

/// One for the whole process, so that whoever opens it sees the runs.
fn memory() -> Arc<dyn Store> {
    static MEMORY: OnceLock<Arc<MemoryStore>> = OnceLock::new();
    MEMORY.get_or_init(|| Arc::new(MemoryStore::new())).clone()
}

#[cfg(feature = "sqlite")]
fn file(path: &Path, settings: &Settings, access: Access) -> StoreResult<Arc<dyn Store>> {
    use super::sqlite::{SqliteOptions, SqliteStore};
    let options = SqliteOptions {
        durability: settings.durability,
        read_only: access == Access::Read,
        ..SqliteOptions::default()
    };
    Ok(Arc::new(SqliteStore::open(path, options)?))
}

#[cfg(not(feature = "sqlite"))]
fn file(path: &Path, _: &Settings, _: Access) -> StoreResult<Arc<dyn Store>> {
    Err(StoreError::new(
        StoreErrorKind::Other,
        format!(
            "{} can't be opened: this program was built without SQLite",
            path.display()
        ),
    )
    .advise("build flowcore with its feature `sqlite`"))
}

/// Where runs are kept if nobody says where: in memory under `cargo test`, else in a file of the user's.
pub(crate) fn default_url() -> StoreResult<String> {
    if cfg!(not(feature = "sqlite")) || std::env::current_exe().is_ok_and(|program| is_test(&program)) {
        return Ok("memory:".to_owned());
    }
    default_path().map(|path| format!("sqlite:{}", path.display()))
}

/// Whether cargo has built that program as a test (or a bench): it stands in `deps`, under a name with a hash; a documentation test is
/// built by rustdoc in a folder of its own.
fn is_test(program: &Path) -> bool {
    let folder = program.parent().and_then(Path::file_name).unwrap_or_default();
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    let hashed = stem
        .rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (folder == "deps" && hashed) || folder.to_string_lossy().starts_with("rustdoctest")
}

#[cfg(feature = "sqlite")]
fn default_path() -> StoreResult<PathBuf> {
    use etcetera::BaseStrategy;
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        StoreError::new(
            StoreErrorKind::Unreachable,
            format!("there is no home directory: {error}"),
        )
        .advise("say where runs are kept: FLOW_DATABASE_URL=sqlite:PATH, or memory:")
    })?;
    Ok(strategy.data_dir().join("flowcore").join("flow.db"))
}

#[cfg(not(feature = "sqlite"))]
fn default_path() -> StoreResult<PathBuf> {
    Ok(PathBuf::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cargo_builds_as_a_test_is_one() {
        for (program, test) in [
            ("/w/target/debug/deps/behaviour_map-0123456789abcdef", true),
            ("/w/target/debug/deps/behaviour_map-0123456789abcdef.exe", true),
            ("/tmp/rustdoctestAb12Cd/rust_out", true),
            ("/w/target/debug/examples/process_tree-0123456789abcdef", false),
            ("/w/target/debug/myapp", false),
            ("/usr/bin/my-app", false),
            ("/opt/deps/my-app", false),
        ] {
            assert_eq!(is_test(Path::new(program)), test, "{program}");
        }
    }

    #[test]
    fn an_unknown_sort_of_store_is_named() {
        let error = open("mysql://u:secret@h/db", &Settings::default(), Access::Write).unwrap_err();
        assert!(
            error.to_string().contains("'mysql:'") && !error.to_string().contains("secret"),
            "{error}"
        );
        assert!(open("none:", &Settings::default(), Access::Write).unwrap().is_none());
    }
}
