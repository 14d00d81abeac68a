//! What a flow does in a round: made from a seed by the harness, followed by the flow.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// What one flow does, step by step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Its place in the whole plan.
    pub label: String,
    /// Whether an async flow follows it.
    pub is_async: bool,
    /// Whether a resumed flow must make the calls that it made before, in their order.
    pub is_strict: bool,
    /// How often its flow fails at its end before it doesn't.
    pub failures: u32,
    /// One after the other.
    pub steps: Vec<Step>,
}

/// A few calls that belong together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Step {
    /// One after the other, each fed by the one before.
    Chain(Vec<Job>),
    /// All at once by `map`, and one that is fed by all of them.
    Fan(Vec<Job>, Job),
    /// The second and third are fed by the first, the last by both: all submitted at once, with futures as inputs.
    Diamond([Job; 4]),
    /// That often the very same call; at once, or one after the other.
    Equal(Job, u32, bool),
    /// Under keys of their own: their parameters are never the same twice.
    Keyed(Vec<Job>),
    /// All at once; whenever one has completed, the next call is made with its result.
    Completed(Vec<Job>),
    /// Flows below this one, all at once.
    Flows(Vec<Plan>),
}

/// One task's call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its place in the whole plan.
    pub label: String,
    /// How it is called.
    pub how: How,
    /// How often it fails before it doesn't.
    pub failures: u32,
    /// How long its body takes.
    pub millis: u64,
}

/// How a task is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum How {
    /// A sync task, as the function it is.
    Direct,
    /// A sync task, submitted.
    Submitted,
    /// An async task, as the function it is.
    AsyncDirect,
    /// An async task, submitted.
    AsyncSubmitted,
}

impl How {
    const ALL: [Self; 4] = [Self::Direct, Self::Submitted, Self::AsyncDirect, Self::AsyncSubmitted];

    /// Whether it is a call of an async task.
    #[must_use]
    pub fn is_async(self) -> bool {
        matches!(self, Self::AsyncDirect | Self::AsyncSubmitted)
    }
}

/// What a run returns: never the same for two bodies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Value {
    /// The id of the run that returned it.
    pub run: String,
    /// Its place in the plan.
    pub label: String,
    /// Drawn anew by each body.
    pub nonce: u64,
    /// Labels and nonces of what it was made from.
    pub inputs: Vec<(String, u64)>,
}

/// What a flow returns: all values that it got, in the order of the plan, and its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Made from `pieces` and the values of the flows below.
    pub own: Value,
    /// What its tasks returned.
    pub pieces: Vec<Value>,
    /// What the flows below it returned.
    pub below: Vec<Outcome>,
}

impl Outcome {
    /// All values in it.
    #[must_use]
    pub fn values(&self) -> Vec<&Value> {
        let below = self.below.iter().flat_map(Outcome::values);
        [&self.own].into_iter().chain(&self.pieces).chain(below).collect()
    }
}

/// A call that a plan makes, and the labels of what it is fed with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Call {
    /// Its place in the plan.
    pub label: String,
    /// Sorted.
    pub inputs: Vec<String>,
    /// How many bodies it takes if no process dies.
    pub bodies: u32,
}

/// Makes jobs with labels of their own.
struct Maker<'a> {
    rng: &'a mut Rng,
    made: u32,
    label: String,
}

impl Maker<'_> {
    fn job(&mut self) -> Job {
        self.made += 1;
        Job {
            label: format!("{}.{}", self.label, self.made),
            how: How::ALL[self.rng.usize(..4)],
            failures: if self.rng.u32(..6) == 0 { self.rng.u32(1..=2) } else { 0 },
            millis: if self.rng.bool() { 0 } else { self.rng.u64(..4) },
        }
    }

    fn jobs(&mut self, most: u32) -> Vec<Job> {
        (0..self.rng.u32(1..=most)).map(|_| self.job()).collect()
    }

    fn step(&mut self, kind: u32, levels: u32) -> Step {
        match kind {
            0 => Step::Chain(self.jobs(4)),
            1 => Step::Fan(self.jobs(4), self.job()),
            2 => Step::Diamond([self.job(), self.job(), self.job(), self.job()]),
            3 => Step::Equal(self.job(), self.rng.u32(2..=3), self.rng.bool()),
            4 => Step::Keyed(self.jobs(3)),
            5 => Step::Completed(self.jobs(3)),
            _ => {
                let flows = self.rng.u32(1..=2);
                let flow = |maker: &mut Self| {
                    maker.made += 1;
                    Plan::made(maker.rng, format!("{}.{}", maker.label, maker.made), levels - 1)
                };
                Step::Flows((0..flows).map(|_| flow(self)).collect())
            }
        }
    }
}

impl Plan {
    /// The plan for the seed of a round.
    #[must_use]
    pub fn of(rng: &mut Rng) -> Self {
        let plan = Self::made(rng, "plan".to_owned(), 2);
        Self {
            is_strict: rng.bool() && plan.is_ordered(),
            ..plan
        }
    }

    /// Whether its calls come in the same order each time.
    fn is_ordered(&self) -> bool {
        self.steps.iter().all(|step| match step {
            Step::Completed(jobs) => jobs.len() == 1,
            Step::Flows(plans) => plans.iter().all(Self::is_ordered),
            _ => true,
        })
    }

    fn made(rng: &mut Rng, label: String, levels: u32) -> Self {
        let kinds = if levels == 0 { 6 } else { 7 };
        let is_async = rng.bool();
        let failures = u32::from(rng.u32(..8) == 0);
        let mut maker = Maker { rng, made: 0, label };
        let steps = if levels == 2 { maker.rng.u32(2..=3) } else { 1 };
        let mut kind = maker.rng.u32(..kinds);
        let steps = (0..steps).map(|_| {
            // Another kind each time.
            kind = (kind + maker.rng.u32(1..kinds)) % kinds;
            maker.step(kind, levels)
        });
        Self {
            is_async,
            is_strict: false,
            failures,
            steps: steps.collect(),
            label: maker.label,
        }
    }

    /// All calls that it makes, itself included, sorted.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        self.add_calls(&mut calls);
        calls.sort();
        calls
    }

    fn add_calls(&self, calls: &mut Vec<Call>) {
        let mut inputs = Vec::new();
        for step in &self.steps {
            step.add_calls(calls, &mut inputs);
        }
        calls.push(Call::new(&self.label, self.failures, inputs));
    }
}

impl Step {
    /// Adds the calls of tasks and flows to `calls`, and to `labels` what the flow itself gets of them.
    fn add_calls(&self, calls: &mut Vec<Call>, labels: &mut Vec<String>) {
        let mut add = |job: &Job, inputs: &[&str]| {
            let inputs = inputs.iter().map(ToString::to_string).collect();
            labels.push(job.label.clone());
            calls.push(Call::new(&job.label, job.failures, inputs));
        };
        match self {
            Self::Chain(jobs) => {
                let mut before = Vec::new();
                for job in jobs {
                    add(job, &before);
                    before = vec![&*job.label];
                }
            }
            Self::Fan(items, join) => {
                items.iter().for_each(|job| add(job, &[]));
                let all: Vec<&str> = items.iter().map(|job| &*job.label).collect();
                add(join, &all);
            }
            Self::Diamond([top, left, right, bottom]) => {
                add(top, &[]);
                add(left, &[&top.label]);
                add(right, &[&top.label]);
                add(bottom, &[&left.label, &right.label]);
            }
            Self::Equal(job, times, _) => (0..*times).for_each(|_| add(job, &[])),
            Self::Keyed(jobs) => jobs.iter().for_each(|job| add(job, &[])),
            Self::Completed(jobs) => {
                for job in jobs {
                    add(job, &[]);
                    add(&job.next(), &[&job.label]);
                }
            }
            Self::Flows(plans) => {
                for plan in plans {
                    labels.push(plan.label.clone());
                    plan.add_calls(calls);
                }
            }
        }
    }
}

impl Job {
    /// What is called with the result of this one, when it has completed.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            label: format!("{}+", self.label),
            failures: 0,
            ..self.clone()
        }
    }
}

impl Call {
    fn new(label: &str, failures: u32, mut inputs: Vec<String>) -> Self {
        inputs.sort();
        Self {
            label: label.to_owned(),
            inputs,
            bodies: failures + 1,
        }
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.label)
    }
}
