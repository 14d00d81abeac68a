//! A thread's wait for many runs.

use std::task::Waker;

use super::core::{ERROR, RESULT};
use super::node::NodeRef;
use super::park::is_crowded;
use super::wait::{Goal, is_up_for_grabs};

/// Waits for many runs, or for the first that fails.
pub(crate) struct Many {
    nodes: Vec<NodeRef>,
    keys: Vec<Option<u32>>,
    through: usize,
    grabbed: usize,
    listens_for_errors: bool,
}

impl Many {
    pub(crate) fn new(nodes: Vec<NodeRef>) -> Self {
        Self {
            keys: vec![None; nodes.len()],
            nodes,
            through: 0,
            grabbed: 0,
            listens_for_errors: false,
        }
    }
}

impl Goal for Many {
    fn reached(&mut self, waker: &Waker) -> bool {
        while let Some(node) = self.nodes.get(self.through) {
            let core = node.core();
            if !core.listen(RESULT, &mut self.keys[self.through], waker) {
                break;
            }
            if core.is_told(ERROR) {
                return true;
            }
            self.through += 1;
        }
        let rest = self.through + 1..self.nodes.len();
        if rest.is_empty() {
            return self.through >= self.nodes.len();
        }
        if self.listens_for_errors {
            // Woken by the present one or by an error: only then is the rest worth a look.
            return self.nodes[rest].iter().any(|node| node.core().is_told(ERROR));
        }
        self.listens_for_errors = true;
        let mut failed = false;
        for at in rest {
            failed |= self.nodes[at].core().listen(ERROR, &mut self.keys[at], waker);
        }
        failed
    }

    /// None, as long as there are threads: one slow run in the place of the waiter would hide that another has failed.
    fn runnable(&mut self) -> Option<NodeRef> {
        if !is_crowded() {
            return None;
        }
        self.grabbed = self.grabbed.max(self.through);
        while let Some(node) = self.nodes.get(self.grabbed) {
            if is_up_for_grabs(node.core()) {
                return Some(node.clone());
            }
            self.grabbed += 1;
        }
        // What was not up for grabs when it was passed may be now.
        self.nodes
            .get(self.through)
            .filter(|node| is_up_for_grabs(node.core()))
            .cloned()
    }

    fn awaited(&self) -> Option<&NodeRef> {
        self.nodes.get(self.through)
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        for (node, key) in self.nodes.iter().zip(&self.keys) {
            if let Some(key) = *key {
                node.core().stop_listening(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use crate::prelude::*;

    #[task]
    async fn until_told(gate: oneshot::Receiver<u32>) -> u32 {
        gate.await.unwrap()
    }

    /// One run after the other is listened to for errors alone first, and for its value when its turn comes.
    #[test]
    fn each_of_many_runs_wakes_who_waits_for_all() {
        for _ in 0..50 {
            let (gates, inputs): (Vec<_>, Vec<_>) = (0..4).map(|_| oneshot::channel()).unzip();
            let runs = until_told.map(inputs);
            let (done, is_done) = mpsc::channel();
            std::thread::spawn(move || done.send(runs.result()));
            for (n, gate) in (0..).zip(gates) {
                std::thread::yield_now();
                gate.send(n).unwrap();
            }
            let sums = is_done
                .recv_timeout(Duration::from_secs(60))
                .expect("the waiter was woken");
            assert_eq!(sums.unwrap(), [0, 1, 2, 3]);
        }
    }
}
