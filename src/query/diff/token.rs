//! The terms in which a comparison speaks of tokens. Where all proxies verify alike it is enough what they see; elsewhere
//! it is the token as it is sent, of which each proxy makes its own.

use super::joint::overlap;
use crate::semantics::{JwtFilter, Request, Token, TokenPlace, TokenSight};
use crate::space::{Cube, DecisionList, Dimension, Domain, Label, Pattern, Rule, Universe, Values};

/// Why a witness with a token may show something else.
pub(super) const TOKENS: &str =
    "tokens are looked for in different places, and no request that carries one where its issuer's belong shows";

/// What a comparison says of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tokens {
    /// What proxies see
    Seen,
    /// What is sent
    Sent {
        /// Where it is carried
        place: TokenPlace,
        /// Whether requests without token are left aside, for they are asked about elsewhere
        only: bool,
    },
}

impl Tokens {
    /// The comparisons that are needed where filters stand at the same places of both sides; those that let requests
    /// through to others come first.
    pub(super) fn of(fronts: [&JwtFilter; 2], doors: &[JwtFilter]) -> Vec<Self> {
        let alike = |filters: &[&JwtFilter]| {
            filters.iter().zip(filters.iter().skip(1)).all(|(one, other)| one.rules == other.rules)
        };
        let doors: Vec<&JwtFilter> = doors.iter().collect();
        let none_in_front = fronts.iter().all(|filter| filter.is_empty());
        let none_behind = doors.iter().all(|filter| filter.is_empty());
        if (none_in_front || none_behind) && alike(&fronts) && alike(&doors) {
            return vec![Self::Seen];
        }
        let filters = || fronts.into_iter().chain(doors.iter().copied());
        let mut known: Vec<Vec<bool>> = Vec::new();
        let mut found = Vec::new();
        for place in filters().flat_map(JwtFilter::places) {
            let looking: Vec<bool> = filters().flat_map(|filter| filter.looking(&place)).collect();
            if !known.contains(&looking) {
                known.push(looking);
                found.push(Self::Sent { place, only: !found.is_empty() });
            }
        }
        found
    }

    /// The list of a proxy in these terms.
    pub(super) fn of_proxy(&self, list: &DecisionList, filter: &JwtFilter) -> DecisionList {
        let Self::Sent { place, .. } = self else {
            return if filter.is_empty() { without_token(list) } else { list.clone() };
        };
        let unseen = without_token(list);
        let refused = without_claims(list.specialise(&Dimension::Token, &["invalid"]));
        let verified = list.specialise(&Dimension::Token, &["valid"]);
        let parts = filter.sights(place).into_iter().map(|(cube, sight)| match sight {
            TokenSight::Unseen => (cube, &unseen),
            TokenSight::Refused => (cube, &refused),
            TokenSight::Verified { .. } => (cube, &verified),
        });
        let mut found = in_parts(parts);
        found.rules.splice(0..0, stray_claims(list));
        found
    }

    /// A list in these terms of requests that come through a proxy with a filter, which may keep their tokens.
    pub(super) fn behind(&self, list: DecisionList, front: &JwtFilter) -> DecisionList {
        let Self::Sent { place, .. } = self else { return list };
        let hidden = without_token(&list);
        let parts = front.sights(place).into_iter().map(|(cube, sight)| match sight {
            TokenSight::Verified { goes_on: false } => (cube, &hidden),
            TokenSight::Unseen | TokenSight::Refused | TokenSight::Verified { goes_on: true } => (cube, &list),
        });
        in_parts(parts)
    }

    /// A list that is silent on requests that are asked about elsewhere.
    pub(super) fn asked(&self, mut list: DecisionList) -> DecisionList {
        if matches!(self, Self::Sent { only: true, .. }) {
            let none = Cube::default().any(Dimension::Token, vec![Pattern::Exact("none".into())]);
            list.rules.insert(0, Rule::new(none, Label::IMPOSSIBLE));
        }
        list
    }

    /// The tokens that can occur.
    pub(super) fn restrict(&self, universe: &mut Universe) {
        if *self == Self::Seen {
            return;
        }
        universe.domains.retain(|dimension, _| !matches!(dimension, Dimension::Claim(_)));
        let domain = |values, absent| Domain { values, absent, several: false, preferred: Vec::new() };
        let tokens = ["none", "valid", "invalid"].map(str::to_owned).to_vec();
        universe.set(Dimension::Token, domain(Values::Finite(tokens), false));
        for dimension in [Dimension::Issuer, Dimension::Subject] {
            universe.set(dimension, domain(Values::Language(Pattern::NonEmpty), true));
        }
    }

    /// Fills in what a token needs: one that does not verify is carried where that of an issuer is looked for, and one
    /// that does is for an audience that is accepted.
    pub(super) fn complete(&self, witness: &mut Request, filters: &[&JwtFilter]) {
        let token = witness.token();
        if token == Token::Valid {
            witness.claims.get_or_insert_default();
        }
        if token == Token::Invalid && witness.claims.is_none() {
            let mut issuers = filters.iter().flat_map(|filter| match self {
                Self::Seen => filter.issuers(),
                Self::Sent { place, .. } => filter.issuers_at(place),
            });
            witness.claims =
                issuers.next().map(|issuer| serde_json::Map::from_iter([("iss".to_owned(), issuer.into())]));
        }
        let Some(claims) = witness.claims.as_mut().filter(|claims| !claims.contains_key("aud")) else { return };
        let of_issuer = |filter: &&JwtFilter| {
            let demanded = filter.audiences().into_iter();
            let mut demanded =
                demanded.filter(|(issuer, _)| claims.get("iss").is_some_and(|own| own == issuer.as_str()));
            demanded.next().map(|(_, audiences)| audiences)
        };
        if *self == Self::Seen
            && let Some(audience) = filters.iter().filter_map(of_issuer).flatten().next()
        {
            claims.insert("aud".to_owned(), audience.into());
        }
    }
}

/// A claim that is asked for and that filters split in different ways, so that they see other values in one text.
pub(super) fn split_otherwise<'l>(
    filters: &[&JwtFilter],
    mut lists: impl Iterator<Item = &'l DecisionList>,
) -> Option<String> {
    let splitting: Vec<Vec<&str>> =
        filters.iter().filter(|filter| !filter.is_empty()).map(|filter| filter.split_claims()).collect();
    let mut names = splitting.iter().flatten();
    let contested: Vec<&&str> =
        names.by_ref().filter(|name| !splitting.iter().all(|known| known.contains(name))).collect();
    if contested.is_empty() {
        return None;
    }
    let asked = |list: &DecisionList, name: &str| list.dimensions().contains(&Dimension::Claim([name.into()].into()));
    lists.find_map(|list| {
        let name = contested.iter().find(|name| asked(list, name))?;
        Some(format!("the claim `{name}` is asked for, and its text is split at spaces by one rule and not by another"))
    })
}

/// A list made of parts of others, first match wins; the last part is for all that is left.
fn in_parts<'l>(parts: impl Iterator<Item = (Cube, &'l DecisionList)>) -> DecisionList {
    let mut rules = Vec::new();
    for (cube, part) in parts {
        if cube == Cube::default() {
            rules.extend(part.rules.iter().cloned());
            return DecisionList { rules, default: part.default };
        }
        let within = |rule: &Rule| Some(Rule::new(overlap(&cube, &rule.cube)?, rule.label));
        rules.extend(part.rules.iter().filter_map(within));
        rules.push(Rule::new(cube, part.default));
    }
    DecisionList { rules, default: Label::IMPOSSIBLE }
}

/// That no claims are asked about but those of a token that its issuer made.
fn stray_claims(list: &DecisionList) -> Vec<Rule> {
    let unverified = Cube::default().none(Dimension::Token, vec![Pattern::Exact("valid".into())]);
    let claims = list.dimensions().into_iter().filter(|dimension| matches!(dimension, Dimension::Claim(_)));
    let all = claims.chain([Dimension::Issuer, Dimension::Subject, Dimension::Claim(["aud".into()].into())]);
    let stray = all.map(|dimension| unverified.clone().any(dimension, vec![Pattern::Any]));
    stray.map(|cube| Rule::new(cube, Label::IMPOSSIBLE)).collect()
}

/// The list of a proxy that sees no token.
fn without_token(list: &DecisionList) -> DecisionList {
    without_claims(list.specialise(&Dimension::Token, &["none"]))
}

/// A list of requests without claims.
fn without_claims(list: DecisionList) -> DecisionList {
    let claims: Vec<Dimension> =
        list.dimensions().into_iter().filter(|one| matches!(one, Dimension::Claim(_))).collect();
    let fixed = [Dimension::Issuer, Dimension::Subject].into_iter().chain(claims);
    fixed.fold(list, |list, dimension| list.specialise(&dimension, &[]))
}
