//! Who a new run is: a number, and below a durable flow a key, under which the record may know it.

use std::sync::Arc;

use super::super::core::{Core, Origin};
use super::super::custom::Custom;
use super::super::identity::{CallHasher, ReusedKey};
use super::super::recording::{Number, session};
use super::journal::{Counts, Found};
use super::resume::Claim;
use super::{Before, Durable};
use crate::clock;
use crate::definition::Definition;
use crate::error::{Error, ErrorKind};
use crate::run::RunId;
use crate::settings::settings;
use crate::store::{CallKey, Recorded, StoreError, StoreErrorKind};

/// Who a run is to be.
pub(crate) struct Identity {
    pub(crate) number: Number,
    pub(crate) root: Number,
    /// One it has had before.
    pub(crate) id: Option<RunId>,
    pub(crate) durable: Option<Box<Durable>>,
    /// Why it must not run.
    pub(crate) refused: Option<Error>,
    /// What the record answers in its place.
    pub(crate) answer: Option<Recorded>,
}

impl Identity {
    fn plain(number: Number, root: Number) -> Self {
        Self {
            number,
            root,
            id: None,
            durable: None,
            refused: None,
            answer: None,
        }
    }
}

/// Whether a call made there is below a durable run.
pub(crate) fn is_below(origin: &Origin) -> bool {
    origin
        .parent()
        .is_some_and(|(parent, _)| parent.core().durable.is_some())
}

/// Why a durable flow could not be resumed, if its parameters are not all in the record.
pub(crate) fn unrecordable(core: &Core) -> Option<Error> {
    if !core.definition.meta.durable || core.durable.is_none() || core.has_whole_parameters() {
        return None;
    }
    let message = format!(
        "a durable flow is resumed from its recorded parameters, and these can't be recorded whole: {}",
        core.parameters()
            .map_or("", |json| &json[..json.floor_char_boundary(200)])
    );
    Some(Error::of_kind(ErrorKind::InvalidParameters, message))
}

/// Says who a call is; `parameters` is asked for only where the call is below a durable run.
pub(crate) fn identify(
    definition: &'static Definition,
    origin: &Origin,
    custom: Option<&Custom>,
    claim: Option<&Claim>,
    parameters: impl FnOnce() -> CallHasher,
) -> Identity {
    if let Some(claim) = claim {
        return claimed(definition, claim);
    }
    let Some((parent, epoch)) = origin.parent() else {
        let number = Number::of_root();
        return outermost_durable(definition, Identity::plain(number, number));
    };
    let core = parent.core();
    let plain = Identity::plain(Number::NONE, core.root_number);
    match &core.durable {
        Some(above) if core.epoch() == epoch => {
            let explicit = custom.and_then(|custom| custom.key.as_deref());
            let row = definition.row();
            let call = parameters().finish(&above.key, &row.key, row.version.as_deref(), explicit);
            let (key, found) = match above.call(epoch, &call) {
                Ok(found) => found,
                Err(ReusedKey) => return reused(core.number, plain, definition, explicit.unwrap_or_default()),
            };
            below(above, key, found, core.number, plain, definition)
        }
        _ => outermost_durable(
            definition,
            Identity {
                number: Number::below(core.number),
                ..plain
            },
        ),
    }
}

fn below(
    above: &Durable,
    key: CallKey,
    found: Found,
    parent: Number,
    plain: Identity,
    definition: &'static Definition,
) -> Identity {
    let strict = above.strict || definition.meta.strict_replay;
    let durable = |before| Some(Box::new(Durable::new(key, strict, before, above.counts.clone())));
    match found {
        Found::New => Identity {
            number: Number::below(parent),
            durable: durable(None),
            ..plain
        },
        // It has no place in the record: there the next life would find it.
        Found::Strange { left } => Identity {
            refused: Some(strange(definition, left)),
            ..plain
        },
        Found::Answer(recorded) => Identity {
            number: recorded.number.into(),
            id: Some(recorded.id),
            durable: durable(Some(Before::of_call(&recorded))),
            answer: Some(recorded),
            ..plain
        },
        Found::Again(recorded) => Identity {
            number: recorded.number.into(),
            id: Some(recorded.id),
            refused: poisoned(&recorded.name, recorded.crashes),
            durable: durable(Some(Before::of_call(&recorded))),
            ..plain
        },
    }
}

/// A durable flow with nothing durable around it.
fn outermost_durable(definition: &'static Definition, plain: Identity) -> Identity {
    if !definition.meta.durable {
        return plain;
    }
    if plain.number == Number::NONE {
        // Runs go on without a store that can't be opened, if they are told to: this one must not.
        let error = session::open().err().unwrap_or_else(|| {
            StoreError::new(
                StoreErrorKind::Refused,
                "a durable flow needs a store, and this process has none",
            )
            .advise("set FLOW_DATABASE_URL to one that keeps runs")
        });
        return Identity {
            refused: Some(error.into()),
            ..plain
        };
    }
    clock::follow_wall_clock();
    let id = RunId::generate(clock::ticks() + clock::offset());
    let durable = Durable::new(CallKey::of_root(id), definition.meta.strict_replay, None, None);
    Identity {
        id: Some(id),
        durable: Some(Box::new(durable)),
        ..plain
    }
}

fn claimed(definition: &'static Definition, claim: &Claim) -> Identity {
    let number = claim.run.number.into();
    let key = claim.run.call_key.unwrap_or_else(|| CallKey::of_root(claim.run.id));
    let before = Before::of_root(&claim.run, &claim.ended);
    let counts = Arc::new(Counts::default());
    let durable = Durable::new(key, definition.meta.strict_replay, Some(before), Some(counts));
    Identity {
        id: Some(claim.run.id),
        durable: Some(Box::new(durable)),
        ..Identity::plain(number, number)
    }
}

fn reused(parent: Number, plain: Identity, definition: &Definition, key: &str) -> Identity {
    let message = format!(
        "the key '{key}' was given to two calls of '{}' by one run: each needs a key of its own",
        definition.name()
    );
    Identity {
        number: Number::below(parent),
        refused: Some(Error::of_kind(ErrorKind::InvalidParameters, message)),
        ..plain
    }
}

fn strange(definition: &Definition, left: usize) -> Error {
    let message = format!(
        "strict replay: the record doesn't know this call of '{}', and {left} recorded calls have not been made again: \
         the flow takes another way than it did, or its parameters differ from run to run; mend it, give the call a `.key(…)`, or \
         replay leniently",
        definition.name()
    );
    Error::of_kind(ErrorKind::Store, message)
}

/// Why a run that had its process die in its body too often isn't tried again.
pub(super) fn poisoned(name: &str, crashes: u32) -> Option<Error> {
    (crashes >= settings().max_crashes).then(|| {
        let message = format!(
            "poisoned: the process died {crashes} times in '{name}', and it is not tried again; mend it, then raise FLOW_MAX_CRASHES \
             above {crashes}, or give it another version"
        );
        Error::of_kind(ErrorKind::Crashed, message)
    })
}
