//! The server as `tools/dist/seatkeeper.service` runs it, without systemd: what the unit says is read from it and done
//! with mounts and `setpriv`. System calls are traced, and compared with those that the unit allows.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use seatkeeper::domain::blacklist::Listed;
use seatkeeper::tls::Identity;
use seatkeeper::vendor::SignedBlacklist;
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::{Request, admin};

use crate::lab::{Host, Lab};
use crate::machine::Machine;
use crate::process::{SEATKEEPER, ServerProcess, finish, signal};
use crate::shop::{Shop, used};
use crate::vendor::Vendor;
use crate::wire::Wire;

const UNIT: &str = include_str!("../../tools/dist/seatkeeper.service");

/// Where the unit's `StateDirectory=` is inside: a name for a directory below, which is its own.
const STATE: &str = "/var/lib/seatkeeper";

/// A user that is nobody, of those that systemd gives to `DynamicUser=`.
const USER: &str = "61900";

/// What takes every privilege away, as the unit does.
const UNPRIVILEGED: [&str; 8] = [
    "--reuid",
    USER,
    "--regid",
    USER,
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
];

/// What the unit says that [`SANDBOX`] and [`UNPRIVILEGED`] do.
const IMITATED: [&str; 14] = [
    "DynamicUser=yes",
    "StateDirectory=seatkeeper",
    "StateDirectoryMode=0700",
    "UMask=0077",
    "LimitCORE=0",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "ProtectKernelTunables=yes",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
];

/// Makes the file system of the unit in a mount namespace of its own and becomes the command behind. `$1` is the data
/// directory, `$2` the program, as `/usr/bin/seatkeeper` is to the unit.
const SANDBOX: &str = r#"
set -eu
data=$1 program=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/data
touch /mnt/program
mount --bind "$data" /mnt/data
mount --bind "$program" /mnt/program
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir -p /var/lib/private/seatkeeper
ln -s private/seatkeeper /var/lib/seatkeeper
touch /var/lib/program
printf '[journal]\ncheckpoint_kib = 1024\n' >/var/lib/seatkeeper.toml
mount --move /mnt/data /var/lib/private/seatkeeper
mount --move /mnt/program /var/lib/program
for home in /home /root /run/user; do
    if [ -d "$home" ]; then mount -t tmpfs -o mode=000 tmpfs "$home"; fi
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t proc -o hidepid=invisible,subset=pid proc /proc
for point in $(cut -d ' ' -f 5 /proc/self/mountinfo | sort -u); do
    case "$point" in
    /dev | /dev/* | /proc | /proc/* | /tmp | /tmp/* | /var/tmp | /var/tmp/* | /var/lib/private/seatkeeper) ;;
    # Those that are covered by others are not there any more.
    *) if mountpoint -q "$point"; then mount -o remount,bind,ro "$point"; fi ;;
    esac
done
umask 077
ulimit -c 0
exec "$@"
"#;

/// Set for a process that fills the journal of a server: its address and an administrator's identity.
const PART: &str = "SEATKEEPER_LAN_BLACKLISTS";

/// The values of a setting in the unit, in order.
fn unit(setting: &str) -> Vec<&'static str> {
    UNIT.lines()
        .filter_map(|line| line.strip_prefix(setting)?.strip_prefix('='))
        .collect()
}

/// Whether a program says that it works here.
fn works(program: &str, args: &[&str]) -> Result<(), String> {
    let tried = Command::new(program).args(args).stdin(Stdio::null()).output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// Whether this process can become another user: root can, and so can `setpriv`.
pub(crate) fn root() -> Result<(), String> {
    works("setpriv", &[&UNPRIVILEGED[..], &["true"]].concat())
}

/// Whether systemd's own tools are here.
pub(crate) fn systemd() -> Result<(), String> {
    works("systemd-analyze", &["--version"])
}

/// Whether system calls can be traced, and told apart by systemd's groups.
pub(crate) fn tracing() -> Result<(), String> {
    systemd()?;
    works("strace", &["-f", "-o", "/dev/null", "true"])
}

/// Whether a machine is not fit for continuous integration where this fails: all is but tracing, which not every sandbox
/// lets anybody do, and a name server. Where it fails for want of systemd, so does what is essential.
pub(crate) fn is_essential(needs: fn() -> Result<(), String>) -> bool {
    let [tracing, name_server]: [fn() -> Result<(), String>; 2] = [tracing, super::finding::dnsmasq];
    !std::ptr::fn_addr_eq(needs, tracing) && !std::ptr::fn_addr_eq(needs, name_server)
}

/// What the unit starts, with `program` in its place.
fn exec_start(program: &str) -> Vec<String> {
    let [start] = unit("ExecStart")[..] else {
        panic!("one ExecStart=")
    };
    let words = start.split(' ').map(|word| match word {
        "/usr/bin/seatkeeper" => program.to_owned(),
        "${STATE_DIRECTORY}" => STATE.to_owned(),
        word => word.to_owned(),
    });
    words.collect()
}

/// Starts a server on `host` as the unit would.
#[track_caller]
fn serve(host: &Host) -> ServerProcess {
    let data = host.data();
    let mut serve = host.command("unshare");
    serve.args(["--mount", "--", "sh", "-c", SANDBOX, "sh"]);
    serve.arg(&data).arg(SEATKEEPER).arg("setpriv").args(UNPRIVILEGED);
    serve.args(["--", "env", "-i", &format!("STATE_DIRECTORY={STATE}")]);
    serve.args(exec_start("/var/lib/program"));
    // By which a checkpoint is due soon; all else is as it is without one.
    serve.args(["--config", "/var/lib/seatkeeper.toml"]);
    ServerProcess::of(&mut serve, &data)
}

/// A directory for a server on `host`, as systemd makes it.
#[track_caller]
fn state_directory(host: &Host) {
    let data = host.data();
    fs::create_dir(&data).unwrap();
    let owner = format!("{USER}:{USER}");
    finish(host.command("chown").arg(owner).arg(&data)).ok();
    finish(host.command("chmod").arg("0700").arg(&data)).ok();
}

/// Checks that a process has no privilege, and that nothing but its own directory can be written where it is.
#[track_caller]
fn check_privileges(host: &Host, pid: u32) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| field(&status, name).split_whitespace().collect::<Vec<_>>().join(" ");
    for ids in ["Uid", "Gid"] {
        assert_eq!(field(ids), [USER; 4].join(" "), "{ids}");
    }
    assert_eq!(field("Groups"), "");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(set), "0000000000000000", "{set}");
    }
    assert_eq!(field("NoNewPrivs"), "1");
    // To root, whom permissions do not stop: what says no is the file system. Asked without writing anything.
    let writable = |place: &str| {
        let mut ask = host.command("nsenter");
        ask.args(["--target", &pid.to_string(), "--mount", "--", "test", "-w", place]);
        finish(&mut ask).code == Some(0)
    };
    let places = [
        "/",
        "/etc",
        "/usr",
        "/var",
        "/var/lib",
        "/var/lib/private",
        "/run",
        "/opt",
        "/root",
        "/sys",
    ];
    let found: Vec<_> = places.into_iter().filter(|place| writable(place)).collect();
    assert!(found.is_empty(), "{found:?} can be written");
    let own = ["/var/lib/private/seatkeeper", "/tmp", "/var/tmp"];
    assert!(own.into_iter().all(writable), "its own cannot be written");
    let tmp = |process: &str| fs::metadata(format!("/proc/{process}/root/tmp")).unwrap();
    assert_ne!(tmp(&pid.to_string()).dev(), tmp("self").dev(), "its /tmp is its own");
}

pub(crate) fn hardened() {
    for setting in IMITATED {
        assert!(
            UNIT.lines().any(|line| line == setting),
            "the unit does not say {setting}"
        );
    }
    let lab = Lab::new();
    let [server, desk] = ["server", "desk"].map(|name| lab.host(name));
    Lab::link((&server, "eth0"), (&desk, "eth0"));
    server.address("eth0", "10.77.14.1/24");
    desk.address("eth0", "10.77.14.2/24");
    state_directory(&server);
    let running = serve(&server);
    check_privileges(&server, running.pid());
    let shop = Shop::new(&lab);
    shop.supply(&server, &[(1, "BKSRV", 5)]);
    // Found by asking the network.
    shop.agent(&desk, 1, "checkout", "agent", &[]).ok();
    let mut filling = fill_journal(&server, &running);
    running.await_line("checkpoint 1:");
    drop(filling.kill());
    drop(filling.wait());
    shop.agent(&desk, 2, "checkout", "agent", &[]).ok();
    running.stop();

    // The start reads the checkpoint, which sled opens.
    let running = serve(&server);
    check_privileges(&server, running.pid());
    assert_eq!(used(&server), 2);
    shop.agent(&desk, 1, "renew", "agent", &[]).ok();
    // And once more after it had no time to say goodbye.
    running.kill();
    let running = serve(&server);
    shop.agent(&desk, 2, "renew", "agent", &[]).ok();
    assert_eq!(used(&server), 2);
    running.stop();
}

/// A field of `/proc/PID/status`.
#[track_caller]
fn field<'s>(status: &'s str, name: &str) -> &'s str {
    let mut rows = status.lines();
    let row = rows.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    row.expect(name).trim()
}

/// Not imitated, as by [`hardened`]: what systemd itself makes of the unit on a host that it boots.
pub(crate) fn enforced() {
    let lab = Lab::new();
    let host = lab.host("server");
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/dist");
    let mut machine = Machine::boot(
        &host,
        "server",
        &[(Path::new(SEATKEEPER), "seatkeeper"), (&dist, "dist")],
    );
    machine.await_up();
    let install = "install -m 0755 seatkeeper /usr/bin/
                   install -m 0644 dist/seatkeeper.service /etc/systemd/system/";
    machine.shell(install).ok();
    let running = || {
        let start = "systemctl daemon-reload; systemctl restart seatkeeper
                     systemctl show --property=MainPID --value seatkeeper";
        let pid = machine.shell(start).ok();
        machine.shell(&format!("cat /proc/{}/status", pid.trim())).ok()
    };
    let filters = |status: &str| field(status, "Seccomp_filters").parse::<u32>().expect("a number");
    // What else the unit forbids is done by filters too: those of its list of system calls come on top.
    let drop_in = "/etc/systemd/system/seatkeeper.service.d/lists.conf";
    machine.put(drop_in, b"[Service]\nSystemCallFilter=\n");
    let without = running();
    machine.shell(&format!("rm {drop_in}")).ok();
    let server = running();
    // 2: every system call is judged by filters.
    assert_eq!(field(&server, "Seccomp"), "2", "{server}");
    assert!(filters(&server) > filters(&without), "{server}{without}");
    assert_eq!(field(&server, "NoNewPrivs"), "1");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(&server, set), "0000000000000000", "{set}");
    }
    assert!(
        field(&server, "Uid").split_whitespace().all(|uid| uid != "0"),
        "{server}"
    );
    // And it serves so.
    let told = machine.shell("seatkeeper status").ok();
    assert!(told.contains("server"), "{told}");
    machine
        .shell("systemctl stop seatkeeper && ! systemctl is-failed seatkeeper")
        .ok();
}

/// Has a process on `host` import long blacklists one after the other, until a checkpoint is due.
fn fill_journal(host: &Host, running: &ServerProcess) -> std::process::Child {
    let port = running.address().port();
    let identity = host.data().join("admin.pem");
    let mut fill = host.command(std::env::current_exe().expect("this program"));
    fill.env(PART, format!("127.0.0.1:{port} {}", identity.display()))
        .stderr(Stdio::inherit());
    fill.spawn().expect("a part")
}

/// Fills a journal, if that is what this process is for.
pub(crate) fn part() -> Option<ExitCode> {
    let told = std::env::var(PART).ok()?;
    let (server, identity) = told.split_once(' ').expect("two words");
    let server: SocketAddr = server.parse().expect("an address");
    let identity = Identity::load(Path::new(identity)).expect("an identity");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (mut wire, _) = Wire::hello(server, &identity).await.expect("HELLO");
        let vendor = Vendor::new(1);
        let serials: Vec<_> = (100..2_100).map(|number| (number, Listed::Superseded)).collect();
        for version in 1..10_000 {
            let list = SignedBlacklist::parse(&vendor.blacklist(version, &serials)).expect("a blacklist");
            let list = list.bytes().clone();
            let told = wire
                .ask(&Request::BlacklistImport(admin::BlacklistImport {
                    list,
                    dry_run: None,
                }))
                .await;
            assert_eq!(told.expect("an answer").status(), Status::OK);
        }
    });
    Some(ExitCode::SUCCESS)
}

pub(crate) fn sound_unit() {
    let lab = Lab::new();
    let unit = lab.dir().join("seatkeeper.service");
    fs::write(&unit, UNIT.replace("/usr/bin/seatkeeper", SEATKEEPER)).unwrap();
    let analyze = |args: &[&str]| finish(crate::process::command("systemd-analyze").args(args).arg(&unit));
    let told = analyze(&["verify", "--man=no"]);
    assert_eq!((told.code, told.text().trim()), (Some(0), ""), "{told:?}");
    // Of 10: a service without any setting has 9.6. What remains is the network and what every program needs.
    analyze(&["security", "--offline=true", "--no-pager", "--threshold=15"]).ok();
}

/// The system calls of a group of systemd, as `@system-service`.
fn calls_of(group: &str) -> BTreeSet<String> {
    let told = finish(crate::process::command("systemd-analyze").args(["syscall-filter", "--no-pager", group])).ok();
    let mut calls = BTreeSet::new();
    for word in told
        .lines()
        .skip(1)
        .map(str::trim)
        .filter(|word| !word.starts_with('#'))
    {
        if word.starts_with('@') {
            calls.extend(calls_of(word));
        } else if !word.is_empty() {
            calls.insert(word.to_owned());
        }
    }
    calls
}

/// The system calls that the unit allows.
fn allowed_calls() -> BTreeSet<String> {
    let [allowed, denied] = unit("SystemCallFilter")[..] else {
        panic!("two SystemCallFilter=")
    };
    let of = |groups: &str| groups.split(' ').flat_map(calls_of).collect::<BTreeSet<_>>();
    let denied = of(denied.strip_prefix('~').expect("a list of what is denied"));
    // What systemd allows whatever is denied besides.
    let always = calls_of("@default");
    of(allowed).difference(&denied).cloned().chain(always).collect()
}

pub(crate) fn system_calls() {
    let lab = Lab::new();
    let [server, desk] = ["server", "desk"].map(|name| lab.host(name));
    Lab::link((&server, "eth0"), (&desk, "eth0"));
    server.address("eth0", "10.77.15.1/24");
    desk.address("eth0", "10.77.15.2/24");
    let (data, trace) = (server.data(), lab.dir().join("trace"));
    let shop = Shop::new(&lab);
    let mut starts = String::new();
    for start in 0..2 {
        let mut serve = server.command("strace");
        serve.args(["-f", "-qq", "-s", "4096", "-o"]).arg(&trace);
        let mut words = exec_start(SEATKEEPER);
        for word in &mut words {
            if word == STATE {
                *word = data.display().to_string();
            }
        }
        let running = ServerProcess::of(serve.args(words), &data);
        if start == 0 {
            shop.supply(&server, &[(1, "BKSRV", 5)]);
        }
        shop.agent(&desk, 1, "checkout", "agent", &[]).ok();
        // The server itself, not who watches it.
        let pid = fs::read_to_string(data.join("LOCK")).unwrap();
        signal(pid.trim().parse().unwrap(), "TERM");
        let (code, log) = running.ended();
        assert_eq!(code, Some(0), "{log}");
        starts.push_str(&fs::read_to_string(&trace).unwrap());
    }
    check_calls(&starts, data.to_str().unwrap());
}

#[track_caller]
fn check_calls(trace: &str, data: &str) {
    let allowed = allowed_calls();
    let families: Vec<_> = unit("RestrictAddressFamilies")[0].split(' ').collect();
    let mut seen = BTreeSet::new();
    for line in trace.lines() {
        // `PID name(arguments) = result`; what an interrupted call says when it goes on is no call.
        let Some((_, call)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, arguments)) = call.trim_start().split_once('(') else {
            continue;
        };
        if name.contains(['<', '+', '-', ' ']) {
            continue;
        }
        seen.insert(name);
        assert!(allowed.contains(name), "the unit forbids {line}");
        assert!(
            name != "connect" || arguments.contains("AF_NETLINK"),
            "a connection: {line}"
        );
        if ["socket", "socketpair"].contains(&name) {
            let family = arguments.split(',').next().unwrap();
            assert!(families.contains(&family), "the unit forbids {line}");
        }
        let flags = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];
        let writes = match name {
            "open" | "openat" => flags.iter().any(|flag| arguments.contains(flag)),
            "mkdir" | "mkdirat" | "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" | "linkat"
            | "symlinkat" => true,
            _ => false,
        };
        assert!(
            !writes || arguments.contains(&format!("\"{data}")),
            "it writes elsewhere: {line}"
        );
        if ["mmap", "mprotect"].contains(&name) {
            let both = arguments.contains("PROT_WRITE") && arguments.contains("PROT_EXEC");
            assert!(!both, "memory that is written and run: {line}");
        }
    }
    // It is a trace of what matters.
    for name in ["accept4", "fdatasync", "openat", "sendmsg", "recvmsg", "socketpair"] {
        assert!(seen.contains(name), "{name} is not among {seen:?}");
    }
}
