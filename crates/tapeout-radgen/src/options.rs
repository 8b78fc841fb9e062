//! Which options there are: one for each field of the schema, named without its section. Reading a command line is
//! elsewhere.

use tapeout_config::{Role, Schema, Type, Variable, nearest};

use crate::subtool::Subtool;

/// The section of the options that all subtools share.
pub(crate) const COMMON: &str = "common";

/// Shortcuts that stand for several. PrimeTime does both stages, which were one once.
const JOINT_SHORTCUTS: [(&str, &[&str]); 1] = [("pt", &["timing", "power"])];

/// Among how many nearest names a suggestion is still readable.
const MOST_SUGGESTIONS: usize = 4;

/// The options for some of the subtools.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    schema: &'a Schema,
    subtools: &'a [Subtool],
}

/// What an option's name stands for.
pub(crate) enum Found<'a> {
    /// These fields.
    Fields(Vec<&'a Variable>),
    /// A field of each of several sections.
    Ambiguous(Vec<&'a Variable>),
    /// A field of a subtool that is not named.
    OtherSubtool(Subtool),
    /// Nothing.
    Unknown,
}

impl<'a> Options<'a> {
    pub(crate) fn new(schema: &'a Schema, subtools: &'a [Subtool]) -> Self {
        Self { schema, subtools }
    }

    /// The sections whose options may be given.
    fn sections(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(COMMON).chain(self.subtools.iter().map(|subtool| subtool.name()))
    }

    /// The options of a section.
    pub(crate) fn of(&self, section: &str) -> impl Iterator<Item = &'a Variable> {
        let prefix = format!("{section}.");
        self.schema.iter().filter(move |variable| variable.name.starts_with(&prefix))
    }

    fn all(&self) -> impl Iterator<Item = &'a Variable> {
        self.sections().flat_map(|section| self.of(section))
    }

    /// What `--name` stands for.
    pub(crate) fn long(&self, name: &str) -> Found<'a> {
        if let Some((section, _)) = name.split_once('.')
            && let Some(variable) = self.schema.get(name)
        {
            if self.sections().any(|known| known == section) {
                return Found::Fields(vec![variable]);
            }
            if let Some(subtool) = Subtool::named(section) {
                return Found::OtherSubtool(subtool);
            }
        }
        let found = self.sections().filter_map(|section| self.schema.get(&format!("{section}.{name}")));
        let other = || Subtool::ALL.into_iter().find(|subtool| self.schema.get(&format!("{subtool}.{name}")).is_some());
        Self::judge(found.collect(), other)
    }

    /// What `-name` stands for.
    pub(crate) fn short(&self, name: &str) -> Found<'a> {
        if let Some((_, parts)) = JOINT_SHORTCUTS.iter().find(|(joint, _)| *joint == name) {
            let fields: Vec<_> =
                parts.iter().filter_map(|part| self.all().find(|variable| variable.shortcut == Some(part))).collect();
            if fields.len() == parts.len() {
                return Found::Fields(fields);
            }
        }
        let has = |variable: &&Variable| variable.shortcut == Some(name);
        let other = || Subtool::ALL.into_iter().find(|subtool| self.of(subtool.name()).any(|variable| has(&variable)));
        Self::judge(self.all().filter(has).collect(), other)
    }

    fn judge(found: Vec<&'a Variable>, other: impl FnOnce() -> Option<Subtool>) -> Found<'a> {
        match found.len() {
            0 => other().map_or(Found::Unknown, Found::OtherSubtool),
            1 => Found::Fields(found),
            _ => Found::Ambiguous(found),
        }
    }

    /// How the field is named on the command line, without the dashes: the section is left out where that is clear.
    pub(crate) fn name_of(&self, variable: &'a Variable) -> &'a str {
        let short = bare(&variable.name);
        match self.long(short) {
            Found::Fields(fields) if fields.len() == 1 => short,
            _ => &variable.name,
        }
    }

    /// The options that an unknown name may have been meant to be, with their dashes: what it is the beginning or the
    /// end of, else the nearest.
    pub(crate) fn suggestions(&self, name: &str) -> Vec<String> {
        let inputs = || self.all().filter(|variable| is_given_by_users(variable));
        let shown = |variable: &'a Variable| format!("--{}", self.name_of(variable));
        let end = format!(".{name}");
        let ends: Vec<_> = inputs().filter(|variable| variable.name.ends_with(&end)).map(shown).collect();
        if !ends.is_empty() && ends.len() <= MOST_SUGGESTIONS {
            return ends;
        }
        let begins: Vec<_> = inputs().filter(|variable| bare(&variable.name).starts_with(name)).map(shown).collect();
        if !begins.is_empty() {
            // Of the fields of a stage, whether it runs is what is meant.
            let run: Vec<_> = begins.iter().filter(|option| option.ends_with(".run")).cloned().collect();
            let few = if run.is_empty() { begins } else { run };
            return few.into_iter().take(MOST_SUGGESTIONS).collect();
        }
        if let Some(variable) = inputs().find(|variable| variable.shortcut == Some(name)) {
            return vec![format!("-{name} (which is {})", shown(variable))];
        }
        let names: Vec<&str> = inputs().map(|variable| bare(&variable.name)).collect();
        let near = nearest(name, names.iter().copied());
        near.into_iter().map(|near| format!("--{near}")).collect()
    }
}

/// Whether a user may set it.
pub(crate) fn is_given_by_users(variable: &Variable) -> bool {
    matches!(variable.role, Role::Input | Role::Secret)
}

/// The name without its section.
pub(crate) fn bare(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

/// How many words follow an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// None: it is a flag.
    None,
    /// One.
    One,
    /// All up to the next option.
    Many,
}

impl Words {
    pub(crate) fn of(variable: &Variable) -> Self {
        match variable.ty {
            Type::Bool => Self::None,
            Type::List(_) => Self::Many,
            _ => Self::One,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two subtools with an option in common, and a third.
    fn schema() -> Schema {
        let variable = |name| Variable::new(name, Type::Str, "").optional();
        let names = ["common.project_name", "asic_dse.seed", "asic_dse.mode.run", "coffe.seed", "ic_3d.depth"];
        Schema::new(names.map(variable)).unwrap()
    }

    fn found(found: &Found<'_>) -> String {
        let names = |fields: &[&Variable]| fields.iter().map(|field| field.name.to_string()).collect::<Vec<_>>();
        match found {
            Found::Fields(fields) => names(fields).join(" "),
            Found::Ambiguous(fields) => format!("ambiguous: {}", names(fields).join(" ")),
            Found::OtherSubtool(subtool) => format!("of {subtool}"),
            Found::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn an_option_of_two_subtools_needs_the_name_of_one() {
        let schema = schema();
        let both = [Subtool::AsicDse, Subtool::Coffe];
        let options = Options::new(&schema, &both);
        let cases = [
            ("project_name", "common.project_name"),
            ("common.project_name", "common.project_name"),
            ("mode.run", "asic_dse.mode.run"),
            ("seed", "ambiguous: asic_dse.seed coffe.seed"),
            ("coffe.seed", "coffe.seed"),
            ("depth", "of ic_3d"),
            ("ic_3d.depth", "of ic_3d"),
            ("mode", "unknown"),
            ("asic_dse", "unknown"),
        ];
        for (name, expected) in cases {
            assert_eq!(found(&options.long(name)), expected, "{name}");
        }
        let names: Vec<&str> = schema.iter().map(|variable| options.name_of(variable)).collect();
        assert_eq!(names, ["project_name", "asic_dse.seed", "mode.run", "coffe.seed", "ic_3d.depth"]);
        let one = [Subtool::Coffe];
        assert_eq!(found(&Options::new(&schema, &one).long("seed")), "coffe.seed");
    }
}
