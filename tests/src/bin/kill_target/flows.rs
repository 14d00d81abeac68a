//! The flows, sync and async, which follow a plan.

use std::io;

use flowcore::prelude::*;
use flowcore_tests::kills::{How, Job, Outcome, Plan, Step, Value};
use futures_util::StreamExt;

use super::diary::{Body, acked};
use super::tasks::{join, keyed, keyed_async, work, work_async};

/// What a flow has got so far.
#[derive(Default)]
struct Got {
    pieces: Vec<Value>,
    below: Vec<Outcome>,
}

impl Got {
    fn piece(&mut self, value: Value) -> flowcore::Result<()> {
        acked(&value, &value, false)?;
        self.pieces.push(value);
        Ok(())
    }

    fn pieces(&mut self, values: Vec<Value>) -> flowcore::Result<()> {
        values.into_iter().try_for_each(|value| self.piece(value))
    }

    fn below(&mut self, outcomes: Vec<Outcome>) -> flowcore::Result<()> {
        for outcome in outcomes {
            acked(&outcome.own, &outcome, true)?;
            self.below.push(outcome);
        }
        Ok(())
    }

    /// What the flow returns.
    fn outcome(self, body: &Body, plan: &Plan) -> flowcore::Result<Outcome> {
        if body.fails(plan.failures)? {
            return Err(flowcore::Error::new(io::Error::other("it fails, as planned")));
        }
        let own = body.value(self.pieces.iter().chain(self.below.iter().map(|outcome| &outcome.own)));
        let outcome = Outcome {
            own,
            pieces: self.pieces,
            below: self.below,
        };
        body.end(&outcome)?;
        Ok(outcome)
    }
}

fn submit(job: &Job, inputs: Vec<Value>) -> RunFuture<Value> {
    let label = job.label.clone();
    match job.how.is_async() {
        true => work_async.submit(label, job.clone(), inputs),
        false => work.submit(label, job.clone(), inputs),
    }
}

fn submit_fed(job: &Job, inputs: RunFutures<Value>) -> RunFuture<Value> {
    let label = job.label.clone();
    match job.how.is_async() {
        true => work_async.submit(label, job.clone(), inputs),
        false => work.submit(label, job.clone(), inputs),
    }
}

fn submit_keyed(job: &Job) -> RunFuture<Value> {
    let (label, salt) = (job.label.clone(), fastrand::u64(..));
    match job.how.is_async() {
        true => keyed_async.bind(label, job.clone(), salt).key(&job.label).submit(),
        false => keyed.bind(label, job.clone(), salt).key(&job.label).submit(),
    }
}

/// All at once: those of sync tasks by one `map`, and those of async ones.
fn map(jobs: &[Job]) -> RunFutures<Value> {
    let call = |job: &Job| (job.label.clone(), job.clone(), Vec::new());
    if jobs.iter().all(|job| job.how.is_async()) {
        work_async.map(jobs.iter().map(call))
    } else if jobs.iter().all(|job| !job.how.is_async()) {
        work.map(jobs.iter().map(call))
    } else {
        jobs.iter().map(|job| submit(job, Vec::new())).collect()
    }
}

fn diamond([top, left, right, bottom]: &[Job; 4]) -> [RunFuture<Value>; 4] {
    let top = submit(top, Vec::new());
    let fed = |job: &Job| submit_fed(job, [top.clone()].into_iter().collect());
    let (left, right) = (fed(left), fed(right));
    let bottom = join.submit(bottom.label.clone(), bottom.clone(), &left, &right);
    [top, left, right, bottom]
}

fn submit_flow(plan: &Plan) -> RunFuture<Outcome> {
    if plan.is_async {
        flow_async.submit(plan.clone())
    } else {
        flow_sync.submit(plan.clone())
    }
}

fn submit_flows(plans: &[Plan]) -> RunFutures<Outcome> {
    if plans.iter().all(|plan| plan.is_async) {
        flow_async.map(plans.to_vec())
    } else {
        plans.iter().map(submit_flow).collect()
    }
}

fn call(job: &Job, inputs: Vec<Value>) -> flowcore::Result<Value> {
    let label = job.label.clone();
    match job.how {
        How::Direct => work(label, job.clone(), inputs),
        How::AsyncDirect => work_async(label, job.clone(), inputs).run(),
        How::Submitted | How::AsyncSubmitted => submit(job, inputs).result(),
    }
}

fn follow(plan: &Plan) -> flowcore::Result<Outcome> {
    let body = Body::begin(&plan.label)?;
    let mut got = Got::default();
    for step in &plan.steps {
        match step {
            Step::Chain(jobs) => {
                let mut before = Vec::new();
                for job in jobs {
                    let value = call(job, before)?;
                    before = vec![value.clone()];
                    got.piece(value)?;
                }
            }
            Step::Fan(items, last) => {
                let items = map(items);
                let last = submit_fed(last, items.clone());
                got.pieces(items.result()?)?;
                got.piece(last.result()?)?;
            }
            Step::Diamond(jobs) => diamond(jobs).into_iter().try_for_each(|run| got.piece(run.result()?))?,
            Step::Equal(job, times, true) => {
                let runs: RunFutures<Value> = (0..*times).map(|_| submit(job, Vec::new())).collect();
                got.pieces(runs.result()?)?;
            }
            Step::Equal(job, times, false) => (0..*times).try_for_each(|_| got.piece(call(job, Vec::new())?))?,
            Step::Keyed(jobs) => {
                let runs: RunFutures<Value> = jobs.iter().map(submit_keyed).collect();
                got.pieces(runs.result()?)?;
            }
            Step::Completed(jobs) => {
                for run in as_completed(map(jobs)) {
                    let value = run.result()?;
                    got.piece(value.clone())?;
                    let next = jobs.iter().find(|job| job.label == value.label).map(Job::next);
                    let next = next.map(|job| call(&job, vec![value]));
                    next.into_iter().try_for_each(|value| got.piece(value?))?;
                }
            }
            Step::Flows(plans) if plans.len() == 1 && !plans[0].is_async => {
                got.below(vec![flow_sync(plans[0].clone())?])?;
            }
            Step::Flows(plans) => got.below(submit_flows(plans).result()?)?,
        }
    }
    got.outcome(&body, plan)
}

async fn call_async(job: &Job, inputs: Vec<Value>) -> flowcore::Result<Value> {
    let label = job.label.clone();
    match job.how {
        How::Direct => work(label, job.clone(), inputs),
        How::AsyncDirect => work_async(label, job.clone(), inputs).await,
        How::Submitted | How::AsyncSubmitted => submit(job, inputs).await,
    }
}

async fn follow_async(plan: &Plan) -> flowcore::Result<Outcome> {
    let body = Body::begin(&plan.label)?;
    let mut got = Got::default();
    for step in &plan.steps {
        match step {
            Step::Chain(jobs) => {
                let mut before = Vec::new();
                for job in jobs {
                    let value = call_async(job, before).await?;
                    before = vec![value.clone()];
                    got.piece(value)?;
                }
            }
            Step::Fan(items, last) => {
                let items = map(items);
                let last = submit_fed(last, items.clone());
                got.pieces(items.await?)?;
                got.piece(last.await?)?;
            }
            Step::Diamond(jobs) => {
                for run in diamond(jobs) {
                    got.piece(run.await?)?;
                }
            }
            Step::Equal(job, times, true) => {
                let runs: RunFutures<Value> = (0..*times).map(|_| submit(job, Vec::new())).collect();
                got.pieces(runs.await?)?;
            }
            Step::Equal(job, times, false) => {
                for _ in 0..*times {
                    got.piece(call_async(job, Vec::new()).await?)?;
                }
            }
            Step::Keyed(jobs) => {
                let runs: RunFutures<Value> = jobs.iter().map(submit_keyed).collect();
                got.pieces(runs.await?)?;
            }
            Step::Completed(jobs) => {
                let mut runs = as_completed(map(jobs));
                while let Some(run) = StreamExt::next(&mut runs).await {
                    let value = run.await?;
                    got.piece(value.clone())?;
                    if let Some(job) = jobs.iter().find(|job| job.label == value.label) {
                        got.piece(call_async(&job.next(), vec![value]).await?)?;
                    }
                }
            }
            Step::Flows(plans) if plans.len() == 1 && plans[0].is_async => {
                got.below(vec![flow_async(plans[0].clone()).await?])?;
            }
            Step::Flows(plans) => got.below(submit_flows(plans).await?)?,
        }
    }
    got.outcome(&body, plan)
}

#[flow(run_name = "{plan}", retries = 1)]
pub(super) fn flow_sync(plan: Plan) -> flowcore::Result<Outcome> {
    follow(&plan)
}

#[flow(run_name = "{plan}", retries = 1)]
pub(super) async fn flow_async(plan: Plan) -> flowcore::Result<Outcome> {
    follow_async(&plan).await
}

#[flow(durable, run_name = "{plan}", retries = 1)]
pub(super) fn root(plan: Plan) -> flowcore::Result<Outcome> {
    follow(&plan)
}

#[flow(durable, replay = "strict", run_name = "{plan}", retries = 1)]
pub(super) fn strict_root(plan: Plan) -> flowcore::Result<Outcome> {
    follow(&plan)
}

#[flow(durable, replay = "strict", run_name = "{plan}", retries = 1)]
pub(super) async fn strict_root_async(plan: Plan) -> flowcore::Result<Outcome> {
    follow_async(&plan).await
}

#[flow(durable, run_name = "{plan}", retries = 1)]
pub(super) async fn root_async(plan: Plan) -> flowcore::Result<Outcome> {
    follow_async(&plan).await
}
