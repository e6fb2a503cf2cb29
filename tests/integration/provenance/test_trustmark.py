"""The child that inspects, with networks to run."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.inspection.process import InspectorApart
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.ring import KeyRing
from tests.unit.provenance.making import MARK_ID, SECRET, clouds, encoded
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
