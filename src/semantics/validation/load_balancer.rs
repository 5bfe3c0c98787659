//! Load balancing that is refused.

use compact_str::CompactString;

use super::shared::{bad_duration, nanoseconds};
use crate::model::{ConsistentHash, Failover, LoadBalancer, LocalitySetting};

/// Labels of a place, which zone-aware balancing orders by itself.
const PLACES: &[&str] = &["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"];

/// Why load balancing is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `validateLoadBalancer`.
pub(super) fn bad_load_balancer(settings: &LoadBalancer) -> Option<String> {
    const SIMPLE: &[&str] = &["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"];
    if let Some(simple) = settings.simple.as_deref() {
        if settings.consistent_hash.is_some() {
            return Some("only one of `simple` and `consistentHash` may be set".to_owned());
        }
        if !SIMPLE.contains(&simple) {
            return Some(format!("`{simple}` is no way to balance"));
        }
    }
    if let Some(why) = settings.consistent_hash.as_ref().and_then(bad_hash) {
        return Some(why);
    }
    if settings.locality_lb_setting.is_some() && settings.zone_aware_lb_setting.is_some() {
        return Some("only one of `localityLbSetting` and `zoneAwareLbSetting` may be set".to_owned());
    }
    if let Some(why) = settings.locality_lb_setting.as_ref().and_then(bad_locality) {
        return Some(why.to_owned());
    }
    if let Some(zones) = &settings.zone_aware_lb_setting {
        let mut labels = zones.failover_priority.iter().flatten();
        if labels.any(|label| PLACES.contains(&label.as_str())) {
            return Some("zones order endpoints by region and zone already".to_owned());
        }
        if zones.min_cluster_size.is_some_and(|size| size < 1) {
            return Some("`minClusterSize` is at least 1".to_owned());
        }
        if let Some(why) = zones.failover.iter().flatten().find_map(bad_failover) {
            return Some(why.to_owned());
        }
    }
    if let Some(warmup) = &settings.warmup {
        if warmup.duration.is_none() {
            return Some("`warmup` needs a duration".to_owned());
        }
        if warmup.minimum_percent.is_some_and(|share| !(0.0..=100.0).contains(&share)) {
            return Some("a share lies between 0 and 100".to_owned());
        }
        if warmup.aggression.is_some_and(|aggression| aggression <= 0.0) {
            return Some("`aggression` is above 0".to_owned());
        }
        if let Some(why) = bad_duration("duration", warmup.duration.as_ref()) {
            return Some(why);
        }
    }
    let older = settings.warmup_duration_secs.as_ref();
    // Here the schema alone speaks, and asks for no whole milliseconds.
    let short =
        older.is_some_and(|text| nanoseconds(&text.value).is_none_or(|nanos| nanos < super::shared::MILLISECOND));
    short.then(|| "`warmupDurationSecs` is at least a millisecond".to_owned())
}

/// Why a hash is refused.
fn bad_hash(hash: &ConsistentHash) -> Option<String> {
    let keys = [
        hash.http_cookie.is_some(),
        hash.http_header_name.is_some(),
        hash.http_query_parameter_name.is_some(),
        hash.use_source_ip.is_some(),
    ];
    if keys.into_iter().filter(|key| *key).count() > 1 || (hash.maglev.is_some() && hash.ring_hash.is_some()) {
        return Some("requests are hashed by one thing, in one way".to_owned());
    }
    if let Some(cookie) = &hash.http_cookie {
        let mut names: Vec<&str> =
            cookie.attributes.iter().flatten().map(|one| one.name.as_deref().unwrap_or("")).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        if cookie.name.as_ref().is_none_or(CompactString::is_empty) || names.len() < count || names.contains(&"") {
            return Some("a cookie and its attributes have names of their own".to_owned());
        }
        if cookie.ttl.as_ref().is_some_and(|ttl| nanoseconds(&ttl.value).is_none()) {
            return Some("the `ttl` of a cookie is a duration".to_owned());
        }
    }
    let sizes = [hash.minimum_ring_size, hash.ring_hash.as_ref().and_then(|ring| ring.minimum_ring_size)];
    if sizes.into_iter().flatten().any(|size| size < 0) {
        return Some("the size of a ring is not negative".to_owned());
    }
    if hash.minimum_ring_size.is_some_and(|size| size != 0) && (hash.maglev.is_some() || hash.ring_hash.is_some()) {
        return Some("only one of `minimumRingSize`, `maglev` and `ringHash` may be set".to_owned());
    }
    let table = hash.maglev.as_ref().map(|maglev| maglev.table_size.unwrap_or(0));
    table
        .filter(|size| *size >= 5_000_011 || !is_prime(*size))
        .map(|_| "the size of a table is a prime below 5000011".to_owned())
}

/// Whether a number is prime, as Envoy sees it: 1 is.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/validation.go`, `isPrime`.
fn is_prime(number: i64) -> bool {
    match number {
        ..=0 => false,
        1..=3 => true,
        _ => {
            number % 2 == 1
                && (3..).step_by(2).take_while(|factor| factor * factor <= number).all(|factor| number % factor != 0)
        }
    }
}

/// Why balancing by place is refused.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `ValidateLocalityLbSetting`.
fn bad_locality(setting: &LocalitySetting) -> Option<&'static str> {
    let distribute = setting.distribute.as_deref().unwrap_or_default();
    let failover = setting.failover.as_deref().unwrap_or_default();
    if !distribute.is_empty() && !failover.is_empty() {
        return Some("only one of `distribute` and `failover` may be set");
    }
    let mut labels = setting.failover_priority.iter().flatten();
    if !failover.is_empty() && labels.any(|label| PLACES.contains(&label.as_str())) {
        return Some("`failover` does not go with labels of places in `failoverPriority`");
    }
    for one in distribute {
        let shares: Vec<i64> = one.to.iter().flatten().map(|(_, share)| *share).collect();
        if shares.iter().any(|share| !(1..=100).contains(share)) || shares.iter().sum::<i64>() != 100 {
            return Some("shares of places are above 0 and 100 together");
        }
        let places: Vec<&str> = one.to.iter().flatten().map(|(place, _)| place.as_str()).collect();
        if let Some(why) = bad_places(&places) {
            return Some(why);
        }
    }
    let sources: Vec<&str> = distribute.iter().map(|one| one.from.as_deref().unwrap_or_default()).collect();
    bad_places(&sources).or_else(|| failover.iter().find_map(bad_failover))
}

/// Why a region that stands in for another is refused.
fn bad_failover(failover: &Failover) -> Option<&'static str> {
    let (from, to) = (failover.from.as_deref().unwrap_or_default(), failover.to.as_deref().unwrap_or_default());
    let region = |place: &str| !place.contains(['/', '*']);
    (from == to || !region(from) || !region(to)).then_some("a region stands in for another region")
}

/// Why places are refused: a star that is not at the end, an empty part, or places that overlap.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/agent/validation.go`, `validateLocalities`.
fn bad_places(places: &[&str]) -> Option<&'static str> {
    let parts = |place: &str| place.splitn(3, '/').map(str::to_owned).collect::<Vec<_>>();
    for (index, place) in places.iter().enumerate() {
        let before_the_end = place.strip_suffix('*').unwrap_or(place);
        let own = parts(place);
        if before_the_end.contains('*') || own.iter().any(String::is_empty) {
            return Some("a place is `REGION/ZONE/SUBZONE`, with a star at its end at most");
        }
        let overlaps = |earlier: &str| {
            let other = parts(earlier);
            let starred = other.split_last().filter(|(last, _)| *last == "*").map(|(_, front)| front);
            own.starts_with(&other) || other.starts_with(&own) || starred.is_some_and(|front| own.starts_with(front))
        };
        if places.iter().take(index).any(|earlier| overlaps(earlier)) {
            return Some("two places overlap");
        }
    }
    None
}
