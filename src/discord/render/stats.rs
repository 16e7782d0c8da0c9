//! Who uses most.

use super::{
    File, Rendered,
    text::{bytes, count},
};
use crate::domain::{
    agent::Name,
    history::{Figures, HostTotal, Total, Trend},
    view::Host,
};

/// `chart` is a PNG; there is none if nothing is known.
pub fn answer(figures: &Figures, host: &Host, chart: Option<Vec<u8>>) -> Rendered {
    let mut lines = vec![format!("📈 **{}**", figures.title())];
    if figures.known == 0 {
        lines.push(
            "Nothing is known of this time: the first figures come two minutes after an agent's start."
                .to_owned(),
        );
    } else {
        lines.push(format!("Most CPU: {}", most(&figures.by_cpu, cpu)));
        lines.push(format!("Most memory: {}", most(&figures.by_memory, memory)));
        let silent = figures.asked.saturating_sub(figures.known);
        if silent > 0 {
            lines.push(format!(
                "-# {} of {} did not run in this time.",
                silent,
                count(figures.asked, "agent")
            ));
        }
    }
    lines.extend(figures.host.map(|total| of_host(&total, host)));
    let files = chart.map(|bytes| File {
        name: format!("{}.png", figures.range.as_str()),
        bytes,
    });
    Rendered {
        content: lines.join("\n"),
        files: files.into_iter().collect(),
        ..Rendered::default()
    }
}

fn most(totals: &[(Name, Total)], figure: impl Fn(&Total) -> String) -> String {
    let each = totals
        .iter()
        .map(|(name, total)| format!("`{name}` {}", figure(total)));
    each.collect::<Vec<_>>().join(", ")
}

fn cpu(total: &Total) -> String {
    format!(
        "{} (peak {})",
        percent(total.cpus),
        percent(total.cpus_peak)
    )
}

fn memory(total: &Total) -> String {
    format!(
        "{} (peak {})",
        size(total.memory_bytes),
        size(total.memory_peak)
    )
}

fn of_host(total: &HostTotal, host: &Host) -> String {
    let waits = total.memory_pressure.zip(total.io_pressure);
    let waits = waits.map_or_else(String::new, |(memory, io)| {
        format!(
            "; work waited at most {memory:.0} % of a minute for memory and {io:.0} % for disks"
        )
    });
    format!(
        "Host: CPU {:.0} % (peak {:.0} %), memory {} (peak {}) of {}{waits}",
        total.cpu_percent,
        total.cpu_peak,
        size(total.memory_bytes),
        size(total.memory_peak),
        bytes(host.memory_total_bytes)
    )
}

/// The last hour of an agent, for its card.
pub fn trend(trend: &Trend) -> String {
    format!(
        "CPU `{}` at most {}\nMemory `{}` at most {}",
        trend.cpu,
        percent(trend.cpu_peak),
        trend.memory,
        size(trend.memory_peak)
    )
}

/// 100 % is one CPU.
fn percent(cpus: f64) -> String {
    let percent = cpus * 100.0;
    if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of memory, never negative"
)]
fn size(amount: f64) -> String {
    bytes(amount as u64)
}
