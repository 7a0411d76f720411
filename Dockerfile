# syntax=docker/dockerfile:1
# Two images from one file:  docker build --target hub .   and   docker build --target worker .
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build-hub
WORKDIR /src
COPY . .
RUN python3 -m venv /opt/swarm \
 && /opt/swarm/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[hub,mcp,azure]'

FROM python:${PYTHON} AS build-worker
WORKDIR /src
COPY . .
RUN python3 -m venv /opt/swarm \
 && /opt/swarm/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[worker]'

FROM python:${PYTHON} AS base
# git is what agents and hub work with. There is no init in between: its environment would hold the worker's token, where
# the agent, which has the same user, could read it. Fly has an init of its own, Docker's is --init.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git ca-certificates openssh-client tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --home-dir /var/lib/swarm --create-home --shell /usr/sbin/nologin swarm
ENV PATH=/opt/swarm/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1

FROM base AS worker
# What agents reach for most; a repository's own tools come with an image that is made from this one.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ripgrep jq make \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build-worker /opt/swarm /opt/swarm
USER 10001
WORKDIR /var/lib/swarm
ENTRYPOINT ["swarm-worker"]

FROM base AS hub
COPY --from=build-hub /opt/swarm /opt/swarm
RUN install --directory --owner=swarm --group=swarm --mode=0700 /data
ENV HOST=0.0.0.0 \
    PORT=3000 \
    SWARM_DATA_DIR=/data
VOLUME /data
EXPOSE 3000
USER 10001
WORKDIR /var/lib/swarm
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:3000/health/live', timeout=4)"]
ENTRYPOINT ["swarm-hub"]
