//! The processes that have runs in a store.

/// What tells a process from all others, on this machine and elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ProcessIdentity {
    /// The machine's name, for people.
    pub host: String,
    /// What tells the machine from others.
    pub machine: String,
    /// What tells this start of the machine from others.
    pub boot: String,
    /// What tells the set of processes that `pid` counts in: a container has its own.
    pub pid_namespace: String,
    /// Its number there.
    pub pid: u32,
    /// When it was started, as the system counts it: numbers of dead processes are used again.
    pub started: u64,
    /// The program's path.
    pub program: String,
}

/// A process as a store knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ProcessRow {
    /// Its number in the store; each start has a new one.
    pub number: u32,
    /// Who it is.
    pub identity: ProcessIdentity,
    /// When it opened the store. Unix nanoseconds.
    pub opened_at: i64,
    /// When it last showed that it lives. Unix nanoseconds.
    pub seen_at: i64,
    /// Until when it counts as alive without showing it again. Unix nanoseconds.
    pub lease_until: i64,
    /// When it left, or was found dead. Unix nanoseconds.
    pub ended_at: Option<i64>,
    /// Why it is no longer alive.
    pub end: Option<String>,
}

/// What a process learns when it shows that it lives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Beat {
    /// Whether the store holds it for dead: what it writes is refused from then on.
    pub fenced: bool,
    /// Runs of this process that somebody wants cancelled.
    pub cancel: Vec<crate::RunId>,
}
