//! What a run is given: values, and results of other runs that may not be there yet.

use std::task::{Context, Poll};

use super::future::RunFuture;
use super::futures::RunFutures;
use super::identity::CallHasher;
use super::node::NodeRef;
use crate::error::Result;
use crate::private::Param;
use crate::store::CallKey;

/// A run whose result is an input of another.
pub struct Upstream(pub(crate) NodeRef);

/// One input of a run that isn't started yet.
pub struct Input<P: 'static>(Kind<P>);

enum Kind<P: 'static> {
    Value(P),
    Run(RunFuture<P>),
    Other(Box<dyn Source<P>>),
    /// Its run failed, or it was taken.
    Gone,
}

/// An input made of several runs.
trait Source<P>: Send {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<P>>;
    fn upstream(&self, visit: &mut dyn FnMut(Upstream));
}

impl<P: Send + 'static> Input<P> {
    pub(crate) fn value(value: P) -> Self {
        Self(Kind::Value(value))
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.0, Kind::Value(_))
    }

    /// Fetches the value; ready as long as it is not taken.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let value = match &mut self.0 {
            Kind::Value(_) => return Poll::Ready(Ok(())),
            Kind::Run(run) => run.poll_result(cx),
            Kind::Other(source) => source.poll(cx),
            Kind::Gone => return Poll::Pending,
        };
        match value {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(value)) => {
                self.0 = Kind::Value(value);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                self.0 = Kind::Gone;
                Poll::Ready(Err(error))
            }
        }
    }

    pub(crate) fn take(self) -> Option<P> {
        match self.0 {
            Kind::Value(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn upstream(&self, visit: &mut dyn FnMut(Upstream)) {
        match &self.0 {
            Kind::Run(run) => visit(Upstream(run.node())),
            Kind::Other(source) => source.upstream(visit),
            Kind::Value(_) | Kind::Gone => {}
        }
    }
}

impl<P: Send + 'static> Input<P> {
    /// Tells what it is to be, without waiting for it.
    pub(crate) fn identify(
        &self,
        probe: &Param<P>,
        hasher: &mut CallHasher,
        key_of: &dyn Fn(Upstream) -> Option<CallKey>,
    ) {
        let name = probe.name;
        match &self.0 {
            Kind::Value(_) if probe.skip => hasher.skipped(name),
            Kind::Value(value) => hasher.value(name, value, probe.record),
            Kind::Run(run) => hasher.run(name, key_of(Upstream(run.node()))),
            Kind::Other(source) => {
                let mut keys = Some(Vec::new());
                source.upstream(&mut |run| match (key_of(run), &mut keys) {
                    (Some(key), Some(keys)) => keys.push(key),
                    _ => keys = None,
                });
                hasher.runs(name, keys.as_deref());
            }
            Kind::Gone => hasher.unknown(name),
        }
    }
}

struct ManyRuns<X: 'static>(RunFutures<X>);

impl<X: Send + 'static> Source<Vec<X>> for ManyRuns<X> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<X>>> {
        self.0.poll_all(cx)
    }

    fn upstream(&self, visit: &mut dyn FnMut(Upstream)) {
        self.0.nodes().map(Upstream).for_each(visit);
    }
}

/// What `submit` and `bind` take for a parameter of type `P`: a `P`, the future of a run that gives one, the futures of
/// several runs for a `Vec`, or a `&str` for a `String`.
///
/// A future makes a dependency: the run starts when its inputs are there, and never if one of them failed.
///
/// ```
/// use flowcore::prelude::*;
///
/// #[task]
/// fn square(x: u64) -> u64 { x * x }
/// #[task]
/// fn sum(xs: Vec<u64>) -> u64 { xs.iter().sum() }
/// #[task]
/// fn describe(label: &str, total: u64) -> String { format!("{label}: {total}") }
///
/// let squares = square.map([1, 2, 3]);
/// let total = sum.submit(squares);
/// assert_eq!(describe.submit("total", &total).result().unwrap(), "total: 14");
/// ```
#[diagnostic::on_unimplemented(
    message = "a parameter of type `{P}` can't be given as `{Self}`",
    label = "expected `{P}`, or the future of a run that gives one",
    note = "pass the value itself, a `RunFuture<{P}>` (by value, or by reference if it is Clone), or `RunFutures<X>` where the parameter is a `Vec<X>`"
)]
pub trait IntoInput<P> {
    #[doc(hidden)]
    fn into_input(self) -> Input<P>;
}

impl<P: Send + 'static> IntoInput<P> for P {
    fn into_input(self) -> Input<P> {
        Input::value(self)
    }
}

impl<P: Send + 'static> IntoInput<P> for RunFuture<P> {
    fn into_input(self) -> Input<P> {
        Input(Kind::Run(self))
    }
}

impl<P: Clone + Send + 'static> IntoInput<P> for &RunFuture<P> {
    fn into_input(self) -> Input<P> {
        Input(Kind::Run(self.clone()))
    }
}

impl<X: Send + 'static> IntoInput<Vec<X>> for RunFutures<X> {
    fn into_input(self) -> Input<Vec<X>> {
        Input(Kind::Other(Box::new(ManyRuns(self))))
    }
}

impl IntoInput<String> for &str {
    fn into_input(self) -> Input<String> {
        Input::value(self.to_owned())
    }
}

/// One item of `map`: the parameter itself where the function has one, a tuple where it has several.
#[diagnostic::on_unimplemented(
    message = "an item of type `{Self}` can't be the parameters `{P}`",
    label = "`map` takes one run's parameters per item: the value where there is one parameter, a tuple where there are several"
)]
pub trait IntoInputs<P: crate::private::ParamList> {
    #[doc(hidden)]
    fn into_inputs(self) -> P::Inputs;
}

impl<A: Send + 'static, I: IntoInput<A>> IntoInputs<(A,)> for I {
    fn into_inputs(self) -> (Input<A>,) {
        (self.into_input(),)
    }
}

macro_rules! into_inputs {
    ($($type:ident $item:ident $index:tt),+) => {
        impl<$($type: Send + 'static, $item: IntoInput<$type>),+> IntoInputs<($($type,)+)> for ($($item,)+) {
            fn into_inputs(self) -> ($(Input<$type>,)+) {
                ($(self.$index.into_input(),)+)
            }
        }
    };
}

into_inputs!(A Ai 0, B Bi 1);
into_inputs!(A Ai 0, B Bi 1, C Ci 2);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5, G Gi 6);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5, G Gi 6, H Hi 7);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5, G Gi 6, H Hi 7, I Ii 8);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5, G Gi 6, H Hi 7, I Ii 8, J Ji 9);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5, G Gi 6, H Hi 7, I Ii 8, J Ji 9, K Ki 10);
into_inputs!(A Ai 0, B Bi 1, C Ci 2, D Di 3, E Ei 4, F Fi 5, G Gi 6, H Hi 7, I Ii 8, J Ji 9, K Ki 10, L Li 11);

impl IntoInputs<()> for () {
    fn into_inputs(self) {}
}
