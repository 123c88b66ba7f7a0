//! How a server is, as the wire tells it, and what of that an administrator should do something about.

use super::super::health::Health;
use super::codes::{kind_code, usage_code};
use super::reply::Context;
use super::rows;
use crate::domain::backup::{self, Backup};
use crate::domain::command::Rebind;
use crate::domain::reply::{Checkpoint, EndingRow, ScarceRow, Status as Counted};
use crate::domain::time::{DAY_SECS, Timestamp};
use crate::wire::Warning;
use crate::wire::limits::{FAULT_LEN_MAX, VENDOR_ROWS_MAX, WARNINGS_MAX};
use crate::wire::messages::{Response, views};

/// Days before its end from which on a license is told of.
const SOON_DAYS: u32 = 30;

/// Days before its end from which on that is pressing.
const AT_ONCE_DAYS: u32 = 7;

/// Little is left on a disk that has less than this free, in bytes, whatever its size.
const DISK_LEAST: u64 = 256 << 20;

/// Or less than a twentieth of it, unless that is more than this, in bytes.
const DISK_ENOUGH: u64 = 5 << 30;

/// Days since its first start or its restore after which a server is told of that was never backed up with its identities.
const FIRST_BACKUP_DAYS: u64 = 7;

/// Days since the last backup after which that is told.
const BACKUP_DAYS: u64 = 31;

/// The reply to STATUS.
pub(super) fn told(status: Counted, health: Option<Health>, context: &Context<'_>) -> Response {
    let vendors = status.vendors.into_iter().take(VENDOR_ROWS_MAX);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let lost = status.checkpoint.as_ref().and_then(|checkpoint| checkpoint.lost);
    let mut reply = views::StatusOk {
        server_time: context.server_time.0,
        name: context.config.name.clone(),
        server_version: context.config.server_version.clone(),
        uptime_secs: context.at.millis_since(context.config.started_at) / 1_000,
        server: status.server.map(|server| server.id.0),
        epoch: status.server.map(|server| server.epoch),
        founded_at: status.server.map(|server| server.founded_at.0),
        products: status.products,
        licenses: status.licenses,
        licenses_expired: status.licenses_expired,
        seats: status.seats,
        conflicts: status.conflicts,
        admins: status.admins,
        vendors: vendors.map(rows::vendor).collect(),
        licenses_blacklisted: status.licenses_blacklisted,
        licenses_superseded: status.licenses_superseded,
        waiting: status.waiting,
        reservations: status.reservations,
        clock: status.clock.map_or_else(views::ClockRow::default, rows::clock),
        disk_left: status.disk_left,
        enrolment: status.needs_enrolment,
        approval: context.config.rebind == Rebind::Approve,
        checkpoint: status.checkpoint.map(checkpoint),
        disk: health.and_then(|health| health.disk).map(|disk| views::DiskRow {
            free: disk.free,
            total: disk.total,
            data: disk.data,
            journal: disk.journal,
        }),
        connections: health.map(|health| number(health.connections)),
        connections_max: health.map(|health| number(health.connections_max)),
        ending: status.ending.into_iter().map(ending).collect(),
        scarce: status.scarce.into_iter().map(scarce).collect(),
        warnings: Vec::new(),
        backup: status.server.and_then(|server| server.last_backup).map(backup),
    };
    reply.warnings = warnings(&reply, lost);
    Response::Status(reply)
}

fn checkpoint(checkpoint: Checkpoint) -> views::CheckpointRow {
    let (failed_at, failure) = checkpoint.failure.unzip();
    views::CheckpointRow {
        generation: checkpoint.generation,
        made_at: checkpoint.made_at.map(|at| at.0),
        failed_at: failed_at.map(|at| at.0),
        // The system's words for a failure are not ours to bound.
        failure: failure.map(|text| {
            let cut = text.get(..text.floor_char_boundary(FAULT_LEN_MAX)).unwrap_or_default();
            cut.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
        }),
    }
}

const fn backup(backup: Backup) -> views::BackupRow {
    views::BackupRow {
        made_at: backup.made_at.0,
        round: backup.round,
        bytes: backup.bytes,
        identities: backup.has_identities,
    }
}

fn ending(row: EndingRow) -> views::EndingRow {
    let claims = &row.license.claims;
    views::EndingRow {
        serial: claims.serial.as_str().to_owned(),
        vendor: claims.vendor.0,
        product: claims.product.as_str().to_owned(),
        product_name: row.product_name,
        kind: kind_code(claims.kind),
        usage: usage_code(claims.usage),
        seats: claims.seats,
        ends_at: row.ends_at.0,
        days_left: row.days_left,
        licenses: row.licenses,
    }
}

fn scarce(row: ScarceRow) -> views::ScarceRow {
    views::ScarceRow {
        vendor: row.key.vendor.0,
        product: row.key.product.as_str().to_owned(),
        product_name: row.product_name,
        usage: usage_code(row.usage),
        used: row.used,
        available: row.available,
    }
}

/// What an administrator should do something about, the most pressing first: by the numbers of the codes. `lost` is the
/// generation that the last start did without. Pure.
fn warnings(status: &views::StatusOk, lost: Option<u64>) -> Vec<views::WarningRow> {
    let about = |code, number| views::WarningRow {
        code,
        number,
        ..views::WarningRow::default()
    };
    let some = |code, count: u64| (count > 0).then(|| about(code, Some(count)));
    let mut warnings: Vec<_> = [
        status.disk_left.map(|left| about(Warning::DISK_FULL, Some(left))),
        low_disk(status).map(|free| about(Warning::DISK_LOW, Some(free))),
        status.checkpoint.as_ref().and_then(failed),
        (status.clock.set_back_secs).map(|secs| about(Warning::CLOCK_SET_BACK, Some(secs))),
        (status.clock.jump_secs).map(|secs| about(Warning::CLOCK_JUMPED, Some(secs))),
        some(Warning::CONFLICTS, status.conflicts),
        some(Warning::IDENTITIES_WAIT, status.waiting),
        some(Warning::LICENSES_BLACKLISTED, status.licenses_blacklisted.into()),
        some(Warning::LICENSES_SUPERSEDED, status.licenses_superseded.into()),
        crowded(status).map(|connections| about(Warning::CONNECTIONS_NEARLY_USED_UP, Some(connections))),
        some(Warning::LICENSES_EXPIRED, status.licenses_expired.into()),
        status.vendors.is_empty().then(|| about(Warning::NO_VENDOR, None)),
        not_backed_up(status),
        lost.map(|generation| about(Warning::GENERATION_LOST, Some(generation))),
    ]
    .into_iter()
    .flatten()
    .collect();
    warnings.extend(status.ending.iter().filter_map(ends));
    warnings.extend(status.scarce.iter().map(runs_out));
    warnings.sort_by_key(|warning| warning.code);
    warnings.truncate(WARNINGS_MAX);
    warnings
}

/// The free bytes of a disk with little left. That nothing at all is left is another warning.
fn low_disk(status: &views::StatusOk) -> Option<u64> {
    let disk = status.disk.as_ref().filter(|_| status.disk_left.is_none())?;
    let least = (disk.total / 20).clamp(DISK_LEAST, DISK_ENOUGH);
    (disk.free < least).then_some(disk.free)
}

fn failed(checkpoint: &views::CheckpointRow) -> Option<views::WarningRow> {
    let at = checkpoint.failed_at?;
    Some(views::WarningRow {
        code: Warning::CHECKPOINT_FAILED,
        at: Some(at),
        ..views::WarningRow::default()
    })
}

/// How many connections there are where nearly all are taken.
fn crowded(status: &views::StatusOk) -> Option<u64> {
    let (now, most) = (status.connections.map(u64::from)).zip(status.connections_max.map(u64::from))?;
    (now * 10 >= most * 9).then_some(now)
}

/// That what is here could be lost: no backup was made for long, or the last one lacks the identities, so that every machine
/// would have to be told to trust what is restored from it. What a server was restored from is a backup of it, as old as the
/// restore. One without a license has nothing to lose yet.
fn not_backed_up(status: &views::StatusOk) -> Option<views::WarningRow> {
    let founded_at = status.founded_at?;
    let (founded, now) = (Timestamp(founded_at), Timestamp(status.server_time));
    let restored_at = status.epoch.and_then(|epoch| backup::restored_at(epoch, founded, now));
    let begun = restored_at.map_or(founded_at, |at| at.0);
    let (since, after, at) = match &status.backup {
        Some(last) if !last.identities => (begun, FIRST_BACKUP_DAYS, Some(last.made_at)),
        Some(last) if last.made_at < begun => (begun, BACKUP_DAYS, None),
        Some(last) => (last.made_at, BACKUP_DAYS, Some(last.made_at)),
        None => (begun, FIRST_BACKUP_DAYS, None),
    };
    let days = status.server_time.saturating_sub(since) / DAY_SECS;
    (days >= after && status.licenses > 0).then(|| views::WarningRow {
        code: Warning::NO_RECENT_BACKUP,
        number: Some(days),
        at,
        ..views::WarningRow::default()
    })
}

fn ends(row: &views::EndingRow) -> Option<views::WarningRow> {
    let code = match row.days_left {
        0..=AT_ONCE_DAYS => Warning::LICENSE_ENDS_AT_ONCE,
        days if days <= SOON_DAYS => Warning::LICENSE_ENDS_SOON,
        _ => return None,
    };
    Some(views::WarningRow {
        code,
        number: Some(row.days_left.into()),
        vendor: Some(row.vendor),
        product: Some(row.product.clone()),
        serial: Some(row.serial.clone()),
        at: Some(row.ends_at),
    })
}

fn runs_out(row: &views::ScarceRow) -> views::WarningRow {
    let (code, number) = if row.available == 0 {
        (Warning::NONE_AVAILABLE, row.used)
    } else {
        (Warning::NEARLY_USED_UP, row.available)
    };
    views::WarningRow {
        code,
        number: Some(number),
        vendor: Some(row.vendor),
        product: Some(row.product.clone()),
        ..views::WarningRow::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that needs nobody.
    fn well() -> views::StatusOk {
        views::StatusOk {
            vendors: vec![views::VendorRow::default()],
            connections: Some(8),
            connections_max: Some(10),
            ..with_disk(50 << 30, 100 << 30)
        }
    }

    fn with_disk(free: u64, total: u64) -> views::StatusOk {
        let disk = Some(views::DiskRow {
            free,
            total,
            ..views::DiskRow::default()
        });
        views::StatusOk {
            disk,
            ..views::StatusOk::default()
        }
    }

    fn codes(status: &views::StatusOk) -> Vec<Warning> {
        warnings(status, None).iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn a_server_that_is_well_warns_of_nothing() {
        assert_eq!(codes(&well()), []);
    }

    #[test]
    fn a_license_is_warned_of_30_days_before_its_end_and_more_strongly_from_the_7th_on() {
        let ending = |days_left| views::StatusOk {
            ending: vec![views::EndingRow {
                days_left,
                serial: "S".to_owned(),
                ..views::EndingRow::default()
            }],
            ..well()
        };
        for (days, code) in [
            (0, Some(Warning::LICENSE_ENDS_AT_ONCE)),
            (7, Some(Warning::LICENSE_ENDS_AT_ONCE)),
            (8, Some(Warning::LICENSE_ENDS_SOON)),
            (30, Some(Warning::LICENSE_ENDS_SOON)),
            (31, None),
        ] {
            let told = warnings(&ending(days), None);
            assert_eq!(told.first().map(|warning| warning.code), code, "{days} days");
            assert!(
                told.iter()
                    .all(|warning| warning.number == Some(days.into()) && warning.serial.is_some())
            );
        }
    }

    #[test]
    fn a_disk_is_low_by_its_size_within_bounds_and_a_full_one_is_told_as_that_alone() {
        let of = |free, total| views::StatusOk {
            disk: with_disk(free, total).disk,
            ..well()
        };
        for (free, total, low) in [
            (4 << 30, 100 << 30, true),
            (5 << 30, 100 << 30, false),
            // A twentieth of it is much.
            (6 << 30, 1 << 50, false),
            // A twentieth of it is nothing.
            (200 << 20, 1 << 30, true),
            (300 << 20, 1 << 30, false),
        ] {
            let expected = if low { vec![Warning::DISK_LOW] } else { Vec::new() };
            assert_eq!(codes(&of(free, total)), expected, "{free} of {total}");
        }
        let full = views::StatusOk {
            disk_left: Some(1),
            ..of(1, 1 << 30)
        };
        assert_eq!(codes(&full), [Warning::DISK_FULL]);
    }

    #[test]
    fn a_server_that_was_never_backed_up_is_told_of_after_a_week_and_an_old_backup_after_a_month() {
        let days = |founded: u64, made: Option<u64>, licenses| {
            let now = 100 * DAY_SECS;
            let status = views::StatusOk {
                server_time: now,
                founded_at: Some(now - founded),
                licenses,
                backup: made.map(|age| views::BackupRow {
                    made_at: now - age,
                    identities: true,
                    ..views::BackupRow::default()
                }),
                ..well()
            };
            let told = warnings(&status, None);
            let row = told.iter().find(|row| row.code == Warning::NO_RECENT_BACKUP);
            assert_eq!(told.len(), usize::from(row.is_some()));
            assert!(row.is_none_or(|row| row.at.is_some() == made.is_some()), "{row:?}");
            row.and_then(|row| row.number)
        };
        let (week, month) = (7 * DAY_SECS, 31 * DAY_SECS);
        assert_eq!(days(week - 1, None, 1), None);
        assert_eq!(days(week, None, 1), Some(7));
        assert_eq!(days(week, None, 0), None, "nothing to lose");
        assert_eq!(days(2 * month, Some(month - 1), 1), None);
        assert_eq!(days(2 * month, Some(month), 1), Some(31));
    }

    #[test]
    fn a_backup_without_identities_is_none_to_rely_on_and_a_restore_begins_anew() {
        const START: u64 = 1_700_000_000;
        let told = |days: u64, epoch: u64, backup: Option<(u64, bool)>| {
            let status = views::StatusOk {
                licenses: 1,
                founded_at: Some(START),
                epoch: Some(u32::try_from(epoch).expect("before 2106")),
                server_time: START + days * DAY_SECS,
                backup: backup.map(|(day, identities)| views::BackupRow {
                    made_at: START + day * DAY_SECS,
                    identities,
                    ..views::BackupRow::default()
                }),
                ..well()
            };
            not_backed_up(&status).map(|row| (row.number, row.at.map(|at| (at - START) / DAY_SECS)))
        };
        let restored_on = |day: u64| START + day * DAY_SECS;
        assert_eq!(told(6, 1, Some((6, false))), None);
        assert_eq!(told(50, 1, Some((50, false))), Some((Some(50), Some(50))));
        assert_eq!(told(50, 1, Some((50, true))), None);
        assert_eq!(told(50, restored_on(50), None), None, "restored from its first one");
        assert_eq!(told(57, restored_on(50), None), Some((Some(7), None)));
        assert_eq!(told(80, restored_on(50), Some((10, true))), None);
        assert_eq!(told(81, restored_on(50), Some((10, true))), Some((Some(31), None)));
        assert_eq!(
            told(50, restored_on(51), None),
            Some((Some(50), None)),
            "a wrong clock's"
        );
        assert_eq!(told(50, 2, None), Some((Some(50), None)), "no time");
    }

    #[test]
    fn everything_is_told_in_the_order_of_its_number_and_what_has_run_out_before_what_nearly_has() {
        let scarce = |available| views::ScarceRow {
            available,
            used: 9,
            ..views::ScarceRow::default()
        };
        let ends = |days_left| views::EndingRow {
            days_left,
            ..views::EndingRow::default()
        };
        let status = views::StatusOk {
            conflicts: 1,
            waiting: 2,
            licenses_blacklisted: 3,
            licenses_superseded: 4,
            licenses_expired: 5,
            clock: views::ClockRow {
                jump_secs: Some(6),
                set_back_secs: Some(7),
                ..views::ClockRow::default()
            },
            checkpoint: Some(views::CheckpointRow {
                failed_at: Some(8),
                ..views::CheckpointRow::default()
            }),
            connections: Some(9),
            connections_max: Some(10),
            licenses: 1,
            server_time: FIRST_BACKUP_DAYS * DAY_SECS,
            founded_at: Some(0),
            scarce: vec![scarce(1), scarce(0)],
            ending: vec![ends(7), ends(8)],
            ..with_disk(1, 2)
        };
        let mut every: Vec<_> = Warning::TABLE.iter().map(|(code, _)| *code).collect();
        every.retain(|code| *code != Warning::DISK_FULL);
        let told: Vec<_> = warnings(&status, Some(3)).iter().map(|warning| warning.code).collect();
        assert_eq!(told, every);
        let number = |code| {
            let told = warnings(&status, Some(3)).into_iter().find(|row| row.code == code);
            told.and_then(|row| row.number)
        };
        assert_eq!(
            [
                Warning::NONE_AVAILABLE,
                Warning::NEARLY_USED_UP,
                Warning::GENERATION_LOST
            ]
            .map(number),
            [Some(9), Some(1), Some(3)]
        );
    }
}
