//! Names around annotated functions: raw, shadowed, public, private, re-exported, made by other macros.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
// What the functions themselves deserve, annotated or not.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::needless_pass_by_value,
    clippy::redundant_closure,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unwrap_used
)]
#![allow(unreachable_pub)]

use flowcore::prelude::*;

mod raw {
    use super::*;

    #[task(run_name = "{type}-{r}", skip(r#fn))]
    fn r#match(r#type: String, r: u32, r#fn: u32) -> String {
        let run = flowcore::context().unwrap();
        format!("{} {type} {}", run.run_name(), r + r#fn)
    }

    #[flow]
    async fn r#loop(r#in: u32) -> u32 {
        if r#in == 0 { 0 } else { r#loop(r#in - 1).await.unwrap() }
    }

    #[test]
    fn identifiers_are_names_without_the_prefix() {
        let expected = "a-1 a 3";
        assert_eq!(r#match("a".to_owned(), 1, 2).unwrap(), expected);
        assert_eq!(r#match.submit("a", 1_u32, 2_u32).result().unwrap(), expected);
        assert_eq!(r#loop(3).run().unwrap(), 0);
        let task = flowcore::registry::tasks();
        let task = task.iter().find(|task| task.name() == "match").unwrap();
        assert_eq!(task.parameters().collect::<Vec<_>>(), ["type", "r", "fn"]);
        assert!(flowcore::registry::flow("loop").is_ok());
    }
}

/// A module where hardly a name means what it means elsewhere.
mod shadowed {
    #![allow(dead_code, unused_macros, non_camel_case_types)]

    use flowcore::prelude::*;

    pub struct Option;
    pub struct String;
    pub struct Vec;
    pub struct Box;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct Definition;
    pub struct Future;
    pub struct Clone;
    pub struct bool;
    pub struct u8;
    pub struct usize;
    pub struct Self_;
    pub trait Deref {}
    pub trait Into {}
    pub trait ToOwned {}
    pub trait Send {}
    pub trait IntoIterator {}
    type Result<T> = ::std::result::Result<T, ::std::string::String>;
    pub mod core {}
    pub mod std {}
    pub mod flowcore_private {}
    pub mod inventory {}
    pub mod tokio {}
    macro_rules! format {
        ($($any:tt)*) => {
            compile_error!("not this one")
        };
    }
    macro_rules! vec {
        ($($any:tt)*) => {
            compile_error!("not this one")
        };
    }
    macro_rules! file {
        ($($any:tt)*) => {
            compile_error!("not this one")
        };
    }
    macro_rules! line {
        ($($any:tt)*) => {
            compile_error!("not this one")
        };
    }
    macro_rules! module_path {
        ($($any:tt)*) => {
            compile_error!("not this one")
        };
    }
    macro_rules! unreachable {
        ($($any:tt)*) => {
            compile_error!("not this one")
        };
    }

    /// Adds.
    #[task(
        name = "shadowed add",
        version = "1",
        tags = ["a"],
        retries = 1,
        retry_delay_seconds = [1, 2.5],
        timeout_seconds = 3_000_000_000,
        run_name = "add-{a}-{text}",
        key = "add",
        on_failure = |_, _| {},
        retry_condition_fn = |_| true,
        cache_key_fn = |run| run.run_name()
    )]
    pub fn add(a: i32, text: &str, more: &[i32]) -> Result<i32> {
        ::std::result::Result::Ok(a + text.len() as i32 + more.len() as i32)
    }

    #[flow(task_runner = SequentialTaskRunner::new())]
    pub async fn lazy(text: &str, numbers: &[i32], number: &i32) -> i32 {
        ::std::assert!(numbers.len() == text.len());
        *number
    }

    #[task]
    pub fn opaque(_: Option, _: String, _: u8, _: Vec) -> bool {
        bool
    }

    #[flow(durable)]
    pub fn nothing() {}
}

#[test]
fn names_that_shadow_stds_harm_nothing() {
    use shadowed::{add, lazy, nothing, opaque};
    assert_eq!(add(1, "ab", &[0]).unwrap(), 4);
    assert_eq!(add.submit(1, "ab", vec![0]).result().unwrap(), 4);
    assert_eq!(lazy("ab", &[1, 2], &3).run().unwrap(), 3);
    let _ = opaque(shadowed::Option, shadowed::String, shadowed::u8, shadowed::Vec).unwrap();
    nothing().unwrap();
}

mod without_prelude {
    #![no_implicit_prelude]

    #[::flowcore::task(name = "bare", retries = 1, run_name = "{x}-{text}", skip(y))]
    pub fn sync(x: u32, text: &str, y: &[u8]) -> ::flowcore::Result<u32> {
        let _ = (text, y);
        ::flowcore::Result::Ok(x)
    }

    #[::flowcore::flow(on_failure = |_, _| {}, task_runner = ::flowcore::ConcurrentTaskRunner::new())]
    pub async fn lazy(text: &str) -> ::std::string::String {
        sync.submit(1_u32, text, ::std::vec::Vec::new()).await.map_or_else(
            |error| ::std::string::ToString::to_string(&error),
            |x| ::std::format!("{x}{text}"),
        )
    }
}

#[test]
fn the_prelude_isnt_needed() {
    assert_eq!(without_prelude::sync(1, "a", &[]).unwrap(), 1);
    assert_eq!(without_prelude::lazy("a").run().unwrap(), "1a");
}

/// A crate that passes flowcore on to its users.
mod framework {
    pub mod deep {
        pub use flowcore;
    }
}

#[task(crate = framework::deep::flowcore, retries = 1, retry_condition_fn = |_, _| true)]
fn by_a_local_path(x: u32) -> u32 {
    x
}

#[flow(crate = crate::framework::deep::flowcore)]
async fn by_a_crate_path(text: &str) -> usize {
    text.len()
}

mod inner {
    #[flowcore::task(crate = super::framework::deep::flowcore)]
    pub(super) fn by_a_super_path(x: u32) -> u32 {
        x
    }
}

#[test]
fn flowcore_is_found_where_the_crate_option_says() {
    assert_eq!(by_a_local_path(1).unwrap(), 1);
    assert_eq!(by_a_crate_path("ab").run().unwrap(), 2);
    assert_eq!(inner::by_a_super_path(3).unwrap(), 3);
}

mod visibility {
    pub(crate) mod jobs {
        use flowcore::prelude::*;

        #[task]
        pub fn public() -> u32 {
            private().unwrap() + 1
        }

        #[task]
        pub(crate) fn of_the_crate() -> u32 {
            private().unwrap() + 2
        }

        #[task]
        pub(in crate::visibility) fn of_a_path() -> u32 {
            private().unwrap() + 3
        }

        #[task]
        fn private() -> u32 {
            0
        }
    }

    #[test]
    fn is_the_functions() {
        assert_eq!(jobs::public().unwrap(), 1);
        assert_eq!(jobs::of_the_crate().unwrap(), 2);
        assert_eq!(jobs::of_a_path().unwrap(), 3);
    }
}

#[test]
fn functions_inside_functions_see_what_is_around_them() {
    #[derive(Clone)]
    struct Local(u32);

    #[task(retries = 1)]
    fn local(value: Local) -> Local {
        Local(value.0 + 1)
    }

    #[flow]
    async fn outer(value: Local) -> u32 {
        #[task]
        async fn innermost(value: Local) -> u32 {
            local.submit(value).await.map_or(0, |value| value.0)
        }
        innermost(value).await.unwrap()
    }

    assert_eq!(outer(Local(1)).run().unwrap(), 2);
}

macro_rules! adder {
    ($(#[$attribute:meta])* $name:ident, $type:ty, $by:expr, $retries:literal, $label:literal) => {
        $(#[$attribute])*
        #[task(name = $label, retries = $retries, tags = [$label], run_name = "{x}")]
        fn $name(x: $type) -> $type {
            x + $by
        }
    };
}

adder!(
    /// Adds one.
    add_one, u32, 1, 2, "add one"
);
adder!(add_two, u64, 2, 0, "add two");

macro_rules! from_parts {
    ($vis:vis $name:ident($($x:pat_param => $type:ty),*) -> $output:ty, $hook:expr, $delays:expr, $tags:expr, $body:block) => {
        #[task(on_completion = $hook, retries = 1, retry_delay_seconds = $delays, tags = $tags)]
        $vis fn $name($($x: $type),*) -> $output $body
    };
}

from_parts!(pub(crate) parts((a, _) => (u32, u32), b => &str) -> Option<usize>, |_, _| {}, [0, 0.5], ["x"], {
    usize::try_from(a).ok().map(|a| a + b.len())
});

#[test]
fn other_macros_can_write_them() {
    assert_eq!(parts((1, 2), "ab").unwrap(), Some(3));
    assert_eq!(add_one(1).unwrap(), 2);
    assert_eq!(add_two.submit(1_u64).result().unwrap(), 3);
    let tasks = flowcore::registry::tasks();
    let task = tasks.iter().find(|task| task.name() == "add one").unwrap();
    assert_eq!(task.description(), "Adds one.");
    assert_eq!(task.tags(), ["add one"]);
}

/// Names that generated code has uses for.
mod reserved {
    mod functions {
        use flowcore::prelude::*;

        #[task]
        pub fn submit(x: u32) -> u32 {
            x
        }

        #[task]
        pub fn bind(x: &str, y: u32) -> String {
            format!("{x}{y}")
        }

        #[flow]
        pub async fn map(items: Vec<u32>) -> u32 {
            items.iter().sum()
        }

        #[task(retries = 1, run_name = "{text}")]
        pub fn options(text: &str) -> String {
            text.to_owned()
        }

        #[task]
        pub fn direct(x: u32) -> u32 {
            x
        }

        #[task]
        pub fn deref(x: u32) -> u32 {
            x
        }
    }

    mod parameters {
        use flowcore::prelude::*;

        #[task(retries = 1, run_name = "{recorder}-{self_}")]
        pub fn one(options: &str, recorder: &str, last: u32, self_: u32) -> String {
            format!("{options}{recorder}{last}{self_}")
        }

        #[task]
        pub fn two(submit: u32, bind: u32, map: u32, items: Vec<u32>) -> usize {
            items.len() + (submit + bind + map) as usize
        }
    }

    #[test]
    fn are_free_for_users() {
        use functions::{bind, deref, direct, map, options, submit};
        assert_eq!(submit(1).unwrap(), 1);
        assert_eq!(bind.submit("a", submit.submit(2)).result().unwrap(), "a2");
        assert_eq!(map(vec![1, 2]).run().unwrap(), 3);
        assert_eq!(map.map([vec![1], vec![2]]).result().unwrap(), [1, 2]);
        assert_eq!(options("x").unwrap(), "x");
        assert_eq!(direct.map([1]).result().unwrap(), [deref(1).unwrap()]);
        assert_eq!(parameters::one("a", "b", 1, 2).unwrap(), "ab12");
        assert_eq!(parameters::two(1, 2, 3, vec![]).unwrap(), 6);
    }
}

#[test]
fn objects_are_copies_and_values() {
    #[task]
    fn double(x: u32) -> u32 {
        x * 2
    }

    fn apply(f: impl Fn(u32) -> flowcore::Result<u32>, x: u32) -> u32 {
        f(x).unwrap()
    }

    let copy = double;
    assert_eq!(copy(2).unwrap() + double(2).unwrap(), 8);
    assert_eq!(apply(*double, 4), 8);
    assert_eq!(apply(|x| double(x), 4), 8);
    let pointer: fn(u32) -> flowcore::Result<u32> = *double;
    assert_eq!(pointer(1).unwrap(), 2);
    assert_eq!(format!("{double:?}"), "double");
    let doubled: Vec<u32> = [1, 2].into_iter().map(*double).map(Result::unwrap).collect();
    assert_eq!(doubled, [2, 4]);
}
