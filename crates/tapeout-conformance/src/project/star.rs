//! A flow of a case as `flow.star`: classes become block types, tasks functions. Owns what the case files call the parts
//! of a task and the values of results.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::run::{entry, only, text};

/// The keys of a block, of a task, and those of them that say what a task does.
const OF_BLOCK: [&str; 6] = ["id", "class", "doc", "tasks", "params", "dependency_map"];
const OF_TASK: [&str; 11] =
    ["id", "requires", "always_rebuild", "hidden", "doc", "takes", "print", "write", "subprocess", "raise", "result"];

/// The text of `flow.star`.
pub(super) fn flow_star(flow: &Json) -> Result<String, String> {
    // How errors of commands look is each program's own.
    only(flow, &["blocks", "hide_subprocess_errors"])?;
    let blocks = entry(flow, "blocks")?.as_array().ok_or("`blocks` is not a list")?;
    let (mut types, mut made) = (String::new(), String::from("flow = Flow()\n"));
    let mut classes = BTreeSet::new();
    for block in blocks {
        only(block, &OF_BLOCK)?;
        let class = text(block, "class")?;
        if classes.insert(class) {
            types += &block_type(class, block)?;
        } else if block.get("tasks").is_some() {
            return Err(format!("the class `{class}` is defined twice"));
        }
        let mut arguments = Vec::new();
        for (name, value) in entries(block, "params")? {
            arguments.push(format!("{name} = {}", literal(value)?));
        }
        if let Some(symbols) = block.get("dependency_map") {
            arguments.push(format!("dependency_map = {}", literal(symbols)?));
        }
        let _ = writeln!(made, "flow[{}] = {class}({})", literal(entry(block, "id")?)?, arguments.join(", "));
    }
    Ok(types + &made)
}

/// The functions of a class and the block type. Its parameters have the values of the first block as defaults.
fn block_type(class: &str, block: &Json) -> Result<String, String> {
    let (mut functions, mut tasks) = (String::new(), String::new());
    for of in block.get("tasks").and_then(Json::as_array).into_iter().flatten() {
        only(of, &OF_TASK)?;
        let id = text(of, "id")?;
        let function = format!("_{class}_{id}");
        let requires = entries(of, "requires")?;
        let takes: Vec<&str> = match of.get("takes").and_then(Json::as_array) {
            Some(names) => names.iter().filter_map(Json::as_str).collect(),
            None => requires.iter().map(|(name, _)| *name).collect(),
        };
        let parameters = [&["ctx"], takes.as_slice()].concat().join(", ");
        let _ = write!(functions, "def {function}({parameters}):\n{}\n", body(of)?);
        let _ = write!(tasks, "    task({function}, id = {}", literal(entry(of, "id")?)?);
        if !requires.is_empty() {
            let _ = write!(tasks, ", requires = {}", literal(&of["requires"])?);
        }
        for flag in ["always_rebuild", "hidden"] {
            if of.get(flag).is_some_and(|value| value != false) {
                let _ = write!(tasks, ", {flag} = True");
            }
        }
        tasks += "),\n";
    }
    let _ = writeln!(functions, "{class} = block(");
    if let Some(doc) = block.get("doc") {
        let _ = writeln!(functions, "  doc = {},", literal(doc)?);
    }
    if block.get("params").is_some() {
        let _ = writeln!(functions, "  params = {},", literal(&block["params"])?);
    }
    let _ = writeln!(functions, "  tasks = [\n{tasks}  ],\n)\n");
    Ok(functions)
}

/// What a task does: it prints, writes, runs a command, fails, and returns a result, in this order.
fn body(of: &Json) -> Result<String, String> {
    let mut lines = Vec::new();
    if let Some(doc) = of.get("doc") {
        lines.push(literal(doc)?);
    }
    if let Some(said) = of.get("print") {
        lines.push(format!("print({})", filled(said)?));
    }
    match of.get("write") {
        None => {}
        Some(Json::Object(files)) => {
            for (path, text) in files {
                lines.push(format!("ctx.write({}, {})", quoted(path), filled(text)?));
            }
        }
        Some(path) => lines.push(format!("ctx.write({}, \"\")", filled(path)?)),
    }
    match of.get("subprocess") {
        None => {}
        Some(Json::String(script)) => lines.push(format!("ctx.run([\"sh\", \"-c\", {}])", quoted(script))),
        Some(words) => lines.push(format!("ctx.run({})", filled(words)?)),
    }
    match of.get("raise") {
        None => {}
        Some(Json::String(said)) => lines.push(format!("fail({})", quoted(said))),
        Some(said) => lines.push(format!("fail({})", quoted(&said.to_string()))),
    }
    if let Some(result) = of.get("result") {
        // Files that a result names are there.
        let written = of.get("write").and_then(Json::as_object);
        let named =
            named_files(result).into_iter().filter(|path| written.is_none_or(|files| !files.contains_key(*path)));
        lines.extend(named.map(|path| format!("ctx.write({}, \"\")", quoted(path))));
        lines.push("result = Result()".to_owned());
        for (name, value) in entries(of, "result")? {
            lines.push(format!("result.{name} = {}", filled(value)?));
        }
        lines.push("return result".to_owned());
    }
    if lines.is_empty() {
        lines.push("pass".to_owned());
    }
    Ok(lines.iter().map(|line| format!("    {line}\n")).collect())
}

/// The files below the directory of a target that a value names.
fn named_files(value: &Json) -> Vec<&str> {
    match value {
        Json::Array(items) => items.iter().flat_map(named_files).collect(),
        Json::Object(entries) => match (entries.get("$cwd").and_then(Json::as_str), entries.len()) {
            (Some(path), 1) => Some(path).filter(|path| !path.is_empty()).into_iter().collect(),
            _ => entries.values().flat_map(named_files).collect(),
        },
        _ => Vec::new(),
    }
}

/// A value as Starlark writes it, without places for other values in its texts.
fn literal(value: &Json) -> Result<String, String> {
    written(value, &|text| Ok(quoted(text)))
}

/// The same with the values of requirements and parameters in its texts: `{name.attribute}` and `{self.parameter}`.
fn filled(value: &Json) -> Result<String, String> {
    written(value, &template)
}

fn written(value: &Json, text: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    Ok(match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(value) => text(value)?,
        Json::Array(items) => {
            let items = items.iter().map(|item| written(item, text)).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) => match entries.iter().next() {
            Some((kind, of)) if entries.len() == 1 && kind.starts_with('$') => special(kind, of, text)?,
            _ => {
                let entries =
                    entries.iter().map(|(name, item)| Ok(format!("{}: {}", quoted(name), written(item, text)?)));
                format!("{{{}}}", entries.collect::<Result<Vec<_>, String>>()?.join(", "))
            }
        },
    })
}

/// What JSON does not have.
fn special(kind: &str, of: &Json, text: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let word = || of.as_str().ok_or_else(|| format!("`{kind}` of {of}, which is not understood"));
    Ok(match kind {
        "$cwd" if word()?.is_empty() => "ctx.cwd".to_owned(),
        "$cwd" => format!("ctx.cwd / {}", quoted(word()?)),
        "$path" => format!("Path({})", quoted(word()?)),
        "$time" => format!("Time({})", seconds(word()?).ok_or_else(|| format!("{of} is no time"))?),
        "$tuple" => {
            let items = of.as_array().into_iter().flatten().map(|item| written(item, text));
            format!("({},)", items.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        "$none" => "None".to_owned(),
        "$set" => format!("set({})", written(of, text)?),
        // There are no bytes here; a function is as little a value of a result.
        "$bytes" => "len".to_owned(),
        "$intkey" => format!("{{1: {}}}", written(of, text)?),
        "$float" => format!("float({})", quoted(word()?)),
        _ => return Err(format!("there is no value `{kind}`")),
    })
}

/// A text in which names in braces stand for values.
fn template(text: &str) -> Result<String, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let (of, attribute) = name.split_once('.').ok_or_else(|| format!("`{{{name}}}` names no value"))?;
        let of = if of == "self" { "ctx.block" } else { of };
        parts.extend([quoted(before), format!("str({of}.{attribute})")]);
        rest = after;
    }
    parts.push(quoted(rest));
    parts.retain(|part| part != "\"\"");
    Ok(if parts.is_empty() { quoted("") } else { parts.join(" + ") })
}

/// A text of JSON is one of Starlark.
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// The entries under a key, where there are any.
fn entries<'j>(of: &'j Json, key: &str) -> Result<Vec<(&'j str, &'j Json)>, String> {
    match of.get(key) {
        None => Ok(Vec::new()),
        Some(Json::Object(entries)) => Ok(entries.iter().map(|(name, value)| (name.as_str(), value)).collect()),
        Some(other) => Err(format!("`{key}` is {other}, which is no map")),
    }
}

/// Seconds since 1970 of `2000-12-31T23:59:59`, in UTC (days from civil, Hinnant 2013).
fn seconds(time: &str) -> Option<i64> {
    let (date, time) = time.split_once('T')?;
    let numbers = |text: &str, at: char| text.split(at).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>();
    let [year, month, day] = numbers(date, '-')?.try_into().ok()?;
    let [hours, minutes, seconds] = numbers(time, ':')?.try_into().ok()?;
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_class_is_a_block_type_and_an_id_a_block() {
        let flow = json!({ "blocks": [
            { "id": "a", "class": "A", "params": { "v": "x" }, "tasks": [
                { "id": "s", "result": { "k": "{self.v}!", "p": { "$cwd": "n.v" } } },
                { "id": "t", "doc": "Test.", "requires": { "s": ".s" }, "hidden": true, "print": "k: {s.k}" },
            ] },
            { "id": "b", "class": "A", "params": { "v": "y" }, "dependency_map": {} },
        ] });
        let expected = concat!(
            "def _A_s(ctx):\n    ctx.write(\"n.v\", \"\")\n    result = Result()\n    result.k = str(ctx.block.v) + \"!\"\n",
            "    result.p = ctx.cwd / \"n.v\"\n    return result\n\n",
            "def _A_t(ctx, s):\n    \"Test.\"\n    print(\"k: \" + str(s.k))\n\n",
            "A = block(\n  params = {\"v\": \"x\"},\n  tasks = [\n    task(_A_s, id = \"s\"),\n",
            "    task(_A_t, id = \"t\", requires = {\"s\": \".s\"}, hidden = True),\n  ],\n)\n\n",
            "flow = Flow()\nflow[\"a\"] = A(v = \"x\")\nflow[\"b\"] = A(v = \"y\", dependency_map = {})\n",
        );
        assert_eq!(flow_star(&flow).as_deref(), Ok(expected));
        let unknown = json!({ "blocks": [{ "id": "a", "class": "A", "tasks": [{ "id": "t", "retries": 1 }] }] });
        assert!(flow_star(&unknown).is_err_and(|error| error.contains("`retries`")));
    }

    #[test]
    fn times_are_seconds() {
        let times = ["1970-01-01T00:00:00", "1900-01-01T00:00:00", "2000-02-29T12:34:56"];
        assert_eq!(times.map(seconds), [Some(0), Some(-2_208_988_800), Some(951_827_696)]);
        assert_eq!(seconds("yesterday"), None);
    }
}
