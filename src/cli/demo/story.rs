//! The steps of the demonstration. Each says what it shows, does it, and fails unless that is what came of it.

use std::time::Duration;

use super::machine::Machine;
use super::vendor::Vendor;
use super::{BEGIN, Stage, start};
use crate::cli::error::CliError;
use crate::cli::{agent, catalogue, import, licenses, output, seats, vendor};
use crate::client::Standing;
use crate::client::agent::Released;
use crate::client::discover::{Scope, Search, discover};
use crate::domain::license::{Kind, Validity};
use crate::domain::time::DAY_SECS;
use crate::vendor::find_keys;
use crate::wire::{Outcome, Status};

const SERVERS: [Machine; 5] = [
    Machine("srv-1", 1),
    Machine("srv-2", 2),
    Machine("srv-3", 3),
    Machine("srv-4", 4),
    Machine("srv-5", 5),
];
const DESK: Machine = Machine("desk-1", 0x11);
const BARE: Machine = Machine("bare-1", 0x21);
const ADMIN_DESK: Machine = Machine("admin-desk", 0x31);
const STRANGER: Machine = Machine("srv-9", 0x09);

/// Tells the story on a stage.
pub(super) struct Story<'a> {
    stage: &'a mut Stage,
    step: u32,
}

impl<'a> Story<'a> {
    pub(super) const fn new(stage: &'a mut Stage) -> Self {
        Self { stage, step: 0 }
    }

    pub(super) async fn tell(&mut self) -> Result<(), CliError> {
        self.vendor_and_keys().await?;
        self.found_by_udp().await?;
        self.servers_until_refused().await?;
        self.components_share().await?;
        self.what_is_not_counted().await?;
        self.single_use().await?;
        self.renewal().await?;
        self.release().await?;
        self.idle_boundary().await?;
        self.restart().await?;
        self.foreign_server().await
    }

    async fn vendor_and_keys(&mut self) -> Result<(), CliError> {
        let vendor = &self.stage.vendor;
        let bought = Kind::Commercial;
        let keys = [
            (
                "3 seats for servers",
                vendor.license("BKSRV", 3, bought, Validity::Forever)?,
            ),
            (
                "10 seats for workstations",
                vendor.license("BKWKS", 10, bought, Validity::Forever)?,
            ),
            (
                "1 seat for the privacy suite",
                vendor.license("PRIVACY", 1, bought, Validity::Forever)?,
            ),
            ("3 deployments", vendor.license("DEPLOY", 3, bought, Validity::Forever)?),
            (
                "a trial for workstations, 14 days",
                vendor.license("BKWKS", 3, Kind::Trial, Validity::Days(14))?,
            ),
        ];
        let paragraphs = keys.iter().map(|(what, key)| format!("# {what}\n{key}\n"));
        let text = paragraphs.collect::<Vec<_>>().join("\n");
        let file = self.stage.root.join("keys.txt");
        std::fs::write(&file, text).map_err(|error| CliError::because("cannot write keys.txt", error))?;
        self.say("A vendor made a key pair, signed a catalogue of 5 products and 5 license keys into keys.txt.")?;

        let mut session = self.stage.administrator().await?;
        vendor::trust(&mut session, &self.stage.vendor.key()).await?;
        let products =
            catalogue::import(&mut session, &self.stage.vendor.catalogue("Example Backup Software")?).await?;
        let text = std::fs::read_to_string(&file).map_err(|error| CliError::because("cannot read keys.txt", error))?;
        let found = find_keys(&text).map_err(|error| CliError::because("keys.txt", error))?;
        let first = import::import(&mut session, &found).await?;
        let again = import::import(&mut session, &found).await?;
        expect(
            products == 5 && first.added == 5 && again.added == 0 && again.already_present == 5,
            &first,
        )?;
        self.say(
            "The administrator trusted the vendor, imported its catalogue and keys.txt: 5 added; once more: 0 added.",
        )
    }

    async fn found_by_udp(&mut self) -> Result<(), CliError> {
        let scope = Scope::Everywhere {
            port: self.stage.port(),
        };
        let search = Search {
            scope,

            ..Search::default()
        };
        let mut search = discover(&search).map_err(|error| CliError::because("cannot search", error))?;
        let found = search
            .next()
            .await
            .ok_or_else(|| CliError::NoServer("no server answered by UDP".to_owned()))?;
        self.say(&format!("An installer asked by UDP broadcast and found {found}."))
    }

    async fn servers_until_refused(&mut self) -> Result<(), CliError> {
        for machine in &SERVERS[..3] {
            let standing = machine.agent(self.stage, "BKSRV", "agent")?.acquire().await;
            expect(is(&standing, Outcome::GRANTED), &standing)?;
            self.say(&format!("{} checked out: {}", machine.0, agent::describe(&standing)))?;
        }
        let standing = SERVERS[3].told_where(self.stage, "BKSRV", "agent")?.acquire().await;
        self.say_refused(SERVERS[3], &standing)
    }

    async fn components_share(&mut self) -> Result<(), CliError> {
        for (component, outcome) in [("guard", Outcome::GRANTED), ("wipe", Outcome::RENEWED)] {
            let standing = DESK.agent(self.stage, "PRIVACY", component)?.acquire().await;
            expect(is(&standing, outcome), &standing)?;
        }
        let used = self.used("PRIVACY").await?;
        expect(used == 1, &used)?;
        self.say("desk-1 runs two components of the privacy suite, guard and wipe: they share its one seat.")?;
        let standing = DESK.agent(self.stage, "BKWKS", "agent")?.acquire().await;
        expect(is(&standing, Outcome::GRANTED), &standing)?;
        self.say(&format!(
            "desk-1 also backs up; the trial serves first, since it ends first: {}",
            agent::describe(&standing)
        ))
    }

    async fn what_is_not_counted(&mut self) -> Result<(), CliError> {
        let standing = ADMIN_DESK.agent(self.stage, "MGMT", "console")?.acquire().await;
        expect(matches!(standing, Standing::NotCounted(_)), &standing)?;
        self.say("admin-desk runs the management console: it is not counted and takes no seat.")
    }

    async fn single_use(&mut self) -> Result<(), CliError> {
        let deployed = BARE.agent(self.stage, "DEPLOY", "agent")?;
        let standing = deployed.acquire().await;
        expect(is(&standing, Outcome::GRANTED), &standing)?;
        let released = deployed
            .release()
            .await
            .map_err(|error| CliError::because("release", error))?;
        let used = self.used("DEPLOY").await?;
        expect(released == Released::Seat && used == 1, &used)?;
        self.say("bare-1 was deployed and released: a single-use seat stays spent, 1 of 3.")
    }

    async fn renewal(&mut self) -> Result<(), CliError> {
        self.pass(DAY_SECS, "One day later")?;
        let standing = SERVERS[0].agent(self.stage, "BKSRV", "agent")?.renew().await;
        let Standing::Licensed(licensed) = &standing else {
            return expect(false, &standing);
        };
        expect(
            licensed.acquired_at == BEGIN && is(&standing, Outcome::RENEWED),
            &standing,
        )?;
        self.say(&format!(
            "srv-1 started again and renewed: {}",
            agent::describe(&standing)
        ))
    }

    async fn release(&mut self) -> Result<(), CliError> {
        let released = SERVERS[2].agent(self.stage, "BKSRV", "agent")?.release().await;
        let released = released.map_err(|error| CliError::because("release", error))?;
        expect(released == Released::Seat, &released)?;
        let standing = SERVERS[3].agent(self.stage, "BKSRV", "agent")?.acquire().await;
        expect(is(&standing, Outcome::GRANTED), &standing)?;
        self.say("srv-3 uninstalled and released its seat; srv-4, refused before, has it now.")
    }

    async fn idle_boundary(&mut self) -> Result<(), CliError> {
        self.pass(29 * DAY_SECS - 1, "29 days 23:59:59 after srv-2 was last seen")?;
        let standing = SERVERS[4].told_where(self.stage, "BKSRV", "agent")?.acquire().await;
        expect(matches!(standing, Standing::Denied(_)), &standing)?;
        self.say("srv-5 is refused: srv-2 still has its seat.")?;
        self.pass(1, "One second later, at 30 days")?;
        let standing = SERVERS[4].agent(self.stage, "BKSRV", "agent")?.acquire().await;
        expect(is(&standing, Outcome::GRANTED), &standing)?;
        self.say("srv-2's seat was freed, and srv-5 has it.")?;
        let standing = SERVERS[1].agent(self.stage, "BKSRV", "agent")?.acquire().await;
        self.say_refused(SERVERS[1], &standing)
    }

    async fn restart(&mut self) -> Result<(), CliError> {
        let before = self.everything().await?;
        self.stage.restart().await?;
        let after = self.everything().await?;
        expect(before == after, &(before.1.len(), after.1.len()))?;
        let (licenses, seats) = (after.0.len(), after.1.len());
        self.say(&format!(
            "The server was stopped and started: all {licenses} licenses and {seats} seats are there."
        ))?;
        let standing = SERVERS[0].agent(self.stage, "BKSRV", "agent")?.acquire().await;
        expect(is(&standing, Outcome::RENEWED), &standing)?;
        self.say("srv-1 found it at its new port by UDP and renewed.")
    }

    /// A server with the genuine catalogue, which anybody can get, and license keys of a vendor of its own.
    async fn foreign_server(&mut self) -> Result<(), CliError> {
        let data = self.stage.root.join("foreign-server");
        let server = start(&data, "foreign-server", self.stage.clock.clone()).await?;
        let address = server.addresses().first().map(ToString::to_string).unwrap_or_default();
        let global = crate::cli::args::Global {
            data: Some(data),
            ..self.stage.global.clone()
        };
        let mut session = crate::cli::session::Session::open(&global).await?;
        let foreign = Vendor::new(&self.stage.root, "foreign-vendor", BEGIN)?;
        for (vendor, name) in [
            (&self.stage.vendor, "Example Backup Software"),
            (&foreign, "Somebody Else"),
        ] {
            vendor::trust(&mut session, &vendor.key()).await?;
            catalogue::import(&mut session, &vendor.catalogue(name)?).await?;
        }
        let key = foreign.license("BKSRV", 1_000, Kind::Commercial, Validity::Forever)?;
        let found = find_keys(&key).map_err(|error| CliError::because("a key", error))?;
        let imported = import::import(&mut session, &found).await?;
        expect(imported.added == 1, &imported)?;
        let agent = STRANGER
            .agent(self.stage, "BKSRV", "agent")?
            .servers([address])
            .deadline(Duration::from_secs(1));
        let standing = agent.acquire().await;
        let memory = agent
            .recall()
            .await
            .map_err(|error| CliError::because("the agent's memory", error))?;
        expect(!standing.may_run() && memory.pins.is_empty(), &standing)?;
        server.stop().await?;
        self.say(&format!(
            "A server with another vendor's keys licenses nothing and is not trusted. srv-9: {standing}"
        ))
    }

    async fn everything(&self) -> Result<Everything, CliError> {
        let mut session = self.stage.administrator().await?;
        Ok((licenses::all(&mut session).await?, seats::all(&mut session).await?))
    }

    async fn used(&self, product: &str) -> Result<u32, CliError> {
        let mut session = self.stage.administrator().await?;
        let rows = licenses::all(&mut session).await?;
        Ok(rows
            .iter()
            .filter(|row| row.product == product)
            .map(|row| row.used)
            .sum())
    }

    fn pass(&self, secs: u64, what: &str) -> Result<(), CliError> {
        self.stage.clock.advance_secs(secs);
        let now = output::date(Some(self.stage.clock.calendar()));
        output::line(&format!("    -- {what}: the server's clock says {now} --"))
    }

    fn say(&mut self, text: &str) -> Result<(), CliError> {
        self.stage.go_on()?;
        self.step += 1;
        output::line(&format!("{:>3} {text}", self.step))
    }

    fn say_refused(&mut self, machine: Machine, standing: &Standing) -> Result<(), CliError> {
        match standing {
            Standing::Denied(denied) if denied.status == Status::SEATS_EXHAUSTED => {
                self.say(&format!("{} was refused: {}", machine.0, agent::refusal_text(denied)))
            }
            other => expect(false, other),
        }
    }
}

/// Both views.
type Everything = (
    Vec<crate::wire::messages::views::LicenseRow>,
    Vec<crate::wire::messages::views::SeatRow>,
);

fn is(standing: &Standing, outcome: Outcome) -> bool {
    matches!(standing, Standing::Licensed(licensed) if licensed.outcome == outcome)
}

/// Fails the demonstration, which then says what came instead.
fn expect(held: bool, instead: &impl std::fmt::Debug) -> Result<(), CliError> {
    if held {
        Ok(())
    } else {
        Err(CliError::failed(format!(
            "the demonstration failed here; instead came {instead:?}"
        )))
    }
}
