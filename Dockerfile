# One image per service: docker build --build-arg SERVICE=api .
# The workspace keeps its layout: Node runs the TypeScript files as they are, but not below node_modules.
ARG NODE_IMAGE=node:24-bookworm-slim
FROM ${NODE_IMAGE} AS base
ENV CI=true NODE_ENV=production
WORKDIR /app

FROM base AS deps
RUN npm install --global --ignore-scripts @pnpm/exe.linux-x64@12.21.0 2>/dev/null || true
RUN ln -sf "$(npm root --global)/@pnpm/exe.linux-x64/pnpm" /usr/local/bin/pnpm && pnpm --version
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY patches patches
COPY packages packages
COPY services services
COPY apps apps
COPY tools tools
COPY tests tests
ARG SERVICE
RUN pnpm install --prod --frozen-lockfile --ignore-scripts --filter "@makima/${SERVICE}..." --filter "@makima/db..."

FROM base AS run
COPY --from=deps --chown=node:node /app /app
ARG SERVICE
ENV SERVICE=${SERVICE} HOST=0.0.0.0
USER node
# The database is brought to the newest schema by whichever container comes first, under a lock.
CMD ["sh", "-c", "node packages/db/src/migrate-cli.ts && exec node services/${SERVICE}/src/main.ts"]
