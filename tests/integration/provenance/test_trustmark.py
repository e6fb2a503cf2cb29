"""An installation that marks by networks, as its processes are wired."""

import io
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.provenance import State
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.ring import KeyRing
from darkroom.services import build_gateway_services, build_worker_services
from darkroom.settings import Settings
from tests.unit.provenance.making import MARK_ID, SECRET, clouds, decoded, encoded, facts, saved_as
from tests.unit.provenance.trustmark.stand_in import networks_in

LARGEST = 5300  # pixels a side: about as much as is let in


@pytest.mark.slow
async def test_a_child_reads_marks_of_networks_within_its_limits(tmp_path: Path) -> None:
    brief = Brief.of(KeyRing.of(SECRET), Trust(""), networks_in(tmp_path), networks_first=True)
    made = brief.watermarker.embed(clouds(512, 512), MARK_ID).rgb_HWC
    large = Image.fromarray(made).resize((LARGEST, LARGEST), Image.Resampling.BICUBIC)
    apart = InspectorApart(brief)
    try:
        for picture in (made, np.asarray(large)):
            evidence = await apart.inspect(io.BytesIO(encoded(picture, "JPEG", quality=90)))
            assert (evidence.alg, evidence.mark and evidence.mark.mark_id) == ("com.adobe.trustmark.Q", MARK_ID)
        unmarked = io.BytesIO(encoded(np.asarray(large)[::-1, : LARGEST // 3], "JPEG", quality=90))
        assert (await apart.inspect(unmarked)).mark is None
    finally:
        await apart.close()


@pytest.mark.slow
async def test_a_gateway_recovers_what_a_worker_marked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, watermark="trustmark-onnx", trustmark=asdict(networks_in(tmp_path)))
    worker, gateway = build_worker_services(settings), build_gateway_services(settings)
    try:
        told = facts(height=128, width=128)
        issued = await worker.stamper.issue(clouds(128, 128), told, worker.store, "images/01JOB/0")
        assert (await gateway.verifier.verify(issued.data)).state is State.INTACT
        stripped = encoded(saved_as(decoded(issued.data), "JPEG", 75))
        verdict = await gateway.verifier.verify(stripped)
        assert (verdict.state, verdict.watermark_id) == (State.RECOVERED, issued.watermark_id)
        match = await gateway.resolver.by_content(io.BytesIO(stripped), "com.adobe.trustmark.Q")
        assert match is not None
        assert match.manifest_id == issued.manifest_id
    finally:
        await gateway.close()
        await worker.close()
