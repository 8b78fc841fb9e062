//! A case of hooks as it is written: steps, hooks by layer, the part to run, and what fails.

use serde_json::Value as Json;
use tapeout_flow::Layer;

use crate::run::{entry, only, text};

/// What a case gives.
pub(super) struct Given {
    pub(super) steps: Vec<GivenStep>,
    /// All hooks, those of the technology first, then those of the tool.
    pub(super) hooks: Vec<GivenHook>,
    /// The part to run, whether it is said by options or by hooks.
    pub(super) ends: Vec<(End, String)>,
    /// Whether the tool fails that runs behind all steps.
    pub(super) tool_fails: bool,
    /// Whether there are no outputs.
    pub(super) outputs_fail: bool,
}

/// A step of a tool.
pub(super) struct GivenStep {
    pub(super) name: String,
    pub(super) fails: bool,
    /// The settings that it looks at.
    pub(super) reads: Vec<String>,
}

/// A hook.
pub(super) struct GivenHook {
    pub(super) kind: String,
    /// Empty for a removal.
    pub(super) name: String,
    /// Empty for what is always persistent.
    pub(super) target: String,
    pub(super) layer: Layer,
    pub(super) origin: String,
    pub(super) fails: bool,
    /// Whether it is a function that cannot be a hook.
    pub(super) not_callable: bool,
    /// The settings that it changes, with the values as the peer shows them.
    pub(super) sets: Vec<(String, String)>,
    /// The end of a part that it stands for, where it is none of the hooks that put something somewhere.
    pub(super) end: Option<End>,
}

/// What says where a part begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    From,
    After,
    To,
    Until,
    Only,
}

impl End {
    pub(super) const ALL: [Self; 5] = [Self::From, Self::After, Self::To, Self::Until, Self::Only];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::After => "after",
            Self::To => "to",
            Self::Until => "until",
            Self::Only => "only",
        }
    }

    /// The hook of the peer's that is the same.
    fn of_hook(kind: &str) -> Option<Self> {
        Some(match kind {
            "pre_resume" => Self::From,
            "post_resume" => Self::After,
            "post_pause" => Self::To,
            "pre_pause" => Self::Until,
            _ => return None,
        })
    }
}

const LAYERS: [(&str, Layer); 3] =
    [("tech_hooks", Layer::Technology), ("tool_hooks", Layer::Tool), ("user_hooks", Layer::User)];

impl Given {
    pub(super) fn of(input: &Json) -> Result<Self, String> {
        let mut known = vec!["steps", "do_post_returns", "fill_outputs_returns"];
        known.extend(LAYERS.iter().map(|(key, _)| *key).chain(End::ALL.map(End::name)));
        only(input, &known)?;
        let steps = entry(input, "steps")?.as_array().ok_or("`steps` is not a list")?;
        let mut hooks = Vec::new();
        for (key, layer) in LAYERS {
            for (number, hook) in (1..).zip(input.get(key).and_then(Json::as_array).into_iter().flatten()) {
                hooks.push(GivenHook::of(hook, layer, format!("{key}:{number}"))?);
            }
        }
        let of_hooks = hooks.iter().filter_map(|hook| Some((hook.end?, hook.target.clone())));
        let mut ends: Vec<(End, String)> = of_hooks.collect();
        for end in End::ALL {
            if input.get(end.name()).is_some() {
                ends.push((end, text(input, end.name())?.to_owned()));
            }
        }
        Ok(Self {
            steps: steps.iter().map(GivenStep::of).collect::<Result<_, _>>()?,
            hooks,
            ends,
            tool_fails: input.get("do_post_returns") == Some(&Json::Bool(false)),
            outputs_fail: input.get("fill_outputs_returns") == Some(&Json::Bool(false)),
        })
    }

    /// The name of a step of which there are two.
    pub(super) fn repeated(&self) -> Option<&str> {
        let names = self.steps.iter().map(|step| step.name.as_str());
        names.enumerate().find(|(at, name)| self.steps[..*at].iter().any(|step| step.name == *name)).map(|(_, it)| it)
    }

    /// The hooks that put something somewhere, in this order of layers.
    pub(super) fn placed(&self, layers: &[Layer]) -> Vec<&GivenHook> {
        let of = |layer: &Layer| {
            let layer = *layer;
            self.hooks.iter().filter(move |hook| hook.layer == layer && hook.end.is_none())
        };
        layers.iter().flat_map(of).collect()
    }
}

impl GivenStep {
    fn of(step: &Json) -> Result<Self, String> {
        if let Some(name) = step.as_str() {
            return Ok(Self { name: name.to_owned(), fails: false, reads: Vec::new() });
        }
        only(step, &["name", "returns", "reads"])?;
        let reads = step.get("reads").and_then(Json::as_array).into_iter().flatten();
        let reads = reads.filter_map(Json::as_str).map(str::to_owned).collect();
        Ok(Self { name: text(step, "name")?.to_owned(), fails: fails(step), reads })
    }
}

impl GivenHook {
    fn of(hook: &Json, layer: Layer, origin: String) -> Result<Self, String> {
        only(hook, &["kind", "name", "target", "returns", "annotations", "sets"])?;
        let or_empty = |key: &str| hook.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let kind = text(hook, "kind")?.to_owned();
        let sets = hook.get("sets").and_then(Json::as_object).into_iter().flatten();
        Ok(Self {
            name: or_empty("name"),
            target: or_empty("target"),
            layer,
            origin,
            fails: fails(hook),
            not_callable: hook.get("annotations").is_some(),
            sets: sets.map(|(key, value)| (key.clone(), shown(value))).collect(),
            end: End::of_hook(&kind),
            kind,
        })
    }
}

/// Whether a body says that it failed, raises, or says nothing.
fn fails(body: &Json) -> bool {
    body.get("returns").is_some_and(|returns| *returns != Json::Bool(true))
}

/// A value as Python shows it.
fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}
