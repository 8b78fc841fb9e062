//! Hooks on a step whose tool is a Tcl shell: what they add is run, parts of the step go on from checkpoints, and a change
//! of one runs only what it concerns.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use libtest_mimic::{Arguments, Trial};
use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Command, Engine, Invocation, Options, Tool, Toolbox};
use tapeout_flow::Checkpoints;
use tapeout_flow::{
    Again, Class, Completed, Ended, Failure, Flow, Hook, HookKind, Plan, PlanError, Puts, Range, Registry, Run,
    RunEvent, Script, Session, Step, StepCx, StepInfo, StepResult, TextHook,
};

/// Collects words: each section adds one.
struct Words;

const SECTIONS: [(&str, &str); 5] = [
    ("read", "Reads the first word."),
    ("work", "Adds a word."),
    ("more", "Adds another one."),
    ("finish", "Adds the last one."),
    ("write", "Writes all of them."),
];

impl Step for Words {
    fn info(&self) -> StepInfo {
        StepInfo::new("T.Words", "Words", "", "1").makes(&["json"]).tools(&["tclsh"]).sections(&SECTIONS)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let first = cx.source("first.txt")?;
        let script = Script::new("words.tcl", "#")
            .section("read", format!("set f [open {first}]\nset words [string trim [read $f]]\nclose $f"))
            .section("work", "append words { work}\nputs {working hard}")
            .section("more", "append words { more}")
            .section("finish", "append words { finish}")
            .section("write", "set f [open words.txt w]\nputs $f $words\nclose $f")
            .checkpoints(Checkpoints {
                behind: &["work", "more"],
                save: "set f [open {file} w]\nputs -nonewline $f $words\nclose $f",
                restore: "set f [open {file}]\nset words [read $f]\nclose $f",
                extension: "txt",
            });
        let invocation = Invocation {
            commands: vec![Command::new("tclsh").args(["words.tcl"])],
            inputs: vec![tapeout_engine::Input::Source { path: "first.txt".to_owned() }],
            outputs: vec!["words.txt".to_owned()],
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().view("json", "words.txt"))
    }
}

/// Counts them.
struct Count;

impl Step for Count {
    fn info(&self) -> StepInfo {
        StepInfo::new("T.Count", "Count", "", "1").needs("json").measures(&["words"])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let words = cx.view_file("json")?;
        let words = cx.output_text(&words)?;
        Ok(StepResult::default().metric("words", words.split_whitespace().count() as i64))
    }
}

/// Looks at a file.
struct Seen;

impl Step for Seen {
    fn info(&self) -> StepInfo {
        StepInfo::new("T.Seen", "Seen", "", "1").measures(&["seen"])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().metric("seen", i64::from(cx.exists("seen.txt")?)))
    }
}

/// A design, with the hooks of its project.
struct Design(tempfile::TempDir);

impl Design {
    fn new() -> Self {
        let design = Self(tempfile::tempdir().unwrap());
        fs::write(design.dir().join("first.txt"), "first\n").unwrap();
        fs::write(design.dir().join("config.yaml"), "DESIGN_NAME: top\nmeta: {flow: Chain}\n").unwrap();
        design
    }

    fn dir(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn plan(&self, hooks: Vec<Hook>) -> Result<Plan, Vec<String>> {
        let mut registry = Registry::default();
        registry.add_step(Words).add_step(Count).add_step(Seen).add_flow(Flow::new(
            "Chain",
            "",
            &["T.Words", "T.Count"],
        ));
        for hook in hooks {
            registry.add_hook(Hook { origin: "flow.star:1:1".to_owned(), ..hook });
        }
        let mut sources = SourceMap::new();
        let loader = Loader { files: vec![self.dir().join("config.yaml")], ..Loader::default() };
        Plan::load(&registry, loader, None, &mut sources).map_err(|PlanError(errors)| {
            errors
                .iter()
                .map(|error| format!("{}; {}", error.message, error.help.as_deref().unwrap_or_default()))
                .collect()
        })
    }

    /// Runs a part: what became of the steps, or why nothing did.
    fn run(&self, hooks: Vec<Hook>, range: &Range) -> Result<Vec<String>, Failure> {
        let mut plan = self.plan(hooks).unwrap();
        let tclsh = Tool { name: "tclsh", summary: "", package: "", version_args: &[], minimum: None, companions: &[] };
        let tools = Toolbox::new([tclsh], plan.config.tools());
        let engine = Engine::open(&self.dir(), tools, Options::cores(1)).unwrap();
        plan.select(range)?;
        plan.hold(&engine, "t")?;
        let heard = Mutex::new(Vec::new());
        let Ended { .. } = Run::new(&plan, &engine, "t")?.execute(
            |_| Again::No,
            |step, happened| {
                let Some(step) = step else { return };
                let id = &plan.steps[step].id;
                match &happened.event {
                    RunEvent::StepDone(done) => {
                        let how = if done.reused { "reused" } else { "ran" };
                        heard.lock().unwrap().push(format!("{id} {how}"));
                    }
                    RunEvent::StepFailed(failed) => heard.lock().unwrap().push(format!("{id}: {}", failed.message)),
                    _ => {}
                }
            },
        )?;
        Ok(heard.into_inner().unwrap())
    }

    fn words(&self) -> String {
        fs::read_to_string(self.dir().join("runs/t/01-t-words/words.txt")).unwrap().trim_end().to_owned()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir().join("runs/t/01-t-words/t-words.log")).unwrap()
    }
}

fn adds(kind: HookKind, at: &str, word: &str) -> Hook {
    let text = TextHook(format!("append words {{ {word}}}"));
    Hook::new(word, kind, at, Puts::Body(std::sync::Arc::new(text)))
}

fn all() -> Range {
    Range::default()
}

fn hooks_of_all_kinds_change_what_the_tool_does() {
    let design = Design::new();
    assert_eq!(design.run(vec![], &all()).unwrap(), ["T.Words ran", "T.Count ran"]);
    assert_eq!(design.words(), "first work more finish");
    let hooks = || {
        vec![
            adds(HookKind::After, "T.Words/read", "after"),
            adds(HookKind::Before, "t.words/after", "before"),
            adds(HookKind::Replace, "T.*/more", "other"),
            Hook::remove("T.Words/finish"),
        ]
    };
    assert_eq!(design.run(hooks(), &all()).unwrap(), ["T.Words ran", "T.Count ran"]);
    assert_eq!(design.words(), "first before after work other");
    assert_eq!(design.run(hooks(), &all()).unwrap(), ["T.Words reused", "T.Count reused"]);
    // The same words by other hooks: what follows need not run.
    let mut others = hooks();
    others[0] = adds(HookKind::After, "T.Words/read", "after");
    others[1] = adds(HookKind::After, "T.Words/read", "before");
    assert_eq!(design.run(others, &all()).unwrap(), ["T.Words ran", "T.Count reused"]);
    assert_eq!(design.run(vec![], &all()).unwrap(), ["T.Words reused", "T.Count reused"]);
}

fn a_hook_behind_a_step_changes_what_came_out() {
    let design = Design::new();
    let shout = |word: &'static str| {
        Hook::after(
            "T.Words",
            "shout",
            (word, move |cx: &mut tapeout_flow::HookCx<'_, '_, '_>| {
                let files = cx.made_outputs()?.to_vec();
                let words = files.iter().find(|output| output.path == "words.txt").unwrap();
                let text = cx.step.output_text(words)?;
                let loud = cx.write("loud.txt", format!("{} {word}\n", text.trim_end().to_uppercase()).as_bytes())?;
                cx.set_metric("loud", 1_i64)?;
                cx.set_view("json", loud)
            }),
        )
    };
    assert_eq!(design.run(vec![shout("NOW")], &all()).unwrap(), ["T.Words ran", "T.Count ran"]);
    let state = fs::read_to_string(design.dir().join("runs/t/02-t-count/state_in.json")).unwrap();
    assert!(state.contains("loud.txt"), "{state}");
    let count = fs::read_to_string(design.dir().join("runs/t/02-t-count/state_out.json")).unwrap();
    assert!(count.contains("\"words\": 5"), "{count}");
}

fn what_a_hook_says_stops_the_step() {
    let design = Design::new();
    let no = || {
        Hook::before(
            "T.Words/work",
            "no",
            ("no", |_: &mut tapeout_flow::HookCx<'_, '_, '_>| Err(Failure::new(Class::Input, "the corner is missing"))),
        )
    };
    let ran = design.run(vec![no()], &all()).unwrap();
    assert_eq!(ran, ["T.Words: hook `no` (flow.star:1:1): the corner is missing"]);
    let wrong = vec![
        adds(HookKind::After, "T.Words/raed", "a"),
        adds(HookKind::After, "T.Words/a", "b"),
        adds(HookKind::Before, "T.Wrods/read", "c"),
        adds(HookKind::Before, "T.Words/late", "d"),
        adds(HookKind::Before, "T.Words/read", "late"),
        adds(HookKind::Before, "T.Words/read", "work"),
        Hook::remove("T.Words/outputs"),
    ];
    assert_eq!(
        design.plan(wrong).err().unwrap(),
        [
            "hook `work` (flow.star:1:1): the name `work` is taken by a section of `T.Words`; give it another name",
            "removal of `T.Words/outputs` (flow.star:1:1): `remove` cannot stand at `T.Words/outputs`; only `after` goes with `outputs`, which every step ends with",
            "hook `a` (flow.star:1:1): `T.Words` has no section or hook `raed`; did you mean `read`?",
            "hook `c` (flow.star:1:1): there is no step `T.Wrods`; did you mean `T.Words`?",
            "hook `d` (flow.star:1:1): `T.Words` has no section or hook `late`; `late` comes later (flow.star:1:1), and hooks apply in their order",
        ]
    );
}

fn a_part_goes_on_from_a_checkpoint() {
    let design = Design::new();
    let from = |at: &str| Range { from: Some(at.to_owned()), ..Range::default() };
    let settings = || adds(HookKind::PostPersistent, "T.Words/read", "set");
    design.run(vec![settings()], &all()).unwrap();
    assert_eq!(design.words(), "first set work more finish");
    // Restored behind `work`, then what is persistent, then the part.
    assert_eq!(design.run(vec![settings()], &from("T.Words/more")).unwrap(), ["T.Words ran", "T.Count ran"]);
    assert_eq!(design.words(), "first set work set more finish");
    assert!(!design.log().contains("working hard"), "{}", design.log());
    assert_eq!(design.run(vec![settings()], &from("T.Words/more")).unwrap(), ["T.Words reused", "T.Count reused"]);
    // The checkpoint before is still there.
    assert_eq!(design.run(vec![settings()], &from("T.Words/finish")).unwrap(), ["T.Words ran", "T.Count ran"]);
    assert_eq!(design.run(vec![settings()], &from("T.Words/more")).unwrap(), ["T.Words reused", "T.Count reused"]);
    // What comes before has changed: nothing is built on it.
    let hooks = || vec![settings(), adds(HookKind::Before, "T.Words/work", "new")];
    let refused = design.run(hooks(), &from("T.Words/more")).unwrap();
    assert_eq!(
        refused,
        [
            "T.Words: `--from T.Words/more`: the checkpoint behind `work` that the run `t` has is not of these sections: \
         `new` was not there then"
        ]
    );
    fs::write(design.dir().join("first.txt"), "other\n").unwrap();
    let refused = design.run(vec![settings()], &from("T.Words/more")).unwrap();
    assert!(refused[0].ends_with("an input, a tool or its arguments are not what they were then"), "{refused:?}");
    // Before the first checkpoint there is nothing to go on from: all of it runs, as ever.
    assert_eq!(design.run(vec![settings()], &from("T.Words/work")).unwrap(), ["T.Words ran", "T.Count ran"]);
    assert_eq!(design.words(), "other set work more finish");
    assert_eq!(design.run(vec![settings()], &all()).unwrap(), ["T.Words reused", "T.Count reused"]);
}

fn a_part_stops_where_it_is_told_to() {
    let design = Design::new();
    let range = |from: Option<&str>, to: Option<&str>| Range {
        after: from.map(str::to_owned),
        to: to.map(str::to_owned),
        ..Range::default()
    };
    assert_eq!(design.run(vec![], &range(None, Some("T.Words/work"))).unwrap(), ["T.Words ran"]);
    let step = design.dir().join("runs/t/01-t-words");
    assert_eq!(fs::read_to_string(step.join("checkpoint-work.txt")).unwrap(), "first work");
    assert!(!step.join("words.txt").exists());
    // A step that has not come to its end is no result for others.
    let failure = design.run(vec![], &Range { from: Some("T.Count".to_owned()), ..Range::default() }).err().unwrap();
    assert_eq!(failure.message, "`T.Count` reads what `T.Words` makes, and the run `t` has no result of that");
    assert_eq!(design.run(vec![], &range(Some("T.Words/work"), Some("T.Words/more"))).unwrap(), ["T.Words ran"]);
    assert_eq!(fs::read_to_string(step.join("checkpoint-more.txt")).unwrap(), "first work more");
    assert!(!design.log().contains("working hard"), "{}", design.log());
    assert_eq!(design.run(vec![], &range(Some("T.Words/more"), None)).unwrap(), ["T.Words ran", "T.Count ran"]);
    assert_eq!(design.words(), "first work more finish");
    let only = Range { only: Some("T.Words/finish".to_owned()), ..Range::default() };
    assert_eq!(design.run(vec![], &only).unwrap(), ["T.Words ran"]);
}

fn hooks_edit_the_list_of_steps() {
    let design = Design::new();
    let step = |kind, at| Hook::new("x", kind, at, Puts::Step("t.seen".to_owned()));
    let ids = |hooks| -> Vec<String> {
        let plan = design.plan(hooks).unwrap();
        plan.steps.iter().map(|step| step.id.clone()).collect()
    };
    let (before, after) = (step(HookKind::Before, "T.Count"), step(HookKind::After, "t.c*"));
    assert_eq!(ids(vec![before, after]), ["T.Words", "T.Seen", "T.Count", "T.Seen-1"]);
    assert_eq!(ids(vec![step(HookKind::Replace, "T.Count")]), ["T.Words", "T.Seen"]);
    assert_eq!(ids(vec![Hook::remove("T.Count")]), ["T.Words"]);
    // What is in another flow is no fault; what is in none is.
    assert_eq!(ids(vec![step(HookKind::After, "T.Seen")]), ["T.Words", "T.Count"]);
    let unknown = vec![
        step(HookKind::After, "T.Cuont"),
        Hook::new("y", HookKind::After, "T.Count", Puts::Step("T.Sen".to_owned())),
    ];
    assert_eq!(
        design.plan(unknown).err().unwrap(),
        [
            "hook `x` (flow.star:1:1): there is no step `T.Cuont`; did you mean `T.Count`?",
            "hook `y` (flow.star:1:1): there is no step `T.Sen`; did you mean `T.Seen`?"
        ]
    );

    // In a part that begins behind them, persistent steps run again, as far as they are meant for it.
    let cases = [
        (HookKind::Persistent, "*", true),
        (HookKind::PrePersistent, "T.Words", false),
        (HookKind::PrePersistent, "T.Count", true),
        (HookKind::PostPersistent, "T.Words", true),
    ];
    for (kind, at, runs) in cases {
        let design = Design::new();
        design.run(vec![step(kind, at)], &all()).unwrap();
        fs::write(design.dir().join("seen.txt"), "new").unwrap();
        let count = Range { from: Some("T.Count".to_owned()), ..Range::default() };
        let heard = design.run(vec![step(kind, at)], &count).unwrap();
        assert_eq!(heard.contains(&"T.Seen ran".to_owned()), runs, "{kind:?} {at}: {heard:?}");
    }
}

fn ranges_that_cannot_be_are_refused() {
    let design = Design::new();
    let refused = |hooks: Vec<Hook>, range: Range| {
        let Failure { message, hint, .. } = design.plan(hooks).unwrap().select(&range).err().unwrap();
        format!("{message}; {}", hint.unwrap_or_default())
    };
    let range =
        |from: &str, to: &str| Range { from: Some(from.to_owned()), until: Some(to.to_owned()), ..Range::default() };
    assert_eq!(
        refused(vec![], range("T.Words/more", "T.Words/more")),
        "`--from T.Words/more --until T.Words/more`: the range is empty: no section of `T.Words` is in it; "
    );
    assert_eq!(
        refused(vec![], range("T.Words/mroe", "T.Count")),
        "`--from T.Words/mroe`: `T.Words` has no section or hook `mroe`; did you mean `T.Words/more`?"
    );
    assert_eq!(
        refused(vec![adds(HookKind::Persistent, "T.Words", "p")], range("T.Words/p", "T.Count")),
        "`--from T.Words/p`: `p` is persistent: where it runs depends on what else does; begin or end at a section"
    );
    assert_eq!(
        refused(vec![Hook::remove("T.Words/more")], range("T.Words/more", "T.Count")),
        "`--from T.Words/more`: `more` is not there: the removal of `T.Words/more` (flow.star:1:1) took it out; "
    );
    assert_eq!(
        refused(vec![], range("T.Count", "T.Words")),
        "the range is empty: nothing is beyond `--until T.Words`; "
    );
    let both = Range { from: Some("T.Words".to_owned()), after: Some("T.Words".to_owned()), ..Range::default() };
    assert_eq!(refused(vec![], both), "`--from` and `--after` both say where the range begins: only one of them; ");
}

/// Not the usual harness: the test program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    let tests: [(&str, fn()); 7] = [
        ("hooks_of_all_kinds_change_what_the_tool_does", hooks_of_all_kinds_change_what_the_tool_does),
        ("a_hook_behind_a_step_changes_what_came_out", a_hook_behind_a_step_changes_what_came_out),
        ("what_a_hook_says_stops_the_step", what_a_hook_says_stops_the_step),
        ("a_part_goes_on_from_a_checkpoint", a_part_goes_on_from_a_checkpoint),
        ("a_part_stops_where_it_is_told_to", a_part_stops_where_it_is_told_to),
        ("hooks_edit_the_list_of_steps", hooks_edit_the_list_of_steps),
        ("ranges_that_cannot_be_are_refused", ranges_that_cannot_be_are_refused),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit()
}
