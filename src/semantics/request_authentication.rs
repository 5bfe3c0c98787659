//! Which tokens a proxy verifies, and what their claims can be.

use std::hash::{Hash, Hasher};

use compact_str::CompactString;

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
    pub(crate) fn rules(&self) -> impl Iterator<Item = &JwtRule> {
        self.rules.iter().map(|rule| &rule.value)
    }

    /// Where its rules stand, which tells them apart.
    fn spans(&self) -> impl Iterator<Item = Span> {
        self.rules.iter().map(|rule| rule.span)
    }
}

impl PartialEq for JwtFilter {
    fn eq(&self, other: &Self) -> bool {
        self.spans().eq(other.spans())
    }
}

impl Eq for JwtFilter {}

impl Hash for JwtFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spans().for_each(|span| span.hash(state));
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
    let mut rules: Vec<Spanned<JwtRule>> = rules.cloned().collect();
    rules.sort_by(|a, b| issuer_of(&a.value).cmp(&issuer_of(&b.value)));
    JwtFilter { rules }
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

    /// The audiences of which a verified token has one, by issuer; issuers that a rule accepts with any are not among them.
    pub(crate) fn audiences(&self) -> Vec<(String, Vec<String>)> {
        let of = |issuer: &String| {
            let rules = || self.rules().filter(|rule| issuer_of(rule).is_none_or(|known| known == issuer));
            let free = rules().any(|rule| rule.audiences.as_ref().is_none_or(Vec::is_empty));
            (!free).then(|| {
                (
                    issuer.clone(),
                    rules().flat_map(|rule| rule.audiences.iter().flatten().map(ToString::to_string)).collect(),
                )
            })
        };
        self.issuers().iter().filter_map(of).collect()
    }

    /// Appends what the filter decides, and which combinations of token and claims cannot occur. A preflight is let
    /// through unread, so nobody behind the filter sees a token of it.
    pub(crate) fn append(&self, builder: &mut JudgementBuilder) {
        if self.rules.is_empty() {
            return;
        }
        let token = |value: &str| Cube::default().any(Dimension::Token, vec![Pattern::Exact(value.into())]);
        let issuer = || Cube::default().any(Dimension::Issuer, vec![Pattern::Any]);
        let subject = || Cube::default().any(Dimension::Subject, vec![Pattern::Any]);
        let no_issuer = Cube::default().none(Dimension::Issuer, vec![Pattern::Any]);
        builder.impossible([token(VALID).and(&preflight()), token(INVALID).and(&preflight())]);
        if self.rules().all(|rule| issuer_of(rule).is_some()) {
            builder.impossible([token(VALID).and(&no_issuer)]);
        }
        for absent in [NONE, INVALID] {
            builder.impossible([token(absent).and(&issuer()), token(absent).and(&subject())]);
        }
        builder.end([token(INVALID)], &Ending::denied(By::Jwt, None));
    }

    /// Says which tokens, issuers and subjects can occur.
    pub(crate) fn restrict(&self, universe: &mut Universe) {
        let finite = |values: Vec<String>, absent: bool| Domain {
            preferred: values.iter().map(|value| value.as_str().into()).collect(),
            values: Values::Finite(values),
            absent,
            several: false,
        };
        let tokens = if self.rules.is_empty() { vec![NONE] } else { vec![NONE, VALID, INVALID] };
        let tokens = tokens.into_iter().map(str::to_owned).collect();
        universe.set(Dimension::Token, finite(tokens, false));
        let mut issuer = finite(self.issuers(), true);
        if self.rules().any(|rule| issuer_of(rule).is_none()) {
            issuer.values = Values::Language(Pattern::NonEmpty);
        }
        universe.set(Dimension::Issuer, issuer);
        let mut subject = Domain::default_for(&Dimension::Subject);
        subject.absent = true;
        // An empty subject is none.
        subject.values =
            if self.rules.is_empty() { Values::Finite(Vec::new()) } else { Values::Language(Pattern::NonEmpty) };
        universe.set(Dimension::Subject, subject);
    }

    /// What the filter makes of tokens that are carried at a place, by the token and its claims as they are sent; first
    /// match wins.
    ///
    /// # Upstream
    /// Envoy: `source/extensions/filters/http/jwt_authn/filter.cc`, `decodeHeaders` (preflights pass unread);
    /// `authenticator.cc`, `startVerify`, `handleGoodJwt` (what is forwarded).
    pub fn sights(&self, place: &TokenPlace) -> Vec<(Cube, TokenSight)> {
        let token = |value: &str| Cube::default().any(Dimension::Token, vec![Pattern::Exact(value.into())]);
        let mut looking = self.rules().filter(|rule| places(rule).contains(place)).peekable();
        if looking.peek().is_none() {
            return vec![(Cube::default(), TokenSight::Unseen)];
        }
        let mut sights = vec![(token(NONE), TokenSight::Unseen), (preflight(), TokenSight::Unseen)];
        for rule in looking {
            let exact = |text: &str| Pattern::Exact(text.into());
            let mut cube = token(VALID);
            if let Some(issuer) = issuer_of(rule) {
                cube = cube.any(Dimension::Issuer, vec![exact(issuer)]);
            }
            if let Some(audiences) = rule.audiences.as_ref().filter(|audiences| !audiences.is_empty()) {
                let audiences = audiences.iter().map(|audience| exact(audience)).collect();
                cube = cube.any(Dimension::Claim(["aud".into()].into()), audiences);
            }
            sights.push((cube, TokenSight::Verified { goes_on: rule.forward_original_token == Some(true) }));
        }
        sights.push((Cube::default(), TokenSight::Refused));
        sights
    }

    /// The issuers whose tokens clients carry at a place.
    ///
    /// # Upstream
    /// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `addProvider`.
    pub fn issuers_at(&self, place: &TokenPlace) -> Vec<String> {
        let rules = self.rules().filter(|rule| first_place(rule) == *place);
        rules.filter_map(issuer_of).map(str::to_owned).collect()
    }

    /// Whether each of its rules looks for tokens at a place.
    ///
    /// # Upstream
    /// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `addProvider`.
    pub fn looking(&self, place: &TokenPlace) -> Vec<bool> {
        self.rules().map(|rule| places(rule).contains(place)).collect()
    }

    /// The places where it looks for tokens.
    ///
    /// # Upstream
    /// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `addProvider`.
    pub fn places(&self) -> Vec<TokenPlace> {
        self.rules().flat_map(places).collect()
    }

    /// The claims, by their names, of which a rule splits the text by its spaces, beyond those that all rules do.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/security/authn/policy_applier.go`, `buildSpaceDelimitedClaims`.
    pub fn split_claims(&self) -> Vec<&str> {
        let claims = self.rules().flat_map(|rule| rule.space_delimited_claims.iter().flatten());
        claims.map(CompactString::as_str).collect()
    }

    /// Headers that carry tokens or receive claims, lower-case: behind the filter they are not what was sent.
    ///
    /// # Upstream
    /// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `removeJwt`; `authenticator.cc`,
    /// `setPayloadMetadata`, `addJWTClaimToHeader`.
    pub(crate) fn headers(&self) -> Vec<String> {
        let mut headers: Vec<String> = Vec::new();
        for rule in self.rules() {
            headers.extend(carriers(rule));
            headers.extend(rule.output_payload_to_header.as_ref().map(ToString::to_string));
            let claims = rule.output_claim_to_headers.iter().flatten().flatten();
            headers.extend(claims.filter_map(|claim| claim.header.as_ref()).map(ToString::to_string));
        }
        headers.iter().map(|name| name.to_ascii_lowercase()).collect()
    }

    /// Whether there is no filter at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Requests that ask what a browser may do.
fn preflight() -> Cube {
    Cube::default()
        .any(Dimension::Method, vec![Pattern::Exact("OPTIONS".into())])
        .any(Dimension::Header("origin".into()), vec![Pattern::NonEmpty])
        .any(Dimension::Header("access-control-request-method".into()), vec![Pattern::NonEmpty])
}

/// What a filter makes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSight {
    /// It does not see it, and lets it pass
    Unseen,
    /// It does not verify
    Refused,
    /// It verifies, and may go on to the next proxy
    Verified {
        /// Whether it does
        goes_on: bool,
    },
}

/// A place of a request where a filter looks for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header, behind a prefix
    Header {
        /// Its name, lower-case
        name: String,
        /// What stands before the token
        prefix: String,
    },
    /// A query parameter
    Param(String),
    /// A cookie
    Cookie(String),
}

impl TokenPlace {
    /// Where clients carry tokens unless they are told otherwise.
    pub fn bearer() -> Self {
        Self::Header { name: "authorization".to_owned(), prefix: "Bearer ".to_owned() }
    }
}

/// Where a rule looks for tokens, in its order; without any place of its own, where everybody looks.
///
/// # Upstream
/// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `addProvider`. Observed: `Authorization: Bearer ` in
/// this case, and the parameter `access_token`.
pub(crate) fn places(rule: &JwtRule) -> Vec<TokenPlace> {
    let headers = rule.from_headers.iter().flatten().map(|header| TokenPlace::Header {
        name: header.name.as_deref().unwrap_or_default().to_ascii_lowercase(),
        prefix: header.prefix.as_deref().unwrap_or_default().to_owned(),
    });
    let params = rule.from_params.iter().flatten().map(|name| TokenPlace::Param(name.to_string()));
    let cookies = rule.from_cookies.iter().flatten().map(|name| TokenPlace::Cookie(name.to_string()));
    let found: Vec<TokenPlace> = headers.chain(params).chain(cookies).collect();
    if found.is_empty() { vec![TokenPlace::bearer(), TokenPlace::Param("access_token".to_owned())] } else { found }
}

/// Whether two rules look for tokens at one place.
///
/// # Upstream
/// Envoy: `source/extensions/filters/http/jwt_authn/extractor.cc`, `addProvider`.
pub(crate) fn share_a_place(one: &JwtRule, other: &JwtRule) -> bool {
    let others = places(other);
    places(one).iter().any(|place| others.contains(place))
}

/// Where a rule looks first.
pub(crate) fn first_place(rule: &JwtRule) -> TokenPlace {
    places(rule).into_iter().next().unwrap_or_else(TokenPlace::bearer)
}

/// The headers in which a rule looks for tokens; `:path` for parameters.
fn carriers(rule: &JwtRule) -> Vec<String> {
    let named = rule.from_params.as_ref().is_some_and(|params| !params.is_empty());
    let carrier = |place| match place {
        TokenPlace::Header { name, .. } => Some(name),
        TokenPlace::Param(_) => named.then(|| ":path".to_owned()),
        TokenPlace::Cookie(_) => Some("cookie".to_owned()),
    };
    places(rule).into_iter().filter_map(carrier).collect()
}

/// The issuer of a rule; without one its keys verify tokens of any issuer.
pub(crate) fn issuer_of(rule: &JwtRule) -> Option<&str> {
    rule.issuer.as_ref().map(|issuer| issuer.value.as_str()).filter(|issuer| !issuer.is_empty())
}
