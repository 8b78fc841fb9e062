//! Rust types as types of variables, and structs as groups of variables: how they are declared, read and written. The
//! code that `#[derive(Schema)]` makes is written against this. What initialisation does with structs is in `init`.

mod values;

use std::borrow::Cow;

use tapeout_model::Value;

use crate::config::Config;
use crate::schema::{Schema, SchemaError};
use crate::setting::ConfigSource;
use crate::types::Type;
use crate::variable::Variable;

/// A Rust type that the field of a struct of variables may have. To be implemented for types that check what they hold;
/// `#[derive(Schema)]` does it for structs and for enums of words.
pub trait Configured: Sized {
    /// The type of a variable that holds it.
    ///
    /// # Errors
    /// A fault in the declarations of a struct in it.
    fn ty() -> Result<Type, SchemaError>;

    /// Its value.
    ///
    /// # Errors
    /// The given value has the type of [`Configured::ty`] but will not do. The text follows the name of the variable:
    /// "must be from 0 to 255, not 300".
    fn read(given: &Given<'_>) -> Result<Self, String>;

    /// The value of the variable that holds it; [`Value::Null`] for none.
    fn to_value(&self) -> Value;

    /// Adds the field to a schema.
    ///
    /// # Errors
    /// As for [`Schema::add`].
    fn declare(field: Declaration, to: &mut Schema) -> Result<(), SchemaError> {
        field.variable::<Self>(to)
    }

    /// Appends the values of all variables in which it is kept, but for those that have none.
    fn write(&self, name: &str, to: &mut Vec<(String, Value)>) {
        to.push((name.to_owned(), self.to_value()));
    }

    /// The dotted name in configurations for the path of a field in Rust.
    #[must_use]
    fn field_name(path: &[&str]) -> Option<String> {
        path.is_empty().then(String::new)
    }
}

/// A struct whose fields are variables. To be derived: `#[derive(Schema)]`.
pub trait Structure: Configured {
    /// What it is for, where a field that holds it does not say.
    const DOC: &'static str;

    /// Its fields. As the item of a list or a map it is one value as a `whole`, with the structs in it; elsewhere these
    /// are groups of variables.
    ///
    /// # Errors
    /// As for [`Schema::add`].
    fn fields(whole: bool) -> Result<Schema, SchemaError>;
}

/// What else is said of a variable.
pub type Change = fn(Variable) -> Variable;

/// What a struct says of one of its fields.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The name in configurations.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// What else holds for the variable.
    pub change: Option<Change>,
    /// What else holds for the fields of the struct that it is, by their paths in Rust.
    pub fields: &'static [(&'static [&'static str], Change)],
    /// Whether the struct around it is one value as a whole.
    pub whole: bool,
    /// Whether it may be absent.
    pub optional: bool,
}

impl Declaration {
    /// The dotted name of a field in a group; the whole configuration is the group without a name.
    #[must_use]
    pub fn dotted(group: &str, field: &str) -> String {
        match (group, field) {
            ("", name) | (name, "") => name.to_owned(),
            (group, field) => format!("{group}.{field}"),
        }
    }

    /// Declares a variable.
    fn variable<T: Configured>(self, to: &mut Schema) -> Result<(), SchemaError> {
        self.typed::<T>(T::ty()?, to)
    }

    fn typed<T: Configured>(self, ty: Type, to: &mut Schema) -> Result<(), SchemaError> {
        let check: fn(&Value) -> Result<(), String> = Given::check::<T>;
        let mut variable = Variable::new(self.name, ty, self.doc).check(check);
        variable.optional = self.optional;
        to.add(self.change.map_or_else(|| variable.clone(), |change| change(variable.clone())))
    }

    /// Declares a nested struct. Called by derived code.
    ///
    /// # Errors
    /// As for [`Schema::add`]; something that only a variable can have.
    pub fn structure<T: Structure>(mut self, to: &mut Schema) -> Result<(), SchemaError> {
        let mut fields = T::fields(self.whole)?;
        for (path, change) in self.fields {
            let no_field = || SchemaError::NoField { name: format!("{}.{}", self.name, path.join(".")) };
            fields.amend(&T::field_name(path).ok_or_else(no_field)?, *change)?;
        }
        if self.doc.is_empty() {
            self.doc = T::DOC;
        }
        if self.whole {
            let Type::Struct(of) = T::ty()? else { return Err(SchemaError::Group { name: self.name.to_owned() }) };
            return self.typed::<T>(Type::structure(of.name.clone(), fields), to);
        }
        match (self.change, self.optional) {
            (Some(_), _) => Err(SchemaError::Group { name: self.name.to_owned() }),
            (None, true) => to.nest_optional(self.name, self.doc, fields),
            (None, false) => to.nest(self.name, self.doc, fields),
        }
    }
}

/// Where a value is read from.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    /// A variable, or a group of variables, of a configuration. The whole configuration has the empty name.
    Variable(&'a Config, Cow<'a, str>),
    /// A value; [`Value::Null`] where there is none.
    Value(&'a Value),
}

impl<'a> Given<'a> {
    /// The condition that the value can be read as a `T`: the check of every variable that is declared by a struct.
    ///
    /// # Errors
    /// See [`Configured::read`].
    pub fn check<T: Configured>(value: &Value) -> Result<(), String> {
        T::read(&Given::Value(value)).map(drop)
    }

    /// The value, if there is one.
    ///
    /// # Panics
    /// If it is a variable that the configuration does not declare.
    #[must_use]
    pub fn value(&self) -> Option<&'a Value> {
        match self {
            Self::Variable(config, name) => config.get(name),
            Self::Value(value) => Some(*value).filter(|value| **value != Value::Null),
        }
    }

    /// The value.
    ///
    /// # Errors
    /// There is none.
    pub fn required(&self) -> Result<&'a Value, String> {
        self.value().ok_or_else(|| "has no value".to_owned())
    }

    /// Whether there is a value, or of a group, whether any of it is given.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self {
            Self::Variable(config, name) if !config.declares(name) => config.has(name, is_given),
            _ => self.value().is_some(),
        }
    }

    /// A field of the struct.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        match self {
            Self::Variable(config, group) => Self::Variable(config, Cow::Owned(Declaration::dotted(group, name))),
            Self::Value(Value::Map(entries)) => {
                Self::Value(entries.iter().find(|(key, _)| key == name).map_or(&Value::Null, |(_, value)| value))
            }
            Self::Value(_) => Self::Value(&Value::Null),
        }
    }

    /// The value of a field of the struct.
    ///
    /// # Errors
    /// See [`Configured::read`].
    pub fn read<T: Configured>(&self, name: &str) -> Result<T, String> {
        T::read(&self.field(name)).map_err(|reason| format!("has a field `{name}` that {reason}"))
    }

    /// The value of a field that has one only after initialisation.
    ///
    /// # Errors
    /// See [`Configured::read`].
    pub fn read_or_default<T: Configured + Default>(&self, name: &str) -> Result<T, String> {
        if self.field(name).is_present() { self.read(name) } else { Ok(T::default()) }
    }
}

impl Config {
    /// The variables of the group `under`, or of the whole configuration if that is empty, as a struct. What
    /// initialisation works out is not in it yet: see [`Config::initialise`].
    ///
    /// # Panics
    /// If the configuration was not made with the schema of the struct.
    #[must_use]
    pub fn read<T: Structure>(&self, under: &str) -> T {
        match T::read(&Given::Variable(self, Cow::Borrowed(under))) {
            Ok(settings) => settings,
            Err(reason) => panic!("the configuration was not made with the schema of the struct, which {reason}"),
        }
    }
}

/// Whether it makes an optional struct be there.
fn is_given(source: ConfigSource) -> bool {
    source != ConfigSource::Default
}

/// The schema of a struct with which a configuration was made.
pub(crate) fn schema_of<T: Structure>() -> Schema {
    match T::fields(false) {
        Ok(schema) => schema,
        Err(error) => panic!("no configuration can have been made with a struct of faulty declarations: {error}"),
    }
}
