//! A session of a step with its hooks: which text and which calls come where. The bodies of hooks run here.

use std::sync::Arc;

use tapeout_engine::{Command, Failure};
use tapeout_model::Class;

use super::arrange::{Bounds, Occupant, Order, SlotId};
use super::cx::{Made, Place};
use super::partial::order;
use super::set::{HookUse, OUTPUTS, StepHooks};
use super::{HookCx, HookKind, Puts};
use crate::step::{Script, Section, Session};
use crate::{Completed, StepCx};

impl StepHooks {
    /// Puts into a session what the hooks of a step have for it, in this order of sections. Gives the place that each of
    /// the session's commands has come to, if it is still there.
    ///
    /// # Errors
    /// A hook fails, or the session has a section that the step does not declare.
    pub(crate) fn weave(
        &self,
        order: &Order,
        cx: &mut StepCx<'_, '_>,
        session: &mut Session,
    ) -> Result<Vec<Option<usize>>, Failure> {
        let scripts = std::mem::take(&mut session.scripts);
        for script in scripts {
            let woven = self.weave_script(order, cx, script, session)?;
            session.scripts.push(woven);
        }
        self.weave_calls(order, cx, session)
    }

    /// Whether the step declares no sections: only what stands behind it can be hooked.
    fn is_undivided(&self) -> bool {
        self.sections == [OUTPUTS]
    }

    fn weave_script(
        &self,
        order: &Order,
        cx: &mut StepCx<'_, '_>,
        mut script: Script,
        session: &mut Session,
    ) -> Result<Script, Failure> {
        if self.is_undivided() {
            return Ok(script);
        }
        let own: Vec<Section> = std::mem::take(&mut script.sections);
        let mut numbers: Vec<Option<usize>> = vec![None; self.sections.len()];
        for (index, section) in own.iter().enumerate() {
            let number = self.sections.iter().position(|known| known.name == section.name);
            let Some(number) = number else { return Err(undeclared(cx, &section.name)) };
            numbers[number] = Some(index);
        }
        let is_here = |slot: SlotId| match self.arrangement.get(slot).section {
            Some(section) => numbers[section].is_some(),
            // A script that is given only where something is in it is not the beginning of the session.
            None => script.given_by.is_none(),
        };
        let slots: Vec<SlotId> = order.start.iter().chain(&order.part).copied().filter(|slot| is_here(*slot)).collect();
        for at in slots {
            let slot = self.arrangement.get(at);
            let original = match slot.origin() {
                Occupant::Section(number) => numbers[number].map(|index| own[index].text.as_str()),
                Occupant::Hook(_) => None,
            };
            let text = match slot.occupant {
                Occupant::Section(_) => original.unwrap_or_default().to_owned(),
                Occupant::Hook(number) => {
                    let before = script.render();
                    let mut text = String::new();
                    let place = Place::Script {
                        script: &script,
                        before: &before,
                        text: &mut text,
                        replaces: original,
                        invocation: &mut session.invocation,
                    };
                    run(&self.hooks[number], cx, place)?;
                    text
                }
            };
            script.sections.push(Section { name: slot.name.clone().into(), text });
        }
        Ok(script)
    }

    fn weave_calls(
        &self,
        order: &Order,
        cx: &mut StepCx<'_, '_>,
        session: &mut Session,
    ) -> Result<Vec<Option<usize>>, Failure> {
        // Scripts that are given only where something is in them are not the beginning of the session.
        let begins_in_script = session.scripts.iter().any(|script| script.given_by.is_none());
        let commands = std::mem::take(&mut session.invocation.commands);
        let mut calls = std::mem::take(&mut session.calls);
        calls.retain(|_| !self.is_undivided());
        let mut woven: Vec<Command> = Vec::new();
        let mut places: Vec<Option<usize>> = Vec::new();
        for (index, command) in commands.into_iter().enumerate() {
            let Some((name, _)) = calls.iter().find(|(_, command)| *command == index) else {
                places.push(Some(woven.len()));
                woven.push(command);
                continue;
            };
            places.push(None);
            let Some(number) = self.sections.iter().position(|known| known.name == *name) else {
                return Err(undeclared(cx, name));
            };
            let mut call = Some(command);
            let is_first = calls.first().is_some_and(|(first, _)| first == name) && !begins_in_script;
            let start = order.start.iter().filter(|_| is_first);
            let here = order.part.iter().filter(|slot| self.arrangement.get(**slot).section == Some(number));
            for at in start.chain(here) {
                let slot = self.arrangement.get(*at);
                let Occupant::Hook(hook) = slot.occupant else {
                    if let Some(command) = call.take() {
                        places[index] = Some(woven.len());
                        woven.push(command);
                    }
                    continue;
                };
                let replaces = slot.origin() == Occupant::Section(number);
                let mut added = Vec::new();
                let place = Place::Call { call: call.as_mut(), calls: &mut added, invocation: &mut session.invocation };
                run(&self.hooks[hook], cx, place)?;
                woven.extend(added);
                if replaces {
                    call = None;
                }
            }
        }
        session.invocation.commands = woven;
        Ok(places)
    }

    /// Runs the hooks behind the step.
    ///
    /// # Errors
    /// A hook fails.
    pub(crate) fn behind(
        &self,
        cx: &mut StepCx<'_, '_>,
        sessions: &mut Vec<Completed>,
        made: &mut Made,
    ) -> Result<(), Failure> {
        let outputs = self.sections.iter().position(|section| *section == OUTPUTS);
        for at in &order(self, &Bounds::default())?.part {
            let slot = self.arrangement.get(*at);
            if let (true, Occupant::Hook(hook)) = (slot.section == outputs, slot.occupant) {
                run(&self.hooks[hook], cx, Place::Outputs { sessions, made })?;
            }
        }
        Ok(())
    }
}

fn undeclared(cx: &StepCx<'_, '_>, section: &str) -> Failure {
    let message = format!("`{}` does not declare its section `{section}`, so that hooks cannot find it", cx.info.id);
    Failure::new(Class::Internal, message)
}

fn run(published: &HookUse, cx: &mut StepCx<'_, '_>, place: Place<'_>) -> Result<(), Failure> {
    let hook = Arc::clone(&published.hook);
    let Puts::Body(body) = &hook.puts else {
        debug_assert!(hook.kind == HookKind::Remove);
        return Ok(());
    };
    let result = body.run(&mut HookCx { step: cx, hook: published, place });
    result.map_err(|failure| Failure { message: format!("{}: {}", hook.words(), failure.message), ..failure })
}
