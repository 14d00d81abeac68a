//! What is written is read.

use super::world::*;
use crate::state::StateType;
use crate::store::{CallKey, Store, StoreErrorKind};

#[test]
fn a_run_comes_back_as_it_was_written() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    assert_eq!(process, 1);
    let (flow, task) = (definition("flow"), definition("task"));
    let mut root = run(process, 1, None, &flow, &["Pending", "Running"]);
    root.durable = true;
    root.tags = vec!["a".to_owned(), "b \"c\"".to_owned()];
    let mut child = with_result(run(process, 2, Some(&root), &task, DONE), "\"done\"");
    child.call_key = Some(CallKey([7; 16]));
    store
        .apply(&batch(process, 1, vec![root.clone(), child.clone()]))
        .unwrap();
    let row = store.run(root.id).unwrap().unwrap();
    assert_eq!(
        (row.number, row.name.as_str(), row.tags),
        (root.number, "flow-1", root.tags.clone())
    );
    assert_eq!(row.state, root.states[1]);
    assert_eq!(
        (row.created_at, row.started_at, row.ended_at),
        (root.states[0].at, Some(root.states[1].at), None)
    );
    assert_eq!(store.states(child.number).unwrap(), child.states.to_vec());
    assert_eq!(
        store.result(child.number).unwrap().unwrap(),
        (b"\"done\"".as_slice().into(), true)
    );
    let recorded = store.recorded(root.number).unwrap();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].call_key, CallKey([7; 16]));
    assert_eq!(recorded[0].result.as_deref(), Some(b"\"done\"".as_slice()));
    // The same batch again, and the end.
    store.apply(&batch(process, 1, vec![root.clone(), child])).unwrap();
    store.apply(&batch(process, 2, vec![next(&root, &["Failed"])])).unwrap();
    let counts = store.counts(root.number).unwrap();
    let counted: Vec<_> = counts
        .iter()
        .map(|count| (count.definition.as_str(), count.state, count.count))
        .collect();
    assert_eq!(
        counted,
        [("flow", StateType::Failed, 1), ("task", StateType::Completed, 1)]
    );
    assert_eq!(store.states(root.number).unwrap().len(), 3);
    let claimed = store.claim(root.id, process, BEGIN + 1_000_000_000).unwrap();
    assert_eq!(claimed.run.state.kind(), StateType::Pending);
    assert_eq!((claimed.run.states, claimed.run.ended_at), (4, None));
    assert_eq!(
        store.claim(root.id, process, BEGIN).unwrap_err().kind(),
        StoreErrorKind::Refused
    );
}

#[test]
fn a_dead_process_writes_nothing_more() {
    let place = Directory::new();
    let store = open(&place.file());
    let process = register(&store);
    let flow = definition("flow");
    let root = run(process, 1, None, &flow, &["Pending", "Running"]);
    let child = run(process, 2, Some(&root), &flow, &["Pending", "Running"]);
    let waiting = run(process, 3, Some(&root), &flow, &["Pending"]);
    store
        .apply(&batch(process, 1, vec![root.clone(), child.clone(), waiting.clone()]))
        .unwrap();
    assert!(store.request_cancel(child.id, BEGIN).unwrap());
    assert_eq!(store.heartbeat(process, LEASE).unwrap().cancel, [child.id]);
    assert_eq!(store.heartbeat(process, LEASE).unwrap().cancel, []);
    assert_eq!(store.bury(process, "it was killed").unwrap(), 3);
    assert_eq!(store.bury(process, "again").unwrap(), 0);
    let told = |run: &crate::store::RunWrite| {
        let row = store.run_numbered(run.number).unwrap().unwrap();
        assert_eq!(row.state.name(), "Crashed");
        assert_eq!(row.state.message(), Some("it was killed"));
        (row.forgiven, row.crashes)
    };
    assert_eq!((told(&root), told(&child), told(&waiting)), ((1, 0), (1, 1), (0, 0)));
    let error = store
        .apply(&batch(process, 2, vec![next(&root, &["Completed"])]))
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Fenced);
    assert!(store.heartbeat(process, LEASE).unwrap().fenced);
    assert_eq!(store.processes(false).unwrap().len(), 0);
    assert_eq!(store.processes(true).unwrap()[0].end.as_deref(), Some("it was killed"));
}
