//! Servers of shared caches: a real nginx, and small ones that do what a server should not. All on loopback, all gone
//! with the test.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An nginx with its DAV module. Its document root has the shared cache in the folder `team`.
pub(crate) struct Nginx {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl Nginx {
    /// Starts it with these directives for the folder `team`, or says that there is none here.
    pub(crate) fn start(directives: &str) -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        // Debian has servers where only root looks for them.
        let mut folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let Some(program) = folders.find_map(|folder| Some(folder.join("nginx")).filter(|file| file.is_file())) else {
            println!("skipped: no nginx");
            return None;
        };
        // A port that is free now may be taken when nginx wants it.
        for _ in 0..5 {
            let port = free_port();
            let dir = tempfile::tempdir().unwrap();
            let at = dir.path().display();
            fs::create_dir_all(dir.path().join("www/team")).unwrap();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
                .concat();
            let config = format!(
                "daemon off; master_process off; worker_processes 1; pid {at}/pid; error_log {at}/error.log;\n\
                 events {{ worker_connections 64; }}\n\
                 http {{\n{temporary}log_format short '$connection $request_method $status';\n\
                 access_log {at}/access.log short;\n\
                 server {{ listen 127.0.0.1:{port}; root {at}/www; location /team/ {{ {directives} }} }}\n}}\n"
            );
            fs::write(dir.path().join("conf"), config).unwrap();
            // It goes when the test goes, however that is.
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL"]).arg(&program).arg("-p").arg(dir.path());
            command.arg("-e").arg(dir.path().join("error.log")).arg("-c").arg(dir.path().join("conf"));
            let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let started = Instant::now();
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    let log = fs::read_to_string(dir.path().join("error.log")).unwrap_or_default();
                    assert!(log.contains("Address already in use"), "nginx ended with {status}: {log}");
                    break;
                }
                // The file is written when it listens; somebody else's server on the port would answer, too.
                if dir.path().join("pid").exists() && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                    return Some(Self { child, dir, port });
                }
                assert!(started.elapsed() < PATIENCE, "nginx does not listen");
                thread::sleep(Duration::from_millis(10));
            }
        }
        panic!("no port is free");
    }

    pub(crate) fn location(&self) -> String {
        format!("http://127.0.0.1:{}/team", self.port)
    }

    /// The same with credentials.
    pub(crate) fn location_for(&self, credentials: &str) -> String {
        format!("http://{credentials}@127.0.0.1:{}/team/", self.port)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join("www/team").join(name)
    }

    /// The requests so far: connection, method, status.
    pub(crate) fn requests(&self) -> Vec<[String; 3]> {
        let log = fs::read_to_string(self.dir.path().join("access.log")).unwrap();
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into();
        // The last line may be half written.
        log.lines().filter_map(|line| words(line).ok()).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It is not there any more when this fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A small server takes no more than this at once, in bytes.
pub(crate) const MAX_BODY: usize = 8 << 20;

/// What a small server was asked.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

/// A server that answers each request with what a function writes, and closes the connection when that says so.
pub(crate) struct Tiny {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Whether the connection is kept.
pub(crate) type Keep = bool;

impl Tiny {
    pub(crate) fn start(answer: impl Fn(&Request, &mut TcpStream) -> Keep + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopped, noted, answer) = (Arc::clone(&stop), Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || {
                    // A connection that the client ends is none of the server's business.
                    let _ = converse(stream, &noted, &*answer);
                });
            }
        });
        Self { address, stop, requests }
    }

    pub(crate) fn location(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Method and path of each request.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the one that listens.
        let _ = TcpStream::connect(self.address);
    }
}

fn converse(
    mut stream: TcpStream,
    noted: &Mutex<Vec<String>>,
    answer: &dyn Fn(&Request, &mut TcpStream) -> Keep,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut headers = String::new();
        while !headers.ends_with("\r\n\r\n") {
            if reader.read_line(&mut headers)? == 0 || headers == "\r\n" {
                break;
            }
        }
        headers.make_ascii_lowercase();
        let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if length > MAX_BODY {
            // Dropped with the body unread, which resets the connection where the client is sending it.
            reply(&mut stream, 413, b"");
            return Ok(());
        }
        if headers.contains("expect: 100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut words = first.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        noted.lock().unwrap().push(format!("{method} {path}"));
        if !answer(&Request { method, path, headers, body }, &mut stream) {
            return Ok(());
        }
    }
}

/// Writes an answer.
pub(crate) fn reply(stream: &mut TcpStream, status: u16, body: &[u8]) -> Keep {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).is_ok()
}
