//! The guard as a program by itself, for tests, whose `main` belongs to the test harness.

fn main() {
    tapeout_guard::serve_if_asked();
}
