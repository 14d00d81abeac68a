//! The colours of states in pictures.

use crate::state::StateType;

/// The colours of a state: of the box, of its border, and of the text in it. A box has its own background, so that the text can be
/// read whether the page around it is light or dark.
pub(super) struct Colours {
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
    pub(super) text: &'static str,
}

const NEUTRAL: Colours = Colours {
    fill: "#eceff1",
    line: "#78909c",
    text: "#263238",
};

/// Lines and text that have nothing but the page behind them: grey can be read on white and on black.
pub(super) const ON_PAGE: &str = "#7f868c";

pub(super) fn colours(state: Option<StateType>) -> Colours {
    let (fill, line, text) = match state {
        None => return NEUTRAL,
        Some(StateType::Completed) => ("#d7f2dc", "#2e9e4f", "#123d1f"),
        Some(StateType::Failed) => ("#ffdcd9", "#d93a30", "#5c0f0a"),
        Some(StateType::Crashed) => ("#ffe0c2", "#e06c00", "#572900"),
        Some(StateType::Cancelled | StateType::Cancelling) => ("#eadcf8", "#8d52c9", "#371458"),
        Some(StateType::Running) => ("#d6e8fd", "#2a7de1", "#0b2f5c"),
        Some(StateType::Scheduled) => ("#fdf0c4", "#c99700", "#4a3800"),
        Some(StateType::Paused) => ("#d9f1f4", "#1795a5", "#063d44"),
        Some(StateType::Pending) => ("#eceff1", "#78909c", "#263238"),
    };
    Colours { fill, line, text }
}
