//! The engine of one project: its store, its tools, its guard, and what they share. What it does with a graph is in
//! `run`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tapeout_guard::{Guard, GuardCommand};
use tapeout_model::Class;
use tapeout_store::shared::SharedCache;
use tapeout_store::{FileTime, Store};

use crate::recall::Asked;
use crate::retry::RetryPolicy;
use crate::sharing::Shared;
use crate::work_dir::{self, WorkDir, Workplace};
use crate::{Failure, Resources, Toolbox};

/// How an engine runs its jobs.
#[derive(Clone, Debug)]
pub struct Options {
    /// What there is for jobs that run at the same time.
    pub resources: Resources,
    /// Whether jobs that do not need a failed one go on.
    pub keep_going: bool,
    /// What is tried again, and how often.
    pub retry: RetryPolicy,
    /// Whether tools may touch only what their invocations declare. Where the kernel cannot see to that, they may touch
    /// everything, see [`tapeout_guard::confinement_support`].
    pub sandbox: bool,
    /// How the guard process is started.
    pub guard: GuardCommand,
    /// Where to note what the tools of this machine are, for all projects. Without it, each project finds out.
    pub machine_notes: Option<PathBuf>,
    /// Results that several people and machines have in common.
    pub shared: Option<Arc<SharedCache>>,
}

impl Options {
    /// So many cores, the first failure stops the rest, and the guard is this very program.
    #[must_use]
    pub fn cores(cores: u64) -> Self {
        Self {
            resources: Resources::cores(cores),
            keep_going: false,
            retry: RetryPolicy::default(),
            sandbox: false,
            guard: GuardCommand::current_exe(),
            machine_notes: None,
            shared: None,
        }
    }
}

/// Store, tools, guard and options of one project.
pub struct Engine {
    project: PathBuf,
    store: Store,
    machine: Option<Store>,
    toolbox: Toolbox,
    options: Options,
    guard: Mutex<Option<Arc<Guard>>>,
    stopping: AtomicBool,
    settled: OnceLock<FileTime>,
    workplace: Mutex<Option<Arc<Workplace>>>,
    asked: Asked,
    shared: Option<Shared>,
}

impl Engine {
    /// An engine for the project in this directory (absolute), with its store in `.tapeout/store`.
    ///
    /// # Errors
    /// When the store cannot be opened, or is not where relative paths of the project hold.
    pub fn open(project: &Path, toolbox: Toolbox, mut options: Options) -> Result<Self, Failure> {
        let hidden = project.join(".tapeout");
        if hidden.is_symlink() {
            let message =
                format!("`{}` is a link, and tools name sources relative to where they run", hidden.display());
            return Err(Failure::new(Class::Environment, message).hint("make it a directory, or mount one there"));
        }
        let store = Store::open(&Self::store_dir(project))?;
        work_dir::sweep(project);
        options.sandbox &= tapeout_guard::confinement_support().is_some();
        Ok(Self {
            project: project.to_owned(),
            store,
            // A cache: where it cannot be, we do without.
            machine: options.machine_notes.as_deref().and_then(|folder| Store::open(folder).ok()),
            shared: options.shared.clone().map(|cache| Shared::new(cache, project)),
            toolbox,
            options,
            guard: Mutex::default(),
            stopping: AtomicBool::new(false),
            settled: OnceLock::new(),
            workplace: Mutex::default(),
            asked: Asked::default(),
        })
    }

    /// Where the store of a project is.
    #[must_use]
    pub fn store_dir(project: &Path) -> PathBuf {
        project.join(".tapeout/store")
    }

    /// The project's directory.
    #[must_use]
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where to note what is true of the machine and not of a project.
    pub(crate) fn notes(&self) -> &Store {
        self.machine.as_ref().unwrap_or(&self.store)
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn shared(&self) -> Option<&Shared> {
        self.shared.as_ref()
    }

    /// The tools.
    #[must_use]
    pub fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// The guard, which is started when first needed: looking at recorded results needs none.
    pub(crate) fn guard(&self) -> io::Result<Arc<Guard>> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = &*guard {
            return Ok(Arc::clone(guard));
        }
        let started = Arc::new(Guard::start(&self.options.guard)?);
        // Whoever finds that this process was killed together with its guard knows by that what to kill.
        self.workplace()?.note_guard(started.tag())?;
        *guard = Some(Arc::clone(&started));
        Ok(started)
    }

    /// Has the next process started by another guard, because this one is gone.
    pub(crate) fn give_up(&self, lost: &Arc<Guard>) {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.as_ref().is_some_and(|guard| Arc::ptr_eq(guard, lost)) {
            *guard = None;
        }
    }

    /// A fresh directory for a tool to run in.
    pub(crate) fn work_dir(&self) -> io::Result<WorkDir> {
        self.workplace()?.dir()
    }

    fn workplace(&self) -> io::Result<Arc<Workplace>> {
        let mut workplace = self.workplace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(workplace) = &*workplace {
            return Ok(Arc::clone(workplace));
        }
        let opened = Arc::new(Workplace::open(&self.project)?);
        *workplace = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// Stops all runs, for good: kills every tool and starts nothing more. [`Engine::run`] then returns soon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(guard) = &*self.guard.lock().unwrap_or_else(PoisonError::into_inner) {
            guard.kill_all();
        }
        if let Some(shared) = &self.shared {
            shared.hang_up();
        }
    }

    /// A moment of the file clock after all edits that were made before the first tool ran. What has a later time stamp
    /// was changed while tools were running.
    pub(crate) fn settled(&self) -> FileTime {
        let first = *self.settled.get_or_init(FileTime::next);
        FileTime::now().max(first)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}
