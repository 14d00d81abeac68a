//! The children of one run, by definition and state.

use std::collections::HashSet;

use super::{Builder, Folded, Limits, is_unwell};
use crate::run::RunKind;
use crate::store::{RunNumber, RunQuery, RunRow, StoreResult};

/// Of so many equals each is shown on its own; of more flows, so many.
const KEEP: usize = 3;
/// Of equals that went wrong so many are shown on their own.
const KEEP_UNWELL: usize = 5;
/// So many children are read at once, and folded here.
const FEW: usize = 32;
/// How many runs one page of the store has.
const PAGE: usize = 1000;

/// Children alike, and those of them that may be shown on their own.
pub(super) struct Family {
    pub(super) folded: Folded,
    pub(super) rows: Vec<RunRow>,
}

impl Family {
    fn of(row: &RunRow) -> Self {
        Self {
            folded: Folded {
                kind: row.kind,
                definition: row.definition.clone(),
                state: row.state.name(),
                state_type: row.state.kind(),
                count: 0,
                more: false,
                first_started_at: None,
                last_ended_at: None,
                order: None,
            },
            rows: Vec::new(),
        }
    }

    fn add(&mut self, row: RunRow) {
        self.folded.count += 1;
        let made = self.folded.order.into_iter().chain([(row.created_at, row.number)]);
        self.folded.order = made.min();
        let starts = self.folded.first_started_at.into_iter().chain(row.started_at);
        self.folded.first_started_at = starts.min();
        self.folded.last_ended_at = self.folded.last_ended_at.max(row.ended_at);
        self.rows.push(row);
    }

    /// How many of them are worth a line of their own.
    fn keep(&self, all: bool) -> usize {
        match &self.folded {
            _ if all => usize::MAX,
            folded if is_unwell(folded.state_type) => KEEP_UNWELL,
            folded if folded.count <= KEEP as u64 || folded.kind == RunKind::Flow => KEEP,
            _ => 0,
        }
    }

    /// The rest, if `shown` of them stand on their own.
    fn rest(&self, shown: usize) -> Option<Folded> {
        let count = self.folded.count.saturating_sub(shown as u64);
        let more = shown > 0;
        (count > 0).then(|| Folded {
            count,
            more,
            ..self.folded.clone()
        })
    }
}

/// A line below a run.
pub(super) enum Child {
    Run(Box<RunRow>),
    Group(Folded),
    Rest(u64),
}

impl Child {
    pub(super) fn lines(&self, limits: &Limits) -> usize {
        match self {
            Self::Run(row) => lines_of(row, limits),
            Self::Group(_) | Self::Rest(_) => 1,
        }
    }
}

fn lines_of(row: &RunRow, limits: &Limits) -> usize {
    1 + usize::from(limits.messages && is_unwell(row.state.kind()))
}

impl Builder<'_> {
    /// The children of a run, and at least those of them that are to be shown on their own.
    pub(super) fn families(&self, parent: RunNumber) -> StoreResult<Vec<Family>> {
        let all = self.limits.all;
        let enough = if all { self.left.max(FEW) } else { FEW };
        let (rows, more) = self.children(parent, enough)?;
        let mut families: Vec<Family> = Vec::new();
        if more {
            families.extend(self.store.groups(parent)?.into_iter().map(Family::from));
            for row in rows.into_iter().filter(|_| all) {
                if let Some(family) = families.iter_mut().find(|family| family.folded.is_like(&row)) {
                    family.rows.push(row);
                }
            }
        } else {
            for row in rows {
                let same = |family: &Family| family.folded.is_like(&row) && family.folded.state == row.state.name();
                let known = families.iter().position(same);
                let family = known.unwrap_or_else(|| {
                    families.push(Family::of(&row));
                    families.len() - 1
                });
                families[family].add(row);
            }
        }
        let wanted = self.wanted.get(&parent).map_or(&[][..], Vec::as_slice);
        let is_wanted: HashSet<RunNumber> = wanted.iter().map(|row| row.number).collect();
        let mut reads = self.left;
        for family in &mut families {
            let keep = family.keep(all).min(self.left);
            if family.rows.is_empty() && keep > 0 && reads > 0 {
                reads -= 1;
                family.rows = self.members(parent, &family.folded, keep)?;
                family.folded.order = family.rows.first().map(|row| (row.created_at, row.number));
            }
            let have: HashSet<RunNumber> = family.rows.iter().map(|row| row.number).collect();
            let missing = wanted
                .iter()
                .filter(|row| !have.contains(&row.number) && family.folded.is_like(row));
            family.rows.extend(missing.cloned());
            // Those that lead to what went wrong first; the view puts them in order.
            family.rows.sort_by_key(|row| !is_wanted.contains(&row.number));
            let wanted = family.rows.iter().filter(|row| is_wanted.contains(&row.number)).count();
            family.rows.truncate(keep.max(wanted));
        }
        Ok(families)
    }

    /// The first `enough` children, and whether there are more.
    fn children(&self, parent: RunNumber, enough: usize) -> StoreResult<(Vec<RunRow>, bool)> {
        let mut rows: Vec<RunRow> = Vec::new();
        loop {
            let page = self.store.runs(&RunQuery {
                parent: Some(parent),
                oldest_first: true,
                after: rows.last().map(|row| row.id),
                limit: PAGE.min(enough - rows.len()),
                ..RunQuery::default()
            })?;
            let is_empty = page.items.is_empty();
            rows.extend(page.items);
            if !page.more || is_empty || rows.len() >= enough {
                return Ok((rows, page.more));
            }
        }
    }

    fn members(&self, parent: RunNumber, folded: &Folded, limit: usize) -> StoreResult<Vec<RunRow>> {
        let query = RunQuery {
            parent: Some(parent),
            definition: Some(folded.definition.clone()),
            kind: Some(folded.kind),
            states: vec![folded.state_type],
            oldest_first: true,
            limit,
            ..RunQuery::default()
        };
        Ok(self.store.runs(&query)?.items)
    }
}

/// What is shown of the children where there are `left` lines.
pub(super) fn fit(families: Vec<Family>, left: usize, limits: &Limits) -> Vec<Child> {
    let whole: usize = families
        .iter()
        .map(|family| {
            let rows: usize = family.rows.iter().map(|row| lines_of(row, limits)).sum();
            rows + usize::from(family.rest(family.rows.len()).is_some())
        })
        .sum();
    // Where there is too little room, something is left for what is below the children.
    let room = if whole <= left { left } else { left - left / 4 };
    let mut families = families;
    families.sort_by_key(|family| !is_unwell(family.folded.state_type));
    let mut children = Vec::new();
    let mut rest = 0;
    let last = families.len().saturating_sub(1);
    let mut used = 0;
    let mut shown = vec![0; families.len()];
    for (index, family) in families.iter().enumerate() {
        // Each has a line at least; the last line but for that is for those that have none.
        if used + 1 < room || (used < room && index == last && rest == 0) {
            used += 1;
        } else {
            rest += family.folded.count;
            shown[index] = usize::MAX;
        }
    }
    used += usize::from(rest > 0);
    for (family, shown) in families.iter().zip(&mut shown).filter(|(_, shown)| **shown == 0) {
        for row in &family.rows {
            // The last of them takes the line that said how many they are.
            let saved = usize::from(*shown as u64 + 1 == family.folded.count);
            let cost = lines_of(row, limits) - saved;
            if used + cost > room && !(saved == 1 && *shown == 0) {
                break;
            }
            used += cost;
            *shown += 1;
        }
    }
    for (family, shown) in families
        .into_iter()
        .zip(shown)
        .filter(|(_, shown)| *shown != usize::MAX)
    {
        let group = family.rest(shown);
        children.extend(family.rows.into_iter().take(shown).map(|row| Child::Run(Box::new(row))));
        children.extend(group.map(Child::Group));
    }
    if rest > 0 {
        children.push(Child::Rest(rest));
    }
    children
}
