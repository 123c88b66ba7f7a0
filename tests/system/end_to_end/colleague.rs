//! Somebody at another desk.

use std::path::PathBuf;

use serde_json::Value;

use crate::process::{Output, SEATKEEPER, STATE_HOME, command, finish};
use crate::site::Site;

/// A colleague at another desk: files of their own, no data directory.
pub(super) struct Colleague<'a> {
    site: &'a Site,
    home: PathBuf,
}

impl<'a> Colleague<'a> {
    pub(super) fn new(site: &'a Site, name: &str) -> Self {
        let home = site.dir.path().join(name);
        Self { site, home }
    }

    #[track_caller]
    pub(super) fn ask(&self, args: &[&str]) -> Output {
        let mut ask = command(SEATKEEPER);
        ask.args(args).args(["--server", &self.site.server().server_arg()]);
        ask.arg("--data").arg(self.home.join("no-server-here"));
        finish(ask.env(STATE_HOME, &self.home))
    }

    /// What a command prints with `--json`.
    #[track_caller]
    pub(super) fn json(&self, args: &[&str]) -> Value {
        self.ask(&[args, &["--json"]].concat()).json()
    }

    /// Somebody whom the administrator has given a role.
    #[track_caller]
    pub(super) fn with_role(site: &'a Site, role: &str) -> Self {
        let colleague = Self::new(site, role);
        site.admin(["admin", "add", &colleague.fingerprint(), "--role", role])
            .ok();
        colleague
    }

    #[track_caller]
    pub(super) fn fingerprint(&self) -> String {
        let shown = self.ask(&["identity", "show", "--json"]).json();
        shown["fingerprint"].as_str().expect("fingerprint").to_owned()
    }
}
