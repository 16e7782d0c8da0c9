//! Draws what was used over time as a picture: dark as the chat around it, with type that a phone can show.
//!
//! Pure work for a processor, and no business of threads that answer people. The font is a part of the program, because
//! a slim container has none.

use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use plotters::{
    chart::ChartBuilder,
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _},
    element::{Circle, Rectangle, Text},
    prelude::BitMapBackend,
    series::LineSeries,
    style::{FontStyle, IntoFont as _, RGBColor, ShapeStyle, TextStyle, register_font},
};

use crate::domain::history::{Line, Picture, Range};

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 1080;
const FONT: &str = "sans-serif";

/// Discord's dark theme, and what stands out from it.
const BACKGROUND: RGBColor = RGBColor(0x2b, 0x2d, 0x31);
const GRID: RGBColor = RGBColor(0x45, 0x47, 0x4d);
const TEXT: RGBColor = RGBColor(0xf2, 0xf3, 0xf5);
const FAINT: RGBColor = RGBColor(0xb5, 0xba, 0xc1);
/// Told apart by people who do not see red and green apart, too (after Okabe and Ito), and light enough for the dark.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x2d, 0xd4, 0xa0),
    RGBColor(0xf0, 0xe4, 0x42),
    RGBColor(0xff, 0x7a, 0xb8),
    RGBColor(0xff, 0x6b, 0x4a),
    RGBColor(0xa7, 0x8b, 0xfa),
    RGBColor(0xf2, 0xf3, 0xf5),
    RGBColor(0x9d, 0xb2, 0x3a),
    RGBColor(0x94, 0xa3, 0xb8),
];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the font is none")]
    Font,
    #[error("drawing failed: {0}")]
    Drawing(String),
    #[error("the picture could not be written: {0}")]
    Png(#[from] png::EncodingError),
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for Error {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Drawing(error.to_string())
    }
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// A PNG.
pub fn draw(picture: &Picture) -> Result<Vec<u8>, Error> {
    load_font()?;
    let mut pixels = vec![0; WIDTH as usize * HEIGHT as usize * 3];
    {
        let root = BitMapBackend::with_buffer(&mut pixels, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&BACKGROUND)?;
        let (head, body) = root.split_vertically(70);
        head.draw(&Text::new(picture.title.as_str(), (28, 18), font(38, TEXT)))?;
        let (upper, lower) = body.split_vertically(505);
        Half::cpu(picture).draw(&upper)?;
        Half::memory(picture).draw(&lower)?;
        root.present()?;
    }
    encode(&pixels)
}

fn load_font() -> Result<(), Error> {
    static LOADED: OnceLock<bool> = OnceLock::new();
    let loaded = LOADED
        .get_or_init(|| register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).is_ok());
    loaded.then_some(()).ok_or(Error::Font)
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    (FONT, size).into_font().color(&colour)
}

/// 4, 10, 20 and 40 % and so on: each of them has four even steps.
const CPU_STEPS: [f64; 3] = [1.0, 2.5, 5.0];

/// Even steps of an axis of what is used.
const STEPS: f64 = 4.0;

/// One of the two charts.
struct Half<'a> {
    what: &'static str,
    lines: &'a [Line],
    range: Range,
    until: DateTime<Utc>,
    top: f64,
    label: fn(f64) -> String,
}

impl<'a> Half<'a> {
    fn cpu(picture: &'a Picture) -> Self {
        Self {
            what: "CPU (100 % is one core)",
            lines: &picture.cpu,
            range: picture.range,
            until: picture.until,
            top: nice(highest(&picture.cpu), 0.04, &CPU_STEPS, 10.0),
            label: |cpus| format!("{} %", rounded(cpus * 100.0)),
        }
    }

    fn memory(picture: &'a Picture) -> Self {
        Self {
            what: "Memory",
            lines: &picture.memory,
            range: picture.range,
            until: picture.until,
            top: nice(highest(&picture.memory), 4.0 * MIB, &[1.0], 2.0),
            label: memory,
        }
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), Error> {
        let (area, legend) = area.split_vertically(405);
        let ticks = Ticks::of(self.range);
        let mut chart = ChartBuilder::on(&area)
            .margin_left(12)
            .margin_right(48)
            .caption(self.what, font(30, FAINT))
            .x_label_area_size(46)
            .y_label_area_size(132)
            .build_cartesian_2d(0.0..ticks.count, 0.0..STEPS)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(BACKGROUND)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .x_labels(ticks.labels)
            .y_labels(5)
            .label_style(font(26, FAINT))
            .x_label_formatter(&|x| ticks.label(*x))
            .y_label_formatter(&|value| (self.label)(value / STEPS * self.top))
            .draw()?;
        for line in self.lines {
            let style = ShapeStyle::from(&colour(line)).stroke_width(4).filled();
            for run in runs(&line.points, self.range) {
                let points: Vec<(f64, f64)> = run
                    .iter()
                    .map(|(at, value)| (ticks.place(*at, self.until), value / self.top * STEPS))
                    .collect();
                if let [alone] = points[..] {
                    chart.draw_series([Circle::new(alone, 3, style)])?;
                }
                chart.draw_series(LineSeries::new(points, style))?;
            }
        }
        draw_legend(&legend, self.lines)
    }
}

/// Marks on the axis of time, which goes from 0 to their count.
struct Ticks {
    count: f64,
    labels: usize,
    each: TimeDelta,
    unit: &'static str,
    /// Units between two marks.
    units: f64,
}

impl Ticks {
    const fn of(range: Range) -> Self {
        let (count, labels, each, unit, units) = match range {
            Range::Hour => (4.0, 5, TimeDelta::minutes(15), "min", 15.0),
            Range::Day => (4.0, 5, TimeDelta::hours(6), "h", 6.0),
            Range::Week => (7.0, 8, TimeDelta::days(1), "d", 1.0),
        };
        Self {
            count,
            labels,
            each,
            unit,
            units,
        }
    }

    fn place(&self, at: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        let before = (until - at).as_seconds_f64() / self.each.as_seconds_f64();
        (self.count - before).clamp(0.0, self.count)
    }

    /// No clock: whoever looks may live in any zone.
    fn label(&self, x: f64) -> String {
        let back = ((self.count - x) * self.units).round();
        if back < 0.5 {
            "now".to_owned()
        } else {
            format!("-{back} {}", self.unit)
        }
    }
}

/// A line is broken where nothing is known for so many of its steps, or for ten minutes if that is more: with many agents
/// each of them is asked less often.
const GAP_STEPS: i64 = 3;
const GAP: TimeDelta = TimeDelta::minutes(10);

fn runs(
    points: &[(DateTime<Utc>, f64)],
    range: Range,
) -> impl Iterator<Item = &[(DateTime<Utc>, f64)]> {
    let gap = GAP.max(TimeDelta::minutes(range.step() * GAP_STEPS));
    points.chunk_by(move |(one, _), (next, _)| *next - *one <= gap)
}

fn colour(line: &Line) -> RGBColor {
    COLOURS
        .get(line.colour % COLOURS.len())
        .copied()
        .unwrap_or(TEXT)
}

/// Names below the chart, three in a row: none of them lies upon a line.
fn draw_legend(area: &Area<'_>, lines: &[Line]) -> Result<(), Error> {
    const COLUMNS: usize = 3;
    if lines.is_empty() {
        area.draw(&Text::new(
            "nothing known of this time",
            (150, 8),
            font(26, FAINT),
        ))?;
    }
    for (index, line) in lines.iter().enumerate() {
        let place = |number: usize, size: i32| i32::try_from(number).unwrap_or_default() * size;
        let (x, y) = (
            28 + place(index % COLUMNS, 320),
            6 + place(index / COLUMNS, 44),
        );
        let swatch = ShapeStyle::from(&colour(line)).filled();
        area.draw(&Rectangle::new([(x, y - 2), (x + 26, y + 22)], swatch))?;
        area.draw(&Text::new(clipped(&line.name), (x + 38, y), font(28, TEXT)))?;
    }
    Ok(())
}

/// What fits a third of the width.
fn clipped(name: &str) -> String {
    const MAX: usize = 15;
    if name.chars().count() <= MAX {
        return name.to_owned();
    }
    name.chars().take(MAX - 1).chain(['…']).collect()
}

fn highest(lines: &[Line]) -> f64 {
    let values = lines
        .iter()
        .flat_map(|line| &line.points)
        .map(|(_, value)| *value);
    values.fold(0.0, f64::max)
}

/// The top of an axis with four even steps: the first of these numbers, times a power of the base, that is high enough.
fn nice(highest: f64, least: f64, numbers: &[f64], base: f64) -> f64 {
    let mut unit = least;
    loop {
        let found = numbers
            .iter()
            .map(|number| number * unit)
            .find(|top| *top >= highest);
        if let Some(top) = found {
            return top;
        }
        unit *= base;
        if !unit.is_finite() {
            return highest.min(f64::MAX);
        }
    }
}

fn rounded(number: f64) -> String {
    if number < 10.0 && number.fract() > 0.01 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}

const MIB: f64 = 1024.0 * 1024.0;

fn memory(bytes: f64) -> String {
    let mib = bytes / MIB;
    if mib >= 1024.0 {
        format!("{} GiB", rounded(mib / 1024.0))
    } else {
        format!("{} MiB", rounded(mib))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, colour: usize, value: impl Fn(f64) -> f64) -> Line {
        let until = until();
        let points = (0_i32..60).filter(|minute| !(20..34).contains(minute));
        Line {
            name: name.to_owned(),
            colour,
            points: points
                .map(|minute| {
                    let at = until - TimeDelta::minutes(i64::from(60 - minute));
                    (at, value(f64::from(minute)))
                })
                .collect(),
        }
    }

    fn until() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_262_400, 0).unwrap()
    }

    fn picture() -> Picture {
        let lines = |scale: f64| -> Vec<Line> {
            [
                "scout",
                "a-name-of-twenty-four-let",
                "miner",
                "poet",
                "llama",
            ]
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let height = scale / (f64::from(u32::try_from(index).unwrap()) + 1.0);
                line(name, index, move |minute| {
                    height * ((minute / 7.0).sin() + 1.2)
                })
            })
            .collect()
        };
        Picture {
            title: "Last hour, fleet main".to_owned(),
            range: Range::Hour,
            until: until(),
            cpu: lines(0.6),
            memory: lines(700.0 * MIB),
        }
    }

    /// The pixels of a PNG.
    fn decoded(png: &[u8]) -> (u32, u32, Vec<u8>) {
        let decoder = png::Decoder::new(std::io::Cursor::new(png));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    fn has(pixels: &[u8], colour: RGBColor) -> bool {
        pixels
            .chunks_exact(3)
            .any(|pixel| pixel == [colour.0, colour.1, colour.2])
    }

    #[test]
    fn a_chart_shows_each_agent_in_its_colour() {
        let png = draw(&picture()).unwrap();
        let (width, height, pixels) = decoded(&png);
        assert_eq!((width, height), (WIDTH, HEIGHT));
        assert!(png.len() < 200_000, "{} bytes", png.len());
        for colour in &COLOURS[..5] {
            assert!(has(&pixels, *colour), "{colour:?}");
        }
        assert!(!has(&pixels, COLOURS[5]));
        assert_eq!(
            draw(&picture()).unwrap(),
            png,
            "the same input gives the same bytes"
        );
    }

    #[test]
    fn an_empty_chart_is_a_chart() {
        let empty = Picture {
            cpu: Vec::new(),
            memory: Vec::new(),
            ..picture()
        };
        let (_, _, pixels) = decoded(&draw(&empty).unwrap());
        assert!(!has(&pixels, COLOURS[0]));
    }

    #[test]
    fn axes_end_at_numbers_that_people_read_well() {
        let cpu = |highest| nice(highest, 0.04, &CPU_STEPS, 10.0) * 100.0;
        assert_eq!(
            [0.0, 0.05, 0.33, 0.5, 1.0, 9.0].map(|one| rounded(cpu(one))),
            ["4", "10", "40", "100", "100", "1000"]
        );
        let top = |highest| memory(nice(highest * MIB, 4.0 * MIB, &[1.0], 2.0));
        assert_eq!(
            [0.0, 5.0, 300.0, 1025.0].map(top),
            ["4 MiB", "8 MiB", "512 MiB", "2 GiB"]
        );
        assert!(nice(f64::INFINITY, 1.0, &[1.0], 2.0).is_finite());
    }

    #[test]
    fn lines_break_where_nothing_is_known() {
        let line = line("scout", 0, |minute| minute);
        let lengths: Vec<usize> = runs(&line.points, Range::Hour).map(<[_]>::len).collect();
        assert_eq!(lengths, [20, 26]);
        assert_eq!(runs(&line.points, Range::Day).count(), 1);
        assert_eq!(runs(&[], Range::Hour).count(), 0);
    }

    #[test]
    fn marks_say_how_long_ago() {
        let labels = |range| {
            let ticks = Ticks::of(range);
            [0.0, 1.0, ticks.count].map(|x| ticks.label(x)).join(" ")
        };
        assert_eq!(labels(Range::Hour), "-60 min -45 min now");
        assert_eq!(labels(Range::Day), "-24 h -18 h now");
        assert_eq!(labels(Range::Week), "-7 d -6 d now");
        let half = until() - TimeDelta::minutes(30);
        assert!((Ticks::of(Range::Hour).place(half, until()) - 2.0).abs() < 1e-9);
    }
}
