//! Configurations given by code. Each byte says what comes next; text is taken from what follows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tapeout_config::{Loader, Value};
use tapeout_fuzz::schema::SCHEMA;
use tapeout_fuzz::{DESIGN, check, confine, leads_out};

struct Bytes<'d>(&'d [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn text(&mut self) -> String {
        let (text, rest) = self.0.split_at(usize::from(self.next_length()).min(self.0.len()));
        let text = String::from_utf8_lossy(text).into_owned();
        self.0 = rest;
        text
    }

    fn next_length(&mut self) -> u8 {
        self.next() % 32
    }

    fn name(&mut self) -> String {
        let kind = self.next();
        match SCHEMA.iter().chain(SCHEMA.iter()).nth(usize::from(kind)) {
            Some(variable) => variable.name.to_string(),
            None => self.text(),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.next() % 12 {
            0 => Value::Null,
            1 => Value::Bool(self.next() % 2 == 0),
            2 => Value::Int(i64::from(self.next()) - 128),
            3 => Value::Int(i64::MIN),
            4 => self.text().parse().map_or(Value::Null, Value::Decimal),
            5 => Value::from(format!("expr::{}", self.text())),
            6 => Value::from(format!("ref::${}", self.name())),
            7 => Value::from(format!("dir::{}", self.text())),
            8 if depth < 200 => {
                let length = self.next() % 6;
                Value::List((0..length).map(|_| self.value(depth + 1)).collect())
            }
            9 if depth < 200 => {
                let length = self.next() % 6;
                Value::Map((0..length).map(|_| (self.text(), self.value(depth + 1))).collect())
            }
            _ => Value::from(self.text()),
        }
    }
}

fuzz_target!(init: confine(), |data: &[u8]| {
    if leads_out(data) {
        return;
    }
    let mut bytes = Bytes(data);
    let mut given = Vec::new();
    while !bytes.0.is_empty() {
        given.push((bytes.name(), bytes.value(0)));
    }
    check::configuration(Loader::from_mapping(Value::Map(given), &*DESIGN));
});
