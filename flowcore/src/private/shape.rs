//! A return type's shape, found where the macro's output names the concrete type: no look at tokens, so aliases work.

use std::error::Error as StdError;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

use crate::error::{BoxError, Error, Source};

/// Carrier of the inherent constants that shadow [`PlainShape`]'s.
pub struct Shape<R: ?Sized>(PhantomData<R>);

/// What holds of a type that is no `Result`.
pub trait PlainShape {
    const RESULT: u8 = 0;
    const HOLDER: u8 = 0;
}
impl<R: ?Sized> PlainShape for Shape<R> {}

impl<T, E> Shape<Result<T, E>> {
    pub const RESULT: u8 = 1;
}
// An error that lends a `dyn Error` (anyhow's, eyre's, a boxed one) is kept whole, so that what it holds can be found.
impl<T, E> Shape<Result<T, E>>
where
    E: Deref<Target = dyn StdError + Send + Sync + 'static> + Send + Sync + 'static,
{
    pub const HOLDER: u8 = 1;
}

/// 0 for a plain type, 1 for a `Result`, 2 for a `Result` whose error holds another.
#[doc(hidden)]
#[macro_export]
macro_rules! __shape {
    ($returned:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::PlainShape as _;
        <$crate::__private::Shape<$returned>>::RESULT + <$crate::__private::Shape<$returned>>::HOLDER
    }};
}

/// The parts of a returned type: what a run gives, and the error it may fail with.
pub trait Parts<const SHAPE: u8> {
    type Output;
    type Error;
}
impl<T> Parts<0> for T {
    type Output = T;
    type Error = Error;
}
impl<T, E> Parts<1> for Result<T, E> {
    type Output = T;
    type Error = E;
}
impl<T, E> Parts<2> for Result<T, E> {
    type Output = T;
    type Error = E;
}

/// A returned value, to be sorted into output and failure.
pub trait Returns<const SHAPE: u8>: Parts<SHAPE> {
    fn split(self) -> Result<Self::Output, Failure>;
}

impl<T> Returns<0> for T {
    fn split(self) -> Result<T, Failure> {
        Ok(self)
    }
}

impl<T, E: Into<BoxError>> Returns<1> for Result<T, E> {
    fn split(self) -> Result<T, Failure> {
        self.map_err(|error| Failure(Error::from_source(Source::Boxed(error.into()))))
    }
}

impl<T, E> Returns<2> for Result<T, E>
where
    E: Deref<Target = dyn StdError + Send + Sync + 'static> + Send + Sync + 'static,
{
    fn split(self) -> Result<T, Failure> {
        self.map_err(|error| Failure(Error::from_source(Source::Held(Box::new(error)))))
    }
}

/// How a body failed, before the error has its place in the tree.
pub struct Failure(pub(crate) Error);

/// What a body gave, sorted into value and failure.
pub fn outcome<const SHAPE: u8, R: Returns<SHAPE>>(value: R) -> Result<R::Output, Failure> {
    value.split()
}

/// A body: run already (sync), or to be polled (async).
pub enum Body<T> {
    Ready(Result<T, Failure>),
    Future(Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>),
}

/// A sync body that has returned `value`.
pub fn ready<const SHAPE: u8, R: Returns<SHAPE>>(value: R) -> Body<R::Output> {
    Body::Ready(value.split())
}
