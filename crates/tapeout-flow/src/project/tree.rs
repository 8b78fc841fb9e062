//! The build directory: views of results as people know them, `<block>/<task>/`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tapeout_engine::Failure;
use tapeout_store::{Entry, Store};

use super::cx::{COMMANDS, RESULT};
use super::{Project, TargetId, result_file};
use crate::tree::{RunTree, digest_of, disk, has_no_files, write_new};

impl RunTree {
    /// Shows a target's result. Of one that was not asked for, only whether its directory is complete is looked after: what
    /// others read of it comes from the store.
    pub(super) fn show_target(
        &mut self,
        store: &Store,
        project: &Project,
        target: TargetId,
        entry: &Entry,
        is_asked: bool,
    ) -> Result<(), Failure> {
        let dir = project.dir(target);
        let id = entry.id_with_attempt();
        if self.stands(&dir, &id, is_asked) {
            return Ok(());
        }
        let (block, task) = (project.block(target).0, &project.task(target).id);
        let text = || result_file::text(block, task, entry);
        if !self.shows(&dir) && has_no_files(entry) && self.show_one_file(&dir, &id, (RESULT, &text()))? {
            self.note_listing(&dir);
            return Ok(());
        }
        let show = |at: &Path| {
            for output in &entry.record().outputs {
                store.materialise(output, &at.join(&output.path))?;
            }
            for input in &entry.attempt().inputs {
                let to = at.join(&input.path);
                if to.exists() {
                    continue;
                }
                if of_target(project, &input.path) {
                    let up = "../".repeat(Path::new(&input.path).components().count() + 1);
                    let folder = to.parent().unwrap_or(at);
                    fs::create_dir_all(folder).map_err(disk("create", folder))?;
                    symlink(Path::new(&up).join(&input.path), &to).map_err(disk("link", &to))?;
                } else {
                    store.materialise(input, &to)?;
                }
            }
            if let Some(log) = &entry.attempt().log {
                store.materialise(log, &at.join(&log.path))?;
            }
            if !entry.attempt().commands.is_empty() {
                write_new(&at.join(COMMANDS), &entry.attempt().commands)?;
            }
            write_new(&at.join(RESULT), &text())
        };
        self.show(store, &dir, id, false, &|name| digest_of(entry, name), show)?;
        self.note_listing(&dir);
        Ok(())
    }
}

/// Whether a file that a tool was given is a file of another target: those are named by block and task.
fn of_target(project: &Project, path: &str) -> bool {
    let mut parts = path.splitn(3, '/');
    matches!((parts.next(), parts.next(), parts.next()), (Some(block), Some(task), Some(_)) if project.target(block, task).is_some())
}
