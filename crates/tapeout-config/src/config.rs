//! The resolved configuration: immutable, typed, and for each value who set it and whom that beat.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_model::{Decimal, ToolSettings, Value};

use crate::layer::Entry;
use crate::load::Loaded;
use crate::meta::Meta;
use crate::pdk::ChosenPdk;
use crate::reads::{ConfigRead, ConfigReads};
use crate::resolve::{Settings, Surroundings};
use crate::schema::Schema;
use crate::setting::{ConfigSource, Origin, Setting};
use crate::source::SourceMap;
use crate::variable::Role;

/// A resolved configuration. Cheap to clone.
///
/// The getters take the name of a declared variable. Asking for a name that is not in the schema, or with the getter of
/// another type, is a fault of the calling code, not of the user's configuration, and panics.
#[derive(Clone)]
pub struct Config {
    inner: Arc<Inner>,
    /// Where to note what is read, see [`Config::noting`].
    reads: Option<Arc<ConfigReads>>,
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Config {}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    /// Whether some variables of the schema were taken out.
    pub(crate) is_restricted: bool,
    pub(crate) meta: Meta,
    pub(crate) tools: Arc<BTreeMap<String, ToolSettings>>,
    pub(crate) design_dir: PathBuf,
    pub(crate) globs: Vec<String>,
    /// What copies with overrides are made from.
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) sources: Arc<SourceMap>,
    pub(crate) overrides: Arc<Vec<Entry>>,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// Configurations are the same if all values are, wherever they come from.
impl PartialEq for Inner {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
            && self.meta == other.meta
            && self.tools == other.tools
            && self.design_dir == other.design_dir
            && self.globs == other.globs
    }
}

impl Eq for Inner {}

/// The setting of a variable for which there is nothing.
static ABSENT: Setting = Setting {
    value: None,
    origin: Origin { source: ConfigSource::Default, place: None },
    beaten: Vec::new(),
    secret: false,
};

impl Config {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), reads: None }
    }

    /// The same configuration, which notes what is read of it. What [`Config::restricted_to`], [`Config::initialise`] and
    /// [`Config::copy`] make of it notes there as well; a copy reads the value of every variable at once.
    ///
    /// Noted are the getters of variables. The place of a value and what it beat are for messages, and not noted.
    #[must_use]
    pub fn noting(&self, reads: &Arc<ConfigReads>) -> Self {
        Self { inner: Arc::clone(&self.inner), reads: Some(Arc::clone(reads)) }
    }

    /// Has reads noted where those of `other` are.
    pub(crate) fn noting_like(self, other: &Self) -> Self {
        Self { reads: other.reads.clone(), ..self }
    }

    /// Notes a read, where that is wanted.
    fn note(&self, read: fn(String) -> ConfigRead, name: &str) {
        if let Some(reads) = &self.reads {
            reads.note(read(name.to_owned()));
        }
    }

    /// The PDK that it chooses, if it is for a flow that needs one. It is for messages and for the choice of tools, and
    /// not noted.
    #[must_use]
    pub fn pdk(&self) -> Option<&ChosenPdk> {
        self.inner.surroundings.chosen_pdk.as_ref()
    }

    /// Notes a read of all that there is.
    pub(crate) fn note_all(&self) {
        if self.reads.is_some() {
            self.names().for_each(|name| self.note(ConfigRead::Value, name));
        }
    }

    /// A configuration made of this one.
    fn made_here(&self, inner: Inner) -> Self {
        Self { inner: Arc::new(inner), reads: self.reads.clone() }
    }

    /// The same configuration with these values in place of its own, which they beat.
    pub(crate) fn with_derived(&self, values: Vec<(String, Option<Value>)>) -> Self {
        let mut inner = Inner::clone(&self.inner);
        for (name, value) in values {
            let before = self.setting(&name);
            let mut beaten = before.beaten.clone();
            beaten.extend(before.value.clone().map(|value| (before.origin.clone(), value)));
            let origin = Origin { source: ConfigSource::Derived, place: None };
            let setting = Setting { value, origin, beaten, secret: before.secret };
            inner.settings.insert(Cow::Owned(name), Arc::new(setting));
        }
        self.made_here(inner)
    }

    /// From which variables initialisation worked out the value: those that its declaration names. Empty for other
    /// values.
    ///
    /// # Panics
    /// If the schema has no variable of that name.
    #[must_use]
    pub fn derived_from(&self, name: &str) -> &[Cow<'static, str>] {
        match self.schema().get(name).map(|variable| &variable.role) {
            Some(Role::Derived { from }) if self.setting(name).origin.source == ConfigSource::Derived => from,
            _ => &[],
        }
    }

    /// Whether the variable, or one in the group of that name, has a value of an origin that will do.
    pub(crate) fn has(&self, name: &str, will_do: impl Fn(ConfigSource) -> bool) -> bool {
        let has = |name: &str| {
            let setting = self.setting(name);
            setting.value.is_some() && will_do(setting.origin.source)
        };
        if self.inner.settings.contains_key(name) {
            return has(name);
        }
        self.names().any(|other| is_below(other, name) && has(other))
    }

    /// The value and how it came to it.
    ///
    /// # Panics
    /// If the schema has no variable of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> &Setting {
        self.note(ConfigRead::Value, name);
        self.note(ConfigRead::Layer, name);
        self.found(name)
    }

    fn found(&self, name: &str) -> &Setting {
        match self.inner.settings.get(name) {
            Some(setting) => setting,
            // What a PDK would have to give is not there where a flow is planned without one.
            None if !self.inner.is_restricted && self.inner.schema.get(name).is_some() => &ABSENT,
            None => panic!("`{name}` is not a declared variable of this configuration"),
        }
    }

    /// Whether the schema has a variable of that name.
    #[must_use]
    pub fn declares(&self, name: &str) -> bool {
        self.note(ConfigRead::Value, name);
        self.inner.settings.contains_key(name)
    }

    /// The value, if there is one.
    ///
    /// # Panics
    /// If the schema has no variable of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.note(ConfigRead::Value, name);
        self.found(name).value.as_ref()
    }

    /// Whether the value was given, as opposed to the default.
    ///
    /// # Panics
    /// If the schema has no variable of that name.
    #[must_use]
    pub fn explicit(&self, name: &str) -> bool {
        self.note(ConfigRead::Given, name);
        self.found(name).origin.source != ConfigSource::Default
    }

    /// A string, path, directory or choice that is always there.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type, or it is optional and absent.
    #[must_use]
    pub fn str(&self, name: &str) -> &str {
        present(name, self.opt_str(name))
    }

    /// A string, path, directory or choice.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type.
    #[must_use]
    pub fn opt_str(&self, name: &str) -> Option<&str> {
        self.get(name).map(|value| match value {
            Value::Str(text) => text.as_str(),
            other => mistyped(name, "text", other),
        })
    }

    /// A decimal that is always there.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type, or it is optional and absent.
    #[must_use]
    pub fn decimal(&self, name: &str) -> Decimal {
        present(name, self.opt_decimal(name))
    }

    /// A decimal.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type.
    #[must_use]
    pub fn opt_decimal(&self, name: &str) -> Option<Decimal> {
        self.get(name).map(|value| match value {
            Value::Decimal(decimal) => *decimal,
            other => mistyped(name, "a decimal", other),
        })
    }

    /// An integer that is always there.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type, or it is optional and absent.
    #[must_use]
    pub fn int(&self, name: &str) -> i64 {
        present(name, self.opt_int(name))
    }

    /// An integer.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type.
    #[must_use]
    pub fn opt_int(&self, name: &str) -> Option<i64> {
        self.get(name).map(|value| match value {
            Value::Int(int) => *int,
            other => mistyped(name, "an integer", other),
        })
    }

    /// A boolean that is always there.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type, or it is optional and absent.
    #[must_use]
    pub fn bool(&self, name: &str) -> bool {
        present(name, self.opt_bool(name))
    }

    /// A boolean.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type.
    #[must_use]
    pub fn opt_bool(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| match value {
            Value::Bool(bool) => *bool,
            other => mistyped(name, "a boolean", other),
        })
    }

    /// A list of strings, paths, directories or choices; empty if absent.
    ///
    /// # Panics
    /// If the schema has no such variable of such a type.
    #[must_use]
    pub fn strings(&self, name: &str) -> Vec<&str> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let Value::List(items) = value else { mistyped(name, "a list of text", value) };
        let text = items.iter().map(|item| match item {
            Value::Str(text) => text.as_str(),
            other => mistyped(name, "a list of text", other),
        });
        text.collect()
    }

    /// Every variable in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.names().map(|name| (name, self.setting(name)))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.settings.keys().map(AsRef::as_ref)
    }

    /// The values, `null` for an absent one, in the order of the names. Secrets are not shown.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.note_all();
        let entries = self.names().map(|name| (name.to_owned(), self.found(name).shown_json()));
        serde_json::Value::Object(entries.collect())
    }

    /// The same configuration with these variables only: what a step that declares them may see.
    ///
    /// # Panics
    /// If the schema has no variable of one of the names.
    #[must_use]
    pub fn restricted_to(&self, names: &[&str]) -> Self {
        self.with_names(names.iter().copied())
    }

    /// The same configuration with those variables only that `other` has.
    pub(crate) fn narrowed_like(&self, other: &Self) -> Self {
        if other.inner.settings.len() == self.inner.settings.len() {
            return self.clone();
        }
        self.with_names(other.names())
    }

    fn with_names<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut settings = BTreeMap::new();
        for name in names {
            let Some((name, setting)) = self.inner.settings.get_key_value(name) else {
                settings.insert(Cow::Owned(name.to_owned()), Arc::new(self.found(name).clone()));
                continue;
            };
            settings.insert(name.clone(), Arc::clone(setting));
        }
        // Not `..Inner::clone(…)`: that copies all settings first, of which few are wanted.
        let Inner { meta, tools, design_dir, globs, loaded, schema, sources, overrides, surroundings, .. } =
            &*self.inner;
        self.made_here(Inner {
            settings,
            is_restricted: true,
            meta: meta.clone(),
            tools: Arc::clone(tools),
            design_dir: design_dir.clone(),
            globs: globs.clone(),
            loaded: Arc::clone(loaded),
            schema: Arc::clone(schema),
            sources: Arc::clone(sources),
            overrides: Arc::clone(overrides),
            surroundings: Arc::clone(surroundings),
        })
    }

    /// The variables there are.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// The texts that it was read from, for what is to be shown of them.
    #[must_use]
    pub fn sources(&self) -> &SourceMap {
        &self.inner.sources
    }

    pub(crate) fn schema_shared(&self) -> &Arc<Schema> {
        &self.inner.schema
    }

    pub(crate) fn loaded(&self) -> &Arc<Loaded> {
        &self.inner.loaded
    }

    /// What copies that choose the same PDK share.
    pub(crate) fn surroundings(&self) -> &Arc<Surroundings> {
        &self.inner.surroundings
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// What copies have replaced so far.
    pub(crate) fn overrides(&self) -> &[Entry] {
        &self.inner.overrides
    }

    /// What the configuration says about itself, such as the flow.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.inner.meta
    }

    /// How tools are to be started, by their names.
    #[must_use]
    pub fn tools(&self) -> &BTreeMap<String, ToolSettings> {
        &self.inner.tools
    }

    /// The directory to which paths are relative. Absolute.
    #[must_use]
    pub fn design_dir(&self) -> &Path {
        &self.inner.design_dir
    }

    /// The patterns that were expanded, relative to the design directory, in the order of expansion.
    #[must_use]
    pub fn globs(&self) -> &[String] {
        &self.inner.globs
    }
}

/// Whether `name` is that of a variable in the group, which may be the whole configuration.
pub(crate) fn is_below(name: &str, group: &str) -> bool {
    group.is_empty() || name.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'))
}

fn present<T>(name: &str, value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => panic!("`{name}` is an optional variable without a value: use the getter for optional ones"),
    }
}

fn mistyped(name: &str, expected: &str, found: &Value) -> ! {
    panic!("`{name}` is not declared as {expected}: its value is {}", found.kind())
}
