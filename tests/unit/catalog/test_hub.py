"""Hub ids: what is one, and where it lies in the cache of the hub's client. Nothing reaches a network."""

from pathlib import Path

import pytest

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.hub import HubId, cache_folder, commit_of, hub_id, located
from darkroom.catalog.registry import embedded_loras, read_catalog

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put(cache: Path, repository: str, source: Path, commit: str = COMMIT) -> Path:
    """As the hub's client keeps the branch `main`."""
    place = cache / f"models--{repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True, exist_ok=True)
    (place / "refs" / "main").write_text(commit)
    (place / "snapshots").mkdir(exist_ok=True)
    (place / "snapshots" / commit).symlink_to(source)
    return place / "snapshots" / commit


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hf:owner/name", HubId("owner", "name")),
        ("hf:owner/name-v1.5", HubId("owner", "name-v1.5")),
        ("hf:owner/name@v2", HubId("owner", "name", "v2")),
        ("hf:owner/name@refs/pr/1", HubId("owner", "name", "refs/pr/1")),
        (f"hf:owner/name@{COMMIT}", HubId("owner", "name", COMMIT)),
        ("hf:owner/name:a/b.safetensors", HubId("owner", "name", "main", "a/b.safetensors")),
        ("hf:owner/name@v2:b.safetensors", HubId("owner", "name", "v2", "b.safetensors")),
    ],
)
def test_an_id_is_owner_and_name_with_revision_and_file(words: str, expected: HubId) -> None:
    assert hub_id(Path(words)) == expected


@pytest.mark.parametrize(
    "words",
    [
        "/models/sd15",
        "~/models/sd15",
        "hf:name",
        "hf:a/b/c",
        "../name",
        "hf:owner/name@../../etc",
        "hf:owner/name:../../etc/passwd",
        "hf:owner/..",
        "hf:owner/name@",
        "owner/na me",
    ],
)
def test_what_is_no_id_is_a_path(words: str) -> None:
    assert hub_id(Path(words)) is None


@pytest.mark.parametrize("words", ["models/sd15", "owner/name@v1", "owner/name:x.safetensors"])
def test_a_path_that_leads_nowhere_is_no_id(words: str) -> None:
    assert hub_id(Path(words)) is None


def test_only_commits_are_pinned() -> None:
    assert HubId("owner", "name", COMMIT).is_pinned
    assert not HubId("owner", "name", "main").is_pinned
    assert not HubId("owner", "name", COMMIT[:7]).is_pinned


def test_a_model_from_the_cache_is_served_and_its_commit_is_known(cache: Path) -> None:
    folder = put(cache, "owner/name", embedded_model_folder())

    catalog = read_catalog({"art": Path("hf:owner/name")}, default="art", digests=DigestCache())

    (spec,) = catalog.specs()
    assert (spec.path, spec.revision) == (str(folder), COMMIT)
    assert commit_of(embedded_model_folder()) == ""


def test_a_revision_is_the_commit_it_was_when_it_was_downloaded(cache: Path) -> None:
    first = put(cache, "owner/name", embedded_model_folder(), OTHER)
    second = put(cache, "owner/name", embedded_model_folder())
    assert located(Path("hf:owner/name")) == second
    assert located(Path(f"hf:owner/name@{OTHER}")) == first


def test_what_was_not_downloaded_says_how_to(cache: Path) -> None:
    put(cache, "owner/name", embedded_model_folder())
    places = {
        "a": "hf:owner/other",
        "b": "hf:owner/name@v2",
        "c": f"hf:owner/name@{OTHER}",
        "d": "hf:owner/name:x.safetensors",
    }
    catalog = read_catalog(
        {name: Path(place) for name, place in places.items()},
        default="a",
        digests=DigestCache(),
        loras={"l": Path("hf:owner/lora")},
        vaes={"v": Path("hf:owner/vae")},
        embeddings={"e": Path("hf:owner/words")},
    )

    broken = [*catalog.unavailable(), *catalog.loras.unavailable(), *catalog.vaes.unavailable()]
    for entry in (*broken, *catalog.embeddings.unavailable()):
        assert entry.error.code == "missing_weights"
        assert entry.error.detail.endswith("not downloaded: run `darkroom pull`")
        assert str(cache) not in entry.error.detail


def test_a_repository_of_one_file_is_that_file_and_of_several_must_be_told(cache: Path, tmp_path: Path) -> None:
    outline = embedded_loras()["outline"]
    put(cache, "owner/lora", outline.parent)
    several = tmp_path / "several"
    several.mkdir()
    for name in ("a", "b"):
        (several / f"{name}.safetensors").symlink_to(outline)
    put(cache, "owner/loras", several)
    loras = {"one": "hf:owner/lora", "some": "hf:owner/loras", "b": "hf:owner/loras:b.safetensors"}

    catalog = read_catalog(
        {"tiny": embedded_model_folder()},
        default="tiny",
        digests=DigestCache(),
        loras={name: Path(place) for name, place in loras.items()},
    )

    assert [spec.name for spec in catalog.loras.specs()] == ["b", "one"]
    (entry,) = catalog.loras.unavailable()
    assert "hf:owner/loras@main:FILE" in entry.error.detail


@pytest.mark.parametrize("text", ["../../../etc", "", "main", "\xff"])
def test_a_damaged_reference_leads_nowhere(cache: Path, text: str) -> None:
    put(cache, "owner/name", embedded_model_folder())
    (cache / "models--owner--name" / "refs" / "main").write_text(text)
    catalog = read_catalog({"art": Path("hf:owner/name")}, default="art", digests=DigestCache())
    assert catalog.specs() == ()


def test_the_cache_is_where_the_hubs_client_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "huggingface" / "hub"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/huggingface/hub")
    monkeypatch.setenv("HF_HOME", "/hf")
    assert cache_folder() == Path("/hf/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/hub")
    assert cache_folder() == Path("/hub")
