//! A damaged journal: the server does not start and says why, `repair` says what can be saved and saves it.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use crate::process::{ServerProcess, run};
use crate::site::Site;
use crate::wire::mac;

/// Where the journal of a server that was stopped tells of a machine for the last time: its segment, and the byte.
fn last_told(site: &Site, mac: [u8; 6]) -> (PathBuf, usize) {
    let path = site.data().join("journal/0000000001.journal");
    let bytes = fs::read(&path).unwrap();
    let at = bytes.windows(mac.len()).rposition(|window| window == mac).unwrap();
    (path, at)
}

/// A site with two seats, stopped, of which the round of the second one is damaged. What follows it is a round with the
/// time of the end, unless all of it came within one second, and the seal.
fn damaged() -> Site {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 5);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    site.stop();
    let (path, at) = last_told(&site, mac(2));
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    site
}

#[test]
fn a_damaged_journal_stops_the_start_and_repair_cuts_it_off_when_told_so() {
    let mut site = damaged();
    let data = site.data().into_os_string();
    let refused = run([
        "serve".into(),
        "--data".into(),
        data,
        "--listen".into(),
        "127.0.0.1:0".into(),
    ])
    .failed_with(1);
    for told in ["0000000001.journal is damaged at byte", "seatkeeper repair"] {
        assert!(refused.stderr.contains(told), "{refused:?}");
    }
    let examined = site.admin(["repair"]).failed_with(1);
    assert!(examined.stdout.contains("then: the journal"), "{examined:?}");
    assert!(examined.stderr.contains("seatkeeper repair --cut-tail"), "{examined:?}");
    // Nobody is here to be asked.
    site.admin(["repair", "--cut-tail"]).failed_with(2);
    let dry = site.admin(["repair", "--cut-tail", "--dry-run"]).failed_with(1);
    assert!(dry.stdout.contains("nothing was done"), "{dry:?}");
    site.admin(["repair"]).failed_with(1);
    let told = site.json(["repair", "--cut-tail", "--yes"]);
    assert!(PathBuf::from(told["cut_aside"].as_str().unwrap()).is_dir(), "{told}");
    let sound = site.json(["repair"]);
    assert_eq!(
        (&sound["starts"], &sound["last_round"]),
        (&true.into(), &told["last_round"])
    );
    site.start();
    // The first seat was answered before; the second one is gone, and is there again when its machine asks.
    assert_eq!(site.json(["seats"]).as_array().unwrap().len(), 1);
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    site.audit();
}

#[test]
fn a_directory_that_a_server_runs_on_is_not_examined_and_a_sound_one_is_left_alone() {
    let mut site = Site::open();
    let refused = site.admin(["repair"]).failed_with(1);
    assert!(refused.stderr.contains("locked by process"), "{refused:?}");
    site.stop();
    let sound = site.admin(["repair", "--cut-tail", "--yes"]).ok();
    assert!(sound.contains("nothing to repair"), "{sound}");
    site.start();
    site.audit();
}

/// Whoever runs the tests, or where that is root, another user, to whom the site's directory is given with all in it.
fn given_away(site: &Site) -> u32 {
    let own = fs::metadata(site.data()).unwrap().uid();
    let owner = if own == 0 { 65_534 } else { own };
    everything(&site.data(), &mut |path| chown(path, Some(owner), Some(owner)).unwrap());
    owner
}

fn everything(path: &Path, told: &mut dyn FnMut(&Path)) {
    told(path);
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            everything(&entry.unwrap().path(), told);
        }
    }
}

#[track_caller]
fn check_owner(site: &Site, owner: u32) {
    everything(&site.data(), &mut |path| {
        let uid = fs::metadata(path).unwrap().uid();
        assert_eq!(uid, owner, "{}", path.display());
    });
}

#[test]
fn what_root_mends_in_another_users_directory_is_that_users() {
    let mut site = damaged();
    let owner = given_away(&site);
    fs::remove_file(site.data().join("LOCK")).unwrap();
    site.admin(["repair"]).failed_with(1);
    check_owner(&site, owner);
    site.admin(["repair", "--cut-tail", "--yes"]).ok();
    check_owner(&site, owner);
    fs::remove_file(site.data().join("admin.pem")).unwrap();
    site.server = Some(ServerProcess::start_with(&site.data(), ["--recover-admin"]));
    site.buy(2, "BKSRV", 1);
    site.stop();
    check_owner(&site, owner);
    site.server = Some(ServerProcess::start_with(&site.data(), ["--recover-admin"]));
    site.kill();
    check_owner(&site, owner);
    site.admin(["identity", "rotate"]).ok();
    check_owner(&site, owner);
    // A restore into a directory that is there already.
    let backup = site.dir.path().join("backup.tar");
    let backup = backup.to_str().unwrap();
    site.admin(["backup", backup, "--without-identity"]).ok();
    check_owner(&site, owner);
    fs::remove_dir_all(site.data()).unwrap();
    fs::create_dir(site.data()).unwrap();
    given_away(&site);
    site.admin(["restore", backup]).ok();
    check_owner(&site, owner);
}
