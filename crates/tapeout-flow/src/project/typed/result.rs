//! Structs as results of tasks: their fields are the attributes.

use std::marker::PhantomData;

use tapeout_model::Data;

use super::{Datum, Mismatch};

/// What a task gives: a struct that derives it, whose fields are the attributes of the result, or `()` where there is
/// nothing to give. Each field is of a type that is a [`Datum`].
///
/// ```
/// use tapeout_flow::project::{FilePath, TaskResult};
///
/// #[derive(TaskResult)]
/// struct Image {
///     hex: FilePath,
///     words: i64,
/// }
/// ```
///
/// The derived constants name the attributes one by one: `Image::HEX` is for [`Target::attribute`](super::Target::attribute).
pub trait TaskResult: Sized + 'static {
    /// The names of the attributes in order.
    const NAMES: &'static [&'static str];

    /// Tells what such a result is made of.
    fn describe(shape: &mut Shape);

    /// The attributes; `None` where there are none to give.
    ///
    /// # Errors
    /// When a result cannot hold one of them.
    fn into_attributes(self) -> Result<Option<Vec<(String, Data)>>, Mismatch>;

    /// The result of these attributes.
    ///
    /// # Errors
    /// When one is not there, or is something else.
    fn from_attributes(attributes: Attributes) -> Result<Self, Mismatch>;
}

impl TaskResult for () {
    const NAMES: &'static [&'static str] = &[];

    fn describe(shape: &mut Shape) {
        shape.word("()");
    }

    fn into_attributes(self) -> Result<Option<Vec<(String, Data)>>, Mismatch> {
        Ok(None)
    }

    fn from_attributes(_: Attributes) -> Result<Self, Mismatch> {
        Ok(())
    }
}

/// Attributes by name, from which a struct is made and into which it is taken apart.
#[derive(Debug, Default)]
pub struct Attributes(Vec<(String, Data)>);

impl Attributes {
    /// Adds one.
    ///
    /// # Errors
    /// When a result cannot hold it.
    pub fn put<T: Datum>(&mut self, name: &str, value: T) -> Result<(), Mismatch> {
        let data = value.into_data().map_err(|wrong| wrong.inside(format!(".{name}")))?;
        self.0.push((name.to_owned(), data));
        Ok(())
    }

    /// Takes one out.
    ///
    /// # Errors
    /// When it is not there, or is something else.
    pub fn take<T: Datum>(&mut self, name: &str) -> Result<T, Mismatch> {
        let inside = |wrong: Mismatch| wrong.inside(format!(".{name}"));
        match self.0.iter().position(|(known, _)| known == name) {
            Some(place) => T::from_data(self.0.swap_remove(place).1).map_err(inside),
            None => Err(inside(Mismatch::new("it is not there"))),
        }
    }

    /// All that are left.
    #[must_use]
    pub fn into_vec(self) -> Vec<(String, Data)> {
        self.0
    }
}

impl From<Vec<(String, Data)>> for Attributes {
    fn from(attributes: Vec<(String, Data)>) -> Self {
        Self(attributes)
    }
}

/// An attribute of results `R` with values `T`.
#[derive(Debug)]
pub struct Attribute<R, T> {
    pub(super) name: &'static str,
    of: PhantomData<fn() -> (R, T)>,
}

impl<R, T> Attribute<R, T> {
    /// The attribute of this name. Deriving [`TaskResult`] makes one for each field.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }
}

/// What results are made of, as a text: whatever a task gave with other attributes is not recalled.
#[derive(Debug, Default)]
pub struct Shape {
    text: String,
    /// The structs that are being told.
    within: Vec<&'static str>,
}

impl Shape {
    /// Adds a word.
    pub fn word(&mut self, word: &str) {
        self.text.push_str(word);
        self.text.push(' ');
    }

    /// Adds what has parts.
    pub fn of(&mut self, word: &str, parts: impl FnOnce(&mut Self)) {
        self.word(word);
        self.word("(");
        parts(self);
        self.word(")");
    }

    /// Adds a struct: `type_name` is unique, and one that has itself as a part is told once.
    pub fn structure(&mut self, type_name: &'static str, fields: impl FnOnce(&mut Self)) {
        if self.within.contains(&type_name) {
            self.word(type_name);
            return;
        }
        self.within.push(type_name);
        self.of("struct", fields);
        self.within.pop();
    }

    /// Adds a field of a struct.
    pub fn field<T: Datum>(&mut self, name: &str) {
        self.word(name);
        T::describe(self);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::project::FilePath;

    #[test]
    fn values_are_what_they_were() {
        fn check<T: Datum + PartialEq + Clone + std::fmt::Debug>(value: T, expected: Data) {
            let data = value.clone().into_data().unwrap();
            assert_eq!(data, expected);
            assert_eq!(T::from_data(data).unwrap(), value);
        }
        check(true, Data::Bool(true));
        check(-3_i8, Data::Int(-3));
        check(7_usize, Data::Int(7));
        check(1.5, Data::Float(1.5));
        check("text".to_owned(), Data::Text("text".into()));
        check(FilePath::Source("rtl".into()), Data::Path(FilePath::Source("rtl".into())));
        check(UNIX_EPOCH + Duration::from_millis(1500), Data::Time(1.5));
        check(None::<bool>, Data::None);
        check(Some(vec![1_u8]), Data::List(vec![Data::Int(1)]));
        check((1_i64, "a".to_owned()), Data::Tuple(vec![Data::Int(1), "a".into()]));
        check(BTreeMap::from([("a".to_owned(), ())]), Data::Map(vec![("a".into(), Data::None)]));
        assert_eq!(f64::from_data(Data::Int(2)), Ok(2.0), "a whole number is a number");
    }

    #[test]
    fn what_does_not_fit_is_said_with_the_way_to_it() {
        let said = |wrong: Mismatch| wrong.inside("a").into_failure("attribute", "it").message;
        let found = u8::from_data(Data::Int(256)).map_err(said);
        assert_eq!(found.unwrap_err(), "the attribute `a` of it: expected an integer from 0 to 255, found 256");
        let nested = Data::List(vec![Data::Tuple(vec![Data::Int(1), Data::Bool(true)])]);
        let found = Vec::<(i64, f64)>::from_data(nested).map_err(said);
        assert_eq!(found.unwrap_err(), "the attribute `a[0][1]` of it: expected a number, found a boolean");
        let found = <(i64, i64)>::from_data(Data::Tuple(vec![Data::None])).map_err(said);
        assert_eq!(found.unwrap_err(), "the attribute `a` of it: expected a tuple of 2, found one of 1");
        let found = (u64::MAX,).0.into_data().map_err(said);
        let expected =
            "the attribute `a` of it: 18446744073709551615 is larger than a result can hold (9223372036854775807)";
        assert_eq!(found.unwrap_err(), expected);
    }
    struct Tree {
        children: Vec<Tree>,
    }

    impl TaskResult for Tree {
        const NAMES: &'static [&'static str] = &["children"];

        fn describe(shape: &mut Shape) {
            shape.structure("Tree", |shape| shape.field::<Vec<Self>>("children"));
        }

        fn into_attributes(self) -> Result<Option<Vec<(String, Data)>>, Mismatch> {
            let mut attributes = Attributes::default();
            attributes.put("children", self.children)?;
            Ok(Some(attributes.into_vec()))
        }

        fn from_attributes(mut attributes: Attributes) -> Result<Self, Mismatch> {
            Ok(Self { children: attributes.take("children")? })
        }
    }

    #[test]
    fn a_shape_tells_types_apart_and_ends() {
        let shape = |describe: fn(&mut Shape)| {
            let mut shape = Shape::default();
            describe(&mut shape);
            shape.into_text()
        };
        assert_eq!(shape(<Tree as Datum>::describe), "struct ( children list ( Tree ) ) ");
        assert_ne!(shape(<(Vec<bool>, i64)>::describe), shape(<Vec<(bool, i64)>>::describe));
        let tree = Tree { children: vec![Tree { children: Vec::new() }] };
        let wrong = Tree::from_data(Data::Map(vec![("children".into(), vec![Data::Map(Vec::new())].into())])).err();
        let said = wrong.map(|wrong| wrong.into_failure("attribute", "it").message);
        assert_eq!(said.as_deref(), Some("the attribute `children[0].children` of it: it is not there"));
        assert!(Tree::from_data(tree.into_data().unwrap()).is_ok());
    }
}
