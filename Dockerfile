FROM oven/bun:1.4.5 AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml tsconfig.json ./
RUN bun install --frozen-lockfile
COPY src src
COPY views views
COPY public public
COPY scripts scripts
RUN bun run build:binary

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data s3-uploads && install -d -m 0700 -o s3-uploads /data
COPY --from=build /src/dist/s3-uploads /usr/local/bin/s3-uploads
USER s3-uploads
# In a container the server is reached from outside: it prints a sign-in link at its first start.
ENV S3_UPLOADS_HOST=0.0.0.0 S3_UPLOADS_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["s3-uploads", "health"]
ENTRYPOINT ["s3-uploads"]
