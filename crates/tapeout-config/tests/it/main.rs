//! Configurations from files to values, and what is said about wrong ones.

mod design;
mod filelists;
mod json_schema;
mod messages;
mod own_options;
mod structs;
mod values;
