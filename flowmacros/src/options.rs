//! The options that each attribute takes: their names, and an example of each for messages.

/// Which of the two attributes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `#[flow]`
    Flow,
    /// `#[task]`
    Task,
}

impl Kind {
    /// The word for it in messages, and the attribute's name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Flow => "flow",
            Kind::Task => "task",
        }
    }

    /// The other attribute.
    pub(crate) fn other(self) -> Kind {
        match self {
            Kind::Flow => Kind::Task,
            Kind::Task => Kind::Flow,
        }
    }

    /// The options that only this attribute has.
    pub(crate) fn own_options(self) -> &'static [&'static str] {
        match self {
            Kind::Flow => &["task_runner", "durable", "replay"],
            Kind::Task => &["cache_key_fn", "cache_expiration", "key"],
        }
    }

    /// Every option of this attribute.
    pub(crate) fn options(self) -> Vec<&'static str> {
        let (common, own) = (COMMON_OPTIONS.iter(), self.own_options().iter());
        common.chain(own).copied().collect()
    }
}

const COMMON_OPTIONS: &[&str] = &[
    "name",
    "description",
    "version",
    "tags",
    "retries",
    "retry_delay_seconds",
    "retry_jitter_factor",
    "retry_condition_fn",
    "timeout_seconds",
    "run_name",
    "skip",
    "skip_result",
    "on_running",
    "on_completion",
    "on_failure",
    "on_cancellation",
    "on_crashed",
    "crate",
];

const EXAMPLES: &[(&str, &str)] = &[
    ("name", "name = \"process-node\""),
    ("description", "description = \"Processes one node\""),
    ("version", "version = \"2\""),
    ("tags", "tags = [\"nightly\", \"etl\"]"),
    ("retries", "retries = 3"),
    ("retry_delay_seconds", "retry_delay_seconds = 10"),
    ("retry_jitter_factor", "retry_jitter_factor = 0.5"),
    ("retry_condition_fn", "retry_condition_fn = is_transient"),
    ("timeout_seconds", "timeout_seconds = 30"),
    ("run_name", "run_name = \"node-{node_value}\""),
    ("skip", "skip(password)"),
    ("skip_result", "skip_result"),
    ("on_running", "on_running = notify"),
    ("on_completion", "on_completion = notify"),
    ("on_failure", "on_failure = notify"),
    ("on_cancellation", "on_cancellation = notify"),
    ("on_crashed", "on_crashed = notify"),
    ("crate", "crate = my_crate::flowcore"),
    (
        "task_runner",
        "task_runner = ConcurrentTaskRunner::new().max_workers(4)",
    ),
    ("durable", "durable"),
    ("replay", "replay = \"strict\""),
    ("cache_key_fn", "cache_key_fn = hash_inputs"),
    ("cache_expiration", "cache_expiration = 3600"),
    ("key", "key = \"daily-import\""),
];

/// How the option is written.
pub(crate) fn example(option: &str) -> &'static str {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == option)
        .map_or("retries = 3", |(_, example)| example)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_an_example_that_shows_it() {
        for option in [Kind::Flow, Kind::Task].iter().flat_map(|kind| kind.options()) {
            let shown = EXAMPLES.iter().find(|(name, _)| *name == option);
            let (_, example) = shown.unwrap_or_else(|| panic!("{option} has no example"));
            assert!(example.starts_with(option), "{option}: {example}");
        }
    }
}
