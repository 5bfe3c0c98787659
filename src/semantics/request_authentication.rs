//! Which tokens a proxy verifies, and what their claims can be.

use std::hash::{Hash, Hasher};

use serde_json::{Map, Value};

use super::decision::By;
use super::judgement::{Ending, JudgementBuilder};
use super::workload_selector::{Proxy, attached_request_authentications};
use crate::model::{JwtRule, Mesh};
use crate::space::{Cube, Dimension, Domain, Pattern, Universe, Values};
use crate::text::{Span, Spanned};

/// The JWT filter of one proxy.
#[derive(Debug, Clone, Default)]
pub struct JwtFilter {
    /// Every rule attached; none: no filter, and no request has claims
    pub(crate) rules: Vec<Spanned<JwtRule>>,
}

impl JwtFilter {
    /// Its rules.
    fn rules(&self) -> impl Iterator<Item = &JwtRule> {
        self.rules.iter().map(|rule| &rule.value)
    }

    /// Where its rules stand, which tells them apart.
    fn places(&self) -> impl Iterator<Item = Span> {
        self.rules.iter().map(|rule| rule.span)
    }
}

impl PartialEq for JwtFilter {
    fn eq(&self, other: &Self) -> bool {
        self.places().eq(other.places())
    }
}

impl Eq for JwtFilter {}

impl Hash for JwtFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.places().for_each(|place| place.hash(state));
    }
}

/// The values of [`Dimension::Token`].
const NONE: &str = "none";
/// A token that verifies.
const VALID: &str = "valid";
/// A token that does not.
const INVALID: &str = "invalid";

/// The JWT filter of a proxy.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authn/policy_applier.go`, `convertToEnvoyJwtConfig`.
pub fn jwt_filter(mesh: &Mesh, proxy: Proxy<'_>) -> JwtFilter {
    let attached = attached_request_authentications(mesh, proxy);
    let rules = attached.iter().flat_map(|authentication| authentication.spec.jwt_rules());
    JwtFilter { rules: rules.cloned().collect() }
}

impl JwtFilter {
    /// The issuers whose tokens verify.
    pub(crate) fn issuers(&self) -> Vec<String> {
        let issuers = self.rules().filter_map(issuer_of);
        let mut issuers: Vec<String> = issuers.map(str::to_owned).collect();
        issuers.sort();
        issuers.dedup();
        issuers
    }

    /// Appends what the filter decides, and which combinations of token and claims cannot occur.
    pub(crate) fn append(&self, builder: &mut JudgementBuilder) {
        if self.rules.is_empty() {
            return;
        }
        let token = |value: &str| Cube::default().any(Dimension::Token, vec![Pattern::Exact(value.into())]);
        let issuer = || Cube::default().any(Dimension::Issuer, vec![Pattern::Any]);
        let no_issuer = Cube::default().none(Dimension::Issuer, vec![Pattern::Any]);
        builder.impossible([token(VALID).and(&no_issuer)]);
        builder.impossible([token(NONE).and(&issuer()), token(INVALID).and(&issuer())]);
        builder.impossible([no_issuer.and(&Cube::default().any(Dimension::Subject, vec![Pattern::Any]))]);
        builder.end([token(INVALID)], &Ending::denied(By::Jwt, None));
    }

    /// Says which tokens, issuers and subjects can occur.
    pub(crate) fn restrict(&self, universe: &mut Universe) {
        let finite = |values: Vec<String>, absent: bool| Domain {
            preferred: values.clone(),
            values: Values::Finite(values),
            absent,
            several: false,
        };
        let tokens = if self.rules.is_empty() { vec![NONE] } else { vec![NONE, VALID, INVALID] };
        let tokens = tokens.into_iter().map(str::to_owned).collect();
        universe.domains.insert(Dimension::Token, finite(tokens, false));
        let mut issuer = finite(self.issuers(), true);
        if self.rules().any(|rule| issuer_of(rule).is_none()) {
            issuer.values = Values::Language(Pattern::NonEmpty);
        }
        universe.domains.insert(Dimension::Issuer, issuer);
        let mut subject = Domain::default_for(&Dimension::Subject);
        subject.absent = true;
        if self.rules.is_empty() {
            subject.values = Values::Finite(Vec::new());
        }
        universe.domains.insert(Dimension::Subject, subject);
    }

    /// Headers that carry tokens or receive claims, lower-case: behind the filter they are not what was sent.
    ///
    /// # Upstream
    /// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `removeJwt`; `authenticator.cc`,
    /// `setPayloadMetadata`, `addJWTClaimToHeader`.
    pub(crate) fn headers(&self) -> Vec<String> {
        let mut headers = Vec::new();
        for rule in self.rules() {
            headers.extend(carriers(rule));
            headers.extend(rule.output_payload_to_header.clone());
            let claims = rule.output_claim_to_headers.iter().flatten().flatten();
            headers.extend(claims.filter_map(|claim| claim.header.clone()));
        }
        headers.iter().map(|name| name.to_ascii_lowercase()).collect()
    }

    /// Whether there is no filter at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the rule of the claims' issuer passes the token on.
    pub fn forwards(&self, claims: &Map<String, Value>) -> bool {
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let rule = self.rules().find(|rule| issuer_of(rule).is_none_or(|known| known == issuer));
        rule.is_some_and(|rule| rule.forward_original_token == Some(true))
    }

    /// Splits the claims that hold several values separated by spaces, as the filter does before anybody looks.
    pub fn split(&self, claims: &mut Map<String, Value>) {
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
        let rules = self.rules().filter(|rule| issuer_of(rule).is_none_or(|known| known == issuer));
        let named: Vec<&str> =
            rules.flat_map(|rule| rule.space_delimited_claims.iter().flatten()).map(String::as_str).collect();
        for (name, value) in claims.iter_mut() {
            let splits = matches!(name.as_str(), "scope" | "permission") || named.contains(&name.as_str());
            if let Value::String(text) = value
                && splits
            {
                *value = text
                    .split(' ')
                    .filter(|part| !part.is_empty())
                    .map(|part| Value::String(part.to_owned()))
                    .collect();
            }
        }
    }

    /// Whether claims verify here: a known issuer and, where the rule asks, one of its audiences.
    pub fn verifies(&self, claims: &Map<String, Value>) -> bool {
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        self.rules().any(|rule| {
            let known = issuer_of(rule).is_none_or(|known| known == issuer);
            let audiences = rule.audiences.iter().flatten();
            let mut audiences = audiences.peekable();
            known && (audiences.peek().is_none() || audiences.any(|wanted| has_audience(claims, wanted)))
        })
    }
}

/// The headers in which a rule looks for tokens.
fn carriers(rule: &JwtRule) -> Vec<String> {
    let named = rule.from_headers.iter().flatten().filter_map(|header| header.name.clone());
    let mut carriers: Vec<String> = named.collect();
    let filled = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    if carriers.is_empty() && !filled(&rule.from_params) && !filled(&rule.from_cookies) {
        carriers.push("authorization".to_owned());
    }
    if filled(&rule.from_cookies) {
        carriers.push("cookie".to_owned());
    }
    carriers
}

/// The issuer of a rule; without one its keys verify tokens of any issuer.
fn issuer_of(rule: &JwtRule) -> Option<&str> {
    rule.issuer.as_ref().map(|issuer| issuer.value.as_str()).filter(|issuer| !issuer.is_empty())
}

/// Whether the claims name an audience, alone or in a list.
fn has_audience(claims: &Map<String, Value>, wanted: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(audience)) => audience == wanted,
        Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience.as_str() == Some(wanted)),
        _ => false,
    }
}
