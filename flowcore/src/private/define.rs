//! The parts of a `Runnable` and its entry in the registry that are worded the same for all.

use crate::definition::Meta;
use crate::run::RunKind;

/// What a definition is where its attribute says nothing.
pub const META: Meta = Meta {
    kind: RunKind::Task,
    name: "",
    ident: "",
    module: "",
    file: "",
    line: 0,
    column: 0,
    description: "",
    version: None,
    tags: &[],
    is_async: false,
    key: None,
    durable: false,
    strict_replay: false,
};

/// The types of a run object and what they can do, and its definition, which [`__register`] makes.
#[doc(hidden)]
#[macro_export]
macro_rules! __types {
    ($shape:ident, ($($name:literal: $type:ty $(, $skip:ident)?);*) -> $output:ty $(, $skip_output:ident)?) => {
        type Params = $crate::__private::Checked<($($type,)*), $shape>;
        type Output = $output;
        const PARAMS: $crate::__private::Probes<Self> =
            ($($crate::__private::param!($name: $type $(, $skip)?),)*);
        const OUTPUT: $crate::__private::Probed<$output> =
            $crate::__private::probed!($output $(, $skip_output)?);
        fn definition() -> &'static $crate::__private::Definition {
            &__DEFINITION
        }
    };
}

/// The one definition of a run object, with the place of the macro's tokens, and its entry in the registry.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($object:ident, $kind:ident, $($field:ident: $value:expr),*) => {
        #[allow(deprecated)]
        static __DEFINITION: $crate::__private::Definition =
            $crate::__private::Definition::new::<$object>($crate::__private::Meta {
                kind: $crate::__private::Kind::$kind,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                column: ::core::column!(),
                $($field: $value,)*
                ..$crate::__private::META
            });

        $crate::__private::registration!($object, $kind);
    };
}

/// The entry in the registry.
///
/// A flow is there to be run by its name, and so the entry uses it. A task that nothing calls is dead, and the compiler is to say so,
/// though to its eye what the entry names is used. What a derived `Clone` names doesn't count as use; hence the detour.
#[doc(hidden)]
#[macro_export]
macro_rules! __registration {
    ($object:ident, Flow) => {
        #[allow(deprecated)]
        fn __registered() -> &'static $crate::__private::Definition {
            let _ = $object;
            <$object as $crate::__private::Runnable>::definition()
        }
        $crate::__private::inventory::submit! {
            $crate::__private::Registration(__registered)
        }
    };
    ($object:ident, Task) => {
        struct __Registered(fn() -> &'static $crate::__private::Definition);
        #[automatically_derived]
        #[allow(deprecated)]
        impl ::core::clone::Clone for __Registered {
            fn clone(&self) -> Self {
                __Registered(<$object as $crate::__private::Runnable>::definition)
            }
        }
        $crate::__private::inventory::submit! {
            $crate::__private::Registration(|| {
                ::core::clone::Clone::clone(&__Registered(|| ::core::unreachable!())).0()
            })
        }
    };
}
