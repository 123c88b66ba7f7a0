//! Private keys: whose files they are, and that they are nowhere else.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::ops::Range;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use seatkeeper_harm::{files_below, names_below};

use crate::process::{Output, SEATKEEPER, ServerProcess, command, finish};
use crate::site::Site;

/// The base64 lines of the private key in a PEM file.
fn key_lines(pem: &str) -> Vec<String> {
    let lines = pem.lines().skip_while(|line| *line != "-----BEGIN PRIVATE KEY-----");
    lines
        .skip(1)
        .take_while(|line| !line.starts_with("-----"))
        .map(str::to_owned)
        .collect()
}

/// Where the secret number of a private key stands in its PKCS#8: 32 bytes, of P-256 or Ed25519. What comes behind it is
/// the public key.
fn secret_range(der: &[u8]) -> Range<usize> {
    // An OCTET STRING of 32 bytes; in P-256 the version of the key stands before it, in Ed25519 it is all there is.
    let at = der.windows(2).position(|pair| pair == [0x04, 0x20]).unwrap();
    at + 2..at + 34
}

/// The secret number of a private key in PEM.
fn secret_number(pem: &str) -> [u8; 32] {
    let der = BASE64.decode(key_lines(pem).concat().as_bytes()).unwrap();
    der[secret_range(&der)].try_into().unwrap()
}

/// The 16 last digits of each line of a private key in PEM that tell of nothing but its secret number: the public key's may
/// stand in the certificate in the very same way.
fn secret_digits(pem: &str) -> Vec<String> {
    let lines = key_lines(pem);
    let secret = secret_range(&BASE64.decode(lines.concat().as_bytes()).unwrap());
    let secret = (secret.start * 4).div_ceil(3)..secret.end * 4 / 3;
    let mut from = 0;
    let mut all = Vec::new();
    for line in lines {
        let end = secret.end.min(from + line.len());
        let start = secret.start.max(from).max(end.saturating_sub(16));
        if start + 16 <= end {
            all.push(line[start - from..end - from].to_owned());
        }
        from += line.len();
    }
    all
}

/// Every way in which a private key might be written down.
fn forms(pem: &str) -> Vec<String> {
    let number = secret_number(pem);
    let mut forms = vec![
        HEXLOWER.encode(&number),
        HEXUPPER.encode(&number),
        BASE64.encode(&number),
        format!("{number:?}"),
    ];
    // In lines and without them: a line's digits stand in both.
    forms.extend(key_lines(pem));
    forms
}

/// The private keys of a site in PEM, by file.
fn private_keys(site: &Site) -> Vec<(PathBuf, String)> {
    let files = files_below(site.dir.path()).into_iter();
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_private_key_and_every_state_is_its_owners_alone() {
    let site = Site::open();
    site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let mut trust = command(SEATKEEPER);
    trust.args(["agent", "trust", &site.server().fingerprint]);
    finish(site.machine(1).environment(&mut trust)).ok();
    let names: BTreeSet<String> = private_keys(&site)
        .into_iter()
        .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let agent = format!("{}~BKSRV~agent.pem", site.vendor.id());
    assert_eq!(
        names,
        ["admin.pem", "identity.pem", "lease.pem", &agent]
            .map(str::to_owned)
            .into()
    );
    for path in files_below(&site.data())
        .into_iter()
        .chain(files_below(&site.machine(1).state))
    {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let name = path.file_name().unwrap().to_str().unwrap();
        // Which MAC address the machine has and whose product it is are for everybody to read.
        let public = name == "machine.json" || path.extension().is_some_and(|ending| ending == "pub");
        assert_eq!(mode & 0o022, 0, "{} is {mode:04o}", path.display());
        let exposed = mode & 0o077 != 0;
        assert!(public || !exposed, "{} is {mode:04o}", path.display());
    }
    assert_eq!(fs::metadata(site.data()).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn nothing_below_a_data_directory_is_for_others_whatever_the_umask_of_who_starts_the_server() {
    let mut site = Site::open_with("[journal]\ncheckpoint_kib = 16\n");
    site.stop();
    let mut serve = command("sh");
    serve.args(["-c", "umask 000; exec \"$0\" \"$@\"", SEATKEEPER, "serve", "--config"]);
    serve.arg(site.dir.path().join("seatkeeper.toml"));
    serve.args(["--listen", "127.0.0.1:0", "--data"]).arg(site.data());
    site.server = Some(ServerProcess::of(&mut serve, &site.data()));
    let mut number = 0;
    while !site.server().log().contains("checkpoint 3: ") {
        number += 1;
        assert!(number < 200, "no third checkpoint: {}", site.server().log());
        site.buy(number, "BKSRV", 1);
    }
    // What only a running server has there stays too.
    site.kill();
    let below = names_below(&site.data());
    for path in &below {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} is {mode:04o}", path.display());
    }
    for name in ["db", "blobs", "server.json", "0000000001.journal"] {
        assert!(below.iter().any(|path| path.ends_with(name)), "{name}: {below:?}");
    }
}

#[test]
fn a_key_or_state_that_others_can_read_is_refused_with_the_remedy() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let machine = site.machine(1);
    let owner = format!("{}~BKSRV~agent", site.vendor.id());
    let exposed = |path: &Path, told: &dyn Fn() -> Output| {
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        let told = told();
        assert_ne!(told.code, Some(0), "{}: {told:?}", path.display());
        assert!(
            told.text().contains(&format!("chmod 600 {}", path.display())),
            "{told:?}"
        );
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    };
    for ending in ["pem", "json"] {
        let path = machine.state.join(format!("{owner}.{ending}"));
        exposed(&path, &|| site.agent(1, "renew", "BKSRV", "agent"));
    }
    exposed(&site.data().join("admin.pem"), &|| site.admin(["status"]));
    site.agent(1, "renew", "BKSRV", "agent").ok();
    site.stop();
    let mut serve = command(SEATKEEPER);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(site.data());
    for file in ["identity.pem", "lease.pem"] {
        let serve = std::cell::RefCell::new(&mut serve);
        exposed(&site.data().join(file), &|| finish(&mut serve.borrow_mut()));
    }
    site.start();
}

/// Everything that commands and server of a site say in the life of a seat, at the most talkative.
fn everything_said(site: &mut Site, key: &str) -> String {
    let mut said = site.server().log();
    let data = site.data();
    let server = site.server().server_arg();
    let mut say = |args: &[&str]| {
        for json in [&[][..], &["--json"]] {
            let mut run = command(SEATKEEPER);
            run.args(args).args(json).arg("--data").arg(&data);
            run.env("SEATKEEPER_LOG", "trace");
            said.push_str(&finish(&mut run).text());
        }
    };
    say(&["import", key]);
    // Damaged and unknown ones as well: a refusal might repeat what it refuses.
    say(&["import", &key[..key.len() - 5]]);
    let keys = site.dir.path().join("keys.txt");
    fs::write(&keys, format!("{key}\n{}\n", key.replace("SK1", "SK9"))).unwrap();
    say(&["import-file", keys.to_str().unwrap()]);
    let mac = site.machine(1).mac;
    for view in [
        &["events"][..],
        &["events", "verify"],
        &["denials"],
        &["explain", &mac, "BKSRV"],
        &["enrol", "list"],
        &["clock", "show"],
        &["reload"],
        &["status"],
        &["licenses"],
        &["seats"],
        &["products"],
        &["reservations"],
        &["admin", "list"],
        &["identity", "show"],
    ] {
        say(view);
    }
    let machine = site.machine(1);
    for verb in ["checkout", "renew", "check", "release", "release", "checkout"] {
        for json in [&[][..], &["--json"]] {
            let mut agent = command(SEATKEEPER);
            agent
                .args(machine.args(verb, "BKSRV", "agent", &["--server", &server]))
                .args(json);
            machine.environment(&mut agent).env("SEATKEEPER_LOG", "trace");
            said.push_str(&finish(&mut agent).text());
        }
    }
    let stopping = site.server.take().unwrap();
    stopping.terminate();
    let (code, log) = stopping.ended();
    assert_eq!(code, Some(0), "{log}");
    said + &log
}

#[test]
fn no_secret_is_in_any_log_answer_or_json_at_the_most_talkative_level() {
    let mut site = Site::open_with("[log]\nlevel = \"trace\"\n");
    let key = site.vendor.license(1, "BKSRV", 2);
    let said = everything_said(&mut site, &key);
    assert!(
        said.contains("TRACE") && said.contains("\"serial\""),
        "it is talkative: {said}"
    );
    let keys = private_keys(&site);
    assert_eq!(keys.len(), 4, "server, administrator, leases, agent");
    for (path, pem) in keys {
        for form in forms(&pem) {
            assert!(!said.contains(&form), "{} is told: {form}", path.display());
        }
    }
    // Whoever has the text of a license key can import it elsewhere: its serial names it.
    let digits = key.rsplit('-').next().unwrap();
    assert!(
        !said.contains(&key) && !said.contains(digits),
        "the license key is told"
    );
}

/// Whether the writable memory of a process holds `needle`.
fn holds(pid: u32, needle: &[u8]) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        used(pid, from, to).into_iter().any(|(from, to)| {
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            // A region may be gone since, or be the kernel's own.
            let read = memory.read_at(&mut bytes, from).unwrap_or(0);
            contains(&bytes[..read], needle)
        })
    })
}

/// What was ever written to of a region: an allocator may set a gigabyte aside and use little of it.
fn used(pid: u32, from: u64, to: u64) -> Vec<(u64, u64)> {
    const PAGE_LEN: u64 = 4_096;
    // In memory, or swapped out.
    const IS_USED: u64 = 0b11 << 62;
    let table = File::open(format!("/proc/{pid}/pagemap")).unwrap();
    let mut entries = vec![0; usize::try_from((to - from) / PAGE_LEN * 8).unwrap()];
    let read = table.read_at(&mut entries, from / PAGE_LEN * 8).unwrap_or(0);
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for (page, entry) in (from..to).step_by(4_096).zip(entries[..read].chunks_exact(8)) {
        if u64::from_ne_bytes(entry.try_into().unwrap()) & IS_USED == 0 {
            continue;
        }
        match runs.last_mut() {
            Some((_, end)) if *end == page => *end += PAGE_LEN,
            _ => runs.push((page, page + PAGE_LEN)),
        }
    }
    runs
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let (first, rest) = needle.split_first().unwrap();
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if bytes[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

#[track_caller]
fn keeps_no_copy(site: &Site) {
    let pid = site.server().pid();
    for file in ["identity.pem", "admin.pem", "lease.pem"] {
        let pem = fs::read_to_string(site.data().join(file)).unwrap();
        // None of the first digits is among them, which the allocator writes over where it is freed.
        let all = secret_digits(&pem);
        assert!(!all.is_empty());
        for digits in all {
            assert!(
                !holds(pid, digits.as_bytes()),
                "a text of {file} is in memory: {digits}"
            );
        }
        let number = secret_number(&pem);
        let found = holds(pid, &number[8..24]);
        // The key for leases is held as it stands, to sign with; this also shows that the search finds things.
        assert_eq!(found, file == "lease.pem", "the number of {file}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_server_keeps_no_copy_of_a_private_key_in_its_memory_but_what_it_signs_with() {
    let mut site = Site::open();
    keeps_no_copy(&site);
    site.stop();
    site.server = Some(ServerProcess::start_with::<&str>(&site.data(), []));
    keeps_no_copy(&site);
}
