//! EXPLAIN: how a checkout would be decided, step by step (rule V2).

use crate::wire::limits::{EXPLAIN_STEPS_MAX, ID_LEN_MAX, REFUSAL_TEXT_LEN_MAX, RULE_LEN_MAX, SERIAL_LEN};
use crate::wire::{Check, Finding, Outcome, Status};

message! {
    /// EXPLAIN: how a checkout would be decided at this moment; nothing is changed.
    Explain {
        /// The vendor's id; needed where two vendors have a product of this id.
        0x0001 vendor: optional [u8; 16];
        /// The product's id.
        0x0002 product: required String, max ID_LEN_MAX;
        /// The component that asks; if absent that of the checkout that was refused here last, else one that holds the
        /// machine's seat, else one that is counted.
        0x0003 component: optional String, max ID_LEN_MAX;
        /// The machine's MAC address.
        0x0004 mac: required [u8; 6];
        /// The identity that asks; if absent the one that was refused here last, else the one that waits for approval, else
        /// the one that is bound to the component, else one that is new here.
        0x0005 identity: optional [u8; 32];
        /// The continuation number that it sends; if absent the one that it was refused with, else the one that is accepted.
        0x0006 continuation: optional u64;
    }
}

message! {
    /// The reply to EXPLAIN.
    ExplainOk {
        /// The server's calendar, in seconds since 1970-01-01 00:00 UTC.
        0x0001 server_time: required u64;
        /// The component that was supposed; absent where none was named and no catalogue tells any.
        0x0002 component: optional String, max ID_LEN_MAX;
        /// The identity that was supposed; absent for one that is new here.
        0x0003 identity: optional [u8; 32];
        /// What was looked at, in its order, and what else is worth knowing.
        0x0004 steps: repeated ExplainStep, count EXPLAIN_STEPS_MAX;
        /// What the checkout is answered.
        0x0005 status: required Status;
        /// How it is granted; there where the status is OK.
        0x0006 outcome: optional Outcome;
        /// The license that serves; there where a seat is granted.
        0x0007 serial: optional String, max SERIAL_LEN;
        /// The same in words, for people.
        0x0008 text: required String, max REFUSAL_TEXT_LEN_MAX;
        /// The one thing to do, for people.
        0x0009 remedy: required String, max REFUSAL_TEXT_LEN_MAX;
        /// When that identity was refused here last, in seconds since 1970-01-01 00:00 UTC; there where it is supposed for
        /// that.
        0x000a refused_at: optional u64;
    }
}

message! {
    /// A step of the decision, or a fact beside it.
    ExplainStep {
        /// The rule, as `rules.md` names it; empty where it is this site's configuration that says so.
        0x0001 rule: required String, max RULE_LEN_MAX;
        /// What was looked at.
        0x0002 check: required Check;
        /// What came of it.
        0x0003 finding: required Finding;
        /// The facts, for people.
        0x0004 text: required String, max REFUSAL_TEXT_LEN_MAX;
        /// The license that it is about.
        0x0005 serial: optional String, max SERIAL_LEN;
        /// The other machine that it is about.
        0x0006 mac: optional [u8; 6];
        /// The moment that the text ends with, in seconds since 1970-01-01 00:00 UTC.
        0x0007 at: optional u64;
    }
}
