//! A few rules, one by one, and that histories get everywhere.

mod histories;
mod rules;
mod time;
