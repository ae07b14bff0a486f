import { loadConfig } from '../../config.ts'
import type { Base } from '../../core.ts'
import { systemClock } from '../../kernel/clock.ts'
import { silentLog } from '../../kernel/log.ts'
import type { ParticipantService } from '../../participants/service.ts'
import type { Parts } from '../../parts.ts'

/** Opens the parts without listeners or loops; a node that runs beside takes note within two seconds. */
export const withParts = <T>(work: (parts: Parts) => Promise<T>, env: NodeJS.ProcessEnv = process.env): Promise<T> =>
  withBase(async (base) => {
    const { openParts } = await import('../../parts.ts')
    return work(await openParts(base, { onWake: () => {}, healthy: () => true }))
  }, env)

/** The same of a node that may not be able to open them all. */
export async function withBase<T>(work: (base: Base) => Promise<T>, env: NodeJS.ProcessEnv = process.env): Promise<T> {
  const { openBase } = await coreOfNode()
  const base = await openBase({ config: loadConfig(env), clock: systemClock, log: silentLog, small: 1 })
  try {
    return await work(base)
  } finally {
    await base.close()
  }
}

/** What the node stands on, which nobody reads who asks for help alone. */
export const coreOfNode = () => import('../../core.ts')

export const withParticipants = <T>(work: (service: ParticipantService) => Promise<T>): Promise<T> =>
  withParts(({ participants }) => work(participants))
