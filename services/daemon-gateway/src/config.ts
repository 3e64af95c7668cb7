/**
 * The gateway's settings: one zod object, read once in `main.ts`.
 *
 * Law: every variable has a meaning; what all services share comes from the engine.
 */
import { z } from 'zod';
import { settingFields } from '@makima/engine/settings';
import { secret, setting } from '@makima/runtime/config';
import { logLevels } from '@makima/runtime/log';

export const gatewayConfig = z.object({
  DATABASE_URL: secret(setting.url(['postgres', 'postgresql']), 'Postgres, with user and password'),
  REDIS_URL: secret(setting.url(['redis', 'rediss']), 'Redis, with its password'),
  PORT: setting
    .port()
    .default(7401)
    .describe('TCP port of the socket, of health and metrics; 0 lets the system choose'),
  HOST: setting.text().default('127.0.0.1').describe('address to listen on; loopback by default'),
  LOG_LEVEL: setting
    .choice(logLevels)
    .default('info')
    .describe('least severe level that is logged'),
  MAKIMA_ALLOWED_HOSTS: setting
    .list()
    .default([])
    .describe('further host names, with or without a port, under which daemons connect'),
  MAKIMA_GATEWAY_UPGRADES_PER_SECOND: setting
    .int({ min: 1 })
    .default(300)
    .describe('connections admitted per second; more are asked to come later'),
  MAKIMA_GATEWAY_SOCKETS_MAX: setting
    .int({ min: 1 })
    .default(12_000)
    .describe('connections of one process'),
  MAKIMA_RACE: setting
    .text()
    .optional()
    .describe('racepoints of chaos tests; never set it in production'),
  ...settingFields,
});

export type GatewayConfig = z.infer<typeof gatewayConfig>;
