//! The guard as a program by itself, for the tests and for programs that cannot call `serve_if_asked` in their `main`.

fn main() {
    tapeout_guard::serve_if_asked();
}
