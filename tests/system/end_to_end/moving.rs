//! Backup and moving house: what is backed up under load is restored, machines go over by themselves, the old server is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use super::cause;
use crate::process::{Machine, Output, SEATKEEPER, ServerProcess, command, finish, run, signal, wait};
use crate::site::Site;

/// Checkpoints as often as can be configured, so that segments move into the history.
const OFTEN: &str = "[journal]\ncheckpoint_kib = 64\n";

/// A file with a passphrase that nobody else can read.
fn passphrase(site: &Site) -> String {
    let path = site.dir.path().join("passphrase");
    fs::write(&path, "correct horse\n").unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn file(site: &Site, name: &str) -> String {
    site.dir.path().join(name).to_str().unwrap().to_owned()
}

#[track_caller]
fn restore(data: &Path, args: &[&str]) -> Output {
    let mut restore = command(SEATKEEPER);
    restore.arg("restore").args(args).arg("--data").arg(data);
    finish(&mut restore)
}

/// A server on `data` at the address where another one was.
#[track_caller]
fn serve_at(address: &str, data: &Path) -> ServerProcess {
    let mut serve = command(SEATKEEPER);
    serve.args(["serve", "--listen", address, "--data"]).arg(data);
    ServerProcess::of(&mut serve, data)
}

/// An agent's command on a machine that finds its server by itself: where it was last, or by asking the network.
#[track_caller]
fn by_itself(machine: &Machine, verb: &str, port: u16) -> Output {
    let mut agent = command(SEATKEEPER);
    machine.environment(&mut agent).env("SEATKEEPER_PORT", port.to_string());
    finish(agent.args(machine.args(verb, "BKSRV", "agent", &[])))
}

fn seat_of<'a>(seats: &'a Value, machine: &Machine) -> Option<&'a Value> {
    seats
        .as_array()
        .unwrap()
        .iter()
        .find(|seat| seat["mac"] == *machine.mac)
}

/// The last of some backups that are made while machines come: its file, and what was told of it.
#[track_caller]
fn backed_up_under_load(site: &Site, words: &str) -> (String, Value) {
    let address = site.server().server_arg();
    let (over, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let machines: Vec<Machine> = (10..30).map(|number| site.machine(number)).collect();
    let mut backups = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    // Once each machine has a seat, it renews it.
                    let machine = &machines[next.fetch_add(1, Ordering::SeqCst) % machines.len()];
                    machine
                        .agent("checkout", "BKSRV", "agent", &["--server", &address])
                        .ok();
                }
            });
        }
        for number in 1..=3 {
            let seats = site.json(["seats"]).as_array().unwrap().len();
            let file = file(site, &format!("backup-{number}.tar"));
            let told = site.json(["backup", &file, "--passphrase-file", words]);
            assert!(
                told["seats"].as_u64().unwrap() >= seats as u64,
                "{seats} were held before: {told}"
            );
            backups.push((file, told));
        }
        over.store(true, Ordering::SeqCst);
    });
    backups.pop().unwrap()
}

/// Puts the server above the epoch that machines have met, by the commands that they name.
#[track_caller]
fn put_above(site: &mut Site, address: &str, words: &str, epoch: u64) {
    let again = file(site, "again.tar");
    site.json(["backup", &again, "--passphrase-file", words]);
    site.stop();
    let raised = site.dir.path().join("raised");
    restore(
        &raised,
        &[&again, "--passphrase-file", words, "--epoch-above", &epoch.to_string()],
    )
    .ok();
    site.server = Some(serve_at(address, &raised));
}

const NO_ARGS: [&str; 0] = [];

#[test]
fn a_server_that_is_backed_up_under_load_moves_house_and_machines_go_over_untouched() {
    let mut site = Site::open_with(OFTEN);
    site.buy(1, "BKSRV", 100);
    for number in 1..=3 {
        site.agent(number, "checkout", "BKSRV", "agent").ok();
    }
    let before = site.json(["seats"]);
    let (address, port) = (site.server().server_arg(), site.server().address().port());
    let words = passphrase(&site);
    let (backup, told) = backed_up_under_load(&site, &words);
    for _ in 0..2 {
        site.agent(1, "renew", "BKSRV", "agent").ok();
    }
    site.kill();

    // Another place, the same address.
    let restored = site.dir.path().join("restored");
    let dry = restore(
        &restored,
        &[&backup, "--passphrase-file", &words, "--dry-run", "--json"],
    )
    .json();
    assert_eq!(dry["restored"], false, "{dry}");
    assert!(!restored.exists(), "a dry run makes nothing");
    let done = restore(&restored, &[&backup, "--passphrase-file", &words]).ok();
    let (_, epoch) = done.rsplit_once(", epoch ").unwrap_or_else(|| panic!("{done}"));
    let (epoch, _) = epoch.split_once(" from now on").unwrap_or_else(|| panic!("{done}"));
    let epoch: u64 = epoch.parse().unwrap();
    let told_before = dry["epoch_now"].as_u64().unwrap();
    assert!(1 < told_before && told_before <= epoch, "{dry}");
    assert!(done.contains("must not run any more"), "{done}");
    let fingerprint = told["fingerprint"].as_str().unwrap().to_owned();
    let moved = serve_at(&address, &restored);
    assert_eq!(moved.fingerprint, fingerprint);
    let ask = |args: &[&str]| {
        let mut ask = command(SEATKEEPER);
        finish(ask.args(args).arg("--data").arg(&restored).arg("--json")).json()
    };
    assert_eq!(ask(&["status"])["epoch"], epoch);
    assert_eq!(ask(&["seats"]).as_array().unwrap().len() as u64, told["seats"]);
    assert_eq!(ask(&["events", "verify"])["holds"], true);
    let restored_event = ask(&["events", "--kind", "server-restored"]);
    assert_eq!(restored_event[0]["version"], epoch, "{restored_event}");
    assert_eq!(restored_event[0]["from"], told["made_at"], "{restored_event}");
    // Two machines meet it, with nothing done to them; their seats are the ones they had. One of them has renewed at the old
    // server twice since the backup was made, and is no copy for that.
    for number in [1, 2, 1] {
        by_itself(&site.machine(number), "renew", port).ok();
    }
    let after = ask(&["seats"]);
    for number in 1..=3 {
        let machine = site.machine(number);
        let held = |seats| seat_of(seats, &machine).map(|seat| seat["acquired_at"].clone());
        assert_eq!(held(&after), held(&before), "machine {number}");
        assert!(held(&after).is_some());
    }
    assert_eq!(ask(&["status"])["conflicts"], 0);
    moved.stop();

    // The old one comes back, at the same address.
    site.server = Some(serve_at(&address, &site.data()));
    let refused = by_itself(&site.machine(1), "renew", port).failed_with(3);
    assert!(
        refused.stderr.contains(&format!("shows epoch 1, older than {epoch}")),
        "{refused:?}"
    );
    // What it says is typed as it stands, and the old one is the server again.
    let remedy = format!("seatkeeper restore FILE --epoch-above {epoch}");
    assert!(refused.stderr.contains(&remedy), "{refused:?}");
    // A machine that never met the new one cannot know.
    by_itself(&site.machine(3), "renew", port).ok();
    put_above(&mut site, &address, &words, epoch);
    by_itself(&site.machine(1), "renew", port).ok();
}

#[test]
fn a_server_that_does_not_run_is_backed_up_as_well_and_its_event_log_holds_from_the_first_round_on() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    let verified = site.json(["events", "verify"]);
    let backup = file(&site, "backup.tar");
    let told = site.json(["backup", &backup, "--without-identity"]);
    site.stop();
    // The backup of a server that does not run is one of the same.
    let second = file(&site, "second.tar");
    let at_rest = site.json(["backup", &second, "--without-identity"]);
    assert_eq!(at_rest["licenses"], told["licenses"]);
    let restored = site.dir.path().join("restored");
    let told = restore(&restored, &[&second]).ok();
    assert!(
        told.contains("seatkeeper agent trust") && told.contains("--recover-admin"),
        "{told}"
    );
    let server = ServerProcess::start_with(&restored, ["--recover-admin"]);
    let mut ask = command(SEATKEEPER);
    ask.args(["events", "verify", "--json", "--data"]).arg(&restored);
    let again = finish(&mut ask).json();
    assert_eq!(again["holds"], true);
    assert_eq!(again["first_round"], verified["first_round"]);
    assert!(again["events"].as_u64() > verified["events"].as_u64());
    server.stop();
}

#[test]
fn what_is_restored_without_identities_is_refused_until_machines_are_told() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let backup = file(&site, "backup.tar");
    let told = site.admin(["backup", &backup, "--without-identity"]).ok();
    assert!(told.contains("agents refuse it until"), "{told}");
    let listed = Command::new("tar").args(["tf", &backup]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.starts_with("backup.json\n") && !listed.contains("identities"),
        "{listed}"
    );
    site.stop();
    let data = site.data();
    fs::rename(&data, site.dir.path().join("lost")).unwrap();
    restore(&data, &[&backup]).ok();
    site.server = Some(ServerProcess::start_with(&data, ["--recover-admin"]));
    site.server().await_line("identity.pem is missing");
    let refused = site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
    assert!(refused.stderr.contains(&site.server().fingerprint), "{refused:?}");
    let mut trust = command(SEATKEEPER);
    trust.args(["agent", "trust", &site.server().fingerprint]);
    finish(site.machine(1).environment(&mut trust)).ok();
    site.agent(1, "renew", "BKSRV", "agent").ok();
    // The old one comes back: another identity, and the same server with a lower epoch.
    site.stop();
    site.server = Some(ServerProcess::start_with(&site.dir.path().join("lost"), NO_ARGS));
    let refused = site.agent(1, "renew", "BKSRV", "agent").failed_with(3);
    assert!(refused.stderr.contains("shows epoch 1, older than "), "{refused:?}");
}

#[test]
fn a_backup_is_refused_with_what_to_do() {
    let site = Site::open();
    let backup = file(&site, "backup.tar");
    let no_choice = site.admin(["backup", &backup]).failed_with(2);
    for choice in ["--passphrase-file", "--recipient", "--without-identity"] {
        assert!(cause(&no_choice).contains(choice), "{no_choice:?}");
    }
    let inside = site.data().join("backup.tar");
    let told = site
        .admin(["backup", inside.to_str().unwrap(), "--without-identity"])
        .failed_with(2);
    assert!(cause(&told).contains("in the data directory itself"), "{told:?}");
    site.admin(["backup", &backup, "--without-identity"]).ok();
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&backup).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let there = site.admin(["backup", &backup, "--without-identity"]).failed_with(1);
    assert!(cause(&there).contains("--force"), "{there:?}");
    let words = passphrase(&site);
    site.admin(["backup", &backup, "--force", "--passphrase-file", &words])
        .ok();
    let left: Vec<PathBuf> = fs::read_dir(site.dir.path())
        .unwrap()
        .map(|one| one.unwrap().path())
        .collect();
    assert!(
        left.iter()
            .all(|path| !path.to_string_lossy().contains("seatkeeper-backup")),
        "{left:?}"
    );
    // Where nothing is to be backed up.
    let elsewhere = site.dir.path().join("elsewhere");
    let missing = run([
        "backup",
        &backup,
        "--without-identity",
        "--data",
        elsewhere.to_str().unwrap(),
    ])
    .failed_with(1);
    assert!(cause(&missing).contains("--data DIR"), "{missing:?}");
}

#[test]
fn a_restore_is_refused_with_what_to_do() {
    let site = Site::open();
    let backup = file(&site, "backup.tar");
    let words = passphrase(&site);
    let elsewhere = site.dir.path().join("elsewhere");
    site.admin(["backup", &backup, "--passphrase-file", &words]).ok();
    let full = restore(&site.data(), &[&backup, "--passphrase-file", &words]).failed_with(1);
    assert!(cause(&full).contains("is not empty"), "{full:?}");
    let no_words = restore(&elsewhere, &[&backup]).failed_with(2);
    assert!(cause(&no_words).contains("--passphrase-file"), "{no_words:?}");
    fs::write(&words, "wrong\n").unwrap();
    let wrong = restore(&elsewhere, &[&backup, "--passphrase-file", &words]).failed_with(1);
    assert!(cause(&wrong).contains("another passphrase or key"), "{wrong:?}");
    let other = restore(&elsewhere, &[&words, "--without-identity"]).failed_with(1);
    assert!(other.stderr.contains("no backup of a seatkeeper server"), "{other:?}");
    assert!(!elsewhere.exists());
}

#[test]
fn damage_stops_a_backup_and_a_start_that_it_stops_points_to_the_restore() {
    let mut site = Site::open();
    let backup = file(&site, "backup.tar");
    site.admin(["backup", &backup, "--without-identity"]).ok();
    site.stop();
    let journal = site.data().join("journal/0000000001.journal");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[2 * 512 + 100] ^= 4;
    fs::write(&journal, bytes).unwrap();
    let damaged = site
        .admin(["backup", &backup, "--force", "--without-identity"])
        .failed_with(1);
    assert!(
        damaged.stderr.contains("no backup was made")
            && damaged.stderr.contains("0000000001.journal is damaged at byte 1024"),
        "{damaged:?}"
    );
    assert!(fs::metadata(&backup).unwrap().len() > 0, "the backup before stays");
    let start = run([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        site.data().to_str().unwrap(),
    ])
    .failed_with(1);
    assert!(start.stderr.contains("seatkeeper restore"), "{start:?}");
}

/// Starts a command, and interrupts it once `place` is there.
#[track_caller]
fn interrupted(command: &mut Command, place: &Path, name: &str) -> Output {
    let mut child = command.spawn().unwrap();
    while !place.exists() {
        if let Some(ended) = child.try_wait().unwrap() {
            panic!("{ended}, and {} was not there", place.display());
        }
        std::thread::yield_now();
    }
    signal(child.id(), name);
    wait(child)
}

#[test]
fn a_backup_that_is_interrupted_leaves_nothing_behind() {
    let mut site = Site::open();
    let backup = file(&site, "backup.tar");
    site.stop();
    // A file that is never read to its end: nobody writes into it.
    let history = site.data().join("history");
    fs::create_dir_all(&history).unwrap();
    // Older than any segment that is copied, so that it is read from there.
    let endless = history.join("0000000000.journal.gz");
    let mode = nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR;
    nix::unistd::mkfifo(&endless, mode).unwrap();
    let place = PathBuf::from(format!("{backup}.seatkeeper-backup"));
    for name in ["INT", "TERM"] {
        let mut command = command(SEATKEEPER);
        command.args(["backup", &backup, "--without-identity", "--data"]);
        let told = interrupted(command.arg(site.data()), &place.join("archive"), name).failed_with(1);
        assert!(cause(&told).contains("was interrupted: nothing was made"), "{told:?}");
        assert!(!place.exists() && !Path::new(&backup).exists(), "{name}");
    }
    fs::remove_file(endless).unwrap();
    site.admin(["backup", &backup, "--without-identity"]).ok();
}

#[test]
fn a_restore_that_is_interrupted_leaves_nothing_behind_and_had_written_no_key() {
    let site = Site::open();
    let (backup, words) = (file(&site, "backup.tar"), passphrase(&site));
    site.admin(["backup", &backup, "--passphrase-file", &words]).ok();
    let around = site.dir.path().join("around");
    let restored = around.join("restored");
    let place = around.join("restored.seatkeeper-restore");
    let mut command = command(SEATKEEPER);
    command.args(["restore", &backup, "--passphrase-file", &words, "--data"]);
    // It works at decrypting from here on, for a second or so.
    let told = interrupted(command.arg(&restored), &place.join("data/FORMAT"), "TERM").failed_with(1);
    assert!(cause(&told).contains("was interrupted: nothing was made"), "{told:?}");
    assert!(!around.exists(), "{told:?}");
    // One that was killed had no key on the disk either, and the next one clears up behind it.
    let mut command = crate::process::command(SEATKEEPER);
    command.args(["restore", &backup, "--passphrase-file", &words, "--data"]);
    interrupted(command.arg(&restored), &place.join("data/FORMAT"), "KILL");
    for key in ["identity.pem", "admin.pem", "lease.pem"] {
        assert!(!place.join("data").join(key).exists(), "{key}");
    }
    assert!(place.exists());
    restore(&around.join("elsewhere"), &[&backup, "--passphrase-file", &words]).ok();
    assert!(!place.exists());
    restore(&restored, &[&backup, "--passphrase-file", &words]).ok();
    for key in ["identity.pem", "admin.pem", "lease.pem"] {
        assert_eq!(
            fs::read(restored.join(key)).unwrap(),
            fs::read(site.data().join(key)).unwrap()
        );
    }
}
