//! A tool without flows of its own, as `flow` is.

use std::process::ExitCode;

fn main() -> ExitCode {
    flowcore::main()
}
