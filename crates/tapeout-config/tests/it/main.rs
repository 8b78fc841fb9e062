//! Configurations from files to values, and what is said about wrong ones.

mod design;
mod filelists;
mod messages;
mod tcl;
mod values;
