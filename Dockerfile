# The server with its pages and a coturn beside it.
#   docker build -t partyline .
#   docker run -p 8080:8080 -p 3478:3478 -p 3478:3478/udp -v partyline-data:/data partyline
# A TURN server also needs its relay range published, and the address that the world sees: README.md, "Containers".
# The C library decides whether uWebSockets.js loads: with Node 22 it takes glibc 2.38 (Debian 13) or newer.
ARG NODE_IMAGE=node:22-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json vite.config.ts ./
COPY signaling signaling
COPY turn turn
COPY web web
RUN npm run build && npm prune --omit=dev
# uWebSockets.js comes with a binary for every platform, 250 MB together; one of them is used.
RUN find node_modules/uWebSockets.js -name 'uws_*.node' \
  ! -name "uws_linux_$(node -p process.arch)_$(node -p process.versions.modules).node" -delete

FROM ${NODE_IMAGE}
RUN apt-get update \
  && apt-get install --yes --no-install-recommends coturn \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data
WORKDIR /app
COPY package.json LICENSE signaling/setup/container-health.mjs ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
ENV NODE_ENV=production PARTYLINE_DATA_FOLDER=/data
USER node
VOLUME /data
EXPOSE 8080 3478 3478/udp
HEALTHCHECK --interval=10s --timeout=5s CMD ["node", "container-health.mjs"]
ENTRYPOINT ["node", "dist/signaling/cli.js"]
