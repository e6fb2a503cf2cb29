"""A plan that is made once more: the same generation, as long as all that it is made by is still the same."""

from collections.abc import Iterator

from darkroom.catalog import Catalog
from darkroom.contract.generation import MAX_SEED
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import Refiner
from darkroom.contract.vae import NamedVae
from darkroom.errors import Gone, InvalidField


def plan_again(
    plan: GenerationPlan, catalog: Catalog, *, now: float, accepted_at: float, seed: int | None = None
) -> GenerationPlan:
    """`plan` to the last bit, but for its seeds, if there is a `seed`, and its deadline: as long from `now` as it was
    from `accepted_at`. Times are Unix seconds.

    Raises: Gone when something that it was made by is not there any more, or not the same; ModelError when that is
        configured but broken.
    """
    try:
        for kind, name, same in _parts(plan, catalog):
            if not same:
                raise Gone(f"the {kind} {name!r} is not the one any more that this generation was made by")
    except InvalidField as error:
        raise Gone(f"of what this generation was made by: {error.detail}") from None
    seeds = plan.seeds if seed is None else tuple((seed + i) % (MAX_SEED + 1) for i in range(len(plan.seeds)))
    deadline = None if plan.deadline_at is None else now + (plan.deadline_at - accepted_at)
    return plan.model_copy(update={"seeds": seeds, "deadline_at": deadline})


def _parts(plan: GenerationPlan, catalog: Catalog) -> Iterator[tuple[str, str, bool]]:
    """Kind and name of everything that makes the plan's pictures, and whether it still has the same content.

    Raises: InvalidField for a name that nothing has any more; ModelError.
    """
    models = [(plan.model, plan.weights)]
    models += [(stage.model, stage.weights) for stage in plan.later_stages if isinstance(stage, Refiner)]
    for name, weights in models:
        yield "model", name, catalog.spec(name).weights == weights
    for lora in plan.loras:
        yield "LoRA", lora.model, catalog.loras.spec(lora.model, "loras").sha256 == lora.sha256
    if isinstance(plan.vae, NamedVae):
        yield "VAE", plan.vae.name, catalog.vaes.spec(plan.vae.name, "vae").sha256 == plan.vae.sha256
    for control in plan.controls:
        net = control.net
        yield "ControlNet", net.name, catalog.controlnets.spec(net.name, "controlnets").sha256 == net.sha256
        if control.preprocess:
            made_by = catalog.preprocessors.spec(control.type, "controlnets").digest
            yield "preprocessor", control.type, made_by == control.preprocessor
    for used in plan.embeddings:
        embedding = catalog.embeddings.spec(used.name)
        yield "embedding", used.name, embedding is not None and embedding.sha256 == used.sha256
