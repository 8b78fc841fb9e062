//! Stand-ins until the reworked store is merged.
#![allow(missing_docs)]
use crate::{Store, StoreError};
use tapeout_model::Digest;
pub struct KeyLock;
impl Store {
    pub fn refresh(&self) -> Result<(), StoreError> {
        Ok(())
    }
    pub fn lock_key(&self, _: &Digest) -> Result<Option<KeyLock>, StoreError> {
        Ok(Some(KeyLock))
    }
    pub fn describe(&self, _: &Digest, _: &[(String, String)]) {}
}
