//! Tasks that run: what `ctx` and the values do, and what is said when a task goes wrong.

use std::time::Duration;

use tapeout_flow::project::{FlowThing, Word};
use tapeout_model::{Data, FilePath};

use super::support::{Recorder, load, own, run_body, run_only, words};
use crate::limits::Limits;

/// What the task with this body returns.
fn given(body: &str) -> Vec<(String, Data)> {
    run_body(body, &mut Recorder::default()).unwrap_or_else(|failure| panic!("{failure:?}")).unwrap_or_default()
}

/// Checks that an expression is true in a task.
fn holds(expression: &str) {
    let data = given(&format!("    return Result(x = {expression})"));
    assert_eq!(data, [("x".to_owned(), Data::Bool(true))], "{expression}");
}

/// Checks what a task with this body fails with.
fn fails(body: &str, expected: &[&str]) {
    let said = words(run_body(body, &mut Recorder::default()));
    for word in expected {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
}

#[test]
fn paths() {
    for expression in [
        "str(ctx.cwd / 'a' / 'b.tar.gz') == 'a/b.tar.gz'",
        "'{}'.format(Path('rtl/a.v')) == '../../rtl/a.v' and '%s' % Path('a') == '../../a'",
        "[f'-I{p}' for p in [Path('inc')]] == ['-I../../inc'] and repr(ctx.cwd / 'a') == 'a'",
        "(ctx.cwd / 'b.tar.gz').stem == 'b.tar' and Path('a/b.v').suffix == '.v' and Path('a/.x').suffix == ''",
        "Path('a/b/c.v').parent == Path('a/b') and Path('c.v').parent.parent == Path('c.v').parent",
        "Path('a/b') / '../c' == Path('a//c') and Path('a') != Path('b') and Path('a') != 'a'",
        "sorted([Path('b'), Path('a')])[0].name == 'a' and {Path('a'): 1}[Path('./a')] == 1",
        "str(Time(-2208988800)) == '1900-01-01 00:00:00' and str(Time(951782400.25)) == '2000-02-29 00:00:00.25' and Time(1) < Time(2)",
        "type(Path('a')) == 'Path' and isinstance(ctx.cwd, Path)",
    ] {
        holds(expression);
    }
    fails(
        "    return Result(x = ctx.cwd / '../up')",
        &["`../up` leads out of the target's directory", "flow.star:2:23"],
    );
    fails("    return Result(x = 'a' + ctx.cwd)", &["not supported"]);
}

#[test]
fn file_collections() {
    for expression in [
        "len(corners()) == 3 and corners()[0][1]['v'] == 1.8 and corners()[-1][0].name == 'any.lib'",
        "[path.name for path, _ in corners().filter(v = 1.2)] == ['slow.lib', 'any.lib']",
        "[path.name for path, _ in corners().filter(missing_key_deselects = True, v = 1.2)] == ['slow.lib']",
        "corners().one(v = 1.8, corner = 'fast', missing_key_deselects = True) == Path('lib/fast.lib')",
        "corners()(missing_key_deselects = True, v = 1.2).stem == 'slow'",
        "len(corners() + files([Path('x')])) == 4 and len(corners().tag(a = 1).filter(a = 2)) == 0 and len(files()) == 0",
        "corners().tag(v = 2)[0][1]['v'] == 2 and corners()[0][1]['v'] == 1.8",
        "bool(corners()) and not files()",
    ] {
        let text = format!(
            "def corners():\n    all = files()\n    all.add(Path('lib/fast.lib'), v = 1.8, corner = 'fast')\n    all.add('lib/slow.lib', v = 1.2)\n    all.add('lib/any.lib')\n    return all\n\n\
             def it(ctx):\n    return Result(x = {expression})\n\nTop = block(tasks = [it])\nflow = Flow()\nflow['top'] = Top()\n"
        );
        let sources = ["lib/fast.lib", "lib/slow.lib", "lib/any.lib", "x"].map(|path| (path.into(), String::new()));
        let mut ops = Recorder { sources: sources.into(), ..Recorder::default() };
        let result = run_only(&text, &mut ops).unwrap_or_else(|failure| panic!("{expression}: {failure:?}")).unwrap();
        assert_eq!(result[0].1, Data::Bool(true), "{expression}");
    }
    fails(
        "    files([Path('a'), Path('b')], v = 1).one(v = 1)",
        &["Ambiguous result for v = 1: 2 files", "a (v = 1), b (v = 1)"],
    );
    fails("    files([Path('a')], v = 1)(v = 2)", &["No result for v = 2", "there are: a (v = 1)"]);
    fails("    files().add('nothing')", &["`nothing` does not exist"]);
    let text = "ALL = files()\ndef it(ctx):\n    ALL.add('a')\n\nTop = block(tasks = [it])\nflow = Flow()\nflow['top'] = Top()\n";
    let mut ops = Recorder::default();
    ops.sources.insert("a".into(), String::new());
    assert!(words(run_only(text, &mut ops)).contains("cannot be changed later"));
}

#[test]
fn readers() {
    for expression in [
        "re.search(r'(\\d+) cells', 'has 12 cells')[1] == '12' and re.search('x', 'y') == None",
        "re.search(r'(?P<n>\\d+) (?P<what>\\w+)', '12 cells') == {'n': '12', 'what': 'cells'}",
        "re.match('b', 'ab') == None and re.match('a|b', 'ba') == ['b']",
        "re.findall(r'\\d', 'a1b2') == ['1', '2'] and re.findall(r'(\\w)=(\\d)', 'a=1 b=2') == [['a', '1'], ['b', '2']]",
        "re.sub(r'(\\w)=(\\d)', r'\\2=\\1', 'a=1, b=2') == '1=a, 2=b'",
        "csv.decode('a,b\\n1,2\\n') == [{'a': '1', 'b': '2'}] and csv.decode('1;2', header = False, separator = ';') == [['1', '2']]",
        "toml.decode('b = 1\\n[a]\\nx = [1.5, true, \"s\"]') == {'b': 1, 'a': {'x': [1.5, True, 's']}}",
        "round(2.5) == 2 and round(-0.7) == -1 and str(round(37.463, 1)) == '37.5' and round(3, 1) == 3 and round(1e-9, 2) == 0.0",
        "json.decode('{\"a\": [1, null]}')['a'] == [1, None] and json.encode({'a': 1}) == '{\"a\":1}'",
    ] {
        holds(expression);
    }
    fails("    round(float('nan'))", &["nan is no whole number"]);
    fails("    round('1')", &["takes a number, found the string"]);
    fails("    round(1.5, -1)", &["`digits` must be from 0 to 17, found -1"]);
    fails("    re.search('(', 'x')", &["`(` is no regular expression", "unclosed group", "flow.star:2:5"]);
    fails("    re.search('(?=x)', 'x')", &["look-around", "two steps"]);
    fails("    re.match(')', 'x')", &["`)` is no regular expression"]);
    fails("    csv.decode('a\\n1,2')", &["row 1 has 2 fields, the header has 1"]);
    fails("    csv.decode('a', separator = '--')", &["one character"]);
    fails("    toml.decode('a = 1\\nb =')", &["this is no TOML: line 2"]);
    fails("    json.decode('{')", &["EOF", "flow.star:2:5"]);
}

#[test]
fn commands() {
    let mut ops = Recorder::default();
    let body = "    ctx.write('a.tcl', 'x')\n    \
        done = ctx.run(['tool', ctx.cwd / 'a.tcl', [1, (2.5, ctx.cwd)]], env = {'A': 1, 'P': ctx.cwd / 'p'}, timeout = 90, depfile = 'a.d', stdin = 'in.txt', stdout = ctx.cwd / 'out.txt', check = [0, 2], tools = ['abc'])\n    ctx.run(['x'], check = False)\n    \
        ctx.metric('cells', 3)\n    print('a', 1, '\\nb')\n    \
        return Result(status = done.status, log = done.log, has = [ctx.has_tool('yosys'), ctx.has_tool('sby')], task = ctx.task, block = ctx.block.id)";
    let data = run_body(body, &mut ops).unwrap().unwrap();
    let expected: [(&str, Data); 5] = [
        ("status", 0.into()),
        ("log", "said".into()),
        ("has", Data::List(vec![true.into(), false.into()])),
        ("task", "it".into()),
        ("block", "top".into()),
    ];
    assert_eq!(data, expected.map(|(name, data)| (name.to_owned(), data)));
    let call = &ops.calls[0];
    let text = |text: &str| Word::Text(text.into());
    assert_eq!(call.argv, [text("tool"), Word::Path(own("a.tcl")), text("1"), text("2.5"), Word::Path(own(""))]);
    assert_eq!(call.env, [("A".to_owned(), "1".to_owned()), ("P".to_owned(), "p".to_owned())]);
    assert_eq!(
        (call.timeout, &call.accept[..], &call.tools[..]),
        (Some(Duration::from_secs(90)), &[0, 2][..], &["abc".to_owned()][..])
    );
    assert!(ops.calls[1].accept.is_empty());
    assert_eq!((call.depfile.as_deref(), call.stdout.as_deref()), (Some("a.d"), Some("out.txt")));
    assert_eq!(call.stdin, Some(FilePath::Source("in.txt".into())));
    assert_eq!(ops.written["a.tcl"], "x");
    assert_eq!(ops.asked, ["metric cells Int(3)", "say a 1 ", "say b"]);
    for (call, expected) in [
        ("'yosys -p x'", &["a command is a list of words, found the string", "there is no shell"][..]),
        ("[]", &["without a word"]),
        ("['yosys', {}]", &["word 2 of the command is a dict"]),
        ("['yosys', True]", &["word 2 of the command is True"]),
        ("['x'], outputs = 'a'", &["`outputs` must be a list"]),
        ("['x'], outputs = [Path('a')]", &["an output must lie in the task's directory, found ../../a"]),
        ("['x'], timeout = '3 weeks'", &["\"3 weeks\" is no length of time"]),
        ("['x'], check = 2", &["`check` must be True, False or a list of exit statuses, found 2"]),
        ("['x'], check = [300]", &["must be True, False or a list"]),
        ("['x'], tools = 'abc'", &["`tools` must be a list of names"]),
        ("['x'], env = ['A=1']", &["`env` must be a dict"]),
        ("['x'], env = {'A': None}", &["`env[\"A\"]` must be a string, found None"]),
    ] {
        fails(&format!("    ctx.run({call})"), expected);
    }
    fails("    ctx.run(['false'])", &["Tool: `false` failed with status 1\nflow.star:2:5: asked for here"]);
    fails("    ctx.write('/etc/passwd', '')", &["must lie in the task's directory"]);
    fails("    ctx.write('a', 3)", &["what is written must be a string, found 3"]);
    fails("    ctx.metric('m', [1])", &["metric `m` must be a number or a string, found a list"]);
}

#[test]
fn inputs() {
    let mut ops = Recorder::default();
    ops.sources.insert("lib/s_1v2.lib".into(), "slow".into());
    ops.sources.insert("lib/f_1v8.lib".into(), "fast".into());
    ops.sources.insert("lib/README".into(), String::new());
    let body = "    all = ctx.frompattern('lib', r'(?P<speed>\\w)_(?P<volt>\\dv\\d)')\n    \
        return Result(slow = all(speed = 's'), text = ctx.read('lib/s_1v2.lib'), n = len(ctx.files('lib/*', a = 1).filter(a = 1)), there = [ctx.exists('lib/README'), ctx.exists('x')], one = ctx.input('lib/README'))";
    let data = run_body(body, &mut ops).unwrap().unwrap();
    let source = |path: &str| Data::Path(FilePath::Source(path.into()));
    let values: Vec<Data> = data.into_iter().map(|(_, data)| data).collect();
    let there = Data::List(vec![true.into(), false.into()]);
    assert_eq!(values, [source("lib/s_1v2.lib"), "slow".into(), 3.into(), there, source("lib/README")]);
    let mut ops = Recorder::default();
    ops.sources.insert("lib/README".into(), String::new());
    let said = words(run_body("    ctx.frompattern('lib', 'x')", &mut ops));
    assert!(said.contains("no file in `lib` matches `x`"), "{said}");
    // A string names what the task has, and else what the project has.
    let mut ops = Recorder::default();
    ops.sources.insert("a.txt".into(), "project".into());
    let body = "    before = ctx.read('a.txt')\n    ctx.write('a.txt', 'own')\n    ctx.run(['x'], stdin = 'a.txt')\n    \
        return Result(x = [before, ctx.read('a.txt'), ctx.read(Path('a.txt'))])";
    let data = run_body(body, &mut ops).unwrap().unwrap();
    assert_eq!(data[0].1, Data::List(vec!["project".into(), "own".into(), "project".into()]));
    assert_eq!(ops.calls[0].stdin, Some(own("a.txt")));
    // What the context says, with the place where it was asked.
    fails(
        "    ctx.input('rtl/a.v')",
        &["Input: `rtl/a.v` does not exist", " --> flow.star:2:5", "ctx.input('rtl/a.v')"],
    );
    fails("    ctx.input(3)", &["a path is expected, found 3"]);
}

#[test]
fn flows() {
    let mut ops = Recorder::default();
    let body = "    done = ctx.flow('Classic', config = {'CLOCK_PERIOD': 2.5}, views = {'nl': ctx.cwd / 'a.v', 'lib': ['x.lib', Path('y.lib')]}, label = 'first', check = False)\n    \
        ctx.flow('chip.yaml')\n    ctx.step('Yosys.Synthesis')\n    ctx.flow(['A.B', 'C.D'])\n    \
        return Result(count = done.metrics['design__instance__count'], nl = done.views['nl'], failed = done.failed)";
    let data = run_body(body, &mut ops).unwrap().unwrap();
    let values: Vec<Data> = data.into_iter().map(|(_, data)| data).collect();
    assert_eq!(values, [7.into(), own("top.nl.v").into(), Data::None]);
    let first = &ops.flows[0];
    assert_eq!(first.config, [("CLOCK_PERIOD".to_owned(), 2.5.into())]);
    let source = |path: &str| FilePath::Source(path.into());
    let views = [("nl", own("a.v")), ("lib", source("x.lib")), ("lib", source("y.lib"))];
    assert_eq!(first.views, views.map(|(format, path)| (format.to_owned(), path)));
    assert_eq!((first.label.as_deref(), first.check), (Some("first"), false));
    let things: Vec<&FlowThing> = ops.flows.iter().map(|call| &call.thing).collect();
    let steps = |ids: &[&str]| FlowThing::Steps(ids.iter().map(|id| (*id).to_owned()).collect());
    let expected = [
        FlowThing::Flow("Classic".into()),
        FlowThing::File("chip.yaml".into()),
        steps(&["Yosys.Synthesis"]),
        steps(&["A.B", "C.D"]),
    ];
    assert_eq!(things, expected.iter().collect::<Vec<_>>());
    fails(
        "    ctx.flow('X', views = {'nl': 3})",
        &["`views[\"nl\"]` must be a path or a list of paths, found an integer"],
    );
    fails("    ctx.flow('X', config = [])", &["`config` must be a dict, found a list"]);
}

#[test]
fn results() {
    for (value, words) in [
        ("set([1])", "attribute `x` of the result: a set cannot be kept"),
        ("[1, {'a': len}]", "attribute `x[1][\"a\"]` of the result: a function cannot be kept"),
        ("{1: 2}", "the keys of a dict must be strings, found 1"),
        ("files()", "a file collection (make a list of its paths)"),
        ("Result()", "a whole result (take its attributes)"),
        ("struct(a = 1)", "a struct cannot be kept"),
    ] {
        fails(&format!("    r = Result()\n    r.x = {value}"), &[words, "flow.star:3:5"]);
        fails(&format!("    return Result(x = {value})"), &[words, "flow.star:2:12"]);
    }
    fails(
        "    return {'a': 1}",
        &["`top.it` must return a Result or None, found a dict", "flow.star:1:5", "return Result("],
    );
    fails("    x = [1]\n    x.append(x)\n    return Result(x = x)", &["64 deep"]);
    // What is changed after it was given is looked at again.
    fails(
        "    x = [1]\n    r = Result(x = x)\n    x.append(len)\n    return r",
        &["attribute `x[1]` of the result: a function cannot be kept"],
    );
    assert_eq!(run_body("    pass", &mut Recorder::default()).unwrap(), None);
    let data = given("    return Result(x = 1 << 80)");
    assert_eq!(data[0].1, Data::BigInt("1208925819614629174706176".into()));
    let data = given("    r = Result(a = Time(1.5), b = (1, None))\n    r.c = r.b\n    return r");
    let pair = Data::Tuple(vec![1.into(), Data::None]);
    assert_eq!(data, [("a".to_owned(), Data::Time(1.5)), ("b".to_owned(), pair.clone()), ("c".to_owned(), pair)]);
}

/// Runs a task that requires the result `syn`.
fn with_result(body: &str, ops: &mut Recorder) -> super::support::Outcome {
    ops.results.insert("syn".into(), vec![vec![("cells".into(), 3.into()), ("ok".into(), true.into())]]);
    let text = format!(
        "def syn(ctx):\n    pass\n\ndef it(ctx, syn):\n{body}\n\nTop = block(tasks = [task(it, requires = {{'syn': '.syn'}}), syn])\nflow = Flow()\nflow['top'] = Top()\n"
    );
    run_only(&text, ops)
}

#[test]
fn required_results() {
    let mut ops = Recorder::default();
    let data = with_result("    return syn", &mut ops).unwrap().unwrap();
    assert_eq!(data, [("cells".to_owned(), 3.into()), ("ok".to_owned(), true.into())]);
    let mut ops = Recorder::default();
    let body = "    if hasattr(syn, 'area'):\n        fail('no')\n    return Result(x = getattr(syn, 'area', 0) + syn.cells, names = dir(syn))";
    let data = with_result(body, &mut ops).unwrap().unwrap();
    assert_eq!(data[0].1, 3.into());
    assert_eq!(ops.asked[0], "syn[0].*");
    let said = words(with_result("    print(syn.cels)", &mut Recorder::default()));
    assert!(said.starts_with("Input: the result of `syn` has no `cels`; it has cells, ok\n"), "{said}");
    assert!(said.contains("flow.star:5:11"), "{said}");
    // An attribute that was looked for in vain is not what a later error is about.
    let said = words(with_result("    getattr(syn, 'area', 0)\n    [].area", &mut Recorder::default()));
    assert!(said.contains("`list` has no attribute `area`"), "{said}");
    let said = words(with_result("    syn.cells = 3", &mut Recorder::default()));
    assert!(said.contains("the result of another task cannot be changed"), "{said}");
}

#[test]
fn failures() {
    let said = words(run_body("    fail('timing not met', 3)", &mut Recorder::default()));
    assert_eq!(said, "Check: timing not met 3\nflow.star:2:5: fail()");
    let text = "def judge(x):\n    fail('no')\n\ndef it(ctx):\n    judge(1)\n\nTop = block(tasks = [it])\nflow = Flow()\nflow['top'] = Top()\n";
    let said = words(run_only(text, &mut Recorder::default()));
    assert_eq!(said, "Check: no\nflow.star:2:5: fail()\nflow.star:5:5: `judge` is called here");
    let said = words(run_body("    x = [1]\n    return x.y", &mut Recorder::default()));
    assert!(
        said.starts_with("Input: flow.star:3:12: Object of type `list` has no attribute `y`\n --> flow.star:3:12\n"),
        "{said}"
    );
    fails("    print(ctx.block.voltage)", &["no attribute `voltage`"]);
    fails("    block()", &["`block` declares what the project consists of", "flow.star:2:5"]);
    fails("    x = Flow()", &["`Flow` declares"]);
    let text = "def f(n):\n    return f(n + 1)\n\ndef it(ctx):\n    f(0)\n\nTop = block(tasks = [it])\nflow = Flow()\nflow['top'] = Top()\n";
    let said = words(run_only(text, &mut Recorder::default()));
    assert!(said.contains("`top.it` makes more than 200 calls within each other"), "{said}");
    assert!(said.matches("is called here").count() < 10, "{said}");
}

#[test]
fn endless_loops_are_stopped() {
    let text = "def it(ctx):\n    for i in range(1 << 30):\n        pass\n\nTop = block(tasks = [it])\nflow = Flow()\nflow['top'] = Top()\n";
    let script = load(text).unwrap_or_else(|problems| panic!("{problems}"));
    let task = &script.bodies[&("Top".to_owned(), "it".to_owned())];
    let limits = Limits { ticks: 100_000, ..Limits::TASK };
    let said = words(task.call(&mut Recorder::default(), limits, Box::new(|| false)));
    assert!(said.contains("`top.it` was stopped after 100,000 calls and rounds of loops"), "{said}");
    let stopped = words(task.call(&mut Recorder::default(), Limits::TASK, Box::new(|| true)));
    assert_eq!(stopped, "Interrupted: stopped before it was done");
}
