//! What jobs claim while they run, and how much of it there is.

use std::collections::BTreeMap;

/// How much of everything there is for the jobs of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Cores: how many jobs of one core run at a time.
    pub cores: u64,
    /// Memory in MiB; `None`: not looked after.
    pub memory_mib: Option<u64>,
    /// Licences and other things of which there are only so many, by name. What is not named here is not limited.
    pub tokens: BTreeMap<String, u64>,
}

impl Resources {
    /// So many cores and nothing else to look after.
    #[must_use]
    pub fn cores(cores: u64) -> Self {
        Self { cores, memory_mib: None, tokens: BTreeMap::new() }
    }
}

/// What a job needs while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Cores. More than there are means all of them.
    pub cores: u64,
    /// Memory in MiB, as far as known. More than there is means all of it.
    pub memory_mib: u64,
    /// Licences and other things by name.
    pub tokens: BTreeMap<String, u64>,
}

impl Default for Claims {
    /// One core.
    fn default() -> Self {
        Self { cores: 1, memory_mib: 0, tokens: BTreeMap::new() }
    }
}

impl Claims {
    /// The first claim that can never be met, with how much of it there is.
    #[must_use]
    pub fn beyond<'a>(&'a self, resources: &Resources) -> Option<(&'a str, u64, u64)> {
        self.tokens.iter().find_map(|(name, claimed)| {
            let there = *resources.tokens.get(name)?;
            (*claimed > there).then_some((name.as_str(), *claimed, there))
        })
    }
}

/// Amounts of the resources of a pool, in its order. Shorter ones end in zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts(Vec<u64>);

impl Amounts {
    pub(crate) fn covers(&self, claimed: &Self) -> bool {
        claimed.0.iter().zip(&self.0).all(|(claimed, free)| claimed <= free)
    }

    pub(crate) fn take(&mut self, claimed: &Self) {
        self.0.iter_mut().zip(&claimed.0).for_each(|(free, claimed)| *free -= claimed);
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.0.resize(self.0.len().max(more.0.len()), 0);
        self.0.iter_mut().zip(&more.0).for_each(|(sum, more)| *sum += more);
    }

    /// What is missing for a claim.
    pub(crate) fn lacking(&self, claimed: &Self) -> Self {
        Self(claimed.0.iter().zip(&self.0).map(|(claimed, free)| claimed.saturating_sub(*free)).collect())
    }

    /// Whether both have some of one resource.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| *a > 0 && *b > 0)
    }
}

/// The resources of a run in an order: cores, memory, tokens by name.
pub(crate) struct Pool {
    all: Amounts,
    has_memory: bool,
    tokens: Vec<String>,
}

/// Claims of memory are estimates: in coarse steps there are few different ones to tell apart.
const MEMORY_STEP_MIB: u64 = 256;

impl Pool {
    pub(crate) fn new(resources: &Resources) -> Self {
        let Resources { cores, memory_mib, tokens } = resources;
        let first = [(*cores).max(1), memory_mib.unwrap_or(0)];
        Self {
            has_memory: memory_mib.is_some(),
            all: Amounts(first.into_iter().chain(tokens.values().copied()).collect()),
            tokens: tokens.keys().cloned().collect(),
        }
    }

    pub(crate) fn all(&self) -> &Amounts {
        &self.all
    }

    /// What a claim takes of this pool: never more than there is.
    pub(crate) fn amounts(&self, claims: &Claims) -> Amounts {
        let tokens = self.tokens.iter().map(|name| claims.tokens.get(name).copied().unwrap_or(0));
        let memory = claims.memory_mib.min(self.all.0[1]).next_multiple_of(MEMORY_STEP_MIB);
        let memory = if self.has_memory { memory } else { 0 };
        let claimed = [claims.cores, memory].into_iter().chain(tokens);
        Amounts(claimed.zip(&self.all.0).map(|(claimed, all)| claimed.min(*all)).collect())
    }
}
