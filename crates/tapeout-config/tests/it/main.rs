//! Configurations from files to values, and what is said about wrong ones.

mod design;
mod filelists;
mod layers;
mod messages;
mod references;
mod structs;
mod tcl;
mod values;
