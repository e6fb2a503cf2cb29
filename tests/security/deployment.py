"""What may be wrong with containers and servers as they are described in `deploy/`: told from the files alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PORTS_OF_OTHERS = {"6379", "6380", "9090", "26379"}  # of Redis and of admin pages: never for the world


def findings(path: Path) -> list[str]:
    """In words, each with the file's name. A file of no kind we know has none."""
    return [f"{path.name}: {words}" for words in _of(path)]


def _of(path: Path) -> Iterator[str]:
    if path.name.startswith(("Dockerfile", "Containerfile")) or path.suffix == ".dockerfile":
        yield from _of_image(path.read_text())
    elif path.suffix in (".yaml", ".yml"):
        for document in yaml.safe_load_all(path.read_text()):
            yield from _of_document(document)
    elif path.suffix == ".conf" and path.name.startswith(("valkey", "redis")):
        yield from _of_server(path.read_text())


def _of_image(text: str) -> Iterator[str]:
    lines = [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip() and line[0] != "#"]
    users = [words[1] for words in lines if words[0].upper() == "USER"]
    if not users or users[-1].partition(":")[0] in ("root", "0"):
        yield "runs as root: name a USER"
    for words in lines:
        if words[0].upper() == "ADD" and any("://" in word for word in words):
            yield "ADD fetches without looking at a hash"
        if words[0].upper() in ("ENV", "ARG") and re.search(
            r"(SECRET|PASSWORD|_KEY|TOKEN)\w*[= ]\S", " ".join(words[1:])
        ):
            yield f"{words[1].partition('=')[0]} puts a secret into the image"
    yield from _of_bases(lines)


def _of_bases(lines: list[list[str]]) -> Iterator[str]:
    """What each stage begins with: an image, or a stage before it. An argument is what it is unless it is given."""
    given = dict(words[1].partition("=")[::2] for words in lines if words[0].upper() == "ARG")
    stages = {"scratch"}
    for words in (words for words in lines if words[0].upper() == "FROM"):
        base = re.sub(r"\$\{(\w+)\}", lambda name: given.get(name[1], ""), words[1])
        if base not in stages and (base.endswith(":latest") or not re.search("[:@]", base)):
            yield f"{base} is another image tomorrow"
        stages.add(words[-1])


def _of_server(text: str) -> Iterator[str]:
    """Of Redis and Valkey: a directive a line."""
    words = [line.split(None, 1) for line in text.splitlines() if not line.startswith("#")]
    lines = dict(directive for directive in words if len(directive) == 2)
    bound = lines.get("bind", "*").split()
    if {"*", "0.0.0.0", "::", "-::*"} & set(bound) and "requirepass" not in lines and "aclfile" not in lines:
        yield "listens to everybody without a password"
    if lines.get("protected-mode") == "no":
        yield "protected-mode is off"


def _of_document(document: Any) -> Iterator[str]:
    if isinstance(document, dict) and isinstance(document.get("services"), dict):
        for name, service in document["services"].items():
            yield from (f"{name} {words}" for words in _of_service(service))
    yield from _of_node(document, {})


def _of_service(service: dict[str, Any]) -> Iterator[str]:
    """Of Compose."""
    if not service.get("read_only"):
        yield "has a root that it may write to: read_only"
    if "ALL" not in service.get("cap_drop", ()):
        yield "keeps capabilities: cap_drop: [ALL]"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may gain privileges: security_opt"
    if service.get("privileged") or service.get("network_mode") == "host" or service.get("pid") == "host":
        yield "is the host"
    for port in service.get("ports", ()):
        if set(re.split(r"[:/]", str(port))) & PORTS_OF_OTHERS and not str(port).startswith("127.0.0.1:"):
            yield f"publishes {port}"


def _of_node(node: Any, pod: dict[str, Any]) -> Iterator[str]:
    """Of Kubernetes: every pod, however deep it lies."""
    if isinstance(node, dict):
        if isinstance(node.get("containers"), list):
            yield from _of_pod(node)
        if node.get("type") in ("LoadBalancer", "NodePort"):
            ports = {str(port.get("port")) for port in node.get("ports", ())}
            yield from (f"publishes {port}" for port in sorted(ports & PORTS_OF_OTHERS))
        for value in node.values():
            yield from _of_node(value, pod)
    elif isinstance(node, list):
        for value in node:
            yield from _of_node(value, pod)


def _of_pod(pod: dict[str, Any]) -> Iterator[str]:
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "is the host"
    if any("hostPath" in volume for volume in pod.get("volumes", ())):
        yield "mounts the host's files"
    for container in [*pod["containers"], *pod.get("initContainers", ())]:
        rights = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
        name = container.get("name", "?")
        if not rights.get("runAsNonRoot"):
            yield f"{name} may run as root: runAsNonRoot"
        if not rights.get("readOnlyRootFilesystem"):
            yield f"{name} has a root that it may write to: readOnlyRootFilesystem"
        if rights.get("allowPrivilegeEscalation") is not False or rights.get("privileged"):
            yield f"{name} may gain privileges: allowPrivilegeEscalation"
        if "ALL" not in rights.get("capabilities", {}).get("drop", ()):
            yield f"{name} keeps capabilities: drop ALL"
