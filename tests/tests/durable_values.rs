//! Values below durable flows that can't be recorded, or not as they are, and results that another build has recorded.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic anywhere")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use flowcore::prelude::*;
use flowcore::{ErrorKind, resume};
use flowcore_tests::record::{children, failed, row, store, told, tree};
use flowcore_tests::{Bodies, in_time};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

#[derive(Clone, Copy, Debug, Deserialize)]
enum Refusal {
    Error,
    Panic,
}

/// Can't be written as JSON.
impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Error => Err(serde::ser::Error::custom("not for the record")),
            Self::Panic => panic!("in Serialize"),
        }
    }
}

#[derive(Clone, Serialize, Deserialize, PartialEq, PartialOrd, Eq, Ord)]
struct Place {
    x: i32,
    y: i32,
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    price: f64,
}

/// What a flow makes of a task that fails is the flow's: each goes on without.
fn outcome<T>(outcome: flowcore::Result<T>) -> Option<(ErrorKind, String)> {
    outcome.err().map(|error| (error.kind(), error.to_string()))
}

type Outcomes = Vec<Option<(ErrorKind, String)>>;
static OUTCOMES: Mutex<Outcomes> = Mutex::new(Vec::new());

#[test]
fn results_that_cannot_be_recorded_fail_their_task_with_type_and_place() {
    static BODIES: Bodies = Bodies::new();
    #[task]
    fn refuses() -> Refusal {
        BODIES.called();
        Refusal::Error
    }
    #[task]
    async fn panics() -> Refusal {
        BODIES.called();
        Refusal::Panic
    }
    #[task]
    fn keyed_by_place() -> BTreeMap<Place, u32> {
        BODIES.called();
        [(Place { x: 1, y: 2 }, 3)].into()
    }
    #[task(retries = 1)]
    fn not_a_number() -> Vec<Order> {
        BODIES.called();
        let order = |price| Order {
            item: "pear".to_owned(),
            price,
        };
        vec![order(1.5), order(f64::NAN)]
    }
    #[task]
    async fn endless() -> f64 {
        BODIES.called();
        f64::INFINITY
    }
    #[task]
    fn nothing_or_nothing() -> Option<Option<u32>> {
        BODIES.called();
        Some(None)
    }
    #[task]
    fn fine() -> u32 {
        BODIES.called();
        1
    }
    #[flow(durable)]
    async fn goes_on() -> flowcore::Result<u32> {
        let outcomes = vec![
            outcome(refuses()),
            outcome(panics.submit().await),
            outcome(keyed_by_place.submit().await),
            outcome(not_a_number()),
            outcome(endless().await),
            outcome(nothing_or_nothing.submit().await),
        ];
        *OUTCOMES.lock().unwrap() = outcomes;
        fine()
    }
    in_time("unrecordable results", || {
        let run = goes_on.submit();
        assert_eq!(run.result().unwrap(), 1);
        let outcomes = std::mem::take(&mut *OUTCOMES.lock().unwrap());
        let expected = [
            ("Refusal", "not for the record"),
            ("Refusal", "its Serialize panicked"),
            ("BTreeMap", "key must be a string"),
            (
                "Vec<durable_values::Order>",
                "`[1].price` is NaN, which JSON can't keep",
            ),
            ("f64", "it is inf, which JSON can't keep"),
            ("Option<core::option::Option<u32>>", "`Some` of nothing"),
        ];
        assert_eq!(outcomes.len(), expected.len());
        for (outcome, (of_type, why)) in outcomes.into_iter().zip(expected) {
            let (kind, told) = outcome.expect(why);
            assert_eq!(kind, ErrorKind::Failed);
            assert!(
                told.contains("can't be recorded") && told.contains(of_type) && told.contains(why),
                "{told}"
            );
        }
        // Retried as any failure.
        assert_eq!(BODIES.count(), 8);
        let rows = children(run.run_id());
        assert_eq!(rows.iter().filter(|row| row.state.name() == "Failed").count(), 6);
        let health = store().check(true).unwrap();
        assert_eq!(health.problems, [""; 0]);
    });
}

#[test]
fn the_same_results_are_no_trouble_where_nothing_is_durable() {
    #[task]
    fn refuses() -> Refusal {
        Refusal::Panic
    }
    #[flow]
    fn plain() -> flowcore::Result<f64> {
        refuses()?;
        Ok(f64::NAN)
    }
    assert!(plain().unwrap().is_nan());
}

#[test]
fn parameters_that_cannot_be_recorded_keep_a_durable_flow_from_beginning() {
    static BODIES: Bodies = Bodies::new();
    #[flow(durable)]
    fn scaled(factor: f64) -> f64 {
        BODIES.called();
        factor
    }
    #[flow(durable)]
    async fn refused(what: Refusal) -> String {
        BODIES.called();
        format!("{what:?}")
    }
    #[flow(durable)]
    fn placed(places: BTreeMap<Place, u32>) -> usize {
        BODIES.called();
        places.len()
    }
    #[task]
    fn nan() -> f64 {
        f64::NAN
    }
    in_time("unrecordable parameters", || {
        let places = || BTreeMap::from([(Place { x: 1, y: 1 }, 1)]);
        let outcomes: Outcomes = vec![
            outcome(scaled(f64::NAN)),
            outcome(scaled.submit(f64::NEG_INFINITY).result()),
            outcome(scaled.bind(f64::NAN).name("named").run()),
            outcome(scaled.submit(nan.submit()).result()),
            outcome(refused(Refusal::Error).run()),
            outcome(refused.submit(Refusal::Panic).result()),
            outcome(placed(places())),
        ];
        let names = ["factor", "factor", "factor", "factor", "what", "what", "places"];
        for (outcome, name) in outcomes.into_iter().zip(names) {
            let (kind, told) = outcome.expect(name);
            assert_eq!(kind, ErrorKind::InvalidParameters, "{told}");
            assert!(
                told.contains("can't be recorded whole") && told.contains(name),
                "{told}"
            );
        }
        assert_eq!(BODIES.count(), 0);
        assert_eq!(scaled(1.5).unwrap(), 1.5);
    });
}

#[test]
fn parameters_of_calls_below_need_not_be_recordable() {
    static BODIES: Bodies = Bodies::new();
    static LIVES: Bodies = Bodies::new();
    #[task]
    fn takes(number: f64, what: Refusal) -> String {
        BODIES.called();
        format!("{number} {what:?}")
    }
    #[flow(durable)]
    fn gives() -> flowcore::Result<Vec<String>> {
        let got = vec![
            takes(f64::NAN, Refusal::Error)?,
            takes.submit(f64::INFINITY, Refusal::Error).result()?,
            takes(f64::NAN, Refusal::Panic)?,
            takes.submit(f64::NAN, Refusal::Panic).result()?,
        ];
        if LIVES.called() == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(got)
        }
    }
    in_time("parameters below", || {
        let run = failed(gives());
        let got = resume(run).unwrap().result_json().unwrap();
        assert_eq!(got, json!(["NaN Error", "inf Error", "NaN Panic", "NaN Panic"]));
        assert_eq!((BODIES.count(), tree(run).len()), (4, 5));
    });
}

#[derive(Serialize, Deserialize)]
struct Nested {
    inside: Vec<Nested>,
}

impl Nested {
    fn levels(levels: u32) -> Self {
        (1..levels).fold(Self { inside: Vec::new() }, |inside, _| Self { inside: vec![inside] })
    }

    fn depth(&self) -> u32 {
        let mut depth = 1;
        let mut next = self.inside.first();
        while let Some(nested) = next {
            depth += 1;
            next = nested.inside.first();
        }
        depth
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        let mut next = self.inside.pop();
        while let Some(mut nested) = next {
            next = nested.inside.pop();
        }
    }
}

#[test]
fn deep_values_are_recorded_and_answered() {
    const LEVELS: u32 = 20_000;
    static BODIES: Bodies = Bodies::new();
    static LIVES: Bodies = Bodies::new();
    #[task]
    fn nests(levels: u32) -> Nested {
        BODIES.called();
        Nested::levels(levels)
    }
    #[task]
    fn measures(nested: Nested) -> u32 {
        BODIES.called();
        nested.depth()
    }
    #[flow(durable)]
    fn deep(given: Nested) -> flowcore::Result<u32> {
        let own = measures(nests(LEVELS)?)? + measures.submit(nests.submit(LEVELS + 1)).result()?;
        if LIVES.called() == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(own + given.depth())
        }
    }
    in_time("deep values", || {
        let run = failed(deep(Nested::levels(20)));
        assert_eq!(BODIES.count(), 4);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(2 * LEVELS + 21));
        assert_eq!(BODIES.count(), 4);
    });
}

#[test]
fn a_result_beyond_the_limit_is_refused_before_it_is_written() {
    const LARGE: usize = 100_000_000;
    #[task]
    fn large(length: usize) -> String {
        "x".repeat(length)
    }
    #[flow(durable)]
    fn chooses() -> flowcore::Result<usize> {
        let error = large(LARGE).unwrap_err();
        assert!(error.to_string().contains("larger than 67108864 bytes"), "{error}");
        assert!(error.to_string().contains("FLOW_RESULT_LIMIT_BYTES"), "{error}");
        Ok(large(1_000_000)?.len())
    }
    #[flow(durable)]
    fn takes(text: String) -> usize {
        text.len()
    }
    in_time("large", || {
        let run = chooses.submit();
        assert_eq!(run.result().unwrap(), 1_000_000);
        let rows = children(run.run_id());
        assert_eq!(told(&rows), [("large", "Failed"), ("large", "Completed")]);
        assert_eq!(store().result(rows[0].number).unwrap(), None);
        let (json, whole) = store().result(rows[1].number).unwrap().unwrap();
        assert_eq!((json.len(), whole), (1_000_002, true));
        let error = takes("x".repeat(LARGE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameters, "{error}");
        assert!(error.to_string().len() < 1000);
    });
}

static BUILD: AtomicU32 = AtomicU32::new(0);

mod one {
    use super::Bodies;
    pub(super) static BODIES: Bodies = Bodies::new();
    #[flowcore::task(key = "values::answer", version = "3")]
    pub(super) fn answer() -> u32 {
        BODIES.called();
        42
    }
}

mod two {
    use super::Bodies;
    pub(super) static BODIES: Bodies = Bodies::new();
    /// The same task, in a later build: it returns something else.
    #[flowcore::task(key = "values::answer", version = "3")]
    pub(super) fn answer() -> Vec<String> {
        BODIES.called();
        vec!["4".to_owned(), "2".to_owned()]
    }
}

#[test]
fn a_result_that_this_build_cannot_read_is_made_again() {
    #[flow(durable)]
    fn built() -> flowcore::Result<String> {
        match BUILD.load(SeqCst) {
            0 => Err(flowcore::Error::msg(one::answer()?.to_string())),
            _ => Ok(two::answer()?.join(",")),
        }
    }
    in_time("unreadable", || {
        let run = failed(built());
        BUILD.store(1, SeqCst);
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!("4,2"));
        assert_eq!((one::BODIES.count(), two::BODIES.count()), (1, 1));
        let rows = children(run);
        assert_eq!(told(&rows), [("answer", "Completed")]);
        assert_eq!(store().result(rows[0].number).unwrap().unwrap().0[..], *br#"["4","2"]"#);
        assert_eq!(row(run).state.name(), "Completed");
    });
}

#[test]
fn a_deserialize_that_panics_costs_another_call_only() {
    static BODIES: Bodies = Bodies::new();
    static LIVES: Bodies = Bodies::new();
    #[derive(Serialize)]
    struct Bad(u32);
    impl<'de> Deserialize<'de> for Bad {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("in Deserialize")
        }
    }
    #[task]
    fn bad() -> Bad {
        BODIES.called();
        Bad(5)
    }
    #[flow(durable)]
    fn reads() -> flowcore::Result<u32> {
        let got = bad()?.0 + bad.submit().result()?.0;
        if LIVES.called() == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(got)
        }
    }
    in_time("panics", || {
        let run = failed(reads());
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(10));
        assert_eq!(BODIES.count(), 4);
    });
}

#[test]
fn a_cancelled_body_is_answered_nothing_more() {
    static LIVES: Bodies = Bodies::new();
    static WENT_ON: Bodies = Bodies::new();
    #[task]
    fn step(n: u32) -> u32 {
        n
    }
    #[flow(durable)]
    fn stops() -> flowcore::Result<u32> {
        let life = LIVES.called();
        let mut sum = 0;
        for n in 0..10 {
            if life == 1 && n == 5 {
                flowcore::context().unwrap().cancel();
            }
            sum += if n % 2 == 0 { step.submit(n).result()? } else { step(n)? };
            if life == 1 {
                WENT_ON.called();
            }
        }
        if life == 0 {
            Err(flowcore::Error::msg("once"))
        } else {
            Ok(sum)
        }
    }
    in_time("cancelled body", || {
        let run = failed(stops());
        let error = resume(run).unwrap().result_json().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(WENT_ON.count(), 5);
        let rows = children(run);
        assert!(rows.iter().all(|row| row.state.is_completed()), "{:?}", told(&rows));
        assert_eq!(resume(run).unwrap().result_json().unwrap(), json!(45));
    });
}

mod linked {
    use super::*;

    /// As deep as it is long.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Link {
        value: u32,
        next: Option<Box<Link>>,
    }

    static WALKS: AtomicU32 = AtomicU32::new(0);

    #[task]
    fn walk(first: Link) -> Result<Link, String> {
        match WALKS.fetch_add(1, SeqCst) {
            0 => Err("tired".into()),
            _ => Ok(first),
        }
    }

    #[flow(durable)]
    fn hike(first: Link) -> flowcore::Result<u32> {
        let back = walk(first)?;
        let links = std::iter::successors(Some(&back), |link| link.next.as_deref());
        Ok(links.map(|link| link.value).max().unwrap_or_default())
    }

    #[test]
    fn a_linked_list_of_3_000_is_a_parameter_and_a_result_of_durable_runs() {
        let list = (0..3_000).fold(None, |next, value| Some(Box::new(Link { value, next })));
        let run = hike.submit(*list.unwrap());
        assert!(run.result().is_err());
        assert_eq!(flowcore::resume(run.run_id()).unwrap().result_json().unwrap(), 2_999);
    }
}
