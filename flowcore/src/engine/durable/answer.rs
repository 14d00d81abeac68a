//! A recorded result, read back.

use super::super::panic::guarded;
use super::super::recording::Number;
use super::Identity;
use crate::definition::Definition;
use crate::error::{Error, ErrorKind};
use crate::private::Probed;
use crate::store::Recorded;

/// The value that the record has for the call, if it has one that this program can read. Else the call is made again, or refused where
/// a replay is strict.
pub(crate) fn answer<T>(output: &Probed<T>, definition: &Definition, identity: &mut Identity) -> Option<T> {
    let recorded = identity.answer.as_ref()?;
    match read(output, recorded) {
        Ok(value) => Some(value),
        Err(why) => {
            let message = unreadable(definition, recorded, &why);
            identity.answer = None;
            if identity.durable.as_ref().is_some_and(|durable| durable.strict) {
                identity.refused = Some(Error::of_kind(ErrorKind::Store, format!("strict replay: {message}")));
                // The record stays as it is: another build may read it.
                identity.number = Number::NONE;
                identity.durable = None;
            } else {
                tracing::warn!("{message}; it is called again");
            }
            None
        }
    }
}

fn read<T>(output: &Probed<T>, recorded: &Recorded) -> Result<T, String> {
    let (Some(read), Some(json)) = (output.read, &recorded.result) else {
        return Err(format!("{} is not DeserializeOwned", std::any::type_name::<T>()));
    };
    match guarded(|| read(json)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(format!("its Deserialize {panic}")),
    }
}

fn unreadable(definition: &Definition, recorded: &Recorded, why: &str) -> String {
    let version =
        |version: Option<&str>| version.map_or("no version".to_owned(), |version| format!("version '{version}'"));
    format!(
        "the recorded result of '{}' (run {}, of {} of '{}') can't be read by this program, which has {}: {why}",
        recorded.name,
        recorded.id,
        version(recorded.version.as_deref()),
        definition.name(),
        version(definition.version()),
    )
}
