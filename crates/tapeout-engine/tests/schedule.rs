//! Laws of the scheduler, on random graphs with random ends, pauses, additions and halts.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tapeout_engine::schedule::{Command, End, JobState, Scheduler};
use tapeout_engine::{Claims, Failure, Graph, Identity, Job, JobBody, JobCx, JobId, Resources};
use tapeout_model::Record;

struct Nothing;

impl JobBody for Nothing {
    fn identify(&self, _: &mut Identity<'_>) {}

    fn run(&self, _: &mut JobCx<'_>) -> Result<Record, Failure> {
        Ok(Record::default())
    }
}

fn job(after: Vec<JobId>, claims: Claims) -> Job {
    Job { after, claims, ..Job::new("", Arc::new(Nothing)) }
}

fn claims(cores: u64, memory_mib: u64, licences: u64) -> Claims {
    Claims { cores, memory_mib, tokens: BTreeMap::from([("licence".to_owned(), licences)]) }
}

fn resources() -> Resources {
    Resources { cores: 3, memory_mib: Some(1024), tokens: BTreeMap::from([("licence".to_owned(), 2)]) }
}

/// A job of a random graph: some of those before it, its claims and how long it is expected to take.
#[derive(Clone, Debug)]
struct Shape {
    needs: Vec<prop::sample::Index>,
    claims: (u64, u64, u64),
    expected_ms: u64,
}

impl Shape {
    fn needs(&self, count: usize) -> Vec<JobId> {
        let ids: Vec<JobId> = Graph::ids_of(count).collect();
        if ids.is_empty() { Vec::new() } else { self.needs.iter().map(|index| *index.get(&ids)).collect() }
    }

    fn job(&self, count: usize) -> Job {
        let (cores, memory, licences) = self.claims;
        Job { expected_ms: self.expected_ms, ..job(self.needs(count), claims(cores, memory, licences)) }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let needs = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    // More than there is of everything is asked for, too.
    (needs, (1..5_u64, 0..2000_u64, 0..3_u64), 0..50_u64).prop_map(|(needs, claims, expected_ms)| Shape {
        needs,
        claims,
        expected_ms,
    })
}

/// What the driver does with one of the jobs that are active.
#[derive(Clone, Debug)]
enum Act {
    Done,
    Fail,
    Pause,
    Add(Shape),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => Just(Act::Done),
        1 => Just(Act::Fail),
        8 => Just(Act::Pause),
        2 => shape().prop_map(Act::Add),
    ]
}

/// A second, simple account of what may happen.
struct Model {
    jobs: Vec<Job>,
    started: Vec<bool>,
    running: Vec<JobId>,
    paused: Vec<JobId>,
    ended: BTreeMap<JobId, End>,
    halted: bool,
}

impl Model {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Start(id) => {
                assert!(!self.halted, "nothing starts after a halt");
                assert!(!self.started[id.index()], "a job starts once");
                self.started[id.index()] = true;
                for need in &self.jobs[id.index()].after {
                    assert_eq!(self.ended.get(need), Some(&End::Done), "no job starts before its inputs");
                }
                self.running.push(id);
            }
            Command::Resume(id) => {
                let at = self.paused.iter().position(|paused| *paused == id).expect("only a paused job is resumed");
                self.paused.swap_remove(at);
                self.running.push(id);
            }
        }
        if !self.halted {
            let claimed = |of: &dyn Fn(&Claims) -> u64| {
                self.running.iter().map(|id| of(&self.jobs[id.index()].claims)).sum::<u64>()
            };
            assert!(claimed(&|c| c.cores.min(3)) <= 3);
            assert!(claimed(&|c| c.memory_mib.min(1024)) <= 1024);
            assert!(claimed(&|c| c.tokens["licence"].min(2)) <= 2);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_run_obeys_the_laws_and_ends(
        shapes in prop::collection::vec(shape(), 1..40),
        acts in prop::collection::vec((act(), any::<prop::sample::Index>()), 0..200),
        halt_at in prop::option::of(0..30_usize),
    ) {
        let mut graph = Graph::default();
        for (index, shape) in shapes.iter().enumerate() {
            graph.add(shape.job(index));
        }
        let mut model = Model {
            jobs: graph.jobs().to_vec(),
            started: vec![false; shapes.len()],
            running: Vec::new(),
            paused: Vec::new(),
            ended: BTreeMap::new(),
            halted: false,
        };
        let mut scheduler = Scheduler::new(&graph, &resources());
        let mut acts = acts.into_iter();
        for turn in 0.. {
            prop_assert!(turn < 10_000, "a run ends");
            if halt_at == Some(turn) {
                model.halted = true;
                scheduler.halt();
            }
            while let Some(command) = scheduler.next_command() {
                model.obey(command);
            }
            prop_assert_eq!(scheduler.active(), model.running.len() + model.paused.len());
            if scheduler.active() == 0 {
                break;
            }
            // Paused jobs want to go on when nothing else is left to happen.
            if model.running.is_empty() {
                let paused = model.paused[0];
                prop_assert_eq!(scheduler.state(paused), JobState::Paused);
                scheduler.unpause(paused, None);
                continue;
            }
            let (act, which) = acts.next().unwrap_or((Act::Done, any_index()));
            let at = which.index(model.running.len());
            let id = model.running[at];
            match act {
                Act::Done | Act::Fail => {
                    let end = if matches!(act, Act::Done) { End::Done } else { End::Failed };
                    model.running.swap_remove(at);
                    model.ended.insert(id, end);
                    for skipped in scheduler.ended(id, end) {
                        prop_assert!(!model.started[skipped.index()], "what has started is not skipped");
                        let of_failed = model.jobs[skipped.index()].after.iter().any(|need| {
                            matches!(scheduler.state(*need), JobState::Failed | JobState::Skipped)
                        });
                        prop_assert!(of_failed, "only what needs a failed job is skipped");
                    }
                }
                Act::Pause => {
                    model.running.swap_remove(at);
                    model.paused.push(id);
                    scheduler.pause(id);
                    // Every other one wants to go on at once.
                    if turn % 2 == 0 {
                        scheduler.unpause(id, None);
                    }
                }
                Act::Add(shape) => {
                    let job = shape.job(model.jobs.len());
                    prop_assert_eq!(scheduler.add(&job, id).index(), model.jobs.len());
                    model.jobs.push(job);
                    model.started.push(false);
                }
            }
        }
        for id in Graph::ids_of(model.jobs.len()) {
            let state = scheduler.state(id);
            let expected: &[JobState] = match (model.ended.get(&id), model.halted) {
                (Some(End::Done), _) => &[JobState::Done],
                (Some(End::Failed), _) => &[JobState::Failed],
                (None, false) => &[JobState::Skipped],
                (None, true) => &[JobState::Skipped, JobState::Waiting, JobState::Ready],
            };
            prop_assert!(expected.contains(&state), "{:?} ended as {:?}", id, state);
        }
    }
}

fn any_index() -> prop::sample::Index {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    any::<prop::sample::Index>().new_tree(&mut runner).expect("an index has no conditions").current()
}

fn chain(count: u32) -> Graph {
    let mut graph = Graph::default();
    let mut last = None;
    for _ in 0..count {
        last = Some(graph.add(job(last.into_iter().collect(), Claims::default())));
    }
    graph
}

#[test]
fn a_chain_of_a_million_jobs_fails_and_finishes_without_recursion() {
    let mut scheduler = Scheduler::new(&chain(1_000_000), &Resources::cores(1));
    let mut started = 0;
    let mut skipped = 0;
    while let Some(Command::Start(job)) = scheduler.next_command() {
        started += 1;
        skipped += scheduler.ended(job, if started < 500_000 { End::Done } else { End::Failed }).len();
    }
    assert_eq!((started, skipped), (500_000, 500_000));
}

#[test]
fn the_longest_way_goes_first_and_nothing_urgent_is_starved() {
    let mut graph = Graph::default();
    let both = || Claims { cores: 2, ..Claims::default() };
    let short = graph.add(Job { expected_ms: 10, ..job(Vec::new(), both()) });
    let long = graph.add(Job { expected_ms: 5, ..job(Vec::new(), both()) });
    graph.add(Job { expected_ms: 100, ..job(vec![long], both()) });
    let mut scheduler = Scheduler::new(&graph, &Resources::cores(2));
    assert_eq!(scheduler.next_command(), Some(Command::Start(long)));
    assert_eq!(scheduler.next_command(), None);
    assert_eq!(scheduler.state(short), JobState::Ready);
    let mut scheduler = Scheduler::new(&graph, &Resources::cores(1));
    assert_eq!(scheduler.next_command(), Some(Command::Start(short)), "on one core the order is that of adding");

    // Memory for one big job, or for several small ones that are less urgent and would always come first.
    let mut graph = Graph::default();
    let small = |ms| Job { expected_ms: ms, ..job(Vec::new(), claims(1, 512, 0)) };
    let first = graph.add(small(50));
    let big = graph.add(Job { expected_ms: 40, ..job(Vec::new(), claims(1, 1024, 0)) });
    let later = graph.add(small(30));
    let other = graph.add(Job { expected_ms: 20, ..job(Vec::new(), claims(1, 0, 0)) });
    let mut scheduler = Scheduler::new(&graph, &resources());
    assert_eq!(scheduler.next_command(), Some(Command::Start(first)));
    assert_eq!(scheduler.next_command(), Some(Command::Start(other)), "what needs no memory may pass");
    assert_eq!(scheduler.next_command(), None);
    scheduler.ended(first, End::Done);
    assert_eq!(scheduler.next_command(), Some(Command::Start(big)));
    assert_eq!((scheduler.next_command(), scheduler.state(later)), (None, JobState::Ready));
}

#[test]
fn chains_that_nobody_knows_the_length_of_keep_step() {
    let mut graph = Graph::default();
    let flow = graph.add(job(Vec::new(), Claims::default()));
    let mut scheduler = Scheduler::new(&graph, &Resources::cores(2));
    assert_eq!(scheduler.next_command(), Some(Command::Start(flow)));
    scheduler.pause(flow);
    for _ in 0..3 {
        let half = scheduler.add(&job(Vec::new(), Claims::default()), flow);
        scheduler.add(&job(vec![half], Claims::default()), flow);
    }
    let mut rounds = Vec::new();
    loop {
        let mut started = Vec::new();
        while let Some(Command::Start(id)) = scheduler.next_command() {
            started.push(id);
        }
        if started.is_empty() {
            break;
        }
        rounds.push(started.len());
        started.into_iter().for_each(|id| _ = scheduler.ended(id, End::Done));
    }
    assert_eq!(rounds, [2, 2, 2], "the end of one chain does not come before the beginning of another");
}
