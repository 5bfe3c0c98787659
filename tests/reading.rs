//! Manifests are other people's: what kubectl makes of them is what counts, and nothing in them stops the program.

use meshlint::model::{InputFile, LoadOptions, Loaded, ProblemKind, load};
use meshlint::text::{FileId, Files};
use meshlint::yaml::{self, NodeKind};

/// What loading one text gives.
fn loaded(text: &str) -> (Files, Loaded) {
    loaded_files(&[("a.yaml", text)], &LoadOptions::default())
}

/// What loading several files gives.
fn loaded_files(texts: &[(&str, &str)], options: &LoadOptions) -> (Files, Loaded) {
    let mut files = Files::default();
    let inputs: Vec<InputFile> =
        texts.iter().map(|(name, text)| InputFile { file: files.add(*name, *text), context: false }).collect();
    let loaded = load(&files, &inputs, options);
    (files, loaded)
}

/// Kinds of the problems of a text.
fn problems(text: &str) -> Vec<ProblemKind> {
    loaded(text).1.problems.iter().map(|problem| problem.kind).collect()
}

const POLICY: &str =
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: a\n  namespace: shop\n";

#[test]
fn a_line_of_dashes_ends_a_document_even_inside_a_quoted_text() {
    let stream = yaml::read(FileId(0), "a: \"x\n---\ny\"\n---\nb: 1\n");
    assert_eq!(stream.problems.len(), 1, "{:?}", stream.problems);
    // The second piece is the plain text `y"`, the third the mapping.
    let kinds: Vec<NodeKind> = stream.documents.iter().map(|document| document.root().kind()).collect();
    assert_eq!(kinds, [NodeKind::String, NodeKind::Mapping]);
}

#[test]
fn what_follows_the_root_is_dropped_and_said() {
    let (files, loaded) = loaded(&format!("  {}spec: {{}}\n", POLICY.replace('\n', "\n  ").trim_end_matches(' ')));
    assert_eq!(loaded.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [ProblemKind::IgnoredTail]);
    assert_eq!(loaded.mesh.authorization_policies.len(), 1, "the object before the tail counts");
    let span = loaded.problems.first().expect("one").span;
    assert_eq!(files.slice(span), "spec: {}");
}

#[test]
fn the_last_of_equal_keys_counts() {
    let text = format!("{POLICY}spec:\n  action: DENY\n  action: ALLOW\n  rules: [{{}}]\n");
    let (_, loaded) = loaded(&text);
    assert_eq!(loaded.problems.first().map(|problem| problem.kind), Some(ProblemKind::DuplicateKey));
    let policy = loaded.mesh.authorization_policies.first().expect("it loads");
    assert_eq!(policy.spec.action(), meshlint::model::Action::Allow);
}

#[test]
fn keys_follow_yaml_1_1_too() {
    let stream = yaml::read(FileId(0), "y: 1\nn: 2\n0x10: 3\n");
    let keys: Vec<&str> = stream.documents.first().expect("one").root().entries().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["true", "false", "16"]);
}

#[test]
fn a_colon_ends_a_plain_scalar_only_before_a_blank() {
    let text = "a: [1.2.3.4, 001:db8::, x::]\nb: {c:, d: 1, \"e\":}\nf: [g: 1, h: , {i: }]\n";
    let mut files = Files::default();
    let file = files.add("a.yaml", text);
    let stream = yaml::read(file, text);
    assert!(stream.problems.is_empty(), "{:?}", stream.problems);
    let root = stream.documents.first().expect("one").root();
    let addresses: Vec<(Option<&str>, &str)> =
        root.get("a").expect("a").items().map(|item| (item.as_str(), files.slice(item.span()))).collect();
    assert_eq!(addresses, [(Some("1.2.3.4"), "1.2.3.4"), (Some("001:db8::"), "001:db8::"), (Some("x::"), "x::")]);
    let keys: Vec<&str> = root.get("b").expect("b").entries().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["c:", "d", "e"]);
    let kinds: Vec<NodeKind> = root.get("f").expect("f").items().map(yaml::Node::kind).collect();
    assert_eq!(kinds, [NodeKind::Mapping, NodeKind::Mapping, NodeKind::Mapping]);
}

#[test]
fn spans_are_exact_for_keys_values_and_containers_behind_wide_characters() {
    let text = "# 世界\r\na:\r\n  - \"x y\"\r\n  - {k: [1, 2]}\r\n---\r\nb: |\r\n  one\r\n  two\r\n";
    let mut files = Files::default();
    let file = files.add("a.yaml", text);
    let stream = yaml::read(file, text);
    let first = stream.documents.first().expect("one").root();
    let (_, key, value) = first.entries().next().expect("a");
    assert_eq!(files.slice(key), "a");
    let items: Vec<&str> = value.items().map(|item| files.slice(item.span())).collect();
    assert_eq!(items, ["\"x y\"", "{k: [1, 2]}"]);
    let second = stream.documents.get(1).expect("two").root();
    let block = second.get("b").expect("b");
    assert_eq!(block.as_str(), Some("one\ntwo\n"));
    assert!(files.slice(block.span()).trim_start().starts_with("one") && files.slice(block.span()).ends_with("two"));
}

#[test]
fn hostile_input_is_a_problem_and_no_crash() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let reference = format!("*a{}, ", level - 1).repeat(9);
        let line = format!("a{level}: &a{level} [{}]\n", reference.trim_end_matches(", "));
        bomb.push_str(&line);
    }
    let hostile = [
        "[".repeat(100_000),
        "- ".repeat(50_000),
        "? ".repeat(20_000),
        "{a: ".repeat(10_000),
        bomb,
        "a: &x [*x]\n".to_owned(),
        "a: *unknown\n".to_owned(),
        "\"unclosed".to_owned(),
        "a: {{ .Values.x }}\n".to_owned(),
        "? [a]\n: b\n".to_owned(),
        "~: x\n".to_owned(),
        "\ta: 1\n".to_owned(),
        "%YAML 1.2\n---\na: 1\n".to_owned(),
        "--- foo\na: 1\n".to_owned(),
    ];
    for text in hostile {
        let stream = yaml::read(FileId(0), &text);
        let start: String = text.chars().take(30).collect();
        assert!(!stream.problems.is_empty() || stream.documents.len() <= 1, "{start}");
    }
    assert_eq!(problems("a: {{ .Values.x }}\n"), [ProblemKind::Template]);
}

#[test]
fn one_broken_document_costs_itself_alone() {
    let (_, loaded) = loaded(&format!("{POLICY}---\na: [\n---\n{}", POLICY.replace("name: a", "name: b")));
    assert_eq!(loaded.mesh.authorization_policies.len(), 2);
    assert_eq!(loaded.counts.skipped, 1);
}

#[test]
fn lists_are_taken_apart_and_kinds_of_other_groups_left_alone() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: s}\n\
                - apiVersion: policy.linkerd.io/v1\n  kind: AuthorizationPolicy\n  metadata: {name: p}\n";
    let (_, loaded) = loaded(text);
    assert_eq!((loaded.mesh.services.len(), loaded.mesh.authorization_policies.len()), (1, 0));
    assert_eq!(loaded.counts.other.get("AuthorizationPolicy"), Some(&1));
}

#[test]
fn a_field_that_the_api_does_not_have_is_found_with_what_was_meant() {
    let text =
        format!("{POLICY}spec:\n  rules:\n  - from:\n    - source:\n        namespace: [shop]\n        paths: [/x]\n");
    let (_, loaded) = loaded(&text);
    let helps: Vec<&str> = loaded.problems.iter().filter_map(|problem| problem.help.as_deref()).collect();
    assert_eq!(helps, ["did you mean `namespaces`?", "`paths` belongs under `to[].operation`"]);
}

#[test]
fn a_type_that_does_not_fit_refuses_the_object_at_its_place() {
    let text = format!("{POLICY}spec:\n  rules:\n  - to:\n    - operation:\n        ports: [8080]\n");
    let (files, loaded) = loaded(&text);
    let problem = loaded.problems.first().expect("refused");
    assert_eq!(problem.kind, ProblemKind::Misfit);
    assert_eq!(files.slice(problem.span), "8080");
    assert!(
        problem.message.contains("`spec.rules[0].to[0].operation.ports[0]` must be a string, not the number `8080`"),
        "{}",
        problem.message
    );
    assert!(loaded.mesh.authorization_policies.is_empty());
}

#[test]
fn the_nearest_kustomization_gives_the_namespace_and_patches_are_no_objects() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n";
    let files = [
        ("base/kustomization.yaml", "namespace: shop\nresources: [service.yaml]\npatches: [{path: patch.yaml}]\n"),
        ("base/patch.yaml", service),
        ("base/service.yaml", service),
        ("other/service.yaml", service),
    ];
    let (_, loaded) =
        loaded_files(&files, &LoadOptions { default_namespace: Some("fallback".to_owned()), ..LoadOptions::default() });
    let namespaces: Vec<&str> = loaded.mesh.services.iter().map(|service| service.id.namespace.as_str()).collect();
    assert_eq!(namespaces, ["shop", "fallback"]);
    assert_eq!(loaded.counts.patches, 1);
}

#[test]
fn an_overlay_gives_its_namespace_where_all_overlays_agree() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n";
    let overlay = |namespace: &str| format!("namespace: {namespace}\nresources: [../../base]\n");
    let (dev, prod) = (overlay("shop"), overlay("other"));
    let base = [("base/kustomization.yaml", "resources: [service.yaml]\n"), ("base/service.yaml", service)];
    let namespace = |overlays: &[(&str, &str)]| {
        let files: Vec<(&str, &str)> = base.iter().chain(overlays).copied().collect();
        let (_, loaded) = loaded_files(&files, &LoadOptions::default());
        loaded.mesh.services.first().map(|service| service.id.namespace.clone())
    };
    assert_eq!(namespace(&[("overlays/dev/kustomization.yaml", &dev)]).as_deref(), Some("shop"));
    let both = [("overlays/dev/kustomization.yaml", dev.as_str()), ("overlays/prod/kustomization.yaml", &prod)];
    assert_eq!(namespace(&both).as_deref(), Some("default"), "which of the two cannot be said");
    assert_eq!(namespace(&[("base/../base/kustomization.yml", "resources: [../base]\n")]).as_deref(), Some("default"));
}

#[test]
fn a_namespace_that_is_written_is_overwritten_as_a_build_does() {
    let gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: istio-system}\n\
                   spec: {servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}\n";
    let policy = "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: prod}\n\
                  ---\napiVersion: v1\nkind: Namespace\nmetadata: {name: prod}\n";
    let text = format!("{gateway}{policy}");
    let placed = |kustomizations: &[(&str, &str)]| {
        let files: Vec<(&str, &str)> =
            kustomizations.iter().copied().chain([("base/all.yaml", text.as_str())]).collect();
        let (_, loaded) = loaded_files(&files, &LoadOptions::default());
        let mesh = &loaded.mesh;
        let gateway = mesh.gateways.first().map(|gateway| gateway.id.namespace.clone()).expect("a Gateway");
        let policy = mesh.authorization_policies.first().map(|policy| policy.id.namespace.clone()).expect("a policy");
        let namespace = mesh.namespaces.keys().next().cloned().expect("a Namespace");
        [gateway, policy, namespace]
    };
    let base = ("base/kustomization.yaml", "namespace: shop\nresources: [all.yaml]\n");
    let plain = ("base/kustomization.yaml", "resources: [all.yaml]\n");
    let live = ("live/kustomization.yaml", "namespace: live\nresources: [../base]\n");
    let other = ("test/kustomization.yaml", "namespace: test\nresources: [../base]\n");
    let renamed = ("live/kustomization.yaml", "namespace: live\nnamePrefix: live-\nresources: [../base]\n");
    assert_eq!(placed(&[]), ["istio-system", "prod", "prod"]);
    assert_eq!(placed(&[plain]), ["istio-system", "prod", "prod"]);
    assert_eq!(placed(&[base]), ["shop", "shop", "shop"]);
    assert_eq!(placed(&[base, live]), ["live", "live", "live"], "the outermost has the last word");
    assert_eq!(placed(&[plain, live]), ["live", "live", "live"]);
    assert_eq!(placed(&[base, live, other]), ["shop", "shop", "shop"], "together, wherever that is");
    assert_eq!(placed(&[plain, live, other]), ["istio-system", "prod", "prod"], "which of the two cannot be said");
    assert_eq!(placed(&[plain, renamed]), ["istio-system", "live", "live"], "no virtual service finds it by this name");
}

#[test]
fn names_and_labels_are_those_that_a_kustomization_makes() {
    let files = [
        ("a/kustomization.yaml", "namePrefix: a-\ncommonLabels: {app: a}\nresources: [all.yaml]\n"),
        (
            "a/all.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec: {serviceAccountName: runner, containers: [{image: a}]}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n",
        ),
        (
            "b/kustomization.yaml",
            "nameSuffix: -b\nlabels: [{pairs: {app: b}, includeSelectors: true}, {pairs: {owner: me}}]\nresources: [all.yaml]\n",
        ),
        (
            "b/all.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec: {serviceAccountName: elsewhere}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {tier: front}}\n",
        ),
    ];
    let (_, loaded) = loaded_files(&files, &LoadOptions::default());
    assert!(loaded.problems.is_empty(), "two names are no duplicate: {:?}", loaded.problems);
    let workloads: Vec<(&str, &str, Option<&str>)> = loaded
        .mesh
        .workloads
        .iter()
        .map(|workload| {
            let app = workload.labels.get("app").map(compact_str::CompactString::as_str);
            (workload.id.name.as_str(), workload.service_account.as_str(), app)
        })
        .collect();
    assert_eq!(workloads, [("a-web", "a-runner", Some("a")), ("web-b", "elsewhere", Some("b"))]);
    let selector = loaded.mesh.services.first().and_then(|service| service.spec.selector.clone()).expect("a selector");
    assert_eq!(selector.into_iter().collect::<Vec<_>>(), [("app".into(), "b".into()), ("tier".into(), "front".into())]);
}

#[test]
fn a_kustomization_that_cannot_be_read_is_said() {
    let (files, loaded) = loaded_files(&[("a/kustomization.yaml", "namespace: [shop]\n")], &LoadOptions::default());
    let problem = loaded.problems.first().expect("said");
    assert_eq!((problem.kind, files.slice(problem.span)), (ProblemKind::Syntax, "[shop]"));
}

#[test]
fn a_pod_template_without_labels_and_images_is_a_patch_that_nobody_lists() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec: {containers: [{name: web, ports: [{containerPort: 80}]}]}\n";
    let (_, partial) = loaded(text);
    assert_eq!((partial.mesh.workloads.len(), partial.counts.skipped), (0, 1));
    let (_, whole) = loaded(&text.replace("name: web, ports", "name: web, image: web, ports"));
    assert_eq!((whole.mesh.workloads.len(), whole.counts.skipped), (1, 0));
}

#[test]
fn an_object_whose_namespace_is_filled_in_later_is_left_out_and_said() {
    let (files, unnamed) = loaded(&POLICY.replace("namespace: shop", "namespace: ${NS}"));
    let problem = unnamed.problems.first().expect("said");
    assert_eq!((problem.kind, files.slice(problem.span)), (ProblemKind::Template, "${NS}"));
    assert_eq!((unnamed.mesh.authorization_policies.len(), unnamed.counts.skipped), (0, 1));
    assert_eq!(unnamed.counts.mesh_resources, 1, "it is a mesh resource all the same");
    let value = format!("{POLICY}spec: {{rules: [{{from: [{{source: {{namespaces: [\"$(NS)\"]}}}}]}}]}}\n");
    let (files, loaded) = loaded(&value);
    let problem = loaded.problems.first().expect("said");
    assert_eq!((problem.kind, files.slice(problem.span)), (ProblemKind::Template, "\"$(NS)\""));
    assert_eq!(loaded.mesh.authorization_policies.len(), 1, "as it is written it acts");
}

#[test]
fn every_version_that_is_served_is_read_and_no_other() {
    let acts = |group: &str, kind: &str, version: &str| {
        let text = format!("apiVersion: {group}/{version}\nkind: {kind}\nmetadata: {{name: a}}\n");
        let (_, loaded) = loaded(&text);
        let removed = loaded.problems.iter().any(|problem| problem.kind == ProblemKind::RemovedVersion);
        assert_eq!(removed, loaded.counts.resources.is_empty(), "{text}");
        !removed
    };
    let networking = ["Gateway", "VirtualService", "DestinationRule", "ServiceEntry", "Sidecar", "WorkloadEntry"];
    for kind in networking {
        for version in ["v1", "v1beta1", "v1alpha3"] {
            assert!(acts("networking.istio.io", kind, version), "{kind} {version}");
        }
        assert!(!acts("networking.istio.io", kind, "v1alpha1"));
    }
    for kind in ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"] {
        assert!(acts("security.istio.io", kind, "v1") && acts("security.istio.io", kind, "v1beta1"));
        assert!(!acts("security.istio.io", kind, "v1alpha1"));
    }
    assert!(
        acts("networking.istio.io", "EnvoyFilter", "v1alpha3") && !acts("networking.istio.io", "EnvoyFilter", "v1")
    );
    assert!(acts("extensions.istio.io", "WasmPlugin", "v1alpha1") && acts("telemetry.istio.io", "Telemetry", "v1"));
}

#[test]
fn an_object_of_istio_without_kind_version_or_name_is_refused_and_any_other_counted() {
    for (text, missing) in [
        (POLICY.replace("apiVersion: security.istio.io/v1\n", ""), "`apiVersion` is missing"),
        (POLICY.replace("kind: AuthorizationPolicy\n", ""), "`kind` is missing"),
        (POLICY.replace("  name: a\n", ""), "`metadata.name` is missing"),
    ] {
        let (_, refused) = loaded(&text);
        let problem = refused.problems.first().expect("said");
        assert!(problem.kind == ProblemKind::Misfit && problem.message.contains(missing), "{}", problem.message);
        assert_eq!((refused.counts.skipped, refused.counts.mesh_resources), (1, 1), "{text}");
    }
    let (_, values) = loaded("replicas: 3\nimage: {tag: x}\n---\n- op: add\n  path: /x\n");
    assert_eq!((values.problems.len(), values.counts.skipped, values.counts.mesh_resources), (0, 2, 0));
}

#[test]
fn a_field_that_is_null_is_absent_and_an_item_that_is_null_is_refused() {
    let (_, closed) = loaded(&format!("{POLICY}spec:\n"));
    assert!(closed.problems.is_empty());
    assert!(closed.mesh.authorization_policies.first().is_some_and(|policy| policy.spec.rules().is_empty()));
    let (files, refused) = loaded(&format!("{POLICY}spec:\n  rules:\n  -\n"));
    let problem = refused.problems.first().expect("refused");
    assert_eq!((problem.kind, files.slice(problem.span)), (ProblemKind::Misfit, "-"));
}

#[test]
fn objects_of_two_directories_that_differ_are_one_problem() {
    let object = |name: &str, action: &str| {
        format!(
            "{}spec: {{action: {action}, rules: [{{}}]}}\n---\n",
            POLICY.replace("name: a", &format!("name: {name}"))
        )
    };
    let files = [
        ("base/x/a.yaml", object("a", "ALLOW")),
        ("base/y/b.yaml", object("b", "ALLOW")),
        ("overlay/all.yaml", object("a", "DENY") + &object("b", "DENY")),
        ("other/c.yaml", object("c", "ALLOW")),
        ("other/d.yaml", object("c", "DENY")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (_, loaded) = loaded_files(&files, &LoadOptions::default());
    let messages: Vec<&str> = loaded.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "AuthorizationPolicy shop/a is written more than once, with different contents, and so is 1 more object of \
             `base` in `overlay`",
            "AuthorizationPolicy shop/c is written more than once, with different contents",
        ]
    );
    assert_eq!(loaded.counts.repeated, 3);
}

#[test]
fn of_one_object_written_twice_the_last_acts_and_equal_ones_are_one() {
    let deny = format!("{POLICY}spec: {{action: DENY, rules: [{{}}]}}\n");
    let (_, same) = loaded_files(&[("a.yaml", POLICY), ("b.yaml", POLICY)], &LoadOptions::default());
    assert!(same.problems.is_empty() && same.mesh.authorization_policies.len() == 1);
    let (files, differ) = loaded_files(&[("x/a.yaml", POLICY), ("y/b.yaml", &deny)], &LoadOptions::default());
    let problem = differ.problems.first().expect("a duplicate");
    assert_eq!((problem.kind, files.name(problem.span.file)), (ProblemKind::Duplicate, "x/a.yaml"));
    let policy = differ.mesh.authorization_policies.first().expect("one acts");
    assert_eq!(policy.spec.action(), meshlint::model::Action::Deny);
}

#[test]
fn mesh_settings_come_from_a_config_map_or_an_operator() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-canary, namespace: istio-system}\ndata:\n  mesh: |\n    trustDomain: a.example\n";
    assert_eq!(loaded(map).1.mesh.settings.trust_domain(), "a.example");
    let operator = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: x}\nspec: {meshConfig: {rootNamespace: root}}\n";
    assert_eq!(loaded(operator).1.mesh.settings.root_namespace(), "root");
    let sail = "apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: {name: x}\nspec: {values: {meshConfig: {trustDomain: b}}}\n";
    assert_eq!(loaded(sail).1.mesh.settings.trust_domain(), "b");
}
