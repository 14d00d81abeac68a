//! This process's place in the store: its number, its writer, its sign of life.

use std::cell::Cell;
use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::children::Roots;
use super::super::node::NodeRef;
use super::super::panic::guarded;
use super::super::{cancel, runtime};
use crate::settings::settings;
use crate::store::writer::{self, Change, Writer, Written};
use crate::store::{
    Batch, LogWrite, ProcessIdentity, RunNumber, Store, StoreError, StoreErrorKind, StoreResult, StoreTrouble,
    liveness, of_settings,
};
use crate::{clock, failpoint};

/// How often the process shows that it lives, and looks whether a run of its is to be cancelled.
const BEAT: Duration = Duration::from_millis(500);

/// Every so many beats it looks for dead processes.
const BEATS_TO_BURIAL: u32 = 20;

/// A store that couldn't be opened is tried again by runs that come later than that.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// How many numbers a thread takes at once.
const BLOCK: u64 = 64;

pub(crate) struct Session {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) process: u32,
    me: ProcessIdentity,
    sink: Sink,
    next: AtomicU64,
    fenced: AtomicBool,
    /// Whether the process has said good-bye.
    left: AtomicBool,
}

enum Sink {
    Writer(Writer<NodeRef>),
    /// Written by whoever makes the change.
    Immediate(Mutex<Immediate>),
}

#[derive(Default)]
struct Immediate {
    sequence: u64,
    lost: u64,
    trouble: Option<StoreError>,
}

static SESSION: OnceLock<Option<Session>> = OnceLock::new();
static FAILED: Mutex<Option<(Instant, StoreError)>> = Mutex::new(None);

thread_local! {
    static NUMBERS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static OPENING: Cell<bool> = const { Cell::new(false) };
}

/// The session, if there is one already.
#[inline]
pub(crate) fn current() -> Option<&'static Session> {
    SESSION.get().and_then(Option::as_ref)
}

/// The session, opened by the first who asks; `None` if nothing is to be recorded.
pub(crate) fn open() -> StoreResult<Option<&'static Session>> {
    if let Some(session) = SESSION.get() {
        return session.as_ref().map(Session::usable).transpose();
    }
    if OPENING.get() {
        // The log subscriber, told of something on the way, starts a run: there is no store yet.
        return Ok(None);
    }
    let mut failed = FAILED.lock();
    if let Some(session) = SESSION.get() {
        return session.as_ref().map(Session::usable).transpose();
    }
    if let Some((at, error)) = &*failed
        && at.elapsed() < NEXT_TRY
    {
        return Err(error.clone());
    }
    OPENING.set(true);
    let begun = guarded(Session::begin);
    OPENING.set(false);
    match begun.unwrap_or_else(|panic| Err(StoreError::new(StoreErrorKind::Other, format!("opening it {panic}")))) {
        Ok(session) => {
            *failed = None;
            let session = SESSION.get_or_init(|| session).as_ref();
            if let Some(session) = session {
                session.show_life();
            }
            Ok(session)
        }
        Err(error) => {
            *failed = Some((Instant::now(), error.clone()));
            Err(error)
        }
    }
}

/// On a thread for what blocks, not on a worker: bodies may block all of these until a run is told its end.
fn elsewhere(work: Box<dyn FnOnce() + Send>) {
    drop(runtime::own().spawn_blocking(work));
}

impl Session {
    fn begin() -> StoreResult<Option<Self>> {
        let Some(store) = of_settings()? else { return Ok(None) };
        if cfg!(panic = "abort") {
            tracing::warn!(
                "built with panic = \"abort\": a panic in a body ends the process, and is found as a crash by the next one"
            );
        }
        let me = liveness::myself();
        let process = store.register(&me, settings().lease)?;
        failpoint!("session::registered");
        let sink = if store.is_immediate() {
            Sink::Immediate(Mutex::default())
        } else {
            bury_the_dead(&*store, &me);
            Sink::Writer(Writer::start(
                store.clone(),
                process,
                settings().store_trouble,
                elsewhere,
            )?)
        };
        Ok(Some(Self {
            store,
            process,
            me,
            sink,
            next: AtomicU64::new(1),
            fenced: AtomicBool::new(false),
            left: AtomicBool::new(false),
        }))
    }

    /// The session, unless this process may not write any more.
    fn usable(&'static self) -> StoreResult<&'static Self> {
        if process::id() != self.me.pid {
            return Err(StoreError::new(
                StoreErrorKind::Refused,
                "this process was forked from the one that opened the store",
            )
            .advise("start runs after the fork only"));
        }
        if self.fenced.load(Ordering::SeqCst) {
            return Err(StoreError::new(
                StoreErrorKind::Fenced,
                "it was silent for too long, and its runs were declared crashed",
            )
            .advise("start the program again"));
        }
        Ok(self)
    }

    /// A number for a new run.
    pub(crate) fn number(&self) -> RunNumber {
        let (mut next, mut end) = NUMBERS.get();
        if next == end {
            next = self.next.fetch_add(BLOCK, Ordering::Relaxed);
            end = next + BLOCK;
        }
        NUMBERS.set((next + 1, end));
        RunNumber::new(self.process, next)
    }

    pub(crate) fn changed(&self, node: &NodeRef) {
        match &self.sink {
            Sink::Writer(writer) => writer.changed(node.clone()),
            Sink::Immediate(sink) => self.write_in_place(sink, node),
        }
    }

    pub(crate) fn log(&self, log: LogWrite) {
        match &self.sink {
            Sink::Writer(writer) => writer.log(log),
            Sink::Immediate(sink) => {
                let batch = Batch {
                    logs: vec![log],
                    ..Batch::default()
                };
                self.apply_in_place(&mut sink.lock(), batch);
            }
        }
    }

    fn write_in_place(&self, sink: &Mutex<Immediate>, node: &NodeRef) {
        // Without the lock: the error's Display is the user's, and may log. A store ignores news that come after newer ones.
        let Some(write) = node.news() else { return };
        let batch = Batch {
            runs: vec![write],
            ..Batch::default()
        };
        let written = self.apply_in_place(&mut sink.lock(), batch);
        if let Some(batch) = written {
            batch.runs.iter().for_each(|write| node.written(write));
        }
    }

    /// The batch, if it is written.
    fn apply_in_place(&self, sink: &mut Immediate, mut batch: Batch) -> Option<Batch> {
        sink.sequence += 1;
        batch.process = self.process;
        batch.sequence = sink.sequence;
        let apply = || writer::apply(&*self.store, &batch);
        // It may be written all the same: then the store knows its number, and this does nothing.
        let outcome = apply().or_else(|_| apply());
        match outcome {
            Ok(()) => {
                sink.trouble = None;
                Some(batch)
            }
            Err(error) => {
                sink.lost += (batch.runs.len() + batch.logs.len()) as u64;
                sink.trouble = Some(error);
                None
            }
        }
    }

    /// Has the run told once all that was changed so far is written; true if it is already.
    pub(crate) fn acknowledge(&self, node: &NodeRef) -> StoreResult<bool> {
        match &self.sink {
            Sink::Writer(writer) => {
                writer.acknowledge(node.clone());
                Ok(false)
            }
            Sink::Immediate(sink) => {
                // Whoever has noted its latest change may be about to write it.
                self.write_in_place(sink, node);
                sink.lock().trouble.clone().map_or(Ok(true), Err)
            }
        }
    }

    /// The wait for all that was changed so far; `None` if it is written already.
    pub(crate) fn written(&self) -> StoreResult<Option<Written>> {
        match &self.sink {
            Sink::Writer(writer) => Ok(Some(writer.written())),
            Sink::Immediate(sink) => sink.lock().trouble.clone().map_or(Ok(None), Err),
        }
    }

    /// What is wrong with the store, if runs are to fail by it.
    pub(crate) fn trouble(&self) -> Option<StoreError> {
        let trouble = match &self.sink {
            Sink::Writer(writer) => writer.trouble(),
            Sink::Immediate(sink) => sink.lock().trouble.clone(),
        };
        trouble.filter(|_| settings().store_trouble == StoreTrouble::Fail)
    }

    /// How many changes are lost.
    pub(crate) fn lost(&self) -> u64 {
        match &self.sink {
            Sink::Writer(writer) => writer.lost(),
            Sink::Immediate(sink) => sink.lock().lost,
        }
    }

    /// Writes what is left, and says good-bye.
    pub(crate) fn close(&self) {
        if let Sink::Writer(writer) = &self.sink {
            writer.stop();
            self.left.store(true, Ordering::SeqCst);
            failpoint!("session::before-leave");
            if let Err(error) = self.store.leave(self.process) {
                tracing::warn!("{error}");
            }
        }
    }

    /// On a thread of its own: whatever runs do with theirs, this process isn't taken for dead.
    fn show_life(&'static self) {
        if self.store.is_immediate() {
            return;
        }
        let beating = thread::Builder::new()
            .name("flowcore-heartbeat".to_owned())
            .spawn(move || self.beat());
        if let Err(error) = beating {
            tracing::error!("no thread can be started to show that this process lives: {error}");
        }
    }

    fn beat(&self) {
        let mut beats = 0_u32;
        loop {
            thread::sleep(BEAT);
            beats = beats.wrapping_add(1);
            // The log subscriber is the user's, and so may the store be: their panics must not stop the beat.
            match guarded(|| self.one_beat(beats)) {
                Ok(false) => return,
                Ok(true) => {}
                Err(panic) => drop(writeln!(
                    io::stderr(),
                    "flowcore: a sign of this process's life {panic}"
                )),
            }
        }
    }

    /// False if there are to be no more.
    fn one_beat(&self, beats: u32) -> bool {
        let beat = self.store.heartbeat(self.process, settings().lease);
        if self.left.load(Ordering::SeqCst) {
            // It is no news then that the store takes the process for dead.
            return false;
        }
        match beat {
            Ok(beat) => {
                if beat.fenced && !self.fenced.swap(true, Ordering::SeqCst) {
                    self.stop_all();
                    tracing::error!("this process was declared dead; its runs are stopped");
                    return false;
                }
                for id in beat.cancel {
                    // What is stopped may call its user's code, which may block.
                    elsewhere(Box::new(move || cancel_by_request(id)));
                }
            }
            Err(error) => tracing::warn!("this process can't show that it lives: {error}"),
        }
        if beats.is_multiple_of(BEATS_TO_BURIAL) {
            bury_the_dead(&*self.store, &self.me);
        }
        true
    }

    fn stop_all(&self) {
        for root in Roots::live() {
            cancel::subtree(&root, "its process was declared dead");
        }
    }
}

/// Stops a live run that somebody wants stopped, wherever it is in its tree.
fn cancel_by_request(id: crate::RunId) {
    let mut rest = Roots::live();
    while let Some(node) = rest.pop() {
        if node.core().id == id {
            return cancel::subtree(&node, "it was asked to stop");
        }
        rest.extend(node.core().children.live());
    }
}

/// Runs of processes that died are crashed.
fn bury_the_dead(store: &dyn Store, me: &ProcessIdentity) {
    let now = clock::wall_nanos();
    let buried = store.processes(false).and_then(|processes| {
        for process in processes {
            if let Some(why) = liveness::death(&process, me, now) {
                let crashed = store.bury(process.number, &why)?;
                if crashed > 0 {
                    tracing::warn!("{crashed} runs have crashed: {why}");
                }
            }
        }
        Ok(())
    });
    if let Err(error) = buried {
        tracing::warn!("runs of processes that died can't be looked for: {error}");
    }
}
