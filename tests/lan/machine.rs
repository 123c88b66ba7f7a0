//! A whole host: systemd as its first process, directories of its own where programs are installed and state is kept. What
//! an administrator does on a server is done here as it is typed: nothing is imitated, and nothing of it reaches the
//! machine that the test runs on.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::Host;
use crate::process::{Output, command, finish, wait};

/// What every program of systemd needs to be told where it is.
const SYSTEMD: &str = "/lib/systemd/systemd";

/// Makes the namespaces that [`BOOT`] runs in, which end with this process or with its thread that asked for it.
const UNSHARE: [&str; 12] = [
    "--pdeathsig",
    "KILL",
    "--",
    "unshare",
    "--fork",
    "--kill-child=KILL",
    "--pid",
    "--mount-proc",
    "--mount",
    "--uts",
    "--ipc",
    "--cgroup",
];

/// Where control groups are, whichever of them the system has.
const GROUPS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

/// Makes the host's file system and becomes its first process. `$1` is the host's name, `$2` that of a control group of its
/// own, without which the systemd of one host takes away the groups of another one's services; then follow, in pairs, files
/// and directories of this machine and where below root's home they are seen, to read. Of what the system would start,
/// only the journal is: all else is about devices and files that are not the host's own.
const BOOT: &str = r#"
set -eu
name=$1
group=$2
shift 2
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -w "$tree/cgroup.procs" ]; then
        mkdir "$tree/$group"
        echo 0 >"$tree/$group/cgroup.procs"
    fi
done
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
# First, since what is mounted below may hide where they are.
for word in "$@"; do
    if [ -z "${from:-}" ]; then from=$word; continue; fi
    at=/run/lab/root/$word
    if [ -d "$from" ]; then mkdir -p "$at"; else mkdir -p "${at%/*}"; touch "$at"; fi
    mount --bind "$from" "$at"
    mount -o remount,bind,ro "$at"
    from=
done
for place in etc var usr/bin; do
    mkdir -p "/run/lab/$place/upper" "/run/lab/$place/work"
    mount -t overlay -o "lowerdir=/$place,upperdir=/run/lab/$place/upper,workdir=/run/lab/$place/work" overlay "/$place"
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=700 tmpfs /root
mkdir -p /run/lab/root
for place in /run/lab/root/*; do
    if [ -e "$place" ]; then ln -s "$place" /root/; fi
done
rm -rf /var/lib/seatkeeper /var/lib/private /var/lib/seatkeeper-agent /etc/seatkeeper
mkdir -p /etc/systemd/system
rm -rf /etc/systemd/system/*.wants
cd /lib/systemd
for place in system-generators system/sysinit.target.wants system/local-fs.target.wants system/sockets.target.wants \
    system/timers.target.wants system/multi-user.target.wants; do
    if [ -d "$place" ]; then mount -t tmpfs tmpfs "$place"; fi
done
ln -s ../systemd-journald.service system/sysinit.target.wants/
ln -s ../systemd-journald.socket system/sockets.target.wants/
cd /
echo "$name" >/etc/hostname
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=lab \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=0
"#;

/// Whether whole hosts can be made here: by root, where systemd is.
pub(crate) fn possible() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("a whole host takes root".to_owned());
    }
    if !Path::new(SYSTEMD).exists() {
        return Err(format!("there is no {SYSTEMD}"));
    }
    let tried = command("setpriv")
        .args(UNSHARE)
        .args([
            "sh",
            "-c",
            "mount --make-rprivate / && mkdir -p /run && mount -t tmpfs tmpfs /run && mkdir /run/u /run/w \
              && mount -t overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w overlay /etc",
        ])
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("setpriv: {error}")),
    }
}

/// A host of a lab that runs systemd.
#[derive(Debug)]
pub(crate) struct Machine {
    name: String,
    /// Its control group.
    group: String,
    boot: Child,
    /// Its first process, as this process knows it.
    first: u32,
    /// What its shells find in their environment.
    environment: Vec<(String, String)>,
}

impl Machine {
    /// Starts `host` as a machine of this name that sees files and directories of this one below root's home, at the
    /// places behind them. It is not up yet.
    #[track_caller]
    pub(crate) fn boot(host: &Host, name: &str, seen: &[(&Path, &str)]) -> Self {
        static BOOTED: AtomicU32 = AtomicU32::new(0);
        let number = BOOTED.fetch_add(1, Ordering::Relaxed);
        let group = format!("lab-{}-{number}", std::process::id());
        let mut boot = host.command("setpriv");
        boot.args(UNSHARE).args(["sh", "-c", BOOT, "sh", name, &group]);
        for (from, at) in seen {
            assert!(
                from.exists(),
                "{} is not there; build it with `cargo build --workspace`",
                from.display()
            );
            boot.arg(from).arg(at);
        }
        let boot = boot
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("setpriv");
        Self {
            name: name.to_owned(),
            group,
            first: 0,
            boot,
            environment: Vec::new(),
        }
    }

    /// Waits until it is up.
    #[track_caller]
    pub(crate) fn await_up(&mut self) {
        self.first = self.first_process();
        // It can be asked before it has started everything, but not from the first moment on. What of the system's own does
        // not start in a sandbox is no matter.
        let up = "until systemctl show --property=Version; do sleep 0.02; done >/dev/null 2>&1
                  systemctl is-system-running --wait || [ \"$(systemctl is-system-running)\" = degraded ]";
        self.shell(up).ok();
    }

    /// Where a file of it is, as this process can open it.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        format!("/proc/{}/root{file}", self.first).into()
    }

    /// The child of `unshare`, which is the first process inside.
    #[track_caller]
    fn first_process(&mut self) -> u32 {
        let unshare = self.boot.id();
        loop {
            let children = std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"));
            if let Some(first) = children
                .ok()
                .and_then(|pids| pids.split_whitespace().next()?.parse().ok())
            {
                return first;
            }
            let ended = self.boot.try_wait().expect("its state");
            assert!(ended.is_none(), "{} did not boot: {ended:?}", self.name);
            std::thread::yield_now();
        }
    }

    /// Sets a variable for all further commands.
    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.environment.push((variable.to_owned(), value.to_owned()));
    }

    fn inside(&self, program: impl AsRef<OsStr>) -> Command {
        let mut inside = command("nsenter");
        inside.args([
            "--target",
            &self.first.to_string(),
            "--all",
            "--",
            "env",
            "-i",
            "-C",
            "/root",
        ]);
        inside.args([
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "TERM=dumb",
            "COLUMNS=160",
            "LC_ALL=C.UTF-8",
        ]);
        inside.args(self.environment.iter().map(|(name, value)| format!("{name}={value}")));
        inside.arg(program);
        inside
    }

    /// Runs a script as root of this machine would type it, up to the first command that fails. Both of its streams are one.
    pub(crate) fn shell(&self, script: &str) -> Output {
        finish(
            self.inside("bash")
                .args(["-euo", "pipefail", "-c", &format!("exec 2>&1\n{script}")]),
        )
    }

    /// Makes a file of root's.
    #[track_caller]
    pub(crate) fn put(&self, file: &str, bytes: &[u8]) {
        let script = format!("mkdir -p \"$(dirname '{file}')\" && cat >'{file}'");
        let mut put = self.inside("sh");
        let mut child = put
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .spawn()
            .expect("nsenter");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(bytes).expect("written");
        drop(stdin);
        wait(child).ok();
    }

    /// The bytes of a file of root's.
    #[track_caller]
    pub(crate) fn get(&self, file: &str) -> Vec<u8> {
        let read = self.inside("cat").arg(file).output().expect("nsenter");
        assert!(read.status.success(), "{}: {file}: {read:?}", self.name);
        read.stdout
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The first process takes all others with it. Who waits for it ends behind it, and by then nobody is left in the group.
        let first = i32::try_from(self.first).ok().filter(|first| *first > 0);
        let is_told = first.is_some_and(|first| kill(Pid::from_raw(first), Signal::SIGKILL).is_ok());
        if !is_told {
            drop(self.boot.kill());
        }
        drop(self.boot.wait());
        for tree in GROUPS {
            remove_group(&Path::new(tree).join(&self.group));
        }
    }
}

/// Takes a control group away with all below it; what is still in use stays.
fn remove_group(group: &Path) {
    let below = std::fs::read_dir(group).into_iter().flatten().flatten();
    let below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    below.for_each(|entry| remove_group(&entry.path()));
    drop(std::fs::remove_dir(group));
}
