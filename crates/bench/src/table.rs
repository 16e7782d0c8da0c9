//! The figures for people: one line each, with the aim and whether it is met.

use crate::{
    aims::{self, Verdict},
    figures::{Figure, Figures},
    stats::Spread,
};

pub(crate) fn render(figures: &Figures) -> String {
    let mut text = format!("{:<24} {:<48} {:<8} aim\n", "figure", "value", "verdict");
    for (name, figure) in figures.iter() {
        let verdict = aims::judge(figures, name, figure);
        for (index, value) in values(figure).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            let verdict = verdict.as_ref().filter(|_| index == 0);
            text += &line(name, &value, verdict);
        }
    }
    text
}

fn line(name: &str, value: &str, verdict: Option<&Verdict>) -> String {
    let (word, aim) = match verdict {
        Some(Verdict { aim, met: true }) => ("met", aim.as_str()),
        Some(Verdict { aim, met: false }) => ("MISSED", aim.as_str()),
        None => ("", ""),
    };
    let line = format!("{name:<24} {value:<48} {word:<8} {aim}");
    line.trim_end().to_owned() + "\n"
}

fn values(figure: &Figure) -> Vec<String> {
    match figure {
        Figure::Spread(spread) => vec![shown(spread)],
        Figure::BySize(sizes) => {
            let sizes = sizes.iter();
            sizes
                .map(|(size, spread)| format!("{size:>4}: {}", shown(spread)))
                .collect()
        }
        Figure::Number(value) => vec![format!("{value:.2}")],
        Figure::NumberBySize(sizes) => {
            let sizes = sizes.iter();
            sizes
                .map(|(size, value)| format!("{size:>5}: {value:.2}"))
                .collect()
        }
        Figure::Numbers(values) => {
            let values = values.iter();
            values
                .map(|(name, value)| format!("{name} {value:.2}"))
                .collect()
        }
    }
}

fn shown(spread: &Spread) -> String {
    let Spread { p50, p99, max, n } = spread;
    format!("p50 {p50:.2}  p99 {p99:.2}  max {max:.2}  n {n}")
}
