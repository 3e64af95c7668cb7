/**
 * What the gateway counts.
 *
 * Law: labels are closed words; no daemon, owner or address.
 */
import type { Metrics } from '@makima/runtime/metrics';

export type GatewayMetrics = ReturnType<typeof gatewayMetrics>;

export function gatewayMetrics(metrics: Metrics) {
  return {
    upgrades: metrics.counter({
      name: 'makima_gateway_upgrades_total',
      help: 'Asked-for connections by outcome (open, or the status of the refusal).',
      labels: ['outcome'],
    }),
    closes: metrics.counter({
      name: 'makima_gateway_closes_total',
      help: 'Ended connections by close code.',
      labels: ['code'],
    }),
    frames: metrics.counter({
      name: 'makima_gateway_frames_total',
      help: 'Frames of daemons by type (malformed: did not fit).',
      labels: ['type'],
    }),
    reports: metrics.counter({
      name: 'makima_gateway_reports_total',
      help: 'Reports applied.',
    }),
    commands: metrics.counter({
      name: 'makima_gateway_commands_total',
      help: 'Commands sent; a command that is sent again counts again.',
    }),
    fenced: metrics.counter({
      name: 'makima_gateway_fenced_total',
      help: 'Writes of an older connection that were refused.',
    }),
    heartbeats: metrics.counter({
      name: 'supervisor_heartbeats_total',
      help: 'Heartbeats of supervisors that were kept.',
    }),
    superseded: metrics.counter({
      name: 'makima_gateway_beats_superseded_total',
      help: 'Signs of life of agents in heartbeats that gave way to a newer one of their daemon unread.',
    }),
    applySeconds: metrics.histogram({
      name: 'makima_gateway_apply_seconds',
      help: 'Time from a frame of reports to its ack, in seconds.',
    }),
  };
}
