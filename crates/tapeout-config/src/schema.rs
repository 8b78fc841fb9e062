//! Which variables there are: those that steps, flows and structs declare, together, and what is known of other names.
//! Typing of what users give is elsewhere.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::configured::Structure;
use crate::types::{Struct, Type};
use crate::variable::{Role, Variable};

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
    /// What only a variable can have is declared of a nested struct.
    Group {
        /// The name.
        name: String,
    },
    /// What is to be changed about a field of a nested struct concerns a field that it does not have.
    NoField {
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
            Self::Group { name } => write!(
                f,
                "`{name}` is a nested struct, which has nothing but its documentation: declare the rest of its fields"
            ),
            Self::NoField { name } => write!(f, "there is no field `{name}` to declare anything of"),
        }
    }
}

impl std::error::Error for SchemaError {}

/// The top-level keys of a configuration that are not variables.
pub(crate) const RESERVED: [&str; 3] = ["meta", "tools", "include"];

/// Why a name that is not in a schema is no mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Another flow has a variable of that name.
    OtherFlow,
    /// There was one, and for this reason there is none any more.
    Removed(Cow<'static, str>),
}

/// Tells of names that are not in a schema.
pub type KnownElsewhere = Arc<dyn Fn(&str) -> Option<Elsewhere> + Send + Sync>;

/// The variables of a flow, or the fields of a struct. The fields of a nested struct have dotted names:
/// `flow_stages.syn.run`.
#[derive(Clone, Default)]
pub struct Schema {
    variables: Vec<Variable>,
    index: HashMap<Cow<'static, str>, usize>,
    /// The variables by their former names.
    former: HashMap<Cow<'static, str>, usize>,
    /// The nested structs by their dotted names, with what they are for.
    groups: BTreeMap<String, Cow<'static, str>>,
    /// Of the nested structs that may be absent, the fields that must be given if any of the struct is.
    optional_groups: BTreeMap<String, Vec<String>>,
    elsewhere: Option<KnownElsewhere>,
    /// Whether what a PDK gives is missing where no PDK is chosen.
    needs_pdk: bool,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.variables).finish()
    }
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

    /// The fields of a struct that derives `Schema`.
    ///
    /// # Errors
    /// As for [`Schema::add`].
    pub fn of<T: Structure>() -> Result<Self, SchemaError> {
        T::fields(false)
    }

    /// Adds a variable. Declaring the same again is fine: steps share variables.
    ///
    /// # Errors
    /// A variable of that name and another type, default, unit, presence, role or former name; a default of another type;
    /// a reserved name.
    pub fn add(&mut self, mut variable: Variable) -> Result<(), SchemaError> {
        let name = variable.name.to_string();
        if RESERVED.contains(&name.as_str()) {
            return Err(SchemaError::Reserved { name });
        }
        type_default(&mut variable)?;
        match self.index.get(&variable.name) {
            Some(at) if self.variables[*at].agrees_with(&variable) => {}
            Some(at) => {
                let show = |v: &Variable| {
                    let units = v.units.map(|units| format!(", in {units}")).unwrap_or_default();
                    let env = v.env.map(|env| format!(", from ${env}")).unwrap_or_default();
                    let former = match &*v.former {
                        [] => String::new(),
                        former => format!(", once {}", former.join(" and ")),
                    };
                    format!("{}{} ({}{units}{env}{former})", v.role.adjective(), v.ty, v.presence())
                };
                let (first, second) = (show(&self.variables[*at]), show(&variable));
                return Err(SchemaError::Conflict { name, first, second });
            }
            None => {
                self.index.insert(variable.name.clone(), self.variables.len());
                self.former.extend(variable.former.iter().map(|former| (former.clone(), self.variables.len())));
                self.variables.push(variable);
            }
        }
        Ok(())
    }

    /// Makes it an error that no PDK is chosen where one must give variables. Without it, there is nothing to say about
    /// those: for flows that can only be planned.
    #[must_use]
    pub fn needing_pdk(mut self) -> Self {
        self.needs_pdk = true;
        self
    }

    pub(crate) fn needs_pdk(&self) -> bool {
        self.needs_pdk
    }

    /// Adds the fields of a nested struct under `name` and a dot.
    ///
    /// # Errors
    /// As for [`Schema::add`].
    pub fn nest(&mut self, name: &str, doc: impl Into<Cow<'static, str>>, fields: Self) -> Result<(), SchemaError> {
        let under = |field: &str| Cow::Owned(format!("{name}.{field}"));
        for field in &fields.variables {
            let mut field = field.clone();
            field.name = under(&field.name);
            field.former = field.former.iter().map(|former| under(former)).collect();
            // A field may come from one beside the struct: names that are not the struct's are looked up around it.
            if let Role::Derived { from } = &mut field.role {
                let is_inside = |other: &str| fields.get(other).is_some() || fields.is_group(other);
                *from = from.iter().map(|o| if is_inside(o) { under(o) } else { o.clone() }).collect();
            }
            self.add(field)?;
        }
        self.groups.extend(fields.groups.into_iter().map(|(group, doc)| (format!("{name}.{group}"), doc)));
        self.groups.insert(name.to_owned(), doc.into());
        let below = |names: Vec<String>| names.iter().map(|field| format!("{name}.{field}")).collect();
        let optional = fields.optional_groups.into_iter();
        self.optional_groups.extend(optional.map(|(group, names)| (format!("{name}.{group}"), below(names))));
        Ok(())
    }

    /// Adds the fields of a nested struct that is there when any of its fields is given. Its required fields are
    /// required only then.
    ///
    /// # Errors
    /// As for [`Schema::add`].
    pub fn nest_optional(
        &mut self,
        name: &str,
        doc: impl Into<Cow<'static, str>>,
        mut fields: Self,
    ) -> Result<(), SchemaError> {
        let mut required = Vec::new();
        for field in fields.variables.iter_mut().filter(|field| field.is_required()) {
            field.optional = true;
            required.push(format!("{name}.{}", field.name));
        }
        self.nest(name, doc, fields)?;
        self.optional_groups.insert(name.to_owned(), required);
        Ok(())
    }

    /// The optional nested structs that are there but for fields that they need, with these. `has` says whether a
    /// variable, or any in a group, has a value.
    pub(crate) fn incomplete_groups(&self, has: impl Fn(&str) -> bool) -> Vec<(&str, Vec<&Variable>)> {
        let groups = self.optional_groups.iter().filter(|(group, _)| has(group));
        let missing = groups.map(|(group, names)| {
            let missing = names.iter().filter(|name| !has(name)).filter_map(|name| self.get(name));
            (group.as_str(), missing.collect::<Vec<_>>())
        });
        missing.filter(|(_, missing)| !missing.is_empty()).collect()
    }

    /// Changes the declaration of a variable, or of a field of a struct that it holds.
    ///
    /// # Errors
    /// No such variable; as for [`Schema::add`].
    pub(crate) fn amend(&mut self, name: &str, change: fn(Variable) -> Variable) -> Result<(), SchemaError> {
        if let Some(at) = self.index.get(name) {
            let mut variable = change(self.variables[*at].clone());
            type_default(&mut variable)?;
            self.former.extend(variable.former.iter().map(|former| (former.clone(), *at)));
            self.variables[*at] = variable;
            return Ok(());
        }
        let no_field = || SchemaError::NoField { name: name.to_owned() };
        let (whole, field) = name.split_once('.').ok_or_else(no_field)?;
        let variable = &mut self.variables[*self.index.get(whole).ok_or_else(no_field)?];
        let Type::Struct(of) = &variable.ty else { return Err(no_field()) };
        let mut fields = of.fields.clone();
        fields.amend(field, change)?;
        variable.ty = Type::Struct(Arc::new(Struct { name: of.name.clone(), fields }));
        Ok(())
    }

    /// Lets names that other flows have, or that were removed, be warned of instead of refused.
    #[must_use]
    pub fn with_elsewhere(mut self, known: KnownElsewhere) -> Self {
        self.elsewhere = Some(known);
        self
    }

    /// The variable that a name means, and the entry of it: `CLOCK_PERIODS.clk` is `.clk` of `CLOCK_PERIODS`. The entry
    /// of a whole variable is empty.
    #[must_use]
    pub fn find<'n>(&self, name: &'n str) -> Option<(&Variable, &'n str)> {
        if let Some(variable) = self.get(name) {
            return Some((variable, ""));
        }
        name.rmatch_indices('.').find_map(|(at, _)| {
            let variable = self.get(&name[..at])?;
            matches!(variable.ty, Type::Map(_) | Type::List(_) | Type::Tuple(_) | Type::Any)
                .then_some((variable, &name[at..]))
        })
    }

    /// The variable that once had this name.
    #[must_use]
    pub fn formerly(&self, name: &str) -> Option<&Variable> {
        self.former.get(name).map(|at| &self.variables[*at])
    }

    /// Why a name that is not in the schema is no mistake, if it is none.
    #[must_use]
    pub fn elsewhere(&self, name: &str) -> Option<Elsewhere> {
        self.elsewhere.as_ref().and_then(|known| known(name))
    }

    /// Whether the name is that of a nested struct.
    #[must_use]
    pub fn is_group(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    /// The nested structs by their dotted names, with what they are for.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &str)> {
        self.groups.iter().map(|(name, doc)| (name.as_str(), doc.as_ref()))
    }

    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.variables.len() == other.variables.len()
            && self.variables.iter().all(|v| other.get(&v.name).is_some_and(|same| v.agrees_with(same)))
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

/// Makes the default a value of the variable's type.
fn type_default(variable: &mut Variable) -> Result<(), SchemaError> {
    let Some(default) = variable.default.take() else { return Ok(()) };
    let found = format!("`{default}`");
    variable.default = variable.ty.default_value(default);
    if variable.default.is_none() {
        let name = variable.name.to_string();
        return Err(SchemaError::Default { name, expected: variable.ty.one(), found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tapeout_model::{Decimal, Value};

    use super::*;
    use crate::types::Type;

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
            (
                period().formerly("PERIOD"),
                "variable `CLOCK_PERIOD` is declared twice, as decimal (required, in ns) and as decimal (required, in ns, once PERIOD)",
            ),
            (
                period().secret(),
                "variable `CLOCK_PERIOD` is declared twice, as decimal (required, in ns) and as secret decimal (required, in ns)",
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
