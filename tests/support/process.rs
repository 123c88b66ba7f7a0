//! The real binary: asked, started, killed. Every wait is for an event and has an end.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The binary under test.
pub(crate) const SEATKEEPER: &str = env!("CARGO_BIN_EXE_seatkeeper");

/// The agent's state directory of a process under test.
pub(crate) const STATE_DIR: &str = "SEATKEEPER_STATE_DIR";

/// Where a user keeps what commands remember.
pub(crate) const STATE_HOME: &str = "XDG_STATE_HOME";

/// Which file says where a site's servers are; empty for none.
pub(crate) const SITE_FILE: &str = "SEATKEEPER_SITE_FILE";

/// What runs longer than this hangs.
const WATCHDOG: Duration = Duration::from_mins(1);

/// What a server writes into its data directory once its port is open.
const SERVER_FILE: &str = "server.json";

/// What a finished process left.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// Its exit code; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Its output, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// Its output as JSON, if it succeeded.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not JSON ({error}): {text}"))
    }

    /// This, if it ended with `code`.
    #[track_caller]
    pub(crate) fn failed_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Everything it said.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A command with nothing of this process's environment that the product reads, and not the user's own files.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env(STATE_HOME, concat!(env!("CARGO_TARGET_TMPDIR"), "/nobody"));
    for variable in [
        "SEATKEEPER_PORT",
        "SEATKEEPER_LOG",
        "SEATKEEPER_MAC",
        "SEATKEEPER_VENDOR_KEY",
        "SEATKEEPER_ENROL_TOKEN",
        "SEATKEEPER_SERVERS",
        "SEATKEEPER_PATHS",
        "SEATKEEPER_INTERFACES",
        STATE_DIR,
    ] {
        command.env_remove(variable);
    }
    // Whatever site this machine belongs to.
    command.env(SITE_FILE, "");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What serves `data` on a free port of this host alone.
pub(crate) fn serve<S: AsRef<OsStr>>(data: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut serve = command(SEATKEEPER);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(args);
    serve
}

/// Runs the binary under test to its end.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    finish(command(SEATKEEPER).args(args))
}

/// Runs the binary under test to its end with `input` on its standard input.
#[track_caller]
pub(crate) fn run_with_input<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, input: &str) -> Output {
    let mut child = command(SEATKEEPER)
        .args(args)
        .stdin(Stdio::piped())
        .spawn()
        .expect("start");
    let mut stdin: ChildStdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("write its standard input");
    drop(stdin);
    wait(child)
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Output {
    wait(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Waits until a process has ended and everything that it wrote is read.
#[track_caller]
pub(crate) fn wait(mut child: Child) -> Output {
    let (say, hear) = channel();
    let streams: [Box<dyn Read + Send>; 2] = [
        Box::new(child.stdout.take().expect("piped")),
        Box::new(child.stderr.take().expect("piped")),
    ];
    for (place, mut stream) in streams.into_iter().enumerate() {
        let say = say.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            drop(stream.read_to_end(&mut bytes));
            drop(say.send((place, String::from_utf8_lossy(&bytes).into_owned())));
        });
    }
    let mut texts = [String::new(), String::new()];
    for _ in 0..2 {
        let Ok((place, text)) = hear.recv_timeout(WATCHDOG) else {
            drop(child.kill());
            panic!("the process ran for {WATCHDOG:?}: {texts:?}");
        };
        texts[place] = text;
    }
    let code = child.wait().expect("wait").code();
    let [stdout, stderr] = texts;
    Output { code, stdout, stderr }
}

/// Sends a signal by its name, as `TERM`.
pub(crate) fn signal(pid: u32, name: &str) {
    // The shell's own `kill`: not every machine has the program.
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status()
        .expect("sh");
    assert!(sent.success(), "kill -{name} {pid}");
}

/// A server: the real binary on a data directory. Killed when dropped.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    log: Arc<Mutex<String>>,
    lines: Receiver<()>,
    listen: Vec<SocketAddr>,
    pub(crate) fingerprint: String,
}

impl ServerProcess {
    /// Starts a server on `data`, on a free port of this host alone, with further arguments of `serve`; waits until it
    /// takes connections.
    #[track_caller]
    pub(crate) fn start_with<S: AsRef<OsStr>>(data: &Path, args: impl IntoIterator<Item = S>) -> Self {
        Self::of(&mut serve(data, args), data)
    }

    /// Runs `serve`, a command that serves `data`, and waits until it takes connections.
    #[track_caller]
    pub(crate) fn of(serve: &mut Command, data: &Path) -> Self {
        let file = data.join(SERVER_FILE);
        if let Err(error) = std::fs::remove_file(&file) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
        }
        let mut child = serve.stdout(Stdio::null()).spawn().expect("start the server");
        let log = Arc::new(Mutex::new(String::new()));
        let (say, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = written.lock().expect("log");
                log.push_str(&line);
                log.push('\n');
                drop(log);
                // Nobody may be listening any more.
                say.send(()).ok();
            }
        });
        let mut server = Self {
            child,
            log,
            lines,
            listen: Vec::new(),
            fingerprint: String::new(),
        };
        server.await_line("serving addresses");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {}", server.log()));
        let told: serde_json::Value = serde_json::from_str(&text).expect("server.json");
        let addresses = told["listen"].as_array().expect("addresses");
        server.listen = addresses
            .iter()
            .map(|one| one.as_str().expect("text").parse().expect("address"))
            .collect();
        told["fingerprint"]
            .as_str()
            .expect("fingerprint")
            .clone_into(&mut server.fingerprint);
        server
    }

    /// Waits until the log has a line with `text`.
    #[track_caller]
    pub(crate) fn await_line(&self, text: &str) {
        while !self.log().contains(text) {
            match self.lines.recv_timeout(WATCHDOG) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) if self.log().contains(text) => {}
                Err(error) => panic!("the server never said '{text}' ({error}): {}", self.log()),
            }
        }
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("log").clone()
    }

    /// Its first address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listen[0]
    }

    /// Its address as `--server` takes it.
    pub(crate) fn server_arg(&self) -> String {
        self.address().to_string()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("wait");
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        signal(self.pid(), "TERM");
    }

    /// Waits until it has ended by itself; its exit code and log.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        loop {
            match self.lines.recv_timeout(WATCHDOG) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server did not stop: {}", self.log()),
            }
        }
        let code = self.child.wait().expect("wait").code();
        (code, self.log())
    }

    /// Stops it in good order.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.terminate();
        let (code, log) = self.ended();
        assert_eq!(code, Some(0), "{log}");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A machine with a licensed product: its MAC address and the agent's state.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) mac: String,
    pub(crate) state: PathBuf,
    pub(crate) vendor_key: PathBuf,
}

impl Machine {
    /// The arguments of an agent's command for this machine.
    pub(crate) fn args(&self, verb: &str, product: &str, component: &str, more: &[&str]) -> Vec<OsString> {
        let mut args: Vec<OsString> = ["agent", verb, product, component, "--mac", &self.mac]
            .map(Into::into)
            .into();
        args.push("--vendor-key".into());
        args.push(self.vendor_key.clone().into());
        args.extend(more.iter().map(Into::into));
        args
    }

    /// Runs an agent's command on this machine.
    #[track_caller]
    pub(crate) fn agent(&self, verb: &str, product: &str, component: &str, more: &[&str]) -> Output {
        finish(
            self.environment(&mut command(SEATKEEPER))
                .args(self.args(verb, product, component, more)),
        )
    }

    /// Lets a command see this machine's state.
    pub(crate) fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(STATE_DIR, &self.state)
    }
}
