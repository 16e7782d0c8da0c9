//! Between Docker's words and ours; pure.
