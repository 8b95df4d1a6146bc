# The program with everything, its tables compiled in; by default the dashboard, as a user without rights.
#   docker build -t anatomy . && docker run --read-only --tmpfs /tmp -p 8080:8080 anatomy
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p anatomy --features full \
 && install -D target/release/anatomy /rootfs/usr/local/bin/anatomy

FROM debian:bookworm-slim
COPY --from=build /rootfs/ /
RUN useradd --system --no-create-home --uid 10001 anatomy
USER 10001
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["anatomy"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
