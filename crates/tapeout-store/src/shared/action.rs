//! What stands under `/ac/`: an `ActionResult` of the remote execution API, version 2 (`remote_execution.proto`), as
//! servers may check that it is one and that the files it names are there. Our payload is its `stdout_raw`, in an
//! envelope that tells which key it is for and whether it is whole. Servers may add fields, which are passed over.

use prost::Message;
use tapeout_model::{Digest, Output};

use crate::hash_bytes;

#[derive(Clone, PartialEq, Message)]
struct ActionResult {
    #[prost(message, repeated, tag = "2")]
    output_files: Vec<OutputFile>,
    #[prost(int32, tag = "4")]
    exit_code: i32,
    #[prost(bytes = "vec", tag = "5")]
    stdout_raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct OutputFile {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(message, optional, tag = "2")]
    digest: Option<FileDigest>,
    #[prost(bool, tag = "4")]
    is_executable: bool,
}

/// `Digest` in the API.
#[derive(Clone, PartialEq, Message)]
struct FileDigest {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(int64, tag = "2")]
    size_bytes: i64,
}

const MAGIC: &[u8; 7] = b"tapeout";
/// Raised with each change of the envelope.
const VERSION: u8 = 1;
/// Magic, version, key, digest of the payload, length of the payload.
const HEADER: usize = MAGIC.len() + 1 + 32 + 32 + 8;

/// The body that says that this came out of the job of this key.
pub(super) fn encode(key: &Digest, payload: &[u8], files: &[Output]) -> Vec<u8> {
    let mut stdout_raw = Vec::with_capacity(HEADER + payload.len());
    stdout_raw.extend_from_slice(MAGIC);
    stdout_raw.push(VERSION);
    stdout_raw.extend_from_slice(&key.0);
    stdout_raw.extend_from_slice(&hash_bytes(payload).0);
    stdout_raw.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    stdout_raw.extend_from_slice(payload);
    let output_files = files
        .iter()
        .map(|file| OutputFile {
            path: file.path.clone(),
            digest: Some(FileDigest { hash: file.digest.to_string(), size_bytes: file.size.cast_signed() }),
            is_executable: file.executable,
        })
        .collect();
    ActionResult { output_files, exit_code: 0, stdout_raw }.encode_to_vec()
}

/// The payload of a body that was found under this key: none when another version of tapeout wrote it. An error is what
/// is wrong with it.
pub(super) fn decode(key: &Digest, body: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let mut envelope = ActionResult::decode(body).map_err(|_| "it is not an ActionResult")?.stdout_raw;
    let rest = envelope.strip_prefix(MAGIC).ok_or("it is not a result of tapeout")?;
    let (version, rest) = rest.split_first().ok_or("it is cut off")?;
    if *version != VERSION {
        return Ok(None);
    }
    let (its_key, rest) = rest.split_first_chunk().ok_or("it is cut off")?;
    let (digest, rest) = rest.split_first_chunk().ok_or("it is cut off")?;
    let (length, payload) = rest.split_first_chunk().ok_or("it is cut off")?;
    if Digest(*its_key) != *key {
        return Err("it is the result for another key");
    }
    if u64::from_le_bytes(*length) != payload.len() as u64 || Digest(*digest) != hash_bytes(payload) {
        return Err("its checksum is wrong");
    }
    Ok(Some(envelope.split_off(HEADER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Digest {
        Digest([n; 32])
    }

    #[test]
    fn is_an_action_result_on_the_wire() {
        let file = Output { path: "a.v".to_owned(), digest: key(0x11), size: 300, executable: true };
        let body = encode(&key(1), b"", &[file]);
        // Tag 2, a message of 78 bytes: tag 1 "a.v", tag 2 (tag 1 the hash, tag 2 the varint 300), tag 4 true.
        let mut expected = vec![0x12, 78, 0x0a, 3, b'a', b'.', b'v', 0x12, 69, 0x0a, 64];
        expected.extend([b'1'; 64]);
        expected.extend([0x10, 0xac, 0x02, 0x20, 1]);
        // Tag 5, bytes: the envelope.
        expected.extend([0x2a, 80]);
        expected.extend(b"tapeout\x01");
        assert_eq!(body[..expected.len()], expected);
        assert_eq!(body.len(), expected.len() + 72);
    }

    #[test]
    fn only_the_whole_payload_of_the_key_comes_out() {
        let body = encode(&key(1), b"payload", &[]);
        assert_eq!(decode(&key(1), &body).unwrap().unwrap(), b"payload");
        assert_eq!(decode(&key(2), &body), Err("it is the result for another key"));
        for cut in 0..body.len() {
            assert!(decode(&key(1), &body[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..body.len() {
            let mut bent = body.clone();
            bent[at] ^= 1;
            assert!(!matches!(decode(&key(1), &bent), Ok(Some(_))), "bent at {at}");
        }
        // Tag 9, the metadata that servers add.
        let grown = [&body[..], &[0x4a, 3, 0x0a, 1, b'w']].concat();
        assert_eq!(decode(&key(1), &grown).unwrap().unwrap(), b"payload");
    }
}
