//! An event's text, as tracing's own formatter writes it: the message, then `key=value` for each field.

use std::error::Error;
use std::fmt::{self, Debug, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

use super::text::Text;

/// The event's text, bounded.
pub(super) fn of(event: &Event<'_>, limit: usize) -> String {
    let mut visitor = Visitor {
        text: Text::new(limit),
        empty: true,
    };
    event.record(&mut visitor);
    visitor.text.finish()
}

struct Visitor {
    text: Text,
    empty: bool,
}

impl Visitor {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let name = field.name();
        // What a bridge from `log` adds for its own use.
        if name.starts_with("log.") {
            return;
        }
        let gap = if self.empty { "" } else { " " };
        self.empty = false;
        // It refuses when it is full; the mark is set by then.
        let _ = match name {
            "message" => write!(self.text, "{gap}{value}"),
            _ => write!(self.text, "{gap}{}={value}", name.strip_prefix("r#").unwrap_or(name)),
        };
    }
}

impl Visit for Visitor {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.write(field, format_args!("{value}")),
            _ => self.write(field, format_args!("{value:?}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        match value.source() {
            None => self.write(field, format_args!("{value}")),
            Some(source) => self.write(
                field,
                format_args!("{value} {}.sources=[{}]", field.name(), Sources(source)),
            ),
        }
    }
}

struct Sources<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ", {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::*;

    struct Keep(Arc<Mutex<Vec<String>>>, usize);

    impl<S: tracing::Subscriber> Layer<S> for Keep {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(of(event, self.1));
        }
    }

    fn texts(limit: usize, log: impl FnOnce()) -> Vec<String> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Keep(kept.clone(), limit));
        tracing::subscriber::with_default(subscriber, log);
        kept.lock().unwrap().drain(..).collect()
    }

    #[test]
    fn the_message_comes_first_and_fields_follow() {
        let name = "A1";
        let kept = texts(1000, || {
            tracing::info!(count = 3, name, ok = true, "processed {}", "it");
            tracing::info!(?name, share = 0.5);
            tracing::info!(r#type = "leaf", path = %"a b", "typed");
            tracing::info!(message = "as a field");
        });
        assert_eq!(
            kept,
            [
                r#"processed it count=3 name="A1" ok=true"#,
                r#"name="A1" share=0.5"#,
                r#"typed type="leaf" path=a b"#,
                "as a field",
            ]
        );
    }

    #[test]
    fn errors_are_shown_with_their_sources() {
        let error = crate::Error::new(crate::Error::msg("inner"));
        let plain = io::Error::other("disk on fire");
        let kept = texts(1000, || {
            tracing::error!(error = &plain as &(dyn Error + 'static), "no luck");
            tracing::error!(error = &Twice(error) as &(dyn Error + 'static), "no luck");
        });
        assert_eq!(
            kept,
            [
                "no luck error=disk on fire",
                "no luck error=outer error.sources=[inner]"
            ]
        );
    }

    #[derive(Debug)]
    struct Twice(crate::Error);
    impl fmt::Display for Twice {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl Error for Twice {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn fields_count_to_the_bound_and_are_escaped() {
        let kept = texts(16, || {
            tracing::info!(text = "yyyyyyyy", "xxxxxxxx");
            tracing::info!("\u{1b}[2J");
        });
        assert_eq!(kept, ["xxxxxxxx text=\"y… (cut at 16 bytes)", "\\x1b[2J"]);
    }
}
