//! `flow`: the command line for the runs in a store. A program with flows of its own calls [`flowcore::main`] itself, and can run them too.

use std::process::ExitCode;

fn main() -> ExitCode {
    flowcore::main()
}
