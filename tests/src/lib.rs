//! Whole-behaviour tests of flowcore: see `tests/`.
