//! Measures the store: `measure first|null|hash DIR N`.
//!
//! - `first`: N jobs put an output and a log and commit a result.
//! - `null`: a store that `first` filled is opened, and each of its N jobs is looked up.
//! - `hash`: N MiB in one file are hashed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for who works on the store")]

use std::path::Path;
use std::time::Instant;

use tapeout_model::{Attempt, Digest, Read, Record};
use tapeout_store::{Entry, Store, hash_bytes};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, mode, dir, number] = &args[..] else { panic!("expected: measure first|null|hash DIR N") };
    let (dir, number) = (Path::new(dir), number.parse().unwrap());
    match mode.as_str() {
        "first" => first(dir, number),
        "null" => null(dir, number),
        "hash" => hash(dir, number),
        other => panic!("expected first, null or hash, found {other}"),
    }
}

fn key(number: u32) -> Digest {
    hash_bytes(&number.to_le_bytes())
}

fn told(what: &str, since: Instant, number: u32) {
    let took = since.elapsed();
    println!("{what}: {took:?}, {:?} each", took / number);
}

fn first(dir: &Path, number: u32) {
    let store = Store::open(dir).unwrap();
    let begin = Instant::now();
    for i in 0..number {
        let output = store.put_bytes(format!("output of {i}").as_bytes(), "out/result.txt").unwrap();
        let log = store.put_bytes(b"", "job.log").unwrap();
        let reads = vec![
            Read::File { path: format!("src/file{i}.v"), digest: Some(key(i)) },
            Read::Input { index: 0, digest: Some(key(i)) },
        ];
        let record = Record { outputs: vec![output], statuses: vec![0], ..Record::default() };
        let attempt = Attempt {
            host: "host".to_owned(),
            log: Some(log),
            commands: format!("cp src/file{i}.v out/result.txt\n"),
            ..Attempt::default()
        };
        store.commit(Entry::new(key(i), &reads, record, attempt)).unwrap();
    }
    told("jobs", begin, number);
    let begin = Instant::now();
    drop(store);
    told("close", begin, number);
}

fn null(dir: &Path, number: u32) {
    let keys: Vec<Digest> = (0..number).map(key).collect();
    let begin = Instant::now();
    let store = Store::open(dir).unwrap();
    told("open", begin, number);
    for round in ["entries, first", "entries"] {
        let begin = Instant::now();
        let found: usize = keys.iter().map(|key| store.entries(key).len()).sum();
        told(round, begin, number);
        assert_eq!(found, number as usize);
    }
    let entries: Vec<_> = keys.iter().flat_map(|key| store.entries(key)).collect();
    for round in ["has, first", "has"] {
        let begin = Instant::now();
        assert!(entries.iter().all(|entry| entry.record().outputs.iter().all(|output| store.has(output))));
        told(round, begin, number);
    }
    let begin = Instant::now();
    let logs = entries.iter().filter(|entry| entry.attempt().log.is_some()).count();
    told("attempt", begin, number);
    assert_eq!(logs, number as usize);
    let begin = Instant::now();
    drop(store);
    told("close", begin, number);
}

fn hash(dir: &Path, mebibytes: u32) {
    std::fs::create_dir_all(dir).unwrap();
    let file = dir.join("large");
    std::fs::write(&file, vec![7; mebibytes as usize * 1024 * 1024]).unwrap();
    let store = Store::open(&dir.join("store")).unwrap();
    for round in ["hash, first", "hash"] {
        let begin = Instant::now();
        store.content_digest(&file).unwrap();
        told(round, begin, mebibytes);
    }
    std::fs::remove_file(&file).unwrap();
}
