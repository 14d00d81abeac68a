//! What hashes hold fast, and what they tell apart.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use proptest::prelude::*;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::canonical::Canonical;
use super::stream::Digest;

fn try_hash<T: Serialize + ?Sized>(value: &T) -> Result<Digest, serde_json::Error> {
    let mut canonical = Canonical::new();
    value.serialize(&mut canonical)?;
    Ok(canonical.finish())
}

fn hash<T: Serialize + ?Sized>(value: &T) -> Digest {
    try_hash(value).unwrap()
}

fn hex<T: Serialize + ?Sized>(value: &T) -> String {
    hash(value).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What JSON would lose of a value.
fn lost<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    let mut canonical = Canonical::new();
    value.serialize(&mut canonical).unwrap();
    canonical.unfaithful().map(ToString::to_string)
}

#[derive(Serialize)]
struct Unit;
#[derive(Serialize)]
struct Wrapped<T>(T);
#[derive(Serialize)]
struct Pair(u8, String);
#[derive(Serialize, Clone)]
struct Point {
    x: f64,
    y: f64,
}
#[derive(Serialize)]
enum Shape {
    Nothing,
    Named(String),
    Line(Point, Point),
    Circle { centre: Point, radius: f64 },
}
#[derive(Serialize)]
struct Order<'a> {
    id: u64,
    item: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(flatten)]
    more: HashMap<String, i32>,
}
#[derive(Serialize)]
#[serde(tag = "kind")]
enum Tagged {
    Point(Point),
    Many { points: HashSet<u8> },
}
#[derive(Serialize)]
#[serde(untagged)]
enum Untagged {
    Text(String),
    Number(u64),
}

fn order<'a>(note: Option<&str>, more: &[(&str, i32)]) -> Order<'a> {
    Order {
        id: 7,
        item: "tea",
        note: note.map(ToOwned::to_owned),
        more: more.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
    }
}

/// A change here makes every call in every store unknown: then `VERSION` changes as well.
#[test]
fn hashes_stay_as_they_are() {
    let point = Point { x: 1.5, y: -0.0 };
    let table: Vec<(&str, String)> = vec![
        ("unit", hex(&())),
        ("none", hex(&None::<u8>)),
        ("some", hex(&Some(1))),
        ("bool", hex(&true)),
        ("7", hex(&7)),
        ("300", hex(&300)),
        ("-7", hex(&-7)),
        ("u128", hex(&u128::MAX)),
        ("i128", hex(&i128::MIN)),
        ("f32", hex(&1.5_f32)),
        ("f64", hex(&1.5)),
        ("nan", hex(&f64::NAN)),
        ("text", hex("größe")),
        ("empty text", hex("")),
        ("bytes", hex(&Bytes(&[1, 2, 255]))),
        ("list", hex(&[1, 2, 3])),
        ("long list", hex(&(0..100_000).collect::<Vec<u32>>())),
        ("tuple", hex(&(1, "a", 2.5))),
        ("struct", hex(&point)),
        ("unit variant", hex(&Shape::Nothing)),
        ("newtype variant", hex(&Shape::Named("n".into()))),
        ("tuple variant", hex(&Shape::Line(point.clone(), point.clone()))),
        (
            "struct variant",
            hex(&Shape::Circle {
                centre: point,
                radius: 2.0,
            }),
        ),
        ("map", hex(&HashMap::from([(1, "a"), (2, "b")]))),
        ("set", hex(&HashSet::from([1, 2, 3]))),
        ("flattened", hex(&order(Some("x"), &[("a", 1), ("b", 2)]))),
        ("json", hex(&json!({"a": [1, null, "x", 2.5], "b": {}}))),
    ];
    let golden: Vec<(&str, &str)> = GOLDEN.lines().filter_map(|line| line.trim().rsplit_once(' ')).collect();
    let shown: String = table
        .iter()
        .map(|(name, hash)| format!("    {name} {hash}\n"))
        .collect();
    let table: Vec<(&str, &str)> = table.iter().map(|(name, hash)| (*name, hash.as_str())).collect();
    assert_eq!(table, golden, "\n{shown}");
}

const GOLDEN: &str = "
    unit 687376c930d7020a32f04c396fc2e5ea
    none 2022ec9d571ba774cf9e83d0194962f5
    some cbf843c892631064d0d09b4f9728ed88
    bool c681339c86c70715ac599247041052cd
    7 31e5ad983005db1bc0c5c3611383d438
    300 f5fdc798a6f2b43f0e0ed0acef46ba9b
    -7 58fa62822aef01ede41fbb16f3476ae4
    u128 f82648519e9f0ee4edd71b2f0236ef49
    i128 4e0919f5ff2eedc5c0834dd47bed7c8d
    f32 5a4ca95621874eaf08d741cbffa7038c
    f64 6bf4fd60343fbfd7ee3214d16476ae21
    nan 50e8aa92b0f4f3bef095fff170a79350
    text f0f7f5c2d832bf7acaed71ef37f35b36
    empty text c734455f44c0886484abc339ee6184b2
    bytes f4f216be33a1613670a92b6a00521984
    list 890d8c4fff5ced23f509b3d98b918a8f
    long list 7f7f343f612f8de7392e2b779398aa30
    tuple cda956f4a41c53c2da68794bde0a585d
    struct 1851b1e5a8629a97758905ae3a20e67b
    unit variant 265b15f40cf7d02c96b2574a77e43bb9
    newtype variant 0c5db4918004e03208af631364b06df2
    tuple variant 7998cf579cecdae3b497eeb75dbba5ce
    struct variant c42cf65f26205a33115a3d9973dc7c98
    map 60584fe292a75fa113e3e99cd98739fc
    set 79d1d8e69442f13b6fe170f357514719
    flattened fb8a759d13a87710293ec3fc6f672e9d
    json 84755224b9799bc8f0f9486e42892b34
";

struct Bytes<'a>(&'a [u8]);
impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[test]
fn what_stands_for_the_same_has_the_same_hash() {
    // Widths.
    let five = [
        hash(&5_u8),
        hash(&5_i8),
        hash(&5_u16),
        hash(&5_i32),
        hash(&5_u64),
        hash(&5_i128),
    ];
    assert!(five.iter().all(|hash| *hash == self::hash(&5_u128)));
    assert_eq!(hash(&-5_i8), hash(&-5_i128));
    assert_eq!(hash(&i64::MIN), hash(&i128::from(i64::MIN)));
    // Ownership.
    assert_eq!(hash("text"), hash(&"text".to_owned()));
    assert_eq!(hash("text"), hash(&Cow::Borrowed("text")));
    assert_eq!(hash(&[1, 2][..]), hash(&vec![1, 2]));
    assert_eq!(hash(&[1, 2]), hash(&(1, 2)));
    assert_eq!(hash(&Box::new(5)), hash(&&5));
    assert_eq!(hash("x"), hash(&'x'));
    assert_eq!(hash("127.0.0.1"), hash(&std::net::Ipv4Addr::LOCALHOST));
    // Names of types.
    assert_eq!(hash(&Wrapped(Wrapped("x"))), hash("x"));
    assert_eq!(hash(&Unit), hash(&()));
    assert_eq!(hash(&Pair(1, "a".into())), hash(&(1, "a")));
    assert_eq!(hash(&Untagged::Number(1)), hash(&1));
    assert_eq!(hash(&Untagged::Text("a".into())), hash("a"));
    // NaNs.
    let other_nan = f64::from_bits(f64::NAN.to_bits() ^ 0x8000_0000_0000_0001);
    assert!(other_nan.is_nan());
    assert_eq!(hash(&f64::NAN), hash(&other_nan));
    assert_eq!(hash(&f32::NAN), hash(&-f32::NAN));
    // Skipped fields, and the order of flattened ones.
    assert_eq!(hash(&order(None, &[])), hash(&json!({"item": "tea", "id": 7})));
    let (one, two) = (&[("a", 1), ("b", 2)], &[("b", 2), ("a", 1)]);
    assert_eq!(hash(&order(Some("x"), one)), hash(&order(Some("x"), two)));
    assert_eq!(hash(&BTreeMap::from([(1, 2)])), hash(&HashMap::from([(1, 2)])));
}

#[test]
fn what_differs_has_another_hash() {
    let point = |x: f64, y: f64| Point { x, y };
    let hashes = [
        hash(&()),
        hash(&None::<u8>),
        hash(&Some(())),
        hash(&Some(None::<u8>)),
        hash(&false),
        hash(&true),
        hash(&0),
        hash(&1),
        hash(&-1),
        hash(&127),
        hash(&128),
        hash(&u64::MAX),
        hash(&u128::MAX),
        hash(&i128::MIN),
        hash(&Some(1)),
        hash(&1.0_f32),
        hash(&1.0_f64),
        hash(&0.0),
        hash(&-0.0),
        hash(&f64::NAN),
        hash(&f64::INFINITY),
        hash(&f64::NEG_INFINITY),
        hash(""),
        hash("1"),
        hash("a"),
        hash("\0"),
        hash(&Bytes(b"")),
        hash(&Bytes(b"a")),
        hash(&["ab", "c"]),
        hash(&["a", "bc"]),
        hash(&["abc"]),
        hash(&["abc", ""]),
        hash(&["", "abc"]),
        hash(&[0_u8; 0]),
        hash(&[[0_u8; 0]; 1]),
        hash(&[[0_u8; 0]; 2]),
        hash(&(vec![1], vec![2, 3])),
        hash(&(vec![1, 2], vec![3])),
        hash(&vec![1, 2, 3]),
        hash(&vec![3, 2, 1]),
        hash(&HashSet::from([1, 2, 3])),
        hash(&HashMap::<u8, u8>::new()),
        hash(&HashMap::from([(1, 2), (3, 4)])),
        hash(&HashMap::from([(1, 4), (3, 2)])),
        hash(&HashMap::from([(1, 2)])),
        hash(&HashMap::from([("1", 2)])),
        hash(&point(1.0, 2.0)),
        hash(&point(2.0, 1.0)),
        hash(&Shape::Nothing),
        hash("Nothing"),
        hash(&Shape::Named(String::new())),
        hash(&Shape::Named("Nothing".into())),
        hash(&Shape::Line(point(0.0, 0.0), point(0.0, 0.0))),
        hash(&Shape::Circle {
            centre: point(0.0, 0.0),
            radius: 0.0,
        }),
        hash(&Tagged::Point(point(0.0, 0.0))),
        hash(&order(None, &[])),
        hash(&order(Some(""), &[])),
        hash(&order(None, &[("a", 1)])),
        hash(&order(None, &[("a", 2)])),
    ];
    let distinct: HashSet<Digest> = hashes.iter().copied().collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn hash_sets_are_known_by_their_names() {
    let orders = || (0..50).map(|_| (0..20_u8).collect::<HashSet<u8>>());
    let hashes: HashSet<Digest> = orders().map(|set| hash(&set)).collect();
    assert_eq!(hashes.len(), 1);
    let nested: HashSet<Digest> = orders().map(|points| hash(&Tagged::Many { points })).collect();
    assert_eq!(nested.len(), 1);
    let deeper: HashSet<Digest> = orders().map(|set| hash(&Some(Box::new(vec![set])))).collect();
    assert_eq!(deeper.len(), 1);
    let foreign = orders().map(|set| hash(&hashbrown::HashSet::<u8>::from_iter(set)));
    assert_eq!(foreign.collect::<HashSet<Digest>>(), hashes);
    assert_ne!(hash(&BTreeSet::from([1, 2])), hash(&BTreeSet::from([1, 3])));
}

#[test]
fn maps_written_in_pieces_are_maps() {
    struct Pieces;
    impl Serialize for Pieces {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeMap;
            let mut map = serializer.serialize_map(Some(usize::MAX))?;
            map.serialize_key("b")?;
            map.serialize_value(&json!({"x": 1, "y": [{}]}))?;
            map.serialize_entry("a", &1)?;
            map.end()
        }
    }
    assert_eq!(hash(&Pieces), hash(&json!({"a": 1, "b": {"y": [{}], "x": 1}})));
    assert_eq!(hash(&vec![Pieces]), hash(&json!([{"a": 1, "b": {"y": [{}], "x": 1}}])));
}

#[test]
fn what_serialize_says_is_told() {
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    struct Undisplayable;
    impl std::fmt::Display for Undisplayable {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }
    impl Serialize for Undisplayable {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }
    assert_eq!(try_hash(&[Refuses]).unwrap_err().to_string(), "no");
    assert_eq!(try_hash(&HashMap::from([(1, Refuses)])).unwrap_err().to_string(), "no");
    assert!(
        try_hash(&Some(Undisplayable))
            .unwrap_err()
            .to_string()
            .contains("Display")
    );
}

#[test]
fn what_json_would_lose_is_named() {
    let point = |x: f64| Point { x, y: 1.0 };
    let told = |value: &dyn Fn() -> Option<String>, expected: &str| assert_eq!(value().as_deref(), Some(expected));
    told(&|| lost(&f64::NAN), "it is NaN, which JSON can't keep");
    told(&|| lost(&f32::INFINITY), "it is inf, which JSON can't keep");
    told(
        &|| lost(&point(f64::NEG_INFINITY)),
        "`x` is -inf, which JSON can't keep",
    );
    told(
        &|| lost(&vec![point(0.0), point(f64::NAN)]),
        "`[1].x` is NaN, which JSON can't keep",
    );
    told(
        &|| lost(&Some(Wrapped((1, f64::NAN)))),
        "`[1]` is NaN, which JSON can't keep",
    );
    told(
        &|| lost(&HashMap::from([("EUR", vec![f64::NAN])])),
        "`[\"EUR\"][0]` is NaN, which JSON can't keep",
    );
    told(
        &|| {
            lost(&Shape::Circle {
                centre: point(f64::NAN),
                radius: f64::NAN,
            })
        },
        "`Circle.centre.x` is NaN, which JSON can't keep",
    );
    told(
        &|| lost(&Shape::Line(point(0.0), point(f64::NAN))),
        "`Line[1].x` is NaN, which JSON can't keep",
    );
    told(
        &|| lost(&Tagged::Point(point(f64::NAN))),
        "`x` is NaN, which JSON can't keep",
    );
    for empty in [
        lost(&(1, Some(()))),
        lost(&(1, Some(None::<u8>))),
        lost(&(1, Some(Wrapped(Unit)))),
    ] {
        told(
            &|| empty.clone(),
            "`[1]` is a `Some` of nothing, which JSON can't tell from `None`",
        );
    }
    assert_eq!(
        lost(&(Some(1), None::<u8>, ((), Some(Some(0.5))), Some(json!({"a": null})))),
        None
    );
    assert_eq!(
        lost(&(Some([None::<u8>]), Some(HashSet::from([()])), Some(Shape::Nothing))),
        None
    );
    let long = "k".repeat(1000);
    assert!(lost(&HashMap::from([(long, f64::NAN)])).unwrap().len() < 150);
}

#[derive(Serialize)]
struct Chain {
    next: Option<Box<Chain>>,
}

impl Chain {
    fn of(levels: u32) -> Self {
        (0..levels).fold(Self { next: None }, |chain, _| Self {
            next: Some(Box::new(chain)),
        })
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut chain) = next {
            next = chain.next.take();
        }
    }
}

#[test]
fn depth_costs_heap_not_stack() {
    let hashes = || {
        let (deep, deeper) = (hash(&Chain::of(100_000)), hash(&Chain::of(100_001)));
        assert_ne!(deep, deeper);
        let mut value = Value::Null;
        for level in 0..20_000 {
            value = match level % 2 {
                0 => Value::Array(vec![value]),
                _ => Value::Object(std::iter::once(("k".to_owned(), value)).collect()),
            };
        }
        assert_ne!(hash(&value), hash(&Value::Null));
        // Its own drop would recurse.
        while let Value::Array(_) | Value::Object(_) = value {
            value = match value {
                Value::Array(mut items) => items.remove(0),
                mut map => map["k"].take(),
            };
        }
    };
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(hashes)
        .unwrap()
        .join()
        .unwrap();
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        (-3..3_i64).prop_map(|value| json!(value)),
        "[ab]{0,3}".prop_map(|value| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            prop::collection::btree_map("[ab]{0,2}", inner, 0..4).prop_map(|entries| json!(entries)),
        ]
    })
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
struct Typed {
    texts: Vec<String>,
    flags: (bool, Option<bool>),
    numbers: Vec<i32>,
    map: BTreeMap<String, Option<Vec<u8>>>,
}

fn typed() -> impl Strategy<Value = Typed> {
    let texts = || prop::collection::vec("[ab\0é]{0,2}", 0..4);
    let map = prop::collection::btree_map("[ab]{0,2}", any::<Option<Vec<u8>>>(), 0..4);
    (
        texts(),
        any::<(bool, Option<bool>)>(),
        prop::collection::vec(-2..2, 0..4),
        map,
    )
        .prop_map(|(texts, flags, numbers, map)| Typed {
            texts,
            flags,
            numbers,
            map,
        })
}

proptest! {
    #[test]
    fn json_that_differs_hashes_differently(a in values(), b in values()) {
        // serde_json holds 0.0 and -0.0 for equal.
        let (text, other) = (a.to_string(), b.to_string());
        prop_assert_eq!(text == other, hash(&a) == hash(&b), "{} {}", a, b);
        prop_assert_eq!(hash(&a), hash(&serde_json::from_str::<Value>(&a.to_string()).unwrap()));
    }

    #[test]
    fn values_that_differ_hash_differently(a in typed(), b in typed()) {
        prop_assert_eq!(a == b, hash(&a) == hash(&b));
        prop_assert_eq!(hash(&a), hash(&a.clone()));
    }

    #[test]
    fn splitting_texts_elsewhere_is_another_value(a in "[ab]{0,4}", at in 0..4_usize, other in 0..4_usize) {
        let split = |at: usize| { let (head, tail) = a.split_at(at.min(a.len())); (head.to_owned(), tail.to_owned()) };
        prop_assert_eq!(split(at) == split(other), hash(&split(at)) == hash(&split(other)));
        prop_assert_eq!(split(at) == split(other), hash(&[split(at)]) == hash(&[split(other)]));
    }

    #[test]
    fn order_of_maps_and_sets_is_no_matter(entries in prop::collection::hash_map(any::<u16>(), "[a-z]{0,3}", 0..50)) {
        let mut pairs: Vec<_> = entries.clone().into_iter().collect();
        pairs.sort();
        let sorted: BTreeMap<_, _> = pairs.iter().cloned().collect();
        pairs.reverse();
        let again: HashMap<_, _> = pairs.iter().cloned().collect();
        prop_assert_eq!(hash(&entries), hash(&again));
        prop_assert_eq!(hash(&entries), hash(&sorted));
        let set: HashSet<_> = entries.keys().collect();
        let mut other: HashSet<&u16> = HashSet::with_capacity(1000);
        other.extend(again.keys());
        prop_assert_eq!(hash(&set), hash(&other));
    }

    #[test]
    fn integers_hash_by_value(a in any::<i128>(), b in any::<u64>(), c in any::<i32>()) {
        prop_assert_eq!(hash(&b), hash(&u128::from(b)));
        prop_assert_eq!(hash(&b), hash(&i128::from(b)));
        prop_assert_eq!(hash(&c), hash(&i64::from(c)));
        prop_assert_eq!(a == i128::from(b), hash(&a) == hash(&b));
        prop_assert_eq!(i64::from(c) == a as i64, hash(&c) == hash(&(a as i64)));
    }

    #[test]
    fn floats_hash_by_bits(a in any::<f64>(), b in any::<f64>()) {
        let same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        prop_assert_eq!(same, hash(&a) == hash(&b));
        prop_assert_ne!(hash(&a), hash(&(a as f32)));
    }
}

#[test]
fn large_values_are_not_gathered() {
    /// Counts what is held at once: nothing but the item.
    struct Items<'a>(&'a Cell<usize>);
    impl Serialize for Items<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..1000).map(|n| {
                self.0.set(n);
                "x".repeat(10_000)
            }))
        }
    }
    let count = Cell::new(0);
    let mut canonical = Canonical::new();
    Items(&count).serialize(&mut canonical).unwrap();
    assert_eq!(count.get(), 999);
    assert_eq!(canonical.finish(), hash(&vec!["x".repeat(10_000); 1000]));
}
