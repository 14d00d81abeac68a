//! Bounds with messages of our own, checked where the user's type stands.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shape::Parts;
use crate::error::BoxError;

#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a parameter of a flow or task",
    label = "a parameter must be `Send + 'static`: runs move between threads",
    note = "use Arc in place of Rc, owned values in place of borrowed ones"
)]
pub trait Parameter {}
impl<T: Send + 'static> Parameter for T {}

#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the output of a flow or task",
    label = "an output must be `Send + 'static`: runs move between threads",
    note = "use Arc in place of Rc, owned values in place of borrowed ones"
)]
pub trait Output {}
impl<T: Send + 'static> Output for T {}

#[diagnostic::on_unimplemented(
    message = "a flow or task with retries needs parameters that are `Clone`; `{Self}` is not",
    label = "each attempt needs a copy of it",
    note = "derive Clone, wrap it in Arc, or set no retries"
)]
pub trait RetryableParameter {}
impl<T: Clone> RetryableParameter for T {}

#[diagnostic::on_unimplemented(
    message = "an async flow or task called directly copies what it borrows; `{Self}` can't be copied",
    label = "what stands behind the `&` must be `Clone`",
    note = "derive Clone, or take it by value or in an Arc"
)]
pub trait LendableParameter {}
#[diagnostic::do_not_recommend]
impl<P: ToOwned + ?Sized> LendableParameter for P {}

#[diagnostic::on_unimplemented(
    message = "a durable flow is replayed from its record, and `{Self}` can't be written to it",
    label = "must be `Serialize`",
    note = "derive Serialize and Deserialize, or drop `durable`"
)]
pub trait Recordable {}
#[diagnostic::do_not_recommend]
impl<T: Serialize> Recordable for T {}

#[diagnostic::on_unimplemented(
    message = "a durable flow is replayed from its record, and `{Self}` can't be read back from it",
    label = "must be `DeserializeOwned`",
    note = "derive Serialize and Deserialize, or drop `durable`"
)]
pub trait Replayable {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Replayable for T {}

#[diagnostic::on_unimplemented(
    message = "a flow or task can't fail with `{Self}`",
    label = "the error type must turn into `Box<dyn std::error::Error + Send + Sync>`",
    note = "implement `std::error::Error` for it (thiserror does it), or use `anyhow::Error`, `String` or `flowcore::Error`"
)]
pub trait ErrorValue<const SHAPE: u8> {}
#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> ErrorValue<0> for E {}
#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> ErrorValue<1> for E {}
// The shape itself says that it can.
#[diagnostic::do_not_recommend]
impl<E> ErrorValue<2> for E {}

/// Each check gives 0: the sum of all and of [`returned`] is the shape.
pub const fn assert_parameter<P: Parameter>() -> u8 {
    0
}

pub const fn assert_retryable<P: RetryableParameter>() -> u8 {
    0
}

pub const fn assert_lendable<P: LendableParameter + ?Sized>() -> u8 {
    0
}

pub const fn assert_replayable<T: Recordable + Replayable>() -> u8 {
    0
}

/// The shape of a returned type whose parts are fit for a run.
pub const fn returned<R, const SHAPE: u8>() -> u8
where
    R: Parts<SHAPE>,
    R::Output: Output,
    R::Error: ErrorValue<SHAPE>,
{
    SHAPE
}

/// A type, and where a check of the signature failed an error: the compiler says nothing of what follows from that.
pub type Checked<T, const SHAPE: u8> = <T as Check<SHAPE>>::Type;

pub trait Check<const SHAPE: u8> {
    type Type: ?Sized;
}
impl<T: ?Sized, const SHAPE: u8> Check<SHAPE> for T {
    type Type = T;
}
