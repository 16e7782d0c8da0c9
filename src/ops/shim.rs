use super::Ops;
use std::sync::Arc;
use crate::domain::policy::*;
impl Ops {
    pub fn policies(&self) -> Arc<Vec<Policy>> { Arc::new(Preset::Solo.policies()) }
}
