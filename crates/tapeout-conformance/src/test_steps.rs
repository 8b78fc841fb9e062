//! The steps and the flow that the cases on flows name: steps that count, run a shell, fail in each way there is.

use tapeout_flow::{
    Command, Completed, Failure, Flow, Invocation, Registry, Session, Step, StepCx, StepInfo, StepResult, Tool, Type,
    Variable, design_name,
};
use tapeout_model::{Class, Metric};

/// A step by what is known of it, what its shell does, and what it makes of that.
struct Test {
    info: fn() -> StepInfo,
    script: fn(&mut StepCx<'_, '_>) -> Option<Invocation>,
    collect: fn(&mut StepCx<'_, '_>) -> Result<StepResult, Failure>,
}

impl Step for Test {
    fn info(&self) -> StepInfo {
        (self.info)()
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok((self.script)(cx).into_iter().map(Session::from).collect())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        (self.collect)(cx)
    }
}

/// Counts in a metric how many of these steps there were.
struct Count {
    id: &'static str,
    metric: &'static str,
}

impl Step for Count {
    fn info(&self) -> StepInfo {
        StepInfo::new(self.id, "Count", "Adds one.", "1").reads_metric(self.metric).measures(&[self.metric])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let before = match cx.metric(self.metric) {
            Some(Metric::Int(count)) => count,
            _ => 0,
        };
        Ok(StepResult::default().metric(self.metric, before + 1))
    }
}

/// A registry with these steps, the tool `sh` and the flow `TestFlow`.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    let nothing = |_: &mut StepCx<'_, '_>| None;
    let counts = [("Test.A", "A"), ("Test.B", "B"), ("Test.C", "C"), ("Test.D", "D"), ("Test.E", "E")];
    for (id, metric) in counts {
        registry.add_step(Count { id, metric });
    }
    registry
        .add_step(Test {
            info: || {
                StepInfo::new("Test.Sh", "Shell", "Runs a shell.", "1")
                    .makes(&["nl"])
                    .measures(&["tv"])
                    .tools(&["sh"])
                    .variables([design_name(), Variable::new("TEST_VAR", Type::Int, "A number.").default(3_i64)])
            },
            script: |cx| {
                let netlist = format!("{}.nl.v", cx.config.str("DESIGN_NAME"));
                Some(Invocation { outputs: vec![netlist.clone()], ..shell(&format!("echo '// nl' > {netlist}")) })
            },
            collect: |cx| {
                let netlist = format!("{}.nl.v", cx.config.str("DESIGN_NAME"));
                Ok(StepResult::default().view("nl", netlist).metric("tv", cx.config.int("TEST_VAR")))
            },
        })
        .add_step(Test {
            info: || StepInfo::new("Test.Need", "Need", "Needs a netlist.", "1").needs("nl").measures(&["ok"]),
            script: nothing,
            collect: |cx| cx.view_file("nl").map(|_| StepResult::default().metric("ok", 1_i64)),
        })
        .add_step(Test {
            info: || failing("Test.Fail", "Fails as tools do."),
            script: |_| Some(shell("echo boom; exit 1")),
            collect: |_| Ok(StepResult::default()),
        })
        .add_step(Test {
            info: || failing("Test.Exc", "Cannot make sense of what its tool gave."),
            script: |_| Some(shell("true")),
            collect: |_| Err(Failure::new(Class::Internal, "weird")),
        })
        .add_step(Test {
            info: || failing("Test.Py", "Breaks."),
            script: |_| Some(shell("true")),
            collect: |_| panic!("a defect of the step"),
        })
        .add_step(Test {
            info: || StepInfo::new("Test.Dfr", "Deferred", "Fails its check.", "1").defers_check(),
            script: nothing,
            collect: |_| Ok(StepResult::default().failed("later", None)),
        })
        .add_step(Test {
            info: || failing("Test.Bad", "Gives a view that it has not made.").makes(&["nl"]),
            script: |_| Some(shell("true")),
            collect: |_| Ok(StepResult::default().view("nl", "x.nl.v")),
        })
        .add_tool(Tool {
            name: "sh",
            summary: "the shell",
            package: "",
            version_args: &[],
            minimum: None,
            companions: &[],
        })
        .add_flow(Flow::new("TestFlow", "", &["Test.A", "Test.Sh", "Test.Need", "Test.B"]));
    registry
}

fn failing(id: &'static str, doc: &'static str) -> StepInfo {
    StepInfo::new(id, "Fail", doc, "1").tools(&["sh"])
}

fn shell(script: &str) -> Invocation {
    Invocation { commands: vec![Command::new("sh").args(["-c", script])], ..Invocation::default() }
}
