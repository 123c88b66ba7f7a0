//! The Wireshark dissector, run by tshark on captures that are made here: datagrams as they stand in the vectors, and a real
//! TLS connection to a real server with the keys of it.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a helper that panics fails its test, as it should"
)]

mod capture;
#[expect(dead_code, reason = "shared with the tests of commands, which need more of it")]
mod server;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustls::{ClientConfig, KeyLog};
use seatkeeper::tls::{self, Identity, PinRule};
use seatkeeper::wire::messages::hello::Hello;
use seatkeeper::wire::messages::{self, Place, Request, seat};
use seatkeeper::wire::{self, Frame, Opcode, Status, decode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use capture::Capture;
use server::Server;

/// What the tables of the dissector stand between.
const MARKS: [&str; 2] = ["-- begin of the tables\n", "-- end of the tables\n"];

/// Why text can always be added to.
const GROWS: &str = "a string takes all that is written";

/// Set to have the tables written anew.
const WRITE: &str = "SEATKEEPER_WRITE";

fn dissector() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wireshark/seatkeeper.lua")
}

fn vector(name: &str) -> Vec<u8> {
    let path = format!("{}/../../proto-spec/vectors/v1/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a vector");
    let lines = text.lines().filter_map(|line| line.split('#').next());
    let digits: Vec<_> = lines.flat_map(str::chars).filter_map(|c| c.to_digit(16)).collect();
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("a byte"))
        .collect()
}

/// Numbers and names as a table of Lua.
fn numbered(rows: impl IntoIterator<Item = (u64, String)>) -> String {
    let rows = rows
        .into_iter()
        .map(|(number, name)| format!("    [{number:#06x}] = {name},\n"));
    format!("{{\n{}}}\n", rows.collect::<String>())
}

/// The tables, from those of the code.
fn tables() -> String {
    let quoted = |name: &str| format!("\"{name}\"");
    let opcodes = Opcode::TABLE.iter().map(|row| (row.opcode.0.into(), quoted(row.name)));
    let statuses = Status::TABLE.iter().map(|(code, name)| (code.0.into(), quoted(name)));
    let mut codes = String::new();
    macro_rules! code_tables {
        ($($code:ident)*) => { $(
            let rows = wire::$code::TABLE.iter().map(|(code, name)| (code.0.into(), quoted(name)));
            write!(codes, "codes.{} = {}", stringify!($code), numbered(rows)).expect(GROWS);
        )* };
    }
    code_tables! {
        Altered Check ConfigEffect ConflictKind EndCause EventKind Finding ImportOutcome Kind LicenseStatus Offers
        OnConflict Outcome ReleaseOutcome Reserved Role Settled Usage Warning
    }
    let mut bodies = String::new();
    let (mut requests, mut replies, mut nested) = (Vec::new(), Vec::new(), String::new());
    for row in messages::TABLE {
        writeln!(bodies, "messages.{} = {{", row.name).expect(GROWS);
        for field in row.fields {
            let (name, kind) = (field.name, field.kind);
            writeln!(bodies, "    {{ {:#06x}, \"{name}\", \"{kind}\" }},", field.tag).expect(GROWS);
        }
        bodies += "}\n";
        let add = |to: &mut Vec<_>, opcodes: &[Opcode]| {
            to.extend(opcodes.iter().map(|opcode| (u64::from(opcode.0), quoted(row.name))));
        };
        match row.place {
            Place::Request(opcodes) => add(&mut requests, opcodes),
            Place::Reply(opcodes) => add(&mut replies, opcodes),
            Place::Refusal => {}
            Place::Field => writeln!(nested, "nested.{} = true", row.name).expect(GROWS),
        }
    }
    requests.sort();
    replies.sort();
    format!(
        "local opcodes = {}local statuses = {}local codes = {{}}\n{codes}local messages = {{}}\n{bodies}local nested = {{}}\n{nested}\
         local requests = {}local replies = {}",
        numbered(opcodes),
        numbered(statuses),
        numbered(requests),
        numbered(replies)
    )
}

#[test]
fn the_dissector_has_the_tables_of_the_code() {
    let text = std::fs::read_to_string(dissector()).expect("the dissector");
    let (before, rest) = text.split_once(MARKS[0]).expect("the first mark");
    let (between, behind) = rest.split_once(MARKS[1]).expect("the last mark");
    let tables = tables();
    if std::env::var_os(WRITE).is_some() {
        let text = [before, MARKS[0], &tables, MARKS[1], behind].concat();
        std::fs::write(dissector(), text).expect("written");
        return;
    }
    assert!(
        between == tables,
        "the tables are not those of the code: run this test with {WRITE}=1"
    );
}

/// What tshark prints of these fields, a line a packet that has any; nothing where there is no tshark.
fn tshark(capture: &Path, more: &[&str], fields: &[&str]) -> Option<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-X").arg(format!("lua_script:{}", dissector().display()));
    tshark
        .arg("-r")
        .arg(capture)
        .args(more)
        .args(["-Y", "seatkeeper", "-T", "fields"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = match tshark.output() {
        Ok(output) => output,
        Err(error) => {
            assert!(
                std::env::var_os("SEATKEEPER_TSHARK").is_none(),
                "tshark is required: {error}"
            );
            println!("NOT TESTED: there is no tshark ({error})");
            return None;
        }
    };
    let (told, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success() && !said.contains("seatkeeper.lua"), "{said}");
    Some(told.lines().map(str::to_owned).collect())
}

#[test]
fn tshark_names_the_fields_of_questions_and_offers_and_marks_what_is_malformed() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut capture = Capture::default();
    for name in ["accept/question_product", "accept/question_any"] {
        capture.udp([192, 0, 2, 7], 40_000, [192, 0, 2, 255], 17_328, &vector(name));
    }
    for name in ["accept/offer_holds", "reject/offer_cut"] {
        capture.udp([192, 0, 2, 1], 17_328, [192, 0, 2, 7], 40_000, &vector(name));
    }
    let file = capture.write(directory.path());
    let fields = [
        "seatkeeper.kind",
        "seatkeeper.question.product",
        "seatkeeper.offer.name",
        "seatkeeper.offer.port",
        "_ws.expert.message",
    ];
    let Some(told) = tshark(&file, &[], &fields) else {
        return;
    };
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(told[0], "1\tBKSRV\t\t\t");
    assert_eq!(told[1], "1\t\t\t\t");
    assert!(told[2].starts_with("2\t\tlicense-1\t17328\t"), "{told:#?}");
    assert!(told[3].contains("the bytes end inside"), "{told:#?}");
}

/// Keys of a session, as `SSLKEYLOGFILE` has them.
#[derive(Debug, Default)]
struct Keys(Mutex<String>);

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        self.0.lock().expect("no panic").push_str(&line);
    }
}

/// Passes one connection on to `server` and records it.
async fn recorded(listener: TcpListener, server: String) -> Capture {
    let (mut client, _) = listener.accept().await.expect("a connection");
    let mut server = TcpStream::connect(server).await.expect("the server");
    let mut capture = Capture::default();
    let (mut from_client, mut from_server) = ([0; 4_096], [0; 4_096]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => match read.unwrap_or(0) {
                0 => return capture,
                len => {
                    capture.tcp(true, &from_client[..len]);
                    server.write_all(&from_client[..len]).await.expect("sent");
                }
            },
            read = server.read(&mut from_server) => match read.unwrap_or(0) {
                0 => return capture,
                len => {
                    capture.tcp(false, &from_server[..len]);
                    client.write_all(&from_server[..len]).await.expect("sent");
                }
            },
        }
    }
}

fn frame(request: &Request, id: u32) -> Vec<u8> {
    let frame = Frame {
        opcode: request.opcode(),
        status: Status::OK,
        request: id,
        body: request.to_body().expect("in bounds"),
    };
    frame.encode().expect("in bounds").to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn tshark_names_the_fields_of_frames_where_it_has_the_keys() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start("office");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let recording = tokio::spawn(recorded(listener, server.address()));
    let keys = Arc::new(Keys::default());
    let identity = Identity::generate().expect("an identity");
    let mut config = ClientConfig::clone(&tls::client_config(&identity, PinRule::Any).expect("a configuration"));
    config.key_log = keys.clone();
    let tcp = TcpStream::connect(address).await.expect("connected");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(tls::server_name(), tcp).await.expect("TLS");
    let hello = Request::Hello(Hello {
        version_min: 1,
        version_max: 1,
        client: "a test".to_owned(),
        in_flight_max: 1,
    });
    let asked = Request::Availability(seat::Availability {
        vendor: None,
        product: "NOTHING".to_owned(),
    });
    stream
        .write_all(&[frame(&hello, 1), frame(&asked, 2)].concat())
        .await
        .expect("sent");
    let mut inbox = bytes::BytesMut::new();
    for answered in 1..=2 {
        let frame = loop {
            if let Some(frame) = decode_frame(&mut inbox).expect("sound") {
                break frame;
            }
            assert_ne!(stream.read_buf(&mut inbox).await.expect("read"), 0, "closed");
        };
        assert_eq!(frame.request, answered);
    }
    drop(stream);
    let file = recording.await.expect("no panic").write(directory.path());
    let key_log = directory.path().join("keys.txt");
    std::fs::write(&key_log, keys.0.lock().expect("no panic").as_str()).expect("written");
    let option = format!("tls.keylog_file:{}", key_log.display());
    let fields = [
        "seatkeeper.opcode",
        "seatkeeper.Hello.client",
        "seatkeeper.HelloOk.name",
        "seatkeeper.HelloOk.server",
        "seatkeeper.Availability.product",
        "seatkeeper.status",
        "_ws.col.Info",
    ];
    let Some(told) = tshark(&file, &["-o", &option], &fields) else {
        return;
    };
    let told = told.join("\n");
    for shown in [
        "a test",
        "office",
        &server.id(),
        "NOTHING",
        "0x0111",
        "HELLO",
        "AVAILABILITY reply UNKNOWN_PRODUCT",
    ] {
        assert!(told.contains(shown), "{shown}: {told}");
    }
    // Without the keys there is nothing to see.
    assert_eq!(tshark(&file, &[], &fields), Some(Vec::new()));
}
