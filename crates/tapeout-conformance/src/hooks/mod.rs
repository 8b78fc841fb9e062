//! The cases of Hammer's hooks: the steps of a tool, hooks of three layers, a part to run, and what runs in which order.
//! Its steps are the sections of one step here. The hooks are placed by the planner, which also says what is wrong with
//! them; bodies that fail are played through in the order that comes of it.

mod given;
mod peer;

use serde_json::{Map, Value as Json, json};
use tapeout_config::{Loader, SourceMap};
use tapeout_flow::hooks::arrange::{Arrangement, Bounds, NoPlace, Occupant, Order, Placing, Slot};
use tapeout_flow::hooks::{Address, StepHooks};
use tapeout_flow::{
    Completed, Failure, Flow, Hook, HookCx, HookKind, Layer, Plan, PlanError, Puts, Registry, Session, Step, StepCx,
    StepInfo, StepResult,
};

use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use given::{End, Given, GivenHook};
pub(crate) use peer::{Quirk, quirks};

const STEP: &str = "Case.Step";

/// What runs of a case, in order.
pub(crate) fn order(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    let given = Given::of(input)?;
    let refused = |text: String| Ok(Outcome::Refused(Refusal { text, errors: 1 }));
    if let Some(twice) = given.repeated() {
        // A step declares its sections in its own code.
        return refused(format!("there are two sections `{twice}`"));
    }
    if let Some(hook) = given.hooks.iter().find(|hook| hook.not_callable) {
        // In Rust, the compiler says so; in `flow.star`, `hook()` does.
        return refused(format!("`{}` is no function that a hook can be", hook.name));
    }
    let hooks: Vec<&GivenHook> = given.placed(&[Layer::Technology, Layer::Tool, Layer::User]);
    let mut arrangement = Arrangement::new(given.steps.iter().map(|step| step.name.as_str()));
    match planned(&given, place)? {
        Err(outcome) => return Ok(outcome),
        Ok(plan) => {
            for hook in &hooks {
                let GivenHook { name, target, layer, .. } = hook;
                let placing = Placing { name, kind: kind(hook)?, target, layer: *layer };
                arrangement.place(placing).map_err(|no| format!("the plan has found a place: {no:?}"))?;
            }
            if let Some(planned) = plan.steps[0].hooks() {
                same(planned, &arrangement)?;
            }
        }
    }
    let bounds = match bounds(&given) {
        Ok(bounds) => bounds,
        Err(message) => return refused(message),
    };
    match arrangement.order(&bounds) {
        Ok(order) => Ok(Outcome::Accepted(played(&given, &hooks, &arrangement, &order))),
        Err(no) => refused(words(&no)),
    }
}

/// The plan of a flow of one step that has the hooks of the case.
fn planned(given: &Given, place: &Place<'_>) -> Result<Result<Plan, Outcome>, String> {
    let mut registry = Registry::default();
    registry.add_step(Sections(given.steps.iter().map(|step| step.name.clone()).collect()));
    registry.add_flow(Flow::new("Case", "", &[STEP]));
    // Whoever comes first: layers decide.
    for hook in given.placed(&[Layer::User, Layer::Tool, Layer::Technology]) {
        registry.add_hook(of(hook)?);
    }
    let file = place.cwd().join("config.json");
    place.write(&file, "{\"meta\": {\"version\": 2, \"flow\": \"Case\"}, \"DESIGN_NAME\": \"x\"}")?;
    let mut sources = SourceMap::new();
    let loader = Loader { files: vec![file], ..Loader::default() };
    let plan = Plan::load(&registry, loader, None, &mut sources);
    Ok(plan.map_err(|PlanError(diagnostics)| Outcome::refused(&diagnostics, &sources)))
}

/// Whether the plan of the step has this order. It also has what every step ends with.
fn same(planned: &StepHooks, arrangement: &Arrangement) -> Result<(), String> {
    let names = |slots: &[&Slot]| slots.iter().map(|slot| slot.name.clone()).collect::<Vec<_>>();
    let (ours, theirs): (Vec<&Slot>, Vec<&Slot>) =
        (arrangement.in_place().collect(), planned.arrangement().in_place().collect());
    let persistent = |arrangement: &Arrangement| names(&arrangement.persistent().collect::<Vec<_>>());
    let same = theirs.split_last().is_some_and(|(_, theirs)| names(theirs) == names(&ours))
        && persistent(arrangement) == persistent(planned.arrangement());
    if same { Ok(()) } else { Err(format!("the plan has another order: {:?}", names(&theirs))) }
}

/// A step with sections that do nothing.
struct Sections(Vec<String>);

impl Step for Sections {
    fn info(&self) -> StepInfo {
        // The few names of a case live as long as the program.
        let sections: Vec<(&'static str, &'static str)> =
            self.0.iter().map(|name| (&*name.clone().leak(), "")).collect();
        StepInfo::new(STEP, "", "", "").sections(&sections)
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

fn kind(hook: &GivenHook) -> Result<HookKind, String> {
    Ok(match hook.kind.as_str() {
        "pre_insertion" => HookKind::Before,
        "post_insertion" => HookKind::After,
        "replacement" => HookKind::Replace,
        "removal" => HookKind::Remove,
        "persistent" => HookKind::Persistent,
        "pre_persistent" => HookKind::PrePersistent,
        "post_persistent" => HookKind::PostPersistent,
        other => return Err(format!("there is no kind of hook `{other}`")),
    })
}

fn of(given: &GivenHook) -> Result<Hook, String> {
    let kind = kind(given)?;
    let at = if kind == HookKind::Persistent { STEP.to_owned() } else { format!("{STEP}/{}", given.target) };
    Address::parse(&at)?;
    let body = |_: &mut HookCx<'_, '_, '_>| Ok(());
    let puts = if kind == HookKind::Remove { Puts::Nothing } else { Puts::Body(std::sync::Arc::new(("", body))) };
    Ok(Hook { layer: given.layer, origin: given.origin.clone(), ..Hook::new(&given.name, kind, &at, puts) })
}

/// The part to run. There, this is hooks too, which anybody may have.
fn bounds(given: &Given) -> Result<Bounds, String> {
    let only_one = |end: End| {
        let mut found = given.ends.iter().filter(|(of, _)| *of == end).map(|(_, name)| name.as_str());
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(format!("there are two of `{}`", end.name())),
            (found, _) => Ok(found),
        }
    };
    let [from, after, to, until, only] = End::ALL.map(only_one);
    Bounds::of(from?, after?, to?, until?, only?)
}

/// Why a part cannot run.
fn words(no: &NoPlace) -> String {
    match no {
        NoPlace::Missing { target, .. } => format!("there is no `{target}`"),
        NoPlace::Removed { target, .. } => format!("`{target}` was removed"),
        NoPlace::EndsAtPersistent { target } => format!("`{target}` is persistent: a part cannot end there"),
        NoPlace::Empty { first, last } => {
            let ends: Vec<&str> = [first.as_str(), last].into_iter().filter(|name| !name.is_empty()).collect();
            format!("there is nothing in the part: `{}`", ends.join("`, `"))
        }
        other => format!("{other:?}"),
    }
}

/// Runs all bodies in order until one fails, and then what is common to the step.
fn played(given: &Given, hooks: &[&GivenHook], arrangement: &Arrangement, order: &Order) -> Json {
    let mut ran = Vec::new();
    let mut error = None;
    for slot in order.start.iter().chain(&order.part) {
        let slot = arrangement.get(*slot);
        let (what, name, fails) = match slot.occupant {
            Occupant::Section(number) => ("section", &given.steps[number].name, given.steps[number].fails),
            Occupant::Hook(number) => ("hook", &hooks[number].name, hooks[number].fails),
        };
        ran.push(name.as_str());
        if fails {
            error = Some(format!("the {what} `{name}` failed"));
            break;
        }
    }
    let of_step = [(given.tool_fails, "the tool failed"), (given.outputs_fail, "the outputs are not there")];
    let of_step = of_step.into_iter().find(|(fails, _)| *fails).map(|(_, message)| message.to_owned());
    let error = error.or(of_step);
    let mut told = Map::from_iter([("ran".to_owned(), json!(ran)), ("good".to_owned(), json!(error.is_none()))]);
    if let Some(error) = error {
        told.insert("error".to_owned(), json!(error));
    }
    told.into()
}
