//! A shared cache behind an HTTP server: bazel-remote, nginx with its DAV module, or another that keeps what it is
//! given by `PUT`. Every wait has an end. Proxies of the environment are not asked: the address is where it is.

use std::io::{self, Read};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body, RequestBuilder, SendBody, Timeout};

use super::queue::Upload;
use super::verified::Fault;
use super::{Failure, InvalidLocation, Item};

/// To look a host up, and to connect to it.
const CONNECT: Duration = Duration::from_secs(1);
/// To begin an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// What is slower than this, in bytes per second, is quicker made than brought.
const MIN_RATE: u64 = 1 << 20;
/// Connections that are kept, one for each job that may ask at the same time.
const CONNECTIONS: usize = 16;
/// The server is asked before it is sent more than this, in bytes: it may refuse, and a connection would be lost.
const ASK_FIRST: u64 = 64 << 10;
/// The words of an answer that says no. More of them, in bytes, cost more than a new connection.
const MAX_WORDS: u64 = 64 << 10;

pub(super) struct Http {
    agent: Agent,
    /// Without a slash at its end, and without credentials.
    address: String,
    authorization: Option<String>,
}

impl Http {
    /// A server by what follows `http://` in its address; also returns the address for messages.
    pub(super) fn new(rest: &str) -> Result<(Self, String), InvalidLocation> {
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let address = format!("http://{host}{}", path.trim_end_matches('/'));
        // An IPv6 address has colons of its own, in brackets.
        let has_port = host.rsplit(']').next().is_some_and(|port| port.contains(':'));
        let valid = address
            .parse::<Uri>()
            .is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()) && has_port == uri.port_u16().is_some());
        if !valid || address.contains(['?', '#']) {
            let reason = "expected http://[USER:PASSWORD@]HOST[:PORT][/PREFIX]";
            return Err(InvalidLocation { location: address, reason });
        }
        let authorization = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let [name, password] = [name, password].map(|text| percent_encoding::percent_decode_str(text).collect());
            let credentials: [Vec<u8>; 2] = [name, password];
            format!("Basic {}", BASE64_STANDARD.encode(credentials.join(&b':')))
        });
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("tapeout/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(CONNECTIONS)
            .max_idle_connections_per_host(CONNECTIONS)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .build();
        let name = address.clone();
        Ok((Self { agent: config.new_agent(), address, authorization }, name))
    }

    pub(super) fn get(&self, item: Item, size: Option<u64>) -> Result<Option<Box<dyn Read>>, Failure> {
        // A result is small: it comes with its answer.
        let size = size.unwrap_or(ANSWER.as_secs() * MIN_RATE);
        let answer = twice(|| self.prepare(self.agent.get(self.url(item)), size).call()).map_err(failure)?;
        if is_there(answer.status().as_u16())? {
            return Ok(Some(Box::new(answer.into_body().into_reader())));
        }
        keep_connection(answer);
        Ok(None)
    }

    pub(super) fn has(&self, item: Item, size: u64) -> Result<bool, Failure> {
        let answer = twice(|| self.prepare(self.agent.head(self.url(item)), 0).call()).map_err(failure)?;
        let length =
            answer.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        match answer.status().as_u16() {
            // A server that only knows the two methods that are needed.
            405 | 501 => Ok(false),
            status => Ok(is_there(status)? && length.is_none_or(|length| length == size)),
        }
    }

    pub(super) fn put(&self, upload: &Upload) -> Result<(), Failure> {
        let size = upload.size();
        let mut fault = None;
        let mut unreadable = None;
        let answer = twice(|| {
            let mut content = match upload.open() {
                Ok(content) => content,
                Err(failure) => {
                    unreadable = Some(failure);
                    return Err(io::Error::from(io::ErrorKind::NotFound).into());
                }
            };
            let mut request = self.prepare(self.agent.put(self.url(upload.item)), size).header("content-length", size);
            if size > ASK_FIRST {
                request = request.header("expect", "100-continue");
            }
            let answer = request.send(SendBody::from_reader(&mut content));
            fault = content.into_fault();
            answer
        });
        if let Some(failure) = unreadable {
            return Err(failure);
        }
        match fault {
            Some(Fault::Content(what)) => return Err(Failure::Item(what.to_owned())),
            Some(Fault::Source(error)) => return Err(Failure::Item(error.to_string())),
            None => {}
        }
        let answer = answer.map_err(failure)?;
        let status = answer.status().as_u16();
        keep_connection(answer);
        match status {
            200..=299 => Ok(()),
            401 | 403 | 404 | 405 | 407 | 409 | 501 | 507 => {
                Err(Failure::ReadOnly(format!("it refuses PUT with HTTP {status}")))
            }
            300..=399 | 429 | 500.. => Err(Failure::Off(format!("it answers HTTP {status}"))),
            _ => Err(Failure::Item(format!("refused with HTTP {status}"))),
        }
    }

    /// Ends all that is under way, and all that is asked from here on.
    pub(super) fn hang_up(&self) {
        self.agent.clone().shutdown();
    }

    fn url(&self, item: Item) -> String {
        format!("{}/{item}", self.address)
    }

    fn prepare<B>(&self, request: RequestBuilder<B>, size: u64) -> RequestBuilder<B> {
        let whole = ANSWER + Duration::from_secs(size / MIN_RATE);
        let request = request.config().timeout_global(Some(whole)).build();
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }
}

/// Whether an answer with this status has the item.
fn is_there(status: u16) -> Result<bool, Failure> {
    match status {
        200 => Ok(true),
        401 | 403 | 407 => Err(Failure::Off(format!("it refuses to be read with HTTP {status}"))),
        300..=399 | 429 | 500.. => Err(Failure::Off(format!("it answers HTTP {status}"))),
        _ => Ok(false),
    }
}

/// Asks again when the connection was lost: the server may close one that was idle at the very moment of its next use.
/// Every request here may be made twice.
fn twice<T>(mut ask: impl FnMut() -> Result<T, ureq::Error>) -> Result<T, ureq::Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match ask() {
        Err(ureq::Error::Io(error))
            if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) =>
        {
            ask()
        }
        answer => answer,
    }
}

/// A connection can be used again when its answer was read to the end.
fn keep_connection(answer: Response<Body>) {
    // What it says does not matter, nor does a connection that breaks here: the next request makes another.
    let _ = io::copy(&mut answer.into_body().into_reader().take(MAX_WORDS), &mut io::sink());
}

/// What it means that an answer broke off.
pub(super) fn broke_off(error: io::Error) -> Failure {
    match failure(error.into()) {
        Failure::Off(why) => Failure::Off(format!("its answer broke off: {why}")),
        other => other,
    }
}

fn failure(error: ureq::Error) -> Failure {
    Failure::Off(match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => "it cannot be reached in time".to_owned(),
        ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
        ureq::Error::HostNotFound => "its host is not known".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        other => format!("it does not answer as an HTTP server does: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_the_server_and_into_no_message() {
        let (http, name) = Http::new("ann:p%40ss:word@cache.example:8080/a/b/").unwrap_or_else(|_| panic!("valid"));
        assert_eq!(name, "http://cache.example:8080/a/b");
        assert_eq!(http.authorization.unwrap(), format!("Basic {}", BASE64_STANDARD.encode("ann:p@ss:word")));
        for wrong in ["", "/", "ann:secret@", "ann:secret@h o", "ann:secret@host/?x", "host:port/", "host/#x"] {
            let Err(error) = Http::new(wrong) else { panic!("{wrong} is taken") };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
