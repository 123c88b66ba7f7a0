//! Networks of hosts in network namespaces: no root, no `ip netns`, nothing left behind.
//!
//! The test program starts itself anew in namespaces of its own: as root where it is root, so that there are other users,
//! else in a user namespace in which it is root. Each host is a process of its own
//! network namespace that lives as long as its [`Lab`]; links are veth pairs between two of them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;

use crate::process::{Output, SEATKEEPER, SITE_FILE, STATE_HOME, ServerProcess, command, finish};

/// Set in the process that has become root of its own namespaces.
const INSIDE: &str = "SEATKEEPER_LAN_INSIDE";

/// Set to `require` where a machine that cannot make a lab is a failure, as in continuous integration.
const REQUIREMENT: &str = "SEATKEEPER_LAN";

/// What a lab is made with: a namespace to be root of, veth pairs and a bridge.
const TRIAL: &str = "ip link set lo up && ip link add name lab0 type veth peer name lab1 \
                     && ip link add name lab2 type bridge && exec nsenter --target $$ --net true";

/// Whether labs can be made here. Where they can, this returns only in the process that is root of its namespaces.
pub(crate) fn enter() -> Result<(), String> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(());
    }
    let mut fault = String::new();
    let ways: [&[&str]; 2] = [
        &["--net", "--mount"],
        &["--user", "--map-root-user", "--net", "--mount"],
    ];
    for way in ways.into_iter().skip(usize::from(!nix::unistd::geteuid().is_root())) {
        match enter_by(way) {
            Ok(never) => match never {},
            Err(reason) => fault = reason,
        }
    }
    Err(fault)
}

/// Starts this program anew in namespaces that `unshare` makes with these options; returns where they make no lab.
fn enter_by(options: &[&str]) -> Result<std::convert::Infallible, String> {
    let unshare = |program: &OsStr| {
        let mut unshare = Command::new("unshare");
        unshare.args(options).arg("--").arg(program);
        unshare
    };
    let tried = unshare("sh".as_ref()).args(["-c", TRIAL]).stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => return Err(format!("unshare: {error}")),
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let error = unshare(program.as_os_str())
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    Err(format!("unshare: {error}"))
}

/// Whether a machine that cannot make a lab is a failure.
pub(crate) fn is_required() -> bool {
    std::env::var_os(REQUIREMENT).is_some_and(|value| value == "require")
}

/// A network of hosts and a directory for their files.
#[derive(Debug)]
pub(crate) struct Lab {
    dir: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("temporary directory"),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A host without interfaces but `lo`.
    #[track_caller]
    pub(crate) fn host(&self, name: &str) -> Host {
        let mut holder = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", "ip link set lo up && echo ready && exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let alive = holder.stdin.take();
        let mut said = String::new();
        BufReader::new(holder.stdout.take().expect("piped"))
            .read_line(&mut said)
            .expect("read");
        assert_eq!(said.trim(), "ready", "host {name}");
        let state = self.dir.path().join(name);
        std::fs::create_dir(&state).expect("a directory for the host");
        Host {
            name: name.to_owned(),
            holder,
            _alive: alive,
            state,
        }
    }

    /// A wire between two hosts: each end with its name.
    #[track_caller]
    pub(crate) fn link((one, one_name): (&Host, &str), (other, other_name): (&Host, &str)) {
        let (one_pid, other_pid) = (one.pid().to_string(), other.pid().to_string());
        ip(&[
            "link", "add", "name", one_name, "netns", &one_pid, "type", "veth", "peer", "name", other_name, "netns",
            &other_pid,
        ]);
        for (host, name) in [(one, one_name), (other, other_name)] {
            host.ip(&["link", "set", name, "up"]);
        }
    }

    /// Hosts on one switch: each gets an interface `eth0` with its address.
    #[track_caller]
    pub(crate) fn switch(&self, hosts: &[(&Host, &str)]) -> Host {
        let switch = self.host("switch");
        switch.ip(&["link", "add", "name", "br0", "type", "bridge", "stp_state", "0"]);
        switch.ip(&["link", "set", "br0", "up"]);
        for (place, (host, address)) in hosts.iter().enumerate() {
            let port = format!("port{place}");
            Self::link((&switch, &port), (host, "eth0"));
            switch.ip(&["link", "set", &port, "master", "br0"]);
            host.address("eth0", address);
        }
        switch
    }
}

/// A host of a lab: a network namespace.
#[derive(Debug)]
pub(crate) struct Host {
    name: String,
    holder: Child,
    /// The holder ends when this is closed, also where this process is killed.
    _alive: Option<ChildStdin>,
    state: PathBuf,
}

impl Host {
    fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// A command on this host.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut on_host = command("nsenter");
        on_host
            .args(["--target", &self.pid().to_string(), "--net", "--"])
            .arg(program);
        on_host
    }

    /// Configures this host's network.
    #[track_caller]
    pub(crate) fn ip(&self, args: &[&str]) {
        let done = finish(self.command("ip").args(args));
        assert_eq!(done.code, Some(0), "{}: ip {args:?}: {done:?}", self.name);
    }

    /// Gives an interface an address, `ADDRESS/PREFIX`.
    #[track_caller]
    pub(crate) fn address(&self, interface: &str, address: &str) {
        // No detection of duplicates: it makes an IPv6 address wait for a second.
        let more: &[&str] = if address.contains(':') {
            &["nodad"]
        } else {
            &["broadcast", "+"]
        };
        self.ip(&[&["address", "add", address, "dev", interface], more].concat());
    }

    /// Runs the binary under test on this host.
    #[track_caller]
    pub(crate) fn seatkeeper<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let mut run = self.command(SEATKEEPER);
        if self.site_file().exists() {
            run.env(SITE_FILE, self.site_file());
        }
        finish(run.args(args).env(crate::process::STATE_DIR, self.state.join("agent")))
    }

    /// The site file of this host; there is none until a test writes it.
    pub(crate) fn site_file(&self) -> PathBuf {
        self.state.join("site")
    }

    /// Starts a server on this host, on all its interfaces and the usual port.
    #[track_caller]
    pub(crate) fn serve(&self, args: &[&str]) -> ServerProcess {
        let data = self.data();
        let mut serve = self.command(SEATKEEPER);
        serve
            .args(["serve", "--name", &self.name, "--data"])
            .arg(&data)
            .args(args);
        ServerProcess::of(&mut serve, &data)
    }

    /// Runs an administrator's command on this host, against its own server.
    #[track_caller]
    pub(crate) fn admin<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let mut run = self.command(SEATKEEPER);
        finish(run.arg("--data").arg(self.data()).args(args))
    }

    /// Runs an administrator's command on this host, with the administrator's identity of `server`, against `address`.
    #[track_caller]
    pub(crate) fn administer<S: AsRef<OsStr>>(
        &self,
        server: &Self,
        address: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Output {
        let mut run = self.command(SEATKEEPER);
        run.arg("--data").arg(server.data()).args(args);
        // What this host remembers of servers is its own: every lab has the same addresses.
        finish(run.args(["--server", address]).env(STATE_HOME, &self.state))
    }

    /// The data directory of a server on this host.
    pub(crate) fn data(&self) -> PathBuf {
        self.state.join("data")
    }
}

/// A disk of its own for a directory, which is made; gone when this goes.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    #[track_caller]
    pub(crate) fn mount(at: PathBuf, mebibytes: u32) -> Self {
        std::fs::create_dir_all(&at).expect("a directory for the disk");
        let size = format!("size={mebibytes}m,mode=700");
        let done = finish(command("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at));
        assert_eq!(done.code, Some(0), "mount: {done:?}");
        Self { at }
    }

    /// Fills it up but for so many bytes, with a file of this name.
    pub(crate) fn fill(&self, name: &str, but: u64) -> PathBuf {
        let path = self.at.join(name);
        let mut filler = std::fs::File::create(&path).expect("a file");
        let block = vec![1; 64 << 10];
        while std::io::Write::write_all(&mut filler, &block).is_ok() {}
        let len = filler.metadata().expect("its length").len();
        filler.set_len(len.saturating_sub(but)).expect("shorter");
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        finish(command("umount").arg("--lazy").arg(&self.at));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

#[track_caller]
fn ip(args: &[&str]) {
    let done = finish(command("ip").args(args));
    assert_eq!(done.code, Some(0), "ip {args:?}: {done:?}");
}
