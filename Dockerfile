# syntax=docker/dockerfile:1
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json tsconfig.browser.json ./
COPY config config
COPY docs docs
COPY migrations migrations
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
# How the program is started is the same in `npm start`; why: docs/operating.md, "What it uses".
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY config config
COPY LICENSE ./
COPY --chmod=0555 <<'SH' /usr/local/bin/aldis
#!/bin/sh
exec node --enable-source-maps /app/dist/src/cli/main.js "$@"
SH
# The node's keys live here; the folder is the node's own or it does not start.
RUN install -d -o node -g node -m 0700 /var/lib/aldis
VOLUME /var/lib/aldis
USER node
EXPOSE 8443 8444
# The operations listener is on loopback, inside the container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.OPS_PORT ?? '9464') + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=16", "--expose-gc", "dist/src/main.js"]
