//! Expressions behind `expr::`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::expr::{Error, evaluate};
use tapeout_model::Decimal;

fuzz_target!(|text: &str| {
    let lookup = |name: &str, range: std::ops::Range<usize>| {
        assert_eq!(text.get(range), Some(format!("${name}").as_str()));
        match name.len() % 5 {
            0 => Err(()),
            1 => Ok(Decimal::from(3)),
            2 => Ok("-0.5".parse().expect("a number")),
            3 => Ok("1e999999".parse().expect("a number")),
            _ => Ok("inf".parse().expect("a number")),
        }
    };
    match evaluate(text, lookup) {
        Ok(value) => {
            let back: Decimal = value.to_string().parse().expect("what is printed is a number");
            assert_eq!(back.to_string(), value.to_string());
        }
        Err(Error::Lookup(())) => {}
        Err(Error::Fault(fault)) => {
            assert!(text.get(fault.range).is_some());
            assert!(!fault.message.is_empty());
        }
    }
});
