//! A history through the real client and the real server.
//!
//! The order of all requests is total, whatever the machine's speed: a batch goes over one connection, and the next one
//! begins when it is answered. So a seed gives the same history every time.

mod compare;
mod lease;
mod roles;
mod window;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use seatkeeper::domain::command::Rebind;
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::tls::Identity;
use seatkeeper::wire;
use seatkeeper::wire::messages::{Request, Response, admin};
use seatkeeper_model::{Answer, Ask, History, Proposal, Random, Step, Turn};
use seatkeeper_world::answer::{answer, comparable, server_time};
use seatkeeper_world::request::{Speaker, request};
use seatkeeper_world::views::Catalogues;
use seatkeeper_world::words::{Vendors, serial_text};

use crate::error::{Disagreement, SoakError};
use crate::people::People;
use crate::report::Report;
use crate::server::{Server, Site};

use window::Window;

/// Steps from one comparison of all views to the next.
const STEPS_BETWEEN_VIEWS: u64 = 500;

/// Batches from one that others without the role for it try first to the next.
const BATCHES_BETWEEN_ROLES: u64 = 4;

/// What a soak is.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    /// Steps of a history, which has a server and a store of its own.
    pub(crate) history: u64,
    /// Histories that are passed over.
    pub(crate) skip: u64,
    /// Restarts in the midst of histories; another one ends each.
    pub(crate) restarts: u64,
    /// Requests of a batch, at most.
    pub(crate) depth: usize,
    /// Where the stores are.
    pub(crate) data: PathBuf,
    /// From this step on the next grant is expected to be another one than the rules say: shows that a soak can fail.
    pub(crate) wrong_from: Option<u64>,
}

impl Plan {
    /// The command that does the same again.
    pub(crate) fn command(&self) -> String {
        let Self {
            seed,
            steps,
            history,
            skip,
            restarts,
            depth,
            ..
        } = self;
        let skipped = if *skip > 0 {
            format!(" --skip {skip}")
        } else {
            String::new()
        };
        format!(
            "seatsoak --seed {seed} --steps {steps} --history {history} --restarts {restarts} --depth {depth}{skipped}"
        )
    }

    /// How many restarts there should have been after so many steps, so that they are spread over all.
    const fn restarts_due(&self, steps: u64) -> u64 {
        let all = self.restarts.saturating_add(1);
        match steps.saturating_mul(all).checked_div(self.steps) {
            Some(due) if due < all => due,
            _ => self.restarts,
        }
    }
}

/// A soak that ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The command that does the same again, from the history on in which it failed.
    pub(crate) again: String,
    pub(crate) error: Box<SoakError>,
}

/// Lives one history after another, each from dice of its own and over a store of its own, until all steps are done.
///
/// Histories have an end since they come to one by themselves: units that are spent never come back, and a serial that
/// was imported once counts its days from then on.
pub(crate) async fn run(plan: &Plan) -> Result<Report, Failure> {
    let mut dice = Random::new(plan.seed);
    let mut report = Report::new();
    let mut number = 0;
    let (mut begins_at, mut done) = (0, 0);
    while begins_at < plan.steps {
        let ends_at = begins_at.saturating_add(plan.history.max(1)).min(plan.steps);
        let seed = dice.number();
        if number >= plan.skip {
            let data = plan.data.join(number.to_string());
            let lived = live(plan, seed, (begins_at, ends_at), &data, report).await;
            report = lived.map_err(|error| Failure {
                again: Plan {
                    skip: number,
                    ..plan.clone()
                }
                .command(),
                error: Box::new(error),
            })?;
            done += 1;
        }
        begins_at = ends_at;
        number += 1;
    }
    report.histories = done;
    Ok(report)
}

async fn live(plan: &Plan, seed: u64, steps: (u64, u64), data: &Path, report: Report) -> Result<Report, SoakError> {
    let mut soak = Soak::new(plan, seed, steps, data.to_owned(), report).await?;
    soak.run().await?;
    let report = soak.finish().await?;
    // What went well need not be kept.
    std::fs::remove_dir_all(data)?;
    Ok(report)
}

/// A history under way.
#[derive(Debug)]
struct Soak {
    plan: Plan,
    /// The step from which on it is, among those of all histories.
    step: u64,
    ends_at: u64,
    /// Where this history's store is.
    data: PathBuf,
    history: History,
    /// Dice of its own, so that what is asked does not depend on how it is sent.
    random: Random,
    vendors: Vendors,
    people: People,
    site: Site,
    server: Server,
    /// The clock that only counts, as it was read last.
    counted: u64,
    catalogues: Catalogues,
    views_due: u64,
    report: Report,
}

impl Soak {
    /// Starts the server of a new history, with its vendors trusted and its deployer known.
    async fn new(
        plan: &Plan,
        seed: u64,
        (step, ends_at): (u64, u64),
        data: PathBuf,
        report: Report,
    ) -> Result<Self, SoakError> {
        let mut history = History::new(seed);
        let first = history.first_reading();
        let (calendar, counted) = reading(&first)?;
        let identity = Identity::generate().map_err(|error| SoakError::server("making an identity", &error))?;
        let mut people = People::new(Fingerprint(identity.fingerprint()));
        let site = Site {
            administrator: Fingerprint(people.fingerprint(Speaker::Administrator)?),
            identity,
        };
        let server = Server::start(&data, &site, calendar, rebind(&history)).await?;
        let mut soak = Self {
            plan: plan.clone(),
            step,
            ends_at,
            data,
            random: Random::new(seed ^ 0x50a4),
            history,
            vendors: Vendors::default(),
            people,
            site,
            server,
            counted,
            catalogues: Catalogues::new(),
            views_due: 0,
            report,
        };
        for vendor in History::TRUSTED {
            let public_key = soak.vendors.key(vendor)?.vendor_key().bytes();
            soak.done(Request::VendorTrust(admin::VendorTrust { public_key }))
                .await?;
        }
        soak.name_the_deployer().await?;
        Ok(soak)
    }

    /// Lives the whole history, and compares all views a last time after a last start.
    async fn run(&mut self) -> Result<(), SoakError> {
        while self.step < self.ends_at {
            let mut window = Window::open(&mut self.history, self.ends_at - self.step);
            while let Some((speaker, batch)) = window.batch(&self.history, &mut self.random, self.plan.depth) {
                let behind = self.step + batch.len() as u64;
                let restarts = self.plan.restarts_due(self.step) < self.plan.restarts_due(behind);
                if restarts {
                    self.make_the_mark_durable().await?;
                }
                self.send(speaker, &batch).await?;
                if restarts {
                    self.restart().await?;
                } else {
                    self.let_time_pass().await?;
                }
                if self.step >= self.views_due {
                    self.views_due = self.step + STEPS_BETWEEN_VIEWS;
                    self.compare_views().await?;
                }
                self.report.tell_progress();
            }
        }
        self.make_the_mark_durable().await?;
        self.restart().await
    }

    /// Stops the server.
    async fn finish(mut self) -> Result<Report, SoakError> {
        self.server.begin_stop();
        self.people.leave().await;
        self.server.end().await?;
        Ok(self.report)
    }

    /// Sends a batch, then has the model decide the same in the same order.
    async fn send(&mut self, speaker: Speaker, batch: &[Proposal]) -> Result<(), SoakError> {
        let requests = batch.iter().map(|one| request(&one.ask, &self.vendors));
        let mut requests = requests.collect::<Result<Vec<_>, _>>()?;
        requests.iter_mut().for_each(lease::tell_time);
        if self.report.batches.is_multiple_of(BATCHES_BETWEEN_ROLES) {
            self.ask_above_their_roles(batch, &requests).await?;
        }
        // The server reads its clocks at each round.
        self.history.read_again();
        let responses = self.people.ask(speaker, &requests, self.server.address()).await?;
        if responses.len() != batch.len() {
            return Err(SoakError::Impossible("an answer is missing".to_owned()));
        }
        for ((proposal, request), response) in batch.iter().zip(&requests).zip(&responses) {
            self.judge(speaker, proposal, request, response)?;
            self.step += 1;
            self.report.steps += 1;
        }
        self.report.batches += 1;
        Ok(())
    }

    fn judge(
        &mut self,
        speaker: Speaker,
        proposal: &Proposal,
        request: &Request,
        response: &Response,
    ) -> Result<(), SoakError> {
        let calendar = self.history.now().calendar;
        let turn = self.history.decide(proposal);
        let offline_days = match turn.answer {
            Some(Answer::Seat { offline_days, .. }) => offline_days,
            _ => 0,
        };
        let decided = turn.answer.as_ref().map(comparable);
        let mut expected = decided.ok_or_else(|| SoakError::Impossible("an ask without an answer".to_owned()))?;
        self.falsify(&mut expected);
        let ask = &proposal.ask;
        let same = answer(ask, response).as_ref() == Some(&expected) && server_time(response) == Some(calendar);
        let identity = self.people.fingerprint(speaker)?;
        let is_leased = lease::is_right(offline_days, request, response, identity);
        if !same || !is_leased || !self.details_agree(ask, response)? {
            return Err(self.disagreement(
                format!("{speaker:?}: {ask:?} at {:?}", turn.now),
                &format!("{expected:?}, calendar {calendar}, a lease for {offline_days} days"),
                &(answer(ask, response), response),
            ));
        }
        self.report.count(&expected);
        if let Response::Checkout(reply) = response
            && matches!(expected, Answer::Seat { .. })
        {
            self.history.told(reply.continuation.filter(|number| *number != 0));
        }
        if let (
            Answer::CatalogueImported(_),
            Ask::ImportCatalogue {
                vendor,
                version,
                products,
            },
        ) = (&expected, ask)
        {
            self.catalogues.insert(*vendor, (*version, products.clone()));
        }
        Ok(())
    }

    /// What an answer tells besides what the rules say of it.
    fn details_agree(&self, ask: &Ask, response: &Response) -> Result<bool, SoakError> {
        let licenses = || self.history.model().all_licenses().iter().filter(|one| one.present());
        Ok(match (response, ask) {
            // A grant shows the certificate of its license (rule K9).
            (Response::Checkout(reply), _) => match &reply.serial {
                Some(serial) => {
                    let license = licenses().find(|one| serial_text(one.key.serial) == *serial);
                    let certificate = license.map(|one| self.vendors.certificate(&one.key)).transpose()?;
                    certificate.as_deref() == reply.certificate.as_deref()
                }
                None => reply.outcome == wire::Outcome::NOT_COUNTED && reply.certificate.is_none(),
            },
            (Response::BlacklistImport(reply), Ask::ImportBlacklist { vendor, entries, .. }) => {
                let named = |one: &seatkeeper_model::License| {
                    one.key.product.vendor == *vendor && entries.iter().any(|entry| entry.0 == one.key.serial)
                };
                let now = self.history.now();
                let rows = self.history.model().licenses(now);
                let named: Vec<_> = licenses().filter(|one| named(one)).collect();
                let in_use = rows.iter().filter(|row| named.iter().any(|one| one.key == row.key));
                let used: u64 = in_use.map(|row| u64::from(row.used)).sum();
                (usize::try_from(reply.licenses).ok(), reply.used) == (Some(named.len()), used)
            }
            _ => true,
        })
    }

    fn falsify(&mut self, expected: &mut Answer) {
        if let Answer::Seat { acquired_at, .. } = expected
            && self.plan.wrong_from.is_some_and(|from| self.step >= from)
        {
            *acquired_at += 1;
        }
    }

    async fn let_time_pass(&mut self) -> Result<(), SoakError> {
        let turn = self.history.let_time_pass();
        let (calendar, counted) = reading(&turn)?;
        self.server.turn_clocks(calendar, counted.saturating_sub(self.counted));
        self.counted = counted;
        self.report.note(&turn);
        // The server must see every moment that the model sees.
        self.compare_status().await
    }

    /// A graceful stop and another start over what is on disk, at another port.
    async fn restart(&mut self) -> Result<(), SoakError> {
        let turn = self.history.start_again();
        let (calendar, counted) = reading(&turn)?;
        self.server.begin_stop();
        self.people.leave().await;
        let rebind = rebind(&self.history);
        self.server.restart(&self.data, &self.site, calendar, rebind).await?;
        self.counted = counted;
        self.report.restarts += 1;
        self.report.note(&turn);
        self.history.read_again();
        self.compare_views().await
    }

    /// The mark is durable with a round that changes something, and else once a day (rule T2): a server that only refused
    /// may lose its last moments when it stops, and the model has no such loss. To be done ahead of the last batch before
    /// a stop, not behind it: what refusals note has to become durable by the stop itself.
    async fn make_the_mark_durable(&mut self) -> Result<(), SoakError> {
        self.name_the_deployer().await
    }

    /// Gives the deployer its role, each time with another label, so that something changes.
    async fn name_the_deployer(&mut self) -> Result<(), SoakError> {
        let fingerprint = self.people.fingerprint(Speaker::Deployer)?;
        let label = format!("after {} steps and {} starts", self.report.steps, self.report.restarts);
        self.history.read_again();
        self.done(Request::AdminAdd(admin::AdminAdd {
            fingerprint,
            role: wire::Role::DEPLOYER,
            label,
        }))
        .await
    }

    async fn done(&mut self, request: Request) -> Result<(), SoakError> {
        let asked = format!("{request:?}");
        match self.look(request).await? {
            Response::Done(_) => Ok(()),
            other => Err(self.disagreement(asked, "done", &other)),
        }
    }

    /// Asks something as the administrator that is no step of the history.
    async fn look(&mut self, request: Request) -> Result<Response, SoakError> {
        let address = self.server.address();
        let mut answers = self.people.ask(Speaker::Administrator, &[request], address).await?;
        answers
            .pop()
            .ok_or_else(|| SoakError::Impossible("an answer is missing".to_owned()))
    }

    fn disagreement(&self, asked: String, expected: &str, answered: &impl Debug) -> SoakError {
        SoakError::from(Box::new(Disagreement {
            step: self.step,
            asked,
            expected: expected.to_owned(),
            answered: format!("{answered:?}"),
        }))
    }
}

fn rebind(history: &History) -> Rebind {
    if history.approve() {
        Rebind::Approve
    } else {
        Rebind::Honour
    }
}

/// What both clocks say.
fn reading(turn: &Turn) -> Result<(u64, u64), SoakError> {
    match turn.step {
        Step::Read { calendar, counted } | Step::Restart { calendar, counted } => Ok((calendar, counted)),
        Step::Ask { .. } => Err(SoakError::Impossible("an ask is no reading".to_owned())),
    }
}
