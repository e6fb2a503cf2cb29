# syntax=docker/dockerfile:1.7
# Four images of one build: `gateway` and `courier`, which have no torch, and `worker-cpu` and `worker-cuda`.
#
#   docker build --target gateway -t darkroom-gateway .
#   docker build --target worker-cuda -t darkroom-worker-cuda .
#   docker build --target worker-cpu --build-arg TORCH_INDEX=... -t darkroom-worker-cpu .
#
# TORCH_INDEX is PyTorch's package index for CPU builds; without it pip takes what its own index has, which on x86-64 is a
# build for CUDA. For a release, pin the base by its digest: --build-arg PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:...
# A bill of materials is made by the builder: docker buildx build --sbom=true --provenance=mode=max ...
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# --- the wheel, from this repository alone ---------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS wheel
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
RUN --mount=type=cache,target=/root/.cache/pip pip install "hatchling==1.33.0" "build==1.6.1"
COPY pyproject.toml README.md LICENSE ./
COPY darkroom darkroom
COPY api api
COPY worker worker
RUN python -m build --wheel --no-isolation --outdir /wheel

# --- what each stands on: rebuilt only when a pin changes ------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS environment
# Without a pip of its own: that of the base installs into it, and stays behind with the base.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PYTHON=/opt/darkroom/bin/python
RUN python -m venv --without-pip /opt/darkroom
COPY deploy/image/trim.py /trim.py

FROM environment AS on-courier
COPY deploy/image/courier.txt /pins.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps --requirement /pins.txt && python /trim.py /opt/darkroom
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir --no-deps /wheel/darkroom-*.whl

FROM environment AS on-gateway
COPY deploy/image/gateway.txt /pins.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps --requirement /pins.txt && python /trim.py /opt/darkroom
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir --no-deps /wheel/darkroom-*.whl

# torch first and by itself: it is most of the image, and brings what its own build needs.
FROM environment AS on-cuda
COPY deploy/image/worker.txt /pins.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    grep '^torch==' /pins.txt > /torch.txt && pip install --requirement /torch.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps --requirement /pins.txt
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir --no-deps /wheel/darkroom-*.whl

FROM environment AS on-cpu
ARG TORCH_INDEX
COPY deploy/image/worker.txt /pins.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    grep '^torch==' /pins.txt > /torch.txt && pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} --requirement /torch.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps --requirement /pins.txt
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir --no-deps /wheel/darkroom-*.whl

# --- what runs: no pip, no compiler, nobody's root, and nothing that it may write but its home and /tmp --------------
FROM ${PYTHON_IMAGE} AS runtime
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin darkroom \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/darkroom
ENV PATH=/opt/darkroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/darkroom \
    DARKROOM_HOME=/var/lib/darkroom
USER 10001:10001
# Where anybody may stand, whoever the image is run as, and nobody can leave a module to be imported.
WORKDIR /
VOLUME /var/lib/darkroom
STOPSIGNAL SIGTERM
ENTRYPOINT ["darkroom"]

FROM runtime AS courier
COPY --from=on-courier /opt/darkroom /opt/darkroom
ENV DARKROOM_COURIER_METRICS_PORT=9102 DARKROOM_HOST=0.0.0.0
EXPOSE 9102
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9102/metrics', timeout=3)"]
CMD ["courier"]

FROM runtime AS gateway
COPY --from=on-gateway /opt/darkroom /opt/darkroom
ENV DARKROOM_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=3)"]
CMD ["api"]

# A worker takes its time to stop: compose and Kubernetes must grant it DARKROOM_DRAIN_SECONDS and 15 s more.
FROM runtime AS worker-cpu
COPY --from=on-cpu /opt/darkroom /opt/darkroom
ENV DARKROOM_METRICS_PORT=9101 DARKROOM_HOST=0.0.0.0 DARKROOM_DEVICE=cpu
EXPOSE 9101
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s CMD ["python", "-m", "worker.main", "probe"]
CMD ["worker"]

FROM runtime AS worker-cuda
COPY --from=on-cuda /opt/darkroom /opt/darkroom
ENV DARKROOM_METRICS_PORT=9101 DARKROOM_HOST=0.0.0.0 DARKROOM_DEVICE=cuda NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
EXPOSE 9101
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s CMD ["python", "-m", "worker.main", "probe"]
CMD ["worker"]
