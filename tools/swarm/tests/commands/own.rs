//! The commands that start a server of their own, and the floors by themselves.

use super::*;

#[test]
fn a_start_is_measured_with_its_seats_in_a_checkpoint() {
    let report = report_started(&["start", "--machines", "300", "--runs", "2"]);
    // A row of each machine, and some of the license, the vendor and the server.
    let rows = report["rows"].as_u64().expect("rows");
    assert!((300..330).contains(&rows), "{report}");
    let bytes = |of: &str| report[of].as_u64().expect("bytes");
    assert!(bytes("row_bytes") > 300 * 100, "{report}");
    assert!(bytes("generation_bytes") > bytes("row_bytes"), "{report}");
    let runs = report["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2, "{report}");
    for run in runs {
        assert!(
            run["server_us"].as_u64() > Some(0) && run["floor_us"].as_u64() > Some(0),
            "{run}"
        );
    }
    assert!(report["ratio"].as_f64() > Some(0.0), "{report}");
}

#[test]
fn renewals_during_a_checkpoint_are_those_that_were_due_in_it() {
    let load = [
        "--machines",
        "400",
        "--connections",
        "8",
        "--rate",
        "200",
        "--runs",
        "2",
    ];
    let report = report_started(&[["checkpoint"].as_slice(), &load].concat());
    assert_eq!(report["refused"], Value::Object(serde_json::Map::new()));
    let runs = report["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2, "{report}");
    let micros: u64 = runs.iter().filter_map(|run| run["checkpoint_us"].as_u64()).sum();
    // Due 200 times a second, to one or two in each run.
    let due = micros * 200 / 1_000_000;
    let waited = report["waited"]["server"]["count"].as_u64().expect("a count");
    assert!(waited.abs_diff(due) <= 4, "{due} were due: {report}");
    let quiet = report["quiet"]["count"].as_u64().expect("a count");
    assert!(quiet >= 2 * 5 * 190, "{report}");
    for run in runs {
        assert!(run["checkpoint_bytes"].as_u64() > Some(400 * 100), "{run}");
    }
}

#[test]
fn what_is_written_for_renewals_is_told_from_one_checkpoint_to_the_next() {
    let load = ["--machines", "60", "--connections", "4", "--depth", "4", "--runs", "2"];
    let report = report_started(&[["writes", "--checkpoint-kib", "512"].as_slice(), &load].concat());
    assert_eq!(report["refused"], Value::Object(serde_json::Map::new()));
    let runs = report["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2, "{report}");
    for run in runs {
        let count = |of: &str| run[of].as_u64().expect("a number");
        // No round has more than there are requests under way, and each renewal says more than who it is of.
        assert!(count("renewals") <= 16 * count("rounds"), "{run}");
        assert!(count("rounds") <= count("renewals") + 2, "{run}");
        assert!(count("payload_bytes") > 100 * count("renewals"), "{run}");
        assert!(count("journal_bytes") > count("payload_bytes"), "{run}");
        // Another checkpoint is due after so much; when it was made is looked at now and then.
        assert!(count("journal_bytes") >= 256 << 10, "{run}");
        // The journal is among what is written, and so is a checkpoint of all seats.
        assert!(count("disk_bytes") > count("journal_bytes") + 60 * 100, "{run}");
        let rate = |of: &str| run[of].as_f64().expect("a rate");
        assert!(rate("round_rate") > 0.0 && rate("sync_rate") > 0.0, "{run}");
    }
    let rounds = |run: &Value| run["round_rate"].as_f64().zip(run["sync_rate"].as_f64());
    let ratios: Vec<f64> = runs
        .iter()
        .filter_map(rounds)
        .map(|(rounds, syncs)| rounds / syncs)
        .collect();
    let told = report["rounds_by_syncs"].as_f64().expect("a ratio");
    let (least, most) = (f64::min(ratios[0], ratios[1]), f64::max(ratios[0], ratios[1]));
    assert!(least - 1e-9 <= told && told <= most + 1e-9, "{report}");
    assert!(report["journal_by_payload"].as_f64() > Some(1.0), "{report}");
}

#[test]
fn a_server_that_was_filled_is_kept_and_has_its_seats_in_a_checkpoint() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = dir.path().join("kept");
    let report = report_started(&["fill", "--machines", "250", "--keep", kept.to_str().expect("UTF-8")]);
    assert_eq!(report["server"]["count"].as_u64(), Some(250), "{report}");
    assert!(
        report["rate"].as_f64() > Some(0.0) && report["memory"].as_u64() > Some(0),
        "{report}"
    );
    assert!(kept.join("state.1/db").exists(), "no checkpoint");
    // It holds what it says: a start reads as much.
    let server = serve(&kept, "").to_string();
    let admin = kept.join("admin.pem");
    let told = [
        "status",
        "--json",
        "--server",
        &server,
        "--identity",
        admin.to_str().expect("UTF-8"),
    ];
    let output = this_program(Command::new(SEATKEEPER).args(told)).output().expect("run");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    // What the harness says of its one test stands around it.
    let (begin, end) = (stdout.find('{').expect("JSON"), stdout.rfind('}').expect("JSON"));
    let status: Value = serde_json::from_str(&stdout[begin..=end]).expect("JSON");
    assert_eq!(status["seats"].as_u64(), Some(250), "{status}");
}

#[test]
fn a_floor_by_itself_says_where_it_serves_and_takes_connections_there() {
    for floor in ["tls", "accept"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_seatswarm"))
            .args(["floor", floor, "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line
            .strip_prefix("ready ")
            .map(|address| address.trim().parse::<SocketAddr>());
        let tcp = address.map(|address| TcpStream::connect(address.expect("an address")));
        child.kill().expect("ended");
        child.wait().expect("ended");
        assert!(matches!(tcp, Some(Ok(_))), "{floor}: {line}: {tcp:?}");
    }
}

#[test]
fn syncs_are_counted_for_as_long_as_was_asked() {
    let args = ["floor", "sync", "--renewals", "3", "--secs", "1", "--json"];
    let (code, stdout, stderr) = swarm(&args);
    assert_eq!(code, Some(0), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    // All of them together took about as long as that.
    let count = report["took"]["count"].as_f64().expect("a count");
    let secs = count / report["rate"].as_f64().expect("a rate");
    assert!((0.8..30.0).contains(&secs), "{report}");
    assert!(report["sync_bytes"].as_u64() > Some(3 * 90), "{report}");
}
