//! Which index answers which question about runs.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::codes::{UNCOMPLETED, kind_code, states_of};
use super::fault::Outcome;
use super::read::limit_of;
use super::row::{self, COLUMNS};
use super::write::bytes_of;
use crate::state::StateType;
use crate::store::{Page, RunQuery, RunRow};

/// Trees up to this size are walked; a larger one is most of what is read in the order of ids.
const WALKED: i64 = 20_000;

/// How much later or earlier than its id tells a run may have been made. Nanoseconds.
const SLACK: i64 = 60_000_000_000;

pub(super) fn runs(connection: &Connection, query: &RunQuery) -> Outcome<Page<RunRow>> {
    let mut items = Vec::new();
    if let Some(select) = Select::of(connection, query)? {
        let mut find = connection.prepare_cached(&select.sql)?;
        let mut rows = find.query(params_from_iter(&select.values))?;
        while let Some(row) = rows.next()? {
            items.push(row::run(connection, row)?);
        }
    }
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    Ok(Page { items, more })
}

/// A statement with its values.
#[derive(Default, Debug)]
pub(super) struct Select {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// Conditions that all must hold.
    terms: Vec<String>,
}

/// Where the runs are found, in the order of ids.
struct Source {
    from: &'static str,
    /// The column that has the order.
    id: &'static str,
    /// Each of these conditions is asked for by itself: then the index gives the order. All together give what is wanted.
    legs: Vec<String>,
}

impl Source {
    fn new(from: &'static str, id: &'static str, legs: Vec<String>) -> Self {
        Self { from, id, legs }
    }

    fn of(connection: &Connection, query: &RunQuery, definitions: Option<&[i64]>) -> Outcome<Self> {
        let all = || vec!["true".to_owned()];
        if query.parent.is_some() {
            return Ok(Self::new("runs AS r INDEXED BY runs_parent", "r.id", all()));
        }
        if !query.tags.is_empty() {
            return Ok(Self::new(
                "run_tags AS t CROSS JOIN runs AS r ON r.number = t.run",
                "t.id",
                all(),
            ));
        }
        if query.roots {
            return Ok(match definitions {
                Some(codes) => {
                    let legs = codes.iter().map(|code| format!("r.definition = {code}")).collect();
                    Self::new("runs AS r INDEXED BY runs_root_definition", "r.id", legs)
                }
                None => Self::new("runs AS r INDEXED BY runs_parent", "r.id", all()),
            });
        }
        if !query.states.is_empty() && !query.states.contains(&StateType::Completed) {
            let codes = states_of(&query.states).into_iter();
            let legs = codes
                .map(|code| format!("r.state = {code} AND r.{UNCOMPLETED}"))
                .collect();
            return Ok(if query.root.is_some() {
                Self::new("runs AS r INDEXED BY runs_tree_uncompleted", "r.id", legs)
            } else {
                Self::new("runs AS r INDEXED BY runs_uncompleted", "r.id", legs)
            });
        }
        if let Some(root) = query.root {
            let size: i64 = connection
                .prepare_cached("SELECT ifnull(sum(count), 0) FROM counts WHERE root = ?1")?
                .query_row([root.get()], |row| row.get(0))?;
            if size <= WALKED {
                return Ok(Self::new(
                    "tree CROSS JOIN runs AS r ON r.number = tree.number",
                    "r.id",
                    all(),
                ));
            }
        }
        Ok(Self::new("runs AS r INDEXED BY runs_id", "r.id", all()))
    }
}

impl Select {
    /// Nothing, if there is no definition of what is asked for.
    pub(super) fn of(connection: &Connection, query: &RunQuery) -> Outcome<Option<Self>> {
        let definitions = definitions(connection, query)?;
        if definitions.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let source = Source::of(connection, query, definitions.as_deref())?;
        let mut select = Self::default();
        select.conditions(query, &source, definitions.as_deref());
        select.assemble(query, &source);
        Ok(Some(select))
    }

    /// Adds a condition on one value, which stands for `?`.
    fn with(&mut self, term: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.terms.push(term.replace('?', &format!("?{}", self.values.len())));
    }

    fn conditions(&mut self, query: &RunQuery, source: &Source, definitions: Option<&[i64]>) {
        let id = source.id;
        // The first value: the walk over a tree begins with it.
        if let Some(root) = query.root {
            self.with("r.root = ?", root.get());
        }
        if let Some(parent) = query.parent {
            self.with("r.parent = ?", parent.get());
        }
        if query.roots {
            self.terms.push("r.parent IS NULL".to_owned());
        }
        if let Some(after) = &query.after {
            let beyond = if query.oldest_first { ">" } else { "<" };
            self.with(&format!("{id} {beyond} ?"), bytes_of(after).to_vec());
        }
        if let Some(since) = query.since {
            self.with("r.created_at >= ?", since);
            self.with(&format!("{id} >= ?"), id_at(since.saturating_sub(SLACK)));
        }
        if let Some(until) = query.until {
            self.with("r.created_at < ?", until);
            self.with(&format!("{id} < ?"), id_at(until.saturating_add(SLACK)));
        }
        for (n, tag) in query.tags.iter().enumerate() {
            if n == 0 && id == "t.id" {
                self.with("t.tag = ?", tag.clone());
            } else {
                self.with(
                    "EXISTS (SELECT 1 FROM run_tags AS o WHERE o.tag = ? AND o.id = r.id)",
                    tag.clone(),
                );
            }
        }
        if !query.states.is_empty() {
            self.terms.push(one_of("r.state", &states_of(&query.states)));
        }
        if let Some(codes) = definitions {
            self.terms.push(one_of("r.definition", codes));
        }
    }

    fn assemble(&mut self, query: &RunQuery, source: &Source) {
        let order = if query.oldest_first { "ASC" } else { "DESC" };
        self.values.push(limit_of(query.limit).saturating_add(1).into());
        let limit = format!("?{}", self.values.len());
        let terms: String = self.terms.iter().map(|term| format!(" AND {term}")).collect();
        let (from, id) = (source.from, source.id);
        let legs: Vec<String> = source
            .legs
            .iter()
            .map(|leg| {
                format!(
                    "SELECT * FROM (SELECT r.number AS number, {id} AS id FROM {from} WHERE {leg}{terms} ORDER BY {id} {order} \
                     LIMIT {limit})"
                )
            })
            .collect();
        let tree = if from.starts_with("tree ") {
            "WITH RECURSIVE tree (number) AS (VALUES (?1) UNION ALL \
             SELECT c.number FROM tree CROSS JOIN runs AS c INDEXED BY runs_parent ON c.parent = tree.number) "
        } else {
            ""
        };
        self.sql = format!(
            "{tree}SELECT {COLUMNS} FROM ({} ORDER BY id {order} LIMIT {limit}) AS p CROSS JOIN runs AS r ON r.number = p.number \
             CROSS JOIN definitions AS d ON d.code = r.definition ORDER BY p.id {order}",
            legs.join(" UNION ALL ")
        );
    }
}

fn one_of(column: &str, codes: &[i64]) -> String {
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    format!("{column} IN ({})", codes.join(", "))
}

/// The definitions asked for; `None` if any will do.
fn definitions(connection: &Connection, query: &RunQuery) -> Outcome<Option<Vec<i64>>> {
    if query.definition.is_none() && query.kind.is_none() {
        return Ok(None);
    }
    let mut find = connection.prepare_cached(
        "SELECT code FROM definitions WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR kind = ?2) ORDER BY code",
    )?;
    let found = find.query_map(rusqlite::params![query.definition, query.kind.map(kind_code)], |row| {
        row.get(0)
    })?;
    Ok(Some(found.collect::<Result<_, _>>()?))
}

/// The least id of a run made at that time.
fn id_at(nanos: i64) -> Vec<u8> {
    let millis = u128::from(nanos.max(0).unsigned_abs() / 1_000_000) & 0xffff_ffff_ffff;
    (millis << 80).to_be_bytes().to_vec()
}
