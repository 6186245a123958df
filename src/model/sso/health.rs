//! What SSO Configure says of itself: facts, each with the act that answers it, and how far each step is.

use super::step::Step;
use crate::clock::Timestamp;

/// How well something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Good,
    /// It works, and something should be looked after.
    Attention,
    /// People are refused.
    Bad,
    /// Switched off, or not set yet.
    Off,
}

/// What an administrator would do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAction {
    Upload,
    AddKey,
    Attempts,
    Refusals,
    Test,
    /// Change the settings of a step.
    Change(Step),
}

/// One line of the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub condition: Condition,
    /// A whole sentence without its full stop.
    pub heading: String,
    pub sentence: String,
    pub act: Option<NextAction>,
}

/// A step's entry in the bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepState {
    pub step: Step,
    pub condition: Condition,
    /// A few words.
    pub words: String,
}

/// What the pages of SSO Configure show beside the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub at: Timestamp,
    pub facts: Vec<Fact>,
    pub steps: Vec<StepState>,
    /// When settings were saved last, and by whom.
    pub saved: Option<(Timestamp, String)>,
}
