//! Results as the store keeps them.

use compact_str::CompactString;

use super::super::Canonical;
use super::super::core::{Core, Kept};
use super::super::panic::guarded;
use super::super::stack;
use crate::error::{Error, ErrorKind};
use crate::private::{Limited, Probed, Sink};

/// What the store is to keep of an output: all of it, or the head of it, or nothing where it can't be told.
///
/// # Errors
/// If all of it is needed, and can't be had: a durable run must not end with a result that it would lose.
pub(crate) fn keep<T>(core: &Core, output: &Probed<T>, value: &T) -> Result<Option<Box<Kept>>, Error> {
    let (false, Some(record), Some(_)) = (output.skip, output.record, core.number.get()) else {
        return Ok(None);
    };
    let durable = core.durable.is_some();
    let mut out = Vec::new();
    let mut limited = Limited::new(&mut out, core.result_limit());
    let written = guarded(|| stack::ensure(|| record(value, Sink::Json(&mut limited))));
    let cut = limited.is_cut();
    let trouble = match written {
        Ok(Ok(())) if !durable => None,
        Ok(Ok(())) => {
            let mut canonical = Canonical::new();
            let _ = guarded(|| stack::ensure(|| record(value, Sink::Hash(&mut canonical))));
            canonical.unfaithful().map(ToString::to_string)
        }
        Ok(Err(_)) if cut && !durable => return Ok(Some(head(&out))),
        Ok(Err(_)) if cut => Some(format!(
            "it is larger than {} bytes: raise FLOW_RESULT_LIMIT_BYTES, or return less",
            core.result_limit()
        )),
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => Some(format!("its Serialize {panic}")),
    };
    match trouble {
        None => Ok(Some(Box::new(Kept {
            json: CompactString::from_utf8_lossy(&out),
            whole: true,
            cache: None,
        }))),
        Some(trouble) if durable => Err(Error::of_kind(
            ErrorKind::Failed,
            format!(
                "its result, a {}, can't be recorded: {trouble}",
                std::any::type_name::<T>()
            ),
        )),
        Some(_) => Ok(None),
    }
}

/// The beginning, up to the last whole character.
fn head(json: &[u8]) -> Box<Kept> {
    let whole = json.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    Box::new(Kept {
        json: whole.into(),
        whole: false,
        cache: None,
    })
}
