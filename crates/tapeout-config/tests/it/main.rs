//! Configurations from files to values, and what is said about wrong ones.

mod copies;
mod design;
mod examine;
mod filelists;
mod hostile;
mod json_schema;
mod layers;
mod messages;
mod own_options;
mod pdk;
mod reads;
mod references;
mod structs;
mod tcl;
mod values;
