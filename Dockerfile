# The service in an image: docker build -t pathlight .
#
#   docker run --rm -v pathlight-models:/models pathlight models fetch
#   docker run -d --network host -v pathlight-data:/data -v pathlight-models:/models pathlight
#
# It listens on 127.0.0.1 as everywhere else: with --network host a proxy on the machine reaches it. To be reached from
# other containers it needs `host` and `trusted_proxy` (docs/operations.md).

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       pkg-config libopenblas-dev liblapacke-dev libsqlite3-dev libcurl4-openssl-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# Dependencies first: they change less often than the sources.
COPY Package.swift ./
COPY Package.resolve[d] ./
RUN swift package resolve
COPY Sources ./Sources
COPY Tests ./Tests
COPY Benchmarks ./Benchmarks
RUN swift build -c release --product pathlight \
    && install -s -D .build/release/pathlight /out/pathlight

# Debian with Swift's shared libraries, and without its compiler.
FROM swift:6.3-bookworm-slim
# A test holds this list against what the program loads (Tests/blackbox/test_packaging.py).
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       ca-certificates libcurl4 libgcc-s1 libgfortran5 liblapacke libopenblas0-pthread libquadmath0 libsqlite3-0 \
       libstdc++6 libtmglib3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin pathlight \
    && install -d -o pathlight -g pathlight -m 0700 /data \
    && install -d -o pathlight -g pathlight -m 0755 /models
COPY --from=build /out/pathlight /usr/local/bin/pathlight
COPY --chown=pathlight:pathlight models/manifest.json /models/manifest.json
COPY --chown=pathlight:pathlight models/all-MiniLM-L6-v2-occupations /models/all-MiniLM-L6-v2-occupations
ENV PATHLIGHT_DATA=/data PATHLIGHT_MODELS=/models PATHLIGHT_LOG_FORMAT=json
# Everything that the service writes. Models are mounted, or fetched into /models.
VOLUME /data
WORKDIR /data
USER pathlight
EXPOSE 8080
STOPSIGNAL SIGTERM
# Bash speaks TCP by itself; there is no other client in the image.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PATHLIGHT_PORT:-8080} && printf 'GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep -q alive <&3"]
# No shell in between, which would keep SIGTERM to itself.
ENTRYPOINT ["/usr/local/bin/pathlight"]
CMD ["serve"]
