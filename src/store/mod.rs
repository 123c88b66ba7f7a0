//! The durable ledger: records, envelope, sled.
