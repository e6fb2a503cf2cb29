"""The C2PA manifest of a picture (specification 2.2): what it says, and what it keeps to itself.

The tenant is left out, and the prompt unless the operator's policy says otherwise.
`created` puts an assertion among those the signer vouches for.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

import darkroom
from darkroom.contract.plan import MEDIA_TYPES, GenerationPlan
from darkroom.contract.vae import NamedVae
from darkroom.provenance.ancestry import bare, labels
from darkroom.provenance.facts import Facts
from darkroom.provenance.policy import OMIT, Policy, source_type
from darkroom.provenance.watermark import UNMARKED

ACTIONS: Final = "c2pa.actions.v2"
SOFT_BINDING: Final = "c2pa.soft-binding"
TRAINING_MINING: Final = "cawg.training-mining"
GENERATION: Final = "org.darkroom.generation"

Json = dict[str, Any]


def manifest(facts: Facts, alg: str, value: str, policy: Policy = OMIT) -> Json:
    """The definition to sign.

    `alg` and `value` are the watermark's; unmarked pictures get no soft binding and do not claim one.
    """
    marked = alg != UNMARKED
    assertions = [
        _assertion(ACTIONS, {"actions": _actions(facts, marked, policy), "allActionsIncluded": True}),
        _assertion(TRAINING_MINING, {"entries": _mining_rules()}),
        _assertion(GENERATION, _generation(facts) | policy.words(facts.plan)),
    ]
    if marked:
        assertions.append(_assertion(SOFT_BINDING, soft_binding(alg, value)))
    return {
        "title": facts.title,
        "format": MEDIA_TYPES[facts.plan.output_format],
        "claim_generator_info": [{"name": "darkroom", "version": darkroom.__version__}],
        "ingredients": bare(facts.inputs),
        "assertions": assertions,
    }


def soft_binding(alg: str, value: str) -> Json:
    return {"alg": alg, "blocks": [{"scope": {}, "value": value}]}


def _assertion(label: str, data: Json) -> Json:
    return {"label": label, "created": True, "data": data}


def _actions(facts: Facts, marked: bool, policy: Policy) -> list[Json]:
    """How it came to be. Stages after the first are parts of one making."""
    agent = {"name": "darkroom", "version": darkroom.__version__}
    parents, others = labels(facts.inputs, "parentOf"), labels(facts.inputs, "inputTo")
    made = {"action": "c2pa.created", "digitalSourceType": source_type(facts.plan.task), "softwareAgent": agent}
    made |= _using(others)
    if parents:
        opened = {"action": "c2pa.opened", "softwareAgent": agent, **_using(parents)}
        actions = [opened, made | {"action": "c2pa.edited"}]
    else:
        actions = [made]
    if label := policy.label_on(facts.plan):
        # C2PA 2.2: "(visible) Textual content was inserted into the asset"
        actions.append({"action": "c2pa.addedText", "softwareAgent": agent, "description": f"label: {label.text}"})
    return [*actions, {"action": "c2pa.watermarked", "softwareAgent": agent}] if marked else actions


def _using(inputs: list[str]) -> Json:
    return {"parameters": {"ingredientIds": inputs}} if inputs else {}


def _mining_rules() -> Json:
    return {
        "cawg.ai_generative_training": {"use": "notAllowed"},
        "cawg.ai_training": {"use": "notAllowed"},
        "cawg.data_mining": {"use": "notAllowed"},
        "cawg.ai_inference": {"use": "allowed"},
    }


def _generation(facts: Facts) -> Json:
    plan = facts.plan
    width, height = facts.size or plan.final_size
    weights = json.dumps(plan.weights, sort_keys=True, separators=(",", ":"))
    return {
        "model": plan.model,
        "weights_sha256": hashlib.sha256(weights.encode()).hexdigest(),
        "loras": [{"sha256": lora.sha256, "weight": lora.weight} for lora in plan.loras],
        "embeddings": [embedding.sha256 for embedding in plan.embeddings],
        **({"vae": plan.vae.sha256} if isinstance(plan.vae, NamedVae) else {}),
        **({"controlnets": _controls(plan)} if plan.controls else {}),
        "task": plan.task,
        "seed": facts.seed,
        "steps": plan.steps,
        "guidance_scale": plan.guidance_scale,
        "scheduler": plan.scheduler,
        "width": width,
        "height": height,
        "later_stages": [stage.model_dump(mode="json") for stage in plan.later_stages],
        "created_at": datetime.fromtimestamp(facts.created_at, UTC).isoformat(timespec="seconds"),
        "versions": dict(facts.versions),
    }


def _controls(plan: GenerationPlan) -> list[Json]:
    """What steered the composition, without the pictures that did, which are the caller's own."""
    return [
        {
            "type": control.type,
            "sha256": control.net.sha256,
            "scale": control.scale,
            "preprocessor": control.preprocessor,
        }
        for control in plan.controls
    ]
