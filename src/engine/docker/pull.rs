//! How far a pull is, from the messages Docker sends about each layer; pure.

use std::collections::HashMap;

use bollard::models::CreateImageInfo;

use super::convert::unsigned;
use crate::engine::PullProgress;

#[derive(Default)]
pub(super) struct Layers {
    layers: HashMap<String, Layer>,
    told: PullProgress,
}

#[derive(Clone, Copy, Default)]
struct Layer {
    done: u64,
    total: u64,
}

impl Layers {
    /// Progress to tell, if there is any. A layer that Docker fetches again after an error starts from 0 there, not here.
    pub(super) fn note(&mut self, message: CreateImageInfo) -> Option<PullProgress> {
        let layer = self.layers.entry(message.id?).or_default();
        let detail = message.progress_detail.unwrap_or_default();
        // -1 if the registry does not say.
        layer.total = layer.total.max(unsigned(detail.total));
        match message.status.as_deref()? {
            "Downloading" => {
                layer.done = layer.done.max(unsigned(detail.current));
                layer.total = layer.total.max(layer.done);
            }
            // Extracting counts from 0 again, over bytes that are all here.
            "Verifying Checksum" | "Download complete" | "Extracting" | "Pull complete" => {
                layer.done = layer.total;
            }
            _ => return None,
        }
        let now = self.sum();
        let news = now != self.told;
        self.told = now;
        news.then_some(now)
    }

    fn sum(&self) -> PullProgress {
        self.layers
            .values()
            .fold(PullProgress::default(), |sum, layer| PullProgress {
                done_bytes: sum.done_bytes + layer.done,
                total_bytes: sum.total_bytes + layer.total,
            })
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    fn message(id: &str, status: &str, detail: Option<(i64, i64)>) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: detail.map(|(current, total)| ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..Default::default()
        }
    }

    #[test]
    fn sums_layers_and_never_goes_back() {
        let mut layers = Layers::default();
        let mut told = Vec::new();
        for message in [
            message("latest", "Pulling from demo", None),
            message("a", "Pulling fs layer", None),
            message("b", "Pulling fs layer", None),
            message("a", "Downloading", Some((10, 100))),
            message("b", "Downloading", Some((5, 50))),
            message("a", "Downloading", Some((60, 100))),
            message("a", "Retrying in 5 seconds", None),
            message("a", "Downloading", Some((20, 100))),
            message("a", "Download complete", None),
            message("a", "Extracting", Some((1, 100))),
            message("b", "Download complete", None),
            message("b", "Pull complete", None),
        ] {
            told.extend(
                layers
                    .note(message)
                    .map(|progress| (progress.done_bytes, progress.total_bytes)),
            );
        }
        assert_eq!(
            told,
            [(10, 100), (15, 150), (65, 150), (105, 150), (150, 150)]
        );
    }

    #[test]
    fn a_layer_of_unknown_size_counts_what_came() {
        let mut layers = Layers::default();
        let told = layers.note(message("a", "Downloading", Some((7, -1))));
        assert_eq!(
            told,
            Some(PullProgress {
                done_bytes: 7,
                total_bytes: 7
            })
        );
    }
}
