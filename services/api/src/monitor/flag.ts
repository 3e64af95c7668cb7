/** The flag `monitoring_dashboard`: off, monitor and dashboard are not there. */
import { MakimaError } from '@makima/domain/error';
import type { Engine } from '@makima/engine/context';

/** @throws NOT_FOUND */
export function requireMonitoring(engine: Engine): void {
  if (engine.settings.features.monitoringDashboard) return;
  throw new MakimaError('NOT_FOUND', 'monitoring is switched off in this installation', {
    fix: 'set monitoring_dashboard = true under [feature_flags]',
  });
}
