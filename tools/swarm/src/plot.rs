//! Pictures of what was measured, in SVG.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::error::SwarmError;
use crate::latency::{Latencies, shown};

/// Width and height, in pixels.
const SIZE: (u32, u32) = (900, 540);

const FONT: &str = "sans-serif";

/// As many points of a curve, at most, are drawn one by one.
const FEW: usize = 20;

/// A line of a picture.
struct Curve<'a> {
    name: &'a str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

/// An axis: what it shows, and how a figure on it is written.
struct Axis<'a> {
    name: &'a str,
    told: &'a dyn Fn(&f64) -> String,
}

/// What a drawing can fail with: what it is written to is text in memory.
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// How long each part of the server's and of the floor's answers took, both axes logarithmic.
pub(crate) fn waits(file: &Path, title: &str, server: &Latencies, floor: &Latencies) -> Result<(), SwarmError> {
    draw(file, |svg| {
        let curves = [("server", BLUE, server), ("floor", RED, floor)].map(|(name, color, latencies)| Curve {
            name,
            color,
            points: percentiles(latencies),
        });
        let x = Axis {
            name: "part of them",
            told: &|rarity| format!("{}%", 100.0 - 100.0 / rarity),
        };
        let y = Axis {
            name: "took at most",
            told: &|micros| shown(whole(*micros)),
        };
        let (xs, ys) = (extent(&curves, |point| point.0), extent(&curves, |point| point.1));
        lines(svg, title, (xs.log_scale(), x), (wider(ys).log_scale(), y), &curves)
    })
}

/// A server with so many seats, by itself with the fewest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grown {
    pub(crate) seats: u32,
    /// Renewals a second.
    pub(crate) rate: f64,
    /// Renewals a second by the floor's answers.
    pub(crate) rate_by_floor: f64,
    /// p99 of what a renewal waits.
    pub(crate) p99: f64,
}

/// What becomes of a server with ever more seats.
pub(crate) fn growth(file: &Path, steps: &[Grown]) -> Result<(), SwarmError> {
    draw(file, |svg| {
        let curve = |name, color, of: fn(&Grown) -> f64| Curve {
            name,
            color,
            points: steps.iter().map(|step| (f64::from(step.seats), of(step))).collect(),
        };
        let curves = [
            curve("renewals a second", BLUE, |step| step.rate),
            curve("renewals a second, by the floor", GREEN, |step| step.rate_by_floor),
            curve("p99 of what each waits", RED, |step| step.p99),
        ];
        let x = Axis {
            name: "seats",
            told: &|seats| whole(*seats).to_string(),
        };
        let y = Axis {
            name: "by the first",
            told: &|ratio| format!("{ratio:.1}"),
        };
        let (xs, ys) = (extent(&curves, |point| point.0), extent(&curves, |point| point.1));
        let ys = 0.0..ys.end * 1.2;
        lines(
            svg,
            "growth: ever more seats",
            (wider(xs).log_scale(), x),
            (ys, y),
            &curves,
        )
    })
}

/// Points of the distribution: how rare what is longer is, one in so many, and how long it is.
fn percentiles(latencies: &Latencies) -> Vec<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let (count, float) = (latencies.summary().count as f64, |micros: u64| micros.max(1) as f64);
    // Twenty to each power of ten, up to the one that is the longest of all.
    let rarities = (0..).map(|step| 10_f64.powf(f64::from(step) / 20.0));
    rarities
        .take_while(|&rarity| rarity <= count)
        .map(|rarity| (rarity, float(latencies.at(1.0 - 1.0 / rarity))))
        .collect()
}

/// From the least to the most of what curves show.
fn extent(curves: &[Curve<'_>], of: fn(&(f64, f64)) -> f64) -> Range<f64> {
    let all = || curves.iter().flat_map(|curve| curve.points.iter().map(of));
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    // Nothing to show is no reason to fail.
    if least < most {
        least..most
    } else {
        1.0..2.0_f64.max(most * 2.0)
    }
}

/// With room at both ends.
fn wider(range: Range<f64>) -> Range<f64> {
    range.start / 1.2..range.end * 1.2
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a label; what does not fit is written as the nearest that does"
)]
fn whole(figure: f64) -> u64 {
    figure.round() as u64
}

fn draw(file: &Path, drawing: impl FnOnce(&mut String) -> Drawn) -> Result<(), SwarmError> {
    let doing = || format!("drawing {}", file.display());
    let mut svg = String::new();
    drawing(&mut svg).map_err(|error| SwarmError::because(doing(), error.to_string()))?;
    std::fs::write(file, svg).map_err(|error| SwarmError::of(doing())(&error))
}

fn lines<X, Y>(
    svg: &mut String,
    title: &str,
    (xs, x): (X, Axis<'_>),
    (ys, y): (Y, Axis<'_>),
    curves: &[Curve<'_>],
) -> Drawn
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let area: DrawingArea<_, Shift> = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 22))
        .margin(16)
        .x_label_area_size(54)
        .y_label_area_size(90)
        .build_cartesian_2d(xs, ys)?;
    chart
        .configure_mesh()
        .x_desc(x.name)
        .y_desc(y.name)
        .axis_desc_style((FONT, 17))
        .label_style((FONT, 15))
        .x_label_formatter(x.told)
        .y_label_formatter(y.told)
        .draw()?;
    for curve in curves {
        let color = curve.color;
        let series = LineSeries::new(curve.points.iter().copied(), color.stroke_width(2));
        // Few points are shown as what they are, which many need not be.
        let series = series.point_size(if curve.points.len() > FEW { 0 } else { 4 });
        chart
            .draw_series(series)?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .label_font((FONT, 16))
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(micros: std::ops::RangeInclusive<u64>) -> Latencies {
        let mut latencies = Latencies::new();
        for micros in micros {
            latencies.note(Duration::from_micros(micros));
        }
        latencies
    }

    #[test]
    fn a_distribution_is_drawn_to_the_rarest_that_was_seen() {
        let points = percentiles(&of(1..=1_000));
        let (rarity, longest) = points.last().copied().unwrap();
        assert!((rarity - 1_000.0).abs() < 1.0, "one in a thousand: {rarity}");
        assert!((995.0..=1_001.0).contains(&longest), "{longest}");
        let hundredth = points.iter().find(|point| (point.0 - 100.0).abs() < 0.1).unwrap();
        assert!((988.0..=992.0).contains(&hundredth.1), "{hundredth:?}");
    }

    #[test]
    fn pictures_name_what_they_show_and_nothing_measured_is_no_failure() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("waits.svg");
        waits(&file, "a title", &of(10..=90_000), &of(1..=200)).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        for what in ["<svg", "a title", "server", "floor", "99.9%", "10 ms", "</svg>"] {
            assert!(svg.contains(what), "{what}: {svg}");
        }
        waits(&file, "", &Latencies::new(), &Latencies::new()).unwrap();
        let first = Grown {
            seats: 1_000,
            rate: 1.0,
            rate_by_floor: 1.0,
            p99: 1.0,
        };
        let second = Grown {
            seats: 10_000,
            p99: 1.4,
            ..first
        };
        growth(&file, &[first, second]).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        for what in ["renewals a second", "by the floor", "p99", "10000"] {
            assert!(svg.contains(what), "{what}: {svg}");
        }
        let error = growth(&dir.path().join("no/such"), &[]).unwrap_err().to_string();
        assert!(error.contains("no/such"), "{error}");
    }
}
