//! SIGINT and SIGTERM: the first one stops a run in order, the second one ends the process, and the guard ends the rest.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tapeout_engine::Engine;

/// Does `work` so that a signal stops the engine first. Gives also the exit code of the signal, if one came.
pub(crate) fn stopping_on_signal<T>(
    engine: &Engine,
    say: &(dyn Fn(&str) + Sync),
    work: impl FnOnce() -> T,
) -> io::Result<(T, Option<u8>)> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let end = signals.handle();
    let first = AtomicI32::new(0);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            for signal in signals.forever() {
                if first.swap(signal, Ordering::SeqCst) != 0 {
                    std::process::exit(128 + signal);
                }
                say("stopping…");
                engine.stop();
            }
        });
        // Also when the work panics: the thread above would keep the scope from ending.
        let _end = CloseOnDrop(end);
        work()
    });
    let code = first.load(Ordering::SeqCst);
    Ok((result, (code != 0).then(|| u8::try_from(128 + code).unwrap_or(u8::MAX))))
}

struct CloseOnDrop(signal_hook::iterator::Handle);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
