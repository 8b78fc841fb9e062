//! Small HTTP servers of a shared cache, on loopback, that do what a server should not.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::random::Random;

/// How a server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    Honest,
    /// It is right, but takes its time.
    Slow,
    /// It takes nothing.
    ReadOnly,
    /// It gives what is most like it among all that has another name.
    Other,
    /// It gives something in which one bit is wrong.
    Flipped,
    /// It gives less than there is, and may say that it gives all.
    Truncated,
    /// It gives more than there is, or says so.
    Huge,
    /// It says what means nothing.
    Garbage,
    /// It has an error inside.
    Failing,
    /// It goes away in the middle of an answer.
    Vanishing,
    /// Each answer is bad in another way, or good.
    Fickle,
    /// Each byte takes so long that no answer comes to its end.
    Dripping,
    /// It accepts connections and says nothing.
    Mute,
}

/// What a fickle server chooses from.
const MOODS: [Conduct; 8] = [
    Conduct::Honest,
    Conduct::Honest,
    Conduct::Slow,
    Conduct::ReadOnly,
    Conduct::Other,
    Conduct::Flipped,
    Conduct::Truncated,
    Conduct::Huge,
];

/// What is in a cache: `ac/KEY` or `cas/DIGEST`, and the content.
pub(super) type Items = BTreeMap<String, Vec<u8>>;

/// No client sends more than this, in bytes.
const MAX_BODY: usize = 8 << 20;
/// No client sends more lines before the content.
const MAX_LINES: usize = 100;
/// What a huge answer has beyond what it should have, in bytes.
const EXCESS: usize = 1 << 20;
/// A connection on which nothing happens for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// What a slow server takes for an answer: less than a client minds.
const SLOW: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];
/// What a dripping server takes for a byte.
const DRIP: Duration = Duration::from_millis(20);

struct State {
    conduct: Conduct,
    address: SocketAddr,
    /// What there is at first, all of it right.
    right: Items,
    items: Mutex<Items>,
    random: Mutex<Random>,
    /// A vanishing server gives so many answers more.
    left: AtomicUsize,
    stopped: AtomicBool,
    /// What was brought in that is not what its name says.
    wrong: Mutex<Vec<String>>,
}

/// A server, for as long as this lives.
pub(super) struct Server(Arc<State>);

struct Request {
    method: String,
    /// Without the first slash.
    path: String,
    body: Vec<u8>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Starts one that has these items.
    pub(super) fn start(conduct: Conduct, items: Items, mut random: Random) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let left = AtomicUsize::new(random.below(20));
        let state = Arc::new(State {
            conduct,
            address: listener.local_addr()?,
            right: items.clone(),
            items: Mutex::new(items),
            random: Mutex::new(random),
            left,
            stopped: AtomicBool::new(false),
            wrong: Mutex::default(),
        });
        let server = Self(Arc::clone(&state));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if state.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&state);
                thread::spawn(move || {
                    // A connection that the client ends is no matter of the server's.
                    let _ = state.converse(stream);
                });
            }
        });
        Ok(server)
    }

    pub(super) fn location(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The items that were brought in and are not what their names say.
    pub(super) fn wrong(&self) -> Vec<String> {
        lock(&self.0.wrong).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl State {
    /// Listens no more.
    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // So that it does not wait for the next one. When nobody listens, it has stopped.
        let _ = TcpStream::connect(self.address);
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(IDLE))?;
        stream.set_write_timeout(Some(IDLE))?;
        stream.set_nodelay(true)?;
        let mut to = stream.try_clone()?;
        let mut from = BufReader::new(stream);
        if self.conduct == Conduct::Mute {
            return io::copy(&mut from, &mut io::sink()).map(drop);
        }
        while let Some(request) = Request::read(&mut from, &mut to)? {
            if self.stopped.load(Ordering::SeqCst) || !self.answer(&request, &mut to)? {
                break;
            }
        }
        // Also the other half of it.
        to.shutdown(Shutdown::Both)
    }

    /// Answers a request. `false`: the connection is over.
    fn answer(&self, request: &Request, to: &mut TcpStream) -> io::Result<bool> {
        let conduct = match self.conduct {
            Conduct::Fickle => *lock(&self.random).one_of(&MOODS),
            conduct => conduct,
        };
        match conduct {
            Conduct::Failing => return reply(to, "500 Internal Server Error", 0, b"").map(|()| true),
            Conduct::ReadOnly if request.method == "PUT" => return reply(to, "403 Forbidden", 0, b"").map(|()| true),
            Conduct::Garbage if lock(&self.random).percent(30) => {
                to.write_all(&self.noise(300))?;
                return Ok(false);
            }
            _ => {}
        }
        let goes_on = |left: usize| left.checked_sub(1);
        let vanishes = conduct == Conduct::Vanishing
            && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, goes_on).is_err();
        let (status, content) = self.serve(request);
        let body = content.as_deref().unwrap_or_default();
        // To a HEAD, what a GET would answer, without the content.
        if request.method == "HEAD" {
            return reply(to, status, body.len(), b"").map(|()| !vanishes);
        }
        let (length, sent) = match conduct {
            _ if content.is_none() => (0, Vec::new()),
            _ if vanishes => (body.len(), body[..body.len() / 2].to_vec()),
            conduct => self.bend(conduct, &request.path, body),
        };
        match conduct {
            Conduct::Slow => {
                let [least, most] = SLOW;
                thread::sleep(lock(&self.random).time_between(least, most));
                let mut answer = Vec::new();
                reply(&mut answer, status, length, &sent)?;
                let (slow, rest) = answer.split_at(answer.len().min(24));
                drip(to, slow, least)?;
                to.write_all(rest)?;
            }
            Conduct::Dripping => {
                let mut answer = Vec::new();
                reply(&mut answer, status, length, &sent)?;
                drip(to, &answer, DRIP)?;
            }
            _ => reply(to, status, length, &sent)?,
        }
        if vanishes {
            self.stop();
        }
        Ok(!vanishes && length == sent.len())
    }

    /// What an honest server answers: the status, and the content where there is one.
    fn serve(&self, request: &Request) -> (&'static str, Option<Vec<u8>>) {
        let mut items = lock(&self.items);
        if request.method != "PUT" {
            let content = items.get(&request.path).cloned();
            return (if content.is_some() { "200 OK" } else { "404 Not Found" }, content);
        }
        // A result tells when it was made; a content is always the same.
        let is_content = request.path.starts_with("cas/");
        if is_content && self.right.get(&request.path).is_some_and(|right| *right != request.body) {
            lock(&self.wrong).push(request.path.clone());
        }
        items.insert(request.path.clone(), request.body.clone());
        ("201 Created", None)
    }

    /// What such a server makes of an item: the length that it promises, and what it sends.
    fn bend(&self, conduct: Conduct, path: &str, right: &[u8]) -> (usize, Vec<u8>) {
        let mut sent = right.to_vec();
        let mut length = None;
        let coin = lock(&self.random).percent(50);
        match conduct {
            Conduct::Other => {
                let items = lock(&self.items);
                let alike = |other: &[u8]| right.iter().zip(other).take_while(|(one, other)| one == other).count();
                let others = items.iter().filter(|(name, content)| *name != path && content.as_slice() != right);
                // An older result of the same job begins as this one does.
                if let Some(other) = others.map(|item| item.1).max_by_key(|content| alike(content)) {
                    sent.clone_from(other);
                }
            }
            Conduct::Flipped if !sent.is_empty() => {
                let mut random = lock(&self.random);
                let at = random.below(sent.len());
                sent[at] ^= 1 << random.below(8);
            }
            Conduct::Truncated if !sent.is_empty() => {
                sent.truncate(lock(&self.random).below(sent.len()));
                length = coin.then_some(right.len());
            }
            Conduct::Huge if coin => length = Some(1 << 50),
            Conduct::Huge => sent.resize(right.len() + EXCESS, b'x'),
            Conduct::Garbage => sent = self.noise(right.len()),
            _ => {}
        }
        (length.unwrap_or(sent.len()), sent)
    }

    fn noise(&self, length: usize) -> Vec<u8> {
        let mut random = lock(&self.random);
        (0..length).map(|_| random.next().to_le_bytes()[0]).collect()
    }
}

impl Request {
    /// `None`: the client has nothing more to ask.
    fn read(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Option<Self>> {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
        let (method, path) = (method.to_owned(), path.trim_start_matches('/').to_owned());
        let mut length = 0;
        for _ in 0..MAX_LINES {
            line.clear();
            from.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            match header.split_once(':') {
                None => break,
                Some(("content-length", value)) => length = value.trim().parse().map_err(io::Error::other)?,
                Some(("expect", _)) => to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                Some(_) => {}
            }
        }
        if length > MAX_BODY {
            return Err(io::Error::other("too much is sent"));
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Some(Self { method, path, body }))
    }
}

fn reply(to: &mut impl Write, status: &str, length: usize, body: &[u8]) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
    to.write_all(&[head.as_bytes(), body].concat())
}

fn drip(to: &mut TcpStream, bytes: &[u8], pause: Duration) -> io::Result<()> {
    for byte in bytes {
        to.write_all(&[*byte])?;
        thread::sleep(pause);
    }
    Ok(())
}
