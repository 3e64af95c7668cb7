# One image per service: docker build --build-arg SERVICE=api --tag makima-api .
# Why: a service holds what it runs and nothing else; tools, tests and embedded stores stay outside.
# Law: the workspace keeps its layout, for Node runs TypeScript as it is but not below node_modules; the process is
# an ordinary user who cannot change its own code.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS deps
WORKDIR /app
ARG PNPM=12.21.0
# The program itself: it needs neither corepack nor an install script.
RUN arch=$(node -p process.arch) \
 && npm install --global --ignore-scripts --no-audit --no-fund "@pnpm/exe.linux-${arch}@${PNPM}" \
 && ln -s "$(npm root --global)/@pnpm/exe.linux-${arch}/pnpm" /usr/local/bin/pnpm \
 && pnpm --version
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY patches patches
COPY packages packages
COPY services services
ARG SERVICE
# --filter-prod: what only tests of a service need (the embedded stores) is not followed. The four builds share one cache.
RUN --mount=type=cache,id=makima-pnpm,target=/pnpm \
    test -f "services/${SERVICE}/src/main.ts" \
 && CI=true pnpm install --store-dir /pnpm --prod --frozen-lockfile --ignore-scripts --filter-prod "@makima/${SERVICE}..." \
 && find services -mindepth 1 -maxdepth 1 ! -name "${SERVICE}" -exec rm -r {} + \
 && find node_modules/.pnpm \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete

FROM ${NODE_IMAGE} AS run
WORKDIR /app
COPY --from=deps /app /app
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/makima
ARG SERVICE
ENV NODE_ENV=production SERVICE=${SERVICE} HOST=0.0.0.0
USER node
# Whichever container comes first brings the database to the newest schema, under a lock; the others wait for it.
# The first process of a container must hear SIGTERM itself, also while it migrates.
CMD ["sh", "-c", "node packages/db/src/migrate-cli.ts & job=$!; trap 'kill $job' TERM INT; wait $job && trap - TERM INT && exec node services/$SERVICE/src/main.ts"]
