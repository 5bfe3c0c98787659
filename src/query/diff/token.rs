//! Tokens where the sides look at them differently: what one side sees of a token the other may not.

use crate::semantics::{JwtFilter, Request, Token, TokenPlace};
use crate::space::{Cube, DecisionList, Dimension, Label, Pattern, Rule};

/// Why a witness with a token may show something else.
pub(super) const TOKENS: &str = "tokens are verified in different ways, and no request is found that shows";

/// Fills in what a token needs: one that does not verify is carried where that of an issuer is looked for, and one that
/// does is for an audience that is accepted.
pub(super) fn complete_token(witness: &mut Request, filters: &[Option<&JwtFilter>]) {
    let filters: Vec<&JwtFilter> = filters.iter().copied().flatten().collect();
    if witness.token == Some(Token::Invalid) && witness.claims.is_none() {
        let issuer = filters.iter().flat_map(|filter| filter.issuers()).next();
        witness.claims = issuer.map(|issuer| serde_json::Map::from_iter([("iss".to_owned(), issuer.into())]));
    }
    let Some(claims) = witness.claims.as_mut().filter(|claims| !claims.contains_key("aud")) else { return };
    let of_issuer = |filter: &&JwtFilter| {
        let demanded = filter.audiences().into_iter();
        let mut demanded = demanded.filter(|(issuer, _)| claims.get("iss").is_some_and(|own| own == issuer.as_str()));
        demanded.next().map(|(_, audiences)| audiences)
    };
    let demanded: Vec<Vec<String>> = filters.iter().filter_map(of_issuer).collect();
    let mut known = demanded.iter().flatten();
    let common = known.clone().find(|audience| demanded.iter().all(|one| one.contains(audience)));
    if let Some(audience) = common.or_else(|| known.next()) {
        claims.insert("aud".to_owned(), audience.clone().into());
    }
}

/// The list of a proxy that looks at no tokens, of which the other side looks at.
pub(super) fn without_token(list: &DecisionList) -> DecisionList {
    let claims: Vec<Dimension> =
        list.dimensions().into_iter().filter(|one| matches!(one, Dimension::Claim(_))).collect();
    let list = list.specialise(&Dimension::Token, &["none"]);
    let fixed = [Dimension::Issuer, Dimension::Subject].into_iter().chain(claims);
    fixed.fold(list, |list, dimension| list.specialise(&dimension, &[]))
}

/// The list of a proxy with tokens of issuers that only the other side knows: they do not verify where the proxy looks
/// for its own, and are not seen elsewhere.
pub(super) fn with_foreign_tokens(list: &DecisionList, own: &JwtFilter, refused: Label) -> DecisionList {
    let exact = |text: String| Pattern::Exact(text.into());
    let foreign = Cube::default()
        .any(Dimension::Token, vec![exact("valid".to_owned())])
        .any(Dimension::Issuer, vec![Pattern::Any])
        .none(Dimension::Issuer, own.issuers().into_iter().map(exact).collect());
    let mut rules = Vec::new();
    if own.looks_at(&TokenPlace::bearer()) {
        rules.push(Rule::new(foreign, refused));
    } else {
        let unseen = without_token(list);
        rules.extend(unseen.rules.iter().map(|rule| Rule::new(rule.cube.and(&foreign), rule.label)));
        rules.push(Rule::new(foreign, unseen.default));
    }
    rules.extend(list.rules.iter().cloned());
    DecisionList { rules, default: list.default }
}

/// Whether both sides verify tokens, in different ways.
pub(super) fn verify_otherwise(before: Option<&JwtFilter>, now: Option<&JwtFilter>) -> bool {
    before.zip(now).is_some_and(|(before, now)| !before.is_empty() && !now.is_empty() && before.rules != now.rules)
}
