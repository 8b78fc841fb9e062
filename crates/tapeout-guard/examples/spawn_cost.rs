#![allow(clippy::all, warnings)]
use std::time::*;
use tapeout_guard::*;
fn main() {
    serve_if_asked();
    let st = std::fs::read_to_string("/proc/self/status").unwrap();
    for l in st.lines().filter(|l| l.starts_with("SigI") || l.starts_with("VmRSS")) {
        println!("client {l}");
    }
    let g = Guard::start(&GuardCommand::current_exe()).unwrap();
    let d = std::env::temp_dir().join("spawn-cost");
    std::fs::create_dir_all(&d).unwrap();
    let spec = ProcessSpec {
        program: "/bin/true".into(),
        args: vec![],
        cwd: d.clone(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("HOME".into(), "/tmp".into())],
        log: d.join("log"),
        stdout: None,
        timeout: Some(Duration::from_secs(60)),
        limits: Limits::default(),
    };
    let n = 2000;
    for round in 0..2 {
        let t = Instant::now();
        for _ in 0..n {
            let mut c = std::process::Command::new("/bin/true");
            c.env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", "/tmp")
                .current_dir(&d)
                .stdin(std::process::Stdio::null());
            let f = std::fs::OpenOptions::new().append(true).create(true).open(d.join("log")).unwrap();
            c.stdout(f.try_clone().unwrap()).stderr(f);
            assert!(c.status().unwrap().success());
        }
        let base = t.elapsed() / n;
        let t = Instant::now();
        let (mut w, mut m) = (Duration::ZERO, 0);
        for _ in 0..n {
            let e = g.spawn(&spec).unwrap().wait();
            assert!(e.is_success());
            w += e.wall;
            m = m.max(e.max_rss_kib)
        }
        let seq = t.elapsed() / n;

 let std1=||{let mut c=std::process::Command::new("/bin/true"); c.env_clear().env("PATH","/usr/bin:/bin").env("HOME","/tmp").current_dir(&d).stdin(std::process::Stdio::null()); let f=std::fs::OpenOptions::new().append(true).create(true).open(d.join("log")).unwrap(); c.stdout(f.try_clone().unwrap()).stderr(f); assert!(c.status().unwrap().success());};
 let g1=||{assert!(g.spawn(&spec).unwrap().wait().is_success())};
 println!("seq std {base:?} guard {seq:?} rss {m}");
 let cpu=|pid:String|{let s=std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap(); s.split(' ').next().unwrap().parse::<f64>().unwrap()/1e3};
 let threads=||{std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|e|cpu(format!("self/task/{}",e.file_name().to_str().unwrap()))).sum::<f64>()};
 let (g0,c0)=(cpu(g.pid().to_string()),threads());
 for _ in 0..n {g1()}
 println!("cpu/job: guard {:.1} client {:.1}", (cpu(g.pid().to_string())-g0)/n as f64,(threads()-c0)/n as f64);
 let c0=threads(); for _ in 0..n {std1()}
 println!("cpu/job: std client {:.1}", (threads()-c0)/n as f64);
 for k in [1u32,2,3,4,8] {
 let par=|f:&(dyn Fn()+Sync)|{let t=Instant::now(); std::thread::scope(|s|{for _ in 0..k {s.spawn(||for _ in 0..n/k{f()});}}); t.elapsed()/n};
 println!("in flight {k}: std {:?} guard {:?}", par(&std1), par(&g1));
 }
 }
    println!(
        "{}",
        std::fs::read_to_string(format!("/proc/{}/status", g.pid()))
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("Sig") || l.starts_with("VmRSS") || l.starts_with("Name"))
            .collect::<Vec<_>>()
            .join("  ")
    );
    println!("{}", std::fs::read_to_string(format!("/proc/{}/stat", g.pid())).unwrap());
}
