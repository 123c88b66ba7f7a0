//! `seatprobe doctor` against real servers, and what is none.

use super::*;

/// The findings of a check: what each is about, its verdict and its cause.
fn found<'a>(report: &'a Value, check: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let of_check = findings.filter(|one| one["check"] == check);
    let text = |value: &'a Value| value.as_str().expect("text");
    of_check
        .map(|one| (text(&one["about"]), text(&one["verdict"]), text(&one["cause"])))
        .collect()
}

/// What `doctor` is told about the machine: it has an address, and no agent on it has asked for anything.
const MACHINE: [&str; 3] = ["doctor", "--mac", "00:1a:2b:3c:00:01"];

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_finds_nothing_wrong_with_a_server_that_is_well() {
    let server = Server::start("office");
    let (address, port) = (server.address(), server.port());
    let args = [&MACHINE[..], &["--server", &address, "--port", &port]].concat();
    let report = json(&args, 0).await;
    assert_eq!(report["root_cause"], Value::Null, "{report:#}");
    for check in ["udp", "tcp", "tls", "hello", "clock"] {
        let found = found(&report, check);
        assert!(
            found
                .iter()
                .any(|(about, verdict, _)| about.contains(&address) && *verdict == "pass"),
            "{report:#}"
        );
    }
    let lo = ("directed broadcast on lo", "pass", "answered by office");
    assert!(found(&report, "path").contains(&lo), "{report:#}");
    assert!(report["not_checked"].to_string().contains("--product"), "{report:#}");
}

// proves T3
#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_warns_of_clocks_that_disagree_and_of_a_product_that_was_never_bought() {
    let server = Server::start_ahead("office", HOUR_SECS);
    let (address, port, admin) = (server.address(), server.port(), server.administrator());
    let rest = [
        "--server",
        &address,
        "--port",
        &port,
        "--product",
        "BKSRV",
        "--identity",
        &admin,
    ];
    let report = json(&[&MACHINE[..], &rest].concat(), 4).await;
    let clocks = found(&report, "clock");
    assert!(
        clocks
            .iter()
            .any(|(_, verdict, cause)| *verdict == "warn" && cause.starts_with("+3")),
        "{report:#}"
    );
    assert_eq!(report["root_cause"]["check"], "seats", "{report:#}");
    assert!(
        report["sentence"]
            .as_str()
            .expect("a sentence")
            .contains("no license of BKSRV was ever imported")
    );
    // An administrator is told this, too.
    let machine = found(&report, "machine");
    assert!(
        machine.iter().any(|(_, _, cause)| *cause == "this machine has no seat"),
        "{report:#}"
    );
    assert!(!found(&report, "warnings").is_empty(), "{report:#}");
}

/// Something that takes one connection after the other, and says this to whoever speaks.
async fn other_program(says: &'static [u8]) -> (String, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let serve = async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 1_024];
            // The client speaks first. All of it is read: what is left would have the answer lost when this closes.
            if stream.read(&mut heard).await.expect("readable") > 0 {
                stream.write_all(says).await.expect("the client listens");
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = serve => {}
            () = stopped.cancelled() => {}
        }
    });
    (address, stop.drop_guard())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_tells_an_older_tls_from_no_tls_and_from_another_protocol() {
    // Fatal alerts: protocol_version (70) and no_application_protocol (120).
    let programs: [(&[u8], &str); 3] = [
        (&[0x15, 3, 3, 0, 2, 2, 70], "only TLS older than 1.3"),
        (&[0x15, 3, 3, 0, 2, 2, 120], "is no license server"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
    ];
    for (says, cause) in programs {
        let (address, _program) = other_program(says).await;
        let report = json(&[&MACHINE[..], &["--server", &address]].concat(), 1).await;
        assert_eq!(report["root_cause"]["check"], "tls", "{report:#}");
        let told = report["root_cause"]["cause"].as_str().expect("text");
        assert!(told.contains(cause), "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_says_what_fails_at_the_end_and_only_there() {
    let (udp, port) = server::silent_port();
    let address = format!("127.0.0.1:{port}");
    let output = seatprobe(&[&MACHINE[..], &["--server", &address, "--port", &port.to_string()]].concat()).await;
    drop(udp);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(3), &b""[..]));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let last = text.lines().last().expect("a line");
    assert!(last.starts_with("Root cause (TCP): "), "{text}");
    assert!(text.lines().any(|line| line.starts_with("FAIL  TCP ")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_for_a_ticket_holds_the_findings_and_no_secret() {
    let server = Server::start("office");
    let state = tempfile::tempdir().expect("a directory");
    let ticket = state.path().join("ticket.txt");
    let (address, admin) = (server.address(), server.administrator());
    let mut doctor = tokio::process::Command::new(env!("CARGO_BIN_EXE_seatprobe"));
    doctor
        .args(MACHINE)
        .args(["--server", &address, "--identity", &admin, "--report"])
        .arg(&ticket);
    doctor.env("SEATKEEPER_STATE_DIR", "/nowhere");
    doctor.env("SEATKEEPER_ENROL_TOKEN", "SE1-TOKEN-OF-THIS-TEST");
    let output = doctor.output().await.expect("seatprobe starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = std::fs::read_to_string(&ticket).expect("a file");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains(shown.trim_end()), "{text}");
    assert!(
        text.contains("\"root_cause\": null") && text.contains("== Facts"),
        "{text}"
    );
    let pem = std::fs::read_to_string(&admin).expect("a file");
    let secret = pem.lines().filter(|line| !line.starts_with('-') && line.len() > 20);
    let shown: Vec<_> = secret.filter(|line| text.contains(line)).collect();
    assert!(shown.is_empty() && !text.contains("SE1-TOKEN"), "{shown:?}");
    // A second one does not take the first one's place.
    let again = doctor.output().await.expect("seatprobe starts");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert_eq!(std::fs::read_to_string(&ticket).expect("a file"), text);
}
