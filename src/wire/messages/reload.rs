//! RELOAD: the server reads its configuration again while it runs.

use crate::wire::ConfigEffect;
use crate::wire::limits::{
    CONFIG_KEY_LEN_MAX, CONFIG_LINE_LEN_MAX, CONFIG_LINES_MAX, CONFIG_ROWS_MAX, CONFIG_VALUE_LEN_MAX, PATH_LEN_MAX,
};

message! {
    /// RELOAD: read again the configuration file that the server was started with.
    Reload {
        /// Whether only to tell what that would change; not if absent.
        0x0001 dry_run: optional bool;
    }
}

message! {
    /// The reply to RELOAD: what changed, or what is wrong with the file.
    ReloadOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The file.
        0x0002 file: required String, max PATH_LEN_MAX;
        /// What is wrong with it, line by line; with any, nothing was taken over.
        0x0003 wrong: repeated String, max CONFIG_LINE_LEN_MAX, count CONFIG_LINES_MAX;
        /// The keys whose values in the file are not those in force.
        0x0004 rows: repeated ConfigRow, count CONFIG_ROWS_MAX;
    }
}

message! {
    /// A key of the configuration whose value in the file is not the one in force.
    ConfigRow {
        /// The key, as in the file, with its table's name before it.
        0x0001 key: required String, max CONFIG_KEY_LEN_MAX;
        /// The value that was in force; absent where that was the program's own choice.
        0x0002 before: optional String, max CONFIG_VALUE_LEN_MAX;
        /// The value in the file, likewise.
        0x0003 after: optional String, max CONFIG_VALUE_LEN_MAX;
        /// What becomes of it.
        0x0004 effect: required ConfigEffect;
        /// What goes before the file, as `--name`; there where the key is overruled.
        0x0005 by: optional String, max CONFIG_KEY_LEN_MAX;
    }
}
