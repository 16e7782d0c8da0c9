# Yardarm itself. docker-compose.yml runs it beside a filtering proxy for the Docker socket.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# There is no .git here: `docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD) .` tells `yardarm --version`.
ARG COMMIT
RUN YARDARM_COMMIT=$COMMIT cargo build --release --locked --package yardarm

FROM debian:bookworm-slim
RUN groupadd --system --gid 10001 yardarm \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin yardarm \
    && install -d -o yardarm -g yardarm -m 0700 /var/lib/yardarm
COPY --from=build /src/target/release/yardarm /usr/local/bin/yardarm
COPY configs /etc/yardarm/configs

# Nothing but the database is written, so the root can be read-only. The settings are those of configs/yardarm.toml.
WORKDIR /etc/yardarm
USER 10001:10001
VOLUME /var/lib/yardarm
ENTRYPOINT ["yardarm"]
CMD ["up", "--set", "database.path=/var/lib/yardarm/yardarm.db", "--set", "http.listen=127.0.0.1:9464"]
# Docker restarts nobody for this; it is for whoever looks.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["yardarm", "health", "--address", "127.0.0.1:9464"]
