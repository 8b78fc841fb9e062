//! Which variables there are: name, type, default, unit, documentation. Owns what steps and flows declare; typing of
//! what users give is elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use tapeout_model::{Decimal, Value};

/// The type of a variable. Shows as documentation names it: `list of paths`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`; a number is not a boolean.
    Bool,
    /// A whole number.
    Int,
    /// A number with or without a fraction.
    Decimal,
    /// Text.
    Str,
    /// A file or directory that exists. Stored relative to the design directory where it can be.
    Path,
    /// A directory that exists. Stored as a path is.
    Dir,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any number of values of one type.
    List(Box<Type>),
    /// Names with values of one type.
    Map(Box<Type>),
}

impl Type {
    /// A list of `item`.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    /// A map from names to `item`.
    #[must_use]
    pub fn map(item: Self) -> Self {
        Self::Map(Box::new(item))
    }

    /// Whether values of the type are written as one piece of text.
    pub(crate) fn is_textual(&self) -> bool {
        matches!(self, Self::Str | Self::Path | Self::Dir | Self::Choice(_))
    }

    /// Whether values of the type name files.
    pub(crate) fn has_paths(&self) -> bool {
        match self {
            Self::Path | Self::Dir => true,
            Self::List(item) | Self::Map(item) => item.has_paths(),
            _ => false,
        }
    }

    /// The type with its article: "an integer".
    pub(crate) fn one(&self) -> String {
        match self {
            Self::Choice(_) => self.to_string(),
            Self::Int => format!("an {self}"),
            _ => format!("a {self}"),
        }
    }

    fn many(&self) -> String {
        match self {
            Self::Dir => "directories".to_owned(),
            Self::Choice(words) => format!("words out of {}", quoted(words)),
            Self::List(item) => format!("lists of {}", item.many()),
            Self::Map(item) => format!("maps of {}", item.many()),
            _ => format!("{self}s"),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("boolean"),
            Self::Int => f.write_str("integer"),
            Self::Decimal => f.write_str("decimal"),
            Self::Str => f.write_str("string"),
            Self::Path => f.write_str("path"),
            Self::Dir => f.write_str("directory"),
            Self::Choice(words) => write!(f, "one of {}", quoted(words)),
            Self::List(item) => write!(f, "list of {}", item.many()),
            Self::Map(item) => write!(f, "map of {}", item.many()),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Says what is wrong with a value that has the right type.
pub type Check = fn(&Value) -> Result<(), String>;

/// A variable that a step or a flow declares. Required unless [`Variable::default`] or [`Variable::optional`] says
/// otherwise.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The key in configurations.
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
    pub fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// Whether a configuration must give it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none()
    }

    /// Two declarations agree if no configuration could tell them apart.
    fn agrees_with(&self, other: &Self) -> bool {
        self.ty == other.ty
            && self.default == other.default
            && self.optional == other.optional
            && self.units == other.units
            && self.env == other.env
    }

    fn presence(&self) -> String {
        match &self.default {
            Some(default) => format!("default {default}"),
            None if self.optional => "optional".to_owned(),
            None => "required".to_owned(),
        }
    }
}

/// A fault in the declarations, thus in the program or plugin that makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// One name is declared as two different variables.
    Conflict {
        /// The name.
        name: String,
        /// The declaration that stands.
        first: String,
        /// The declaration that differs.
        second: String,
    },
    /// The default does not have the variable's type.
    Default {
        /// The name.
        name: String,
        /// What the type is.
        expected: String,
        /// What the default is.
        found: String,
    },
    /// The name has another meaning at the top of a configuration.
    Reserved {
        /// The name.
        name: String,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { name, first, second } => {
                write!(f, "variable `{name}` is declared twice, as {first} and as {second}")
            }
            Self::Default { name, expected, found } => {
                write!(f, "the default of variable `{name}` must be {expected}, not {found}")
            }
            Self::Reserved { name } => write!(f, "a variable cannot have the name `{name}`"),
        }
    }
}

impl std::error::Error for SchemaError {}

/// The top-level keys of a configuration that are not variables.
pub(crate) const RESERVED: [&str; 2] = ["meta", "tools"];

/// The variables of a flow.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    variables: Vec<Variable>,
    index: HashMap<Cow<'static, str>, usize>,
}

impl Schema {
    /// The variables of one or more steps together.
    ///
    /// # Errors
    /// See [`Schema::add`].
    pub fn new(variables: impl IntoIterator<Item = Variable>) -> Result<Self, SchemaError> {
        let mut schema = Self::default();
        for variable in variables {
            schema.add(variable)?;
        }
        Ok(schema)
    }

    /// Adds a variable. Declaring the same again is fine: steps share variables.
    ///
    /// # Errors
    /// A variable of that name and another type, default, unit or presence; a default of another type; a reserved name.
    pub fn add(&mut self, mut variable: Variable) -> Result<(), SchemaError> {
        let name = variable.name.to_string();
        if RESERVED.contains(&name.as_str()) {
            return Err(SchemaError::Reserved { name });
        }
        if let Some(default) = variable.default.take() {
            let found = format!("`{default}`");
            match typed_default(default, &variable.ty) {
                Some(default) => variable.default = Some(default),
                None => return Err(SchemaError::Default { name, expected: variable.ty.one(), found }),
            }
        }
        match self.index.get(&variable.name) {
            Some(at) if self.variables[*at].agrees_with(&variable) => {}
            Some(at) => {
                let show = |v: &Variable| {
                    let units = v.units.map(|units| format!(", in {units}")).unwrap_or_default();
                    let env = v.env.map(|env| format!(", from ${env}")).unwrap_or_default();
                    format!("{} ({}{units}{env})", v.ty, v.presence())
                };
                let (first, second) = (show(&self.variables[*at]), show(&variable));
                return Err(SchemaError::Conflict { name, first, second });
            }
            None => {
                self.index.insert(variable.name.clone(), self.variables.len());
                self.variables.push(variable);
            }
        }
        Ok(())
    }

    /// The variable of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.index.get(name).map(|at| &self.variables[*at])
    }

    /// The variables in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter()
    }
}

/// The default as a value of the type. Paths are looked up only when a configuration uses the default.
fn typed_default(value: Value, ty: &Type) -> Option<Value> {
    match (ty, value) {
        (Type::Decimal, Value::Int(value)) => Some(Value::Decimal(value.into())),
        (Type::Decimal, Value::Str(text)) => text.parse::<Decimal>().ok().map(Value::Decimal),
        (Type::Choice(words), Value::Str(word)) => words.contains(&word.as_str()).then_some(Value::Str(word)),
        (Type::Bool, value @ Value::Bool(_))
        | (Type::Int, value @ Value::Int(_))
        | (Type::Decimal, value @ Value::Decimal(_))
        | (Type::Str | Type::Path | Type::Dir, value @ Value::Str(_)) => Some(value),
        (Type::List(item), Value::List(values)) => {
            values.into_iter().map(|value| typed_default(value, item)).collect::<Option<_>>().map(Value::List)
        }
        (Type::Map(item), Value::Map(entries)) => {
            let typed = entries.into_iter().map(|(name, value)| Some((name, typed_default(value, item)?)));
            typed.collect::<Option<_>>().map(Value::Map)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names() {
        let cases = [
            (Type::list(Type::Path), "list of paths"),
            (Type::map(Type::list(Type::Dir)), "map of lists of directories"),
            (Type::Choice(&["a", "b"]), "one of `a`, `b`"),
            (Type::list(Type::Choice(&["a", "b"])), "list of words out of `a`, `b`"),
        ];
        for (ty, name) in cases {
            assert_eq!(ty.to_string(), name);
        }
    }

    #[test]
    fn declarations_must_agree() {
        let period = || Variable::new("CLOCK_PERIOD", Type::Decimal, "The period.").units("ns");
        assert!(Schema::new([period(), period()]).is_ok());
        let cases = [
            (
                period().default(10i64),
                "variable `CLOCK_PERIOD` is declared twice, as decimal (required, in ns) and as decimal (default 10, in ns)",
            ),
            (
                Variable::new("CLOCK_PERIOD", Type::Int, "").units("ns").optional(),
                "variable `CLOCK_PERIOD` is declared twice, as decimal (required, in ns) and as integer (optional, in ns)",
            ),
            (Variable::new("N", Type::Int, "").default("3"), "the default of variable `N` must be an integer, not `3`"),
            (Variable::new("meta", Type::Int, ""), "a variable cannot have the name `meta`"),
        ];
        for (second, message) in cases {
            assert_eq!(Schema::new([period(), second]).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn decimal_defaults_may_be_written_as_text_or_whole() {
        let schema = Schema::new([
            Variable::new("A", Type::Decimal, "").default("0.25"),
            Variable::new("B", Type::list(Type::Decimal), "").default(vec![1i64]),
        ])
        .unwrap();
        assert_eq!(schema.get("A").unwrap().default, Some(Value::Decimal("0.25".parse().unwrap())));
        assert_eq!(schema.get("B").unwrap().default, Some(Value::List(vec![Decimal::from(1).into()])));
    }
}
