//! The help text has every option that there is, and no field that users do not set.

use tapeout_config::Role;
use tapeout_radgen::{Subtool, help, schema};

#[test]
fn every_option_is_listed_with_what_it_is_for() {
    let schema = schema().unwrap();
    let all = help(&schema, &Subtool::ALL);
    for variable in schema.iter() {
        let name = variable.name.split_once('.').unwrap().1;
        let shown = all.lines().any(|line| {
            let line = line.split_whitespace().find(|word| word.starts_with("--"));
            line == Some(&format!("--{name}"))
        });
        assert_eq!(shown, matches!(variable.role, Role::Input), "{}", variable.name);
        assert!(!variable.doc.is_empty(), "{}", variable.name);
        if let Some(short) = variable.shortcut {
            assert!(all.contains(&format!("  -{short}, --{name}")), "{short}");
        }
    }
    assert!(all.lines().all(|line| line.chars().count() <= 120));
    assert!(!help(&schema, &[]).contains("hdl_dpath"));
}
