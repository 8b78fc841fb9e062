//! Configurations from files to values, and what is said about wrong ones.

mod design;
mod filelists;
mod json_schema;
mod layers;
mod messages;
mod own_options;
mod reads;
mod references;
mod structs;
mod tcl;
mod values;
