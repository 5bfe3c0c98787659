"""A world as istiod translated it: who is there, and the doors that requests enter by."""

import copy
from dataclasses import dataclass, field


@dataclass
class Door:
    """A port of a proxy (or of an application without one) that something can connect to."""

    kind: str  # "inbound", "gateway", "client", "bare"
    name: str  # who answers there, in the words of `at`
    pod: int
    address: str
    port: int
    listener: dict = field(default_factory=dict)
    endpoints: list = field(default_factory=list)  # behind the Service that a client dials

    def place(self) -> str:
        """What tells the door from all others."""
        return f"{self.address}:{self.port}"


class Cast:
    """Names, addresses and configurations of one translation."""

    READY = 29999
    ELSEWHERE = ("127.0.0.1", 29998)  # stands for hosts outside of the mesh: somebody answers, whoever it is

    def __init__(self, translation: dict):
        self.pods = translation.get("pods") or []
        self.services = translation.get("services") or []
        self.gateways = translation.get("gateways") or []
        self.objects = translation.get("objects") or []
        self.rejected = translation["rejected"] or []
        self.token_places = _token_places(self.objects)
        self.authority = translation["authority"]
        self.certificates = translation["certificates"]
        self.trust_domain = translation["trustDomain"]
        self.proxies = translation.get("proxies") or []
        for proxy in self.proxies:
            proxy["endpoints"] = {each.get("clusterName"): each for each in proxy["endpoints"]}
        self._proxies = {proxy["pod"]: proxy for proxy in self.proxies}
        self._passthrough = {
            (proxy["pod"], cluster["name"]) for proxy in self.proxies for cluster in proxy["clusters"]
            if cluster.get("type") == "ORIGINAL_DST" and not cluster["name"].lower().startswith("inbound")
        }
        self._names = [f"{pod['namespace']}/{pod['name']}" for pod in self.pods]

    def name(self, index: int) -> str:
        """A workload as answers name it: with its kind where two share a name."""
        pod, name = self.pods[index], self._names[index]
        if self._names.count(name) > 1:
            return f"{pod['namespace']}/{pod['kind']}/{pod['name']}"
        return name

    def pod(self, name: str) -> int | None:
        """The pod of a workload's name."""
        found = [index for index in range(len(self.pods)) if self.name(index) == name]
        return found[0] if found else None

    @staticmethod
    def echo_port(pod: int) -> int:
        """Where the application behind a pod's proxy reads HTTP."""
        return 20000 + pod

    @staticmethod
    def bytes_port(pod: int) -> int:
        """Where it takes any bytes."""
        return 22000 + pod

    @staticmethod
    def bare_port(pod: int) -> int:
        """Where it reads HTTP/1 by itself, as nothing has touched it."""
        return 24000 + pod

    @staticmethod
    def sniffing_port(pod: int) -> int:
        """Where it takes any bytes, HTTP/2 among them."""
        return 26000 + pod

    @staticmethod
    def cluster(pod: int, name: str) -> str:
        """A cluster's name within the whole configuration."""
        return f"{pod};{name}"

    def route_table(self, pod: int, name: str) -> dict:
        """A proxy's route table."""
        for table in self._proxies[pod]["routes"]:
            if table.get("name") == name:
                return copy.deepcopy(table)
        return {"name": name, "virtualHosts": []}

    def service(self, namespace: str, name: str) -> dict | None:
        """A Service."""
        found = [each for each in self.services if (each["namespace"], each["name"]) == (namespace, name)]
        return found[0] if found else None

    def targets(self, service: dict, port: int) -> list[dict]:
        """The pods behind a Service's port."""
        ports = [each for each in service.get("ports") or [] if each["number"] == port]
        return ports[0]["targets"] if ports else []

    def endpoints(self, service: dict, port: int) -> list[tuple[str, int]]:
        """The addresses behind a Service's port."""
        return [(self.pods[each["pod"]]["address"], each["port"]) for each in self.targets(service, port)]

    def addresses(self, service: dict, port: int) -> list[str]:
        """The addresses that a client dials: a headless Service has but those of its pods."""
        if service["address"] != "None":
            return [service["address"]]
        return [self.pods[each["pod"]]["address"] for each in self.targets(service, port)]

    def is_passthrough(self, pod: int, cluster: str) -> bool:
        """Whether a proxy's cluster leads to where the client dialled."""
        return (pod, cluster) in self._passthrough

    def doors(self) -> list[Door]:
        """Every door of a proxy that listens for others."""
        found = []
        for proxy in self.proxies:
            index = proxy["pod"]
            pod = self.pods[index]
            for listener in proxy["listeners"]:
                if pod["router"]:
                    port = listener["address"]["socketAddress"]["portValue"]
                    name = f"gateway {self.name(index)}"
                    found.append(Door("gateway", name, index, pod["address"], port, listener))
                elif listener["name"] == "virtualInbound":
                    for port in pod["ports"] or []:
                        if port["captured"]:
                            name = f"workload {self.name(index)}"
                            found.append(Door("inbound", name, index, pod["address"], port["number"], listener))
        return found

    def bare_doors(self) -> list[Door]:
        """Ports without a proxy in front."""
        found = []
        for index, pod in enumerate(self.pods):
            for port in pod["ports"] or []:
                if not port["captured"] and not pod["router"]:
                    found.append(Door("bare", f"workload {self.name(index)}", index, pod["address"], port["number"]))
        return found

    def client_door(self, index: int, service: dict, port: int, dialled: str, number: int) -> Door | None:
        """The way out of a pod's own sidecar to a Service's port."""
        listeners = {each["name"]: each for each in self._proxies[index]["listeners"]}
        names = f"{dialled}_{port}", f"0.0.0.0_{port}", "virtualOutbound"
        listener = next((listeners[name] for name in names if name in listeners), None)
        if listener is None:
            return None
        address = f"127.{64 + number // 200}.{number % 200}.1"
        name = f"client {self.name(index)}"
        behind = self.endpoints(service, port)
        if service["address"] == "None":
            behind = [each for each in behind if each[0] == dialled]
        return Door("client", name, index, address, port, listener, behind)

    def clients(self, source: str | None, workload: str | None) -> list[int]:
        """The pods with a sidecar that have an identity."""
        return [
            index for index, pod in enumerate(self.pods)
            if pod["identity"] == source and pod["sidecar"] and workload in (None, self.name(index))
        ]


def _token_places(objects: list[dict]) -> dict:
    """Where a token of each issuer goes: where the first rule of that issuer looks first."""
    found = {}
    for each in objects:
        for rule in each.get("spec", {}).get("jwtRules", []) if each["kind"] == "RequestAuthentication" else []:
            place = {"header": "authorization", "prefix": "Bearer "}
            if rule.get("fromHeaders"):
                first = rule["fromHeaders"][0]
                place = {"header": first["name"], "prefix": first.get("prefix", "")}
            elif rule.get("fromParams"):
                place = {"param": rule["fromParams"][0]}
            elif rule.get("fromCookies"):
                place = {"cookie": rule["fromCookies"][0]}
            found.setdefault(rule.get("issuer"), place)
    return found
