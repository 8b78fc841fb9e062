//! Projects, steps and flows written in Starlark.
