//! What tells a call below a durable run from all others: its content, not its number.
//!
//! `key = hash(parent's key, definition's key and version, the parameters' canonical hash or an explicit key, n)`, where `n`
//! counts equal calls of one parent. It is taken at the call. So calls made in another order find their own results, and what
//! is inserted, removed or moved in a flow leaves all other calls as they are. At worst a call is made again; it never gets
//! the result of another.
//!
//! A key is kept in stores. What changes it makes every recorded call unknown: the tests hold it fast.

mod call_hasher;
mod call_key;
mod canonical;
mod equal_calls;
mod stream;
#[cfg(test)]
mod tests;
mod unfaithful;

pub(crate) use self::call_hasher::CallHasher;
pub(crate) use self::call_key::BaseKey;
pub(crate) use self::canonical::Canonical;
pub(crate) use self::equal_calls::{EqualCalls, ReusedKey};
