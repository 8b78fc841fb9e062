//! A schema as JSON Schema (draft 2020-12), by which editors complete and check configuration files.
//!
//! It describes one file of several: nothing at the top is required, as other layers may give it. Numbers are checked as
//! `meta.version: 2` demands. What only the program can know is left to it: which files there are, what references come
//! to, which unit is meant.

use serde_json::{Map, Value as Json, json};

use crate::schema::Schema;
use crate::types::Type;
use crate::variable::{Role, Variable};

/// Text that is worked out and may come to any type.
const REFERENCE: &str = "#/$defs/$reference";

/// A number with a unit.
const QUANTITY: &str = "#/$defs/$quantity";

/// Keys that are comments.
const COMMENTS: &str = "^(//|#)";

impl Schema {
    /// The schema in the terms of JSON Schema. Derived variables are not in it, as they cannot be set.
    #[must_use]
    pub fn json_schema(&self, title: &str) -> Json {
        let mut root = self.group("");
        let mut defs = Map::new();
        defs.insert(
            "$reference".to_owned(),
            json!({
                "description": "A value that is worked out, such as `ref::$NAME` or `expr::$NAME * 2`.",
                "type": "string",
                "pattern": "^(ref|refg|dir|pdk_dir|expr)::",
            }),
        );
        defs.insert(
            "$quantity".to_owned(),
            json!({
                "description": "A number with a unit, such as `2 ns`.",
                "type": "string",
                "pattern": r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*[A-Za-zµμΩ°%][^\s]*\s*$",
            }),
        );
        for (name, _) in self.groups() {
            defs.insert(name.to_owned(), Json::Object(self.group(name)));
        }
        if let Some(Json::Object(properties)) = root.get_mut("properties") {
            properties.extend(reserved());
        }
        if let Some(Json::Object(patterns)) = root.get_mut("patternProperties") {
            let section = json!({
                "description": "What holds for the PDKs or the cell libraries of matching names only.",
                "$ref": "#",
            });
            patterns.insert("^(pdk|scl)::".to_owned(), section);
        }
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!(title));
        schema.extend(root);
        schema.insert("$defs".to_owned(), Json::Object(defs));
        Json::Object(schema)
    }

    /// The variables of a group, or those outside of groups and the groups themselves. Editors propose the nested form;
    /// dotted names, which mean the same, are patterns, which they only check.
    fn group(&self, group: &str) -> Map<String, Json> {
        let mut properties = Map::new();
        let mut patterns = Map::new();
        patterns.insert(COMMENTS.to_owned(), json!(true));
        let mut add = |name: &str, place: String, schema: &dyn Fn() -> Json| {
            let Some(name) = below(name, group) else { return };
            if name.contains('.') {
                patterns.insert(format!("^{}$", escaped(name)), json!({ "$ref": place }));
            } else {
                properties.insert(name.to_owned(), schema());
            }
        };
        for variable in self.iter().filter(|variable| !matches!(variable.role, Role::Derived { .. })) {
            let place = self.place(&variable.name);
            add(&variable.name, place.clone(), &|| described(variable));
            for former in variable.former.iter() {
                let description = format!("Former name of `{}`.", variable.name);
                let schema = json!({ "$ref": place, "deprecated": true, "description": description });
                add(former, self.place(former), &|| schema.clone());
            }
        }
        for (name, doc) in self.groups() {
            let place = format!("#/$defs/{}", pointer(name));
            add(name, place.clone(), &|| json!({ "$ref": place, "description": doc }));
        }
        for variable in self.iter().filter(|variable| !matches!(variable.role, Role::Derived { .. })) {
            let has_parts = matches!(variable.ty, Type::Map(_) | Type::List(_) | Type::Tuple(_) | Type::Any);
            if let (true, Some(name)) = (has_parts, below(&variable.name, group)) {
                let description = format!("A part of `{}`.", variable.name);
                patterns.insert(format!("^{}\\.", escaped(name)), json!({ "description": description }));
            }
        }
        let mut schema = Map::new();
        schema.insert("type".to_owned(), if group.is_empty() { json!("object") } else { json!(["object", "null"]) });
        schema.insert("properties".to_owned(), Json::Object(properties));
        schema.insert("patternProperties".to_owned(), Json::Object(patterns));
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema
    }

    /// Where a variable is described.
    fn place(&self, name: &str) -> String {
        match name.rsplit_once('.').filter(|(group, _)| self.is_group(group)) {
            Some((group, field)) => format!("#/$defs/{}/properties/{}", pointer(group), pointer(field)),
            None => format!("#/properties/{}", pointer(name)),
        }
    }
}

/// The name in the group of something that is in it, whatever the depth.
fn below<'a>(name: &'a str, group: &str) -> Option<&'a str> {
    if group.is_empty() { Some(name) } else { name.strip_prefix(group)?.strip_prefix('.') }
}

/// A part of a JSON pointer in a fragment.
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1").replace('%', "%25")
}

/// A name as a regular expression that means it.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_punctuation() && !['_', '-', '/'].contains(&c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

fn described(variable: &Variable) -> Json {
    let mut schema = written(&variable.ty, variable.units.is_some());
    if variable.optional {
        schema = or(vec![schema, json!({ "type": "null" })]);
    }
    let Json::Object(mut described) = schema else { return json!({ "description": description(variable) }) };
    described.insert("description".to_owned(), json!(description(variable)));
    match (&variable.role, &variable.default) {
        (Role::Deprecated(_), _) => {
            described.insert("deprecated".to_owned(), json!(true));
        }
        (Role::Input, Some(default)) => {
            described.insert("default".to_owned(), default.to_json());
        }
        _ => {}
    }
    Json::Object(described)
}

fn description(variable: &Variable) -> String {
    let mut text = variable.doc.to_string();
    let mut add = |more: String| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&more);
    };
    if let Some(units) = variable.units {
        add(format!("In {units}."));
    }
    if !variable.mandatory_in.is_empty() {
        let modes: Vec<String> = variable.mandatory_in.iter().map(|mode| format!("`{mode}`")).collect();
        add(format!("Mandatory in mode {}.", modes.join(" and ")));
    }
    if let Some(env) = variable.env {
        add(format!("Also set by `${env}`."));
    }
    text
}

fn or(schemas: Vec<Json>) -> Json {
    let mut flat = Vec::new();
    for schema in schemas {
        let alternatives = schema.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("anyOf"));
        let alternatives = match alternatives {
            Some(Json::Array(alternatives)) => alternatives.clone(),
            _ => vec![schema],
        };
        for alternative in alternatives {
            if !flat.contains(&alternative) {
                flat.push(alternative);
            }
        }
    }
    json!({ "anyOf": flat })
}

/// What may be written for a value of the type.
fn written(ty: &Type, has_units: bool) -> Json {
    let reference = || json!({ "$ref": REFERENCE });
    let number = |kind: &str| {
        let mut forms = vec![json!({ "type": kind }), reference()];
        if has_units {
            forms.push(json!({ "$ref": QUANTITY }));
        }
        or(forms)
    };
    match ty {
        Type::Bool => or(vec![json!({ "type": "boolean" }), reference()]),
        Type::Int => number("integer"),
        Type::Decimal => number("number"),
        Type::Str | Type::Path | Type::Dir | Type::NewPath => json!({ "type": "string" }),
        Type::Choice(words) => or(vec![json!({ "enum": words.written().collect::<Vec<_>>() }), reference()]),
        Type::List(item) => {
            // `null` in a list is nothing.
            let items = or(vec![written(item, has_units), json!({ "type": "null" })]);
            or(vec![json!({ "type": "array", "items": items }), reference()])
        }
        Type::Map(item) => {
            let items = written(item, has_units);
            or(vec![json!({ "type": "object", "additionalProperties": items }), reference()])
        }
        Type::Tuple(items) => {
            let forms: Vec<Json> = items.iter().map(|item| written(item, has_units)).collect();
            let len = forms.len();
            let tuple = json!({
                "type": "array", "prefixItems": forms, "items": false, "minItems": len, "maxItems": len,
            });
            or(vec![tuple, reference()])
        }
        Type::Union(members) => or(members.iter().map(|member| written(member, has_units)).collect()),
        Type::Optional(item) => or(vec![written(item, has_units), json!({ "type": "null" })]),
        Type::Struct(of) => {
            let fields = of.fields.iter().map(|field| (field.name.to_string(), described(field)));
            let required: Vec<&str> =
                of.fields.iter().filter(|field| field.is_required()).map(|field| field.name.as_ref()).collect();
            let structure = json!({
                "title": of.name,
                "type": "object",
                "properties": fields.collect::<Map<String, Json>>(),
                "required": required,
                "patternProperties": { COMMENTS: true },
                "additionalProperties": false,
            });
            or(vec![structure, reference()])
        }
        Type::Any => json!({}),
    }
}

/// The keys at the top that are not variables.
fn reserved() -> Map<String, Json> {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let one_or_more = json!([{ "type": "string" }, list]);
    let count = json!({ "type": "integer", "minimum": 1 });
    let reserved = json!({
        "meta": {
            "description": "What the configuration says about itself.",
            "type": "object",
            "properties": {
                "version": {
                    "description": "How values are typed: 2 takes them as they are written, 1 converts text.",
                    "enum": [1, 2],
                },
                "flow": { "description": "The flow by its name, or as a list of its steps.", "anyOf": one_or_more },
                "substituting_steps": { "description": "Changes of the flow's steps.", "type": ["object", "array"] },
                "step": { "description": "The step for which a step's own configuration was written." },
                "librelane_version": { "description": "The program that wrote the file." },
                "openlane_version": { "description": "The program that wrote the file." },
            },
            "patternProperties": { COMMENTS: true },
            "additionalProperties": false,
        },
        "tools": {
            "description": "How the tools of this machine are started, by their names.",
            "type": "object",
            "patternProperties": { COMMENTS: true },
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "path": { "description": "The executable.", "type": "string" },
                    "setup": { "description": "Shell commands that set up its environment.", "type": "string" },
                    "prefix": { "description": "A command that it is started through.", "allOf": [list] },
                    "env": {
                        "description": "Variables of the tool's environment.",
                        "type": "object",
                        "additionalProperties": { "type": "string" },
                    },
                    "at_once": { "description": "How many of it may run at a time.", "allOf": [count] },
                    "timeout_s": { "description": "How many seconds it may run.", "allOf": [count] },
                    "no_licence": {
                        "description": "Words in its log that mean that there was no licence for it.", "allOf": [list],
                    },
                },
                "patternProperties": { COMMENTS: true },
                "additionalProperties": false,
            },
        },
        "$schema": { "description": "Where editors find this schema.", "type": "string" },
        "include": {
            "description": "Configurations that this one stands upon, relative to its own directory.",
            "anyOf": one_or_more,
        },
    });
    match reserved {
        Json::Object(reserved) => reserved,
        _ => Map::new(),
    }
}
