//! A site: a vendor, a server that trusts it, its administrator, its machines.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::process::{Machine, Output, ServerProcess, run, run_with_input, serve};
use super::vendor::Vendor;
use super::wire::mac;

/// A server with a vendor's catalogue, in a directory that goes when this goes.
#[derive(Debug)]
pub(crate) struct Site {
    /// Before the directory: a server whose directory is gone would fail in ways of its own.
    pub(crate) server: Option<ServerProcess>,
    pub(crate) dir: TempDir,
    pub(crate) vendor: Vendor,
    vendor_key: PathBuf,
    serve_args: Vec<OsString>,
}

impl Site {
    /// A site whose server trusts the vendor and has its catalogue.
    #[track_caller]
    pub(crate) fn open() -> Self {
        Self::open_with("")
    }

    /// As [`Site::open`], with a configuration file.
    #[track_caller]
    pub(crate) fn open_with(config: &str) -> Self {
        let site = Self::bare(config);
        site.admin(
            ["vendor", "trust"]
                .map(OsString::from)
                .into_iter()
                .chain([site.vendor_key().into()]),
        )
        .ok();
        let catalogue = site.vendor.write_catalogue(site.dir.path(), 1);
        site.admin(
            ["catalogue", "import"]
                .map(OsString::from)
                .into_iter()
                .chain([catalogue.into()]),
        )
        .ok();
        site
    }

    /// A site whose server has just been started for the first time.
    #[track_caller]
    pub(crate) fn bare(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let vendor = Vendor::new(1);
        let vendor_key = vendor.write_public_key(dir.path());
        let mut serve_args = Vec::new();
        if !config.is_empty() {
            let path = dir.path().join("seatkeeper.toml");
            std::fs::write(&path, config).expect("write");
            serve_args = vec!["--config".into(), path.into()];
        }
        let server = Some(ServerProcess::start_with(&dir.path().join("data"), &serve_args));
        Self {
            server,
            dir,
            vendor,
            vendor_key,
            serve_args,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn vendor_key(&self) -> &Path {
        &self.vendor_key
    }

    /// The running server.
    #[track_caller]
    pub(crate) fn server(&self) -> &ServerProcess {
        self.server.as_ref().expect("a running server")
    }

    /// Takes the server down with `kill -9`.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        self.server.take().expect("a running server").kill();
    }

    /// Starts the server and kills it after that time, whatever it does then.
    #[track_caller]
    pub(crate) fn die_in_start(&self, after: Duration) {
        assert!(self.server.is_none(), "a server runs already");
        let mut serve = serve(&self.data(), &self.serve_args);
        serve.stderr(Stdio::null()).stdout(Stdio::null());
        let mut child = serve.spawn().expect("start the server");
        std::thread::sleep(after);
        child.kill().expect("killed");
        child.wait().expect("wait");
    }

    /// Stops the server in good order.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.server.take().expect("a running server").stop();
    }

    /// Stops the server in good order, at the end of a test.
    #[track_caller]
    pub(crate) fn stop_is_clean(mut self) {
        self.stop();
    }

    /// Starts the server again on the same directory.
    #[track_caller]
    pub(crate) fn start(&mut self) {
        assert!(self.server.is_none(), "a server runs already");
        self.server = Some(ServerProcess::start_with(&self.data(), &self.serve_args));
    }

    /// Runs an administrator's command on the server's host.
    #[track_caller]
    pub(crate) fn admin<S: Into<OsString>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        run(self.on_data(args))
    }

    /// As [`Site::admin`], with `input` on its standard input.
    #[track_caller]
    pub(crate) fn admin_with_input<S: Into<OsString>>(&self, args: impl IntoIterator<Item = S>, input: &str) -> Output {
        run_with_input(self.on_data(args), input)
    }

    /// What an administrator's command prints with `--json`.
    #[track_caller]
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Value {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.admin(args.chain(["--json".into()])).json()
    }

    fn on_data<S: Into<OsString>>(&self, args: impl IntoIterator<Item = S>) -> Vec<OsString> {
        let data: [OsString; 2] = ["--data".into(), self.data().into()];
        args.into_iter().map(Into::into).chain(data).collect()
    }

    /// Imports the `number`th license key; its serial.
    #[track_caller]
    pub(crate) fn buy(&self, number: u16, product: &str, seats: u32) -> String {
        self.admin(["import", &self.vendor.license(number, product, seats)])
            .ok();
        super::vendor::serial(number).to_string()
    }

    /// The `number`th machine.
    pub(crate) fn machine(&self, number: u16) -> Machine {
        Machine {
            mac: mac(number).map(|byte| format!("{byte:02x}")).join(":"),
            state: self.dir.path().join(format!("machine-{number}")),
            vendor_key: self.vendor_key.clone(),
        }
    }

    /// Runs an agent's command on the `number`th machine against this server.
    #[track_caller]
    pub(crate) fn agent(&self, number: u16, verb: &str, product: &str, component: &str) -> Output {
        let server = self.server().server_arg();
        self.machine(number)
            .agent(verb, product, component, &["--server", &server])
    }

    /// Checks rule S2 on every license, and that the seats shown are those counted.
    #[track_caller]
    pub(crate) fn audit(&self) -> Vec<Value> {
        let licenses = self.check_counts();
        let seats = self.json(["seats"]).as_array().expect("rows").clone();
        for license in &licenses {
            let held = seats.iter().filter(|seat| seat["serial"] == license["serial"]).count();
            // The units of single-use licenses stay used when their seats have ended.
            if license["product"] != "DEPLOY" {
                assert_eq!(license["used"], held, "{license}");
            }
        }
        licenses
    }

    /// Checks the sums of rule S2 on every license, also while seats come and go.
    #[track_caller]
    pub(crate) fn check_counts(&self) -> Vec<Value> {
        let licenses = self.json(["licenses"]).as_array().expect("rows").clone();
        for license in &licenses {
            let [total, used, free, available] =
                ["total", "used", "free", "available"].map(|column| license[column].as_u64().expect(column));
            assert_eq!(total, used + free, "{license}");
            assert!(used <= total, "{license}");
            assert_eq!(
                available,
                if license["status"] == "valid" { free } else { 0 },
                "{license}"
            );
        }
        licenses
    }
}
