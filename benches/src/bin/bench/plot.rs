//! Bars: how long each contender takes, by operation.

use std::path::Path;

use countersign_benches::Result;
use plotters::prelude::*;

use crate::rounds::Outcome;

const WIDTH: u32 = 900;
const BAR: u32 = 15;
const GAP: u32 = 12;
/// Of the legend.
const LINE: u32 = 18;
const LEFT: i32 = 300;
/// One for each contender of the group that has most.
const COLOURS: [RGBColor; 12] = [
    RGBColor(27, 94, 160),
    RGBColor(200, 110, 40),
    RGBColor(120, 140, 60),
    RGBColor(150, 80, 130),
    RGBColor(90, 90, 90),
    RGBColor(180, 160, 60),
    RGBColor(70, 160, 170),
    RGBColor(200, 90, 100),
    RGBColor(40, 140, 90),
    RGBColor(230, 170, 190),
    RGBColor(110, 80, 50),
    RGBColor(170, 190, 220),
];

/// Draws the operations, each with a bar for each contender: as long as its time is a multiple of ours, on a
/// logarithmic scale.
pub(crate) fn draw(path: &Path, title: &str, outcomes: &[&Outcome]) -> Result<()> {
    let mut contenders: Vec<&str> = Vec::new();
    for figures in outcomes.iter().flat_map(|outcome| &outcome.figures) {
        if !contenders.contains(&figures.contender) {
            contenders.push(figures.contender);
        }
    }
    let rows: usize = outcomes.iter().map(|outcome| outcome.figures.len()).sum();
    let count = |n: usize| u32::try_from(n).unwrap_or(0);
    let legend = legend(&contenders)?;
    let lines = legend.last().map_or(0, |place| place.1 + 1);
    let height = 60 + count(rows) * BAR + count(outcomes.len()) * GAP + 30 + lines * LINE;
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let text = |size: i32| ("sans-serif", size).into_font().color(&BLACK);
    root.draw_text(title, &text(16), (10, 8))?;
    for (index, (contender, (x, line))) in contenders.iter().zip(&legend).enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let y = 34 + i32::try_from(line * LINE)?;
        root.draw(&Rectangle::new(
            [(*x, y), (x + 10, y + 10)],
            colour.filled(),
        ))?;
        root.draw_text(contender, &text(12), (x + 14, y - 1))?;
    }
    let mut y = 40 + i32::try_from(lines * LINE)?;
    let step = i32::try_from(BAR)?;
    for outcome in outcomes {
        root.draw_text(&outcome.name, &text(12), (10, y))?;
        for figures in &outcome.figures {
            let at = contenders.iter().position(|c| *c == figures.contender);
            let colour = COLOURS[at.unwrap_or(0) % COLOURS.len()];
            let ratio = outcome
                .ours()
                .map_or(1.0, |ours| figures.median / ours.median);
            let length = bar(ratio);
            let corners = [(LEFT, y), (LEFT + length, y + step - 3)];
            root.draw(&Rectangle::new(corners, colour.filled()))?;
            let label = format!("{} ({ratio:.2})", time(figures.median));
            root.draw_text(&label, &text(11), (LEFT + length + 5, y))?;
            y += step;
        }
        y += i32::try_from(GAP)?;
    }
    root.draw_text(
        "bars: time as a multiple of ours, logarithmic; beside them the time and the multiple",
        &text(11),
        (10, y + 4),
    )?;
    root.present()?;
    Ok(())
}

/// Where each contender is named: how far from the left, and in which line.
fn legend(contenders: &[&str]) -> Result<Vec<(i32, u32)>> {
    let (mut x, mut line) = (10, 0);
    let mut places = Vec::new();
    for contender in contenders {
        let width = 30 + i32::try_from(contender.len())? * 7;
        if x > 10 && x + width > i32::try_from(WIDTH)? {
            (x, line) = (10, line + 1);
        }
        places.push((x, line));
        x += width;
    }
    Ok(places)
}

/// 40 for the same time, 110 more for ten times as long.
#[expect(clippy::cast_possible_truncation, reason = "a picture's points")]
fn bar(ratio: f64) -> i32 {
    (40.0 + 110.0 * ratio.max(0.01).log10()).max(2.0) as i32
}

pub(crate) fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e4 => format!("{:.2} µs", nanoseconds / 1e3),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_what_they_stand_for() {
        assert_eq!(bar(1.0), 40);
        assert_eq!(bar(10.0), 150);
        assert!(bar(0.0) >= 2);
    }

    #[test]
    fn a_legend_that_is_too_long_goes_on_in_the_next_line() {
        let places = legend(&["a".repeat(60).as_str(), "b", "c".repeat(60).as_str()]).unwrap();
        assert_eq!(places, [(10, 0), (460, 0), (10, 1)]);
    }

    #[test]
    fn times_are_said_in_units_that_fit() {
        assert_eq!(time(76.4), "76 ns");
        assert_eq!(time(6_400.0), "6.40 µs");
        assert_eq!(time(2_500_000.0), "2.50 ms");
    }
}
