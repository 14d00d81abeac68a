//! What must hold between two processes of a round, and at its end.

use std::collections::{BTreeMap, BTreeSet};

use flowcore_tests::kills::{Call, Line, Look, Outcome, Plan, Row, Value, What};

use crate::round::Report;

/// All that is known of a round so far.
pub(crate) struct Oracle {
    expected: Vec<Call>,
    /// How many processes have been looked at.
    processes: u32,
    before: Look,
    lines: Vec<Line>,
    /// Recorded results, by run.
    recorded: BTreeMap<String, String>,
    /// Results that a flow has got, by run.
    acked: BTreeMap<String, String>,
    /// What bodies were about to return, by run.
    returned: BTreeMap<String, Vec<String>>,
    starts: BTreeMap<String, u32>,
    tokens: BTreeMap<String, String>,
}

type Found = Result<(), String>;

/// Values are drawn from 2^64: equal ones are the same.
fn own_value(row: &Row) -> Result<Value, String> {
    let result = row.result.as_deref().unwrap_or_default();
    let value = if row.is_flow {
        serde_json::from_str(result).map(|outcome: Outcome| outcome.own)
    } else {
        serde_json::from_str(result)
    };
    value.map_err(|error| format!("changed: the result of {} can't be read, {error}: {result}", name(row)))
}

fn name(row: &Row) -> String {
    format!("{} ({}, run {})", row.label, row.definition, row.id)
}

impl Oracle {
    /// For a round in which nothing has happened yet.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            expected: plan.calls(),
            processes: 0,
            before: Look::default(),
            lines: Vec::new(),
            recorded: BTreeMap::new(),
            acked: BTreeMap::new(),
            returned: BTreeMap::new(),
            starts: BTreeMap::new(),
            tokens: BTreeMap::new(),
        }
    }

    /// The id of the outermost run, if the store has it.
    pub(crate) fn root(&self) -> Option<String> {
        self.before.root().map(|row| row.id.clone())
    }

    /// Whether the outermost run has completed.
    pub(crate) fn is_over(&self) -> bool {
        self.before.root().is_some_and(Row::is_completed)
    }

    /// The outermost run's state.
    pub(crate) fn state(&self) -> String {
        self.before
            .root()
            .map_or_else(|| "not in the store".to_owned(), |row| row.state.clone())
    }

    /// The store as a new process has found it, before that did anything else than open it.
    pub(crate) fn reopened(&self, look: Option<Look>) -> Found {
        let Some(look) = look else { return Ok(()) };
        let now: BTreeMap<i64, &Row> = look.rows.iter().map(|row| (row.number, row)).collect();
        let newest = look
            .processes
            .iter()
            .map(|(number, _)| *number)
            .max()
            .unwrap_or_default();
        for row in &look.rows {
            if !row.ended {
                return Err(format!(
                    "left open: {} is {} though its process is dead",
                    name(row),
                    row.state
                ));
            }
        }
        for (number, end) in &look.processes {
            if *number != newest && end.is_none() {
                return Err(format!("left open: process {number} is dead, and nobody has ended it"));
            }
        }
        let running: BTreeSet<i64> = self
            .before
            .rows
            .iter()
            .filter(|row| row.is_running())
            .filter_map(|row| row.parent)
            .collect();
        for row in &self.before.rows {
            let Some(found) = now.get(&row.number) else {
                return Err(format!("lost: {} is gone since the store was opened again", name(row)));
            };
            let in_body = row.is_running() && !running.contains(&row.number);
            let due = if row.ended {
                row.clone()
            } else {
                Row {
                    state: "Crashed".to_owned(),
                    seen: row.seen + 1,
                    forgiven: row.forgiven + u32::from(row.is_running()),
                    crashes: row.crashes + u32::from(in_body),
                    ended: true,
                    ..row.clone()
                }
            };
            if due != **found {
                return Err(format!(
                    "miscounted: a new process was to find {due:?}, and found {found:?}"
                ));
            }
        }
        let known: BTreeSet<i64> = self.before.rows.iter().map(|row| row.number).collect();
        match look
            .rows
            .iter()
            .find(|row| !known.contains(&row.number) && row.process != newest)
        {
            Some(row) => Err(format!("unknown: {} has come from nowhere", name(row))),
            None => Ok(()),
        }
    }

    /// The store and the ledger after the end of a process.
    pub(crate) fn look(&mut self, look: Look, lines: Vec<Line>, pid: u32) -> Found {
        self.processes += 1;
        if let Some(damage) = look.damage.first() {
            return Err(format!("damaged: {damage}"));
        }
        if !lines.starts_with(&self.lines) {
            return Err("the ledger was changed".to_owned());
        }
        let new = &lines[self.lines.len()..];
        self.follow(new, pid)?;
        self.lines = lines;
        self.compare(&look)?;
        self.before = look;
        Ok(())
    }

    /// What a process has told the ledger.
    fn follow(&mut self, lines: &[Line], pid: u32) -> Found {
        let mut may_start = BTreeMap::new();
        for line in lines {
            let Line { run, label, value, .. } = line;
            if line.pid != pid {
                return Err(format!("process {} lives on after process {pid} was begun", line.pid));
            }
            if line.what != What::Acked && *self.tokens.entry(run.clone()).or_insert(line.token.clone()) != line.token {
                return Err(format!(
                    "changed: {label} (run {run}) has another idempotency key than before"
                ));
            }
            let may_start = may_start.entry(run.clone()).or_insert(1);
            match line.what {
                What::Start => {
                    if self.recorded.contains_key(run) {
                        return Err(format!("ran again: {label} (run {run}) though its result was recorded"));
                    }
                    if self.acked.contains_key(run) {
                        return Err(format!(
                            "ran again: {label} (run {run}) though its flow had got its result"
                        ));
                    }
                    if *may_start == 0 {
                        return Err(format!(
                            "ran again: {label} (run {run}) in one process, and without a failure"
                        ));
                    }
                    *may_start -= 1;
                    *self.starts.entry(run.clone()).or_default() += 1;
                }
                What::Fail => *may_start += 1,
                What::End => self.returned.entry(run.clone()).or_default().push(value.clone()),
                What::Acked => {
                    let before = self.acked.entry(run.clone()).or_insert_with(|| value.clone());
                    if before != value {
                        return Err(format!(
                            "changed: {label} (run {run}) gave {before}, and now gives {value}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// The store against all that is known.
    fn compare(&mut self, look: &Look) -> Found {
        let mut keys = BTreeMap::new();
        let mut labels: BTreeMap<&str, u32> = BTreeMap::new();
        let mut planned: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for call in &self.expected {
            let (calls, bodies) = planned.entry(call.label.clone()).or_default();
            (*calls, *bodies) = (*calls + 1, call.bodies);
        }
        let rows: BTreeMap<&str, &Row> = look
            .rows
            .iter()
            .filter(|row| row.call_key.is_some())
            .map(|row| (row.id.as_str(), row))
            .collect();
        for row in rows.values() {
            if let Some(other) = keys.insert(&row.call_key, row) {
                return Err(format!("two rows: {} and {} are the same call", name(other), name(row)));
            }
            let named = planned.get(row.label.as_str()).copied();
            if named.is_none() && (row.is_flow || !self.starts.contains_key(&row.id)) {
                // It is named by its parameters, which are in the record before a task's body begins; a flow's may begin before.
                continue;
            }
            let Some((calls, bodies)) = named else {
                return Err(format!("unknown: {} is not planned", name(row)));
            };
            let made = labels.entry(&row.label).or_default();
            *made += 1;
            if *made > calls {
                return Err(format!(
                    "two rows: {} is the {made}th call of {calls} planned ones",
                    name(row)
                ));
            }
            self.counted(row, bodies)?;
        }
        for row in rows.values() {
            self.result(row)?;
        }
        for run in self.recorded.keys() {
            match rows.get(run.as_str()) {
                Some(row) if row.is_completed() => {}
                Some(row) => return Err(format!("lost: {} was Completed, and is {} now", name(row), row.state)),
                None => return Err(format!("lost: run {run} was Completed, and is gone")),
            }
        }
        for (run, value) in &self.acked {
            let recorded = self.recorded.get(run);
            if recorded != Some(value) {
                return Err(format!(
                    "lost: a flow has got {value}, and the record has {recorded:?} (run {run})"
                ));
            }
        }
        // The body of a flow below another may begin before the flow is recorded.
        let outermost = &self.expected[0].label;
        let waits = |line: &&Line| line.what == What::Start && (!line.is_flow || line.label == *outermost);
        for line in self.lines.iter().filter(waits) {
            if !rows.contains_key(line.run.as_str()) {
                return Err(format!(
                    "lost: the body of {} (run {}) has begun, and nothing knows it",
                    line.label, line.run
                ));
            }
        }
        Ok(())
    }

    /// How often a body has begun, by the record and by the ledger.
    fn counted(&self, row: &Row, bodies: u32) -> Found {
        let started = self.starts.get(&row.id).copied().unwrap_or_default();
        let told = |what: &str| {
            Err(format!(
                "miscounted: {what}, bodies begun {started}, of {bodies} planned: {row:?}"
            ))
        };
        if row.attempt < started && (!row.is_flow || row.parent.is_none()) {
            return told("a body has begun before it was counted");
        }
        if row.attempt > started + self.processes {
            return told("attempts that nobody has made");
        }
        if row.forgiven > row.attempt || row.attempt - row.forgiven > bodies {
            return told("more attempts than there are to be");
        }
        if row.crashes > self.processes || row.forgiven > self.processes {
            return told("more crashes than processes");
        }
        Ok(())
    }

    fn result(&mut self, row: &Row) -> Found {
        if !row.is_completed() {
            return Ok(());
        }
        let Some(result) = &row.result else {
            return Err(format!("lost: {} is Completed without its result", name(row)));
        };
        match self.recorded.get(&row.id) {
            Some(before) if before == result => Ok(()),
            Some(before) => Err(format!("changed: {} had {before}, and has {result}", name(row))),
            None if self
                .returned
                .get(&row.id)
                .is_some_and(|returned| returned.contains(result)) =>
            {
                self.recorded.insert(row.id.clone(), result.clone());
                Ok(())
            }
            None => Err(format!(
                "changed: {} has what no body of it returned: {result}",
                name(row)
            )),
        }
    }

    /// The end: all is there, once, and made of what was recorded.
    pub(crate) fn close(&self, report: &mut Report) -> Found {
        let rows: Vec<&Row> = self.before.rows.iter().filter(|row| row.call_key.is_some()).collect();
        if let Some(row) = rows.iter().find(|row| !row.is_completed()) {
            return Err(format!(
                "left open: {} is {} though its flow has completed",
                name(row),
                row.state
            ));
        }
        let values = rows.iter().map(|row| Ok((row.id.as_str(), own_value(row)?)));
        let values: BTreeMap<&str, Value> = values.collect::<Result<_, String>>()?;
        self.made_as_planned(&values)?;
        for row in rows.iter().filter(|row| row.is_flow) {
            let outcome: Outcome = serde_json::from_str(&self.recorded[&row.id]).map_err(|error| error.to_string())?;
            let mut within = BTreeSet::new();
            for value in outcome.values() {
                if values.get(value.run.as_str()) != Some(value) {
                    return Err(format!(
                        "changed: {} holds {value:?}, which is not what was recorded",
                        name(row)
                    ));
                }
                within.insert(value.run.as_str());
            }
            if row.parent.is_none() && within.len() != values.len() {
                return Err(format!(
                    "lost: the flow has got {} of {} results",
                    within.len(),
                    values.len()
                ));
            }
            if row.orphans.unwrap_or_default() > 0 {
                return Err(format!(
                    "lost: {} recorded calls were not made again",
                    row.orphans.unwrap_or_default()
                ));
            }
        }
        let begun: u32 = self.starts.values().sum();
        let planned: u32 = self.expected.iter().map(|call| call.bodies).sum();
        report.bodies_again = begun.saturating_sub(planned);
        let acks = self.lines.iter().filter(|line| line.what == What::Acked).count();
        report.answered = u32::try_from(acks - self.acked.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Every planned call was made, and fed with what it should be.
    fn made_as_planned(&self, values: &BTreeMap<&str, Value>) -> Found {
        let nonces: BTreeMap<u64, &str> = values
            .values()
            .map(|value| (value.nonce, value.label.as_str()))
            .collect();
        let mut made = Vec::new();
        for value in values.values() {
            for (label, nonce) in &value.inputs {
                if nonces.get(nonce) != Some(&label.as_str()) {
                    return Err(format!(
                        "changed: {} was fed with a result of {label} that is not recorded",
                        value.label
                    ));
                }
            }
            let mut inputs: Vec<String> = value.inputs.iter().map(|(label, _)| label.clone()).collect();
            inputs.sort();
            let planned = self.expected.iter().find(|call| call.label == value.label);
            let bodies = planned.map_or(0, |call| call.bodies);
            made.push(Call {
                label: value.label.clone(),
                inputs,
                bodies,
            });
        }
        made.sort();
        let differ = self.expected.iter().zip(&made).find(|(planned, made)| planned != made);
        match differ {
            Some((planned, made)) => Err(format!("wrong: planned was {planned:?}, and made was {made:?}")),
            None if made.len() != self.expected.len() => Err(format!(
                "wrong: {} calls were made of {} planned ones",
                made.len(),
                self.expected.len()
            )),
            None => Ok(()),
        }
    }
}
