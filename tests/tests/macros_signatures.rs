//! What functions can be flows and tasks: their parameters, their outputs, their errors.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
// What the functions themselves deserve, annotated or not.
#![allow(
    clippy::many_single_char_names,
    clippy::needless_pass_by_value,
    clippy::toplevel_ref_arg,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unused_unit,
    clippy::unwrap_used
)]

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flowcore::prelude::*;

mod parameters {
    use super::*;

    #[task]
    fn none() -> u32 {
        7
    }

    #[task]
    async fn none_async() -> u32 {
        7
    }

    #[tokio::test]
    async fn there_may_be_none() {
        assert_eq!(none().unwrap(), 7);
        assert_eq!(none.submit().await.unwrap(), 7);
        assert_eq!(none_async().await.unwrap(), 7);
        assert_eq!(none_async.bind().submit().await.unwrap(), 7);
        assert_eq!(none.map([(), ()]).await.unwrap(), [7, 7]);
    }

    #[allow(clippy::too_many_arguments)]
    #[task]
    fn twelve(a: u8, b: &str, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: &[u8]) -> String {
        let sum = a + c + d + e + f + g + h + i + j + k;
        format!("{sum} {b} {l:?}")
    }

    #[test]
    fn there_may_be_twelve() {
        let expected = "10 x [2]";
        let direct = twelve(1, "x", 1, 1, 1, 1, 1, 1, 1, 1, 1, &[2]);
        assert_eq!(direct.unwrap(), expected);
        let run = twelve.submit(1, "x", 1, 1, 1, 1, 1, 1, 1, 1, 1, vec![2]);
        assert_eq!(run.result().unwrap(), expected);
        let runs = twelve.map([(1, "x", 1, 1, 1, 1, 1, 1, 1, 1, 1, vec![2])]);
        assert_eq!(runs.result().unwrap(), [expected]);
    }

    struct Unclonable(u32);

    /// What `Rc` is to `Arc`, `str` is to this: an alias hides that it has no size.
    type Text = str;

    #[task]
    fn borrowed(
        text: &str,
        alias: &Text,
        numbers: &[u32],
        path: &Path,
        value: &Unclonable,
        fixed: &'static str,
    ) -> String {
        let sum: u32 = numbers.iter().sum();
        format!("{text}{alias}{sum}{}{}{fixed}", path.display(), value.0)
    }

    #[test]
    fn borrows_are_lent_by_a_direct_caller_and_given_owned_to_a_run() {
        let (numbers, path, value) = (vec![1, 2], PathBuf::from("p"), Unclonable(4));
        let direct = borrowed("a", "b", &numbers, &path, &value, "z");
        assert_eq!(direct.unwrap(), "ab3p4z");
        let run = borrowed.submit("a", "b".to_owned(), numbers, path, value, "z");
        assert_eq!(run.result().unwrap(), "ab3p4z");
    }

    #[task]
    async fn borrowed_async(text: &str, numbers: &[u32], path: &Path, count: &u32) -> String {
        tokio::task::yield_now().await;
        format!("{text}{}{}{count}", numbers.len(), path.display())
    }

    #[tokio::test]
    async fn borrows_of_an_async_function_are_copied() {
        let direct = {
            let (text, numbers, path) = (String::from("a"), vec![1, 2], PathBuf::from("p"));
            borrowed_async(&text, &numbers, &path, &3)
        };
        assert_eq!(direct.await.unwrap(), "a2p3");
        let run = borrowed_async.submit("a", vec![1, 2], PathBuf::from("p"), 3_u32);
        assert_eq!(run.await.unwrap(), "a2p3");
    }

    #[task]
    fn patterns(
        (a, b): (u32, u32),
        [c, ..]: [u32; 3],
        mut d: Vec<u32>,
        _: String,
        ref e: u32,
        Wrapped(f): Wrapped,
        arg0: u32,
    ) -> u32 {
        d.push(100);
        a + b + c + d.into_iter().sum::<u32>() + e + f + arg0
    }

    #[derive(Clone, Copy)]
    struct Wrapped(u32);

    #[test]
    fn patterns_take_parameters_apart() {
        let direct = patterns((1, 2), [3, 0, 0], vec![4], String::new(), 5, Wrapped(6), 1000);
        assert_eq!(direct.unwrap(), 1121);
        let run = patterns.submit((1, 2), [3, 0, 0], vec![4], "", 5, Wrapped(6), 1000);
        assert_eq!(run.result().unwrap(), 1121);
    }

    /// Neither `Clone`, nor `Debug`, nor `Serialize`.
    struct Opaque(Mutex<u32>);

    #[task]
    fn wrap(value: u32) -> Opaque {
        Opaque(Mutex::new(value))
    }

    #[task]
    fn unwrap(opaque: Opaque) -> u32 {
        opaque.0.into_inner().unwrap()
    }

    #[task]
    fn call(function: Box<dyn Fn(u32) -> u32 + Send>, shared: Arc<Opaque>) -> u32 {
        function(*shared.0.lock().unwrap())
    }

    #[test]
    fn any_type_that_can_be_sent_works() {
        assert_eq!(unwrap(wrap(1).unwrap()).unwrap(), 1);
        assert_eq!(unwrap.submit(wrap.submit(2)).result().unwrap(), 2);
        let shared = Arc::new(Opaque(Mutex::new(20)));
        let add: Box<dyn Fn(u32) -> u32 + Send> = Box::new(|x| x + 1);
        assert_eq!(call.submit(add, shared).result().unwrap(), 21);
    }

    #[task]
    fn functions(f: fn(&str) -> usize, parse: fn(&str) -> Option<u32>) -> usize {
        f("four") + parse("4").map_or(0, |_| 1)
    }

    #[test]
    fn function_pointers_borrow_nothing() {
        assert_eq!(functions(str::len, |text| text.parse().ok()).unwrap(), 5);
    }
}

mod outputs {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Trouble {
        Small,
        Io(String),
    }

    impl fmt::Display for Trouble {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "trouble: {self:?}")
        }
    }

    impl Error for Trouble {}

    type Outcome<T> = Result<T, Trouble>;
    type Nothing = Outcome<()>;

    #[task]
    fn spelt_out(fail: bool) -> Result<u32, Trouble> {
        if fail { Err(Trouble::Small) } else { Ok(1) }
    }

    #[task]
    fn aliased(fail: bool) -> Outcome<u32> {
        if fail { Err(Trouble::Io("disk".into())) } else { Ok(1) }
    }

    #[task]
    async fn aliased_twice(fail: bool) -> Nothing {
        if fail { Err(Trouble::Small) } else { Ok(()) }
    }

    #[test]
    fn an_alias_of_result_is_a_result() {
        let value: u32 = aliased(false).unwrap();
        assert_eq!(value, 1);
        aliased_twice(false).run().unwrap();
        for error in [
            spelt_out(true).unwrap_err(),
            aliased(true).unwrap_err(),
            aliased_twice(true).run().unwrap_err(),
        ] {
            assert!(error.downcast_ref::<Trouble>().is_some(), "{error:?}");
        }
    }

    #[task]
    fn with_anyhow(text: &str) -> anyhow::Result<u32> {
        use anyhow::Context;
        text.parse::<u32>().with_context(|| format!("reading {text}"))
    }

    #[task]
    fn with_a_text(fail: bool) -> Result<(), String> {
        if fail { Err("no".into()) } else { Ok(()) }
    }

    #[task]
    fn with_a_static_text() -> Result<(), &'static str> {
        Err("never")
    }

    #[task]
    fn with_a_box() -> Result<(), Box<dyn Error + Send + Sync>> {
        Err(Box::new(Trouble::Small))
    }

    #[task]
    fn with_ours() -> flowcore::Result<()> {
        Err(flowcore::Error::msg("ours"))
    }

    #[test]
    fn any_error_that_can_be_boxed_will_do() {
        let error = with_anyhow("seven").unwrap_err();
        assert!(error.is::<std::num::ParseIntError>());
        assert_eq!(error.message(), "reading seven");
        assert_eq!(with_a_text(true).unwrap_err().message(), "no");
        assert_eq!(with_a_static_text().unwrap_err().message(), "never");
        assert!(with_a_box().unwrap_err().is::<Trouble>());
        assert_eq!(with_ours().unwrap_err().message(), "ours");
        with_a_text(false).unwrap();
    }

    #[task]
    fn optional(x: u32) -> Option<u32> {
        x.checked_sub(1)
    }

    #[task]
    fn nested() -> Result<Result<u32, String>, Trouble> {
        Ok(Err("an answer".into()))
    }

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Static {
        label: &'static str,
    }

    #[task]
    fn fixed(text: &'static str, texts: Vec<&'static str>, label: Static) -> &'static str {
        texts.into_iter().find(|other| *other == label.label).unwrap_or(text)
    }

    #[task]
    fn fixed_result(label: Option<Static>) -> Result<Option<Static>, &'static str> {
        Ok(label)
    }

    #[test]
    fn statics_may_be_borrowed() {
        assert_eq!(fixed("a", vec!["b"], Static { label: "b" }).unwrap(), "b");
        let run = fixed.submit("a", vec!["b"], Static { label: "c" });
        assert_eq!(run.result().unwrap(), "a");
        assert_eq!(fixed_result(None).unwrap(), None);
    }

    #[task]
    fn unit(_x: u32) {}

    #[task]
    fn explicit_unit(_x: u32) -> () {}

    #[test]
    fn the_rest_is_a_value() {
        assert_eq!(optional(0).unwrap(), None);
        assert_eq!(nested().unwrap().unwrap_err(), "an answer");
        unit(1).unwrap();
        explicit_unit.submit(1).result().unwrap();
    }
}

mod recursion {
    use super::*;

    #[flow]
    fn sync(depth: u32) -> flowcore::Result<u32> {
        if depth == 0 {
            return Ok(0);
        }
        let direct: flowcore::Result<u32> = sync(depth - 1);
        Ok(direct? + sync.submit(0).result()? + 1)
    }

    #[flow]
    async fn lazy(depth: u32) -> flowcore::Result<u32> {
        if depth == 0 {
            return Ok(0);
        }
        Ok(lazy(depth - 1).await? + lazy.submit(0).await? + 1)
    }

    #[task]
    fn even(n: u32) -> flowcore::Result<bool> {
        if n == 0 { Ok(true) } else { odd(n - 1) }
    }

    #[task]
    fn odd(n: u32) -> flowcore::Result<bool> {
        if n == 0 { Ok(false) } else { even(n - 1) }
    }

    #[tokio::test]
    async fn a_body_calls_itself_by_its_name() {
        assert_eq!(sync(5).unwrap(), 5);
        assert_eq!(lazy(5).await.unwrap(), 5);
        assert!(even(10).unwrap());
        assert!(!odd(10).unwrap());
    }
}
