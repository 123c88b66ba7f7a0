//! What a check found, and which finding is the root cause.

use serde::Serialize;

/// What was checked, in the order in which one thing rests on another: of several that fail, the first is the root cause.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// The network interfaces of this machine, each with what it carries.
    Interfaces,
    /// The MAC address that agents are counted by (rule I5).
    Mac,
    /// What the components of this machine remember.
    Components,
    /// Where the named server is.
    Name,
    /// What the site says of where its servers are.
    Site,
    /// A path by which servers are looked for, as a whole.
    Way,
    /// A way on which everybody was asked.
    Path,
    /// Whether any server was found at all.
    Discovery,
    /// The question to one server.
    Udp,
    /// The connection to one server.
    Tcp,
    /// The TLS session with one server.
    Tls,
    /// Whether the server is who it offered to be, and nobody else is.
    Identity,
    /// The protocol version.
    Protocol,
    /// HELLO.
    Hello,
    /// Whether the components of this machine trust the server.
    Pin,
    /// Whether the server serves who is not enrolled.
    Enrolment,
    /// Whether the server knows the product.
    Product,
    /// A copied machine on this one's address (rule I7).
    Conflict,
    /// Whether a seat can be had.
    Seats,
    /// The seats of this machine.
    Machine,
    /// One license on two servers.
    Serials,
    /// Two servers of one name.
    Names,
    /// The clocks (rule T3).
    Clock,
    /// What the server warns of.
    Warnings,
}

impl Check {
    /// Its name for people.
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::Interfaces => "interface",
            Self::Mac => "MAC",
            Self::Components => "component",
            Self::Name => "name",
            Self::Site => "site",
            Self::Way => "search",
            Self::Path => "path",
            Self::Discovery => "discovery",
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Identity => "identity",
            Self::Protocol => "protocol",
            Self::Hello => "HELLO",
            Self::Pin => "trust",
            Self::Enrolment => "enrolment",
            Self::Product => "product",
            Self::Conflict => "conflict",
            Self::Seats => "seats",
            Self::Machine => "this machine",
            Self::Serials => "one license",
            Self::Names => "one name",
            Self::Clock => "clock",
            Self::Warnings => "warning",
        }
    }

    /// How a program ends of which this is the root cause.
    pub(super) const fn exit_code(self) -> u8 {
        match self {
            Self::Interfaces
            | Self::Name
            | Self::Way
            | Self::Path
            | Self::Discovery
            | Self::Udp
            | Self::Tcp
            | Self::Pin => 3,
            Self::Product | Self::Conflict | Self::Seats | Self::Machine | Self::Serials => 4,
            Self::Enrolment => 5,
            Self::Mac
            | Self::Components
            | Self::Site
            | Self::Tls
            | Self::Identity
            | Self::Protocol
            | Self::Hello
            | Self::Names
            | Self::Clock
            | Self::Warnings => 1,
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Pass,
    Warn,
    Fail,
}

impl Verdict {
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// What a check found: one line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Finding {
    pub(super) check: Check,
    /// The interface, the way, the server or the product that it is about; empty where there is only one.
    pub(super) about: String,
    pub(super) verdict: Verdict,
    /// What is so.
    pub(super) cause: String,
    /// What to do; nothing where nothing is wrong.
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn pass(check: Check, about: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            check,
            about: about.into(),
            verdict: Verdict::Pass,
            cause: cause.into(),
            remedy: None,
        }
    }

    pub(super) fn warn(
        check: Check,
        about: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warn,
            remedy: Some(remedy.into()),
            ..Self::pass(check, about, cause)
        }
    }

    pub(super) fn fail(
        check: Check,
        about: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(check, about, cause, remedy)
        }
    }

    /// A failure stays one where it counts, and is a warning where it does not.
    pub(super) fn fail_if(self, counts: bool) -> Self {
        let verdict = if counts {
            self.verdict
        } else {
            self.verdict.min(Verdict::Warn)
        };
        Self { verdict, ..self }
    }
}

/// A check that could not be made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Unchecked {
    pub(super) check: Check,
    /// Why not, and what it takes.
    pub(super) reason: String,
}

/// The root cause: of what fails, what everything else rests on.
pub(super) fn root_cause(findings: &[Finding]) -> Option<&Finding> {
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.min_by_key(|finding| finding.check)
}
