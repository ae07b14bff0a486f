import type { FastifyPluginAsync } from 'fastify'
import { anomalyRoutes } from './console/routes/anomalies.tsx'
import { changeRoutes } from './console/routes/changes.tsx'
import { feedPauseRoutes } from './console/routes/feed-pauses.tsx'
import { governmentRoutes } from './console/routes/government.tsx'
import { registerRoutes } from './console/routes/registers.tsx'
import { reportRoutes } from './console/routes/reports.tsx'
import { retentionRoutes } from './console/routes/retention.tsx'
import type { Sessions } from './console/session.ts'
import type { Serving } from './listeners.ts'
import { seesSignals } from './participants/policy.ts'
import type { Parts } from './parts.ts'

/** The screens that governance works with, beside those over the log. */
export function oversightScreens(
  { clock, participants, programme, config, pools, authority }: Parts,
  { overseeing }: Pick<Serving, 'overseeing'>,
  sessions: Pick<Sessions, 'once'>,
): FastifyPluginAsync[] {
  const { publishing, anomalies, sourceHolds, retention, registers } = overseeing
  const common = { clock, participants, sessions, programme: programme.programme_id }
  return [
    async (app) => {
      await app.register(anomalyRoutes, {
        ...{ ...common, anomalies },
        pending: (participant, since) => sourceHolds.pending(pools.admin, participant, since),
        sources: () => authority.participants().filter(({ kind }) => seesSignals(kind)),
      })
      await app.register(feedPauseRoutes, common)
      const { holds, government, subjects, certificate } = registers
      const members = () => authority.participants()
      await app.register(retentionRoutes, { ...common, retention, holds, members })
      await app.register(registerRoutes, { ...common, subjects, certificate })
      await app.register(changeRoutes, { ...common, publishing })
      await app.register(governmentRoutes, { ...common, government })
      await app.register(reportRoutes, { ...common, publishing, suppressBelow: config.suppressBelow })
    },
  ]
}
