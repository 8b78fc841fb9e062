//! How much a script may take: calls and rounds, memory, depth of calls. A script that goes on for ever is stopped with
//! a message instead of stopping everything else.

use starlark::eval::Evaluator;

/// The limits of one evaluation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Calls of functions and rounds of loops.
    pub(crate) ticks: u64,
    /// Bytes of values.
    pub(crate) heap: usize,
    /// Calls within calls.
    pub(crate) depth: usize,
}

impl Limits {
    /// Of the top level of a file: a hundred times what a hundred thousand targets take, and some seconds.
    pub(crate) const LOAD: Self = Self { ticks: 100_000_000, heap: 4 << 30, depth: 200 };
    /// Of a task's function, which may go through large reports.
    pub(crate) const TASK: Self = Self { ticks: 100_000_000, heap: 4 << 30, depth: 200 };

    /// Of a task's function that is tried while all else waits: a moment.
    pub(crate) const BRIEF: Self = Self { ticks: 20_000, ..Self::TASK };

    pub(crate) fn apply(self, eval: &mut Evaluator<'_, '_, '_>) {
        // A limit can be set once and is not zero: that is all that these complain of.
        let set = eval.set_max_tick_count(self.ticks).and(eval.set_max_heap_size(self.heap));
        set.and(eval.set_max_callstack_size(self.depth)).expect("a new evaluator has no limits yet");
    }

    /// Which limit an error of starlark is about, in words. `what`: what was evaluated.
    pub(crate) fn exceeded(self, message: &str, what: &str) -> Option<String> {
        if message.starts_with("Execution duration limit") {
            return Some(format!(
                "{what} was stopped after {} calls and rounds of loops: it seems to go on for ever",
                grouped(self.ticks)
            ));
        }
        if message.starts_with("Heap memory limit") {
            return Some(format!("{what} was stopped when its values took more than {} GiB", self.heap >> 30));
        }
        let is_depth = message.contains("call stack overflow");
        let depth = self.depth;
        is_depth.then(|| {
            format!("{what} makes more than {depth} calls within each other: a function seems to call itself for ever")
        })
    }
}

/// `1,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
