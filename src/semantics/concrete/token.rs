//! The token of one request: where it is carried, and what the filter of a proxy makes of it.

use serde_json::{Map, Value};

use super::super::decision::{Cause, CauseKind};
use super::super::request::Token;
use super::super::request_authentication::{JwtFilter, TokenPlace, first_place, issuer_of, places};
use super::super::world::World;
use super::seen::Seen;
use crate::model::JwtRule;

/// Why nobody can say what a filter makes of a request whose headers or parameters hold what it takes for a token.
pub const OWN_TOKEN: &str = "the request carries a token of its own, which cannot be verified here";

/// What becomes of a token behind a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// It goes on as it came
    Kept,
    /// The proxy takes it away
    Removed,
}

/// Where a client carries a token with these claims: where the rule of their issuer looks first, the rules of the first
/// proxy before others.
pub fn token_place(world: &World, first: &JwtFilter, claims: Option<&Map<String, Value>>) -> TokenPlace {
    let issuer = claims.and_then(|claims| claims.get("iss")).and_then(Value::as_str);
    let everywhere = world.mesh.request_authentications.iter().flat_map(|object| object.spec.jwt_rules());
    let mut rules = first.rules().chain(everywhere.map(|rule| &rule.value));
    let rule = rules.find(|rule| issuer.is_some() && issuer_of(rule) == issuer);
    rule.map_or_else(TokenPlace::bearer, first_place)
}

/// Puts what the filter of a proxy makes of the token into what its policies see, and says what becomes of the token.
/// `Err`: the manifests do not tell.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authn/policy_applier.go`, `convertToEnvoyJwtConfig`. Envoy:
/// `source/extensions/filters/http/jwt_authn/filter.cc`, `decodeHeaders` (preflights pass); `verifier.cc`.
pub fn present_token(filter: &JwtFilter, seen: &mut Seen) -> Result<Passing, Cause> {
    let claims = seen.claims.take();
    let token = std::mem::replace(&mut seen.token, Token::None);
    if filter.is_empty() || is_preflight(seen) {
        return Ok(Passing::Kept);
    }
    if let Some(rule) = filter.rules().find(|rule| places(rule).iter().any(|place| carries(seen, place))) {
        return Err(Cause {
            kind: CauseKind::UnmodelledCondition,
            message: OWN_TOKEN.to_owned(),
            span: rule.issuer.as_ref().map(|issuer| issuer.span),
        });
    }
    let looking: Vec<&JwtRule> = filter.rules().filter(|rule| places(rule).contains(&seen.token_place)).collect();
    if token == Token::None || looking.is_empty() {
        return Ok(Passing::Kept);
    }
    let verified = claims.filter(|_| token == Token::Valid);
    let rule = verified.as_ref().and_then(|claims| looking.into_iter().find(|rule| verifies(rule, claims)));
    let (Some(rule), Some(mut claims)) = (rule, verified) else {
        seen.token = Token::Invalid;
        return Ok(Passing::Kept);
    };
    split(rule, &mut claims);
    (seen.token, seen.claims) = (Token::Valid, Some(claims));
    Ok(if rule.forward_original_token == Some(true) { Passing::Kept } else { Passing::Removed })
}

/// Whether a request asks what a browser may do, which needs no token.
///
/// # Upstream
/// Envoy: `source/extensions/filters/http/jwt_authn/filter.cc`, `isCorsPreflightRequest`.
fn is_preflight(seen: &Seen) -> bool {
    let filled = |name: &str| seen.header(name).any(|value| !value.is_empty());
    seen.method == "OPTIONS" && filled("origin") && filled("access-control-request-method")
}

/// Whether the request itself has something at a place that the filter takes for a token.
fn carries(seen: &Seen, place: &TokenPlace) -> bool {
    match place {
        TokenPlace::Header { name, prefix } => seen.header(name).any(|value| value.contains(prefix.as_str())),
        TokenPlace::Param(name) => seen.query(name).is_some(),
        TokenPlace::Cookie(name) => {
            let mut pairs = seen.header("cookie").flat_map(|line| line.split(';'));
            pairs.any(|pair| pair.trim().split_once('=').is_some_and(|(known, _)| known == name))
        }
    }
}

/// Whether a rule accepts these claims: well-formed ones of its issuer and, where it asks, for one of its audiences.
///
/// # Upstream
/// `google/jwt_verify_lib`: `src/jwt.cc`, `Jwt::parsePayload` (types); Envoy: `authenticator.cc`, `startVerify`.
fn verifies(rule: &JwtRule, claims: &Map<String, Value>) -> bool {
    let text = |name: &str| claims.get(name).is_none_or(Value::is_string);
    let number = |name: &str| claims.get(name).is_none_or(Value::is_number);
    let audiences: Option<Vec<&str>> = match claims.get("aud") {
        None => Some(Vec::new()),
        Some(Value::String(audience)) => Some(vec![audience]),
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    let well_formed = ["iss", "sub", "jti"].into_iter().all(text) && ["exp", "nbf", "iat"].into_iter().all(number);
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let wanted = rule.audiences.iter().flatten().collect::<Vec<_>>();
    well_formed
        && issuer_of(rule).is_none_or(|known| known == issuer)
        && audiences.is_some_and(|found| wanted.is_empty() || wanted.iter().any(|one| found.contains(&one.as_str())))
}

/// Splits the claims that hold several values separated by spaces.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authn/policy_applier.go`, `buildSpaceDelimitedClaims`.
fn split(rule: &JwtRule, claims: &mut Map<String, Value>) {
    for (name, value) in claims.iter_mut() {
        let named = rule.space_delimited_claims.iter().flatten().any(|known| known == name);
        if let Value::String(text) = value
            && (named || matches!(name.as_str(), "scope" | "permission"))
            && !text.is_empty()
        {
            let parts = text.split(' ').filter(|part| !part.is_empty());
            *value = parts.map(|part| Value::String(part.to_owned())).collect();
        }
    }
}
