//! A variable: what steps, flows and structs declare about one key of a configuration.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tapeout_model::Value;

use crate::types::Type;

/// Says what is wrong with a value that has the right type.
#[derive(Clone)]
pub struct Check(Arc<CheckValue>);

type CheckValue = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

impl Check {
    /// What is wrong with the value: the end of a sentence that begins with the variable's name.
    ///
    /// # Errors
    /// That.
    pub fn of(&self, value: &Value) -> Result<(), String> {
        (self.0)(value)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
}

/// Says by which variables a deprecated one is to be replaced, and by which values.
pub type Translation = fn(&Value) -> Result<Vec<(Cow<'static, str>, Value)>, String>;

/// What a variable is for.
#[derive(Clone, Debug, Default)]
pub enum Role {
    /// The user gives it.
    #[default]
    Input,
    /// The program works it out from other variables; giving it is an error that names those.
    Derived {
        /// What to set instead.
        from: Cow<'static, [Cow<'static, str>]>,
    },
    /// An input that is never shown.
    Secret,
    /// A name of former times, with the way to today's variables. It has no value of its own.
    Deprecated(Translation),
}

impl Role {
    /// The word before the type; nothing for an input.
    pub(crate) fn adjective(&self) -> &'static str {
        match self {
            Self::Input => "",
            Self::Derived { .. } => "derived ",
            Self::Secret => "secret ",
            Self::Deprecated(_) => "deprecated ",
        }
    }
}

/// A variable that a step or a flow declares. Required unless [`Variable::default`] or [`Variable::optional`] says
/// otherwise.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The key in configurations. Dots separate the levels of nested structs.
    pub name: Cow<'static, str>,
    /// What its values are.
    pub ty: Type,
    /// The value where none is given.
    pub default: Option<Value>,
    /// Whether it may be without a value, which is also what an explicit `null` makes of it.
    pub optional: bool,
    /// What it means, for people.
    pub doc: Cow<'static, str>,
    /// The unit of its numbers.
    pub units: Option<&'static str>,
    /// The variable of the environment that sets it, if one does.
    pub env: Option<&'static str>,
    /// A further condition on the value as typed. Not called for an absent value.
    pub check: Option<Check>,
    /// What it is for.
    pub role: Role,
    /// Former names, which give the same value with a warning.
    pub former: Cow<'static, [Cow<'static, str>]>,
    /// The modes in which it must have a value after initialisation.
    pub mandatory_in: Cow<'static, [Cow<'static, str>]>,
    /// The short option of its own on the command lines that have such, without the dash: `syn`.
    pub shortcut: Option<&'static str>,
    /// Whether the PDK or its cell library may give it.
    pub from_pdk: bool,
}

impl Variable {
    /// A required variable.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, ty: Type, doc: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            ty,
            default: None,
            optional: false,
            doc: doc.into(),
            units: None,
            env: None,
            check: None,
            role: Role::Input,
            former: Cow::Borrowed(&[]),
            mandatory_in: Cow::Borrowed(&[]),
            shortcut: None,
            from_pdk: false,
        }
    }

    /// States what holds for a new variable: without a value there is no configuration.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.default = None;
        self.optional = false;
        self
    }

    /// Lets it be without a value.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The value where none is given. For a decimal it may be text (`"0.5"`) or whole.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// What it means, in place of what was said before.
    #[must_use]
    pub fn doc(mut self, doc: impl Into<Cow<'static, str>>) -> Self {
        self.doc = doc.into();
        self
    }

    /// The unit of its numbers.
    #[must_use]
    pub fn units(mut self, units: &'static str) -> Self {
        self.units = Some(units);
        self
    }

    /// Lets a variable of the environment set it.
    #[must_use]
    pub fn env(mut self, name: &'static str) -> Self {
        self.env = Some(name);
        self
    }

    /// A further condition on the value as typed.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&Value) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.check = Some(Check(Arc::new(check)));
        self
    }

    /// What its paths are: [`Type::Dir`] or [`Type::NewPath`] in place of paths that exist, or of text.
    #[must_use]
    pub fn paths(mut self, kind: &Type) -> Self {
        self.ty = self.ty.with_paths(kind);
        self
    }

    /// Makes it one that the program works out from others; it then needs no value from the user.
    #[must_use]
    pub fn derived_from<W: Into<Cow<'static, str>>>(mut self, from: impl IntoIterator<Item = W>) -> Self {
        self.role = Role::Derived { from: from.into_iter().map(Into::into).collect() };
        self.optional()
    }

    /// Keeps its value out of all that is shown or saved.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.role = Role::Secret;
        self
    }

    /// Makes it a name of former times.
    #[must_use]
    pub fn deprecated(mut self, translation: Translation) -> Self {
        self.role = Role::Deprecated(translation);
        self.optional()
    }

    /// Accepts this former name, with a warning.
    #[must_use]
    pub fn formerly(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.former.to_mut().push(name.into());
        self
    }

    /// Demands a value in this mode, whether given or worked out by then.
    #[must_use]
    pub fn mandatory_in(mut self, mode: impl Into<Cow<'static, str>>) -> Self {
        self.mandatory_in.to_mut().push(mode.into());
        self
    }

    /// Its short option, without the dash.
    #[must_use]
    pub fn shortcut(mut self, shortcut: &'static str) -> Self {
        self.shortcut = Some(shortcut);
        self
    }

    /// Lets the PDK or its cell library give it.
    #[must_use]
    pub fn from_pdk(mut self) -> Self {
        self.from_pdk = true;
        self
    }

    /// Whether a configuration must give it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none()
    }

    /// Two declarations agree if no configuration could tell them apart.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.ty == other.ty
            && self.default == other.default
            && self.optional == other.optional
            && self.units == other.units
            && self.env == other.env
            && self.from_pdk == other.from_pdk
            && self.former == other.former
            && std::mem::discriminant(&self.role) == std::mem::discriminant(&other.role)
    }

    pub(crate) fn presence(&self) -> String {
        match &self.default {
            Some(default) => format!("default {default}"),
            None if self.optional => "optional".to_owned(),
            None => "required".to_owned(),
        }
    }
}
