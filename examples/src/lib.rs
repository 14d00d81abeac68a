//! The examples of flowcore: each is a program under `examples/`.
