//! The tables of version 1.

use super::codes::{STATES, UNCOMPLETED};

/// Says in a file's header whose it is: "flow".
pub(super) const APPLICATION_ID: i32 = 0x666c_6f77;

/// The statements that make an empty file a store of version 1.
pub(super) fn version_1() -> String {
    let names: Vec<String> = STATES
        .iter()
        .map(|(code, name)| format!("({code}, '{}', '{}')", name.as_str(), name.kind()))
        .collect();
    TABLES
        .replace("$STATES", &names.join(", "))
        .replace("$UNCOMPLETED", UNCOMPLETED)
}

const TABLES: &str = "
CREATE TABLE state_names (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL) STRICT;
INSERT INTO state_names VALUES $STATES;

CREATE TABLE processes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    machine TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    program TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    ended_at INTEGER,
    end TEXT,
    settled INTEGER NOT NULL DEFAULT 0,
    sequence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX processes_unsettled ON processes (number) WHERE settled = 0;

CREATE TABLE definitions (
    code INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    version TEXT
) STRICT;
CREATE INDEX definitions_key ON definitions (key);
CREATE INDEX definitions_name ON definitions (name);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    parent INTEGER,
    root INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    state INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    forgiven INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    durable INTEGER NOT NULL,
    process INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_after INTEGER,
    ended_after INTEGER,
    retry_at INTEGER,
    call_key BLOB,
    name TEXT NOT NULL,
    history TEXT NOT NULL,
    tags TEXT,
    replay TEXT,
    error TEXT,
    parameters TEXT,
    result_whole INTEGER,
    result ANY
) STRICT;
CREATE UNIQUE INDEX runs_id ON runs (id);
CREATE INDEX runs_parent ON runs (parent, id);
CREATE INDEX runs_root_definition ON runs (definition, id) WHERE parent IS NULL;
CREATE INDEX runs_root_ended ON runs (created_at + ended_after) WHERE parent IS NULL AND ended_after IS NOT NULL;
CREATE INDEX runs_uncompleted ON runs (state, id) WHERE $UNCOMPLETED;
CREATE INDEX runs_tree_uncompleted ON runs (root, state, id) WHERE $UNCOMPLETED;

CREATE TABLE states (
    run INTEGER NOT NULL,
    n INTEGER NOT NULL,
    state INTEGER NOT NULL,
    after INTEGER NOT NULL,
    message TEXT,
    PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE counts (
    root INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    state INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (root, definition, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_tags (
    tag TEXT NOT NULL,
    id BLOB NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (tag, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE edges (
    parent INTEGER NOT NULL,
    run INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    PRIMARY KEY (parent, run, upstream)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    number INTEGER PRIMARY KEY,
    root INTEGER NOT NULL,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    level INTEGER NOT NULL,
    target TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX logs_run ON logs (run);
CREATE INDEX logs_root ON logs (root);

CREATE TABLE cache (
    definition_key TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    run INTEGER NOT NULL,
    root INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (definition_key, cache_key, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX cache_root ON cache (root, run);

CREATE TABLE requests (
    run INTEGER PRIMARY KEY REFERENCES runs (number) ON DELETE CASCADE,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE doomed (root INTEGER PRIMARY KEY) STRICT;

CREATE VIEW run_view AS
SELECT
    r.number,
    lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-'
        || substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21)) AS id,
    r.parent, r.root, iif(d.kind = 1, 'flow', 'task') AS kind, d.name AS definition, d.version, r.name, r.depth,
    s.name AS state, s.type AS state_type, r.attempt, r.forgiven, r.crashes, r.durable, r.process,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.created_at / 1e9, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', (r.created_at + r.started_after) / 1e9, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', (r.created_at + r.ended_after) / 1e9, 'unixepoch') AS ended_at,
    (r.ended_after - r.started_after) / 1e9 AS seconds,
    r.tags, r.parameters, r.error, r.result, r.result_whole, r.replay
FROM runs AS r JOIN definitions AS d ON d.code = r.definition JOIN state_names AS s ON s.code = r.state;

CREATE VIEW state_view AS
SELECT h.run, h.n, s.name AS state, s.type AS state_type, h.at AS at_nanos,
    strftime('%Y-%m-%dT%H:%M:%fZ', h.at / 1e9, 'unixepoch') AS at, h.message
FROM (
    SELECT r.number AS run, j.key AS n, j.value ->> 0 AS state, r.created_at + (j.value ->> 1) AS at, j.value ->> 2 AS message
    FROM runs AS r, json_each(r.history) AS j
    UNION ALL
    SELECT t.run, t.n, t.state, r.created_at + t.after, t.message FROM states AS t JOIN runs AS r ON r.number = t.run
) AS h JOIN state_names AS s ON s.code = h.state;

CREATE VIEW log_view AS
SELECT l.number, l.root, l.run, r.name AS run_name, strftime('%Y-%m-%dT%H:%M:%fZ', l.at / 1e9, 'unixepoch') AS at,
    CASE l.level WHEN 40 THEN 'ERROR' WHEN 30 THEN 'WARN' WHEN 20 THEN 'INFO' WHEN 10 THEN 'DEBUG' ELSE 'TRACE' END AS level,
    l.target, l.message
FROM logs AS l LEFT JOIN runs AS r ON r.number = l.run;
";
