//! All views, a page at a time.

use std::fmt::Debug;

use seatkeeper::wire::messages::{Request, Response, deploy, views};
use seatkeeper_model::Model;
use seatkeeper_world::request::Speaker;
use seatkeeper_world::views::Expected;

use super::Soak;
use crate::error::SoakError;

/// Rows of a page: few enough that listings come in several.
const PAGE_ROWS: u16 = 24;

/// Administrator and deployer.
const ADMINS: u32 = 2;

impl Soak {
    /// STATUS. The server reads its clocks for it.
    pub(super) async fn compare_status(&mut self) -> Result<(), SoakError> {
        self.history.read_again();
        let shown = match self.look(Request::Status(views::Status {})).await? {
            Response::Status(status) => status,
            other => return Err(self.disagreement("STATUS".to_owned(), "an answer", &other)),
        };
        let model = self.model_of_now();
        let expected = self.expected(&model).status(&shown, ADMINS)?;
        self.agree("STATUS", &[expected], &[shown])
    }

    /// Every view.
    pub(super) async fn compare_views(&mut self) -> Result<(), SoakError> {
        self.compare_status().await?;
        let model = self.model_of_now();
        model.assert_s2();
        let licenses = self.licenses().await?;
        let mut seats = self.seats().await?;
        let mut reservations = self.reservations().await?;
        let products = self.products().await?;
        for row in &mut seats {
            // The model knows neither hosts nor when an identity took another one's place.
            row.address = None;
            row.components.iter_mut().for_each(|holder| holder.rebound_at = None);
        }
        let deployer = self.people.fingerprint(Speaker::Deployer)?;
        for row in &mut reservations {
            row.by = row.by.filter(|by| *by != deployer);
        }
        let expected = self.expected(&model);
        self.agree("LICENSES", &expected.licenses()?, &licenses)?;
        self.agree("SEATS", &expected.seats()?, &seats)?;
        self.agree("RESERVATIONS", &expected.reservations()?, &reservations)?;
        self.agree("PRODUCTS", &expected.products()?, &products)?;
        let over = licenses
            .iter()
            .find(|row| row.total != row.used + row.free || row.used > row.total);
        if let Some(row) = over {
            return Err(self.disagreement("LICENSES".to_owned(), "Total = Free + Used (rule S2)", row));
        }
        self.report.views += 1;
        Ok(())
    }

    /// The model with what is overdue freed, as the server does before it answers anything.
    fn model_of_now(&self) -> Model {
        let mut model = self.history.model().clone();
        model.free_overdue(self.history.now());
        model
    }

    fn expected<'a>(&'a self, model: &'a Model) -> Expected<'a> {
        Expected {
            model,
            now: self.history.now(),
            vendors: &self.vendors,
            catalogues: &self.catalogues,
            fingerprints: self.people.agents(),
        }
    }

    fn agree<T: Debug + PartialEq>(&self, view: &str, expected: &[T], shown: &[T]) -> Result<(), SoakError> {
        if expected == shown {
            return Ok(());
        }
        // Only what differs: nobody reads whole listings.
        let place = expected.iter().zip(shown).position(|(one, other)| one != other);
        let place = place.unwrap_or_else(|| expected.len().min(shown.len()));
        Err(self.disagreement(
            format!("{view}, row {place} of {}, at {:?}", shown.len(), self.history.now()),
            &format!("{:?}, {} rows", expected.get(place), expected.len()),
            &shown.get(place),
        ))
    }

    async fn licenses(&mut self) -> Result<Vec<views::LicenseRow>, SoakError> {
        let mut rows: Vec<views::LicenseRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| row.serial.clone());
            let limit = Some(PAGE_ROWS);
            match self.look(Request::Licenses(views::Licenses { after, limit })).await? {
                Response::Licenses(page) => {
                    rows.extend(page.rows);
                    if !page.more {
                        return Ok(rows);
                    }
                }
                other => return Err(self.disagreement("LICENSES".to_owned(), "a page", &other)),
            }
        }
    }

    async fn seats(&mut self) -> Result<Vec<views::SeatRow>, SoakError> {
        let mut rows: Vec<views::SeatRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| views::SeatName {
                vendor: row.vendor,
                product: row.product.clone(),
                mac: row.mac,
            });
            let asked = views::Seats {
                after,
                limit: Some(PAGE_ROWS),
                ..views::Seats::default()
            };
            match self.look(Request::Seats(asked)).await? {
                Response::Seats(page) => {
                    rows.extend(page.rows);
                    if !page.more {
                        return Ok(rows);
                    }
                }
                other => return Err(self.disagreement("SEATS".to_owned(), "a page", &other)),
            }
        }
    }

    async fn reservations(&mut self) -> Result<Vec<deploy::ReservationRow>, SoakError> {
        let mut rows: Vec<deploy::ReservationRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| row.reservation);
            let limit = Some(PAGE_ROWS);
            let asked = deploy::Reservations { after, limit };
            match self.look(Request::Reservations(asked)).await? {
                Response::Reservations(page) => {
                    rows.extend(page.rows);
                    if !page.more {
                        return Ok(rows);
                    }
                }
                other => return Err(self.disagreement("RESERVATIONS".to_owned(), "a page", &other)),
            }
        }
    }

    async fn products(&mut self) -> Result<Vec<views::ProductRow>, SoakError> {
        let mut rows: Vec<views::ProductRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| views::ProductName {
                vendor: row.vendor,
                product: row.product.clone(),
            });
            let limit = Some(PAGE_ROWS);
            match self.look(Request::Products(views::Products { after, limit })).await? {
                Response::Products(page) => {
                    rows.extend(page.rows);
                    if !page.more {
                        return Ok(rows);
                    }
                }
                other => return Err(self.disagreement("PRODUCTS".to_owned(), "a page", &other)),
            }
        }
    }
}
