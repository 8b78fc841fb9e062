//! How case files write types: `list[tuple[int,decimal]]`, `'none'|'in'='none'`, `list[str]? pdk`.

use tapeout_config::{Schema, Type, Variable};
use tapeout_model::Value;

/// A variable of `TYPE`, `TYPE=DEFAULT` or `TYPE?`; `pdk` behind it lets the PDK give it.
///
/// # Errors
/// The text is none of that.
pub(crate) fn variable(name: &str, text: &str) -> Result<Variable, String> {
    let (text, from_pdk) = match text.strip_suffix(" pdk") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut parser = Parser { text, rest: text.trim() };
    let (ty, optional, default) = parser.declaration()?;
    if !parser.rest.is_empty() {
        return Err(parser.wrong());
    }
    let mut variable = Variable::new(name.to_owned(), ty, "A variable of the case.");
    variable.optional = optional;
    variable.default = default;
    variable.from_pdk = from_pdk;
    Ok(variable)
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn wrong(&self) -> String {
        format!("`{}` is not the type of a variable: stopped at `{}`", self.text, self.rest)
    }

    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(self.wrong()) }
    }

    /// The text before the first of these characters, which may be the end.
    fn until(&mut self, ends: &[char]) -> &'a str {
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        word.trim()
    }

    /// A type with `?` or a default, and whether it is optional.
    fn declaration(&mut self) -> Result<(Type, bool, Option<Value>), String> {
        let (ty, mut optional) = match self.of_type()? {
            Type::Optional(ty) => (*ty, true),
            ty => (ty, false),
        };
        optional |= self.take("?");
        let default = if self.take("=") { Some(value(self.until(&[',', '}']))) } else { None };
        Ok((ty, optional, default))
    }

    fn of_type(&mut self) -> Result<Type, String> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('\'') {
            let mut words = Vec::new();
            while self.take("'") {
                words.push(self.until(&['\'']).to_owned());
                self.expect("'")?;
                if !self.take("|") {
                    break;
                }
            }
            return Ok(Type::choice(words));
        }
        let before = self.rest;
        let name = self.until(&['[', '{', ']', '}', ',', '?', '=', ' ']);
        Ok(match name {
            "int" => Type::Int,
            "decimal" => Type::Decimal,
            "bool" => Type::Bool,
            "str" => Type::Str,
            "path" => Type::Path,
            "list" => Type::list(self.of_exactly(1)?.remove(0)),
            "optional" => self.of_exactly(1)?.remove(0).or_null(),
            "tuple" => Type::tuple(self.of_types()?),
            "union" => Type::union(self.of_types()?),
            "dict" => {
                let mut types = self.of_exactly(2)?;
                match types.remove(0) {
                    Type::Str => Type::map(types.remove(0)),
                    key => return Err(format!("`{}`: the keys of a map are text, not of type {key}", self.text)),
                }
            }
            "literal" | "enum" => Type::choice(self.words()?),
            "struct" => self.structure()?,
            _ => {
                self.rest = before;
                return Err(self.wrong());
            }
        })
    }

    fn of_types(&mut self) -> Result<Vec<Type>, String> {
        self.expect("[")?;
        let mut types = vec![self.of_type()?];
        while self.take(",") {
            types.push(self.of_type()?);
        }
        self.expect("]")?;
        Ok(types)
    }

    fn of_exactly(&mut self, count: usize) -> Result<Vec<Type>, String> {
        let types = self.of_types()?;
        if types.len() == count { Ok(types) } else { Err(self.wrong()) }
    }

    /// The words of a choice, in brackets or braces. Of an enumeration only the names count.
    fn words(&mut self) -> Result<Vec<String>, String> {
        let end = if self.take("[") { ']' } else { '}' };
        if end == '}' {
            self.expect("{")?;
        }
        let words = self.until(&[end]).split(',').map(|word| {
            let word = word.split(['=', ':']).next().unwrap_or(word);
            word.trim().trim_matches(['\'', '"']).to_owned()
        });
        let words = words.collect();
        self.expect(&end.to_string())?;
        Ok(words)
    }

    fn structure(&mut self) -> Result<Type, String> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.take("}") {
            let name = self.until(&[':', '}']).to_owned();
            self.expect(":")?;
            let (ty, optional, default) = self.declaration()?;
            let mut field = Variable::new(name, ty, "A field of the case.");
            field.optional = optional;
            field.default = default;
            fields.push(field);
            if !self.take(",") && !self.rest.starts_with('}') {
                return Err(self.wrong());
            }
        }
        let fields = Schema::new(fields).map_err(|error| error.to_string())?;
        Ok(Type::structure("struct", fields))
    }
}

/// A default as it is written: a number, a boolean, or text with or without quotes.
fn value(text: &str) -> Value {
    match (text.trim_matches('\''), text.parse::<i64>()) {
        (_, Ok(number)) => Value::Int(number),
        ("true", _) => Value::Bool(true),
        ("false", _) => Value::Bool(false),
        (text, _) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        let cases = [
            ("int", "integer", "required"),
            ("list[tuple[str,decimal]]", "list of tuples of a string and a decimal", "required"),
            ("dict[str,list[path]]", "map of lists of paths", "required"),
            ("union[int,dict[str,bool]]", "an integer or a map of booleans", "required"),
            ("optional[list[optional[int]]]", "list of integers, or null", "optional"),
            ("'none'|'in'='none'", "one of `none`, `in`", "default none"),
            ("bool=true", "boolean", "default true"),
            ("list[str]?", "list of strings", "optional"),
            ("enum{A=1,B=2}", "one of `A`, `B`", "required"),
            ("literal[yes,no]", "one of `yes`, `no`", "required"),
        ];
        for (text, ty, presence) in cases {
            let variable = variable("X", text).unwrap();
            let found = match &variable.default {
                Some(default) => format!("default {default}"),
                None if variable.optional => "optional".to_owned(),
                None => "required".to_owned(),
            };
            assert_eq!((variable.ty.to_string().as_str(), found.as_str()), (ty, presence), "{text}");
        }
        assert!(variable("X", "decimal pdk").unwrap().from_pdk);
        let Type::Struct(of) = variable("X", "struct{a:int,b:str?,c:bool=false}").unwrap().ty else { panic!() };
        assert_eq!(of.fields.iter().map(|field| field.is_required()).collect::<Vec<_>>(), [true, false, false]);
        for wrong in ["", "int]", "list", "list[int", "tuple[]", "float", "dict[int,str]", "list[int] ?x", "struct{a}"]
        {
            assert!(variable("X", wrong).is_err(), "{wrong}");
        }
    }
}
